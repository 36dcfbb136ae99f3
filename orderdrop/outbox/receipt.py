"""Names the columns of a drop's receipt, the table that tells its writer the result of every row."""

from __future__ import annotations

from typing import Final

COLUMNS: Final = (
    "row", "sid", "outcome", "code", "原因", "reason", "remedy", "note", "gateway", "filled_volume", "avg_price",
    "sheet", "owner",
)  # fmt: skip
