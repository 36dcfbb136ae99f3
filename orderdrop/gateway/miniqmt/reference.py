"""The short key that an order carries in MiniQMT's `order_remark`, and what it stands for. Pure.

A reference is made of the day, the batch and the place in it, so the journaled batches give the way back after any crash. The terminal
cuts remarks at 24 characters and enforces nothing (docs/protocol.md, section 2), so a remark has at most 23 ASCII characters, and a few
letters of the order's own hash at the end: another workspace on the same account counts its batches as we do.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from orderdrop.gateway.base import Batch, Outgoing
from orderdrop.gateway.batch import read_batch
from orderdrop.gateway.miniqmt.codes import BUSINESS
from orderdrop.system.clock import Micros

LONGEST: Final = 23
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_MARK: Final = 4


_OURS: Final = re.compile(r"\d{6}-[0-9a-z]+-[0-9a-z]+-[0-9a-z]{4}")


def mark_of(remark: str) -> str:
    """The letters of the order's own hash in a reference, whoever made it; "" of a remark that is none."""
    return remark[-_MARK:] if _OURS.fullmatch(remark) else ""


@dataclass(slots=True)
class Row:
    """An order of a batch on its way, and what is known of it beside what the terminal lists.

    handed_at: when the vendor's API was called for it; None: it was not, or an earlier life of the process did. seq: the API's number
    for that call; 0: it has not returned one. numbered: the terminal has answered the call with an order number. trouble: the words
    of an error that came instead, and when. listed: the number of the order in the terminal's list that was found to be this one.
    absent: it was proven, in this life, that the terminal never had it.
    """

    reference: str
    batch_id: int
    order: Outgoing
    handed_at: Micros | None = None
    seq: int = 0
    numbered: bool = False
    trouble: str = ""
    troubled_at: int = 0
    listed: int | None = None
    absent: bool = False

    @property
    def likeness(self) -> tuple[str, str, int, int]:
        """By what an order without a remark is recognised: account, symbol, MiniQMT's order type, volume."""
        order = self.order
        return order.account_id, order.symbol, BUSINESS[order.order_business], order.volume


def rows_of(batch: Batch, day: date) -> Iterator[Row]:
    """The rows of a batch, in its order. Raises GatewayError when `encode` did not make it."""
    for place, order in enumerate(read_batch(batch.content)):
        yield Row(_reference(day, batch.id, place, order), batch.id, order)


def _reference(day: date, batch: int, place: int, order: Outgoing) -> str:
    digest = hashlib.blake2b(f"{order.account_id} {order.sid}".encode(), digest_size=4).digest()
    mark = _base36(int.from_bytes(digest, "big"))[-_MARK:].rjust(_MARK, "0")
    reference = f"{day:%y%m%d}-{_base36(batch)}-{_base36(place)}-{mark}"
    assert len(reference) <= LONGEST, reference  # noqa: S101  a thousand million batches of a million rows
    return reference


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
