"""Names what the journal's rows are made of, in Python: states, and the tuples in which rows go in and out."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from orderdrop.journal.schema import ROW_BITS

CANCEL_SENT: Final = "cancel_sent"
"""The event of an order for each time that a cancel of it was handed over."""


ROW_REFUSED: Final = "row_refused"
"""The event, of no order, of a row that could not be read as one though it names a sid and an account. Its detail: see `verdict.refused_row`."""


class DropState(StrEnum):
    OPEN = "open"  # in the inbox; more rows may come
    REFUSED = "refused"  # as a whole
    DONE = "done"  # archived


class RowOutcome(StrEnum):
    ERROR = "error"
    DUPLICATE = "duplicate"


class InstructionState(StrEnum):
    ASKED = "asked"
    SENT = "sent"
    DONE = "done"
    REFUSED = "refused"


class NewDrop(NamedTuple):
    id: int
    name: str
    kind: str
    strategy: str
    trade_day: int
    received_at: int
    state: str
    sid_space: str
    sha256: str | None
    position: int
    next_row: int
    torn: int
    rows: int
    accepted: int
    denied: int
    duplicates: int
    errors: int
    owner: str | None
    reason_code: str | None
    reason_column: str | None
    reason_value: str | None
    reason_bound: str | None
    sheets: str | None = None


class NewRow(NamedTuple):
    id: int
    outcome: str
    sid: str | None
    order_ref: int | None
    reason_code: str
    reason_column: str | None
    reason_value: str | None
    reason_bound: str | None
    received_at: int | None = None


class NewBatch(NamedTuple):
    id: int
    gateway: str
    trade_day: int
    created_at: int
    orders: int
    first_order: int
    last_order: int
    content: bytes
    places: str | None = None  # what was known of the terminal's output and the accounts: reports.baseline


class Known(NamedTuple):
    """An order that has used up a sid."""

    id: int
    sid: str
    account_id: str
    symbol: str
    volume: int
    order_type: int
    order_business: int
    price: str | None
    remark: str | None
    strategy: str | None
    gateway: str | None = None
    trade_day: int = 0


class Earlier(NamedTuple):
    """An order of the day that came without a sid. key: what it says; drop: its file; accepted: of that drop, None while not known."""

    key: int
    id: int
    sid: str
    drop: str
    drop_id: int
    accepted: int | None


class Placed(NamedTuple):
    """An order in its batch."""

    id: int
    sid: str
    account_id: str
    order_business: int
    trade_day: int
    batch_id: int
    submitted_at: int | None


def passed_over_key(drop_id: int) -> str:
    """Where the journal's meta keeps what was passed over in a drop's instructions: a JSON object of row ids and notes."""
    return f"passed_over:{drop_id}"


def row_id(drop_id: int, row: int) -> int:
    return drop_id << ROW_BITS | row


def drop_of(row: int) -> int:
    """Returns the drop that a row's or an order's id belongs to."""
    return row >> ROW_BITS
