"""Reads the files of a terminal that is writing them: those that grow, and those that are rewritten in place.

Costs follow what is new; a look at a file that did not move is one stat. A file is open only for the moment of reading, because
on Windows an open file cannot be renamed or deleted by its writer. Looks at files, never writes.
"""

from __future__ import annotations

import io
import secrets
import zlib
from dataclasses import dataclass, field
from itertools import accumulate, count
from pathlib import Path
from typing import Final, NamedTuple

from orderdrop.gateway.goldminer.rows import BadRow
from orderdrop.gateway.goldminer.table import Head, Table, repeats_head
from orderdrop.system.clock import Micros

_WITNESS: Final = 256
_HEAD: Final = 8192
"""Bytes that hold any header."""

_RACY: Final = 0.1
"""Seconds. A file may change twice within one tick of its time stamp, so a stamp is trusted when it has stood this long."""

_SETTLED: Final = 0.05
"""Seconds that a file that was rewritten or replaced must have stood still before it is believed: it may be half old, half new."""

_LOOKS: Final = 5
"""A file that was replaced and never stands still is believed after so many looks."""

_SHARE: Final = 10
"""A file that is rewritten in place is read at most a tenth of the time."""

Stamp = tuple[int, int, int]


class Place(NamedTuple):
    """How far a growing file was told: the end of a row, and the CRC-32 of all rows up to there."""

    end: int
    crc: int


START: Final = Place(0, 0)


_RUN: Final = secrets.token_hex(4)
_ERAS: Final = count(1)

_GAP: Final = 2.0
"""Seconds without a look in which a terminal may have told something, and begun anew. With a row before it that would show; without one it would not."""


class Reach(NamedTuple):
    """How far a growing file was read: where its rows begin, the place, and `Growing.era`."""

    start: int
    end: int
    crc: int
    era: str


class Fresh(NamedTuple):
    """New whole records under one header. told: so many of the first ones were told in an earlier life."""

    head: Head
    records: list[bytes]
    places: list[Place]
    told: int


@dataclass(slots=True)
class Look:
    """When a file was looked at, and what its stamp said."""

    stamp: Stamp | None = None
    since: float = 0.0
    trusted: bool = False

    def at(self, path: Path, now: float) -> tuple[bool, bool]:
        """Whether the file may hold something new, and whether its stamp moved since the last look.

        Raises FileNotFoundError, OSError.
        """
        status = path.stat()
        stamp = (status.st_size, status.st_mtime_ns, status.st_ino)
        moved = stamp != self.stamp
        if moved:
            self.stamp, self.since, self.trusted = stamp, now, False
        return not self.trusted, moved

    def read(self, now: float) -> None:
        """The file is being read: trust what was read if the stamp has stood long enough."""
        self.trusted = now - self.since >= _RACY


