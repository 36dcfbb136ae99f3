"""The terminal as a whole: one step after the other, each decided by the time alone."""

from __future__ import annotations

import threading
from collections import Counter

from orderdrop.system.clock import Clock, Micros, SystemClock, trade_date
from orderdrop.terminal.ledger import Kind
from orderdrop.terminal.session import Session
from orderdrop.terminal.settings import Faults, Settings, after


class Terminal:
    """A stand-in terminal.

    `step` does all that is due by `now`: read, execute, take away, write. A terminal made for folders in which another one
    worked before goes on with that one's orders.

    Invariants: the same steps over the same files write the same bytes; the ledger knows before the output tells.
    """

    def __init__(self, settings: Settings, faults: Faults | None = None) -> None:
        self.settings = settings
        self.faults = faults or Faults()
        self.counts: Counter[Kind] = Counter()
        """The results of the rows that were read, counted since this object was made."""
        self._start = self._last = Micros(0)
        self._restarts = sorted(self.faults.restart_at)
        self._begins = sorted(self.faults.anew_at)
        self._session: Session | None = None

    def run(self, stop: threading.Event, clock: Clock | None = None) -> None:
        """Step every `interval` seconds until told to stop."""
        clock = clock or SystemClock()
        while not stop.is_set():
            self.step(clock.now())
            stop.wait(self.settings.interval)

    def step(self, now: Micros) -> None:
        """Do what is due; a clock that was set back stands still until it has caught up."""
        now = max(now, self._last)
        if self._session is None:
            self._start = now
        elif self._stalled(now):
            return
        if self._session is None or self._restart_due(now):
            self._session = Session(self.settings, self.faults, self.counts, now)
        if self._is_over(self._begins, now):
            self._session.begin_anew()
        self._last = now
        self._session.step(now)

    def _stalled(self, now: Micros) -> bool:
        return any(
            after(self._start, stall.at) <= now < after(self._start, stall.at + stall.seconds)
            for stall in self.faults.stalls
        )

    def _restart_due(self, now: Micros) -> bool:
        return self._is_over(self._restarts, now) or trade_date(now) != trade_date(self._last)

    def _is_over(self, times: list[float], now: Micros) -> bool:
        """Whether any of these has come; it comes once."""
        due = False
        while times and after(self._start, times[0]) <= now:
            del times[0]
            due = True
        return due
