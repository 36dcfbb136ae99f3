"""Counts how much of each limit is used today, for `orderdrop limits`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

from orderdrop.config.limits import Bounds
from orderdrop.config.settings import Settings
from orderdrop.domain.switches import ALL, ScopeKey, strategy_key
from orderdrop.risk.engine import RiskEngine
from orderdrop.risk.ledger import UNKNOWN_WORTH, Ledger, Totals
from orderdrop.risk.rules.limits import LIMITS
from orderdrop.system.clock import Micros

_USED: Final = {
    "max_day_value": lambda totals: totals.bought + totals.sold,
    "max_day_bought": lambda totals: totals.bought,
    "max_day_sold": lambda totals: totals.sold,
    "orders_per_day": lambda totals: totals.orders,
    "open_orders": lambda totals: totals.open,
}


_NO_END: Final = Decimal("Infinity")


class Usage(NamedTuple):
    """used: None for a limit on single orders. soft: passing it is only said."""

    account_id: str
    setting: str
    limit: str
    used: Decimal | int | None
    soft: bool = False

    @property
    def percent(self) -> Decimal | None:
        if self.used is None:
            return None
        if self.used == _NO_END:
            return _NO_END
        return (Decimal(self.used) * 100 / Decimal(self.limit)).quantize(Decimal("0.1"))


def usage(settings: Settings, risk: RiskEngine, ledger: Ledger, now: Micros) -> list[Usage]:
    """Returns the usage of all accounts together, then of each account, then of each strategy."""
    accounts = sorted({*settings.accounts, *ledger.accounts()})
    found = [*_of(settings.limits, "limits", ALL, ledger)]
    for account_id in accounts:
        named = settings.accounts.get(account_id)
        if named is not None:
            found += _of(named.limits, f"accounts.{account_id}.limits", ("account", account_id), ledger)
        found += _of_account(settings, risk, ledger, account_id, now)
    for name, strategy in settings.strategies.items():
        found += _of(strategy.limits, f"strategies.{name}.limits", strategy_key(name), ledger)
    return found


def _of(limits: Any, table: str, key: ScopeKey, ledger: Ledger) -> Iterator[Usage]:
    account_id = key[1] if key[0] == "account" else ""
    totals = ledger.totals(key)
    for bounds, soft in ((limits, False), (limits.soft, True)):
        where = f"[{table}.soft]" if soft else f"[{table}]"
        for name, limit in _set(bounds):
            if name == "orders_per_day" and key == ALL:
                continue  # it is each account's
            yield Usage(account_id, f"{where} {name}", limit, _used(name, totals), soft)


def _of_account(
    settings: Settings, risk: RiskEngine, ledger: Ledger, account_id: str, now: Micros
) -> Iterator[Usage]:
    """What [limits], or a live gateway, allows each account; and its cash."""
    totals, rate = ledger.totals(("account", account_id)), risk.rates[account_id]
    if settings.limits.orders_per_day is not None:
        yield Usage(account_id, "[limits] orders_per_day", str(settings.limits.orders_per_day), totals.orders)
    if rate.per_second is not None:
        yield Usage(
            account_id, "orders_per_second", str(rate.per_second), ledger.sent_lately(account_id, now)
        )
    if rate.per_day is not None:
        used = totals.orders + ledger.cancels.get(account_id, 0)
        yield Usage(account_id, "委托加撤单 orders and cancels", str(rate.per_day), used)
    funds = risk.funds(account_id, now) if risk.bound[account_id] else None
    if funds is not None:
        reserved = ledger.reserved(account_id, funds.cash_at, funds.held_at).cash
        yield Usage(account_id, "可用资金 cash", f"{funds.available:.2f}", reserved)


def _set(bounds: Bounds) -> Iterable[tuple[str, str]]:
    fields = type(bounds).model_fields
    for name in [name for name in fields if name in LIMITS]:
        value = getattr(bounds, name)
        if value != fields[name].default:
            yield name, ", ".join(value) if isinstance(value, tuple) else str(value)


def _used(name: str, totals: Totals) -> Decimal | int | None:
    """Infinity with an open order whose price nobody knows."""
    count = _USED.get(name)
    used = None if count is None else count(totals)
    return _NO_END if isinstance(used, Decimal) and used >= UNKNOWN_WORTH else used
