"""Owns what workbooks and dbf files have in common: tables whose rows have numbers of their own, read whole. Guesses nothing.

A `Book` is made by `intake.workbook` or `intake.dbf`, which know a format; here a grid of cells becomes rows for `Rows`. A cell comes as
its text, or as a refusal that says why it has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from orderdrop.domain.identity import Spot, line_at
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.symbol import SPACES
from orderdrop.intake.cells import CLIP, COMMA, Line, Odd, Oddity
from orderdrop.intake.columns import (
    IGNORED,
    MARKET,
    PASSED_OVER,
    Layout,
    by_position,
    column_named,
    lay_out,
    passed_over,
)
from orderdrop.intake.profile import Profile
from orderdrop.intake.reader import HEAD_ROWS
from orderdrop.intake.rows import BLOCK_ROWS, Block, Context, Rows, with_note
from orderdrop.intake.surroundings import Counter

_MARK: Final = {kind: "order_business" if kind is DropKind.ORDER else "sid" for kind in DropKind}
"""The column that only a table of such drops has."""

_TIMES: Final = ("not_before", "not_after")
_TIME: Final = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}").fullmatch

Cell = str | Refusal


class BookLimits(NamedTuple):
    """rows: in the whole file. unpacked: bytes that a compressed file may grow to. cells: of one sheet."""

    rows: int
    unpacked: int
    cells: int

    @classmethod
    def of(cls, max_bytes: int, max_rows: int) -> BookLimits:
        return cls(max_rows, 4 * max_bytes, 10 * max_rows)


class Header(NamedTuple):
    """A row that names columns. columns: which cells of a row these are, from 0; letters: of each of them, for people."""

    row: int
    layout: Layout
    titles: tuple[str, ...]
    columns: tuple[int, ...]


class SheetRow(NamedTuple):
    """line: what the row says, whatever the order of its columns; names it when it has no sid."""

    row: int
    line: str
    cells: list[str] | Odd

    @property
    def texts(self) -> list[str]:
        return self.cells.cells if isinstance(self.cells, Odd) else self.cells


class Sheet(NamedTuple):
    name: str
    header: Header
    rows: list[SheetRow]


class Book(NamedTuple):
    """The tables of a file that hold orders or instructions, in their order. passed_over: names of the other sheets."""

    sheets: Sequence[Sheet]
    passed_over: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        """Of the sheets, where there is more than one."""
        return [sheet.name for sheet in self.sheets] if len(self.sheets) > 1 else []

    def read(self, context: Context) -> Iterator[Block]:
        """Yields the result of each row, in blocks of at most BLOCK_ROWS. A row's number carries its sheet, see `line_at`."""
        for index, sheet in enumerate(self.sheets):
            rows = Rows.of(sheet.header.layout, context)
            for start in range(0, len(sheet.rows), BLOCK_ROWS):
                part = sheet.rows[start : start + BLOCK_ROWS]
                numbers = [line_at(Spot(index, row.row)) for row in part]
                table: list[Line] = [_fresh(row.cells) for row in part]
                block = rows.read(numbers, [row.line for row in part], table)
                if not start and block.orders and (said := sheet.header.layout.said):
                    block.orders[0] = with_note(block.orders[0], said)
                yield block


class NoHeader(NamedTuple):
    """The row that is most like a header, and why it is none. meant: for orders; a list of positions has symbols and volumes, too."""

    refusal: Refusal
    meant: bool


def find_header(
    rows: Iterable[tuple[int, Sequence[Cell]]], kind: DropKind, profile: Profile | None = None
) -> Header | NoHeader | None:
    """The header among a sheet's first rows. None: nothing is like one."""
    if profile is not None and profile.positions:
        return by_place(profile, kind)
    nearest: NoHeader | None = None
    for number, cells in rows:
        if number > HEAD_ROWS:
            break
        if profile is not None and number <= profile.skip:
            continue
        named = [
            (index, cell.strip(SPACES))
            for index, cell in enumerate(cells)
            if isinstance(cell, str) and cell.strip(SPACES)
        ]
        titles = tuple(title for _index, title in named)
        layout = _lay_out(titles, kind, profile)
        if isinstance(layout, Layout):
            return Header(number, layout, titles, tuple(index for index, _title in named))
        columns = {column_named(title) for title in titles} - {None, IGNORED, PASSED_OVER, MARKET}
        meant = _MARK[kind] in columns
        if len(columns) > 1 and (nearest is None or (meant and not nearest.meant)):
            nearest = NoHeader(layout, meant)
    return nearest


