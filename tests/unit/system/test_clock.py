"""The clock that the router lives by: it follows the machine's clock, and no single wrong reading of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from builders import FRIDAY
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.system.clock import JUMP, SHANGHAI, STEADY, FixedClock, SteadyClock, SystemClock, trade_date

DAY = timedelta(days=1).total_seconds()
STEADY_FOR = STEADY / 1_000_000


def clocks(may_begin=lambda _day: True, at: datetime = FRIDAY) -> tuple[FixedClock, SteadyClock]:
    machine = FixedClock(at)
    return machine, SteadyClock(machine, may_begin)


@pytest.mark.parametrize("seconds", [0.5, 60, 3 * 3600, DAY, 40 * DAY])
def test_clock_when_time_passes_or_the_machine_has_slept_is_the_machines(seconds):
    machine, steady = clocks()
    machine.advance(seconds)
    assert steady.now() == machine.now()
    assert steady.other_day is None


@pytest.mark.parametrize("seconds", [1, 59, -59])
def test_clock_when_it_is_set_by_a_little_is_believed(seconds):
    machine, steady = clocks()
    machine.jump(seconds)
    assert steady.now() == machine.now()


@pytest.mark.parametrize("days", [1, 30, -1, -400])
def test_clock_when_it_is_set_to_another_day_goes_on_by_the_ticks_and_says_so(days):
    machine, steady = clocks()
    right = FixedClock(FRIDAY)
    machine.jump(days * DAY)
    for clock in (machine, right):
        clock.advance(4)
    assert steady.now() == right.now()
    assert steady.other_day == FRIDAY.date() + timedelta(days=days)
    assert steady.jumped == pytest.approx(days * DAY * 1_000_000)


def test_clock_when_it_comes_back_is_believed_at_once():
    machine, steady = clocks()
    machine.jump(DAY)
    assert trade_date(steady.now()) == FRIDAY.date()
    machine.advance(4)
    machine.jump(-DAY)
    assert steady.now() == machine.now()
    assert (steady.other_day, steady.jumped) == (None, 0)


def test_clock_when_it_stays_where_it_was_set_is_believed_after_a_while_if_that_day_may_begin():
    allowed = {date(2026, 11, 23)}
    machine, steady = clocks(allowed.__contains__)
    machine.jump(3 * DAY)  # to Monday: a guest that was asleep
    assert steady.other_day == date(2026, 11, 23)
    machine.advance(STEADY_FOR - 1)
    assert trade_date(steady.now()) == FRIDAY.date()
    machine.advance(1)
    assert steady.now() == machine.now()


def test_clock_when_it_was_set_to_a_day_that_may_not_begin_is_never_believed():
    machine, steady = clocks(lambda day: day.weekday() < 5)
    machine.jump(DAY)  # to Saturday
    assert steady.other_day == date(2026, 11, 21)
    machine.advance(STEADY_FOR * 3)
    assert trade_date(steady.now()) == FRIDAY.date()


def test_clock_when_it_wanders_about_is_not_steady():
    machine, steady = clocks()
    for days in (1, 2, -1, 3):
        machine.jump(days * DAY)
        assert trade_date(steady.now()) == FRIDAY.date()
        machine.advance(STEADY_FOR - 1)
        assert trade_date(steady.now()) == FRIDAY.date()


def test_clock_when_set_within_its_day_is_believed_after_a_while_whatever_day_it_is():
    machine, steady = clocks(lambda _day: False)
    machine.jump(3600)
    assert steady.other_day is None
    assert steady.jumped
    machine.advance(STEADY_FOR)
    assert steady.now() == machine.now()


@given(st.lists(st.tuples(st.floats(0, 3600), st.floats(-1e6, 1e6)), max_size=20))
def test_clock_when_whatever_happens_to_it_never_loses_its_days_to_one_reading(steps):
    """Two readings, each of another time: neither alone makes another day of it."""
    machine, steady = clocks(lambda _day: False, datetime(2026, 11, 20, 0, 30, tzinfo=SHANGHAI))
    by_ticks = machine.ticks()
    for passed, jumped in steps:
        before = steady.now()
        machine.advance(passed)
        machine.jump(jumped)
        after = steady.now()
        elapsed = machine.ticks() - by_ticks
        by_ticks = machine.ticks()
        believed = after == machine.now()
        assert believed or after - before == elapsed
        if abs(machine.now() - (before + elapsed)) > JUMP and trade_date(machine.now()) != trade_date(
            before + elapsed
        ):
            assert not believed


def test_clock_of_the_machine_counts_on():
    machine = SystemClock()
    before = machine.ticks()
    assert machine.ticks() >= before >= 0
