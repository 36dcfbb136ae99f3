"""Checks how fast and how often an account sends (docs/rules.md, "Programmatic trading"). Counted by account, as the exchanges do."""

from __future__ import annotations

from decimal import Decimal

from orderdrop.domain.hold import Hold
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.risk.context import Context

_HUNDRED = Decimal(100)
_FEW = 20
"""Orders of a day below which a cancel ratio says nothing."""


def day_ceiling(order: Order, context: Context) -> Refusal | None:
    """Orders and cancels of the day."""
    rate = context.around.rates[order.account_id]
    if rate.per_day is None:
        return None
    ledger = context.around.ledger
    count = ledger.totals(("account", order.account_id)).orders + ledger.cancels.get(order.account_id, 0) + 1
    return (
        None
        if count <= rate.per_day
        else Refusal(Code.RATE_DAY, "", str(count), f"{rate.per_day} ({rate.per_day_from})")
    )


def turn_comes_in_time(order: Order, context: Context) -> Refusal | None:
    """What is ahead of it leaves at the account's pace; an order that would wait too long is stale when it goes."""
    rate = context.around.rates[order.account_id]
    if rate.per_second is None:
        return None
    ahead = context.around.ledger.totals(("account", order.account_id)).unsent
    wait = ahead / rate.per_second
    if wait <= context.around.max_wait:
        return None
    return Refusal(
        Code.RATE_WAIT, "", f"{wait:.0f} s", f"{context.around.max_wait:.0f} s, {rate.per_second}/s"
    )


def held_for_cancels(order: Order, context: Context) -> Hold | None:
    refusal = _cancels_above(order, context, context.around.cancels_hold)
    return None if refusal is None else Hold(None, refusal)


def cancels_few(order: Order, context: Context) -> Refusal | None:
    """Said, not denied."""
    return _cancels_above(order, context, context.around.cancels_warn)


def _cancels_above(order: Order, context: Context, bound: Decimal) -> Refusal | None:
    around = context.around
    cancels = around.ledger.cancels.get(order.account_id, 0)
    if not cancels or not around.bound[order.account_id]:
        return None
    orders = around.ledger.totals(("account", order.account_id)).orders
    if orders < _FEW or cancels * _HUNDRED < bound * orders:
        return None
    return Refusal(Code.CANCEL_RATIO, "", f"{cancels}/{orders}", f"{bound}%")
