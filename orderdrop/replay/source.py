"""Finds what is to be played: the drops of a day as they lie in the archive, cut where they came in, or a file of anybody's."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple

from orderdrop.archive.day import Archived
from orderdrop.config.workspace import FIN_SUFFIX, Workspace
from orderdrop.domain.codes import Code
from orderdrop.domain.identity import day_number, from_day_number
from orderdrop.errors import ConfigError
from orderdrop.inbox.names import Name, read_name
from orderdrop.inbox.names import printable as plain
from orderdrop.intake.encoding import byte_order_mark
from orderdrop.journal.reader import Reading
from orderdrop.system.clock import SHANGHAI, Micros, from_datetime, trade_date
from orderdrop.views.orders import line_of

_DAY: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_OPENING: Final = time(9, 30, tzinfo=SHANGHAI)


class Part(NamedTuple):
    """Bytes that came in at one instant."""

    at: Micros
    content: bytes


class Played(NamedTuple):
    """A drop to be played. name: path below the inbox. drop_id: the one that it was, None for a file that no journal knows.

    rows: for a drop that was written anew, the line that each of its lines was; None: the same. header: of a drop that was written
    anew; it belongs before its first part, or, where each part becomes a drop, before each.
    """

    name: str
    parts: tuple[Part, ...]
    drop_id: int | None = None
    fin: bool = False
    rows: tuple[int, ...] | None = None
    header: bytes = b""

    @property
    def strategy(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def content(self) -> bytes:
        return self.header + b"".join(part.content for part in self.parts)


class Source(NamedTuple):
    """drops: in the order in which they came. missing: names of those that cannot be played, with the reason."""

    day: date
    drops: list[Played]
    missing: list[tuple[str, str]]


def read_source(what: str, workspace: Workspace, reading: Reading | None) -> Source:
    """what: a day, or a path. Raises ConfigError when there is nothing of the kind."""
    path = Path(what)
    day = _day(what) or (_day(path.name.removesuffix(".zip")) if path.exists() and _is_day(path) else None)
    if day is not None:
        return _of_day(day, workspace, reading)
    if not path.is_file():
        raise ConfigError(
            f"没有这个日期或文件 / neither a day nor a file: {what}\n  例如 / such as 2026-11-20, archive/2026-11-20/drops/basket.csv"
        )
    return _of_file(path, workspace, reading)


def _is_day(path: Path) -> bool:
    return path.is_dir() or path.suffix == ".zip"


def _day(text: str) -> date | None:
    matched = _DAY.fullmatch(text)
    try:
        return date(*map(int, matched.groups())) if matched else None
    except ValueError:
        return None


def _of_day(day: date, workspace: Workspace, reading: Reading | None) -> Source:
    drops = reading.drops_of_day(day_number(day)) if reading else []
    if not drops or reading is None:
        raise ConfigError(f"{day} 没有收到过文件 / no drops came in on this day")
    return _of_drops(day, drops, workspace, reading)


def _of_file(path: Path, workspace: Workspace, reading: Reading | None) -> Source:
    """As the journal knows it if it lies in this workspace's archive; else it is played as a drop of its own."""
    path = path.absolute()
    if reading is not None and path.is_relative_to(workspace.root):
        below = path.relative_to(workspace.root).as_posix()
        known = [drop for drop in reading.drops_archived_as(below) if drop.archived_as == below]
        if known:
            return _of_drops(from_day_number(known[-1].trade_day), known[-1:], workspace, reading)
    said = read_name(path.name)
    written = Micros(path.stat().st_mtime_ns // 1000)
    day = said.day if isinstance(said, Name) else None
    if day is not None and trade_date(written) != day:
        written = from_datetime(datetime.combine(day, _OPENING))
    drop = Played(path.name, (Part(written, path.read_bytes()),), fin=True)
    return Source(trade_date(written), [drop], [])


def _of_drops(day: date, drops: Sequence[Any], workspace: Workspace, reading: Reading) -> Source:
    found, missing = [], []
    files = Archived(workspace.day(day))
    for drop in drops:
        kept = _content(drop, workspace, files)
        if isinstance(kept, str):
            missing.append((drop.name, kept))
            continue
        content, fin = kept
        found.append(Played(drop.name, tuple(_parts(drop, content, reading)), drop.id, fin))
    found.sort(key=lambda played: (played.parts[0].at, played.drop_id or 0))
    return Source(day, found, missing)


def _content(drop: Any, workspace: Workspace, files: Archived) -> tuple[bytes, bool] | str:
    """What was taken of a drop, and whether a `.fin` spoke for it; else why that cannot be said."""
    if drop.reason_code in {Code.FILE_LINK, Code.FILE_NAME}:
        return "不是普通文件 / it was no plain file"
    prefix = f"archive/{files.folder.name}/"
    where = drop.archived_as or ""
    if where.startswith(prefix) and files.has(where.removeprefix(prefix)):
        name = where.removeprefix(prefix)
        content, fin = files.read(name), files.has(name + FIN_SUFFIX)
    else:
        path = workspace.root / where if where else workspace.inbox / drop.name
        if not path.is_file():
            return f"文件不在了 / the file is gone: {plain(where or drop.name)}"
        content, fin = path.read_bytes(), path.with_name(path.name + FIN_SUFFIX).exists()
    if drop.reason_code:
        return content, fin
    taken = content[: drop.position]
    if drop.sha256 and hashlib.sha256(taken).hexdigest() != drop.sha256:
        return "之后被改写过 / it was rewritten afterwards"
    return taken, fin


def _parts(drop: Any, content: bytes, reading: Reading) -> Iterator[Part]:
    """Cut where rows came in at another instant, as a file that is appended to all day."""
    cuts = sorted(_instants(drop, reading).items())
    if byte_order_mark(content) and not content.startswith(b"\xef\xbb\xbf"):
        cuts = []  # UTF-16: never appended to
    *whole, rest = content.split(b"\n")
    lines = [line + b"\n" for line in whole] + [rest]
    groups = [(at, [line for line, _at in group]) for at, group in groupby(cuts, itemgetter(1))]
    if len(groups) < 2:
        yield Part(Micros(groups[0][0] if groups else drop.received_at), content)
        return
    begin = 0
    for number, (at, _rows) in enumerate(groups):
        end = groups[number + 1][1][0] - 1 if number + 1 < len(groups) else len(lines)
        yield Part(Micros(at), b"".join(lines[begin:end]))
        begin = end


def _instants(drop: Any, reading: Reading) -> dict[int, int]:
    """When each line came in, as far as the journal knows: by an order's first event, or when an instruction was carried out."""
    found = {line_of(order): at for order, at in reading.first_events(drop.id)}
    said = read_name(drop.name.rpartition("/")[2])
    if isinstance(said, Name) and said.followed:
        for asked in reading.instructions_of_drop(drop.id):
            found[line_of(asked.id)] = max(asked.updated_at, drop.received_at)
    return found
