"""The machine's clock is wrong for a while: no order is ended by it, no drop is lost or stale, cancels and reports go on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from builders import FRIDAY
from file_desk import HEADER, buys

from orderdrop.system.clock import STEADY, FixedClock

DAY = timedelta(days=1).total_seconds()
PENDING = HEADER + "P,A1,SHSE.018014,100,1,1,10\n"
CANCEL = "sid,comment\nP,\n"


def row(sid: str, symbol: str = "SHSE.600000") -> str:
    return f"{HEADER}{sid},acc,{symbol},100,1,1,10.35\n"


def a_turn(desk):
    desk.app.inbox._next_scan = 0.0
    return desk.app.turn(lambda _round: None)


def turns(desk, count: int = 5) -> set[str]:
    return {a_turn(desk).fault for _ in range(count)}


@pytest.mark.parametrize("days", [1, 30, -1])
def test_order_when_the_clock_is_wrong_for_seconds_lives_on_and_its_cancel_reaches_the_terminal(
    file_desk, days
):
    desk = file_desk()
    desk.put({"a.csv": PENDING})
    desk.later(3)
    assert desk.statuses() == {"P": "new"}
    desk.clock.jump(days * DAY)
    desk.later(2, terminal=False)
    assert desk.statuses() == {"P": "new"}
    desk.put({"c.cancel_order.csv": CANCEL})
    desk.later(2, terminal=False)
    assert len(list(desk.scan.glob("*.cancel_order.csv"))) == 1
    desk.clock.jump(-days * DAY)
    desk.put({"b.csv": buys(1)})
    desk.later(5)
    assert desk.statuses() == {"P": "canceled", "S0": "filled"}


def test_drop_when_the_clock_is_a_month_ahead_waits_is_told_and_trades_once_the_clock_is_right(trade, caplog):
    clock = FixedClock(FRIDAY)
    desk = trade({}, clock)
    clock.jump(30 * DAY)
    desk.put({"a.csv": row("A1")})
    (fault,) = turns(desk)
    assert "2026-12-20" in fault
    assert desk.statuses() == {}
    assert caplog.text.count("no new orders are taken") == 1
    clock.jump(-30 * DAY)
    desk.route()
    assert desk.statuses() == {"A1": "filled"}
    assert {row["trade_day"] for row in desk.query("SELECT trade_day FROM drops")} == {20261120}


def test_day_when_a_machine_that_was_off_shows_it_steadily_begins(trade):
    clock = FixedClock(FRIDAY)
    desk = trade({"a.csv": row("A1", "SHSE.018014")}, clock)
    clock.jump(3 * DAY)  # to Monday
    assert turns(desk) != {""}
    assert desk.statuses() == {"A1": "new"}
    clock.advance(STEADY / 1_000_000)
    desk.route({"b.csv": row("B1")})
    assert desk.statuses() == {"A1": "expired", "B1": "filled"}


def test_day_when_the_machine_has_slept_over_night_begins_at_once(trade):
    clock = FixedClock(FRIDAY)
    desk = trade({"a.csv": row("A1", "SHSE.018014")}, clock)
    clock.advance(3 * DAY)
    assert turns(desk) == {""}
    assert desk.statuses() == {"A1": "expired"}


def test_absence_when_the_clock_jumps_is_not_proven_by_it(file_desk):
    """Two looks, ten seconds apart by a clock that was only set."""
    desk = file_desk(resend="auto")
    desk.put({"a.csv": PENDING})
    desk.later(1, terminal=False)
    for path in desk.scan.glob("*.csv*"):
        path.unlink()
    for jump in (3600, -3600, 3600):
        desk.clock.jump(jump)
        desk.later(0.6, terminal=False)
    assert desk.statuses() == {"P": "submitted"}


def test_clock_that_went_back_when_cancels_come_passes_them_on(file_desk):
    """The day of a wrong clock was begun, by a start in it; its orders were given up by the calendar alone."""
    desk = file_desk()
    desk.put({"a.csv": PENDING})
    desk.later(3)
    desk.close()
    desk.clock.jump(30 * DAY)
    desk.put({"b.csv": buys(1)})
    desk.later(1, terminal=False)
    assert desk.statuses()["P"] == "expired"
    desk.clock.jump(-30 * DAY)
    desk.clock.advance(STEADY / 1_000_000 + 1)
    desk.later(1, terminal=False)
    desk.clock.advance(STEADY / 1_000_000 + 1)
    desk.put({"c.cancel_order.csv": CANCEL, "d.csv": buys(1, first=1)})
    desk.later(1, terminal=False)
    assert "gone back" in a_turn(desk).fault
    assert [path.name for path in desk.scan.glob("*.cancel_order.csv")]
    assert "S1" not in desk.statuses()
    desk.later(3)
    assert desk.statuses()["P"] == "canceled"


def test_clock_that_went_back_when_sids_live_a_day_still_finds_the_order_of_the_right_day(file_desk):
    desk = file_desk(inbox={"sid_scope": "day"})
    desk.put({"a.csv": PENDING})
    desk.later(3)
    desk.clock.jump(3 * DAY)
    desk.later(1, terminal=False)
    desk.clock.advance(STEADY / 1_000_000 + 1)
    desk.put({"b.csv": buys(1)})
    desk.later(1, terminal=False)
    assert desk.statuses()["P"] == "expired"
    desk.clock.jump(-3 * DAY)
    desk.later(1, terminal=False)
    desk.clock.advance(STEADY / 1_000_000 + 1)
    desk.put({"c.cancel_order.csv": CANCEL})
    desk.later(1, terminal=False)
    assert "adopt --day-was-wrong" in a_turn(desk).fault
    assert len(list(desk.scan.glob("*.cancel_order.csv"))) == 1
