from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.domain import symbol as symbols
from orderdrop.domain.board import board_of
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.symbol import Symbol, read_symbol


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("SHSE.600000", "SHSE.600000"),
        ("szse.000001", "SZSE.000001"),
        ("BJSE.920002", "BJSE.920002"),
        ("600000.SH", "SHSE.600000"),
        ("000001.sz", "SZSE.000001"),
        ("920002.BJ", "BJSE.920002"),
        ("600519.XSHG", "SHSE.600519"),
        ("000001.XSHE", "SZSE.000001"),
        ("SH600000", "SHSE.600000"),
        ("sz000001", "SZSE.000001"),
        ("Bj920002", "BJSE.920002"),
        (" 600000 ", "SHSE.600000"),
        ("600000", "SHSE.600000"),
        ("000001", "SZSE.000001"),
        ("920002", "BJSE.920002"),
        ("510300", "SHSE.510300"),
        ("SHSE.000001", "SHSE.000001"),  # whether the code fits the exchange is a check's business
    ],
)
def test_symbol_when_spelled_in_any_known_way_then_canonical_and_nothing_to_say(text, canonical):
    assert read_symbol(text) == Symbol(canonical, "")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1", "SZSE.000001"),
        ("725", "SZSE.000725"),
        ("2", "SZSE.000002"),
        ("18014", "SHSE.018014"),
        ("10609", "SHSE.010609"),
    ],
)
def test_symbol_when_excel_took_its_zeros_then_restored_and_said(text, canonical):
    assert read_symbol(text) == Symbol(canonical, f"{text} → {canonical} 补零 zeros restored")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("６０００００", "SHSE.600000"),
        ("ＳＨ６０００００", "SHSE.600000"),
        ("600000．SH", "SHSE.600000"),
        ("\u3000１", "SZSE.000001"),
    ],
)
def test_symbol_when_full_width_then_mended_and_said(text, canonical):
    symbol = read_symbol(text)
    assert symbol.text == canonical
    assert "full-width" in symbol.note


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "SH", "SHSE.", "600000.", ".SH", "SH1", "1.SZ", "SHSE.60000", "6000000", "600000.SHH"),
        *(
            "US.AAPL",
            "AAPL",
            "浦发银行",
            "600000.0",
            "6e5",
            "-1",
            "+1",
            "0",
            "00000",
            "700000",
            "399006",
            "99999",
        ),
        *("６０００００²", "6000 00", "ſh600000", "SH٦٠٠٠٠٠", "600000\n", "600000\u200b", "SHSE.600000\n"),
    ],
)
def test_symbol_when_not_understood_then_refused(text):
    assert read_symbol(text) == Refusal(Code.SYMBOL_BAD, value=text)


def test_symbol_when_a_bare_code_fits_two_exchanges_then_refused_not_guessed(monkeypatch):
    two = (board_of("SHSE.113050"), board_of("SZSE.128136"))
    monkeypatch.setattr(symbols, "boards_of_code", lambda _code: two)
    refusal = Refusal(Code.SYMBOL_AMBIGUOUS, value="111001", bound="SHSE.111001, SZSE.111001")
    assert read_symbol("111001") == refusal
    assert read_symbol("SH111001") == Symbol("SHSE.111001", "")


@given(st.text(max_size=12))
def test_symbol_when_given_any_text_then_canonical_or_refused(text):
    symbol = read_symbol(text)
    if isinstance(symbol, Symbol):
        assert read_symbol(symbol.text) == Symbol(symbol.text, "")
