"""What can be written inside one transaction. Rows go in as tuples in batches; the statements are prepared once.

The busiest statements are given to the driver as text, in the column order of the NamedTuples here: SQLAlchemy's
dictionaries cost 1.4 times as much.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from itertools import repeat
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.dialects.sqlite import insert as upsert

from orderdrop.checks import Hold
from orderdrop.clock import instant_of
from orderdrop.journal.chain import Seal, late_key
from orderdrop.journal.schema import ROW_BITS, batches, drops, instructions, meta, orders
from orderdrop.journal.today import TodaysOrders
from orderdrop.order.model import SELLS, Order
from orderdrop.order.refusal import Code, Refusal
from orderdrop.order.status import S, Status
from orderdrop.reports.apply import Standing

T = TypeVar("T")


class DropState(StrEnum):
    OPEN = "open"  # in the inbox; more rows may come
    REFUSED = "refused"  # as a whole
    DONE = "done"  # archived


class RowOutcome(StrEnum):
    ERROR = "error"
    DUPLICATE = "duplicate"


class InstructionState(StrEnum):
    ASKED = "asked"
    SENT = "sent"
    DONE = "done"
    REFUSED = "refused"


class NewDrop(NamedTuple):
    id: int
    name: str
    kind: str
    strategy: str
    trade_day: int
    received_at: int
    state: str
    sid_space: str
    sha256: str | None
    position: int
    next_row: int
    torn: int
    rows: int
    accepted: int
    denied: int
    duplicates: int
    errors: int
    reason_code: str | None
    reason_column: str | None
    reason_value: str | None
    reason_bound: str | None
    sheets: str | None = None


class NewRow(NamedTuple):
    id: int
    outcome: str
    sid: str | None
    order_ref: int | None
    reason_code: str
    reason_column: str | None
    reason_value: str | None
    reason_bound: str | None


class NewBatch(NamedTuple):
    id: int
    gateway: str
    trade_day: int
    created_at: int
    orders: int
    first_order: int
    last_order: int
    content: bytes


class Known(NamedTuple):
    """An order that has used up a sid."""

    id: int
    sid: str
    account_id: str
    symbol: str
    volume: int
    order_type: int
    order_business: int
    price: str | None
    remark: str | None
    strategy: str | None


class Placed(NamedTuple):
    """An order in its batch."""

    id: int
    sid: str
    account_id: str
    order_business: int
    trade_day: int
    batch_id: int
    submitted_at: int | None


def _insert_text(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


_ADD_DROP = _insert_text("drops", NewDrop._fields)
_ADD_DENIED = (
    "INSERT INTO orders (id, sid, account_id, symbol, volume, order_type, order_business, price, remark, strategy, note,"
    " trade_day, updated_at, closed_at, reason_code, reason_column, reason_value, reason_bound, status)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'denied')"
)
# The rest of a torn line is told on the line's own row.
_ADD_ROW = _insert_text("rows", NewRow._fields).replace("INSERT", "INSERT OR REPLACE", 1)
_ADD_BATCH = _insert_text("batches", NewBatch._fields)
_ADD_FILL = "INSERT INTO fills (order_ref, exec_id, at, volume, price, fee) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_ADD_REPORT = _insert_text(
    "reports", ("received_at", "gateway", "account_id", "sid", "order_ref", "kind", "body")
)
_ADD_EVENT = _insert_text("events", ("at", "order_ref", "event", "source", "detail", "filled_volume"))
_TELL_ORDERS = "INSERT INTO events (at, order_ref, event, source) SELECT updated_at, id, status, 'router' FROM orders WHERE id BETWEEN ? AND ?"
_FIRST_SPACE = (
    "SELECT sid_space FROM drops WHERE name = ? AND trade_day = ? AND sid_space <> '' ORDER BY id LIMIT 1"
)
_NEXT_DROP = "SELECT coalesce(max(id), 0) + 1 FROM drops"
_NEXT_BATCH = "SELECT coalesce(max(id), 0) + 1 FROM batches"
_GET_META = "SELECT value FROM meta WHERE key = ?"
_UNMOVED_DAYS = (
    "SELECT DISTINCT trade_day FROM drops"
    " WHERE trade_day > coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'sids_past_through'), 0)"
    " AND trade_day < ? ORDER BY trade_day"
)
_CLOSE_BATCH = "UPDATE batches SET outcome = ?, handed_at = ? WHERE id = ?"
_KNOWN_COLUMNS = ", ".join(f"orders.{name}" for name in Known._fields)
_KNOWN_TODAY = (
    f"SELECT sid_key, {_KNOWN_COLUMNS} FROM json_each(?) AS wanted CROSS JOIN orders"
    " ON orders.trade_day = ? AND orders.sid_key = wanted.value"
)
_KNOWN_PAST = (
    f"SELECT sids_past.sid_key, {_KNOWN_COLUMNS} FROM json_each(?) AS wanted"
    " CROSS JOIN sids_past ON sids_past.sid_key = wanted.value JOIN orders ON orders.id = sids_past.order_id"
)
_STANDING = (
    "SELECT orders.sid_key, orders.id, status, volume, filled_volume, filled_value, order_id, confirmed_at, closed_at"
    " FROM json_each(?) AS wanted CROSS JOIN orders ON orders.id = wanted.value"
)
_PLACES = (
    f"SELECT {', '.join(Placed._fields)} FROM orders WHERE id BETWEEN ? AND ? AND batch_id = ? ORDER BY id"
)
_TIMES_RESENT = (
    "SELECT order_ref, count(*) FROM json_each(?) AS wanted CROSS JOIN events ON events.order_ref = wanted.value"
    " WHERE event = 'ready' AND detail LIKE ? GROUP BY order_ref"
)
# Why an order was in doubt is over with the broker's first word of it.
_KEPT = "CASE WHEN confirmed_at IS NOT NULL THEN {0} END"
_SAVE_STANDING = (
    "UPDATE orders SET status = ?, filled_volume = ?, filled_value = ?, order_id = ?, confirmed_at = ?, closed_at = ?, updated_at = ?, "
    + ", ".join(
        f"{name} = coalesce(?, {_KEPT.format(name)})"
        for name in ("reason_code", "reason_value", "reason_bound")
    )
    + " WHERE id = ?"
)


_WORD = re.compile(r"[A-Za-z0-9_-]+")


class Writer:
    """The writing half of the journal, inside one transaction."""

    def __init__(self, connection: Connection, memory: dict[str, Any] | None = None) -> None:
        """memory: what the journal's one writer knows without asking, until a transaction fails."""
        self.connection = connection
        self._memory: dict[str, Any] = {} if memory is None else memory
        self._driver: Any = connection.connection.dbapi_connection  # for the busiest statements

    # what is there

    def next_drop_id(self) -> int:
        return self._remembered("drop", _NEXT_DROP)

    def next_batch_id(self) -> int:
        return self._remembered("batch", _NEXT_BATCH)

    def use_ids(self, **following: int) -> None:
        """The next free `drop` or `batch` id, once some have been used."""
        self._memory.update(following)

    def first_space(self, name: str, day: int) -> str | None:
        """What the derived sids of the day's first drop of that name were made from."""
        found: str | None = self.connection.exec_driver_sql(_FIRST_SPACE, (name, day)).scalar()
        return found

    def _remembered(self, what: str, query: str) -> int:
        if what not in self._memory:
            self._memory[what] = self.connection.exec_driver_sql(query).scalar_one()
        found: int = self._memory[what]
        return found

    def kept(self, what: str, make: Callable[[], T]) -> T:
        """Something made from the journal that stays in memory until a transaction fails."""
        if what not in self._memory:
            self._memory[what] = make()
        found: T = self._memory[what]
        return found

    def todays_orders(self, day: int) -> TodaysOrders:
        return TodaysOrders(self.connection, day)

    def known(self, keys: Sequence[int], days: Sequence[int], *, past: bool) -> dict[int, Known]:
        """The orders that have used up these sid keys: on `days`, and with `past` on any day moved to sids_past."""
        wanted = json.dumps(keys)
        found: dict[int, Known] = {}
        for day in days:
            found.update(self._known(_KNOWN_TODAY, (wanted, day)))
        if past:
            found.update(self._known(_KNOWN_PAST, (wanted,)))
        return found

    def _known(self, statement: str, values: tuple[Any, ...]) -> Iterable[tuple[int, Known]]:
        return ((row[0], Known._make(row[1:])) for row in self._driver.execute(statement, values))

    def standings(self, ids: Sequence[int]) -> dict[int, Standing]:
        """Where these orders stand, by order id."""
        rows = self.connection.exec_driver_sql(_STANDING, (json.dumps(ids),))
        return {
            row[1]: Standing(
                row[1], Status(row[2]), row[3], row[4], Decimal(row[5] or 0), row[6] or "", row[7], row[8]
            )
            for row in rows
        }

    def waiting(
        self,
        gateway: str,
        status: Status,
        limit: int,
        *,
        but: Collection[str] = (),
        sells_first: bool = False,
    ) -> list[Any]:
        """READY or HELD orders of a gateway, oldest first, with all columns; none of the accounts `but`.

        sells_first: within a drop, sells before buys.
        """
        query = select(orders).where(
            orders.c.gateway == gateway, orders.c.status == status, orders.c.status.in_(("ready", "held"))
        )
        if but:
            query = query.where(orders.c.account_id.not_in(sorted(but)))
        if sells_first:
            query = query.order_by(text(f"id >> {ROW_BITS}"), orders.c.order_business.not_in(SELLS))
        return list(self.connection.execute(query.order_by(orders.c.id).limit(limit)))

    def order(self, order_ref: int) -> Any:
        return self.connection.execute(select(orders).where(orders.c.id == order_ref)).one()

    def stale(self, day: int) -> list[int]:
        """READY and HELD orders of days before `day`: they were never sent and must not be."""
        # The plus keeps SQLite from walking all days along the index of sids instead of the few orders that wait.
        waiting = text("status IN ('ready', 'held') AND +trade_day < :day").bindparams(day=day)
        query = select(orders.c.id).where(waiting)
        return list(self.connection.execute(query).scalars())

    def overdue(self, now: int, day: int) -> list[Any]:
        """READY and HELD orders of a day whose time to leave is over."""
        return self._still_here("expires_at < ?", (now, day))

    def due(self, now: int, day: int) -> list[Any]:
        """HELD orders of a day that may go now, oldest first."""
        return self._still_here("status = 'held' AND due_at <= ?", (now, day))

    def ready(self, day: int) -> list[Any]:
        return self._still_here("status = 'ready' AND ? IS NULL", (None, day))

    def next_due(self, day: int) -> int | None:
        """When the next order of a day is due, or overdue."""
        times = [
            at
            for order in self._still_here("? IS NULL", (None, day))
            for at in (order.due_at, order.expires_at)
            if at
        ]
        return min(times, default=None)

    def _still_here(self, condition: str, values: tuple[Any, ...]) -> list[Any]:
        query = (
            "SELECT id, account_id, strategy, symbol, order_business, due_at, expires_at FROM orders"
            f" WHERE status IN ('ready', 'held') AND {condition} AND +trade_day = ? ORDER BY id"
        )
        return list(self.connection.exec_driver_sql(query, values))

    def under_way(self) -> bool:
        """Whether any order has left, or is to leave, without the broker having said where it stands."""
        waiting = (S.READY, S.SUBMITTING, S.SUBMITTED, S.UNKNOWN, S.PENDING_NEW, S.PENDING_CANCEL)
        query = select(orders.c.id).where(text("closed_at IS NULL"), orders.c.status.in_(waiting)).limit(1)
        return self.connection.execute(query).first() is not None

    def backlog(self, gateway: str, but: Collection[str] = ()) -> int:
        """How many READY orders wait for a gateway, without those of the accounts `but`."""
        ready = text("status = 'ready' AND status IN ('ready', 'held')")
        query = select(func.count()).select_from(orders).where(orders.c.gateway == gateway, ready)
        if but:
            query = query.where(orders.c.account_id.not_in(sorted(but)))
        return int(self.connection.execute(query).scalar_one())

    def assign(self, ids: Sequence[int], batch_id: int, at: int) -> None:
        """READY orders go into a batch: SUBMITTING."""
        self.move(ids, Status.SUBMITTING, at, "router", batch_id=batch_id)

    def unconfirmed(self, gateway: str, day: int) -> list[Any]:
        """Orders of a day that left, or were about to, and that the broker has never spoken of."""
        query = select(orders).where(
            text("closed_at IS NULL AND confirmed_at IS NULL"),
            orders.c.status.in_((S.SUBMITTING, S.SUBMITTED, S.UNKNOWN)),
            orders.c.gateway == gateway,
            orders.c.trade_day == day,
            orders.c.batch_id.is_not(None),
        )
        return list(self.connection.execute(query.order_by(orders.c.id)))

    def interrupted(self, day: int) -> dict[int, str]:
        """Orders of a day whose hand-over was interrupted and never settled, with their accounts."""
        query = select(orders.c.id, orders.c.account_id).where(
            text("closed_at IS NULL AND confirmed_at IS NULL"),
            orders.c.status == S.UNKNOWN,
            orders.c.reason_code == Code.INTERRUPTED,
            orders.c.trade_day == day,
        )
        return {row[0]: row[1] for row in self.connection.execute(query)}

    def awaiting_fills(self, event: str, day: int) -> list[tuple[int, str, int]]:
        """Partially filled orders of a day that have had `event`: id, gateway, instant of the first one."""
        statement = (
            "SELECT orders.id, gateway, min(events.at) FROM orders CROSS JOIN events ON events.order_ref = orders.id"
            " WHERE closed_at IS NULL AND status = 'partially_filled' AND trade_day = ? AND event = ? GROUP BY orders.id"
        )
        return [(row[0], row[1], row[2]) for row in self.connection.exec_driver_sql(statement, (day, event))]

    def never_confirmed(self, day: int) -> list[Any]:
        """Orders of days before `day` that left and that the broker never spoke of."""
        # The plus: see `stale`.
        silent = text("closed_at IS NULL AND confirmed_at IS NULL AND +trade_day < :day").bindparams(day=day)
        query = select(orders).where(silent, orders.c.status.in_((S.SUBMITTING, S.SUBMITTED, S.UNKNOWN)))
        return list(self.connection.execute(query.order_by(orders.c.id)))

    def newest_confirmed(self, gateway: str, day: int) -> dict[str, int]:
        """For each account, the newest batch of a day of which the broker has confirmed an order."""
        query = (
            select(orders.c.account_id, func.max(orders.c.batch_id))
            .where(orders.c.trade_day == day, orders.c.gateway == gateway, orders.c.confirmed_at.is_not(None))
            .group_by(orders.c.account_id)
        )
        return {row[0]: row[1] for row in self.connection.execute(query) if row[1] is not None}

    def times_resent(self, ids: Sequence[int]) -> dict[int, int]:
        """How often each of these orders was handed over again because it was proven absent."""
        rows = self.connection.exec_driver_sql(_TIMES_RESENT, (json.dumps(ids), f"{Code.RESENT}%"))
        return {row[0]: row[1] for row in rows}

    def batches_of_day(self, gateway: str, day: int) -> Iterator[tuple[int, bytes]]:
        """Id and content, oldest first."""
        query = select(batches.c.id, batches.c.content).where(
            batches.c.trade_day == day, batches.c.gateway == gateway
        )
        return ((row[0], row[1]) for row in self.connection.execute(query.order_by(batches.c.id)))

    def open_drops(self) -> list[Any]:
        literal = text("archived_as IS NULL")
        return list(self.connection.execute(select(drops).where(literal).order_by(drops.c.id)))

    def open_batches(self) -> list[Any]:
        """Batches whose outcome was never noted; without their content, which may be large."""
        columns = [column for column in batches.c if column is not batches.c.content]
        query = select(*columns).where(text("outcome IS NULL")).order_by(batches.c.id)
        return list(self.connection.execute(query))

    def orders_of_batch(self, batch: tuple[int, int, int]) -> list[Any]:
        """batch: its id, first and last order."""
        batch_id, first, last = batch
        query = select(orders).where(orders.c.id.between(first, last), orders.c.batch_id == batch_id)
        return list(self.connection.execute(query.order_by(orders.c.id)))

    def places_in_batch(self, batch: tuple[int, int, int]) -> list[Placed]:
        """What is needed to follow the orders of a batch (its id, first and last order)."""
        batch_id, first, last = batch
        return [Placed._make(row) for row in self._driver.execute(_PLACES, (first, last, batch_id))]

    def asked_instructions(self, kind: str) -> list[Any]:
        """Instructions of a kind that were not carried out yet, oldest first."""
        query = select(instructions).where(text("state = 'asked'"), instructions.c.kind == kind)
        return list(self.connection.execute(query.order_by(instructions.c.id)))

    def unanswered_cancels(self, day: int) -> list[Any]:
        """Cancels of a day that were handed over, of orders that are still open: instruction, order_ref, sid, account_id, …"""
        statement = (
            "SELECT instructions.id AS instruction, order_ref, orders.sid, account_id, gateway, orders.trade_day"
            " FROM instructions JOIN orders ON orders.id = instructions.order_ref"
            f" WHERE instructions.id >= (SELECT coalesce(min(id), 1 << 30) << {ROW_BITS} FROM drops WHERE trade_day = ?)"
            " AND instructions.kind = 'cancel_order' AND instructions.state = 'sent' AND closed_at IS NULL"
        )
        return list(self.connection.exec_driver_sql(statement, (day,)))

    def get_meta(self, key: str) -> str | None:
        value = self.connection.exec_driver_sql(_GET_META, (key,)).scalar_one_or_none()
        return None if value is None else str(value)

    # what is added

    def add_drops(self, new: Sequence[NewDrop]) -> None:
        self._many(_ADD_DROP, new)

    def grow_drop(self, drop_id: int, values: dict[str, object], counts: dict[str, int]) -> None:
        """Set `values` of a drop and add `counts` to its counters."""
        grown: dict[str, Any] = {name: drops.c[name] + count for name, count in counts.items()}
        self.connection.execute(update(drops).where(drops.c.id == drop_id).values(**values, **grown))

    def update_drop(self, drop_id: int, **values: object) -> None:
        self.connection.execute(update(drops).where(drops.c.id == drop_id).values(**values))

    def add_accepted(
        self,
        accepted: Sequence[tuple[int, int, Order]],
        day: int,
        gateway: str,
        batch: int | None,
        status: Status,
        at: int,
        hold: Hold | None = None,
    ) -> None:
        """Orders that passed: (order id, sid key, order). What they share stands in the statement, which is cheaper.

        hold: why they are held, and how long; None for those that are not, or that the settings hold.
        """
        ids, keys, orders = zip(*accepted, strict=True)
        (
            _rows,
            sids,
            accounts,
            symbols,
            volumes,
            types,
            sides,
            prices,
            remarks,
            strategies,
            notes,
            _,
            afters,
        ) = zip(*orders, strict=True)
        columns: dict[str, Sequence[Any]] = {
            "id": ids, "sid": sids, "sid_key": keys, "account_id": accounts, "symbol": symbols, "volume": volumes,
            "order_type": types, "order_business": sides, "price": [None if price is None else str(price) for price in prices],
        }  # fmt: skip
        # The driver takes long over a None: a column that no order uses is left out.
        for name, texts in (("remark", remarks), ("strategy", strategies), ("note", notes)):
            if any(texts):
                columns[name] = [text or None for text in texts]
        if any(afters):
            columns["expires_at"] = [instant_of(day, after) if after else None for after in afters]
        if hold is not None:
            for name, value in (("due_at", hold.due), *_reason(hold.why).items()):
                columns[name] = [value] * len(ids)
        shared = {
            "trade_day": str(day),
            "gateway": _quoted(gateway),
            "batch_id": str(batch or "NULL"),
            "status": _quoted(status),
            "updated_at": str(at),
        }
        statement = (
            f"INSERT INTO orders ({', '.join([*columns, *shared])})"
            f" VALUES ({', '.join([*repeat('?', len(columns)), *shared.values()])})"
        )
        self._many(statement, [*zip(*columns.values(), strict=True)])

    def add_denied(self, denied: Sequence[tuple[int, Order, Refusal]], day: int, at: int) -> None:
        """Orders that did not pass: (order id, order, why). Their sid is not used up."""
        self._many(
            _ADD_DENIED,
            [
                (
                    order_ref, o.sid, o.account_id, o.symbol, o.volume, o.order_type, o.order_business,
                    None if o.price is None else str(o.price), o.remark or None, o.strategy or None, o.note or None,
                    day, at, at, why.code, why.column, why.value, why.bound,
                )
                for order_ref, o, why in denied
            ],
        )  # fmt: skip

    def tell_orders(self, ranges: Sequence[tuple[int, int]]) -> None:
        """The first event of each new order; `ranges` of ids cover the new orders and no older ones."""
        self._many(_TELL_ORDERS, ranges)

    def add_rows(self, new: Sequence[NewRow]) -> None:
        self._many(_ADD_ROW, new)

    def add_instructions(self, new: Sequence[dict[str, object]]) -> None:
        if new:
            self.connection.execute(insert(instructions), new)

    def add_batch(self, batch: NewBatch) -> None:
        self._driver.execute(_ADD_BATCH, batch)

    def add_events(self, new: Sequence[tuple[int, int | None, str, str, str | None, int | None]]) -> None:
        """Rows of (at, order id, event, source, detail, filled volume)."""
        self._many(_ADD_EVENT, new)

    def add_reports(self, new: Sequence[tuple[int, str, str, str, int | None, str, str]]) -> None:
        """Rows of (received_at, gateway, account_id, sid, order id, kind, JSON body)."""
        self._many(_ADD_REPORT, new)

    def add_fills(self, new: Sequence[tuple[int, str, int, int, str, str | None]]) -> None:
        """Rows of (order id, exec_id, at, volume, price, fee); one that is there already is left as it is."""
        self._many(_ADD_FILL, new)

    def known_fills(self, ids: Sequence[int]) -> set[tuple[int, str]]:
        """(order id, exec_id) of all fills of these orders."""
        statement = "SELECT order_ref, exec_id FROM json_each(?) AS wanted CROSS JOIN fills ON fills.order_ref = wanted.value"
        return {(row[0], row[1]) for row in self.connection.exec_driver_sql(statement, (json.dumps(ids),))}

    # what changes

    def save_standings(self, changed: Sequence[tuple[Standing, int, Refusal | None]]) -> None:
        """Rows of (standing, updated_at, why or None)."""
        self._many(
            _SAVE_STANDING,
            [
                (
                    now.status, now.filled_volume, str(now.filled_value) if now.filled_volume else None, now.order_id or None,
                    now.confirmed_at, now.closed_at, at,
                    why and why.code, why and why.value, why and why.bound, now.id,
                )
                for now, at, why in changed
            ],
        )  # fmt: skip

    def fills_are_there(self, ids: Collection[int]) -> None:
        """Late fills have come: nothing is missing any more where they add up."""
        missing = (orders.c.reason_code == Code.FILLS_MISSING, orders.c.filled_volume >= orders.c.volume)
        if ids:
            query = update(orders).where(orders.c.id.in_(sorted(ids)), *missing)
            self.connection.execute(query.values(reason_code=None, reason_value=None, reason_bound=None))

    def move(
        self,
        ids: Sequence[int],
        status: Status,
        at: int,
        source: str,
        why: Refusal | None = None,
        **values: object,
    ) -> None:
        """Give these orders a status, and each its event. `values`: further columns to set."""
        if not ids:
            return
        if why is not None:
            values |= _reason(why)
        elif status is Status.READY:  # why it was held is over
            values |= {**dict.fromkeys(_REASON), "due_at": None}
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            query = update(orders).where(orders.c.id.in_(part)).values(status=status, updated_at=at, **values)
            self.connection.execute(query)
        detail = None if why is None else f"{why.code} {why.value}".strip()
        self.add_events([(at, order, status, source, detail, None) for order in ids])

    def submitted(self, batch: tuple[int, int, int], at: int, source: str) -> None:
        """Note that a batch (id, first order, last order) was taken; orders that a report has moved on are left alone."""
        batch_id, first, last = batch
        self.connection.exec_driver_sql(
            "INSERT INTO events (at, order_ref, event, source) SELECT ?, id, 'submitted', ? FROM orders"
            " WHERE id BETWEEN ? AND ? AND batch_id = ? AND status = 'submitting'",
            (at, source, first, last, batch_id),
        )
        self.connection.exec_driver_sql(
            "UPDATE orders SET status = 'submitted', submitted_at = ?, updated_at = ?"
            " WHERE id BETWEEN ? AND ? AND batch_id = ? AND status = 'submitting'",
            (at, at, first, last, batch_id),
        )

    def batch_content(self, batch_id: int) -> bytes:
        found: bytes = self.connection.execute(
            select(batches.c.content).where(batches.c.id == batch_id)
        ).scalar_one()
        return found

    def close_batch(self, batch_id: int, outcome: str, at: int) -> None:
        self.connection.exec_driver_sql(_CLOSE_BATCH, (outcome, at, batch_id))

    def mark_sent(self, instruction_id: int, at: int) -> None:
        """The gateway has the cancel; left alone if the answer was quicker."""
        asked = (instructions.c.id == instruction_id, instructions.c.state == InstructionState.ASKED)
        self.connection.execute(
            update(instructions)
            .where(*asked)
            .values(state=InstructionState.SENT, updated_at=at, reason_code=None)
        )

    def answer(
        self,
        instruction_id: int,
        state: InstructionState,
        at: int,
        order: int | None = None,
        why: Refusal | None = None,
    ) -> None:
        """What became of an instruction, and which order it was about."""
        values: dict[str, object] = {"state": state, "updated_at": at, "order_ref": order}
        values |= {
            "reason_code": why and why.code,
            "reason_value": why and why.value,
            "reason_bound": why and why.bound,
        }
        self.connection.execute(
            update(instructions).where(instructions.c.id == instruction_id).values(**values)
        )

    def answer_cancels(self, order: int, at: int, why: Refusal | None) -> list[int]:
        """The broker has answered: cancels of this order that are under way are done, or refused for a reason. Their ids."""
        state = InstructionState.DONE if why is None else InstructionState.REFUSED
        open_states = (InstructionState.ASKED, InstructionState.SENT)
        answered = (
            update(instructions)
            .where(instructions.c.order_ref == order, instructions.c.state.in_(open_states))
            .values(
                state=state, updated_at=at,
                reason_code=why and why.code, reason_value=why and why.value, reason_bound=why and why.bound,
            )
            .returning(instructions.c.id)
        )  # fmt: skip
        return list(self.connection.execute(answered).scalars())

    def set_meta(self, key: str, value: str) -> None:
        statement = upsert(meta).values(key=key, value=value)
        self.connection.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_={"value": value})
        )

    # the chain

    def add_seal(self, seal: Seal) -> None:
        """Raises JournalError (by the table's key) when another seal has that number."""
        self._driver.execute(
            "INSERT INTO seals (id, at, events_to, reports_to, fills_to, batches_to, marks, day, note, digest)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (seal.id, seal.at, *seal.reach, seal.marks, seal.day, seal.note, seal.digest),
        )
        if seal.day is not None:
            self.connection.execute(delete(meta).where(meta.c.key == late_key(seal.day)))

    def await_closing(self, day: int) -> None:
        """The day's archive is not what it should be until the day is closed, again if it was."""
        self.set_meta(late_key(day), "1")

    # sids of days gone by

    def unmoved_days(self, today: int) -> list[int]:
        """Days before `today` whose sid keys are not in sids_past yet."""
        key = f"unmoved before {today}"
        if key not in self._memory:
            self._memory[key] = list(self.connection.exec_driver_sql(_UNMOVED_DAYS, (today,)).scalars())
        found: list[int] = self._memory[key]
        return found

    def move_sids_to_past(self, day: int) -> None:
        self._memory.clear()
        self.connection.exec_driver_sql(
            "INSERT OR IGNORE INTO sids_past (sid_key, order_id)"
            " SELECT sid_key, id FROM orders WHERE trade_day = ? AND sid_key IS NOT NULL ORDER BY sid_key",
            (day,),
        )
        self.set_meta("sids_past_through", str(day))

    def _many(self, statement: str, values: Sequence[Any]) -> None:
        if values:
            self._driver.executemany(statement, values)


_REASON = ("reason_code", "reason_column", "reason_value", "reason_bound")


def _reason(why: Refusal) -> dict[str, object]:
    return dict(zip(_REASON, why, strict=True))


def _quoted(word: str) -> str:
    """A word of ours as an SQL text. Settings allow no other characters in names."""
    if not _WORD.fullmatch(word):
        raise ValueError(word)
    return f"'{word}'"


def row_id(drop_id: int, row: int) -> int:
    return drop_id << ROW_BITS | row


def drop_of(row: int) -> int:
    """The drop that a row's or an order's id belongs to."""
    return row >> ROW_BITS
