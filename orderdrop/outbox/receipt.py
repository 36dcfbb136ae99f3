"""The receipt of a drop: a table that tells its writer what became of every row. Where it stands, and its columns."""

from __future__ import annotations

from typing import Final

COLUMNS: Final = (
    "row", "sid", "outcome", "code", "原因", "reason", "remedy", "note", "gateway", "filled_volume", "avg_price",
    "sheet", "owner",
)  # fmt: skip
