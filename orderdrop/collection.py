"""From a gateway's reports to the journal: whose they are, what they change, and what was asked and is answered by them."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from orderdrop.clock import Micros
from orderdrop.gateway.base import Cursor
from orderdrop.journal.records import drop_of
from orderdrop.journal.writer import Writer
from orderdrop.order.identity import day_number, sid_key
from orderdrop.order.refusal import Code, Refusal
from orderdrop.order.report import CancelReject, Fill, Report, StatusReport
from orderdrop.order.status import TERMINAL, Status
from orderdrop.reports.apply import Standing, apply

log = logging.getLogger(__name__)

FILLS_AWAITED: Final = "fills_awaited"
"""The event of an order that is said to be filled before its fills are told."""

_CANCELING: Final = TERMINAL | {Status.PENDING_CANCEL}


@dataclass
class Collected:
    """What a round of reports changed.

    confirmed, answered: orders of which the broker has spoken, and of whose cancel it has. told_filled: orders that are filled, it says,
    though their fills do not add up yet, with the instant at which we heard it. drops: those whose instructions were answered.
    """

    orders: set[int] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    confirmed: set[int] = field(default_factory=set)
    answered: set[int] = field(default_factory=set)
    told_filled: dict[int, int] = field(default_factory=dict)
    drops: set[int] = field(default_factory=set)
    foreign: int = 0


def collect(
    writer: Writer,
    gateway: str,
    reports: Sequence[Report],
    cursor: Cursor,
    now: Micros,
    today: date,
) -> Collected:
    """Journal `reports` and fold them, in their order; the cursor is kept in the same transaction."""
    keys = [sid_key(report.sid) if report.sid else 0 for report in reports]
    day = day_number(today)
    known = writer.known(list(set(keys)), [*writer.unmoved_days(day), day], past=True)
    ids = [known[key].id if key in known else None for key in keys]
    ours = sorted({order for order in ids if order is not None})
    standings = writer.standings(ours)
    given_up = {order for order, standing in standings.items() if standing.given_up}
    seen_fills = writer.known_fills(ours)
    fold = _Fold(gateway, standings, seen_fills)
    for report, order in zip(reports, ids, strict=True):
        fold.add(report, order)
    writer.add_reports(
        [
            (now, gateway, r.account_id, r.sid, order, type(r).__name__, _body(r))
            for r, order in zip(reports, ids, strict=True)
        ]
    )
    writer.add_fills(fold.fills)
    writer.add_events(fold.events)
    writer.save_standings(list(fold.changed.values()))
    writer.fills_are_there(fold.late_fills)
    writer.take_up({order for order in given_up if not standings[order].given_up})
    instructions = [
        number for order, why in fold.answered for number in writer.answer_cancels(order, now, why)
    ]
    writer.set_meta(cursor_key(gateway), cursor)
    return Collected(
        set(ours),
        {report.account_id for report in reports},
        {order for order, standing in standings.items() if standing.confirmed_at is not None},
        {order for order, _why in fold.answered}
        | {order for order, standing in standings.items() if standing.status in _CANCELING},
        dict.fromkeys(fold.told_filled, now),
        set(map(drop_of, instructions)),
        ids.count(None),
    )


class _Fold:
    def __init__(
        self, gateway: str, standings: dict[int, Standing], seen_fills: set[tuple[int, str]]
    ) -> None:
        self._gateway = gateway
        self._standings = standings
        self._seen_fills = seen_fills
        self.fills: list[tuple[int, str, int, int, str, str | None]] = []
        self.events: list[tuple[int, int | None, str, str, str | None, int | None]] = []
        self.changed: dict[int, tuple[Standing, int, Refusal | None]] = {}
        self.answered: list[tuple[int, Refusal | None]] = []
        self.told_filled: set[int] = set()  # their fills lag
        self.late_fills: set[int] = set()  # orders that were filled already

    def add(self, report: Report, order: int | None) -> None:
        if order is None:
            self._tell(report, None, "foreign", report.sid or "(no sid)")
            return
        if isinstance(report, Fill) and not self._is_new(report, order):
            return
        before = self._standings[order]
        after = self._standings[order] = apply(before, report)
        if after.status is not before.status or after.given_up is not before.given_up:
            self._tell(report, order, after.status, getattr(report, "text", "") or None, after.filled_volume)
        if isinstance(report, StatusReport) and report.status is Status.FILLED and after.closed_at is None:
            self.told_filled.add(order)
            self._tell(report, order, FILLS_AWAITED, f"{after.filled_volume} / {after.volume}")
        if after.filled_volume > after.volume >= before.filled_volume:
            log.error("成交超过委托,可能重复执行 / filled more than ordered, executed twice? %s", report)
        why = _why(report, before, after)
        if isinstance(report, CancelReject):
            self._tell(report, order, "cancel_rejected", f"{report.code} {report.text}")
            self.answered.append((order, why))
            why = None
        elif after.status in TERMINAL and before.status not in TERMINAL:
            self.answered.append((order, _too_late(report, after)))
        if after != before or why is not None:
            earlier = self.changed.get(order)
            self.changed[order] = (after, report.at, why or (earlier[2] if earlier else None))

    def _is_new(self, fill: Fill, order: int) -> bool:
        """Whether this fill was not told before; then it is noted."""
        if (order, fill.exec_id) in self._seen_fills:
            return False
        self._seen_fills.add((order, fill.exec_id))
        if self._standings[order].status is Status.FILLED:
            self.late_fills.add(order)
        fee = None if fill.fee is None else str(fill.fee)
        self.fills.append((order, fill.exec_id, fill.at, fill.volume, str(fill.price), fee))
        self._tell(fill, order, "fill", f"{fill.volume}@{fill.price}")
        return True

    def _tell(
        self, report: Report, order: int | None, event: str, detail: str | None, filled: int | None = None
    ) -> None:
        self.events.append((report.at, order, event, self._gateway, detail, filled))


def cursor_key(gateway: str) -> str:
    return f"cursor:{gateway}"


def _why(report: Report, before: Standing, after: Standing) -> Refusal | None:
    if after.filled_volume > after.volume:
        return Refusal(Code.OVERFILLED, "volume", str(after.filled_volume), str(after.volume))
    if after.given_up and before.confirmed_at is None and after.confirmed_at is not None:
        return Refusal(Code.NEVER_ENDED, value=getattr(report, "status", Status.PARTIALLY_FILLED))
    match report:
        case StatusReport(status=Status.REJECTED):
            return Refusal(
                Code.BROKER_REJECTED, value=report.text or f"code {report.code}", bound=str(report.code)
            )
        case CancelReject():
            return Refusal(
                Code.CANCEL_REJECTED, value=report.text or f"code {report.code}", bound=str(report.code)
            )
        case _:
            return None


def _too_late(report: Report, after: Standing) -> Refusal | None:
    """What a cancel that is under way hears when its order ends; None: it is done."""
    if after.status is Status.CANCELED:
        return None
    return Refusal(Code.CANCEL_FINISHED, "sid", report.sid, after.status)


def _body(report: Report) -> str:
    values = {
        name: str(value) if isinstance(value, Decimal) else value for name, value in report._asdict().items()
    }
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
