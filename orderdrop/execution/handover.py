"""A batch on its way out."""

from __future__ import annotations

from typing import NamedTuple

FLUSH_AT = 10000
"""Orders that are written together."""


class Handover(NamedTuple):
    """A batch that is committed and may now go out. content: None when the journal has to be asked for it."""

    gateway: str
    batch_id: int
    content: bytes | None
    first_order: int
    last_order: int
    orders: int = 0  # how many
    places: str | None = None  # as journaled
