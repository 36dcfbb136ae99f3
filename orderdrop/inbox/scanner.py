"""Finds drops in the watched folder and its sub-folders, and returns what can be taken from them.

A scan is the truth; file events only wake it early and name the files that were renamed in. When a file is complete is decided in
`settling`; what is written to it after it was put away is found by `late_writes`. No row is read here. A file is put away by
`grasp`: first renamed within its folder, for an unpaired rename out of it stalls some watchers for half a second.
"""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from orderdrop.config.sections import InboxSettings
from orderdrop.config.workspace import FIN_SUFFIX, HALT_FILE
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.switches import ScopeKey, State, Switches
from orderdrop.inbox.drop_file import DropFile, OpenDrop
from orderdrop.inbox.late_writes import Altered, LateWrites
from orderdrop.inbox.names import Ignored, Name, printable, read_name, read_switch
from orderdrop.inbox.owner import owner_of
from orderdrop.inbox.profiles import NO_PROFILES, Profiles
from orderdrop.inbox.reading import full_stamp
from orderdrop.inbox.settling import Settling, Watched, has_ended, is_held
from orderdrop.inbox.tail import Limits, Take
from orderdrop.inbox.watcher import Unwatched, Watch, watch
from orderdrop.system.clock import Micros, trade_date
from orderdrop.system.grasp import Seen
from orderdrop.system.paths import length

log = logging.getLogger(__name__)


class RefusedFile(NamedTuple):
    """A file refused by its name or nature; it was never opened."""

    path: str
    name: str
    refusal: Refusal
    seen: Seen = Seen(0, 0, 0)
    owner: str | None = None


