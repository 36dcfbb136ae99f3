"""Switches that close by themselves: at a loss, when the disk or the journal is in trouble; and what still goes then."""

from __future__ import annotations

import sqlite3
from datetime import datetime

import pytest

from orderdrop.system.clock import SHANGHAI, FixedClock

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
HELD = "SHSE.600000"
PENDING = "SHSE.018014"  # the paper broker leaves it open


@pytest.fixture
def clock():
    return FixedClock(datetime(2026, 11, 20, 10, 0, tzinfo=SHANGHAI))


@pytest.fixture
def desk(desk, clock):
    """A desk that knows the year; the holding's price is what `priced` says."""

    def make(**settings):
        paper = {"cash": "100000", "positions": {HELD: 1000}} | settings.pop("paper", {})
        one = desk(clock, **{"gateways": {"paper": paper}, "switches": {"clock_jump": 0}} | settings)
        (one.root / "calendar.csv").write_text("closed,note\n2026-10-01,\n")
        priced(one, "10.00")
        return one

    return make


def priced(one, price: str) -> None:
    path = one.root / "quotes.csv"
    path.write_text(f"symbol,price\n{HELD},{price}\n")


def basket(*rows: str) -> str:
    return HEADER + "".join(rows)


def row(
    sid: str, side: int = 1, volume: int = 100, price: str = "10.00", symbol: str = HELD, account: str = "A1"
) -> str:
    return f"{sid},{account},{symbol},{volume},1,{side},{price}\n"


def refused(one) -> dict[str, str]:
    return {o["sid"]: o["reason_code"] for o in one.query("SELECT * FROM orders WHERE status = 'denied'")}


# a loss


def losing(desk, loss: str = "1000", **over):
    return desk(switches={"day_loss": loss, "clock_jump": 0}, accounts={"A1": {}, "A2": {}}, **over)


def test_loss_when_reached_since_the_first_order_then_the_account_may_only_reduce(desk):
    one = losing(desk).route({"a.csv": basket(row("a"))})
    priced(one, "9.00")  # 1,100 shares
    one.route({"b.csv": basket(row("b"))}).route({"c.csv": basket(row("c", side=2))})
    assert one.statuses() == {"a": "filled", "c": "filled"}
    assert refused(one) == {"b": "REDUCING"}
    assert "yuan lost today" in (one.inbox / "REDUCE.A1").read_text(encoding="utf-8")


def test_loss_when_below_its_bound_then_nothing_closes(desk):
    one = losing(desk, "1200").route({"a.csv": basket(row("a"))})
    priced(one, "9.00")
    one.route({"b.csv": basket(row("b"))})
    assert one.statuses() == {"a": "filled", "b": "filled"}
    assert not (one.inbox / "REDUCE.A1").exists()


def test_loss_when_of_one_account_then_the_others_go_on(desk):
    one = losing(desk, paper={"positions": {}}).route(
        {"a.csv": basket(row("a", volume=1000), row("x", account="A2"))}
    )
    priced(one, "8.90")
    one.route({"b.csv": basket(row("b"), row("y", account="A2"))}, rounds=3)
    assert refused(one)["b"] == "REDUCING"
    assert not (one.inbox / "REDUCE.A2").exists()


def test_loss_when_the_router_has_started_again_then_still_counted_from_the_morning(desk):
    one = losing(desk).route({"a.csv": basket(row("a"))})
    one.close()
    priced(one, "9.00")
    one.route({"b.csv": basket(row("b"))})
    assert refused(one) == {"b": "REDUCING"}


def test_loss_when_resumed_then_not_closed_again_for_it_and_another_day_begins_anew(desk, clock):
    one = losing(desk).route({"a.csv": basket(row("a"))})
    priced(one, "9.00")
    one.route({"b.csv": basket(row("b"))})
    (one.inbox / "REDUCE.A1").unlink()
    assert one.route({"c.csv": basket(row("c", price="9.00"))}).statuses() == {"a": "filled", "c": "filled"}
    clock.advance(3 * 86_400)
    one.route({"d.csv": basket(row("d", price="9.00"))})
    priced(one, "7.00")
    one.route({"e.csv": basket(row("e", price="7.00"))})
    assert one.statuses()["d"] == "filled"
    assert refused(one)["e"] == "REDUCING"


# the disk


