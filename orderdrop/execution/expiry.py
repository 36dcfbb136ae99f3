"""Ends what is left of earlier days: an order lives one trading day. What the broker tells of it later on is still heard (domain/standing.py).

A file that the terminal has not taken by then is taken out of its folder, else it would trade yesterday's orders today. Where that fails,
its orders stay as they are, and it is tried again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, Final

from orderdrop.accounts.routing import Routing
from orderdrop.domain.identity import day_number
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.status import Status
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Batch, TakesFiles
from orderdrop.journal.journal import Journal
from orderdrop.journal.records import drop_of
from orderdrop.journal.writer import Writer
from orderdrop.system.clock import Clock

log = logging.getLogger(__name__)

_AGAIN: Final = 60.0


class Expiry:
    """Used from the router's thread. First `recall`, then hear what the gateways have told last, then `write`."""

    def __init__(self, desk: Routing, journal: Journal, clock: Clock) -> None:
        self._desk = desk
        self._journal = journal
        self._clock = clock
        self._stuck: set[int] = set()  # batches whose file could not be taken back
        self._again_at = 0.0

    @property
    def due(self) -> bool:
        """Whether something could not be done, and is to be tried again now."""
        return bool(self._stuck) and time.monotonic() >= self._again_at

    def recall(self, today: date) -> bool:
        """Take untaken files of earlier days out of the terminals' folders; whether any order of those days is open."""
        with self._journal.transaction() as writer:
            open_ = writer.never_ended(day_number(today))
            files = {(o.gateway, o.batch_id): o for o in open_ if o.confirmed_at is None and o.batch_id}
            batches = [(name, Batch(number, writer.batch_content(number))) for name, number in sorted(files)]
        stuck: set[int] = set()
        for name, batch in batches:
            gateway = self._desk.gateways.get(name)
            if not isinstance(gateway, TakesFiles):
                continue
            try:
                if gateway.take_back(batch):
                    log.warning("%s: 昨日未取走的文件已收回 / a file of an earlier day was taken back", name)
            except GatewayError as error:
                stuck.add(batch.id)
                if batch.id not in self._stuck:
                    log.error("%s", error)
        self._stuck, self._again_at = stuck, time.monotonic() + _AGAIN
        return bool(open_)

    def write(self, writer: Writer, today: date, but: Collection[int]) -> tuple[set[int], set[int]]:
        """Their ids, and the drops whose cancels hear of it. but: orders that wait for their fills."""
        now, day = self._clock.now(), day_number(today)
        stale = writer.stale(day)
        over = Refusal(Code.DAY_OVER, value=today.isoformat())
        writer.move(stale, Status.EXPIRED, now, "router", over, closed_at=now)
        lapsed = {
            order.id: order
            for order in writer.never_ended(day)
            if order.id not in but and order.batch_id not in self._stuck
        }
        for why, alike in _by_reason(lapsed.values()).items():
            writer.move(alike, Status.EXPIRED, now, "router", why, closed_at=now)
        drops: set[int] = set()
        for order in writer.with_open_cancels(list(lapsed)):
            too_late = Refusal(Code.CANCEL_FINISHED, "sid", lapsed[order].sid, Status.EXPIRED)
            drops |= set(map(drop_of, writer.answer_cancels(order, now, too_late)))
        return {*stale, *lapsed}, drops


def _by_reason(orders: Iterable[Any]) -> dict[Refusal, list[int]]:
    found: dict[Refusal, list[int]] = {}
    for order in orders:
        found.setdefault(_why(order), []).append(order.id)
    return found


def _why(order: Any) -> Refusal:
    if order.confirmed_at is None:
        return Refusal(Code.NEVER_CONFIRMED, value=str(order.trade_day), bound=order.account_id)
    return Refusal(Code.NEVER_ENDED, value=order.status)
