"""From a gateway's reports to the journal: whose they are, what they change, and what was asked and is answered by them.

A report is about an order of ours only if gateway, account, 文件单 setting (where the terminal names one), sid and day agree with the order's. Whoever else
bears our sid changes nothing of ours and confirms nothing; it is journaled, and told as an alarm (oddities). A report that cannot be
folded is journaled as unreadable, and the ones behind it are not kept waiting.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from orderdrop.domain.identity import day_number, sid_key
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.report import (
    CancelReject,
    Fill,
    Report,
    StatusReport,
    Unreadable,
    check,
    clean,
    cleaned,
)
from orderdrop.domain.standing import Standing, apply
from orderdrop.domain.status import TERMINAL, Status
from orderdrop.gateway.base import Cursor
from orderdrop.journal.records import Known, drop_of
from orderdrop.journal.writer import Writer
from orderdrop.system.clock import Micros, instant_of, trade_date
from orderdrop.views.oddities import note_strangers, note_unreadable_reports

log = logging.getLogger(__name__)

FILLS_AWAITED: Final = "fills_awaited"
"""The event of an order whose fills are not (yet) those that the broker tells of: `fills / told`."""

STRANGER: Final = "used_by_another"
"""The event of an order whose sid somebody else bears."""

UNREADABLE: Final = "unreadable"
"""The kind of a report that could not be folded."""

_FAULTS: Final = (ValueError, ArithmeticError, TypeError, LookupError, AttributeError)
_LONGEST_RAW: Final = 2000
_MOST_FILLED: Final = 1 << 62
_CANCELING: Final = TERMINAL | {Status.PENDING_CANCEL}


@dataclass
class Folded:
    """What a round of reports changed.

    confirmed, answered: orders of which the broker has spoken, and of whose cancel it has. uneven: orders whose fills do not add up to what the
    broker tells, and whether it tells that they are filled; only those of which one of the two has changed. even: those that add up. drops: those whose
    instructions were answered. foreign: reports of nothing of ours, strange: of them, those that bear a sid of ours.
    """

    orders: set[int] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    confirmed: set[int] = field(default_factory=set)
    answered: set[int] = field(default_factory=set)
    uneven: dict[int, bool] = field(default_factory=dict)
    even: set[int] = field(default_factory=set)
    drops: set[int] = field(default_factory=set)
    foreign: int = 0
    strange: int = 0
    unreadable: int = 0


def fold(
    writer: Writer,
    gateway: str,
    reports: Sequence[Report],
    cursor: Cursor,
    now: Micros,
    today: date,
    scan_name: str = "",
) -> Folded:
    """Journal `reports` and fold them, in their order; the cursor is kept in the same transaction.

    scan_name: the gateway's 文件单 setting, "" where it has none.
    """
    faults = [_fault_of(report) for report in reports]
    keys = [sid_key(r.sid) if not fault and r.sid else 0 for r, fault in zip(reports, faults, strict=True)]
    day = day_number(today)
    known = writer.known(list(set(keys)), [*writer.unmoved_days(day), day], past=True)
    mine = _Mine(gateway, scan_name)
    ids = [mine.id_of(report, known.get(key)) for report, key in zip(reports, keys, strict=True)]
    ours = sorted({order for order in ids if order is not None})
    standings = writer.standings(ours)
    given_up = {order for order, standing in standings.items() if standing.given_up}
    rejected = {order for order, standing in standings.items() if standing.status is Status.REJECTED}
    folding = _Fold(gateway, standings, writer.known_fills(ours))
    rows: list[tuple[int, str, str, str, int | None, str, str, str | None]] = []
    for number, (report, order) in enumerate(zip(reports, ids, strict=True)):
        fault = faults[number] or folding.add(report, order)
        if fault:
            rows.append((now, gateway, *_whose(report), order, UNREADABLE, _raw(report, fault), None))
            if order is not None:
                folding.events.append((now, order, UNREADABLE, gateway, clean(fault), None))
        else:
            rows.append(
                (now, gateway, report.account_id, report.sid, order, type(report).__name__, _body(report), report.scan_name or None)
            )  # fmt: skip
        faults[number] = fault
    folding.end(now)
    folding.events += mine.events
    said = next(filter(None, faults), "")
    writer.add_reports(rows)
    writer.add_fills(folding.fills)
    writer.add_events(folding.events)
    writer.save_standings(list(folding.changed.values()))
    writer.fills_are_there(folding.mended)
    writer.take_up({order for order in given_up if not standings[order].given_up})
    writer.taken_back(
        folding.taken_back | {o for o in rejected if standings[o].status is not Status.REJECTED}
    )
    instructions = [
        number for order, why in folding.answered for number in writer.answer_cancels(order, now, why)
    ]
    writer.set_meta(cursor_key(gateway), cursor)
    note_strangers(writer, today, mine.strange)
    if mine.strange:
        log.error("%s: 我们的编号 %s 被别人使用，不算我们的 / a sid of ours is used by somebody else, it changes nothing of ours: %s (%s)",
                  gateway, mine.strange[0][0], *mine.strange[0])  # fmt: skip
    unreadable = sum(map(bool, faults))
    note_unreadable_reports(writer, today, gateway, unreadable, said)
    if unreadable:
        log.error(
            "%s: %d 条回报读不懂，已记录，未计入 / reports cannot be read, they are journaled and change nothing: %s",
            gateway, unreadable, said,
        )  # fmt: skip
    return Folded(
        set(ours),
        {report.account_id for report, fault in zip(reports, faults, strict=True) if not fault},
        {order for order, standing in standings.items() if standing.confirmed_at is not None},
        {order for order, _why in folding.answered}
        | {order for order, standing in standings.items() if standing.status in _CANCELING},
        folding.uneven,
        folding.even,
        set(map(drop_of, instructions)),
        ids.count(None),
        len(mine.strange),
        unreadable,
    )


class _Mine:
    """Tells the reports of our orders from those of others that bear their sids; strange: our sid and whose it is, of each of those."""

    def __init__(self, gateway: str, scan_name: str) -> None:
        self._gateway = gateway
        self._scan_name = scan_name
        self.strange: list[tuple[str, str]] = []
        self.events: list[tuple[int, int | None, str, str, str | None, int | None]] = []

    def id_of(self, report: Report, order: Known | None) -> int | None:
        """order: the one that has used up the report's sid. None: it is not about that one."""
        if order is None:
            return None
        why = self._why_not(report, order)
        if why:
            words = getattr(report, "status", None) or type(report).__name__.lower()
            self.strange.append((order.sid, f"{self._gateway}: {why}"))
            self.events.append((report.at, order.id, STRANGER, self._gateway, f"{why}: {words}", None))
        return None if why else order.id

    def _why_not(self, report: Report, order: Known) -> str:
        """In which way it is somebody else's; "" when it is ours."""
        if order.gateway != self._gateway:
            return f"gateway {self._gateway}"
        if report.account_id != order.account_id and not _alike(report.account_id, order.account_id):
            return f"account {clean(report.account_id)}"
        if report.scan_name and self._scan_name and report.scan_name != self._scan_name:
            return f"scan_name {clean(report.scan_name)}"
        if report.at < _midnight(order.trade_day):
            return f"of {trade_date(report.at)}"
        return ""