@lru_cache(maxsize=64)
def _lay_out(titles: tuple[str, ...], kind: DropKind, profile: Profile | None) -> Layout | Refusal:
    return lay_out(list(titles), kind, COMMA, profile)


def by_place(profile: Profile, kind: DropKind) -> Header:
    """What stands for the header of a table that has none."""
    layout = by_position(profile, kind, COMMA)
    titles = tuple(column or f"#{place + 1}" for place, column in enumerate(profile.positions))
    return Header(profile.skip, layout, titles, tuple(range(layout.width)))


def sheet_rows(
    header: Header,
    rows: Iterable[tuple[int, Sequence[Cell]]],
    said: Mapping[int, Sequence[Oddity]],
    at_most: int,
) -> list[SheetRow] | Refusal:
    """The rows below a header that are not blank. said: what is to be said about a row, by its number.

    A first column under no name may count the rows up, as pandas writes its index; nothing else may stand outside the table.
    """
    known = sorted(header.layout.own_places.items())
    columns = {place: column for column, place in known}
    end = header.columns[-1] + 1
    gaps = sorted({*range(end)} - {*header.columns})
    counter = Counter() if header.layout.kind is DropKind.ORDER and gaps == [0] else None
    found: list[SheetRow] = []
    for number, cells in rows:
        if number <= header.row:
            continue
        if counter is not None and cells and not counter.counts_on(number, _plain_text(cells[0])):
            counter = None
        oddities: list[Oddity] = []
        texts = [
            _text_of(cells[index] if index < len(cells) else "", columns.get(place), title, oddities)
            for place, (index, title) in enumerate(zip(header.columns, header.titles, strict=True))
        ]
        line = "\x1f".join(
            f"{column}={text}" for column, place in known if (text := texts[place].strip(SPACES))
        )
        if not (line or oddities):
            continue
        if len(found) == at_most:
            return Refusal(Code.FILE_TOO_MANY_ROWS, bound=str(at_most))
        if counter is None:
            oddities += [
                _outside(at, number, cells[at]) for at in gaps if at < len(cells) and _holds(cells[at])
            ]
        beyond = [_outside(at, number, cells[at]) for at in range(end, len(cells)) if _holds(cells[at])]
        oddities += [passed_over(cell.value) for cell in beyond] if header.layout.may_go_on else beyond
        oddities += said.get(number, ())
        found.append(SheetRow(number, line, Odd(texts, oddities) if oddities else texts))
    return found


def _fresh(cells: list[str] | Odd) -> Line:
    """`Rows` adds to the cells that it is given, and a book may be read twice."""
    return Odd([*cells.cells], cells.oddities) if isinstance(cells, Odd) else [*cells]


def _text_of(cell: Cell, column: str | None, title: str, oddities: list[Oddity]) -> str:
    """What stands for a cell that has no text. A column that is not read hurts nobody, and a date is a good remark."""
    if isinstance(cell, str):
        return cell
    if cell.code is Code.CELL_DATE and (column == "remark" or (column in _TIMES and _TIME(cell.value))):
        return cell.value
    if column is not None:
        oddities.append(cell._replace(column=title))
    return ""


def _plain_text(cell: Cell) -> str:
    return cell.strip(SPACES) if isinstance(cell, str) else ""


def _holds(cell: Cell) -> bool:
    return not isinstance(cell, str) or bool(cell.strip(SPACES))


def _outside(index: int, row: int, cell: Cell) -> Refusal:
    text = cell if isinstance(cell, str) else cell.value
    return Refusal(Code.CELL_OUTSIDE, column=f"{letters(index)}{row}", value=text[:CLIP])


def letters(index: int) -> str:
    """A column's name as spreadsheets have it: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name
