"""The gateways that the contract is held against. A new gateway adds a `Surroundings` here, and no test.

Every one of them answers 掘金's simulated symbols alike (docs/protocol.md, section 1): the paper broker by itself, a terminal
through a stand-in.
"""

from __future__ import annotations

import json
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import date, datetime
from datetime import time as time_of_day
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import xtdata_native
import xtquant_native
from builders import ACCOUNT, a_clock
from gm_terminal import GmTerminal
from xtquant_broker import Broker

from orderdrop.config.gateways import GoldminerSettings, MiniqmtSettings, PaperSettings
from orderdrop.domain.board import board_of
from orderdrop.domain.report import Fill, Report, StatusReport
from orderdrop.domain.status import Status
from orderdrop.gateway.base import Batch, Cursor, Gateway, Outgoing
from orderdrop.gateway.goldminer.gateway import GoldminerGateway
from orderdrop.gateway.miniqmt.codes import stock_code
from orderdrop.gateway.miniqmt.gateway import MiniqmtGateway
from orderdrop.gateway.paper.gateway import PaperGateway
from orderdrop.system.clock import SHANGHAI, from_datetime
from orderdrop.terminal import Settings, Terminal

FILLS, TWO_FILLS, HALF, PENDING, REJECTED, STUCK = (
    "SZSE.000725",
    "SZSE.000002",
    "SZSE.000001",
    "SHSE.018014",
    "SZSE.000010",
    "SZSE.000008",
)
OPENING_CASH = Decimal(1_000_000)
OPENING_SHARES = {FILLS: 1000}
GM_KINDS = {"stock": 1010, "fund": 1020, "bond": 1030}


class Listed(NamedTuple):
    """A security as a terminal is made to know it; prices as the exchange writes them."""

    symbol: str
    close: float = 0
    lower: float = 0
    upper: float = 0
    tick: float = 0.01
    st: bool = False
    suspended: bool = False


class Surroundings(ABC):
    """What a gateway needs around it, in one folder that outlives the gateway."""

    answers_unknown_cancels = True
    has_silence = True
    """Its broker is another program, which may be late; a built-in one confirms as it takes."""

    tells_history = True
    """After a restart it tells every change again; else where each order stands, and its fills."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = a_clock()
        self.handed: list[Batch] = []

    @abstractmethod
    def gateway(self) -> Gateway:
        """A new instance over the same folder, not opened yet."""

    def life(self) -> Gateway:
        """The next life of the process: opened, and told what was handed over before."""
        gateway = self.gateway()
        gateway.open()
        gateway.remember(self.handed)
        return gateway

    def roll_back(self) -> None:  # noqa: B027  most keep nothing of their own that is not the broker's
        """Between two lives: the gateway's own files are as they were before anything was handed over, the terminal's are not."""

    def lose_orders(self) -> bool:
        """From now on, what is handed over is taken and never executed nor told. False: it cannot be made to."""
        return False

    def list_securities(self, day: date, listed: Sequence[Listed]) -> None:
        """The terminal knows these securities, as of that day. Before that, it tells none. For gateways that deliver instruments."""
        raise NotImplementedError

    def hang(self, day: date, listed: Sequence[Listed]) -> None:
        """The same, but the terminal does not answer who asks for them."""
        raise NotImplementedError

    def close(self) -> None:  # noqa: B027  most have nothing to close
        """Let go of what stands around the gateway."""

    def terminal_works(self) -> None:  # noqa: B027  nothing to do for a broker that is built in
        """Let a terminal of another process do what it has to do, before the next poll."""


class PaperSurroundings(Surroundings):
    has_silence = False

    def gateway(self) -> Gateway:
        settings = PaperSettings(cash=OPENING_CASH, positions=OPENING_SHARES)
        return PaperGateway("paper", settings, self.folder, self.folder / "quotes.csv", self.clock)


class GoldminerSurroundings(Surroundings):
    """A stand-in terminal on two folders. Staging was used before, so what it does not remember did not happen."""

    answers_unknown_cancels = False  # a cancel file names no account, so there is no file for the answer

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        habits = Settings(
            folder / "scan",
            folder / "push",
            archive=folder / "archive",
            cash=OPENING_CASH,
            holdings=tuple(OPENING_SHARES.items()),
        )
        self.terminal = Terminal(habits)
        self.terminal.step(self.clock.now())
        earlier = self.gateway()
        earlier.open()
        earlier.poll(Cursor(""), 1)
        earlier.close()
        self._staging = {
            path.relative_to(folder): path.read_bytes()
            for path in (folder / "scan.orderdrop").rglob("*")
            if path.is_file()
        }

    def roll_back(self) -> None:
        shutil.rmtree(self.folder / "scan.orderdrop")
        for path, content in self._staging.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(content)

    def gateway(self) -> Gateway:
        settings = GoldminerSettings(
            live=False,
            scan_dir=self.folder / "scan",
            push_dir=self.folder / "push",
            archive_dir=self.folder / "archive",
        )
        return GoldminerGateway("gm", settings, [ACCOUNT], self.clock)

    def terminal_works(self) -> None:
        for _ in range(10):
            self.clock.advance(0.5)
            self.terminal.step(self.clock.now())


class GmSurroundings(Surroundings):
    """The vendor's package in the worker process, its native half replaced by a book in a file. The gateway's own file is not new."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.terminal = GmTerminal(folder, self.clock, OPENING_SHARES)
        self._alive: Gateway | None = None
        earlier = self.gateway()
        earlier.open()
        earlier.poll(Cursor(""), 1)
        earlier.close()
        self._kept = {path: path.read_bytes() for path in folder.glob("gm-*.db")}

    def roll_back(self) -> None:
        for path in self.folder.glob("gm-*.db*"):
            path.unlink()
        for path, content in self._kept.items():
            path.write_bytes(content)

    def gateway(self) -> Gateway:
        self._alive = self.terminal.gateway()
        return self._alive

    def list_securities(self, day: date, listed: Sequence[Listed]) -> None:
        at = from_datetime(datetime.combine(day, time_of_day(), SHANGHAI))
        told = [
            {
                "at": at,
                "pre_close": one.close,
                "lower_limit": one.lower,
                "upper_limit": one.upper,
                "is_st": one.st,
                "is_suspended": one.suspended,
                "info": {
                    "symbol": one.symbol,
                    "exchange": one.symbol[:4],
                    "price_tick": one.tick,
                    "sec_type1": GM_KINDS[board_of(one.symbol).kind],
                },
            }
            for one in listed
        ]
        (self.folder / "symbols.json").write_text(json.dumps(told))

    def hang(self, day: date, listed: Sequence[Listed]) -> None:
        self.list_securities(day, listed)
        self.terminal.book.fail("symbols", "hang")

    def terminal_works(self) -> None:
        for _ in range(9):
            self.terminal.advance(0.6)
            if self._alive is not None:
                self._alive.poll(Cursor(""), 0)


