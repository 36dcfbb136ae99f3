"""Kills a router in front of a terminal that loses rows, stalls, restarts, tears its files and is killed itself, while sixteen programs write.

At the end the terminal's own ledger is compared with the journal, sid by sid: every order was executed, and once.
"""

import contextlib
import csv
import multiprocessing
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from victims import Victims
from world import read

import orderdrop
from orderdrop.terminal import Kind, read_ledger

pytestmark = [pytest.mark.crash, pytest.mark.skipif(sys.platform == "win32", reason="victims are forked")]

SEEDS = range(4)
WRITERS, BASKETS, BASKET = 16, 27, 12
LIVES = 20
LIFE = (0.3, 2.5)
AT_MOST = 150.0
"""Seconds for all to be settled once nobody is killed any more."""

STILL = 70.0
"""Seconds in which a loss that can be proven is proven."""

TOLD = 60.0
"""Seconds in which what is settled is told on the receipts: a chore, which stands back behind orders."""

HEADER = ["sid", "account_id", "symbol", "volume", "order_type", "order_business", "price"]
PENDING, REJECTED = "SHSE.018014", "SZSE.000010"
SYMBOLS = ("SHSE.600000", "SHSE.600519", "SZSE.000725", "SZSE.000002", PENDING, REJECTED)
POINTS = (
    "commit.before", "commit.after", "mark.written", "submit.before", "submit.after", "scan.staged", "scan.renamed", "scan.synced",
    "recover",
)  # fmt: skip


def test_orders_when_counted_are_at_least_20000():
    assert len(SEEDS) * WRITERS * BASKETS * BASKET >= 20_000


