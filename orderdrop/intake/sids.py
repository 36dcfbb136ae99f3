"""Owns the names of orders that came without one. The same row of the same file gets the same name, today."""

from __future__ import annotations

import hashlib
from datetime import date


def derived_sid(day: date, key: str, row: int) -> str:
    """For a finished file: the same content dropped twice on a day is one order.

    Args:
        day: the trading day.
        key: sha256 of the drop, in hex.
        row: the line in the file.
    """
    return f"D{day:%Y%m%d}-{key[:12]}-{row}"


class FollowedSids:
    """For a file that is appended to all day: named by what the line says and how often it was said before.

    So rewriting or reordering the file never renames an old row, and a second identical line is a second order.
    One instance counts one reading of the file from its beginning; `restart` before the file is read from its beginning again.
    """

    __slots__ = ("_occurrences", "_prefix", "_salt")

    def __init__(self, day: date, file_name: str) -> None:
        self._prefix = f"F{day:%Y%m%d}"
        self._salt = f"{file_name}\0".encode("utf-8", "surrogatepass")
        self._occurrences: dict[bytes, int] = {}

    def __call__(self, _row: int, line: str) -> str:
        digest = hashlib.blake2b(self._salt + line.encode(), digest_size=8).digest()
        occurrence = self._occurrences[digest] = self._occurrences.get(digest, 0) + 1
        return f"{self._prefix}-{digest.hex()}-{occurrence}"

    def restart(self) -> None:
        self._occurrences.clear()
