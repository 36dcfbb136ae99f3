"""Which order is which: the sid as the terminal sees it, and the key under which the journal keeps it."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Literal

SidScope = Literal["forever", "day"]


def wire_sid(sid: str, day: date, scope: SidScope) -> str:
    """The sid that the terminal sees: with a scope of one day it carries the day, so that it stays unique there too."""
    return sid if scope == "forever" else f"{day:%Y%m%d}-{sid}"


def sid_key(wire: str) -> int:
    """64 bits of the sid's hash, signed. Two sids with one key would be refused as a conflict, never taken for one another."""
    return int.from_bytes(hashlib.blake2b(wire.encode(), digest_size=8).digest(), "little", signed=True)


def day_number(day: date) -> int:
    """20261120 for 2026-11-20: how days are stored."""
    return day.year * 10000 + day.month * 100 + day.day


def from_day_number(number: int) -> date:
    return date(number // 10000, number // 100 % 100, number % 100)
