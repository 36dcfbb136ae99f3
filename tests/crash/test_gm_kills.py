"""Kills the router while it hands orders to 掘金's API, again and again; the broker's book is a file of the stand-in's, and stays.

Most orders have a volume of their own, so that the book, which knows no sids, tells which of ours it has; some are twins.
"""

import random
import sqlite3
import sys
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime

import pytest
from builders import ACCOUNT
from gm_terminal import GmTerminal, command
from victims import Victims

from orderdrop.client.writing import put
from orderdrop.config.workspace import Workspace
from orderdrop.domain.baseline import read_places
from orderdrop.gateway.base import Batch
from orderdrop.system.clock import FixedClock

pytestmark = [pytest.mark.crash, pytest.mark.skipif(sys.platform == "win32", reason="victims are forked")]

ORDERS = 2040
IN_ONE_DROP = 60
LIVES = 20
POINTS = (
    "gm.begun", "gm.placed", "gm.told", "commit.before", "commit.after", "submit.before", "submit.after", "recover",
)  # fmt: skip
FAULTS = ("refuse", "refuse-after", "die-after")
TWINS = 40
"""One in so many orders has the same terms as all other twins."""


def test_router_when_killed_while_it_calls_loses_and_doubles_nothing(tmp_path):
    root = tmp_path / "w"
    workspace = Workspace(root, root / "inbox")
    root.mkdir()
    workspace.make()
    broker = root / "broker"
    broker.mkdir()
    terminal = GmTerminal(broker, FixedClock(datetime.now(UTC)))
    (broker / "now").unlink()
    dice = random.Random(5)
    drops = [range(n, n + IN_ONE_DROP) for n in range(0, ORDERS, IN_ONE_DROP)]
    deaths = []
    with Victims(gm_worker=command(broker)) as victims:
        while len(deaths) < LIVES:
            for _ in range(-(-len(drops) // (LIVES - len(deaths)))):
                drop(workspace, drops.pop())
            if dice.random() < 0.2:
                terminal.book.fail("place", dice.choice(FAULTS))
            point = (
                f"{POINTS[len(deaths) // 2 % len(POINTS)]}:{dice.choice((1, 5, 15))}"
                if len(deaths) % 2
                else ""
            )
            more = dice.randrange(1, 100)
            deaths.append(
                victims.kill(root, SETTINGS, failpoint=point, after=60, turns=300)
                if point
                else victims.kill(
                    root, SETTINGS, after=0, meanwhile=lambda n=more: wait_for_orders(terminal.book, n)
                )
            )
            assert deaths[-1].killed
            somebody_has_looked(workspace, len(deaths))
        for _ in range(10):
            victims.run_once(root, SETTINGS)
            if not set(statuses(root).values()) - SETTLED:
                break
    verdict(root, terminal)
    assert sum(bool(death.at) for death in deaths) >= LIVES // 5, Counter(death.at for death in deaths)


SETTLED = {"pending_new", "new", "filled", "unknown"}
SETTINGS = {
    "inbox": {"scan_interval": 0.01, "settle": 0.02, "archive_after": 0.1},
    "gateways": {"gm": {"type": "gm", "token": "a-secret", "live": False, "poll_interval": 0.1, "instruments": False}},
    "accounts": {ACCOUNT: {"gateway": "gm"}},
}  # fmt: skip


def somebody_has_looked(workspace, number):
    """Orders whose hand-over was interrupted close their account until they are found, or somebody says that they looked."""
    interrupted = [sid for sid, what in statuses(workspace.root).items() if what in {"submitting", "unknown"}]
    if interrupted:
        put(workspace, f"{number}.release.csv", "".join(f"{sid}\n" for sid in ["sid", *interrupted]).encode())


def wait_for_orders(book, number):
    """Until the broker has so many more, or for some time: the router may be dead already."""
    enough, deadline = len(book.rows()) + number, time.monotonic() + 1.5
    while len(book.rows()) < enough and time.monotonic() < deadline:
        time.sleep(0.01)


def statuses(root):
    with closing(sqlite3.connect(root / "journal.db")) as journal:
        return dict(journal.execute("SELECT sid, status FROM orders").fetchall())


def drop(workspace, numbers):
    header = "sid,account_id,symbol,volume,order_type,order_business,price\n"
    rows = "".join(f"S{n},{ACCOUNT},SHSE.600000,{volume(n)},1,1,10.00\n" for n in numbers)
    put(workspace, f"{numbers[0]}.csv", (header + rows).encode())


def volume(number):
    return 100 if number % TWINS == 0 else 200 + number * 100


def verdict(root, terminal):
    """What the journal says of each order, and what the broker has."""
    status = statuses(root)
    with closing(sqlite3.connect(root / "journal.db")) as journal:
        left = journal.execute(
            "SELECT sid, batches.id, content, places FROM orders JOIN batches ON batches.id = batch_id WHERE status = 'unknown'"
        ).fetchall()
    assert len(status) == ORDERS
    held = Counter(row["volume"] for row in terminal.book.rows())
    doubtful = {sid for sid, what in status.items() if what == "unknown"}
    assert set(status.values()) <= SETTLED, Counter(status.values())
    wanted = Counter(volume(n) for n in range(ORDERS) if f"S{n}" not in doubtful)
    twins = volume(0)
    doubtful_twins = sum(volume(int(sid[1:])) == twins for sid in doubtful)
    assert {v: n for v, n in held.items() if v != twins} == {v: n for v, n in wanted.items() if v != twins}
    assert wanted[twins] <= held[twins] <= wanted[twins] + doubtful_twins
    assert len(doubtful) <= LIVES
    absent = traced(terminal, root, left)
    assert {s for s in doubtful if volume(int(s[1:])) != twins} <= absent, "lost, and nobody proves it"
    assert held[twins] + sum(volume(int(sid[1:])) == twins for sid in absent) <= ORDERS // TWINS


def traced(terminal, root, left):
    terminal.clock = FixedClock(datetime.now(UTC))
    gateway = terminal.gateway(state=root / ".orderdrop")
    gateway.open()
    absent = set()
    deadline = time.monotonic() + 90
    while len(absent) < len(left) and time.monotonic() < deadline:
        for sid, number, content, places in left:
            batch = Batch(number, content, read_places(places).output)
            absent |= gateway.trace(batch, [sid], terminal.clock.now() - 60_000_000).absent
        terminal.advance(6)
        time.sleep(0.2)
    gateway.close()
    return absent
