"""Reads the dbf twins of the terminal's csv files, by the library pyshp (extra `orderdrop[dbf]`), loaded when it is needed.

The library knows fields and code pages, and works on bytes in memory. Which records are whole and new is ours to say: a dbf is read while
the terminal writes it, and only what is new goes to the library. Text is GBK, the record length includes the one-byte delete flag
[W]. Which field types and widths the terminal wants is not known [?]: texts as C, numbers as N.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Cancel, Outgoing
from orderdrop.gateway.goldminer.batch import Row
from orderdrop.gateway.goldminer.rows import BadRow, columns_of
from orderdrop.gateway.goldminer.table import Head
from orderdrop.intake.dbf import DESCRIPTOR, read_head
from orderdrop.system.dbf import (
    _ENCODING,
    _END_OF_FILE,
    _SOME_DAY,
    Field,
    _text,
    clipped,
    library,
    table_bytes,
)

_FLAGS: Final = frozenset({b" ", b"*"})
_LONGEST: Final = 254
_DECIMALS: Final = 4

_SID: Final[Field] = ("sid", "C", 64, 0)
_COMMENT: Final[Field] = ("comment", "C", _LONGEST, 0)
_ORDER_FIELDS: Final[tuple[Field, ...]] = (
    _SID,
    ("account_id", "C", 64, 0),
    ("symbol", "C", 16, 0),
    ("volume", "N", 12, 0),
    ("order_type", "N", 4, 0),
    ("order_biz", "N", 4, 0),
    ("price", "N", 16, _DECIMALS),
    _COMMENT,
)


class DbfTable:
    """Reads dbf files of the terminal; see `Table`."""

    head_moves = True

    def head(self, data: bytes) -> Head | None:
        head = read_head(data)
        if head is None:
            return None
        if not head.fits:
            raise BadRow("not a dbf file of whole fields")
        names = [field.name for field in head.fields]
        return Head(
            data[:1] + data[8 : head.size], head.size, columns_of(names), len(names), head.record_size
        )

    def counted(self, data: bytes, size: int) -> int:
        """As many records as the header says: what stands behind them is still being written."""
        if len(data) < DESCRIPTOR:
            return 0
        (count,) = struct.unpack("<I", data[4:8])
        head_size, record_size = struct.unpack("<HH", data[8:12])
        return int(min(size, head_size + count * record_size))

    def split(self, head: Head, data: bytes) -> list[bytes]:
        size = head.record_size
        records = [data[at : at + size] for at in range(0, len(data) - size + 1, size)]
        cut = next((n for n, record in enumerate(records) if record[:1] not in _FLAGS), None)
        return records[:cut]

    def cells(self, head: Head, records: Sequence[bytes]) -> list[list[str] | None]:
        """None for a deleted record, too."""
        if not records:
            return []
        count = struct.pack("<I", len(records))
        content = head.raw[:1] + _SOME_DAY + count + head.raw[1:] + b"".join(records) + _END_OF_FILE
        options = {"encoding": _ENCODING, "encodingErrors": "replace"}
        with library().Reader(dbf=io.BytesIO(content), **options) as reader:
            rows = reader.iterRecords(deleted_as_None=True)
            return [None if row is None else [_text(value) for value in row] for row in rows]


class DbfWriting:
    """Writes our dbf files; see `Writing`."""

    suffix = ".dbf"

    def orders(self, orders: Iterable[Outgoing]) -> bytes:
        rows = [
            (o.sid, o.account_id, o.symbol, o.volume, o.order_type, o.order_business, _price(o), clipped(o.remark, _LONGEST))
            for o in orders
        ]  # fmt: skip
        return table_bytes(_ORDER_FIELDS, rows)

    def cancels(self, cancels: Sequence[Cancel]) -> bytes:
        return table_bytes((_SID, _COMMENT), [(cancel.sid, "") for cancel in cancels])

    def rows(self, content: bytes) -> list[Row]:
        table = DbfTable()
        head = table.head(content)
        if head is None:
            return []
        records = table.split(head, content[head.size : table.counted(content, len(content))])
        return [Row(cells[0], cells[1]) for cells in table.cells(head, records) if cells is not None]

    def sids(self, content: bytes) -> Iterable[str]:
        return (row.sid for row in self.rows(content))


def _price(order: Outgoing) -> str | None:
    """As text, so that no float comes in between. Raises GatewayError when the field cannot hold it exactly."""
    if order.price is None:
        return None
    text = format(order.price, f".{_DECIMALS}f")
    if Decimal(text) != order.price:
        raise GatewayError(f"{order.sid}: dbf 放不下这个价格 / dbf cannot hold this price: {order.price}")
    return text
