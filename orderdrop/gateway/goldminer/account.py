"""Reads what a terminal tells about one account: the files of one folder, sorted into what is new.

Owns which file tells what, and what was told already: a row that stands again in a file that the terminal began anew tells nothing.
"""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from orderdrop.domain.report import Account, Fill, Report, StatusReport
from orderdrop.domain.status import TERMINAL, Status
from orderdrop.gateway.goldminer.files import START, Fresh, Growing, Place, Reach, Rewritten
from orderdrop.gateway.goldminer.rows import (
    BadRow,
    RowReader,
    Told,
    execution_reader,
    read_account,
    status_reader,
)
from orderdrop.gateway.goldminer.table import Head, Table
from orderdrop.system.clock import Micros

log = logging.getLogger(__name__)

CHANGES: Final = "order_status_change"
EXECUTIONS: Final = "execution_report"
LATEST: Final = "order_status"
CASH: Final = "cash"
POSITIONS: Final = "position"

_READERS: Final[dict[str, Callable[[Mapping[str, int]], RowReader]]] = {
    CHANGES: status_reader,
    EXECUTIONS: execution_reader,
    LATEST: status_reader,
}
_SIDS: Final = re.compile(rb"[A-Za-z0-9_.\-]{1,64}")
_KINDS_KEPT: Final = 100
_FAULTS: Final = (ValueError, ArithmeticError, TypeError, LookupError)


def tells_changes(name: str) -> bool:
    """Whether a file of this name tells of each change of an order."""
    return Path(name).stem.lower() == CHANGES


def is_about_orders(name: str) -> bool:
    return Path(name).stem.lower() in _READERS


class Item(NamedTuple):
    """A report, and which row told it; source "": a file without rows of its own place."""

    report: Report
    source: str
    place: Place


class Counts:
    """How often a row was told. A row that stands again in the file's next life counts again from one."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, ...], int] = {}
        self._here = self._told

    def new_life(self) -> None:
        self._here = {}

    def is_new(self, identity: tuple[str, ...]) -> bool:
        count = self._here.get(identity, 0) + 1
        known = count <= self._told.get(identity, 0)
        self._here[identity] = count
        if not known:
            self._told[identity] = count
        return not known


@dataclass(slots=True, eq=False)
class _GrowingFile:
    kind: str
    file: Growing
    counts: Counts = field(default_factory=Counts)
    lives: int = 0


class Problems:
    """Rows that do not read: counted, and each kind said once."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def note(self, path: Path, what: str) -> None:
        key = f"{path.name}: {what}"
        if key not in self.counts and len(self.counts) >= _KINDS_KEPT:
            key = f"{path.name}: …"
        self.counts[key] = self.counts.get(key, 0) + 1
        if self.counts[key] == 1:
            log.warning(
                "终端输出有无法解析的行 / cannot read part of the terminal's output: %s: %s", path, what
            )


