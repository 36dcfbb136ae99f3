"""Owns how bytes become lines of text: byte order mark, else strict UTF-8, else strict GB18030. Guesses nothing.

The first line that is not plain ASCII decides between UTF-8 and GB18030, and the file keeps to it: so the same bytes read the
same in whatever pieces they come. A line that does not decode is told, alone.
"""

from __future__ import annotations

import codecs
from typing import NamedTuple

UTF8, GB18030, UTF16_LE, UTF16_BE = "utf-8", "gb18030", "utf-16-le", "utf-16-be"
CANDIDATES = (UTF8, GB18030)
"""Without a byte order mark, in this order. No byte of either's characters looks like a newline, a comma or a quote."""

_MARKS = ((codecs.BOM_UTF8, UTF8), (codecs.BOM_UTF16_LE, UTF16_LE), (codecs.BOM_UTF16_BE, UTF16_BE))
_NEWLINES = {UTF16_LE: b"\n\0", UTF16_BE: b"\0\n"}


class Lines(NamedTuple):
    """Lines without their ends; None for one that does not decode.

    plain: every line decoded, and none holds a quote, a NUL or a lone CR.
    """

    lines: list[str | None]
    plain: bool


def byte_order_mark(head: bytes) -> tuple[str, int] | None:
    """The encoding that the mark names and the mark's length in bytes."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    return None


def next_line_end(data: bytes, encoding: str | None, start: int = 0) -> int:
    """The offset behind the first newline from `start` on, or the length of data when there is none."""
    if encoding not in _NEWLINES:
        return data.find(b"\n", start) + 1 or len(data)
    at = data.find(_NEWLINES[encoding], start)
    while at % 2 and at > 0:
        at = data.find(_NEWLINES[encoding], at + 1)
    return at + 2 if at >= 0 else len(data)


def last_line_end(data: bytes, encoding: str | None, start: int, stop: int) -> int:
    """The offset behind the last newline in data[start:stop], or `start` when there is none. UTF-16: data begins on a character."""
    if encoding not in _NEWLINES:
        return data.rfind(b"\n", start, stop) + 1 or start
    at = data.rfind(_NEWLINES[encoding], start, stop)
    while at % 2 and at > 0:
        at = data.rfind(_NEWLINES[encoding], start, at + 1)
    return at + 2 if at >= 0 else start


class Decoder:
    """Decodes a file's lines, piece by piece. encoding: None as long as everything was ASCII."""

    __slots__ = ("encoding",)

    def __init__(self, encoding: str | None) -> None:
        self.encoding = encoding

    def decode(self, data: bytes) -> Lines:
        """data: whole lines; the last one may lack its newline."""
        if self.encoding is None and not data.isascii():
            self.encoding = _first_evidence(data)
        try:
            text = data.decode(self.encoding or "ascii")
        except UnicodeDecodeError:
            return Lines([self._line(raw) for raw in self._raw_lines(data)], plain=False)
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        lines: list[str | None] = [*text.split("\n")]
        if not lines[-1]:
            lines.pop()
        return Lines(lines, plain='"' not in text and "\r" not in text and "\0" not in text)

    def _line(self, raw: bytes) -> str | None:
        try:
            return raw.decode(self.encoding or "ascii").replace("\r\n", "\n").removesuffix("\n")
        except UnicodeDecodeError:
            return None

    def _raw_lines(self, data: bytes) -> list[bytes]:
        lines, start = [], 0
        while start < len(data):
            end = next_line_end(data, self.encoding, start)
            lines.append(data[start:end])
            start = end
        return lines


def _first_evidence(data: bytes) -> str | None:
    """What the first readable line that is not ASCII is written in; None when no such line can be read."""
    for line in data.split(b"\n"):
        if line.isascii():
            continue
        for encoding in CANDIDATES:
            if decodes(line, encoding):
                return encoding
    return None


def decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
