"""The scan folder: finds files, reads their new rows, takes finished files away. Executes nothing."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

ORDER_SUFFIX: Final = ".order.csv"
CANCEL_SUFFIX: Final = ".cancel_order.csv"
_FIN: Final = ".fin"

_ORDER_COLUMNS: Final = (
    "sid", "account_id", "symbol", "volume", "order_type", "order_business(order_biz)", "price", "comment",
)  # fmt: skip
_CANCEL_COLUMNS: Final = ("sid", "comment")
_OPTIONAL: Final = frozenset({"price", "comment"})


class OrderRow(NamedTuple):
    """A row of an order file, as text. line: the header is line 1. No file: entered by hand."""

    file: str
    line: int
    sid: str
    account_id: str
    symbol: str
    volume: str
    order_type: str
    business: str
    price: str


class CancelRow(NamedTuple):
    file: str
    line: int
    sid: str


class BadRow(NamedTuple):
    file: str
    line: int
    text: str


Row = OrderRow | CancelRow | BadRow


@dataclass(slots=True)
class _Progress:
    """How far a file was read. offset: in bytes, behind the last whole line; skip: lines that an earlier run has done.

    places: where each column stands, None before the header, empty when the header is not one.
    """

    skip: int = 0
    inode: int = 0
    offset: int = 0
    lines: int = 0
    places: dict[str, int] | None = None
    width: int = 0
    finished: bool = False


@dataclass(slots=True)
class Found:
    """What a scan found. rows: new ones, in order; reread, gone: names of files."""

    rows: list[Row] = field(default_factory=list)
    reread: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class ScanFolder:
    """Invariant: a line is given once, unless its file begins anew."""

    def __init__(self, folder: Path, done: dict[str, int]) -> None:
        """done: for each file that may still stand, the line up to which its rows were done in an earlier run."""
        self._folder = folder
        self._files = {name: _Progress(skip=line) for name, line in done.items()}

    def scan(self) -> Found:
        found = Found()
        with os.scandir(self._folder) as entries:
            names = {entry.name for entry in entries if entry.is_file(follow_symlinks=False)}
        for name in [name for name in self._files if name not in names]:
            del self._files[name]
            found.gone.append(name)
        for suffix in (ORDER_SUFFIX, CANCEL_SUFFIX):
            for name in sorted(name for name in names if name.endswith(suffix)):
                self._read(name, f"{name}{_FIN}" in names, found)
        return found

    def take_away(self, archive: Path | None) -> list[str]:
        """Move finished files to `archive`, or delete them; what another program holds open stays until next time."""
        taken = []
        for name in [name for name, progress in self._files.items() if progress.finished]:
            try:
                self._take(self._folder / name, archive)
            except PermissionError:
                continue
            except FileNotFoundError:
                pass
            else:
                taken.append(name)
            del self._files[name]
        return taken

    def _take(self, path: Path, archive: Path | None) -> None:
        if archive is None:
            path.unlink()
        else:
            archive.mkdir(parents=True, exist_ok=True)
            shutil.move(path, _free_name(archive / path.name))
        path.with_name(f"{path.name}{_FIN}").unlink(missing_ok=True)

    def _read(self, name: str, fin: bool, found: Found) -> None:
        """fin: it stood there before the file is read, so what is read now is all."""
        progress = self._files.setdefault(name, _Progress())
        try:
            with (self._folder / name).open("rb") as file:
                stat = os.fstat(file.fileno())
                if progress.offset and (stat.st_size < progress.offset or stat.st_ino != progress.inode):
                    progress = self._files[name] = _Progress()
                    found.reread.append(name)
                progress.inode = stat.st_ino
                file.seek(progress.offset)
                content = file.read()
        except (FileNotFoundError, PermissionError):
            return
        whole = len(content) if fin else content.rfind(b"\n") + 1
        progress.offset += whole
        progress.finished = fin
        for line in content[:whole].splitlines():
            progress.lines += 1
            row = _row(name, line, progress)
            if row is not None and progress.lines > progress.skip:
                found.rows.append(row)


def _row(name: str, line: bytes, progress: _Progress) -> Row | None:
    """None: the header, or an empty line."""
    text = _text(line)
    if not text.strip():
        return None
    try:
        cells = text.split(",") if '"' not in text else next(csv.reader([text]))
    except csv.Error:  # a cell without end
        return BadRow(name, progress.lines, text)
    columns = _ORDER_COLUMNS if name.endswith(ORDER_SUFFIX) else _CANCEL_COLUMNS
    places = _places(cells, columns)
    if places and (progress.places is None or len(cells) == progress.width):
        progress.places, progress.width = places, len(cells)
        return None
    if progress.places is None:
        progress.places = {}
    beyond = (
        columns is _CANCEL_COLUMNS and len(cells) > progress.width
    )  # `SID,comments,` is how clients write it
    if not progress.places or (len(cells) != progress.width and not beyond):
        return BadRow(name, progress.lines, text)
    values = [
        cells[progress.places[column]].strip() if column in progress.places else "" for column in columns
    ]
    if not values[0]:
        return BadRow(name, progress.lines, text)
    if columns is _CANCEL_COLUMNS:
        return CancelRow(name, progress.lines, values[0])
    return OrderRow(name, progress.lines, *values[:7]) if values[1] else BadRow(name, progress.lines, text)


def _places(cells: list[str], columns: tuple[str, ...]) -> dict[str, int]:
    """Where the columns stand, if the cells are a header: `long(short)`, `long` and `short` are the same name."""
    if not any(cell.strip() == "sid" for cell in cells):
        return {}
    at = {_short(cell): place for place, cell in enumerate(cells)}
    places = {column: at[_short(column)] for column in columns if _short(column) in at}
    return places if set(columns) - _OPTIONAL <= set(places) else {}


def _short(name: str) -> str:
    short = name.strip().rpartition("(")[2].rstrip(")")
    return "order_biz" if short == "order_business" else short


def _text(line: bytes) -> str:
    line = line.removeprefix(b"\xef\xbb\xbf")
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("gb18030", errors="replace")


def _free_name(path: Path) -> Path:
    return next(name for name in _numbered(path) if not name.exists())


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    number = 1
    while True:
        yield path.with_name(f"{path.name}.{number}")
        number += 1
