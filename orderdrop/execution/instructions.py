"""Cancels, releases and resends: what was asked of an order, decided in one transaction.

A cancel of an order that has not left, or never arrived, is done here; any other goes to its gateway once the broker has confirmed
the order. One that comes before its order waits for it, as long as the day lasts: the order is held when it is admitted (see `Judge`), and
cancelled in the same transaction. Cancels are idempotent, so one whose hand-over was not noted before a crash is simply handed over again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any

from orderdrop.accounts.routing import Routing
from orderdrop.domain.identity import SidScope, day_number, from_day_number, sid_key, wire_sid
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.standing import is_given_up, is_proven_absent
from orderdrop.domain.status import TERMINAL, Status
from orderdrop.execution.confirmation import Confirmation
from orderdrop.execution.handover import CancelHandover
from orderdrop.execution.queues import Queues
from orderdrop.execution.release import Release
from orderdrop.execution.turn import Turn
from orderdrop.gateway.base import Cancel
from orderdrop.journal.records import InstructionState, drop_of
from orderdrop.journal.writer import Writer
from orderdrop.system.clock import Clock, Micros, trade_date


class Instructions:
    """What people ask of orders. Used from the router's thread. open: some are journaled that were not carried out yet."""

    def __init__(
        self, desk: Routing, clock: Clock, release: Release, confirmation: Confirmation, queues: Queues
    ) -> None:
        self._scope = desk.settings.inbox.sid_scope
        self._clock = clock
        self._release = release
        self._confirmation = confirmation
        self._queues = queues
        self._waiting: set[int] = set()  # orders whose cancel waits for the broker's first word of them
        self.open = False

    def begin(self, writer: Writer) -> None:
        """After a start, and every morning."""
        self.open = any(writer.asked_instructions(kind) for kind in DropKind)

    def carry_out(self, writer: Writer, turn: Turn) -> list[CancelHandover]:
        """Returns the cancels that go to the brokers once this is committed; also those of a call before, in the same transaction."""
        now = self._clock.now()
        acts = _Acts(
            writer, now, trade_date(now), self._scope, self._release.no_cancel, self._confirmation.never_again, self._queues.shut,
        )  # fmt: skip
        cancels = acts.carry_out()
        turn.orders |= acts.touched
        turn.drops |= acts.drops
        self._waiting = acts.waiting
        return cancels

    def hear(self, orders: Collection[int]) -> None:
        """The broker has spoken of these orders: their cancels need not wait any more."""
        self.open |= not self._waiting.isdisjoint(orders)


