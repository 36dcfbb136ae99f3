"""The watched folder: finds drops, waits until they are complete, hands them over as takes, puts them away.

A scan is the truth; file events only wake it early and name the files that were renamed in. Nothing here reads what a row
says. Files are moved out with link and unlink on POSIX, because an unpaired rename stalls inotify watchers for half a second.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from orderdrop.checks.ledger import ScopeKey
from orderdrop.checks.switches import State, Switches
from orderdrop.clock import Micros, trade_date
from orderdrop.config import InboxSettings
from orderdrop.files import is_free
from orderdrop.inbox.names import EXCEL_MARK, Ignored, Name, printable, read_name, read_switch
from orderdrop.inbox.owner import owner_of
from orderdrop.inbox.tail import Changed, DropFile, Limits, OpenDrop, Take, prepare
from orderdrop.inbox.watch import Unwatched, Watch, watch
from orderdrop.order.model import DropKind
from orderdrop.order.refusal import Code, Refusal
from orderdrop.workspace import FIN_SUFFIX, HALT_FILE

log = logging.getLogger(__name__)

_LATE_FIRST: Final = 1.0
_LATE_LONGEST: Final = 600.0
_COMPLAIN_AFTER: Final = 5.0


class RefusedFile(NamedTuple):
    """A file refused by its name or nature; it was never opened."""

    path: str
    name: str
    refusal: Refusal
    owner: str | None = None


@dataclass(slots=True, eq=False)
class _Watched:
    """A name in the inbox.

    since: when its stamp was first seen. looked: the stamp at which nothing could be taken. moved_in: it was renamed in and
    not written since: an event said so, or (POSIX) its inode changed after its content did.
    """

    file: DropFile
    stamp: tuple[int, int, int]
    since: float
    moved_in: bool = False
    restarted: bool = False
    looked: tuple[int, int, int, bool] | None = None
    complained: bool = False


class Inbox:
    """The door that drops come through. Used from the router's thread; only `wake` may be called from another."""

    def __init__(
        self, folder: Path, settings: InboxSettings, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.switches = Switches({})
        self.found_by_scan_only = 0
        self._root = str(folder)
        self._limits = Limits(settings.max_bytes, settings.max_rows)
        self._monotonic = monotonic
        self._watched: dict[str, _Watched] = {}
        self._ignored: dict[str, str] = {}
        self._refused: set[str] = set()
        self._restored: dict[str, OpenDrop] = {}
        self._untaken: dict[
            str, tuple[tuple[int, int, int], date]
        ] = {}  # what could not be taken, and its day
        self._late: list[tuple[float, int, float, DropFile]] = []
        self._sequence = itertools.count()
        self._next_scan = 0.0
        self._put_by: dict[str, bool] = {}  # hints that were taken, and that nobody has looked at yet
        self._only: DropKind | None = None
        self._recheck: dict[str, float] = {}  # files that were told of and are not quiet for long enough yet
        self._recheck_at = float("inf")
        self._started_day: date | None = None
        self._watch: Watch = Unwatched()

    # life

    def open(self, today: date, restored: Iterable[OpenDrop] = (), also: Iterable[Path] = ()) -> None:
        """Begin watching. Files older than `today` that are there already are refused as stale.

        also: folders of others; `wait` ends when something changes there.
        """
        self._started_day = today
        self._restored = {drop.name: drop for drop in restored}
        if self.settings.events:
            self._watch = watch(self._root)
            for folder in also:
                self._watch.also(str(folder))

    def close(self) -> None:
        self._watch.close()
        self._watch = Unwatched()

    def wake(self) -> None:
        self._watch.wake()

    def wait(self, timeout: float) -> None:
        """Sleep until something may have come, at most until the next look is due."""
        due = 0.0 if self._has_put_by else self._due - self._monotonic()
        self._watch.wait(max(0.0, min(timeout, due)))

    @property
    def halted(self) -> bool:
        return self.switches.halted

    @property
    def _due(self) -> float:
        return min(self._next_scan, self._recheck_at)

    @property
    def _has_put_by(self) -> bool:
        return bool(self._put_by) and self._only is None

    @property
    def stirring(self) -> bool:
        """Whether something may have come since the last `collect`, or it is time to look again."""
        return self._watch.stirring or self._monotonic() >= self._due or self._has_put_by

    @property
    def empty(self) -> bool:
        """Whether nothing is left that could still become an order."""
        return not (self._watch.stirring or self._put_by) and all(
            w.file.drop_id and (w.file.refused or w.stamp[:2] == w.file.taken) for w in self._watched.values()
        )

    # finding

    def collect(self, today: date, only: DropKind | None = None) -> list[Take | RefusedFile]:
        """What can be taken now, oldest file first. only: the rest is left alone, as if nobody had looked."""
        now = self._monotonic()
        hints = self._hints()
        hints |= {name: hints.get(name, False) for name, due in self._recheck.items() if due <= now}
        self._recheck = {name: due for name, due in self._recheck.items() if due > now}
        self._only = only
        if only is not None:
            self._put_by = {name: moved for name, moved in hints.items() if not self._is_wanted(name)}
            hints = {name: moved for name, moved in hints.items() if self._is_wanted(name)}
        if now >= self._next_scan or any(map(read_switch, hints)):
            found = list(self._scan(hints, today, now))
            self._next_scan = self._monotonic() + self.settings.scan_interval
        else:
            looked = (self._look_at(name, moved, today, now) for name, moved in hints.items())
            found = [ready for ready in looked if ready is not None]
        if only is None:
            found.extend(self._look_late(now))
        self._recheck_at = min(self._recheck.values(), default=float("inf"))
        if len(found) > 1:
            found.sort(
                key=lambda ready: (
                    (ready.stamp[1], ready.file.name) if isinstance(ready, Take) else (0, ready.name)
                )
            )
        return found

    def _hints(self) -> dict[str, bool]:
        """What events have named since the last `collect`."""
        hints, self._put_by = self._put_by, {}
        for name, moved in self._watch.take().items():
            if _is_ours(name):
                hints[name] = moved or hints.get(name, False)
        return hints

    def _is_wanted(self, name: str) -> bool:
        if self._only is None:
            return True
        said = read_name(name.rpartition("/")[2])
        return isinstance(said, Name) and said.kind is self._only

    def switched(self) -> bool:
        """Whether somebody has written or removed a switch since the last look: asked between the batches of a large drop, while nothing
        is collected. What events name meanwhile is kept for the next `collect`; without events, the folder itself is looked at.
        """
        self._put_by = self._hints()
        told = any(map(read_switch, self._put_by)) or os.path.lexists(f"{self._root}{os.sep}{HALT_FILE}")
        if self.settings.events and not told:
            return False
        try:
            states = self._switch_states(name for name, _entry in self._entries())
        except OSError:
            return True  # who cannot look does not go on
        changed = states != self.switches
        self.switches = states
        return changed

    def _switch_states(self, names: Iterable[str]) -> Switches:
        states: dict[ScopeKey, State] = {}
        for switch in filter(None, map(read_switch, names)):
            states[switch[0]] = max(switch[1], states.get(switch[0], State.ACTIVE))
        return Switches(states)

    def _scan(self, hints: dict[str, bool], today: date, now: float) -> Iterator[Take | RefusedFile]:
        seen: set[str] = set()
        states: dict[ScopeKey, State] = {}
        for name, entry in self._entries():
            seen.add(name)
            switch = read_switch(name)
            if switch is not None:
                states[switch[0]] = max(switch[1], states.get(switch[0], State.ACTIVE))
            elif not entry.name.lower().endswith(FIN_SUFFIX) and self._is_wanted(name):
                moved = hints.get(name)
                self.found_by_scan_only += self._missed_by_events(name, moved)
                ready = self._look_at(name, bool(moved), today, now)
                if ready is not None:
                    yield ready
        self.switches = Switches(states)
        for name in self._watched.keys() - seen:
            del self._watched[name]
        self._refused &= seen
        self._untaken = {name: known for name, known in self._untaken.items() if name in seen}
        self._ignored = {name: why for name, why in self._ignored.items() if name in seen}

    def _missed_by_events(self, name: str, moved: bool | None) -> bool:
        """Whether a name is new and nobody has told of it, although events are on. What was there at the start does not count."""
        new = (
            moved is None
            and name not in self._watched
            and name not in self._ignored
            and name not in self._refused
        )
        return new and self.settings.events and self._next_scan > 0

    def _entries(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        with os.scandir(self._root) as entries:
            for entry in entries:
                folder = entry.is_dir(follow_symlinks=False)
                if not folder or read_switch(entry.name):  # a folder HALT halts as well
                    yield entry.name, entry
                if folder:
                    yield from self._entries_below(entry)

    def _entries_below(self, folder: os.DirEntry[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
        """A sub-folder may go away, or be closed to us, while we look: that stops nobody else's drops."""
        if folder.name.startswith("."):
            return
        try:
            with os.scandir(folder.path) as below:
                files = [
                    file
                    for file in below
                    if not file.is_dir(follow_symlinks=False) or read_switch(f"{folder.name}/{file.name}")
                ]
        except OSError as error:
            log.warning("子文件夹读不了 / cannot read the sub-folder %s: %s", printable(folder.name), error)
            return
        yield from ((f"{folder.name}/{file.name}", file) for file in files)

    def _look_at(self, name: str, moved: bool, today: date, now: float) -> Take | RefusedFile | None:
        path = f"{self._root}{os.sep}{name}"
        try:
            status = os.lstat(path)
        except OSError:
            return None
        watched = self._watched.get(name) or self._meet(name, path, status, today, now)
        if isinstance(watched, RefusedFile):
            if name in self._refused:
                return None
            self._refused.add(name)
            return watched
        if watched is None:
            return None
        stamp = _stamp(status)
        if stamp != watched.stamp:
            if stamp[2] != watched.stamp[2]:
                self._begin_again(watched)
            watched.stamp, watched.since, watched.moved_in = stamp, now, False
        watched.moved_in |= moved or (os.name == "posix" and status.st_ctime_ns > status.st_mtime_ns)
        if stamp[:2] == watched.file.taken and watched.file.drop_id:
            return None
        return self._try(watched, now)

    def _meet(
        self, name: str, path: str, status: os.stat_result, today: date, now: float
    ) -> _Watched | RefusedFile | None:
        """A name that was not there before: what is it?"""
        base = name.rpartition("/")[2]
        said = read_name(base)
        if isinstance(said, Ignored):
            if self._ignored.setdefault(name, said.why) is said.why and not base.endswith(
                (".tmp", FIN_SUFFIX)
            ):
                log.info("ignored %s: %s", printable(name), said.why)
            return None
        if printable(name) != name:
            said = Refusal(Code.FILE_NAME, value=printable(name))
        elif not stat.S_ISREG(status.st_mode):
            said = Refusal(Code.FILE_LINK, value=printable(name))
        if isinstance(said, Refusal):
            return RefusedFile(path, name, said, owner_of(status))
        restored = self._restored.pop(name, None)
        file = DropFile(path, name, said, name.rpartition("/")[0], restored.day if restored else today)
        if restored is not None:
            file.resume(restored)
        else:
            if said.day is not None and said.day > today:
                self._ignored.setdefault(name, "")  # known, so that it is not found anew at each scan
                return None
            day = said.day or self._day_known(name, status) or self._day_written(status, today)
            if day < today:
                stale = Refusal(Code.FILE_STALE, value=day.isoformat(), bound=today.isoformat())
                return RefusedFile(path, name, stale, owner_of(status))
        watched = _Watched(file, _stamp(status), now)
        self._watched[name] = watched
        return watched

    def _day_known(self, name: str, status: os.stat_result) -> date | None:
        """The day of a file that could not be taken before, if nobody has touched it since."""
        stamp, day = self._untaken.get(name, (None, None))
        return day if stamp == _stamp(status) else None

    def _day_written(self, status: os.stat_result, today: date) -> date:
        """The day a file that was there at the start belongs to; one that comes later belongs to today, however old it is."""
        if self._next_scan or today != self._started_day:
            return today
        return trade_date(Micros(max(status.st_mtime_ns, status.st_ctime_ns) // 1000))

    def _begin_again(self, watched: _Watched) -> None:
        """The file was rewritten: what stands there now is a new drop, once it is quiet."""
        old = watched.file
        watched.file = DropFile(old.path, old.name, old.info, old.strategy, old.day)
        watched.restarted, watched.moved_in, watched.looked = True, False, None

    def _try(self, watched: _Watched, now: float) -> Take | None:
        file = watched.file
        quiet = now - watched.since
        torn_due = quiet >= self.settings.torn_timeout
        in_excel = _is_open_in_excel(file)
        moved_in = watched.moved_in and not in_excel
        # A text that was renamed in whole goes at once: whether it has a .fin is asked when its last line lacks its newline.
        likely_whole = moved_in and not (file.info.followed or file.info.whole or watched.looked or torn_due)
        fin = not likely_whole and _is_finished(file.path, watched.stamp[1])
        settled = moved_in or fin or quiet >= self.settings.settle
        if not settled and (watched.restarted or not file.info.followed):
            self._recheck[file.name] = watched.since + self.settings.settle
            return None
        if watched.looked == (*watched.stamp, fin) and not torn_due:
            return None
        try:
            whole_by_itself = file.info.whole and (in_excel or torn_due)
            if not (fin or watched.moved_in or whole_by_itself or is_free(Path(file.path))):
                return None
            take = prepare(file, whole=fin, torn_due=torn_due, finished=settled, limits=self._limits)
            if take is None and likely_whole and _is_finished(file.path, watched.stamp[1]):
                take, fin = (
                    prepare(file, whole=True, torn_due=False, finished=True, limits=self._limits),
                    True,
                )
        except Changed:
            if file.drop_id:
                self._begin_again(watched)
            watched.since = now
            return None
        except OSError as error:
            self._complain(watched, quiet, error)
            return None
        if take is None:
            watched.looked = (*watched.stamp, fin)
        else:
            watched.restarted = False
        return take

    def _complain(self, watched: _Watched, quiet: float, error: OSError) -> None:
        if quiet > _COMPLAIN_AFTER and not watched.complained:
            watched.complained = True
            log.error("文件读不出来 / cannot read %s: %s", watched.file.name, error)

    # after the commit

    def forget(self, ready: Take | RefusedFile | DropFile) -> None:
        """A take was not committed: look at the file afresh, from what was committed before."""
        if isinstance(ready, RefusedFile):
            self._refused.discard(ready.name)
            return
        file = ready.file if isinstance(ready, Take) else ready
        watched = self._watched.pop(file.name, None)
        if watched is not None and not file.drop_id:
            self._untaken[file.name] = watched.stamp, file.day
        if watched is not None and file.drop_id:
            self._restored[file.name] = OpenDrop(
                file.drop_id,
                file.name,
                file.day,
                file.position,
                file.sid_space,
                file.refused,
                file.known_sha256 if file.behind else file.sha256,
                file.traded,
            )

    def to_put_away(self, today: date, *, at_once: bool = False) -> Iterator[DropFile]:
        """Files that are finished with: refused, or taken and quiet (`at_once`: or not), or followed and their day is over."""
        now = self._monotonic()
        for watched in list(self._watched.values()):
            file = watched.file
            if not file.drop_id or (file.taken != watched.stamp[:2] and not file.refused):
                continue
            ended = not file.info.followed or os.path.exists(file.path + FIN_SUFFIX) or file.day < today
            quiet = at_once or now - watched.since >= self.settings.archive_after
            if ended and quiet and not _is_held(file, today):
                yield file

    def put_away(self, file: DropFile, path: str) -> None:
        """The file now stands at `path`; late writes through an open handle are still looked for there."""
        self._watched.pop(file.name, None)
        file.path = path
        self.watch_late(file)

    def watch_put_away(self, drop: OpenDrop, path: str) -> None:
        """After a restart: a drop of today that was put away before; its writer may still have it open."""
        said = read_name(drop.name.rpartition("/")[2])
        if isinstance(said, Name):
            file = DropFile(path, drop.name, said, drop.name.rpartition("/")[0], drop.day)
            file.resume(drop)
            self.watch_late(file)

    def watch_late(self, file: DropFile, first: float = _LATE_FIRST) -> None:
        heapq.heappush(self._late, (self._monotonic() + first, next(self._sequence), first, file))

    def _look_late(self, now: float) -> Iterator[Take]:
        while self._late and self._late[0][0] <= now:
            _due, _n, interval, file = heapq.heappop(self._late)
            try:
                grown = os.lstat(file.path).st_size != file.position.offset
                quiet = interval >= self.settings.torn_timeout
                take = (
                    prepare(file, whole=False, torn_due=quiet, finished=True, limits=self._limits)
                    if grown
                    else None
                )
            except Changed:
                log.error("归档后的文件被改写 / an archived file was rewritten: %s", file.path)
                continue
            except FileNotFoundError:
                log.error("归档后的文件不见了 / an archived file is gone: %s", file.path)
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
            self.watch_late(file, _LATE_FIRST if take is not None else min(interval * 2, _LATE_LONGEST))


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


def _is_finished(path: str, written: int) -> bool:
    """Whether there is a `.fin` that is not older than the file: one that an earlier file left behind says nothing."""
    fin = path + FIN_SUFFIX
    if not os.access(fin, os.F_OK):  # almost always; what is raised below costs more than all else here
        return False
    try:
        return os.stat(fin).st_mtime_ns >= written
    except OSError:
        return False


def _is_open_in_excel(file: DropFile) -> bool:
    """Whether Excel's mark `~$basket.xlsx` stands beside a book. Excel keeps the book open after saving: quiet has to do, for it is whole."""
    if not file.info.whole:
        return False
    folder, name = os.path.split(file.path)
    return os.path.exists(os.path.join(folder, f"{EXCEL_MARK}{name}"))


def _is_held(file: DropFile, today: date) -> bool:
    """Whether somebody works in a book: then it is not taken away from under them, today at least. Saved again since the last
    look, it is another drop, which must not be put away as this one.
    """
    if not file.info.whole:
        return False
    in_excel = file.day >= today and _is_open_in_excel(file)
    return in_excel or not is_free(Path(file.path)) or _stamp_of(file.path) != file.taken


def _stamp_of(path: str) -> tuple[int, int] | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _is_ours(name: str) -> bool:
    """Whether the scan would find it: in the inbox, or in a sub-folder that is not hidden."""
    folder, _, file = name.rpartition("/")
    return bool(file) and "/" not in folder and not folder.startswith(".")