@lru_cache(maxsize=8)
def _midnight(day: int) -> Micros:
    return instant_of(day, "00:00:00")


def _alike(one: str, other: str) -> bool:
    """A UUID may be written with dashes or without, in either case."""
    return one.replace("-", "").lower() == other.replace("-", "").lower()


class _Fold:
    def __init__(
        self, gateway: str, standings: dict[int, Standing], seen_fills: set[tuple[int, str]]
    ) -> None:
        self._gateway = gateway
        self._standings = standings
        self._before = dict(standings)
        self._seen_fills = seen_fills
        self.fills: list[tuple[int, str, int, int, str, str | None]] = []
        self.events: list[tuple[int, int | None, str, str, str | None, int | None]] = []
        self.changed: dict[int, tuple[Standing, int, Refusal | None]] = {}
        self.answered: list[tuple[int, Refusal | None]] = []
        self.uneven: dict[int, bool] = {}
        self.even: set[int] = set()
        self.mended: set[int] = set()  # of those, the ones that may have been said to differ

    def add(self, report: Report, order: int | None) -> str:
        """Returns what was unexpected, and then it has changed nothing; "" when all went well."""
        lists: tuple[list[Any], ...] = (self.fills, self.events, self.answered)
        lengths = [len(one) for one in lists]
        before = None if order is None else self._standings[order]
        try:
            self._add(cleaned(report), order)
        except _FAULTS as fault:
            log.exception("回报处理出错 / a report cannot be folded: %r", report)
            for one, length in zip(lists, lengths, strict=True):
                del one[length:]
            if order is not None and before is not None:
                self._standings[order] = before
                if isinstance(report, Fill):  # one that was told before ends before anything can go wrong
                    self._seen_fills.discard((order, report.exec_id))
            return f"{type(fault).__name__}: {fault}"
        return ""

    @property
    def taken_back(self) -> set[int]:
        """Orders whose no and what took it back were told at once."""
        return {
            order
            for order, (now, _at, why) in self.changed.items()
            if why is not None and why.code is Code.BROKER_REJECTED and now.status is not Status.REJECTED
        }

    def end(self, now: Micros) -> None:
        """What does not add up once all was told, and what does."""
        for order, (after, _at, _why) in self.changed.items():
            before = self._before[order]
            if after.adds_up:
                self.even.add(order)
                if not before.adds_up or Status.FILLED is before.status is after.status:
                    self.mended.add(order)
            elif (after.told_volume, after.filled_volume) != (before.told_volume, before.filled_volume):
                self.uneven[order] = after.told_whole
                detail = f"{after.filled_volume} / {after.told_volume}"
                self.events.append((now, order, FILLS_AWAITED, self._gateway, detail, None))

    def _add(self, report: Report, order: int | None) -> None:
        if order is None:
            self._tell(report, None, "foreign", report.sid or "(no sid)")
            return
        if isinstance(report, Fill) and not self._is_new(report, order):
            return
        before = self._standings[order]
        after = self._standings[order] = apply(before, report)
        if max(after.filled_volume, after.told_volume or 0) >= _MOST_FILLED:
            raise Unreadable("more than any order can be")
        if after.status is not before.status or after.given_up is not before.given_up:
            self._tell(report, order, after.status, getattr(report, "text", "") or None, after.filled_volume)
        if _most(after) > after.volume >= _most(before):
            log.error("成交超过委托，可能重复执行 / filled more than ordered, executed twice? %s", report)
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
        fee = None if fill.fee is None else str(fill.fee)
        self._seen_fills.add((order, fill.exec_id))
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
    if _most(after) > after.volume:
        return Refusal(Code.OVERFILLED, "volume", str(_most(after)), str(after.volume))
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


