"""Stores the paper broker's book in its own SQLite database, so that it survives a restart or the end of the router.

One connection, one thread. What `transaction` has left without an error is on disk. Money is decimal text; instants are
microseconds, days ISO dates.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from orderdrop.domain.report import CancelReject, Fill, Report, StatusReport
from orderdrop.domain.status import Status
from orderdrop.gateway.base import Batch, Outgoing
from orderdrop.gateway.paper.book import Book, Changes, Holding, PaperAccount, PaperOrder, Terms
from orderdrop.system.clock import Micros
from orderdrop.system.sqlite import Database

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS accounts (
        id TEXT PRIMARY KEY, cash TEXT NOT NULL, frozen TEXT NOT NULL, fees TEXT NOT NULL, opening TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS holdings (
        account_id TEXT NOT NULL, symbol TEXT NOT NULL, volume INTEGER NOT NULL, today INTEGER NOT NULL,
        frozen INTEGER NOT NULL, cost TEXT NOT NULL, price TEXT NOT NULL, PRIMARY KEY (account_id, symbol)
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS batches (
        id INTEGER NOT NULL, digest BLOB NOT NULL, taken_at INTEGER NOT NULL, PRIMARY KEY (id, digest)
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS orders (
        number INTEGER PRIMARY KEY, trade_day TEXT NOT NULL, batch_id INTEGER NOT NULL, account_id TEXT NOT NULL,
        sid TEXT NOT NULL, symbol TEXT NOT NULL, volume INTEGER NOT NULL, order_type INTEGER NOT NULL,
        business INTEGER NOT NULL, price TEXT, taken_at INTEGER NOT NULL, status TEXT NOT NULL,
        cancelable INTEGER NOT NULL, filled INTEGER NOT NULL, value TEXT NOT NULL, fees TEXT NOT NULL,
        frozen TEXT NOT NULL
    )""",
    # With the day first, inserting stays flat however many days the file holds. Not unique: see Book.take.
    "CREATE INDEX IF NOT EXISTS orders_by_sid ON orders (trade_day, sid)",
    """CREATE INDEX IF NOT EXISTS orders_open ON orders (number)
        WHERE status IN ('new', 'partially_filled')""",
    """CREATE TABLE IF NOT EXISTS reports (
        seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, account_id TEXT NOT NULL, sid TEXT NOT NULL,
        order_id TEXT NOT NULL, status TEXT, exec_id TEXT, volume INTEGER, price TEXT, fee TEXT, code INTEGER, text TEXT
    )""",
)
_ORDER_COLUMNS: Final = (
    "number, trade_day, batch_id, account_id, sid, symbol, volume, order_type, business, price, taken_at, status, "
    "cancelable, filled, value, fees, frozen"
)
_REPORT_COLUMNS: Final = (
    "seq, kind, at, account_id, sid, order_id, status, exec_id, volume, price, fee, code, text"
)


LAST_PRICE: Final = "SELECT price FROM orders WHERE symbol = ? AND filled > 0 ORDER BY number DESC LIMIT 1"


