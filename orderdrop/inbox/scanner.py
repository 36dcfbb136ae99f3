"""The watched folder: finds drops, waits until they are complete, hands them over as takes, puts them away.

A scan is the truth; file events only wake it early and name the files that were renamed in. Nothing here reads what a row
says. A file is put away by `grasp`: first renamed within its folder, for an unpaired rename out of it stalls some
watchers for half a second.
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

from orderdrop.config.sections import InboxSettings
from orderdrop.config.workspace import FIN_SUFFIX, HALT_FILE
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.switches import ScopeKey, State, Switches
from orderdrop.inbox.names import EXCEL_MARK, Ignored, Name, printable, read_name, read_switch
from orderdrop.inbox.owner import owner_of
from orderdrop.inbox.tail import Changed, DropFile, Growing, Limits, OpenDrop, Take, prepare, touched_at
from orderdrop.inbox.watcher import Unwatched, Watch, watch
from orderdrop.system.clock import Micros, trade_date
from orderdrop.system.files import is_free
from orderdrop.system.grasp import Seen, hash_of

log = logging.getLogger(__name__)

_LATE_FIRST: Final = 1.0
_LATE_LONGEST: Final = 600.0
_COMPLAIN_AFTER: Final = 5.0


class RefusedFile(NamedTuple):
    """A file refused by its name or nature; it was never opened."""

    path: str
    name: str
    refusal: Refusal
    seen: Seen = Seen(0, 0, 0)
    owner: str | None = None


@dataclass(slots=True, eq=False)
class _Watched:
    """A name in the inbox.

    since: when its stamp was first seen. looked: the stamp at which nothing could be taken. moved_in: it was renamed in and not
    written since: an event said so, or (POSIX) its inode was touched well after its content when it was first seen. fin: the `.fin` that stood beside it when it was taken: it has spoken, and says nothing of
    what is written after that. base: of a followed file that was rewritten: a time, its size then and the sha256 of that.
    """

    file: DropFile
    stamp: tuple[int, int, int]
    since: float
    moved_in: bool = False
    restarted: bool = False
    looked: tuple[int, int, int, bool] | None = None
    complained: bool = False
    fin: tuple[int, int] | None = None
    base: tuple[float, int, str] | None = None


class Inbox:
    """The door that drops come through. Used from the router's thread; only `wake` may be called from another."""

    def __init__(
        self, folder: Path, settings: InboxSettings, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.switches = Switches({})
        self.found_by_scan_only = 0
        self._missed: set[str] = (
            set()
        )  # counted already, though perhaps not taken yet: a file of a coming day lies for days
        self._root = str(folder)
        self._limits = Limits(settings.max_bytes, settings.max_rows)
        self._monotonic = monotonic
        self._watched: dict[str, _Watched] = {}
        self._ignored: dict[str, str] = {}
        self._refused: set[str] = set()
        self._restored: dict[str, OpenDrop] = {}
        self._untaken: dict[
            str, tuple[tuple[int, int, int], date, str]
        ] = {}  # what could not be taken, its day and its sid_space
        self.altered: list[
            Altered
        ] = []  # archived files that are not what was taken; the chores write them down
        self._late: list[tuple[float, int, float, DropFile]] = []
        self._sequence = itertools.count()
        self._next_scan = 0.0
        self._put_by: dict[str, bool] = {}  # hints that were taken, and that nobody has looked at yet
        self._only: DropKind | None = None
        self._recheck: dict[str, float] = {}  # files that were told of and are not quiet for long enough yet
        self._recheck_at = float("inf")
        self._given_back: set[str] = set()
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
        self._given_back &= seen
        self._refused &= seen
        self._missed &= seen
        self._untaken = {name: known for name, known in self._untaken.items() if name in seen}
        self._ignored = {name: why for name, why in self._ignored.items() if name in seen}

    def _missed_by_events(self, name: str, moved: bool | None) -> bool:
        """Whether a name is new and nobody has told of it, although events are on. What was there at the start does not count."""
        new = (
            moved is None
            and name not in self._watched
            and name not in self._ignored
            and name not in self._refused
            and name not in self._missed
        )
        missed = new and self.settings.events and self._next_scan > 0
        if new:
            self._missed.add(name)
        return missed

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
        known = self._watched.get(name)
        watched = known or self._meet(name, path, status, today, now)
        if isinstance(watched, RefusedFile):
            if name in self._refused:
                return None
            self._refused.add(name)
            return watched
        if watched is None:
            return None
        stamp = _stamp(status)
        new = known is None
        if stamp != watched.stamp:
            if stamp[2] != watched.stamp[2]:
                self._begin_again(watched, DropFile(*_what(watched.file)))
                new = True
            watched.stamp, watched.since, watched.moved_in = stamp, now, False
        if moved or (new and self._was_quiet_before(status)):
            watched.moved_in |= name not in self._given_back
        if stamp[:2] == watched.file.taken and watched.file.drop_id:
            if touched_at(status) == watched.file.touched or self._still_stands(watched, status):
                return None
            watched.since = now
        return self._try(watched, now)

    def _was_quiet_before(self, status: os.stat_result) -> bool:
        """Whether a new name's inode was touched when it had not been written for `settle`: it was renamed in, or quiet for long enough."""
        return os.name == "posix" and (
            status.st_ctime_ns - status.st_mtime_ns >= self.settings.settle * 1_000_000_000
            and status.st_ctime_ns > status.st_mtime_ns
        )

    def _still_stands(self, watched: _Watched, status: os.stat_result) -> bool:
        """The inode of a taken file was touched: by a chmod or a link, say, or because its bytes were rewritten and size and time kept."""
        try:
            stands = watched.file.stands()
        except OSError:  # looked at again at the next scan
            return True
        if stands:
            watched.file.touched = touched_at(status)
        else:
            self._begin_again(watched, watched.file.begun_again())
        return stands

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
            return RefusedFile(path, name, said, Seen.of(status), owner_of(status))
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
                return RefusedFile(path, name, stale, Seen.of(status), owner_of(status))
            if name in self._untaken:
                file.sid_space = self._untaken[name][2]
                file.again = bool(file.sid_space)
        watched = _Watched(file, _stamp(status), now)
        self._watched[name] = watched
        return watched

    def _day_known(self, name: str, status: os.stat_result) -> date | None:
        """The day of a file that could not be taken before, if nobody has touched it since."""
        stamp, day, _space = self._untaken.get(name, (None, None, ""))
        return day if stamp == _stamp(status) else None

    def _day_written(self, status: os.stat_result, today: date) -> date:
        """The day a file that was there at the start belongs to; one that comes later belongs to today, however old it is."""
        if self._next_scan or today != self._started_day:
            return today
        return trade_date(Micros(max(status.st_mtime_ns, status.st_ctime_ns) // 1000))

    def _begin_again(self, watched: _Watched, file: DropFile) -> None:
        """The file was rewritten or replaced: what stands there now is a new drop, once it is quiet."""
        watched.file = file
        watched.restarted, watched.moved_in, watched.looked, watched.base = True, False, None, None

    def _try(self, watched: _Watched, now: float) -> Take | None:
        file = watched.file
        quiet = now - watched.since
        torn_due = quiet >= self.settings.torn_timeout
        in_excel = _is_open_in_excel(file)
        moved_in = watched.moved_in and not in_excel
        # A text that was renamed in whole goes at once: whether it has a .fin is asked when its last line lacks its newline.
        likely_whole = moved_in and not (file.info.followed or file.info.whole or watched.looked or torn_due)
        fin = not likely_whole and self._is_finished(watched, quiet)
        settled = moved_in or fin or quiet >= self.settings.settle
        goes_on = file.info.followed and (not watched.restarted or settled or self._only_grows(watched, now))
        if not (settled or goes_on):
            self._recheck[file.name] = watched.since + self.settings.settle
            return None
        if watched.looked == (*watched.stamp, fin) and not torn_due:
            return None
        try:
            whole_by_itself = file.info.whole and (in_excel or torn_due)
            if not (fin or watched.moved_in or whole_by_itself or is_free(Path(file.path))):
                return None
            take = prepare(file, whole=fin, torn_due=torn_due, finished=settled, limits=self._limits)
            if take is None and likely_whole and self._is_finished(watched, quiet):
                take, fin = (
                    prepare(file, whole=True, torn_due=False, finished=True, limits=self._limits),
                    True,
                )
        except Changed as changed:
            if file.drop_id and not isinstance(changed, Growing):
                self._begin_again(watched, file.begun_again())
            watched.since = now
            self._recheck[file.name] = now + self.settings.settle
            return None
        except OSError as error:
            self._complain(watched, quiet, error)
            return None
        if take is None:
            watched.looked = (*watched.stamp, fin)
        else:
            watched.restarted = False
            watched.fin = _fin_of(file.path) if fin else watched.fin
        return take

    def _only_grows(self, watched: _Watched, now: float) -> bool:
        """Whether a followed file that was rewritten is only appended to again, for `settle` now: it need not become quiet then."""
        size, path = watched.stamp[0], watched.file.path
        try:
            if watched.base is not None:
                since, known, sha256 = watched.base
                if now - since < self.settings.settle:
                    return False
                if size >= known and hash_of(path, known) == sha256:
                    return True
            watched.base = now, size, hash_of(path, size)
        except OSError:
            watched.base = None
        return False

    def _is_finished(self, watched: _Watched, quiet: float) -> bool:
        """Whether there is a `.fin` that speaks for what stands in the file now: it is not older, and not one that has spoken already.

        An empty file may be about to be written anew beside the `.fin` of the one before, within one tick of the clock: quiet decides.
        """
        fin = _fin_of(watched.file.path)
        if fin is None or fin == watched.fin or fin[1] < watched.stamp[1]:
            return False
        if watched.stamp[0] or quiet >= self.settings.settle:
            return True
        self._recheck[watched.file.name] = watched.since + self.settings.settle
        return False

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
            self._untaken[file.name] = watched.stamp, file.day, file.sid_space if file.again else ""
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
            if not file.drop_id or file.behind or (file.taken != watched.stamp[:2] and not file.refused):
                continue
            ended = not file.info.followed or file.day < today or self._has_ended(watched)
            quiet = at_once or now - watched.since >= self.settings.archive_after
            if ended and quiet and not _is_held(file, today):
                yield file

    @staticmethod
    def _has_ended(watched: _Watched) -> bool:
        """Whether a followed file has a `.fin` that is not of a file before."""
        fin = _fin_of(watched.file.path)
        return fin is not None and fin[1] >= watched.stamp[1]

    def put_away(self, file: DropFile, path: str) -> None:
        """The file now stands at `path`; late writes through an open handle are still looked for there."""
        self._watched.pop(file.name, None)
        file.path = path
        self._note_touched(file)
        self.watch_late(file)

    def given_back(self, file: DropFile, path: Path) -> None:
        """It was to be put away, and was another file, which stands at `path` now: a drop that is still to come."""
        name = path.relative_to(self.folder).as_posix()
        file.touched = -1  # compare it, whatever its stamp says
        self._given_back.add(name)  # the rename was ours and says nothing
        self._recheck_at = self._monotonic()
        self._recheck |= {name: self._recheck_at, file.name: self._recheck_at}

    def _note_touched(self, file: DropFile) -> None:
        try:
            file.touched = _rest_mark(os.lstat(file.path))
        except OSError:
            file.touched = -1

    def watch_put_away(self, drop: OpenDrop, path: str) -> None:
        """After a restart: a drop of today that was put away before; its writer may still have it open."""
        said = read_name(drop.name.rpartition("/")[2])
        if isinstance(said, Name):
            file = DropFile(path, drop.name, said, drop.name.rpartition("/")[0], drop.day)
            file.resume(drop)
            self._note_touched(file)
            try:
                altered = not file.stands()  # nobody knows what was done while no router ran
            except OSError:
                altered = False
            if altered:
                self._is_altered(file, gone=False)
            else:
                self.watch_late(file)

    def _is_altered(self, file: DropFile, *, gone: bool) -> None:
        what = "不见了 / an archived file is gone" if gone else "被改写 / an archived file was rewritten"
        log.error("归档后的文件%s: %s", what, file.path)
        self.altered.append(Altered(file.drop_id, file.path, gone))

    def watch_late(self, file: DropFile, first: float = _LATE_FIRST) -> None:
        heapq.heappush(self._late, (self._monotonic() + first, next(self._sequence), first, file))

    def _look_late(self, now: float) -> Iterator[Take]:
        while self._late and self._late[0][0] <= now:
            _due, _n, interval, file = heapq.heappop(self._late)
            try:
                take = self._look_late_at(file, torn_due=interval >= self.settings.torn_timeout)
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
            self.watch_late(file, _LATE_FIRST if take is not None else min(interval * 2, _LATE_LONGEST))

    def _look_late_at(self, file: DropFile, *, torn_due: bool) -> Take | None:
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


class Altered(NamedTuple):
    """A file that was put away is not any more what was taken. gone: it does not stand there at all."""

    drop_id: int
    path: str
    gone: bool


def _rest_mark(status: os.stat_result) -> int:
    """What does not move while nobody touches an archived file."""
    return touched_at(status) if os.name == "posix" else status.st_mtime_ns


def _what(file: DropFile) -> tuple[str, str, Name, str, date]:
    return file.path, file.name, file.info, file.strategy, file.day


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


def _fin_of(path: str) -> tuple[int, int] | None:
    """Inode and time of the `.fin` beside a file, if there is one."""
    fin = path + FIN_SUFFIX
    if not os.access(fin, os.F_OK):  # almost always; what is raised below costs more than all else here
        return None
    try:
        status = os.stat(fin)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


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
