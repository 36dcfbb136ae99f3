"""Something fails while the day changes, or over night: the router lives on, tells it, and neither forgets nor trades what is stale."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from builders import FRIDAY
from file_desk import buys

from orderdrop.errors import JournalError
from orderdrop.system.clock import FixedClock

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
DAY = timedelta(days=1).total_seconds()


def row(sid: str, symbol: str = "SHSE.600000") -> str:
    return f"{HEADER}{sid},acc,{symbol},100,1,1,10.35\n"


def faults(desk) -> set[str]:
    """What a few turns complain of, from the first complaint on."""
    found: list[str] = []
    deadline = time.monotonic() + 60
    while len(found) < 5 and time.monotonic() < deadline:
        time.sleep(0.002)
        done = desk.open().turn(lambda _round: None)
        if found or done.fault:
            found.append(done.fault)
    return set(found)


class Broken:
    """The journal takes nothing while it is broken."""

    def __init__(self, desk, monkeypatch) -> None:
        self._journal = desk.open().journal
        self._real = self._journal.transaction
        self._monkeypatch = monkeypatch

    def breaks(self) -> None:
        def fail():
            raise JournalError("the disk is full")

        self._monkeypatch.setattr(self._journal, "transaction", fail)

    def is_mended(self) -> None:
        self._monkeypatch.setattr(self._journal, "transaction", self._real)


def test_day_when_the_journal_fails_as_it_begins_is_begun_once_that_is_mended(trade, monkeypatch, caplog):
    clock = FixedClock(FRIDAY)
    desk = trade({"a.csv": row("A1", "SHSE.018014")}, clock)
    journal = Broken(desk, monkeypatch)
    journal.breaks()
    clock.advance(DAY)
    desk.put({"b.csv": row("B1")})
    assert faults(desk) == {"the disk is full"}
    assert caplog.text.count("no new orders are taken") == 1
    journal.is_mended()
    desk.route()
    assert desk.statuses() == {"A1": "expired", "B1": "filled"}


def test_day_when_the_clock_goes_back_takes_nothing_and_goes_on_once_it_is_right_again(trade, caplog):
    clock = FixedClock(FRIDAY)
    desk = trade({}, clock)  # nothing is dropped on Friday
    clock.advance(DAY)
    desk.route({"a.csv": row("A1")})
    clock.advance(-DAY)
    desk.put({"b.csv": row("B1")})
    assert all("clock" in fault for fault in faults(desk))
    assert desk.statuses() == {"A1": "filled"}
    clock.advance(DAY)
    desk.route()
    assert desk.statuses() == {"A1": "filled", "B1": "filled"}


def test_day_when_calendar_csv_does_not_read_as_it_begins_is_begun_and_takes_no_orders(trade):
    clock = FixedClock(FRIDAY)
    switches = {"clock_jump": 0}
    desk = trade(
        {}, clock, limits={"as_live": True}, calendar={"extra_open": ["2026-11-20"]}, switches=switches
    )
    (desk.root / "calendar.csv").write_text("what is this\n", encoding="utf-8")
    clock.advance(3 * DAY)
    desk.route({"a.csv": row("A1")})
    assert desk.outcomes("a.csv") == [("A1", "denied", "CALENDAR_UNKNOWN")]


def test_cancel_when_calendar_csv_does_not_read_goes_out_all_the_same(trade):
    clock = FixedClock(FRIDAY)
    desk = trade({"a.csv": row("A1", "SHSE.018014")}, clock)
    desk.close()
    desk._settings = desk._settings.model_copy(
        update={"limits": desk._settings.limits.model_copy(update={"as_live": True})}
    )
    (desk.root / "calendar.csv").write_text("closed\n2026-10-01\n", encoding="utf-8")
    desk.route()
    (desk.root / "calendar.csv").write_text("what is this\n", encoding="utf-8")
    desk.route({"c.cancel_order.csv": "sid,comment\nA1,\n"})
    assert desk.statuses() == {"A1": "canceled"}


def test_reports_when_drops_cannot_be_taken_are_heard_all_the_same(file_desk, monkeypatch):
    desk = file_desk(habits={"fill_delay": 5.0})
    desk.put({"a.csv": buys(1)})
    desk.later(2)
    assert desk.statuses() == {"S0": "new"}

    def fail(*_, **__):
        raise JournalError("the disk is full")

    monkeypatch.setattr("orderdrop.admission.admission.Admission.admit", fail)
    desk.put({"b.csv": buys(1, first=1)})
    desk.later(10)
    assert desk.statuses() == {"S0": "filled"}


@pytest.mark.parametrize("rewritten", [False, True])
def test_drop_when_it_could_not_be_taken_on_its_day_is_stale_the_next(trade, monkeypatch, rewritten):
    clock = FixedClock(FRIDAY)
    desk = trade({}, clock)

    def fail(*_, **__):
        raise JournalError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("orderdrop.admission.admission.Admission.admit", fail)
        desk.put({"a.csv": row("A1")})
        assert faults(desk) == {"the disk is full"}
        clock.advance(DAY)
        assert faults(desk) <= {"", "the disk is full"}
    if rewritten:
        desk.put({"a.csv": row("A2")})
    desk.route()
    if rewritten:
        assert desk.statuses() == {"A2": "filled"}
    else:
        assert desk.statuses() == {}
        assert desk.receipt("a.csv")[0]["code"] == "FILE_STALE"


def test_router_when_the_day_end_cannot_read_the_journal_lives_on(file_desk, monkeypatch):
    desk = file_desk(live=True)
    desk.clock.advance(7 * 3600)
    app = desk.open()

    def fail(*_, **__):
        raise JournalError("disk I/O error")

    with monkeypatch.context() as broken:
        broken.setattr("orderdrop.reconciliation.day_end.read", fail)
        app.day_end._look_at = 0.0
        desk.later(1)
    assert not app.workspace.closed.exists()
    app.day_end._look_at = 0.0
    desk.later(1)
    assert app.workspace.closed.exists()


def test_receipts_when_a_day_begins_only_in_part_tell_what_expired(trade, monkeypatch):
    clock = FixedClock(FRIDAY)
    desk = trade({"a.csv": row("A1", "SHSE.018014")}, clock)
    app = desk.open()
    app.desk.gateways["paper"].poll = lambda after, _limit: ([], after)

    def fail(*_, **__):
        raise JournalError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(app.router.cancels, "begin", fail)
        clock.advance(DAY)
        assert faults(desk) == {"the disk is full"}
    desk.route()
    assert desk.outcomes("a.csv") == [("A1", "expired", "NEVER_ENDED")]


@pytest.mark.parametrize("keeps_days", [True, False])
def test_hand_over_when_it_was_interrupted_over_night_is_only_called_unsent_by_who_can_know(
    trade, monkeypatch, keeps_days
):
    clock = FixedClock(FRIDAY)
    desk = trade({}, clock)
    gateway = desk.open().desk.gateways["paper"]

    def killed(_batch):
        raise KeyboardInterrupt

    monkeypatch.setattr(gateway, "submit", killed)
    desk.put({"a.csv": row("A1")})
    with pytest.raises(KeyboardInterrupt):
        faults(desk)
    desk.crash()
    monkeypatch.setattr("orderdrop.gateway.paper.gateway.PaperGateway.keeps_days", keeps_days)
    clock.advance(DAY)
    desk.route()
    assert desk.at_broker() == []
    assert desk.outcomes("a.csv") == [("A1", "expired", "DAY_OVER" if keeps_days else "NEVER_CONFIRMED")]
