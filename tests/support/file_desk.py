"""A workspace before a terminal, both in the tester's time: minutes pass in a moment, and every fault comes when it is wanted."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from builders import a_clock
from routed_desk import Desk

from orderdrop.audit.verify import Verified, verify
from orderdrop.config.workspace import Workspace
from orderdrop.journal.journal import reading_engine
from orderdrop.system.clock import trade_date
from orderdrop.terminal import Faults, Kind, Settings, Terminal, read_ledger

ACCOUNT = "A1"
STEP = 0.2
HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"


class FileDesk(Desk):
    """A router with a goldminer gateway, and the stand-in terminal behind it. `later` lets time pass for both."""

    def __init__(
        self,
        root: Path,
        faults: Faults | None = None,
        habits: dict | None = None,
        accounts=(ACCOUNT,),
        inbox: dict | None = None,
        limits: dict | None = None,
        **gateway,
    ) -> None:
        self.clock = a_clock()
        self.scan, self.push = root / "terminal" / "scan", root / "terminal" / "push"
        self.habits = Settings(
            self.scan,
            self.push,
            archive=root / "terminal" / "archive",
            **({"accounts": accounts} | (habits or {})),
        )
        self.terminal = Terminal(self.habits, faults)
        self.terminal.step(self.clock.now())
        self._ticks = 0.0
        settings = {
            "type": "goldminer", "live": False, "scan_dir": str(self.scan), "push_dir": str(self.push),
            "archive_dir": str(root / "terminal" / "archive"),
        }  # fmt: skip
        super().__init__(
            root, self.clock, gateways={"gm": settings | gateway}, accounts={key: {} for key in accounts},
            inbox=inbox or {}, limits=limits or {},
        )  # fmt: skip

    def prepare(self, app):
        app.desk.gateways["gm"]._output._ticks = lambda: self._ticks

    def later(
        self,
        seconds: float,
        *,
        terminal: bool = True,
        until: Callable[[], bool] | None = None,
        step: float = STEP,
    ) -> FileDesk:
        """Terminal and router take turns while time passes; ends early once `until` holds."""
        app = self.open()
        for turn in range(round(seconds / step)):
            self.clock.advance(step)
            self._ticks += step
            if turn < 5 or not app.inbox.empty:
                time.sleep(0.002)  # the inbox looks at files in real time
            if terminal:
                self.terminal.step(self.clock.now())
            app.turn(lambda _round: None)
            if until is not None and until():
                break
        app.chores.finish()
        app.chores._ending = False
        return self

    def fault(self, faults: Faults) -> None:
        """From now on the terminal has these faults, counted from now."""
        self.terminal = Terminal(self.habits, faults)

    def executed(self) -> Counter[str]:
        """How often the terminal executed each order."""
        return Counter(entry.sid for entry in read_ledger(self.push) if entry.kind is Kind.EXECUTED)

    def lost(self) -> Counter[str]:
        return Counter(entry.sid for entry in read_ledger(self.push) if entry.kind is Kind.LOST)

    def taken_by_terminal(self) -> int:
        return sum(entry.kind is Kind.TAKEN for entry in read_ledger(self.push))


def buys(count: int, first: int = 0, account: str = ACCOUNT, symbol: str = "SHSE.600000") -> str:
    return HEADER + "".join(f"S{n},{account},{symbol},100,1,1,10\n" for n in range(first, first + count))


def proof(desk: FileDesk) -> Verified:
    """The hash chain of its journal, verified."""
    engine = reading_engine("sqlite:///journal.db", desk.root)
    try:
        with engine.connect() as connection:
            return verify(connection, Workspace(desk.root, desk.inbox), trade_date(desk.clock.now()))
    finally:
        engine.dispose()
