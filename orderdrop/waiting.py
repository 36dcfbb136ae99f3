"""What lies in the inbox, as seen by those who only look: taken, waiting, ignored or not to be taken at all. Changes nothing."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from orderdrop.drop.names import Ignored, is_halt, printable, read_name
from orderdrop.journal.reading import Reading
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
        base = name.rpartition("/")[2]
        if not (is_halt(base) or base.endswith((FIN_SUFFIX, ".lock"))):
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
    known = [drop for drop in reading.drops_by_name(name) if drop.name == name] if reading else []
    here = (
        known[0]
        if known and known[0].archived_as is None and known[0].trade_day == day_number(today)
        else None
    )
    if here is not None and (here.state == "refused" or here.position == status.st_size):
        return Lying(name, Lot.TAKEN, "已接收,等待归档 / taken, it will be archived when it is quiet")
    if said.day is not None and said.day < today:
        return _refused(name, Refusal(Code.FILE_STALE, value=said.day.isoformat(), bound=today.isoformat()))
    if said.day is not None and said.day > today:
        return Lying(
            name, Lot.IGNORED, f"属于 {said.day},那天才接收 / belongs to {said.day}, it is taken on that day"
        )
    if here is not None:
        return Lying(name, Lot.WAITING, "有尚未接收的行 / it holds rows that are not taken yet")
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
