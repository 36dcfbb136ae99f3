"""Asks an account whether an order can be missing: its snapshots, and what the journal knows of its other orders. Compares by domain/agreement."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from orderdrop.domain.agreement import (
    NO_FUNDS,
    NOT_KNOWN_THEN,
    NOT_TOLD_SINCE,
    Ordered,
    Snapshot,
    Trade,
    limit_of,
    room_for,
)
from orderdrop.domain.baseline import Baselines, read_places
from orderdrop.gateway.base import Gateway
from orderdrop.journal.writer import Writer
from orderdrop.system.clock import Micros

_EARLIER_BATCHES: Final = 40
_FIRST_BATCHES: Final = 4
"""So many of the account's batches back is looked for a snapshot with which it can be compared, and so many from the day's first on."""


_COMPARED: Final = 2
"""Of the snapshots that know the symbol, so many of the newest and of the oldest are compared."""

_AT_MOST: Final = 0.2
"""Seconds that one asking may take; who was not asked by then is asked the next time."""


class Suspect(NamedTuple):
    """An order that the broker's lists lack. proven_at: what was told before it says nothing; handed_at: by our clock."""

    order: int
    account_id: str
    batch: int
    handed_at: Micros
    proven_at: Micros


class Agreeing:
    """For one moment, inside one transaction."""

    def __init__(self, writer: Writer, gateway: Gateway, baselines: Baselines, day: int, now: Micros) -> None:
        self._writer = writer
        self._gateway = gateway
        self._baselines = baselines
        self._day = day
        self._now = now

    def objections(self, suspects: Iterable[Suspect]) -> dict[int, str]:
        """Why it is not proven that these were never taken, by order; "" for those not asked yet. An order that is not named is absent."""
        self._ends_at = time.monotonic() + _AT_MOST
        by_account: dict[str, list[Suspect]] = defaultdict(list)
        for suspect in suspects:
            by_account[suspect.account_id].append(suspect)
        return {
            order: words
            for name, its in by_account.items()
            for order, words in self._objections(name, its).items()
            if words is not None
        }

    def _objections(self, account_id: str, suspects: Sequence[Suspect]) -> dict[int, str | None]:
        after = self._baselines.newest(account_id, self._now)
        if after is None:
            known = self._baselines.knows(account_id)
            return dict.fromkeys((one.order for one in suspects), NOT_TOLD_SINCE if known else NO_FUNDS)
        earlier = {one.batch: self._before(one) for one in suspects}
        since = min((snapshot.cash_at for its in earlier.values() for snapshot in its), default=0)
        others = self._ordered(account_id, Micros(since - self._gateway.lag))
        found: dict[int, str | None] = {}
        for one in suspects:
            late = bool(found) and time.monotonic() >= self._ends_at
            found[one.order] = "" if late else self._objection(one, earlier[one.batch], after, others) or None
        return found

    def _objection(
        self, suspect: Suspect, earlier: Sequence[Snapshot], after: Snapshot, orders: Mapping[int, Ordered]
    ) -> str:
        doubted = orders[suspect.order]
        newer_than = max(suspect.handed_at, suspect.proven_at) + self._gateway.lag
        if min(after.cash_at, after.held_at or after.cash_at, after.read_at) < newer_than:
            return NOT_TOLD_SINCE
        others = [order for number, order in orders.items() if number != suspect.order]
        words = NOT_KNOWN_THEN
        fitting = [
            one
            for one in earlier
            if one.knows(doubted.symbol) and one.read_at <= (doubted.handed_at or suspect.handed_at)
        ]
        for before in fitting[:_COMPARED] + fitting[max(_COMPARED, len(fitting) - _COMPARED) :]:
            words = room_for(doubted, before, after, others, self._gateway.lag)
            if not words:
                break
        return words

    def _before(self, suspect: Suspect) -> list[Snapshot]:
        """Snapshots from before the hand-over, newest first."""
        found: dict[tuple[int, int | None], Snapshot] = {}
        texts = self._writer.places_until(
            self._gateway.name, suspect.account_id, self._day, suspect.batch, _EARLIER_BATCHES, _FIRST_BATCHES
        )
        for snapshot in (
            one for text in texts for one in read_places(text).accounts.get(suspect.account_id, ())
        ):
            key = (snapshot.cash_at, snapshot.held_at)
            known = found.get(key)
            holdings = snapshot.holdings if known is None else {**snapshot.holdings, **known.holdings}
            read_at = snapshot.read_at if known is None else max(known.read_at, snapshot.read_at)
            whole = snapshot.whole or (known is not None and known.whole)
            found[key] = snapshot._replace(holdings=holdings, read_at=read_at, whole=whole)
        return list(found.values())

    def _ordered(self, account_id: str, since: Micros) -> dict[int, Ordered]:
        rows = self._writer.orders_that_left(account_id, self._day, since)
        # None was handed over before its batch was made. When one was, may not have been noted, or long afterwards: by the start after a crash.
        made_at = self._writer.batches_made_at({row.batch_id for row in rows if row.batch_id is not None})
        trades: dict[int, list[Trade]] = defaultdict(list)
        for fill in self._writer.fills_of([row.id for row in rows]):
            fee = None if fill.fee is None else Decimal(fill.fee)
            trades[fill.order_ref].append(Trade(Micros(fill.at), fill.volume, Decimal(fill.price), fee))
        return {row.id: _ordered(row, made_at.get(row.batch_id), trades[row.id]) for row in rows}


def _ordered(row: Any, handed_at: int | None, trades: Iterable[Trade]) -> Ordered:
    limit = limit_of(row.order_type, None if row.price is None else Decimal(row.price))
    return Ordered(
        row.symbol, row.volume, row.order_business, limit, None if handed_at is None else Micros(handed_at), row.confirmed_at, row.closed_at,
        row.told_volume or 0, tuple(trades),
    )  # fmt: skip
