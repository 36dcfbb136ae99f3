from decimal import Decimal

import pytest
from builders import ACCOUNT, an_outgoing

from orderdrop.domain.goldminer_format import order_file
from orderdrop.domain.report import CancelReject, Fill
from orderdrop.domain.status import Status
from orderdrop.errors import GatewayError
from orderdrop.gateway.gm import rows
from orderdrop.system.clock import Micros

NOW = Micros(1_700_000_000_000_000)


def a_report(**over):
    return {
        "account_id": ACCOUNT, "cl_ord_id": "t-1", "order_id": "c1", "exec_id": "e1", "exec_type": 15, "price": 10.1,
        "volume": 100, "commission": 0.0, "ord_rej_reason": 0, "ord_rej_reason_detail": "", "created_at": 0, **over,
    }  # fmt: skip


def an_answer(**over):
    return {
        "account_id": ACCOUNT, "order_id": "c1", "status": 1, "filled_volume": 0, "ord_rej_reason": 0,
        "ord_rej_reason_detail": "", "created_at": 0, "updated_at": 0, **over,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("number", "price"),
    [(10.1, "10.10"), (9.999999999, "10.00"), (1.2345, "1.2345"), (float("nan"), "0"), (1e300, "0")],
)
def test_price_when_it_comes_as_a_double_then_four_decimals_at_most(number, price):
    assert str(rows.price_of(number)) == price


def test_event_when_a_trade_then_a_fill_and_no_fee_where_none_is_told():
    key, fill = rows.event("S1", a_report(), NOW)
    assert fill == Fill(NOW, ACCOUNT, "S1", "e1", 100, Decimal("10.10"), "c1", None)
    assert key == "fill e1"
    assert rows.event("S1", a_report(commission=5.0), NOW)[1].fee == 5


@pytest.mark.parametrize("over", [{"exec_id": ""}, {"volume": 0}, {"price": float("nan")}, {"exec_type": 18}])
def test_event_when_it_is_no_whole_trade_then_nothing(over):
    assert rows.event("S1", a_report(**over), NOW) is None


def test_event_when_a_cancel_was_refused_then_told_with_its_reason():
    report = a_report(exec_type=19, ord_rej_reason=101, ord_rej_reason_detail="已成交")
    assert rows.event("S1", report, NOW)[1] == CancelReject(NOW, ACCOUNT, "S1", 101, "已成交")


@pytest.mark.parametrize(
    ("code", "status"),
    [(1, Status.NEW), (2, Status.PARTIALLY_FILLED), (3, Status.FILLED), (5, Status.CANCELED),
     (6, Status.PENDING_CANCEL), (8, Status.REJECTED), (9, Status.SUSPENDED), (10, Status.PENDING_NEW), (12, Status.EXPIRED)],
)  # fmt: skip
def test_status_when_the_vendor_names_it_then_our_word(code, status):
    assert rows.status_report("S1", an_answer(status=code), NOW).status is status


def test_status_when_nobody_knows_the_code_then_the_terminal_has_it_all_the_same():
    assert rows.status_report("S1", an_answer(status=77), NOW).status is Status.PENDING_NEW


def test_batch_when_written_then_read_the_same():
    orders = [an_outgoing(remark='调仓, "一"'), an_outgoing(sid="S2", order_type=24, price=None)]
    assert rows.read_batch(order_file(orders)) == orders


@pytest.mark.parametrize("content", [b"sid\nS1\n", b"\xff", b"h\nS1,A1,SHSE.600000,x,1,1,10,\n"])
def test_batch_when_it_is_not_ours_then_a_fault(content):
    with pytest.raises(GatewayError):
        rows.read_batch(content)
