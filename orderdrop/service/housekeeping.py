"""What can wait: receipts, result files, putting files away, the day's archive, the journal's upkeep.

Chores run in slices between the router's turns and stop as soon as a drop stirs, so that they never stand in an order's
way. All of it can be made again from the journal; nothing here decides anything.
"""

from __future__ import annotations

import hashlib
import heapq
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine

from orderdrop.archive.altered import note_altered
from orderdrop.archive.closing import Closing
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace, book_path, receipt_path
from orderdrop.domain.identity import day_number, from_day_number
from orderdrop.domain.order import DropKind
from orderdrop.errors import OrderdropError
from orderdrop.inbox.scanner import Inbox
from orderdrop.inbox.tail import OpenDrop
from orderdrop.intake.workbook import own_sheets
from orderdrop.journal.journal import Journal
from orderdrop.journal.reader import Reading, read
from orderdrop.journal.records import drop_of
from orderdrop.outbox.receipt import COLUMNS
from orderdrop.outbox.receipt_book import MOST_ROWS, write_receipt_book
from orderdrop.outbox.result_files import Outbox
from orderdrop.router import Router, Turn
from orderdrop.service.away import Away
from orderdrop.system import excel
from orderdrop.system.clock import Clock
from orderdrop.system.csv_tables import header_bytes, rows_bytes
from orderdrop.system.failpoint import reach
from orderdrop.system.faults import tell_unexpected
from orderdrop.system.files import is_free, rewriting, write_over
from orderdrop.system.pacing import Pace, slices
from orderdrop.views.orders import (
    ReceiptRow,
    Where,
    live_words,
    receipt_of_order,
    receipt_of_row,
    scan_finds_key,
)

log = logging.getLogger(__name__)

_SLICE = 500
_CELLS = attrgetter(*COLUMNS)


