"""Orders without a sid are called by file and row, in every table and by every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import QUICK, a_workspace, dropped, orderdrop, printed, routed

HELD = f"{QUICK}hold = true\n"
BASKET = "代码,方向,数量,价格\n600000,买入,100,10.35\n000001,买入,200,11.20\n"
OTHER = "代码,方向,数量,价格\n600036,买入,300,31.20\n000858,买入,400,130\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """With a basket that is held."""
    place = a_workspace(tmp_path / "desk", HELD)
    dropped(place, "篮子.csv", BASKET)
    routed(place)
    return place


def orders(workspace: Path) -> dict[tuple[str, int], dict]:
    return {(one["symbol"], one["row"]): one for one in printed(orderdrop("orders", "--json", at=workspace))}


def test_tables_call_an_order_without_a_sid_by_file_and_row(workspace):
    sids = [one["sid"] for one in orders(workspace).values()]
    for words in (["orders"], ["orders", "--status", "open"], ["status"], ["trades"], ["orders", "--broker"]):
        shown = orderdrop(*words, at=workspace).output
        assert not any(sid in shown for sid in sids), words
    assert "篮子.csv:3" in orderdrop("orders", at=workspace).output
    assert orderdrop("orders", "--json", at=workspace).output.count("D20") == 2


def test_why_takes_file_and_row_and_tells_the_sid_beside_it(workspace):
    story = printed(orderdrop("why", "篮子.csv:3", "--json", at=workspace))
    assert (story["kind"], story["order"]["symbol"]) == ("order", "SZSE.000001")
    assert orderdrop("why", "inbox/篮子.csv:3", at=workspace).exit_code == 0
    shown = orderdrop("why", "篮子.csv:3", at=workspace).output
    assert "篮子.csv:3" in shown
    assert story["order"]["sid"] in shown
    assert orderdrop("why", "篮子.csv:9", at=workspace).output.startswith("篮子.csv")
    assert orderdrop("why", "别的.csv:3", at=workspace).exit_code == 1


def test_release_and_cancel_take_file_and_row(workspace):
    assert orderdrop("release", "篮子.csv:2", at=workspace).exit_code == 0
    assert orderdrop("cancel", "篮子.csv:3", at=workspace).exit_code == 0
    routed(workspace)
    found = orders(workspace)
    assert found["SHSE.600000", 2]["status"] == "filled"
    assert found["SZSE.000001", 3]["status"] == "canceled"
    shown = orderdrop("trades", at=workspace).output
    assert "篮子.csv:2" in shown
    assert "D20" not in shown


@pytest.mark.parametrize("command", ["cancel", "release", "resend"])
def test_row_that_is_no_order_of_today_writes_nothing(workspace, command):
    result = orderdrop(command, "篮子.csv:9", at=workspace)
    assert result.exit_code == 1
    assert "篮子.csv:9" in result.output
    assert list((workspace / "inbox").iterdir()) == []


def test_name_that_two_files_have_had_today_is_told_apart(workspace):
    dropped(workspace, "篮子.csv", OTHER)
    routed(workspace)
    for command in ("cancel", "release"):
        result = orderdrop(command, "篮子.csv:2", at=workspace)
        assert result.exit_code == 1
        assert "SHSE.600000" in result.output
        assert "SHSE.600036" in result.output
    assert list((workspace / "inbox").iterdir()) == []
    shown = orderdrop("orders", at=workspace).output
    assert "篮子.csv~1:2" in shown
    orderdrop("cancel", "篮子.csv~1:2", at=workspace)
    routed(workspace)
    found = orders(workspace)
    assert found["SHSE.600000", 2]["status"] == "canceled"
    assert found["SHSE.600036", 2]["status"] == "held"


def test_file_that_repeats_an_order_means_that_order(workspace):
    dropped(workspace, "again.csv", BASKET)
    routed(workspace)
    assert orderdrop("cancel", "again.csv:2", at=workspace).exit_code == 0
    routed(workspace)
    assert orders(workspace)["SHSE.600000", 2]["status"] == "canceled"


def test_sids_that_were_given_stay_what_orders_are_called(tmp_path):
    place = a_workspace(tmp_path / "desk", HELD)
    dropped(place, "a.csv", "sid,symbol,side,volume,price\nS-1,600000,buy,100,10.35\n")
    routed(place)
    shown = orderdrop("orders", at=place).output
    assert "S-1" in shown
    assert "a.csv:2" not in shown
    assert orderdrop("cancel", "a.csv:2", at=place).exit_code == 0


def test_each_of_two_files_of_one_name_has_a_receipt_of_its_own(workspace):
    dropped(workspace, "篮子.csv", OTHER)
    routed(workspace)
    drops = printed(orderdrop("why", "篮子.csv", "--json", at=workspace))["drops"]
    receipts = [Path(drop["receipt"]) for drop in drops]
    assert len(set(receipts)) == 2
    for drop, receipt in zip(drops, receipts, strict=True):
        text = receipt.read_text(encoding="utf-8-sig")
        rows = [
            one["sid"]
            for one in orders(workspace).values()
            if (one["symbol"] in {"SHSE.600000", "SZSE.000001"}) == (drop is drops[-1])
        ]
        assert all(sid in text for sid in rows)
        assert len(set(re.findall(r"D20[\w-]+", text))) == 2