@dataclass(slots=True, eq=False)
class Growing:
    """A file that grows: order_status_change, execution_report.

    Invariant: everything up to `place.end` was given out, record by record, once for each life of the file. When what was read does
    not stand there any more (the terminal has begun a new file), it is read from its beginning; who asks sorts out what it knows.
    resume: how far an earlier life of ours has told it. era: changes when it can no longer be shown that nothing was taken out of the file.
    """

    path: Path
    table: Table
    resume: Place | None = None
    lives: int = 0
    there: bool = True
    caught_up: bool = False
    problem: str = ""
    era: str = field(default_factory=lambda: f"{_RUN}-{next(_ERAS)}")
    _past: set[str] = field(default_factory=set)
    _looked: float = 0.0
    _look: Look = field(default_factory=Look)
    _head: Head | None = None
    _place: Place = START
    _witness: bytes = b""
    _doubts: int = 0

    def look(self, now: float) -> tuple[list[Fresh], bool]:
        """What is new, and whether the file moved. now: monotonic seconds. Raises OSError."""
        before, looked, self._looked = self._look.stamp, self._looked, now
        try:
            unread, moved = self._look.at(self.path, now)
        except FileNotFoundError:
            self._begin_again()
            self._look, self.there = Look(), False
            raise
        self.there = True
        if moved and before is not None and self._is_blank and not self._grew(before, now - looked):
            self._end_era()
        if not unread:
            return [], False
        self._look.read(now)
        with self.path.open("rb", buffering=0) as file:
            fresh = self._read(file, settled=now - self._look.since >= _SETTLED)
        return fresh, moved

    @property
    def reach(self) -> Reach | None:
        """How far it is read; None while it is not there, or has no header."""
        if not self.there or self._head is None:
            return None
        return Reach(self._head.size, *self._place, self.era)

    def still_holds(self, reach: Reach) -> bool:
        """Whether all that stood in the file then still does, and what came later as well. Raises OSError."""
        if not self.there or reach.era in self._past:
            return False
        if reach.era == self.era:
            return True
        if reach.end <= reach.start:
            return False
        with self.path.open("rb") as file:
            head = self.table.head(file.read(_HEAD))
            if head is None or head.size != reach.start:
                return False
            file.seek(head.size)
            data = file.read(reach.end - reach.start)
        return len(data) == reach.end - reach.start and zlib.crc32(data) == reach.crc

    @property
    def _is_blank(self) -> bool:
        return self._head is not None and self._place.end == self._head.size

    def _grew(self, before: Stamp, unwatched: float) -> bool:
        """Whether a file without a row has only grown: nothing in it could show, so it has to be seen."""
        assert self._look.stamp is not None  # noqa: S101  it was looked at
        return unwatched <= _GAP and self._look.stamp[0] > before[0]

    def _end_era(self) -> None:
        self._past.add(self.era)
        self.era = f"{_RUN}-{next(_ERAS)}"

    def _read(self, file: io.FileIO, *, settled: bool) -> list[Fresh]:
        start = max(0, self._place.end - len(self._witness))
        head = _read_at(file, 0, _HEAD) if self.table.head_moves else b""
        data = _read_at(file, start, -1)
        size = self.table.counted(head, start + len(data))
        if not self._still_there(head, data, size):
            self.caught_up = False
            self._doubts += 1
            if not (settled or self._doubts >= _LOOKS):
                self._look.trusted = False
                return []
            self._begin_again()
            return self._read(file, settled=True)
        self._doubts = 0
        fresh = self._take(data[self._place.end - start : size - start])
        self.caught_up = self._place.end == size
        return fresh

    def _still_there(self, head: bytes, data: bytes, size: int) -> bool:
        """Whether what was given out still stands in the file."""
        if self._head is None:
            return True
        if size < self._place.end or data[: len(self._witness)] != self._witness:
            return False
        if not self.table.head_moves:
            return True
        try:
            now = self.table.head(head)
        except BadRow:
            return False
        return now is not None and now.raw == self._head.raw

    def _begin_again(self) -> None:
        if self._head is not None:
            self.lives += 1
            self.resume = None
            self._end_era()
        self._head, self._place, self._witness, self._doubts = None, START, b"", 0

    def _take(self, data: bytes) -> list[Fresh]:
        """Give out the whole records at the beginning of `data`, which stands at our place."""
        if self._head is None:
            head = self._open(data)
            if head is None:
                return []
            self._head, self._place = head, Place(head.size, 0)
            self._witness, data = data[: head.size][-_WITNESS:], data[head.size :]
        records = self.table.split(self._head, data)
        if not records:
            return []
        places = self._places(records)
        given = places[-1].end - self._place.end
        self._witness = (self._witness + data[max(0, given - _WITNESS) : given])[-_WITNESS:]
        self._place = places[-1]
        told = self._told(places)
        return self._by_head(records, places, told)

    def _open(self, data: bytes) -> Head | None:
        try:
            head = self.table.head(data)
        except BadRow as bad:
            self.problem = str(bad)
            return None
        self.problem = ""
        return head

    def _places(self, records: list[bytes]) -> list[Place]:
        ends = accumulate(map(len, records), initial=self._place.end)
        sums = accumulate(records, lambda crc, record: zlib.crc32(record, crc), initial=self._place.crc)
        return list(map(Place, ends, sums))[1:]

    def _told(self, places: list[Place]) -> int:
        """How many of these were told before: all up to the place where we go on, if the file is still the same up to there."""
        resume, self.resume = self.resume, None
        return places.index(resume) + 1 if resume in places else 0

    def _by_head(self, records: list[bytes], places: list[Place], told: int) -> list[Fresh]:
        """Cut at headers that stand among the rows."""
        assert self._head is not None  # noqa: S101  _take has opened the file
        heads = (
            [] if self.table.head_moves else [n for n, record in enumerate(records) if repeats_head(record)]
        )
        fresh, start = [], 0
        for end in [*heads, len(records)]:
            if end > start:
                fresh.append(Fresh(self._head, records[start:end], places[start:end], max(0, told - start)))
            if end < len(records):
                self._head = self._open(records[end]) or self._head
            start = end + 1
        return fresh


@dataclass(slots=True, eq=False)
class Rewritten:
    """A file that is rewritten in place: order_status, cash, position.

    Believed only when it did not move while it was read; `patient`: nor for a while before.
    """

    path: Path
    table: Table
    patient: bool = True
    there: bool = True
    caught_up: bool = False
    problem: str = ""
    head: Head | None = None
    _look: Look = field(default_factory=Look)
    _rest_until: float = 0.0
    _written_at: int | None = None  # nanoseconds

    @property
    def written_at(self) -> Micros | None:
        """When what was last read of it was written, by its file system; None: nothing was."""
        return None if self._written_at is None else Micros(self._written_at // 1000)

    def look(self, now: float) -> tuple[list[bytes] | None, bool]:
        """All whole records, None when there is nothing new to believe; and whether it moved. Raises OSError."""
        try:
            unread, moved = self._look.at(self.path, now)
        except FileNotFoundError:
            self._look, self.there = Look(), False
            raise
        self.there = True
        if not unread:
            return None, moved
        self.caught_up = False
        if (self.patient and now - self._look.since < _SETTLED) or now < self._rest_until:
            return None, moved
        self._look.read(now)
        data = self._read_whole()
        if data is None:
            self._look.trusted = False
            return None, moved
        return self._records(data), moved

    def rest(self, now: float, cost: float) -> None:
        """Reading it has cost so many seconds: leave it alone for a while."""
        self._rest_until = now + cost * _SHARE

    def _read_whole(self) -> bytes | None:
        with self.path.open("rb", buffering=0) as file:
            data = _read_at(file, 0, -1)
        status = self.path.stat()
        after = (status.st_size, status.st_mtime_ns, status.st_ino)
        if after != self._look.stamp or len(data) != status.st_size:
            return None
        self._written_at = status.st_mtime_ns
        return data

    def _records(self, data: bytes) -> list[bytes] | None:
        try:
            head = self.table.head(data)
        except BadRow as bad:
            self.problem = str(bad)
            return None
        if head is None:
            return None
        self.problem, self.head = "", head
        size = self.table.counted(data, len(data))
        records = self.table.split(head, data[head.size : size])
        self.caught_up = head.size + sum(map(len, records)) == size
        return records


def _read_at(file: io.FileIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size) or b""
