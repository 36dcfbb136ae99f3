"""What came in becomes decided orders, and what it asks of older orders is carried out, inside one transaction of the router."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TypeGuard

from orderdrop.accounts.routing import Routing
from orderdrop.admission.admission import Admission
from orderdrop.admission.entry import Admitted
from orderdrop.admission.suspects import Suspects
from orderdrop.domain.identity import day_number
from orderdrop.domain.order import DropKind
from orderdrop.domain.switches import Switches
from orderdrop.errors import OrderdropError
from orderdrop.execution.cancels import Cancels
from orderdrop.execution.confirmation import Confirmation
from orderdrop.execution.handover import CancelHandover
from orderdrop.execution.instructions import Instructions
from orderdrop.execution.queues import Queues
from orderdrop.execution.turn import Turn
from orderdrop.inbox.scanner import Inbox, RefusedFile
from orderdrop.inbox.tail import Take
from orderdrop.journal.journal import Journal
from orderdrop.journal.writer import Writer
from orderdrop.risk.engine import RiskEngine
from orderdrop.risk.switchboard import Switchboard
from orderdrop.system.clock import Clock, trade_date
from orderdrop.system.faults import tell_unexpected

log = logging.getLogger(__name__)


class Reception:
    """Used from the router's thread. Takes count as taken once they are committed."""

    def __init__(
        self, inbox: Inbox, journal: Journal, desk: Routing, clock: Clock, risk: RiskEngine, switchboard: Switchboard,
        confirmation: Confirmation, cancels: Cancels, queues: Queues, instructions: Instructions,
    ) -> None:  # fmt: skip
        self._inbox = inbox
        self._journal = journal
        self._switchboard = switchboard
        self._desk = desk
        self._clock = clock
        self._risk = risk
        self._confirmation = confirmation
        self._cancels = cancels
        self._queues = queues
        self._instructions = instructions
        self._suspects = Suspects()

    def admit(
        self, writer: Writer, turn: Turn, found: Sequence[Take | RefusedFile], switches: Switches
    ) -> Admission:
        """Cancels first: an order that comes with its cancel does not leave, and what a second has room for is theirs before it is a new order's."""
        now = self._clock.now()
        admission = Admission(
            self._desk, writer, now, trade_date(now), risk=self._risk, switches=switches, room=self._queues.rooms(),
            closed=self._confirmation.closed,
        )  # fmt: skip
        cancels: list[CancelHandover] = []
        asking, others = _cancels_first(found)
        apart = self._suspects.any()
        if asking or self._instructions.open:
            admission.admit(asking, apart=apart)
            cancels = self._instructions.carry_out(writer, turn)
            self._cancels.look_ahead(cancels, now)
            admission.make_room(self._queues.rooms())
        before = admission.admitted.instructions
        admitted = admission.admit(others, apart=apart)
        if apart:
            self._set_aside(writer, turn, admission)
        if admitted.instructions > before or admitted.canceled:
            cancels = self._instructions.carry_out(writer, turn)
        if turn.orders:
            self._confirmation.reread(writer, now)
        if admitted.waiting or admitted.instructions or self._instructions.open:
            self._queues.note_change()
        writer.on_commit(lambda: self._accepted(turn, admitted, cancels, more=bool(cancels)))
        return admission

    def take_cancels(self, turn: Turn, found: Sequence[Take | RefusedFile]) -> None:
        """Takes what asks for cancels, in a transaction of its own; all else will be looked at afresh."""
        takes, others = _cancels_first(found)
        self._forget(others)
        if not (takes or self._instructions.open):
            return
        try:
            with self._journal.transaction() as writer:
                self._admit_cancels(writer, turn, takes)
        except Exception:
            self._forget(takes)
            raise

    def not_taken(self, turn: Turn, found: Sequence[Take | RefusedFile], error: Exception) -> None:
        """The transaction failed: what came is looked at afresh, and its cancels go out all the same."""
        if not isinstance(error, OSError | OrderdropError):
            self._suspects.suspect(found)
        try:
            self.take_cancels(turn, found)
        except (OSError, OrderdropError) as second:
            log.debug("%s, then %s", error, second)
        except Exception as second:  # noqa: BLE001  the first fault is the one to be told
            tell_unexpected("撤单 / cancels", second)

    def _admit_cancels(self, writer: Writer, turn: Turn, takes: Sequence[Take]) -> None:
        """Also of a day whose closing is over, when the clock has gone back behind it."""
        now = self._clock.now()
        today = trade_date(now)
        admitted = Admitted()
        if takes:
            if writer.newest_day() > day_number(today):
                writer.await_closing(day_number(today))
            switches = self._switchboard.switches
            admission = Admission(self._desk, writer, now, today, risk=self._risk, switches=switches, room={})
            admitted = admission.admit(takes)
        cancels = self._instructions.carry_out(writer, turn)
        self._queues.recount(writer)
        writer.on_commit(lambda: self._accepted(turn, admitted, cancels, more=False))

    def _set_aside(self, writer: Writer, turn: Turn, admission: Admission) -> None:
        """Of those that have raised by themselves, refuse what is the cause; the others are looked at afresh, and told."""
        admitted, raised = admission.admitted, []
        passed = [take for take, _drop, _refused in admitted.drops]
        for take, fault in admitted.raised:
            if self._suspects.is_cause(take, passed):
                admission.set_aside(take, fault)
            else:
                raised.append(take)
                admitted.spoiled.append(take.file)
        faults = [f"{take.file.name}: {fault}" for take, fault in admitted.raised if take in raised]
        gone_in = [take for take, _drop, _refused in admitted.drops]

        def note() -> None:
            self._suspects.note(raised, gone_in)
            if faults:
                turn.fault, turn.unexpected = turn.fault or faults[0], True

        writer.on_commit(note)

    def _forget(self, found: Sequence[Take | RefusedFile]) -> None:
        """They were not taken: they will be looked at afresh."""
        for ready in found:
            self._inbox.forget(ready)

    def _accepted(
        self, turn: Turn, admitted: Admitted, cancels: Sequence[CancelHandover], *, more: bool
    ) -> None:
        turn.taken |= admitted.drop_ids
        turn.refused_files += admitted.refused_files
        turn.batches += admitted.handovers
        turn.cancels += cancels
        self._instructions.open = more
        for take, drop_id, refused in admitted.drops:
            take.accept(drop_id, refused=refused)
        for file in admitted.spoiled:
            self._inbox.forget(file)


def _cancels_first(
    found: Sequence[Take | RefusedFile],
) -> tuple[Sequence[Take], Sequence[Take | RefusedFile]]:
    """What asks for cancels, and all else, each in its order."""
    cancels = [ready for ready in found if _asks_for_cancels(ready)]
    if not cancels:
        return (), found
    return cancels, [ready for ready in found if not _asks_for_cancels(ready)]


def _asks_for_cancels(ready: Take | RefusedFile) -> TypeGuard[Take]:
    return isinstance(ready, Take) and ready.file.info.kind is DropKind.CANCEL
