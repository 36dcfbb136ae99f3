"""What lies in the inbox, as seen by those who only look: taken, waiting, ignored or not to be taken at all. Changes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from orderdrop.inbox.names import Ignored, printable, read_name, read_switch
from orderdrop.journal.reading import Reading
from orderdrop.journal.records import DropState
from orderdrop.order.identity import day_number
from orderdrop.order.refusal import Code, Refusal, explain
from orderdrop.workspace import FIN_SUFFIX, Workspace


class Lot(StrEnum):
    """What awaits a file."""

    TAKEN = "taken"  # its rows are in the journal; it is put away when it is quiet
    WAITING = "waiting"
    IGNORED = "ignored"
    REFUSED = "refused"  # by its name or nature; it is moved to the quarantine


class Lying(NamedTuple):
    """A file in the inbox. name: path below the inbox. why: bilingual."""

    name: str
    lot: Lot
    why: str


def lying(workspace: Workspace, reading: Reading | None, today: date) -> Iterator[Lying]:
    """Everything in the inbox but switches and marks. reading: None when there is no journal yet."""
    for name, path in _files(workspace.inbox):
        if not (read_switch(name) or name.endswith((FIN_SUFFIX, ".lock"))):
            yield look_at(name, path, reading, today)


def waiting(workspace: Workspace, reading: Reading | None, today: date) -> list[str]:
    """Names of the files that the router has yet to take, or to take more of."""
    return [file.name for file in lying(workspace, reading, today) if file.lot is Lot.WAITING]


def look_at(name: str, path: str, reading: Reading | None, today: date) -> Lying:
    said = read_name(name.rpartition("/")[2])
    if isinstance(said, Ignored):
        return Lying(name, Lot.IGNORED, said.why)
    if isinstance(said, Refusal):
        return _refused(name, said)
    status = os.lstat(path)
    if not stat.S_ISREG(status.st_mode):
        return _refused(name, Refusal(Code.FILE_LINK, value=printable(name)))
    drop = _open_drop(name, reading, today)
    if drop is None:
        return _untaken(name, said.day, today)
    if drop.state == DropState.REFUSED or drop.position == status.st_size:
        return Lying(name, Lot.TAKEN, "已接收,等待归档 / taken, it will be archived when it is quiet")
    return Lying(name, Lot.WAITING, "有尚未接收的行 / it holds rows that are not taken yet")


def _open_drop(name: str, reading: Reading | None, today: date) -> Any:
    """Today's drop of that name which still lies in the inbox, as the journal knows it."""
    drops = reading.drops_by_name(name) if reading else []
    newest = next((drop for drop in drops if drop.name == name), None)
    here = newest is not None and newest.archived_as is None and newest.trade_day == day_number(today)
    return newest if here else None


def _untaken(name: str, day: date | None, today: date) -> Lying:
    """day: the one in its name."""
    if day is not None and day < today:
        return _refused(name, Refusal(Code.FILE_STALE, value=day.isoformat(), bound=today.isoformat()))
    if day is not None and day > today:
        return Lying(name, Lot.IGNORED, f"属于 {day},那天才接收 / belongs to {day}, it is taken on that day")
    return Lying(name, Lot.WAITING, "等待路由器接收 / waits for the router to take it")


def _refused(name: str, refusal: Refusal) -> Lying:
    why = explain(refusal)
    return Lying(printable(name), Lot.REFUSED, f"{why.text()} → {why.remedy}")


def _files(inbox: os.PathLike[str]) -> Iterator[tuple[str, str]]:
    """(path below the inbox, path) of what lies in it and in its strategies' folders."""
    try:
        entries = sorted(os.scandir(inbox), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        if not entry.is_dir(follow_symlinks=False):
            yield entry.name, entry.path
        elif not entry.name.startswith("."):
            below = sorted(os.scandir(entry.path), key=lambda file: file.name)
            yield from (
                (f"{entry.name}/{file.name}", file.path)
                for file in below
                if not file.is_dir(follow_symlinks=False)
            )
