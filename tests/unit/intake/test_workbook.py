"""Workbooks as people make them: what becomes of their rows."""

from datetime import date
from decimal import Decimal

import pytest
from book_reading import opened, read, refused
from books import HEADER, ROW, a_book, a_book_of, with_xml
from intake_reading import the_order, the_refusal
from openpyxl.worksheet.protection import SheetProtection

from orderdrop.domain.identity import spot_of
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code
from orderdrop.intake.workbook import number_text


def a_row(**cells):
    return [cells.get(name, value) for name, value in zip(HEADER, ROW, strict=True)]


def the_sheet(book):
    return book.worksheets[0]


def test_book_when_plain_becomes_orders_with_the_sheets_own_rows():
    result = read(a_book(a_row(), a_row(sid="S2", order_business=2, symbol="000001.SZ")))
    assert [(o.row, o.sid, o.symbol, o.volume, o.order_business, o.price) for o in result.orders] == [
        (2, "S1", "SHSE.600000", 100, 1, Decimal("10.35")),
        (3, "S2", "SZSE.000001", 100, 2, Decimal("10.35")),
    ]
    assert not result.errors


def test_header_when_below_a_title_and_in_chinese_is_found():
    sheet = [["委托清单", None, "2026"], [], [None, "证券代码", "证券名称", "买卖方向", "委托数量", "委托价格"], [None, 600000, "浦发", "买", 100, 10.35]]  # fmt: skip
    order = the_order(read(a_book_of({"x": sheet})))
    assert (order.row, order.symbol, order.volume) == (4, "SHSE.600000", 100)


def test_header_when_below_the_first_rows_is_not_looked_for():
    assert refused(a_book_of({"x": [*([["标题"]] * 20), HEADER, ROW]})).code is Code.SHEET_NOT_FOUND


def test_sheets_when_several_hold_orders_are_all_read_and_told_apart():
    sheets = {
        "买入": [HEADER, a_row()],
        "说明": [["怎么填"]],
        "卖出": [["卖"], HEADER, a_row(sid="S2"), a_row(sid="S3", volume="x")],
    }
    book = opened(a_book_of(sheets))
    assert (book.names, book.passed_over) == (["买入", "卖出"], ["说明"])
    result = read(a_book_of(sheets))
    assert [(*spot_of(order.row), order.sid) for order in result.orders] == [(0, 2, "S1"), (1, 3, "S2")]
    assert [(*spot_of(error.row), error.refusal.code) for error in result.errors] == [(1, 4, Code.NUMBER_BAD)]


def test_list_of_positions_beside_the_orders_is_passed_over():
    sheets = {
        "委托": [HEADER, ROW],
        "持仓": [["证券代码", "证券名称", "数量", "成本价"], [600000, "浦发", 100, 9]],
    }
    assert opened(a_book_of(sheets)).passed_over == ["持仓"]


def test_order_sheet_with_an_unknown_column_refuses_the_book_and_names_the_sheet():
    wrong = [*HEADER, "止损价"]
    refusal = refused(a_book_of({"买入": [HEADER, ROW], "卖出": [wrong, ROW]}))
    assert (refusal.code, refusal.value) == (Code.HEADER_UNKNOWN_COLUMN, "卖出!止损价")


def test_only_sheet_that_lacks_a_column_is_told_which():
    refusal = refused(a_book_of({"x": [["证券代码", "数量", "价格"], [600000, 100, 10]]}))
    assert (refusal.code, refusal.value) == (Code.HEADER_MISSING_COLUMN, "order_business")


def test_hidden_sheet_with_orders_refuses_the_book():
    def hide(book):
        book["旧"].sheet_state = "veryHidden"

    refusal = refused(a_book_of({"委托": [HEADER, ROW], "旧": [HEADER, ROW]}, change=hide))
    assert (refusal.code, refusal.value) == (Code.SHEET_HIDDEN, "旧")


def test_hidden_sheet_without_orders_hurts_nobody():
    def hide(book):
        book["旧"].sheet_state = "hidden"

    assert len(opened(a_book_of({"委托": [HEADER, ROW], "旧": [HEADER]}, change=hide)).sheets) == 1


