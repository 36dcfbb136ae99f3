"""READY orders wait here for their gateways; as many leave as there is room for, oldest first, and in batches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from orderdrop.accounts.routing import Routing
from orderdrop.domain.identity import SidScope, day_number, wire_sid
from orderdrop.domain.status import Status
from orderdrop.execution.confirmation import Confirmation
from orderdrop.execution.handover import Handover
from orderdrop.execution.release import Release
from orderdrop.execution.submission import Submission
from orderdrop.gateway.base import Gateway, Outgoing
from orderdrop.journal.records import NewBatch
from orderdrop.journal.writer import Writer
from orderdrop.system.clock import Clock, trade_date

AT_ONCE: Final = 2000
"""Orders of one gateway that have waited and leave together."""


class Queues:
    """Used from the router's thread. backlog: how many orders wait, by gateway; those of closed accounts do not count.

    shut: gateways that are closed for today, and since when.
    """

    def __init__(
        self,
        desk: Routing,
        clock: Clock,
        release: Release,
        submission: Submission,
        confirmation: Confirmation,
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._release = release
        self._submission = submission
        self._confirmation = confirmation
        self.backlog: Mapping[str, int] = {}
        self.shut: Mapping[str, str] = {}
        self._counted_without: Collection[str] | None = None

    def shut_off(self, gateways: Mapping[str, str]) -> None:
        """Lets no new order of today go to these gateways any more; those that are not named take orders."""
        if gateways != self.shut:
            self.shut = gateways
            self._confirmation.shut = gateways.keys()
            self._release.shut_off(gateways)

    @property
    def is_stale(self) -> bool:
        """Whether the journal has to be asked again how many orders wait."""
        return self._counted_without != self._confirmation.closed

    @property
    def is_empty(self) -> bool:
        return not (self.is_stale or any(self.backlog.values()))

    @property
    def may_leave(self) -> bool:
        """Whether orders wait that have room."""
        return any(waiting and self.room(name) for name, waiting in self.backlog.items())

    def room(self, name: str) -> int:
        """Returns how many orders a gateway takes now, no more than its window has room for."""
        if name in self.shut or not self._submission.is_open(name):
            return 0
        room = min(self._desk.gateways[name].room(), self._confirmation.room(name))
        return self._release.room(name, max(0, room - self._submission.uncounted(name)))

    def rooms(self) -> dict[str, int]:
        """Returns the room for new orders: none where older ones wait."""
        return {name: 0 if self.backlog.get(name) else self.room(name) for name in self._desk.gateways}

    def count(self, writer: Writer) -> None:
        """Counts anew what may have changed."""
        if not self.is_empty:
            self.recount(writer)

    def recount(self, writer: Writer) -> None:
        closed = self._confirmation.closed
        self.backlog = {name: writer.backlog(name, closed) for name in self._desk.gateways}
        self._counted_without = closed
        writer.on_rollback(self.note_change)

    def note_change(self) -> None:
        """Orders wait that did not, or the other way round."""
        self._counted_without = None

    def next_orders(self, writer: Writer) -> dict[str, list[Any]]:
        """Returns READY orders, oldest first, by gateway, as far as there is room."""
        rooms = {name: self.room(name) for name, waiting in self.backlog.items() if waiting}
        return {
            name: writer.waiting(
                name, Status.READY, min(room, AT_ONCE),
                but=self._confirmation.closed, sells_first=self._desk.sells_first(name),
            )
            for name, room in rooms.items() if room
        }  # fmt: skip

    def make_batch(self, writer: Writer, gateway: Gateway, ready: Sequence[Any]) -> Handover:
        """Writes a batch of these orders into the journal."""
        now, today = self._clock.now(), trade_date(self._clock.now())
        scope = self._desk.settings.inbox.sid_scope
        content = gateway.encode([outgoing(order, today, scope) for order in ready])
        ids = [order.id for order in ready]
        places = self._desk.places(gateway.name, ((o.account_id, o.symbol) for o in ready), now)
        batch = NewBatch(
            writer.next_batch_id(),
            gateway.name,
            day_number(today),
            now,
            len(ids),
            min(ids),
            max(ids),
            content,
            places,
        )
        writer.use_ids(batch=batch.id + 1)
        writer.add_batch(batch)
        writer.assign(ids, batch.id, batch.created_at)
        return Handover(
            gateway.name, batch.id, content, batch.first_order, batch.last_order, len(ids), places
        )


def outgoing(order: Any, today: date, scope: SidScope) -> Outgoing:
    """Returns a journaled order as it goes out."""
    price = None if order.price is None else Decimal(order.price)
    return Outgoing(
        wire_sid(order.sid, today, scope), order.account_id, order.symbol, order.volume,
        order.order_type, order.order_business, price, order.remark or "",
    )  # fmt: skip
