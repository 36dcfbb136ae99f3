"""Adds up what was ordered today, as far as limits care: totals, open orders, what is under way. Pure memory; the journal fills it.

An order counts with what it has bought or sold, and while it is open with the rest as well. UNKNOWN is open: it counts as live.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from orderdrop.domain.switches import ALL, ScopeKey, keys_of

ZERO = Decimal(0)
UNKNOWN_WORTH = Decimal(10) ** 9
"""Yuan for a share whose price nobody knows: more than any limit, cash or price, and sums of it stay exact."""

_SECOND = 1_000_000


Whose = tuple[str, str, ScopeKey]
"""What an order belongs to: its account, its strategy, and what the folder names that its drop lay in (a strategy or an account; ALL)."""

Likeness = tuple[str, str, bool, int, Decimal | None]
"""Account, symbol, whether it buys, volume, limit price."""


class Entry(NamedTuple):
    """An order of today. price: the most that a share of it may come to (`UNKNOWN_WORTH` where nobody can say, never zero); limit: the price it may trade at, None: any.

    origin: the take it came with (drop, when); the rows of one take repeat nothing. cash: whether the account's own money pays for it.
    shares: 1: what it trades comes into the holding; -1: is taken from it; 0: neither, as what is lent and returned. folder: see `Whose`.
    """

    sid: str
    account_id: str
    strategy: str
    symbol: str
    buy: bool
    volume: int
    price: Decimal
    limit: Decimal | None
    accepted_at: int
    origin: tuple[int, int]
    open: bool = True
    sent: bool = False
    filled_volume: int = 0
    filled_value: Decimal = ZERO
    confirmed_at: int | None = None
    changed_at: int = 0
    cash: bool = False
    shares: int = 0
    folder: ScopeKey = ALL

    @property
    def value(self) -> Decimal:
        rest = (self.volume - self.filled_volume) * self.price if self.open else ZERO
        return self.filled_value + rest


@dataclass(slots=True)
class Totals:
    """Of a scope, today: yuan bought and sold with what is open, orders, orders not finished, orders not handed over."""

    bought: Decimal = ZERO
    sold: Decimal = ZERO
    orders: int = 0
    open: int = 0
    unsent: int = 0

    def add(self, entry: Entry, value: Decimal, sign: int) -> None:
        """value: the entry's, with the sign."""
        if entry.buy:
            self.bought += value
        else:
            self.sold += value
        self.orders += sign
        self.open += sign * entry.open
        self.unsent += sign * (entry.open and not entry.sent)


@dataclass(slots=True)
class Reserved:
    """What an account's snapshot does not show: yuan of its own with the fees, by its funds of `at`; shares by symbol, by its holdings of `held_at`."""

    at: int
    held_at: int
    cash: Decimal = ZERO
    sales: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    incoming: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, entry: Entry, value: Decimal, sign: int, fee: Callable[[Decimal], Decimal]) -> None:
        """Orders that the broker had not confirmed by then, and fills since. value: the entry's."""
        confirmed_at = entry.confirmed_at
        volume = entry.volume if entry.open else entry.filled_volume
        if entry.cash and volume and (confirmed_at is None or confirmed_at > self.at):
            self.cash += sign * (value + fee(value))
        shown = confirmed_at is not None and confirmed_at <= self.held_at
        if entry.shares > 0:
            if shown and entry.changed_at <= self.held_at:
                volume -= entry.filled_volume
            self.incoming[entry.symbol] += sign * volume
        elif entry.shares and not shown:
            self.sales[entry.symbol] += sign * volume


