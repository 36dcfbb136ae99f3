"""Cuts a terminal's csv file into records and cells. Pure.

A record counts when its newline is there and its fields are as many as the header's; nothing else is believed. dbf has the same
door in dbf.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from orderdrop.domain.goldminer_format import NO_HEADER
from orderdrop.gateway.goldminer.rows import HEADER_BEGINS, BadRow, columns_of

_MOST_LINES: Final = 8
"""A quoted cell (the broker's own words) may hold newlines; a row that runs on longer is a stray quote."""


_OPENS_QUOTE: Final = re.compile(rb'(?:^|,)"')


class Head(NamedTuple):
    """A file's header. raw: its bytes, without the parts that change when rows are added."""

    raw: bytes
    size: int
    columns: dict[str, int]
    width: int
    record_size: int = 0


class Table(Protocol):
    """One format of files."""

    head_moves: bool
    """Whether the header changes when rows are added, and has to be read again."""

    def head(self, data: bytes) -> Head | None:
        """The header at the beginning of `data`; None when it is not whole yet. Raises BadRow when it is none of ours."""
        ...

    def counted(self, data: bytes, size: int) -> int:
        """Up to where a file of `size` bytes that begins with `data` holds rows."""
        ...

    def split(self, head: Head, data: bytes) -> list[bytes]:
        """The whole records at the beginning of `data`; joined they are its beginning."""
        ...

    def cells(self, head: Head, records: Sequence[bytes]) -> list[list[str] | None]:
        """The cells of each record, None where they are not as many as the header's or do not decode."""
        ...


class CsvTable:
    """UTF-8 with or without BOM, LF or CRLF; a line that is not UTF-8 may be GB18030."""

    head_moves = False

    def head(self, data: bytes) -> Head | None:
        size = data.find(b"\n") + 1
        if not size:
            return None
        cells = _decode(data[:size].removeprefix(codecs.BOM_UTF8))
        names = [cell.strip() for cell in cells.rstrip("\r\n").split(",")] if cells is not None else []
        if HEADER_BEGINS not in map(str.lower, names):
            raise BadRow(NO_HEADER)
        return Head(data[:size], size, columns_of(names), len(names))

    def counted(self, data: bytes, size: int) -> int:  # noqa: ARG002  the door's
        return size

    def split(self, head: Head, data: bytes) -> list[bytes]:
        lines = data.split(b"\n")
        lines.pop()  # behind the last newline: nothing, or a row that is being written
        if b'"' not in data:
            return [line + b"\n" for line in lines]
        records, at = [], 0
        while at < len(lines):
            count = _lines_of_record(lines[at : at + _MOST_LINES], head.width)
            if not count:
                break
            records.append(b"\n".join(lines[at : at + count]) + b"\n")
            at += count
        return records

    def cells(self, head: Head, records: Sequence[bytes]) -> list[list[str] | None]:
        joined = b"".join(records)
        try:
            text = joined.decode()
        except UnicodeDecodeError:
            return [_cells(record, head.width) for record in records]
        if '"' in text or "\0" in text:
            return [_cells(record, head.width) for record in records]
        lines = text.replace("\r\n", "\n").split("\n")
        lines.pop()
        rows = [line.split(",") for line in lines]
        return [row if len(row) == head.width else None for row in rows]


def repeats_head(record: bytes) -> bool:
    """Whether a csv record is a header written once more, as a terminal does that is started again on its old file."""
    return record.removeprefix(codecs.BOM_UTF8)[: len(HEADER_BEGINS)].lower() == HEADER_BEGINS.encode()


def _lines_of_record(lines: Sequence[bytes], width: int) -> int:
    """How many lines the first record of `lines` has; 0 when it is not whole yet."""
    if lines[0].count(b'"') % 2 == 0 or not _OPENS_QUOTE.search(lines[0]):
        return 1
    for count in range(2, len(lines) + 1):
        record = b"\n".join(lines[:count])
        if record.count(b'"') % 2 == 0:
            return count if _cells(record, width) is not None else 1
    return 1 if len(lines) == _MOST_LINES else 0


def _cells(record: bytes, width: int) -> list[str] | None:
    text = _decode(record)
    if text is None:
        return None
    # After a power loss NTFS leaves NULs where rows were to be; the terminal goes on behind them.
    line = text.lstrip("\0").removesuffix("\n").removesuffix("\r")
    if "\0" in line:
        return None
    cells = _unquote(line) if line.count('"') % 2 == 0 else line.split(",")
    return cells if len(cells) == width else None


def _unquote(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return line.split(",")


def _decode(data: bytes) -> str | None:
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
