"""What is committed and may now go out: a batch of orders, or a cancel."""

from __future__ import annotations

from typing import NamedTuple

from orderdrop.gateway.base import Cancel

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


class CancelHandover(NamedTuple):
    """A cancel, the row of its instruction, and its order."""

    gateway: str
    cancel: Cancel
    instruction: int
    order: int
