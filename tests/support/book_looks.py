"""Whether a workbook may be shown to people: what each program that opens it needs to be told."""

from __future__ import annotations

from typing import Any

from openpyxl.utils import get_column_letter

from orderdrop.system.excel import lines_of, width_of


def faults_of(book: Any) -> list[str]:
    """Of each sheet: paper, frozen head, texts that are cut by the next column or by the row's height."""
    return [f"{sheet.title}: {fault}" for sheet in book for fault in _faults(sheet)]


def _faults(sheet: Any) -> list[str]:
    setup = sheet.page_setup
    found = []
    if not sheet.sheet_properties.pageSetUpPr.fitToPage or (setup.fitToWidth, setup.fitToHeight) != (1, 0):
        found.append("is not one page wide")
    if not sheet.print_title_rows:
        found.append("has no head on its second page")
    for row in sheet.iter_rows():
        for cell, beside in zip(row, [*row[1:], None], strict=True):
            found += _faults_of(sheet, cell, beside and beside.value)
    return found


def _faults_of(sheet: Any, cell: Any, beside: Any) -> list[str]:
    """beside: what the next cell holds; an empty one lets a text flow over."""
    if not isinstance(cell.value, str):
        return []
    width = sheet.column_dimensions[get_column_letter(cell.column)].width
    height = sheet.row_dimensions[cell.row].height or sheet.sheet_format.defaultRowHeight
    if cell.alignment.wrap_text:
        needed = lines_of(cell.value, width) * 15
        return [f"{cell.coordinate} is cut below"] if height < min(needed, 409) else []
    return (
        [f"{cell.coordinate} is cut at the right"]
        if beside is not None and width_of(cell.value) > width
        else []
    )
