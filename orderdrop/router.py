"""The flow, on one screen: receive drops, dispatch orders, collect reports. Everything else is a detail of one word here.

The order of writes is the promise: what is to be sent is committed before it is handed over, what came of it is noted
with the next commit. After a crash in between, `recover` asks the gateway for evidence; nothing is ever sent on a guess.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeGuard

from orderdrop.accounts.routing import Routing
from orderdrop.admission.admission import Admission, Admitted, cancels_first
from orderdrop.admission.second_look import look_again
from orderdrop.archive.witness import Marks
from orderdrop.config.gateways import GoldminerSettings
from orderdrop.domain.identity import SidScope, day_number, wire_sid
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Refusal
from orderdrop.domain.report import Report
from orderdrop.domain.status import Status
from orderdrop.domain.switches import Switches, with_accounts
from orderdrop.errors import GatewayError, JournalError, OrderdropError
from orderdrop.execution.awaited_fills import AwaitedFills
from orderdrop.execution.cancels import Cancels
from orderdrop.execution.confirmation import Confirmation
from orderdrop.execution.expiry import Expiry
from orderdrop.execution.handover import Handover
from orderdrop.execution.instructions import CancelHandover, Instructions
from orderdrop.execution.release import Release
from orderdrop.execution.reports import Folded, collect, cursor_key
from orderdrop.execution.submission import INTERRUPTED, Submission
from orderdrop.execution.unreadable import UnreadableRows
from orderdrop.gateway.base import Batch, Cursor, Gateway, Outgoing
from orderdrop.inbox.scanner import Inbox, RefusedFile
from orderdrop.inbox.tail import Take
from orderdrop.journal.journal import Journal
from orderdrop.journal.records import NewBatch, drop_of
from orderdrop.journal.writer import Writer
from orderdrop.risk.breakers import CircuitBreakers
from orderdrop.risk.checks import Context
from orderdrop.risk.engine import RiskEngine
from orderdrop.system.clock import Clock, Micros, trade_date
from orderdrop.system.failpoint import reach
from orderdrop.system.faults import tell_unexpected, words

log = logging.getLogger(__name__)

POLL_LIMIT = 2000
_ROUNDS = 1000
"""Polls at most, before a day begins."""

_DISPATCH_AT = 2000
"""Orders that have waited and leave together."""


@dataclass
class Turn:
    """What one step did; for the screen and for the chores that follow."""

    admitted: Admitted = field(default_factory=Admitted)
    orders: set[int] = field(default_factory=set)
    drops: set[int] = field(default_factory=set)  # whose instructions got on
    accounts: set[str] = field(default_factory=set)
    handed_over: list[Handover] = field(default_factory=list)
    fault: str = ""
    unexpected: bool = False  # the fault is one that nobody foresaw

    @property
    def idle(self) -> bool:
        return not (self.admitted.drop_ids or self.orders or self.handed_over or self.fault)


class Router:
    """Owns the broker's door. One thread; one for each workspace."""

    def __init__(
        self, inbox: Inbox, journal: Journal, desk: Routing, clock: Clock, gathering: RiskEngine, guard: CircuitBreakers,
        marks: Marks | None = None,
    ) -> None:  # fmt: skip
        self.inbox = inbox
        self.journal = journal
        self.desk = desk
        self.clock = clock
        self.backlog: dict[str, int] = {}
        self.gathering = gathering
        self.guard = guard
        self.holding = Release(desk, gathering, clock)
        self._scope = desk.settings.inbox.sid_scope
        self._door = Submission(desk, journal, clock, marks)
        self._confirmation = Confirmation(desk)
        self._fills = AwaitedFills(desk)
        self._unreadable = UnreadableRows(desk.gateways)
        self._scan_names = {
            name: values.scan_name
            for name, values in desk.settings.gateways.items()
            if isinstance(values, GoldminerSettings)
        }
        self._cancels = Cancels(desk, gathering)
        self._lapsing = Expiry(desk, journal, clock)
        self._waiting_cancels: set[int] = set()
        self._named_switches = Switches()
        self._traded: dict[str, bool] = {}  # whether the accounts that those name have ever had an order
        self._traded_unread = False
        self._asked = False  # instructions are journaled that were not carried out
        self._cursors: dict[str, Cursor] = {}
        self.shut: dict[str, str] = {}  # gateways that are closed for today, and since when
        self.deaf: dict[str, str] = {}  # gateways that cannot be polled, and why
        self.heard: dict[str, int] = {}  # when each was polled last
        self.alive: Callable[[], None] = lambda: None  # called between the parts of a turn
        self.behind = False  # whether a gateway has more to tell than one poll took
        self._fault = ""

    @property
    def today(self) -> date:
        return trade_date(self.clock.now())

    @property
    def settled(self) -> bool:
        """Whether nothing is under way: every order that left is confirmed, and none waits to leave."""
        if self._door.unnoted or self._cancels.sent or self._cancels.queued:
            return False
        if any(self.backlog.values()) or self._fills.waiting:
            return False
        with self.journal.transaction() as writer:
            return not writer.under_way()

    @property
    def in_flight(self) -> bool:
        """Whether anything that left is not confirmed."""
        return self._confirmation.waiting

    # the flow

    def step(self, no_orders: str = "") -> Turn:
        """One turn. A fault is told once, and the next turn tries again; nothing is lost by it, what the brokers tell is heard, and
        cancels go out. no_orders: why no new orders are taken.
        """
        done = Turn(fault=no_orders)
        self._try(self._cancel_only if no_orders else self._receive_and_dispatch, done)
        self.alive()
        self._try(self._collect_now_or_later, done)
        self.tell_fault(done.fault)
        return done

    def _try(self, act: Callable[[Turn], None], done: Turn) -> None:
        try:
            act(done)
        except (OSError, OrderdropError) as error:
            done.fault = done.fault or str(error)
        except Exception as error:  # noqa: BLE001  the wall: a turn may fail, the router does not
            done.fault = done.fault or tell_unexpected("路由 / a turn of the router", error)
            done.unexpected = True

    def listen(self) -> Turn:
        """Collect only: nothing is received, nothing is handed over. For the day's end. Raises JournalError."""
        done = Turn()
        self._collect(done)
        return done

    def _receive_and_dispatch(self, done: Turn) -> None:
        if self._lapsing.due:
            self._end_earlier_days(done)
        found = self.inbox.collect(self.today)
        if self._traded_unread:
            self._traded, self._traded_unread = {}, False
        self.guard.watch()
        switches = self._switches()
        if not (found or self._asked or self.ready or self.holding.due(switches)):
            return
        try:
            with self.journal.transaction() as writer:
                now, today = self.clock.now(), self.today
                self.guard.look(writer)
                switches = self._switches()
                moved = self.holding.turn(writer, switches)
                if moved:
                    self.backlog = self._backlog(writer)
                admission = Admission(
                    self.desk, writer, now, today, gathering=self.gathering, switches=switches, room=self._rooms(),
                    closed=self._confirmation.closed,
                )  # fmt: skip
                admitted, cancels = self._admit(writer, admission, found, done)
                changed = self._confirmation.read(writer, today, now) if done.orders else None
                closed = self._confirmation.closed if changed is None else changed.closed
                moved += self.holding.hold_back(writer, switches)
                leaving = [] if switches.halted else self._dispatch(writer, moved, admission.context)
                handovers = admitted.handovers + leaving
                backlog = self._count_backlog(writer, admitted, closed)
                if admitted.held or admitted.waiting or moved:
                    self.holding.look(writer)
        except Exception as error:
            self._not_taken(found, error, done)
            raise
        self.backlog, done.admitted, self._asked = backlog, admitted, bool(cancels)
        if changed is not None:
            self._confirmation.take(changed)
        done.orders |= set(moved)
        self._accepted(admitted)
        self._cancels.ask(cancels)
        self._send_cancels(now)  # before new orders, which may be many
        self._door.hand_over(handovers, self._stopped_since(self.inbox.switches))

    def _not_taken(self, found: Sequence[Take | RefusedFile], error: Exception, done: Turn) -> None:
        """The transaction failed: its files are looked at afresh, and its cancels go out all the same."""
        if isinstance(error, JournalError):
            self.guard.trouble(str(error))
        self.holding.forget()
        cancels_only = [ready for ready in found if _is_cancel(ready)]
        for ready in found:
            if not _is_cancel(ready):
                self.inbox.forget(ready)
        self._cancel_only_after(error, cancels_only, done)

    def _stopped_since(self, before: Switches) -> Callable[[], bool]:
        """Whether a switch was thrown since then; asked while a large drop leaves. A turn that takes long is no hanging router, either."""

        def stopped() -> bool:
            self.alive()
            return self.inbox.switched() or self.inbox.switches != before

        return stopped

    def _cancel_only(self, done: Turn, cancels: list[Take] | None = None) -> None:
        """What is left of a turn when no new order may be taken, or none can be: cancels are taken and go out."""
        if cancels is None:
            found = self.inbox.collect(self.today, only=DropKind.CANCEL)
            cancels = [ready for ready in found if isinstance(ready, Take)]
            for ready in found:
                if not isinstance(ready, Take):
                    self.inbox.forget(ready)
        if not (cancels or self._asked):
            return
        admitted = Admitted()
        try:
            with self.journal.transaction() as writer:
                now, today = self.clock.now(), self.today
                if cancels:
                    if writer.newest_day() > day_number(
                        today
                    ):  # the clock has gone back behind a day that is closed
                        writer.await_closing(day_number(today))
                    admission = Admission(
                        self.desk, writer, now, today, gathering=self.gathering, switches=self._switches(), room={},
                    )  # fmt: skip
                    admitted = admission.admit(cancels)
                handovers = self._instruct(writer, done)
                backlog = self._backlog(writer)
        except Exception:
            for take in cancels:
                self.inbox.forget(take)
            raise
        self.backlog, done.admitted, self._asked = backlog, admitted, False
        self._accepted(admitted)
        self._cancels.ask(handovers)
        self._send_cancels(now)

    def _cancel_only_after(self, fault: Exception, cancels: list[Take], done: Turn) -> None:
        """What cannot be taken keeps no cancel from going out."""
        try:
            self._cancel_only(done, cancels)
        except (OSError, OrderdropError) as error:
            log.debug("%s, then %s", fault, error)
        except Exception as error:  # noqa: BLE001  the first fault is the one to be told
            tell_unexpected("撤单 / cancels", error)

    def _collect_now_or_later(self, done: Turn) -> None:
        """While more drops come, that all went well is noted with what comes of them: one commit instead of one for each turn."""
        self._collect(done, later=self.inbox.stirring and self._door.may_note_later)

    def _collect(self, done: Turn, *, later: bool = False) -> None:
        """Note what came of the hand-overs, fold what the gateways told, and follow up on their silence, in one commit.

        later: the hand-overs alone need not be noted now.
        """
        now = self.clock.now()
        told = {name: self._poll(gateway) for name, gateway in self.desk.gateways.items()}
        told = {name: (reports, cursor) for name, (reports, cursor) in told.items() if reports}
        self.behind = any(len(reports) >= POLL_LIMIT for reports, _cursor in told.values())
        self._send_cancels(now)
        handed_over, in_doubt = self._door.unnoted, self._door.in_doubt()
        silence, fills, hopeless = (
            self._confirmation.look(now),
            self._fills.due(now),
            self._cancels.hopeless(now),
        )
        unread = self._unreadable.news(time.monotonic())
        if not (told or in_doubt or self._cancels.sent or silence or fills or hopeless or unread) and (
            later or not handed_over
        ):
            return
        with self.journal.transaction() as writer:
            leaving = self._confirmation.leaving(writer, handed_over, now)
            surprised = self._door.note(writer, in_doubt)
            now = self.clock.now()
            done.drops |= self._cancels.note(writer)
            changed = {
                name: collect(writer, name, reports, cursor, now, self.today, self._scan_names.get(name, ""))
                for name, (reports, cursor) in told.items()
            }
            confirmed = {order for collected in changed.values() for order in collected.confirmed}
            found = self._confirmation.write(writer, silence, confirmed, now)
            uneven = self._fills.write(writer, fills, now)
            self._unreadable.write(writer, self.today, unread)
            self._cancels.give_up(writer, hopeless, now)
            done.drops |= {drop_of(handover.instruction) for handover in hopeless}
            if surprised or any(one.again for one in found.values()):
                self.backlog = self._backlog(writer)
            state = self._confirmation.read(writer, self.today, now) if surprised else None
        self._door.noted(in_doubt)
        self._cancels.sent = []
        done.handed_over += handed_over + in_doubt
        closed = self._confirmation.closed
        self._confirmation.left(leaving)
        self._confirmation.settle(found, now)
        self._confirmation.confirmed(confirmed, now)
        if state is not None:
            self._confirmation.take(state)
        if closed != self._confirmation.closed:
            with self.journal.transaction() as writer:
                self.backlog = self._backlog(writer)
        self._fills.done(fills)
        self._unreadable.noted(unread)
        self._cancels.answered([order for order, ended in uneven.items() if ended])
        done.orders |= uneven.keys()
        self._cancels.given_up(hopeless)
        for one in found.values():
            done.orders |= one.orders
        for name, (_reports, cursor) in told.items():
            self._confirmation.told(name, changed[name].accounts, now)
            self._cursors[name] = cursor
            self._changed(done, name, changed[name], now)
        self._asked |= not self._waiting_cancels.isdisjoint(confirmed | done.orders)

    # details of receive

    def _switches(self) -> Switches:
        named = self.inbox.switches
        if named != self._named_switches:
            self._named_switches, self._traded = named, {}
        return self.guard.over(with_accounts(named, self.desk.accounts, self._has_traded))

    def _has_traded(self, account_id: str) -> bool:
        """Of an account that no setting names; asked once for each switch that lies in the inbox."""
        if account_id not in self._traded:
            try:
                with self.journal.transaction() as writer:
                    known = account_id == self.desk.default_account or writer.has_traded(account_id)
            except JournalError:
                known, self._traded_unread = False, True  # for this turn the switch binds all
            self._traded[account_id] = known
        return self._traded[account_id]

    def _accepted(self, admitted: Admitted) -> None:
        for take, drop_id, refused in admitted.drops:
            take.accept(drop_id, refused=refused)
        for file in admitted.spoiled:
            self.inbox.forget(file)

    def _admit(
        self, writer: Writer, admission: Admission, found: Sequence[Take | RefusedFile], done: Turn
    ) -> tuple[Admitted, list[CancelHandover]]:
        """Cancels first: an order that comes with its cancel does not leave, and what a second has room for is theirs before it is a new order's."""
        cancels: list[CancelHandover] = []
        asking, others = cancels_first(found)
        if asking or self._asked:
            admission.admit(asking)
            cancels = self._instruct(writer, done)
            self._cancels.look_ahead(cancels, self.clock.now())
            admission.make_room(self._rooms())
        told = admission.admitted.instructions
        admitted = admission.admit(others)
        if admitted.instructions > told or admitted.canceled:
            cancels = self._instruct(writer, done)
        return admitted, cancels

    def _send_cancels(self, now: Micros) -> None:
        """Those whose turn it is. A journal that does not answer keeps no cancel from leaving."""
        if not self._cancels.wanting(now):
            self.gathering.cancels_ahead.clear()
            return
        with contextlib.suppress(JournalError):
            self._cancels.follow(self.journal, now, self.today)
        closed = {name for name in self.desk.gateways if self.holding.no_cancel(name) is not None}
        self._asked |= self._cancels.take_back(closed)
        self._cancels.hand_over(now)

    def _instruct(self, writer: Writer, done: Turn) -> list[CancelHandover]:
        instructions = Instructions(
            writer, self.clock.now(), self.today, self._scope, self.holding.no_cancel, self._confirmation.never_again, self.shut,
        )  # fmt: skip
        cancels = instructions.carry_out()
        done.orders |= instructions.touched
        done.drops |= instructions.drops
        self._waiting_cancels = instructions.waiting
        return cancels

    # details of dispatch

    @property
    def ready(self) -> bool:
        """Whether orders wait that may leave now."""
        return not self._switches().halted and any(
            waiting and self._room(name) for name, waiting in self.backlog.items()
        )

    def _rooms(self) -> dict[str, int]:
        """For new orders: none where older ones wait."""
        return {name: 0 if self.backlog.get(name) else self._room(name) for name in self.desk.gateways}

    def _room(self, name: str) -> int:
        """How many orders a gateway takes now, no more than its window has room for."""
        if name in self.shut or not self._door.is_open(name):
            return 0
        room = min(self.desk.gateways[name].room(), self._confirmation.room(name))
        return self.holding.room(name, max(0, room - self._door.uncounted(name)))

    def _count_backlog(self, writer: Writer, admitted: Admitted, closed: Collection[str]) -> dict[str, int]:
        if not (admitted.waiting or admitted.instructions or self._asked or any(self.backlog.values())):
            return self.backlog
        return self._backlog(writer, closed)

    def _backlog(self, writer: Writer, closed: Collection[str] | None = None) -> dict[str, int]:
        """How many orders wait for each gateway; those of closed accounts do not count."""
        closed = self._confirmation.closed if closed is None else closed
        return {name: writer.backlog(name, closed) for name in self.desk.gateways}

    def _dispatch(self, writer: Writer, moved: list[int], context: Context) -> list[Handover]:
        """Put READY orders into batches, oldest first, as far as their gateway has room and the checks of now let them; `moved` gains the rest."""
        handovers = []
        for name, gateway in self.desk.gateways.items():
            room = self._room(name) if self.backlog.get(name) else 0
            if not room:
                continue
            ready = writer.waiting(
                name, Status.READY, min(room, _DISPATCH_AT),
                but=self._confirmation.closed, sells_first=self.desk.sells_first(name),
            )  # fmt: skip
            late = set(self.holding.expire(writer, ready))
            moved += late
            looked = look_again(
                writer, [order for order in ready if order.id not in late], context, self.desk
            )
            moved += looked.write(writer, self.clock.now())
            if looked.leaving:
                handovers.append(self._new_batch(writer, gateway, looked.leaving))
        return handovers

    def _new_batch(self, writer: Writer, gateway: Gateway, ready: Sequence[Any]) -> Handover:
        content = gateway.encode([outgoing(order, self.today, self._scope) for order in ready])
        ids = [order.id for order in ready]
        batch = NewBatch(
            writer.next_batch_id(), gateway.name, day_number(self.today), self.clock.now(),
            len(ids), min(ids), max(ids), content,
            self.desk.places(gateway.name, ((o.account_id, o.symbol) for o in ready), self.clock.now()),
        )  # fmt: skip
        writer.use_ids(batch=batch.id + 1)
        writer.add_batch(batch)
        writer.assign(ids, batch.id, batch.created_at)
        return Handover(
            gateway.name, batch.id, content, batch.first_order, batch.last_order, len(ids), batch.places
        )

    # details of collect

    def _poll(self, gateway: Gateway) -> tuple[Sequence[Report], Cursor]:
        cursor = self._cursors.get(gateway.name, Cursor(""))
        try:
            found = gateway.poll(cursor, POLL_LIMIT)
        except Exception as error:  # noqa: BLE001  one gateway must not keep the others from being heard
            if not isinstance(error, GatewayError):
                tell_unexpected(f"{gateway.name}: 读回报 / reading reports", error)
            if gateway.name not in self.deaf:
                log.error("读不到回报 / no reports from %s: %s", gateway.name, error)
            self.deaf[gateway.name] = str(error) if isinstance(error, GatewayError) else words(error)
            return [], cursor
        self.heard[gateway.name] = self.clock.now()
        if self.deaf.pop(gateway.name, None) is not None:
            log.warning("又能读到回报 / reports again from %s", gateway.name)
        return found

    def _changed(self, done: Turn, gateway: str, collected: Folded, now: Micros) -> None:
        done.orders |= collected.orders
        done.drops |= collected.drops
        done.accounts |= collected.accounts
        self._fills.note(gateway, collected.uneven, collected.even, now)
        self._cancels.answered(collected.answered)

    def tell_fault(self, fault: str) -> None:
        """Once when it begins, once when it is over."""
        if fault and fault != self._fault:
            log.error("停止接收新委托 / no new orders are taken: %s", fault)
        elif self._fault and not fault:
            log.warning("恢复正常 / working again")
        self._fault = fault

    # after a crash, and every morning

    def recover(self) -> Turn:
        """Settle every hand-over whose result was never noted, by evidence, before anything new is sent; then begin the day."""
        with self.journal.transaction() as writer:
            for name, gateway in self.desk.gateways.items():
                self._cursors[name] = Cursor(writer.get_meta(cursor_key(name)) or "")
                gateway.remember(
                    Batch(*batch) for batch in writer.batches_of_day(name, day_number(self.today))
                )
            for batch in writer.open_batches():
                reach("recover")
                interrupted = Handover(batch.gateway, batch.id, None, batch.first_order, batch.last_order)
                self._door.settle(writer, interrupted, INTERRUPTED)
        self._listen_first()
        done = Turn()
        self.begin_day(done)
        self._hear(done)  # before anything new is handed over
        return done

    def _listen_first(self) -> None:
        """Read what the terminals have told, and journal none of it yet: how far, is noted with the first order that leaves."""
        for name, gateway in self.desk.gateways.items():
            try:
                gateway.poll(self._cursors[name], 0)
            except GatewayError as error:
                log.warning("%s: %s", name, error)

    def look_at_clock(self) -> None:
        """Raises ClockBehind when the clock has gone back behind a day that the journal has lived: its sids could be doubled."""
        with self.journal.transaction() as writer:
            newest = writer.newest_day()
        if newest > day_number(self.today):
            raise ClockBehind(
                f"时钟倒退了 / the clock has gone back: {self.today}, the journal has come to {newest};"
                " 先校准时钟；若是之前的时钟错了 / set the clock; if it was wrong before: orderdrop adopt --day-was-wrong"
            )

    def begin_day(self, done: Turn) -> None:
        """Hear what was told last, end what is left of earlier days, count what waits. Raises ClockBehind, JournalError."""
        self.look_at_clock()
        self._end_earlier_days(done)
        with self.journal.transaction() as writer:
            self._confirmation.begin(writer, self.today, self.clock.now())
            self._cancels.begin(writer, self.today, self._scope, self.clock.now())
            self.backlog = self._backlog(writer)
            self._asked = any(writer.asked_instructions(kind) for kind in DropKind)

    def _end_earlier_days(self, done: Turn) -> None:
        if self._lapsing.recall(self.today):
            self._hear(done)
        with self.journal.transaction() as writer:
            self._fills.begin(writer)
            ended, drops = self._lapsing.write(writer, self.today, self._fills.orders)
        done.orders |= ended
        done.drops |= drops

    def _hear(self, done: Turn) -> None:
        """All that the gateways have told already, before an order of theirs is called over."""
        for _ in range(_ROUNDS):
            self.alive()
            self._collect(done)
            if not self.behind:
                return

    def shut_off(self, gateways: dict[str, str]) -> None:
        """No new order of today goes to these gateways any more; those that are not named take orders."""
        if gateways != self.shut:
            self.shut = gateways
            self._confirmation.shut = gateways
            self.gathering.close(gateways)

    def expire(self, ids: Collection[int], why: Refusal) -> None:
        """Orders that are proven to never trade; whatever waits for them hears of it. Raises JournalError."""
        with self.journal.transaction() as writer:
            now = self.clock.now()
            writer.move(sorted(ids), Status.EXPIRED, now, "router", why, closed_at=now)
            state = self._confirmation.read(writer, self.today, now)
            self.backlog = self._backlog(writer)
        self._confirmation.take(state)
        self._asked |= not self._waiting_cancels.isdisjoint(ids)


class ClockBehind(JournalError):
    """The journal has lived a day that the clock has not come to."""


def _is_cancel(ready: Take | RefusedFile) -> TypeGuard[Take]:
    return isinstance(ready, Take) and ready.file.info.kind is DropKind.CANCEL


def outgoing(order: Any, today: date, scope: SidScope) -> Outgoing:
    """A journaled order as it goes out."""
    price = None if order.price is None else Decimal(order.price)
    return Outgoing(
        wire_sid(order.sid, today, scope), order.account_id, order.symbol, order.volume,
        order.order_type, order.order_business, price, order.remark or "",
    )  # fmt: skip
