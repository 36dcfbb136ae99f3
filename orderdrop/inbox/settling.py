"""Waits until a file in the inbox is complete, and takes from it what is new then.

Complete is a file that was renamed in, that has its `.fin`, or that nobody has written for `settle` seconds; a followed file gives
each row once its newline is there. A file that was rewritten under its name begins again as another drop.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from orderdrop.config.sections import InboxSettings
from orderdrop.config.workspace import FIN_SUFFIX
from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.inbox.drop_file import Changed, DropFile, Growing
from orderdrop.inbox.names import EXCEL_MARK
from orderdrop.inbox.reading import full_stamp, stamp_of, touched_at
from orderdrop.inbox.tail import Limits, Take, prepare
from orderdrop.system.files import is_free
from orderdrop.system.grasp import hash_of

log = logging.getLogger(__name__)

_COMPLAIN_AFTER: Final = 5.0


@dataclass(slots=True, eq=False)
class Watched:
    """A name in the inbox.

    since: when its stamp was first seen. looked: the stamp at which nothing could be taken. moved_in: it was renamed in and not
    written since: an event said so, or (POSIX) its inode was touched well after its content when it was first seen. fin: the `.fin` that stood beside it when it was taken: it has spoken, and says nothing of
    what is written after that. base: of a followed file that was rewritten: a time, its size then and the sha256 of that. told: the stamp
    with which its last line was told as torn.
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
    told: tuple[int, int, int] | None = None

    @property
    def ends_torn(self) -> bool:
        """Whether all rows of a followed file are taken but the last line, which has no newline."""
        file = self.file
        return (
            file.info.followed
            and not file.refused
            and self.stamp[:2] == file.taken
            and self.stamp[0] > file.position.offset
        )


class Settling:
    """Decides when a file may be taken. It keeps the names that are not quiet for long enough, with the time of the next look at each."""

    def __init__(self, settings: InboxSettings) -> None:
        self.recheck_at = float("inf")
        self._settings = settings
        self._limits = Limits(settings.max_bytes, settings.max_rows)
        self._recheck: dict[str, float] = {}
        self._given_back: set[str] = set()
        self.torn: set[int] = set()  # drops whose last line has no newline for long; the chores tell of them
        self.open_elsewhere: set[str] = set()  # files that wait because another program has them open

    # which files are due

    def take_due(self, now: float) -> list[str]:
        """Returns the names that are to be looked at again by now, and forgets their times."""
        due = [name for name, at in self._recheck.items() if at <= now]
        for name in due:
            del self._recheck[name]
        return due

    def plan(self) -> None:
        """Notes when the next name is due."""
        self.recheck_at = min(self._recheck.values(), default=float("inf"))

    def give_back(self, name: str, file: DropFile, now: float) -> None:
        """Another file had taken the place of `file`, and stands as `name` now: both names are looked at at once."""
        file.touched = -1  # compare it, whatever its stamp says
        self._given_back.add(name)  # the rename was ours and says nothing
        self._recheck |= {name: now, file.name: now}
        self.recheck_at = now

    def keep_only(self, names: Iterable[str]) -> None:
        """Forgets what was given back, or open elsewhere, under any other name."""
        known = set(names)
        self._given_back &= known
        self.open_elsewhere &= known

    # one file

    def look(
        self, watched: Watched, status: os.stat_result, now: float, *, moved: bool, new: bool
    ) -> Take | None:
        """Returns what may be taken from the file now. moved: an event says that it was renamed in; new: its name was not there before."""
        found = full_stamp(status)
        if found != watched.stamp:
            if found[2] != watched.stamp[2]:
                file = watched.file
                replaced = DropFile(
                    file.path, file.name, file.info, file.strategy, file.day, profile=file.profile
                )
                _begin_again(watched, replaced)
                new = True
            watched.stamp, watched.since, watched.moved_in = found, now, False
        if moved or (new and self._was_quiet_before(status)):
            watched.moved_in |= watched.file.name not in self._given_back
        return None if _is_taken(watched, status, now) else self._take(watched, now)

    def _was_quiet_before(self, status: os.stat_result) -> bool:
        """Whether a new name's inode was touched when it had not been written for `settle`: it was renamed in, or quiet for long enough."""
        return os.name == "posix" and (
            status.st_ctime_ns - status.st_mtime_ns >= self._settings.settle * 1_000_000_000
            and status.st_ctime_ns > status.st_mtime_ns
        )

    def _take(self, watched: Watched, now: float) -> Take | None:
        file, settings = watched.file, self._settings
        quiet = now - watched.since
        torn_due = quiet >= settings.torn_timeout and not self._may_be_ended(watched, quiet)
        in_excel = is_open_in_excel(file)
        moved_in = watched.moved_in and not in_excel
        # A text that was renamed in whole goes at once: whether it has a .fin is asked when its last line lacks its newline.
        likely_whole = moved_in and not (file.info.followed or file.info.whole or watched.looked or torn_due)
        fin = not likely_whole and self._is_finished(watched, quiet)
        settled = moved_in or fin or quiet >= settings.settle
        goes_on = file.info.followed and (not watched.restarted or settled or self._only_grows(watched, now))
        if not (settled or goes_on):
            self._recheck[file.name] = watched.since + settings.settle
            return None
        if watched.looked == (*watched.stamp, fin) and not torn_due:
            return None
        try:
            whole_by_itself = file.info.whole and (in_excel or torn_due)
            # The rows of a followed file are whole by their newlines: it is never asked whether its writer keeps it open.
            sure = fin or watched.moved_in or whole_by_itself or file.info.followed
            if not (sure or is_free(Path(file.path))):
                self._tell_open(watched, quiet)
                return None
            take = prepare(file, whole=fin, torn_due=torn_due, finished=settled, limits=self._limits)
            if take is None and likely_whole and self._is_finished(watched, quiet):
                take, fin = (
                    prepare(file, whole=True, torn_due=False, finished=True, limits=self._limits),
                    True,
                )
        except Changed as changed:
            if file.drop_id and not isinstance(changed, Growing):
                _begin_again(watched, file.begun_again())
            watched.since = now
            self._recheck[file.name] = now + settings.settle
            return None
        except OSError as error:
            _complain(watched, quiet, error)
            return None
        self.open_elsewhere.discard(file.name)
        if take is None:
            watched.looked = (*watched.stamp, fin)
        else:
            watched.restarted = False
            watched.fin = _fin_of(file.path) if fin else watched.fin
        return take

    def _tell_open(self, watched: Watched, quiet: float) -> None:
        if quiet >= _COMPLAIN_AFTER and not watched.complained:
            watched.complained = True
            if not watched.file.drop_id:
                self.open_elsewhere.add(watched.file.name)
            why = explain(Refusal(Code.FILE_OPEN, value=watched.file.name))
            log.warning("%s → %s", why.text(), why.remedy)

    def _may_be_ended(self, watched: Watched, quiet: float) -> bool:
        """Whether a line without newline waits for it, however long: in a file that is followed. That it waits is told once."""
        file = watched.file
        if quiet >= self._settings.torn_timeout and watched.ends_torn and watched.told != watched.stamp:
            self.torn.add(file.drop_id)
            watched.told = watched.stamp
        return file.info.followed and bool(file.drop_id)

    def _only_grows(self, watched: Watched, now: float) -> bool:
        """Whether a followed file that was rewritten is only appended to again, for `settle` now: it need not become quiet then."""
        size, path = watched.stamp[0], watched.file.path
        try:
            if watched.base is not None:
                since, known, sha256 = watched.base
                if now - since < self._settings.settle:
                    return False
                if size >= known and hash_of(path, known) == sha256:
                    return True
            watched.base = now, size, hash_of(path, size)
        except OSError:
            watched.base = None
        return False

    def _is_finished(self, watched: Watched, quiet: float) -> bool:
        """Whether there is a `.fin` that speaks for what stands in the file now: it is not older, and not one that has spoken already.

        An empty file may be about to be written anew beside the `.fin` of the one before, within one tick of the clock: quiet decides.
        """
        fin = _fin_of(watched.file.path)
        if fin is None or fin == watched.fin or fin[1] < watched.stamp[1]:
            return False
        if watched.stamp[0] or quiet >= self._settings.settle:
            return True
        self._recheck[watched.file.name] = watched.since + self._settings.settle
        return False