class Market:
    """The writers, the terminal, and what must have come of it."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.scan, self.push = root / "terminal" / "scan", root / "terminal" / "push"
        for folder in (root / "inbox", self.scan, self.push):
            folder.mkdir(parents=True)
        self.seed = seed
        self.random = random.Random(seed)
        self.settings = {
            "inbox": {"scan_interval": 0.1, "settle": 0.05, "torn_timeout": 3600, "archive_after": 0.5},
            "gateways": {
                "gm": {
                    "type": "goldminer", "live": False, "scan_dir": str(self.scan), "push_dir": str(self.push),
                    "archive_dir": str(root / "terminal" / "archive"), "window": 600, "confirm_timeout": 1.5,
                    "lost_after": 12, "resend": "auto",
                }
            },
            "accounts": {f"A{n}": {} for n in range(3)},
        }  # fmt: skip

    def writers(self) -> list[multiprocessing.Process]:
        fork = multiprocessing.get_context("fork")
        return [fork.Process(target=self.write, args=(writer,)) for writer in range(WRITERS)]

    def write(self, writer: int) -> None:
        for number in range(BASKETS):
            rows = self.rows(writer, number)
            if writer % 4 == 0:
                orderdrop.append([dict(zip(HEADER, row, strict=True)) for row in rows], self.root)
            else:
                self.drop(f"w{writer}-{number}.csv", rows, writer % 4)
            time.sleep(0.7)

    def drop(self, name: str, rows: list[list[str]], style: int) -> None:
        """Style 1: renamed in; 2: written slowly, in pieces; 3: with `.fin`."""
        content = "".join(",".join(row) + "\n" for row in [HEADER, *rows]).encode()
        path = self.root / "inbox" / name
        if style == 1:
            (self.root / name).write_bytes(content)
            (self.root / name).rename(path)
        elif style == 2:
            with path.open("wb", buffering=0) as file:
                for start in range(0, len(content), 150):
                    file.write(content[start : start + 150])
                    time.sleep(0.002)
        else:
            path.write_bytes(content[:-1])
            path.with_name(f"{name}.fin").touch()

    def rows(self, writer: int, number: int) -> list[list[str]]:
        pick = random.Random(f"{self.seed}-{writer}-{number}")
        return [
            [
                f"W{self.seed}.{writer}.{number}.{n}", f"A{pick.randrange(3)}", pick.choice(SYMBOLS),
                str(100 * pick.randrange(1, 20)), "1", "1", f"{pick.randrange(500, 2000) / 100:.2f}",
            ]
            for n in range(BASKET)
        ]  # fmt: skip

    def all_rows(self) -> Iterator[list[str]]:
        for writer in range(WRITERS):
            for number in range(BASKETS):
                yield from self.rows(writer, number)

    def terminal(self, *faults: str) -> subprocess.Popen:
        command = [
            sys.executable, "-m", "orderdrop.terminal", "--scan", self.scan, "--push", self.push,
            "--archive", self.root / "terminal" / "archive", "--torn", "--lose", "0.03", "--manual", "300",
            "--seed", str(self.seed), "--report-lag", "0.3", *faults,
        ]  # fmt: skip
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def open_orders(self) -> int:
        """Orders of which the end is not known; negative while some are not there."""
        done = read(
            self.root / "journal.db",
            "SELECT count(*) FROM orders WHERE sid_key IS NOT NULL AND"
            f" (status IN ('filled', 'rejected') OR (symbol = '{PENDING}' AND status = 'new'))",
        )
        return WRITERS * BASKETS * BASKET - (done[0][0] if done else 0)

    def wait(self) -> None:
        """Until all is settled, or nothing has been for so long that nothing will be."""
        deadline, still, left = time.monotonic() + AT_MOST, time.monotonic() + STILL, -1
        while (now_open := self.open_orders()) and time.monotonic() < min(deadline, still):
            if now_open != left:
                left, still = now_open, time.monotonic() + STILL
            time.sleep(0.5)
        deadline = time.monotonic() + TOLD
        while self.untold() and time.monotonic() < deadline:
            time.sleep(0.5)

    def untold(self) -> set[str]:
        """What was written and stands on no receipt."""
        told = set()
        for path in (self.root / "outbox" / "receipts").rglob("*.receipt.csv"):
            with contextlib.suppress(FileNotFoundError), path.open(encoding="utf-8-sig", newline="") as file:
                told |= {row["sid"] for row in csv.DictReader(file)}
        return {row[0] for row in self.all_rows()} - told


@pytest.mark.parametrize("seed", SEEDS)
def test_router_when_killed_before_a_faulty_terminal_has_each_order_executed_once(tmp_path, seed):
    market = Market(tmp_path / "w", seed)
    writers = market.writers()
    for writer in writers:
        writer.start()
    terminal = market.terminal("--stall", "4:3", "--stall", "15:2", "--restart-at", "9")
    with Victims() as victims:
        try:
            for life in range(LIVES):
                point = (
                    f"{POINTS[(life + seed) % len(POINTS)]}:{market.random.randrange(1, 6)}"
                    if life % 2
                    else ""
                )
                victims.kill(
                    market.root, market.settings, failpoint=point, after=market.random.uniform(*LIFE)
                )
                if life == LIVES // 2:
                    terminal.send_signal(signal.SIGKILL)
                    terminal.wait(10)
                    terminal = market.terminal("--rows-rewritten")
            for writer in writers:
                writer.join(120)
            victims.kill(market.root, market.settings, after=0, meanwhile=market.wait)
        finally:
            terminal.terminate()
            terminal.wait(10)
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    wrong = list(differences(market))
    assert not wrong, "\n".join(wrong[:40])


def differences(market: Market) -> Iterator[str]:
    wanted = {row[0]: tuple(row[1:4]) for row in market.all_rows()}
    ledger = read_ledger(market.push)
    executed = Counter(entry.sid for entry in ledger if entry.kind is Kind.EXECUTED)
    values = {e.sid: (e.account_id, e.symbol, str(e.volume)) for e in ledger if e.kind is Kind.EXECUTED}
    filled: Counter[str] = Counter()
    for entry in ledger:
        if entry.kind is Kind.FILL:
            filled[entry.sid] += entry.volume
    rejected = {entry.sid for entry in ledger if entry.kind is Kind.REJECTED}
    journal = {
        row[0]: row[1:]
        for row in read(
            market.root / "journal.db",
            "SELECT sid, account_id, symbol, volume, status, filled_volume FROM orders WHERE sid_key IS NOT NULL",
        )
    }
    # The output has a break since, or orders by hand blur the account: nothing is proven, so nothing goes again.
    lost = {entry.sid for entry in ledger if entry.kind is Kind.LOST and not executed[entry.sid]}
    in_doubt = {sid for sid, row in journal.items() if row[3] == "unknown" and sid in lost}
    for sid, row in sorted((sid, wanted[sid]) for sid in wanted.keys() - in_doubt):
        if executed[sid] != 1:
            yield f"{sid} was executed {executed[sid]} times; journal: {journal.get(sid)}"
        elif values[sid] != row:
            yield f"{sid} was executed as {values[sid]} instead of {row}"
        elif (*journal[sid][:2], str(journal[sid][2])) != row:
            yield f"{sid} is journaled as {journal[sid]} instead of {row}"
        else:
            ended = "rejected" if sid in rejected else "filled" if filled[sid] else "new"
            if journal[sid][3:] != (ended, filled[sid]):
                yield f"{sid}: the journal says {journal[sid][3:]}, the terminal {ended} {filled[sid]}"
    yield from (f"nobody wrote {sid}" for sid in (executed.keys() | journal.keys()) - wanted.keys())
    manual = sum(entry.kind is Kind.MANUAL for entry in ledger)
    reports = "SELECT count(*) FROM reports WHERE sid = '' AND order_ref IS NULL"
    if manual and not read(market.root / "journal.db", reports)[0][0]:
        yield f"{manual} orders were entered by hand, and none is in the journal"
    yield from (f"{sid} is on no receipt" for sid in sorted(market.untold()))
