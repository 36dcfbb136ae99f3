"""Cancels are messages: they keep the account's pace, go before new orders, and each of them is counted, each time that it goes out."""

from __future__ import annotations

from collections import Counter

import pytest
from file_desk import ACCOUNT, HEADER, FileDesk, buys

from orderdrop.audit.frames import load
from orderdrop.audit.program_trading import program_trading
from orderdrop.journal.journal import reading_engine
from orderdrop.terminal import Faults

PENDING = "SHSE.018014"
RATE = 5


@pytest.fixture
def paced(tmp_path):
    made = []

    def make(faults: Faults | None = None, **settings) -> FileDesk:
        made.append(
            FileDesk(tmp_path / "w", faults, limits={"orders_per_second": RATE, "max_wait": 600}, **settings)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def waiting_orders(desk: FileDesk, count: int) -> list[str]:
    """Orders that stand at the terminal."""
    sids = [f"P{n}" for n in range(count)]
    desk.put({"p.csv": HEADER + "".join(f"{sid},{ACCOUNT},{PENDING},10,1,1,100\n" for sid in sids)})
    desk.later(60, until=lambda: set(desk.statuses().values()) == {"new"} and len(desk.statuses()) == count)
    desk.later(2)
    return sids


def cancels(sids: list[str]) -> str:
    return "sid,comment\n" + "".join(f"{sid},comments,\n" for sid in sids)


def sent(desk: FileDesk, event: str) -> list[int]:
    found = desk.query(f"SELECT at FROM events WHERE event = '{event}' ORDER BY id")
    return [row["at"] for row in found]


def busiest(instants: list[int]) -> int:
    ordered = sorted(instants)
    return max(sum(at <= other < at + 1_000_000 for other in ordered) for at in ordered)


def test_cancels_when_they_are_more_than_a_second_takes_wait_in_order_and_none_is_dropped(paced):
    desk = paced()
    sids = waiting_orders(desk, 30)
    desk.put({"c.cancel_order.csv": cancels(sids)})
    desk.later(30, until=lambda: set(desk.statuses().values()) == {"canceled"})
    assert set(desk.statuses().values()) == {"canceled"}
    gone = sent(desk, "cancel_sent")
    assert len(gone) == 30
    assert busiest(gone) == RATE
    order = desk.query(
        "SELECT o.sid FROM events e JOIN orders o ON o.id = e.order_ref WHERE event = 'cancel_sent' ORDER BY e.id"
    )
    assert [row["sid"] for row in order] == sids


def test_cancels_when_new_orders_come_with_them_go_first_and_both_keep_the_pace(paced):
    desk = paced()
    sids = waiting_orders(desk, 8)
    before = len(sent(desk, "submitting"))
    desk.put({"a.csv": buys(12), "c.cancel_order.csv": cancels(sids)})
    desk.later(30, until=lambda: Counter(desk.statuses().values()) == {"canceled": 8, "filled": 12})
    gone, orders = sent(desk, "cancel_sent"), sent(desk, "submitting")[before:]
    assert (len(gone), len(orders)) == (8, 12)
    assert busiest(gone + orders) <= RATE
    assert sum(at < max(gone) for at in orders) == 0


def test_cancels_when_nobody_answers_are_handed_over_again_at_their_pace_and_all_are_counted(paced):
    desk = paced()
    sids = waiting_orders(desk, 12)
    desk.put({"c.cancel_order.csv": cancels(sids)})
    desk.later(60, terminal=False)
    gone = sent(desk, "cancel_sent")
    assert len(gone) == 36
    assert busiest(gone) == RATE
    (account,) = told(desk)
    assert account["cancels"] == 36
    assert account["measures"][0]["value"] == RATE


def test_orders_when_the_days_cancels_have_used_their_number_up_are_denied(paced):
    desk = paced()
    sids = waiting_orders(desk, 3)
    desk.put({"c.cancel_order.csv": cancels(sids)})
    desk.later(20, terminal=False)
    app = desk.open()
    with app.journal.transaction() as writer:
        ledger = app.router.risk.follow(writer, desk.clock.now(), app.router.today).ledger
    assert ledger.cancels == {ACCOUNT: 9}
    desk.close()
    app = desk.open()
    with app.journal.transaction() as writer:
        ledger = app.router.risk.follow(writer, desk.clock.now(), app.router.today).ledger
    assert ledger.cancels == {ACCOUNT: 9}


def test_cancels_that_wait_for_their_turn_when_the_router_dies_go_after_it(paced):
    desk = paced()
    sids = waiting_orders(desk, 15)
    desk.put({"c.cancel_order.csv": cancels(sids)})
    desk.later(0.4)
    desk.crash()
    assert 0 < len(sent(desk, "cancel_sent")) < 15
    desk.later(30, until=lambda: set(desk.statuses().values()) == {"canceled"})
    assert set(desk.statuses().values()) == {"canceled"}


def test_cancels_when_nothing_is_paced_go_at_once(tmp_path):
    desk = FileDesk(tmp_path)
    try:
        sids = waiting_orders(desk, 30)
        desk.put({"c.cancel_order.csv": cancels(sids)})
        desk.later(10, until=lambda: set(desk.statuses().values()) == {"canceled"})
        assert busiest(sent(desk, "cancel_sent")) == 30
    finally:
        desk.close()


def told(desk: FileDesk) -> list[dict]:
    engine = reading_engine("sqlite:///journal.db", desk.root)
    try:
        with engine.connect() as connection:
            app = desk.open()
            return program_trading(load(connection, app.workspace, app.router.today, app.router.today))
    finally:
        engine.dispose()
