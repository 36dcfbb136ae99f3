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
from orderdrop.system.extras import library
from orderdrop.system.files import rewriting

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_WIDEST: Final = 60
_LOOKED_AT: Final = 200
_SLICE: Final = 500
_INSTANT_FORMAT: Final = "yyyy-mm-dd hh:mm:ss.000"


class Sheet(NamedTuple):
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def write_book(path: Path, sheets: Iterable[Sheet]) -> None:
    """Raises OrderdropError when openpyxl is not installed."""
    openpyxl = library("openpyxl")
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415  optional
    from openpyxl.styles import Font  # noqa: PLC0415
    from openpyxl.utils import get_column_letter  # noqa: PLC0415

    book = openpyxl.Workbook(write_only=True)
    for sheet in sheets:
        page = book.create_sheet(sheet.title)
        page.freeze_panes = "A2"
        page.auto_filter.ref = f"A1:{get_column_letter(len(sheet.columns))}{len(sheet.rows) + 1}"
        for number, column in enumerate(sheet.columns):
            seen = [len(str(row[number] or "")) for row in sheet.rows[:_LOOKED_AT]]
            page.column_dimensions[get_column_letter(number + 1)].width = min(
                _WIDEST, 3 + max([len(column), *seen])
            )
        header = [WriteOnlyCell(page, column) for column in sheet.columns]
        for cell in header:
            cell.font = Font(bold=True)
        page.append(header)
        for row in sheet.rows:
            page.append([_cell(WriteOnlyCell, page, value) for value in row])
    path.parent.mkdir(parents=True, exist_ok=True)
    with rewriting(path) as write:
        book.save(_Written(write))


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
        return float(value)
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