@dataclass(slots=True)
class Ledger:
    """Invariant: the totals are the sum over `entries`."""

    entries: dict[int, Entry] = field(default_factory=dict)
    cancels: dict[str, int] = field(default_factory=dict)
    """Today's cancels that were handed over, each as often as it was, by account."""
    fee: Callable[[Decimal], Decimal] = field(default=lambda _value: ZERO)
    """What a purchase of this value costs beside it."""

    _totals: dict[ScopeKey, Totals] = field(default_factory=lambda: defaultdict(Totals))
    _counted_in: dict[Whose, tuple[Totals, ...]] = field(default_factory=dict)
    _open: dict[tuple[str, str, bool], dict[int, Entry]] = field(default_factory=lambda: defaultdict(dict))
    _floating: dict[str, dict[int, Entry]] = field(default_factory=lambda: defaultdict(dict))
    _reserved: dict[str, Reserved] = field(default_factory=dict)
    _unbounded: set[int] = field(default_factory=set)
    _same: dict[Likeness, list[int]] = field(default_factory=lambda: defaultdict(list))
    _sent: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(deque))
    _drafts: list[int] = field(default_factory=list)

    # what happens

    def accept(self, order: int, entry: Entry) -> None:
        """A new order, in a transaction that may still be rolled back."""
        self._drafts.append(order)
        self.put(order, entry)

    def put(self, order: int, entry: Entry) -> None:
        """Where an order stands now."""
        before = self.entries.get(order)
        if before is None:
            self._same[_like(entry)].append(order)
        else:
            self._count(before, -1)
        self.entries[order] = self._floating[entry.account_id][order] = entry
        self._count(entry, 1)
        if entry.price is UNKNOWN_WORTH:
            self._unbounded.add(order)
        if entry.open:
            self._open[entry.account_id, entry.symbol, entry.buy][order] = entry
        elif before is not None:
            self._open[entry.account_id, entry.symbol, entry.buy].pop(order, None)

    def sent(self, account_id: str, at: int) -> None:
        """An order has left."""
        self._sent[account_id].append(at)

    def mark(self) -> int:
        return len(self._drafts)

    def back_to(self, mark: int) -> None:
        """What was accepted since `mark` was refused after all."""
        self.remove(self._drafts[mark:])
        del self._drafts[mark:]

    def remove(self, orders: Iterable[int]) -> None:
        for order in orders:
            entry = self.entries.pop(order, None)
            if entry is not None:
                self._count(entry, -1)
                self._open[entry.account_id, entry.symbol, entry.buy].pop(order, None)
                self._floating[entry.account_id].pop(order, None)
                self._same[_like(entry)].remove(order)

    @contextmanager
    def without(self, orders: Iterable[int]) -> Iterator[Callable[[int], None]]:
        """As if these orders were not there yet, to judge them once more; what this gives counts one of them again. In the end all of them count."""
        away = {order: entry for order in orders if (entry := self.entries.get(order)) is not None}

        def back(order: int) -> None:
            entry = away.pop(order, None)
            if entry is not None:
                self.entries[order] = self._floating[entry.account_id][order] = entry
                self._count(entry, 1)
                if entry.open:
                    self._open[entry.account_id, entry.symbol, entry.buy][order] = entry

        for order, entry in away.items():
            self._count(entry, -1)
            self._open[entry.account_id, entry.symbol, entry.buy].pop(order, None)
            self._floating[entry.account_id].pop(order, None)
            del self.entries[order]
        try:
            yield back
        finally:
            for order in list(away):
                back(order)

    def committed(self) -> None:
        self._drafts.clear()

    def _count(self, entry: Entry, sign: int) -> None:
        value, whose = entry.value, (entry.account_id, entry.strategy, entry.folder)
        totals = self._counted_in.get(whose)
        if totals is None:
            totals = self._counted_in[whose] = tuple(self._totals[key] for key in keys_of(*whose))
        for one in totals:
            one.add(entry, sign * value, sign)
        reserved = self._reserved.get(entry.account_id)
        if reserved is not None:
            reserved.add(entry, value, sign, self.fee)

    # what is asked

    def totals(self, scope: ScopeKey) -> Totals:
        return self._totals[scope]

    def unbounded(self, account_id: str) -> Decimal:
        """Returns what of an account's totals is open and of a price that nobody knows."""
        found = (self.entries.get(order) for order in self._unbounded)
        rests = (
            (one.volume - one.filled_volume) * one.price
            for one in found
            if one is not None and one.open and one.account_id == account_id
        )
        return sum(rests, ZERO)

    def accounts(self) -> list[str]:
        """Returns those that have ordered today."""
        return [name for (kind, name), totals in self._totals.items() if kind == "account" and totals.orders]

    def open_against(self, account_id: str, symbol: str, *, buy: bool) -> Iterable[Entry]:
        """Returns open orders of the other side."""
        others = self._open.get((account_id, symbol, not buy))
        return others.values() if others else ()

    def like(self, like: Likeness, origin: tuple[int, int], since: int) -> int | None:
        """Returns the newest order of another take that looks like this, accepted after `since`."""
        for order in reversed(self._same.get(like, ())):
            found = self.entries[order]
            if found.origin != origin:
                return order if found.accepted_at >= since else None
        return None

    def reserved(self, account_id: str, at: int, held_at: int | None = None) -> Reserved:
        """Returns what a snapshot does not show, of funds as they were `at` and of holdings as they were at held_at (None: likewise); kept up as
        orders are accepted, until a newer one is asked about.
        """
        held_at = at if held_at is None else held_at
        reserved = self._reserved.get(account_id)
        if reserved is not None and reserved.at == at and reserved.held_at == held_at:
            return reserved
        # An older one: what had been settled is open again.
        if reserved is not None and (at < reserved.at or held_at < reserved.held_at):
            mine = {order: entry for order, entry in self.entries.items() if entry.account_id == account_id}
            self._floating[account_id] = mine
        reserved = self._reserved[account_id] = Reserved(at, held_at)
        floating, by = self._floating[account_id], min(at, held_at)
        for order, entry in list(floating.items()):
            reserved.add(entry, entry.value, 1, self.fee)
            settled = entry.confirmed_at is not None and entry.confirmed_at <= by and entry.changed_at <= by
            if not entry.open and (settled or not entry.filled_volume):
                del floating[order]
        return reserved

    def sent_lately(self, account_id: str, now: int) -> int:
        """Orders of an account that left within the last second."""
        times = self._sent[account_id]
        while times and times[0] <= now - _SECOND:
            times.popleft()
        return len(times)

    def busy_accounts(self) -> list[str]:
        return [account_id for account_id, times in self._sent.items() if times]


def likeness(account_id: str, symbol: str, buy: bool, volume: int, limit: Decimal | None) -> Likeness:
    return account_id, symbol, buy, volume, limit


def _like(entry: Entry) -> Likeness:
    return likeness(entry.account_id, entry.symbol, entry.buy, entry.volume, entry.limit)