class _Acts:
    """Carries out what was asked, in one transaction."""

    def __init__(
        self,
        writer: Writer,
        now: Micros,
        today: date,
        scope: SidScope,
        no_cancel: Callable[[str], Refusal | None],
        never_again: Callable[[str], bool],
        shut: Mapping[str, str],
    ) -> None:
        """no_cancel: why a gateway's market takes no cancels now, None when it does. never_again: a gateway's resend = "never".
        shut: gateways that are closed for today, and since when.
        """
        self._writer = writer
        self._now = now
        self._today = today
        self._scope = scope
        self._no_cancel = no_cancel
        self._never_again = never_again
        self._shut = shut
        self._out: list[CancelHandover] = []
        self.touched: set[int] = set()
        self.drops: set[int] = set()
        self.waiting: set[int] = set()  # orders whose cancel waits for the broker's first word of them
        self._newest: int | None = None
        self._ended: set[int] = set()  # orders that were cancelled here, just now

    def carry_out(self) -> list[CancelHandover]:
        early: set[int] = set()
        for kind, act in self._acts().items():
            asked = self._writer.asked_instructions(kind)
            found = self._find([one.sid for one in asked if one.order_ref is None])
            for one in asked:
                order = found.get(one.sid) if one.order_ref is None else one.order_ref
                if order is not None:
                    self.drops.add(drop_of(one.id))
                    self.touched.add(order)
                    act(one, self._writer.order(order))
                elif kind is DropKind.CANCEL and one.trade_day == day_number(self._today):
                    early.update(self._keys(one.sid))
                    self._wait(one)
                else:
                    self._refuse(one, None, Refusal(Code.SID_UNKNOWN, "sid", one.sid))
        self._writer.await_orders(early)
        return self._out

    def _acts(self) -> dict[DropKind, Callable[[Any, Any], None]]:
        return {DropKind.RELEASE: self._release, DropKind.CANCEL: self._cancel, DropKind.RESEND: self._resend}

    def _find(self, sids: Collection[str]) -> dict[str, int]:
        """By sid, today's order of that sid, else the one that carries it as its terminal knows it."""
        if not sids:
            return {}
        keys, day = {sid: self._keys(sid) for sid in sids}, self._newest_day
        wanted = [key for both in keys.values() for key in both]
        known = self._writer.known(wanted, [*self._writer.unmoved_days(day), day], past=True)
        return {
            sid: next(known[key].id for key in both if key in known)
            for sid, both in keys.items()
            if any(key in known for key in both)
        }

    def _keys(self, sid: str) -> list[int]:
        """Of a sid as it was given, and as the terminal knows it."""
        days = dict.fromkeys((self._today, from_day_number(self._newest_day)))
        return [*(sid_key(wire_sid(sid, day, self._scope)) for day in days), sid_key(sid)]

    def _wait(self, asked: Any) -> None:
        """Its order is not there yet. Said once."""
        if asked.reason_code != Code.CANCEL_EARLY:
            self.drops.add(drop_of(asked.id))
            early = Refusal(Code.CANCEL_EARLY, "sid", asked.sid)
            self._writer.answer(asked.id, InstructionState.ASKED, self._now, None, early)

    @property
    def _newest_day(self) -> int:
        """Today, unless the clock has gone back: then there are orders of a day that is still to come."""
        if self._newest is None:
            self._newest = max(day_number(self._today), self._writer.newest_day())
        return self._newest

    def _cancel(self, asked: Any, order: Any) -> None:
        status = Status(order.status)
        if order.id in self._ended:  # asked for twice
            self._done(asked, order)
        elif status in TERMINAL and not is_given_up(order):
            self._refuse(asked, order, Refusal(Code.CANCEL_FINISHED, "sid", asked.sid, status))
        elif status in {Status.READY, Status.HELD} or is_proven_absent(order):
            self._writer.move(
                [order.id],
                Status.CANCELED,
                self._now,
                "router",
                Refusal(Code.CANCELED_HERE),
                closed_at=self._now,
            )
            self._ended.add(order.id)
            self._done(asked, order)
        elif order.confirmed_at is None:  # the broker may not have it yet, and would not know what to cancel
            waits = Refusal(Code.CANCEL_WAITS, "sid", asked.sid)
            self._writer.answer(asked.id, InstructionState.ASKED, self._now, order.id, waits)
            self.waiting.add(order.id)
        elif (closed := self._no_cancel(order.gateway)) is not None:
            self._refuse(asked, order, closed)
        else:
            self._writer.answer(asked.id, InstructionState.ASKED, self._now, order.id)
            wire = wire_sid(order.sid, from_day_number(order.trade_day), self._scope)
            self._out.append(
                CancelHandover(order.gateway, Cancel(wire, order.account_id), asked.id, order.id)
            )

    def _release(self, asked: Any, order: Any) -> None:
        if order.status == Status.UNKNOWN and order.reason_code == Code.INTERRUPTED:
            # Somebody has looked into the terminal: its account goes on, the order itself stays unknown.
            seen = Refusal(Code.UNCONFIRMED, value=order.reason_value)
            self._writer.move([order.id], Status.UNKNOWN, self._now, "router", seen)
            self._done(asked, order)
            return
        if order.status != Status.HELD:
            self._refuse(asked, order, Refusal(Code.RELEASE_NOT_HELD, "sid", asked.sid, order.status))
            return
        self._writer.move([order.id], Status.READY, self._now, "router")
        self._done(asked, order)

    def _resend(self, asked: Any, order: Any) -> None:
        """Only an order that is proven to have never reached the broker may go again, and only on its day."""
        if not is_proven_absent(order) or order.trade_day != day_number(self._today):
            self._refuse(asked, order, Refusal(Code.RESEND_NOT_PROVEN, "sid", asked.sid, order.status))
            return
        if self._never_again(order.gateway):
            self._refuse(asked, order, Refusal(Code.RESEND_OFF, "sid", asked.sid, order.gateway))
            return
        if order.gateway in self._shut:
            closed = Refusal(Code.GATEWAY_CLOSED, "sid", order.gateway, self._shut[order.gateway])
            self._refuse(asked, order, closed)
            return
        self._writer.ready_again([order.id], self._now)
        self._done(asked, order)

    def _done(self, asked: Any, order: Any) -> None:
        self._writer.answer(asked.id, InstructionState.DONE, self._now, order.id)

    def _refuse(self, asked: Any, order: Any, why: Refusal) -> None:
        self.drops.add(drop_of(asked.id))
        self._writer.answer(asked.id, InstructionState.REFUSED, self._now, order and order.id, why)