class AccountFolder:
    """`<push>/<account_id>/`.

    Invariant: a row tells at most one report in a life of ours, however often the terminal writes it again; within one source, reports
    come in the order of the rows.
    seen: every order id that stands in any row, also in one that does not read.
    """

    def __init__(self, path: Path, seen: set[str], problems: Problems, resume: Mapping[str, Place]) -> None:
        self.path = path
        self.account_id = path.name
        self._seen = seen
        self._problems = problems
        self._resume = resume
        self._growing: dict[str, _GrowingFile] = {}
        self._latest: dict[str, Rewritten] = {}
        self._snapshots: dict[str, Rewritten] = {}
        self._known_rows: dict[str, set[bytes]] = {}
        self._last: dict[tuple[str, str, str], StatusReport] = {}
        self._fills: set[tuple[str, ...]] = set()
        self._readers: dict[tuple[str, bytes], RowReader] = {}
        self._tables: dict[str, tuple[Head, list[list[str]]]] = {}
        self._account: Account | None = None

    def find(self, names: Mapping[str, Table]) -> None:
        """Take note of the files that are there. names: file names with their format."""
        for name, table in names.items():
            kind, path = Path(name).stem.lower(), self.path / name
            if kind in {CHANGES, EXECUTIONS} and name not in self._growing:
                resume = self._resume.get(f"{self.account_id}/{name}")
                self._growing[name] = _GrowingFile(kind, Growing(path, table, resume))
            elif kind == LATEST:
                self._latest.setdefault(name, Rewritten(path, table))
            elif kind in {CASH, POSITIONS}:
                self._snapshots.setdefault(name, Rewritten(path, table, patient=False))

    def tells(self, sid: str) -> bool:
        """Whether a row that reads has told of this order."""
        return any(order == sid for order, _account, _scan_name in self._last)

    @property
    def tells_orders(self) -> bool:
        """Whether a file that would show an order is there."""
        changes = (entry.file.there for entry in self._growing.values() if entry.kind == CHANGES)
        return any(changes) or any(latest.there for latest in self._latest.values())

    @property
    def reaches(self) -> dict[str, Reach]:
        """How far the files that grow are read, by name."""
        reaches = {name: entry.file.reach for name, entry in self._growing.items()}
        return {name: reach for name, reach in reaches.items() if reach is not None}

    @property
    def tells_only_latest(self) -> bool:
        """Whether the last state of each order is all that it tells of orders."""
        return self.tells_orders and not any(
            entry.kind == CHANGES and entry.file.there for entry in self._growing.values()
        )

    def still_holds(self, reaches: Mapping[str, Reach]) -> bool:
        """Whether these files, as they were read then, go on without a break. Raises OSError."""
        return all(
            name in self._growing and self._growing[name].file.still_holds(reach)
            for name, reach in reaches.items()
        )

    @property
    def sources(self) -> set[str]:
        """The files that have places of their own and are there."""
        return {f"{self.account_id}/{name}" for name, entry in self._growing.items() if entry.file.there}

    def look(self, now: Micros, ticks: float) -> tuple[list[Item], bool, bool]:
        """New items, whether anything moved, and whether everything was read to its end. ticks: seconds that only go forward."""
        statuses: list[Item] = []
        fills: list[Item] = []
        moved = False
        for name, entry in self._growing.items():
            items = statuses if entry.kind == CHANGES else fills
            with self._unreadable(name):
                fresh, changed = entry.file.look(ticks)
                moved |= changed
                items += self._rows(name, entry, fresh, now)
        for name, latest in self._latest.items():
            with self._unreadable(name):
                records, changed = latest.look(ticks)
                moved |= changed
                if records is not None:
                    statuses += self._newest(name, latest, records, now, ticks)
        moved |= self._look_at_snapshots(now, ticks)
        whole = all(entry.file.caught_up or not entry.file.there for entry in self._growing.values())
        whole = whole and all(latest.caught_up or not latest.there for latest in self._latest.values())
        return list(merge(statuses, fills)), moved, whole

    def snapshot(self) -> Account | None:
        """Funds and holdings as they stand in the files, the last good ones while the terminal is writing."""
        return self._account

    @contextlib.contextmanager
    def _unreadable(self, name: str) -> Iterator[None]:
        """A file that is not there tells nothing, one that cannot be opened now (Windows) is read again later."""
        try:
            yield
        except FileNotFoundError:
            return
        except OSError as error:
            self._problems.note(self.path / name, f"{type(error).__name__} {error.errno}")

    def _rows(self, name: str, entry: _GrowingFile, fresh: list[Fresh], now: Micros) -> Iterator[Item]:
        source = f"{self.account_id}/{name}"
        for block in fresh:
            if entry.file.lives != entry.lives:
                entry.lives = entry.file.lives
                entry.counts.new_life()
            reader = self._reader(entry.kind, entry.file.path, block.head)
            rows = entry.file.table.cells(block.head, block.records)
            for index, (cells, place) in enumerate(zip(rows, block.places, strict=True)):
                told = self._read(reader, cells, block.records[index], entry.file.path, now)
                if told is None or told.report is None:
                    continue
                if self._is_new(told, entry.counts) and index >= block.told:
                    yield Item(told.report, source, place)
        if entry.file.problem:
            self._problems.note(entry.file.path, entry.file.problem)

    def _newest(
        self, name: str, latest: Rewritten, records: list[bytes], now: Micros, ticks: float
    ) -> list[Item]:
        """What order_status.csv tells beyond the changes: it is slower, and the net below them."""
        begun = time.perf_counter()
        assert latest.head is not None  # noqa: S101  it has given records
        known = self._known_rows.get(name, set())
        new = [record for record in records if record not in known]
        self._known_rows[name] = set(records)
        reader = self._reader(LATEST, latest.path, latest.head)
        items = []
        for record, cells in zip(new, latest.table.cells(latest.head, new), strict=True):
            told = self._read(reader, cells, record, latest.path, now)
            if told is not None and isinstance(told.report, StatusReport) and self._is_newest(told):
                items.append(Item(told.report, "", START))
        latest.rest(ticks, time.perf_counter() - begun)
        return items

    def _is_new(self, told: Told, counts: Counts) -> bool:
        if isinstance(told.report, Fill):
            known = told.identity in self._fills
            self._fills.add(told.identity)
            return not known
        new = counts.is_new(told.identity)
        if new and isinstance(told.report, StatusReport):
            self._last[_whose(told.order, told.report)] = told.report
        return new

    def _is_newest(self, told: Told) -> bool:
        report = told.report
        assert isinstance(report, StatusReport)  # noqa: S101
        whose = _whose(told.order, report)
        last = self._last.get(whose)
        if last is not None and (
            report.at < last.at or (report.status, report.filled_volume) == (last.status, last.filled_volume)
        ):
            return False
        self._last[whose] = report
        return True

    def _read(
        self, reader: RowReader | None, cells: list[str] | None, record: bytes, path: Path, now: Micros
    ) -> Told | None:
        what = "a row with another number of fields than its header"
        if cells is not None and reader is not None:
            try:
                told = reader(cells, self.account_id, now)
            except BadRow as bad:
                what = str(bad)
            except _FAULTS as fault:  # nothing that stands in one row may end the reading of all others
                what = f"a row that cannot be read: {type(fault).__name__}"
            else:
                self._seen.add(told.order)
                if told.odd:
                    self._problems.note(path, told.odd)
                return told
        if reader is not None:
            self._problems.note(path, what)
        # A row that does not read may still be ours: an order whose id stands in it is never called absent.
        self._seen.update(word.decode() for word in _SIDS.findall(record))
        return None

    def _reader(self, kind: str, path: Path, head: Head) -> RowReader | None:
        key = (kind, head.raw)
        if key not in self._readers:
            try:
                self._readers[key] = _READERS[kind](head.columns)
            except BadRow as bad:
                self._problems.note(path, str(bad))
                return None
        return self._readers[key]

    def _look_at_snapshots(self, now: Micros, ticks: float) -> bool:
        moved = read = False
        for name, file in self._snapshots.items():
            with self._unreadable(name):
                records, changed = file.look(ticks)
                moved |= changed
                if records is not None and file.head is not None:
                    rows = file.table.cells(file.head, records)
                    if file.caught_up and None not in rows:
                        self._tables[name] = (file.head, [row for row in rows if row is not None])
                        read = True
        if read:
            self._take_snapshot(now)
        return moved

    def _take_snapshot(self, now: Micros) -> None:
        tables = {
            Path(name).stem.lower(): (head.columns, rows) for name, (head, rows) in self._tables.items()
        }
        if CASH not in tables:
            return
        written = next(
            (
                file.written_at
                for name, file in self._snapshots.items()
                if Path(name).stem.lower() == POSITIONS
            ),
            None,
        )
        try:
            account = read_account(self.account_id, tables[CASH], tables.get(POSITIONS), now, written)
        except BadRow as bad:
            self._problems.note(self.path / CASH, str(bad))
        except _FAULTS as fault:
            self._problems.note(self.path / CASH, f"a snapshot that cannot be read: {type(fault).__name__}")
        else:
            self._account = account or self._account


def _whose(order: str, report: StatusReport) -> tuple[str, str, str]:
    """What somebody else's order of the same sid was told last says nothing about ours."""
    return order, report.account_id, report.scan_name


def merge(statuses: list[Item], fills: list[Item]) -> Iterator[Item]:
    """Both in time, each in its own order. At the same instant an order's fills come before the status that ends it."""
    newest, waiting, at = 0, 0, 0
    for item in statuses:
        newest = max(newest, item.report.at)
        ends = isinstance(item.report, StatusReport) and item.report.status in _ENDS
        while waiting < len(fills):
            at = max(at, fills[waiting].report.at)
            if at > newest or (at == newest and not ends):
                break
            yield fills[waiting]
            waiting += 1
        yield item
    yield from fills[waiting:]


_ENDS: Final = TERMINAL | {Status.PARTIALLY_FILLED}