class Inbox:
    """The door that drops come through. Used from the router's thread; only `wake` may be called from another."""

    def __init__(
        self,
        folder: Path,
        settings: InboxSettings,
        monotonic: Callable[[], float] = time.monotonic,
        longest_name: int | None = None,
        profiles: Profiles = NO_PROFILES,
    ) -> None:
        """longest_name: characters of a name, with its sub-folder, that paths have room for; None: any."""
        self.folder = folder
        self._profiles = profiles
        self.settings = settings
        self.switches = Switches({})
        self.found_by_scan_only = 0
        self.scans = 0
        self._longest_name = longest_name
        self._missed: set[str] = (
            set()
        )  # counted already, though perhaps not taken yet: a file of a coming day lies for days
        self._root = str(folder)
        self._monotonic = monotonic
        self._settling = Settling(settings)
        self._late = LateWrites(
            Limits(settings.max_bytes, settings.max_rows), settings.torn_timeout, monotonic
        )
        self._watched: dict[str, Watched] = {}
        self._ignored: dict[str, str] = {}
        self._refused: set[str] = set()
        self._restored: dict[str, OpenDrop] = {}
        self._untaken: dict[
            str, tuple[tuple[int, int, int], date, str]
        ] = {}  # what could not be taken, its day and its sid_space
        self._next_scan = 0.0
        self._put_by: dict[str, bool] = {}  # hints that were taken, and that nobody has looked at yet
        self._only: DropKind | None = None
        self._started_day: date | None = None
        self._watch: Watch = Unwatched()

    # life

    def open(self, today: date, restored: Iterable[OpenDrop] = (), also: Iterable[Path] = ()) -> None:
        """Begins watching. Files older than `today` that are there already are refused as stale.

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
        """Sleeps until something may have come, at most until the next look is due."""
        due = 0.0 if self._has_put_by else self._due - self._monotonic()
        self._watch.wait(max(0.0, min(timeout, due)))

    @property
    def halted(self) -> bool:
        return self.switches.halted

    @property
    def _due(self) -> float:
        return min(self._next_scan, self._settling.recheck_at)

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
        """Returns what can be taken now, oldest file first. only: the rest is left alone, as if nobody had looked."""
        now = self._monotonic()
        hints = self._hints()
        for name in self._settling.take_due(now):
            hints.setdefault(name, False)
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
            found.extend(self._late.look(now))
        self._settling.plan()
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
        self.scans += 1
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
        self._settling.keep_only(seen)
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
        return self._settling.look(watched, status, now, moved=moved, new=known is None)

    def _meet(
        self, name: str, path: str, status: os.stat_result, today: date, now: float
    ) -> Watched | RefusedFile | None:
        """A name that was not there before: what is it?"""
        base = name.rpartition("/")[2]
        said = read_name(base)
        if isinstance(said, Ignored):
            if self._ignored.setdefault(name, said.why) is said.why and not base.endswith(
                (".tmp", FIN_SUFFIX)
            ):
                log.info("ignored %s: %s", printable(name), said.why)
            return None
        said = self._unfit(name, status) or said
        if isinstance(said, Refusal):
            return RefusedFile(path, name, said, Seen.of(status), owner_of(status))
        restored = self._restored.pop(name, None)
        day = restored.day if restored else today
        file = DropFile(path, name, said, name.rpartition("/")[0], day, profile=self._profiles.of(name))
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
        watched = Watched(file, full_stamp(status), now)
        self._watched[name] = watched
        return watched

    def _unfit(self, name: str, status: os.stat_result) -> Refusal | None:
        if printable(name) != name:
            return Refusal(Code.FILE_NAME, value=printable(name))
        if self._longest_name is not None and length(name) > self._longest_name:
            return Refusal(Code.FILE_NAME_LONG, value=name, bound=str(self._longest_name))
        return None if stat.S_ISREG(status.st_mode) else Refusal(Code.FILE_LINK, value=printable(name))

    def _day_known(self, name: str, status: os.stat_result) -> date | None:
        """The day of a file that could not be taken before, if nobody has touched it since."""
        stamp, day, _space = self._untaken.get(name, (None, None, ""))
        return day if stamp == full_stamp(status) else None

    def _day_written(self, status: os.stat_result, today: date) -> date:
        """The day a file that was there at the start belongs to; one that comes later belongs to today, however old it is."""
        if self._next_scan or today != self._started_day:
            return today
        came = (
            getattr(status, "st_birthtime_ns", status.st_ctime_ns) if os.name == "nt" else status.st_ctime_ns
        )
        return trade_date(Micros(max(status.st_mtime_ns, came) // 1000))

    @property
    def open_elsewhere(self) -> set[str]:
        """Files that wait because another program has them open."""
        return self._settling.open_elsewhere

    def take_torn(self) -> set[int]:
        """Returns the drops whose last line has no newline for long, each once."""
        torn, self._settling.torn = self._settling.torn, set()
        return torn

    @property
    def has_torn(self) -> bool:
        return bool(self._settling.torn)

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
            ended = not file.info.followed or file.day < today or has_ended(watched)
            quiet = at_once or now - watched.since >= self.settings.archive_after
            if ended and quiet and not is_held(file, today):
                yield file

    def put_away(self, file: DropFile, path: str) -> None:
        """The file now stands at `path`; late writes through an open handle are still looked for there."""
        self._watched.pop(file.name, None)
        file.path = path
        self._late.watch(file)

    def given_back(self, file: DropFile, path: Path) -> None:
        """It was to be put away, and was another file, which stands at `path` now: a drop that is still to come."""
        self._settling.give_back(path.relative_to(self.folder).as_posix(), file, self._monotonic())

    def watch_put_away(self, drop: OpenDrop, path: str) -> None:
        """After a restart: a drop of today that was put away before; its writer may still have it open."""
        self._late.watch_restored(drop, path, self._profiles.of(drop.name))

    @property
    def altered(self) -> list[Altered]:
        """Archived files that are not what was taken."""
        return self._late.altered

    def take_altered(self) -> list[Altered]:
        """Returns them, and forgets them: from here on they are the caller's to write down."""
        altered, self._late.altered = self._late.altered, []
        return altered


def _is_ours(name: str) -> bool:
    """Whether the scan would find it: in the inbox, or in a sub-folder that is not hidden."""
    folder, _, file = name.rpartition("/")
    return bool(file) and "/" not in folder and not folder.startswith(".")
