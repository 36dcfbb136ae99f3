"""What is in flight, how much may be, and when silence can be a loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.execution.window import Flight, Place, Tracker, Window
from orderdrop.system.clock import Micros

SECOND = 1_000_000
T0 = Micros(1_000 * SECOND)


def at(seconds: float) -> Micros:
    return Micros(T0 + round(seconds * SECOND))


def flights(batch: int, count: int = 3, account: str = "A1", handed: float = 0.0) -> list[Flight]:
    return [
        Flight(batch * 100 + row, f"S{batch}-{row}", account, Place(batch, row), at(handed))
        for row in range(1, count + 1)
    ]


@pytest.fixture
def tracker():
    return Tracker(most=100, timeout=5 * SECOND, silence=60 * SECOND)


def doubted(tracker: Tracker, seconds: float) -> dict[int, bool]:
    """The orders in doubt, and whether each may be lost."""
    return {f.order: doubt.ripe for doubt in tracker.doubts(at(seconds)) for f in doubt.flights}


def test_doubts_when_nothing_is_late_are_none(tracker):
    tracker.add(flights(1))
    assert doubted(tracker, 4.9) == {}


def test_doubts_when_a_later_row_is_confirmed_the_passed_one_may_be_lost(tracker):
    tracker.add(flights(1))
    tracker.confirmed([101, 103], at(1))
    tracker.doubts(at(1))
    assert doubted(tracker, 6) == {102: True}


def test_doubts_when_the_last_row_of_a_file_is_silent_it_waits_for_three_times_the_slowest(tracker):
    tracker.add(flights(1))
    tracker.confirmed([101], at(1))
    tracker.confirmed([102], at(4))
    assert doubted(tracker, 15.9) == {103: False}
    assert doubted(tracker, 16) == {103: True}


def test_doubts_when_nothing_of_a_file_was_seen_it_waits_for_the_long_silence(tracker):
    tracker.add(flights(1, handed=0))
    assert set(doubted(tracker, 59).values()) == {False}
    assert set(doubted(tracker, 60).values()) == {True}


def test_doubts_when_later_rows_are_silent_too_then_passed_ones_may_only_be_late(tracker):
    tracker.add(flights(1))
    tracker.add(flights(2))
    tracker.confirmed([201], at(1))
    tracker.doubts(at(1))
    assert doubted(tracker, 6) == {101: False, 102: False, 103: False, 202: True, 203: True}
    tracker.is_absent([202, 203], at(6))
    assert doubted(tracker, 7) == {101: True, 102: True, 103: True}


def test_doubts_when_another_account_is_confirmed_prove_nothing(tracker):
    tracker.add(flights(1, account="A1"))
    tracker.add(flights(2, account="A2"))
    tracker.confirmed([201, 202, 203], at(1))
    assert doubted(tracker, 6) == {101: False, 102: False, 103: False}


def test_since_when_a_row_was_passed_late_evidence_from_before_does_not_count(tracker):
    tracker.add(flights(1))
    tracker.confirmed([103], at(8))
    (doubt,) = tracker.doubts(at(9))
    assert (doubt.since, {f.order for f in doubt.flights}) == (at(9), {101, 102})


def test_room_when_orders_are_proven_absent_they_take_none(tracker):
    tracker.add(flights(1, count=60))
    assert tracker.room == 40
    tracker.is_absent([101], at(20))
    assert (tracker.window.size, tracker.room) == (50, 0)
    tracker.confirmed(range(102, 132), at(21))
    assert tracker.room == 50 - 29


@given(st.lists(st.sampled_from(["send", "confirm", "lose", "resend", "restart"]), max_size=60), st.randoms())
def test_tracker_whatever_happens_counts_what_is_in_flight(steps, random):
    """Against a set: what left and was neither confirmed nor proven absent takes room."""
    tracker = Tracker(most=40, timeout=5 * SECOND, silence=60 * SECOND)
    live: set[int] = set()
    absent: set[int] = set()
    for number, step in enumerate(steps, 1):
        now = at(number)
        some = {order for order in live if random.random() < 0.5}
        match step:
            case "send":
                new = flights(number, count=random.randint(1, 5), handed=number)
                tracker.add(new)
                live |= {flight.order for flight in new}
            case "confirm":
                some |= {order for order in absent if random.random() < 0.5}
                tracker.confirmed(some, now)
                live, absent = live - some, absent - some
            case "lose":
                tracker.is_absent(some, now)
                live, absent = live - some, absent | some
            case "resend":
                tracker.drop(absent)
                absent = set()
            case "restart":
                known = list(tracker.flights.values())
                tracker.replace(known, [], absent)
        assert set(tracker.flights) - tracker.absent == live
        assert tracker.absent == absent
        assert tracker.room == max(0, tracker.window.size - len(live))
        late = {flight.order for doubt in tracker.doubts(now) for flight in doubt.flights}
        assert late == {o for o in live if now - tracker.flights[o].at >= 5 * SECOND}


def test_window_when_misses_were_handed_over_before_it_was_halved_it_is_not_halved_again():
    window = Window(100)
    window.missed(at(0), at(10))
    window.missed(at(1), at(11))
    assert window.size == 50
    window.missed(at(12), at(25))
    assert window.size == 25


@given(st.integers(1, 1000), st.lists(st.tuples(st.booleans(), st.integers(1, 100)), max_size=100))
def test_window_whatever_happens_stays_between_one_and_its_setting(most, steps):
    window = Window(most)
    for number, (missed, count) in enumerate(steps):
        if missed:
            window.missed(at(number), at(number))
        else:
            window.confirmed(count)
        assert 1 <= window.size <= most


def test_doubts_when_later_ones_are_never_told_then_an_earlier_one_may_be_lost_after_the_long_silence(
    tracker,
):
    """Otherwise two kinds of doubt wait for one another for ever."""
    tracker.add(flights(1, count=2))
    tracker.confirmed([102], at(1))
    tracker.add(flights(2, count=1, handed=2))
    tracker.doubts(at(2))
    assert doubted(tracker, 61.9) == {101: False, 201: False}
    assert doubted(tracker, 62) == {101: True, 201: True}
