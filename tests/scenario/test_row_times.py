"""Each row has the time of its own coming, also one that was added to a file which was there long before; and the file its owner."""

import sys
import time

import pytest

from orderdrop.journal.journal import reading_engine
from orderdrop.journal.reader import Reading
from orderdrop.system.clock import FixedClock, SystemClock, iso, to_datetime
from orderdrop.views.orders import order_view

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"


def row(sid, symbol="SHSE.018014", volume=100):
    return f"{sid},A,{symbol},{volume},1,1,100\n"


@pytest.fixture
def clock():
    return FixedClock(to_datetime(SystemClock().now()).replace(hour=9, minute=31))


def turns(desk, count=8):
    app = desk.open()
    for _ in range(count):
        time.sleep(0.002)
        app.turn(lambda _round: None)


def day_file(clock, kind="order"):
    return f"{to_datetime(clock.now()):%Y%m%d}.{kind}.csv"


def times(desk, table):
    return [line["received_at"] for line in desk.query(f"SELECT * FROM {table} ORDER BY id")]


def appended(desk, clock, name, lines, apart=5):
    """The instants at which they came."""
    came = []
    for line in lines:
        clock.advance(apart)
        desk.append(name, line)
        turns(desk)
        came.append(clock.now())
    return came


def test_rows_of_a_day_file_have_each_their_own_time_and_keep_it_over_a_restart(desk, clock):
    name = day_file(clock)
    one = desk(clock)
    one.put({name: HEADER + row("S1")})
    turns(one)
    first = clock.now()
    came = appended(one, clock, name, [row("S2"), row("S3", volume=1)])  # the third is denied
    one.crash()
    turns(one)
    came += appended(one, clock, name, [row("S4")])
    assert times(one, "orders") == [None, *came]
    assert [line["status"] for line in one.query("SELECT status FROM orders ORDER BY id")][2] == "denied"
    engine = reading_engine("sqlite:///journal.db", one.root)
    with engine.connect() as connection:
        told = [order_view(order).received_at for order in Reading(connection).orders_of_day(int(name[:8]))]
    engine.dispose()
    assert told == [iso(at) for at in (first, *came)]
    one.route()
    created = {line["sid"]: line["created_at"] for line in one.table("A/order_status.csv")}
    assert [created[sid][:19] for sid in ("S1", "S2", "S4")] == [
        iso(at)[:19] for at in (first, came[0], came[2])
    ]


def test_rows_that_are_refused_or_duplicates_have_their_time_too(desk, clock):
    name = day_file(clock)
    one = desk(clock)
    one.put({name: HEADER + row("S1") + "S0,A,SHSE.018014,x,1,1,100\n"})
    turns(one)
    came = appended(one, clock, name, [row("S1"), "S9,A,SHSE.018014,y,1,1,100\n"])
    assert times(one, "rows") == [None, *came]


def test_cancels_that_are_added_are_counted_when_they_come(desk, clock):
    orders, cancels = day_file(clock), day_file(clock, "cancel_order")
    one = desk(clock)
    one.put({orders: HEADER + "".join(row(f"E{n}") for n in range(4)), cancels: "sid,comment\nE0,\n"})
    turns(one)
    came = appended(one, clock, cancels, ["E1,\n", "E2,\n", "E3,\n"], apart=2)
    assert times(one, "instructions") == [None, *came]


def test_rows_when_they_come_at_once_have_the_time_of_their_drop(desk, clock):
    one = desk(clock).route({"a.csv": HEADER + row("S1") + row("S2")})
    assert times(one, "orders") == [None, None]


@pytest.mark.skipif(sys.platform == "win32", reason="files tell no owner there")
def test_receipt_names_the_files_owner(desk):
    one = desk().route({"a.csv": HEADER + row("S1") + row("S1") + "S2\n", "b.csv": "what,is\nthis,1\n"})
    owner = one.root.owner()
    assert {line["owner"] for name in ("a.csv", "b.csv") for line in one.receipt(name)} == {owner}
    assert {drop["owner"] for drop in one.query("SELECT owner FROM drops")} == {owner}