def test_hidden_row_is_taken_and_said():
    def hide(book):
        the_sheet(book).row_dimensions[3].hidden = True

    shown, hidden = read(a_book(a_row(), a_row(sid="S2"), change=hide)).orders
    assert (shown.note, hidden.note) == ("", "隐藏行 hidden row")


def test_protected_sheet_is_read():
    def protect(book):
        the_sheet(book).protection = SheetProtection(sheet=True, password="x")

    assert the_order(read(a_book(change=protect))).sid == "S1"


@pytest.mark.parametrize(
    ("range_", "bad"), [("B2:B3", [2, 3]), ("A2:B2", [2]), ("A1:B1", []), ("F2:G2", [2]), ("H2:J3", []), ("A5:F6", [])]
)  # fmt: skip
def test_merged_cells_when_in_a_column_that_is_read_refuse_their_rows(range_, bad):
    def merge(book):
        the_sheet(book).insert_rows(1)  # a title, so that a merged header row is no header
        the_sheet(book).merge_cells(range_.translate(str.maketrans("123456", "234567")))

    result = read(a_book(a_row(), a_row(sid="S2"), change=merge if range_ != "A1:B1" else None))
    assert [(row - 1, code) for row, code in result.codes] == [(row, Code.CELL_MERGED) for row in bad]


@pytest.mark.parametrize(
    ("symbol", "number_format", "read_as"),
    [
        (600000, "General", "SHSE.600000"),
        (600000.0, "General", "SHSE.600000"),
        ("600000", "@", "SHSE.600000"),
        (2, "General", "SZSE.000002"),
        (2, "000000", "SZSE.000002"),
        ("000002", "@", "SZSE.000002"),
    ],
)
def test_symbol_when_it_is_a_number_has_its_zeros(symbol, number_format, read_as):
    def show(book):
        the_sheet(book)["B2"].number_format = number_format

    assert the_order(read(a_book(a_row(symbol=symbol), change=show))).symbol == read_as


def test_lost_zeros_are_said():
    assert "2" in the_order(read(a_book(a_row(symbol=2)))).note


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("sid", 1e15, Code.SID_EXCEL),
        ("sid", 20261120093101125, Code.SID_EXCEL),
        ("sid", "1E+15", Code.SID_EXCEL),
        ("sid", date(2026, 11, 20), Code.CELL_DATE),
        ("symbol", date(2026, 11, 20), Code.CELL_DATE),
        ("volume", date(1900, 4, 9), Code.CELL_DATE),
        ("volume", 100.5, Code.VOLUME_BAD),
        ("volume", True, Code.NUMBER_BAD),
        ("volume", "一百", Code.NUMBER_BAD),
        ("volume", 1e20, Code.NUMBER_BAD),
        ("volume", -100, Code.VOLUME_BAD),
        ("volume", None, Code.VALUE_MISSING),
        ("price", 10.35123, Code.PRICE_DECIMALS),
        ("price", "=1+", Code.CELL_UNSAVED),
        ("price", "#N/A", Code.CELL_ERROR),
        ("remark", "=1+1", Code.CELL_UNSAVED),
        ("order_business", 3, Code.SIDE_BAD),
        ("order_business", 1.5, Code.SIDE_BAD),
        ("order_business", None, Code.VALUE_MISSING),
    ],
)
def test_cell_that_says_nothing_certain_is_refused(column, value, code):
    refusal = the_refusal(read(a_book(a_row(**{column: value}))))
    assert (refusal.code, refusal.column) == (code, column)


@pytest.mark.parametrize(
    ("column", "value", "read_as"),
    [
        ("volume", "1000", 1000),
        ("volume", "1,000", 1000),
        ("volume", 1000.0, 1000),
        ("price", "10.35", Decimal("10.35")),
        ("price", 10.350000000000001, Decimal("10.35")),
        ("price", 0.1 + 0.2, Decimal("0.3")),
        ("sid", 1234, "1234"),
        ("sid", 123456789012345, "123456789012345"),
        ("order_business", 2, 2),
        ("order_business", "卖出", 2),
        ("remark", date(2026, 11, 20), "2026-11-20 00:00:00"),
        ("remark", "两 行", "两 行"),
    ],
)
def test_cell_that_is_certain_is_read(column, value, read_as):
    assert getattr(the_order(read(a_book(a_row(**{column: value})))), column) == read_as


