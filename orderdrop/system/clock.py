"""Owns what "now" and "today" mean. Everything else is handed a clock.

The market lives in one time zone without daylight saving, so a fixed offset is exact and needs no zone database.
Instants are stored as whole microseconds since 1970-01-01 UTC and shown in Shanghai time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, NewType, Protocol

Micros = NewType("Micros", int)
"""Microseconds since 1970-01-01 UTC."""

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(1, 1, 2, tzinfo=SHANGHAI)
_LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=SHANGHAI)


class Clock(Protocol):
    def now(self) -> Micros: ...

    def ticks(self) -> int:
        """Microseconds that pass whatever the clock is set to, those asleep as well; from any beginning."""
        ...


if sys.platform == "win32":
    import ctypes

    # time.monotonic() is another counter there in each version of Python; this one is documented to count sleep.
    _tick_count = ctypes.WinDLL("kernel32").GetTickCount64
    _tick_count.restype = ctypes.c_ulonglong

    def ticks_of_machine() -> int:
        return int(_tick_count()) * 1000

else:
    # Linux counts no sleep in CLOCK_MONOTONIC; macOS does, but not in what time.monotonic() asks there.
    _COUNTS_SLEEP: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def ticks_of_machine() -> int:
        return time.clock_gettime_ns(_COUNTS_SLEEP) // 1000


class SystemClock:
    """The machine's clock."""

    def now(self) -> Micros:
        return Micros(time.time_ns() // 1000)

    def ticks(self) -> int:
        return ticks_of_machine()


class FixedClock:
    """A clock that stands still until it is told; for replays and tests. jump: it is set to another time, and none passes."""

    def __init__(self, at: datetime) -> None:
        self.at = from_datetime(at)
        self._jumped = 0

    def now(self) -> Micros:
        return self.at

    def ticks(self) -> int:
        return self.at - self._jumped

    def advance(self, seconds: float) -> None:
        self.at = Micros(self.at + round(seconds * 1_000_000))

    def jump(self, seconds: float) -> None:
        self.advance(seconds)
        self._jumped += round(seconds * 1_000_000)


JUMP: Final = 60_000_000
"""Microseconds by which a clock may be set without being doubted."""

STEADY: Final = 300_000_000
"""Microseconds after which a clock that was set, and has gone on evenly since, is believed."""


class SteadyClock:
    """A clock that nobody can set to another day in an instant: a wrong reading of the machine's clock ends no day and no order.

    As long as the clock and the ticks agree, it is the clock. When the clock has jumped, it goes on by the ticks alone, until the clock
    is back where it should be, or has been steady for STEADY; what that makes another day, `may_begin` must allow, too. Whoever starts
    the program anew takes the clock at its word.
    """

    def __init__(self, clock: Clock, may_begin: Callable[[date], bool] = lambda _day: True) -> None:
        self.machine = clock
        self._may_begin = may_begin
        self._offset = clock.now() - clock.ticks()
        self._other: int | None = None  # the offset that is not believed yet
        self._since = 0  # ticks at which it was first seen

    def now(self) -> Micros:
        wall, ticks = self.machine.now(), self.machine.ticks()
        offset = wall - ticks
        if -JUMP <= offset - self._offset <= JUMP:
            self._offset, self._other = offset, None
            return wall
        return self._doubted(wall, ticks)

    def ticks(self) -> int:
        return self.machine.ticks()

    @property
    def jumped(self) -> int:
        """Microseconds by which the machine's clock is ahead of this one; 0 while it is believed."""
        now = self.now()
        return 0 if self._other is None else self.machine.now() - now

    @property
    def other_day(self) -> date | None:
        """The day that the machine's clock shows, when that is another one and not believed."""
        now = self.now()
        if self._other is None:
            return None
        shown = trade_date(self.machine.now())
        return None if shown == trade_date(now) else shown

    def _doubted(self, wall: Micros, ticks: int) -> Micros:
        offset, steady = wall - ticks, Micros(ticks + self._offset)
        if self._other is None or not -JUMP <= offset - self._other <= JUMP:
            self._since = ticks
        self._other = offset
        if ticks - self._since >= STEADY:
            shown = trade_date(wall)
            if shown == trade_date(steady) or self._may_begin(shown):
                self._offset, self._other = offset, None
                return wall
        return steady


def from_datetime(at: datetime) -> Micros:
    """Raises ValueError for a naive datetime: a time without a zone is a guess."""
    if at.tzinfo is None:
        raise ValueError("naive datetime")
    return Micros((at - _EPOCH) // timedelta(microseconds=1))


def to_datetime(at: Micros) -> datetime:
    """The instant in Shanghai time; what no calendar has is its first or last: a journal may hold what a terminal once told."""
    try:
        return (_EPOCH + timedelta(microseconds=at)).astimezone(SHANGHAI)
    except OverflowError:
        return _LAST if at > 0 else _FIRST


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
