"""`drop --scale`: what becomes of volumes, and of files that cannot be scaled."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from books import a_book
from command_line import HEADER, QUICK, a_file, a_workspace, orderdrop, printed, routed

from orderdrop.client.scaling import scaled_volume
from orderdrop.domain.board import board_of


@pytest.mark.parametrize(
    ("symbol", "volume", "factor", "left"),
    [
        ("SHSE.600000", 1000, "0.5", 500),
        ("SHSE.600000", 1000, "0.37", 300),
        ("SHSE.600000", 150, "0.5", 0),  # 75: below a lot
        ("SHSE.600000", 300, "1.5", 400),
        ("SHSE.688981", 500, "0.5", 250),  # single shares above the least
        ("SHSE.688981", 300, "0.5", 0),  # below 200
        ("SHSE.600000", 300, "0.1", 0),
        ("SHSE.113050", 30, "0.5", 10),  # bonds
    ],
)
def test_volume_is_rounded_down_to_what_the_board_takes(
    symbol: str, volume: int, factor: str, left: int
) -> None:
    board = board_of(symbol)
    assert board is not None
    assert scaled_volume(volume, Decimal(factor), board) == left


ROWS = f"{HEADER}A-1,600000.SH,1000,1,1,10.35\nA-2,688981.SH,200,1,1,90.5\n,000001.SZ,500,1,2,11.20\n"


def test_scaled_file_is_a_drop_of_its_own_and_says_the_scaled_volumes(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    result = orderdrop("drop", a_file(tmp_path, "b.csv", ROWS), "--scale", "0.5", at=workspace)
    assert (result.exit_code, result.stdout) == (0, "b-x0.5.csv\n")
    assert "b.csv:3: 200 shares of SHSE.688981" in result.stderr
    rows = (workspace / "inbox" / "b-x0.5.csv").read_text(encoding="utf-8").splitlines()
    assert rows[1:] == ["A-1,,SHSE.600000,500,1,1,10.35,,", ",,SZSE.000001,200,1,2,11.20,,"]
    routed(workspace)
    found = {
        order["symbol"]: order["volume"] for order in printed(orderdrop("orders", "--json", at=workspace))
    }
    assert found == {"SHSE.600000": 500, "SZSE.000001": 200}


def test_scaled_file_keeps_what_says_its_kind_and_day(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    result = orderdrop("drop", a_file(tmp_path, "b.order.csv", ROWS), "--scale", "0.50", at=workspace)
    assert result.stdout == "b-x0.5.order.csv\n"


def test_scaled_workbook_and_words_and_alias_are_read_as_the_router_reads_them(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, QUICK + '[accounts."1001"]\nalias = "main"\n')
    path = tmp_path / "篮子.xlsx"
    path.write_bytes(
        a_book(
            ("600000", "浦发银行", "买入", 1000, 10.31, "main"),
            header=("代码", "名称", "方向", "数量", "价格", "账户"),
        )
    )
    assert orderdrop("drop", path, "--scale", "2", at=workspace).stdout == "篮子-x2.csv\n"
    rows = (workspace / "inbox" / "篮子-x2.csv").read_text(encoding="utf-8").splitlines()
    assert rows[1:] == [",1001,SHSE.600000,2000,1,1,10.31,,"]


def test_lot_of_instruments_csv_counts(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    a_file(workspace, "instruments.csv", "symbol,minimum,step\n600000.SH,500,500\n")
    rows = f"{HEADER}A-1,600000.SH,1900,1,1,10.35\n"
    orderdrop("drop", a_file(tmp_path, "b.csv", rows), "--scale", "0.6", at=workspace)
    assert "SHSE.600000,1000," in (workspace / "inbox" / "b-x0.6.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("b.csv", f"{HEADER}A-1,600000.SH,1000,1,,10.35\n", "b.csv:2: "),
        ("b.csv", f"{HEADER}A-1,600000.SH,1000,1,1,10.35\nA-2,999999.SH,1000,1,1,10.35\n", "b.csv:3: "),
        ("b.csv", "what,ever\n1,2\n", "b.csv: HEADER_NOT_FOUND"),
        ("b.csv", f"{HEADER}A-1,600000.SH,100,1,1,10.35\n", "nothing was written"),
        ("b.cancel_order.csv", "sid,comment\nA-1,\n", "holds no orders"),
    ],
)
def test_what_cannot_be_scaled_is_told_and_nothing_is_dropped(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    workspace = a_workspace(tmp_path)
    good = a_file(tmp_path, "a.csv", f"{HEADER}A-9,600000.SH,100,1,1,10.35\n")
    result = orderdrop("drop", good, a_file(tmp_path, name, text), "--scale", "0.5", at=workspace)
    assert result.exit_code == 1
    assert told in result.stderr
    assert not [*(workspace / "inbox").iterdir()]


@pytest.mark.parametrize("factor", ["0", "-1", "50", "nan", "half", "inf"])
def test_factor_that_is_none_is_usage(tmp_path: Path, factor: str) -> None:
    workspace = a_workspace(tmp_path)
    assert orderdrop("drop", a_file(tmp_path, "b.csv", ROWS), "--scale", factor, at=workspace).exit_code == 2


def test_single_order_is_not_scaled(tmp_path: Path) -> None:
    words = ("drop", "--symbol", "600000.SH", "--buy", "100", "--price", "1", "--scale", "2")
    assert orderdrop(*words, at=a_workspace(tmp_path)).exit_code == 2
