"""Keeps the witness beside the journal: small marks of which journal it was and how far it had come, written before each hand-over.

Whoever deletes the journal, puts an older copy back, brings another one or copies the workspace leaves the marks as they are: then
nothing starts, for orders that went out would go out again. A mark is overwritten in place and not flushed: one that lags behind proves
less, never wrongly, because the journal had committed before.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import platform
import sqlite3
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy.exc import DBAPIError

from orderdrop.archive.day import days_in
from orderdrop.config.gateways import GatewaySettings, GoldminerSettings
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.errors import JournalError
from orderdrop.journal.journal import JOURNAL_ID, Journal, reading_engine
from orderdrop.journal.lookups import BATCHES_FROM, DROPS_FROM
from orderdrop.system.failpoint import reach

log = logging.getLogger(__name__)

NAME: Final = "journal.mark"
SIZE: Final = 512
"""Every mark has this length, so that one write replaces all of the one before."""


class Mark(NamedTuple):
    """drop, batch: the highest that was handed over, and committed before. seat, term and commits are for several routers: 0.

    place and file tell a copied workspace from one that was moved or renamed: a digest of the computer's name and the folder, and the
    mark's own number in its file system. host is for people.
    """

    journal: str
    drop: int
    batch: int
    seat: int = 0
    term: int = 0
    commits: int = 0
    place: str = ""
    host: str = ""
    file: int = 0


class Standing(NamedTuple):
    """How far a journal has come. id: "" of one that is older than its own id."""

    id: str
    drop: int
    batch: int


class Seen(NamedTuple):
    """One mark as it stands; mark: None when it does not read."""

    path: Path
    mark: Mark | None


class Testimony(NamedTuple):
    """What the witnesses say. zh, en: why nothing may start, "" when it may; about: what is known, a line each.

    drop, batch: the highest that any of them has seen. unreadable: marks that do not read.
    """

    zh: str
    en: str
    about: list[str]
    drop: int
    batch: int
    unreadable: list[Path]

    @property
    def sentence(self) -> str:
        return "\n".join([f"{self.zh} / {self.en}", *(f"  {line}" for line in self.about), _REMEDY])


_REMEDY: Final = (
    "  没有启动：已送出的委托可能再送一次。放回原来的日志库；确实找不回时，先在终端核对，再运行 orderdrop adopt\n"
    "  Nothing was started, for orders that went out might go out again. Put the right journal back; if there is none, look into the"
    " terminal, then run `orderdrop adopt`"
)


# marks


def pack(mark: Mark) -> bytes:
    # By hand, a third of the time: it stands in the way of every hand-over.
    return (
        f'{{"journal": "{mark.journal}", "drop": {mark.drop}, "batch": {mark.batch}, "seat": {mark.seat}, "term": {mark.term}, '
        f'"commits": {mark.commits}, "place": "{mark.place}", "host": {json.dumps(mark.host)}, "file": {mark.file}, '
        f'"check": {_check(mark)}}}'
    ).encode().ljust(SIZE - 1) + b"\n"


def unpack(data: bytes) -> Mark | None:
    """None when it was torn, or is none of ours."""
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        values = json.loads(data)
        check, mark = values.pop("check"), Mark(**values)
        if check == _check(mark):
            return mark
    return None


def _check(mark: Mark) -> int:
    return zlib.crc32(repr(tuple(mark)).encode("utf-8", "surrogatepass"))


def mark_paths(settings: Settings, workspace: Workspace) -> dict[str, Path]:
    """Where the marks stand: "" for the workspace's own, and one for each gateway, beside what it keeps of its own."""
    own = {name: _path_of(name, values, workspace) for name, values in settings.gateways.items()}
    return {"": workspace.state / NAME, **own}


def _path_of(name: str, values: GatewaySettings, workspace: Workspace) -> Path:
    if isinstance(values, GoldminerSettings):
        return values.below(workspace.root).staging / NAME
    return workspace.state / f"{values.type}-{name}.mark"


