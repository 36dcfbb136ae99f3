"""Writes workbooks for people, by openpyxl: colours, widths, and cells that no spreadsheet will run."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, NamedTuple

from orderdrop.system import extras
from orderdrop.system.csv_tables import harmless

_LIBRARY: Final = "openpyxl"
_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST: Final = 32_767
_is_number: Final = re.compile(r"[0-9]{1,15}|[0-9]{1,10}\.[0-9]{1,5}").fullmatch
_NOT_IN_A_NAME: Final = re.compile(r"[\\*?:/\[\]\x00-\x1f\ud800-\udfff']")
_LONGEST_NAME: Final = 31


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
    return styles.PatternFill("solid", fgColor=tint.paper), styles.Font(bold=bold, color=tint.ink)


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
