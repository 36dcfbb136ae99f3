"""Files that a user has described: names, positions, words, constants; what neither file nor description says is refused."""

from __future__ import annotations

import io

import openpyxl
import pytest
from intake_reading import a_context, outcomes

from orderdrop.config.settings import Settings
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.intake import BookLimits, Reader, open_book
from orderdrop.intake.sids import row_key

QMT = {
    "positions": ["方向", "委托类型", "价格", "代码", "数量", "备注"],
    "values": {"方向": {"23": "买入", "24": "卖出"}, "委托类型": {"11": "限价"}},
}
WORDS = {
    "header": {"标的物": "代码", "几股": "数量", "出价": "价格", "做什么": "方向"},
    "values": {"方向": {"0": "买", "1": "卖"}},
}


def a_profile(**values):
    return Settings(profiles={"x": values}).profiles["x"].profile("x")


def opened(text, **profile):
    return Reader.open(
        text if isinstance(text, bytes) else text.encode(), DropKind.ORDER, a_profile(**profile)
    )


def read(text, **profile):
    data = text if isinstance(text, bytes) else text.encode()
    found = opened(data, **profile)
    assert not isinstance(found, Refusal), found
    reader, start = found
    return outcomes(reader, data[start:], a_context())


def terms(result):
    assert not result.errors, result.errors
    return [(o.row, o.symbol, o.order_business, o.volume, str(o.price), o.order_type) for o in result.orders]


def test_file_without_a_header_is_read_by_positions():
    result = read("23,11,10.35,600000.SH,1000,memo\n24,11,11.2,000002.SZ,200\n", **QMT)
    assert terms(result) == [(1, "SHSE.600000", 1, 1000, "10.35", 1), (2, "SZSE.000002", 2, 200, "11.2", 1)]
    assert [order.remark for order in result.orders] == ["memo", ""]
    assert "[profiles.x]" in result.orders[0].note


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_delimiter_is_found_where_none_is_given(delimiter):
    line = delimiter.join(["23", "11", "10.35", "600000.SH", "1000", "memo"])
    assert terms(read(f"{line}\n", **QMT)) == [(1, "SHSE.600000", 1, 1000, "10.35", 1)]


def test_lines_to_skip_are_counted():
    assert terms(read("何时\n何人\n23,11,10.35,600000.SH,1000\n", skip=2, **QMT))[0][0] == 3


def test_line_with_a_delimiter_to_spare_is_whole_and_one_that_lacks_a_quantity_is_refused():
    assert terms(read("23,11,10.35,600000.SH,1000,,\n", **QMT))
    result = read("23,11,10.35,600000.SH,1000\n23,11,10.35,600000.SH\n23,11,10.35,600000.SH,1,a,b\n", **QMT)
    assert result.codes == [(2, Code.ROW_FIELDS), (3, Code.ROW_FIELDS)]


def test_file_of_another_width_is_refused_as_a_whole():
    assert opened("23,600000.SH,1000\n", **QMT).code is Code.PROFILE_WIDTH


@pytest.mark.parametrize("side", ["1", "买入", "25"])
def test_word_that_the_profile_does_not_translate_is_refused(side):
    result = read(f"{side},11,10.35,600000.SH,1000\n", **QMT)
    assert [(error.refusal.code, error.refusal.value) for error in result.errors] == [
        (Code.PROFILE_VALUE, side)
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (",11,10.35,600000.SH,1000", Code.VALUE_MISSING),
        ("23,11,10.35,,1000", Code.VALUE_MISSING),
        ("23,11,10.35,600000.SH,", Code.VALUE_MISSING),
        ("23,,,600000.SH,1000", Code.VALUE_MISSING),
        ("23,11,10.35,700000,1000", Code.SYMBOL_BAD),
    ],
)
def test_row_that_lacks_a_side_a_price_a_quantity_or_an_exchange_is_refused(line, code):
    result = read(f"{line}\n", **QMT)
    assert [error.refusal.code for error in result.errors] == [code]


def test_names_of_the_file_are_read_beside_those_that_are_known():
    text = "标的物,做什么,几股,出价,名称\n600000,0,1000,10.35,浦发\n000002,1,200,11.2,万科\n"
    assert terms(read(text, **WORDS)) == [
        (2, "SHSE.600000", 1, 1000, "10.35", 1),
        (3, "SZSE.000002", 2, 200, "11.2", 1),
    ]


