"""The template: what it offers, what is typed into it is what is ordered, and as it is it orders nothing."""

from __future__ import annotations

import io
from itertools import takewhile
from pathlib import Path

import openpyxl
import pytest
from book_looks import faults_of
from book_reading import read, refused
from command_line import QUICK, a_workspace, orderdrop, printed, routed
from intake_reading import read as read_csv

from orderdrop.client.template import COLUMNS, ORDER_TYPES, SIDES, Held, csv_template, workbook_template
from orderdrop.domain.refusal import Code
from orderdrop.intake.columns import column_named
from orderdrop.intake.values import read_order_type, read_side

ORDERS = "委托 Orders"
SETTINGS = f'{QUICK}[accounts.1a66e81c]\nalias = "main"\n[accounts.2b77]\n[strategies.alpha]\n'
TYPED = [
    ("A-1", "main", "600000.SH", "浦发", "买入", 1000, 10.35, "限价", "alpha", "调仓"),
    ("A-2", "2b77", "000002", None, "卖出", 500, 11.2, None, None, None),
    ("A-3", "main", "688981.SH", None, "买入", 200, None, "最优五档即时成交剩余撤销", None, None),
]


def a_template(accounts=("main", "2b77"), strategies=("alpha",), positions=()) -> bytes:
    return workbook_template(accounts, strategies, positions)


def filled(template: bytes, rows=TYPED) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(template))
    for number, row in enumerate(rows, 2):
        for index, value in enumerate(row, 1):
            if value is not None:
                book[ORDERS].cell(number, index, value)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def offered(template: bytes) -> dict[str, str]:
    """Column -> the list that it offers."""
    sheet = openpyxl.load_workbook(io.BytesIO(template))[ORDERS]
    rules = {str(rule.sqref)[0]: rule for rule in sheet.data_validations.dataValidation}
    return {
        column.title.partition("(")[0]: rules[chr(65 + at)].formula1
        for at, column in enumerate(COLUMNS)
        if rules[chr(65 + at)].type == "list"
    }


def test_what_is_typed_is_what_is_ordered():
    orders = read(
        filled(a_template()), accounts={"main": "1a66e81c", "1a66e81c": "1a66e81c", "2b77": "2b77"}
    ).orders
    assert [(o.row, o.sid, o.account_id, o.symbol, o.order_business, o.volume, o.order_type, str(o.price), o.strategy, o.remark) for o in orders] == [
        (2, "A-1", "1a66e81c", "SHSE.600000", 1, 1000, 1, "10.35", "alpha", "调仓"),
        (3, "A-2", "2b77", "SZSE.000002", 2, 500, 1, "11.2", "", ""),
        (4, "A-3", "1a66e81c", "SHSE.688981", 1, 200, 24, "None", "", ""),
    ]  # fmt: skip


def test_template_as_it_is_orders_nothing():
    positions = [Held("main", "SHSE.600000", "100", "100", "9.5")]
    assert refused(a_template(positions=positions)).code is Code.FILE_EMPTY


def test_template_without_its_order_sheet_orders_nothing():
    book = openpyxl.load_workbook(
        io.BytesIO(a_template(positions=[Held("main", "SHSE.600000", "100", "100", "9.5")]))
    )
    del book[ORDERS]
    file = io.BytesIO()
    book.save(file)
    assert refused(file.getvalue()).code in {Code.SHEET_NOT_FOUND, Code.HEADER_UNKNOWN_COLUMN}


def test_examples_when_copied_to_the_order_sheet_are_good_orders():
    template = a_template()
    examples = openpyxl.load_workbook(io.BytesIO(template))["示例 Examples"]
    rows = examples_of(examples)
    result = read(filled(template, rows))
    assert (len(result.orders), result.errors) == (len(rows), [])
    assert len(rows) >= 4


def test_examples_when_dropped_into_a_new_workspace_all_trade_on_paper(tmp_path):
    workspace = a_workspace(tmp_path)
    template = a_template()
    rows = examples_of(openpyxl.load_workbook(io.BytesIO(template))["示例 Examples"])
    (workspace / "inbox" / "篮子.xlsx").write_bytes(filled(template, rows))
    assert routed(workspace).exit_code == 0
    orders = printed(orderdrop("orders", "--json", at=workspace))
    assert [order["status"] for order in orders] == ["filled"] * len(rows)


def examples_of(sheet) -> list[list[object]]:
    rows = ([cell.value for cell in row] for row in sheet.iter_rows(min_row=2))
    return list(takewhile(lambda row: row[2] is not None, rows))


