"""The receipt of a workbook: its own rows, and beside each the result, the reason and the remedy."""

from __future__ import annotations

import io

import openpyxl
import pytest
from books import HEADER, a_book, a_book_of

from orderdrop.domain.order import DropKind
from orderdrop.intake.workbook import own_sheets
from orderdrop.outbox.receipt_book import write_receipt_book
from orderdrop.system.excel import BAD, GOOD, PALE
from orderdrop.views.orders import ReceiptRow

FIRST = len(HEADER) + 2
"""The column of what is told, behind the row's number and its own cells."""


def a_receipt(row: int = 2, **over) -> ReceiptRow:
    values = {
        "row": row, "sid": "S1", "outcome": "filled", "code": "", "原因": "", "reason": "", "remedy": "", "note": "",
        "gateway": "paper", "filled_volume": "100", "avg_price": "10.35", "sheet": "",
    }  # fmt: skip
    return ReceiptRow(**values | over)


def written(receipts, book: bytes | None = None, language: str = "zh+en"):
    """The receipt's workbook, and in how many slices it was made."""
    sheets = own_sheets(book, DropKind.ORDER) if book is not None else []
    making, slices = write_receipt_book("篮子.xlsx · 2026-11-20", receipts, sheets, language), 0
    while True:
        try:
            next(making)
        except StopIteration as done:
            return openpyxl.load_workbook(io.BytesIO(done.value)), slices
        slices += 1


def table(sheet) -> list[list]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_book_when_a_row_was_traded_then_its_own_cells_stand_first_and_the_result_beside_them():
    book, _ = written([a_receipt()], a_book())
    [sheet] = book.worksheets
    title, head, row = table(sheet)
    assert title[0] == "篮子.xlsx · 2026-11-20"
    assert head[: FIRST - 1] == ["行 row", *HEADER]
    assert row[: FIRST - 1] == [2, "S1", "SHSE.600000", "买入", 100, 10.35, None]
    assert row[FIRST - 1 :] == ["已成交 filled", "S1", 100, 10.35, None, None, None]


@pytest.mark.parametrize(
    ("outcome", "words", "tint"),
    [
        ("filled", "已成交 filled", GOOD),
        ("denied", "检查拒绝 denied", BAD),
        ("canceled", "已撤 canceled", PALE),
        ("of a later version", "of a later version", PALE),
    ],
)
def test_book_when_something_came_of_a_row_then_in_words_and_in_colour(outcome, words, tint):
    book, _ = written([a_receipt(outcome=outcome)], a_book())
    cell = book.worksheets[0].cell(3, FIRST)
    assert cell.value.startswith(words)
    assert (cell.fill.fgColor.rgb[-6:], cell.font.color.rgb[-6:]) == tint


def test_book_when_a_row_was_refused_then_code_reason_and_remedy_are_told():
    told = a_receipt(
        outcome="denied", code="LOT_SIZE", 原因="数量不对", reason="bad volume", remedy="改成整手", note="x"
    )
    book, _ = written([told], a_book())
    assert table(book.worksheets[0])[2][FIRST + 3 :] == ["LOT_SIZE 数量不对\nbad volume", "改成整手", "x"]


def test_book_when_somebody_reads_chinese_only_then_no_english_stands_there():
    told = a_receipt(outcome="denied", code="LOT_SIZE", 原因="数量不对", reason="bad volume")
    row = table(written([told], a_book(), "zh")[0].worksheets[0])[2]
    assert (row[FIRST - 1], row[FIRST + 3]) == ("检查拒绝", "LOT_SIZE 数量不对")


def test_book_when_several_sheets_hold_orders_then_each_shows_its_own():
    rows = {
        "买入": [HEADER, ("S1", "SHSE.600000", "买", 100, 10.35, "")],
        "卖出": [HEADER, ("S2", "SHSE.600001", "卖", 200, 1, "")],
    }
    receipts = [a_receipt(sheet="买入"), a_receipt(sheet="卖出", sid="S2", outcome="denied")]
    book, _ = written(receipts, a_book_of(rows))
    assert book.sheetnames == ["买入", "卖出"]
    assert [table(sheet)[2][FIRST] for sheet in book.worksheets] == ["S1", "S2"]


def test_book_when_a_sheet_has_nothing_to_do_with_orders_then_it_is_left_out():
    rows = {
        "委托": [HEADER, ("S1", "SHSE.600000", "买", 100, 10.35, "")],
        "说明": [["read me"], ["and this"]],
    }
    assert written([a_receipt()], a_book_of(rows))[0].sheetnames == ["委托"]


def test_book_when_it_was_refused_unread_then_one_sheet_tells_so():
    told = a_receipt(row=0, sid="", outcome="refused", code="BOOK_MACROS", filled_volume="", avg_price="")
    book, _ = written([told])
    assert book.sheetnames == ["回执 Receipt"]
    assert table(book.worksheets[0])[2][:3] == [0, "拒绝 refused", None]


def test_book_when_a_row_has_no_text_of_its_own_then_it_is_told_on_a_sheet_behind():
    book, _ = written([a_receipt(), a_receipt(row=99, sid="S9", outcome="error")], a_book())
    assert book.sheetnames == ["委托", "回执 Receipt"]
    assert table(book.worksheets[1])[2][:3] == [99, "有错 error", "S9"]


def test_book_when_a_cell_would_run_as_a_formula_then_it_is_text():
    told = a_receipt(sid="=1+1", note="@x\x00")
    row = written([told], a_book(("S1", "SHSE.600000", "买入", 100, 10.35, "+cmd")))[0].worksheets[0]
    cells = table(row)[2]
    assert cells[FIRST - 2] == "'+cmd"
    assert (cells[FIRST], cells[-1]) == ("'=1+1", "'@x?")


def test_book_when_it_is_long_then_it_is_made_in_slices():
    rows = [(f"S{n}", "SHSE.600000", "买入", 100, 10.35, "") for n in range(1000)]
    book, slices = written([a_receipt(n + 2, sid=f"S{n}") for n in range(1000)], a_book(*rows))
    assert slices == 5
    assert book.worksheets[0].max_row == 1002
