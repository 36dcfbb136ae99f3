"""MiniQMT refuses an order in words and never lists it: that is the broker's no only if the account has no room for it."""

from __future__ import annotations

import time

import pytest
import xtquant_native
from builders import ACCOUNT, a_clock
from routed_desk import Desk
from xtquant_broker import Broker

ROW = f"sid,account_id,symbol,volume,order_type,order_business,price\nS1,{ACCOUNT},SZSE.000725,100,1,1,10\n"
SECONDS = 60
"""After so long a test gives up."""


@pytest.fixture
def desk(tmp_path):
    xtquant_native.install()
    clock, userdata = a_clock(), tmp_path / "userdata"
    userdata.mkdir()
    broker = Broker(clock)
    broker.habits.in_words = {1}
    broker.serve(userdata)
    qmt = {
        "type": "miniqmt", "live": False, "instruments": False, "userdata_dir": str(userdata), "resend": "auto",
        "connect_timeout": 60.0, "query_interval": 1, "confirm_timeout": 1, "lost_after": 2,
    }  # fmt: skip
    one = Desk(tmp_path / "w", clock, gateways={"qmt": qmt}, accounts={ACCOUNT: {}})
    one.broker = broker
    yield one
    one.close()
    broker.close()


def dropped(desk: Desk) -> Desk:
    desk.open()
    pass_by(desk, 20)  # the account has been told, and all is calm
    return desk.route({"a.csv": ROW})


def pass_by(desk: Desk, seconds: int) -> None:
    """Time goes by; the terminal answers the queries of each second."""
    app = desk.open()
    gateway = app.desk.gateways["qmt"]
    for _ in range(seconds):
        desk._clock.advance(1)
        deadline = time.monotonic() + SECONDS
        while gateway.account(ACCOUNT) is None or gateway.account(ACCOUNT).at < desk._clock.now():
            assert time.monotonic() < deadline
            app.turn(lambda _turn: None)
            time.sleep(0.001)
    desk.route()


def test_order_when_refused_in_words_and_the_account_has_no_room_for_it_then_rejected(desk):
    dropped(desk)
    assert desk.orders()["S1"]["status"] != "rejected"
    pass_by(desk, 60)
    order = desk.orders()["S1"]
    assert (order["status"], order["reason_value"]) == ("rejected", "资金不足")
    assert len(desk.broker.received) == 1


def test_order_when_refused_in_words_and_executed_all_the_same_then_unknown_with_both_words(desk):
    desk.broker.habits.executed_unseen = {1}
    dropped(desk)
    pass_by(desk, 60)
    order = desk.orders()["S1"]
    assert order["status"] == "unknown"
    assert "资金不足" in order["reason_value"]
    assert "holdings have changed" in order["reason_value"]
    assert len(desk.broker.received) == 1
