"""Remembers what accounts had when something was sent: kept in memory, journaled with each batch, read back. Pure.

What is compared is `agreement`'s. A snapshot goes into a batch with the symbols of the batch alone, for a holding is only asked about
when an order of it is in doubt. One from a calm moment, which proves the most, also serves later orders of other symbols, and goes in whole,
once.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from orderdrop.domain.agreement import Holding, Snapshot
from orderdrop.domain.report import Account
from orderdrop.system.clock import Micros

_KEPT: Final = 16

_WHOLE: Final = 400
"""Holdings at most that a snapshot may have to be journaled whole."""

TOLD_WITHIN: Final = 2_000_000
"""Microseconds until all has been told that had moved a snapshot; only then is it compared."""


class Places(NamedTuple):
    """What was journaled with a batch. output: the gateway's own words. accounts: snapshots from before the hand-over, newest first."""

    output: Any
    accounts: Mapping[str, tuple[Snapshot, ...]]


class Baselines:
    """The accounts of one gateway, as it told them."""

    def __init__(self) -> None:
        self._last: dict[str, Account] = {}
        self._told: dict[str, deque[Snapshot]] = {}
        self._calm: dict[str, Snapshot] = {}
        self._moved_at: dict[str, Micros] = {}
        self._whole: dict[str, Snapshot] = {}  # the last one that was journaled so

    def forget(self) -> None:
        """Another day: what could not be sold yesterday can be today."""
        for known in (self._last, self._told, self._calm, self._moved_at, self._whole):
            known.clear()

    def moved(self, account_id: str, now: Micros) -> None:
        """Something of this account left, or was told."""
        self._moved_at[account_id] = now

    def note(self, account: Account, now: Micros, lag: int = 0) -> None:
        """lag: microseconds; a snapshot that is so much newer than all that was under way needs no guess about what it shows."""
        name = account.account_id
        if self._last.get(name) is account:
            return
        self._last[name] = account
        snapshot = _snapshot(account, now)
        self._told.setdefault(name, deque(maxlen=_KEPT)).append(snapshot)
        oldest = min(snapshot.cash_at, snapshot.held_at or snapshot.cash_at)
        if name not in self._calm or oldest >= self._moved_at.get(name, 0) + lag:
            self._calm[name] = snapshot

    def newest(self, account_id: str, now: Micros) -> Snapshot | None:
        """The newest one that is to be compared."""
        told = [one for one in self._told.get(account_id, ()) if now - one.read_at >= TOLD_WITHIN]
        return told[-1] if told else None

    def knows(self, account_id: str) -> bool:
        return account_id in self._told

    def journaled(self, output: Any, wanted: Iterable[tuple[str, str]]) -> str:
        """As text, for a batch of orders of these accounts and symbols."""
        symbols: dict[str, dict[str, None]] = {}
        for account_id, symbol in wanted:
            symbols.setdefault(account_id, {})[symbol] = None
        accounts = {
            name: [self._written(name, one, its) for one in self._of(name)] for name, its in symbols.items()
        }
        return json.dumps({"output": output, "accounts": accounts}, ensure_ascii=False, separators=(",", ":"))

    def _of(self, account_id: str) -> list[Snapshot]:
        told = self._told.get(account_id)
        if not told:
            return []
        calm = self._calm[account_id]
        return [told[-1]] if calm is told[-1] else [told[-1], calm]

    def _written(self, account_id: str, snapshot: Snapshot, symbols: Iterable[str]) -> list[Any]:
        cash = str(snapshot.available), str(snapshot.frozen)
        told = [snapshot.cash_at, snapshot.held_at, snapshot.read_at, *cash]
        calm = snapshot is self._calm[account_id]
        if calm and snapshot is not self._whole.get(account_id) and len(snapshot.holdings) <= _WHOLE:
            self._whole[account_id] = snapshot
            return [*told, snapshot.holdings, True]
        return [*told, {symbol: snapshot.holdings.get(symbol, Holding()) for symbol in symbols}]


def read_places(text: str | None) -> Places:
    """What `journaled` wrote; nothing, of a batch for which nothing was noted."""
    if not text:
        return Places(None, {})
    found = json.loads(text)
    return Places(
        found["output"],
        {name: tuple(_read(*one) for one in told) for name, told in found["accounts"].items()},
    )


def _snapshot(account: Account, now: Micros) -> Snapshot:
    holdings: dict[str, Holding] = {}
    for held in account.positions:
        volume, sellable = holdings.get(held.symbol, Holding())
        holdings[held.symbol] = Holding(volume + held.volume, sellable + held.available)
    return Snapshot(account.at, account.held_at, now, account.available, account.frozen, holdings)


def _read(
    cash_at: int, held_at: int | None, read_at: int, available: str, frozen: str, held: dict[str, list[int]], whole: bool = False
) -> Snapshot:  # fmt: skip
    holdings = {symbol: Holding(*volumes) for symbol, volumes in held.items()}
    when = None if held_at is None else Micros(held_at)
    return Snapshot(
        Micros(cash_at), when, Micros(read_at), Decimal(available), Decimal(frozen), holdings, whole
    )
