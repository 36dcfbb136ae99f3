"""The day's securities in 掘金's words."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from builders import FRIDAY, a_clock
from gm_terminal import GmTerminal

from orderdrop.errors import GatewayError
from orderdrop.system.clock import from_datetime

TODAY = FRIDAY.date()
MIDNIGHT = from_datetime(FRIDAY.replace(hour=0, minute=0))


@pytest.fixture
def terminal(tmp_path):
    return GmTerminal(tmp_path, a_clock())


def listed(symbol: str, kind: int = 1010, at: int = MIDNIGHT, **over) -> dict:
    info = {
        "symbol": symbol,
        "exchange": symbol[:4],
        "sec_type1": kind,
        "price_tick": 0.01,
        "sec_name": "浦发银行",
    }
    return {"at": at, "pre_close": 10.0, "lower_limit": 9.0, "upper_limit": 11.0, "info": info, **over}


def asked(terminal: GmTerminal, *symbols: dict) -> dict:
    (terminal.folder / "symbols.json").write_text(json.dumps(symbols))
    return {one.symbol: one for one in terminal.gateway().instruments(TODAY)}


def test_symbols_when_of_stocks_funds_and_bonds_then_all_are_asked_for(terminal):
    told = asked(
        terminal,
        listed("SHSE.600000"),
        listed("SHSE.510300", 1020),
        listed("SZSE.123001", 1030),
        listed("SHSE.000001", 1060),
        listed("CFFEX.IF2612", 1040),
    )
    assert told.keys() == {"SHSE.600000", "SHSE.510300", "SZSE.123001"}
    assert told["SHSE.600000"].lower == Decimal("9.0")
    assert told["SHSE.600000"].name == "浦发银行"
    assert told["SHSE.600000"].max_limit is None  # the API tells no maxima


def test_symbols_when_st_or_suspended_then_not_left_out(terminal):
    told = asked(terminal, listed("SHSE.600000", is_st=True), listed("SHSE.600001", is_suspended=True))
    assert (told["SHSE.600000"].st, told["SHSE.600000"].suspended) == (True, False)
    assert (told["SHSE.600001"].st, told["SHSE.600001"].suspended) == (False, True)
    assert asked(terminal, listed("SHSE.510300", 1020))["SHSE.510300"].st is None


@pytest.mark.parametrize(("shift", "today"), [(0, True), (-1, False), (86_399, True), (86_400, False)])
def test_symbols_when_of_another_day_in_shanghai_then_not_told(terminal, shift, today):
    assert bool(asked(terminal, listed("SHSE.600000", at=MIDNIGHT + shift * 1_000_000))) is today


def test_symbols_when_the_day_is_not_told_then_they_are_of_no_day(terminal):
    assert asked(terminal, listed("SHSE.600000", at=0)) == {}


def test_symbols_when_one_kind_is_refused_then_the_others_are_told(terminal):
    terminal.book.fail("symbols", "refuse")
    assert asked(terminal, listed("SHSE.600000"), listed("SHSE.510300", 1020)).keys() == {"SHSE.510300"}


def test_symbols_when_all_are_refused_then_a_fault_in_the_vendors_words(terminal):
    with pytest.raises(GatewayError, match="无法连接到终端服务"):
        list(terminal.gateway().instruments(TODAY))


def test_symbols_when_asked_for_then_the_token_goes_through_the_pipe(terminal):
    assert asked(terminal, listed("SHSE.600000"))
    assert (terminal.folder / "token").read_text() == "a-secret"
    assert "a-secret" not in str(terminal.gateway()._enquiry.__dict__)