class Marks:
    """The marks of a running router. Used from its thread; what cannot be written is said once, and stops no order."""

    def __init__(self, paths: Mapping[str, Path], root: Path) -> None:
        self._paths = paths
        self._root = root
        self._files: dict[str, FileIO] = {}
        self._numbers: dict[str, int] = {}
        self._mark = Mark("", 0, 0)
        self._failed: set[str] = set()

    def open(self, standing: Standing) -> None:
        """Set all marks anew, on disk. Call when the witnesses have been heard."""
        self.close()
        self._mark = Mark(
            standing.id, standing.drop, standing.batch, place=place_of(self._root), host=platform.node()[:64]
        )
        for key in self._paths:
            self._write(key, durable=True)

    def advance(self, gateways: Collection[str], drop: int, batch: int) -> None:
        """Before a hand-over to these gateways of what is committed."""
        drop, batch = max(drop, self._mark.drop), max(batch, self._mark.batch)
        self._mark = self._mark._replace(drop=drop, batch=batch)
        for key in ("", *gateways):
            self._write(key)
            reach("mark.written")

    def close(self) -> None:
        while self._files:
            with contextlib.suppress(OSError):
                self._files.popitem()[1].close()

    def _write(self, key: str, *, durable: bool = False) -> None:
        if not self._mark.journal or key not in self._paths:
            return
        try:
            file = self._files.get(key) or self._opened(key)
            file.seek(0)
            file.write(pack(self._mark._replace(file=self._numbers[key])))
            if durable:
                os.fsync(file.fileno())
            self._failed.discard(key)
        except OSError as error:
            with contextlib.suppress(OSError, KeyError):
                self._files.pop(key).close()
            if key not in self._failed:
                log.warning("见证写不了 / the mark cannot be written: %s: %s", self._paths[key], error)
            self._failed.add(key)

    def _opened(self, key: str) -> FileIO:
        path = self._paths[key]
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        self._files[key] = file = FileIO(handle, "r+")
        self._numbers[key] = os.fstat(handle).st_ino
        return file


