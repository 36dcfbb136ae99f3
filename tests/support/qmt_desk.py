"""A MiniQMT gateway over a broker of this process, and its lives one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import xtquant_native
from builders import ACCOUNT, a_clock, an_outgoing
from xtquant_broker import Broker, Habits

from orderdrop.config.gateways import MiniqmtSettings
from orderdrop.domain.report import Fill, Report, StatusReport
from orderdrop.domain.status import Status
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Batch, Cursor, Trace
from orderdrop.gateway.miniqmt.gateway import MiniqmtGateway

SECONDS = 60
"""After so long a test gives up."""


class Desk:
    """`clock` stands still but for what a test, or `until`, advances it by. `handed`: what the journal would remember."""

    def __init__(self, folder: Path, habits: Habits | None = None, **over) -> None:
        xtquant_native.install()
        self.folder, self.over = folder, over
        self.clock = a_clock()
        self.broker = Broker(self.clock)
        self.habits = self.broker.habits = habits or Habits()
        self.broker.serve(folder)
        self.handed: list[Batch] = []
        self.gateway = self.life()

    def life(self, *, remembers: bool = True) -> MiniqmtGateway:
        values = {
            "live": False,
            "userdata_dir": self.folder,
            "answer_timeout": 0.2,
            "connect_timeout": 60.0,
        } | self.over
        gateway = MiniqmtGateway("qmt", MiniqmtSettings(**values), [ACCOUNT], self.clock)
        gateway.open()
        if remembers:
            gateway.remember(self.handed)
        return gateway

    def reborn(self, *, remembers: bool = True) -> MiniqmtGateway:
        self.gateway.close()
        self.gateway = self.life(remembers=remembers)
        return self.gateway

    def close(self) -> None:
        self.gateway.close()
        self.broker.close()

    # doing

    def batch(self, *sids: str, **over) -> Batch:
        content = self.gateway.encode(an_outgoing(sid=sid, **over) for sid in sids)
        batch = Batch(len(self.handed) + 1, content, self.gateway.places())
        self.handed.append(batch)
        return batch

    def submit(self, *sids: str, **over) -> Batch:
        """The fault of a hand-over is the router's to note; `settle` tells what came of it."""
        batch = self.batch(*sids, **over)
        try:
            self.gateway.submit(batch)
        except GatewayError as error:
            self.fault = str(error)
        return batch

    fault = ""

    def until(self, true: Callable[[], bool], *, passing: bool = False) -> None:
        """Let the router poll until something is so; passing: time goes by, faster than ours."""
        deadline = time.monotonic() + SECONDS
        while not true():
            assert time.monotonic() < deadline, self.reports()
            self.clock.advance(0.1 if passing else 0)
            self.reports()
            time.sleep(0.001)

    def rounds(self, count: int, apart: float = 5.0) -> None:
        """So many full queries."""
        for _ in range(count):
            self.clock.advance(apart)
            self.until(lambda: self.gateway.account(ACCOUNT).at == self.clock.now())

    # looking

    def reports(self) -> list[Report]:
        return self.gateway.poll(Cursor(""), 1_000_000)[0]

    def statuses(self, sid: str) -> list[Status]:
        return [r.status for r in self.reports() if isinstance(r, StatusReport) and r.sid == sid]

    def is_told(self, sid: str, status: Status) -> Callable[[], bool]:
        return lambda: status in self.statuses(sid)

    def fills(self, sid: str) -> list[Fill]:
        return [r for r in self.reports() if isinstance(r, Fill) and r.sid == sid]

    def trace(self, batch: Batch, *sids: str, since: int = 0) -> Trace:
        return self.gateway.trace(batch, sids, since)

    def at_broker(self, count: int) -> list[str]:
        """The keys that the broker was given, in their order, as they were sent, once there are so many."""
        self.until(lambda: len(self.broker.received) >= count)
        return [one.remark_sent for one in self.broker.received]


@contextmanager
def desks(folder: Path) -> Iterator[Callable[..., Desk]]:
    """Makes desks; all are closed at the end."""
    made: list[Desk] = []

    def make(**over) -> Desk:
        made.append(Desk(folder, **over))
        return made[-1]

    yield make
    for desk in made:
        desk.close()
