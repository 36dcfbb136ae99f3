"""The flow, on one screen: receive drops, dispatch orders, collect reports. Everything else is a detail of one word here.

The order of writes is the promise: what is to be sent is committed before it is handed over, what came of it is noted
with the next commit. After a crash in between, `recover` asks the gateway for evidence; nothing is ever sent on a guess.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any

from orderdrop.admission import Admission, Admitted
from orderdrop.checks.switches import Switches, with_accounts
from orderdrop.clock import Clock, trade_date
from orderdrop.collection import Collected, collect, cursor_key
from orderdrop.desk import Desk
from orderdrop.failpoint import reach
from orderdrop.gateway.base import Batch, Cursor, Gateway, Outcome, Outgoing, SubmitResult
from orderdrop.gathering import Gathering
from orderdrop.guarding import Guard
from orderdrop.holding import Holding
from orderdrop.inbox.folder import Inbox
from orderdrop.instructions import CancelHandover, Instructions
from orderdrop.journal.journal import Journal
from orderdrop.journal.writer import NewBatch, Writer
from orderdrop.order.errors import GatewayError, JournalError, OrderdropError
from orderdrop.order.identity import SidScope, day_number, from_day_number, wire_sid
from orderdrop.order.model import DropKind
from orderdrop.order.refusal import Code, Refusal
from orderdrop.order.report import Report
from orderdrop.order.status import Status
from orderdrop.pending import FLUSH_AT, Handover

log = logging.getLogger(__name__)

POLL_LIMIT = 2000
PAUSE_AFTER_FAULT = 5.0
"""Seconds without new orders for a gateway whose hand-over has failed."""


@dataclass
class Round:
    """What one step did; for the screen and for the chores that follow."""

    admitted: Admitted = field(default_factory=Admitted)
    orders: set[int] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    handed_over: list[Handover] = field(default_factory=list)
    fault: str = ""

    @property
    def idle(self) -> bool:
        return not (self.admitted.drop_ids or self.orders or self.handed_over or self.fault)


class Router:
    """Owns the broker's door. One thread; one for each workspace."""

    def __init__(
        self, inbox: Inbox, journal: Journal, desk: Desk, clock: Clock, gathering: Gathering, guard: Guard
    ) -> None:
        self.inbox = inbox
        self.journal = journal
        self.desk = desk
        self.clock = clock
        self.backlog: dict[str, int] = {}
        self.gathering = gathering
        self.guard = guard
        self.holding = Holding(desk, gathering, clock)
        self._scope = desk.settings.inbox.sid_scope
        self._results: list[tuple[Handover, SubmitResult | None, int]] = []
        self._pause_until: dict[str, float] = {}
        self._sent_cancels: list[int] = []
        self._doubtful: list[Handover] = []  # nobody could say what became of them; asked again
        self._asked = False  # instructions are journaled that were not carried out
        self._cursors: dict[str, Cursor] = {}
        self._fault = ""
        self._doubt_again = 0.0

    @property
    def today(self) -> date:
        return trade_date(self.clock.now())

    @property
    def settled(self) -> bool:
        """Whether nothing is under way: every order that left is confirmed, and none waits to leave."""
        if self._results or self._sent_cancels or any(self.backlog.values()):
            return False
        with self.journal.transaction() as writer:
            return not writer.under_way()

    # the flow

    def step(self) -> Round:
        """One turn. A fault stops this turn, is told once, and the next turn tries again; nothing is lost by it."""
        done = Round()
        try:
            self._receive_and_dispatch(done)
            self._collect(done)
        except (OSError, OrderdropError) as error:
            done.fault = str(error)
        self._tell_fault(done.fault)
        return done

    def _receive_and_dispatch(self, done: Round) -> None:
        found = self.inbox.collect(self.today)
        self.guard.watch()
        switches = self._switches()
        if not (found or self._asked or self._has_room_for_backlog() or self.holding.due(switches)):
            return
        try:
            with self.journal.transaction() as writer:
                now, today = self.clock.now(), self.today
                self.guard.look(writer)
                switches = self._switches()
                moved = self.holding.turn(writer, switches)
                if moved:
                    self.backlog = {name: writer.backlog(name) for name in self.desk.gateways}
                admission = Admission(
                    self.desk, writer, now, today, gathering=self.gathering, switches=switches, room=self._rooms()
                )  # fmt: skip
                admitted = admission.admit(found)
                cancels = self._instruct(writer, done) if admitted.instructions or self._asked else []
                moved += self.holding.hold_back(writer, switches)
                handovers = admitted.handovers + ([] if switches.halted else self._dispatch(writer))
                backlog = self._count_backlog(writer, admitted)
                if admitted.held:
                    self.holding.look(writer)
        except OrderdropError as error:
            if isinstance(error, JournalError):
                self.guard.trouble(str(error))
            for ready in found:
                self.inbox.forget(ready)
            self.holding.forget()
            raise
        self.backlog, done.admitted, self._asked = backlog, admitted, False
        done.orders |= set(moved)
        self._accepted(admitted)
        self._hand_over(handovers)
        self._hand_over_cancels(cancels)

    def _collect(self, done: Round) -> None:
        """Note what came of the hand-overs, and fold what the gateways told, in one commit."""
        told = {name: self._poll(gateway) for name, gateway in self.desk.gateways.items()}
        told = {name: (reports, cursor) for name, (reports, cursor) in told.items() if reports}
        doubtful = self._doubtful if time.monotonic() >= self._doubt_again else []
        if not (told or self._results or self._sent_cancels or doubtful):
            return
        if doubtful:
            self._doubtful, self._doubt_again = [], time.monotonic() + PAUSE_AFTER_FAULT
        with self.journal.transaction() as writer:
            for handover in doubtful:
                self._settle_batch(writer, handover, "the hand-over failed")
                done.handed_over.append(handover)
            if doubtful:
                self.backlog = {name: writer.backlog(name) for name in self.desk.gateways}
            self._note_results(writer, done)
            now = self.clock.now()
            changed = [
                collect(writer, name, reports, cursor, now, self.today, self._scope)
                for name, (reports, cursor) in told.items()
            ]
        self._results, self._sent_cancels = [], []
        for name, (_reports, cursor) in told.items():
            self._cursors[name] = cursor
        self._changed(done, changed)

    # details of receive

    def _switches(self) -> Switches:
        return self.guard.over(with_accounts(self.inbox.switches, self.desk.accounts))

    def _accepted(self, admitted: Admitted) -> None:
        for take, drop_id, refused in admitted.drops:
            take.accept(drop_id, refused=refused)
        for file in admitted.spoiled:
            self.inbox.forget(file)

    def _instruct(self, writer: Writer, done: Round) -> list[CancelHandover]:
        instructions = Instructions(writer, self.clock.now(), self.today, self._scope, self.holding.no_cancel)
        cancels = instructions.carry_out()
        done.orders |= instructions.touched
        return cancels

    # details of dispatch

    def _has_room_for_backlog(self) -> bool:
        return not self._switches().halted and any(
            waiting and self._room(name) for name, waiting in self.backlog.items()
        )

    def _rooms(self) -> dict[str, int]:
        """For new orders: none where older ones wait."""
        return {name: 0 if self.backlog.get(name) else self._room(name) for name in self.desk.gateways}

    def _room(self, name: str) -> int:
        """How many orders a gateway takes now; none for a while after a fault."""
        if time.monotonic() < self._pause_until.get(name, 0):
            return 0
        return self.holding.room(name, self.desk.gateways[name].room())

    def _count_backlog(self, writer: Writer, admitted: Admitted) -> dict[str, int]:
        if not (admitted.waiting or admitted.instructions or self._asked or any(self.backlog.values())):
            return self.backlog
        return {name: writer.backlog(name) for name in self.desk.gateways}

    def _dispatch(self, writer: Writer) -> list[Handover]:
        """Put READY orders into batches, oldest first, as far as their gateway has room."""
        handovers = []
        for name, gateway in self.desk.gateways.items():
            room = self._room(name) if self.backlog.get(name) else 0
            if not room:
                continue
            ready = writer.waiting(name, Status.READY, min(room, FLUSH_AT))
            if ready:
                handovers.append(self._new_batch(writer, gateway, ready))
        return handovers

    def _new_batch(self, writer: Writer, gateway: Gateway, ready: Sequence[Any]) -> Handover:
        content = gateway.encode([outgoing(order, self.today, self._scope) for order in ready])
        batch = NewBatch(
            writer.next_batch_id(), gateway.name, day_number(self.today), self.clock.now(),
            len(ready), ready[0].id, ready[-1].id, content,
        )  # fmt: skip
        writer.use_ids(batch=batch.id + 1)
        writer.add_batch(batch)
        writer.assign([order.id for order in ready], batch.id, batch.created_at)
        return Handover(gateway.name, batch.id, content, batch.first_order, batch.last_order)

    def _hand_over(self, handovers: Sequence[Handover]) -> None:
        for handover in handovers:
            reach("submit.before")
            sent_at = self.clock.now()
            try:
                result = self.desk.gateways[handover.gateway].submit(self._load(handover))
            except JournalError:  # it did not leave; the evidence will say so
                self._doubtful.append(handover)
                continue
            except GatewayError as error:
                result = None
                log.error("交接失败,按证据判断 / the hand-over to %s failed: %s", handover.gateway, error)
                self._pause_until[handover.gateway] = time.monotonic() + PAUSE_AFTER_FAULT
            reach("submit.after")
            self._results.append((handover, result, sent_at))

    def _load(self, handover: Handover) -> Batch:
        """What was journaled; a large drop's batches are not kept in memory."""
        if handover.content is not None:
            return Batch(handover.batch_id, handover.content)
        with self.journal.transaction() as writer:
            return Batch(handover.batch_id, writer.batch_content(handover.batch_id))

    def _hand_over_cancels(self, cancels: Sequence[CancelHandover]) -> None:
        for gateway, group in groupby(sorted(cancels, key=attrgetter("gateway")), attrgetter("gateway")):
            handed = list(group)
            try:
                self.desk.gateways[gateway].cancel([handover.cancel for handover in handed])
            except GatewayError as error:
                log.error("撤单没有送出,将重试 / cancels were not handed over, will try again: %s", error)
                self._asked = True
                continue
            self._sent_cancels += [handover.instruction for handover in handed]

    # details of collect

    def _poll(self, gateway: Gateway) -> tuple[Sequence[Report], Cursor]:
        cursor = self._cursors.get(gateway.name, Cursor(""))
        try:
            return gateway.poll(cursor, POLL_LIMIT)
        except GatewayError as error:
            log.error("读不到回报 / no reports from %s: %s", gateway.name, error)
            return [], cursor

    def _note_results(self, writer: Writer, done: Round) -> None:
        for handover, result, at in self._results:
            self._note(writer, handover, result, at)
            done.handed_over.append(handover)
        if any(
            result is None or result.outcome is not Outcome.TAKEN for _handover, result, _at in self._results
        ):
            self.backlog = {name: writer.backlog(name) for name in self.desk.gateways}
        for instruction in self._sent_cancels:
            writer.mark_sent(instruction, self.clock.now())

    def _note(self, writer: Writer, handover: Handover, result: SubmitResult | None, at: int) -> None:
        batch = (handover.batch_id, handover.first_order, handover.last_order)
        if result is None:
            self._settle_batch(writer, handover, "the hand-over failed")
        elif result.outcome is Outcome.TAKEN:
            writer.submitted(batch, at, handover.gateway)
            writer.close_batch(handover.batch_id, result.outcome, at)
        else:
            ids = [order.id for order in writer.orders_of_batch(batch) if order.status == Status.SUBMITTING]
            _settle(writer, ids, result.outcome, at, handover.gateway, result.detail)
            writer.close_batch(handover.batch_id, result.outcome, at)

    def _changed(self, done: Round, changed: Sequence[Collected]) -> None:
        for collected in changed:
            done.orders |= collected.orders
            done.accounts |= collected.accounts

    def _tell_fault(self, fault: str) -> None:
        """Once when it begins, once when it is over."""
        if fault and fault != self._fault:
            log.error("停止接收新委托 / no new orders are taken: %s", fault)
        elif self._fault and not fault:
            log.warning("恢复正常 / working again")
        self._fault = fault

    # after a crash, and every morning

    def recover(self) -> None:
        """Settle every hand-over whose result was never noted, by evidence, before anything new is sent."""
        with self.journal.transaction() as writer:
            for name in self.desk.gateways:
                self._cursors[name] = Cursor(writer.get_meta(cursor_key(name)) or "")
            for batch in writer.open_batches():
                reach("recover")
                interrupted = Handover(batch.gateway, batch.id, None, batch.first_order, batch.last_order)
                self._settle_batch(writer, interrupted, "orderdrop was interrupted")
            self._asked = any(writer.asked_instructions(kind) for kind in DropKind)
        self.begin_day()

    def _settle_batch(self, writer: Writer, handover: Handover, why: str) -> None:
        """A hand-over that nobody saw the end of: what the gateway can prove, order by order."""
        gateway = self.desk.gateways.get(handover.gateway)
        try:
            found = (
                gateway.settle(
                    Batch(handover.batch_id, handover.content or writer.batch_content(handover.batch_id))
                )
                if gateway
                else {}
            )
        except GatewayError as error:  # the batch stays open: asked again later, and at the next start
            found, why = {}, f"{why}; {error}"
            if handover not in self._doubtful:
                self._doubtful.append(handover)
        now = self.clock.now()
        orders = writer.orders_of_batch((handover.batch_id, handover.first_order, handover.last_order))
        unsettled = {
            wire_sid(order.sid, from_day_number(order.trade_day), self._scope): order.id
            for order in orders
            if order.status in {Status.SUBMITTING, Status.UNKNOWN}
        }
        for outcome in Outcome:
            ids = [order for wire, order in unsettled.items() if found.get(wire, Outcome.UNKNOWN) is outcome]
            _settle(writer, ids, outcome, now, handover.gateway, why)
        if handover not in self._doubtful:
            writer.close_batch(handover.batch_id, "settled", now)

    def begin_day(self) -> list[int]:
        """Refuse what was left over from earlier days, and return it; count what waits.

        Raises JournalError when the clock has gone back behind a day whose sids are put away already: they could be doubled.
        """
        with self.journal.transaction() as writer:
            through = int(writer.get_meta("sids_past_through") or 0)
            if through >= day_number(self.today):
                raise JournalError(
                    f"时钟倒退了 / the clock has gone back: {self.today}, the journal has closed {through}"
                )
            stale = writer.stale(day_number(self.today))
            why = Refusal(Code.DAY_OVER, value=self.today.isoformat())
            writer.move(stale, Status.EXPIRED, self.clock.now(), "router", why, closed_at=self.clock.now())
            self.backlog = {name: writer.backlog(name) for name in self.desk.gateways}
        return stale


def outgoing(order: Any, today: date, scope: SidScope) -> Outgoing:
    """A journaled order as it goes out."""
    price = None if order.price is None else Decimal(order.price)
    return Outgoing(
        wire_sid(order.sid, today, scope), order.account_id, order.symbol, order.volume,
        order.order_type, order.order_business, price, order.remark or "",
    )  # fmt: skip


def _settle(writer: Writer, ids: Sequence[int], outcome: Outcome, at: int, gateway: str, detail: str) -> None:
    match outcome:
        case Outcome.TAKEN:
            writer.move(ids, Status.SUBMITTED, at, gateway, submitted_at=at)
        case Outcome.NEVER_LEFT:
            writer.move(ids, Status.READY, at, gateway, batch_id=None)
        case Outcome.UNKNOWN:
            writer.move(ids, Status.UNKNOWN, at, gateway, Refusal(Code.UNCONFIRMED, value=detail))
