"""A hand-over that nobody saw the end of, and no evidence: the order is unknown, counts as live, and is never sent again on a guess."""

import pytest
from routed_desk import Desk

from orderdrop.errors import GatewayError

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
BUY = HEADER + "A1,acc,SHSE.600000,100,1,1,10.35\n"


class Silent:
    """Every batch that was submitted; none of them is ever answered."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.submitted: list[int] = []
        self._monkeypatch = monkeypatch
        self.swallow(desk)

    def swallow(self, desk: Desk) -> None:
        gateway = desk.open().desk.gateways["paper"]
        self._monkeypatch.setattr(gateway, "submit", self._submit)
        self._monkeypatch.setattr(gateway, "settle", lambda _batch: {})

    def _submit(self, batch) -> None:
        self.submitted.append(batch.id)
        raise GatewayError("the connection was lost")


@pytest.fixture
def silent(desk, monkeypatch):
    monkeypatch.setattr("orderdrop.execution.submission.PAUSE_AFTER_FAULT", 0.0)
    one = desk()
    return one, Silent(one, monkeypatch)


@pytest.mark.parametrize("restarted", [False, True])
def test_order_when_unknown_counts_as_live_in_the_limits(desk, monkeypatch, restarted):
    one = desk(limits={"open_orders": 1, "max_day_value": "2000"})
    silent = Silent(one, monkeypatch)
    one.route({"a.csv": BUY})
    if restarted:
        one.crash()
        silent.swallow(one)
    one.route({"b.csv": BUY.replace("A1", "A2")})
    assert one.statuses() == {"A1": "unknown"}
    assert one.outcomes("b.csv") == [("A2", "denied", "LIMIT_OPEN_ORDERS")]
    assert silent.submitted == [1]


def test_order_when_its_hand_over_is_not_answered_is_unknown_and_not_sent_again(silent):
    desk, gateway = silent
    desk.route({"a.csv": BUY}).route()
    assert desk.statuses() == {"A1": "unknown"}
    assert gateway.submitted == [1]
    assert desk.outcomes("a.csv") == [("A1", "unknown", "INTERRUPTED")]


def test_order_when_unknown_and_dropped_again_is_a_duplicate(silent):
    desk, gateway = silent
    desk.route({"a.csv": BUY}).route({"b.csv": BUY})
    assert gateway.submitted == [1]
    assert desk.outcomes("b.csv") == [("A1", "duplicate", "DUPLICATE")]


def test_order_when_unknown_and_restarted_is_not_sent_again(silent):
    desk, gateway = silent
    desk.route({"a.csv": BUY}).close()
    gateway.swallow(desk)
    desk.route()
    assert gateway.submitted == [1]
    assert desk.statuses() == {"A1": "unknown"}


def test_order_when_unknown_is_not_resent_on_demand_without_proof(silent):
    desk, gateway = silent
    desk.route({"a.csv": BUY}).route({"r.resend.csv": "sid\nA1\n"})
    assert gateway.submitted == [1]
    assert desk.outcomes("r.resend.csv") == [("A1", "refused", "RESEND_NOT_PROVEN")]
