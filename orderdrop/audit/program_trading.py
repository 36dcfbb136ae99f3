"""Holds orders and cancels of each account against the thresholds of program trading (docs/rules.md, "Programmatic trading").

A message is an order that was handed over, each time that it was, or a cancel that was, each time that it was. A second is any second, not only one that
begins when the clock ticks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from orderdrop.audit.frames import Tables
from orderdrop.domain.codes import Code
from orderdrop.domain.order import DropKind
from orderdrop.domain.status import Status
from orderdrop.journal.records import CANCEL_SENT
from orderdrop.system.clock import Micros, iso, trade_date

SECOND: Final = 1_000_000


class Threshold(NamedTuple):
    """ours: what we recommend to stay below; regulator: from here on it is high-frequency trading, None: no such line is drawn."""

    ours: float
    ceiling: float
    regulator: float | None


THRESHOLDS: Final[dict[str, Threshold]] = {
    "busiest_second": Threshold(10, 100, 300),
    "messages_a_day": Threshold(2_000, 15_000, 20_000),
    "cancel_ratio": Threshold(0.15, 0.50, None),
}


def program_trading(tables: Tables) -> list[dict[str, Any]]:
    """An entry for each account, in their order."""
    handed = _handed(tables)
    cancels: defaultdict[str, list[int]] = defaultdict(list)
    quick: defaultdict[str, int] = defaultdict(int)
    orders = {order.id: order for order in tables.orders}
    for order_ref, at in _cancels(tables, orders):
        order = orders[order_ref]
        cancels[order.account_id].append(at)
        since = order.submitted_at or order.admitted_at
        quick[order.account_id] += at - since <= SECOND
    return [
        _account(account, sorted(handed[account]), sorted(cancels[account]), quick[account])
        for account in sorted({*handed, *cancels})
    ]


def _cancels(tables: Tables, orders: Mapping[int, Any]) -> Iterator[tuple[int, int]]:
    """Order and instant of each cancel that went out, each time that it did.

    An older version journaled no such events: what it sent counts once, with the time at which it was asked for.
    """
    told = {event.order_ref for event in tables.events if event.event == CANCEL_SENT}
    for event in tables.events:
        if event.event == CANCEL_SENT and event.order_ref in orders:
            yield event.order_ref, event.at
    for asked in tables.instructions:
        order = orders.get(asked.order_ref)
        if order is not None and order.id not in told and _was_sent(asked, order.batch_id):
            yield order.id, asked.received_at


def _handed(tables: Tables) -> defaultdict[str, list[int]]:
    """Instants of hand-overs by account, without those that are proven to have never left."""
    accounts = {order.id: order.account_id for order in tables.orders}
    left: dict[int, list[int]] = defaultdict(list)
    for event in tables.events:
        if event.event == Status.SUBMITTING:
            left[event.order_ref].append(event.at)
        elif event.event == Status.READY and left[event.order_ref]:
            left[event.order_ref].pop()
    handed: defaultdict[str, list[int]] = defaultdict(list)
    for order, instants in left.items():
        handed[accounts[order]] += instants
    return defaultdict(list, {account: instants for account, instants in handed.items() if instants})


def _was_sent(asked: Any, batch_id: int | None) -> bool:
    """Whether a cancel went to the broker, of a version that did not say so: not one of an order that had not left, or that was finished."""
    if asked.kind != DropKind.CANCEL or batch_id is None:
        return False
    return asked.state in {"sent", "done"} or asked.reason_code == Code.CANCEL_REJECTED


def _account(account: str, handed: Sequence[int], cancels: Sequence[int], quick: int) -> dict[str, Any]:
    messages = sorted([*handed, *cancels])
    most, at = busiest_second(messages)
    by_day: dict[Any, int] = defaultdict(int)
    for instant in messages:
        by_day[trade_date(Micros(instant))] += 1
    ratio = len(cancels) / len(handed) if handed else None
    measured = {
        "busiest_second": most,
        "messages_a_day": max(by_day.values(), default=0),
        "cancel_ratio": ratio,
    }
    return {
        "account_id": account, "orders": len(handed), "cancels": len(cancels), "messages": len(messages),
        "cancels_within_a_second": quick, "busiest_second_at": None if at is None else iso(Micros(at)),
        "measures": [
            {
                "measure": name, "value": value if value is None else round(value, 6), "level": level(name, value),
                **THRESHOLDS[name]._asdict(),
            }
            for name, value in measured.items()
        ],
    }  # fmt: skip


def level(measure: str, value: float | None) -> str:
    """`ok`, `watch` (ours is reached), `limit` (the ceiling), `high_frequency` (the regulator's)."""
    threshold = THRESHOLDS[measure]
    if value is None or value < threshold.ours:
        return "ok"
    if threshold.regulator is not None and value >= threshold.regulator:
        return "high_frequency"
    return "limit" if value >= threshold.ceiling else "watch"


def busiest_second(instants: Sequence[int]) -> tuple[int, int | None]:
    """The most instants within any second, and when it begins. instants: in their order, in microseconds."""
    most, at, begin = 0, None, 0
    for end, instant in enumerate(instants):
        while instant - instants[begin] >= SECOND:
            begin += 1
        if end - begin + 1 > most:
            most, at = end - begin + 1, instants[begin]
    return most, at
