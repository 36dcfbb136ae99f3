"""A bench for the stand-in terminal: its folders, and the clock in the tester's hand."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from builders import a_clock

from orderdrop.system.clock import FixedClock
from orderdrop.terminal import Faults, Kind, Settings, Terminal, read_ledger

ORDERS = "sid,account_id,symbol,volume,order_type,order_business(order_biz),price,comment"
CANCELS = "sid,comment"
GOOD = "SHSE.600000,100,1,1,10.00,"
PENDING = "SHSE.018014,10,1,1,100,"


class Bench:
    """A terminal on two folders, and the clock in the tester's hand."""

    def __init__(self, folder: Path, faults: Faults | None = None, **settings) -> None:
        self.scan, self.push = folder / "in", folder / "out"
        self.scan.mkdir(parents=True, exist_ok=True)
        self.settings = Settings(self.scan, self.push, **settings)
        self.faults = faults
        self.clock: FixedClock = a_clock()
        self.begin_anew()

    def begin_anew(self) -> None:
        """As after a kill: nothing survives but the files."""
        self.terminal = Terminal(self.settings, self.faults)

    def put(self, name: str, *rows: str, header: str = ORDERS, fin: bool = True, bom: bool = True) -> None:
        text = "\n".join([header, *rows, ""])
        (self.scan / name).write_text(text, encoding="utf-8-sig" if bom else "utf-8", newline="")
        if fin:
            (self.scan / f"{name}.fin").touch()

    def step(self, seconds: float = 0.0) -> None:
        """Let time pass, then do one step."""
        self.clock.advance(seconds)
        self.terminal.step(self.clock.now())

    def settle(self) -> None:
        """Two steps a second for five seconds: every delay without a fault is over."""
        for _ in range(10):
            self.step(0.5)

    def read(self, name: str, account: str = "A1") -> list[dict[str, str]]:
        path = self.push / account / f"{name}.csv"
        if not path.exists():
            return []
        return list(csv.DictReader(StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))

    def statuses(self, sid: str, name: str = "order_status") -> list[str]:
        return [row["status"] for row in self.read(name) if row["sid"] == sid]

    def sids(self, kind: Kind) -> list[str]:
        return [entry.sid for entry in read_ledger(self.push) if entry.kind is kind]


def rows_of(count: int, order: str = f"A1,{GOOD}") -> list[str]:
    return [f"S{number},{order}" for number in range(count)]
