"""Stores what the 掘金 API gateway must not forget: which calls have begun, which of the terminal's orders is ours, what was told.

A file of its own. A call is written down before it is made, the terminal's id as soon as it is known, a report before it is told: so
after a crash an order that is not here was never sent, and one that is here is never sent again on a guess.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from orderdrop.domain.report import CancelReject, Fill, Report, StatusReport
from orderdrop.domain.status import Status
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Batch, Outgoing
from orderdrop.system.clock import Micros
from orderdrop.system.sqlite import Database

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS batches (id INTEGER NOT NULL, digest BLOB NOT NULL, PRIMARY KEY (id, digest)) WITHOUT ROWID",
    # begun_at: 0 when nobody remembers. client_id: the terminal's cl_ord_id, NULL while it is not known.
    """CREATE TABLE IF NOT EXISTS orders (
        number INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL, digest BLOB NOT NULL, place INTEGER NOT NULL,
        day TEXT NOT NULL, sid TEXT NOT NULL, account_id TEXT NOT NULL, symbol TEXT NOT NULL, volume INTEGER NOT NULL,
        order_type INTEGER NOT NULL, business INTEGER NOT NULL, price TEXT, begun_at INTEGER NOT NULL, client_id TEXT,
        cancel INTEGER NOT NULL DEFAULT 0, told TEXT, UNIQUE (batch_id, digest, place)
    )""",
    "CREATE UNIQUE INDEX IF NOT EXISTS orders_by_client ON orders (day, account_id, client_id)",
    "CREATE INDEX IF NOT EXISTS orders_by_sid ON orders (day, sid)",
    """CREATE TABLE IF NOT EXISTS events (
        day TEXT NOT NULL, account_id TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (day, account_id, key)
    ) WITHOUT ROWID""",
    "CREATE TABLE IF NOT EXISTS reports (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL)",
)
_COLUMNS: Final = (
    "number, sid, account_id, symbol, volume, order_type, business, price, begun_at, client_id, cancel, told"
)


@dataclass
class Sent:
    """An order whose call has begun. client_id: "" while it is in doubt whether the terminal has it. told: its last state."""

    number: int
    order: Outgoing
    begun_at: int
    client_id: str = ""
    cancel: bool = False
    told: str = ""


class GmStore:
    """The door to the file. Raises GatewayError."""

    def __init__(self, path: Path) -> None:
        self._file = Database(path, _SCHEMA)
        self._run = self._file.run
        self._last_seq = 0

    def open(self, now: Micros) -> None:
        """now: where a new file's numbers begin, so that they lie beyond the cursors of a file that was deleted."""
        with self._faults():
            self._file.open()
        with self.transaction():
            self._last_seq = self._run("SELECT max(seq) FROM reports").scalar() or now

    def close(self) -> None:
        self._file.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk at the end."""
        with self._faults(), self._file.transaction():
            yield

    # everything below belongs into a transaction

    @property
    def is_whole(self) -> bool:
        """Whether what is not here did not happen: false for a file that was made anew behind the journal's back."""
        return self._run("SELECT 1 FROM meta WHERE key = 'whole'").first() is not None

    def begin_memory(self) -> None:
        self._run("INSERT OR IGNORE INTO meta VALUES ('whole', '1')")

    def has_batch(self, batch: Batch) -> bool:
        found = self._run("SELECT 1 FROM batches WHERE id = ? AND digest = ?", (batch.id, _digest(batch)))
        return found.first() is not None

    def add_batch(self, batch: Batch) -> None:
        self._run("INSERT OR IGNORE INTO batches VALUES (?, ?)", (batch.id, _digest(batch)))

    def begin(self, batch: Batch, place: int, order: Outgoing, day: date, at: int) -> Sent:
        """The call is about to be made. The constraint refuses a second one."""
        price = None if order.price is None else str(order.price)
        done = self._run(
            "INSERT INTO orders (batch_id, digest, place, day, sid, account_id, symbol, volume, order_type, business, price, begun_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                batch.id, _digest(batch), place, day.isoformat(), order.sid, order.account_id, order.symbol,
                order.volume, order.order_type, order.order_business, price, at,
            ),
        )  # fmt: skip
        return Sent(done.lastrowid, order, at)

    def bind(self, sent: Sent, client_id: str) -> None:
        """This order of the terminal is ours."""
        self._run("UPDATE orders SET client_id = ? WHERE number = ?", (client_id, sent.number))

    def want_cancel(self, sent: Sent, *, wanted: bool) -> None:
        self._run("UPDATE orders SET cancel = ? WHERE number = ?", (int(wanted), sent.number))

    def of_day(self, day: date) -> list[Sent]:
        rows = self._run(f"SELECT {_COLUMNS} FROM orders WHERE day = ? ORDER BY number", (day.isoformat(),))
        return [_sent(row) for row in rows]

    def of_batch(self, batch: Batch) -> dict[str, int]:
        """The numbers of its orders whose call has begun, by sid."""
        rows = self._run(
            "SELECT sid, number FROM orders WHERE batch_id = ? AND digest = ?", (batch.id, _digest(batch))
        )
        return {row.sid: row.number for row in rows}

    def is_told(self, day: date, account_id: str, key: str) -> bool:
        found = self._run(
            "SELECT 1 FROM events WHERE day = ? AND account_id = ? AND key = ?",
            (day.isoformat(), account_id, key),
        )
        return found.first() is not None

    def note_event(self, day: date, account_id: str, key: str) -> None:
        self._run("INSERT INTO events VALUES (?, ?, ?)", (day.isoformat(), account_id, key))

    def note_state(self, sent: Sent, state: str) -> None:
        self._run("UPDATE orders SET told = ? WHERE number = ?", (state, sent.number))

    def add_reports(self, reports: Sequence[Report]) -> None:
        bodies = [
            (seq, type(report).__name__, json.dumps(report._asdict(), default=str, ensure_ascii=False))
            for seq, report in enumerate(reports, self._last_seq + 1)
        ]
        if bodies:
            self._run("INSERT INTO reports VALUES (?, ?, ?)", bodies)
        self._last_seq += len(reports)

    def reports(self, after: int, limit: int) -> tuple[list[Report], int]:
        """The reports behind `after`, and the number of the last one."""
        if after >= self._last_seq:
            return [], after
        rows = self._run("SELECT * FROM reports WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)).all()
        return [_report(row.kind, row.body) for row in rows], rows[-1].seq if rows else after

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise GatewayError(
                f"掘金接口的记录文件出错 / the file of 掘金's gateway: {self._file.path}: {error}"
            ) from error


def _digest(batch: Batch) -> bytes:
    return blake2b(batch.content, digest_size=16).digest()


def _sent(row: Any) -> Sent:
    order = Outgoing(
        row.sid, row.account_id, row.symbol, row.volume, row.order_type, row.business,
        None if row.price is None else Decimal(row.price), "",
    )  # fmt: skip
    return Sent(row.number, order, row.begun_at, row.client_id or "", bool(row.cancel), row.told or "")


def _report(kind: str, body: str) -> Report:
    values = json.loads(body)
    match kind:
        case "StatusReport":
            return StatusReport(**values | {"status": Status(values["status"])})
        case "Fill":
            fee = values["fee"]
            return Fill(
                **values | {"price": Decimal(values["price"]), "fee": None if fee is None else Decimal(fee)}
            )
        case _:
            return CancelReject(**values)
