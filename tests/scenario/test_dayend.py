"""The day ends: the terminal's folders are empty for the next morning, and nothing unconfirmed is taken away unseen."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta

import pytest
from terminal_desk import ACCOUNT, TerminalDesk

from orderdrop.archive.day import MANIFEST, Archived
from orderdrop.errors import GatewayError
from orderdrop.gateway import closures
from orderdrop.system.clock import SHANGHAI, FixedClock
from orderdrop.terminal import Faults, Kind, read_ledger
from orderdrop.views.day import ClosedView

HEADER = "sid,symbol,volume,order_type,order_business,price\n"
FRIDAY = datetime(2026, 11, 20, 15, 0, tzinfo=SHANGHAI)
NATIONAL_DAY = datetime(2026, 10, 1, 15, 31, tzinfo=SHANGHAI)


def rows(*sids: str, symbol: str = "SHSE.600000") -> str:
    return HEADER + "".join(f"{sid},{symbol},100,1,1,10.35\n" for sid in sids)


@pytest.fixture
def desk(tmp_path):
    made = []

    def make(*words, **named) -> TerminalDesk:
        made.append(TerminalDesk(tmp_path / f"w{len(made)}", *words, **named))
        return made[-1]

    yield make
    for one in made:
        one.crash()


def filled(desk: TerminalDesk, *sids: str):
    return lambda: all(desk.statuses().get(sid) == "filled" for sid in sids)


def close(desk: TerminalDesk, grace: float = 0) -> ClosedView:
    app = desk.open()
    app.day_end._grace = grace
    return app.day_end.close(app.router.today)


def open_again(desk: TerminalDesk) -> None:
    """As somebody does who wants to go on after a close."""
    desk.restart_terminal()
    closures.open_again(desk.open().workspace, "gm")
    desk.open().day_end._look_at = 0.0
    desk.open().turn(lambda _round: None)


def executed(desk: TerminalDesk) -> list[str]:
    return [entry.sid for entry in read_ledger(desk.push) if entry.kind is Kind.EXECUTED]


def test_close_when_all_is_done_then_the_folders_are_empty_and_everything_is_in_the_archive(desk):
    desk = desk(inbox={"sid_scope": "day"})
    desk.put({"a.csv": rows("A1", "A2")})
    desk.until(filled(desk, "A1", "A2"))
    closed = close(desk)
    assert closed.well
    assert (closed.dropped, closed.sent, closed.taken, closed.ended, closed.differing) == (2, 2, 2, 2, 0)
    assert (desk.in_scan(), desk.told()) == ([], [])
    day = desk.root / "archive" / closed.day
    kept = {path.name for path in (day / "terminal" / "gm" / "out" / ACCOUNT).iterdir()}
    assert {"order_status_change.csv", "execution_report.csv", "cash.csv"} <= kept
    with (day / "reconciliation.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    assert [(row["sent"], row["taken"], row["status"], row["difference"]) for row in table] == [
        ("1", "1", "filled", "")
    ] * 2
    manifest = (day / MANIFEST).read_text(encoding="utf-8")
    assert "reconciliation.csv" in manifest
    assert f"terminal/gm/out/{ACCOUNT}/cash.csv" in manifest


def test_close_when_an_order_is_open_then_the_files_that_tell_of_it_stay_and_are_told(desk):
    desk = desk()
    desk.put({"a.csv": rows("A1"), "b.csv": rows("B1", symbol="SHSE.018014")})
    desk.until(lambda: desk.statuses() == {"A1": "filled", "B1": "new"})
    closed = close(desk)
    assert not closed.well
    assert closed.open == ["B1"]
    assert [(row.sid, row.difference) for row in closed.differences] == [("B1", "still_open")]
    assert desk.told() == ["order_status.csv", "order_status_change.csv"]
    assert all("B1" in stayed.why for stayed in closed.stayed)
    desk.put({"b.cancel_order.csv": "sid,comment\nB1,\n"})
    desk.until(lambda: desk.statuses()["B1"] == "canceled")
    assert close(desk).well
    assert desk.told() == []


def test_close_when_the_terminal_never_took_a_file_then_its_orders_expire_and_it_can_never_trade_them(desk):
    desk = desk()
    desk.put({"a.csv": rows("A1")})
    desk.until(filled(desk, "A1"))
    desk.asleep = True
    desk.put({"b.csv": rows("B1", "B2")})
    desk.until(lambda: desk.statuses().get("B2") == "submitted")
    closed = close(desk)
    assert closed.taken_back == ["B1", "B2"]
    assert closed.well
    assert {sid: (o["status"], o["reason_code"]) for sid, o in desk.orders().items() if sid > "B"} == {
        "B1": ("expired", "TAKEN_BACK"), "B2": ("expired", "TAKEN_BACK"),
    }  # fmt: skip
    desk.asleep = False
    for _ in range(5):
        desk.terminal.step(desk.clock.now())
    assert executed(desk) == ["A1"]
    desk.close()
    assert desk.outcomes("b.csv") == [("B1", "expired", "TAKEN_BACK"), ("B2", "expired", "TAKEN_BACK")]


def test_close_when_the_terminal_had_read_the_file_before_it_was_taken_back_then_nothing_expires(desk):
    desk = desk()
    desk.put({"a.csv": rows("A1")})
    desk.until(filled(desk, "A1"))
    desk.asleep = True
    desk.put({"b.csv": rows("B1")})
    desk.until(lambda: desk.statuses().get("B1") == "submitted")
    day_end = desk.open().day_end
    day_end._begin(desk.open().router.today)
    assert [back.gateway for back in day_end._back] == ["gm"]
    # What it had in memory already; the file is not there any more.
    (taken,) = (desk.scan.with_name("scan.orderdrop") / "returned").glob("*.order.csv")
    (desk.scan / taken.name).write_bytes(taken.read_bytes())
    for _ in range(3):
        desk.terminal.step(desk.clock.now())
    closed = day_end._finish()
    assert closed.taken_back == []
    assert executed(desk) == ["A1", "B1"]
    desk.until(filled(desk, "B1"))


def test_close_when_it_was_interrupted_behind_a_take_back_then_the_next_one_finishes(desk):
    desk = desk()
    desk.put({"a.csv": rows("A1")})
    desk.until(filled(desk, "A1"))
    desk.asleep = True
    desk.put({"b.csv": rows("B1")})
    desk.until(lambda: desk.statuses().get("B1") == "submitted")
    desk.open().day_end._begin(desk.open().router.today)
    desk.crash()
    assert close(desk).taken_back == ["B1"]
    assert desk.in_scan() == []


def test_router_when_a_close_fails_then_it_is_tried_again(desk, monkeypatch):
    desk = desk()
    desk.put({"a.csv": rows("A1")})
    desk.until(filled(desk, "A1"))
    place, day_end = desk.open().workspace, desk.open().day_end
    place.close_request.write_text(json.dumps({"day": "2026-11-20"}), encoding="utf-8")
    with monkeypatch.context() as broken:
        broken.setattr(day_end, "_archive_day", lambda _day: (_ for _ in ()).throw(OSError(28, "full")))
        desk.until(lambda: day_end._again is not None)
    day_end._look_at = 0.0
    desk.until(place.closed.exists)
    assert day_end._again is None


def test_close_when_the_terminal_has_lost_a_row_then_it_is_named(desk):
    desk = desk(faults=Faults(seed=3, lose=0.3))
    sids = [f"L{n}" for n in range(10)]
    desk.put({"a.csv": rows(*sids)})
    desk.until(lambda: len(executed(desk)) >= 1 and filled(desk, *executed(desk))())
    lost = [entry.sid for entry in read_ledger(desk.push) if entry.kind is Kind.LOST]
    assert lost
    closed = close(desk)
    assert [(row.sid, row.difference) for row in closed.differences] == [(sid, "no_answer") for sid in lost]
    assert closed.open == lost


def test_close_when_it_is_done_twice_then_nothing_is_lost(desk):
    desk = desk()
    for name in ("A1", "B1"):
        desk.put({f"{name}.csv": rows(name)})
        desk.until(filled(desk, name))
        assert close(desk).well
        open_again(desk)
    folder = next((desk.root / "archive").iterdir()) / "terminal" / "gm" / "out" / ACCOUNT
    changes = sorted(path for path in folder.iterdir() if path.name.startswith("order_status_change"))
    assert len(changes) == 2
    assert [
        sid in path.read_text(encoding="utf-8") for sid, path in zip(("A1", "B1"), changes, strict=True)
    ] == [True, True]


def test_close_when_a_folder_fails_then_the_rest_is_done_and_the_fault_is_told(desk, monkeypatch):
    desk = desk()
    desk.put({"a.csv": rows("A1")})
    desk.until(filled(desk, "A1"))

    def away(*_):
        raise GatewayError("the share is away")

    monkeypatch.setattr(desk.open().desk.gateways["gm"], "close_day", away)
    closed = close(desk)
    assert closed.faults == ["the share is away"]
    assert (closed.dropped, closed.differing) == (1, 0)


def test_router_when_it_is_asked_by_a_file_then_it_closes_and_answers(desk):
    desk = desk()
    desk.put({"a.csv": rows("A1")})
    desk.until(filled(desk, "A1"))
    place = desk.open().workspace
    day = desk.open().router.today.isoformat()
    place.close_request.write_text(json.dumps({"day": day}), encoding="utf-8")
    desk.asleep = True
    desk.until(place.closed.exists)
    assert ClosedView.model_validate_json(place.closed.read_bytes()).day == day
    assert not place.close_request.exists()
    assert desk.told() == []


def test_router_when_a_request_cannot_be_read_then_it_goes_on(desk):
    desk = desk()
    desk.open().workspace.close_request.write_bytes(b"{")
    desk.until(lambda: not desk.open().workspace.close_request.exists())
    desk.put({"a.csv": rows("A1")})
    desk.until(filled(desk, "A1"))


@pytest.mark.parametrize(
    ("at", "settings", "live", "closes"),
    [
        (FRIDAY + timedelta(minutes=31), {}, True, True),
        (FRIDAY + timedelta(minutes=29), {}, True, False),
        (FRIDAY + timedelta(minutes=29), {"close": {"at": "15:20"}}, True, True),
        (FRIDAY + timedelta(minutes=31), {"close": {"auto": False}}, True, False),
        (FRIDAY + timedelta(minutes=31), {}, False, False),
        (FRIDAY + timedelta(days=1, minutes=31), {}, True, False),
        (FRIDAY + timedelta(days=1, minutes=31), {"calendar": {"extra_open": ["2026-11-21"]}}, True, True),
        (FRIDAY + timedelta(minutes=31), {"calendar": {"extra_closed": ["2026-11-20"]}}, True, False),
        (NATIONAL_DAY, {}, True, False),
    ],
)
def test_router_when_the_market_has_closed_then_it_closes_by_itself_once(desk, at, settings, live, closes):
    desk = desk(FixedClock(at), gateway={"live": live}, **settings)
    closed = desk.open().workspace.closed

    def look_again() -> None:
        for _ in range(3):
            desk.open().day_end._look_at = 0.0
            desk.open().turn(lambda _round: None)

    look_again()
    assert closed.exists() is closes
    if closes:
        closed.unlink()
        look_again()
        desk.close()
        look_again()
        assert not closed.exists()
        desk.clock.advance(3 * 86400)
        look_again()
        assert closed.exists()


@pytest.mark.parametrize(
    ("calendar", "closes"),
    [("closed,note\n2026-11-20,\n", False), ("closed,note\n2026-11-19,\n", True), ("what is this\n", True)],
)
def test_router_when_calendar_csv_names_the_closed_days_then_it_closes_on_the_others(desk, calendar, closes):
    desk = desk(FixedClock(FRIDAY + timedelta(minutes=31)), gateway={"live": True})
    (desk.root / "calendar.csv").write_text("closed,note\n2026-01-01,\n", encoding="utf-8")
    app = desk.open()
    (desk.root / "calendar.csv").write_text(calendar, encoding="utf-8")
    app.day_end._look_at = 0.0
    app.turn(lambda _round: None)
    app.day_end._look_at = 0.0
    app.turn(lambda _round: None)
    assert app.workspace.closed.exists() is closes


@pytest.mark.parametrize("restart", ["", "close", "crash"])
def test_close_when_it_is_done_then_nothing_goes_into_the_folder_until_somebody_says_so(desk, restart):
    desk = desk()
    desk.put({"a.csv": rows("A1")})
    desk.until(filled(desk, "A1"))
    assert close(desk).well
    if restart:
        getattr(desk, restart)()
    desk.put({"c.csv": rows("C1")})
    desk.until(lambda: desk.query("SELECT * FROM orders WHERE sid = 'C1'"))
    desk.open().chores.finish()
    (refused,) = desk.receipt("c.csv")
    assert (refused["outcome"], refused["code"]) == ("denied", "GATEWAY_CLOSED")
    assert "resume --gateway gm" in refused["remedy"]
    assert (desk.in_scan(), "C1" in executed(desk)) == ([], False)
    open_again(desk)
    desk.put({"d.csv": rows("C1")})
    desk.until(filled(desk, "C1"))


def test_close_when_orders_wait_then_they_expire_with_the_day(desk):
    desk = desk(inbox={"hold": True})
    desk.put({"a.csv": rows("A1")})
    desk.until(lambda: desk.statuses() == {"A1": "held"})
    closed = close(desk)
    assert (closed.well, closed.sent) == (True, 0)
    desk.open().chores.finish()
    assert desk.outcomes("a.csv") == [("A1", "expired", "GATEWAY_CLOSED")]
    desk.put({"r.release.csv": "sid\nA1\n"})
    desk.until(lambda: desk.query("SELECT * FROM instructions WHERE state = 'refused'"))
    assert desk.in_scan() == []


def test_close_when_a_window_is_full_then_what_waits_for_it_never_leaves(desk):
    desk = desk(gateway={"window": 1})
    desk.put({"a.csv": rows("A1")})
    desk.until(filled(desk, "A1"))
    desk.asleep = True
    desk.put({"b.csv": rows("B1", "B2")})
    desk.until(lambda: desk.statuses().get("B1") == "submitted")
    assert desk.statuses()["B2"] == "ready"
    closed = close(desk)
    assert closed.taken_back == ["B1"]
    assert desk.orders()["B2"]["reason_code"] == "GATEWAY_CLOSED"
    assert desk.open().router.settled
    desk.asleep = False
    for _ in range(5):
        desk.terminal.step(desk.clock.now())
        desk.open().turn(lambda _round: None)
    assert executed(desk) == ["A1"]


@pytest.mark.parametrize("restart", [False, True])
def test_close_when_it_is_done_next_morning_then_open_orders_keep_no_file_back(desk, restart):
    desk = desk(FixedClock(FRIDAY))
    desk.put({"a.csv": rows("A1"), "b.csv": rows("B1", symbol="SHSE.018014")})
    desk.until(lambda: desk.statuses() == {"A1": "filled", "B1": "new"})
    assert close(desk).open == ["B1"]
    assert desk.told()
    if restart:
        desk.close()
    desk.clock.advance(17 * 3600)
    app = desk.open()
    app.turn(lambda _round: None)
    closed = app.day_end.close(FRIDAY.date())
    assert (closed.open, closed.stayed, desk.told(), desk.in_scan()) == ([], [], [], [])
    assert [(row.sid, row.status, row.difference) for row in closed.differences] == [
        ("B1", "expired", "still_open")
    ]
    desk.restart_terminal()
    desk.put({"c.csv": rows("C1")})
    desk.until(filled(desk, "C1"))


def test_close_when_it_is_of_another_day_then_today_goes_on(desk):
    desk = desk()
    app = desk.open()
    app.day_end.close(app.router.today - timedelta(days=1))
    desk.put({"a.csv": rows("A1")})
    desk.until(filled(desk, "A1"))


@pytest.mark.parametrize("restart", [False, True])
def test_close_when_the_next_day_comes_then_orders_go_again(desk, restart):
    desk = desk(FixedClock(FRIDAY))
    desk.open()
    close(desk)
    if restart:
        desk.close()
    desk.clock.advance(86400)
    desk.restart_terminal()
    desk.put({"a.csv": rows("A1")})
    desk.until(filled(desk, "A1"))


def test_router_when_an_order_is_missing_at_the_close_cannot_prove_it_any_more_and_does_not_send_it_again(
    desk,
):
    desk = desk(
        FixedClock(FRIDAY), faults=Faults(lose=1.0),
        gateway={"resend": "auto", "lost_after": 1, "confirm_timeout": 1},
    )  # fmt: skip
    desk._habits = desk._habits._replace(heartbeat=0.5)
    desk.restart_terminal()
    desk.terminal.step(desk.clock.now())
    desk.put({"a.csv": rows("A1")})
    desk.until(lambda: desk.statuses() == {"A1": "submitted"} and not desk.in_scan())
    close(desk)
    desk.restart_terminal()

    def given_up() -> bool:
        desk.clock.advance(1)
        return "put away" in (desk.orders()["A1"]["reason_value"] or "")

    desk.until(given_up)
    for _ in range(60):
        desk.clock.advance(1)
        desk.terminal.step(desk.clock.now())
        desk.open().turn(lambda _round: None)
    assert (desk.statuses()["A1"], desk.orders()["A1"]["reason_code"]) == ("unknown", "UNCONFIRMED")
    assert desk.in_scan() == []


def test_resend_when_its_gateway_is_closed_for_today_is_refused_with_that_reason(desk):
    desk = desk(FixedClock(FRIDAY), faults=Faults(lose=1.0), gateway={"lost_after": 1, "confirm_timeout": 1})
    desk.put({"a.csv": rows("A1")})

    def lost() -> bool:
        desk.clock.advance(1)
        return desk.orders().get("A1", {}).get("reason_code") == "PROVEN_ABSENT"

    desk._habits = desk._habits._replace(heartbeat=0.5)
    desk.restart_terminal()
    desk.terminal.step(desk.clock.now())
    desk.until(lost)
    close(desk)
    desk.put({"r.resend.csv": "sid\nA1\n"})
    desk.until(lambda: desk.query("SELECT * FROM instructions WHERE state = 'refused'"))
    desk.open().chores.finish()
    assert desk.outcomes("r.resend.csv") == [("A1", "refused", "GATEWAY_CLOSED")]
    assert desk.in_scan() == []


def test_close_when_the_day_is_zipped_already_then_nothing_of_it_is_given_another_content(desk):
    desk = desk()
    desk.put({"a.csv": rows("A1")})
    desk.until(filled(desk, "A1"))
    closed = close(desk)
    day = Archived(desk.root / "archive" / closed.day)
    name = f"terminal/gm/out/{ACCOUNT}/order_status_change.csv"
    before = day.read(name)
    day.compress()
    assert not day.folder.exists()
    open_again(desk)
    desk.put({"b.csv": rows("B1")})
    desk.until(filled(desk, "B1"))
    assert close(desk).well
    again = Archived(day.folder)
    again.compress()
    assert again.read(name) == before
    assert b"B1" in again.read(name.replace(".csv", "~2.csv"))
    assert b"B1" in again.read("reconciliation.csv")
