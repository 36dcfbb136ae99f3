"""Answers questions inside a transaction, for the journal's one writer."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, func, select, text

from orderdrop.domain.order import SELLS, DropKind
from orderdrop.domain.refusal import Code
from orderdrop.domain.standing import Standing
from orderdrop.domain.status import S, Status
from orderdrop.journal.batch_lookups import AskingOfBatches
from orderdrop.journal.records import Earlier, Known
from orderdrop.journal.schema import ROW_BITS, drops, instructions, orders
from orderdrop.journal.today import TodaysOrders

T = TypeVar("T")

_DROPS_OF_SPACE = "SELECT name FROM drops WHERE trade_day = ? AND sid_space = ? AND accepted + duplicates > 0"
# Those that wait as repeats are no orders of their own yet.
_SAID_BEFORE = (
    "SELECT orders.row_key, orders.id, orders.sid, drops.name, drops.id, drops.accepted FROM json_each(?1) AS wanted"
    " CROSS JOIN orders ON orders.trade_day = ?2 AND orders.row_key = wanted.value AND orders.row_key IS NOT NULL"
    f" JOIN drops ON drops.id = orders.id >> {ROW_BITS}"
    f" WHERE orders.sid_key IS NOT NULL AND orders.reason_code IS NOT '{Code.REPEATED_ROW}'"
)
_REPEATED_BY = "SELECT order_ref FROM rows WHERE id BETWEEN ? AND ? AND outcome = 'duplicate'"
_ASKED_AT_ONCE = 10_000
_HAS_TRADED = (
    f"SELECT 1 FROM orders WHERE id > ((SELECT max(id) FROM drops) - 10000) << {ROW_BITS}"
    " AND account_id = ? LIMIT 1"
)
DROPS_FROM = "drops_from"
BATCHES_FROM = "batches_from"
"""In meta: numbers up to these were given out by a journal that is lost."""

VOID_DAYS = "void_days"
"""In meta: days that a wrong clock began, as JSON: day to [the day that it was, the last drop by then]."""

_NEXT = (
    "SELECT max(coalesce((SELECT max(id) FROM {0}), 0),"
    " coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = '{1}'), 0)) + 1"
)
_NEXT_DROP = _NEXT.format("drops", DROPS_FROM)
_NEXT_BATCH = _NEXT.format("batches", BATCHES_FROM)
_AWAITED = "awaited"
_GET_META = "SELECT value FROM meta WHERE key = ?"
_UNMOVED_DAYS = (
    "SELECT DISTINCT trade_day FROM drops"
    " WHERE trade_day > coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'sids_past_through'), 0)"
    " AND trade_day < ? ORDER BY trade_day"
)
_KNOWN_COLUMNS = ", ".join(f"orders.{name}" for name in Known._fields)

_WANTED = f"SELECT wanted.value, {_KNOWN_COLUMNS} FROM json_each(?1) AS wanted CROSS JOIN"
_KNOWN_ON = f"{_WANTED} orders ON orders.trade_day = ?2 AND orders.sid_key = wanted.value"
_KNOWN_EVER = (  # one statement, for it is asked before every order
    f"{_KNOWN_ON} UNION ALL {_WANTED} sids_past ON sids_past.sid_key = wanted.value"
    " JOIN orders ON orders.id = sids_past.order_id"
)
# Along the index of today's keys, in their order: neighbours lie on the same page of what is looked into.
_KEYS_OF_DROP = "SELECT 1 FROM orders AS mine INDEXED BY sqlite_autoindex_orders_1 CROSS JOIN {0} WHERE mine.trade_day = ? AND mine.id BETWEEN ? AND ?"
_USED_ON = f"{_KEYS_OF_DROP.format('orders AS other ON other.sid_key = mine.sid_key')} AND other.trade_day = ? LIMIT 1"
_USED_IN_PAST = f"{_KEYS_OF_DROP.format('sids_past ON sids_past.sid_key = mine.sid_key')} LIMIT 1"
_LAST_DAYS = "SELECT coalesce(min(id), 0) FROM drops WHERE trade_day IN (SELECT DISTINCT trade_day FROM drops ORDER BY trade_day DESC LIMIT 2)"
_ANY_PAST = "SELECT 1 FROM sids_past LIMIT 1"
_STANDING = (
    "SELECT orders.sid_key, orders.id, status, volume, filled_volume, filled_value, order_id, confirmed_at, closed_at,"
    f" status = 'expired' AND reason_code IN ('{Code.NEVER_CONFIRMED}', '{Code.NEVER_ENDED}'), told_volume"
    " FROM json_each(?) AS wanted CROSS JOIN orders ON orders.id = wanted.value"
)
_TIMES_RESENT = (
    "SELECT order_ref, count(*) FROM json_each(?) AS wanted CROSS JOIN events ON events.order_ref = wanted.value"
    " WHERE event = 'ready' AND detail LIKE ? GROUP BY order_ref"
)


def has_traded(connection: Connection, account_id: str) -> bool:
    """Among the last drops: nobody may wait until a journal of years is searched."""
    return connection.exec_driver_sql(_HAS_TRADED, (account_id,)).first() is not None


class Asking(AskingOfBatches):
    """The questions; `Writer` adds what changes. The busiest ones are given to the driver as text."""

    def __init__(self, connection: Connection, memory: dict[str, Any] | None = None) -> None:
        """memory: what the journal's one writer knows without asking, until a transaction fails."""
        super().__init__(connection)
        self._memory: dict[str, Any] = {} if memory is None else memory

    def next_drop_id(self) -> int:
        return self._remembered("drop", _NEXT_DROP)

    def next_batch_id(self) -> int:
        return self._remembered("batch", _NEXT_BATCH)

    def drops_of_space(self, space: str, day: int) -> list[str]:
        """Names of the day's drops whose derived sids were made from this, and of which a row was an order, then or before."""
        return list(self.connection.exec_driver_sql(_DROPS_OF_SPACE, (day, space)).scalars())

    def said_before(self, keys: Sequence[int], day: int) -> list[Earlier]:
        """Returns the orders of a day that came without a sid and said one of these."""
        found: list[Earlier] = []
        for start in range(0, len(keys), _ASKED_AT_ONCE):
            wanted = json.dumps(keys[start : start + _ASKED_AT_ONCE])
            found += map(Earlier._make, self._driver.execute(_SAID_BEFORE, (wanted, day)))
        return found

    def repeated_by(self, drop_id: int) -> set[int]:
        """Returns the orders that rows of a drop have repeated."""
        first = drop_id << ROW_BITS
        rows = self.connection.exec_driver_sql(_REPEATED_BY, (first, first + (1 << ROW_BITS) - 1))
        return {order for order in rows.scalars() if order is not None}

    def has_traded(self, account_id: str) -> bool:
        """Whether the account had an order of late, be it a denied one."""
        return has_traded(self.connection, account_id)

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
        """Returns the orders that have used up these sid keys: on `days`, and with `past` on any day moved to sids_past; of several the newest."""
        wanted, ask = json.dumps(keys), self._driver.execute
        rows = [*ask(_KNOWN_EVER if past else _KNOWN_ON, (wanted, days[-1]))]
        for day in days[:-1]:
            rows += ask(_KNOWN_ON, (wanted, day))
        rows.sort(key=itemgetter(1))  # by id: the newest wins
        return {row[0]: Known._make(row[1:]) for row in rows}

    def used_before(self, drop_id: int, days: Sequence[int], *, past: bool) -> bool:
        """Whether any sid of a drop of the last of `days` was used up on one of the others, or with `past` on a day moved to sids_past."""
        mine = (days[-1], drop_id << ROW_BITS, (drop_id + 1) << ROW_BITS)
        asked: list[tuple[str, tuple[int, ...]]] = [(_USED_ON, (*mine, day)) for day in days[:-1]]
        if past and self._driver.execute(_ANY_PAST).fetchone():
            asked.append((_USED_IN_PAST, mine))
        return any(self._driver.execute(statement, values).fetchone() for statement, values in asked)

    def standings(self, ids: Sequence[int]) -> dict[int, Standing]:
        """Returns where these orders stand, by order id."""
        if not ids:
            return {}
        rows = self.connection.exec_driver_sql(_STANDING, (json.dumps(ids),))
        return {
            row[1]: Standing(
                row[1],
                Status(row[2]),
                row[3],
                row[4],
                Decimal(row[5] or 0),
                row[6] or "",
                row[7],
                row[8],
                bool(row[9]),
                row[10],
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
        """Returns READY or HELD orders of a gateway, oldest first, with all columns; none of the accounts `but`.

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

    def waiting_ids(self, gateway: str) -> list[int]:
        """Returns READY and HELD orders of a gateway."""
        waiting = text("status IN ('ready', 'held')")
        query = select(orders.c.id).where(orders.c.gateway == gateway, waiting).order_by(orders.c.id)
        return list(self.connection.execute(query).scalars())

    def order(self, order_ref: int) -> Any:
        return self.connection.execute(select(orders).where(orders.c.id == order_ref)).one()

    def stale(self, day: int) -> list[int]:
        """Returns READY and HELD orders of days before `day`: they were never sent and must not be."""
        # The plus keeps SQLite from walking all days along the index of sids instead of the few orders that wait.
        waiting = text("status IN ('ready', 'held') AND +trade_day < :day").bindparams(day=day)
        query = select(orders.c.id).where(waiting)
        return list(self.connection.execute(query).scalars())

    def folders(self, drop_ids: Collection[int]) -> dict[int, str]:
        """Returns the sub-folders of the inbox in which these drops lay, "" for the inbox itself."""
        query = "SELECT drops.id, strategy FROM json_each(?) AS wanted CROSS JOIN drops ON drops.id = wanted.value"
        rows = self.connection.exec_driver_sql(query, (json.dumps(sorted(drop_ids)),))
        return {row[0]: row[1] for row in rows}

    def overdue(self, now: int, day: int) -> list[Any]:
        """Returns READY and HELD orders of a day whose time to leave is over."""
        return self._still_here("expires_at < ?", (now, day))

    def due(self, now: int, day: int) -> list[Any]:
        """Returns HELD orders of a day that may go now, oldest first."""
        return self._still_here("status = 'held' AND due_at <= ?", (now, day))

    def ready(self, day: int) -> list[Any]:
        return self._still_here("status = 'ready' AND ? IS NULL", (None, day))

    def waiting_behind(self, order: int, day: int) -> list[int]:
        """READY and HELD orders of a day that came after this one, oldest first."""
        return [row.id for row in self._still_here("+id > ?", (order, day))]

    def next_due(self, day: int) -> int | None:
        """Returns when the next order of a day is due, or overdue."""
        query = "SELECT min(due_at), min(expires_at) FROM orders WHERE status IN ('ready', 'held') AND +trade_day = ?"
        times = self.connection.exec_driver_sql(query, (day,)).one()
        return min((at for at in times if at), default=None)

    def _still_here(self, condition: str, values: tuple[Any, ...]) -> list[Any]:
        # The plus before id keeps SQLite from walking all orders ever in their order instead of sorting the few that wait.
        query = (
            "SELECT id, account_id, strategy, symbol, order_business, due_at, expires_at,"
            f" (SELECT strategy FROM drops WHERE drops.id = orders.id >> {ROW_BITS}) AS folder FROM orders"
            f" WHERE status IN ('ready', 'held') AND {condition} AND +trade_day = ? ORDER BY +id"
        )
        return list(self.connection.exec_driver_sql(query, values))

    def under_way(self) -> bool:
        """Whether any order has left, or is to leave, without the broker having said where it stands."""
        waiting = (S.READY, S.SUBMITTING, S.SUBMITTED, S.UNKNOWN, S.PENDING_NEW, S.PENDING_CANCEL)
        query = select(orders.c.id).where(text("closed_at IS NULL"), orders.c.status.in_(waiting)).limit(1)
        return self.connection.execute(query).first() is not None

    def backlog(self, gateway: str, but: Collection[str] = ()) -> int:
        """Returns how many READY orders wait for a gateway, without those of the accounts `but`."""
        ready = text("status = 'ready' AND status IN ('ready', 'held')")
        query = select(func.count()).select_from(orders).where(orders.c.gateway == gateway, ready)
        if but:
            query = query.where(orders.c.account_id.not_in(sorted(but)))
        return int(self.connection.execute(query).scalar_one())

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

    def awaiting_fills(self, event: str, told: Collection[str]) -> list[tuple[int, str, int]]:
        """Orders that have had `event` and whose fills do not add up: open ones of whatever day, and closed ones of the last days: id, gateway,
        instant of the last such event. told: reasons by which that is said already.
        """
        said = ", ".join(f"'{code}'" for code in told)
        statement = (
            "SELECT orders.id, gateway, max(events.at) FROM orders CROSS JOIN events ON events.order_ref = orders.id"
            " WHERE {0} AND status NOT IN ('ready', 'held') AND event = ?"
            f" AND (told_volume IS NULL OR told_volume <> orders.filled_volume) AND coalesce(reason_code, '') NOT IN ({said})"
            " GROUP BY orders.id"
        )
        open_ = self.connection.exec_driver_sql(statement.format("closed_at IS NULL"), (event,)).all()
        closed = self.connection.exec_driver_sql(
            statement.format(f"closed_at IS NOT NULL AND told_volume IS NOT NULL AND orders.id >= ({_LAST_DAYS}) << {ROW_BITS}"),
            (event,),
        )  # fmt: skip
        return [(row[0], row[1], row[2]) for row in [*open_, *closed]]

    def never_ended(self, day: int) -> list[Any]:
        """Orders of days before `day` that left, and of which the broker has not told how they ended."""
        # The plus: see `stale`.
        void = "".join(
            f" OR (+trade_day = {wrong} AND orders.id < {(last + 1) << ROW_BITS})"
            for wrong, (right, last) in self.void_days().items()
            if right < day
        )
        old = text(f"closed_at IS NULL AND (+trade_day < :day{void})").bindparams(day=day)
        query = select(orders).where(old, orders.c.status.not_in((S.RECEIVED, S.READY, S.HELD)))
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
        """Returns how often each of these orders was sent again because it was proven absent."""
        rows = self.connection.exec_driver_sql(_TIMES_RESENT, (json.dumps(ids), f"{Code.RESENT}%"))
        return {row[0]: row[1] for row in rows}

    def open_drops(self) -> list[Any]:
        literal = text("archived_as IS NULL")
        return list(self.connection.execute(select(drops).where(literal).order_by(drops.c.id)))

    def drop_or_none(self, drop_id: int) -> Any:
        return self.connection.execute(select(drops).where(drops.c.id == drop_id)).one_or_none()

    def drops_called(self, name: str) -> list[Any]:
        return list(self.connection.execute(select(drops).where(drops.c.name == name)))

    def asked_instructions(self, kind: str) -> list[Any]:
        """Instructions of a kind that were not carried out yet, oldest first, with the trade_day of their drop."""
        # Literally, and by their own index: with a parameter, or from the side of the drops, SQLite would walk all there ever were.
        query = (
            select(instructions, drops.c.trade_day)
            .join(drops, drops.c.id == instructions.c.id.op(">>")(ROW_BITS))
            .where(text("instructions.state = 'asked'"), instructions.c.kind == kind)
        )
        return list(self.connection.execute(query.order_by(instructions.c.id)))

    def awaited(self, day: int, keys_of: Callable[[str], Collection[int]]) -> set[int]:
        """Returns the sid keys of orders that are to be cancelled as soon as they come, of a day; asked of the journal once."""
        return self.kept(_AWAITED, lambda: {key for sid in self._awaited(day) for key in keys_of(sid)})

    def _awaited(self, day: int) -> list[str]:
        return [
            asked.sid
            for asked in self.asked_instructions(DropKind.CANCEL)
            if asked.order_ref is None and asked.trade_day == day
        ]

    def await_orders(self, keys: set[int]) -> None:
        """From now on, these are all that `awaited` tells, to those as well who have asked already."""
        known: set[int] = self.kept(_AWAITED, set)
        known.clear()
        known.update(keys)

    def with_open_cancels(self, ids: Sequence[int]) -> list[int]:
        """Returns those of these orders whose cancel nobody has answered."""
        statement = (
            "SELECT DISTINCT order_ref FROM json_each(?) AS wanted"
            " CROSS JOIN instructions ON instructions.order_ref = wanted.value WHERE state IN ('asked', 'sent')"
        )
        return [row[0] for row in self.connection.exec_driver_sql(statement, (json.dumps(ids),))]

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

    def known_fills(self, ids: Sequence[int]) -> set[tuple[int, str]]:
        """(order id, exec_id) of all fills of these orders."""
        statement = "SELECT order_ref, exec_id FROM json_each(?) AS wanted CROSS JOIN fills ON fills.order_ref = wanted.value"
        return {(row[0], row[1]) for row in self.connection.exec_driver_sql(statement, (json.dumps(ids),))}

    def orders_by_id(self, ids: Sequence[int]) -> list[Any]:
        return list(self.connection.execute(select(orders).where(orders.c.id.in_(sorted(ids)))))

    def orders_that_left(self, account_id: str, day: int, since: int) -> list[Any]:
        """Orders of an account that left, or of which the broker has spoken, without those that had ended before."""
        query = select(orders).where(
            orders.c.trade_day == day,
            orders.c.account_id == account_id,
            orders.c.batch_id.is_not(None) | orders.c.confirmed_at.is_not(None),
            orders.c.closed_at.is_(None) | orders.c.confirmed_at.is_(None) | (orders.c.updated_at >= since),
        )
        return list(self.connection.execute(query.order_by(orders.c.id)))

    def fills_of(self, ids: Sequence[int]) -> list[Any]:
        """order_ref, at, volume, price, fee of all fills of these orders."""
        statement = (
            "SELECT order_ref, at, fills.volume, fills.price, fee FROM json_each(?) AS wanted"
            " CROSS JOIN fills ON fills.order_ref = wanted.value"
        )
        return list(self.connection.exec_driver_sql(statement, (json.dumps(ids),)))

    def newest_day(self) -> int:
        """Returns the last day that the journal knows of, 0 for none; days that a wrong clock began do not count (see reconciliation/adopt)."""
        void = self.void_days()
        but = "".join(f" AND NOT (trade_day = {day} AND id <= {last})" for day, (_, last) in void.items())
        newest = f"SELECT coalesce(max(trade_day), 0) FROM drops WHERE 1{but}"
        found = self.connection.exec_driver_sql(newest).scalar_one()
        through = int(self.get_meta("sids_past_through") or 0)
        return max(int(found), through + 1 if through else 0)

    def void_days(self) -> dict[int, tuple[int, int]]:
        """Days that a wrong clock began: the day that it was in truth, and the last drop by then."""
        kept = json.loads(self.get_meta(VOID_DAYS) or "{}")
        return {int(day): (int(right), int(last)) for day, (right, last) in kept.items()}

    def unmoved_days(self, today: int) -> list[int]:
        """Days before `today` whose sid keys are not in sids_past yet."""
        key = f"unmoved before {today}"
        if key not in self._memory:
            self._memory[key] = list(self.connection.exec_driver_sql(_UNMOVED_DAYS, (today,)).scalars())
        found: list[int] = self._memory[key]
        return found