class PaperStore:
    """The door to the file. Raises sqlite3's and SQLAlchemy's errors, and OSError, as they come."""

    def __init__(self, path: Path) -> None:
        self._file = Database(path, _SCHEMA)
        self._run = self._file.run

    def open(self) -> None:
        self._file.open()

    def close(self) -> None:
        self._file.close()

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, on disk at the end; after an error nothing is left open."""
        return self._file.transaction("paper.before", "paper.after")

    # the book

    def load(self, terms: Terms, today: date, now: Micros) -> Book:
        """The book as it was last saved. The clock gives a new file its first numbers.

        So the numbers of a file that was deleted and made anew lie beyond the cursors that were given out before.
        """
        day = self._run("SELECT value FROM meta WHERE key = 'day'").scalar()
        last_number = self._run("SELECT max(number) FROM orders").scalar() or now
        last_seq = self._run("SELECT max(seq) FROM reports").scalar() or now
        book = Book(terms, date.fromisoformat(day) if day else today, last_number, last_seq)
        book.changes.day = day is None
        for account_id, *money in self._run("SELECT id, cash, frozen, fees, opening FROM accounts"):
            cash, frozen, fees, opening = map(Decimal, money)
            book.accounts[account_id] = PaperAccount(account_id, cash, frozen, fees, opening, {})
        for account_id, symbol, volume, today_volume, frozen, cost, price in self._run(
            "SELECT account_id, symbol, volume, today, frozen, cost, price FROM holdings WHERE volume > 0"
        ):
            holding = Holding(volume, today_volume, frozen, Decimal(cost) if cost else None, Decimal(price))
            book.accounts[account_id].holdings[symbol] = holding
        for row in self._run(
            f"SELECT {_ORDER_COLUMNS} FROM orders WHERE status IN ('new', 'partially_filled') ORDER BY number"
        ):
            book.add_open(_order(row))
        return book

    def save(self, book: Book) -> None:
        """Write down what changed since the last time, inside the transaction."""
        changes, book.changes = book.changes, Changes()
        if changes.day:
            self._run("INSERT OR REPLACE INTO meta VALUES ('day', ?)", [(book.day.isoformat(),)])
        accounts = [book.accounts[account_id] for account_id in changes.accounts]
        self._run(
            "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?)",
            [(a.id, str(a.cash), str(a.frozen), str(a.fees), str(a.opening)) for a in accounts],
        )
        held = [(key, book.accounts[key[0]].holdings[key[1]]) for key in changes.holdings]
        self._run(
            "INSERT OR REPLACE INTO holdings VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (*key, h.volume, h.today, h.frozen, "" if h.cost is None else str(h.cost), str(h.price))
                for key, h in held
            ],
        )
        self._run(
            f"INSERT OR REPLACE INTO orders VALUES ({_slots(_ORDER_COLUMNS)})",
            [_order_row(order, book.day) for order in changes.orders.values()],
        )
        self._run(
            f"INSERT INTO reports VALUES ({_slots(_REPORT_COLUMNS)})",
            [_report_row(seq, report) for seq, report in enumerate(changes.reports, book.last_seq + 1)],
        )
        book.last_seq += len(changes.reports)

    # batches, reports

    def has_batch(self, batch: Batch) -> bool:
        """The very batch: another one of the same number (a new journal begins at 1 again) is another batch."""
        key = (batch.id, _digest(batch))
        return self._run("SELECT 1 FROM batches WHERE id = ? AND digest = ?", key).first() is not None

    def add_batch(self, batch: Batch, at: Micros) -> None:
        self._run("INSERT INTO batches VALUES (?, ?, ?)", [(batch.id, _digest(batch), at)])

    def has_order(self, day: date, account_id: str, sid: str) -> bool:
        key = (day.isoformat(), sid, account_id)
        found = self._run("SELECT 1 FROM orders WHERE trade_day = ? AND sid = ? AND account_id = ?", key)
        return found.first() is not None

    def last_price(self, symbol: str) -> Decimal | None:
        """Of the newest fill of a symbol, of whatever day."""
        found = self._run(LAST_PRICE, (symbol,)).scalar()
        return None if found is None else Decimal(found)

    def taken_before(self, day: date, orders: Sequence[Outgoing]) -> frozenset[str]:
        """The order ids among these that it has taken on that day."""
        sids = json.dumps([order.sid for order in orders])
        found = self._run(
            "SELECT wanted.value, account_id FROM json_each(?) AS wanted"
            " CROSS JOIN orders ON orders.trade_day = ? AND orders.sid = wanted.value",
            (sids, day.isoformat()),
        ).all()
        ours = {(order.sid, order.account_id) for order in orders} if found else set()
        return frozenset(sid for sid, account_id in found if (sid, account_id) in ours)

    def reports(self, after: int, limit: int) -> tuple[list[Report], int]:
        """The reports behind `after`, and the number of the last one."""
        rows = self._run(
            f"SELECT {_REPORT_COLUMNS} FROM reports WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
        ).all()
        return [_report(row) for row in rows], rows[-1].seq if rows else after


def _digest(batch: Batch) -> bytes:
    return blake2b(batch.content, digest_size=16).digest()


def _slots(columns: str) -> str:
    return ", ".join("?" for _ in columns.split(","))


def _order_row(order: PaperOrder, day: date) -> tuple[Any, ...]:
    price = None if order.price is None else str(order.price)
    return (
        order.number, day.isoformat(), order.batch_id, order.account_id, order.sid, order.symbol, order.volume,
        order.order_type, order.business, price, order.taken_at, order.status._value_, order.cancelable,
        order.filled, str(order.value), str(order.fees), str(order.frozen),
    )  # fmt: skip


def _order(row: Any) -> PaperOrder:
    return PaperOrder(
        row.number, row.batch_id, row.account_id, row.sid, row.symbol, row.volume, row.order_type, row.business,
        None if row.price is None else Decimal(row.price), row.taken_at, Status(row.status), bool(row.cancelable),
        row.filled, Decimal(row.value), Decimal(row.fees), Decimal(row.frozen),
    )  # fmt: skip


def _report_row(seq: int, report: Report) -> tuple[Any, ...]:
    """Unpacked by type and not by `match`, which takes longer; a batch has thousands of reports."""
    if isinstance(report, StatusReport):
        at, account_id, sid, status, order_id, filled, code, text, _ = report
        word = status._value_
        return seq, "status", at, account_id, sid, order_id, word, None, filled, None, None, code, text
    if isinstance(report, Fill):
        at, account_id, sid, exec_id, volume, price, order_id, fee, _ = report
        return (
            seq,
            "fill",
            at,
            account_id,
            sid,
            order_id,
            None,
            exec_id,
            volume,
            str(price),
            str(fee),
            None,
            None,
        )
    at, account_id, sid, code, text, _ = report
    return seq, "cancel_reject", at, account_id, sid, "", None, None, None, None, None, code, text


def _report(row: Any) -> Report:
    _seq, kind, at, account_id, sid, order_id, status, exec_id, volume, price, fee, code, text = row
    if kind == "status":
        return StatusReport(at, account_id, sid, Status(status), order_id, volume, code, text)
    if kind == "fill":
        return Fill(at, account_id, sid, exec_id, volume, Decimal(price), order_id, Decimal(fee))
    return CancelReject(at, account_id, sid, code, text)
