"""Orders that have waited pass the rules and limits of now before they leave: time, settings, switches and holdings may have changed since.

What does not pass is denied, or waits for its time; nothing that a release, a restart or another setting let through leaves unseen.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from orderdrop.accounts.routing import Routing
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.status import Status
from orderdrop.domain.switches import ScopeKey
from orderdrop.execution.queues import Queues
from orderdrop.execution.release import Release
from orderdrop.execution.turn import Turn
from orderdrop.journal.records import drop_of
from orderdrop.journal.writer import Writer
from orderdrop.risk import checks
from orderdrop.system.clock import Clock, Micros, iso


@dataclass
class Looked:
    """Journal rows, in their order. denied: by reason. later: with the hold that is told."""

    leaving: list[Any] = field(default_factory=list)
    denied: dict[Refusal, list[int]] = field(default_factory=lambda: defaultdict(list))
    later: list[tuple[int, checks.Hold]] = field(default_factory=list)

    @property
    def all_leave(self) -> bool:
        return not (self.denied or self.later)

    def write(self, writer: Writer, now: Micros) -> list[int]:
        """Journal what does not leave; the orders that it is about."""
        for why, ids in self.denied.items():
            writer.move(ids, Status.DENIED, now, "router", why, closed_at=now)
        for drop, count in Counter(drop_of(order) for ids in self.denied.values() for order in ids).items():
            writer.grow_drop(drop, {}, {"accepted": -count, "denied": count})
        for order, hold in self.later:
            writer.wait_again(order, hold, now)
        return [
            *(order for ids in self.denied.values() for order in ids),
            *(order for order, _hold in self.later),
        ]


class SecondLook:
    """Used from the router's thread. Puts into batches what has waited and still passes, where there is room."""

    def __init__(self, desk: Routing, clock: Clock, queues: Queues, release: Release) -> None:
        self._desk = desk
        self._clock = clock
        self._queues = queues
        self._release = release

    def let_leave(self, writer: Writer, turn: Turn, context: checks.Context) -> list[int]:
        """Writes batches of READY orders, oldest first. Returns the orders that do not leave after all."""
        moved: list[int] = []
        batches = []
        for name, ready in self._queues.next_orders(writer).items():
            late = set(self._release.expire(writer, ready))
            looked = look_again(
                writer, [order for order in ready if order.id not in late], context, self._desk
            )
            moved += [*late, *looked.write(writer, self._clock.now())]
            if looked.leaving:
                batches.append(self._queues.make_batch(writer, self._desk.gateways[name], looked.leaving))
        writer.on_commit(lambda: turn.batches.extend(batches))
        return moved


def look_again(writer: Writer, ready: Sequence[Any], context: checks.Context, desk: Routing) -> Looked:
    """ready: READY orders of one gateway, as they are journaled. context: of now. Oldest first: each counts for those behind it, and for no
    older one, wherever it waits.
    """
    orders = [_as_read(order) for order in ready]
    stays = desk.settings.gateway_of
    if checks.all_pass(orders, context) and all(stays(order.account_id) == order.gateway for order in ready):
        return Looked(list(ready))
    folders = writer.folders({drop_of(order.id) for order in ready})
    found = _look(ready, orders, context, desk, folders, ())
    if found.all_leave:  # what passes beside newer ones passes without them
        return found
    own = {order.id for order in ready}
    waiting = writer.waiting_behind(min(own), ready[0].trade_day)
    return _look(ready, orders, context, desk, folders, [order for order in waiting if order not in own])


def _look(
    ready: Sequence[Any], orders: Sequence[Order], context: checks.Context, desk: Routing, folders: Mapping[int, str],
    newer: Sequence[int],
) -> Looked:  # fmt: skip
    """newer: ids of others that wait, in their order; each counts only for those that are newer still."""
    found, context, stays = Looked(), checks.once_more(context), desk.settings.gateway_of
    of: dict[ScopeKey, checks.Context] = {}
    others = deque(newer)
    with context.around.ledger.without([*(order.id for order in ready), *newer]) as back:
        for row, order in zip(ready, orders, strict=True):
            while others and others[0] < row.id:
                back(others.popleft())
            folder = desk.scope(folders.get(drop_of(row.id), ""))
            mine = of.get(folder) or of.setdefault(folder, replace(context, folder=folder))
            refusal = checks.check(order, mine)
            if refusal is None and stays(order.account_id) != row.gateway:
                refusal = Refusal(Code.GATEWAY_OTHER, "account_id", order.account_id, row.gateway)
            holds = checks.holds(order, mine) if refusal is None else refusal
            if isinstance(holds, Refusal):
                found.denied[holds].append(row.id)
                continue
            back(row.id)
            if holds:
                found.later.append((row.id, holds[0]))
            else:
                found.leaving.append(row)
    return found


def _as_read(order: Any) -> Order:
    """A journaled order as the checks know it."""
    return Order(
        0, order.sid, order.account_id, order.symbol, order.volume, order.order_type, order.order_business,
        None if order.price is None else Decimal(order.price), order.remark or "", order.strategy or "", "",
        _time(order.not_before), _time(order.expires_at),
    )  # fmt: skip


def _time(at: int | None) -> str:
    """The time of day in Shanghai, "" for none."""
    return "" if at is None else iso(Micros(at))[11:19]
