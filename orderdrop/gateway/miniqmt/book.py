"""Keeps what of today is ours at MiniQMT: the rows that were sent, which listed order is which of them, and the reports that follow.

Used from the router's thread, asks nothing. Events repeat, overtake one another and lack remarks; a row is found by its reference, else by
the number that the terminal gave it, else, after a while, by account, symbol, side and volume in a time window, if just one fits.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from orderdrop.domain.goldminer_format import reason
from orderdrop.domain.report import AHEAD, BEHIND, CancelReject, Fill, Report, StatusReport
from orderdrop.domain.status import TERMINAL, Status
from orderdrop.gateway.base import Cancel
from orderdrop.gateway.miniqmt import events as ev
from orderdrop.gateway.miniqmt.codes import BROKER_NO, CANCEL_FINISHED, CANCEL_REFUSED, STATUS
from orderdrop.gateway.miniqmt.reference import Row, mark_of
from orderdrop.system.clock import Micros

log = logging.getLogger(__name__)

GRACE: Final = 3_000_000
"""Microseconds in which the answer to a hand-over tells its number; only then are orders without a remark compared."""

_EARLIER: Final = 10_000_000
_LATER: Final = 120_000_000
"""Microseconds around a hand-over in which the terminal's clock may have put the order."""

STALE: Final = 10_000_000
"""Microseconds in which a query may be older than the last event: the terminal keeps answers for up to six seconds."""

_PROOFS_KEPT: Final = 20

_RANK: Final = {Status.PENDING_NEW: 0, Status.NEW: 1, Status.PARTIALLY_FILLED: 2, Status.PENDING_CANCEL: 3}
_FINAL: Final = 4
_JUNK: Final = 57

Key = tuple[str, int]
"""An account, and a number of the terminal's."""


class Told(NamedTuple):
    """What was last told of an order."""

    status: Status
    filled: int
    at: Micros


class Lists:
    """What a day's full queries of one account were worth as evidence, across sessions.

    A list only grows: one that is shorter than an earlier one, as of a terminal that has just been started, proves nothing, and neither does
    what was asked before it. longest: the longest of today. proofs: when the queries began that count.
    """

    def __init__(self) -> None:
        self.longest = 0
        self.proofs: list[Micros] = []
        self._recent: list[tuple[Micros, int]] = []  # those that an answer may still be older than
        self._settled = 0
        self.short = False  # the last one was

    def expect(self, listed: int) -> None:
        """It has listed so many before."""
        self.longest = max(self.longest, listed)
        if listed > self._settled:
            self._settled = listed
            self.proofs.clear()

    def take(self, full: ev.Full, *, whole: bool) -> None:
        listed, settled = len(full.orders), full.begun - STALE
        self._settled = max([self._settled, *(count for at, count in self._recent if at < settled)])
        self._recent = [one for one in self._recent if one[0] >= settled] + [(full.begun, listed)]
        self.longest = max(self.longest, listed)
        self.short = listed < self._settled
        if self.short:
            self.proofs.clear()
        elif whole:
            self.proofs.append(full.begun)
            del self.proofs[1:-_PROOFS_KEPT]


