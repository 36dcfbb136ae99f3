"""Workbooks at the command line: the same words as for csv, and the sheet named where there are several."""

from __future__ import annotations

from pathlib import Path

from books import HEADER, a_book, a_book_of
from command_line import a_workspace, orderdrop, printed, routed

import orderdrop as library

SHEETS = {
    "买入": [HEADER, ("S1", "SHSE.600000", "买", 100, 10.35, "")],
    "卖出": [["标题"], HEADER, ("S2", 600000, "卖", "x", 10, "")],
}


def a_workbook(folder: Path, content: bytes, name: str = "篮子.xlsx") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_check_names_sheet_and_row(tmp_path: Path) -> None:
    book = a_workbook(tmp_path, a_book_of(SHEETS))
    result = orderdrop("check", book, "--json", at=a_workspace(tmp_path / "w"))
    assert result.exit_code == 1
    assert [(row["sheet"], row["row"], row["outcome"], row["code"]) for row in printed(result)] == [
        ("买入", 2, "not_sent", "NOT_SENT"),
        ("卖出", 3, "error", "NUMBER_BAD"),
    ]
    shown = orderdrop("check", book, at=tmp_path / "w")
    assert "卖出!3" in shown.stdout


def test_check_when_one_sheet_holds_orders_names_none(tmp_path: Path) -> None:
    book = a_workbook(tmp_path, a_book())
    (row,) = printed(orderdrop("check", book, "--json", at=a_workspace(tmp_path / "w")))
    assert (row["sheet"], row["row"], row["outcome"]) == (None, 2, "would_go")


def test_check_knows_what_an_earlier_version_of_the_book_has_traded(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path / "w")
    rows = [("SHSE.600000", "买", 100 * n, 10.35) for n in (1, 2)]
    header = ("symbol", "side", "volume", "price")
    orderdrop("drop", a_workbook(tmp_path, a_book(rows[0], header=header)), at=workspace)
    routed(workspace)
    checked = orderdrop("check", a_workbook(tmp_path, a_book(*rows, header=header)), "--json", at=workspace)
    assert [row["outcome"] for row in printed(checked)] == ["duplicate", "would_go"]


def test_why_shows_the_row_as_it_stands_in_the_sheet(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path / "w")
    good = SHEETS | {"卖出": [["标题"], HEADER, ("S2", 2, "买", 200, 11.2, "调仓")]}
    orderdrop("drop", a_workbook(tmp_path, a_book_of(good)), at=workspace)
    routed(workspace)
    story = printed(orderdrop("why", "S2", "--json", at=workspace))
    assert (story["row"]["sheet"], story["row"]["line"]) == ("卖出", 3)
    assert story["row"]["text"] == "S2\t2\t买\t200\t11.2\t调仓"
    assert (story["order"]["sheet"], story["order"]["row"], story["order"]["symbol"]) == (
        "卖出",
        3,
        "SZSE.000002",
    )
    shown = orderdrop("why", "S2", at=workspace).stdout
    assert "篮子.xlsx:卖出!3" in shown
    assert "调仓" in shown


def test_drops_and_why_name_sheet_and_row_of_an_error(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path / "w")
    orderdrop("drop", a_workbook(tmp_path, a_book_of(SHEETS)), at=workspace)
    assert "卖出!3" in routed(workspace).stdout
    assert "篮子.xlsx:卖出!3" in orderdrop("drops", at=workspace).stdout
    (told,) = printed(orderdrop("drops", "--json", at=workspace))
    assert [(error["sheet"], error["row"]) for error in told["errors"]] == [("卖出", 3)]
    assert "卖出!3" in orderdrop("why", "篮子.xlsx", at=workspace).stdout


def test_client_drops_a_workbook_without_a_mark(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path / "w")
    path = library.drop(a_workbook(tmp_path, a_book()), workspace)
    assert [file.name for file in path.parent.iterdir()] == ["篮子.xlsx"]
    again = library.drop(a_workbook(tmp_path, a_book(), "x.cancel_order.xlsx"), workspace)
    assert library.drop(again, workspace).name.endswith(".cancel_order.xlsx")
