"""The phases of a day, and what each takes (docs/rules.md, "Sessions")."""

from __future__ import annotations

from datetime import datetime

import pytest
from builders import a_wide_context, an_order
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.domain.refusal import Code
from orderdrop.risk.rules.session import (
    CONTINUOUS,
    TAKES_LIMITS,
    Phase,
    clock_text,
    held_for_time,
    in_time,
    on_trading_day,
    phase_at,
    second_of,
    taken_from,
)
from orderdrop.system.clock import SHANGHAI, to_datetime

LIMIT, MARKET = 1, 2


def at(time: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-20T{time}").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("time", "phase"),
    [
        ("00:00", Phase.BEFORE), ("09:14:59", Phase.BEFORE), ("09:15", Phase.OPENING_CALL), ("09:19:59", Phase.OPENING_CALL),
        ("09:20", Phase.OPENING_CALL_LOCKED), ("09:25", Phase.PAUSE), ("09:29:59", Phase.PAUSE), ("09:30", Phase.MORNING),
        ("11:29:59", Phase.MORNING), ("11:30", Phase.NOON), ("13:00", Phase.AFTERNOON), ("14:56:59", Phase.AFTERNOON),
        ("14:57", Phase.CLOSING_CALL), ("15:00", Phase.CLOSED), ("15:05", Phase.AFTER_HOURS), ("15:30", Phase.CLOSED), ("23:59:59", Phase.CLOSED),
    ],
)  # fmt: skip
def test_phase_when_at_its_boundary(time, phase):
    assert phase_at(second_of(time)) is phase


@pytest.mark.parametrize(
    ("time", "order_type", "taken"),
    [
        ("08:00", LIMIT, "09:15"), ("08:00", MARKET, "09:30"), ("09:22", LIMIT, "09:22"), ("09:22", MARKET, "09:30"), ("09:27", LIMIT, "09:30"),
        ("12:00", LIMIT, "13:00"), ("14:58", LIMIT, "14:58"), ("14:58", MARKET, None), ("15:00", LIMIT, None), ("15:10", LIMIT, None),
    ],
)  # fmt: skip
def test_order_when_at_a_time_is_taken_from(time, order_type, taken):
    assert taken_from(second_of(time), order_type) == (None if taken is None else second_of(taken))


@given(st.integers(min_value=0, max_value=86_399), st.sampled_from([LIMIT, MARKET]))
def test_taken_from_is_the_first_second_that_takes_it(second, order_type):
    takes = TAKES_LIMITS if order_type == LIMIT else CONTINUOUS
    found = taken_from(second, order_type)
    assert found is None or (found >= second and phase_at(found) in takes)
    begins = [b for b in (second, *range(second - second % 60 + 60, 86_400, 60)) if phase_at(b) in takes]
    assert found == (begins[0] if begins else None)


@given(st.integers(min_value=0, max_value=86_399))
def test_clock_text_reads_back(second):
    assert second_of(clock_text(second)) == second


def test_hold_when_too_early_then_due_at_the_opening_of_today():
    hold = held_for_time(an_order(), a_wide_context(at("09:26:10")))
    assert (to_datetime(hold.due), hold.why.code) == (at("09:30"), Code.HELD_SESSION)


def test_hold_when_not_before_then_due_then_and_no_sooner_than_the_session():
    context = a_wide_context(at("10:00"))
    assert to_datetime(held_for_time(an_order(not_before="10:05:00"), context).due) == at("10:05")
    noon = held_for_time(an_order(not_before="12:05:00"), context)
    assert (to_datetime(noon.due), noon.why.code) == (at("13:00"), Code.HELD_SESSION)
    assert held_for_time(an_order(not_before="09:55:00"), context) is None


@pytest.mark.parametrize(
    ("order", "time", "code"),
    [
        (an_order(), "15:00", Code.SESSION_OVER),
        (an_order(order_type=2, price=None), "14:57", Code.SESSION_OVER),
        (an_order(not_after="09:59:59"), "10:00", Code.NOT_AFTER_PASSED),
        (an_order(not_after="10:00:00"), "10:00", None),
        (an_order(not_after="12:30:00"), "11:45", Code.NOT_AFTER_PASSED),
        (an_order(not_before="15:30:00"), "10:00", Code.SESSION_OVER),
        (an_order(not_before="10:30:00", not_after="10:20:00"), "10:00", Code.NOT_AFTER_PASSED),
        (an_order(), "10:00", None),
        (an_order(), "12:00", None),
    ],
)
def test_time_when_there_is_none_left_then_refused(order, time, code):
    refusal = in_time(order, a_wide_context(at(time)))
    assert (refusal and refusal.code) == code


def test_time_when_nothing_is_bound_then_only_what_the_order_asks_counts():
    context = a_wide_context(at("03:00"), bound={"A1": False})
    assert in_time(an_order(), context) is None
    assert held_for_time(an_order(), context) is None
    assert in_time(an_order(not_after="02:00:00"), context).code is Code.NOT_AFTER_PASSED


def test_day_when_closed_or_unknown_then_refused():
    assert on_trading_day(an_order(), a_wide_context(trading_day=False)).code is Code.DAY_CLOSED
    assert on_trading_day(an_order(), a_wide_context(trading_day=None)).code is Code.CALENDAR_UNKNOWN
    assert on_trading_day(an_order(), a_wide_context(trading_day=None, bound={"A1": False})) is None
