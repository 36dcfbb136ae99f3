"""Owns how a line becomes cells. One line is one row: a quote that does not close hurts its own line and swallows no other.

Never pandas: one stray trailing comma makes it shift every column.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import NamedTuple

from orderdrop.domain.refusal import Code, Refusal
from orderdrop.intake.encoding import Lines

COMMA, TAB, SEMICOLON = ",", "\t", ";"
DELIMITERS = (COMMA, TAB, SEMICOLON)

CLIP = 200
"""Characters of a bad value that go into a refusal."""

Oddity = str | Refusal
"""Of one row: a note on what was mended, or why it is refused."""


class Odd(NamedTuple):
    """The cells of a row, with what there is to say about them besides what their texts say."""

    cells: list[str]
    oddities: Sequence[Oddity]


Line = list[str] | Odd | Refusal
"""What a line was split into, or why it cannot be."""

_WHOLE_LINE = "此行 line"


def split_lines(text: Lines, delimiter: str) -> list[list[str] | Refusal]:
    """The cells of each line, or why it has none."""
    if text.plain:
        return [line.split(delimiter) for line in text.lines]  # type: ignore[union-attr]  # plain: none is None
    return [split_line(line, delimiter) for line in text.lines]


def split_line(line: str | None, delimiter: str) -> list[str] | Refusal:
    if line is None:
        return Refusal(Code.ROW_ENCODING)
    if "\0" in line:
        return Refusal(Code.ROW_NUL)
    if "\r" in line:
        return Refusal(Code.VALUE_CONTROL, column=_WHOLE_LINE, value=line[:CLIP])
    return _unquote(line, delimiter) if '"' in line else line.split(delimiter)


def _unquote(line: str, delimiter: str) -> list[str] | Refusal:
    if line.count('"') % 2 == 0:
        try:
            return next(csv.reader([line], delimiter=delimiter, strict=True))
        except csv.Error:
            pass
    return Refusal(Code.ROW_QUOTES, value=line[:CLIP])
