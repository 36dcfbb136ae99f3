from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta

import pytest

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.service import stopping
from orderdrop.system.clock import SHANGHAI

MONDAY = date(2026, 11, 30)
KNOWN = {"calendar": {"extra_open": [MONDAY], "extra_closed": [MONDAY + timedelta(1)]}}


@pytest.fixture
def here(tmp_path):
    made = Workspace(tmp_path, tmp_path / "inbox")
    made.make()
    return made


def at(clock: str, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), SHANGHAI)


def why(here, now, until=time(15, 45), settings=KNOWN):
    return stopping.why_not_start(Settings.model_validate(settings), here, now, until)


def test_scheduled_start_on_a_trading_day_goes_on(here):
    assert why(here, at("08:40")) is None
    assert why(here, at("15:44")) is None
    assert why(here, at("20:00"), until=None) is None


@pytest.mark.parametrize(
    ("now", "code", "words"),
    [
        (at("15:45"), 0, "past 15:45"),
        (at("08:40", MONDAY + timedelta(1)), 0, "no trading day"),
        (at("08:40", date(2026, 11, 28)), 0, "no trading day"),
        (at("08:40", date(2090, 12, 1)), 1, "calendar --write"),
    ],
)
def test_scheduled_start_that_does_not_start_says_why(here, now, code, words):
    found = why(here, now)
    assert found is not None
    assert (found.code, words in found.en) == (code, True)


def test_stop_keeps_a_schedule_from_starting_until_the_day_is_over(here):
    stopping.ask_to_stop(here, MONDAY)
    assert why(here, at("09:00")).code == 0
    assert "orderdrop stop" in why(here, at("09:00")).en
    wednesday = MONDAY + timedelta(2)
    assert why(here, at("09:00", wednesday), settings={"calendar": {"extra_open": [wednesday]}}) is None
    stopping.take_back(here)
    assert why(here, at("09:00")) is None
    stopping.take_back(here)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"day": 5}'])
def test_request_that_does_not_read_stops_nothing(here, content):
    here.stop_request.write_bytes(content)
    assert not stopping.is_asked_to_stop(here, MONDAY)


def test_what_keeps_it_from_starting_is_said_once_a_day(here):
    one, other = stopping.NoStart(0, "甲", "one"), stopping.NoStart(0, "乙", "other")
    assert stopping.is_first_time(here, MONDAY, one)
    assert not stopping.is_first_time(here, MONDAY, one)
    assert stopping.is_first_time(here, MONDAY, other)
    assert stopping.is_first_time(here, MONDAY + timedelta(1), other)


@pytest.mark.parametrize(
    ("now", "awaits", "ends"),
    [
        ("15:44", False, False),
        ("15:45", False, True),
        ("15:45", True, False),
        ("15:54", True, False),
        ("15:55", True, True),
    ],
)
def test_end_at_an_hour_waits_for_the_close_ten_minutes_at_most(here, now, awaits, ends):
    ending = stopping.Ending(here, at("15:45"))
    assert bool(ending.has_come(at(now), awaits_close=awaits)) is ends


def test_end_when_asked_to_stop_comes_at_once_and_only_on_its_day(here, monkeypatch):
    ticks = [100.0]
    monkeypatch.setattr(stopping.time, "monotonic", lambda: ticks[0])
    ending = stopping.Ending(here, None)
    assert not ending.has_come(at("10:00"), awaits_close=True)
    here.stop_request.write_text(json.dumps({"day": MONDAY.isoformat()}), encoding="utf-8")
    assert not ending.has_come(at("10:00"), awaits_close=True), "not looked at in every turn"
    ticks[0] += 0.5
    assert ending.has_come(at("10:00"), awaits_close=True)
    assert not stopping.Ending(here, None).has_come(at("00:01", MONDAY + timedelta(1)), awaits_close=False)
