"""Orders whose fills are not those that the broker tells of, whatever their status: execution_report.csv lags [W], so they are waited for, not for ever.

What still does not add up then is said: FILLS_MISSING, or FILLS_BEYOND where there are more of them than the broker knows of.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Final

from orderdrop.accounts.routing import Routing
from orderdrop.config.gateways import RemoteSettings
from orderdrop.domain.codes import UNEVEN
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.status import Status
from orderdrop.execution.reports import FILLS_AWAITED, Folded
from orderdrop.execution.turn import Turn
from orderdrop.journal.writer import Writer
from orderdrop.system.clock import Micros

log = logging.getLogger(__name__)

_PATIENCE: Final = 30_000_000
"""Microseconds, for a gateway that has no setting of it."""


class AwaitedFills:
    """Used from the router's thread. Until their fills add up, such orders stand as partially filled."""

    def __init__(self, desk: Routing) -> None:
        self._patience = {
            name: round(values.fills_timeout * 1_000_000)
            for name, values in desk.settings.gateways.items()
            if isinstance(values, RemoteSettings)
        }
        self._until: dict[int, int] = {}
        self._whole: set[int] = set()

    @property
    def orders(self) -> Collection[int]:
        """Those that are filled, the broker says, and stand as partially filled until their fills add up."""
        return self._whole & self._until.keys()

    @property
    def waiting(self) -> bool:
        return bool(self._until)

    def begin(self, writer: Writer) -> None:
        """After a start, and every morning: the journal remembers them, those of earlier days as well."""
        self._until, self._whole = {}, set()
        awaited = writer.awaiting_fills(FILLS_AWAITED, UNEVEN)
        standings = writer.standings([order for order, _gateway, _at in awaited])
        for order, gateway, at in awaited:
            told = standings[order].told_volume
            self._expect(order, gateway, at, whole=told is None or standings[order].told_whole)

    def note(self, gateway: str, uneven: Mapping[int, bool], even: Collection[int], now: int) -> None:
        """uneven: orders of which one of the two figures has moved, and whether the broker says that they are filled. even: those that add up now."""
        self.done(even)
        for order, whole in uneven.items():
            self._expect(order, gateway, now, whole=whole)

    def due(self, now: Micros) -> list[int]:
        return [order for order, until in self._until.items() if until <= now]

    def write(self, writer: Writer, due: Collection[int], now: Micros) -> dict[int, bool]:
        """Those whose fills still lack, or are too many, say so; what is filled, says the broker, is filled all the same: by order, whether it ended."""
        changed = {}
        for found in writer.standings(list(due)).values():
            # An order of an earlier version's journal is here because it was said to be filled.
            told = found.volume if found.told_volume is None else found.told_volume
            if told == found.filled_volume or found.given_up:
                continue
            code = Code.FILLS_MISSING if found.filled_volume < told else Code.FILLS_BEYOND
            why = Refusal(code, "volume", str(found.filled_volume), str(told))
            if found.closed_at is None and told >= found.volume > found.filled_volume:
                writer.move([found.id], Status.FILLED, now, "router", why, closed_at=now)
                writer.answer_cancels(found.id, now, Refusal(Code.CANCEL_FINISHED, bound=Status.FILLED))
                changed[found.id] = True
            elif (
                max(told, found.filled_volume) <= found.volume
            ):  # what is more than was ordered is said as that
                writer.fills_differ(found.id, why, now)
                changed[found.id] = False
        return changed

    def follow_up(
        self, writer: Writer, turn: Turn, due: Collection[int], folded: Mapping[str, Folded], now: Micros
    ) -> list[int]:
        """Writes those that were waited for in vain, and waits for those that the reports have moved. Returns the orders that ended so."""
        uneven = self.write(writer, due, now)
        turn.orders |= uneven.keys()

        def committed() -> None:
            self.done(due)
            for name, one in folded.items():
                self.note(name, one.uneven, one.even, now)

        writer.on_commit(committed)
        return [order for order, ended in uneven.items() if ended]

    def done(self, due: Collection[int]) -> None:
        for order in due:
            self._until.pop(order, None)
            self._whole.discard(order)

    def _expect(self, order: int, gateway: str, at: int, *, whole: bool) -> None:
        self._until[order] = at + self._patience.get(gateway, _PATIENCE)
        if whole:
            self._whole.add(order)
        else:
            self._whole.discard(order)
