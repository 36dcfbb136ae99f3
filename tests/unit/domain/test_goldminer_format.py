from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from builders import FRIDAY, an_outgoing
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.domain import goldminer_format as gm
from orderdrop.domain.report import Account, Position
from orderdrop.domain.status import AT_BROKER, Status
from orderdrop.system.clock import Micros, from_datetime

AT = from_datetime(FRIDAY)
ISO = "2026-11-20T09:31:00.000000+08:00"
HEADER = b"sid,account_id,symbol,volume,order_type,order_business(order_biz),price,comment\n"


def cells_of(header):
    return header.split(",")


def test_order_file_when_plain_then_header_and_bare_rows():
    orders = [an_outgoing(remark="调仓"), an_outgoing(sid="S2", order_type=25, price=None, order_business=2)]
    expected = HEADER + "S1,A1,SHSE.600000,100,1,1,10.00,调仓\nS2,A1,SHSE.600000,100,25,2,,\n".encode()
    assert gm.order_file(orders) == expected


def test_order_file_when_empty_then_the_header_alone():
    assert gm.order_file([]) == HEADER


def test_order_rows_when_a_comment_needs_quotes_then_quoted():
    assert gm.order_rows([an_outgoing(remark='a,"b"')]) == b'S1,A1,SHSE.600000,100,1,1,10.00,"a,""b"""\n'


def test_order_rows_when_a_price_has_an_exponent_then_written_out():
    assert b",100," in gm.order_rows([an_outgoing(price="1E+2")])


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_order_rows_when_read_back_as_csv_then_the_same(texts):
    orders = [
        an_outgoing(account_id=account, remark=remark)
        for account, remark in texts
        if "\0" not in account + remark
    ]
    orders = [order for order in orders if order.remark.isprintable() and order.account_id.isprintable()]
    rows = list(csv.reader(io.StringIO(gm.order_rows(orders).decode(), newline=""), strict=True))
    assert [(row[1], row[7]) for row in rows] == [(order.account_id, order.remark) for order in orders]


@given(st.lists(st.text(alphabet='ab,"\r\n文'), min_size=2, max_size=6))
def test_line_when_read_back_as_csv_then_the_same(cells):
    assert list(csv.reader(io.StringIO(gm.line(cells), newline=""), strict=True)) == [cells]


def test_cancel_file_when_written_then_two_columns():
    assert gm.cancel_file([("S1", ""), ("S2", "a,b")]) == b'sid,comment\nS1,\nS2,"a,b"\n'


def test_status_codes_when_there_and_back_then_the_same():
    assert {gm.STATUS_OF[gm.CODE_OF[status]] for status in AT_BROKER} == AT_BROKER
    assert set(gm.CODE_OF) == set(Status)
    assert set(gm.CODE_OF.values()) == set(gm.STATUS_OF)


@pytest.mark.parametrize(
    ("status", "code"), [(Status.DENIED, 8), (Status.SUBMITTED, 10), (Status.UNKNOWN, 0)]
)
def test_status_code_when_it_is_our_own_word_then_what_a_reader_expects(status, code):
    assert gm.CODE_OF[status] == code


def test_reason_when_unknown_then_its_number():
    assert gm.reason(2) == ("资金不足", "not enough cash")
    assert gm.reason(77) == ("原因 77", "reason 77")


def test_cash_and_position_rows_when_rendered_then_fit_their_headers():
    position = Position("SHSE.600000", 300, 100, 200, Decimal("10.0000"), Decimal("10.50"))
    account = Account(
        AT,
        "A1",
        Decimal("1000.00"),
        Decimal("900.00"),
        Decimal("100.00"),
        Decimal("3150.00"),
        Decimal(7),
        (position,),
    )
    cash = dict(zip(cells_of(gm.CASH_HEADER), gm.cash_row(account, AT, AT), strict=True))
    assert cash["nav"] == "4150.00"
    assert cash["fpnl"] == "150.00"
    assert cash["order_frozen(ord_frozen)"] == "100.00"
    assert cash["recv_at"] == ISO
    held = dict(zip(cells_of(gm.POSITION_HEADER), gm.position_row("A1", position, AT, AT, AT), strict=True))
    assert held["market_value(market_val)"] == "3150.00"
    assert held["cost"] == "3000.00"
    assert held["available_now(avl_now)"] == "200"


def test_status_and_execution_rows_when_rendered_then_fit_their_headers():
    state = gm.OrderState(
        "A1",
        "S1",
        "77",
        "SHSE.600000",
        25,
        1,
        Status.REJECTED,
        2,
        "资金不足",
        None,
        100,
        0,
        AT,
        AT,
        Micros(AT + 1),
    )
    row = dict(zip(cells_of(gm.ORDER_STATUS_HEADER), gm.order_status_row(state, "orders", AT), strict=True))
    assert (row["status"], row["ord_rej_reason(rej_reason)"], row["price"]) == ("8", "2", "0")
    assert row["sent_at"] == "2026-11-20T09:31:00.000001+08:00"
    fill = gm.Execution("A1", "S1", "77", "77-100", "SHSE.600000", 25, 1, Decimal("10.01"), 100, AT)
    row = dict(zip(cells_of(gm.EXECUTION_HEADER), gm.execution_row(fill, "orders", AT), strict=True))
    assert (row["exec_type"], row["price"], row["volume"]) == ("15", "10.01", "100")