def has_ended(watched: Watched) -> bool:
    """Whether a followed file has a `.fin` that is not of a file before, and that leaves no line behind."""
    fin = _fin_of(watched.file.path)
    return fin is not None and fin[1] >= watched.stamp[1] and not watched.ends_torn


def is_held(file: DropFile, today: date) -> bool:
    """Whether somebody works in a book: then it is not taken away from under them, today at least. Saved again since the last
    look, it is another drop, which must not be put away as this one.
    """
    if not file.info.whole:
        return False
    in_excel = file.day >= today and is_open_in_excel(file)
    return in_excel or not is_free(Path(file.path)) or _stamp_of(file.path) != file.taken


def is_open_in_excel(file: DropFile) -> bool:
    """Whether Excel's mark `~$basket.xlsx` stands beside a book. Excel keeps the book open after saving: quiet has to do, for it is whole."""
    if not file.info.whole:
        return False
    folder, name = os.path.split(file.path)
    return os.path.exists(os.path.join(folder, f"{EXCEL_MARK}{name}"))


def _is_taken(watched: Watched, status: os.stat_result, now: float) -> bool:
    """Whether there is nothing in it that could be taken."""
    if watched.stamp[:2] != watched.file.taken or not watched.file.drop_id:
        return False
    if touched_at(status) != watched.file.touched and not _still_stands(watched, status):
        watched.since = now
        return False
    return not watched.ends_torn


def _still_stands(watched: Watched, status: os.stat_result) -> bool:
    """The inode of a taken file was touched: by a chmod or a link, say, or because its bytes were rewritten and size and time kept."""
    try:
        stands = watched.file.stands()
    except OSError:  # looked at again at the next scan
        return True
    if stands:
        watched.file.touched = touched_at(status)
    else:
        _begin_again(watched, watched.file.begun_again())
    return stands


def _begin_again(watched: Watched, file: DropFile) -> None:
    """The file was rewritten or replaced: what stands there now is a new drop, once it is quiet."""
    watched.file = file
    watched.restarted, watched.moved_in, watched.looked, watched.base = True, False, None, None


def _complain(watched: Watched, quiet: float, error: OSError) -> None:
    if quiet > _COMPLAIN_AFTER and not watched.complained:
        watched.complained = True
        log.error("文件读不出来 / cannot read %s: %s", watched.file.name, error)


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


def _stamp_of(path: str) -> tuple[int, int] | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return stamp_of(status)