def test_disk_when_less_is_free_than_must_be_then_all_is_halted_and_cancels_pass(desk):
    one = desk(limits={"as_live": True}).route({"a.csv": basket(row("a", symbol=PENDING, price="100"))})
    assert one.statuses() == {"a": "new"}
    one.close()
    two = desk_again(one, free_disk=10**9)
    two.route({"b.csv": basket(row("b"))}).route({"x.cancel_order.csv": "sid,comment\na,\n"})
    assert refused(two) == {"b": "HALTED"}
    assert two.statuses() == {"a": "canceled"}
    assert "are left on the disk" in (two.inbox / "HALT").read_text(encoding="utf-8")


def desk_again(one, **switches):
    """The same workspace with other switches."""
    settings = one._settings.model_dump() | {"switches": {"clock_jump": 0, **switches}}
    one._settings = type(one._settings).model_validate(settings)
    return one


@pytest.mark.parametrize(
    "settings", [{"as_live": False, "free_disk": 10**9}, {"as_live": True, "free_disk": 0}]
)
def test_disk_when_simulated_or_not_to_be_watched_then_nothing_is_halted(desk, settings):
    one = desk(
        limits={"as_live": settings["as_live"]},
        switches={"clock_jump": 0, "free_disk": settings["free_disk"]},
    )
    assert one.route({"a.csv": basket(row("a"))}).statuses() == {"a": "filled"}


def test_disk_when_resumed_while_it_is_still_full_then_halted_again(desk):
    one = desk(limits={"as_live": True}, switches={"clock_jump": 0, "free_disk": 10**9}).route(
        {"a.csv": basket(row("a"))}
    )
    (one.inbox / "HALT").unlink()
    one.app.router.breakers._disk_due = 0.0  # it is looked at every five seconds
    assert one.route({"b.csv": basket(row("b"))}).statuses() == {}
    assert (one.inbox / "HALT").exists()
    desk_again(one, free_disk=1).close()
    (one.inbox / "HALT").unlink()
    assert one.route({"c.csv": basket(row("c"))}).statuses() == {"c": "filled"}


# the journal


def in_trouble(one) -> sqlite3.Connection:
    """The journal cannot grow, as on a full disk."""
    raw = one.open().journal._connection.connection.dbapi_connection
    raw.execute(f"PRAGMA max_page_count = {raw.execute('PRAGMA page_count').fetchone()[0]}")
    return raw


def many(prefix: str) -> str:
    return basket(*(row(f"{prefix}{n}", volume=100, price="1.00") for n in range(400)))


def turns(one, count: int = 5) -> None:
    for _ in range(count):
        one.app.inbox._next_scan = 0.0
        one.app.turn(lambda _round: None)


def test_journal_when_it_cannot_be_written_then_all_is_halted_until_resumed(desk):
    one = desk(limits={"as_live": True, "orders_per_second": 100, "max_wait": 600}).route(
        {"a.csv": basket(row("a"))}
    )
    raw = in_trouble(one)
    one.put({"b.csv": many("b")})
    turns(one)
    assert "the journal is in trouble" in (one.inbox / "HALT").read_text(encoding="utf-8")
    raw.execute("PRAGMA max_page_count = 1000000")
    one.route({"c.csv": basket(row("c", volume=200))})
    assert [sid for sid, *_ in one.at_broker()] == ["a"]
    assert refused(one)["c"] == "HALTED"
    (one.inbox / "HALT").unlink()
    assert one.route({"d.csv": basket(row("d", volume=300))}).statuses() == {"a": "filled", "d": "filled"}


def test_journal_when_in_trouble_and_simulated_then_goes_on_by_itself(desk):
    one = desk().route({"a.csv": basket(row("a"))})
    raw = in_trouble(one)
    one.put({"b.csv": many("b")})
    turns(one)
    assert [sid for sid, *_ in one.at_broker()] == ["a"]
    assert not (one.inbox / "HALT").exists()
    raw.execute("PRAGMA max_page_count = 1000000")
    assert len(one.route().at_broker()) == 401


def test_switch_when_its_file_cannot_be_written_then_memory_keeps_it_closed(desk):
    one = desk(limits={"as_live": True}, switches={"clock_jump": 0, "free_disk": 10**9})
    (one.inbox / "HALT").mkdir()  # a folder of that name is in the way
    assert one.route({"a.csv": basket(row("a"))}).statuses() == {}
    assert refused(one) == {"a": "HALTED"}
    assert (one.inbox / "HALT").is_dir()
