"""Keeps in mind today's orders of ours and 掘金's lists since the connection began, and matches one with the other.

Pure but for the store it is handed. After a fault it is thrown away and filled again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import date
from typing import Final

from orderdrop.domain.goldminer_format import STATUS_OF, ExecType
from orderdrop.domain.report import Report, Unreadable
from orderdrop.gateway.base import Outgoing
from orderdrop.gateway.gm import rows
from orderdrop.gateway.gm.rows import Terms, Told
from orderdrop.gateway.gm.store import GmStore, Sent
from orderdrop.system.clock import Micros, trade_date

log = logging.getLogger(__name__)

_FAULTS: Final = (ValueError, ArithmeticError, TypeError, LookupError)
Key = tuple[str, str]
"""Account and the terminal's cl_ord_id."""

ABSENT: Final = "absent"
"""What was last told of an order that is proven to have never reached the terminal."""

_REMEMBERED: Final = 600_000_000
"""Microseconds for which full queries are remembered."""


class Blotter:
    """Invariant: an order of the terminal belongs to one order of ours at most."""

    def __init__(self, accounts: Collection[str], strategy_id: str) -> None:
        self.accounts = set(accounts)
        self.reads: dict[str, list[Micros]] = {}
        self.problems: dict[str, int] = {}
        self._unread: set[tuple[object, ...]] = set()
        self._strategy = strategy_id
        self._day = date.min
        self._sent: dict[int, Sent] = {}
        self._by_sid: dict[Key, Sent] = {}
        self._bound: dict[Key, Sent] = {}
        self._doubts: dict[int, Sent] = {}
        self._orders: dict[Key, Told] = {}
        self._alike: dict[Terms, dict[Key, None]] = {}
        self._reports: dict[Key, list[Told]] = {}
        self._changed: dict[Key, None] = {}
        self._held: list[Outgoing] = []
        self.short: set[str] = set()  # accounts whose last list was shorter than one before
        self._longest: dict[str, int] = {}  # how many orders of an account the terminal has listed today
        self._odd: set[int] = set()  # status codes that the vendor has not told us of, said once

    def begin_day(self, day: date, sent: Iterable[Sent]) -> None:
        self._day = day
        for known in (self._sent, self._by_sid, self._bound, self._doubts):
            known.clear()
        self._held.clear()
        self._longest.clear()
        for order in sent:
            self.add(order)
        self.begin_connection()

    def begin_connection(self) -> None:
        """The next answers tell everything again; what was asked before proves nothing about them."""
        self.reads.clear()
        self._orders.clear()
        self._alike.clear()
        self._reports.clear()
        self._changed.clear()

    # our orders

    @property
    def has_doubts(self) -> bool:
        return bool(self._doubts)

    def add(self, sent: Sent) -> None:
        self.accounts.add(sent.order.account_id)
        self._sent[sent.number] = sent
        self._by_sid[sent.order.account_id, sent.order.sid] = sent
        if sent.client_id:
            self._bound[sent.order.account_id, sent.client_id] = sent
        else:
            self._doubts[sent.number] = sent

    def bind(self, sent: Sent, client_id: str) -> None:
        sent.client_id = client_id
        self._doubts.pop(sent.number, None)
        key = (sent.order.account_id, client_id)
        self._bound[key] = sent
        self._changed[key] = None

    def is_bound(self, account_id: str, client_id: str) -> bool:
        return (account_id, client_id) in self._bound

    def of_sid(self, account_id: str, sid: str) -> Sent | None:
        """The one that was sent last."""
        return self._by_sid.get((account_id, sid))

    def numbered(self, number: int) -> Sent | None:
        return self._sent.get(number)

    def late_cancels(self) -> list[Sent]:
        """Found by now, and meanwhile somebody wished to cancel them."""
        return [sent for sent in self._bound.values() if sent.cancel]

    # the terminal's

    def hear(self, account_id: str, told: Told, read_at: Micros | None) -> None:
        """read_at: when a full query began on a healthy connection, None when it was not one.

        A list that lacks orders which the terminal has told before is not the whole list, and proves nothing.
        """
        for order in told["orders"]:
            key = (account_id, order["cl_ord_id"])
            self._orders[key] = order
            self._alike.setdefault(rows.terms(order), {})[key] = None
            self._changed[key] = None
        for report in told["reports"]:
            key = (account_id, report["cl_ord_id"])
            self._reports.setdefault(key, []).append(report)
            self._changed[key] = None
        least = max(self._known_of(account_id), self._longest.get(account_id, 0))
        self._longest[account_id] = max(least, told["count"])
        self.short.discard(account_id)
        if told["count"] < least:
            self.short.add(account_id)
            self.reads.pop(account_id, None)
        elif read_at is not None:
            reads = self.reads.setdefault(account_id, [])
            reads[:] = [at for at in reads if 0 <= read_at - at < _REMEMBERED] + [read_at]

    @property
    def listed(self) -> dict[str, int]:
        """How many orders of each account the terminal has listed today; a list only grows."""
        return {account_id: self._longest.get(account_id, 0) for account_id in sorted(self.accounts)}

    def expect(self, account_id: str, listed: int) -> None:
        """The terminal has listed so many before: what it answered with fewer proves nothing."""
        if listed > self._longest.get(account_id, 0):
            self._longest[account_id] = listed
            self.reads.pop(account_id, None)

    def _known_of(self, account_id: str) -> int:
        return len({key for key in (*self._orders, *self._bound) if key[0] == account_id})

    def matches(self) -> list[tuple[Sent, str]]:
        """Doubts that have exactly one order of the terminal, which no other sid could claim."""
        claims: dict[Key, set[str]] = {}
        found: list[tuple[Sent, Key]] = []
        for sent in reversed(self._doubts.values()):
            candidates = [key for key in self.lookalikes(sent) if self._could_be(sent, key)]
            for key in candidates:
                claims.setdefault(key, set()).add(sent.order.sid)
            if len(candidates) == 1:
                found.append((sent, candidates[0]))
        once: dict[Key, Sent] = {}
        for sent, key in found:
            if len(claims[key]) == 1:
                once.setdefault(key, sent)
        return [(sent, client_id) for (_account, client_id), sent in once.items()]

    def lookalikes(self, sent: Sent) -> list[Key]:
        """Orders of the terminal that have the same terms and are nobody's, whatever their time."""
        return [
            key
            for key in self._alike.get(rows.terms_of_ours(sent.order), ())
            if key not in self._bound and self._is_like(self._orders[key], sent)
        ]

    def had_before(self, order: Outgoing, opened_at: Micros) -> bool:
        """Whether a new order may be at the terminal already: its sid was sent, or of its terms more orders stand there than we know of.

        opened_at: when this life began; what was made later is somebody else's. Each order there stands for one of ours.
        """
        sent = self.of_sid(order.account_id, order.sid)
        if sent is not None:
            return bool(sent.client_id) or sent.told != ABSENT
        alike = self.lookalikes(Sent(0, order, 0))
        if not alike:
            return False
        told = [self._orders[key] for key in alike]
        strays = sum(
            self._strategy in {"", one["strategy_id"]} and one["created_at"] < opened_at for one in told
        )
        terms, price = rows.terms_of_ours(order), order.price
        explained = [*(sent.order for sent in self._doubts.values()), *self._held]
        known = sum(rows.terms_of_ours(one) == terms and one.price == price for one in explained)
        if strays <= known:
            return False
        self._held.append(order)
        return True

    def _is_like(self, order: Told, sent: Sent) -> bool:
        return rows.has_our_price(order, sent.order) and self._is_of_today(order)

    def _could_be(self, sent: Sent, key: Key) -> bool:
        order = self._orders[key]
        strategy = order["strategy_id"]
        return rows.is_in_time(order, sent.begun_at) and strategy in {"", self._strategy or strategy}

    # what is new

    def news(self, store: GmStore, now: Micros) -> list[Report]:
        """Reports of our orders that were not told yet; the store is told that they are."""
        reports: list[Report] = []
        for key in self._changed:
            sent = self._bound.get(key)
            if sent is None:
                continue
            for report in self._reports.get(key, []):
                event = self._event(sent, report, now)
                if event is not None and not store.is_told(self._day, key[0], event[0]):
                    store.note_event(self._day, key[0], event[0])
                    reports.append(event[1])
            reports += self._state(sent, key, store, now)
        self._changed.clear()
        return reports

    def _state(self, sent: Sent, key: Key, store: GmStore, now: Micros) -> list[Report]:
        order = self._orders.get(key)
        if order is None:
            return []
        state = f"{order['status']} {order['filled_volume']} {order['ord_rej_reason']}"
        try:
            report = rows.status_report(sent.order.sid, order, now)
        except _FAULTS as fault:
            self._cannot_read("order", (*key, state), fault)
            return []
        if state == sent.told:
            return []
        if order["status"] not in STATUS_OF and order["status"] not in self._odd:
            self._odd.add(order["status"])
            log.error("不认识的委托状态,按在途处理 / an unknown order status, it counts as live: %s", order)
        sent.told = state
        store.note_state(sent, state)
        return [report]

    def _event(self, sent: Sent, report: Told, now: Micros) -> tuple[str, Report] | None:
        """None for what tells nothing, and for what does not read: that is counted."""
        what = (sent.order.account_id, sent.client_id, report["exec_id"], report["exec_type"])
        try:
            found = rows.event(sent.order.sid, report, now)
        except _FAULTS as fault:
            self._cannot_read("report", what, fault)
            return None
        if found is None and report["exec_type"] == ExecType.TRADE:
            self._cannot_read("report", what, Unreadable("a fill without id, volume or price"))
        return found

    def _cannot_read(self, kind: str, what: tuple[object, ...], fault: Exception) -> None:
        """Told again and again, counted once; each kind is said once."""
        if (kind, *what) in self._unread:
            return
        self._unread.add((kind, *what))
        words = f"{kind}: {fault if isinstance(fault, Unreadable) else type(fault).__name__}"
        self.problems[words] = self.problems.get(words, 0) + 1
        if self.problems[words] == 1:
            log.warning("终端的回报读不懂 / the terminal told what does not read: %s: %r", words, what)

    def _is_of_today(self, order: Told) -> bool:
        """An order without a time counts."""
        return not order["created_at"] or trade_date(Micros(order["created_at"])) == self._day
