"""Our state as rows of 掘金's result files: what a program written for its file orders will read."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from io import StringIO
from types import SimpleNamespace

import pytest
from builders import FRIDAY

from orderdrop.domain.refusal import Code
from orderdrop.domain.report import Account, Position
from orderdrop.domain.status import Status
from orderdrop.outbox import goldminer_rows as rows
from orderdrop.system.clock import Micros, from_datetime, iso

NOW, LATER = from_datetime(FRIDAY), Micros(from_datetime(FRIDAY) + 5_000_000)


def an_order(**over) -> SimpleNamespace:
    """A row of the journal's table of orders."""
    values = {
        "account_id": "A1", "sid": "S1", "order_id": "B7", "symbol": "SHSE.600000", "order_type": 1, "order_business": 1,
        "price": "10.35", "volume": 300, "status": "new", "filled_volume": 0, "told_volume": None, "received_at": NOW,
        "updated_at": LATER, "submitted_at": NOW, "reason_code": None, "reason_column": None, "reason_value": None,
        "reason_bound": None,
    }  # fmt: skip
    return SimpleNamespace(**values | over)


def a_change(**over) -> SimpleNamespace:
    """An event of an order, as it is read for order_status_change.csv."""
    values = {"event_id": 1, "event": "new", "at": LATER, "filled_then": None, "said_then": None}
    return SimpleNamespace(**vars(an_order()) | values | over)


def named(header: str, cells: list[str]) -> dict[str, str]:
    assert len(header.split(",")) == len(cells)
    return dict(zip((column.partition("(")[0] for column in header.split(",")), cells, strict=True))


def status(**over) -> dict[str, str]:
    return named(rows.STATUS_HEADER, rows.status(an_order(**over)))


def change(**over) -> dict[str, str]:
    return named(rows.STATUS_HEADER, rows.status_change(a_change(**over)))


# order_status.csv


def test_status_when_an_order_stands_at_the_broker_then_every_column_says_so():
    assert status() == {
        "account_id": "A1", "sid": "S1", "scan_name": "orderdrop", "cl_ord_id": "S1", "order_id": "B7", "symbol": "SHSE.600000",
        "order_type": "1", "order_business": "1", "status": "1", "ord_rej_reason": "0", "ord_rej_reason_detail": "",
        "price": "10.35", "volume": "300", "filled_volume": "0", "created_at": iso(NOW), "updated_at": iso(LATER),
        "sent_at": iso(NOW), "recv_at": iso(LATER),
    }  # fmt: skip


@pytest.mark.parametrize("waits", ["received", "held", "ready", "submitting", "submitted"])
def test_status_when_an_order_is_still_with_us_then_it_is_pending(waits):
    told = status(status=waits, submitted_at=None)
    assert (told["status"], told["sent_at"]) == ("10", "")


def test_status_when_a_market_order_then_its_price_is_zero():
    assert status(price=None)["price"] == "0"


def test_status_when_the_broker_says_filled_and_the_fills_are_not_there_yet_then_its_word_counts():
    told = status(status="partially_filled", filled_volume=100, told_volume=300)
    assert (told["status"], told["filled_volume"]) == ("3", "300")


def test_status_when_the_broker_has_told_less_than_we_have_fills_for_then_the_fills_count():
    told = status(status="partially_filled", filled_volume=200, told_volume=100)
    assert (told["status"], told["filled_volume"]) == ("2", "200")


def test_status_when_the_broker_has_rejected_then_its_code_and_words_stand_there():
    told = status(
        status="rejected", reason_code=Code.BROKER_REJECTED, reason_bound="2", reason_value="资金不足"
    )
    assert (told["status"], told["ord_rej_reason"], told["ord_rej_reason_detail"]) == ("8", "2", "资金不足")


def test_status_when_we_have_denied_then_it_is_a_risk_rule_with_our_words():
    told = status(status="denied", reason_code=Code.PRICE_MISSING, reason_column="price")
    assert (told["status"], told["ord_rej_reason"]) == ("8", "1")
    assert "price" in told["ord_rej_reason_detail"]


def test_status_when_an_order_is_not_rejected_then_a_reason_that_it_has_is_none_of_a_rejection():
    told = status(status="unknown", reason_code=Code.INTERRUPTED)
    assert (told["ord_rej_reason"], told["ord_rej_reason_detail"]) == ("0", "")


def test_status_when_the_broker_tells_a_formula_then_no_spreadsheet_runs_it():
    told = status(status="rejected", reason_code=Code.BROKER_REJECTED, reason_value="=1+1", order_id="@exec")
    assert (told["ord_rej_reason_detail"], told["order_id"]) == ("'=1+1", "'@exec")


