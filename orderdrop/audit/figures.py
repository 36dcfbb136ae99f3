"""Adds up what a day, or a few, came to, as plain data for `--json`; the page, the workbook and the screen show the same.

Money is exact and given as text, in yuan. Latencies are in milliseconds. docs/audit.md tells what each figure means.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from orderdrop import __version__
from orderdrop.audit.frames import Choice, Order, Tables
from orderdrop.audit.program_trading import program_trading
from orderdrop.domain.codes import Code
from orderdrop.domain.identity import from_day_number
from orderdrop.domain.order import OrderType
from orderdrop.domain.refusal import Refusal, explain
from orderdrop.domain.status import Status
from orderdrop.system.clock import Micros, iso, to_datetime
from orderdrop.views.called import is_derived

SOFTWARE: Final = {"name": "orderdrop", "version": __version__, "developer": "orderdrop contributors"}
"""What a user of program trading reports to the broker, as far as this program is concerned."""

STAGES: Final[tuple[tuple[str, Callable[[Order], int | None], Callable[[Order], int | None]], ...]] = (
    ("dropped_admitted", lambda o: o.written_at, lambda o: o.admitted_at),
    ("admitted_handed_over", lambda o: o.admitted_at, lambda o: o.submitted_at),
    ("handed_over_confirmed", lambda o: o.submitted_at, lambda o: o.confirmed_at),
    ("confirmed_filled", lambda o: o.confirmed_at, lambda o: o.filled_at if o.status == Status.FILLED else None),
    ("dropped_confirmed", lambda o: o.written_at, lambda o: o.confirmed_at),
)  # fmt: skip

_BUCKETS: Final = (1, 2, 5, 10, 15, 30, 60)
_MOST_BUCKETS: Final = 72
_ZERO: Final = Decimal(0)
_CENT: Final = Decimal("0.01")


def figures(tables: Tables, first: date, last: date, choice: Choice | None = None) -> dict[str, Any]:
    orders = tables.orders
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "choice": {name: value for name, value in (choice or Choice())._asdict().items() if value},
        "software": SOFTWARE,
        "drops": _drops(tables),
        "orders": {"total": len(orders), "by_outcome": _outcomes(orders)},
        "by_day": _by_day(tables) if first != last else [],
        "by_strategy": _grouped(orders, "strategy", lambda order: order.strategy),
        "by_hour": _grouped(orders, "hour", lambda order: f"{to_datetime(Micros(order.admitted_at)):%H}"),
        "flow": _flow(orders),
        "latency": [_latency(name, orders, begin, end) for name, begin, end in STAGES],
        "refusals": _refusals(tables),
        "unknown": _told(tables, lambda events: any(event.event == Status.UNKNOWN for event in events)),
        "resent": _told(tables, lambda events: sum(event.event == Status.SUBMITTING for event in events) > 1),
        "trades": _trades(tables),
        "program_trading": program_trading(tables),
    }


def _drops(tables: Tables) -> dict[str, int]:
    counted = {
        name: sum(getattr(drop, name) for drop in tables.drops)
        for name in ("rows", "accepted", "denied", "duplicates", "errors")
    }
    return {
        "total": len(tables.drops),
        "refused": sum(drop.state == "refused" for drop in tables.drops),
    } | counted


def _outcomes(orders: Iterable[Order]) -> dict[str, int]:
    counts = Counter(order.status for order in orders)
    return {status.value: counts[status] for status in Status if counts[status]}


def _grouped(orders: Sequence[Order], name: str, key: Callable[[Order], str]) -> list[dict[str, Any]]:
    groups: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        groups[key(order)].append(order)
    return [
        {
            name: group, "orders": len(members), "by_outcome": _outcomes(members),
            "turnover": str(sum((order.filled_value for order in members), _ZERO)),
        }
        for group, members in sorted(groups.items())
    ]  # fmt: skip


def _by_day(tables: Tables) -> list[dict[str, Any]]:
    return _grouped(tables.orders, "day", lambda order: from_day_number(order.day).isoformat())


def _flow(orders: Sequence[Order]) -> dict[str, Any]:
    """Orders by outcome through the day, in steps of whole minutes; steps without orders are left out."""
    minutes = [
        (at.hour * 60 + at.minute, order.status)
        for order in orders
        for at in [to_datetime(Micros(order.admitted_at))]
    ]
    if not minutes:
        return {"minutes": 1, "steps": []}
    span = max(minutes)[0] - min(minutes)[0] + 1
    step = next((size for size in _BUCKETS if span <= size * _MOST_BUCKETS), _BUCKETS[-1])
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for minute, status in minutes:
        counts[minute // step * step][status] += 1
    steps = [
        {
            "at": f"{begin // 60:02}:{begin % 60:02}",
            "by_outcome": {s.value: counted[s] for s in Status if counted[s]},
        }
        for begin, counted in sorted(counts.items())
    ]
    return {"minutes": step, "steps": steps}


def _latency(
    name: str,
    orders: Iterable[Order],
    begin: Callable[[Order], int | None],
    end: Callable[[Order], int | None],
) -> dict[str, Any]:
    """median: between the middle two if need be; p95: the smallest one that at least 95% do not exceed."""
    found = []
    for order in orders:
        before, after = begin(order), end(order)
        if before is not None and after is not None:
            found.append((after - before, order.sid))
    if not found:
        return {
            "stage": name,
            "orders": 0,
            "median_ms": None,
            "p95_ms": None,
            "worst_ms": None,
            "worst_sid": None,
        }
    found.sort()
    count = len(found)
    middle = (found[(count - 1) // 2][0] + found[count // 2][0]) / 2
    p95 = found[-(-count * 95 // 100) - 1][0]
    worst, sid = found[-1]
    return {
        "stage": name, "orders": count, "median_ms": middle / 1000, "p95_ms": p95 / 1000, "worst_ms": worst / 1000,
        "worst_sid": sid,
    }  # fmt: skip


def _refusals(tables: Tables) -> list[dict[str, Any]]:
    """By rule, most frequent first. by: who said no."""
    found: dict[tuple[str, str], list[tuple[str, Refusal]]] = defaultdict(list)
    for drop in tables.drops:
        if drop.reason_code:
            found["file", drop.reason_code].append((drop.name, _refusal(drop)))
    for row in tables.rows:
        by = "duplicate" if row.outcome == "duplicate" else "row"
        found[by, row.reason_code].append((f"{row.drop_name}:{row.row}", _refusal(row)))
    for order in tables.orders:
        if order.why is not None and order.status in {Status.DENIED, Status.REJECTED}:
            by = "broker" if order.status == Status.REJECTED else "check"
            named = f"{order.drop}:{order.row}" if is_derived(order.sid) else order.sid
            found[by, str(order.why.code)].append((named, order.why))
    told = [
        {
            "by": by, "code": code, "count": len(cases), "first": cases[0][0],
            "zh": explain(cases[0][1]).zh, "en": explain(cases[0][1]).en, "remedy": explain(cases[0][1]).remedy,
        }
        for (by, code), cases in found.items()
    ]  # fmt: skip
    return sorted(told, key=lambda rule: (-int(rule["count"]), str(rule["by"]), str(rule["code"])))


def _refusal(row: Any) -> Refusal:
    return Refusal(
        Code(row.reason_code), row.reason_column or "", row.reason_value or "", row.reason_bound or ""
    )


def _told(tables: Tables, wanted: Callable[[Sequence[Any]], bool]) -> list[dict[str, Any]]:
    """Orders whose events are as `wanted`, with all of them: the evidence."""
    events: dict[int, list[Any]] = defaultdict(list)
    for event in tables.events:
        events[event.order_ref].append(event)
    return [
        {
            "sid": order.sid, "account_id": order.account_id, "symbol": order.symbol, "status": order.status,
            "drop": order.drop, "row": order.row,
            "evidence": [
                {"at": iso(event.at), "event": event.event, "source": event.source, "detail": event.detail}
                for event in events[order.id]
            ],
        }
        for order in tables.orders
        if wanted(events[order.id])
    ]  # fmt: skip


def _trades(tables: Tables) -> dict[str, Any]:
    """Turnover and fees, and how much better than their limits limit orders were filled."""
    buys, sells = (
        sum((order.filled_value for order in tables.orders if order.side == side), _ZERO)
        for side in ("buy", "sell")
    )
    fees = sum((order.fee for order in tables.orders if order.fee is not None), _ZERO)
    return {
        "fills": len(tables.fills),
        "filled_orders": sum(order.filled_volume > 0 for order in tables.orders),
        "filled_volume": sum(order.filled_volume for order in tables.orders),
        "turnover": {"buy": str(buys), "sell": str(sells), "total": str(buys + sells)},
        "fees": {"told": str(fees), "fills_without": sum(fill.fee is None for fill in tables.fills)},
        "price": {side: _against_limit(tables.orders, side) for side in ("buy", "sell")},
    }


def _against_limit(orders: Iterable[Order], side: str) -> dict[str, Any]:
    limited = [
        (order.price * order.filled_volume, order.filled_value)
        for order in orders
        if order.side == side and order.order_type == OrderType.LIMIT and order.price and order.filled_volume
    ]
    at_limit = sum((limit for limit, _value in limited), _ZERO)
    value = sum((value for _limit, value in limited), _ZERO)
    better = at_limit - value if side == "buy" else value - at_limit
    return {
        "orders": len(limited),
        "better_by": str(better),
        "basis_points": _basis_points(better, at_limit),
    }


def _basis_points(better: Decimal, at_limit: Decimal) -> str | None:
    try:
        return str((better / at_limit * 10000).quantize(_CENT)) if at_limit else None
    except ArithmeticError:  # of prices that no market has
        return None
