"""What is measured, one function each: rounds of floor and orderdrop in turn, every round in new processes, medians."""

from __future__ import annotations

import json
import os
import random
import re
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

FLOOR, OURS, QUICK_TERMINAL, TUPLE = (
    Path(__file__).with_name(name)
    for name in ("floor.py", "ours.py", "quick_terminal.py", "tuple_of_checks.py")
)
_BASKETS = 30
_AT_MOST = 300  # seconds that a subject may take
_TICK = 0.05  # a file system's clock is coarse: a rename right after the writing cannot be told from it later
_ACCOUNT = "acc"
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
    confirmed: int
    told: int
    answers: int
    workbook: int


FULL = Sizes(
    rounds=7, singles=300, burst=1000, stream=100_000, old=5_000_000, large=1_000_000, archived=50_000,
    idle_seconds=12, stream_rounds=5, confirmed=10_000, told=50_000, answers=100, workbook=10_000,
)  # fmt: skip
QUICK = Sizes(
    rounds=3, singles=60, burst=300, stream=20_000, old=200_000, large=50_000, archived=5_000,
    idle_seconds=4, stream_rounds=2, confirmed=1_000, told=5_000, answers=10, workbook=1_000,
)  # fmt: skip


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


def scan(bench: Bench) -> list[Figure]:
    """The same into 掘金's scan folder: rename → the file stands there. Then baskets of a hundred."""
    wide = ("--window", "100000")
    rounds = bench.sizes.rounds
    floor, ours = _in_turn(
        rounds, lambda: _single_round(bench, FLOOR), lambda: _single_round(bench, OURS, *wide)
    )
    floor_100, ours_100 = _in_turn(
        rounds, lambda: _basket_round(bench, FLOOR), lambda: _basket_round(bench, OURS, *wide)
    )
    return [
        _beside("scan folder, median", "ms", _median(ours, 0.5), _median(floor, 0.5)),
        _beside("scan folder, p99", "ms", _median(ours, 0.99), _median(floor, 0.99)),
        _beside("scan folder, basket of 100, median", "ms", _median(ours_100, 0.5), _median(floor_100, 0.5)),
    ]


def _basket_round(bench: Bench, subject: Path, *options: str) -> list[float]:
    root, sids = bench.workspace(), workload.new_sids(100 * _BASKETS)
    groups = [sids[start : start + 100] for start in range(0, len(sids), 100)]
    drops = [workload.write_drop(root / "made" / f"{group[0]}.order.csv", group) for group in groups]
    with running(subject, root, "--expect", str(len(sids)), *options) as process:
        renamed = workload.rename_in_spaced(drops, root / "inbox")
        handed, _ = handed_over(process, sids)
    shutil.rmtree(root)
    return sorted((handed[group[-1]] - at) / 1e6 for group, at in zip(groups, renamed, strict=True))


def window(bench: Bench) -> list[Figure]:
    """One drop before a terminal that confirms at once, with the default window: rename → the last one is confirmed."""
    seconds = [_window_round(bench) for _ in range(min(3, bench.sizes.rounds))]
    name = f"window of 100, {bench.sizes.confirmed:,} orders confirmed"
    return [_told(name, "orders/s", bench.sizes.confirmed / median(seconds))]


def _window_round(bench: Bench) -> float:
    root, sids = bench.workspace(), workload.new_sids(bench.sizes.confirmed)
    drop = workload.write_drop(root / "made" / "basket.order.csv", sids)
    for name in ("outgoing", "push"):
        (root / name).mkdir()
    terminal = [sys.executable, str(QUICK_TERMINAL), str(root / "outgoing"), str(root / "push")]
    options = ("--expect", str(len(sids)), "--window", "100", "--confirmed")
    with subprocess.Popen(terminal) as beside:
        try:
            with running(OURS, root, *options) as process:
                renamed = workload.rename_in(drop, root / "inbox")
                result = result_of(process)
        finally:
            beside.kill()
    shutil.rmtree(root)
    return float(result["confirmed"] - renamed) / 1e9


def _single_round(bench: Bench, subject: Path, *options: str) -> list[float]:
    root, sids = bench.workspace(), workload.new_sids(bench.sizes.singles)
    drops = workload.write_singles(root / "made", sids)
    with running(subject, root, "--expect", str(len(sids)), *options) as process:
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


def workbook(bench: Bench) -> list[Figure]:
    """A workbook, from its rename to the last hand-over; its peak memory with both receipts written and the day closed."""
    rounds = [_workbook_round(bench) for _ in range(bench.sizes.stream_rounds)]
    name = f"workbook of {bench.sizes.workbook:,}"
    return [
        _below(f"{name}, handed over", "s", median(seconds for seconds, _ in rounds), 3),
        _below(f"{name}, peak memory", "MB", max(rss for _, rss in rounds), 300),
    ]


