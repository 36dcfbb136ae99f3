"""Kills a router in front of a MiniQMT stand-in that lives in another process, so what the broker has survives every kill.

It is late at times: orders that a killed router has sent wait there for seconds, while queries of the next one do not list them.

At the end the broker's own list is compared with what was dropped and with the journal: nothing lost, nothing doubled, nothing wrong.
"""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import xtquant_broker
from victims import Victims
from world import read

pytestmark = [pytest.mark.crash, pytest.mark.skipif(sys.platform == "win32", reason="victims are forked")]

LIVES, BASKETS, BASKET = 25, 4, 50
ACCOUNTS = 12
LIFE = (0.6, 2.2)
LONGEST, IDLE = 30.0, 150
"""Of a life that is to end at a failpoint: seconds at most, and turns without anything to do, after which it will not come there."""

AT_MOST = 240.0
"""Seconds for all to be settled once nobody is killed any more."""

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
PENDING, REJECTED = "SHSE.018014", "SZSE.000010"
SYMBOLS = ("SHSE.600000", "SZSE.000725", "SZSE.000002", PENDING, REJECTED)
POINTS = ("miniqmt.after", "miniqmt.before", "commit.after", "miniqmt.after", "submit.after", "miniqmt.before", "recover", "miniqmt.after",
          "submit.before", "commit.before")  # fmt: skip


def test_orders_when_counted_are_at_least_5000():
    assert LIVES * BASKETS * BASKET >= 5000


class Market:
    """What is dropped: an order is known by its price, which no other one has. And the broker, in its own process."""

    def __init__(self, root: Path) -> None:
        self.root, self.userdata = root, root / "userdata_mini"
        for folder in (root / "inbox", self.userdata):
            folder.mkdir(parents=True)
        self.random = random.Random(7)
        self.rows: dict[Decimal, tuple[str, str, str, int]] = {}
        self.settings = {
            "inbox": {"scan_interval": 0.02, "settle": 0.02, "torn_timeout": 3600, "archive_after": 0.5},
            "gateways": {
                "qmt": {
                    "type": "miniqmt", "live": False, "instruments": False, "userdata_dir": str(self.userdata), "window": 400, "confirm_timeout": 1,
                    "lost_after": 2, "resend": "auto", "query_interval": 2,
                }
            },
            "accounts": {f"A{n}": {} for n in range(ACCOUNTS)},
        }  # fmt: skip

    def broker(self) -> subprocess.Popen:
        command = [sys.executable, xtquant_broker.__file__, str(self.userdata), "0.0005", "500"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        return process

    def drop(self) -> None:
        for _ in range(BASKETS):
            account = f"A{self.random.randrange(ACCOUNTS)}"
            lines = []
            for _ in range(BASKET):
                number = len(self.rows)
                price, sid = Decimal(1000 + number) / 100, f"K-{number}"
                symbol, volume = self.random.choice(SYMBOLS), 100 * self.random.randrange(1, 20)
                self.rows[price] = (sid, account, symbol, volume)
                lines.append(f"{sid},{account},{symbol},{volume},1,1,{price}\n")
            name = f"b{len(self.rows)}.csv"
            (self.root / name).write_text(HEADER + "".join(lines))
            (self.root / name).rename(self.root / "inbox" / name)

    def point(self, life: int) -> str:
        """Every other life ends at one, if it gets there."""
        name = POINTS[life // 2 % len(POINTS)]
        return f"{name}:{self.random.choice((1, 3, 10)) if 'miniqmt' in name else 1}" if life % 2 else ""

    def wait(self) -> None:
        deadline = time.monotonic() + AT_MOST
        while self.open_orders() and time.monotonic() < deadline:
            time.sleep(0.25)

    def open_orders(self) -> int:
        done = read(
            self.root / "journal.db",
            "SELECT count(*) FROM orders WHERE sid_key IS NOT NULL AND"
            f" (status IN ('filled', 'rejected') OR (symbol = '{PENDING}' AND status = 'new'))",
        )
        return len(self.rows) - (done[0][0] if done else 0)


def test_router_when_killed_before_a_terminal_of_another_process_loses_and_doubles_nothing(tmp_path):
    market = Market(tmp_path / "w")
    broker = market.broker()
    deaths = []
    with Victims("miniqmt") as victims:
        try:
            for life in range(LIVES):
                point, short = market.point(life), market.random.uniform(*LIFE)
                death = victims.kill(
                    market.root, market.settings, failpoint=point, after=LONGEST if point else short,
                    turns=IDLE if point else 0, meanwhile=market.drop,
                )  # fmt: skip
                assert death.killed, f"the router ended by itself: {death}"
                deaths.append(death.at)
            victims.kill(market.root, market.settings, after=0, meanwhile=market.wait)
            received = xtquant_broker.ledger(market.userdata)
        finally:
            broker.stdin.close()
            broker.wait(10)
            broker.stdout.close()
    assert sum("miniqmt" in at for at in deaths) >= 3, deaths  # in the middle of a batch
    wrong = list(differences(market, received))
    assert not wrong, "\n".join(wrong[:40])


def differences(market: Market, received: list[dict]) -> Iterator[str]:
    executed = Counter(Decimal(str(round(one["price"], 2))) for one in received)
    values = {
        Decimal(str(round(one["price"], 2))): (one["account"], one["stock"], one["volume"])
        for one in received
    }
    journal = {
        row[0]: row[1:]
        for row in read(
            market.root / "journal.db",
            "SELECT sid, status, filled_volume FROM orders WHERE sid_key IS NOT NULL",
        )
    }
    for price, (sid, account, symbol, volume) in market.rows.items():
        if executed[price] != 1:
            yield f"{sid} was executed {executed[price]} times; journal: {journal.get(sid)}"
        elif values[price] != (account, xtquant_broker.stock_code(symbol), volume):
            yield f"{sid} was executed as {values[price]}"
        else:
            wanted = {PENDING: ("new", 0), REJECTED: ("rejected", 0)}.get(symbol, ("filled", volume))
            if journal.get(sid) != wanted:
                yield f"{sid}: the journal says {journal.get(sid)} instead of {wanted}"
    yield from (f"nobody wrote {values[price]}" for price in executed.keys() - market.rows.keys())
    keys = Counter(one["remark_sent"] for one in received)
    yield from (f"the key {key} was used {times} times" for key, times in keys.items() if times > 1)
