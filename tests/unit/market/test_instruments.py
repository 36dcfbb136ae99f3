"""What is known of each security: instruments.csv first, then what a terminal has told, then the board."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from builders import FRIDAY, an_instrument

from orderdrop.config.sections import InstrumentSettings
from orderdrop.domain.board import board_of
from orderdrop.domain.security import Instrument, Security
from orderdrop.market.instruments import NOTHING_DELIVERED, Delivered, Instruments
from orderdrop.risk.context import Range
from orderdrop.risk.rules.market import limit_prices
from orderdrop.system.clock import SHANGHAI, from_datetime

MAIN = "SHSE.600000"


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
    assert made.today(now, FRIDAY.date())(MAIN) == an_instrument(
        previous_close="10.00", last="10.10", st=False
    )
    later = from_datetime(FRIDAY.replace(minute=33))
    assert made.today(later, FRIDAY.date())(MAIN).last is None
    assert made.today(now, FRIDAY.date())("SHSE.600001") is None


def test_instruments_when_of_yesterday_then_only_what_does_not_change_counts(instruments):
    made = instruments(
        "symbol,previous_close,upper,lower,unlimited,st,tick\n600000.SH,10,11,9,1,1,0.001\n",
        datetime(2026, 11, 19, 16, tzinfo=SHANGHAI),
    )
    assert made.today(from_datetime(FRIDAY), FRIDAY.date())(MAIN) == an_instrument(st=True)
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
    assert today(MAIN) == an_instrument(previous_close="10.0", last="10.1", st=False)
    assert today("SZSE.000001") == an_instrument(previous_close="11.35", st=True)
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
    assert of_today(made) == an_instrument(previous_close="10.00", lower="9.00", upper="11.00", st=False)
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


def rewrite(folder, text: str, at: datetime = FRIDAY) -> None:
    path = folder / "instruments.csv"
    path.write_text(text, encoding="utf-8")
    os.utime(path, (from_datetime(at) / 1e6,) * 2)


def test_instruments_when_the_file_changes_then_its_new_lines_count(instruments, tmp_path):
    made = instruments("symbol,tick\n600000.SH,0.001\n")
    rewrite(tmp_path, "symbol,tick\n600000.SH,0.005\n", FRIDAY + timedelta(seconds=1))
    made.refresh(TODAY)
    assert made.board_of(MAIN).tick == Decimal("0.005")


def test_instruments_when_they_come_while_we_run_then_they_are_found(tmp_path):
    made = Instruments(InstrumentSettings(), tmp_path)
    made.refresh(TODAY)
    assert not made.there
    rewrite(tmp_path, "symbol,tick\n600000.SH,0.001\n")
    made.refresh(TODAY)
    assert made.board_of(MAIN).tick == Decimal("0.001")


def test_instruments_when_they_cannot_be_read_just_now_then_what_was_known_stays(
    instruments, tmp_path, monkeypatch, caplog
):
    made = instruments("symbol,tick\n600000.SH,0.001\n")
    rewrite(tmp_path, "symbol,tick\n", FRIDAY + timedelta(seconds=1))

    def fail(*_args, **_over):
        raise PermissionError(13, "somebody writes")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.read_text", fail)
        made.refresh(TODAY)
    assert made.board_of(MAIN).tick == Decimal("0.001")
    assert "instruments cannot be read" in caplog.text
    made.refresh(TODAY)
    assert made.board_of(MAIN).tick == Decimal("0.01"), "and is read as soon as it can be"


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("previous_close", "0"),
        ("previous_close", "NaN"),
        ("previous_close", "1e30"),
        ("tick", "-0.01"),
        ("st", "yes"),
        ("lower,upper", "11,10"),
    ],
)
def test_instruments_when_a_cell_cannot_be_then_its_line_is_left_out(instruments, header, cell):
    made = instruments(f"symbol,{header}\n600000.SH,{cell}\n600001.SH\n")
    assert of_today(made) is None
    assert of_today(made, "SHSE.600001") == an_instrument()


def test_instruments_when_there_is_no_symbol_column_then_told_and_nothing_is_known(instruments, caplog):
    made = instruments("price,tick\n10,0.001\n")
    assert not made.there
    assert "no column symbol" in caplog.text


def test_instruments_when_of_two_lines_of_one_security_then_the_last_counts(instruments):
    made = instruments("symbol,tick\n600000.SH,0.001\nSHSE.600000,0.005\n")
    assert made.board_of(MAIN).tick == Decimal("0.005")


def test_instruments_when_a_security_has_no_board_then_a_line_makes_none(instruments):
    made = instruments("symbol,tick\nSHSE.000001,0.001\n")
    assert made.board_of("SHSE.000001") == board_of("SHSE.000001") is None


def test_delivered_when_a_security_is_suspended_then_told_beside_what_the_file_says(delivered):
    made = delivered(TOLD._replace(suspended=True), text="symbol,last\n600000.SH,10.10\n")
    assert of_today(made).suspended
    assert of_today(made).last == Decimal("10.10")
