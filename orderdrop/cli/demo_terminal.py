"""Plays the demo before a terminal: baskets go to a stand-in that loses rows, and its ledger says what really arrived."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from orderdrop import client
from orderdrop.cli.context import Place, logged
from orderdrop.config.workspace import SETTINGS_FILE
from orderdrop.domain.identity import day_number
from orderdrop.domain.status import AT_BROKER, TERMINAL, Status
from orderdrop.errors import OrderdropError
from orderdrop.service.app import ONCE_AT_MOST, App
from orderdrop.terminal import Kind, read_ledger

_ACCOUNT: Final = "demo"
_BASKETS: Final = 4
_BASKET: Final = 25
_SEED: Final = 7
_FILLS: Final = 5.0
"""Seconds that fills may come behind the confirmation."""

_UNFILLED: Final = frozenset({Status.NEW, Status.PARTIALLY_FILLED})
_START: Final = 20.0
"""Seconds until a terminal that has shown nothing is taken to have failed."""

_SETTINGS: Final = f"""\
# The demo's settings; `orderdrop init` writes a file with all of them. 演示用的设置
[inbox]
settle = 0.1
archive_after = 0.2

[gateways.terminal]
type = "goldminer"
live = false                # 仿真终端 a stand-in
scan_dir = "terminal/scan"
push_dir = "terminal/push"
archive_dir = "terminal/archive"
confirm_timeout = 2
resend = "auto"             # 证明漏单后自动重发 what is proven lost goes once more

[accounts.{_ACCOUNT}]
"""


class Fate(NamedTuple):
    """The result of an order. lost, executed: how often the terminal lost or executed it, by its own ledger; status: by our journal."""

    sid: str
    lost: int
    executed: int
    status: Status

    @property
    def arrived(self) -> bool:
        """Executed once, and we know it."""
        return self.executed == 1 and self.status in AT_BROKER

    @property
    def in_doubt(self) -> bool:
        """Not confirmed, and told as such: it counts as live, and is never sent again on a guess."""
        return self.executed <= 1 and self.status not in AT_BROKER | TERMINAL


class Outcome(NamedTuple):
    fates: tuple[Fate, ...]
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether every order arrived exactly once."""
        return all(fate.arrived for fate in self.fates)

    @property
    def as_expected(self) -> bool:
        """Nothing doubled, and nothing missing that is not told."""
        return all(fate.arrived or fate.in_doubt for fate in self.fates)

    @property
    def troubled(self) -> list[Fate]:
        """Orders that did not simply arrive."""
        return [fate for fate in self.fates if fate.lost or not fate.arrived]

    def data(self) -> dict[str, Any]:
        """What `--json` prints."""
        fates = self.fates
        return {
            "orders": len(fates),
            "handed_over": sum(fate.lost + fate.executed for fate in fates),
            "lost_by_terminal": sum(fate.lost for fate in fates),
            "arrived_once": sum(fate.arrived for fate in fates),
            "doubled": [fate.sid for fate in fates if fate.executed > 1],
            "in_doubt": [fate.sid for fate in fates if fate.in_doubt],
            "troubled": [fate._asdict() for fate in self.troubled],
            "seconds": round(self.seconds, 1),
            "complete": self.complete,
            "as_expected": self.as_expected,
        }


def play(place: Place, lose: float, at_most: float = ONCE_AT_MOST) -> Outcome:
    """Baskets to a terminal that runs as a process of its own, until every order is confirmed, `at_most` seconds."""
    (place.root / SETTINGS_FILE).write_text(_SETTINGS, encoding="utf-8")
    place.workspace.make()
    folder = place.root / "terminal"
    for name in ("scan", "push", "archive"):
        (folder / name).mkdir(parents=True)
    began = time.monotonic()
    with _terminal(folder, lose), logged(place), App(place.settings, place.workspace) as app:
        for number in range(1, _BASKETS + 1):
            client.drop(list(_basket(number)), place.root, name=f"basket-{number}.csv")
        app.run_once(at_most=at_most)
        _wait_for_fills(app, place)
    return Outcome(_fates(place, folder / "push"), time.monotonic() - began)


def _basket(number: int) -> Iterator[dict[str, Any]]:
    for row in range(1, _BASKET + 1):
        code = f"SHSE.6000{row:02}"
        sid = f"DEMO-{number}-{row:02}"
        yield {"sid": sid, "symbol": code, "volume": 100 * number, "order_business": 1, "price": "10.35"}


@contextlib.contextmanager
def _terminal(folder: Path, lose: float) -> Iterator[None]:
    """The stand-in, started and ended. Raises OrderdropError when it does not start."""
    log = folder / "terminal.log"
    words = {"scan": "scan", "push": "push", "archive": "archive"}
    folders = [part for option, name in words.items() for part in (f"--{option}", str(folder / name))]
    options = ["--account", _ACCOUNT, "--lose", str(lose), "--seed", str(_SEED)]
    command = [sys.executable, "-m", "orderdrop.terminal", *folders, *options]
    with log.open("wb") as told:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=told, stderr=told)  # noqa: S603
        try:
            _wait_for(folder / "push" / _ACCOUNT, process, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for_fills(app: App, place: Place) -> None:
    deadline = time.monotonic() + _FILLS
    while time.monotonic() < deadline and any(order.status in _UNFILLED for order in _orders(place)):
        app.turn(lambda _turn: None)
        app.inbox.wait(0.1)


def _wait_for(sign: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START
    while not sign.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise OrderdropError(f"仿真终端没有启动，见 / the stand-in terminal did not start, see {log}")
        time.sleep(0.05)


def _fates(place: Place, push: Path) -> tuple[Fate, ...]:
    """What the terminal's ledger says, beside what the journal says."""
    entries = read_ledger(push)
    lost, executed = (_count(entries, kind) for kind in (Kind.LOST, Kind.EXECUTED))
    return tuple(Fate(o.sid, lost[o.sid], executed[o.sid], Status(o.status)) for o in _orders(place))


def _orders(place: Place) -> list[Any]:
    with place.journal() as reading:
        return list(reading.orders_of_day(day_number(place.today))) if reading else []


def _count(entries: Iterable[Any], kind: Kind) -> Counter[str]:
    return Counter(entry.sid for entry in entries if entry.kind is kind)
