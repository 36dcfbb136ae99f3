"""Owns how an .xlsx becomes a `Book`: openpyxl reads the values, a scan of the same XML tells what openpyxl does not.

The file comes from anybody. Sizes are looked up in the zip's directory before anything is unpacked; every part is unpacked once
against its checksum, so a workbook that was cut is known; document types (entities) are refused. Macros and links to other files are refused.
Numbers are read to 15 digits, which is all that Excel holds or shows.
"""

from __future__ import annotations

import contextlib
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple
from xml.parsers import expat

from orderdrop.domain.identity import MOST_SHEETS
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.symbol import SPACES
from orderdrop.intake.cells import CLIP, Oddity
from orderdrop.intake.profile import Profile
from orderdrop.intake.reader import HEAD_ROWS
from orderdrop.intake.sheets import (
    Book,
    BookLimits,
    Cell,
    Header,
    NoHeader,
    Sheet,
    find_header,
    letters,
    sheet_rows,
)

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_DOCTYPES: Final = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_MOST_PARTS: Final = 5000
_PIECE: Final = 1 << 16
_LAST_ROW: Final = 1_048_576
_LAST_COLUMN: Final = 16_384
_DIGITS: Final = Context(prec=15, rounding=ROUND_HALF_EVEN)
_TOO_LONG: Final = Decimal(10) ** 15
_INSTALL: Final = "pip install openpyxl"
_UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    expat.ExpatError,
    ValueError,
)


class _Unfit(Exception):
    """Why the workbook is refused."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


def open_workbook(
    data: bytes, kind: DropKind, limits: BookLimits, profile: Profile | None = None
) -> Book | Refusal:
    """Every sheet that has a header, in the workbook's order; or why nothing of it can be taken."""
    try:
        import openpyxl  # noqa: PLC0415  an extra, and heavy
    except ImportError:
        return Refusal(Code.FILE_LIBRARY, value=".xlsx", bound=_INSTALL)
    try:
        with _checked(data, limits) as parts, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of features that hold no values
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            try:
                return _read_sheets(book, parts, kind, limits, profile)
            finally:
                book.close()
    except _Unfit as unfit:
        return unfit.refusal
    except Exception as error:  # noqa: BLE001  what a hostile file makes a library raise nobody can list; all of it means: not taken
        return _damaged(f"{type(error).__name__}: {error}")


class OwnSheet(NamedTuple):
    """rows: their numbers and texts, as they come."""

    name: str
    header: Header
    rows: Iterator[tuple[int, list[str]]]


def own_sheets(data: bytes, kind: DropKind, profile: Profile | None = None) -> Iterator[OwnSheet]:
    """The sheets with a header of a workbook that was taken before, to show its rows again: nothing is checked, nothing kept."""
    import openpyxl  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        header = find_header(_rows(sheet, None), kind, profile)
        if isinstance(header, Header):
            yield OwnSheet(sheet.title, header, _own_rows(sheet, header))
    book.close()


def _own_rows(sheet: Any, header: Header) -> Iterator[tuple[int, list[str]]]:
    for number, cells in _rows(sheet, None):
        if number > header.row:
            own = [cells[column] if column < len(cells) else "" for column in header.columns]
            texts = [cell if isinstance(cell, str) else cell.value for cell in own]
            if any(texts[place].strip(SPACES) for place in header.layout.own_places.values()):
                yield number, texts


def not_to_be_opened(data: bytes) -> Refusal:
    """Why a table that only a spreadsheet program can read is not taken."""
    if data.startswith(_OLE):
        return (
            Refusal(Code.FILE_ENCRYPTED)
            if _ENCRYPTED in data
            else Refusal(Code.FILE_TYPE, value=".xls", bound=".xlsx")
        )
    if data.lstrip()[:1] in {b"<", b"M", b"m"} or data.startswith(b"\xef\xbb\xbf"):
        return Refusal(Code.FILE_TYPE, value="xml", bound=".xlsx")
    return _damaged("neither a workbook nor text")


def _damaged(why: str) -> Refusal:
    return Refusal(Code.FILE_DAMAGED, value=why[:CLIP])


# the zip


def _checked(data: bytes, limits: BookLimits) -> zipfile.ZipFile:
    """The workbook's parts, each of them whole. Raises _Unfit."""
    if data.startswith(_OLE):
        raise _Unfit(not_to_be_opened(data))
    try:
        parts = zipfile.ZipFile(io.BytesIO(data))
        infos = parts.infolist()
        _refuse_large(infos, limits)
        _refuse_active(parts, [info.filename for info in infos])
        for info in infos:
            _refuse_document_type(parts, info)
    except _UNREADABLE as error:
        raise _Unfit(_damaged(str(error))) from error
    return parts


