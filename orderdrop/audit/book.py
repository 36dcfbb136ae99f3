"""Writes workbooks and CSV files for people: cells that would run as a formula are made harmless, instants are Shanghai time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from orderdrop.audit.frames import COLUMNS, INSTANTS, MONEY, Tables, What, cells, frame
from orderdrop.domain.refusal import Language
from orderdrop.system.clock import Micros, iso, to_datetime
from orderdrop.system.csv_tables import harmless, header_bytes, rows_bytes
from orderdrop.system.excel import HEAD, append_fitted, lay_out_page, openpyxl, tinted, width_of
from orderdrop.system.extras import library
from orderdrop.system.files import rewriting

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_WIDEST: Final = 60
_WIDEST_UPRIGHT: Final = 40
"""What is wider is wrapped."""

_LOOKED_AT: Final = 200
_SLICE: Final = 500
_ARROW: Final = 4
_MONEY_FORMAT: Final = "#,##0.00##"
_INSTANT_FORMAT: Final = "yyyy-mm-dd hh:mm:ss.000"


class Sheet(NamedTuple):
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def write_book(path: Path, sheets: Iterable[Sheet], *, upright: bool = False) -> None:
    """upright: on paper. Raises OrderdropError when openpyxl is not installed."""
    book = openpyxl().Workbook(write_only=True)
    for sheet in sheets:
        _write(book.create_sheet(sheet.title), sheet, upright=upright)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rewriting(path) as write:
        book.save(_Written(write))


def _write(page: Any, sheet: Sheet, *, upright: bool) -> None:
    letter, make = openpyxl().utils.get_column_letter, openpyxl().cell.WriteOnlyCell
    page.freeze_panes = "A2"
    page.auto_filter.ref = f"A1:{letter(len(sheet.columns))}{len(sheet.rows) + 1}"
    lay_out_page(page, head=1, upright=upright)
    widest = _WIDEST_UPRIGHT if upright else _WIDEST
    widths = [min(widest, _width(sheet, number)) for number in range(len(sheet.columns))]
    for number, width in enumerate(widths, 1):
        page.column_dimensions[letter(number)].width = width
    page.append([tinted(make(page, column), HEAD, bold=True) for column in sheet.columns])
    for line, row in enumerate(sheet.rows, 2):
        append_fitted(page, line, [_cell(make, page, value) for value in row], widths)


def _width(sheet: Sheet, number: int) -> int:
    """Of the column's head with its arrow, or of its first cells."""
    seen = [width_of(_shown(row[number])) for row in sheet.rows[:_LOOKED_AT]]
    return max([width_of(sheet.columns[number]) + _ARROW, *(width + 2 for width in seen)])


def _shown(value: Any) -> Any:
    """As wide as the cell's format makes it."""
    if isinstance(value, datetime):
        return _INSTANT_FORMAT
    return f"{value:,.4f}" if isinstance(value, Decimal) else value


class _Written:
    """The little that a zip needs of a file that can only be written on."""

    def __init__(self, write: Any) -> None:
        self._write = write
        self._at = 0

    def write(self, data: bytes) -> int:
        self._write(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        """Nothing is kept back."""


def _cell(kind: Any, page: Any, value: Any) -> Any:
    if isinstance(value, Decimal):
        cell = kind(page, float(value))
        cell.number_format = _MONEY_FORMAT
        return cell
    if isinstance(value, datetime):
        cell = kind(page, value.replace(tzinfo=None))
        cell.number_format = _INSTANT_FORMAT
        return cell
    if isinstance(value, str):
        return _CONTROL.sub("?", harmless(value))
    return value


def journal_sheet(tables: Tables, what: What, language: Language) -> Sheet:
    """Orders or events, for a workbook."""
    columns = COLUMNS[what]
    rows = [
        [
            to_datetime(value) if name in INSTANTS and value is not None else value
            for name, value in zip(columns, row, strict=True)
        ]
        for row in cells(tables, what, language)
    ]
    return Sheet(what, columns, rows)


def write_csv(path: Path, tables: Tables, what: What, language: Language) -> None:
    """Instants as ISO 8601, money exact."""
    columns = COLUMNS[what]
    rows = cells(tables, what, language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rewriting(path) as write:
        write(header_bytes(columns))
        for start in range(0, len(rows), _SLICE):
            write(
                rows_bytes(
                    [_text(name, value) for name, value in zip(columns, row, strict=True)]
                    for row in rows[start : start + _SLICE]
                )
            )


def _text(name: str, value: Any) -> Any:
    if value is None:
        return ""
    if name in INSTANTS:
        return iso(Micros(value))
    return format(value, "f") if name in MONEY else value


def write_parquet(path: Path, tables: Tables, what: What, language: Language) -> None:
    """What `read_journal` gives. Raises OrderdropError when pandas or pyarrow are not installed."""
    library("pyarrow", "parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    content = frame(tables, what, language).to_parquet(None, index=False)
    with rewriting(path) as write:
        write(content)
