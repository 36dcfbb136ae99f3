"""Writes the result files once more as dbf, for programs that read those: the same rows, GBK, each field under its column's short name.

A dbf that grows keeps its place: new records go behind the last one, and only then does the header count them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from orderdrop.system.dbf import Field, library, table_bytes
from orderdrop.system.dbf import clipped as clip
from orderdrop.system.files import grow, write_over

_COUNT_AT: Final = 4
_LONGEST_NAME: Final = 10
_LONG_SHORT: Final = re.compile(r".+\((.+)\)")
_TEXTS: Final = {"rej_detail": 254, "symbol": 16, "scan_name": 32}
_TIMES: Final = frozenset({"created_at", "updated_at", "sent_at", "recv_at"})
_WHOLE: Final = {"status": 4, "order_type": 4, "order_biz": 4, "rej_reason": 6, "exec_type": 4, "side": 4}
_SHARES: Final = frozenset({"volume", "filled_vol", "vol_today", "avl_now"})
_YUAN: Final = frozenset(
    {
        "price", "market_val", "nav", "pnl", "fpnl", "frozen", "ord_frozen", "available", "balance", "vwap", "vwap_dild", "cost",
    }
)  # fmt: skip


def must_be_there() -> None:
    """Raises ConfigError when the library is not installed."""
    library()


def write_twin(path: Path, header: str, rows: Iterable[Sequence[str]]) -> None:
    """A whole table, in the place of what stands there."""
    write_over(path, _table(header, rows))


def grow_twin(path: Path, header: str, rows: Sequence[Sequence[str]]) -> None:
    """Rows behind those that `write_twin` has written."""
    if not rows:
        return
    added = _table(header, rows)
    head, record = int.from_bytes(added[8:10], "little"), int.from_bytes(added[10:12], "little")
    with path.open("rb") as file:
        count = int.from_bytes(file.read(12)[_COUNT_AT:8], "little")
    grow(path, head + count * record, added[head:], _COUNT_AT, (count + len(rows)).to_bytes(4, "little"))


def _table(header: str, rows: Iterable[Sequence[str]]) -> bytes:
    fields = [_field(column) for column in header.split(",")]
    return table_bytes(fields, [tuple(map(_cell, row, fields)) for row in rows])


def _field(column: str) -> Field:
    found = _LONG_SHORT.fullmatch(column)
    name = (found[1] if found else column)[:_LONGEST_NAME]
    if name in _WHOLE:
        return name, "N", _WHOLE[name], 0
    if name in _SHARES:
        return name, "N", 15, 0
    if name in _YUAN:
        return name, "N", 20, 4
    return name, "C", 40 if name in _TIMES else _TEXTS.get(name, 64), 0


def _cell(text: str, field: Field) -> str | None:
    """None: a number that nobody knows."""
    return (text or None) if field[1] == "N" else clip(text, field[2])
