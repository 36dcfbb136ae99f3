"""Folds a broker's report into where an order stands. Reports may repeat, overtake one another or contradict what we know."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple, assert_never

from orderdrop.domain.codes import Code
from orderdrop.domain.report import CancelReject, Fill, Report, StatusReport
from orderdrop.domain.status import AT_BROKER, TERMINAL, Status, may_move


class Standing(NamedTuple):
    """Where an order stands. Volumes in shares, filled_value in yuan (the sum of price × volume), instants in microseconds.

    filled_volume: the sum of its fills. told_volume: the highest cumulative figure that the broker has told; None: it has told none.
    given_up: its day was over and the broker had not told how it ended, so that we have closed it.

    Invariant: filled_volume and told_volume never shrink; closed_at is set exactly while the status is terminal; what is given up is expired.
    """

    id: int
    status: Status
    volume: int
    filled_volume: int = 0
    filled_value: Decimal = Decimal(0)
    order_id: str = ""
    confirmed_at: int | None = None
    closed_at: int | None = None
    given_up: bool = False
    told_volume: int | None = None

    @property
    def adds_up(self) -> bool:
        """Whether the fills are those that the broker has told of; a figure that it never told is not missed."""
        return self.told_volume is None or self.told_volume == self.filled_volume

    @property
    def told_whole(self) -> bool:
        return self.told_volume is not None and self.told_volume >= self.volume


def apply(now: Standing, report: Report) -> Standing:
    """The standing after `report`; the same one when it tells nothing new. A fill must be applied once (see its exec_id)."""
    match report:
        case StatusReport():
            return _status(now, report)
        case Fill():
            return _fill(now, report)
        case CancelReject():
            back = Status.PARTIALLY_FILLED if now.filled_volume else Status.NEW
            return _move(now, back, report.at) if now.status is Status.PENDING_CANCEL else now
        case _:
            assert_never(report)


def _status(now: Standing, report: StatusReport) -> Standing:
    claimed = max(report.filled_volume, now.volume if report.status is Status.FILLED else 0)
    # Of an order that goes on, nothing filled is nothing told: its fills may have overtaken the word.
    if claimed or (now.filled_volume and report.status in TERMINAL):
        now = now._replace(told_volume=max(claimed, now.told_volume or 0))
    now = now._replace(order_id=report.order_id or now.order_id)
    said = report.status
    if said is Status.FILLED and now.filled_volume < now.volume:
        said = (
            Status.PARTIALLY_FILLED
        )  # the fills themselves lag behind (docs/protocol.md, "Output"); they complete it
    elif said is Status.NEW and now.filled_volume:
        said = Status.PARTIALLY_FILLED
    return _move(now, said, report.at, final=report.status in TERMINAL, said=True)


def _fill(now: Standing, fill: Fill) -> Standing:
    now = now._replace(
        order_id=fill.order_id or now.order_id,
        filled_volume=now.filled_volume + fill.volume,
        filled_value=now.filled_value + fill.price * fill.volume,
    )
    # A broker that has told of a part only has not told that it is filled: one fill may have been told twice.
    complete = now.filled_volume >= now.volume and (not now.told_volume or now.told_whole)
    return _move(now, Status.FILLED if complete else Status.PARTIALLY_FILLED, fill.at, final=complete)


def _move(now: Standing, status: Status, at: int, *, final: bool = False, said: bool = False) -> Standing:
    """final: the broker says how it has ended. said: it is the broker's word for the order's state, and not what follows from a fill."""
    first = status in AT_BROKER and now.confirmed_at is None
    if first:
        now = now._replace(confirmed_at=at)
    if now.given_up:
        # Where it stood before we closed it is told late, or once more; it has not lived longer for that.
        if not final and at <= (now.closed_at or 0):
            return now
        closed_at = at if status in TERMINAL else None
        return now._replace(status=status, closed_at=closed_at, given_up=False)
    # What we have closed though the broker never spoke of it is as the broker says after all.
    ours = first and now.status in {Status.CANCELED, Status.EXPIRED} and status is not now.status
    if not (ours or may_move(now.status, status)):
        return now
    later = said and at > (now.closed_at or 0)
    if now.status is Status.REJECTED and status is not Status.FILLED and not later:
        return now  # a late fill, or a row of before the no
    return now._replace(status=status, closed_at=at if status in TERMINAL else None)


def is_given_up(order: Any) -> bool:
    """Whether we have closed this journaled order by the calendar alone: at the broker it may be as open as ever."""
    ours = order.reason_code in {Code.NEVER_ENDED, Code.NEVER_CONFIRMED}
    return bool(order.status == Status.EXPIRED and ours)


def is_proven_absent(order: Any) -> bool:
    """Whether the broker never had this journaled order, and nothing was done about it yet."""
    return bool(order.status == Status.UNKNOWN and order.reason_code == Code.PROVEN_ABSENT)
