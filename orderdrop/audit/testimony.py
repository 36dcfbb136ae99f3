"""Compares an order's row with its events, its reports and its batch. Those are sealed; the row is not, for it changes.

What nothing else in the journal says of an order stands in the seal that closes its day (journal/chain.py, `further_digest`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, inspect

from orderdrop.domain.codes import Code
from orderdrop.domain.identity import from_day_number, sid_key, wire_sid
from orderdrop.domain.status import AT_BROKER, TERMINAL, Status


class Difference(NamedTuple):
    """where: an entry of the journal, or a file."""

    where: str
    zh: str
    en: str


class _Told(NamedTuple):
    """All that was journaled of an order. batch: the one that its row names."""

    order: Any
    events: list[Any]
    reports: list[Any]
    batch: Any

    def times_of(self, statuses: Iterable[str]) -> set[int]:
        wanted = frozenset(statuses)
        return {event.at for event in self.events if event.event in wanted}


_ORDERS: Final = """SELECT o.id, o.trade_day, o.volume, o.sid, o.sid_key, o.gateway, o.batch_id, o.status, o.order_id, o.reason_code,
    o.submitted_at, o.confirmed_at, o.closed_at, o.updated_at, {told_volume} AS told_volume,
    b.id AS batch, b.gateway AS batch_gateway, b.created_at AS batch_at, b.first_order, b.last_order
    FROM orders o LEFT JOIN batches b ON b.id = o.batch_id ORDER BY o.id"""
_EVENTS: Final = (
    "SELECT order_ref, at, event, detail FROM events WHERE order_ref IS NOT NULL ORDER BY order_ref, id"
)
_REPORTS: Final = """SELECT order_ref, kind, json_extract(body, '$.at') AS at, json_extract(body, '$.order_id') AS order_id,
    json_extract(body, '$.status') AS status, json_extract(body, '$.filled_volume') AS filled
    FROM reports WHERE order_ref IS NOT NULL AND kind IN ('StatusReport', 'Fill') ORDER BY order_ref, id"""

_STATUSES: Final = frozenset(Status)
_LEAVES: Final = frozenset({Status.SUBMITTING, Status.READY, Status.HELD})
_QUIET: Final = frozenset({"OVERFILLED", "NEVER_ENDED", "BROKER_REJECTED", "FILLS_MISSING", "FILLS_BEYOND"})
"""Reasons that come with a report, and with no event that names them."""


def differences(connection: Connection) -> Iterator[Difference]:
    """The first of each order, oldest order first. Reads everything once, side by side."""
    events, reports = _by_order(connection, _EVENTS), _by_order(connection, _REPORTS)
    names = {column["name"] for column in inspect(connection).get_columns("orders")}
    told_volume = (
        "o.told_volume" if "told_volume" in names else "NULL"
    )  # a journal that was not brought up to date yet
    for order in connection.exec_driver_sql(_ORDERS.format(told_volume=told_volume)):
        told = _Told(order, events(order.id), reports(order.id), order if order.batch is not None else None)
        where = f"order {order.id} ({order.sid})"
        said = next((event.event for event in reversed(told.events) if event.event in _STATUSES), None)
        if said is None:
            yield Difference(where, "没有任何事件:插入的委托", "has no event: the order was inserted")
            continue
        if said != order.status:
            yield Difference(
                where,
                f"状态是 {order.status},事件说 {said}",
                f"its status is {order.status}, its events say {said}",
            )
            continue
        for column, holds in _RULES:
            if not holds(told):
                value = getattr(order, column)
                yield Difference(
                    where, f"{column} 是 {value}，事件、回报、批次不是这样说",
                    f"its {column} is {value}; its events, reports and batch do not say so",
                )  # fmt: skip
                break


def _by_order(connection: Connection, query: str) -> Callable[[int], list[Any]]:
    """Asked for one order after the other, in their order."""
    groups = groupby(connection.exec_driver_sql(query), key=lambda row: row.order_ref)
    following: tuple[int, list[Any]] | None = None

    def rows_of(order: int) -> list[Any]:
        nonlocal following
        while following is None or following[0] < order:
            key, rows = next(groups, (None, ()))
            if key is None:
                return []
            following = (key, list(rows))
        return following[1] if following[0] == order else []

    return rows_of


def _sid_key_is_its_sids(told: _Told) -> bool:
    """Of a denied order, the sid is not used up. A sid that lives a day carries the day."""
    order = told.order
    if order.status == Status.DENIED:
        return order.sid_key is None
    day = from_day_number(order.trade_day)
    return order.sid_key in {sid_key(order.sid), sid_key(wire_sid(order.sid, day, "day"))}


def _batch_is_the_one_it_left_with(told: _Told) -> bool:
    left = [event for event in told.events if event.event in _LEAVES]
    if not left or left[-1].event != Status.SUBMITTING:
        return told.order.batch_id is None
    batch = told.batch
    if batch is None:
        return False
    return bool(batch.batch_at == left[-1].at and batch.first_order <= told.order.id <= batch.last_order)


def _gateway_is_its_batchs(told: _Told) -> bool:
    return told.batch is None or bool(told.order.gateway == told.batch.batch_gateway)


def _number_was_told(told: _Told) -> bool:
    numbers = {report.order_id for report in told.reports if report.order_id}
    return told.order.order_id in numbers if numbers else not told.order.order_id


def _confirmed_when_told(told: _Told) -> bool:
    spoken = {r.at for r in told.reports if r.kind == "Fill" or r.status in AT_BROKER}
    return told.order.confirmed_at in spoken if spoken else told.order.confirmed_at is None


def _submitted_when_told(told: _Told) -> bool:
    at, events = told.order.submitted_at, [event.event for event in told.events]
    if at is not None:
        return at in told.times_of({Status.SUBMITTED})
    since = max((n for n, event in enumerate(events) if event == Status.READY), default=0)
    return Status.SUBMITTED not in events[since:]


def _closed_when_told(told: _Told) -> bool:
    if told.order.status not in TERMINAL:
        return told.order.closed_at is None
    return told.order.closed_at in told.times_of(TERMINAL)


def _updated_when_told(told: _Told) -> bool:
    return told.order.updated_at in {row.at for rows in (told.events, told.reports) for row in rows}


def _reason_was_given(told: _Told) -> bool:
    """That of a denial is sealed with its event. What holds an order when it comes has an event that does not say why."""
    order = told.order
    if order.reason_code is None or order.status == Status.DENIED:
        return True
    named = {str(event.detail or "").partition(" ")[0] for event in told.events}
    if order.reason_code in named or (order.reason_code in _QUIET and told.reports):
        return True
    held = any(event.event == Status.HELD and not event.detail for event in told.events)
    return held and order.reason_code in set(Code)


def _volume_was_told(told: _Told) -> bool:
    """An order that is said to be filled is so to its last share, whatever figure stands beside that."""
    order, reports = told.order, told.reports
    said = {report.filled for report in reports}
    said |= {order.volume} if any(report.status == Status.FILLED for report in reports) else set()
    return order.told_volume is None or order.told_volume in said


_RULES: Final[tuple[tuple[str, Callable[[_Told], bool]], ...]] = (
    ("sid_key", _sid_key_is_its_sids),
    ("batch_id", _batch_is_the_one_it_left_with),
    ("gateway", _gateway_is_its_batchs),
    ("order_id", _number_was_told),
    ("submitted_at", _submitted_when_told),
    ("confirmed_at", _confirmed_when_told),
    ("closed_at", _closed_when_told),
    ("updated_at", _updated_when_told),
    ("told_volume", _volume_was_told),
    ("reason_code", _reason_was_given),
)
