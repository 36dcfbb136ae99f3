"""Owns what "now" and "today" mean. Everything else is handed a clock.

The market lives in one time zone without daylight saving, so a fixed offset is exact and needs no zone database.
Instants are stored as whole microseconds since 1970-01-01 UTC and shown in Shanghai time.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from typing import NewType, Protocol

Micros = NewType("Micros", int)
"""Microseconds since 1970-01-01 UTC."""

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    def now(self) -> Micros: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Micros:
        return Micros(time.time_ns() // 1000)


class FixedClock:
    """A clock that stands still until it is told; for replays and tests."""

    def __init__(self, at: datetime) -> None:
        self.at = from_datetime(at)

    def now(self) -> Micros:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at = Micros(self.at + round(seconds * 1_000_000))


def from_datetime(at: datetime) -> Micros:
    """Raises ValueError for a naive datetime: a time without a zone is a guess."""
    if at.tzinfo is None:
        raise ValueError("naive datetime")
    return Micros((at - _EPOCH) // timedelta(microseconds=1))


def to_datetime(at: Micros) -> datetime:
    """The instant in Shanghai time."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(SHANGHAI)


def iso(at: Micros) -> str:
    """`2026-11-20T09:31:01.441803+08:00`, the way 掘金 writes it; the fraction is always there."""
    return to_datetime(at).isoformat(timespec="microseconds")


def trade_date(at: Micros) -> date:
    """The day in Shanghai that an instant belongs to."""
    return to_datetime(at).date()


def instant_of(day: int, time_of_day: str) -> Micros:
    """`09:31:00` in Shanghai, of a day such as 20261120."""
    hours, minutes, seconds = map(int, time_of_day.split(":"))
    at = datetime(day // 10000, day // 100 % 100, day % 100, hours, minutes, seconds, tzinfo=SHANGHAI)
    return from_datetime(at)


def second_of_day(at: Micros) -> int:
    """Seconds since midnight in Shanghai."""
    return (at // 1_000_000 + 8 * 3600) % 86_400