def test_column_that_is_not_to_be_read_is_said_and_one_that_is_not_described_is_refused():
    text = "标的物,做什么,几股,出价,止损价\n600000,0,1000,10.35,9\n"
    assert opened(text, **WORDS).code is Code.HEADER_UNKNOWN_COLUMN
    passing = WORDS | {"header": WORDS["header"] | {"止损价": ""}}
    assert "止损价" in read(text, **passing).orders[0].note


def test_constants_fill_empty_cells_and_columns_that_are_not_there():
    text = "代码,数量,价格,账户\n600000,100,10,\n600000,200,10,B2\n"
    result = read(text, constants={"方向": "卖出", "account_id": "A9", "strategy": "alpha"})
    assert [(o.order_business, o.account_id, o.strategy) for o in result.orders] == [
        (2, "A9", "alpha"),
        (2, "B2", "alpha"),
    ]


def test_total_below_a_constant_side_is_no_order():
    result = read("代码,数量,价格\n600000,100,10\n合计,100,\n", constants={"方向": "买入"})
    assert len(terms(result)) == 1
    assert "合计" in result.orders[0].note


def test_constant_market_helps_a_bare_code_and_refuses_another_exchange():
    text = "代码,方向,数量,价格\n000001,买,100,10\n600000.SH,买,100,10\n"
    result = read(text, constants={"市场": "深市"})
    assert [order.symbol for order in result.orders] == ["SZSE.000001"]
    assert result.codes == [(3, Code.SYMBOL_MARKET)]


def test_encoding_that_is_named_is_used_and_a_mark_wins():
    line = "23,11,10.35,600000.SH,1000,测试\n"
    assert read(line.encode("gbk"), encoding="gbk", **QMT).orders[0].remark == "测试"
    assert read(line.encode("utf-16"), encoding="gbk", **QMT).orders[0].remark == "测试"
    assert (
        opened("标的物,做什么,几股,出价\n".encode("gbk"), encoding="utf-8", **WORDS).code
        is Code.FILE_ENCODING
    )


def test_row_says_the_same_however_the_profile_spells_it():
    (one,) = read("23,11,10.35,600000.SH,1000\n", **QMT).orders
    (other,) = read("买|600000|10.350|1000\n", positions=["方向", "代码", "价格", "数量"]).orders
    (header,) = read("标的物,做什么,几股,出价\nsh600000,0,1000,10.35\n", **WORDS).orders
    assert (
        row_key(one._replace(sid="")) == row_key(other._replace(sid="")) == row_key(header._replace(sid=""))
    )


def test_pieces_of_a_file_without_a_header_are_read_as_the_whole():
    data = "".join(f"23,11,10.35,600000.SH,{100 * n}\n" for n in range(1, 6)).encode()
    reader, start = opened(data[:40], **QMT)
    rows = [
        order for at in range(start, len(data), 26) for order in outcomes(reader, data[at : at + 26]).orders
    ]
    whole = read(data, **QMT).orders
    assert [(order.row, order.volume) for order in rows] == [(n, 100 * n) for n in range(1, 6)]
    assert [order._replace(note="") for order in rows] == [order._replace(note="") for order in whole]


@pytest.mark.parametrize("headed", [True, False])
def test_workbook_is_read_by_the_same_description(headed):
    book = openpyxl.Workbook()
    for row in (["标的物", "做什么", "几股", "出价"], ["600000", 0, 1000, 10.35])[0 if headed else 1 :]:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    described = (
        WORDS if headed else {"positions": ["代码", "方向", "数量", "价格"], "values": WORDS["values"]}
    )
    profile = a_profile(constants={"account_id": "A9"}, **described)
    opened = open_book(content.getvalue(), ".xlsx", DropKind.ORDER, BookLimits.of(1 << 25, 1000), profile)
    assert not isinstance(opened, Refusal), opened
    (block,) = opened.read(a_context())
    assert [(o.symbol, o.order_business, o.account_id) for o in block.orders] == [("SHSE.600000", 1, "A9")]
