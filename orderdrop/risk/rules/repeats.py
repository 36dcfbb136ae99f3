"""Checks for orders that were probably not meant: the same one once more under another sid, or one that would trade with the account's own."""

from __future__ import annotations

from orderdrop.domain.hold import Hold
from orderdrop.domain.order import BUYS, Order, OrderType
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.risk.context import Context
from orderdrop.risk.ledger import likeness

_LIMIT = int(OrderType.LIMIT)


def repeat_refused(order: Order, context: Context) -> Refusal | None:
    return _repeat(order, context, "refuse")


def repeat_told(order: Order, context: Context) -> Refusal | None:
    """Said, not denied."""
    return _repeat(order, context, "warn")


def held_as_repeat(order: Order, context: Context) -> Hold | None:
    refusal = _repeat(order, context, "hold")
    return None if refusal is None else Hold(None, refusal)


def crosses_nothing_own(order: Order, context: Context) -> Refusal | None:
    """A market order trades at any price."""
    around = context.around
    if not around.bound[order.account_id]:
        return None
    buy = order.order_business in BUYS
    limit = order.price if order.order_type == _LIMIT else None
    for own in around.ledger.open_against(order.account_id, order.symbol, buy=buy):
        meets = limit is None or own.limit is None or (limit >= own.limit if buy else limit <= own.limit)
        if meets:
            return Refusal(Code.CROSSES_OWN, "price", str(limit or "-"), str(own.limit or "-"))
    return None


def _repeat(order: Order, context: Context, act: str) -> Refusal | None:
    around = context.around
    policy = around.repeats[order.account_id]
    if policy.act != act or not policy.seconds:
        return None
    limit = order.price if order.order_type == _LIMIT else None
    like = likeness(order.account_id, order.symbol, order.order_business in BUYS, order.volume, limit)
    earlier = around.ledger.like(like, context.origin, around.now - int(policy.seconds * 1_000_000))
    if earlier is None:
        return None
    return Refusal(Code.REPEATED, "sid", around.ledger.entries[earlier].sid, f"{policy.seconds:g} s")
