from __future__ import annotations

import pytest
from intake_reading import opened, read, refused, the_order

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, explain
from orderdrop.intake.columns import column_named

ROW_OF = {
    "sid": "S1",
    "symbol": "600000",
    "volume": "100",
    "order_business": "买",
    "price": "10.35",
    "account_id": "A9",
}


@pytest.mark.parametrize(
    ("cell", "column"),
    [
        ("sid", "sid"),
        ("SID", "sid"),
        ("委托编号", "sid"),
        ("Account_ID", "account_id"),
        ("account id", "account_id"),
        ("资金账号", "account_id"),
        ("证券代码", "symbol"),
        ("代 码", "symbol"),
        ("合约代码", "symbol"),
        ("标的", "symbol"),
        ("volume(vol)", "volume"),
        ("vol", "volume"),
        ("数量（股）", "volume"),
        ("股数", "volume"),
        ("order_business(order_biz)", "order_business"),
        ("order_biz", "order_business"),
        ("OrderBusiness", "order_business"),
        ("ＳＩＤＥ", "order_business"),
        ("买卖方向", "order_business"),
        ("委托方向", "order_business"),
        ("order_type", "order_type"),
        ("价格类型", "order_type"),
        ("price(prc)", "price"),
        ("委托价格(元)", "price"),
        ("comment(cmt)", "remark"),
        ("备注\u3000", "remark"),
        ("策略名称", "strategy"),
        ("证券名称", ""),
        ("数量(手)", None),
        ("volume(lots)", None),
        ("price(volume)", None),
        ("price()", None),
        ("foo", None),
        ("", None),
        ("sid" * 100, None),
    ],
)
def test_column_when_named_then_known_only_if_it_is_plain_what_it_means(cell, column):
    assert column_named(cell) == column


@pytest.mark.parametrize(
    "header",
    [
        "sid,symbol,volume,order_business,price,account_id",
        "price,account_id,order_business,volume,symbol,sid",
        "委托编号,资金账号,证券代码,方向,数量,价格",
        "\ufeffSID,Symbol,Volume,Side,Price,Account",
    ],
)
def test_header_when_columns_stand_in_any_order_then_each_is_found(header):
    row = ",".join(ROW_OF[column_named(cell)] for cell in header.split(","))
    order = the_order(read(f"{header}\n{row}\n"))
    assert (order.sid, order.account_id, order.symbol, order.volume, str(order.price)) == (
        "S1",
        "A9",
        "SHSE.600000",
        100,
        "10.35",
    )


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("", Code.FILE_EMPTY, ""),
        ("\ufeff", Code.FILE_EMPTY, ""),
        ("\n\r\n  \n", Code.FILE_EMPTY, ""),
        ("symbol,volume,side,foo\n", Code.HEADER_UNKNOWN_COLUMN, "foo"),
        ("symbol,volume,side,foo,bar\n", Code.HEADER_UNKNOWN_COLUMN, "foo, bar"),
        ("symbol,volume,side,数量\n", Code.HEADER_TWICE, "数量"),
        ("symbol,volume,side,remark,comment\n", Code.HEADER_TWICE, "comment"),
        ("symbol,price\n", Code.HEADER_MISSING_COLUMN, "volume, order_business"),
        ("S1,A1,SHSE.600000,100,1,1,10.35\n", Code.HEADER_NOT_FOUND, "S1,A1,SHSE.600000,100,1,1,10.35"),
        ("symbol,volume\0,side\n", Code.FILE_NUL, ""),
        ('symbol,volume,"side\n', Code.ROW_QUOTES, 'symbol,volume,"side'),
        ("symbol,volume,side\rS1,100,1\r", Code.VALUE_CONTROL, "symbol,volume,side\rS1,100,1\r"),
    ],
)
def test_header_when_not_as_it_must_be_then_the_file_is_refused(text, code, value):
    refusal = refused(text)
    assert (refusal.code, refusal.value) == (code, value)
    assert explain(refusal).remedy


@pytest.mark.parametrize("raw", [b"\xff\xff,symbol\n", b"\x80symbol,volume,side\n"])
def test_header_when_in_no_known_encoding_then_the_file_is_refused(raw):
    assert refused(raw).code is Code.FILE_ENCODING


@pytest.mark.parametrize("head", ["sid\n", "sid,comment\n", "编号,备注\n", "sid,account_id\n"])
def test_header_when_it_is_a_cancel_header_under_an_order_name_then_the_remedy_names_the_file(head):
    refusal = refused(head)
    assert refusal.code is Code.HEADER_MISSING_COLUMN
    assert "*.cancel_order.csv" in explain(refusal).remedy


def test_header_when_an_ordinary_column_is_missing_then_no_word_of_cancels():
    assert "cancel" not in explain(refused("sid,price\n")).remedy


@pytest.mark.parametrize("kind", [DropKind.CANCEL, DropKind.RELEASE, DropKind.RESEND])
def test_header_when_the_drop_is_an_instruction_then_only_sid_account_and_comment(kind):
    assert read("sid,account_id,comment\nS1,A1,why\n", kind).instructions[0][1:3] == ("S1", "why")
    assert refused("sid,symbol\n", kind).code is Code.HEADER_UNKNOWN_COLUMN
    assert refused("comment\n", kind).code is Code.HEADER_MISSING_COLUMN
    assert refused("S1\n", kind).code is Code.HEADER_NOT_FOUND


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_header_when_only_known_with_another_delimiter_then_that_one_is_used(delimiter):
    lines = ("symbol,volume,side,price", "600000,100,买,10.35")
    order = the_order(read("".join(line.replace(",", delimiter) + "\n" for line in lines)))
    assert (order.symbol, order.volume, str(order.price)) == ("SHSE.600000", 100, "10.35")


@pytest.mark.parametrize(
    ("head", "offset", "next_row"),
    [
        (b"symbol,volume,side\nrest", 19, 2),
        (b"symbol,volume,side\r\nrest", 20, 2),
        (b"\xef\xbb\xbfsymbol,volume,side\nrest", 22, 2),
        (b"\n\r\nsymbol,volume,side\nrest", 22, 4),
        (b"symbol,volume,side", 18, 2),
        (b"\xff\xfe" + "\nsymbol,volume,side\n上".encode("utf-16-le"), 2 + 2 * 20, 3),
        (b"\xfe\xff" + "symbol,volume,side\n上".encode("utf-16-be"), 2 + 2 * 19, 2),
    ],
)
def test_header_when_read_then_tells_where_the_rows_begin(head, offset, next_row):
    reader, start = opened(head)
    assert (start, reader.next_row) == (offset, next_row)
