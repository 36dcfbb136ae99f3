"""Owns how a dbf table is taken apart: its head, its records, their texts. Text is GBK, or UTF-8 where it plainly is.

A number is kept as the digits that stand in the file. Libraries for dbf make 100.5 into 100 in a field without decimals, and nothing of
what they cannot read; here both are told.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.intake.cells import CLIP, COMMA
from orderdrop.intake.columns import Layout, by_position, lay_out
from orderdrop.intake.encoding import CANDIDATES, decodes
from orderdrop.intake.profile import Profile
from orderdrop.intake.sheets import Book, BookLimits, Cell, Header, Sheet, sheet_rows

DESCRIPTOR: Final = 32
"""Bytes before the field descriptors, and of each of them."""

_END_OF_FIELDS: Final = 0x0D
_KEPT, _DELETED = b" ", b"*"
_DATE: Final = "D"
_TEXTUAL: Final = frozenset("CNF")
_NOTHING: Final = " \0"


class Field(NamedTuple):
    """name: in lower case. kind: C text, N and F numbers, D a date; others are not read."""

    name: str
    kind: str
    width: int


class DbfHead(NamedTuple):
    """size: bytes before the first record. records: how many, the deleted ones too."""

    size: int
    record_size: int
    records: int
    fields: list[Field]

    @property
    def fits(self) -> bool:
        """Whether the fields make up a record, with its flag."""
        return bool(self.fields) and self.record_size == 1 + sum(field.width for field in self.fields)


def read_head(data: bytes) -> DbfHead | None:
    """None while it is not all there."""
    if len(data) < DESCRIPTOR:
        return None
    records, size, record_size = struct.unpack("<IHH", data[4:12])
    if len(data) < size:
        return None
    return DbfHead(size, record_size, records, _fields(data[DESCRIPTOR:size]))


def _fields(data: bytes) -> list[Field]:
    fields = []
    for at in range(0, len(data) - DESCRIPTOR + 1, DESCRIPTOR):
        if data[at] == _END_OF_FIELDS:
            break
        name = data[at : at + 11].split(b"\0")[0].decode("ascii", "replace").strip().lower()
        fields.append(Field(name, chr(data[at + 11]), data[at + 16]))
    return fields


def open_dbf(
    data: bytes, kind: DropKind, limits: BookLimits, profile: Profile | None = None
) -> Book | Refusal:
    """The table as a book of one sheet, or why it cannot be taken. A row's number is the record's, from 1; deleted ones are not there."""
    head = read_head(data)
    if head is None or not head.fits:
        return Refusal(Code.FILE_DAMAGED, value="dbf: head")
    if head.records > limits.rows:
        return Refusal(Code.FILE_TOO_MANY_ROWS, bound=str(limits.rows))
    end = head.size + head.records * head.record_size
    records = [data[at : at + head.record_size] for at in range(head.size, end, head.record_size)]
    if len(data) not in {end, end + 1} or any(record[:1] not in {_KEPT, _DELETED} for record in records):
        return Refusal(Code.FILE_DAMAGED, value=f"dbf: {len(data)} bytes, {head.records} records")
    names = [field.name for field in head.fields]
    layout = _layout(names, kind, profile)
    if isinstance(layout, Refusal):
        return layout
    header = Header(0, layout, tuple(names), tuple(range(len(names))))
    rows = sheet_rows(header, _rows(head, records), {}, limits.rows)
    if isinstance(rows, Refusal):
        return rows
    return Book([Sheet("dbf", header, rows)]) if rows else Refusal(Code.FILE_EMPTY)


def _layout(names: list[str], kind: DropKind, profile: Profile | None) -> Layout | Refusal:
    if profile is None or not profile.positions:
        return lay_out(names, kind, COMMA, profile)
    if len(names) != len(profile.positions):
        bound = f"{profile.name}: {len(profile.positions)}"
        return Refusal(Code.PROFILE_WIDTH, value=", ".join(names)[:CLIP], bound=bound)
    return by_position(profile, kind, COMMA)


def _rows(head: DbfHead, records: list[bytes]) -> Iterator[tuple[int, list[Cell]]]:
    encoding = next(
        (name for name in CANDIDATES if all(decodes(record, name) for record in records)), CANDIDATES[-1]
    )
    for number, record in enumerate(records, 1):
        if record[:1] == _KEPT:
            yield number, [_cell(field, raw, encoding) for field, raw in cut(head, record)]


def cut(head: DbfHead, record: bytes) -> Iterator[tuple[Field, bytes]]:
    at = 1
    for field in head.fields:
        yield field, record[at : at + field.width]
        at += field.width


def _cell(field: Field, raw: bytes, encoding: str) -> Cell:
    if not decodes(raw, encoding):
        return Refusal(Code.ROW_ENCODING)
    text = raw.decode(encoding).strip(_NOTHING)
    if text and field.kind == _DATE:
        return Refusal(Code.CELL_DATE, value=text)
    if text and field.kind not in _TEXTUAL:
        return Refusal(Code.CELL_ERROR, value=f"dbf {field.kind}")
    return text
