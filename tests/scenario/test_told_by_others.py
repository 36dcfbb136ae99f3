"""Before a terminal: whose a report is, what cannot be, and figures that do not add up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from builders import FRIDAY
from file_desk import HEADER, FileDesk

from orderdrop.client.queries import broker_orders
from orderdrop.domain import goldminer_format as gm
from orderdrop.journal.reader import read
from orderdrop.system.clock import iso
from orderdrop.views.oddities import alarms

ORDER = HEADER + "A,A1,SHSE.600000,1000,1,1,10\n"
OURS = {"account": "A1", "scan": "fileorder_s01", "days": 0}
STRANGERS = {
    "another account": OURS | {"account": "B2"},
    "another 文件单": OURS | {"scan": "somebody_s02"},
    "an older day": OURS | {"days": -1},
}


@pytest.fixture
def desk(file_desk) -> FileDesk:
    """One order, A, is handed over; the terminal is in the test's hand."""
    made = file_desk(fills_timeout=4, confirm_timeout=60)
    made.put({"a.csv": ORDER})
    return made.later(1, terminal=False)


def tell(desk: FileDesk, name: str, header: str, *rows: str) -> None:
    path = desk.push / "A1" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(("" if path.stat().st_size else f"\ufeff{header}\n") + "".join(f"{row}\n" for row in rows))


def change(
    desk: FileDesk, status, filled=0, account="A1", scan="fileorder_s01", days=0, detail="", at=""
) -> None:
    at = at or iso(desk.clock.now() + days * 86_400_000_000)
    row = (
        f"{account},A,{scan},c-A,o-A,SHSE.600000,1,1,{status},0,{detail},10,1000,{filled},{at},{at},{at},{at}"
    )
    tell(desk, "order_status_change.csv", gm.ORDER_STATUS_HEADER, row)


def fill(desk: FileDesk, number, volume, price="10", account="A1", scan="fileorder_s01", days=0) -> None:
    at = iso(desk.clock.now() + days * 86_400_000_000)
    row = f"{account},A,{scan},c-A,o-A,{number},SHSE.600000,1,1,0,,15,{price},{volume},{at},{at}"
    tell(desk, "execution_report.csv", gm.EXECUTION_HEADER, row)


def heard(desk: FileDesk, seconds: float = 1) -> FileDesk:
    return desk.later(seconds, terminal=False)


def stands(desk: FileDesk) -> tuple[str, int, str | None]:
    order = desk.orders()["A"]
    return order["status"], order["filled_volume"], order["reason_code"]


def said(desk: FileDesk) -> str:
    with read(desk.open()._reader) as reading:
        return "\n".join(alarms(reading.meta, FRIDAY.date()))


@pytest.mark.parametrize("whose", STRANGERS.values(), ids=STRANGERS)
def test_report_when_somebody_else_bears_our_sid_changes_nothing_confirms_nothing_and_is_an_alarm(
    desk, whose
):
    for status in (1, 8, 3):
        change(desk, status, 1000 if status == 3 else 0, **whose)
    fill(desk, "x1", 1000, **whose)
    heard(desk)
    assert stands(desk) == ("submitted", 0, None)
    assert desk.orders()["A"]["confirmed_at"] is None
    assert desk.query("SELECT count(*) AS n FROM fills")[0]["n"] == 0
    told = desk.query("SELECT order_ref, scan_name FROM reports")
    assert told == [{"order_ref": None, "scan_name": whose["scan"]}] * 4
    assert "a sid of ours is used by somebody else" in said(desk)
    assert "A (gm: " in said(desk)
    change(desk, 1)
    heard(desk)
    assert stands(desk) == ("new", 0, None), "what is ours still counts"
    with read(desk.open()._reader) as reading:
        shown = [(one.sid, one.status) for one in broker_orders(reading, FRIDAY.date())]
    assert sorted(shown, key=str) == [("A", "new"), (None, "filled")]


def test_order_when_only_a_stranger_speaks_of_its_sid_is_unknown_in_the_end_and_never_sent_again(file_desk):
    desk = file_desk(resend="auto", lost_after=2, confirm_timeout=2)
    desk.put({"a.csv": ORDER})
    desk.later(1, terminal=False)
    for path in desk.scan.iterdir():
        path.unlink()
    for minute in range(30):
        change(desk, 1 if minute % 2 else 10, account="B2", at=iso(desk.clock.now()))
        heard(desk)
    assert stands(desk)[0] == "unknown"
    assert desk.query("SELECT count(*) AS n FROM batches")[0]["n"] == 1
    assert not list(desk.scan.glob("*.order.csv"))


