"""Cancels on their way: handed over, and handed over again while the broker is silent. That does no harm: a cancel is idempotent.

They are messages as orders are, and keep their account's pace with them; but first: what a second has room for goes to cancels before it
goes to a new order. What it has no room for waits, in order, and nothing is dropped.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from orderdrop.accounts.routing import Routing
from orderdrop.config.gateways import RemoteSettings
from orderdrop.domain.identity import day_number, from_day_number, wire_sid
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.errors import GatewayError, JournalError
from orderdrop.execution.handover import CancelHandover
from orderdrop.execution.release import Release
from orderdrop.execution.reports import Folded
from orderdrop.execution.turn import Turn
from orderdrop.gateway.base import Cancel
from orderdrop.journal.journal import Journal
from orderdrop.journal.records import InstructionState, drop_of
from orderdrop.journal.writer import Writer
from orderdrop.risk.engine import RiskEngine
from orderdrop.system.clock import Micros, trade_date
from orderdrop.system.faults import tell_unexpected

log = logging.getLogger(__name__)

TIMES: Final = 3
"""So often a cancel is handed over before a person has to look."""

_PATIENCE: Final = 5_000_000


class _Out(NamedTuple):
    handover: CancelHandover
    due: int
    times: int


class _Sent(NamedTuple):
    """times: how often it has left by then."""

    handover: CancelHandover
    at: Micros
    times: int


class Cancels:
    """Used from the router's thread. A cancel waits in the queue, then for the broker's answer; by its instruction."""

    def __init__(self, desk: Routing, journal: Journal, risk: RiskEngine, release: Release) -> None:
        self._desk = desk
        self._journal = journal
        self._release = release
        self._risk = risk
        self._patience = {
            name: round(values.confirm_timeout * 1_000_000)
            for name, values in desk.settings.gateways.items()
            if isinstance(values, RemoteSettings)
        }
        self._sent: list[_Sent] = []  # that have left, and are not journaled as such yet
        self._queue: dict[int, CancelHandover] = {}
        self._out: dict[int, _Out] = {}
        self._failing: set[str] = set()  # gateways that take none just now; told once

    def begin(self, writer: Writer, today: date, now: Micros) -> None:
        """After a start, and every morning: those that the broker has not answered. Those that wait are asked for again."""
        scope = self._desk.settings.inbox.sid_scope
        self._out, self._queue = {}, {}
        for row in writer.unanswered_cancels(day_number(today)):
            wire = wire_sid(row.sid, from_day_number(row.trade_day), scope)
            self._expect(
                CancelHandover(row.gateway, Cancel(wire, row.account_id), row.instruction, row.order_ref), now
            )

    @property
    def queued(self) -> bool:
        """Whether any waits for its turn."""
        return bool(self._queue)

    def ask(self, cancels: Iterable[CancelHandover]) -> None:
        """To be handed over, once each: what has left already, or waits, is left as it is."""
        for one in cancels:
            if one.instruction not in self._out:
                self._queue.setdefault(one.instruction, one)

    def look_ahead(self, cancels: Iterable[CancelHandover], now: Micros) -> None:
        """What will be asked for with the open transaction goes before its new orders."""
        new = [
            one for one in cancels if one.instruction not in self._out and one.instruction not in self._queue
        ]
        self._risk.cancels_ahead = _by_account([*self.wanting(now), *new])

    def wanting(self, now: Micros) -> list[CancelHandover]:
        """Those that would leave now, if there were no pace: the queue, and what has been in silence for too long."""
        if not (self._queue or self._out):
            return []
        again = [out.handover for out in self._out.values() if out.due <= now and out.times < TIMES]
        return [*self._queue.values(), *again]

    @property
    def unnoted(self) -> bool:
        """Whether any has left that is not journaled as such."""
        return bool(self._sent)

    @property
    def waiting(self) -> bool:
        """Whether any has to leave yet."""
        return bool(self._queue)

    def submit(self, now: Micros) -> bool:
        """Sends those whose turn it is. Returns whether any was put back whose market takes no cancels now: it is to be asked for anew.

        A journal that does not answer keeps no cancel from leaving.
        """
        if not self.wanting(now):
            self._risk.cancels_ahead.clear()
            return False
        with contextlib.suppress(JournalError):
            self._follow(now)
        shut = {name for name in self._desk.gateways if self._release.no_cancel(name) is not None}
        back = [number for number, one in self._queue.items() if one.gateway in shut]
        for number in back:
            del self._queue[number]
        self._hand_over(now)
        return bool(back)

    def _follow(self, now: Micros) -> None:
        """Lets the pace know of all that has left."""
        if self._risk.paces:
            with self._journal.transaction() as writer:
                self._risk.follow(writer, now, trade_date(now))

    def _hand_over(self, now: Micros) -> None:
        """Sends those that their accounts' pace lets go. What a gateway does not take waits with the others."""
        leaving = self._at_pace(self.wanting(now), now)
        for gateway, group in groupby(sorted(leaving, key=attrgetter("gateway")), attrgetter("gateway")):
            handed = list(group)
            if not self._taken(gateway, [handover.cancel for handover in handed]):
                continue
            for handover in handed:
                self._queue.pop(handover.instruction, None)
                self._expect(handover, now)
                self._risk.cancel_sent(handover.cancel.account_id, now)
                self._sent.append(_Sent(handover, now, self._out[handover.instruction].times))
        self._risk.cancels_ahead = _by_account(self.wanting(now))

    def _taken(self, gateway: str, cancels: Sequence[Cancel]) -> bool:
        try:
            self._desk.gateways[gateway].cancel(cancels)
        except Exception as error:  # noqa: BLE001  one gateway must not keep the cancels of others
            if not isinstance(
                error, GatewayError | KeyError
            ):  # KeyError: the settings have no such gateway any more
                tell_unexpected(f"{gateway}: 撤单 / cancels", error)
            if gateway not in self._failing:
                log.error("撤单没有送出，将重试 / cancels were not handed over, will try again: %s", error)
            self._failing.add(gateway)
            return False
        self._failing.discard(gateway)
        return True

    def _at_pace(self, wanting: Sequence[CancelHandover], now: Micros) -> list[CancelHandover]:
        left: dict[str, int] = {}
        leaving = []
        for one in wanting:
            account = one.cancel.account_id
            room = left[account] if account in left else self._risk.left(account, now)
            if room > 0:
                leaving.append(one)
            left[account] = room - 1
        return leaving

    def note(self, writer: Writer, turn: Turn) -> None:
        """Writes down what has left, each time that it has."""
        for (gateway, _cancel, instruction, order), at, times in self._sent:
            writer.cancel_sent(instruction, order, at, gateway, times)
        turn.drops |= {drop_of(sent.handover.instruction) for sent in self._sent}
        writer.on_commit(self._sent.clear)

    def follow_up(
        self, writer: Writer, turn: Turn, hopeless: Sequence[CancelHandover], folded: Iterable[Folded],
        ended: Collection[int], now: Micros,
    ) -> None:  # fmt: skip
        """Gives up those that stay without an answer, and waits no more for those that have one. ended: orders that the reports do not name."""
        self._give_up(writer, hopeless, now)
        turn.drops |= {drop_of(handover.instruction) for handover in hopeless}
        answered = set(ended).union(*(one.answered for one in folded))

        def committed() -> None:
            for handover in hopeless:
                self._out.pop(handover.instruction, None)
            self._answered(answered)

        writer.on_commit(committed)

    def _answered(self, orders: Collection[int]) -> None:
        """The broker has spoken of their cancels."""
        if orders:
            self._out = {number: out for number, out in self._out.items() if out.handover.order not in orders}
            self._queue = {number: one for number, one in self._queue.items() if one.order not in orders}

    def hopeless(self, now: Micros) -> list[CancelHandover]:
        return [out.handover for out in self._out.values() if out.due <= now and out.times >= TIMES]

    def _give_up(self, writer: Writer, hopeless: Sequence[CancelHandover], now: Micros) -> None:
        for handover in hopeless:
            log.error("撤单没有回报 / the cancel of %s was never answered", handover.cancel.sid)
            why = Refusal(Code.CANCEL_UNANSWERED, value=str(TIMES))
            writer.answer(handover.instruction, InstructionState.SENT, now, handover.order, why)

    def _expect(self, handover: CancelHandover, now: Micros) -> None:
        before = self._out.get(handover.instruction)
        due = now + self._patience.get(handover.gateway, _PATIENCE)
        self._out[handover.instruction] = _Out(handover, due, before.times + 1 if before else 1)


def _by_account(cancels: Iterable[CancelHandover]) -> Counter[str]:
    return Counter(one.cancel.account_id for one in cancels)
