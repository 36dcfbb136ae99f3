"""The gateway to 掘金 and 东财 EMC file orders: a scan folder to write to, an output folder to read from.

This file says what is sure. How files go in stands in scan, how the terminal's output is read in output,
account and files, what a row means in rows, formats in batch, table and
dbf, the day's end in leftovers. The window, confirmation and sending again are the router's: `trace` and `take_back`
are what it decides by.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from orderdrop.config.gateways import GoldminerSettings
from orderdrop.domain.report import Account, Report
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import (
    SEEN_BEFORE,
    Batch,
    Cancel,
    Cursor,
    Leftover,
    Outcome,
    Outgoing,
    SubmitResult,
    Trace,
)
from orderdrop.gateway.goldminer.batch import CsvWriting, Writing
from orderdrop.gateway.goldminer.dbf import DbfTable, DbfWriting
from orderdrop.gateway.goldminer.leftovers import leave, put_away
from orderdrop.gateway.goldminer.output import Output
from orderdrop.gateway.goldminer.scan import Names, ScanFolder, Where
from orderdrop.gateway.goldminer.table import CsvTable, Table
from orderdrop.system.clock import Clock, Micros, trade_date
from orderdrop.system.dbf import is_installed, library

log = logging.getLogger(__name__)

_ROOM: Final = 1_000_000
READS_APART: Final = 10_000_000
"""Microseconds between two complete reads of the output that together prove an absence."""

LAG: Final = 2_000_000
"""Microseconds by which cash.csv and position.csv may be behind."""

_REST: Final = 1_000_000
"""Microseconds without new orders after a hand-over that failed before it left: the disk is full, or the share is away."""


class Evidence(NamedTuple):
    """What is known of a batch that was handed over.

    taken: its file stands in upfiles, or is gone from the scan folder though we did not take it back; False: it still stands there, or
    we have it; None: nobody can say now. taken_at: when we first saw that it was taken; it was taken before.
    alive_at: the output moved after this instant. reads: when complete reads of the output began (the newest ones, a second apart),
    empty when an account of the batch has no file in which its orders would show. seen: its order ids that stand in the output.
    """

    taken: bool | None
    taken_at: Micros | None
    alive_at: Micros | None
    reads: tuple[Micros, ...]
    seen: frozenset[str]


class GoldminerGateway:
    """A terminal's two folders as a `Gateway`; several accounts.

    Invariants: TAKEN is said when the file stands whole in the scan folder, under a name that no other batch has; NEVER_LEFT only
    when it is proven that it never stood there, or was taken back untouched.
    """

    def __init__(
        self, name: str, settings: GoldminerSettings, accounts: Collection[str], clock: Clock
    ) -> None:
        """settings: with absolute folders. accounts: those that the settings give to this gateway."""
        self.name = name
        self.live = settings.live
        self.pulse = settings.poll_interval
        self._clock = clock
        self._writing: Writing = CsvWriting() if settings.format == "csv" else DbfWriting()
        self._scan = ScanFolder(settings, Names.of(self._writing.suffix), clock)
        tables: dict[str, Table] = {".csv": CsvTable()}
        if settings.format == "dbf" or is_installed():
            tables[".dbf"] = DbfTable()
        self._output = Output(settings.push_dir, tables, accounts, clock)
        self._rest_until = Micros(0)
        self._cancels = 0
        self._taken_at: dict[int, Micros] = {}
        self._alive_since: dict[int, Micros] = {}
        self._journaled: set[str] = set()
        self._unjournaled: set[str] | None = (
            None  # order ids in files of ours that the journal does not know; None: not looked yet
        )

    keeps_days = True  # staging's ledger does
    lag = LAG

    def watched(self) -> Sequence[Path]:
        return (self._output.folder,)

    def open(self) -> None:
        if isinstance(self._writing, DbfWriting):
            library()
        self._scan.open()
        self._unjournaled = None
        try:
            self._output.open()
        except GatewayError:
            self._scan.close()
            raise

    def close(self) -> None:
        self._scan.close()

    def room(self) -> int:
        return 0 if self._clock.now() < self._rest_until else _ROOM

    def encode(self, orders: Iterable[Outgoing]) -> bytes:
        return self._writing.orders(orders)

    def submit(self, batch: Batch) -> SubmitResult:
        try:
            shown = frozenset() if self._scan.went_in(batch) else self._shown_before(batch)
        except GatewayError as error:
            result = SubmitResult(Outcome.NEVER_LEFT, str(error))
        else:
            if shown:
                return SubmitResult(Outcome.UNKNOWN, SEEN_BEFORE, shown)
            result = self._scan.hand_over(self._scan.name(batch), batch.content)
        if result.outcome is Outcome.NEVER_LEFT:
            self._rest_until = Micros(self._clock.now() + _REST)
        return result

    def cancel(self, cancels: Sequence[Cancel]) -> None:
        if not cancels:
            return
        self._cancels += 1
        content = self._writing.cancels(cancels)
        name = self._scan.names.cancel(self._clock.now(), self._cancels, content)
        result = self._scan.hand_over(name, content)
        if result.outcome is not Outcome.TAKEN:
            raise GatewayError(f"撤单文件没有送进扫单文件夹 / cancels did not go in: {result.detail}")

    def settle(self, batch: Batch) -> dict[str, Outcome]:
        """A file goes in whole, so one row that is seen speaks for all of them."""
        outcome = self._settle(batch)
        return dict.fromkeys(self.sids(batch.content), outcome)

    def poll(self, after: Cursor, limit: int) -> tuple[list[Report], Cursor]:
        try:
            self._scan.memory.begin()
        except OSError as error:
            raise GatewayError(f"暂存文件夹写不了 / staging cannot be written: {error}") from error
        self._scan.mark_finished()
        return self._output.poll(after, limit)

    def account(self, account_id: str) -> Account | None:
        return self._output.account(account_id)

    def remembered(self, account_id: str) -> Account | None:
        return self._output.told(account_id)

    def places(self) -> dict[str, Any]:
        return self._output.places()

    def accounts(self) -> Sequence[str]:
        return sorted(self._output.folders)

    def remember(self, batches: Iterable[Batch]) -> None:
        """Staging's ledger and the terminal's folders remember; which of the files there the journal knows, stands in it alone."""
        self._journaled = {self._scan.names.core(batch) for batch in batches}

    def trace(self, batch: Batch, sids: Collection[str], since: Micros) -> Trace:
        evidence = self.evidence(batch)
        since = max(since, self._alive_since.get(batch.id, since))
        reads = [read for read in evidence.reads if read >= since]
        missing = [sid for sid in sids if sid not in evidence.seen]
        if evidence.taken is not True:
            return Trace(frozenset(), _UNTAKEN if evidence.taken is False else _HIDDEN)
        doubted = set(sids)
        accounts = {row.account_id for row in self._writing.rows(batch.content) if row.sid in doubted}
        broken = self._output.broken(batch.places, sorted(accounts))
        if broken:
            return Trace(frozenset(), broken)
        if batch.id not in self._alive_since:
            return Trace(frozenset(), _STILL)
        if not reads or reads[-1] - reads[0] < READS_APART:
            return Trace(frozenset(), _READING)
        mentioned = self.mentions(missing)
        absent = frozenset(missing) - (frozenset(missing) if mentioned is None else mentioned)
        return Trace(absent, _MENTIONED if mentioned else _READING, reads[0])

    # beyond the port

    @property
    def bad_rows(self) -> dict[str, int]:
        """What of the output did not read, counted: file name and what is wrong with the row."""
        return dict(self._output.problems.counts)

    def evidence(self, batch: Batch) -> Evidence:
        """What is known of a batch, as far as the last `poll` has read. Asks the folders, changes nothing."""
        taken = self._is_taken(batch)
        now = self._clock.now()
        taken_at = self._taken_at.setdefault(batch.id, now) if taken else self._taken_at.pop(batch.id, None)
        alive_at = self._output.alive_at
        if taken_at is None:
            self._alive_since.pop(batch.id, None)
        elif alive_at is not None and alive_at > taken_at:
            self._alive_since.setdefault(batch.id, now)
        rows = self._writing.rows(batch.content)
        shows = all(self._output.tells_orders(account) for account in {row.account_id for row in rows})
        return Evidence(
            taken,
            taken_at if taken else None,
            alive_at,
            tuple(self._output.reads) if shows else (),
            frozenset(row.sid for row in rows if row.sid in self._output.seen),
        )

    def mentions(self, sids: Collection[str]) -> set[str] | None:
        """Which order ids stand anywhere in the output, read anew from end to end; None: it moved meanwhile, ask again.

        For the moment before an order is called absent: it reads the day's files once more, and those that the terminal has archived today.
        """
        try:
            return self._output.mentions(sids, self._scan.downfiles())
        except OSError:
            return None

    def take_back(self, batch: Batch) -> bool:
        """Take an untaken file out of the scan folder. True: it was there, and no row of it has shown up yet.

        False: it is not there any more, or rows were executed, or the terminal takes no file away: nothing is proven. What was taken back lies in staging; `settle` tells
        later whether rows of it have shown up after all. Raises GatewayError.
        """
        try:
            back = self._scan.take_back(batch)
            self._output.look()
            proven = back and self._scan.taken_away and not self._shown(batch)
            if proven:
                self._scan.withdraw(batch)
        except OSError as error:
            raise GatewayError(
                f"文件没有从扫单文件夹收回 / the file could not be taken back: {error}"
            ) from error
        return proven

    def sids(self, content: bytes) -> list[str]:
        """The order ids that stand in a batch's bytes."""
        return [row.sid for row in self._writing.rows(content)]

    def taken(self, day: date) -> list[str] | None:
        """The order ids in the upfiles of a day, as far as the files are ours. Raises GatewayError."""
        try:
            files = self._scan.upfiles(day)
            return None if files is None else [sid for path in files for sid in self.sids(path.read_bytes())]
        except (OSError, ValueError) as error:
            raise GatewayError(f"upfiles 读不了 / upfiles cannot be read: {error}") from error

    def close_day(self, folder: Path, open_sids: Collection[str]) -> list[Leftover]:
        """Put what is left in the scan and output folders into `folder`/in and `folder`/out/<account>.

        Files that mention an open order stay and are told; so does all output as long as some of it is not journaled.
        Raises GatewayError.
        """
        self._output.look()
        accounts = self._output.folders
        try:
            leftovers = list(put_away(self._scan.scan, folder / "in", open_sids))
            if self._output.unread:
                why = "有未记入日志的回报 / some of it is not journaled yet"
                return leftovers + list(leave((account.path for account in accounts.values()), why))
            for name, account in accounts.items():
                if account.path.is_dir():
                    leftovers += put_away(account.path, folder / "out" / name, open_sids)
        except OSError as error:
            raise GatewayError(f"收盘归档出错 / the day could not be closed: {error}") from error
        return leftovers

    def _settle(self, batch: Batch) -> Outcome:
        try:
            where = self._scan.where(batch)
            if where in {Where.SCAN, Where.UPFILES}:
                self._scan.finish(batch)
                return Outcome.TAKEN
            self._output.look()
            if self._shown(batch):
                return Outcome.TAKEN
            # Where nothing is ever taken away, a file that is still there may have been read all the same.
            stayed = (where is Where.RETURNED and self._scan.taken_away) or (
                where in {Where.STAGING, Where.NEVER_IN} and self._scan.memory.is_whole
            )
            if stayed:
                self._scan.withdraw(batch)
                return Outcome.NEVER_LEFT
        except (OSError, GatewayError) as error:
            log.warning("批次 %s 的下落查不清 / batch %s cannot be settled: %s", batch.id, batch.id, error)
        return Outcome.UNKNOWN

    def _shown_before(self, batch: Batch) -> frozenset[str]:
        """The last gate: order ids of a new batch that the terminal has had already, whatever the journal knows. Raises GatewayError."""
        if self._unjournaled is None:
            self._output.look_well()
            self._unjournaled = self._read_unjournaled()
        sids = set(self._writing.sids(batch.content))
        if self._output.seen.isdisjoint(sids) and self._unjournaled.isdisjoint(sids):
            return frozenset()
        return frozenset(
            row.sid
            for row in self._writing.rows(batch.content)
            if row.sid in self._unjournaled or self._output.shows(row.account_id, row.sid)
        )

    def _read_unjournaled(self) -> set[str]:
        try:
            files = self._scan.unknown(trade_date(self._clock.now()), self._journaled)
            return {sid for path in files for sid in self.sids(path.read_bytes())}
        except (OSError, ValueError) as error:
            raise GatewayError(
                f"终端已有的文件读不了 / files that the terminal has already cannot be read: {error}"
            ) from error

    def _is_taken(self, batch: Batch) -> bool | None:
        try:
            where = self._scan.where(batch)
        except OSError:
            return None
        match where:
            case Where.UPFILES | Where.GONE:
                return True
            case Where.SCAN | Where.STAGING | Where.RETURNED:
                return False
            case Where.NEVER_IN:
                return None

    def _shown(self, batch: Batch) -> bool:
        return any(sid in self._output.seen for sid in self.sids(batch.content))


_UNTAKEN: Final = "文件还在扫单文件夹里,终端没有取走 / its file still stands in the scan folder, the terminal has not taken it: is it running and scanning?"
_HIDDEN: Final = "现在看不到扫单文件夹 / the scan folder cannot be looked at now"
_STILL: Final = (
    "终端取走文件后没有再写输出 / the terminal has written nothing since it took the file: does it hang?"
)
_MENTIONED: Final = "终端的输出或归档里提到了它，但读不出结果 / it stands somewhere in the terminal's output or archive, in a row that tells nothing of it"
_READING: Final = "终端输出里还没有它 / it does not stand in the terminal's output yet"
