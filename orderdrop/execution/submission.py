"""The brokers' doors: batches are handed over here, what came of it is noted, and what nobody saw the end of is settled by evidence."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from orderdrop.accounts.routing import Routing
from orderdrop.archive.witness import Marks
from orderdrop.domain.identity import day_number, from_day_number, wire_sid
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.status import Status
from orderdrop.errors import GatewayError, JournalError
from orderdrop.execution.handover import FLUSH_AT, Handover
from orderdrop.execution.turn import Turn
from orderdrop.gateway.base import Batch, CallsOneByOne, Outcome, Stopped, SubmitResult
from orderdrop.journal.journal import Journal
from orderdrop.journal.records import drop_of
from orderdrop.journal.writer import Writer
from orderdrop.system.clock import Clock, trade_date
from orderdrop.system.failpoint import reach
from orderdrop.system.faults import tell_unexpected

log = logging.getLogger(__name__)

HAND_OVER_FAILED = "交接失败 / the hand-over failed"
INTERRUPTED = "orderdrop 中断过 / orderdrop was interrupted"
STOPPED = "开关变动 / a switch was thrown"

_NOTE_WITHIN = 0.2  # seconds

PAUSE_AFTER_FAULT = 5.0
"""Seconds without new orders for a gateway whose hand-over has failed, and until one in doubt is asked about again."""


class Submission:
    """Used from the router's thread. What a transaction notes counts once it is committed."""

    def __init__(self, desk: Routing, journal: Journal, clock: Clock, marks: Marks | None = None) -> None:
        self._marks = marks
        self._desk = desk
        self._journal = journal
        self._clock = clock
        self._scope = desk.settings.inbox.sid_scope
        self._results: list[tuple[Handover, SubmitResult | None, int]] = []
        self._unnoted_since = 0.0
        # By batch: nobody could say what became of them. They are asked about again.
        self._doubtful: dict[int, Handover] = {}
        self._ask_again_at = 0.0
        self._paused_until: dict[str, float] = {}

    @property
    def unnoted(self) -> list[Handover]:
        """What was handed over, and is not journaled as such."""
        return [handover for handover, _result, _at in self._results]

    @property
    def may_note_later(self) -> bool:
        """All went well, not long ago, and it is not much."""
        recent = time.monotonic() - self._unnoted_since < _NOTE_WITHIN
        return self._went_well and recent and sum(handover.orders for handover in self.unnoted) < FLUSH_AT

    @property
    def _went_well(self) -> bool:
        return all(result is not None and result.outcome is Outcome.TAKEN for _, result, _ in self._results)

    def is_open(self, gateway: str) -> bool:
        """Closed for a while after a fault, and until what did not go well is noted."""
        return self._went_well and time.monotonic() >= self._paused_until.get(gateway, 0)

    def uncounted(self, gateway: str) -> int:
        """Orders that have left, and of which nobody else knows before that is noted."""
        return sum(handover.orders for handover in self.unnoted if handover.gateway == gateway)

    def submit(self, handovers: Sequence[Handover], stopped: Callable[[], bool] = lambda: False) -> None:
        """stopped: asked before each batch but the first, and between the calls of one: a switch was thrown, what is left stays here."""
        self._mark(handovers)
        for number, handover in enumerate(handovers):
            sent_at = self._clock.now()
            if number and stopped():
                log.warning(
                    "有开关变动，其余委托没有送出 / a switch was thrown: the other orders did not leave"
                )
                for kept in handovers[number:]:
                    self._results.append((kept, SubmitResult(Outcome.NEVER_LEFT, STOPPED), sent_at))
                return
            reach("submit.before")
            gateway = self._desk.gateways[handover.gateway]
            try:
                if isinstance(gateway, CallsOneByOne):
                    gateway.stopped = stopped
                result: SubmitResult | None = gateway.submit(self._load(handover))
            except JournalError:  # it did not leave; the evidence will say so
                self._doubtful[handover.batch_id] = handover
                continue
            except Stopped as error:
                result = None
                log.warning("%s: %s", handover.gateway, error)
            except GatewayError as error:
                result = None
                log.error("交接失败，按证据判断 / the hand-over to %s failed: %s", handover.gateway, error)
                self._paused_until[handover.gateway] = time.monotonic() + PAUSE_AFTER_FAULT
            except Exception as error:  # noqa: BLE001  whatever it was, the batch may have left, and the others have to be seen to
                result = None
                tell_unexpected(f"交接 / the hand-over to {handover.gateway}", error)
                self._paused_until[handover.gateway] = time.monotonic() + PAUSE_AFTER_FAULT
            reach("submit.after")
            if not self._results:
                self._unnoted_since = time.monotonic()
            self._results.append((handover, result, sent_at))

    def _mark(self, handovers: Sequence[Handover]) -> None:
        """The witnesses hear of what is about to leave."""
        if self._marks is not None and handovers:
            drop = max(drop_of(handover.last_order) for handover in handovers)
            batch = max(handover.batch_id for handover in handovers)
            self._marks.advance({handover.gateway for handover in handovers}, drop, batch)

    @property
    def in_doubt(self) -> list[Handover]:
        """What is to be asked about again now."""
        return list(self._doubtful.values()) if time.monotonic() >= self._ask_again_at else []

    def note(self, writer: Writer, turn: Turn, in_doubt: Sequence[Handover]) -> None:
        """Writes the results of the hand-overs."""
        settled = [h.batch_id for h in in_doubt if self.settle(writer, h, HAND_OVER_FAILED)]
        for handover, result, at in self._results:
            self._note(writer, handover, result, at)
        turn.surprised |= bool(in_doubt) or not self._went_well
        handed_over = [*self.unnoted, *in_doubt]

        def noted() -> None:
            self._results = []
            for batch in settled:
                self._doubtful.pop(batch, None)
            if in_doubt:
                self._ask_again_at = time.monotonic() + PAUSE_AFTER_FAULT
            turn.handed_over += handed_over

        writer.on_commit(noted)

    def settle(self, writer: Writer, handover: Handover, why: str) -> bool:
        """A hand-over that nobody saw the end of: what the gateway can prove, order by order. False: it could not be asked."""
        gateway = self._desk.gateways.get(handover.gateway)
        found: dict[str, Outcome] = {}
        asked = True
        content = handover.content or writer.batch_content(handover.batch_id)
        try:
            if gateway is not None:
                found = gateway.settle(Batch(handover.batch_id, content))
        except Exception as error:  # noqa: BLE001  the batch stays open: asked again later, and at the next start
            if not isinstance(error, GatewayError):
                tell_unexpected(f"{handover.gateway}: 查证 / asking for evidence", error)
            why, asked = f"{why}; {error}", False
            self._doubtful[handover.batch_id] = handover
        outcomes = self._write_outcomes(writer, handover, found, why)
        if asked:
            alike = outcomes.pop() if len(outcomes) == 1 else "settled"
            writer.close_batch(handover.batch_id, alike, self._clock.now())
        return asked

    def _write_outcomes(
        self, writer: Writer, handover: Handover, found: dict[str, Outcome], why: str
    ) -> set[Outcome]:
        now = self._clock.now()
        orders = [
            order
            for order in writer.orders_of_batch(_key(handover))
            if order.status in {Status.SUBMITTING, Status.UNKNOWN} and order.confirmed_at is None
        ]
        outcomes = {o.id: self._outcome(found.get(self._wire(o), Outcome.UNKNOWN), o) for o in orders}
        for outcome in (Outcome.TAKEN, Outcome.NEVER_LEFT):
            ids = [order for order, its in outcomes.items() if its is outcome]
            _move(writer, ids, outcome, now, handover.gateway, why)
        for account in sorted({order.account_id for order in orders}):
            ids = [o.id for o in orders if o.account_id == account and outcomes[o.id] is Outcome.UNKNOWN]
            refusal = Refusal(Code.INTERRUPTED, value=why, bound=account)
            writer.move(ids, Status.UNKNOWN, now, handover.gateway, refusal)
        return set(outcomes.values())

    def _outcome(self, said: Outcome, order: Any) -> Outcome:
        """What a gateway says of an order of an earlier day counts if it can know."""
        gateway = self._desk.gateways.get(order.gateway)
        today = day_number(trade_date(self._clock.now()))
        if said is Outcome.NEVER_LEFT and order.trade_day < today and not (gateway and gateway.keeps_days):
            return Outcome.UNKNOWN
        return said

    def _wire(self, order: Any) -> str:
        return wire_sid(order.sid, from_day_number(order.trade_day), self._scope)

    def _note(self, writer: Writer, handover: Handover, result: SubmitResult | None, at: int) -> None:
        batch = _key(handover)
        if result is None:
            self.settle(writer, handover, HAND_OVER_FAILED)
        elif result.outcome is Outcome.TAKEN:
            writer.submitted(batch, at, handover.gateway)
            writer.close_batch(handover.batch_id, result.outcome, at)
        else:
            orders = [order for order in writer.orders_of_batch(batch) if order.status == Status.SUBMITTING]
            kept = [
                order.id for order in orders if result.doubtful and self._wire(order) not in result.doubtful
            ]
            ids = [order.id for order in orders if order.id not in kept]
            _move(writer, kept, Outcome.NEVER_LEFT, at, handover.gateway, result.detail)
            _move(writer, ids, result.outcome, at, handover.gateway, result.detail)
            writer.close_batch(handover.batch_id, result.outcome, at)

    def _load(self, handover: Handover) -> Batch:
        """What was journaled; a large drop's batches are not kept in memory."""
        if handover.content is not None:
            return Batch(handover.batch_id, handover.content)
        with self._journal.transaction() as writer:
            return Batch(handover.batch_id, writer.batch_content(handover.batch_id))


def _key(handover: Handover) -> tuple[int, int, int]:
    return handover.batch_id, handover.first_order, handover.last_order


def _move(writer: Writer, ids: Sequence[int], outcome: Outcome, at: int, gateway: str, detail: str) -> None:
    match outcome:
        case Outcome.TAKEN:
            writer.move(ids, Status.SUBMITTED, at, gateway, submitted_at=at)
        case Outcome.NEVER_LEFT:
            writer.move(ids, Status.READY, at, gateway, batch_id=None)
        case Outcome.UNKNOWN:
            writer.move(ids, Status.UNKNOWN, at, gateway, Refusal(Code.UNCONFIRMED, value=detail))
