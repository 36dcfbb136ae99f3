"""Limit prices, cages (docs/rules.md, "Quantity, tick, daily limit")."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from builders import FRIDAY, a_wide_context, an_instrument, an_order
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.domain.board import BOARDS, board_of
from orderdrop.domain.refusal import Code
from orderdrop.domain.security import Instrument
from orderdrop.risk.context import Range
from orderdrop.risk.rules.market import (
    cage_prices,
    limit_prices,
    not_suspended,
    price_within_cage,
    price_within_limits,
    reference_there,
    sale_worth_known,
    worth,
)

MAIN, STAR, CHINEXT, BSE, ETF, REPO = (
    "SHSE.600000", "SHSE.688001", "SZSE.300001", "BJSE.920002", "SHSE.510300", "SHSE.204001",
)  # fmt: skip


def knowing(symbol: str, at: datetime = FRIDAY, **values):
    instrument, board = an_instrument(**values), board_of(symbol)
    return a_wide_context(
        at,
        instruments={symbol: instrument},
        ranges={symbol: limit_prices(board, instrument)},
        cages={symbol: cage_prices(board, instrument)},
    )


@pytest.mark.parametrize(
    ("symbol", "close", "lower", "upper"),
    [
        (MAIN, "10.00", "9.00", "11.00"),
        (MAIN, "10.05", "9.05", "11.06"),  # 9.045 and 11.055, half up
        (MAIN, "0.04", "0.03", "0.05"),  # at least one tick
        (MAIN, "0.01", "0.01", "0.02"),  # never down to nothing
        (STAR, "50.00", "40.00", "60.00"),
        (CHINEXT, "10.00", "8.00", "12.00"),
        (BSE, "10.00", "7.00", "13.00"),
        (ETF, "1.000", "0.800", "1.200"),
    ],
)
def test_limit_prices_when_the_close_is_known_then_as_the_board_has_it(symbol, close, lower, upper):
    assert limit_prices(board_of(symbol), an_instrument(previous_close=close)) == Range(
        Decimal(lower), Decimal(upper)
    )


def test_limit_prices_when_the_file_knows_better_then_it_wins():
    board = board_of(MAIN)
    assert limit_prices(board, an_instrument(previous_close="10", lower="9.50", upper="10.50")) == Range(
        Decimal("9.50"), Decimal("10.50")
    )
    assert limit_prices(board, an_instrument(previous_close="10", limit_percent="5")) == Range(
        Decimal("9.50"), Decimal("10.50")
    )
    assert limit_prices(board, an_instrument(previous_close="10", unlimited=True)) is None
    assert limit_prices(board_of(REPO), an_instrument(previous_close="2.000")) is None


@given(
    st.sampled_from([board for board in BOARDS if board.limit_percent]),
    st.integers(min_value=1, max_value=1_000_000),
)
def test_limit_prices_are_whole_ticks_and_hold_the_close_between_them(board, ticks):
    close = ticks * board.tick
    lower, upper = limit_prices(board, Instrument(previous_close=close))
    assert lower % board.tick == upper % board.tick == 0
    assert board.tick <= lower <= close < upper
    exact = close * board.limit_percent / 100
    assert abs(upper - close - exact) <= board.tick
    assert lower < close or close == board.tick


@pytest.mark.parametrize(
    ("price", "code"),
    [("11.00", None), ("11.01", Code.PRICE_LIMIT), ("9.00", None), ("8.99", Code.PRICE_LIMIT)],
)
def test_price_when_at_the_daily_limit_passes_and_beyond_it_does_not(price, code):
    refusal = price_within_limits(an_order(price=price), knowing(MAIN, previous_close="10.00"))
    assert (refusal and refusal.code) == code


def test_price_when_nobody_knows_the_close_then_said_not_denied():
    context = a_wide_context()
    assert price_within_limits(an_order(price="99"), context) is None
    assert reference_there(an_order(price="99"), context).code is Code.REFERENCE_MISSING
    assert reference_there(an_order(), knowing(MAIN, unlimited=True)) is None


@pytest.mark.parametrize(
    ("symbol", "side", "last", "last_good", "first_bad"),
    [
        (MAIN, 1, "10.00", "10.20", "10.21"),
        (MAIN, 1, "2.00", "2.10", "2.11"),  # ten ticks are more than 2%
        (MAIN, 2, "10.00", "9.80", "9.79"),
        (STAR, 1, "10.00", "10.20", "10.21"),
        (STAR, 1, "2.00", "2.04", "2.05"),  # no ticks there
        (BSE, 1, "10.00", "10.50", "10.51"),
        (BSE, 2, "10.00", "9.50", "9.49"),
    ],
)
def test_cage_when_in_continuous_trading(symbol, side, last, last_good, first_bad):
    context = knowing(symbol, last=last)
    assert price_within_cage(an_order(symbol=symbol, order_business=side, price=last_good), context) is None
    assert (
        price_within_cage(an_order(symbol=symbol, order_business=side, price=first_bad), context).code
        is Code.PRICE_CAGE
    )


def test_cage_when_not_in_continuous_trading_or_a_fund_then_none():
    call = FRIDAY.replace(hour=9, minute=16)
    assert price_within_cage(an_order(price="19"), knowing(MAIN, at=call, last="10.00")) is None
    assert price_within_cage(an_order(symbol=ETF, price="19"), knowing(ETF, last="10.00")) is None
    assert (
        price_within_cage(an_order(price="1.00"), knowing(MAIN, last="10.00")) is None
    )  # a cheap bid harms nobody


def test_worth_when_a_market_order_then_the_dearest_it_may_become():
    market = an_order(order_type=2, price=None)
    assert worth(market, knowing(MAIN, previous_close="10.00", last="10.10")) == Decimal("11.00")
    assert worth(
        market._replace(order_business=2), knowing(MAIN, previous_close="10.00", last="10.10")
    ) == Decimal("11.00")
    assert worth(market, a_wide_context()) is None
    assert worth(an_order(symbol=REPO, price="2.005"), a_wide_context()) == 100


@pytest.mark.parametrize(
    ("order_type", "price", "known_of_it", "each", "said"),
    [
        (1, "0.01", {"previous_close": "10.00", "last": "10.10"}, "11.00", False),
        (1, "0.01", {"last": "10.10"}, "10.10", False),
        (1, "10.50", {"last": "10.10"}, "10.50", False),
        (1, "10.50", {}, "10.50", True),
        (2, "0.01", {"previous_close": "10.00"}, "11.00", False),
        (2, "0.01", {"last": "10.10"}, "10.10", False),
        (2, "0.01", {}, None, False),
        (2, None, {}, None, False),
    ],
)
def test_worth_when_a_sale_then_the_most_that_it_may_bring(order_type, price, known_of_it, each, said):
    sale = an_order(order_type=order_type, price=price, order_business=2)
    context = knowing(MAIN, **known_of_it)
    assert worth(sale, context) == (None if each is None else Decimal(each))
    assert bool(sale_worth_known(sale, context)) is said
    purchase = sale._replace(order_business=1)
    assert price is None or worth(purchase, context) == Decimal(
        price
    )  # a protective price bounds what it costs
    assert sale_worth_known(purchase, context) is None


def test_suspension_when_told_then_said_not_denied():
    told = knowing(MAIN, suspended=True)
    assert not_suspended(an_order(), told).code is Code.SECURITY_SUSPENDED
    assert not_suspended(an_order(), knowing(MAIN, previous_close="10.00")) is None
    assert not_suspended(an_order(), a_wide_context()) is None
