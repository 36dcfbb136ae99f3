from __future__ import annotations

from pathlib import Path

import pytest
from command_line import (
    BAD,
    GOOD,
    HEADER,
    PENDING,
    QUICK,
    a_file,
    a_workspace,
    dropped,
    orderdrop,
    printed,
    routed,
)

from orderdrop.client.writing import today


def _outcomes(workspace: Path, *files: Path) -> dict[str, str]:
    return {row["sid"]: row["outcome"] for row in printed(orderdrop("check", "--json", *files, at=workspace))}


def _everything(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_good_file_would_go_and_nothing_is_written(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    file = a_file(tmp_path, "good.csv", GOOD)
    before = _everything(tmp_path)
    result = orderdrop("check", file, at=workspace)
    assert result.exit_code == 0, result.output
    assert "2 would_go" in result.stderr
    assert _everything(tmp_path) == before


def test_check_works_without_a_workspace(tmp_path: Path) -> None:
    assert orderdrop("check", a_file(tmp_path, "good.csv", GOOD), at=tmp_path).exit_code == 0


def test_bad_basket_names_each_row_and_ends_with_1(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    file = a_file(tmp_path, "bad.csv", BAD)
    assert _outcomes(workspace, file) == {"B-1": "not_sent", "B-2": "denied", "B-3": "error"}
    result = orderdrop("check", file, at=workspace)
    assert result.exit_code == 1
    assert "LOT_SIZE" in result.stdout


def test_followed_file_goes_row_by_row(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    file = a_file(tmp_path, f"{today():%Y%m%d}.order.csv", BAD)
    assert _outcomes(workspace, file) == {"B-1": "would_go", "B-2": "denied", "B-3": "error"}


def test_duplicates_are_found_in_the_journal_and_between_files(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    dropped(workspace, "good.csv", GOOD)
    again, new, twice = (a_file(tmp_path, name, text) for name, text in
                         (("a.csv", GOOD), ("b.csv", PENDING), ("c.csv", PENDING)))  # fmt: skip
    found = printed(orderdrop("check", again, new, twice, "--json", at=workspace))
    assert [row["outcome"] for row in found] == ["duplicate", "duplicate", "would_go", "duplicate"]
    assert orderdrop("check", again, at=workspace).exit_code == 0


def test_sid_used_for_another_order_is_refused(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    dropped(workspace, "good.csv", GOOD)
    file = a_file(tmp_path, "other.csv", f"{HEADER}G-1,SHSE.600000,900,1,1,10.35\n")
    found = printed(orderdrop("check", file, "--json", at=workspace))
    assert found[0]["code"] == "SID_CONFLICT"


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("basket.txt", GOOD, "FILE_TYPE"),
        ("20200102.order.csv", GOOD, "FILE_STALE"),
        ("empty.csv", "", "FILE_EMPTY"),
        ("strange.csv", "what,is\nthis,1\n", "HEADER_NOT_FOUND"),
    ],
)
def test_file_that_is_refused_whole(tmp_path: Path, name: str, text: str, code: str) -> None:
    result = orderdrop("check", a_file(tmp_path, name, text), "--json", at=a_workspace(tmp_path / "w"))
    assert result.exit_code == 1
    assert [(row["row"], row["outcome"], row["code"]) for row in printed(result)] == [(0, "refused", code)]


@pytest.mark.parametrize("scope", ["forever", "day"])
def test_order_for_which_a_cancel_waits_would_be_cancelled(tmp_path: Path, scope: str) -> None:
    workspace = a_workspace(tmp_path, f"{QUICK}sid_scope = '{scope}'\n")
    orderdrop("cancel", "G-2", at=workspace)
    routed(workspace)
    file = a_file(tmp_path, "good.csv", GOOD)
    result = orderdrop("check", file, "--json", at=workspace)
    found = {row["sid"]: (row["outcome"], row["code"]) for row in printed(result)}
    assert found == {"G-1": ("would_go", None), "G-2": ("would_be_canceled", "CANCELED_HERE")}
    assert result.exit_code == 1
    assert "CANCELED_HERE" in orderdrop("check", file, at=workspace).stdout


def test_held_and_halted(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, QUICK + "[strategies.alpha]\nhold = true\n")
    file = a_file(tmp_path, "good.csv", GOOD)
    found = printed(orderdrop("check", file, "--strategy", "alpha", "--json", at=workspace))
    assert {row["outcome"] for row in found} == {"would_be_held"}
    orderdrop("halt", at=workspace)
    found = printed(orderdrop("check", file, "--json", at=workspace))
    assert {row["code"] for row in found} == {"HALTED", "NOT_SENT"} or {row["code"] for row in found} == {
        "HALTED"
    }


def test_cancel_file_is_judged_by_the_journal(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    dropped(workspace, "good.csv", GOOD)
    dropped(workspace, "pending.csv", PENDING)
    file = a_file(tmp_path, "x.cancel_order.csv", "sid,comment\nP-1,\nG-1,\nNOBODY,\n")
    found = printed(orderdrop("check", file, "--json", at=workspace))
    assert [row["code"] for row in found] == [None, "CANCEL_FINISHED", "CANCEL_EARLY"]


def test_last_line_without_newline_counts_as_whole(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    assert len(_outcomes(workspace, a_file(tmp_path, "good.csv", GOOD.rstrip("\n")))) == 2


def test_missing_file_is_usage(tmp_path: Path) -> None:
    assert orderdrop("check", tmp_path / "none.csv", at=a_workspace(tmp_path)).exit_code == 2


SOLD = f"{HEADER}S-1,SHSE.600000,100,1,2,10.35\n"
UNPRICED = f"{HEADER}M-1,SHSE.600000,100,24,1,\n"


def test_check_when_the_broker_would_reject_a_row_then_it_says_so_and_why(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    unsellable, unpriced = a_file(tmp_path, "s.csv", SOLD), a_file(tmp_path, "m.csv", UNPRICED)
    assert orderdrop("check", unsellable, at=workspace).exit_code == 1
    found = printed(orderdrop("check", unsellable, unpriced, "--json", at=workspace))
    assert [(row["outcome"], row["code"]) for row in found] == [
        ("would_be_rejected", "SHARES_SHORT"),
        ("would_be_rejected", "BROKER_REJECTED"),
    ]
    assert "quotes.csv" in found[1]["remedy"]
    (workspace / "quotes.csv").write_text("symbol,price\n600000.SH,10.30\n", encoding="utf-8")
    assert _outcomes(workspace, unpriced) == {"M-1": "would_go"}


def test_check_when_rows_before_it_price_or_pay_a_row_then_they_count(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, f"{QUICK}[gateways.paper]\ntype = 'paper'\ncash = 20000\n")
    first = a_file(tmp_path, "first.csv", f"{HEADER}A-1,SHSE.600000,1000,1,1,10.35\n")
    assert _outcomes(workspace, first, a_file(tmp_path, "m.csv", UNPRICED)) == {
        "A-1": "would_go",
        "M-1": "would_go",
    }
    more = a_file(tmp_path, "more.csv", f"{HEADER}A-2,SHSE.600000,1000,1,1,10.35\n")
    assert _outcomes(workspace, first, more) == {"A-1": "would_go", "A-2": "would_be_rejected"}


def test_check_agrees_with_the_paper_broker_after_a_trade(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    dropped(workspace, "good.csv", f"{HEADER}G-1,SHSE.600000,100,1,1,10.35\n")
    unsellable, unpriced = a_file(tmp_path, "s.csv", SOLD), a_file(tmp_path, "m.csv", UNPRICED)
    assert _outcomes(workspace, unsellable, unpriced) == {"S-1": "would_be_rejected", "M-1": "would_go"}
    dropped(workspace, "s.csv", SOLD)
    dropped(workspace, "m.csv", UNPRICED)
    told = {order["sid"]: order["status"] for order in printed(orderdrop("orders", "--json", at=workspace))}
    assert (told["S-1"], told["M-1"]) == ("rejected", "filled")


def test_check_when_no_setting_names_an_account_then_it_says_that_a_new_one_would_be_opened(
    tmp_path: Path,
) -> None:
    workspace = a_workspace(tmp_path)
    header = HEADER.replace("sid,", "sid,account_id,")
    file = a_file(tmp_path, "typo.csv", f"{header}T-1,mian,SHSE.600000,100,1,1,10.35\n")
    assert "mian" in orderdrop("check", file, at=workspace).stderr
    dropped(workspace, "typo.csv", file.read_text().replace("T-1", "T-2"))
    assert "mian" not in orderdrop("check", file, at=workspace).stderr


def test_check_when_a_market_order_goes_before_it_a_row_is_not_short_of_a_sum_that_nobody_knows(
    tmp_path: Path,
) -> None:
    workspace = a_workspace(tmp_path)
    (workspace / "quotes.csv").write_text("symbol,price\n600000.SH,10.30\n", encoding="utf-8")
    both = a_file(tmp_path, "m.csv", f"{UNPRICED}A-1,SZSE.000001,200,1,1,11.20\n")
    assert _outcomes(workspace, both) == {"M-1": "would_go", "A-1": "would_go"}
