"""Owns how the tables of a web page are taken apart: what some programs save as `.xls`. Nothing is loaded, run or guessed.

A page is whole when each table in it is closed. A cell that spans several would shift what stands behind it: its rows are refused.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final, NamedTuple

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.symbol import SPACES
from orderdrop.intake.cells import Oddity
from orderdrop.intake.encoding import CANDIDATES, byte_order_mark, decodes
from orderdrop.intake.profile import Profile
from orderdrop.intake.sheets import Book, BookLimits, Header, NoHeader, Sheet, find_header, sheet_rows

_UNSEEN: Final = frozenset({"script", "style", "head", "title"})
_HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_SPACE: Final = re.compile(r"[ \t\r\n\f]+")


class _Row(NamedTuple):
    cells: list[str]
    spans: bool
    hidden: bool


class _Tables(HTMLParser):
    """Collects the rows of each table. open: how many tables are not closed."""

    def __init__(self, cells: int) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[_Row]] = []
        self.open = 0
        self.nested = False
        self.left = cells
        self._row: list[str] | None = None
        self._spans = self._hidden = False
        self._text: list[str] | None = None
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN and tag != "head":
            self._unseen.append(tag)
        elif tag == "table":
            self.nested |= self.open > 0
            self.open += 1
            self.tables.append([])
        elif tag == "tr" and self.open:
            self._end_row()
            said = dict(attrs)
            self._row, self._spans = [], False
            self._hidden = bool(_HIDDEN.search(said.get("style") or "")) or "hidden" in said
        elif tag in {"td", "th"} and self._row is not None:
            self._end_cell()
            said = dict(attrs)
            self._text = []
            self._spans |= any((said.get(span) or "1").strip() != "1" for span in ("colspan", "rowspan"))
        elif tag == "br" and self._text is not None:
            self._text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._unseen and tag == self._unseen[-1]:
            self._unseen.pop()
        elif tag in {"td", "th"}:
            self._end_cell()
        elif tag == "tr":
            self._end_row()
        elif tag == "table" and self.open:
            self._end_row()
            self.open -= 1

    def handle_data(self, data: str) -> None:
        if self._text is not None and not self._unseen:
            self._text.append(data)

    def _end_cell(self) -> None:
        if self._text is not None and self._row is not None:
            self._row.append(_SPACE.sub(" ", "".join(self._text)).strip(SPACES))
            self.left -= 1
        self._text = None

    def _end_row(self) -> None:
        self._end_cell()
        if self._row is not None:
            self.tables[-1].append(_Row(self._row, self._spans, self._hidden))
        self._row = None


def open_page(
    data: bytes, kind: DropKind, limits: BookLimits, profile: Profile | None = None
) -> Book | Refusal:
    """Each table that has a header, as a sheet; or why nothing of the page can be taken. A row's number counts within its table."""
    text = _decoded(data)
    if text is None:
        return Refusal(Code.FILE_ENCODING)
    parser = _Tables(limits.cells)
    parser.feed(text)
    parser.close()
    if parser.open or parser.nested:
        why = "a table that is not closed" if parser.open else "a table within a table"
        return Refusal(Code.FILE_DAMAGED, value=f"html: {why}")
    if parser.left < 0:
        return Refusal(Code.FILE_INFLATES, value="html", bound=f"{limits.cells} cells")
    found: list[Sheet] = []
    nearest: Refusal | None = None
    for number, table in enumerate(parser.tables, 1):
        sheet = _sheet(
            f"table {number}", table, kind, limits.rows - sum(len(one.rows) for one in found), profile
        )
        if isinstance(sheet, Sheet):
            found.append(sheet)
        elif isinstance(sheet, NoHeader):
            if sheet.meant:
                return sheet.refusal
            nearest = nearest or sheet.refusal
        elif sheet is not None:
            return sheet
    return Book(found) if found else nearest or Refusal(Code.HEADER_NOT_FOUND, value="html")


def _sheet(
    name: str, table: list[_Row], kind: DropKind, at_most: int, profile: Profile | None
) -> Sheet | NoHeader | Refusal | None:
    numbered = [(number, row.cells) for number, row in enumerate(table, 1)]
    header = find_header(numbered, kind, profile)
    if not isinstance(header, Header):
        return header
    said = {number: oddities for number, row in enumerate(table, 1) if (oddities := _odd(number, row))}
    rows = sheet_rows(header, numbered, said, at_most)
    if isinstance(rows, Refusal):
        return rows
    return Sheet(name, header, rows) if rows else None


def _odd(number: int, row: _Row) -> list[Oddity]:
    found: list[Oddity] = ["隐藏行 hidden row"] if row.hidden else []
    return [*found, Refusal(Code.CELL_MERGED, value=str(number))] if row.spans else found


def _decoded(data: bytes) -> str | None:
    marked = byte_order_mark(data)
    encodings = [marked[0]] if marked else [*CANDIDATES]
    raw = data[marked[1] :] if marked else data
    return next((raw.decode(one) for one in encodings if decodes(raw, one)), None)
