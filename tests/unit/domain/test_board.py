from __future__ import annotations

from decimal import Decimal
from itertools import product

import pytest

from orderdrop.domain import board
from orderdrop.domain.board import BOARDS, board_of, boards_of_code


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("SHSE.600000", "上交所主板 SSE main"),
        ("SHSE.605499", "上交所主板 SSE main"),
        ("SHSE.688981", "科创板 STAR"),
        ("SHSE.689009", "科创板 STAR"),
        ("SZSE.000001", "深交所主板 SZSE main"),
        ("SZSE.003816", "深交所主板 SZSE main"),
        ("SZSE.300750", "创业板 ChiNext"),
        ("SZSE.301001", "创业板 ChiNext"),
        ("SZSE.302132", "创业板 ChiNext"),
        ("BJSE.920002", "北交所 BSE"),
        ("BJSE.430047", "北交所 BSE"),
        ("BJSE.830799", "北交所 BSE"),
        ("SHSE.510300", "沪市基金 SSE fund"),
        ("SZSE.159915", "深市基金 SZSE fund"),
        ("SHSE.501018", "沪市基金 SSE fund"),
        ("SHSE.588000", "沪市基金 SSE fund"),
        ("SHSE.508000", "沪市REITs SSE REIT"),
        ("SZSE.180101", "深市REITs SZSE REIT"),
        ("SHSE.113050", "沪市可转债 SSE convertible"),
        ("SZSE.128136", "深市可转债 SZSE convertible"),
        ("SHSE.010609", "沪市国债 SSE treasury bond"),
        ("SHSE.018014", "沪市国债 SSE treasury bond"),
        ("SHSE.020417", "沪市国债 SSE treasury bond"),
        ("SHSE.204001", "沪市逆回购 SSE repo"),
        ("SZSE.131810", "深市逆回购 SZSE repo"),
        ("SHSE.900901", "沪市B股 SSE B share"),
        ("SZSE.200012", "深市B股 SZSE B share"),
    ],
)
def test_board_of_when_the_exchange_has_the_code_then_its_board(symbol, name):
    assert board_of(symbol).name == name


@pytest.mark.parametrize(
    "symbol",
    [
        "SHSE.000001",
        "SZSE.600000",
        "SHSE.920002",
        "SHSE.604000",
        "SZSE.303000",
        "SZSE.181000",
        "SZSE.399001",
        "SHSE.60000",
        "SHSE.６０００００",
        "",
        "600000",
    ],
)
def test_board_of_when_no_board_has_it_then_none(symbol):
    assert board_of(symbol) is None


@pytest.mark.parametrize(
    ("symbol", "lot", "minimum", "step", "odd_below", "max_limit", "max_market", "tick", "limit_percent"),
    [
        ("SHSE.600000", 100, 100, 100, 100, 1_000_000, 1_000_000, "0.01", 10),
        ("SHSE.688981", 1, 200, 1, 200, 100_000, 50_000, "0.01", 20),
        ("SZSE.000001", 100, 100, 100, 100, 1_000_000, 1_000_000, "0.01", 10),
        ("SZSE.300750", 100, 100, 100, 100, 300_000, 150_000, "0.01", 20),
        ("BJSE.920002", 1, 100, 1, 100, 1_000_000, 1_000_000, "0.01", 30),
        ("SHSE.510300", 100, 100, 100, 100, 1_000_000, 1_000_000, "0.001", 20),
        ("SHSE.508000", 100, 100, 100, 100, 1_000_000, None, "0.001", 10),
        ("SZSE.180101", 100, 100, 100, 100, 1_000_000, None, "0.001", 10),
        ("SZSE.302132", 100, 100, 100, 100, 300_000, 150_000, "0.01", 20),
        ("SZSE.128136", 10, 10, 10, 10, 1_000_000, None, "0.001", 20),
        ("SHSE.018014", 10, 10, 10, 10, 1_000_000, None, "0.001", None),
        ("SHSE.204001", 10, 10, 10, 0, 1_000_000, None, "0.005", None),
        ("SHSE.900901", 100, 100, 100, 0, 1_000_000, None, "0.001", 10),
        ("SZSE.200012", 100, 100, 100, 0, 1_000_000, None, "0.01", 10),
    ],
)
def test_board_when_asked_then_the_figures_of_the_rules(
    symbol, lot, minimum, step, odd_below, max_limit, max_market, tick, limit_percent
):
    found = board_of(symbol)
    assert (found.lot, found.minimum, found.step, found.odd_below) == (lot, minimum, step, odd_below)
    assert (found.max_limit, found.max_market) == (max_limit, max_market)
    assert (found.tick, found.limit_percent) == (Decimal(tick), limit_percent)


@pytest.mark.parametrize("rules", BOARDS, ids=lambda rules: rules.name)
def test_board_when_in_the_table_then_its_figures_agree(rules):
    assert rules.decimals == -rules.tick.as_tuple().exponent
    assert rules.minimum % rules.lot == 0
    assert rules.market_orders == (rules.max_market is not None)
    assert rules.sell_only == (rules.kind == "repo")
    assert rules.t0 <= (rules.kind == "bond")


def test_boards_when_prefixes_are_compared_then_no_code_has_two():
    prefixes = [prefix for rules in BOARDS for prefix in rules.prefixes]
    clashes = [
        (a, b) for (i, a), (j, b) in product(enumerate(prefixes), repeat=2) if i != j and a.startswith(b)
    ]
    assert not clashes


def test_boards_of_code_when_beijing_and_shanghai_b_look_alike_then_92_is_beijing():
    assert [rules.exchange for rules in boards_of_code("920002")] == ["BJSE"]
    assert [rules.exchange for rules in boards_of_code("900901")] == ["SHSE"]


@pytest.mark.parametrize("code", ["", "60000", "6000000", "６０００００", "٦٠٠٠٠٠", "abcdef", "700000"])
def test_boards_of_code_when_it_is_no_code_then_none(code):
    assert boards_of_code(code) == ()


def test_board_of_when_asked_for_ever_new_symbols_then_its_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(board, "REMEMBERED", 10)
    for number in range(100):
        board_of(f"SHSE.{number:06d}")
    assert len(board.boards) <= 10