def test_every_column_and_every_choice_is_understood():
    assert all(column_named(column.title) is not None for column in COLUMNS)
    assert all(isinstance(read_order_type(word), int) for word in ORDER_TYPES)
    assert [read_side(word) for word in SIDES] == [1, 2]


def test_lists_offer_accounts_sides_types_and_what_is_held():
    lists = offered(a_template(positions=[Held("main", "SHSE.600000", "1", "1", "9")] * 3))
    assert lists == {
        "账户": "'清单 Lists'!$A$2:$A$3",
        "代码": "'持仓 Positions'!$B$2:$B$4",
        "方向": '"买入,卖出"',
        "委托类型": f'"{",".join(ORDER_TYPES)}"',
        "策略": "'清单 Lists'!$B$2:$B$2",
    }


def test_template_shows_all_of_its_words():
    positions = [Held("main", "SHSE.600000", "100", "100", "9.5")]
    assert faults_of(openpyxl.load_workbook(io.BytesIO(a_template(positions=positions)))) == []


def test_words_beside_a_cell_fit_what_excel_shows():
    sheet = openpyxl.load_workbook(io.BytesIO(a_template()))[ORDERS]
    for rule in sheet.data_validations.dataValidation:
        assert len(rule.promptTitle) <= 32
        assert len(rule.prompt) <= 225
        assert rule.formula1 is None or len(rule.formula1) <= 255


def test_csv_template_is_a_header_and_nothing_else():
    result = read_csv(csv_template() + "S1,,600000.SH,,买入,100,10.35,,,\r\n".encode())
    assert [order.sid for order in result.orders] == ["S1"]
    assert not read_csv(csv_template()).orders


# the command


def test_template_is_made_filled_in_dropped_and_traded(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path / "w", SETTINGS)
    path = tmp_path / "我的 委托.xlsx"
    assert orderdrop("template", path, at=workspace).exit_code == 0
    path.write_bytes(filled(path.read_bytes(), TYPED[:1]))
    assert orderdrop("drop", path, at=workspace).exit_code == 0
    routed(workspace)
    (order,) = printed(orderdrop("orders", "--json", at=workspace))
    assert (order["sid"], order["account_id"], order["volume"], order["row"], order["status"]) == ("A-1", "1a66e81c", 1000, 2, "filled")  # fmt: skip
    again = tmp_path / "again.xlsx"
    orderdrop("template", again, "--account", "main", at=workspace)
    book = openpyxl.load_workbook(again)
    assert [[cell.value for cell in row][:2] for row in book["持仓 Positions"].iter_rows(min_row=2)] == [
        ["main", "SHSE.600000"]
    ]
    assert [row[0].value for row in book["清单 Lists"].iter_rows(min_row=2)] == ["main"]


def test_positions_of_another_account_are_not_shown(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path / "w", SETTINGS)
    for account, symbol in (("1a66e81c", "SHSE.600000"), ("2b77", "=cmd()")):
        folder = workspace / "outbox" / account
        folder.mkdir(parents=True)
        text = f"account_id,symbol,side,volume,vwap,available_now(avl_now)\n{account},{symbol},1,100,9.5,100\n{account},SZSE.000001,1,0,9,0\n"
        (folder / "position.csv").write_text(text, encoding="utf-8-sig")
    orderdrop("template", tmp_path / "t.xlsx", "--account", "2b77", at=workspace)
    rows = openpyxl.load_workbook(tmp_path / "t.xlsx")["持仓 Positions"].iter_rows(
        min_row=2, values_only=True
    )
    assert list(rows) == [("2b77", "'=cmd()", 100, 100, 9.5)]


def test_file_that_is_there_is_left_alone_unless_told(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path / "w")
    path = tmp_path / "t.csv"
    path.write_text("mine", encoding="utf-8")
    assert orderdrop("template", path, at=workspace).exit_code == 1
    assert path.read_text(encoding="utf-8") == "mine"
    assert orderdrop("template", path, "--force", at=workspace).exit_code == 0
    assert path.read_bytes() == csv_template()


@pytest.mark.parametrize(
    ("words", "says"), [(("t.xls",), ".xlsx"), (("t.xlsx", "--account", "other"), "main")]
)
def test_template_that_cannot_be_made_says_why(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    result = orderdrop("template", tmp_path / words[0], *words[1:], at=a_workspace(tmp_path / "w", SETTINGS))
    assert result.exit_code == 2
    assert says in result.stderr


def test_library_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    result = orderdrop("template", tmp_path / "t.xlsx", at=a_workspace(tmp_path / "w"))
    assert result.exit_code == 2
    assert "pip install openpyxl" in result.stderr
    assert orderdrop("template", tmp_path / "t.csv", at=tmp_path / "w").exit_code == 0
