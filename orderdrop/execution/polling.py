"""Asks each gateway what its broker has told since the last time, and hands that to the folding (execution/reports.py)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from orderdrop.accounts.routing import Routing
from orderdrop.config.gateways import GoldminerSettings
from orderdrop.domain.report import Report
from orderdrop.errors import GatewayError
from orderdrop.execution.reports import Folded, cursor_key, fold
from orderdrop.execution.turn import Turn
from orderdrop.gateway.base import Cursor, Gateway
from orderdrop.journal.writer import Writer
from orderdrop.system.clock import Clock, Micros, trade_date
from orderdrop.system.faults import tell_unexpected, words

log = logging.getLogger(__name__)

POLL_LIMIT: Final = 2000


class Told(NamedTuple):
    """Reports of one gateway, and where the next poll goes on once they are journaled."""

    reports: Sequence[Report]
    cursor: Cursor


class Reports:
    """Used from the router's thread. A gateway that cannot be polled keeps no other one from being heard.

    deaf: gateways that cannot be polled, and why. heard: when each was polled last. behind: one has more to tell than a poll takes.
    """

    def __init__(self, desk: Routing, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock
        self._scan_names = {
            name: values.scan_name
            for name, values in desk.settings.gateways.items()
            if isinstance(values, GoldminerSettings)
        }
        self._cursors: dict[str, Cursor] = {}
        self.deaf: dict[str, str] = {}
        self.heard: dict[str, int] = {}
        self.behind = False

    def begin(self, writer: Writer) -> None:
        """Goes on where the journal says that the last life of the router has come to."""
        self._cursors = {
            name: Cursor(writer.get_meta(cursor_key(name)) or "") for name in self._desk.gateways
        }

    def listen_first(self) -> None:
        """Reads what the terminals have told, and journals none of it yet: how far, is noted with the first order that leaves."""
        for name, gateway in self._desk.gateways.items():
            try:
                gateway.poll(self._cursors[name], 0)
            except GatewayError as error:
                log.warning("%s: %s", name, error)

    def poll(self) -> dict[str, Told]:
        polled = {name: self._poll(gateway) for name, gateway in self._desk.gateways.items()}
        told = {name: one for name, one in polled.items() if one.reports}
        self.behind = any(len(one.reports) >= POLL_LIMIT for one in told.values())
        return told

    def fold(self, writer: Writer, turn: Turn, told: Mapping[str, Told], now: Micros) -> dict[str, Folded]:
        """Journals the reports, and what they change."""
        today = trade_date(now)
        folded = {
            name: fold(writer, name, one.reports, one.cursor, now, today, self._scan_names.get(name, ""))
            for name, one in told.items()
        }
        for one in folded.values():
            turn.orders |= one.orders
            turn.drops |= one.drops
            turn.accounts |= one.accounts
        writer.on_commit(lambda: self._cursors.update({name: one.cursor for name, one in told.items()}))
        return folded

    def _poll(self, gateway: Gateway) -> Told:
        cursor = self._cursors.get(gateway.name, Cursor(""))
        try:
            found = Told(*gateway.poll(cursor, POLL_LIMIT))
        except Exception as error:  # noqa: BLE001  one gateway must not keep the others from being heard
            if not isinstance(error, GatewayError):
                tell_unexpected(f"{gateway.name}: 读回报 / reading reports", error)
            if gateway.name not in self.deaf:
                log.error("读不到回报 / no reports from %s: %s", gateway.name, error)
            self.deaf[gateway.name] = str(error) if isinstance(error, GatewayError) else words(error)
            return Told([], cursor)
        self.heard[gateway.name] = self._clock.now()
        if self.deaf.pop(gateway.name, None) is not None:
            log.warning("又能读到回报 / reports again from %s", gateway.name)
        return found
