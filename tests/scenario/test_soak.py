"""Sixteen programs write 8,000 orders at the same time, each in its own way: all of them trade, once."""

import csv
import io
import multiprocessing
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import orderdrop

WRITERS, ORDERS, BASKET = 16, 500, 10
HEADER = ["sid", "account_id", "symbol", "volume", "order_type", "order_business", "price"]


def rows_of(writer: int, first: int) -> list[list[str]]:
    return [
        [f"W{writer}-{n}", f"acc{writer % 3}", "SHSE.600000", str(100 + n % 50 * 100), "1", "1", "10.35"]
        for n in range(first, first + BASKET)
    ]


def text(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([HEADER, *rows])
    return out.getvalue().encode()


def rename_in(root: Path, name: str, rows: list[list[str]]) -> None:
    (root / name).write_bytes(text(rows))
    (root / name).rename(root / "inbox" / name)


def write_slowly(root: Path, name: str, rows: list[list[str]]) -> None:
    content = text(rows)
    with (root / "inbox" / name).open("wb", buffering=0) as file:
        for start in range(0, len(content), 97):
            file.write(content[start : start + 97])
            time.sleep(0.002)


def append_shared(root: Path, _name: str, rows: list[list[str]]) -> None:
    orderdrop.append([dict(zip(HEADER, row, strict=True)) for row in rows], root)


def with_fin(root: Path, name: str, rows: list[list[str]]) -> None:
    path = root / "inbox" / name
    path.write_bytes(text(rows)[:-1])
    path.with_name(f"{name}.fin").touch()


STYLES = (rename_in, write_slowly, append_shared, with_fin)


def write(root: Path, writer: int) -> None:
    for first in range(0, ORDERS, BASKET):
        STYLES[writer % len(STYLES)](root, f"w{writer}-{first}.csv", rows_of(writer, first))


@pytest.mark.skipif(sys.platform == "win32", reason="writers are forked")
@pytest.mark.parametrize("events", [True, False])
def test_router_when_sixteen_writers_drop_8000_orders_has_each_once(desk, events):
    one = desk(
        inbox={
            "settle": 0.05,
            "torn_timeout": 60,
            "archive_after": 0.5,
            "events": events,
            "scan_interval": 0.1,
        }
    )
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=write, args=(one.root, writer)) for writer in range(WRITERS)]
    for writer in writers:
        writer.start()
    app = one.open()
    deadline = time.monotonic() + 55
    taken = 0
    while taken < WRITERS * ORDERS and time.monotonic() < deadline:
        app.turn(lambda _round: None)
        app.inbox.wait(0.02)
        taken = app.desk.gateways["paper"]._current().last_number - first_number(one)
    for writer in writers:
        writer.join(10)
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    one.route()
    wanted = {
        row[0]: int(row[3])
        for w in range(WRITERS)
        for first in range(0, ORDERS, BASKET)
        for row in rows_of(w, first)
    }
    found = Counter(sid for sid, *_ in one.at_broker())
    assert found == Counter(wanted.keys())
    assert {sid: volume for sid, _symbol, volume, _status in one.at_broker()} == wanted
    assert {sid: order["volume"] for sid, order in one.orders().items()} == wanted
    assert set(one.statuses().values()) == {"filled"}
    assert one.query("SELECT * FROM rows") == []


def first_number(one) -> int:
    """The broker counts from a number of its own."""
    numbers = one._read(one.root / ".orderdrop" / "paper-paper.db", "SELECT min(number) AS first FROM orders")
    return (numbers[0]["first"] or 1 << 62) - 1
