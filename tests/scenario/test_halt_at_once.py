"""A switch that is thrown while a large drop leaves stops what has not left yet; it goes later, once, or not at all."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from orderdrop.admission.pending import LEAVE_AT

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"


def basket(count: int, account: str = "A1", prefix: str = "S") -> str:
    return HEADER + "".join(f"{prefix}{n},{account},SHSE.600000,100,1,1,10.35\n" for n in range(count))


def throws(one, monkeypatch, name: str) -> None:
    """Somebody writes a switch as the first batch leaves."""
    gateway = one.open().desk.gateways["paper"]
    real = gateway.submit

    def submit(batch):
        (one.inbox / name).parent.mkdir(exist_ok=True)
        (one.inbox / name).touch()
        return real(batch)

    monkeypatch.setattr(gateway, "submit", submit)


def standing(one) -> dict[str, int]:
    rows = one.query("SELECT status, count(*) AS n FROM orders GROUP BY status")
    return {row["status"]: row["n"] for row in rows}


def turns(one, **expected: int) -> None:
    """Until the orders stand so, however slow this machine is."""
    deadline = time.monotonic() + 180
    while (found := standing(one)) != expected:
        assert time.monotonic() < deadline, found
        one.app.inbox._next_scan = 0.0
        for _ in range(3):
            one.app.turn(lambda _round: None)


@pytest.mark.parametrize("events", [False, True])
def test_halt_when_written_as_the_first_batch_leaves_then_only_that_one_leaves(desk, monkeypatch, events):
    one = desk(inbox={"events": events})
    throws(one, monkeypatch, "HALT")
    one.put({"a.csv": basket(6_000)})
    turns(one, filled=LEAVE_AT, ready=6_000 - LEAVE_AT)
    assert len(one.at_broker()) == LEAVE_AT
    monkeypatch.undo()
    (one.inbox / "HALT").unlink()
    turns(one, filled=6_000)
    assert len(one.at_broker()) == len({sid for sid, *_ in one.at_broker()}) == 6_000


@pytest.mark.parametrize("switch", ["HALT.A1", "REDUCE.A1", "REDUCE"])
def test_switch_of_some_when_thrown_as_the_first_batch_leaves_then_those_are_held(desk, monkeypatch, switch):
    one = desk(accounts={"A1": {}, "A2": {}})
    throws(one, monkeypatch, switch)
    one.put({"a.csv": basket(3 * LEAVE_AT), "b.csv": basket(10, "A2", "T")})
    gone = LEAVE_AT if switch == "REDUCE" else LEAVE_AT + 10
    turns(one, filled=gone, held=3 * LEAVE_AT + 10 - gone)
    by_account = Counter((row["account_id"], row["status"]) for row in one.query("SELECT * FROM orders"))
    assert by_account["A1", "filled"] == LEAVE_AT
    assert by_account["A1", "held"] == 2 * LEAVE_AT
    if switch != "REDUCE":
        assert by_account["A2", "filled"] == 10
    assert len(one.at_broker()) == sum(
        count for (_, status), count in by_account.items() if status == "filled"
    )


def test_router_when_it_dies_between_stopping_and_noting_sends_nothing_twice(desk, monkeypatch):
    one = desk()
    throws(one, monkeypatch, "HALT")
    with monkeypatch.context() as broken:
        broken.setattr("orderdrop.router.Router.collect_in_time", lambda *_: None)
        one.put({"a.csv": basket(2 * LEAVE_AT)})
        one.open()
        turns(one, submitting=2 * LEAVE_AT)
    one.crash()
    monkeypatch.undo()
    one.open()
    turns(one, filled=LEAVE_AT, ready=LEAVE_AT)
    (one.inbox / "HALT").unlink()
    turns(one, filled=2 * LEAVE_AT)
    assert len(one.at_broker()) == len({sid for sid, *_ in one.at_broker()}) == 2 * LEAVE_AT


def test_drop_that_comes_while_a_large_one_leaves_is_not_forgotten(desk, monkeypatch):
    """What events name between the batches is kept for the next look."""
    one = desk(inbox={"events": True, "scan_interval": 60})
    gateway = one.open().desk.gateways["paper"]
    real, put = gateway.submit, []

    def submit(batch):
        if not put:
            put.append(one.put({"b.csv": basket(1, prefix="T")}))
        return real(batch)

    monkeypatch.setattr(gateway, "submit", submit)
    one.put({"a.csv": basket(2 * LEAVE_AT)})
    one.app.inbox._next_scan = 0.0
    one.app.turn(lambda _round: None)
    one.app.inbox._next_scan = float("inf")  # nothing is scanned any more
    one.app.turn(lambda _round: None)
    assert "T0" in one.statuses()
