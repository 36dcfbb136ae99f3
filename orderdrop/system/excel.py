"""Writes workbooks for people, by openpyxl: colours, widths, and cells that no spreadsheet will run."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from copy import copy
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from orderdrop.system import extras
from orderdrop.system.csv_tables import harmless

_LIBRARY: Final = "openpyxl"
_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST: Final = 32_767
_is_number: Final = re.compile(r"[0-9]{1,15}|[0-9]{1,10}\.[0-9]{1,5}").fullmatch
_NOT_IN_A_NAME: Final = re.compile(r"[\\*?:/\[\]\x00-\x1f\ud800-\udfff']")
_LONGEST_NAME: Final = 31
_A4: Final = 9
_LINE: Final = 16.0
_HIGHEST: Final = 409.0
"""Points: of a line, and of the highest row that there may be."""

_SLACK: Final = 1.1
_FONT: Final = "Calibri"
"""The font of every cell that has none of its own; one without a name is shown in another one."""


class Tint(NamedTuple):
    """Background and letters, as RRGGBB."""

    paper: str
    ink: str


HEAD: Final = Tint("1F4E78", "FFFFFF")
GOOD: Final = Tint("C6EFCE", "006100")
WAITING: Final = Tint("FFEB9C", "7F6000")
BAD: Final = Tint("FFC7CE", "9C0006")
PALE: Final = Tint("EDEDED", "595959")


def is_installed() -> bool:
    return extras.is_installed(_LIBRARY)


def openpyxl() -> Any:
    """Raises ConfigError when it is not installed."""
    return extras.library(_LIBRARY)


def tinted(cell: Any, tint: Tint, *, bold: bool = False) -> Any:
    """The cell, coloured."""
    cell.fill, cell.font = _styles(tint, bold)
    return cell


@lru_cache(maxsize=32)
def _styles(tint: Tint, bold: bool) -> tuple[Any, Any]:
    styles = import_module(f"{_LIBRARY}.styles")
    return styles.PatternFill("solid", fgColor=tint.paper), styles.Font(_FONT, 11, bold=bold, color=tint.ink)


def safe(text: object) -> str:
    """Text that is no formula and that XML can hold."""
    return _UNWRITABLE.sub("?", harmless(text))[:_LONGEST]


def number(text: str) -> float | str | None:
    """A plain number as one, so that a spreadsheet can add it up; anything else as text."""
    if not _is_number(text):
        return safe(text) or None
    return float(text) if "." in text else int(text)


def sheet_name(name: str) -> str:
    """A name that a sheet may have."""
    return _NOT_IN_A_NAME.sub("_", name)[:_LONGEST_NAME] or "_"


# how a sheet looks on a screen and on paper


def width_of(value: object) -> int:
    """The columns that a cell's longest line takes; a Chinese character takes two."""
    text = "" if value is None else str(value)
    return max((_columns_of(line) for line in text.splitlines()), default=0)


def lines_of(value: object, width: float) -> int:
    """Into how many lines a wrapped cell falls, rather one too many: programs break words as they like."""
    lines = ("" if value is None else str(value)).splitlines() or [""]
    return sum(max(1, math.ceil(_columns_of(line) * _SLACK / max(width - 1, 1))) for line in lines)


def _columns_of(line: str) -> int:
    if line.isascii():
        return len(line)
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in line)


def at_top(cell: Any, *, wrap: bool = True) -> Any:
    """The cell at the top of its row, its text broken into lines."""
    plain, known = not cell.has_style, _TOPS.setdefault(cell.parent.parent, {})
    if plain and wrap in known:  # to make a style costs more than all the rest of a cell
        cell._style = copy(known[wrap])  # noqa: SLF001
        return cell
    cell.alignment = _alignment(wrap)
    if plain:
        known[wrap] = copy(cell._style)  # noqa: SLF001
    return cell


_TOPS: Final[WeakKeyDictionary[Any, dict[bool, Any]]] = WeakKeyDictionary()
"""The style of a cell that is nothing but at the top, by workbook and by whether it is wrapped."""


@lru_cache(maxsize=2)
def _alignment(wrap: bool) -> Any:
    return import_module(f"{_LIBRARY}.styles").Alignment(wrap_text=wrap, vertical="top")


def height_of(lines: int) -> float:
    """Points. It is said, since not every program looks for itself how high a wrapped row must be."""
    return min(_HIGHEST, lines * _LINE + 2)


def append_fitted(sheet: Any, row: int, values: Sequence[Any], widths: Sequence[float]) -> None:
    """Append a row to a sheet that can only be written on: what is wider than its column is wrapped, and the row is as high as that needs.

    row: its number. values: cells, or what may stand in them.
    """
    texts = [getattr(value, "value", value) for value in values]
    long = [number for number, width in enumerate(widths) if _is_long(texts[number], width)]
    if not long:
        sheet.append(values)
        return
    make = openpyxl().cell.WriteOnlyCell
    cells = [value if hasattr(value, "value") else make(sheet, value) for value in values]
    for number, cell in enumerate(cells):
        at_top(cell, wrap=number in long)
    sheet.row_dimensions[row].height = height_of(
        max(lines_of(texts[number], widths[number]) for number in long)
    )
    sheet.append(cells)
    del sheet.row_dimensions[row]


def _is_long(text: object, width: float) -> bool:
    if not isinstance(text, str) or (2 * len(text) < width and "\n" not in text):
        return False
    return "\n" in text or width_of(text) >= width


def lay_out_page(sheet: Any, *, head: int, upright: bool = False) -> None:
    """On A4 paper, one page wide, the first `head` rows again on each page. Before the first row is written."""
    paging = import_module(f"{_LIBRARY}.worksheet.properties").PageSetupProperties(fitToPage=True)
    sheet.sheet_properties.pageSetUpPr = paging
    sheet.page_setup.orientation = "portrait" if upright else "landscape"
    sheet.page_setup.paperSize = _A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.print_title_rows = f"1:{head}"
    sheet.print_options.gridLines = True
    sheet.sheet_format.defaultRowHeight, sheet.sheet_format.customHeight = height_of(1), True
    sheet.page_margins = import_module(f"{_LIBRARY}.worksheet.page").PageMargins(0.4, 0.4, 0.5, 0.5, 0.2, 0.2)
    sheet.oddFooter.center.text = "&A  &P / &N"
