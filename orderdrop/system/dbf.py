"""Writes dbf tables as bytes, by the library pyshp (extra dbf), loaded when it is needed. Text is GBK."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

from orderdrop.system import extras

_LIBRARY: Final = "shapefile"


_ENCODING: Final = "gbk"


_END_OF_FILE: Final = b"\x1a"


_GBK_MARK: Final = b"\x4d"


_SOME_DAY: Final = bytes([100, 1, 1])
"""The header's date of change: the same orders are the same bytes, whatever the day."""


Field = tuple[str, str, int, int]


def is_installed() -> bool:
    return extras.is_installed(_LIBRARY)


def library() -> Any:
    """Raises ConfigError when it is not installed."""
    return extras.library(_LIBRARY, "dbf")


def table_bytes(fields: Sequence[Field], rows: Sequence[tuple[Any, ...]]) -> bytes:
    file = io.BytesIO()
    with library().Writer(dbf=file, encoding=_ENCODING) as writer:
        for field in fields:
            writer.field(*field)
        for row in rows:
            writer.record(*row)
    content = file.getvalue()
    return content[:1] + _SOME_DAY + content[4:29] + _GBK_MARK + content[30:] + _END_OF_FILE


def clipped(text: str, size: int) -> str:
    """As much of a text as GBK and a field hold."""
    return text.encode(_ENCODING, "replace")[:size].decode(_ENCODING, "ignore")


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