def _most(now: Standing) -> int:
    """What has been filled, by its fills or by the broker's figure, whichever is more."""
    return max(now.filled_volume, now.told_volume or 0)


def _too_late(report: Report, after: Standing) -> Refusal | None:
    """What a cancel that is under way hears when its order ends; None: it is done."""
    if after.status is Status.CANCELED:
        return None
    return Refusal(Code.CANCEL_FINISHED, "sid", report.sid, after.status)


def _body(report: Report) -> str:
    values = {
        name: str(value) if isinstance(value, Decimal) else value
        for name, value in report._asdict().items()
        if name != "scan_name"  # it has a column of its own
    }
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    # Half a character, as JSON from a package may hold one: no database takes it, but its number.
    return text if text.isprintable() or _is_text(text) else json.dumps(values, separators=(",", ":"))


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fault_of(report: Report) -> str:
    """Why a report can neither be reckoned with nor be written down; "" when it can."""
    try:
        check(report)
    except _FAULTS as fault:
        return f"{type(fault).__name__}: {fault}"
    return ""


def _whose(report: Report) -> tuple[str, str]:
    """Account and sid of a report that does not read, as far as they can be written down."""
    account_id, sid = (clean(str(getattr(report, part, ""))) for part in ("account_id", "sid"))
    return account_id, sid


def _raw(report: Report, fault: str) -> str:
    """A report that does not read, as JSON all the same."""
    return json.dumps({"unreadable": clean(fault), "report": clean(ascii(report), _LONGEST_RAW)})
