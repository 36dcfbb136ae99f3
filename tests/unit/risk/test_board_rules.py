"""A table of cases for each board, then what must hold for every volume and price."""

from __future__ import annotations

from decimal import Decimal

import pytest
from builders import ACCOUNT, a_context, an_order
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.domain.board import BOARDS
from orderdrop.domain.refusal import Code
from orderdrop.risk.checks import check

MAIN, SZ_MAIN, STAR, CHINEXT, BSE = "SHSE.600000", "SZSE.000001", "SHSE.688001", "SZSE.300001", "BJSE.920002"
ETF, CONVERTIBLE, SH_REPO, SZ_REPO, SH_B = (
    "SHSE.510300",
    "SZSE.123001",
    "SHSE.204001",
    "SZSE.131810",
    "SHSE.900901",
)
BUY, SELL = 1, 2


def denied(**over):
    refusal = check(an_order(**over), a_context())
    return refusal and refusal.code


@pytest.mark.parametrize(
    ("symbol", "side", "volume", "code"),
    [
        (MAIN, BUY, 100, None),
        (MAIN, BUY, 50, Code.LOT_MINIMUM),
        (MAIN, BUY, 150, Code.LOT_SIZE),
        (MAIN, BUY, 0, Code.VOLUME_BAD),
        (MAIN, SELL, -100, Code.VOLUME_BAD),
        (MAIN, SELL, 50, None),  # may be the whole remainder; the broker knows
        (MAIN, SELL, 150, None),
        (MAIN, BUY, 1_000_000, None),
        (MAIN, BUY, 1_000_100, Code.VOLUME_MAXIMUM),
        (STAR, BUY, 199, Code.LOT_MINIMUM),
        (STAR, BUY, 200, None),
        (STAR, BUY, 201, None),
        (STAR, SELL, 199, None),
        (STAR, SELL, 1, None),
        (STAR, BUY, 100_000, None),
        (STAR, BUY, 100_001, Code.VOLUME_MAXIMUM),
        (CHINEXT, BUY, 300_000, None),
        (CHINEXT, BUY, 300_100, Code.VOLUME_MAXIMUM),
        (BSE, BUY, 99, Code.LOT_MINIMUM),
        (BSE, BUY, 101, None),
        (BSE, SELL, 99, None),
        (ETF, BUY, 100, None),
        (ETF, BUY, 101, Code.LOT_SIZE),
        (CONVERTIBLE, BUY, 10, None),
        (CONVERTIBLE, BUY, 15, Code.LOT_SIZE),
        (CONVERTIBLE, SELL, 15, None),
        (SH_REPO, BUY, 10, Code.SIDE_NOT_ALLOWED),
        (SH_REPO, SELL, 10, None),
        (SZ_REPO, SELL, 15, Code.LOT_SIZE),
        (SZ_REPO, SELL, 5, Code.LOT_MINIMUM),
        (SH_B, SELL, 150, Code.LOT_SIZE),
        (MAIN, 3, 100, Code.SIDE_BAD),
        ("SHSE.000001", BUY, 100, Code.BOARD_UNKNOWN),  # an index
        ("SZSE.600000", BUY, 100, Code.BOARD_UNKNOWN),  # the other exchange's code
    ],
)
def test_volume_and_side_when_on_a_board(symbol, side, volume, code):
    assert denied(symbol=symbol, order_business=side, volume=volume) == code


@pytest.mark.parametrize(
    ("symbol", "volume", "code"),
    [
        (MAIN, 1_000_000, None),
        (STAR, 50_000, None),
        (STAR, 50_001, Code.VOLUME_MAXIMUM),
        (CHINEXT, 150_000, None),
        (CHINEXT, 150_100, Code.VOLUME_MAXIMUM),
    ],
)
def test_maximum_when_a_market_order_then_its_own(symbol, volume, code):
    assert denied(symbol=symbol, volume=volume, order_type=24, price=None) == code


