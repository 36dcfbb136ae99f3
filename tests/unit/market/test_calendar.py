"""Which days are trading days: the settings' exceptions, then calendar.csv, then the library."""

from __future__ import annotations

import os
from datetime import date, timedelta

import pytest

from orderdrop.config.sections import CalendarSettings
from orderdrop.errors import ConfigError
from orderdrop.market import calendar
from orderdrop.market.calendar import TradingDays, calendar_text, days_in

THURSDAY, SATURDAY = date(2031, 1, 2), date(2031, 1, 4)


def days(folder, text: str | None = None, **settings) -> TradingDays:
    if text is not None:
        (folder / "calendar.csv").write_text(text, encoding="utf-8")
    return TradingDays(CalendarSettings(**settings), folder)


def test_calendar_when_the_file_names_the_year_then_it_is_known(tmp_path):
    made = days(tmp_path, "休市日,备注\n2031-01-01,元旦\n")
    assert made.is_open(date(2031, 1, 1)) is False
    assert made.is_open(date(2031, 1, 2)) is True
    assert made.is_open(date(2031, 1, 4)) is False  # a Saturday
    assert made.is_open(date(2032, 1, 2)) is None


def test_calendar_when_exceptions_are_set_then_they_win(tmp_path):
    made = days(
        tmp_path, "closed\n2031-01-01\n", extra_closed=[date(2031, 1, 2)], extra_open=[date(2031, 1, 4)]
    )
    assert [made.is_open(date(2031, 1, day)) for day in (1, 2, 3, 4)] == [False, False, True, True]


def test_calendar_when_a_line_is_no_day_then_an_error_that_names_it(tmp_path):
    with pytest.raises(ConfigError, match="line 2"):
        days(tmp_path, "closed\n1.1.2031\n").is_open(date(2031, 1, 2))


def test_calendar_when_written_reads_back(tmp_path):
    closed = frozenset({date(2031, 1, 1), date(2031, 10, 1)})
    made = days(tmp_path, calendar_text(closed))
    assert {
        day for day in (date(2031, 1, 1), date(2031, 10, 1), date(2031, 10, 2)) if made.is_open(day) is False
    } == closed


def test_calendar_when_exchange_calendars_is_there_then_it_knows_the_national_day(tmp_path):
    pytest.importorskip("exchange_calendars")
    made = days(tmp_path)
    assert made.is_open(date(2026, 10, 1)) is False
    assert made.is_open(date(2026, 11, 20)) is True


@pytest.fixture
def no_library(monkeypatch):
    """exchange_calendars is not installed."""
    monkeypatch.setattr(calendar, "published", lambda _year: None)


def test_calendar_when_nobody_knows_the_year_then_a_weekday_is_neither_open_nor_closed(tmp_path, no_library):
    made = days(tmp_path)
    assert made.is_open(THURSDAY) is None
    assert made.may_be_open(THURSDAY)
    assert not made.knows(2031)


def test_calendar_when_nobody_knows_the_year_then_a_weekend_is_closed_all_the_same(tmp_path, no_library):
    made = days(tmp_path)
    assert made.is_open(SATURDAY) is False
    assert not made.may_be_open(SATURDAY)


def test_calendar_when_the_file_names_another_year_then_this_one_stays_unknown(tmp_path, no_library):
    made = days(tmp_path, "closed\n2030-12-31\n")
    assert (made.knows(2030), made.knows(2031)) == (True, False)
    assert made.is_open(THURSDAY) is None


def test_calendar_when_the_file_names_the_year_then_the_library_is_not_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(calendar, "published", lambda _year: frozenset({THURSDAY}))
    assert days(tmp_path, "closed\n2031-01-01\n").is_open(THURSDAY) is True


def test_calendar_when_there_is_no_file_then_the_library_is_asked_once_a_year(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(calendar, "published", lambda year: asked.append(year) or frozenset({THURSDAY}))
    made = days(tmp_path)
    assert [made.is_open(day) for day in (THURSDAY, THURSDAY + timedelta(1))] == [False, True]
    assert asked == [2031]


def test_calendar_when_the_file_changes_while_we_run_then_it_is_read_again(tmp_path, no_library):
    made = days(tmp_path, "closed\n2031-01-01\n")
    assert made.is_open(THURSDAY) is True
    (tmp_path / "calendar.csv").write_text("closed\n2031-01-01\n2031-01-02\n")
    assert made.is_open(THURSDAY) is False


def test_calendar_when_the_file_goes_away_then_it_is_forgotten(tmp_path, no_library):
    made = days(tmp_path, "closed\n2031-01-02\n")
    assert made.is_open(THURSDAY) is False
    (tmp_path / "calendar.csv").unlink()
    assert made.is_open(THURSDAY) is None


def test_calendar_when_the_file_does_not_read_then_a_weekday_may_be_open(tmp_path):
    made = days(tmp_path, "closed\nsoon\n")
    assert made.may_be_open(THURSDAY)
    assert not made.may_be_open(SATURDAY)
    with pytest.raises(ConfigError):
        made.knows(2031)


def test_calendar_when_a_bad_line_is_mended_then_it_reads_again(tmp_path):
    made = days(tmp_path, "closed\nsoon\n")
    assert made.may_be_open(THURSDAY)
    path = tmp_path / "calendar.csv"
    path.write_text("closed\n2031-01-02\n")
    os.utime(path, (1, 1))
    assert made.is_open(THURSDAY) is False


def test_calendar_when_saved_by_excel_then_mark_blank_lines_and_spaces_do_no_harm(tmp_path, no_library):
    (tmp_path / "calendar.csv").write_bytes("\ufeffclosed,note\r\n\r\n 2031-01-02 ,元旦\r\n,\r\n".encode())
    assert days(tmp_path).is_open(THURSDAY) is False


def test_days_in_when_there_is_no_file_then_none(tmp_path):
    assert days_in(tmp_path / "calendar.csv") == frozenset()
