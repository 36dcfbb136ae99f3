"""The receipt of a drop: a table that tells its writer what became of every row. Where it stands, and its columns."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final

COLUMNS: Final = (
    "row", "sid", "outcome", "code", "原因", "reason", "remedy", "note", "gateway", "filled_volume", "avg_price",
    "sheet", "owner",
)  # fmt: skip


def book_path(receipt: Path) -> Path:
    """Of the receipt that a workbook gets besides its csv."""
    return receipt.with_suffix(".xlsx")


def receipt_path(receipts: Path, name: str, number: int | None = None) -> Path:
    """name: the drop's path below the inbox. number: the drop's own, once another drop has taken its name."""
    plain = receipts / PurePosixPath(name)
    middle = "" if number is None else f"~{number}"
    return plain.with_name(f"{plain.name}{middle}.receipt.csv")