class MiniqmtSurroundings(Surroundings):
    """The vendor's own Python over a stand-in for its native module."""

    tells_history = False

    def __init__(self, folder: Path) -> None:
        xtquant_native.install()
        super().__init__(folder)
        self.broker = Broker(self.clock, OPENING_CASH, OPENING_SHARES)
        self.broker.serve(folder)

    def gateway(self) -> Gateway:
        settings = MiniqmtSettings(live=False, userdata_dir=self.folder)
        self._gateway = MiniqmtGateway("qmt", settings, [ACCOUNT], self.clock)
        self._gateway._enquiry._command = xtdata_native.command(self.folder)
        return self._gateway

    def list_securities(self, day: date, listed: Sequence[Listed]) -> None:
        xtdata_native.write(self.folder, _details(day, listed))

    def hang(self, day: date, listed: Sequence[Listed]) -> None:
        xtdata_native.write(self.folder, _details(day, listed), fault="hang")

    def terminal_works(self) -> None:
        """Full queries that were asked now have brought everything before them, and what the first one has set off."""
        for _ in range(2):
            self.clock.advance(5)
            deadline = time.monotonic() + 60
            while not self._is_fresh():
                assert time.monotonic() < deadline, "the stand-in does not answer"
                time.sleep(0.001)

    def _is_fresh(self) -> bool:
        self._gateway.poll(Cursor(""), 1)
        account = self._gateway.account(ACCOUNT)
        return account is not None and account.at == self.clock.now()

    def lose_orders(self) -> bool:
        self.broker.habits.unlisted = set(range(1, 10_000))
        return True

    def close(self) -> None:
        self.broker.close()


def _details(day: date, listed: Sequence[Listed]) -> dict[str, dict[str, object]]:
    return {
        stock_code(one.symbol): {
            "InstrumentName": "*ST 浦发" if one.st else "浦发银行",
            "TradingDay": f"{day:%Y%m%d}",
            "PreClose": one.close,
            "DownStopPrice": one.lower,
            "UpStopPrice": one.upper,
            "PriceTick": one.tick,
            "InstrumentStatus": int(one.suspended),
            "ExtendInfo": {"OptionType": -1},
        }
        for one in listed
    }


SURROUNDINGS: dict[str, Callable[[Path], Surroundings]] = {
    "paper": PaperSurroundings,
    "goldminer": GoldminerSurroundings,
    "gm": GmSurroundings,
    "miniqmt": MiniqmtSurroundings,
}


class Heard(NamedTuple):
    """What a gateway told, and how far."""

    reports: list[Report]
    cursor: Cursor

    def statuses(self, sid: str) -> list[Status]:
        """Without PENDING_NEW, which some terminals tell first."""
        return [r.status for r in self.status_reports(sid) if r.status is not Status.PENDING_NEW]

    def status_reports(self, sid: str) -> list[StatusReport]:
        return [r for r in self.reports if isinstance(r, StatusReport) and r.sid == sid]

    def fills(self, sid: str) -> list[Fill]:
        return [r for r in self.reports if isinstance(r, Fill) and r.sid == sid]


def hear(around: Surroundings, gateway: Gateway, after: Cursor = Cursor(""), limit: int = 3) -> Heard:  # noqa: B008
    """Everything behind `after`, asked for in small portions."""
    around.terminal_works()
    heard: list[Report] = []
    while True:
        reports, after = gateway.poll(after, limit)
        if not reports:
            return Heard(heard, after)
        heard += reports


def hand_over(around: Surroundings, gateway: Gateway, orders: Sequence[Outgoing], batch_id: int = 1) -> Batch:
    batch = Batch(batch_id, gateway.encode(orders), gateway.places())
    around.handed.append(batch)
    gateway.submit(batch)
    return batch
