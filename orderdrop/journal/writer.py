"""Writes to the journal inside one transaction. Rows go in as tuples in batches; the statements are prepared once.

The busiest statements are given to the driver as text, in the column order of the NamedTuples here: SQLAlchemy's
dictionaries cost 1.4 times as much.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.dialects.sqlite import insert as upsert

from orderdrop.domain.hold import Hold, Wait
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.standing import Standing
from orderdrop.domain.status import Status
from orderdrop.errors import SidTaken
from orderdrop.journal.chain import Seal, late_key
from orderdrop.journal.records import (
    CANCEL_SENT,
    InstructionState,
    NewBatch,
    NewDrop,
    NewRow,
    passed_over_key,
)
from orderdrop.journal.schema import ROW_BITS, drops, instructions, meta, orders
from orderdrop.journal.transaction import Transaction
from orderdrop.system.clock import instant_of


@lru_cache(maxsize=64)
def _insert_text(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


_AT_ONCE = 1000  # SQLite takes 32,766 values in one statement
_WORTH_IT = 5000
_NONE: Mapping[int, int] = {}


@lru_cache(maxsize=32)
def _add_orders_text(names: Sequence[str], shared: int, rows: int) -> str:
    """Of `names`, the first `shared` have one value for all rows."""
    each = len(names) - shared
    row = f"({', '.join('?' * each)})"
    return (
        f"INSERT INTO orders ({', '.join(names)})"
        f" SELECT {', '.join(['?'] * shared + [f'column{n + 1}' for n in range(each)])} FROM (VALUES {', '.join([row] * rows)})"
    )


_ADD_DROP = _insert_text("drops", NewDrop._fields)
_TOLD = NewDrop._fields.index("reason_code")
_ADD_PLAIN_DROP = _insert_text("drops", NewDrop._fields[:_TOLD])
_ADD_DENIED = (
    "INSERT INTO orders (id, sid, account_id, symbol, volume, order_type, order_business, price, remark, strategy, note,"
    " trade_day, updated_at, closed_at, reason_code, reason_column, reason_value, reason_bound,"
    " received_at, status)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'denied')"
)
# The rest of a torn line is told on the line's own row.
_ADD_ROW = _insert_text("rows", NewRow._fields).replace("INSERT", "INSERT OR REPLACE", 1)
_ADD_BATCH = _insert_text("batches", NewBatch._fields)
_ADD_FILL = "INSERT INTO fills (order_ref, exec_id, at, volume, price, fee) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_ADD_REPORT = _insert_text(
    "reports", ("received_at", "gateway", "account_id", "sid", "order_ref", "kind", "body", "scan_name")
)
_ADD_EVENT = _insert_text("events", ("at", "order_ref", "event", "source", "detail", "filled_volume"))
_TELL_ORDERS = "INSERT INTO events (at, order_ref, event, source) SELECT updated_at, id, status, 'router' FROM orders WHERE id BETWEEN ? AND ?"
_CLOSE_BATCH = "UPDATE batches SET outcome = ?, handed_at = ? WHERE id = ?"
# Why an order was in doubt is over with the broker's first word of it.
_KEPT = "CASE WHEN confirmed_at IS NOT NULL THEN {0} END"
_SAVE_STANDING = (
    "UPDATE orders SET status = ?, filled_volume = ?, filled_value = ?, order_id = ?, confirmed_at = ?, closed_at = ?, updated_at = ?, told_volume = ?, "
    + ", ".join(
        f"{name} = coalesce(?, {_KEPT.format(name)})"
        for name in ("reason_code", "reason_value", "reason_bound")
    )
    + " WHERE id = ?"
)

_FILLS_ADD_UP = (
    f"UPDATE orders SET reason_code = CASE status WHEN 'rejected' THEN '{Code.BROKER_REJECTED}' END,"
    " reason_value = CASE status WHEN 'rejected' THEN"
    " (SELECT detail FROM events WHERE order_ref = orders.id AND event = 'rejected' ORDER BY id DESC LIMIT 1) END, reason_bound = NULL"
    " WHERE id IN (SELECT value FROM json_each(?))"
    f" AND reason_code IN ('{Code.FILLS_MISSING}', '{Code.FILLS_BEYOND}') AND filled_volume = coalesce(told_volume, volume)"
)


class Writer(Transaction):
    """The writing half of the journal, inside one transaction."""

    # what is added

    def use_ids(self, **following: int) -> None:
        """The next free `drop` or `batch` id, once some have been used."""
        self._memory.update(following)

    def add_drops(self, new: Sequence[NewDrop]) -> None:
        self._many(_ADD_DROP, [drop for drop in new if any(drop[_TOLD:])])
        # The driver takes long over a None: most drops have nothing there.
        self._many(_ADD_PLAIN_DROP, [drop[:_TOLD] for drop in new if not any(drop[_TOLD:])])

    def grow_drop(self, drop_id: int, values: dict[str, object], counts: dict[str, int]) -> None:
        """Sets `values` of a drop and adds `counts` to its counters."""
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
        wait: Wait | None = None,
        worth: Mapping[int, Decimal] | None = None,
        *,
        row_keys: Mapping[int, int] = _NONE,
        new_from: int = 0,
    ) -> None:
        """Orders that passed: (order id, sid key, order). Raises SidTaken.

        wait: why they are held, and how long; None for those that are not. worth: yuan by order id, where that is not what price and
        volume say. row_keys: what those say that came without a sid. new_from: the first drop that came with them; rows of an earlier
        one came later than their drop.
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
            befores,
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
        for name, times in (("not_before", befores), ("expires_at", afters)):
            if any(times):
                columns[name] = [instant_of(day, time) if time else None for time in times]
        if worth:
            columns["worth"] = [str(worth[order]) if order in worth else None for order in ids]
        if row_keys:
            columns["row_key"] = [row_keys.get(order_id) for order_id in ids]
        if min(ids) >> ROW_BITS < new_from:
            columns["received_at"] = [_came(order_id, new_from, at) for order_id in ids]
        shared: dict[str, Any] = {
            "trade_day": day, "gateway": gateway, "batch_id": batch, "status": status, "updated_at": at
        }  # fmt: skip
        if wait is not None:
            shared |= {"due_at": wait.due, "held_for": wait.codes, **(_reason(wait.why) if wait.why else {})}
        try:
            self._add_orders(shared, columns)
        except sqlite3.IntegrityError as error:
            raise SidTaken(str(error)) from error

    def _add_orders(self, shared: Mapping[str, Any], columns: Mapping[str, Sequence[Any]]) -> None:
        """Of many, a thousand go in with one statement, which takes some time to prepare once and then a tenth less for each row."""
        names, rows = (*shared, *columns), [*zip(*columns.values(), strict=True)]
        many = len(rows) - len(rows) % _AT_ONCE if len(rows) >= _WORTH_IT else 0
        for start in range(0, many, _AT_ONCE):
            values = chain(shared.values(), *rows[start : start + _AT_ONCE])
            self._driver.execute(_add_orders_text(names, len(shared), _AT_ONCE), [*values])
        common = tuple(shared.values())
        self._many(_insert_text("orders", names), [common + row for row in rows[many:]])

    def add_denied(
        self, denied: Sequence[tuple[int, Order, Refusal]], day: int, at: int, *, new_from: int = 0
    ) -> None:
        """Orders that did not pass: (order id, order, why). Their sid is not used up. new_from: as above."""
        self._many(
            _ADD_DENIED,
            [
                (
                    order_ref, o.sid, o.account_id, o.symbol, o.volume, o.order_type, o.order_business,
                    None if o.price is None else str(o.price), o.remark or None, o.strategy or None, o.note or None,
                    day, at, at, why.code, why.column, why.value, why.bound, _came(order_ref, new_from, at),
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

    def note_passed_over(self, drop_id: int, row: int, note: str) -> None:
        """What stood in an instruction's row and says nothing. row: its id."""
        key = passed_over_key(drop_id)
        known = json.loads(self.get_meta(key) or "{}")
        self.set_meta(key, json.dumps({**known, str(row): note}, ensure_ascii=False))

    def add_batch(self, batch: NewBatch) -> None:
        self._driver.execute(_ADD_BATCH, batch)

    def add_events(self, new: Sequence[tuple[int, int | None, str, str, str | None, int | None]]) -> None:
        """Rows of (at, order id, event, source, detail, filled volume)."""
        self._many(_ADD_EVENT, new)

    def add_reports(self, new: Sequence[tuple[int, str, str, str, int | None, str, str, str | None]]) -> None:
        """Rows of (received_at, gateway, account_id, sid, order id, kind, JSON body, scan name)."""
        self._many(_ADD_REPORT, new)

    def add_fills(self, new: Sequence[tuple[int, str, int, int, str, str | None]]) -> None:
        """Rows of (order id, exec_id, at, volume, price, fee); one that is there already is left as it is."""
        self._many(_ADD_FILL, new)

    # what changes

    def assign(self, ids: Sequence[int], batch_id: int, at: int) -> None:
        """READY orders go into a batch: SUBMITTING."""
        self.move(ids, Status.SUBMITTING, at, "router", batch_id=batch_id)

    def save_standings(self, changed: Sequence[tuple[Standing, int, Refusal | None]]) -> None:
        """Rows of (standing, updated_at, why or None)."""
        self._many(
            _SAVE_STANDING,
            [
                (
                    now.status, now.filled_volume, str(now.filled_value) if now.filled_volume else None, now.order_id or None,
                    now.confirmed_at, now.closed_at, at, now.told_volume,
                    why and why.code, why and why.value, why and why.bound, now.id,
                )
                for now, at, why in changed
            ],
        )  # fmt: skip

    def take_up(self, ids: Collection[int]) -> None:
        """The broker has told more of orders that were given up: why we closed them is over."""
        if ids:
            query = update(orders).where(
                orders.c.id.in_(sorted(ids)), orders.c.reason_code == Code.NEVER_ENDED
            )
            self.connection.execute(query.values(reason_code=None, reason_value=None, reason_bound=None))

    def fills_are_there(self, ids: Collection[int]) -> None:
        """Late fills, or the figure for them, have come: nothing is missing any more where they add up. What the broker rejected is rejected again."""
        if ids:
            self.connection.exec_driver_sql(_FILLS_ADD_UP, (json.dumps(sorted(ids)),))

    def fills_differ(self, order: int, why: Refusal, at: int) -> None:
        """The fills do not add up to what the broker has told: said, whatever the order's status."""
        query = update(orders).where(orders.c.id == order)
        self.connection.execute(query.values(**_reason(why)))
        self.add_events([(at, order, why.code.lower(), "router", f"{why.value} / {why.bound}", None)])

    def taken_back(self, ids: Collection[int]) -> None:
        """The broker has taken its no back: why it rejected them is over."""
        if ids:
            query = update(orders).where(
                orders.c.id.in_(sorted(ids)), orders.c.reason_code == Code.BROKER_REJECTED
            )
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
        """Gives these orders a status, and each its event. `values`: further columns to set."""
        if not ids:
            return
        if why is not None:
            values |= _reason(why)
        elif status is Status.READY:  # why it was held is over
            values |= {**dict.fromkeys(_REASON), "due_at": None, "held_for": None}
        for start in range(0, len(ids), 500):
            part = ids[start : start + 500]
            query = update(orders).where(orders.c.id.in_(part)).values(status=status, updated_at=at, **values)
            self.connection.execute(query)
        detail = None if why is None else f"{why.code} {why.value}".strip()
        self.add_events([(at, order, status, source, detail, None) for order in ids])

    def wait_again(self, order: int, hold: Hold, at: int) -> None:
        """A READY order may go later only."""
        values = {"due_at": hold.due, "held_for": str(hold.why.code)}
        self.move([order], Status.HELD, at, "router", hold.why, **values)

    def ready_again(self, ids: Sequence[int], at: int) -> None:
        """What is proven to have never arrived goes out anew: nothing of its first hand-over counts any more."""
        self.move(ids, Status.READY, at, "router", Refusal(Code.RESENT), batch_id=None, submitted_at=None)

    def submitted(self, batch: tuple[int, int, int], at: int, source: str) -> None:
        """Notes that a batch (id, first order, last order) was taken; orders that a report has moved on are left alone."""
        batch_id, first, last = batch
        self._driver.execute(
            "INSERT INTO events (at, order_ref, event, source) SELECT ?, id, 'submitted', ? FROM orders"
            " WHERE id BETWEEN ? AND ? AND batch_id = ? AND status = 'submitting'",
            (at, source, first, last, batch_id),
        )
        self._driver.execute(
            "UPDATE orders SET status = 'submitted', submitted_at = ?, updated_at = ?"
            " WHERE id BETWEEN ? AND ? AND batch_id = ? AND status = 'submitting'",
            (at, at, first, last, batch_id),
        )

    def close_batch(self, batch_id: int, outcome: str, at: int) -> None:
        self._driver.execute(_CLOSE_BATCH, (outcome, at, batch_id))

    def cancel_sent(self, instruction: int, order: int, at: int, gateway: str, times: int) -> None:
        """The gateway has been given the cancel, for the `times`th time: an event, and the instruction's state if the answer was not quicker."""
        asked = (instructions.c.id == instruction, instructions.c.state == InstructionState.ASKED)
        self.connection.execute(
            update(instructions)
            .where(*asked)
            .values(state=InstructionState.SENT, updated_at=at, reason_code=None)
        )
        self.add_events([(at, order, CANCEL_SENT, gateway, str(times), None)])

    def answer(
        self,
        instruction_id: int,
        state: InstructionState,
        at: int,
        order: int | None = None,
        why: Refusal | None = None,
    ) -> None:
        """Notes the result of an instruction, and which order it was about."""
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
        """Notes that the broker has answered: cancels of this order that are under way are done, or refused for a reason. Returns their ids."""
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

    def move_sids_to_past(self, day: int) -> None:
        self._memory.clear()
        self.connection.exec_driver_sql(
            "INSERT OR IGNORE INTO sids_past (sid_key, order_id)"
            " SELECT sid_key, id FROM orders WHERE trade_day = ? AND sid_key IS NOT NULL ORDER BY sid_key",
            (day,),
        )
        self.set_meta("sids_past_through", str(day))

    def remember_past(self, used: Sequence[tuple[int, int]]) -> None:
        """(sid key, order id): used up, on whatever day."""
        self._memory.clear()
        self._many("INSERT OR IGNORE INTO sids_past (sid_key, order_id) VALUES (?, ?)", used)

    def _many(self, statement: str, values: Sequence[Any]) -> None:
        if values:
            self._driver.executemany(statement, values)


def _came(row: int, new_from: int, at: int) -> int | None:
    """When a row came, if later than its drop."""
    return at if row >> ROW_BITS < new_from else None


_REASON = ("reason_code", "reason_column", "reason_value", "reason_bound")


def _reason(why: Refusal) -> dict[str, object]:
    return dict(zip(_REASON, why, strict=True))
