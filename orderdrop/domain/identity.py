"""Tells which order is which: the sid as the terminal sees it, and the key under which the journal keeps it."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

SidScope = Literal["forever", "day"]

_FURTHER: Final = 1 << 31  # `max_rows` is below it, so no line of a text file has this bit
_SHEET_ROW_BITS: Final = 21  # a sheet has at most 1,048,576 rows
MOST_SHEETS: Final = 1 << (31 - _SHEET_ROW_BITS)


def wire_sid(sid: str, day: date, scope: SidScope) -> str:
    """The sid that the terminal sees: with a scope of one day it carries the day, so that it stays unique there too."""
    return sid if scope == "forever" else f"{day:%Y%m%d}-{sid}"


def sid_key(wire: str) -> int:
    """64 bits of the sid's hash, signed. Two sids with one key would be refused as a conflict, never taken for one another."""
    return sid_keys([wire])[0]


def sid_keys(wires: Sequence[str]) -> list[int]:
    hashed = hashlib.blake2b
    digests = [hashed(wire.encode(), digest_size=8).digest() for wire in wires]
    return [*struct.unpack(f"<{len(digests)}q", b"".join(digests))]


def day_number(day: date) -> int:
    """20261120 for 2026-11-20: how days are stored."""
    return day.year * 10000 + day.month * 100 + day.day


def from_day_number(number: int) -> date:
    return date(number // 10000, number // 100 % 100, number % 100)


class Spot(NamedTuple):
    """Where a row stands: sheet 0 is a file's only or first table."""

    sheet: int
    row: int


def line_at(spot: Spot) -> int:
    """The number under which a row is kept, in 32 bits: the row itself on the first sheet, with the sheet in front on further ones."""
    return spot.row if not spot.sheet else _FURTHER | spot.sheet << _SHEET_ROW_BITS | spot.row


def spot_of(line: int) -> Spot:
    if not line & _FURTHER:
        return Spot(0, line)
    rest = line ^ _FURTHER
    return Spot(rest >> _SHEET_ROW_BITS, rest & ((1 << _SHEET_ROW_BITS) - 1))