class Book:
    """One trading day. `log` holds every report since the start, in its order.

    Invariants: a row is bound to a listed order by evidence only; a fill is told once; a status never goes back on the word of a query
    that may be stale.
    """

    def __init__(self, opened_at: Micros) -> None:
        self.log: list[Report] = []
        self.rows: dict[str, Row] = {}
        self._opened_at = opened_at
        self._sids: dict[tuple[str, str], Row] = {}
        self._seqs: dict[int, Row] = {}
        self._numbers: dict[Key, Row] = {}
        self._contracts: dict[tuple[str, str], Row] = {}
        self._told: dict[str, Told] = {}
        self._fills: set[tuple[str, str]] = set()
        self._strangers: dict[Key, list[ev.Listed | ev.Traded]] = defaultdict(list)
        self._foreign: dict[Key, tuple[int, int]] = {}
        self._listed_since: dict[Key, Micros] = {}
        self._cancels: set[Key] = set()
        self._references: dict[tuple[str, str], set[str]] = defaultdict(set)  # listed, by account and mark
        self._odd: set[int] = set()  # status codes that are not in the table, said once

    # our own

    def add(self, rows: Iterable[Row]) -> None:
        """Rows that are about to be handed over, or were by an earlier life."""
        for row in rows:
            self.rows.setdefault(row.reference, row)
            self._sids[row.order.account_id, row.order.sid] = self.rows[row.reference]

    def called(self, row: Row, seq: int) -> None:
        """The API has taken the call."""
        row.seq = seq
        self._seqs[seq] = row

    def forget(self, row: Row) -> None:
        """It is proven that the API was never called for it."""
        self.rows.pop(row.reference, None)

    def has_had(self, row: Row) -> bool:
        """Whether the terminal may have this order already, under whatever reference: it lists one of its mark that is not known to be
        another order, or it was handed over in this life and not proven absent.
        """
        order = row.order
        earlier = self._sids.get((order.account_id, order.sid))
        if earlier is not None and (
            self.is_known(earlier)
            or earlier.numbered
            or (earlier.handed_at is not None and not earlier.absent)
        ):
            return True
        return self.lists_another(row)

    def lists_another(self, row: Row) -> bool:
        """Whether the terminal lists an order of this one's mark, under whatever reference, that is not known to be of another sid."""
        alike = self._references.get((row.order.account_id, mark_of(row.reference)), ())
        return any(self._sid_of(reference) in {None, row.order.sid} for reference in alike)

    def _sid_of(self, reference: str) -> str | None:
        known = self.rows.get(reference)
        return known.order.sid if known else None

    def claim(self, row: Row) -> None:
        """What the terminal lists under this order's mark, and what nobody else's is, is this order."""
        account_id = row.order.account_id
        for reference in self._references.get((account_id, mark_of(row.reference)), ()):
            self.rows.setdefault(reference, row)
        self.rows.setdefault(row.reference, row)
        self._sids.setdefault((account_id, row.order.sid), row)

    def row_of(self, account_id: str, sid: str) -> Row | None:
        """The last one, when a sid was handed over again."""
        return self._sids.get((account_id, sid))

    def is_known(self, row: Row) -> bool:
        """Whether the terminal has ever listed it."""
        return row.reference in self._told

    def is_open(self, row: Row) -> bool:
        told = self._told.get(row.reference)
        return told is None or told.status not in TERMINAL

    @property
    def unanswered(self) -> int:
        """Calls that have neither been answered nor shown up."""
        return len(self._seqs)

    def new_session(self) -> None:
        """Numbers are the terminal's own, and it may count anew. Calls that were not answered never will be."""
        self._seqs.clear()
        self._numbers.clear()
        self._listed_since.clear()
        self._strangers.clear()
        self._cancels.clear()
        for row in self.rows.values():
            row.listed, row.numbered = None, False

    def refuse_cancel(self, cancel: Cancel, code: int, now: Micros) -> None:
        words = reason(code)
        self.log.append(CancelReject(now, cancel.account_id, cancel.sid, code, f"{words.zh} / {words.en}"))

    def canceling(self, row: Row) -> None:
        assert row.listed is not None  # noqa: S101  only what has a number can be cancelled
        self._cancels.add((row.order.account_id, row.listed))

    # what the terminal tells

    def take(self, event: ev.Event | ev.Full, now: Micros) -> None:
        match event:
            case ev.Listed() | ev.Traded():
                self._take(event, now, queried=False)
            case ev.Numbered():
                self._numbered(event, now)
            case ev.OrderFault():
                self._faulted(event, now)
            case ev.CancelAnswer():
                self._cancel_answered(event, now)
            case ev.Full():
                for order in event.orders:
                    self._take(order, now, queried=True)
                for trade in event.trades:
                    self._take(trade, now, queried=True)

    def is_whole(self, full: ev.Full) -> bool:
        """Whether a query lists all that was listed before; a terminal that has just started lists nothing for a while."""
        numbers = {order.number for order in full.orders}
        settled = full.begun - STALE
        return all(
            number in numbers
            for (account, number), since in self._listed_since.items()
            if account == full.account_id and since < settled
        )

    def look(self, now: Micros, *, foreign: bool) -> None:
        """Find out whose the orders are that nothing has named yet. foreign: all of ours is known, so tell what is somebody else's."""
        for key in list(self._strangers):
            events = self._strangers[key]
            if any(self._identify(event) for event in events):
                for event in self._strangers.pop(key):
                    self._take(event, now, queried=False)
                continue
            order = next((one for one in events if isinstance(one, ev.Listed)), None)
            fitting = [] if order is None else list(self._fitting(order))
            if order is not None and self._ripe(fitting, now) and not self._rivals(order):
                log.warning("按账号代码方向数量认出委托 / an order without remark was recognised: %s", order)
                self._bind(fitting[0], order, now)
            elif order is not None and not fitting and foreign:
                self._tell_foreign(key, now)

    def fits_a_stranger(self, row: Row) -> bool:
        """Whether the terminal lists an order that may be this one."""
        return any(
            isinstance(order, ev.Listed) and order.likeness == row.likeness and _nameless(order)
            for orders in self._strangers.values()
            for order in orders
        )

    def refuse(self, row: Row, now: Micros) -> None:
        """The terminal had words against this order, no list has it, and its account has no room for it: that is the broker's no."""
        account_id, symbol, business, volume = row.likeness
        junk = ev.Listed(
            account_id, 0, "", symbol, business, volume, 0, _JUNK, row.trouble, row.reference, now
        )
        self._tell_status(row, junk, now, queried=False)

    # details

    def _take(self, event: ev.Listed | ev.Traded, now: Micros, *, queried: bool) -> None:
        if isinstance(event, ev.Listed) and event.number > 0:
            self._listed_since.setdefault((event.account_id, event.number), now)
            if mark := mark_of(event.remark):
                self._references[event.account_id, mark].add(event.remark)
        row = self._identify(event)
        if row is None:
            orders = self._strangers[event.account_id, event.number]
            if event not in orders:
                orders.append(event)
        elif row.listed is None and isinstance(event, ev.Listed):
            self._bind(row, event, now)
        else:
            self._tell(row, event, now, queried=queried)

    def _identify(self, event: ev.Listed | ev.Traded) -> Row | None:
        row = self.rows.get(event.remark)
        if row is not None and row.order.account_id != event.account_id:
            return None  # our remark on another account's order: somebody has copied it
        row = row or self._numbers.get((event.account_id, event.number))
        if row is None and event.contract:
            row = self._contracts.get((event.account_id, event.contract))
        return row

    def _bind(self, row: Row, order: ev.Listed, now: Micros) -> None:
        """This listed order is that row; what was told of it before is told now."""
        key = (order.account_id, order.number)
        if row.listed not in {None, order.number}:
            log.error("同一笔委托出现两次 / an order is listed twice: %s and %s", row.listed, order)
        row.listed = order.number
        self._numbers[key] = row
        self._seqs.pop(row.seq, None)
        if order.contract:
            self._contracts[order.account_id, order.contract] = row
        earlier = self._strangers.pop(key, [])
        for event in [*earlier, *([] if order in earlier else [order])]:
            self._tell(row, event, now, queried=False)

    def _tell(self, row: Row, event: ev.Listed | ev.Traded, now: Micros, *, queried: bool) -> None:
        if isinstance(event, ev.Traded):
            self._tell_fill(row, event, now)
        else:
            if event.contract:
                self._contracts[event.account_id, event.contract] = row
            self._tell_status(row, event, now, queried=queried)

    def _tell_fill(self, row: Row, trade: ev.Traded, now: Micros) -> None:
        if not trade.exec_id:
            log.error("成交没有编号,未计入 / a trade without a number is not counted: %s", trade)
            return
        if (row.reference, trade.exec_id) in self._fills:
            return
        self._fills.add((row.reference, trade.exec_id))
        order = row.order
        self.log.append(
            Fill(
                _lately(trade.at, now), order.account_id, order.sid, trade.exec_id, trade.volume, trade.price, trade.contract
            )
        )  # fmt: skip

    def _tell_status(self, row: Row, order: ev.Listed, now: Micros, *, queried: bool) -> None:
        status = self._status_of(order)
        last = self._told.get(row.reference)
        if last is not None and not _is_news(last, status, order.traded, now, queried=queried):
            return
        filled = max(order.traded, last.filled if last else 0)
        self._told[row.reference] = Told(status, filled, now)
        rejected = status is Status.REJECTED
        self.log.append(
            StatusReport(
                now, row.order.account_id, row.order.sid, status, order.contract, filled,
                BROKER_NO if rejected else 0, order.text if rejected else "",
            )
        )  # fmt: skip

    def _status_of(self, order: ev.Listed) -> Status:
        """A code that is not in the table tells one thing for sure: the terminal has the order. So it is live, and may be cancelled."""
        status = STATUS.get(order.status)
        if status is None and order.status not in self._odd:
            self._odd.add(order.status)
            log.error("不认识的委托状态,按在途处理 / an unknown order status, it counts as live: %s", order)
        return status or Status.PENDING_NEW

    def _numbered(self, answer: ev.Numbered, now: Micros) -> None:
        row = self._seqs.pop(answer.seq, None)
        if row is None:
            return
        if answer.number <= 0:
            self._note_trouble(row, answer.words, now)
            return
        row.numbered = True
        key = (row.order.account_id, answer.number)
        self._numbers[key] = row
        for event in self._strangers.pop(key, []):
            self._take(event, now, queried=False)

    def _faulted(self, fault: ev.OrderFault, now: Micros) -> None:
        row = self.rows.get(fault.remark) or self._numbers.get((fault.account_id, fault.number))
        if row is not None:
            self._seqs.pop(row.seq, None)
            self._note_trouble(row, fault.words, now)

    def _note_trouble(self, row: Row, words: str, now: Micros) -> None:
        if words and not row.trouble and not self.is_known(row):
            row.trouble, row.troubled_at = words, now

    def _cancel_answered(self, answer: ev.CancelAnswer, now: Micros) -> None:
        """Taken means nothing yet. A refusal may be told twice, as an answer and as an error."""
        key = (answer.account_id, answer.number)
        row = self._numbers.get(key)
        if answer.taken or row is None or key not in self._cancels:
            return
        self._cancels.discard(key)
        code = CANCEL_REFUSED if self.is_open(row) else CANCEL_FINISHED
        self.log.append(CancelReject(now, answer.account_id, row.order.sid, code, answer.words))

    # orders that nothing names

    def _fitting(self, order: ev.Listed) -> Iterator[Row]:
        """Rows that were handed over about then, are not found yet, and look the same."""
        if not _nameless(order):
            return
        for row in self.rows.values():
            if row.listed is None and not row.numbered and row.likeness == order.likeness:
                begin, end = self._window(row)
                if not order.at or begin <= order.at <= end:
                    yield row

    def _window(self, row: Row) -> tuple[int, int]:
        if row.handed_at is None:
            return 0, self._opened_at + _EARLIER
        return row.handed_at - _EARLIER, row.handed_at + _LATER

    def _ripe(self, fitting: list[Row], now: Micros) -> bool:
        """One candidate, whose answer would have come by now."""
        return len(fitting) == 1 and now - (fitting[0].handed_at or self._opened_at) >= GRACE

    def _rivals(self, order: ev.Listed) -> bool:
        """Whether another order that nothing names looks the same."""
        return any(
            isinstance(other, ev.Listed) and other.number != order.number and other.likeness == order.likeness
            for others in self._strangers.values()
            for other in others
        )

    def _tell_foreign(self, key: Key, now: Micros) -> None:
        """Somebody else's order: entered by hand, or by another program on the same account."""
        for event in self._strangers.pop(key):
            if isinstance(event, ev.Listed) and self._foreign.get(key) != (event.status, event.traded):
                self._foreign[key] = (event.status, event.traded)
                status = self._status_of(event)
                copied = self.rows.get(event.remark)
                sid = copied.order.sid if copied else ""
                self.log.append(
                    StatusReport(now, event.account_id, sid, status, event.contract, event.traded)
                )


def _is_news(last: Told, status: Status, filled: int, now: Micros, *, queried: bool) -> bool:
    if filled > last.filled:
        return True
    if last.status is Status.REJECTED and status not in TERMINAL:
        return True  # it was refused in words only, and is live after all
    if last.status in TERMINAL or filled < last.filled:
        return False
    rank, before = _RANK.get(status, _FINAL), _RANK[last.status]
    if rank != before:
        back = last.status is Status.PENDING_CANCEL and status is not Status.PENDING_NEW
        return rank > before or (back and (not queried or now - last.at > STALE))
    return False


def _lately(at: int, now: Micros) -> Micros:
    """When a trade was, as the terminal says; now, where it does not say, or cannot mean it."""
    return Micros(at) if now - BEHIND <= at <= now + AHEAD else now


def _nameless(order: ev.Listed) -> bool:
    return not order.remark.strip()
