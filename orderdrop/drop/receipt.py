"""The receipt of a drop: a table that tells its writer what became of every row. Where it stands, and its bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from orderdrop.failpoint import reach
from orderdrop.files import write_over
from orderdrop.tables import table_bytes

COLUMNS = (
    "row",
    "sid",
    "outcome",
    "code",
    "原因",
    "reason",
    "remedy",
    "note",
    "gateway",
    "filled_volume",
    "avg_price",
)


def receipt_path(receipts: Path, name: str, superseded_by: int | None = None) -> Path:
    """name: the drop's path below the inbox. superseded_by: number of this drop, once another drop has taken its name."""
    plain = receipts / PurePosixPath(name)
    middle = "" if superseded_by is None else f"~{superseded_by}"
    return plain.with_name(f"{plain.name}{middle}.receipt.csv")


def write_receipt(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """UTF-8 with BOM, as Excel likes it; readers see the old receipt or the new one. It can be made again from the journal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    reach("receipt.before")
    write_over(path, table_bytes(COLUMNS, rows))
    reach("receipt.after")
