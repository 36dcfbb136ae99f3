"""Tells a terminal its folders and habits, and the faults that it is to have."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

from orderdrop.system.clock import Micros

_SECOND: Final = 1_000_000


class Settings(NamedTuple):
    """Folders and habits. Times in seconds, cash in yuan.

    accounts: those that exist, each with a folder from the start; none named: every account exists, from its first order on.
    holdings: symbol and volume that every account holds at first, sellable at once.
    interval: between two steps of `run`. ack_delay: until the broker takes or rejects an order or a cancel. fill_delay: from
    there to a fill, and to the next. report_lag: how much later than the status execution_report.csv tells a fill.
    heartbeat: cash.csv and position.csv are written at least that often; 0: only when they change.
    manual_every: after so many rows, one order is entered by hand; 0: never.
    """

    scan: Path
    push: Path
    archive: Path | None = None
    user: str = "user"
    scan_name: str = "fileorder_s01"
    accounts: tuple[str, ...] = ()
    cash: Decimal = Decimal(1_000_000_000)
    holdings: tuple[tuple[str, int], ...] = ()
    interval: float = 0.2
    ack_delay: float = 0.05
    fill_delay: float = 0.1
    report_lag: float = 1.0
    heartbeat: float = 3.0
    manual_every: int = 0


class Stall(NamedTuple):
    """`at` seconds after the start, nothing is read or written for `seconds`."""

    at: float
    seconds: float


class Faults(NamedTuple):
    """What goes wrong. Times in seconds, counted from the first step.

    seed: decides which rows are lost or hushed and where writes are cut, and nothing else does.
    lose: the probability that a row is read and never executed. late: how much later all output is written.
    hush: the probability that an order is executed at once and its rows are written `hush_for` later, while those of its neighbours, cash
    and positions are written in time. anew_at: the files that grow are truncated, and go on behind a new header.
    torn: output is written up to somewhere in a row, the rest with the next step.
    rows_rewritten: the two appended files are written anew each time, and an order id that came later stands in earlier
    rows too, so that what stood at an offset moves.
    restart_at: the terminal ends and starts again.
    """

    seed: int = 0
    lose: float = 0.0
    stalls: tuple[Stall, ...] = ()
    late: float = 0.0
    torn: bool = False
    rows_rewritten: bool = False
    restart_at: tuple[float, ...] = ()
    hush: float = 0.0
    hush_for: float = 20.0
    anew_at: tuple[float, ...] = ()

    def chance(self, *what: object) -> float:
        """A number in [0, 1) that depends on the seed and on `what` alone."""
        name = "\0".join(map(str, (self.seed, *what)))
        return int.from_bytes(blake2b(name.encode(), digest_size=6).digest(), "big") / 2**48


def after(at: Micros, seconds: float) -> Micros:
    return Micros(at + round(seconds * _SECOND))
