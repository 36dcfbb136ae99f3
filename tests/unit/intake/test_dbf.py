"""Orders and cancels in 掘金's dbf."""

from decimal import Decimal

import pytest
from book_reading import read, refused
from books import a_dbf
from intake_reading import the_order, the_refusal

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code

FIELDS = [
    ("sid", "C", 64, 0), ("account_id", "C", 64, 0), ("symbol", "C", 16, 0), ("volume", "N", 12, 0), ("order_type", "N", 4, 0),
    ("order_biz", "N", 4, 0), ("price", "N", 16, 4), ("comment", "C", 100, 0),
]  # fmt: skip
ROW = ("S1", "A1", "SHSE.600000", 100, 1, 1, "10.3500", "增强")
RECORD = 1 + sum(width for _name, _kind, width, _decimals in FIELDS)


def a_table(*rows, encoding="gbk"):
    return a_dbf(FIELDS, rows or [ROW], encoding)


def dbf(data, kind=DropKind.ORDER):
    return read(data, kind, suffix=".dbf")


def put(content, old, new):
    assert content.count(old) == 1
    assert len(old) == len(new)
    return content.replace(old, new)


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_orders_of_a_dbf_are_read(encoding):
    order = the_order(dbf(a_table(encoding=encoding)))
    assert (order.row, order.sid, order.account_id, order.symbol, order.volume, order.order_type, order.order_business) == (1, "S1", "A1", "SHSE.600000", 100, 1, 1)  # fmt: skip
    assert (order.price, order.remark) == (Decimal("10.35"), "增强")


def test_cancels_of_a_dbf_are_read():
    table = a_dbf([("sid", "C", 20, 0), ("comment", "C", 20, 0)], [("S1", ""), ("S2", "太贵")])
    assert [(one.row, one.sid) for one in dbf(table, DropKind.CANCEL).instructions] == [(1, "S1"), (2, "S2")]


def test_deleted_record_is_passed_over_and_the_others_keep_their_numbers():
    table = bytearray(a_table(ROW, ("S2", *ROW[1:])))
    table[-2 * RECORD] = ord("*")
    assert [(order.row, order.sid) for order in dbf(bytes(table)).orders] == [(2, "S2")]


@pytest.mark.parametrize(
    ("volume", "code"), [(b"       100.5", Code.VOLUME_BAD), (b"        1E+2", Code.NUMBER_BAD), (b"************", Code.NUMBER_BAD), (b"        100x", Code.NUMBER_BAD), (b"            ", Code.VALUE_MISSING)]
)  # fmt: skip
def test_number_that_a_library_would_bend_is_refused(volume, code):
    assert the_refusal(dbf(put(a_table(), b"         100", volume))).code is code


def test_text_that_is_no_text_refuses_its_row():
    table = put(a_table(ROW, ("S2", *ROW[1:7], "ab")), b"ab  ", b"\xff\xff  ")
    result = dbf(table)
    assert [order.sid for order in result.orders] == ["S1"]
    assert result.codes == [(2, Code.ROW_ENCODING)]


def test_field_of_another_kind_is_refused_where_it_is_read():
    table = a_dbf(
        [("symbol", "C", 16, 0), ("volume", "N", 9, 0), ("order_biz", "L", 1, 0)], [("SHSE.600000", 1, True)]
    )
    assert the_refusal(dbf(table)).column == "order_biz"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([("symbol", "C", 16, 0), ("volume", "N", 9, 0)], Code.HEADER_MISSING_COLUMN),
        ([("symbol", "C", 16, 0), ("order_biz", "C", 9, 0), ("lots", "N", 9, 0)], Code.HEADER_UNKNOWN_COLUMN),
    ],
)
def test_table_of_other_columns_is_refused(fields, code):
    assert refused(a_dbf(fields, [["1"] * len(fields)]), suffix=".dbf").code is code


def test_table_without_orders_is_empty():
    assert refused(a_dbf(FIELDS, []), suffix=".dbf").code is Code.FILE_EMPTY


def test_records_that_the_head_does_not_count_yet_make_it_incomplete():
    assert refused(a_table() + b" " * RECORD, suffix=".dbf").code is Code.FILE_DAMAGED
