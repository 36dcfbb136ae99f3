"""What is measured, one function each: rounds of floor and orderdrop in turn, every round in new processes, medians."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import old_journal
import workload
from subject import RESULT

FLOOR, OURS, TUPLE = (
    Path(__file__).with_name(name) for name in ("floor.py", "ours.py", "tuple_of_checks.py")
)
_AT_MOST = 300  # seconds that a subject may take
_TICK = 0.05  # a file system's clock is coarse: a rename right after the writing cannot be told from it later
_EVENTS_EACH = 2  # submitting, submitted


class Sizes(NamedTuple):
    """How much of everything. old: orders of earlier days in the old journal."""

    rounds: int
    singles: int
    burst: int
    stream: int
    old: int
    large: int
    archived: int
    idle_seconds: float
    stream_rounds: int


FULL = Sizes(7, 300, 1000, 100_000, 5_000_000, 1_000_000, 50_000, 12, 5)
QUICK = Sizes(3, 60, 300, 20_000, 200_000, 50_000, 5_000, 4, 2)


class Figure(NamedTuple):
    """One line of the table. compared: the floor's figure, or what else `value` is set against. met: None without a target."""

    name: str
    unit: str
    value: float
    compared: float | None
    ratio: float | None
    target: str
    met: bool


@dataclass
class Bench:
    """The temporary folder of a run, and the old journal in it, made when it is first asked for."""

    sizes: Sizes
    folder: Path
    _old: Path | None = None
    _count: int = field(default=0)

    def workspace(self) -> Path:
        self._count += 1
        root = self.folder / f"round-{self._count}"
        for name in ("inbox", "made"):
            (root / name).mkdir(parents=True)
        return root

    def old_workspace(self) -> Path:
        """A workspace whose journal holds five million orders: a fresh copy, so that no round feels the one before."""
        if self._old is None:
            self._old = self.workspace()
            old_journal.build(self._old, self.sizes.old)
        root = self.workspace()
        shutil.copyfile(self._old / "journal.db", root / "journal.db")
        os.sync()
        return root


class Running(NamedTuple):
    process: subprocess.Popen[str]
    root: Path
    started: int


@contextmanager
def bench(sizes: Sizes) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="orderdrop-bench-") as folder:
        yield Bench(sizes, Path(folder))


# the subjects


