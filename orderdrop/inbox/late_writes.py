"""Looks again at drops that were put away: their writers may still have them open.

What was written behind a drop's end is taken as its next rows. What was rewritten or is gone is noted as altered, and never read as orders.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import os
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from orderdrop.domain.refusal import Refusal
from orderdrop.inbox.drop_file import Changed, DropFile, OpenDrop
from orderdrop.inbox.names import Name, read_name
from orderdrop.inbox.reading import touched_at
from orderdrop.inbox.tail import Limits, Take, prepare
from orderdrop.intake.profile import Profile

log = logging.getLogger(__name__)

_FIRST: Final = 1.0
_LONGEST: Final = 600.0


class Altered(NamedTuple):
    """A file that was put away is not any more what was taken. gone: it does not stand there at all."""

    drop_id: int
    path: str
    gone: bool


class LateWrites:
    """The files that were put away, each with the time of the next look at it: a second later, then twice as long each time."""

    def __init__(self, limits: Limits, torn_timeout: float, monotonic: Callable[[], float]) -> None:
        self.altered: list[Altered] = []
        self._limits = limits
        self._torn_timeout = torn_timeout
        self._monotonic = monotonic
        self._due: list[tuple[float, int, float, DropFile]] = []
        self._sequence = itertools.count()

    def watch(self, file: DropFile) -> None:
        """Looks after a file that was put away just now."""
        _note_touched(file)
        self._look_again_in(_FIRST, file)

    def watch_restored(self, drop: OpenDrop, path: str, profile: Profile | Refusal | None = None) -> None:
        """Looks after a drop of today that an earlier run has put away. Nobody knows what was done to it meanwhile: it is compared."""
        said = read_name(drop.name.rpartition("/")[2])
        if not isinstance(said, Name):
            return
        file = DropFile(path, drop.name, said, drop.name.rpartition("/")[0], drop.day, profile=profile)
        file.resume(drop)
        _note_touched(file)
        try:
            altered = not file.stands()
        except OSError:
            altered = False
        if altered:
            self._is_altered(file, gone=False)
        else:
            self._look_again_in(_FIRST, file)

    def look(self, now: float) -> Iterator[Take]:
        """Yields what was written since to the files that are due."""
        while self._due and self._due[0][0] <= now:
            _at, _n, interval, file = heapq.heappop(self._due)
            try:
                take = self._look_at(file, torn_due=interval >= self._torn_timeout)
            except (Changed, FileNotFoundError) as error:
                self._is_altered(file, gone=isinstance(error, FileNotFoundError))
                continue
            except OSError as error:
                log.warning(
                    "归档后的文件读不出来,稍后再看 / cannot read an archived file, will look again: %s: %s",
                    file.path,
                    error,
                )
                take = None
            if take is not None:
                yield take
            self._look_again_in(_FIRST if take is not None else min(interval * 2, _LONGEST), file)

    def _look_at(self, file: DropFile, *, torn_due: bool) -> Take | None:
        """What has been written to a file since it was put away. Raises Changed, OSError."""
        status = os.lstat(file.path)
        touched = _rest_mark(status)
        if status.st_size != file.position.offset:
            return prepare(file, whole=False, torn_due=torn_due, finished=True, limits=self._limits)
        if touched != file.touched:
            if not file.stands():
                raise Changed(file.name)
            file.touched = touched
        return None

    def _look_again_in(self, interval: float, file: DropFile) -> None:
        heapq.heappush(self._due, (self._monotonic() + interval, next(self._sequence), interval, file))

    def _is_altered(self, file: DropFile, *, gone: bool) -> None:
        what = "不见了 / an archived file is gone" if gone else "被改写 / an archived file was rewritten"
        log.error("归档后的文件%s: %s", what, file.path)
        self.altered.append(Altered(file.drop_id, file.path, gone))


def _note_touched(file: DropFile) -> None:
    try:
        file.touched = _rest_mark(os.lstat(file.path))
    except OSError:
        file.touched = -1


def _rest_mark(status: os.stat_result) -> int:
    """What does not move while nobody touches an archived file."""
    return touched_at(status) if os.name == "posix" else status.st_mtime_ns
