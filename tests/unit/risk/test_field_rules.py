from __future__ import annotations

import pytest
from builders import a_context, an_order

from orderdrop.domain.refusal import Code, Refusal
from orderdrop.risk.checks import check


def test_account_when_any_is_welcome_then_passes():
    assert check(an_order(account_id="whoever"), a_context(accounts=None)) is None


def test_account_when_not_in_the_settings_then_denied_with_the_known_ones():
    refusal = check(an_order(account_id="X"), a_context(accounts=frozenset({"B", "A"})))
    assert refusal == Refusal(Code.ACCOUNT_UNKNOWN, "account_id", "X", "A, B")


def test_account_when_empty_then_denied():
    assert check(an_order(account_id=""), a_context()).code is Code.ACCOUNT_MISSING


@pytest.mark.parametrize(
    ("over", "code"),
    [
        ({"order_type": 1, "price": None}, Code.PRICE_MISSING),
        ({"order_type": 1, "price": "0"}, Code.PRICE_BAD),
        ({"order_type": 1, "price": "-10.00"}, Code.PRICE_BAD),
        ({"order_type": 25, "price": None}, None),
        ({"order_type": 25, "price": "10.50"}, None),  # Shanghai: a protective price
        ({"order_type": 25, "price": "10.505"}, Code.PRICE_TICK),
        ({"order_type": 22, "price": None, "symbol": "SZSE.000001"}, None),
        ({"order_type": 22, "price": "10.50", "symbol": "SZSE.000001"}, Code.PRICE_NOT_ALLOWED),
        ({"order_type": 20, "price": None, "symbol": "BJSE.920002"}, None),
        ({"order_type": 20, "price": "10.50", "symbol": "BJSE.920002"}, Code.PRICE_NOT_ALLOWED),
        ({"order_type": 1, "price": "10.50", "symbol": "BJSE.920002"}, None),
    ],
)
def test_price_when_the_order_type_wants_it_or_not(over, code):
    refusal = check(an_order(**over), a_context())
    assert (refusal and refusal.code) == code


def test_price_when_not_a_number_then_denied():
    assert check(an_order(price="NaN"), a_context()).code in {Code.PRICE_BAD, Code.CHECK_FAILED}