@contextmanager
def running(subject: Path, root: Path, *options: str) -> Iterator[Running]:
    """A subject that has said that it is ready."""
    started = time.monotonic_ns()
    command = [sys.executable, str(subject), str(root), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RuntimeError(f"{subject} did not start")
            yield Running(process, root, started)
        finally:
            process.kill()


def result_of(running: Running) -> dict[str, Any]:
    if running.process.wait(_AT_MOST):
        raise RuntimeError(f"the subject failed: {running.process.args}")
    return dict(json.loads((running.root / RESULT).read_text()))


def handed_over(running: Running, sids: Sequence[str]) -> tuple[dict[str, int], dict[str, Any]]:
    """When each order was handed over, checked: each left once, and orderdrop's journal tells of each."""
    result = result_of(running)
    left_in = workload.check_exactly_once(running.root / "outgoing", sids)
    if (running.root / "journal.db").exists():
        _check_journal(running.root, len(sids))
    return {sid: result["handed"][name] for sid, name in left_in.items()}, result


def _check_journal(root: Path, expected: int) -> None:
    database = sqlite3.connect(root / "journal.db")
    last_day = (
        "SELECT id FROM orders WHERE trade_day = (SELECT max(trade_day) FROM drops) ORDER BY id DESC LIMIT ?"
    )
    orders, handed = database.execute(
        f"SELECT count(*), count(submitted_at) FROM orders WHERE id IN ({last_day})", (expected,)
    ).fetchone()
    (events,) = database.execute(
        f"SELECT count(*) FROM events WHERE order_ref IN ({last_day})", (expected,)
    ).fetchone()
    database.close()
    if orders != expected or handed != expected or events < _EVENTS_EACH * expected:
        raise workload.LostOrDoubledError(
            f"{root}: {orders} orders, {handed} handed over, {events} events in the journal"
        )


# single orders


def single(bench: Bench) -> list[Figure]:
    """Rename → handed over, of single-order drops 10 to 20 ms apart."""
    floor, ours = _in_turn(
        bench.sizes.rounds, lambda: _single_round(bench, FLOOR), lambda: _single_round(bench, OURS)
    )
    return [
        _at_most("single, median", "ms", _median(ours, 0.5), _median(floor, 0.5), 1.5),
        _at_most("single, p99", "ms", _median(ours, 0.99), _median(floor, 0.99), 2),
    ]


def _single_round(bench: Bench, subject: Path) -> list[float]:
    root, sids = bench.workspace(), workload.new_sids(bench.sizes.singles)
    drops = workload.write_singles(root / "made", sids)
    with running(subject, root, "--expect", str(len(sids))) as process:
        renamed = workload.rename_in_spaced(drops, root / "inbox")
        handed, _ = handed_over(process, sids)
    shutil.rmtree(root)
    return sorted((handed[sid] - at) / 1e6 for sid, at in zip(sids, renamed, strict=True))


def _median(rounds: Sequence[Sequence[float]], quantile: float) -> float:
    return median(values[int(quantile * (len(values) - 1))] for values in rounds)


# bursts and baskets


def burst(bench: Bench) -> list[Figure]:
    """Many one-order files at once, in files a second from the first rename to the last hand-over."""
    floor, ours = _in_turn(
        bench.sizes.rounds, lambda: _burst_round(bench, FLOOR), lambda: _burst_round(bench, OURS)
    )
    return [_at_least("burst", "files/s", median(ours), median(floor), 0.5)]


def _burst_round(bench: Bench, subject: Path) -> float:
    root, sids = bench.workspace(), workload.new_sids(bench.sizes.burst)
    drops = workload.write_singles(root / "made", sids)
    with running(subject, root, "--expect", str(len(sids))) as process:
        first = min([workload.rename_in(drop, root / "inbox") for drop in drops])
        handed, _ = handed_over(process, sids)
    shutil.rmtree(root)
    return len(sids) / (max(handed.values()) - first) * 1e9


def stream(bench: Bench) -> list[Figure]:
    """One large drop of random sids, in orders a second; then the same above five million older orders."""
    count = bench.sizes.stream
    floor, ours, above_old = _in_turn(
        bench.sizes.stream_rounds,
        lambda: _stream_round(bench, FLOOR, count),
        lambda: _stream_round(bench, OURS, count),
        lambda: _stream_round(bench, OURS, count, above_old=True),
    )
    return [
        _at_least(f"stream of {count:,}", "orders/s", median(ours), median(floor), 0.5),
        _at_least(
            f"… above {bench.sizes.old:,} (to the line before)",
            "orders/s",
            median(above_old),
            median(ours),
            0.8,
        ),
    ]


def _stream_round(bench: Bench, subject: Path, count: int, *, above_old: bool = False) -> float:
    root, sids = bench.old_workspace() if above_old else bench.workspace(), workload.new_sids(count)
    drop = workload.write_drop(root / "made" / f"basket-{sids[0]}.order.csv", sids)
    with running(subject, root, "--expect", str(count)) as process:
        renamed = workload.rename_in(drop, root / "inbox")
        handed, _ = handed_over(process, sids)
    shutil.rmtree(root)
    os.sync()  # what the file system still has to do for two gigabytes less is not the next round's business
    return count / (max(handed.values()) - renamed) * 1e9


# memory, start, idleness


def memory(bench: Bench) -> list[Figure]:
    """Peak memory of a process that takes one huge drop, writes its receipt and closes the day."""
    root, sids = bench.workspace(), workload.new_sids(bench.sizes.large)
    drop = workload.write_drop(root / "made" / "basket.order.csv", sids)
    with running(OURS, root, "--expect", str(len(sids)), "--finish") as process:
        workload.rename_in(drop, root / "inbox")
        _, result = handed_over(process, sids)
    shutil.rmtree(root)
    name = f"peak memory, drop of {bench.sizes.large:,}"
    return [
        _below(f"{name}, when handed over", "MB", result["rss_mb_at_hand_over"], 150),
        _below(f"{name}, when all is done", "MB", result["rss_mb"], 150),
    ]


def start(bench: Bench) -> list[Figure]:
    """Process start → first hand-over, above five million older orders; a drop lies in the inbox already."""
    seconds = [_start_round(bench) for _ in range(bench.sizes.rounds)]
    return [_below(f"first hand-over above {bench.sizes.old:,}", "s", median(seconds), 1.5)]


def _start_round(bench: Bench) -> float:
    root, sids = bench.old_workspace(), workload.new_sids(1)
    drops = workload.write_singles(root / "made", sids)
    time.sleep(_TICK)
    workload.rename_in(drops[0], root / "inbox")
    with running(OURS, root, "--expect", "1") as process:
        handed, _ = handed_over(process, sids)
    shutil.rmtree(root)
    return (handed[sids[0]] - process.started) / 1e9


def idle(bench: Bench) -> list[Figure]:
    """CPU time of a router that has nothing to do, beside a full archive."""
    root = bench.workspace()
    archived = root / "archive" / "2026-01-05" / "drops"
    archived.mkdir(parents=True)
    for number in range(bench.sizes.archived):
        (archived / f"drop-{number:06d}.order.csv").touch()
    with running(OURS, root, "--idle", str(bench.sizes.idle_seconds)) as process:
        result = result_of(process)
    shutil.rmtree(root)
    return [_below(f"idle, {bench.sizes.archived:,} files archived", "% CPU", result["cpu_percent"], 0.5)]


def checks(bench: Bench) -> list[Figure]:
    """Processor time of the whole tuple, every rule and limit, for an order of a basket of 10,000."""
    return [
        _below(
            "all checks, a basket of 10,000",
            "us/order",
            median(_checks_round(bench) for _ in range(bench.sizes.rounds)),
            20,
        )
    ]


def _checks_round(bench: Bench) -> float:
    root = bench.workspace()
    command = [sys.executable, str(TUPLE), str(root), "--expect", "10000"]
    subprocess.run(command, check=True, timeout=_AT_MOST)
    found = float(json.loads((root / RESULT).read_text())["us_an_order"])
    shutil.rmtree(root)
    return found


MEASURES: dict[str, Callable[[Bench], list[Figure]]] = {
    measure.__name__: measure for measure in (single, burst, start, stream, memory, idle, checks)
}


# figures


def _in_turn(rounds: int, *measure: Callable[[], Any]) -> list[list[Any]]:
    """Each in turn, again and again, so that whatever else the machine does befalls all of them."""
    return [list(values) for values in zip(*([one() for one in measure] for _ in range(rounds)), strict=True)]


def _at_most(name: str, unit: str, value: float, floor: float, times: float) -> Figure:
    return Figure(name, unit, value, floor, value / floor, f"at most {times} x", value <= times * floor)


def _at_least(name: str, unit: str, value: float, floor: float, times: float) -> Figure:
    return Figure(name, unit, value, floor, value / floor, f"at least {times} x", value >= times * floor)


def _below(name: str, unit: str, value: float, limit: float) -> Figure:
    return Figure(name, unit, value, None, None, f"at most {limit} {unit}", value <= limit)