def test_price_in_percent_is_refused_as_it_is_shown():
    def show(book):
        the_sheet(book)["E2"].number_format = "0.00%"

    refusal = the_refusal(read(a_book(a_row(price=0.5), change=show)))
    assert (refusal.code, refusal.value) == (Code.NUMBER_BAD, "50%")


def test_formula_with_its_saved_value_is_read():
    book = with_xml(a_book(a_row(volume="=50*4")), ("<f>50*4</f><v />", "<f>50*4</f><v>200</v>"))
    assert the_order(read(book)).volume == 200


def test_formula_when_its_saved_value_is_an_error_is_refused():
    book = with_xml(
        a_book(a_row(volume="=1/0")),
        ('<c r="D2"><f>1/0</f><v />', '<c r="D2" t="e"><f>1/0</f><v>#DIV/0!</v>'),
    )
    assert the_refusal(read(book)).code is Code.CELL_ERROR


def test_row_of_formulas_that_give_empty_text_is_blank():
    row = ["", '=IF(H9="","",H9)', *([""] * 4)]
    saved = ('<c r="B3"><f>IF(H9="","",H9)</f><v />', '<c r="B3" t="str"><f>IF(H9="","",H9)</f><v />')
    result = read(with_xml(a_book(a_row(), row), saved))
    assert (len(result.orders), result.errors) == (1, [])


def test_row_of_formulas_that_were_never_computed_is_refused():
    assert the_refusal(read(a_book(["", "=H9", "", "", "", ""]))).code is Code.CELL_UNSAVED


def test_blank_rows_and_numbered_ones_are_passed_over():
    rows = [[1, *ROW], [2], [None], [3, *ROW[:5]]]
    result = read(a_book(*rows, header=["序号", *HEADER]))
    assert ([order.row for order in result.orders], result.errors) == ([2, 5], [])


def test_value_without_a_column_name_refuses_its_row():
    refusal = the_refusal(read(a_book([*ROW, None, "30%"])))
    assert (refusal.code, refusal.column, refusal.value) == (Code.CELL_OUTSIDE, "H2", "30%")


def test_column_without_a_name_between_others_may_be_empty():
    header, row = [*HEADER[:2], None, *HEADER[2:]], [*ROW[:2], None, *ROW[2:]]
    assert the_order(read(a_book(row, header=header))).volume == 100
    assert the_refusal(read(a_book([*row[:2], 7, *row[3:]], header=header))).code is Code.CELL_OUTSIDE


def test_header_again_is_refused():
    assert read(a_book(ROW, HEADER)).codes == [(3, Code.ROW_HEADER_AGAIN)]


def test_sheet_whose_stated_size_is_wrong_is_read_whole():
    book = with_xml(a_book(a_row(), a_row(sid="S2")), ('<dimension ref="A1:F3"', '<dimension ref="A1:B2"'))
    assert [(order.sid, order.price) for order in read(book).orders] == [
        ("S1", Decimal("10.35")),
        ("S2", Decimal("10.35")),
    ]


def test_cancels_are_read():
    result = read(a_book_of({"x": [["sid", "comment"], ["S1", "太贵"], [1234, None]]}), DropKind.CANCEL)
    assert [(one.row, one.sid) for one in result.instructions] == [(2, "S1"), (3, "1234")]


def test_row_without_sid_is_named_by_what_it_says_wherever_it_stands():
    said: list[str] = []

    def derive(_row, line):
        said.append(line)
        return f"D{len(said)}"

    read(a_book(a_row(sid=None), header=HEADER), derive=derive)
    turned = [None, 10.35, 100, "买入", "SHSE.600000", "浦发"]
    names = ["remark", "price", "volume", "order_business", "symbol", "证券名称"]
    read(a_book_of({"另": [["标题"], names, turned]}), derive=derive)
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("value", "text"),
    [(100, "100"), (100.0, "100"), (0.1, "0.1"), (1e-7, "0.0000001"), (-0.0, "-0"), (1e15, "1.00000E+15"), (999999999999999, "999999999999999")],
)  # fmt: skip
def test_number_is_as_a_person_types_it(value, text):
    assert number_text(value) == text
