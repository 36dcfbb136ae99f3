"""Writes CSV tables for people: as Excel opens them, with cells that would run as a formula made harmless."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

BOM: Final = b"\xef\xbb\xbf"


def header_bytes(columns: Sequence[str]) -> bytes:
    """How a table begins: UTF-8 with BOM, CRLF."""
    return BOM + rows_bytes([columns])


def rows_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def harmless(cell: object) -> str:
    """The cell as text that a spreadsheet will not run."""
    text = "" if cell is None else str(cell)
    if text[:1] in {"=", "+", "@", "\t", "\r"} or (text[:1] == "-" and not _is_number(text)):
        return f"'{text}"
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
