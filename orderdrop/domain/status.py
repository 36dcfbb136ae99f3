"""The life of an order: one table of moves. Owned by the router up to SUBMITTED, by the broker from there on."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Router's words first, then FIX's OrdStatus. DENIED is our no, REJECTED is the broker's."""

    RECEIVED = "received"
    DENIED = "denied"
    HELD = "held"
    READY = "ready"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    PENDING_NEW = "pending_new"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    PENDING_CANCEL = "pending_cancel"
    CANCELED = "canceled"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


S = Status

TERMINAL: Final = frozenset({S.DENIED, S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED})
"""Nothing changes an order that has come here but a late fill, the broker's first word of it, what it tells of one that we gave up, and its
word that a rejected one is live after all (see domain/standing.py)."""

AT_BROKER: Final = frozenset(
    {
        S.PENDING_NEW,
        S.NEW,
        S.PARTIALLY_FILLED,
        S.PENDING_CANCEL,
        S.SUSPENDED,
        S.FILLED,
        S.CANCELED,
        S.REJECTED,
        S.EXPIRED,
    }
)
"""Statuses that only a broker can give: proof that it had the order."""

_BROKER_MAY_SAY: Final = AT_BROKER

MOVES: Final[dict[Status, frozenset[Status]]] = {
    S.RECEIVED: frozenset({S.DENIED, S.HELD, S.READY, S.SUBMITTING}),
    # The broker speaks of it though it has not left, or was proven absent: it has it all the same, so it must not go out.
    S.HELD: frozenset({S.READY, S.SUBMITTING, S.DENIED}) | _BROKER_MAY_SAY,
    S.READY: frozenset({S.SUBMITTING, S.DENIED}) | _BROKER_MAY_SAY,
    # A report may overtake the note that the hand-over returned.
    S.SUBMITTING: frozenset({S.SUBMITTED, S.UNKNOWN, S.READY}) | _BROKER_MAY_SAY,
    S.SUBMITTED: frozenset({S.UNKNOWN}) | _BROKER_MAY_SAY,
    # Back to READY only when it is proven that the broker never had it.
    S.UNKNOWN: frozenset({S.READY, S.SUBMITTED}) | _BROKER_MAY_SAY,
    S.PENDING_NEW: _BROKER_MAY_SAY - {S.PENDING_NEW},
    S.NEW: _BROKER_MAY_SAY - {S.NEW, S.PENDING_NEW},
    S.PARTIALLY_FILLED: frozenset(
        {S.PENDING_CANCEL, S.SUSPENDED, S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED}
    ),
    # A refused or lost cancel gives the order back.
    S.PENDING_CANCEL: frozenset(
        {S.NEW, S.PARTIALLY_FILLED, S.SUSPENDED, S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED}
    ),
    S.SUSPENDED: frozenset(
        {S.NEW, S.PARTIALLY_FILLED, S.PENDING_CANCEL, S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED}
    ),
    S.DENIED: frozenset(),
    # Odd but real: the exchange's last fill is told after the cancel, the close or even a rejection of the rest.
    S.CANCELED: frozenset({S.FILLED}),
    # We let an order expire that the broker never spoke of; when it does speak, it knows better.
    S.EXPIRED: frozenset({S.FILLED, S.CANCELED, S.REJECTED}),
    # Brokers' desks take a no back: it was their own check's, and the order went on. Only what they say later than the no counts.
    # What was cancelled or has expired the exchange has ended, and filled is filled: those are final.
    S.REJECTED: _BROKER_MAY_SAY - {S.REJECTED},
    S.FILLED: frozenset(),
}


def may_move(old: Status, new: Status) -> bool:
    return new in MOVES[old]
