"""Answers questions of the journal on a read-only connection that never disturbs the router."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, func, or_, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from orderdrop.domain.identity import sid_key
from orderdrop.domain.status import Status
from orderdrop.errors import JournalError
from orderdrop.journal.records import ROW_REFUSED, passed_over_key
from orderdrop.journal.schema import (
    ROW_BITS,
    batches,
    drops,
    events,
    fills,
    instructions,
    meta,
    orders,
    reports,
    rows,
    sids_past,
)
from orderdrop.system.clock import instant_of

# SUBMITTED tells a program nothing that SUBMITTING has not: both are "pending new" in 掘金's codes.
_NO_SUCH_EVENT = 1 << 62
_STATUSES = tuple(status for status in Status if status is not Status.SUBMITTED)
# What the broker itself said of the order with the report that made an event; a list, for it may have said more in that instant.
_SAID_THEN = (
    select(func.json_group_array(func.json(reports.c.body)))
    .where(
        reports.c.order_ref == events.c.order_ref,
        reports.c.kind == "StatusReport",
        func.json_extract(reports.c.body, "$.at") == events.c.at,
        events.c.source != "router",
    )
    .correlate(events)
    .scalar_subquery()
    .label("said_then")
)
_ORDER_AND_DROP = (
    *(column for column in orders.c if column.name != "received_at"),
    func.coalesce(orders.c.received_at, drops.c.received_at).label("received_at"),
    drops.c.name.label("drop_name"),
    drops.c.sheets,
)


def _called(name: str) -> ColumnElement[bool]:
    """Where names that differ in case only are one file, their receipts are, too."""
    if sys.platform in {"win32", "darwin"}:
        return drops.c.name.collate("NOCASE") == name
    return drops.c.name == name


class Reading:
    """Questions to the journal, within one snapshot."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def connection(self) -> Connection:
        """For the chain, which reads in its own way."""
        return self._connection

    def meta(self, key: str) -> str | None:
        return self._connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar_one_or_none()

    # orders

    def orders_of_day(
        self, day: int, *, account: str | None = None, strategy: str | None = None, symbol: str | None = None,
        status: str | None = None, size: int = 2000,
    ) -> Iterator[Any]:  # fmt: skip
        """Orders of a day, oldest first, streamed; each row also has drop_name and received_at."""
        first, last = self._range(day)
        wanted: list[ColumnElement[bool]] = [orders.c.id.between(first, last), orders.c.trade_day == day]
        for column, value in (
            ("account_id", account),
            ("strategy", strategy),
            ("symbol", symbol),
            ("status", status),
        ):
            if value is not None:
                wanted.append(orders.c[column] == value)
        query = self._orders().where(*wanted).order_by(orders.c.id)
        yield from self._connection.execution_options(yield_per=size).execute(query)

    def newest_orders(
        self, day: int, count: int, *, open_only: bool = False, **wanted: str | None
    ) -> tuple[dict[str, int], list[Any]]:
        """How many orders of a day there are by status, and the newest of them, newest first. wanted: a column's value, None for any."""
        first, last = self._range(day)
        which = [orders.c.id.between(first, last), orders.c.trade_day == day]
        which += [orders.c[column] == value for column, value in wanted.items() if value is not None]
        which += [orders.c.closed_at.is_(None)] if open_only else []
        counts = select(orders.c.status, func.count()).where(*which).group_by(orders.c.status)
        newest = self._orders().where(*which).order_by(orders.c.id.desc()).limit(count)
        return (
            {row[0]: row[1] for row in self._connection.execute(counts)},
            list(self._connection.execute(newest)),
        )

    def orders_of_drop(self, drop_id: int) -> Iterator[Any]:
        first = drop_id << ROW_BITS
        query = (
            self._orders()
            .where(orders.c.id.between(first, first + (1 << ROW_BITS) - 1))
            .order_by(orders.c.id)
        )
        yield from self._connection.execution_options(yield_per=2000).execute(query)

    def orders_by_id(self, ids: Sequence[int]) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(ids), 500):
            found += self._connection.execute(self._orders().where(orders.c.id.in_(ids[start : start + 500])))
        return found

    def orders_by_sid(self, sid: str, wires: Sequence[str], day: int) -> list[Any]:
        """Returns all orders that carry `sid`: the one that has used it up on any day, and refused ones of `day`."""
        keys = [sid_key(wire) for wire in wires]
        days = select(drops.c.trade_day).distinct()
        first, last = self._range(day)
        ids = set(
            self._connection.execute(
                select(sids_past.c.order_id).where(sids_past.c.sid_key.in_(keys))
            ).scalars()
        )
        through = int(self.meta("sids_past_through") or 0)
        recent = and_(
            orders.c.trade_day.in_(days.where(drops.c.trade_day > through)), orders.c.sid_key.in_(keys)
        )
        ids |= set(self._connection.execute(select(orders.c.id).where(recent)).scalars())
        refused = and_(orders.c.id.between(first, last), orders.c.sid == sid)
        ids |= set(self._connection.execute(select(orders.c.id).where(refused)).scalars())
        return [order for order in self.orders_by_id(sorted(ids)) if order.sid == sid or sid in wires]

    def live_orders(self) -> list[Any]:
        return list(
            self._connection.execute(self._orders().where(orders.c.closed_at.is_(None)).order_by(orders.c.id))
        )

    def newest_day(self) -> int:
        """Returns the last day of which there is a drop, 0 for none."""
        found = self._connection.exec_driver_sql("SELECT coalesce(max(trade_day), 0) FROM drops").scalar_one()
        return int(found)

    def unknown_counts(self) -> dict[str | None, int]:
        """Returns how many open orders are unknown, by the code that says why."""
        open_unknown = (orders.c.closed_at.is_(None), orders.c.status == Status.UNKNOWN)
        query = select(orders.c.reason_code, func.count()).where(*open_unknown).group_by(orders.c.reason_code)
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def status_counts(self, day: int) -> dict[str, int]:
        first, last = self._range(day)
        query = select(orders.c.status, func.count()).where(
            orders.c.id.between(first, last), orders.c.trade_day == day
        )
        return {row[0]: row[1] for row in self._connection.execute(query.group_by(orders.c.status))}

    def sids_because(self, day: int, codes: Sequence[str]) -> list[str]:
        """Orders of a day that say one of these reasons now."""
        first, last = self._range(day)
        query = select(orders.c.sid).where(
            orders.c.id.between(first, last), orders.c.trade_day == day, orders.c.reason_code.in_(codes)
        )
        return list(self._connection.execute(query.order_by(orders.c.id)).scalars())

    def story(self, order: int) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
        """Returns events, fills, reports and instructions of an order, in their order."""
        return (
            list(
                self._connection.execute(
                    select(events).where(events.c.order_ref == order).order_by(events.c.id)
                )
            ),
            list(
                self._connection.execute(select(fills).where(fills.c.order_ref == order).order_by(fills.c.id))
            ),
            list(
                self._connection.execute(
                    select(reports).where(reports.c.order_ref == order).order_by(reports.c.id)
                )
            ),
            list(
                self._connection.execute(
                    self._with_sheets(instructions).where(instructions.c.order_ref == order)
                )
            ),
        )

    def batch(self, batch_id: int) -> Any:
        return self._connection.execute(select(batches).where(batches.c.id == batch_id)).one_or_none()

    # drops

    def drops_of_day(self, day: int) -> list[Any]:
        return list(
            self._connection.execute(select(drops).where(drops.c.trade_day == day).order_by(drops.c.id))
        )

    def recent_drops(self, days: int) -> list[int]:
        """Ids of the drops of the last days that had any."""
        last = select(drops.c.trade_day).distinct().order_by(drops.c.trade_day.desc()).limit(days)
        query = select(drops.c.id).where(drops.c.trade_day.in_(last)).order_by(drops.c.id)
        return list(self._connection.execute(query).scalars())

    def days_with_drops(self, limit: int) -> list[int]:
        """Returns the newest days that had any, newest first."""
        query = select(drops.c.trade_day).distinct().order_by(drops.c.trade_day.desc()).limit(limit)
        return list(self._connection.execute(query).scalars())

    def drops_by_name(self, name: str) -> list[Any]:
        """Drops called `name` (with or without the sub-folder), newest first."""
        named = or_(drops.c.name == name, drops.c.name.endswith(f"/{name}", autoescape=True))
        return list(self._connection.execute(select(drops).where(named).order_by(drops.c.id.desc())))

    def names_dropped_again(self, day: int) -> list[str]:
        """The names that several drops of a day have had."""
        named = select(drops.c.name).where(drops.c.trade_day == day).group_by(drops.c.name)
        return list(self._connection.execute(named.having(func.count() > 1)).scalars())

    def drop_or_none(self, drop_id: int) -> Any:
        return self._connection.execute(select(drops).where(drops.c.id == drop_id)).one_or_none()

    def drops_archived_as(self, path: str) -> list[Any]:
        """Returns the drops that were archived there, several when a file was rewritten under its name. path: below the workspace."""
        query = select(drops).where(drops.c.archived_as == path)
        return list(self._connection.execute(query.order_by(drops.c.id)))

    def first_events(self, drop_id: int) -> list[Any]:
        """(order id, instant) of the first event of each order of a drop."""
        first = drop_id << ROW_BITS
        query = select(events.c.order_ref, func.min(events.c.at)).where(
            events.c.order_ref.between(first, first + (1 << ROW_BITS) - 1), events.c.source == "router"
        )
        return list(self._connection.execute(query.group_by(events.c.order_ref)))

    def newest_drop_called(self, name: str) -> int | None:
        newest: int | None = self._connection.execute(
            select(func.max(drops.c.id)).where(_called(name))
        ).scalar_one()
        return newest

    def older_drops_called(self, name: str, drop_id: int) -> list[int]:
        """Returns the drop that had the name before, as a list of at most one."""
        query = select(func.max(drops.c.id)).where(_called(name), drops.c.id < drop_id)
        return [found for found in self._connection.execute(query).scalars() if found is not None]

    def row_outcomes(self, drop_id: int) -> list[Any]:
        """Returns row errors and duplicates of a drop."""
        first = drop_id << ROW_BITS
        query = self._with_sheets(rows).where(rows.c.id.between(first, first + (1 << ROW_BITS) - 1))
        return list(self._connection.execute(query.order_by(rows.c.id)))

    def rows_by_sid(self, sid: str, day: int) -> list[Any]:
        first, last = self._range(day)
        query = self._with_sheets(rows).where(rows.c.id.between(first, last), rows.c.sid == sid)
        return list(self._connection.execute(query))

    def instructions_of_drop(self, drop_id: int) -> list[Any]:
        first = drop_id << ROW_BITS
        within = instructions.c.id.between(first, first + (1 << ROW_BITS) - 1)
        query = self._with_sheets(instructions).where(within)
        return list(self._connection.execute(query.order_by(instructions.c.id)))

    def passed_over(self, drop_id: int) -> dict[int, str]:
        """What was passed over in a drop's instructions, by their ids."""
        known = json.loads(self.meta(passed_over_key(drop_id)) or "{}")
        return {int(row): note for row, note in known.items()}

    def instructions_of_day(self, day: int, states: Sequence[str]) -> list[Any]:
        """Rows of the day's cancel, release and resend drops that are in one of these states, with drop_name."""
        first, last = self._range(day)
        query = (
            select(instructions, drops.c.name.label("drop_name"), drops.c.sheets)
            .join(drops, drops.c.id == instructions.c.id.op(">>")(ROW_BITS))
            .where(instructions.c.id.between(first, last), drops.c.trade_day == day)
            .where(instructions.c.state.in_(states))
        )
        return list(self._connection.execute(query.order_by(instructions.c.id)))

    def reports_of_day(self, day: int, begin: int, end: int, kind: str) -> Iterator[Any]:
        """Yields what was told of a day's orders, and, between two instants, of orders that are not ours; in the order in which it was told."""
        first, last = self._range(day)
        columns = (
            reports.c.id, reports.c.gateway, reports.c.account_id, reports.c.sid, reports.c.body, orders.c.sid.label("order_sid"),
            orders.c.symbol, orders.c.order_business, orders.c.volume, orders.c.price,
        )  # fmt: skip
        asked = select(*columns).join(orders, orders.c.id == reports.c.order_ref, isouter=True)
        ours = asked.where(
            reports.c.kind == kind, reports.c.order_ref.between(first, last), orders.c.trade_day == day
        )
        others = asked.where(
            reports.c.kind == kind,
            reports.c.order_ref.is_(None),
            reports.c.received_at.between(begin, end - 1),
        )
        both = ours.union_all(others).subquery()
        yield from self._connection.execute(select(both).order_by(both.c.id))

    # for the result files and the archive

    def events_after(self, event_id: int, limit: int) -> list[Any]:
        """Changes of state that programs are told about, with the order as it is now."""
        query = (
            select(
                events.c.id.label("event_id"),
                events.c.at,
                events.c.event,
                events.c.detail,
                events.c.filled_volume.label("filled_then"),
                _SAID_THEN,
                *_ORDER_AND_DROP,
            )
            .join(orders, orders.c.id == events.c.order_ref)
            .join(drops, drops.c.id == orders.c.id.op(">>")(ROW_BITS))
            .where(events.c.id > event_id, events.c.event.in_(_STATUSES))
            .order_by(events.c.id)
            .limit(limit)
        )
        return list(self._connection.execute(query))

    def refused_rows(self, after: int, to: int) -> list[Any]:
        """(id, at, detail) of rows that could not be read though they name a sid and an account: events behind `after` and up to `to`."""
        query = select(events.c.id, events.c.at, events.c.detail).where(
            events.c.order_ref.is_(None),
            events.c.id > after,
            events.c.id <= to,
            events.c.event == ROW_REFUSED,
        )
        return list(self._connection.execute(query.order_by(events.c.id)))

    def last_event(self) -> int:
        return int(self._connection.execute(select(func.coalesce(func.max(events.c.id), 0))).scalar_one())

    def before_day(self, day: int) -> tuple[int, int]:
        """Returns the event id and the fill id before the first ones of a day's orders."""
        first = select(func.min(drops.c.id)).where(drops.c.trade_day == day)
        begun = self._connection.execute(first).scalar_one()
        refused = select(func.min(events.c.id)).where(
            events.c.order_ref.is_(None),
            events.c.event == ROW_REFUSED,
            events.c.at >= instant_of(day, "00:00:00"),
        )
        before_refused = (self._connection.execute(refused).scalar_one() or _NO_SUCH_EVENT) - 1
        return min(self._before(events, begun), before_refused), self._before(fills, begun)

    def _before(self, table: Table, drop_id: int | None) -> int:
        """The last id of a table before those that belong to a drop or a later one."""
        if drop_id is not None:
            # Through the index of order_ref: the smallest id alone would make SQLite walk the table from its beginning.
            later = select(table.c.id).where(table.c.order_ref >= drop_id << ROW_BITS).subquery()
            found = self._connection.execute(select(func.min(later.c.id + 0))).scalar_one()
            if found is not None:
                return int(found) - 1
        return int(self._connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one())

    def fills_after(self, fill_id: int, limit: int) -> list[Any]:
        query = (
            select(fills.c.id.label("fill_id"), fills.c.at, fills.c.exec_id, fills.c.volume.label("fill_volume"),
                   fills.c.price.label("fill_price"), fills.c.fee, *_ORDER_AND_DROP)
            .join(orders, orders.c.id == fills.c.order_ref)
            .join(drops, drops.c.id == orders.c.id.op(">>")(ROW_BITS))
            .where(fills.c.id > fill_id)
            .order_by(fills.c.id)
            .limit(limit)
        )  # fmt: skip
        return list(self._connection.execute(query))

    def batches_of_day(self, day: int) -> Iterator[Any]:
        query = select(batches).where(batches.c.trade_day == day).order_by(batches.c.id)
        yield from self._connection.execution_options(yield_per=1).execute(query)

    def open_days(self) -> list[int]:
        """Returns trading days that have drops, oldest first, behind the last one that was closed."""
        closed = int(self.meta("closed_through") or 0)
        query = select(drops.c.trade_day).where(drops.c.trade_day > closed).distinct()
        return sorted(self._connection.execute(query).scalars())

    def _orders(self) -> Any:
        return select(*_ORDER_AND_DROP).join(drops, drops.c.id == orders.c.id.op(">>")(ROW_BITS))

    def _with_sheets(self, table: Table) -> Any:
        return select(table, drops.c.sheets).join(drops, drops.c.id == table.c.id.op(">>")(ROW_BITS))

    def _range(self, day: int) -> tuple[int, int]:
        """The range of order ids that a day's drops span."""
        found = self._connection.execute(
            select(func.min(drops.c.id), func.max(drops.c.id)).where(drops.c.trade_day == day)
        ).one()
        return ((found[0] or 0) << ROW_BITS, ((found[1] or 0) + 1) << ROW_BITS)


@contextmanager
def read(engine: Engine) -> Iterator[Reading]:
    """Raises JournalError when the journal cannot be read."""
    try:
        with engine.connect() as connection:
            yield Reading(connection)
    except DBAPIError as error:
        if "no such column" in str(error) or "no such table" in str(error):
            raise JournalError(
                "日志库是旧版本写的：先运行一次 orderdrop run --once,它会升级日志库"
                " / an older orderdrop wrote this journal: run `orderdrop run --once` first, which brings it up to date"
            ) from error
        raise JournalError(f"日志库读不出来 / the journal cannot be read: {error}") from error
