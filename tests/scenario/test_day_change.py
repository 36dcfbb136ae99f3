"""A router before a terminal, over night and over holidays: what was open is closed once, and what the broker tells later on still counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from builders import FRIDAY
from file_desk import FileDesk, buys

from orderdrop.clock import from_datetime
from orderdrop.order import goldminer_format as gm

DAY = timedelta(days=1).total_seconds()


@pytest.fixture
def file_desk(tmp_path):
    made = []

    def make(**gateway) -> FileDesk:
        made.append(FileDesk(tmp_path / f"w{len(made)}", **gateway))
        return made[-1]

    yield make
    for one in made:
        one.crash()


def told(desk: FileDesk, sid: str) -> tuple[str, str | None, int]:
    order = desk.orders()[sid]
    return order["status"], order["reason_code"], order["filled_volume"]


def overnight(desk: FileDesk, restart: str = "", days: int = 1) -> None:
    """Evening and night pass at once, for the router and the terminal; restart: how the router ended before."""
    if restart:
        getattr(desk, restart)()
    desk.clock.advance(days * DAY)
    desk.later(1)


def trades(desk: FileDesk, sid: str, volume: int, at: datetime) -> None:
    """Another row of execution_report.csv."""
    moment = from_datetime(at)
    trade = gm.Execution("A1", sid, "77", f"e-{sid}", "SHSE.600000", 1, 1, Decimal(10), volume, moment)
    _tell(desk, "execution_report.csv", gm.EXECUTION_HEADER, gm.execution_row(trade, "s01", moment))
    desk.later(2, terminal=False)


def _tell(desk: FileDesk, name: str, header: str, row: list[str]) -> None:
    path = desk.push / "A1" / name
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_bytes(f"{header}\n".encode())
    with path.open("ab") as file:
        file.write(gm.line(row).encode())


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