def place_of(root: Path) -> str:
    about = f"{platform.node()}\n{root.resolve()}"
    return hashlib.blake2b(about.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def read_marks(paths: Iterable[Path]) -> list[Seen]:
    """Those that are there. Raises OSError for one that cannot be opened now."""
    found = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found.append(Seen(path, unpack(path.read_bytes())))
    return found


# the journal


def standing_of(url: str, root: Path) -> Standing | None:
    """Asks, changes nothing; None when there is no journal. Raises JournalError when it cannot be read."""
    if not Journal(url, root).path.exists():
        return None
    engine = reading_engine(url, root)
    try:
        with engine.connect() as connection:
            ask = connection.exec_driver_sql
            if not ask("SELECT 1 FROM sqlite_master WHERE name = 'meta'").first():
                return Standing("", 0, 0)
            numbers = {
                what: max(
                    int(ask(f"SELECT coalesce(max(id), 0) FROM {what}").scalar_one()),
                    int(ask("SELECT value FROM meta WHERE key = ?", (key,)).scalar() or 0),
                )
                for what, key in (("drops", DROPS_FROM), ("batches", BATCHES_FROM))
            }
            name = ask("SELECT value FROM meta WHERE key = ?", (JOURNAL_ID,)).scalar()
            return Standing(str(name or ""), numbers["drops"], numbers["batches"])
    except DBAPIError as error:
        raise JournalError(f"日志库读不出来 / the journal cannot be read: {error.orig}") from error
    finally:
        engine.dispose()


# what the witnesses say


def hear(settings: Settings, workspace: Workspace) -> Testimony:
    """Whether the journal is the one that was here. Changes nothing. Raises JournalError when it cannot be read, OSError."""
    path = Journal(settings.journal.url, workspace.root).path
    # The marks first: a router that runs commits before it marks.
    seen = read_marks(mark_paths(settings, workspace).values())
    standing = standing_of(settings.journal.url, workspace.root)
    marks = [
        (one.path, one.mark) for one in seen if one.mark is not None and (one.mark.drop or one.mark.batch)
    ]
    unreadable = [one.path for one in seen if one.mark is None]
    about = [_told(*one) for one in marks]
    about += [f"{one}: 读不出 / does not read" for one in unreadable]
    drop = max((mark.drop for _path, mark in marks), default=0)
    batch = max((mark.batch for _path, mark in marks), default=0)

    def say(zh: str, en: str, more: Iterable[str] = ()) -> Testimony:
        return Testimony(zh, en, [*about, *more], drop, batch, unreadable)

    if standing is None or not (standing.drop or standing.batch):
        if standing and not marks and any(one.mark and one.mark.journal == standing.id for one in seen):
            return say("", "")  # it has not come far, and nobody says otherwise
        traces = list(_traces(settings, workspace))
        if not (marks or unreadable or traces):
            return say("", "")
        if standing is None:
            return say(f"日志库不见了：{path}", f"the journal is missing: {path}", traces)
        return say(f"日志库是空的：{path}", f"the journal is empty: {path}", traces)
    about.insert(
        0, f"日志库 / the journal: {standing.id[:8] or '?'}, drop {standing.drop}, batch {standing.batch}"
    )
    if any(mark.journal != standing.id for _path, mark in marks):
        return say(
            f"日志库不是原来的那一个：{path}", f"the journal is not the one that was here: {path}",
            _traces(settings, workspace),
        )  # fmt: skip
    if drop > standing.drop or batch > standing.batch:
        return say(
            f"日志库比见证旧：{path}", f"the journal is older than what witnesses it: {path}", _traces(settings, workspace)
        )  # fmt: skip
    if (copied := _copied_from(workspace)) is not None:
        return say(
            f"工作区是复制来的，原来在 {copied}，那边可能仍在送单",
            f"the workspace was copied from {copied}, where orders may still be going out",
        )
    return say("", "")


def _told(path: Path, mark: Mark) -> str:
    return f"{path}: {mark.journal[:8]}, drop {mark.drop}, batch {mark.batch}"


def _copied_from(workspace: Workspace) -> str | None:
    """A copy is another file in another place; a folder that was renamed keeps its files, and a file that was restored its place."""
    path = workspace.state / NAME
    try:
        mark, number = unpack(path.read_bytes()), path.stat().st_ino
    except OSError:
        return None
    if mark is None or not (mark.file and number and mark.place) or mark.file == number:
        return None
    return mark.host or "?" if mark.place != place_of(workspace.root) else None


def _traces(settings: Settings, workspace: Workspace) -> Iterator[str]:
    """What else stands there of orders that were taken, a line each."""
    days = [
        day
        for day, kept in days_in(workspace.archive).items()
        if any(name.startswith(("drops/", "sent/")) for name in kept.names())
    ]
    if days:
        yield f"归档 / the archive: {len(days)} 天/days, {days[0]} … {days[-1]}"
    receipts = sum(1 for _ in workspace.receipts.glob("*.receipt.csv"))
    if receipts:
        yield f"回执 / receipts: {receipts}"
    for name, values in settings.gateways.items():
        if isinstance(values, GoldminerSettings):
            ledgers = sorted(values.below(workspace.root).staging.glob("handed-*.log"))
            lines = [line for ledger in ledgers for line in ledger.read_text("utf-8", "replace").split()]
            if lines:
                yield f"{name}: 暂存记录 / staging's ledger: {len(lines)} 个文件/files, {ledgers[-1].name}"
        else:
            count, last = _kept_by(workspace.state / f"{values.type}-{name}.db")
            if count:
                yield f"{name}: {count} 笔委托/orders, {last}"


def _kept_by(path: Path) -> tuple[int, str]:
    """Of a gateway's own file: how many orders it holds, and the last day of them."""
    if not path.exists():
        return 0, ""
    day = "trade_day" if path.name.startswith("paper") else "day"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as kept:
            count, last = kept.execute(f"SELECT count(*), max({day}) FROM orders").fetchone()
            return int(count), str(last)
    except sqlite3.Error:
        return 0, ""
