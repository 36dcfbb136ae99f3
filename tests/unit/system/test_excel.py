from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from book_looks import faults_of

from orderdrop.system.excel import HEAD, append_fitted, lay_out_page, lines_of, tinted, width_of


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), (None, 0), ("abc", 3), ("数量", 4), ("数量 volume", 11), ("a\n数量", 4), (12, 2)],
)
def test_width_counts_a_chinese_character_twice(text: object, width: int) -> None:
    assert width_of(text) == width


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [("", 10, 1), ("abc", 10, 1), ("x" * 30, 11, 4), ("数" * 15, 11, 4), ("a\nb", 10, 2)],
)
def test_lines_are_rather_one_too_many(text: str, width: int, lines: int) -> None:
    assert lines_of(text, width) == lines


def a_sheet(*rows: list[Any], widths: list[int]) -> Any:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("S")
    lay_out_page(sheet, head=1)
    for letter, width in zip("ABC", widths, strict=False):
        sheet.column_dimensions[letter].width = width
    for number, row in enumerate(rows, 1):
        append_fitted(sheet, number, row, widths)
    file = io.BytesIO()
    book.save(file)
    return openpyxl.load_workbook(io.BytesIO(file.getvalue()))


def test_row_when_a_text_is_wider_than_its_column_is_as_high_as_it_needs() -> None:
    book = a_sheet(["a", "b"], ["原因" * 20, 7], ["x", "y"], widths=[20, 10])
    sheet = book["S"]
    assert faults_of(book) == []
    assert sheet["A2"].alignment.wrap_text
    assert not sheet["B2"].alignment.wrap_text
    assert sheet["B2"].alignment.vertical == "top"
    assert sheet.row_dimensions[2].height > 60
    assert sheet.row_dimensions[3].height is None


def test_row_when_its_cells_have_a_tint_keeps_it() -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("S")
    cell = tinted(openpyxl.cell.WriteOnlyCell(sheet, "长" * 40), HEAD, bold=True)
    append_fitted(sheet, 1, [cell], [20])
    file = io.BytesIO()
    book.save(file)
    (shown,) = openpyxl.load_workbook(io.BytesIO(file.getvalue()))["S"][1]
    assert (shown.font.b, shown.font.name, shown.fill.fgColor.rgb) == (True, "Calibri", f"00{HEAD.paper}")
    assert shown.alignment.wrap_text


def test_looks_find_what_is_cut() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    lay_out_page(sheet, head=1)
    sheet.append(["long" * 10, "beside"])
    assert faults_of(book) == ["Sheet: A1 is cut at the right"]
