"""Chooses the rules that judge an order, and the bounds that they hold it to: once, by the settings and by which gateways are live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from orderdrop.accounts.routing import Routing
from orderdrop.config.limits import ORDERS_PER_DAY_CEILING, ORDERS_PER_SECOND_CEILING
from orderdrop.domain.switches import ALL, ScopeKey, folded, strategy_key
from orderdrop.risk import checks
from orderdrop.risk.context import Rate, RepeatPolicy
from orderdrop.risk.ledger import Whose
from orderdrop.risk.rules import cash, market, rate, repeats, session, switches
from orderdrop.risk.rules.limits import Limit, Scope, compiled, within_limits
from orderdrop.system.lazy import Lazy

LIVE_PER_SECOND: Final = 10
LIVE_PER_DAY: Final = 2000
LIVE_REPEAT_WINDOW: Final = 60.0
_BY_DEFAULT: Final = "默认 default"
_ANY: Final = Scope("", ALL)

_OF_BOUND = frozenset(
    {
        session.on_trading_day, session.in_time, cash.snapshot_there, cash.cash_enough, cash.shares_enough, cash.odd_lot_whole,
        repeats.crosses_nothing_own, rate.held_for_cancels, session.held_for_time,
        market.reference_there, cash.snapshot_fresh, rate.cancels_few,
    }
)  # fmt: skip
_OF_PRICES = frozenset({market.price_within_limits, market.price_within_cage, market.not_suspended})
_IN_YUAN = ("max_order_value", "max_day_value", "max_day_sold")
_OF_CANCELS = frozenset({rate.held_for_cancels, rate.cancels_few})
_OF_RATES = frozenset({rate.day_ceiling, rate.turn_comes_in_time})
_OF_REPEATS = {"refuse": repeats.repeat_refused, "hold": repeats.held_as_repeat, "warn": repeats.repeat_told}


class Rulebook:
    """Its rules are chosen once: the settings do not change while a router runs."""

    def __init__(self, desk: Routing) -> None:
        self._settings = desk.settings
        self._limits = desk.settings.limits
        self.strategies = {folded(name): name for name in desk.settings.strategies}
        self.bound: Lazy[str, bool] = Lazy(
            lambda account_id: self._settings.bound(self._settings.gateway_of(account_id))
        )
        self.rates: Lazy[str, Rate] = Lazy(self._rate)
        self.hard: Lazy[Whose, tuple[Limit, ...]] = Lazy(self._hard_limits)
        self.soft: Lazy[Whose, tuple[Limit, ...]] = Lazy(self._soft_limits)
        self.repeats: Lazy[str, RepeatPolicy] = Lazy(self._repeat_policy)
        self.any_bound = any(map(self._settings.bound, self._settings.gateways))
        named = (account.limits for account in self._settings.accounts.values())
        self.paces = self.any_bound or any(of.orders_per_second for of in (self._limits, *named))
        self.says = any(compiled(of.soft, _ANY) for of in self._all_limits())
        self._chosen = self._choose()
        self.counts = bool(self._chosen) or self.says
        self._rules: Lazy[frozenset[Any], dict[str, Any]] = Lazy(_rules)

    def rules(self, *, shut: bool, partial: bool, priced: bool, cancels: bool) -> dict[str, Any]:
        """Returns the rules that run now, as a context has them.

        shut: some gateway is closed for the day. partial: something, but not all, is switched off. priced: something is known of
        securities. cancels: some order of today was cancelled.
        """
        chosen = set(self._chosen)
        if shut:
            chosen.add(switches.gateway_open)
        if partial:
            chosen.add(switches.not_switched_off)
        if priced:
            chosen |= _OF_PRICES
        if not cancels:
            chosen -= _OF_CANCELS
        return self._rules[frozenset(chosen)]

    def _choose(self) -> frozenset[Any]:
        chosen: set[Any] = set()
        if any(compiled(of, _ANY) for of in self._all_limits()):
            chosen.add(within_limits)
        if self.any_bound:
            chosen |= _OF_BOUND
        if any(getattr(of, name) for of in self._all_bounds() for name in _IN_YUAN):
            chosen.add(market.sale_worth_known)
        if self.strategies:
            chosen.add(switches.strategy_named)
        if self.paces:
            chosen |= _OF_RATES
        if self._limits.repeat_window or (self._limits.repeat_window is None and self.any_bound):
            chosen |= {_OF_REPEATS[self._limits.repeats], session.held_for_time}
        return frozenset(chosen)

    def _all_limits(self) -> list[Any]:
        accounts, strategies = self._settings.accounts.values(), self._settings.strategies.values()
        return [self._limits, *(one.limits for one in accounts), *(one.limits for one in strategies)]

    def _all_bounds(self) -> list[Any]:
        """The hard and the soft ones."""
        return [bounds for of in self._all_limits() for bounds in (of, of.soft)]

    def _hard_limits(self, key: Whose) -> tuple[Limit, ...]:
        return tuple(limit for limits, scope in self._tables(*key) for limit in compiled(limits, scope))

    def _soft_limits(self, key: Whose) -> tuple[Limit, ...]:
        return tuple(
            limit
            for limits, scope in self._tables(*key)
            for limit in compiled(limits.soft, scope._replace(table=f"{scope.table}.soft"))
        )

    def _tables(self, account_id: str, strategy: str, folder: ScopeKey) -> Iterable[tuple[Any, Scope]]:
        """An order keeps them all: those of the strategy that its row names, and of the one that its folder names."""
        yield self._limits, Scope("limits", ALL)
        account = self._settings.accounts.get(account_id)
        if account is not None:
            yield (
                account.limits,
                Scope(f"accounts.{account.alias or account_id}.limits", ("account", account_id)),
            )
        whose = (strategy, folder[1] if folder[0] == "strategy" else "")
        for spelled in dict.fromkeys(map(folded, whose)):
            if (name := self.strategies.get(spelled)) is not None:
                limits = self._settings.strategies[name].limits
                yield limits, Scope(f"strategies.{name}.limits", strategy_key(name))

    def _rate(self, account_id: str) -> Rate:
        """The smaller of the account's own and that of [limits]; where neither is set, on live gateways the default; there also at most the ceiling."""
        account = self._settings.accounts.get(account_id)
        own = account.limits if account else self._limits
        per_second = _smaller(own.orders_per_second, self._limits.orders_per_second)
        per_day = _smaller(own.orders_per_day, self._limits.orders_per_day)
        if not self.bound[account_id]:
            return Rate(per_second, None, "")
        said = "orders_per_day" if per_day else _BY_DEFAULT
        return Rate(
            min(per_second or LIVE_PER_SECOND, ORDERS_PER_SECOND_CEILING),
            min(per_day or LIVE_PER_DAY, ORDERS_PER_DAY_CEILING),
            said,
        )

    def _repeat_policy(self, account_id: str) -> RepeatPolicy:
        window = self._limits.repeat_window
        if window is None:
            window = LIVE_REPEAT_WINDOW if self.bound[account_id] else 0
        return RepeatPolicy(window, self._limits.repeats)


def _rules(chosen: frozenset[Any]) -> dict[str, Any]:
    """The chosen ones in their order, as a context has them."""
    tuples = {
        "standing": checks.STANDING_RULES,
        "further": checks.FURTHER_RULES,
        "holds": checks.HOLDS,
        "warnings": checks.WARNINGS,
    }
    return {name: tuple(rule for rule in rules if rule in chosen) for name, rules in tuples.items()}


def _smaller(*bounds: int | None) -> int | None:
    """Of those that are set."""
    return min((bound for bound in bounds if bound), default=None)
