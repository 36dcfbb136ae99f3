"""Cancels on their way: handed over, and handed over again while the broker is silent. That does no harm: a cancel is idempotent."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from orderdrop.clock import Micros
from orderdrop.config import RemoteSettings
from orderdrop.desk import Desk
from orderdrop.faults import tell_unexpected
from orderdrop.gateway.base import Cancel
from orderdrop.instructions import CancelHandover
from orderdrop.journal.records import InstructionState, drop_of
from orderdrop.journal.writer import Writer
from orderdrop.order.errors import GatewayError
from orderdrop.order.identity import SidScope, day_number, from_day_number, wire_sid
from orderdrop.order.refusal import Code, Refusal

log = logging.getLogger(__name__)

TIMES: Final = 3
"""So often a cancel is handed over before a person has to look."""

_PATIENCE: Final = 5_000_000


class _Out(NamedTuple):
    handover: CancelHandover
    due: int
    times: int


class Cancels:
    """Used from the router's thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._patience = {
            name: round(values.confirm_timeout * 1_000_000)
            for name, values in desk.settings.gateways.items()
            if isinstance(values, RemoteSettings)
        }
        self.sent: list[int] = []  # instructions that left, not journaled yet
        self._out: dict[int, _Out] = {}
        self._failing: set[str] = set()  # gateways that take none just now; told once

    def begin(self, writer: Writer, today: date, scope: SidScope, now: Micros) -> None:
        """After a start, and every morning: those that the broker has not answered."""
        self._out = {}
        for row in writer.unanswered_cancels(day_number(today)):
            wire = wire_sid(row.sid, from_day_number(row.trade_day), scope)
            self._expect(
                CancelHandover(row.gateway, Cancel(wire, row.account_id), row.instruction, row.order_ref), now
            )

    def hand_over(self, cancels: Sequence[CancelHandover], now: Micros) -> bool:
        """Whether all of them left; those that did not are asked for again."""
        whole = True
        for gateway, group in groupby(sorted(cancels, key=attrgetter("gateway")), attrgetter("gateway")):
            handed = list(group)
            try:
                self._desk.gateways[gateway].cancel([handover.cancel for handover in handed])
            except Exception as error:  # noqa: BLE001  one gateway must not keep the cancels of others
                if not isinstance(error, GatewayError):
                    tell_unexpected(f"{gateway}: 撤单 / cancels", error)
                if gateway not in self._failing:
                    log.error("撤单没有送出,将重试 / cancels were not handed over, will try again: %s", error)
                self._failing.add(gateway)
                whole = False
                continue
            self._failing.discard(gateway)
            self.sent += [handover.instruction for handover in handed]
            for handover in handed:
                self._expect(handover, now)
        return whole

    def note(self, writer: Writer, now: Micros) -> set[int]:
        """Journal what has left; the drops that asked for it."""
        for instruction in self.sent:
            writer.mark_sent(instruction, now)
        return set(map(drop_of, self.sent))

    def answered(self, orders: Collection[int]) -> None:
        """The broker has spoken of their cancels."""
        self._out = {number: out for number, out in self._out.items() if out.handover.order not in orders}

    def again(self, now: Micros) -> list[CancelHandover]:
        """Those that have been in silence for too long, and are handed over again."""
        return [out.handover for out in self._out.values() if out.due <= now and out.times < TIMES]

    def hopeless(self, now: Micros) -> list[CancelHandover]:
        return [out.handover for out in self._out.values() if out.due <= now and out.times >= TIMES]

    def give_up(self, writer: Writer, hopeless: Sequence[CancelHandover], now: Micros) -> None:
        for handover in hopeless:
            log.error("撤单没有回报 / the cancel of %s was never answered", handover.cancel.sid)
            why = Refusal(Code.CANCEL_UNANSWERED, value=str(TIMES))
            writer.answer(handover.instruction, InstructionState.SENT, now, handover.order, why)

    def given_up(self, hopeless: Sequence[CancelHandover]) -> None:
        for handover in hopeless:
            self._out.pop(handover.instruction, None)

    def _expect(self, handover: CancelHandover, now: Micros) -> None:
        before = self._out.get(handover.instruction)
        due = now + self._patience.get(handover.gateway, _PATIENCE)
        self._out[handover.instruction] = _Out(handover, due, before.times + 1 if before else 1)
