"""The user's limits (bounds.py), of every scope that an order belongs to. What is open counts as if it will trade.

`LIMITS` says which setting each rule reads; a rule runs only where its setting is set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

from orderdrop.checks.context import Context, Instrument, Rule, Scope
from orderdrop.checks.market import worth
from orderdrop.checks.session import second_of
from orderdrop.order.model import Order, OrderBusiness
from orderdrop.order.refusal import Code, Refusal

_BUY = int(OrderBusiness.BUY)
_ST: Final = "ST"
_HUNDRED = Decimal(100)


def order_value(order: Order, context: Context) -> Refusal | None:
    for scope, bound in _bounds(order, context, "max_order_value"):
        value = _value(order, context)
        if value is None or value > bound:
            return _over(Code.LIMIT_ORDER_VALUE, value, bound, scope, "max_order_value", order)
    return None


def order_volume(order: Order, context: Context) -> Refusal | None:
    for scope, bound in _bounds(order, context, "max_order_volume"):
        if order.volume > bound:
            return _over(Code.LIMIT_ORDER_VOLUME, order.volume, bound, scope, "max_order_volume", order)
    return None


def day_value(order: Order, context: Context) -> Refusal | None:
    return _day(order, context, "max_day_value", lambda totals: totals.bought + totals.sold)


def day_bought(order: Order, context: Context) -> Refusal | None:
    return (
        _day(order, context, "max_day_bought", lambda totals: totals.bought)
        if order.order_business == _BUY
        else None
    )


def day_sold(order: Order, context: Context) -> Refusal | None:
    return (
        _day(order, context, "max_day_sold", lambda totals: totals.sold)
        if order.order_business != _BUY
        else None
    )


def day_orders(order: Order, context: Context) -> Refusal | None:
    ledger = context.around.ledger
    for scope, bound in _bounds(order, context, "orders_per_day"):
        orders = ledger.totals(scope.key if scope.key[0] else ("account", order.account_id)).orders + 1
        if orders > bound:
            return _over(Code.LIMIT_DAY_ORDERS, orders, bound, scope, "orders_per_day", order)
    return None


def open_orders(order: Order, context: Context) -> Refusal | None:
    for scope, bound in _bounds(order, context, "open_orders"):
        orders = context.around.ledger.totals(scope.key).open + 1
        if orders > bound:
            return _over(Code.LIMIT_OPEN_ORDERS, orders, bound, scope, "open_orders", order)
    return None


def price_deviation(order: Order, context: Context) -> Refusal | None:
    for scope, bound in _bounds(order, context, "price_deviation"):
        if order.price is None:
            return None
        known = context.around.instruments[order.symbol]
        reference = known.reference if known else None
        if reference is None:
            return Refusal(Code.REFERENCE_NEEDED, "price", order.symbol, _where(scope, "price_deviation"))
        away = abs(order.price - reference) / reference * _HUNDRED
        if away > bound:
            percent = f"{away.quantize(Decimal('0.01'))}%"
            return Refusal(
                Code.LIMIT_DEVIATION,
                "price",
                f"{order.price} ({percent})",
                f"{reference} ± {bound}% ({_where(scope, 'price_deviation')})",
            )
    return None


def symbol_allowed(order: Order, context: Context) -> Refusal | None:
    for scope, patterns in _bounds(order, context, "symbols_allowed"):
        if not any(_fits(order.symbol, pattern, context) for pattern in patterns):
            return Refusal(Code.LIMIT_SYMBOL, "symbol", order.symbol, _where(scope, "symbols_allowed"))
    return None


def symbol_not_forbidden(order: Order, context: Context) -> Refusal | None:
    for scope, patterns in _bounds(order, context, "symbols_forbidden"):
        for pattern in patterns:
            if pattern == _ST and _st(order.symbol, context) is None:
                return Refusal(Code.ST_UNKNOWN, "symbol", order.symbol, _where(scope, "symbols_forbidden"))
            if _fits(order.symbol, pattern, context):
                return Refusal(
                    Code.LIMIT_SYMBOL,
                    "symbol",
                    order.symbol,
                    f"{pattern} ({_where(scope, 'symbols_forbidden')})",
                )
    return None


def side_allowed(order: Order, context: Context) -> Refusal | None:
    side = "buy" if order.order_business == _BUY else "sell"
    for scope, sides in _bounds(order, context, "sides_allowed"):
        if side not in sides:
            return Refusal(Code.LIMIT_SIDE, "order_business", side, _where(scope, "sides_allowed"))
    return None


def hours_allowed(order: Order, context: Context) -> Refusal | None:
    """For the moment at which it goes, at the earliest."""
    second = (
        max(context.around.second, second_of(order.not_before)) if order.not_before else context.around.second
    )
    for scope, hours in _bounds(order, context, "hours_allowed"):
        if not any(
            second_of(begin) <= second < second_of(end)
            for begin, _, end in (text.partition("-") for text in hours)
        ):
            return Refusal(
                Code.LIMIT_HOURS,
                "",
                f"{second // 3600:02}:{second // 60 % 60:02}",
                f"{', '.join(hours)} ({_where(scope, 'hours_allowed')})",
            )
    return None


def position(order: Order, context: Context) -> Refusal | None:
    if order.order_business != _BUY:
        return None
    for scope, bound in _bounds(order, context, "max_position"):
        volume = _volume_then(order, context)
        if volume is None:
            return Refusal(Code.ACCOUNT_NOT_TOLD, "account_id", order.account_id)
        if volume > bound:
            return _over(Code.LIMIT_POSITION, volume, bound, scope, "max_position", order)
    return None


def position_percent(order: Order, context: Context) -> Refusal | None:
    if order.order_business != _BUY:
        return None
    for scope, bound in _bounds(order, context, "max_position_percent"):
        funds, volume, price = (
            context.around.funds[order.account_id],
            _volume_then(order, context),
            worth(order, context),
        )
        if funds is None or volume is None:
            return Refusal(Code.ACCOUNT_NOT_TOLD, "account_id", order.account_id)
        if price is None:
            return Refusal(
                Code.REFERENCE_NEEDED, "price", order.symbol, _where(scope, "max_position_percent")
            )
        share = volume * price * _HUNDRED
        if share > bound * funds.assets:
            percent = (share / funds.assets).quantize(Decimal("0.01")) if funds.assets > 0 else None
            return _over(
                Code.LIMIT_POSITION_PERCENT, f"{percent}%", f"{bound}%", scope, "max_position_percent", order
            )
    return None


def holdings(order: Order, context: Context) -> Refusal | None:
    if order.order_business != _BUY:
        return None
    for scope, bound in _bounds(order, context, "max_holdings"):
        funds = context.around.funds[order.account_id]
        if funds is None:
            return Refusal(Code.ACCOUNT_NOT_TOLD, "account_id", order.account_id)
        incoming = context.around.ledger.reserved(order.account_id, funds.at).incoming
        held = {symbol for symbol, held in funds.positions.items() if held.volume} | {
            s for s, volume in incoming.items() if volume
        }
        if len(held | {order.symbol}) > bound:
            return _over(Code.LIMIT_HOLDINGS, len(held | {order.symbol}), bound, scope, "max_holdings", order)
    return None


LIMITS: Final[dict[str, Rule]] = {
    "symbols_forbidden": symbol_not_forbidden,
    "symbols_allowed": symbol_allowed,
    "sides_allowed": side_allowed,
    "hours_allowed": hours_allowed,
    "price_deviation": price_deviation,
    "max_order_volume": order_volume,
    "max_order_value": order_value,
    "max_position": position,
    "max_position_percent": position_percent,
    "max_holdings": holdings,
    "open_orders": open_orders,
    "orders_per_day": day_orders,
    "max_day_bought": day_bought,
    "max_day_sold": day_sold,
    "max_day_value": day_value,
}


def _bounds(order: Order, context: Context, name: str) -> Iterator[tuple[Scope, Any]]:
    """The scopes of an order in which this is set, with what is set."""
    for scope in context.around.scopes[order.account_id, order.strategy]:
        bound = getattr(scope.bounds, name, None)
        if bound is not None and bound != ():
            yield scope, bound


def _day(order: Order, context: Context, name: str, so_far: Callable[[Any], Decimal]) -> Refusal | None:
    for scope, bound in _bounds(order, context, name):
        value = _value(order, context)
        total = None if value is None else so_far(context.around.ledger.totals(scope.key)) + value
        if total is None or total > bound:
            return _over(Code.LIMIT_DAY_VALUE, total, bound, scope, name, order)
    return None


def _value(order: Order, context: Context) -> Decimal | None:
    price = worth(order, context)
    return None if price is None else price * order.volume


def _volume_then(order: Order, context: Context) -> int | None:
    """What the account holds once the order and all purchases under way have traded; None when nobody knows."""
    around = context.around
    funds = around.funds[order.account_id]
    if funds is None:
        return None
    held = funds.positions.get(order.symbol)
    incoming = around.ledger.reserved(order.account_id, funds.at).incoming
    return (held.volume if held else 0) + incoming.get(order.symbol, 0) + order.volume


def _fits(symbol: str, pattern: str, context: Context) -> bool:
    if pattern == _ST:
        return bool(_st(symbol, context))
    return symbol.startswith(pattern[:-1]) if pattern.endswith("*") else symbol == pattern


def _st(symbol: str, context: Context) -> bool | None:
    known: Instrument | None = context.around.instruments[symbol]
    return known.st if known else None


def _over(code: Code, value: object, bound: object, scope: Scope, name: str, order: Order) -> Refusal:
    if value is None:
        return Refusal(Code.REFERENCE_NEEDED, "price", order.symbol, _where(scope, name))
    return Refusal(code, name, str(value), f"{bound} ({_where(scope, name)})")


def _where(scope: Scope, name: str) -> str:
    return f"{scope.table} {name}"
