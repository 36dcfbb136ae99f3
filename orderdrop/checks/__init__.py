"""Owns our no: a tuple of rules, of which the first denial wins. Pure; refuses what cannot be judged (fail closed).

`RULES`, `HOLDS` and `WARNINGS` are the table of contents; docs/checks.md says what each looks at.
"""

from __future__ import annotations

from orderdrop.checks.board import (
    board_known,
    lot_kept,
    maximum_kept,
    order_type_offered,
    side_offered,
    tick_kept,
)
from orderdrop.checks.cash import cash_enough, odd_lot_whole, shares_enough, snapshot_fresh, snapshot_there
from orderdrop.checks.context import Context, Hold, HoldRule, Rule
from orderdrop.checks.fields import account_known, price_as_type_wants
from orderdrop.checks.limits import passed_softly, within_limits
from orderdrop.checks.market import entry_of, price_within_cage, price_within_limits, reference_there
from orderdrop.checks.rate import cancels_few, day_ceiling, held_for_cancels, turn_comes_in_time
from orderdrop.checks.repeats import crosses_nothing_own, held_as_repeat, repeat_refused, repeat_told
from orderdrop.checks.session import held_for_time, in_time, on_trading_day
from orderdrop.checks.switches import gateway_open, not_halted, not_switched_off
from orderdrop.order.model import Order
from orderdrop.order.refusal import Code, Refusal

__all__ = [
    "HOLDS",
    "RULES",
    "WARNINGS",
    "Context",
    "Hold",
    "Rule",
    "check",
    "entry_of",
    "every_denial",
    "hold",
    "warnings",
]

KIND_RULES: tuple[Rule, ...] = (
    not_halted,
    account_known,
    board_known,
    side_offered,
    order_type_offered,
)
"""They look at nothing of an order but its account, symbol, type and side, so their yes is remembered."""

SIZE_RULES: tuple[Rule, ...] = (
    price_as_type_wants,
    tick_kept,
    lot_kept,
    maximum_kept,
)

TIME_RULES: tuple[Rule, ...] = (
    on_trading_day,
    in_time,
)
"""They run where a gateway is bound to sessions, and for an order that has times of its own."""

FURTHER_RULES: tuple[Rule, ...] = (
    gateway_open,
    not_switched_off,
    price_within_limits,
    price_within_cage,
    within_limits,
    snapshot_there,
    cash_enough,
    shares_enough,
    odd_lot_whole,
    crosses_nothing_own,
    repeat_refused,
    day_ceiling,
    turn_comes_in_time,
)
"""They need to know more; each runs where the settings, or a live gateway, call for it."""

RULES = KIND_RULES + SIZE_RULES + TIME_RULES + FURTHER_RULES

HOLDS: tuple[HoldRule, ...] = (held_as_repeat, held_for_cancels, held_for_time)
"""What waits for a person before what waits for a time."""

WARNINGS: tuple[Rule, ...] = (reference_there, snapshot_fresh, cancels_few, repeat_told)
"""What is said of an order that goes all the same; so are soft limits."""


def check(order: Order, context: Context) -> Refusal | None:
    """Why the order is denied, None when it may go. Never raises."""
    kind = (order.account_id, order.symbol, order.order_type, order.order_business)
    if kind not in context.passed:
        refusal = _first_denial(KIND_RULES, order, context)
        if refusal is not None:
            return refusal
        context.passed.add(kind)
    refusal = _first_denial(SIZE_RULES, order, context)
    if refusal is None and (context.sessions or order.not_before or order.not_after):
        refusal = _first_denial(TIME_RULES, order, context)
    if refusal is None and context.further:
        return _first_denial(context.further, order, context)
    return refusal


def every_denial(order: Order, context: Context) -> list[Refusal]:
    """All that speaks against an order; for those who ask beforehand."""
    rules = (*KIND_RULES, *SIZE_RULES, *TIME_RULES, *context.further)
    found = [refusal for rule in rules if (refusal := _first_denial((rule,), order, context)) is not None]
    # What cannot be judged because of what was denied already tells nothing new.
    return found[:1] + [refusal for refusal in found[1:] if refusal.code is not Code.CHECK_FAILED]


def hold(order: Order, context: Context) -> Hold | Refusal | None:
    """Whether an order that may go has to wait first; a refusal when that cannot be told."""
    for rule in context.holds or (held_for_time,):
        try:
            found = rule(order, context)
        except Exception as fault:  # noqa: BLE001  as below
            return Refusal(Code.CHECK_FAILED, rule.__name__, type(fault).__name__)
        if found is not None:
            return found
    return None


def warnings(order: Order, context: Context) -> list[Refusal]:
    """What is to be said of an order that may go: one for each rule, and one for each soft limit that it passes."""
    found = []
    for rule in context.warnings:
        refusal = _first_denial((rule,), order, context)
        if refusal is not None:
            found.append(refusal)
    return found + passed_softly(order, context) if context.soft else found


def _first_denial(rules: tuple[Rule, ...], order: Order, context: Context) -> Refusal | None:
    for rule in rules:
        try:
            refusal = rule(order, context)
        # Broad on purpose, and only here: a check that cannot be run denies, whatever went wrong in it.
        except Exception as fault:  # noqa: BLE001
            return Refusal(Code.CHECK_FAILED, rule.__name__, type(fault).__name__)
        if refusal is not None:
            return refusal
    return None
