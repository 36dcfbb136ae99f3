"""The day's securities in a QMT terminal's words: whose day they are, and what of them is taken."""

from __future__ import annotations

import subprocess
import sys
import time
from decimal import Decimal

import psutil
import pytest
import xtdata_native
from builders import FRIDAY

from orderdrop.domain.board import board_of
from orderdrop.errors import GatewayError
from orderdrop.gateway.miniqmt.securities import is_of, security
from orderdrop.gateway.securities_query import Enquiry

TODAY = "20261120"
DETAIL = {
    "TradingDay": TODAY,
    "InstrumentName": "浦发银行",
    "PreClose": 10.0,
    "DownStopPrice": 9.0,
    "UpStopPrice": 11.0,
}
NOON = 1000 * int(FRIDAY.replace(hour=12).timestamp())


@pytest.mark.parametrize(
    ("trading_day", "quote", "today"),
    [
        (TODAY, {}, True),
        (int(TODAY), {}, True),
        ("20261119", {}, False),
        ("0", {}, False),
        (None, {}, False),
        ("0", {"timetag": f"{TODAY} 09:15:03", "lastClose": 10.0}, True),
        ("20261119", {"timetag": f"{TODAY} 09:15:03", "lastClose": 10.0}, True),
        ("0", {"time": NOON, "lastClose": 10.0}, True),
        ("0", {"time": NOON - 86_400_000, "lastClose": 10.0}, False),
        ("0", {"timetag": f"{TODAY} 09:15:03", "lastClose": 10.5}, False),  # the detail is still yesterday's
        ("0", {"timetag": "20261119 15:00:03", "lastClose": 10.0}, False),
        ("0", {"timetag": "", "lastClose": 10.0}, False),
    ],
)
def test_detail_when_its_day_is_proven_then_of_today(trading_day, quote, today):
    assert is_of(TODAY, DETAIL | {"TradingDay": trading_day}, quote) is today


def test_detail_when_it_knows_no_close_then_a_quote_proves_nothing():
    quote = {"timetag": f"{TODAY} 09:15:03", "lastClose": 0}
    assert not is_of(TODAY, {"PreClose": 0, "TradingDay": "0"}, quote)


@pytest.mark.parametrize(
    ("symbol", "name", "st"),
    [
        ("SHSE.600000", "浦发银行", False),
        ("SHSE.600000", "*ST浦发", True),
        ("SHSE.600000", "XDST浦发", True),
        ("SHSE.600000", "", None),
        ("SHSE.510300", "沪深300ETF", None),
    ],
)
def test_st_when_the_name_says_so(symbol, name, st):
    told = security(symbol, board_of(symbol), DETAIL | {"InstrumentName": name})
    assert (told.st, told.name) == (st, name)


@pytest.mark.parametrize(
    ("symbol", "limit", "market"),
    [("SHSE.510300", 1_000_000, 500_000), ("SHSE.113001", None, None), ("SHSE.600000", 1_000_000, 500_000)],
)
def test_volumes_when_of_shares_then_taken_and_of_bonds_not(symbol, limit, market):
    detail = DETAIL | {"MaxLimitOrderVolume": 1_000_000, "MaxMarketOrderVolume": 500_000}
    told = security(symbol, board_of(symbol), detail)
    assert (told.max_limit, told.max_market) == (limit, market)


@pytest.mark.parametrize(
    ("status", "suspended"), [(0, None), (-1, None), (None, None), (1, True), (30, True)]
)
def test_suspension_when_its_days_are_counted(status, suspended):
    assert (
        security("SHSE.600000", board_of("SHSE.600000"), DETAIL | {"InstrumentStatus": status}).suspended
        is suspended
    )


# through the vendor's own xtdata


@pytest.fixture
def enquiry(tmp_path):
    pytest.importorskip("xtquant", reason="xtquant is not installed: pip install xtquant")
    return Enquiry(xtdata_native.command(tmp_path), 20)


def test_market_when_it_lists_all_sorts_of_things_then_only_what_has_a_board_is_told(enquiry, tmp_path):
    complete = {"ExtendInfo": {"OptionType": -1, "MaxLimitOrderVolume": 1_000_000}}
    xtdata_native.write(
        tmp_path,
        {"600000.SH": DETAIL | complete, "920002.BJ": DETAIL, "000001.SH": DETAIL, "600001.SH": DETAIL | {"TradingDay": "20261119"}},
        {"600009.SH": {}, "IF2612.IF": {}},
    )  # fmt: skip
    told = {one.symbol: one for one in enquiry.ask(day=TODAY)}
    assert told.keys() == {"SHSE.600000", "BJSE.920002"}
    assert told["SHSE.600000"].max_limit == 1_000_000
    assert told["SHSE.600000"].upper == Decimal("11.0")


def test_market_when_large_then_all_of_it_comes(enquiry, tmp_path):
    codes = [f"{number:06}.SH" for number in range(600_000, 600_500)]
    xtdata_native.write(tmp_path, dict.fromkeys(codes, DETAIL))
    assert len(list(enquiry.ask(day=TODAY))) == 500


def test_terminal_when_away_then_the_vendors_words_are_told(enquiry):
    with pytest.raises(GatewayError, match="xtquant"):
        list(enquiry.ask(day=TODAY))


def test_terminal_when_it_hangs_then_given_up_in_time(tmp_path):
    pytest.importorskip("xtquant", reason="xtquant is not installed: pip install xtquant")
    xtdata_native.write(tmp_path, {"600000.SH": DETAIL}, fault="hang")
    with pytest.raises(GatewayError, match="too long"):
        list(Enquiry(xtdata_native.command(tmp_path), 1).ask(day=TODAY))


def test_enquiry_when_its_router_is_killed_then_its_process_ends_too(tmp_path):
    pytest.importorskip("xtquant", reason="xtquant is not installed: pip install xtquant")
    xtdata_native.write(tmp_path, {"600000.SH": DETAIL}, fault="hang")
    asking = (
        "import sys; from orderdrop.gateway.securities_query import Enquiry\n"
        f"enquiry = Enquiry({xtdata_native.command(tmp_path)!r}, 100)\n"
        "import threading; threading.Thread(target=lambda: list(enquiry.ask(day='20261120')), daemon=True).start()\n"
        "while enquiry._process is None: pass\n"
        "print(enquiry._process.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", asking], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as router:
        asked = psutil.Process(int(router.stdout.readline()))
        time.sleep(0.5)  # it is deep in the vendor's library
        assert asked.is_running()
        router.kill()
    asked.wait(60)


def test_enquiry_when_left_early_then_its_process_is_gone(enquiry, tmp_path):
    codes = [f"{number:06}.SH" for number in range(600_000, 600_500)]
    xtdata_native.write(tmp_path, dict.fromkeys(codes, DETAIL))
    asking = enquiry.ask(day=TODAY)
    next(asking)
    process = enquiry._process
    asking.close()
    assert process.returncode is not None
