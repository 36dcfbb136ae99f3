"""Compares a day four ways: what was dropped, what was sent, what the terminal took, how it ended at the broker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from orderdrop.domain.refusal import Code
from orderdrop.domain.status import TERMINAL, S, Status


class Difference(StrEnum):
    """In what way the four do not tell the same story."""

    NOT_SENT = "not_sent"
    STILL_OPEN = "still_open"
    NO_ANSWER = "no_answer"
    NOT_TAKEN = "not_taken"
    NOT_IN_UPFILES = "not_in_upfiles"
    NEVER_SENT = "never_sent"
    SENT_UNASKED = "sent_unasked"
    TAKEN_TOO_OFTEN = "taken_too_often"
    NOT_OURS = "not_ours"


WORDS: Final[dict[Difference, tuple[str, str]]] = {
    Difference.NOT_SENT: ("没有送出", "was not sent"),
    Difference.STILL_OPEN: ("柜台还没有终态", "is not finished at the broker"),
    Difference.NO_ANSWER: (
        "已送出，没有回音：在终端核对",
        "was sent and never answered: look into the terminal",
    ),
    Difference.NOT_TAKEN: ("终端没有取走", "the terminal has not taken it"),
    Difference.NOT_IN_UPFILES: (
        "柜台有回报，upfiles 里没有",
        "the broker answered, but it does not stand in upfiles",
    ),
    Difference.NEVER_SENT: ("柜台有回报，我们没有送出过", "the broker answered, but it was never sent"),
    Difference.SENT_UNASKED: ("已拒绝，却送出了", "was denied, and sent all the same"),
    Difference.TAKEN_TOO_OFTEN: (
        "终端取走的次数多于送出的次数",
        "the terminal took it more often than it was sent",
    ),
    Difference.NOT_OURS: ("在 upfiles 里，日志里没有", "stands in upfiles, but not in the journal"),
}

WITH_US: Final = frozenset({S.RECEIVED, S.HELD, S.READY})
UNANSWERED: Final = frozenset({S.SUBMITTING, S.SUBMITTED, S.UNKNOWN})

_NOT_ENDED: Final = frozenset({Difference.STILL_OPEN, Difference.NO_ANSWER, Difference.NOT_TAKEN})


class Dropped(NamedTuple):
    """An order as the journal knows it. sid: as the terminal sees it. taken: as `Reconciled`."""

    sid: str
    account_id: str
    gateway: str
    symbol: str
    volume: int
    drop: str
    row: int
    status: Status
    filled_volume: int
    reason_code: str | None


class Reconciled(NamedTuple):
    """A row of the table. sent: how often it was handed over. taken: how often it stands in upfiles, None when nobody keeps them."""

    sid: str
    account_id: str
    gateway: str
    symbol: str
    volume: int
    drop: str
    row: int
    sent: int
    taken: int | None
    status: str
    filled_volume: int
    difference: str


class Totals(NamedTuple):
    """Orders, not shares. ended: finished at the broker. taken: None when no gateway's terminal keeps upfiles."""

    dropped: int
    denied: int
    sent: int
    taken: int | None
    ended: int
    differing: int


def reconcile(
    dropped: Iterable[Dropped], sent: Counter[str], taken: dict[str, Counter[str] | None]
) -> Iterator[Reconciled]:
    """sent: by sid. taken: by gateway, then by sid; None: its terminal keeps no upfiles."""
    unclaimed = {name: set(sids) for name, sids in taken.items() if sids is not None}
    orders = list(dropped)
    admitted = {order.sid for order in orders if order.status is not Status.DENIED}
    for order in orders:
        of_gateway = taken.get(order.gateway)
        times = None if of_gateway is None else of_gateway[order.sid]
        unclaimed.get(order.gateway, set()).discard(order.sid)
        often = sent[order.sid]
        if (
            order.status is Status.DENIED and order.sid in admitted
        ):  # mended and dropped again: that one was sent
            often, times = 0, None if times is None else 0
        difference = differ(order, often, times)
        yield Reconciled(*order[:7], often, times, order.status, order.filled_volume, difference or "")
    for name, sids in unclaimed.items():
        of_gateway = taken[name] or Counter()
        for sid in sorted(sids):
            yield Reconciled(
                sid, "", name, "", 0, "", 0, sent[sid], of_gateway[sid], "", 0, Difference.NOT_OURS
            )


def differ(order: Dropped, sent: int, taken: int | None) -> Difference | None:
    status = order.status
    if (taken or 0) > sent:
        return Difference.TAKEN_TOO_OFTEN
    if status is Status.DENIED:
        return Difference.SENT_UNASKED if sent else None
    if status in WITH_US:
        return Difference.NOT_SENT
    if not sent:
        return None if status in {Status.CANCELED, Status.EXPIRED} else Difference.NEVER_SENT
    if status in UNANSWERED or order.reason_code == Code.NEVER_CONFIRMED:
        return Difference.NOT_TAKEN if taken == 0 else Difference.NO_ANSWER
    if taken == 0 and order.reason_code != Code.TAKEN_BACK:
        return Difference.NOT_IN_UPFILES
    ended = status in TERMINAL and order.reason_code != Code.NEVER_ENDED
    return None if ended else Difference.STILL_OPEN


def total(rows: Iterable[Reconciled]) -> Totals:
    dropped = denied = sent = taken = ended = differing = 0
    kept = False
    for row in rows:
        differing += bool(row.difference)
        if not row.status:
            continue
        status = Status(row.status)
        dropped += 1
        denied += status is Status.DENIED
        sent += bool(row.sent)
        kept |= row.taken is not None
        taken += bool(row.taken)
        ended += bool(row.sent) and status in TERMINAL and row.difference not in _NOT_ENDED
    return Totals(dropped, denied, sent, taken if kept else None, ended, differing)
