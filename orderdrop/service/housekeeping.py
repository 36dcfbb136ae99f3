"""What can wait: receipts, result files, putting files away, the day's archive, the journal's upkeep.

Chores run in slices between the router's turns and stop as soon as a drop stirs, so that they never stand in an order's
way. All of it can be made again from the journal; nothing here decides anything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import date

from sqlalchemy.engine import Engine

from orderdrop.archive.altered import note_altered
from orderdrop.archive.closing import Closing
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.identity import day_number
from orderdrop.errors import OrderdropError
from orderdrop.execution.turn import Turn
from orderdrop.inbox.drop_file import OpenDrop
from orderdrop.inbox.scanner import Inbox
from orderdrop.journal.journal import Journal
from orderdrop.journal.reader import read
from orderdrop.journal.records import drop_of
from orderdrop.outbox.receipts import Receipts
from orderdrop.outbox.result_files import Outbox
from orderdrop.outbox.waiting import WaitingReceipts
from orderdrop.router import Router
from orderdrop.service.away import Away
from orderdrop.system.clock import Clock
from orderdrop.system.faults import tell_unexpected
from orderdrop.system.files import giving_way
from orderdrop.system.pacing import PutOff
from orderdrop.system.sharing import held_words, is_held
from orderdrop.views.orders import (
    scan_finds_key,
)

log = logging.getLogger(__name__)


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
        self._outbox = Outbox(workspace.outbox, router.desk, reader)
        self._closing = Closing(workspace, settings, journal, reader, clock)
        self._put_off = PutOff()
        self._waiting = WaitingReceipts(workspace.receipts, settings.log.language)
        self._receipts = Receipts(workspace, router.desk, reader, self._waiting, self._put_off, self._told)
        self._away = Away(workspace, journal, inbox, router)
        self._current: Iterator[None] | None = None
        self.faults: list[str] = []  # of the last time, for the heartbeat
        self._found: list[str] = []
        self._noted = False
        self._put_away_before: Iterator[tuple[OpenDrop, str]] = iter(())
        with read(reader) as reading:  # whatever a crash has kept from being written
            self._receipts.note(reading.recent_drops(2))

    def look_after(self, put_away: Iterable[tuple[OpenDrop, str]]) -> None:
        """Drops that an earlier run has put away, with their paths: late writes to them are looked for, too."""
        self._put_away_before = iter(put_away)

    def _watch_put_away(self) -> Iterator[None]:
        for drop, path in self._put_away_before:
            self._inbox.watch_put_away(drop, path)
            yield

    def note(self, done: Turn) -> None:
        """Remember what a turn of the router has changed."""
        drops = done.taken | done.drops | {drop_of(order) for order in done.orders}
        for handover in done.handed_over:
            drops.update(range(drop_of(handover.first_order), drop_of(handover.last_order) + 1))
        self._receipts.note(sorted(drops))
        self._away.add(done.refused_files)
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
        return (
            self.under_way
            or self._noted
            or self._inbox.has_torn
            or self._receipts.waiting
            or self._outbox.behind
        )

    def run(self, interrupted: Callable[[], bool]) -> None:
        """Go on with the chores until they are done or `interrupted`. A fault is told and tried again next time."""
        if self._current is None:
            self._current = self._all()
            self._noted = False
        with giving_way() if not self._ending else nullcontext():
            for _ in self._current:
                if interrupted():
                    return
        before, self.faults = (
            self.faults,
            [*self._found, *self._put_off.reasons, *self._outbox.put_off.reasons],
        )
        self._found = []
        failed = "; ".join(fault for fault in self.faults if fault not in before)
        if failed:
            log.error("收尾工作失败，将重试 / housekeeping failed, will try again: %s", failed)
        self._current = None

    def finish(self) -> None:
        """All of it, now, without waiting for anything to be quiet: at the end of a run."""
        self._receipts.hurry()
        self._put_off.hurry()
        self._outbox.hurry()
        self._closing.hurry()
        self._current = None
        self._ending = True
        self.run(lambda: False)
        self._ending = False

    def close_days(self, ended: date) -> None:
        self._closing.close_days(ended)

    _ending = False

    def _all(self) -> Iterator[None]:
        """One after the other. What fails is told at the end; it keeps nothing else from being done."""
        self._found = []
        for chore in (
            self._write_receipts, self._write_waiting, lambda: self._outbox.update(self._router.today), self._away.refused_files,
            self._put_away_drops, self._closing.past_days, self._move_sids, self._watch_put_away, self._count_scan_finds,
            self._note_altered, self._closing.seal, self._checkpoint,
        ):  # fmt: skip
            with self._told():
                yield from chore()

    @contextmanager
    def _told(self, what: object = None) -> Iterator[None]:
        """Around a chore, and around each thing of one: what fails there keeps nothing else from being done.

        what: a thing that is put off by itself, and tried again after a pause that grows.
        """
        try:
            yield
        except OSError as error:
            words = held_words(error) if is_held(error) else str(error)
        except OrderdropError as error:
            words = str(error)
        except Exception as error:  # noqa: BLE001  whatever it is, receipts of other drops and the router go on
            words = tell_unexpected("收尾 / housekeeping", error)
        else:
            self._put_off.done(what)
            return
        if what is None:
            self._found.append(words)
        else:
            self._put_off.failed(what, words)

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

    def _write_receipts(self) -> Iterator[None]:
        self._receipts.note(sorted(self._inbox.take_torn()))
        yield from self._receipts.write()

    def _write_waiting(self) -> Iterator[None]:
        """Of files that are open in another program; what was taken has its own receipt by now."""
        if self._inbox.open_elsewhere or self._waiting.written:
            with read(self._reader) as reading:
                yield from self._waiting.update(self._inbox.open_elsewhere, reading)

    # putting away

    def _put_away_drops(self) -> Iterator[None]:
        yield from self._away.drops(at_once=self._ending)

    def _note_altered(self) -> Iterator[None]:
        """Archived files that are not what was taken: until the day is over, status tells of them."""
        altered = self._inbox.altered
        if altered:
            with self._journal.transaction() as writer:
                note_altered(writer, self._router.today, self._workspace, altered)
                writer.on_commit(self._inbox.take_altered)
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
