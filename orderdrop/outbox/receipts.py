"""Writes the receipts of drops from the journal, as csv and beside a workbook as a workbook, oldest first and in slices.

A receipt belongs to the newest drop of its name; those of older drops get their numbers. What cannot be written is tried again, and keeps
no other receipt waiting.
"""

from __future__ import annotations

import hashlib
import heapq
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import Engine

from orderdrop.accounts.routing import Routing
from orderdrop.config.workspace import Workspace, book_path, receipt_path
from orderdrop.domain.identity import from_day_number
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Refusal
from orderdrop.inbox.names import Name, read_name
from orderdrop.inbox.profiles import Profiles
from orderdrop.intake.nature import HEAD_BYTES, WORKBOOK, suffix_of
from orderdrop.intake.workbook import own_sheets
from orderdrop.journal.reader import Reading, read
from orderdrop.journal.records import DropState
from orderdrop.outbox.receipt import COLUMNS
from orderdrop.outbox.receipt_book import MOST_ROWS, write_receipt_book
from orderdrop.outbox.waiting import WaitingReceipts, make_way
from orderdrop.system import excel
from orderdrop.system.csv_tables import header_bytes, rows_bytes
from orderdrop.system.failpoint import reach
from orderdrop.system.files import is_free, rewriting, write_over
from orderdrop.system.pacing import Pace, PutOff, slices
from orderdrop.system.sharing import HeldOpen
from orderdrop.views.orders import (
    ReceiptRow,
    Where,
    live_words,
    receipt_of_line,
    receipt_of_order,
    receipt_of_row,
)
from orderdrop.views.unfinished import Unfinished, unfinished_line

log = logging.getLogger(__name__)

_SLICE: Final = 500
_CELLS: Final = attrgetter(*COLUMNS)