@pytest.mark.parametrize(
    ("symbol", "offered"),
    [
        (MAIN, {1, 2, 20, 21, 24, 25}),
        (STAR, {1, 2, 20, 21, 24, 25}),
        (SZ_MAIN, {1, 2, 20, 21, 22, 23, 24}),
        (CHINEXT, {1, 2, 20, 21, 22, 23, 24}),
        (BSE, {1, 20, 21, 24, 25}),
        (ETF, {1, 2, 20, 21, 24, 25}),
        (CONVERTIBLE, {1}),
        ("SHSE.113001", {1}),
        (SH_REPO, {1}),
        (SZ_REPO, {1}),
        (SH_B, {1}),
    ],
)
def test_order_type_when_on_an_exchange_then_as_in_the_table(symbol, offered):
    side = SELL if symbol in {SH_REPO, SZ_REPO} else BUY
    for order_type in (*range(30), 99):
        price = "10.00" if order_type == 1 else None
        code = denied(symbol=symbol, order_type=order_type, price=price, order_business=side, volume=200)
        assert code == (None if order_type in offered else Code.ORDER_TYPE_EXCHANGE), order_type


@pytest.mark.parametrize(
    ("symbol", "price", "code"),
    [
        (MAIN, "10.01", None),
        (MAIN, "10.010", None),
        (MAIN, "10.001", Code.PRICE_TICK),
        (ETF, "1.234", None),
        (ETF, "1.2345", Code.PRICE_TICK),
        (SH_B, "0.501", None),
        ("SZSE.200002", "0.501", Code.PRICE_TICK),
    ],
)
def test_tick_when_on_a_board(symbol, price, code):
    assert denied(symbol=symbol, price=price) == code


def test_tick_when_repo_then_half_a_cent():
    assert denied(symbol=SH_REPO, order_business=SELL, volume=10, price="1.855") is None
    assert denied(symbol=SH_REPO, order_business=SELL, volume=10, price="1.853") is Code.PRICE_TICK


boards = st.sampled_from([board for board in BOARDS if not board.sell_only])
volumes = st.integers(min_value=-10, max_value=1_100_000)


def a_symbol(board):
    return f"{board.exchange}.{board.prefixes[0].ljust(6, '1')}"


@given(boards, volumes | st.integers(min_value=0, max_value=500))
def test_purchase_passes_exactly_when_minimum_step_and_maximum_are_kept(board, volume):
    allowed = board.minimum <= volume <= board.max_limit and (volume - board.minimum) % board.step == 0
    price = str(board.tick * 100)
    assert (denied(symbol=a_symbol(board), volume=volume, price=price) is None) == allowed


@given(boards, volumes | st.integers(min_value=0, max_value=500))
def test_sale_when_a_purchase_would_pass_then_passes_too(board, volume):
    price = str(board.tick * 100)
    bought = denied(symbol=a_symbol(board), volume=volume, price=price)
    sold = denied(symbol=a_symbol(board), volume=volume, price=price, order_business=SELL)
    assert bought is not None or sold is None
    assert volume > 0 or sold is Code.VOLUME_BAD


@given(boards, st.decimals(min_value="0.0001", max_value="9999", places=4))
def test_price_passes_exactly_when_it_is_whole_ticks(board, price):
    ticks = price / board.tick
    code = denied(symbol=a_symbol(board), volume=board.minimum, price=price)
    assert code == (None if ticks == ticks.to_integral_value() else Code.PRICE_TICK)
    assert board.tick > Decimal(0)


@pytest.mark.parametrize(
    ("business", "volume", "code"),
    [
        (200, 100, None),
        (200, 150, Code.LOT_SIZE),
        (201, 150, Code.LOT_SIZE),  # what is lent leaves no odd rest
        (208, 150, None),
        (203, 50, None),
        (207, 100, None),
        (204, 100, Code.SIDE_BAD),
    ],
)
def test_credit_order_when_of_a_credit_account_then_judged_like_its_side(business, volume, code):
    context = a_context(credit=frozenset({ACCOUNT}))
    refusal = check(an_order(order_business=business, volume=volume), context)
    assert (refusal and refusal.code) == code


def test_credit_order_when_of_another_account_then_denied():
    assert denied(order_business=200) is Code.CREDIT_ACCOUNT
