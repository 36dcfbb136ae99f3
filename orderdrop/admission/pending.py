"""What a transaction has decided and not written yet: queued row by row, written in a handful of statements.

Orders that their gateway has room for leave with this transaction: their batch, with the exact bytes, is written with them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import repeat
from typing import Any

from orderdrop.accounts.routing import Routing
from orderdrop.domain.identity import day_number, wire_sid
from orderdrop.domain.order import SELLS, Order
from orderdrop.domain.refusal import Refusal
from orderdrop.domain.status import Status
from orderdrop.domain.switches import ScopeKey
from orderdrop.execution.handover import FLUSH_AT, Handover
from orderdrop.gateway.base import Outgoing
from orderdrop.journal.records import Known, NewBatch, NewDrop, NewRow, drop_of
from orderdrop.journal.writer import Writer
from orderdrop.risk.checks import Hold, Wait, combined
from orderdrop.system.clock import Micros
from orderdrop.system.pacing import slices

LEAVE_AT = 2000
"""Orders that are handed over together: between two batches somebody may say stop."""

_KEEP_BYTES = 8 * 1024 * 1024

Accepted = tuple[int, int, Order]
"""Order id, sid key, the order."""


class Pending:
    """Queues and writes. `accepted_keys` are the orders accepted since the last flush, by sid key.

    By order id: `held`, why some have to wait, every reason; `worth`, yuan, where that is not what price and volume say.
    """

    def __init__(
        self,
        desk: Routing,
        writer: Writer,
        now: Micros,
        today: date,
        room: Mapping[str, int],
        closed: Collection[str] = (),
    ) -> None:
        self._desk = desk
        self._writer = writer
        self._now = now
        self._today = today
        self._day = day_number(today)
        self._scope = desk.settings.inbox.sid_scope
        self._room = dict(room)
        self._closed = closed
        self._new_from = writer.next_drop_id()
        self._next_batch = writer.next_batch_id()
        self._kept = 0
        self.handovers: list[Handover] = []
        self.waiting = 0  # orders that stay READY
        self.holding = 0  # orders that are HELD
        self.forget()

    def forget(self) -> None:
        """Drop what is queued."""
        self.accepted_keys: dict[int, Accepted] = {}
        self.drops: list[NewDrop] = []
        self.rows: list[NewRow] = []
        self.denied: list[tuple[int, Order, Refusal]] = []
        self.ranges: list[tuple[int, int]] = []
        self.held: dict[int, list[Hold]] = {}
        self.worth: dict[int, Decimal] = {}
        self.row_keys: dict[int, int] = {}  # of orders that came without a sid, by their ids
        # gateway, status, why held, may it leave
        self._queues: dict[tuple[str, Status, Wait | None, bool], list[Accepted]] = {}
        self._routes: dict[tuple[str, str], list[Accepted]] = {}

    def make_room(self, room: Mapping[str, int]) -> None:
        self._room = dict(room)

    def hold(self, order_id: int, *holds: Hold) -> None:
        """An order that is going to be accepted has to wait, for whatever it waits already as well."""
        self.held.setdefault(order_id, []).extend(holds)

    def accept(self, accepted: Sequence[Accepted], *, by_settings: bool = False) -> None:
        """Queue orders for their gateways, in their order. by_settings: the settings hold all of them, whatever their rows name."""
        routes = self._routes
        for item in accepted:
            order = item[2]
            route = routes.get((order[2], order[9])) or self._route(order)
            if by_settings or (self.held and item[0] in self.held):
                route = self._held_route(order, self.held.get(item[0], ()), by_settings=by_settings)
            route.append(item)

    def held_by_settings(self, order: Order, folder: ScopeKey) -> bool:
        """Whether the settings hold an order, for the strategy of its row or that of its folder."""
        return self._desk.holds(order.strategy) or (folder[0] == "strategy" and self._desk.holds(folder[1]))

    def free_keys(self, accepted: Sequence[Accepted]) -> None:
        """These were judged good but will not go: their sids are free."""
        for order_ref, key, _order in accepted:
            self.accepted_keys.pop(key, None)
            self.held.pop(order_ref, None)
            self.worth.pop(order_ref, None)

    def _route(self, order: Order) -> list[Accepted]:
        gateway = self._desk.settings.gateway_of(order.account_id)
        may_leave = order.account_id not in self._closed
        if self._desk.holds(order.strategy):
            route = self._held_route(order, (), by_settings=True)
        else:
            route = self._queues.setdefault((gateway, Status.READY, None, may_leave), [])
        self._routes[order.account_id, order.strategy] = route
        return route

    def _held_route(self, order: Order, holds: Sequence[Hold], *, by_settings: bool) -> list[Accepted]:
        gateway = self._desk.settings.gateway_of(order.account_id)
        wait = combined(holds, by_settings=by_settings or self._desk.holds(order.strategy))
        return self._queues.setdefault((gateway, Status.HELD, wait, True), [])

    @property
    def full(self) -> bool:
        return len(self.accepted_keys) + len(self.denied) >= FLUSH_AT

    def mark(self) -> tuple[int, int, int, int, dict[str, int]]:
        """Where we are, for `back_to`, when nothing is queued."""
        return self._next_batch, len(self.handovers), self.waiting, self.holding, dict(self._room)

    def back_to(self, mark: tuple[int, int, int, int, dict[str, int]]) -> None:
        """The database was rolled back to where `mark` was taken."""
        self._next_batch, handovers, self.waiting, self.holding, self._room = mark
        del self.handovers[handovers:]
        self.forget()

    def known(self) -> dict[int, Known]:
        """`accepted_keys`, as the journal will know them."""
        return {key: known_as(accepted) for key, accepted in self.accepted_keys.items()}

    def flush(self) -> None:
        """Write what is queued. Orders that their gateway has no room for stay READY."""
        for (gateway, status, wait, may_leave), accepted in self._queues.items():
            if not accepted:
                continue
            if status is Status.HELD:
                self._add(accepted, gateway, None, Status.HELD, wait)
                self.holding += len(accepted)
                continue
            if self._desk.sells_first(gateway):
                accepted.sort(key=_sells_first)
            room = self._room[gateway] if may_leave else 0
            leaving, waiting = accepted[:room], accepted[room:]
            for together in slices(leaving, LEAVE_AT):
                self._add(together, gateway, self._new_batch(gateway, together), Status.SUBMITTING)
            if waiting:
                self._add(waiting, gateway, None, Status.READY)
            if may_leave:
                self._room[gateway] = 0 if waiting else room - len(leaving)
            self.waiting += len(waiting)
        self._writer.use_ids(batch=self._next_batch)
        self._writer.add_drops(self.drops)
        self._writer.add_denied(self.denied, self._day, self._now, new_from=self._new_from)
        self._writer.tell_orders(_joined(self.ranges, self._new_from))
        self._writer.add_rows(self.rows)
        self.forget()

    def _add(
        self,
        accepted: Sequence[Accepted],
        gateway: str,
        batch: int | None,
        status: Status,
        wait: Wait | None = None,
    ) -> None:
        self._writer.add_accepted(
            accepted, self._day, gateway, batch, status, self._now, wait, self.worth,
            row_keys=self.row_keys, new_from=self._new_from,
        )  # fmt: skip

    def _new_batch(self, gateway: str, accepted: Sequence[Accepted]) -> int:
        content = self._desk.gateways[gateway].encode(self._outgoing(accepted))
        batch_id, self._next_batch = self._next_batch, self._next_batch + 1
        ids = [order_ref for order_ref, _key, _order in accepted]
        first, last = min(ids), max(ids)
        wanted = ((order.account_id, order.symbol) for _ref, _key, order in accepted)
        places = self._desk.places(gateway, wanted, self._now)
        batch = NewBatch(batch_id, gateway, self._day, self._now, len(accepted), first, last, content, places)
        self._writer.add_batch(batch)
        self._kept += len(content)
        kept = content if self._kept <= _KEEP_BYTES else None
        self.handovers.append(Handover(gateway, batch_id, kept, first, last, len(ids), places))
        return batch_id

    def _outgoing(self, accepted: Sequence[Accepted]) -> list[Outgoing]:
        """Fields 1 to 8 of an Order are those of an Outgoing, in its order."""
        new: Any = tuple.__new__  # what Outgoing(*…) does, in a third of the time
        fields = [order[1:9] for _id, _key, order in accepted]
        if self._scope == "forever":
            return [*map(new, repeat(Outgoing), fields)]
        day, scope = self._today, self._scope
        return [new(Outgoing, (wire_sid(sid, day, scope), *others)) for sid, *others in fields]


def _joined(ranges: Sequence[tuple[int, int]], new_from: int) -> list[tuple[int, int]]:
    """The same new ids in fewer ranges: nothing lies between the last row of a drop and the first one of the next, if that is a new one.

    new_from: the first drop of this transaction.
    """
    joined: list[tuple[int, int]] = []
    for first, last in ranges:
        if joined and new_from <= drop_of(first) == drop_of(joined[-1][1]) + 1:
            joined[-1] = joined[-1][0], last
        else:
            joined.append((first, last))
    return joined


def _sells_first(accepted: Accepted) -> tuple[int, bool, int]:
    """Within a drop, sells before buys."""
    order_ref, _key, order = accepted
    return drop_of(order_ref), order.order_business not in SELLS, order_ref


def known_as(accepted: Accepted) -> Known:
    """An accepted order as the journal will know it."""
    order_ref, _key, order = accepted
    price = None if order.price is None else str(order.price)
    return Known(
        order_ref, order.sid, order.account_id, order.symbol, order.volume, order.order_type, order.order_business,
        price, order.remark or None, order.strategy or None,
    )  # fmt: skip
