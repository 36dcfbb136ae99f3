"""Limit prices, cages, and what instruments.csv knows better (docs/rules.md, "Quantity, tick, daily limit")."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from builders import FRIDAY, a_wide_context, an_order
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.config.sections import InstrumentSettings
from orderdrop.domain.board import BOARDS, board_of
from orderdrop.domain.refusal import Code
from orderdrop.domain.security import Instrument, Security
from orderdrop.market.instruments import NOTHING_DELIVERED, Delivered, Instruments
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
from orderdrop.system.clock import SHANGHAI, from_datetime

MAIN, STAR, CHINEXT, BSE, ETF, REPO = (
    "SHSE.600000", "SHSE.688001", "SZSE.300001", "BJSE.920002", "SHSE.510300", "SHSE.204001",
)  # fmt: skip


def known(**values) -> Instrument:
    return Instrument(
        **{name: Decimal(value) if isinstance(value, str) else value for name, value in values.items()}
    )


def knowing(symbol: str, at: datetime = FRIDAY, **values):
    instrument, board = known(**values), board_of(symbol)
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
    assert limit_prices(board_of(symbol), known(previous_close=close)) == Range(
        Decimal(lower), Decimal(upper)
    )


def test_limit_prices_when_the_file_knows_better_then_it_wins():
    board = board_of(MAIN)
    assert limit_prices(board, known(previous_close="10", lower="9.50", upper="10.50")) == Range(
        Decimal("9.50"), Decimal("10.50")
    )
    assert limit_prices(board, known(previous_close="10", limit_percent="5")) == Range(
        Decimal("9.50"), Decimal("10.50")
    )
    assert limit_prices(board, known(previous_close="10", unlimited=True)) is None
    assert limit_prices(board_of(REPO), known(previous_close="2.000")) is None


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


# the file


@pytest.fixture
def instruments(tmp_path):
    def make(text: str, at: datetime = FRIDAY, delivered: Delivered = NOTHING_DELIVERED) -> Instruments:
        path = tmp_path / "instruments.csv"
        path.write_text(text, encoding="utf-8")
        stamp = from_datetime(at) / 1e6
        os.utime(path, (stamp, stamp))
        made = Instruments(InstrumentSettings(), tmp_path, lambda: delivered)
        made.refresh(FRIDAY.date())
        return made

    return make


def test_instruments_when_written_today_then_prices_count_and_the_last_one_for_a_while(instruments):
    made = instruments("代码,昨收,最新价,st\n600000.SH,10.00,10.10,0\n")
    now = from_datetime(FRIDAY)
    assert made.today(now, FRIDAY.date())(MAIN) == known(previous_close="10.00", last="10.10", st=False)
    later = from_datetime(FRIDAY.replace(minute=33))
    assert made.today(later, FRIDAY.date())(MAIN).last is None
    assert made.today(now, FRIDAY.date())("SHSE.600001") is None


def test_instruments_when_of_yesterday_then_only_what_does_not_change_counts(instruments):
    made = instruments(
        "symbol,previous_close,upper,lower,unlimited,st,tick\n600000.SH,10,11,9,1,1,0.001\n",
        datetime(2026, 11, 19, 16, tzinfo=SHANGHAI),
    )
    assert made.today(from_datetime(FRIDAY), FRIDAY.date())(MAIN) == known(st=True)
    assert made.board_of(MAIN).tick == Decimal("0.001")


def test_instruments_when_a_pattern_then_all_that_begin_so_and_the_longest_wins(instruments):
    made = instruments(
        "symbol,tick,minimum,step,max_limit\nSHSE.204*,0.01,100,100,50000\nSHSE.20400*,0.001,,,\n"
    )
    assert made.board_of("SHSE.204007").tick == Decimal("0.001")
    assert made.board_of("SHSE.204182").step == made.board_of("SHSE.204182").minimum == 100
    assert made.board_of(MAIN) == board_of(MAIN)


def test_instruments_when_lines_are_bad_then_left_out_and_told_once(instruments, caplog):
    made = instruments("symbol,previous_close\n600000.SH,x\n,1\n600001.SH,-1\n600002.SH,5\n")
    assert [
        made.today(from_datetime(FRIDAY), FRIDAY.date())(s) is not None
        for s in (MAIN, "SHSE.600001", "SHSE.600002")
    ] == [False, False, True]
    assert len(caplog.records) == 1
    assert "3 lines" in caplog.text


def test_instruments_when_the_file_goes_away_then_forgotten(instruments, tmp_path):
    made = instruments("symbol,tick\n600000.SH,0.001\n")
    (tmp_path / "instruments.csv").unlink()
    made.refresh()
    assert not made.there
    assert made.board_of(MAIN).tick == Decimal("0.01")


def test_instruments_when_in_a_parquet_file_then_read_alike(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    path = tmp_path / "instruments.parquet"
    table = {
        "symbol": ["600000.SH", "000001.SZ"],
        "previous_close": [10.0, 11.35],
        "last": [10.1, None],
        "st": [False, True],
        "max_limit": [None, 5000],
    }
    pandas.DataFrame(table).to_parquet(path)
    now = from_datetime(FRIDAY)
    os.utime(path, (now / 1e6, now / 1e6))
    made = Instruments(InstrumentSettings(path=path.name), tmp_path)
    made.refresh()
    today = made.today(now, FRIDAY.date())
    assert today(MAIN) == known(previous_close="10.0", last="10.1", st=False)
    assert today("SZSE.000001") == known(previous_close="11.35", st=True)
    assert made.board_of("SZSE.000001").max_limit == 5000


def test_instruments_when_a_parquet_file_is_none_then_told_and_left_out(tmp_path, caplog):
    pytest.importorskip("pyarrow")
    (tmp_path / "instruments.parquet").write_bytes(b"PAR1 but not really")
    made = Instruments(InstrumentSettings(path="instruments.parquet"), tmp_path)
    made.refresh()
    assert not made.there
    assert "instruments cannot be read" in caplog.text


# what a terminal has told

TOLD = Security(MAIN, *map(Decimal, ("10.00", "9.00", "11.00", "0.001")), max_limit=500_000, st=False)
TODAY = FRIDAY.date()
THURSDAY = TODAY - timedelta(days=1)


@pytest.fixture
def delivered(instruments):
    def make(security: Security, text: str = "", day: date = TODAY, at: datetime = FRIDAY) -> Instruments:
        return instruments(text, at, Delivered(day, ({security.symbol: security},)))

    return make


def of_today(made: Instruments, symbol: str = MAIN) -> Instrument | None:
    return made.today(from_datetime(FRIDAY), FRIDAY.date())(symbol)


def test_delivered_when_the_file_says_nothing_then_they_count_and_win_over_the_board(delivered):
    made = delivered(TOLD)
    assert of_today(made) == known(previous_close="10.00", lower="9.00", upper="11.00", st=False)
    assert of_today(made, "SHSE.600001") is None
    assert made.there
    assert (made.board_of(MAIN).tick, made.board_of(MAIN).max_limit) == (Decimal("0.001"), 500_000)
    assert made.board_of(MAIN).max_market == board_of(MAIN).max_market


def test_delivered_when_of_yesterday_then_nothing_of_them_counts(delivered):
    made = delivered(TOLD, day=THURSDAY)
    assert of_today(made) is None
    assert not made.there
    assert made.board_of(MAIN) == board_of(MAIN)


def test_delivered_when_the_day_ends_then_forgotten(delivered):
    made = delivered(TOLD)
    assert made.board_of(MAIN).tick == Decimal("0.001")
    monday = FRIDAY + timedelta(days=3)
    made.refresh(monday.date())
    assert made.today(from_datetime(monday), monday.date())(MAIN) is None
    assert made.board_of(MAIN).tick == Decimal("0.01")


@pytest.mark.parametrize(
    ("header", "line", "limits"),
    [
        ("st", "1", ("9.00", "11.00")),
        ("upper", "10.50", ("9.00", "10.50")),
        ("lower,upper", "9.50,10.50", ("9.50", "10.50")),
        ("previous_close", "20.00", ("18.000", "22.000")),  # of the user's close, in the terminal's ticks
        ("limit_percent", "5", ("9.500", "10.500")),  # of the terminal's close
        ("unlimited", "1", None),
    ],
)
def test_delivered_when_the_file_says_otherwise_then_the_file_wins(delivered, header, line, limits):
    made = delivered(TOLD, text=f"symbol,{header}\n600000.SH,{line}\n")
    prices = limit_prices(made.board_of(MAIN), of_today(made))
    assert prices == (limits and Range(*map(Decimal, limits)))
    assert of_today(made).st is (header == "st")


def test_delivered_when_the_file_is_of_yesterday_then_its_prices_do_not_hide_them(delivered):
    made = delivered(
        TOLD,
        text="symbol,previous_close,upper,tick\n600000.SH,20,22,0.05\n",
        at=FRIDAY - timedelta(days=1),
    )
    assert limit_prices(board_of(MAIN), of_today(made)) == Range(Decimal("9.00"), Decimal("11.00"))
    assert made.board_of(MAIN).tick == Decimal(
        "0.05"
    )  # what does not change from day to day is still the user's


def test_delivered_when_told_anew_then_the_board_follows(tmp_path):
    told = [
        Delivered(TODAY, ()),
        Delivered(TODAY, ({MAIN: TOLD},)),
        Delivered(TODAY, ({MAIN: TOLD._replace(tick=None)},)),
    ]
    made = Instruments(InstrumentSettings(), tmp_path, lambda: told[0])
    ticks = []
    for _ in range(3):
        made.refresh(TODAY)
        ticks.append(made.board_of(MAIN).tick)
        told.append(told.pop(0))
    assert ticks == [Decimal("0.01"), Decimal("0.001"), Decimal("0.01")]


def test_delivered_when_two_terminals_know_it_then_the_first_counts():
    other = TOLD._replace(previous_close=Decimal(20))
    assert Delivered(FRIDAY.date(), ({}, {MAIN: TOLD}, {MAIN: other})).of(MAIN) is TOLD


def test_suspension_when_told_then_said_not_denied():
    told = knowing(MAIN, suspended=True)
    assert not_suspended(an_order(), told).code is Code.SECURITY_SUSPENDED
    assert not_suspended(an_order(), knowing(MAIN, previous_close="10.00")) is None
    assert not_suspended(an_order(), a_wide_context()) is None
