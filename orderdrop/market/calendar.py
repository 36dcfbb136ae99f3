"""Tells which days are trading days: the settings' exceptions, then the workspace's calendar.csv, then exchange_calendars if it is installed.

Refuses to guess: a weekday of a year that none of them knows is neither open nor closed.
"""

from __future__ import annotations

import csv
import warnings
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, Final

from orderdrop.config.sections import CalendarSettings
from orderdrop.errors import ConfigError

HEADER: Final = "closed,note"
_MARKET: Final = "XSHG"
_SATURDAY: Final = 5


class TradingDays:
    """Invariant: a year is known when calendar.csv names a day of it, and then names all its closed weekdays."""

    def __init__(self, settings: CalendarSettings, root: Path) -> None:
        self._settings = settings
        self._path = root / settings.path
        self._stamp: tuple[int, int] | None = None
        self._closed: frozenset[date] = frozenset()
        self._years: dict[int, frozenset[date] | None] = {}

    def is_open(self, day: date) -> bool | None:
        """None: nobody knows. Raises ConfigError when calendar.csv does not read."""
        if day in self._settings.extra_closed:
            return False
        if day in self._settings.extra_open:
            return True
        if day.weekday() >= _SATURDAY:
            return False
        closed = self._closed_in(day.year)
        return None if closed is None else day not in closed

    def may_be_open(self, day: date) -> bool:
        """Whether the day may be a trading day: where nobody knows, or calendar.csv does not read, every weekday may be."""
        try:
            known = self.is_open(day)
        except ConfigError:
            known = None
        return day.weekday() < _SATURDAY if known is None else known

    def knows(self, year: int) -> bool:
        """Raises ConfigError, too."""
        return self._closed_in(year) is not None

    def _closed_in(self, year: int) -> frozenset[date] | None:
        self._refresh()
        named = frozenset(day for day in self._closed if day.year == year)
        if named:
            return named
        if year not in self._years:
            self._years[year] = published(year)
        return self._years[year]

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._stamp, self._closed = None, frozenset()
            return
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            self._closed = _read(self._path)
            self._stamp = stamp


def published(year: int) -> frozenset[date] | None:
    """Returns the weekdays of a year on which exchange_calendars says there is no trading; None when it is not installed or does not know."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says about its own use of pandas is not for our users
        try:
            import exchange_calendars  # noqa: PLC0415  an extra, and heavy

            calendar: Any = exchange_calendars.get_calendar(
                _MARKET, start=first.isoformat(), end=last.isoformat()
            )
        except (ImportError, ValueError):  # not there, or behind the last day that it has data for
            return None
    sessions = {session.date() for session in calendar.sessions}
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return frozenset(day for day in days if day.weekday() < _SATURDAY and day not in sessions)


def calendar_text(closed: frozenset[date]) -> str:
    return "".join([f"{HEADER}\n", *(f"{day.isoformat()},\n" for day in sorted(closed))])


def days_in(path: Path) -> frozenset[date]:
    """Returns the closed days in a calendar.csv, none when there is no such file. Raises ConfigError."""
    return _read(path) if path.exists() else frozenset()


def _read(path: Path) -> frozenset[date]:
    days = set()
    rows = csv.reader(StringIO(path.read_text(encoding="utf-8-sig", errors="replace")))
    for number, cells in enumerate(rows, start=1):
        if not cells or not cells[0].strip() or cells[0].strip().lower() in {"closed", "休市日"}:
            continue
        try:
            days.add(date.fromisoformat(cells[0].strip()))
        except ValueError:
            raise ConfigError(
                f"{path}: 第 {number} 行不是日期 / line {number} is not a day such as 2027-01-01: {cells[0]}"
            ) from None
    return frozenset(days)