@pytest.mark.parametrize("code", [Code.PRICE_MISSING, Code.SYMBOL_BAD])
def test_status_when_our_words_hold_commas_or_quotes_then_a_program_that_cuts_at_commas_reads_it(code):
    cells = rows.status(an_order(status="denied", reason_code=code, reason_value='a,"b"\nc'))
    assert rows.lines([cells]).count(b",") == rows.STATUS_HEADER.count(",")
    assert rows.lines([cells]).count(b"\n") == 1


# order_status_change.csv


def test_change_when_something_happened_then_the_row_is_of_that_moment():
    told = change(event="canceled", filled_then=100, status="canceled", filled_volume=100)
    assert (told["status"], told["filled_volume"], told["updated_at"]) == ("5", "100", iso(LATER))


def test_change_when_the_broker_said_filled_before_its_fills_came_then_its_word_is_told():
    said = json.dumps([{"status": Status.FILLED, "filled_volume": 300}])
    told = change(event="partially_filled", filled_then=0, said_then=said)
    assert (told["status"], told["filled_volume"]) == ("3", "300")


def test_change_when_the_broker_said_partially_filled_too_then_that_is_told():
    said = json.dumps(
        [{"status": "partially_filled", "filled_volume": 100}, {"status": "filled", "filled_volume": 300}]
    )
    told = change(event="partially_filled", filled_then=0, said_then=said)
    assert (told["status"], told["filled_volume"]) == ("2", "100")


# rows that are no orders


def a_detail(**over) -> str:
    values = {
        "account_id": "A1", "sid": "S9", "symbol": "SHSE.600000", "order_type": "1", "order_business": "1", "price": "10.35",
        "volume": "100", "why": [Code.PRICE_BAD, "price", "1o.35", ""],
    }  # fmt: skip
    return json.dumps(values | over)


def test_refused_row_when_it_could_not_be_read_then_it_is_a_rejection_of_ours():
    account_id, sid, cells = rows.refused_row(NOW, a_detail(price="1o.35"))
    told = named(rows.STATUS_HEADER, cells)
    assert (account_id, sid) == ("A1", "S9")
    assert (told["status"], told["ord_rej_reason"], told["sent_at"]) == ("8", "1", "")
    assert "1o.35" in told["ord_rej_reason_detail"]


@pytest.mark.parametrize("text", ["", "x", "1e9", "1.5", "٣", "9" * 16])
def test_refused_row_when_a_number_does_not_read_then_a_zero_stands_there(text):
    told = named(rows.STATUS_HEADER, rows.refused_row(NOW, a_detail(volume=text, order_type=text))[2])
    assert (told["volume"], told["order_type"]) == ("0", "0")


def test_refused_row_when_sid_or_symbol_would_run_as_a_formula_then_the_row_is_harmless():
    _account, sid, cells = rows.refused_row(NOW, a_detail(sid="=A1", symbol="+B1"))
    told = named(rows.STATUS_HEADER, cells)
    assert (sid, told["sid"], told["symbol"]) == ("=A1", "'=A1", "'+B1")


# the other files


def test_execution_when_filled_then_a_trade_with_the_fills_own_price_and_time():
    fill = an_order(fill_price="10.30", fill_volume=100, exec_id="E1", at=LATER)
    told = named(rows.EXECUTION_HEADER, rows.execution(fill))
    assert (told["exec_type"], told["price"], told["volume"], told["exec_id"]) == ("15", "10.30", "100", "E1")
    assert told["created_at"] == told["recv_at"] == iso(LATER)


def test_positions_when_told_at_another_time_than_the_funds_then_that_one_stands_there():
    held = Position("SHSE.600000", 300, 0, 300, None, Decimal(10))
    account = Account(LATER, "A1", *map(Decimal, (1, 1, 0, 0, 0)), (held,), NOW)
    told = named(rows.POSITION_HEADER, rows.position_rows(account)[0])
    assert (told["updated_at"], told["vwap"]) == (iso(NOW), "")
    assert named(rows.CASH_HEADER, rows.cash_rows(account)[0])["updated_at"] == iso(LATER)


def test_file_when_written_whole_then_it_begins_with_the_mark_and_reads_back():
    content = rows.with_header("a,b", [["1", 'x,"y"'], ["2", ""]])
    assert content.startswith(b"\xef\xbb\xbfa,b\n")
    assert list(csv.reader(StringIO(content.decode("utf-8-sig")))) == [["a", "b"], ["1", 'x,"y"'], ["2", ""]]