def _refuse_large(infos: Sequence[zipfile.ZipInfo], limits: BookLimits) -> None:
    unpacked = sum(info.file_size for info in infos)
    if len(infos) > _MOST_PARTS or unpacked > limits.unpacked:
        raise _Unfit(
            Refusal(Code.FILE_INFLATES, value=f"{unpacked} bytes, {len(infos)} parts", bound=f"{limits.unpacked} bytes, {_MOST_PARTS} parts")
        )  # fmt: skip
    if any(info.flag_bits & 1 for info in infos):
        raise _Unfit(Refusal(Code.FILE_ENCRYPTED))
    if len({info.filename for info in infos}) != len(infos):
        raise _Unfit(_damaged("a part stands in it twice"))


def _refuse_active(parts: zipfile.ZipFile, names: Sequence[str]) -> None:
    lower = [name.lower() for name in names]
    macros = [name for name in lower if name.endswith("vbaproject.bin") or "/macrosheets/" in name]
    if macros or b"macroenabled" in parts.read("[Content_Types].xml").lower():
        raise _Unfit(Refusal(Code.BOOK_MACROS, value=macros[0] if macros else ".xlsm"))
    links = [name for name in lower if "/externallinks/" in name and name.endswith(".xml")]
    if links:
        raise _Unfit(Refusal(Code.BOOK_LINKS, value=", ".join(links)[:CLIP]))


