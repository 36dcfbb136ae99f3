"""The flow, on one screen: receive drops, dispatch orders, collect reports. Everything else is a detail of one word here.

The order of writes is the promise: what is to be sent is committed before it is handed over, what came of it is noted
with the next commit. After a crash in between, `recover` asks the gateway for evidence; nothing is ever sent on a guess.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

from orderdrop.accounts.routing import Routing
from orderdrop.admission.reception import Reception
from orderdrop.admission.second_look import SecondLook
from orderdrop.archive.witness import Marks
from orderdrop.domain.order import DropKind
from orderdrop.errors import OrderdropError
from orderdrop.execution.awaited_fills import AwaitedFills
from orderdrop.execution.cancels import Cancels
from orderdrop.execution.confirmation import Confirmation
from orderdrop.execution.instructions import Instructions
from orderdrop.execution.polling import Reports
from orderdrop.execution.queues import Queues
from orderdrop.execution.recovery import Recovery
from orderdrop.execution.release import Release
from orderdrop.execution.submission import Submission
from orderdrop.execution.turn import Faults, Turn
from orderdrop.execution.unreadable import UnreadableRows
from orderdrop.inbox.scanner import Inbox
from orderdrop.journal.journal import Journal
from orderdrop.risk.breakers import CircuitBreakers
from orderdrop.risk.engine import RiskEngine
from orderdrop.risk.switchboard import Switchboard
from orderdrop.system.clock import Clock, trade_date
from orderdrop.system.faults import tell_unexpected


class Router:
    """Moves orders from the inbox to the brokers, and what the brokers report into the journal. One thread, one for each workspace."""

    def __init__(
        self, inbox: Inbox, journal: Journal, desk: Routing, clock: Clock, risk: RiskEngine, breakers: CircuitBreakers,
        marks: Marks | None = None,
    ) -> None:  # fmt: skip
        self.inbox = inbox
        self.journal = journal
        self.desk = desk
        self.clock = clock
        self.risk = risk
        self.breakers = breakers
        self.switchboard = Switchboard(inbox, journal, desk, breakers)
        self.release = Release(desk, risk, clock)
        self.submission = Submission(desk, journal, clock, marks)
        self.confirmation = Confirmation(desk)
        self.queues = Queues(desk, clock, self.release, self.submission, self.confirmation)
        self.cancels = Cancels(desk, journal, risk, self.release)
        self.instructions = Instructions(desk, clock, self.release, self.confirmation, self.queues)
        self.reception = Reception(
            inbox, journal, desk, clock, risk, self.switchboard, self.confirmation, self.cancels, self.queues, self.instructions
        )  # fmt: skip
        self.second_look = SecondLook(desk, clock, self.queues, self.release)
        self.reports = Reports(desk, clock)
        self.fills = AwaitedFills(desk)
        self.unreadable = UnreadableRows(desk.gateways)
        self.recovery = Recovery(
            desk, journal, clock, self.submission, self.reports, self.confirmation, self.fills, self.cancels, self.queues,
            self.instructions, self.collect,
        )  # fmt: skip
        self.alive: Callable[[], None] = lambda: None  # called between the parts of a turn
        self._faults = Faults()

    # the flow

    def step(self, no_orders: str = "") -> Turn:
        """One turn. A fault is told once, and the next turn tries again; nothing is lost by it, what the brokers tell is heard, and
        cancels go out. no_orders: why no new orders are taken.
        """
        turn = Turn(fault=no_orders)
        for act in (self.receive_cancels if no_orders else self.receive, self.dispatch, self.collect_in_time):
            try:
                act(turn)
            except (OSError, OrderdropError) as error:
                turn.fault = turn.fault or str(error)
            except Exception as error:  # noqa: BLE001  the wall: a turn may fail, the router does not
                turn.fault = turn.fault or tell_unexpected("路由 / a turn of the router", error)
                turn.unexpected = True
        self._faults.tell(turn.fault)
        return turn

    def receive(self, turn: Turn) -> None:
        """Inbox → intake → risk → journal. One commit: after it nothing is lost, before it nothing has left."""
        self.recovery.try_again(turn)
        self.switchboard.watch()
        takes = self.inbox.collect(self.today)
        switches = self.switchboard.switches
        if not (takes or self.instructions.open or self.ready or self.release.is_due(switches)):
            return
        try:
            with self.journal.transaction() as writer:
                self.breakers.look(writer)
                switches = self.switchboard.switches
                moved = self.release.let_go(writer, switches)  # HELD → READY, too late → EXPIRED
                if moved or self.queues.is_stale:
                    self.queues.recount(writer)
                admission = self.reception.admit(writer, turn, takes, switches)  # rows → orders, denials
                moved += self.release.hold_back(writer, switches)
                if not switches.halted:
                    moved += self.second_look.let_leave(writer, turn, admission.context)  # READY → batches
                self.queues.count(writer)
                turn.orders |= set(moved)
                if moved or admission.admitted.waits:
                    self.release.plan_next(writer)
        except Exception as error:
            if not turn.taken:
                self.breakers.failed(error)
                self.reception.not_taken(turn, takes, error)
            raise

    def receive_cancels(self, turn: Turn) -> None:
        """What is left of `receive` when no new order may be taken."""
        self.reception.take_cancels(turn, self.inbox.collect(self.today, only=DropKind.CANCEL))

    def dispatch(self, turn: Turn) -> None:
        """Journal → gateway. Only what is committed leaves; cancels before new orders, which may be many."""
        self.cancels.ask(turn.cancels)
        self.instructions.open |= self.cancels.submit(self.clock.now())
        self.submission.submit(turn.batches, self._stopped_since_now())

    def collect(self, turn: Turn, *, later: bool = False) -> None:
        """Gateway → reports → journal, in one commit: what came of the hand-overs, what the brokers tell, what stays silent.

        later: the hand-overs alone need not be noted now. Raises JournalError.
        """
        self.alive()
        now = self.clock.now()
        told = self.reports.poll()
        self.instructions.open |= self.cancels.submit(now)
        doubts, silence, fills = self.submission.in_doubt, self.confirmation.look(now), self.fills.due(now)
        hopeless, unread = self.cancels.hopeless(now), self.unreadable.news(time.monotonic())
        if not (told or doubts or silence or fills or hopeless or unread or self.cancels.unnoted) and (
            later or not self.submission.unnoted
        ):
            return
        with self.journal.transaction() as writer:
            self.confirmation.expect(writer, self.submission.unnoted, now)
            self.submission.note(writer, turn, doubts)  # SUBMITTED, READY again, or UNKNOWN
            self.cancels.note(writer, turn)
            now = self.clock.now()
            folded = self.reports.fold(writer, turn, told, now)  # statuses and fills, by the one table
            self.confirmation.follow_up(writer, turn, silence, folded, now)  # late → UNKNOWN, absent → READY
            ended = self.fills.follow_up(writer, turn, fills, folded, now)
            self.unreadable.write(writer, self.today, unread)
            self.cancels.follow_up(writer, turn, hopeless, folded.values(), ended, now)
        if turn.surprised or turn.ready_again:
            self.queues.note_change()
        self.instructions.hear(turn.orders.union(*(one.confirmed for one in folded.values())))

    # details

    @property
    def today(self) -> date:
        return trade_date(self.clock.now())

    @property
    def ready(self) -> bool:
        """Whether orders wait that may leave now, or it has to be counted which ones do."""
        return self.queues.is_stale or (self.queues.may_leave and not self.switchboard.switches.halted)

    @property
    def settled(self) -> bool:
        """Whether nothing is under way: every order that left is confirmed, and none waits to leave."""
        if self.submission.unnoted or self.cancels.unnoted or self.cancels.waiting or self.fills.waiting:
            return False
        if not self.queues.is_empty:
            return False
        with self.journal.transaction() as writer:
            return not writer.under_way()

    def listen(self) -> Turn:
        """Collects only: nothing is received, nothing is handed over. For the day's end. Raises JournalError."""
        turn = Turn()
        self.collect(turn)
        return turn

    def collect_in_time(self, turn: Turn) -> None:
        """While more drops come, that all went well is noted with what comes of them: one commit instead of one for each turn."""
        self.collect(turn, later=self.inbox.stirring and self.submission.may_note_later)

    def _stopped_since_now(self) -> Callable[[], bool]:
        """Whether a switch was thrown since now; asked while a large drop leaves. A turn that takes long is no hanging router, either."""
        before = self.inbox.switches

        def stopped() -> bool:
            self.alive()
            return self.inbox.switched() or self.inbox.switches != before

        return stopped
