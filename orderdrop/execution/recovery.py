"""After a crash, and every morning: settles what nobody saw the end of, hears what the brokers have told, and ends what is left of earlier days."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from typing import Final

from orderdrop.accounts.routing import Routing
from orderdrop.domain.identity import day_number
from orderdrop.domain.refusal import Refusal
from orderdrop.domain.status import Status
from orderdrop.errors import JournalError
from orderdrop.execution.awaited_fills import AwaitedFills
from orderdrop.execution.cancels import Cancels
from orderdrop.execution.confirmation import Confirmation
from orderdrop.execution.expiry import Expiry
from orderdrop.execution.handover import Handover
from orderdrop.execution.instructions import Instructions
from orderdrop.execution.polling import Reports
from orderdrop.execution.queues import Queues
from orderdrop.execution.submission import INTERRUPTED, Submission
from orderdrop.execution.turn import Turn
from orderdrop.gateway.base import Batch
from orderdrop.journal.journal import Journal
from orderdrop.system.clock import Clock, trade_date
from orderdrop.system.failpoint import reach

_ROUNDS: Final = 1000
"""Polls at most, before a day begins."""


class ClockBehind(JournalError):
    """The journal has lived a day that the clock has not come to."""


class Recovery:
    """Used from the router's thread. collect: the router's, which hears the brokers."""

    def __init__(
        self, desk: Routing, journal: Journal, clock: Clock, submission: Submission, reports: Reports, confirmation: Confirmation,
        fills: AwaitedFills, cancels: Cancels, queues: Queues, instructions: Instructions, collect: Callable[[Turn], None],
    ) -> None:  # fmt: skip
        self._desk = desk
        self._journal = journal
        self._clock = clock
        self._submission = submission
        self._reports = reports
        self._confirmation = confirmation
        self._fills = fills
        self._cancels = cancels
        self._queues = queues
        self._instructions = instructions
        self._collect = collect
        self._expiry = Expiry(desk, journal, clock)

    @property
    def _today(self) -> date:
        return trade_date(self._clock.now())

    def recover(self) -> Turn:
        """Settles by evidence every hand-over whose result was never noted, before anything new is sent; then begins the day."""
        with self._journal.transaction() as writer:
            self._reports.begin(writer)
            for name, gateway in self._desk.gateways.items():
                batches = writer.batches_of_day(name, day_number(self._today))
                gateway.remember(Batch(*batch) for batch in batches)
            for batch in writer.open_batches():
                reach("recover")
                interrupted = Handover(batch.gateway, batch.id, None, batch.first_order, batch.last_order)
                self._submission.settle(writer, interrupted, INTERRUPTED)
        self._reports.listen_first()
        turn = Turn()
        self.begin_day(turn)
        self._hear(turn)  # before anything new is handed over
        return turn

    def look_at_clock(self) -> None:
        """Raises ClockBehind when the clock has gone back behind a day that the journal has lived: its sids could be doubled."""
        with self._journal.transaction() as writer:
            newest = writer.newest_day()
        if newest > day_number(self._today):
            raise ClockBehind(
                f"时钟倒退了 / the clock has gone back: {self._today}, the journal has come to {newest};"
                " 先校准时钟；若是之前的时钟错了 / set the clock; if it was wrong before: orderdrop adopt --day-was-wrong"
            )

    def begin_day(self, turn: Turn) -> None:
        """Hears what was told last, ends what is left of earlier days, counts what waits. Raises ClockBehind, JournalError."""
        self.look_at_clock()
        self._end_earlier_days(turn)
        now = self._clock.now()
        with self._journal.transaction() as writer:
            self._confirmation.begin(writer, self._today, now)
            self._cancels.begin(writer, self._today, now)
            self._queues.recount(writer)
            self._instructions.begin(writer)

    def try_again(self, turn: Turn) -> None:
        """Ends what is left of earlier days, where that failed before."""
        if self._expiry.due:
            self._end_earlier_days(turn)

    def expire(self, ids: Collection[int], why: Refusal) -> None:
        """Ends orders that are proven to never trade; whatever waits for them hears of it. Raises JournalError."""
        with self._journal.transaction() as writer:
            now = self._clock.now()
            writer.move(sorted(ids), Status.EXPIRED, now, "router", why, closed_at=now)
            self._confirmation.reread(writer, now)
            self._queues.recount(writer)
        self._instructions.hear(ids)

    def _end_earlier_days(self, turn: Turn) -> None:
        if self._expiry.recall(self._today):
            self._hear(turn)
        with self._journal.transaction() as writer:
            self._fills.begin(writer)
            ended, drops = self._expiry.write(writer, self._today, self._fills.orders)
        turn.orders |= ended
        turn.drops |= drops

    def _hear(self, turn: Turn) -> None:
        """Takes in all that the gateways have told already, before an order of theirs is called over."""
        for _ in range(_ROUNDS):
            self._collect(turn)
            if not self._reports.behind:
                return
