"""What waits and why: orders held until a time or until somebody releases them, and the pace at which the others leave.

A held order goes when it is due, in order, and never on another day. Nothing leaves a live gateway outside the sessions, nor faster than
its accounts may send.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from orderdrop.accounts.routing import Routing
from orderdrop.domain.identity import day_number
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.status import Status
from orderdrop.domain.switches import Switches
from orderdrop.journal.writer import Writer
from orderdrop.risk.checks import Hold
from orderdrop.risk.engine import RiskEngine
from orderdrop.risk.rules.session import NO_CANCELS, TAKES_LIMITS, clock_text, end_of_phase, phase_at
from orderdrop.risk.rules.switches import switched_off
from orderdrop.system.clock import Clock, iso, second_of_day, trade_date

_AGAIN: Final = 1_000_000
"""What is due and may not go, for a switch, is looked at every second."""


class Release:
    """The router's word on what may leave now. `let_go` runs first in each of its transactions."""

    def __init__(self, desk: Routing, risk: RiskEngine, clock: Clock) -> None:
        self._desk = desk
        self._risk = risk
        self._clock = clock
        self._next: int | None = 0
        self._seen = Switches({})

    def shut_off(self, gateways: Mapping[str, str]) -> None:
        """These gateways are closed for the rest of the day, since the time that is named."""
        self._risk.close(gateways)

    def is_due(self, switches: Switches) -> bool:
        """Whether `let_go` has something to do."""
        return switches != self._seen or (self._next is not None and self._clock.now() >= self._next)

    def let_go(self, writer: Writer, switches: Switches) -> list[int]:
        """Makes READY what is due, and ends what has come too late. Returns the orders that were moved."""
        now = self._clock.now()
        writer.on_rollback(self._forget)
        if self._risk.paces:
            self._risk.follow(writer, now, trade_date(now))
        if not self.is_due(switches):
            return []
        self._seen = switches
        day = day_number(trade_date(now))
        late = self.expire(writer, writer.overdue(now, day))
        due = [order.id for order in writer.due(now, day) if not self._stopped(switches, order)]
        writer.move(due if not switches.halted else [], Status.READY, now, "router")
        self.plan_next(writer)
        return [*late, *due]

    def expire(self, writer: Writer, waiting: Iterable[Any]) -> list[int]:
        """End those whose time to leave is over; their ids."""
        now = self._clock.now()
        late = [order for order in waiting if order.expires_at and order.expires_at < now]
        for order in late:
            why = Refusal(Code.NOT_AFTER_PASSED, "not_after", iso(order.expires_at)[11:19], iso(now)[11:19])
            writer.move([order.id], Status.EXPIRED, now, "router", why, closed_at=now)
        return [order.id for order in late]

    def plan_next(self, writer: Writer) -> None:
        """Finds out when `let_go` is due next; after orders were held."""
        now = self._clock.now()
        following = writer.next_due(day_number(trade_date(now)))
        self._next = following if following is None or following > now else now + _AGAIN

    def _forget(self) -> None:
        """Nothing of the transaction was written: all of it is to be done again."""
        self._next, self._seen = 0, Switches({})

    def room(self, name: str, room: int) -> int:
        """How many orders may leave for a gateway now, of those that it takes."""
        risk, now = self._risk, self._clock.now()
        if self._desk.settings.bound(name):
            open_ = risk.trading_day(trade_date(now))
            if not (open_ and phase_at(second_of_day(now)) in TAKES_LIMITS):
                return 0
        return min(room, risk.pace(name, now)) if risk.paces else room

    def no_cancel(self, gateway: str) -> Refusal | None:
        """Why the market takes no cancels now: it would refuse them, so that is said at once."""
        second = second_of_day(self._clock.now())
        if not self._desk.settings.bound(gateway) or phase_at(second) not in NO_CANCELS:
            return None
        return Refusal(Code.CANCEL_CLOSED, value=phase_at(second), bound=clock_text(end_of_phase(second)))

    def hold_back(self, writer: Writer, switches: Switches) -> list[int]:
        """READY orders whose account or strategy is switched off are held, whoever let them go."""
        if not switches.partial:
            return []
        now, moved = self._clock.now(), []
        for order in writer.ready(day_number(trade_date(now))):
            why = self._stopped(switches, order)
            if why is not None:
                reason = Refusal(Code.HELD_SWITCH, value=why.value)
                writer.wait_again(order.id, Hold(None, reason), now)
                moved.append(order.id)
        return moved

    def _stopped(self, switches: Switches, order: Any) -> Refusal | None:
        folder, strategy = self._desk.scope(order.folder or ""), order.strategy or ""
        return switched_off(switches, order.account_id, strategy, order.symbol, order.order_business, folder)