ABSURD = {
    "filled volume of 20 digits": lambda desk: change(desk, 2, 10**20),
    "filled volume 1E+99999999": lambda desk: change(desk, 2, "1E+99999999"),
    "fill of 20 digits": lambda desk: fill(desk, "x1", 10**20),
    "fill of 1E+25": lambda desk: fill(desk, "x1", "1E+25"),
    "fill at 1E+999999": lambda desk: fill(desk, "x1", 100, "1E+999999"),
    "time in the year 9999": lambda desk: change(desk, 1, at="9999-12-31T23:59:59+00:00"),
    "time in the year 1": lambda desk: change(desk, 1, at="0001-01-01T00:00:00+08:00"),
    "status NaN": lambda desk: change(desk, "NaN"),
    "an id with an escape sequence": lambda desk: fill(desk, "\x1b[2J", 100),
}


@pytest.mark.parametrize("tells", ABSURD.values(), ids=ABSURD)
def test_row_when_it_cannot_be_is_unreadable_told_and_the_next_one_counts(desk, tells):
    tells(desk)
    heard(desk)
    assert stands(desk) == ("submitted", 0, None)
    assert "rows of the terminal do not read" in said(desk)
    change(desk, 1)
    desk.restart()
    heard(desk)
    assert stands(desk) == ("new", 0, None)
    assert "rows of the terminal do not read" in said(desk)


@pytest.mark.parametrize(
    ("code", "status"), [(5, "canceled"), (12, "expired"), (8, "rejected"), (2, "partially_filled")]
)
def test_order_when_the_broker_tells_of_fills_that_never_come_says_so_until_they_do(desk, code, status):
    change(desk, 1)
    heard(desk)
    change(desk, code, 500)
    heard(desk)
    assert stands(desk)[:2] == (status, 0)
    heard(desk, 5)
    assert stands(desk) == (status, 0, "FILLS_MISSING")
    assert desk.orders()["A"]["told_volume"] == 500
    assert desk.outcomes("a.csv") == [("A", status, "FILLS_MISSING")]
    assert "0 / 500" in desk.receipt("a.csv")[0]["原因"]
    fill(desk, "x1", 500)
    heard(desk)
    assert stands(desk) == (status, 500, "BROKER_REJECTED" if code == 8 else None)


def test_order_when_its_figures_differ_over_a_restart_is_still_waited_for(desk):
    change(desk, 5, 500)
    heard(desk)
    desk.restart()
    heard(desk, 6)
    assert stands(desk) == ("canceled", 0, "FILLS_MISSING")


def test_order_when_one_fill_is_told_twice_says_so_and_is_not_filled(desk):
    change(desk, 2, 500)
    heard(desk)
    for number in ("x1", "x2"):
        fill(desk, number, 500)
    heard(desk, 6)
    assert stands(desk) == ("partially_filled", 1000, "FILLS_BEYOND")
    assert desk.orders()["A"]["closed_at"] is None
    change(desk, 3, 1000)
    heard(desk)
    assert stands(desk) == ("filled", 1000, None)


def test_order_when_its_fills_only_lag_says_nothing(desk):
    change(desk, 2, 300)
    for part in range(4):
        heard(desk, 3)
        fill(desk, f"x{part}", 100)
        change(desk, 2, 400 + 100 * part)
    heard(desk, 3)
    assert stands(desk) == ("partially_filled", 400, None)


def test_order_when_the_broker_takes_its_no_back_lives_again_and_can_be_cancelled(desk):
    change(desk, 8, detail="资金不足")
    heard(desk)
    assert stands(desk) == ("rejected", 0, "BROKER_REJECTED")
    change(desk, 1)
    heard(desk)
    assert stands(desk) == ("new", 0, None)
    assert desk.orders()["A"]["closed_at"] is None
    desk.put({"c.cancel_order.csv": "sid\nA\n"})
    heard(desk, 2)
    assert list(desk.scan.glob("*.cancel_order.csv"))
    assert desk.outcomes("c.cancel_order.csv") == [("A", "sent", "")]


def test_words_when_they_would_steer_a_screen_are_written_out_and_the_report_keeps_them(desk):
    change(desk, 8, detail="\x1b]0;PWNED\x07\x1b[2J\u202egnp")
    heard(desk)
    (reason,) = {row["reason_value"] for row in desk.query("SELECT reason_value FROM orders")}
    assert reason == "\\x1b]0;PWNED\\x07\\x1b[2J\\u202egnp"
    assert all("\x1b" not in (row["detail"] or "") for row in desk.query("SELECT detail FROM events"))
    assert "\\u001b]0;PWNED" in desk.query("SELECT body FROM reports")[-1]["body"]


def test_report_when_it_is_of_friday_and_heard_on_monday_still_counts(desk):
    change(desk, 1)
    heard(desk)
    desk.close()
    change(desk, 5, at=iso(desk.clock.now() + 1_000_000))
    desk.clock.advance(timedelta(days=3).total_seconds())
    heard(desk)
    assert stands(desk)[0] == "canceled"