def _workbook_round(bench: Bench) -> tuple[float, float]:
    root, sids = bench.workspace(), workload.new_sids(bench.sizes.workbook)
    drop = workload.write_workbook(root / "made" / "basket.xlsx", sids)
    with running(OURS, root, "--expect", str(len(sids)), "--finish") as process:
        renamed = workload.rename_in(drop, root / "inbox")
        handed, result = handed_over(process, sids)
    if not (root / "outbox" / "receipts" / "basket.xlsx.receipt.xlsx").exists():
        raise workload.LostOrDoubledError(f"{root}: no receipt")
    shutil.rmtree(root)
    return (max(handed.values()) - renamed) / 1e9, result["rss_mb"]


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
    """CPU time of a router that has nothing to do, beside a full archive. An order goes first: no archive stands beside an empty journal."""
    root, sids = bench.workspace(), workload.new_sids(1)
    workload.rename_in(workload.write_singles(root / "made", sids)[0], root / "inbox")
    with running(OURS, root, "--expect", "1") as process:
        handed_over(process, sids)
    archived = root / "archive" / "2026-01-05" / "drops"
    archived.mkdir(parents=True)
    for number in range(bench.sizes.archived):
        (archived / f"drop-{number:06d}.order.csv").touch()
    with running(OURS, root, "--idle", str(bench.sizes.idle_seconds)) as process:
        result = result_of(process)
    shutil.rmtree(root)
    beside_output = _idle_beside_output(bench)
    return [
        _below(f"idle, {bench.sizes.archived:,} files archived", "% CPU", result["cpu_percent"], 0.5),
        _below(f"idle, {bench.sizes.told:,} rows of output", "% CPU", beside_output, 1),
    ]


def _idle_beside_output(bench: Bench) -> float:
    """The same before a terminal that has told much today."""
    root = bench.workspace()
    for name in ("outgoing", "push"):
        (root / name).mkdir()
    workload.write_output(root / "push", bench.sizes.told)
    with running(OURS, root, "--idle", str(bench.sizes.idle_seconds), "--window", "100") as process:
        result = result_of(process)
    shutil.rmtree(root)
    return float(result["cpu_percent"])


# what a program sees


def answer(bench: Bench) -> list[Figure]:
    """Rename of a one-order file → its row in order_status.csv of the paper account, as a program that looks there finds it."""
    root, sids = bench.workspace(), workload.new_sids(bench.sizes.answers + 1)
    drops = [workload.write_drop(root / "made" / f"{sid}.order.csv", [sid]) for sid in sids]
    for drop in drops:
        drop.write_text(
            re.sub(r",acc-\d,", f",{_ACCOUNT},", drop.read_text(encoding="utf-8")), encoding="utf-8"
        )
    (root / "orderdrop.toml").write_text(f"[accounts.{_ACCOUNT}]\n", encoding="utf-8")
    table = root / "outbox" / _ACCOUNT / "order_status.csv"
    command = [sys.executable, "-m", "orderdrop", "-C", str(root), "run"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as router:
        try:
            seconds = [_answered(drop, root, sid, table) for drop, sid in zip(drops, sids, strict=True)][1:]
        finally:
            router.terminate()
    shutil.rmtree(root)
    return [
        _below("status row on paper, median", "s", median(seconds), 0.5),
        _below("status row on paper, worst", "s", max(seconds), 0.5),
    ]


def _answered(drop: Path, root: Path, sid: str, table: Path) -> float:
    """Seconds until the sid stands in the table; the first one waits for the router's start, too."""
    at, wanted = workload.rename_in(drop, root / "inbox"), sid.encode()
    while not (table.exists() and wanted in table.read_bytes()):
        if time.monotonic_ns() - at > _AT_MOST * 1e9:
            raise workload.LostOrDoubledError(f"{sid} was not answered")
        time.sleep(0.002)
    waited = (time.monotonic_ns() - at) / 1e9
    time.sleep(random.uniform(0.1, 1.0))
    return waited


def checks(bench: Bench) -> list[Figure]:
    """Processor time of the whole tuple, every rule and limit, for an order of a basket of 10,000; then with the counting of each order."""
    rounds = [_checks_round(bench) for _ in range(bench.sizes.rounds)]
    return [
        _below(
            "all checks, a basket of 10,000",
            "us/order",
            median(found["all"] - found["counting"] for found in rounds),
            20,
        ),
        _told("… with each order counted", "us/order", median(found["all"] for found in rounds)),
    ]


def _checks_round(bench: Bench) -> dict[str, float]:
    root = bench.workspace()
    command = [sys.executable, str(TUPLE), str(root), "--expect", "10000"]
    subprocess.run(command, check=True, timeout=_AT_MOST)
    found = dict(json.loads((root / RESULT).read_text()))
    shutil.rmtree(root)
    return found


MEASURES: dict[str, Callable[[Bench], list[Figure]]] = {
    measure.__name__: measure
    for measure in (single, scan, burst, window, answer, start, stream, workbook, memory, idle, checks)
}


# figures


def _in_turn(rounds: int, *measure: Callable[[], Any]) -> list[list[Any]]:
    """Each in turn, again and again, so that whatever else the machine does befalls all of them."""
    return [list(values) for values in zip(*([one() for one in measure] for _ in range(rounds)), strict=True)]


def _at_most(name: str, unit: str, value: float, floor: float, times: float) -> Figure:
    return Figure(name, unit, value, floor, value / floor, f"at most {times} x", value <= times * floor)


def _at_least(name: str, unit: str, value: float, floor: float, times: float) -> Figure:
    return Figure(name, unit, value, floor, value / floor, f"at least {times} x", value >= times * floor)


def _beside(name: str, unit: str, value: float, floor: float) -> Figure:
    return Figure(name, unit, value, floor, value / floor, "", met=True)


def _told(name: str, unit: str, value: float) -> Figure:
    return Figure(name, unit, value, None, None, "", met=True)


def _below(name: str, unit: str, value: float, limit: float) -> Figure:
    return Figure(name, unit, value, None, None, f"at most {limit} {unit}", value <= limit)
