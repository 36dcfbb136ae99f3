from __future__ import annotations

from decimal import Decimal

import pytest
from builders import FRIDAY
from goldminer_writing import ACCOUNT, a_change, an_execution, header_of

from orderdrop.domain.goldminer_format import CASH_HEADER, POSITION_HEADER
from orderdrop.domain.report import CancelReject, Fill, StatusReport
from orderdrop.domain.status import Status
from orderdrop.gateway.goldminer.rows import (
    BadRow,
    columns_of,
    execution_reader,
    moment,
    read_account,
    status_reader,
)
from orderdrop.system.clock import from_datetime

NOW = from_datetime(FRIDAY)
LONG_AND_SHORT = {
    "vendor": lambda name: name,
    "long": lambda name: name.partition("(")[0],
    "short": lambda name: name.partition("(")[2].rstrip(")") or name,
    "upper": lambda name: (name.partition("(")[2].rstrip(")") or name).upper(),
}


def told(row, header=None):
    columns = columns_of((header or header_of(row)).split(","))
    reader = execution_reader(columns) if "exec_id" in row else status_reader(columns)
    return reader(list(row.values()), ACCOUNT, NOW)


def report(row, header=None):
    return told(row, header).report


@pytest.mark.parametrize("spell", LONG_AND_SHORT.values(), ids=LONG_AND_SHORT)
def test_status_when_the_header_is_spelled_otherwise_then_read_the_same(spell):
    row = a_change(status=8, ord_rej_reason=14, ord_rej_reason_detail="不支持", filled=0)
    header = ",".join(spell(name) for name in header_of(row).split(","))
    assert report(row, header) == report(row)
    assert report(row).code == 14


@pytest.mark.parametrize("spell", LONG_AND_SHORT.values(), ids=LONG_AND_SHORT)
def test_execution_when_the_header_is_spelled_otherwise_then_read_the_same(spell):
    row = an_execution()
    header = ",".join(spell(name) for name in header_of(row).split(","))
    assert report(row, header) == report(row)


def test_status_when_columns_are_moved_and_added_then_read_by_name():
    row = {"extra": "x", **dict(reversed(list(a_change(filled=300, status=2).items()))), "amount": "1"}
    assert report(row, ",".join(row)) == report(a_change(filled=300, status=2))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (0, Status.UNKNOWN),
        (1, Status.NEW),
        (2, Status.PARTIALLY_FILLED),
        (3, Status.FILLED),
        (5, Status.CANCELED),
        (6, Status.PENDING_CANCEL),
        (8, Status.REJECTED),
        (9, Status.SUSPENDED),
        (10, Status.PENDING_NEW),
        (12, Status.EXPIRED),
    ],
)
def test_status_when_the_code_is_known_then_its_word(code, status):
    assert report(a_change(status=code)).status is status


def test_status_when_rejected_then_code_and_words_else_none():
    no = report(a_change(status=8, ord_rej_reason=2, ord_rej_reason_detail="资金不足"))
    assert (no.code, no.text) == (2, "资金不足")
    assert report(a_change(status=1, ord_rej_reason=2)).code == 0


def test_manual_order_when_read_then_its_sid_is_empty_and_it_is_known_by_the_terminals_id():
    manual = told(a_change(sid="", cl_ord_id="c9", order_id="300009"))
    assert (manual.order, manual.report.sid, manual.report.order_id) == ("c9", "", "300009")


def test_account_when_the_row_has_none_then_the_folders():
    assert report(a_change(account_id="")).account_id == ACCOUNT


@pytest.mark.parametrize(
    ("over", "why"),
    [
        ({"status": ""}, "status"),
        ({"status": "new"}, "status"),
        ({"filled_volume": "1.5"}, "filled_volume"),
        ({"filled_volume": "-1"}, "filled_volume"),
        ({"filled_volume": "nan"}, "filled_volume"),
        ({"updated_at": "2026-11-20T09:31:0"}, "time"),
    ],
)
def test_status_when_a_cell_does_not_read_then_a_bad_row_that_says_which(over, why):
    with pytest.raises(BadRow, match=why):
        told(a_change(**over))


def test_status_when_nobody_knows_the_code_then_the_terminal_has_it_all_the_same_and_the_code_is_named():
    odd = told(a_change(status="7"))
    assert (odd.report.status, odd.odd) == (Status.PENDING_NEW, "unknown status code 7")
    assert told(a_change(status="1")).odd == ""


@pytest.mark.parametrize("over", [{"exec_id": ""}, {"exec_type": "77"}, {"price": "x"}, {"volume": "0.5"}])
def test_execution_when_a_cell_does_not_read_then_a_bad_row(over):
    with pytest.raises(BadRow):
        told(an_execution(**over))


