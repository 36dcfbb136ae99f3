"""Orders that are said to be filled before their fills are told: execution_report.csv lags [W], so they are waited for, not for ever."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Final

from orderdrop.clock import Micros
from orderdrop.collection import FILLS_AWAITED
from orderdrop.config import RemoteSettings
from orderdrop.desk import Desk
from orderdrop.journal.writer import Writer
from orderdrop.order.refusal import Code, Refusal
from orderdrop.order.status import Status

log = logging.getLogger(__name__)

_PATIENCE: Final = 30_000_000
"""Microseconds, for a gateway that has no setting of it."""


class AwaitedFills:
    """Used from the router's thread. Until their fills add up, such orders stand as partially filled."""

    def __init__(self, desk: Desk) -> None:
        self._patience = {
            name: round(values.fills_timeout * 1_000_000)
            for name, values in desk.settings.gateways.items()
            if isinstance(values, RemoteSettings)
        }
        self._until: dict[int, int] = {}

    @property
    def orders(self) -> Collection[int]:
        return self._until.keys()

    def begin(self, writer: Writer) -> None:
        """After a start, and every morning: the journal remembers them, those of earlier days as well."""
        self._until = {}
        for order, gateway, at in writer.awaiting_fills(FILLS_AWAITED):
            self._expect(order, gateway, at)

    def note(self, gateway: str, told: Mapping[int, int]) -> None:
        """told: orders that were said to be filled, and when we heard it."""
        for order, at in told.items():
            self._expect(order, gateway, at)

    def due(self, now: Micros) -> list[int]:
        return [order for order, until in self._until.items() if until <= now]

    def write(self, writer: Writer, due: Collection[int], now: Micros) -> set[int]:
        """Those whose fills still lack are filled all the same, and say so."""
        missing = [found for found in writer.standings(list(due)).values() if found.closed_at is None]
        for found in missing:
            why = Refusal(Code.FILLS_MISSING, "volume", str(found.filled_volume), str(found.volume))
            writer.move([found.id], Status.FILLED, now, "router", why, closed_at=now)
            writer.answer_cancels(found.id, now, Refusal(Code.CANCEL_FINISHED, bound=Status.FILLED))
        return {found.id for found in missing}

    def done(self, due: Collection[int]) -> None:
        for order in due:
            self._until.pop(order, None)

    def _expect(self, order: int, gateway: str, at: int) -> None:
        self._until.setdefault(order, at + self._patience.get(gateway, _PATIENCE))
