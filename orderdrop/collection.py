"""From a gateway's reports to the journal: whose they are, what they change, and what was asked and is answered by them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from orderdrop.clock import Micros
from orderdrop.gateway.base import Cursor
from orderdrop.journal.writer import Writer
from orderdrop.order.identity import SidScope, day_number, sid_key
from orderdrop.order.refusal import Code, Refusal
from orderdrop.order.report import CancelReject, Fill, Report, StatusReport
from orderdrop.order.status import Status
from orderdrop.reports.apply import Standing, apply


@dataclass
class Collected:
    """What a round of reports changed."""

    orders: set[int] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    foreign: int = 0


def collect(
    writer: Writer,
    gateway: str,
    reports: Sequence[Report],
    cursor: Cursor,
    now: Micros,
    today: date,
    scope: SidScope,
) -> Collected:
    """Journal `reports` and fold them, in their order; the cursor is kept in the same transaction."""
    keys = [sid_key(report.sid) if report.sid else 0 for report in reports]
    day = day_number(today)
    known = writer.known(list(set(keys)), [*writer.unmoved_days(day), day], past=scope == "forever")
    ids = [known[key].id if key in known else None for key in keys]
    ours = sorted({order for order in ids if order is not None})
    standings = writer.standings(ours)
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
    for order, why in fold.answered:
        writer.answer_cancels(order, now, why)
    writer.set_meta(cursor_key(gateway), cursor)
    return Collected(set(ours), {report.account_id for report in reports}, ids.count(None))


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

    def add(self, report: Report, order: int | None) -> None:
        if order is None:
            self._tell(report, None, "foreign", report.sid or "(no sid)")
            return
        if isinstance(report, Fill):
            if (order, report.exec_id) in self._seen_fills:
                return
            self._seen_fills.add((order, report.exec_id))
            fee = None if report.fee is None else str(report.fee)
            self.fills.append((order, report.exec_id, report.at, report.volume, str(report.price), fee))
            self._tell(report, order, "fill", f"{report.volume}@{report.price}")
        before = self._standings[order]
        after = apply(before, report)
        self._standings[order] = after
        if after.status is not before.status:
            self._tell(report, order, after.status, getattr(report, "text", "") or None, after.filled_volume)
        why = _why(report)
        if isinstance(report, CancelReject):
            self._tell(report, order, "cancel_rejected", f"{report.code} {report.text}")
            self.answered.append((order, why))
            why = None
        elif after.status is Status.CANCELED and before.status is not Status.CANCELED:
            self.answered.append((order, None))
        if after != before or why is not None:
            earlier = self.changed.get(order)
            self.changed[order] = (after, report.at, why or (earlier[2] if earlier else None))

    def _tell(
        self, report: Report, order: int | None, event: str, detail: str | None, filled: int | None = None
    ) -> None:
        self.events.append((report.at, order, event, self._gateway, detail, filled))


def cursor_key(gateway: str) -> str:
    return f"cursor:{gateway}"


def _why(report: Report) -> Refusal | None:
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


def _body(report: Report) -> str:
    values = {
        name: str(value) if isinstance(value, Decimal) else value for name, value in report._asdict().items()
    }
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
