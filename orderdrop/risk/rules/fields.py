"""Checks that a row says what its kind of order needs, and nothing that it cannot carry."""

from __future__ import annotations

from orderdrop.domain.order import Order, OrderType
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.risk.context import Context

_LIMIT = int(OrderType.LIMIT)
_PROTECTED = "SHSE."  # only Shanghai's market orders carry a protective price


def account_known(order: Order, context: Context) -> Refusal | None:
    if not order.account_id:
        return Refusal(Code.ACCOUNT_MISSING, "account_id", bound=_named(context.accounts))
    if context.accounts is None or order.account_id in context.accounts:
        return None
    return Refusal(Code.ACCOUNT_UNKNOWN, "account_id", order.account_id, _named(context.accounts))


def price_as_type_wants(order: Order, _context: Context) -> Refusal | None:
    """A limit order needs a price; a market order takes none, but for Shanghai's protective one."""
    price = order.price
    if price is None:
        return Refusal(Code.PRICE_MISSING, "price") if order.order_type == _LIMIT else None
    if not price > 0:
        return Refusal(Code.PRICE_BAD, "price", str(price))
    if order.order_type == _LIMIT or order.symbol.startswith(_PROTECTED):
        return None
    bound = f"{order.symbol[:4]} 市价 market order ({order.order_type})"
    return Refusal(Code.PRICE_NOT_ALLOWED, "price", str(price), bound)


def _named(accounts: frozenset[str] | None) -> str:
    return ", ".join(sorted(accounts or ()))
