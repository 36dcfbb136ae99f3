"""Lists what lies in the inbox, for those who only look: taken, waiting, ignored or not to be taken at all. Changes nothing."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from orderdrop.config.workspace import FIN_SUFFIX, Workspace
from orderdrop.domain.identity import day_number
from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.inbox.names import EXCEL_MARK, Ignored, is_mark, printable, read_name, read_switch
from orderdrop.journal.reader import Reading
from orderdrop.journal.records import DropState
from orderdrop.system.files import is_free
from orderdrop.views.unfinished import Unfinished, unfinished_line

_AT_MOST: Final = 20_000
_TORN_AFTER: Final = 10.0
_DEEPEST: Final = 8
"""Whoever puts a whole tree into the inbox is not read to its end."""


class FileState(StrEnum):
    """What awaits a file."""

    TAKEN = "taken"  # its rows are in the journal; it is put away when it is quiet
    WAITING = "waiting"
    IGNORED = "ignored"
    REFUSED = "refused"  # by its name or nature; it is moved to the quarantine


class Lying(NamedTuple):
    """A file in the inbox. name: path below the inbox. why: bilingual. odd: people may wonder why it still lies there."""

    name: str
    lot: FileState
    why: str
    odd: bool = False


def list_inbox(
    workspace: Workspace, reading: Reading | None, today: date, torn_after: float = _TORN_AFTER
) -> Iterator[Lying]:
    """Everything in the inbox but switches and marks. reading: None when there is no journal yet. torn_after: see `look_at`."""
    for name, path in _files(workspace.inbox):
        if not (read_switch(name) or name.endswith((FIN_SUFFIX, ".lock"))):
            with contextlib.suppress(FileNotFoundError):  # it was taken away meanwhile
                yield look_at(name, path, reading, today, torn_after)


def lying_on(found: Iterable[Lying]) -> list[dict[str, str]]:
    """What is not on its way, and why, in the words of `status`; without what programs leave there and take away again."""
    return [{"name": one.name, "lot": one.lot, "why": one.why} for one in found if one.odd]


def waiting(workspace: Workspace, reading: Reading | None, today: date) -> list[str]:
    """Names of the files that the router has yet to take, or to take more of."""
    return names_of(list_inbox(workspace, reading, today), FileState.WAITING)


def names_of(found: Iterable[Lying], lot: FileState) -> list[str]:
    return [file.name for file in found if file.lot is lot]


def look_at(
    name: str, path: str, reading: Reading | None, today: date, torn_after: float = _TORN_AFTER
) -> Lying:
    """torn_after: seconds of quiet until a last line without its newline is told."""
    base = name.rpartition("/")[2]
    said = read_name(base)
    if isinstance(said, Ignored):
        return Lying(name, FileState.IGNORED, said.why, odd=not is_mark(base))
    if name.count("/") > 1:
        deep = explain(Refusal(Code.FILE_TOO_DEEP, value=printable(name)))
        return Lying(
            name, FileState.IGNORED, f"{Code.FILE_TOO_DEEP}: {deep.text()} → {deep.remedy}", odd=True
        )
    if isinstance(said, Refusal):
        return _refused(name, said)
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        return _refused(name, Refusal(Code.FILE_LINK, value=printable(name)))
    kept = said.whole and os.path.lexists(f"{path[: -len(base)]}{EXCEL_MARK}{base}")
    drop = _open_drop(name, reading, today)
    if drop is None:
        return _untaken(name, said.day, today, is_open=not said.followed and _is_open(path))
    line = unfinished_line(path, drop.position) if said.followed else None
    return _in_part(name, drop, status, line, torn_after, kept=kept)


def _in_part(
    name: str, drop: Any, status: os.stat_result, line: Unfinished | None, torn_after: float, *, kept: bool
) -> Lying:
    if drop.state == DropState.REFUSED or drop.position == status.st_size:
        if kept:
            return Lying(name, FileState.TAKEN, _KEPT, odd=True)
        return Lying(name, FileState.TAKEN, "已接收，等待归档 / taken, it will be archived when it is quiet")
    if line is not None and line.quiet >= torn_after:
        return Lying(name, FileState.WAITING, line.words, odd=True)
    return Lying(name, FileState.WAITING, "有尚未接收的行 / it holds rows that are not taken yet")


_KEPT: Final = "已接收；Excel 还开着它（旁边有 ~$ 文件），关闭后归档 / taken; Excel has it open (a ~$ file beside it), it is archived when closed"


def _open_drop(name: str, reading: Reading | None, today: date) -> Any:
    """Today's drop of that name which still lies in the inbox, as the journal knows it."""
    drops = reading.drops_by_name(name) if reading else []
    newest = next((drop for drop in drops if drop.name == name), None)
    here = newest is not None and newest.archived_as is None and newest.trade_day == day_number(today)
    return newest if here else None


def _is_open(path: str) -> bool:
    """Whether it waits for another program to close it: only Windows tells. A `.fin` says that it is whole all the same."""
    if os.path.lexists(path + FIN_SUFFIX):
        return False
    try:
        return not is_free(Path(path))
    except OSError:
        return False


def _untaken(name: str, day: date | None, today: date, *, is_open: bool) -> Lying:
    """day: the one in its name."""
    if day is not None and day < today:
        return _refused(name, Refusal(Code.FILE_STALE, value=day.isoformat(), bound=today.isoformat()))
    if day is not None and day > today:
        return Lying(
            name,
            FileState.IGNORED,
            f"属于 {day}，那天才接收 / belongs to {day}, it is taken on that day",
            odd=True,
        )
    if is_open:
        why = explain(Refusal(Code.FILE_OPEN, value=name))
        return Lying(name, FileState.WAITING, f"{why.text()} → {why.remedy}", odd=True)
    return Lying(name, FileState.WAITING, "等待路由器接收 / waits for the router to take it")


def _refused(name: str, refusal: Refusal) -> Lying:
    why = explain(refusal)
    return Lying(printable(name), FileState.REFUSED, f"{why.text()} → {why.remedy}", odd=True)


def _files(inbox: os.PathLike[str]) -> Iterator[tuple[str, str]]:
    """(path below the inbox, path) of what lies in it and in its strategies' folders; and deeper, where nothing is taken."""
    yield from islice(_below(os.fspath(inbox), ""), _AT_MOST)


def _below(folder: str, before: str) -> Iterator[tuple[str, str]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if not entry.is_dir(follow_symlinks=False):
            yield f"{before}{entry.name}", entry.path
        elif not entry.name.startswith(".") and before.count("/") < _DEEPEST:
            yield from _below(entry.path, f"{before}{entry.name}/")
