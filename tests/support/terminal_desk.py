"""A desk before a stand-in terminal: the router and the terminal take turns, in the test's hand."""

from __future__ import annotations

import time
from pathlib import Path

from routed_desk import Desk

from orderdrop.system.clock import Clock, SystemClock
from orderdrop.terminal import Faults, Settings, Terminal

ACCOUNT = "1a66e81c-ae5d-11ec-aef5-00163e0a4100"
ALIAS = "main"


class TerminalDesk(Desk):
    """`terminal.step` runs whenever the desk turns, unless it is asleep."""

    def __init__(
        self,
        root: Path,
        clock: Clock | None = None,
        faults: Faults | None = None,
        *,
        archive: bool = True,
        gateway: dict | None = None,
        **settings,
    ) -> None:
        self.scan, self.push, self.kept_by_terminal = (
            root / "gm" / name for name in ("scan", "push", "archive")
        )
        for folder in (self.scan, self.push, self.kept_by_terminal):
            folder.mkdir(parents=True)
        habits = Settings(
            self.scan, self.push, self.kept_by_terminal if archive else None, accounts=(ACCOUNT,),
            ack_delay=0, fill_delay=0, report_lag=0, heartbeat=0,
        )  # fmt: skip
        self.clock = clock or SystemClock()
        self._habits, self._faults = habits, faults
        self.restart_terminal()
        self.asleep = False
        own = {
            "type": "goldminer", "live": False, "scan_dir": str(self.scan), "push_dir": str(self.push),
            "archive_dir": str(self.kept_by_terminal) if archive else None,
        }  # fmt: skip
        super().__init__(
            root,
            clock,
            gateways={"gm": own | (gateway or {})},
            accounts={ACCOUNT: {"alias": ALIAS}},
            **settings,
        )

    def restart_terminal(self) -> None:
        """As people do every morning."""
        self.terminal = Terminal(self._habits, self._faults)

    def until(self, done, seconds: float = 60) -> None:
        """Take turns until `done()`."""
        app, deadline = self.open(), time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, (self.statuses(), self.in_scan())
            if not self.asleep:
                self.terminal.step(self.clock.now())
            app.turn(lambda _round: None)
            time.sleep(0.01)

    def in_scan(self) -> list[str]:
        return sorted(path.name for path in self.scan.iterdir())

    def told(self) -> list[str]:
        """The output files of the account."""
        return sorted(path.name for path in (self.push / ACCOUNT).iterdir())