def _refuse_document_type(parts: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    """Unpacks the part to its end, which also proves its checksum."""
    xml = info.filename.lower().endswith((".xml", ".rels"))
    with parts.open(info) as part:
        tail = b""
        while piece := part.read(_PIECE):
            if xml and any(mark in tail + piece for mark in _DOCTYPES):
                raise _Unfit(_damaged(f"{info.filename}: <!DOCTYPE"))
            tail = piece[-32:]


# the sheets


def _read_sheets(
    book: Any, parts: zipfile.ZipFile, kind: DropKind, limits: BookLimits, profile: Profile | None
) -> Book | Refusal:
    found: list[Sheet] = []
    passed_over: list[str] = []
    nearest: Refusal | None = None
    several = len(book.worksheets) > 1
    for sheet in book.worksheets:
        path = sheet._worksheet_path  # noqa: SLF001  openpyxl has no other name for it
        _scan(parts, path, limits, until=HEAD_ROWS)
        sheet.reset_dimensions()  # what it says of its size may be wrong, and would cut rows off
        header = find_header(_rows(sheet, None), kind, profile)
        if isinstance(header, NoHeader):
            value = f"{sheet.title}!{header.refusal.value}" if several else header.refusal.value
            refusal = header.refusal._replace(value=value)
            if header.meant:
                return refusal
            nearest = nearest or refusal
        if not isinstance(header, Header):
            passed_over.append(sheet.title)
            continue
        facts = _scan(parts, path, limits)
        said = _said(facts, header)
        rows = sheet_rows(header, _rows(sheet, facts), said, limits.rows - sum(len(s.rows) for s in found))
        if isinstance(rows, Refusal):
            return rows._replace(bound=str(limits.rows))
        if rows and sheet.sheet_state != "visible":
            return Refusal(Code.SHEET_HIDDEN, value=sheet.title)
        if rows:
            found.append(Sheet(sheet.title, header, rows))
        else:
            passed_over.append(sheet.title)
            nearest = nearest or Refusal(Code.FILE_EMPTY)
    if found and len(found) <= MOST_SHEETS:
        return Book(found, passed_over)
    return nearest or Refusal(Code.SHEET_NOT_FOUND, bound=str(HEAD_ROWS))


def _rows(sheet: Any, facts: _Facts | None) -> Iterator[tuple[int, list[Cell]]]:
    """Rows with their numbers, without those that have no cells at all."""
    unsaved = facts.unsaved if facts else frozenset()
    for number, row in enumerate(sheet.iter_rows(), 1):
        if row:
            cells = [_text(cell) for cell in row]
            if unsaved:
                for index in range(len(cells)):
                    if (number, index) in unsaved:
                        cells[index] = Refusal(Code.CELL_UNSAVED, value=f"{letters(index)}{number}")
            yield number, cells


def _text(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return Refusal(Code.CELL_ERROR, value=value) if cell.data_type == "e" else value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return number_text(value, cell.number_format)
    return Refusal(Code.CELL_DATE, value=str(value))


@lru_cache(maxsize=8192)
def number_text(value: float, number_format: str = "") -> str:
    """A number as a person would type it who sees it. More than 15 digits, some of which are lost, look as they do in Excel."""
    number = _DIGITS.create_decimal(repr(value))
    if not number.is_finite() or abs(number) >= _TOO_LONG:
        return f"{number:.5E}"
    if "%" in number_format:
        return f"{_plain(number * 100)}%"
    text = _plain(number)
    zeros = (
        len(number_format) if number_format and not number_format.strip("0") else 0
    )  # 000001 is kept as 1, shown by 000000
    return text.zfill(zeros)


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


# what openpyxl does not tell


@dataclass(slots=True)
class _Facts:
    """Rows count from 1, columns from 0. unsaved: formulas without a result. merged: top, left, bottom, right, and as the file has it."""

    hidden: set[int] = field(default_factory=set)
    unsaved: set[tuple[int, int]] = field(default_factory=set)
    merged: list[tuple[int, int, int, int, str]] = field(default_factory=list)


def _said(facts: _Facts, header: Header) -> dict[int, list[Oddity]]:
    """What is to be said about rows, by their numbers: hidden, or touched by a merged cell in a column that is read."""
    read = {header.columns[place]: column for column, place in header.layout.own_places.items()}
    said: dict[int, list[Oddity]] = {}
    for row in facts.hidden:
        said.setdefault(row, []).append("隐藏行 hidden row")
    for top, left, bottom, right, ref in facts.merged:
        if any(left <= column <= right for column in read):
            for row in range(max(top, header.row + 1), bottom + 1):
                said.setdefault(row, []).append(Refusal(Code.CELL_MERGED, value=ref))
    return said


class _Reached(Exception):
    """As far as was asked."""


def _scan(parts: zipfile.ZipFile, path: str, limits: BookLimits, until: int = _LAST_ROW) -> _Facts:
    """Read a sheet's XML up to row `until`. Raises _Unfit when it is no sheet that Excel could have written, or too large."""
    scanner = _Scanner(limits, until)
    with parts.open(path) as part, contextlib.suppress(_Reached):
        scanner.parser.ParseFile(part)
    return scanner.facts


class _Scanner:
    """Follows rows and cells, whose numbers must rise: a row or a cell that stands there twice could be read in two ways."""

    def __init__(self, limits: BookLimits, until: int) -> None:
        self.facts = _Facts()
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._limits, self._until = limits, until
        self._row = self._column = self._cells = 0
        self._formula = self._value = self._text = False
        self._merged = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(" ")[2]:
            case "c":
                self._start_cell(attributes)
            case "v":
                self._value = (
                    self._text
                )  # the result of a formula may be the empty text; another kind is never empty
                self.parser.CharacterDataHandler = self._characters
            case "f":
                self._formula = True
            case "row":
                self._start_row(attributes)
            case "mergeCell":
                self._merge(attributes["ref"])

    def _start_row(self, attributes: dict[str, str]) -> None:
        row = int(attributes.get("r", self._row + 1))
        if not self._row < row <= _LAST_ROW:
            raise _Unfit(_damaged(f"row {row} behind row {self._row}"))
        self._row, self._column = row, 0
        if row > self._until:
            raise _Reached
        if attributes.get("hidden") in {"1", "true"}:
            self.facts.hidden.add(row)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        row, column = _place(reference) if reference else (self._row, self._column + 1)
        if row != self._row or not self._column < column <= _LAST_COLUMN:
            raise _Unfit(_damaged(f"cell {reference or column} in row {self._row}"))
        self._column = column
        self._cells += 1
        if self._cells > self._limits.cells:
            raise _Unfit(
                Refusal(Code.FILE_INFLATES, value=f"{self._cells} cells", bound=f"{self._limits.cells} cells")
            )
        self._formula, self._value, self._text = False, False, attributes.get("t") == "str"

    def _characters(self, _text: str) -> None:
        self._value = True

    def _end(self, name: str) -> None:
        match name.rpartition(" ")[2]:
            case "v":
                self.parser.CharacterDataHandler = None
            case "c" if self._formula and not self._value:
                self.facts.unsaved.add((self._row, self._column - 1))

    def _merge(self, ref: str) -> None:
        first, _, last = ref.partition(":")
        (top, left), (bottom, right) = _place(first), _place(last or first)
        self._merged += max(bottom - top, 0) + 1
        if self._merged > self._limits.cells:
            raise _Unfit(
                Refusal(Code.FILE_INFLATES, value=f"{self._merged} merged", bound=str(self._limits.cells))
            )
        self.facts.merged.append((top, left - 1, bottom, right - 1, ref))


def _place(reference: str) -> tuple[int, int]:
    """(3, 2) for B3. Raises ValueError."""
    name = reference.rstrip("0123456789")
    column = 0
    for letter in name:
        if not "A" <= letter <= "Z" or column > _LAST_COLUMN:
            raise ValueError(f"not a cell: {reference[:20]}")
        column = column * 26 + ord(letter) - 64
    return int(reference[len(name) :]), column
