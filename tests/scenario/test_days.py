"""A trading day ends and another one begins: nothing stale trades, nothing is told twice, nothing is forgotten."""

import time
from datetime import datetime, timedelta

import pytest

from orderdrop.errors import JournalError
from orderdrop.system.clock import FixedClock, SystemClock, to_datetime

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"


def row(sid: str) -> str:
    return f"{sid},acc,SHSE.600000,100,1,1,10.35\n"


def cancel(sid: str) -> str:
    return f"sid,comment\n{sid},\n"


@pytest.fixture
def clock():
    return FixedClock(today())


def today() -> datetime:
    return to_datetime(SystemClock().now())


def next_day(clock: FixedClock, days: int = 1) -> None:
    clock.advance(timedelta(days=days).total_seconds())


def sids(desk) -> list[str]:
    return [sid for sid, *_ in desk.at_broker()]


@pytest.mark.parametrize("restart", [False, True])
def test_held_order_when_the_day_ends_expires_and_its_receipt_says_so(trade, clock, restart):
    desk = trade({"a.csv": HEADER + row("A1")}, clock, inbox={"hold": True})
    if restart:
        desk.crash()
    next_day(clock)
    desk.route().route({"r.release.csv": "sid\nA1\n"})
    assert desk.outcomes("a.csv") == [("A1", "expired", "DAY_OVER")]
    assert desk.outcomes("r.release.csv") == [("A1", "refused", "RELEASE_NOT_HELD")]
    assert desk.at_broker() == []


def test_open_order_when_the_day_ends_expires_at_the_broker_and_here(trade, clock):
    desk = trade({"a.csv": HEADER + row("A1").replace("SHSE.600000", "SZSE.000001")}, clock)
    next_day(clock)
    desk.route()
    assert desk.statuses() == {"A1": "expired"}
    assert [status for *_, status in desk.at_broker()] == ["expired"]


def test_followed_file_when_its_day_is_over_is_archived_and_refuses_later_rows(trade, clock):
    name = f"{today():%Y%m%d}.order.csv"
    desk = trade({name: HEADER + row("A1")}, clock)
    next_day(clock)
    desk.append(name, row("A2"))
    deadline = (
        time.monotonic() + 60
    )  # what came between the last look and the archive is looked for a second later
    while len(desk.route().outcomes(name)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert sids(desk) == ["A1"]
    assert desk.outcomes(name) == [("A1", "filled", ""), ("A2", "error", "DAY_OVER")]
    assert desk.kept()[f"drops/{name}"] == (HEADER + row("A1") + row("A2")).encode()


def test_followed_file_when_its_day_is_over_and_its_last_line_never_ended_is_archived_and_tells_it(
    trade, clock
):
    name = f"{today():%Y%m%d}.order.csv"
    desk = trade({name: HEADER + row("A1")}, clock)
    desk.append(name, row("A2")[:-9])
    desk.route()
    next_day(clock)
    deadline = time.monotonic() + 60  # what is archived is looked at again a second later
    while not (desk.route().kept() and len(desk.outcomes(name)) > 1) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert desk.outcomes(name) == [("A1", "filled", ""), ("", "error", "ROW_TORN")]
    assert desk.kept()[f"drops/{name}"] == (HEADER + row("A1") + row("A2")[:-9]).encode()


def test_sid_when_used_yesterday_is_a_duplicate_for_ever(trade, clock):
    desk = trade({"a.csv": HEADER + row("A1")}, clock)
    for _ in range(3):
        next_day(clock)
        desk.restart().route({f"{clock.at}.csv": HEADER + row("A1")})
    assert sids(desk) == ["A1"]


def test_sid_when_its_scope_is_a_day_trades_once_each_day_under_the_days_name(trade, clock):
    desk = trade({"a.csv": HEADER + row("A1")}, clock, inbox={"sid_scope": "day"})
    desk.route({"b.csv": HEADER + row("A1")})
    first = f"{today():%Y%m%d}-A1"
    assert sids(desk) == [first]
    next_day(clock)
    desk.route({"c.csv": HEADER + row("A1")})
    assert sids(desk) == [first, f"{today() + timedelta(days=1):%Y%m%d}-A1"]


def test_cancel_when_it_names_yesterdays_order_does_not_cancel_todays(trade, clock):
    pending = row("A1").replace("SHSE.600000", "SHSE.018014")
    desk = trade({"a.csv": HEADER + pending}, clock, inbox={"sid_scope": "day"})
    app = desk.open()
    app.desk.gateways["paper"].poll = lambda after, _limit: (
        [],
        after,
    )  # nobody has told yet that it has expired
    yesterday = f"{today():%Y%m%d}-A1"
    next_day(clock)
    desk.route({"b.csv": HEADER + pending})
    desk.route({"c.cancel_order.csv": cancel(yesterday)})
    assert [status for *_, status in desk.at_broker()] == ["expired", "new"]


def test_result_files_when_a_day_begins_do_not_tell_yesterday_again(trade, clock):
    desk = trade({"a.csv": HEADER + row("A1")}, clock)
    desk.close()
    next_day(clock)
    desk.route()
    desk.route({"b.csv": HEADER + row("B1")})
    assert [told["sid"] for told in desk.table("acc/execution_report.csv")] == ["B1"]
    assert {told["sid"] for told in desk.table("acc/order_status_change.csv")} == {"B1"}


def test_drop_when_the_day_has_changed_under_a_running_router_is_not_put_away_at_once(trade, clock):
    desk = trade({}, clock, inbox={"archive_after": 60})
    app = desk.open()
    next_day(clock)
    app.turn(lambda _round: None)
    desk.put({"a.csv": HEADER + row("A1")})
    for _ in range(5):
        app.inbox._next_scan = 0.0
        app.turn(lambda _round: None)
    assert sids(desk) == ["A1"]
    assert (desk.inbox / "a.csv").exists()


def test_clock_when_it_has_gone_back_starts_nothing(trade, clock):
    """Else the sids of the days that are lived twice would be forgotten, and could be doubled."""
    desk = trade({"a.csv": HEADER + row("A1")}, clock)
    next_day(clock, 5)
    desk.route({"b.csv": HEADER + row("B1")})
    desk.close()
    next_day(clock, -5)
    with pytest.raises(JournalError, match="clock"):
        desk.route()


def test_day_when_its_folder_cannot_be_closed_does_not_stop_the_next_one(trade, clock, monkeypatch):
    desk = trade({"a.csv": HEADER + row("A1")}, clock)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("orderdrop.archive.filing.write_manifest", full)
    next_day(clock)
    desk.route({"b.csv": HEADER + row("B1")})
    assert sids(desk) == ["A1", "B1"]
