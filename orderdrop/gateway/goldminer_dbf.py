"""The dbf twins of the terminal's csv files, by the `dbf` library (extra `orderdrop[dbf]`), loaded when it is needed.

The library knows fields and code pages; which records are whole and new is ours to say: a dbf is read while the terminal writes it, and
only what is new goes to the library, as a small file of its own. Text is GBK [W]; the record length includes the one-byte delete
flag [W]. Which field types the terminal wants is not known [?]: texts as C, numbers as N.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from orderdrop.gateway.base import Cancel, Outgoing
from orderdrop.gateway.goldminer_batch import Row
from orderdrop.gateway.goldminer_rows import BadRow, columns_of
from orderdrop.gateway.goldminer_table import Head
from orderdrop.order.errors import ConfigError

_CODE_PAGE: Final = "cp936"
_FIXED: Final = 32
"""Bytes before the field descriptors, and of each of them."""

_END_OF_FIELDS: Final = 0x0D
_END_OF_FILE: Final = b"\x1a"
_DELETED: Final = b"*"
_LIVE: Final = b" "

_ORDER_FIELDS: Final = "sid C(64);account_id C(64);symbol C(16);volume N(12,0);order_type N(4,0);order_biz N(4,0);price N(16,4);comment C(254)"
_CANCEL_FIELDS: Final = "sid C(64);comment C(254)"


def library() -> Any:
    """Raises ConfigError when it is not installed."""
    try:
        return import_module("dbf")
    except ImportError:
        raise ConfigError(
            'format = "dbf" 需要 dbf 库 / needs the dbf library: pip install "orderdrop[dbf]"'
        ) from None


class DbfTable:
    """Reads dbf files of the terminal; see `Table`."""

    head_moves = True

    def head(self, data: bytes) -> Head | None:
        if len(data) < _FIXED:
            return None
        size, record_size = struct.unpack("<HH", data[8:12])
        if len(data) < size:
            return None
        fields = _fields(data[_FIXED:size])
        if not fields or record_size != 1 + sum(width for _, width in fields):
            raise BadRow("not a dbf file of whole fields")
        names = [name for name, _ in fields]
        return Head(data[:1] + data[8:size], size, columns_of(names), len(names), record_size)

    def counted(self, data: bytes, size: int) -> int:
        """As many records as the header says: what stands behind them is still being written."""
        if len(data) < _FIXED:
            return 0
        (count,) = struct.unpack("<I", data[4:8])
        head_size, record_size = struct.unpack("<HH", data[8:12])
        return int(min(size, head_size + count * record_size))

    def split(self, head: Head, data: bytes) -> list[bytes]:
        size = head.record_size
        records = [data[at : at + size] for at in range(0, len(data) - size + 1, size)]
        whole = next((n for n, record in enumerate(records) if record[:1] not in {_LIVE, _DELETED}), None)
        return records[:whole]

    def cells(self, head: Head, records: Sequence[bytes]) -> list[list[str] | None]:
        """Deleted records are nobody's: None."""
        dbf = library()
        prefix = head.raw[:1] + bytes([0, 1, 1]) + struct.pack("<I", len(records)) + head.raw[1:]
        with tempfile.TemporaryDirectory(prefix="orderdrop-") as folder:
            path = Path(folder) / "new.dbf"
            path.write_bytes(prefix + b"".join(records) + _END_OF_FILE)
            table = dbf.Table(
                str(path),
                codepage=_CODE_PAGE,
                default_data_types={"N": Decimal, "F": Decimal},
                unicode_errors="replace",
            )
            with table.open(mode=dbf.READ_ONLY):
                return [_cells(dbf, record) for record in table]


class DbfWriting:
    """Writes our dbf files; see `Writing`."""

    suffix = ".dbf"

    def orders(self, orders: Iterable[Outgoing]) -> bytes:
        rows = [
            (
                o.sid,
                o.account_id,
                o.symbol,
                o.volume,
                o.order_type,
                o.order_business,
                o.price,
                _clip(o.remark),
            )
            for o in orders
        ]
        return _bytes(_ORDER_FIELDS, rows)

    def cancels(self, cancels: Sequence[Cancel]) -> bytes:
        return _bytes(_CANCEL_FIELDS, [(cancel.sid, "") for cancel in cancels])

    def rows(self, content: bytes) -> list[Row]:
        table = DbfTable()
        head = table.head(content)
        if head is None:
            return []
        records = table.split(head, content[head.size : table.counted(content, len(content))])
        return [Row(cells[0], cells[1]) for cells in table.cells(head, records) if cells is not None]


def _bytes(fields: str, rows: Sequence[tuple[Any, ...]]) -> bytes:
    """The file that the library writes; its date of change is made constant, so that the same orders are the same bytes."""
    dbf = library()
    with tempfile.TemporaryDirectory(prefix="orderdrop-") as folder:
        path = Path(folder) / "new.dbf"
        table = dbf.Table(str(path), fields, codepage=_CODE_PAGE, dbf_type="db3")
        with table.open(mode=dbf.READ_WRITE):
            for row in rows:
                table.append(row)
        content = path.read_bytes()
    return content[:1] + bytes([100, 1, 1]) + content[4:]


def _clip(text: str) -> str:
    """A comment as GBK holds it, at most 254 bytes; it is free text, nothing depends on it."""
    return text.encode("gbk", "replace")[:254].decode("gbk", "ignore")


def _fields(data: bytes) -> list[tuple[str, int]]:
    """Name and width of each field."""
    fields = []
    for at in range(0, len(data) - _FIXED + 1, _FIXED):
        if data[at] == _END_OF_FIELDS:
            break
        name = data[at : at + 11].split(b"\0")[0].decode("ascii", "replace").strip().lower()
        fields.append((name, data[at + 16]))
    return fields


def _cells(dbf: Any, record: Any) -> list[str] | None:
    if dbf.is_deleted(record):
        return None
    try:
        return [_text(value) for value in record]
    except (dbf.DbfError, ValueError, ArithmeticError):
        return None


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return format(value, "f")
        case date():
            return value.isoformat()
        case _:
            return str(value).strip()
