"""A router before a terminal, over night and over holidays: what was open is closed once, and what the broker tells later on still counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from builders import FRIDAY
from file_desk import HEADER, FileDesk, buys

from orderdrop.domain import goldminer_format as gm
from orderdrop.domain.status import S, Status
from orderdrop.system.clock import from_datetime
from orderdrop.terminal import Faults

DAY = timedelta(days=1).total_seconds()
PENDING = HEADER + "P,A1,SHSE.018014,100,1,1,10\n"
HALF = HEADER + "H,A1,SZSE.000001,1000,1,1,10\n"


def told(desk: FileDesk, sid: str) -> tuple[str, str | None, int]:
    order = desk.orders()[sid]
    return order["status"], order["reason_code"], order["filled_volume"]


def events(desk: FileDesk, sid: str) -> list[dict]:
    wanted = f"SELECT events.* FROM events JOIN orders ON orders.id = order_ref WHERE sid = '{sid}' ORDER BY events.id"
    return desk.query(wanted)


def overnight(desk: FileDesk, restart: str = "", days: int = 1) -> None:
    """Evening and night pass at once, for the router and the terminal; restart: how the router ended before."""
    if restart:
        getattr(desk, restart)()
    desk.clock.advance(days * DAY)
    desk.later(1)


def says(desk: FileDesk, status: Status, at: datetime, *, heard: bool = True) -> None:
    """Another row of order_status_change.csv, about P."""
    moment = from_datetime(at)
    state = gm.OrderState(
        "A1", "P", "77", "SHSE.018014", 1, 1, status, 0, "", None, 100, 0, moment, moment, moment
    )
    _tell(
        desk,
        "order_status_change.csv",
        gm.ORDER_STATUS_HEADER,
        gm.order_status_row(state, "fileorder_s01", moment),
    )
    if heard:
        desk.later(2, terminal=False)


def trades(desk: FileDesk, sid: str, volume: int, at: datetime) -> None:
    """Another row of execution_report.csv."""
    moment = from_datetime(at)
    trade = gm.Execution("A1", sid, "77", f"e-{sid}", "SHSE.600000", 1, 1, Decimal(10), volume, moment)
    _tell(desk, "execution_report.csv", gm.EXECUTION_HEADER, gm.execution_row(trade, "fileorder_s01", moment))
    desk.later(2, terminal=False)


def _tell(desk: FileDesk, name: str, header: str, row: list[str]) -> None:
    path = desk.push / "A1" / name
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_bytes(f"{header}\n".encode())
    with path.open("ab") as file:
        file.write(gm.line(row).encode())


@pytest.mark.parametrize("restart", ["", "close", "crash"])
@pytest.mark.parametrize("days", [1, 9])
def test_order_when_its_day_is_over_and_the_broker_has_not_ended_it_expires_and_keeps_its_fills(
    file_desk, restart, days
):
    desk = file_desk()
    desk.put({"a.csv": PENDING, "b.csv": HALF})
    desk.later(3)
    assert desk.statuses() == {"P": "new", "H": "partially_filled"}
    overnight(desk, restart, days)
    assert told(desk, "P") == ("expired", "NEVER_ENDED", 0)
    assert told(desk, "H") == ("expired", "NEVER_ENDED", 500)
    assert desk.outcomes("a.csv") == [("P", "expired", "NEVER_ENDED")]
    assert "new" in desk.receipt("a.csv")[0]["reason"]


@pytest.mark.parametrize("restart", ["", "crash"])
def test_order_when_the_broker_had_ended_it_unheard_is_as_the_broker_says(file_desk, restart):
    desk = file_desk()
    desk.put({"a.csv": PENDING})
    desk.later(3)
    if restart:
        desk.crash()
    says(desk, S.CANCELED, FRIDAY.replace(hour=14), heard=False)
    desk.clock.advance(DAY)
    desk.later(0.2, terminal=False)
    assert [row["event"] for row in events(desk, "P")][-2:] == ["new", "canceled"]
    assert told(desk, "P") == ("canceled", None, 0)


@pytest.mark.parametrize(
    ("status", "at", "expected"),
    [
        (S.EXPIRED, FRIDAY.replace(hour=15), ("expired", None, 0)),
        (S.CANCELED, FRIDAY.replace(hour=15), ("canceled", None, 0)),
        (S.REJECTED, FRIDAY + timedelta(days=2), ("rejected", "BROKER_REJECTED", 0)),
        (S.NEW, FRIDAY.replace(hour=14), ("expired", "NEVER_ENDED", 0)),  # told once more
        (S.PENDING_CANCEL, FRIDAY.replace(hour=14), ("expired", "NEVER_ENDED", 0)),
        (S.NEW, FRIDAY + timedelta(days=1, minutes=1), ("new", None, 0)),  # it lives at the broker
    ],
)
def test_order_when_it_was_given_up_and_the_broker_tells_more_is_as_the_broker_says(
    file_desk, status, at, expected
):
    desk = file_desk()
    desk.put({"a.csv": PENDING})
    desk.later(3)
    overnight(desk)
    assert told(desk, "P")[:2] == ("expired", "NEVER_ENDED")
    says(desk, status, at)
    assert told(desk, "P") == expected
    desk.app.chores.finish()
    assert desk.outcomes("a.csv") == [("P", expected[0], expected[1] or "")]


def test_order_when_it_was_given_up_and_lives_on_is_given_up_again_next_morning(file_desk):
    desk = file_desk()
    desk.put({"a.csv": PENDING})
    desk.later(3)
    overnight(desk)
    says(desk, S.NEW, FRIDAY + timedelta(days=1, minutes=1))
    assert told(desk, "P")[0] == "new"
    overnight(desk)
    assert told(desk, "P") == ("expired", "NEVER_ENDED", 0)


@pytest.mark.parametrize(
    ("volume", "at", "expected"),
    [
        (60, FRIDAY.replace(hour=14), ("expired", "NEVER_ENDED", 60)),
        (100, FRIDAY.replace(hour=14), ("filled", None, 100)),
        (60, FRIDAY + timedelta(days=1, minutes=1), ("partially_filled", None, 60)),  # it lives at the broker
    ],
)
def test_order_when_it_was_given_up_and_fills_come_they_count(file_desk, volume, at, expected):
    desk = file_desk()
    desk.put({"a.csv": PENDING})
    desk.later(3)
    overnight(desk)
    trades(desk, "P", volume, at)
    assert told(desk, "P") == expected


@pytest.mark.parametrize("restart", ["", "close", "crash"])
def test_order_when_its_day_ends_before_its_fills_come_is_filled_and_not_given_up(file_desk, restart):
    desk = file_desk(habits={"report_lag": DAY})
    desk.put({"a.csv": buys(1)})
    desk.later(3)
    assert told(desk, "S0") == ("partially_filled", None, 0)
    overnight(desk, restart)
    assert told(desk, "S0") == ("filled", "FILLS_MISSING", 0)
    trades(desk, "S0", 100, FRIDAY)
    assert told(desk, "S0") == ("filled", None, 100)


def test_order_when_nobody_spoke_of_it_and_its_old_status_is_told_next_day_stays_closed(file_desk):
    desk = file_desk()
    desk.put({"a.csv": PENDING})
    desk.later(1, terminal=False)
    desk.clock.advance(DAY)
    desk.later(1, terminal=False)
    assert told(desk, "P") == ("expired", "NEVER_CONFIRMED", 0)
    says(desk, S.NEW, FRIDAY.replace(hour=14))
    assert told(desk, "P") == ("expired", "NEVER_ENDED", 0)
    says(desk, S.CANCELED, FRIDAY.replace(hour=15))
    assert told(desk, "P") == ("canceled", None, 0)


def test_cancel_when_its_orders_day_is_over_unanswered_is_refused_as_finished(file_desk):
    desk = file_desk()
    desk.put({"a.csv": PENDING})
    desk.later(3)
    desk.fault(Faults(lose=1.0))
    desk.put({"c.cancel_order.csv": "sid\nP\n"})
    desk.later(2)
    overnight(desk)
    assert desk.outcomes("c.cancel_order.csv") == [("P", "refused", "CANCEL_FINISHED")]


def test_order_when_it_was_given_up_and_is_said_to_be_filled_waits_for_its_fills(file_desk):
    desk = file_desk(fills_timeout=4)
    desk.put({"a.csv": PENDING})
    desk.later(3)
    overnight(desk)
    says(desk, S.FILLED, FRIDAY.replace(hour=14))
    assert told(desk, "P") == ("partially_filled", None, 0)
    desk.later(4)
    assert told(desk, "P") == ("filled", "FILLS_MISSING", 0)


@pytest.mark.parametrize("restart", ["", "crash"])
def test_report_when_sids_live_a_day_is_about_the_order_of_its_day_and_no_old_day_is_asked(
    file_desk, restart
):
    desk = file_desk(inbox={"sid_scope": "day"})
    for day in range(4):
        desk.put({f"{day}.csv": PENDING})
        desk.later(3)
        overnight(desk, restart)
    with desk.open().journal.transaction() as writer:
        assert writer.unmoved_days(20261124) == []
    trades(desk, "20261121-P", 40, FRIDAY + timedelta(days=1))
    filled = desk.query("SELECT trade_day, filled_volume FROM orders ORDER BY trade_day")
    assert [tuple(row.values()) for row in filled] == [
        (20261120, 0), (20261121, 40), (20261122, 0), (20261123, 0),
    ]  # fmt: skip


def test_cancel_when_sids_live_a_day_means_todays_order_unless_it_names_the_day(file_desk):
    desk = file_desk(inbox={"sid_scope": "day"})
    desk.put({"a.csv": PENDING})
    desk.later(3)
    overnight(desk)
    desk.put({"b.csv": PENDING})
    desk.later(3)
    desk.put({"c.cancel_order.csv": "sid,comment\n20261120-P,\n"})
    desk.later(3)
    assert desk.outcomes("c.cancel_order.csv") == [
        ("20261120-P", "sent", "")
    ]  # we gave it up, not the broker
    desk.put({"d.cancel_order.csv": "sid,comment\nP,\n"})
    desk.later(3)
    status = desk.query("SELECT trade_day, status FROM orders ORDER BY trade_day")
    assert [tuple(row.values()) for row in status] == [(20261120, "expired"), (20261121, "canceled")]


def test_order_when_its_sid_lives_a_day_and_reads_like_an_older_ones_is_not_taken_for_it(file_desk):
    desk = file_desk()
    desk.put({"a.csv": PENDING.replace("P,", "20261121-P,")})
    desk.later(3)
    overnight(desk, "close")
    desk._settings = desk._settings.model_copy(
        update={"inbox": desk._settings.inbox.model_copy(update={"sid_scope": "day"})}
    )
    desk.restart()
    desk.later(1)
    desk.put({"b.csv": PENDING})
    desk.later(3)
    trades(desk, "20261121-P", 40, FRIDAY + timedelta(days=1))
    filled = desk.query("SELECT sid, filled_volume FROM orders ORDER BY trade_day")
    assert [tuple(row.values()) for row in filled] == [("20261121-P", 0), ("P", 40)]


@pytest.mark.parametrize("restart", ["", "close", "crash"])
def test_file_when_the_terminal_has_not_taken_it_on_its_day_is_never_traded(file_desk, restart):
    desk = file_desk()
    desk.put({"a.csv": buys(2)})
    desk.later(1, terminal=False)
    assert len(list(desk.scan.glob("*.order.csv"))) == 1
    if restart:
        getattr(desk, restart)()
    desk.clock.advance(DAY)
    desk.later(0.2, terminal=False)
    desk.later(3)
    assert desk.executed() == {}
    assert told(desk, "S0") == ("expired", "NEVER_CONFIRMED", 0)
    assert desk.outcomes("a.csv")[0] == ("S0", "expired", "NEVER_CONFIRMED")


def test_file_when_its_folder_is_away_as_the_day_changes_is_taken_back_once_it_is_there_again(
    file_desk, monkeypatch
):
    desk = file_desk()
    desk.put({"a.csv": buys(1)})
    desk.later(1, terminal=False)
    away = desk.scan.rename(desk.scan.with_name("away"))
    desk.clock.advance(DAY)
    monkeypatch.setattr("orderdrop.execution.expiry._AGAIN", 0.0)
    desk.later(1, terminal=False)
    assert told(desk, "S0")[0] in {"submitted", "unknown"}
    away.rename(desk.scan)
    desk.later(0.2, terminal=False)
    desk.later(2)
    assert desk.executed() == {}
    assert told(desk, "S0") == ("expired", "NEVER_CONFIRMED", 0)