class Receipts:
    """The drops whose receipts are to be written. Used from the router's thread."""

    def __init__(
        self,
        workspace: Workspace,
        desk: Routing,
        reader: Engine,
        waiting: WaitingReceipts,
        put_off: PutOff,
        told: Callable[[object], AbstractContextManager[None]],
    ) -> None:
        """told: stands around each receipt, and tells what fails there without stopping the others; it is put off then."""
        self._workspace = workspace
        self._desk = desk
        self._reader = reader
        self._waiting = waiting
        self._put_off = put_off
        self._told = told
        self._profiles = Profiles(desk.settings.profiles)
        self._language = desk.settings.log.language
        self._pace = Pace()
        self._due: dict[int, None] = {}  # oldest first
        self._writing: int | None = None

    def note(self, drops: Iterable[int]) -> None:
        """Something changed in these drops, by number."""
        self._due.update(dict.fromkeys(drops))

    @property
    def waiting(self) -> bool:
        """Whether any receipt is to be written."""
        return any(map(self._put_off.due, self._due))

    def hurry(self) -> None:
        """All are due from now on, however long the last writing took."""
        self._pace = Pace()

    def write(self) -> Iterator[None]:
        """Writes those that are due; yields between slices."""
        if self._writing is not None:  # it was not finished
            self._due[self._writing] = None
        for drop_id in [drop for drop in self._due if self._pace.due(drop) and self._put_off.due(drop)]:
            began = time.perf_counter()
            del self._due[drop_id]
            self._writing = drop_id
            with self._told(drop_id):
                with read(self._reader) as reading:
                    yield from self._write_one(reading, drop_id)
                self._writing = None
            if self._writing is not None:  # it failed: again with the next chores, behind the others
                self._due[drop_id] = None
                self._writing = None
            self._pace.spent(drop_id, time.perf_counter() - began)
            yield

    def _write_one(self, reading: Reading, drop_id: int) -> Iterator[None]:
        drop = reading.drop_or_none(drop_id)
        if drop is None:
            return
        name = self._workspace.fitting(drop.name)
        newest = reading.newest_drop_called(drop.name)
        if newest == self._waiting.older.get(drop.name, -1):  # another file waits under that name
            newest = None
        if newest == drop_id:
            for older in reading.older_drops_called(drop.name, drop_id):
                make_way(self._workspace.receipts, name, older)
        path = receipt_path(self._workspace.receipts, name, None if newest == drop_id else drop_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        with rewriting(path) as write:
            write(header_bytes(COLUMNS))
            for rows in slices(self._rows_of(reading, drop), _SLICE):
                write(rows_bytes(map(_CELLS, rows)))
                yield
            reach("receipt.before")
        reach("receipt.after")
        if drop.name.lower().endswith(".xlsx") and drop.rows <= MOST_ROWS and excel.is_installed():
            try:
                yield from self._write_book(reading, drop, book_path(path))
            except HeldOpen:
                raise
            except Exception as error:  # noqa: BLE001  a library's fault with a stranger's file must not stop the router
                log.error("xlsx 回执没有写成 / no xlsx receipt for %s: %s", drop.name, error)

    def _write_book(self, reading: Reading, drop: Any, path: Path) -> Iterator[None]:
        """Its own rows beside what came of them. Raises HeldOpen while somebody has it open in Excel, on Windows: then later."""
        if path.exists() and not is_free(path):
            raise HeldOpen(path)
        source = (
            self._workspace.root / drop.archived_as if drop.archived_as else self._workspace.inbox / drop.name
        )
        data = b"" if drop.reason_code else source.read_bytes() if source.is_file() else b""
        if data and suffix_of(data[:HEAD_BYTES], "") != WORKBOOK:
            return  # called so, and something else: its csv receipt tells all
        if (
            drop.reason_code or hashlib.sha256(data).hexdigest() == drop.sha256
        ):  # else it was saved again meanwhile
            profile = self._profiles.of(drop.name)
            described = None if isinstance(profile, Refusal) else profile
            sheets = own_sheets(data, DropKind(drop.kind), described) if data else ()
            title = f"{drop.name}  {from_day_number(drop.trade_day)}"
            receipts = self._rows_of(reading, drop)
            write_over(path, (yield from write_receipt_book(title, receipts, sheets, self._language)))
        yield

    def _rows_of(self, reading: Reading, drop: Any) -> Iterator[ReceiptRow]:
        """A row for each row of the drop, in its order; row 0 speaks of the whole file, and what is no row yet comes last."""
        language, owner = self._language, drop.owner or ""
        notes = {} if drop.kind == DropKind.ORDER else reading.passed_over(drop.id)
        if drop.reason_code:
            yield receipt_of_row(drop, "refused", language, Where(None, 0), owner)
        told = heapq.merge(
            (
                (order.id, receipt_of_order(order, self._words_of(order.gateway), language, owner))
                for order in reading.orders_of_drop(drop.id)
            ),
            (
                (row.id, receipt_of_row(row, row.outcome, language, owner=owner))
                for row in reading.row_outcomes(drop.id)
            ),
            (
                (row.id, receipt_of_row(row, row.state, language, owner=owner, note=notes.get(row.id, "")))
                for row in reading.instructions_of_drop(drop.id)
            ),
            key=itemgetter(0),
        )
        yield from (receipt for _id, receipt in told)
        line = self._torn_line(drop)
        if line is not None:
            yield receipt_of_line(drop.next_row, line, language, owner)

    def _torn_line(self, drop: Any) -> Unfinished | None:
        """The last line of a file that is followed, if it stays without its newline."""
        said = read_name(drop.name.rpartition("/")[2])
        if (
            drop.archived_as
            or drop.state == DropState.REFUSED
            or not (isinstance(said, Name) and said.followed)
        ):
            return None
        try:
            line = unfinished_line(self._workspace.inbox / drop.name, drop.position)
        except OSError:
            return None
        return line if line is not None and line.quiet >= self._desk.settings.inbox.torn_timeout else None

    def _words_of(self, name: str | None) -> str:
        gateway = self._desk.gateways.get(name or "")
        return f"{name} ({live_words(gateway.live, self._language)})" if gateway else ""
