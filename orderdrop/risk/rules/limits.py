"""Checks the user's limits (config/limits.py), of every scope that an order belongs to. What is open counts as if it will trade.

`LIMITS` makes a rule of each setting that is set; `Scope` says whose orders it counts and where it stands in the settings. What several
rules ask of an order is found out once (`Facts`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from orderdrop.config.limits import Bounds
from orderdrop.domain.order import BUYS, TO_HOLDING, Order
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.switches import ScopeKey
from orderdrop.risk.context import Context, Funds, RiskFacts
from orderdrop.risk.ledger import UNKNOWN_WORTH
from orderdrop.risk.rules.market import worth
from orderdrop.risk.rules.session import clock_text, second_of

_ST: Final = "ST"
_HUNDRED = Decimal(100)
_CENT = Decimal("0.01")


class Scope(NamedTuple):
    """table: of the settings. key: whose orders count; all: those of the order's own account where a limit is each account's."""

    table: str
    key: ScopeKey


class Facts:
    """What limits ask of an order. adds: whether it adds to a holding. price: yuan for each unit of volume, at most; price and value are None
    where nobody knows.
    """

    __slots__ = ("_volume_then", "adds", "around", "buy", "order", "price", "value")

    def __init__(self, order: Order, context: Context) -> None:
        self.order = order
        self.around: RiskFacts = context.around
        self.buy = order.order_business in BUYS
        self.adds = order.order_business in TO_HOLDING
        self.price = worth(order, context)
        self.value = None if self.price is None else self.price * order.volume
        self._volume_then = -1

    @property
    def funds(self) -> Funds | None:
        """None as well when the holdings were never told."""
        funds = self.around.funds[self.order.account_id]
        return None if funds is None or funds.positions is None else funds

    def volume_then(self, funds: Funds) -> int:
        """What the account holds once the order and all purchases under way have traded."""
        if self._volume_then < 0:
            held = (funds.positions or {}).get(self.order.symbol)
            under_way = self.incoming(funds).get(self.order.symbol, 0) + self.order.volume
            self._volume_then = (held.volume if held else 0) + under_way
        return self._volume_then

    def incoming(self, funds: Funds) -> Mapping[str, int]:
        """Purchases that the holdings do not show, by symbol."""
        return self.around.ledger.reserved(self.order.account_id, funds.cash_at, funds.held_at).incoming


Limit = Callable[[Facts], Refusal | None]


def compiled(bounds: Bounds, scope: Scope) -> tuple[Limit, ...]:
    """The rules of the limits that are set."""
    fields = type(bounds).model_fields
    return tuple(
        make(getattr(bounds, name), scope)
        for name, make in LIMITS.items()
        if name in fields and getattr(bounds, name) != fields[name].default
    )


def within_limits(order: Order, context: Context) -> Refusal | None:
    facts = Facts(order, context)
    for limit in context.around.limits[order.account_id, order.strategy, context.folder]:
        refusal = limit(facts)
        if refusal is not None:
            return refusal
    return None


def passed_softly(order: Order, context: Context) -> list[Refusal]:
    """The soft limits that an order passes."""
    facts = Facts(order, context)
    soft = context.around.soft_limits[order.account_id, order.strategy, context.folder]
    found = (limit(facts) for limit in soft)
    return [refusal for refusal in found if refusal is not None]


# one order


def _order_value(bound: Decimal, scope: Scope) -> Limit:
    def rule(facts: Facts) -> Refusal | None:
        if facts.value is not None and facts.value <= bound:
            return None
        return _over(Code.LIMIT_ORDER_VALUE, facts.value, bound, scope, "max_order_value", facts)

    return rule


def _order_volume(bound: int, scope: Scope) -> Limit:
    def rule(facts: Facts) -> Refusal | None:
        volume = facts.order.volume
        if volume <= bound:
            return None
        return _over(Code.LIMIT_ORDER_VOLUME, volume, bound, scope, "max_order_volume", facts)

    return rule


def _deviation(bound: Decimal, scope: Scope) -> Limit:
    where, share = _where(scope, "price_deviation"), bound / _HUNDRED

    def rule(facts: Facts) -> Refusal | None:
        price = facts.order.price
        if price is None:
            return None
        known = facts.around.instruments[facts.order.symbol]
        reference = known.reference if known else None
        if reference is None:
            return Refusal(Code.REFERENCE_NEEDED, "price", facts.order.symbol, where)
        away = abs(price - reference)
        if away <= share * reference:
            return None
        percent = (away * _HUNDRED / reference).quantize(_CENT)
        return Refusal(
            Code.LIMIT_DEVIATION, "price", f"{price} ({percent}%)", f"{reference} ± {bound}% ({where})"
        )

    return rule


def _symbols_allowed(patterns: Iterable[str], scope: Scope) -> Limit:
    fits, where = _fitting(patterns), _where(scope, "symbols_allowed")

    def rule(facts: Facts) -> Refusal | None:
        symbol = facts.order.symbol
        if fits(symbol) or (_ST in patterns and _st(facts)):
            return None
        return Refusal(Code.LIMIT_SYMBOL, "symbol", symbol, where)

    return rule


def _symbols_forbidden(patterns: Iterable[str], scope: Scope) -> Limit:
    fits, where = _fitting(patterns), _where(scope, "symbols_forbidden")

    def rule(facts: Facts) -> Refusal | None:
        symbol = facts.order.symbol
        st = _st(facts) if _ST in patterns else False
        if st is None:
            return Refusal(Code.ST_UNKNOWN, "symbol", symbol, where)
        return Refusal(Code.LIMIT_SYMBOL, "symbol", symbol, where) if st or fits(symbol) else None

    return rule


def _sides(sides: Iterable[str], scope: Scope) -> Limit:
    where = _where(scope, "sides_allowed")

    def rule(facts: Facts) -> Refusal | None:
        side = "buy" if facts.buy else "sell"
        return None if side in sides else Refusal(Code.LIMIT_SIDE, "order_business", side, where)

    return rule


def _hours(hours: Iterable[str], scope: Scope) -> Limit:
    """For the moment at which the order goes, at the earliest."""
    spans = [(second_of(begin), second_of(end)) for begin, _, end in (text.partition("-") for text in hours)]

    @lru_cache(maxsize=4)
    def allowed(second: int) -> bool:
        return any(begin <= second < end for begin, end in spans)

    bound = f"{', '.join(hours)} ({_where(scope, 'hours_allowed')})"

    def rule(facts: Facts) -> Refusal | None:
        second = facts.around.second
        if facts.order.not_before:
            second = max(second, second_of(facts.order.not_before))
        if allowed(second):
            return None
        return Refusal(Code.LIMIT_HOURS, "", clock_text(second), bound)

    return rule


# a holding


def _position(bound: int, scope: Scope) -> Limit:
    def rule(facts: Facts) -> Refusal | None:
        if not facts.adds:
            return None
        funds = facts.funds
        if funds is None:
            return _untold(facts)
        volume = facts.volume_then(funds)
        return (
            _over(Code.LIMIT_POSITION, volume, bound, scope, "max_position", facts)
            if volume > bound
            else None
        )

    return rule


def _position_percent(bound: Decimal, scope: Scope) -> Limit:
    def rule(facts: Facts) -> Refusal | None:
        if not facts.adds:
            return None
        funds = facts.funds
        if funds is None:
            return _untold(facts)
        if facts.price is None:
            return _over(Code.LIMIT_POSITION_PERCENT, None, bound, scope, "max_position_percent", facts)
        share = facts.volume_then(funds) * facts.price * _HUNDRED
        if share <= bound * funds.assets:
            return None
        percent = f"{(share / funds.assets).quantize(_CENT)}%" if funds.assets > 0 else "∞"
        return _over(Code.LIMIT_POSITION_PERCENT, percent, f"{bound}%", scope, "max_position_percent", facts)

    return rule


def _holdings(bound: int, scope: Scope) -> Limit:
    """More of what is held already is no new holding."""

    def rule(facts: Facts) -> Refusal | None:
        if not facts.adds:
            return None
        funds = facts.funds
        if funds is None:
            return _untold(facts)
        positions, incoming = funds.positions or {}, facts.incoming(funds)
        if len(positions) + len(incoming) < bound:
            return None
        held = {symbol for symbol, holding in positions.items() if holding.volume}
        held |= {symbol for symbol, volume in incoming.items() if volume}
        if facts.order.symbol in held or len(held) < bound:
            return None
        return _over(Code.LIMIT_HOLDINGS, len(held) + 1, bound, scope, "max_holdings", facts)

    return rule


def _untold(facts: Facts) -> Refusal:
    """An account that nobody knows may hold anything."""
    return Refusal(Code.ACCOUNT_NOT_TOLD, "account_id", facts.order.account_id)


# the day


def _open_orders(bound: int, scope: Scope) -> Limit:
    def rule(facts: Facts) -> Refusal | None:
        orders = facts.around.ledger.totals(scope.key).open + 1
        return (
            _over(Code.LIMIT_OPEN_ORDERS, orders, bound, scope, "open_orders", facts)
            if orders > bound
            else None
        )

    return rule


def _day_orders(bound: int, scope: Scope) -> Limit:
    def rule(facts: Facts) -> Refusal | None:
        key = scope.key if scope.key[0] else ("account", facts.order.account_id)
        orders = facts.around.ledger.totals(key).orders + 1
        return (
            _over(Code.LIMIT_DAY_ORDERS, orders, bound, scope, "orders_per_day", facts)
            if orders > bound
            else None
        )

    return rule


def _day_value(bound: Decimal, scope: Scope, name: str, *, buys: bool, sells: bool) -> Limit:
    def rule(facts: Facts) -> Refusal | None:
        if not (buys if facts.buy else sells):
            return None
        total = None
        if facts.value is not None:
            totals = facts.around.ledger.totals(scope.key)
            total = facts.value + (totals.bought if buys else 0) + (totals.sold if sells else 0)
            if total <= bound:
                return None
        if total is not None and total >= UNKNOWN_WORTH:  # with an earlier one whose price nobody knows
            return Refusal(Code.LIMIT_DAY_VALUE, name, "∞", f"{bound} ({_where(scope, name)})")
        return _over(Code.LIMIT_DAY_VALUE, total, bound, scope, name, facts)

    return rule


LIMITS: Final[dict[str, Callable[[Any, Scope], Limit]]] = {
    "symbols_forbidden": _symbols_forbidden,
    "symbols_allowed": _symbols_allowed,
    "sides_allowed": _sides,
    "hours_allowed": _hours,
    "price_deviation": _deviation,
    "max_order_volume": _order_volume,
    "max_order_value": _order_value,
    "max_position": _position,
    "max_position_percent": _position_percent,
    "max_holdings": _holdings,
    "open_orders": _open_orders,
    "orders_per_day": _day_orders,
    "max_day_bought": partial(_day_value, name="max_day_bought", buys=True, sells=False),
    "max_day_sold": partial(_day_value, name="max_day_sold", buys=False, sells=True),
    "max_day_value": partial(_day_value, name="max_day_value", buys=True, sells=True),
}


def _fitting(patterns: Iterable[str]) -> Callable[[str], bool]:
    begins = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    named = frozenset(patterns)
    return lambda symbol: symbol in named or symbol.startswith(begins)


def _st(facts: Facts) -> bool | None:
    known = facts.around.instruments[facts.order.symbol]
    return known.st if known else None


def _over(code: Code, value: object, bound: object, scope: Scope, name: str, facts: Facts) -> Refusal:
    if value is None:
        return Refusal(Code.REFERENCE_NEEDED, "price", facts.order.symbol, _where(scope, name))
    return Refusal(code, name, str(value), f"{bound} ({_where(scope, name)})")


def _where(scope: Scope, name: str) -> str:
    return f"[{scope.table}] {name}"
