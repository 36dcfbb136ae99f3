"""Files of other programs, described in orderdrop.toml: `check`, `drop` and the router read them alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import QUICK, a_file, a_workspace, orderdrop, printed, routed

from orderdrop import client

PROFILES = """
[profiles.qmt]
files = "qmt*.csv"
positions = ["方向", "委托类型", "价格", "代码", "数量", "备注"]
values = { "方向" = { "23" = "买入", "24" = "卖出" }, "委托类型" = { "11" = "限价" } }
[profiles.east]
folder = "east"
header = { "标的物" = "代码" }
"""
LINES = "23,11,10.35,600000.SH,100\n23,11,11.20,000001.SZ,200,memo\n"
EAST = "标的物,方向,数量,价格\n600000,买,300,10.35\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return a_workspace(tmp_path / "desk", QUICK + PROFILES)


def placed(workspace: Path) -> list[tuple]:
    orders = printed(orderdrop("orders", "--json", at=workspace))
    return sorted((order["drop"], order["row"], order["symbol"], order["volume"]) for order in orders)


def test_check_reads_by_the_profile_that_is_named_or_that_the_name_matches(workspace, tmp_path):
    named = orderdrop("check", a_file(tmp_path, "a.csv", LINES), "--profile", "QMT", "--json", at=workspace)
    matched = orderdrop("check", a_file(tmp_path, "qmt_a.csv", LINES), "--json", at=workspace)
    assert [row["outcome"] for row in printed(named)] == ["would_go", "would_go"]
    assert [row["symbol"] for row in printed(matched)] == ["SHSE.600000", "SZSE.000001"]
    assert [row["sid"] for row in printed(named)] == [row["sid"] for row in printed(matched)]
    without = orderdrop("check", tmp_path / "a.csv", "--json", at=workspace)
    assert [row["code"] for row in printed(without)] == ["HEADER_NOT_FOUND"]


def test_drop_with_a_profile_is_read_by_it_and_another_name_of_it_is_a_duplicate(workspace, tmp_path):
    path = a_file(tmp_path, "a.csv", LINES)
    assert orderdrop("drop", path, "--profile", "qmt", at=workspace).output.startswith("a.qmt.csv")
    routed(workspace)
    assert placed(workspace) == [("a.qmt.csv", 1, "SHSE.600000", 100), ("a.qmt.csv", 2, "SZSE.000001", 200)]
    spelled = 'positions = ["order_business", "", "price", "symbol", "volume", ""]\nvalues = { side = { "23" = "buy" } }\n'
    settings = f'{QUICK}[profiles.other]\nfiles = "b*.csv"\n{spelled}'
    (workspace / "orderdrop.toml").write_text(settings, encoding="utf-8")
    (workspace / "inbox" / "b.csv").write_text(LINES, encoding="utf-8")
    routed(workspace)
    assert len(placed(workspace)) == 2
    (again, *_rest) = [
        drop for drop in printed(orderdrop("drops", "--json", at=workspace)) if drop["name"] == "b.csv"
    ]
    assert again["duplicates"] == 2


def test_files_of_a_folder_are_read_by_its_profile_and_others_are_not(workspace):
    (workspace / "inbox" / "east").mkdir()
    (workspace / "inbox" / "east" / "x.csv").write_text(EAST, encoding="utf-8")
    (workspace / "inbox" / "x.csv").write_text(EAST, encoding="utf-8")
    routed(workspace)
    assert placed(workspace) == [("east/x.csv", 2, "SHSE.600000", 300)]
    told = {drop["name"]: drop for drop in printed(orderdrop("drops", "--json", at=workspace))}
    assert told["x.csv"]["errors"][0]["code"] == "HEADER_UNKNOWN_COLUMN"


def test_profile_that_is_not_there_is_refused_with_those_that_are(workspace, tmp_path):
    result = orderdrop("drop", a_file(tmp_path, "a.csv", LINES), "--profile", "east2", at=workspace)
    assert result.exit_code == 1
    assert "PROFILE_UNKNOWN" in result.output
    assert "qmt, east" in result.output
    assert not list((workspace / "inbox").iterdir())


def test_profile_for_a_single_order_is_a_usage_error(workspace):
    result = orderdrop(
        "drop", "--symbol", "600000", "--buy", 100, "--price", 10, "--profile", "qmt", at=workspace
    )
    assert result.exit_code == 2


def test_why_names_the_cells_of_a_line_without_a_header(workspace, tmp_path):
    orderdrop("drop", a_file(tmp_path, "a.csv", LINES), "--profile", "qmt", at=workspace)
    routed(workspace)
    sid = next(o["sid"] for o in printed(orderdrop("orders", "--json", at=workspace)) if o["row"] == 2)
    assert "symbol=000001.SZ  volume=200  remark=memo" in orderdrop("why", sid, at=workspace).output


def test_file_that_two_profiles_match_is_refused(workspace):
    settings = f'{QUICK}{PROFILES}[profiles.also]\nfiles = "*.csv"\n'
    (workspace / "orderdrop.toml").write_text(settings, encoding="utf-8")
    (workspace / "inbox" / "qmt.csv").write_text(LINES, encoding="utf-8")
    routed(workspace)
    (drop,) = printed(orderdrop("drops", "--json", at=workspace))
    assert [error["code"] for error in drop["errors"]] == ["PROFILE_SEVERAL"]
    assert placed(workspace) == []


def test_orders_that_our_own_tools_write_into_a_described_folder_are_read_as_they_say(workspace):
    settings = f'{QUICK}[profiles.x]\nfolder = "east"\nvalues = {{ side = {{ "1" = "卖", "2" = "买" }} }}\n'
    settings += '[profiles.y]\nfiles = "*"\npositions = ["代码", "方向", "数量", "价格"]\n'
    (workspace / "orderdrop.toml").write_text(settings, encoding="utf-8")
    row = {"sid": "S-1", "symbol": "600000", "side": "buy", "volume": 100, "price": "10.35"}
    client.drop([row], workspace, strategy="east")
    client.drop([row | {"sid": "S-2", "not_after": "14:55"}], workspace)
    routed(workspace)
    found = {order["sid"]: order["side"] for order in printed(orderdrop("orders", "--json", at=workspace))}
    assert found == {"S-1": "buy", "S-2": "buy"}