def test_execution_when_it_is_a_trade_then_a_fill():
    fill = report(an_execution(volume="600.0", price="10.340"))
    assert isinstance(fill, Fill)
    assert (fill.sid, fill.exec_id, fill.volume, fill.price, fill.order_id) == (
        "S1", "e1", 600, Decimal("10.34"), "o-S1",
    )  # fmt: skip


def test_execution_when_a_cancel_was_refused_then_says_so():
    row = an_execution(exec_type=19, exec_id="", ord_rej_reason=101, ord_rej_reason_detail="已完成")
    no = report(row)
    assert isinstance(no, CancelReject)
    assert (no.sid, no.code, no.text) == ("S1", 101, "已完成")


@pytest.mark.parametrize("kind", [18, 1, 5, 8])
def test_execution_when_it_repeats_a_status_then_nothing_is_told(kind):
    assert told(an_execution(exec_type=kind)).report is None


def test_header_when_a_needed_column_is_missing_then_named():
    with pytest.raises(BadRow, match="status"):
        status_reader(columns_of(["account_id", "sid"]))


@pytest.mark.parametrize(
    ("written", "micros"),
    [
        ("2022-03-12T15:58:03.441803+08:00", 441803),
        ("2022-03-12T15:58:03.2+08:00", 200000),
        ("2022-03-12T15:58:03+08:00", 0),
        ("2022-03-12T15:58:03", 0),
        ("2022-03-12T07:58:03Z", 0),
    ],
)
def test_moment_when_written_with_or_without_fraction_then_the_same_second(written, micros):
    assert moment(written) == 1647071883_000000 + micros


def test_status_when_no_time_is_told_then_the_next_best_one():
    assert report(a_change(updated_at="")).at == moment(a_change()["recv_at"])
    assert report(a_change(updated_at="", recv_at="", created_at="")).at == NOW
    assert isinstance(report(a_change()), StatusReport)


def test_account_when_columns_are_optional_then_zero_and_needed_ones_are_not():
    columns = columns_of(["account_id", "available", "balance"])
    account = read_account(ACCOUNT, (columns, [[ACCOUNT, "90.5", "100"]]), None, NOW)
    assert account is not None
    assert (account.available, account.balance, account.pnl) == (Decimal("90.5"), Decimal(100), Decimal(0))
    assert read_account("other", (columns, [[ACCOUNT, "90.5", "100"]]), None, NOW) is None
    with pytest.raises(BadRow):
        read_account(ACCOUNT, (columns, [[ACCOUNT, "", "100"]]), None, NOW)


def test_account_when_a_position_is_short_then_left_out():
    cash = (columns_of(CASH_HEADER.split(",")), [[ACCOUNT, *["1"] * 8, "", "", ""]])
    row = [ACCOUNT, "SHSE.600000", "1", "300", "100", "10.2", "", "", "10.35", "", "", "200", "", "", ""]
    short = [*row[:2], "2", *row[3:]]
    account = read_account(ACCOUNT, cash, (columns_of(POSITION_HEADER.split(",")), [row, short]), NOW)
    assert account is not None
    (position,) = account.positions
    assert (position.volume, position.volume_today, position.available) == (300, 100, 200)


def _told_positions(*times: str, written_at=None):
    cash = (columns_of(CASH_HEADER.split(",")), [[ACCOUNT, *["1"] * 8, "", "2026-11-20T09:30:00+08:00", ""]])
    row = [ACCOUNT, "SHSE.600000", "1", "300", "100", "10.2", "", "", "10.35", "", "", "200", ""]
    rows = [[*row, time, ""] for time in times]
    return read_account(ACCOUNT, cash, (columns_of(POSITION_HEADER.split(",")), rows), NOW, written_at)


@pytest.mark.parametrize(
    ("times", "held_at"),
    [
        (("2026-11-20T09:20:00+08:00",), "2026-11-20T09:20:00+08:00"),  # older than the cash
        (("2026-11-20T09:20:00+08:00", "2026-11-20T09:25:00+08:00", ""), "2026-11-20T09:25:00+08:00"),
        ((), "2026-11-20T09:10:00+08:00"),  # an empty table: when it was written
        (("", "soon"), "2026-11-20T09:10:00+08:00"),
    ],
)
def test_account_when_told_then_its_holdings_are_as_old_as_they_say(times, held_at):
    account = _told_positions(*times, written_at=moment("2026-11-20T09:10:00+08:00"))
    assert account is not None
    assert (account.at, account.held_at) == (moment("2026-11-20T09:30:00+08:00"), moment(held_at))


def test_account_when_its_holdings_were_never_told_then_that_is_not_none():
    cash = (columns_of(CASH_HEADER.split(",")), [[ACCOUNT, *["1"] * 8, "", "", ""]])
    account = read_account(ACCOUNT, cash, None, NOW)
    assert account is not None
    assert account.held_at is None
    written_later = _told_positions(written_at=NOW + 5)
    assert written_later is not None
    assert written_later.held_at == NOW