class Chores:
    """The router's housekeeping. Used from the router's thread."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        journal: Journal,
        reader: Engine,
        inbox: Inbox,
        router: Router,
        clock: Clock,
    ) -> None:
        self._workspace = workspace
        self._settings = settings
        self._journal = journal
        self._reader = reader
        self._inbox = inbox
        self._router = router
        self._clock = clock
        self._language = settings.log.language
        self._outbox = Outbox(workspace.outbox, router.desk, reader)
        self._closing = Closing(workspace, settings, journal, reader, clock)
        self._pace = Pace()
        self._receipts: dict[int, None] = {}  # drops whose receipt is to be written, oldest first
        self._away = Away(workspace, journal, inbox, router)
        self._current: Iterator[None] | None = None
        self._failed = ""
        self.faults: list[str] = []  # of the last time, for the heartbeat
        self._found: list[str] = []
        self._noted = False
        self._put_away_before: Iterator[tuple[OpenDrop, str]] = iter(())
        with read(reader) as reading:  # whatever a crash has kept from being written
            self._receipts.update(dict.fromkeys(reading.recent_drops(2)))

    def look_after(self, put_away: Iterable[tuple[OpenDrop, str]]) -> None:
        """Drops that an earlier run has put away, with their paths: late writes to them are looked for, too."""
        self._put_away_before = iter(put_away)

    def _watch_put_away(self) -> Iterator[None]:
        for drop, path in self._put_away_before:
            self._inbox.watch_put_away(drop, path)
            yield

    def note(self, done: Turn) -> None:
        """Remember what a turn of the router has changed."""
        drops = done.admitted.drop_ids | done.drops | {drop_of(order) for order in done.orders}
        for handover in done.handed_over:
            drops.update(range(drop_of(handover.first_order), drop_of(handover.last_order) + 1))
        self._receipts.update(dict.fromkeys(sorted(drops)))
        self._away.add(done.admitted.refused_files)
        if not done.idle:
            self._noted = True
            self._outbox.note(done.accounts)

    @property
    def under_way(self) -> bool:
        """Whether chores were begun and interrupted."""
        return self._current is not None

    @property
    def waiting(self) -> bool:
        """Whether there is something to do as soon as there is a lull."""
        return self.under_way or self._noted or bool(self._receipts) or self._outbox.behind

    def run(self, interrupted: Callable[[], bool]) -> None:
        """Go on with the chores until they are done or `interrupted`. A fault is told and tried again next time."""
        if self._current is None:
            self._current = self._all()
            self._noted = False
        for _ in self._current:
            if interrupted():
                return
        self.faults, self._found = self._found, []
        failed = "; ".join(self.faults)
        if failed and failed != self._failed:
            log.error("收尾工作失败，将重试 / housekeeping failed, will try again: %s", failed)
        self._failed = failed
        self._current = None

    def finish(self) -> None:
        """All of it, now, without waiting for anything to be quiet: at the end of a run."""
        self._pace = Pace()
        self._outbox.hurry()
        self._closing.hurry()
        self._current = None
        self._ending = True
        self.run(lambda: False)
        self._ending = False

    def close_days(self, ended: date) -> None:
        self._closing.close_days(ended)

    _ending = False
    _writing: int | None = None

    def _all(self) -> Iterator[None]:
        """One after the other. What fails is told at the end; it keeps nothing else from being done."""
        self._found = []
        for chore in (
            self._write_receipts, lambda: self._outbox.update(self._router.today), self._away.refused_files,
            self._put_away_drops, self._closing.past_days, self._move_sids, self._watch_put_away, self._count_scan_finds,
            self._note_altered, self._closing.seal, self._checkpoint,
        ):  # fmt: skip
            with self._told():
                yield from chore()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Around a chore, and around each thing of one: what fails there keeps nothing else from being done."""
        try:
            yield
        except (OSError, OrderdropError) as error:
            self._found.append(str(error))
        except Exception as error:  # noqa: BLE001  whatever it is, receipts of other drops and the router go on
            self._found.append(tell_unexpected("收尾 / housekeeping", error))

    def _count_scan_finds(self) -> Iterator[None]:
        """Keep count of the drops that no event has told of: many of them mean that events do not work in this folder."""
        found, self._inbox.found_by_scan_only = self._inbox.found_by_scan_only, 0
        if found:
            key = scan_finds_key(self._router.today)
            with self._journal.transaction() as writer:
                writer.set_meta(key, str(int(writer.get_meta(key) or 0) + found))
            yield

    def _checkpoint(self) -> Iterator[None]:
        self._journal.checkpoint()
        yield

    # receipts

    def _write_receipts(self) -> Iterator[None]:
        if self._writing is not None:  # it was not finished
            self._receipts[self._writing] = None
        for drop_id in [drop for drop in self._receipts if self._pace.due(drop)]:
            began = time.perf_counter()
            del self._receipts[drop_id]
            self._writing = drop_id
            with self._told():
                with read(self._reader) as reading:
                    yield from self._write_receipt(reading, drop_id)
                self._writing = None
            if self._writing is not None:  # it failed: again with the next chores, behind the others
                self._receipts[drop_id] = None
                self._writing = None
            self._pace.spent(drop_id, time.perf_counter() - began)
            yield

    def _write_receipt(self, reading: Reading, drop_id: int) -> Iterator[None]:
        drop = reading.drop_or_none(drop_id)
        if drop is None:
            return
        newest = reading.newest_drop_called(drop.name)
        if newest == drop_id:
            for older in reading.older_drops_called(drop.name, drop_id):
                self._make_way(drop.name, older)
        path = receipt_path(self._workspace.receipts, drop.name, None if newest == drop_id else drop_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        with rewriting(path) as write:
            write(header_bytes(COLUMNS))
            for rows in slices(self._receipt_rows(reading, drop), _SLICE):
                write(rows_bytes(map(_CELLS, rows)))
                yield
            reach("receipt.before")
        reach("receipt.after")
        if drop.name.lower().endswith(".xlsx") and drop.rows <= MOST_ROWS and excel.is_installed():
            try:
                yield from self._write_receipt_book(reading, drop, book_path(path))
            except Exception as error:  # noqa: BLE001  a library's fault with a stranger's file must not stop the router
                log.error("xlsx 回执没有写成 / no xlsx receipt for %s: %s", drop.name, error)

    def _write_receipt_book(self, reading: Reading, drop: Any, path: Path) -> Iterator[None]:
        """Its own rows beside what came of them. Not while somebody reads it in Excel, on Windows: then later."""
        if path.exists() and not is_free(path):
            self._receipts[drop.id] = None
            return
        source = (
            self._workspace.root / drop.archived_as if drop.archived_as else self._workspace.inbox / drop.name
        )
        data = b"" if drop.reason_code else source.read_bytes() if source.is_file() else b""
        if (
            drop.reason_code or hashlib.sha256(data).hexdigest() == drop.sha256
        ):  # else it was saved again meanwhile
            sheets = own_sheets(data, DropKind(drop.kind)) if data else ()
            title = f"{drop.name}  {from_day_number(drop.trade_day)}"
            receipts = self._receipt_rows(reading, drop)
            write_over(path, (yield from write_receipt_book(title, receipts, sheets, self._language)))
        yield

    def _receipt_rows(self, reading: Reading, drop: Any) -> Iterator[ReceiptRow]:
        """A row for each row of the drop, in its order; row 0 speaks of the whole file."""
        language, owner = self._language, drop.owner or ""
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
                (row.id, receipt_of_row(row, row.state, language, owner=owner))
                for row in reading.instructions_of_drop(drop.id)
            ),
            key=itemgetter(0),
        )
        yield from (receipt for _id, receipt in told)

    def _make_way(self, name: str, older: int) -> None:
        """Another drop has taken the name: the older one's receipt gets its number."""
        plain, numbered = (
            receipt_path(self._workspace.receipts, name),
            receipt_path(self._workspace.receipts, name, older),
        )
        for old, new in ((plain, numbered), (book_path(plain), book_path(numbered))):
            if old.exists() and not new.exists():
                old.rename(new)

    def _words_of(self, name: str | None) -> str:
        gateway = self._router.desk.gateways.get(name or "")
        return f"{name} ({live_words(gateway.live, self._language)})" if gateway else ""

    # putting away

    def _put_away_drops(self) -> Iterator[None]:
        yield from self._away.drops(at_once=self._ending)

    def _note_altered(self) -> Iterator[None]:
        """Archived files that are not what was taken: until the day is over, status tells of them."""
        altered, self._inbox.altered = self._inbox.altered, []
        if altered:
            with self._journal.transaction() as writer:
                note_altered(writer, self._router.today, self._workspace, altered)
            yield

    # upkeep

    def _move_sids(self) -> Iterator[None]:
        if self._sids_moved_on == self._router.today:
            return
        today = day_number(self._router.today)
        with self._journal.transaction() as writer:
            days = writer.unmoved_days(today)
        for day in days:
            yield
            with self._journal.transaction() as writer:
                writer.move_sids_to_past(day)
        self._sids_moved_on = self._router.today

    _sids_moved_on: date | None = None
