"""The form for 程序化交易报备 says what settings and journal know, leaves open what only a person knows, and tells what has changed."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
from book_looks import faults_of
from command_line import GOOD, QUICK, a_file, a_workspace, orderdrop, routed

from orderdrop import __version__
from orderdrop.audit.filing import OPEN

SETTINGS = QUICK + '[accounts.demo]\nalias = "主账户"\n[limits]\norders_per_second = 7\n[strategies.alpha]\n'


def form(workspace: Path, *words: str) -> dict[str, list[str]]:
    file = workspace / "报备.xlsx"
    result = orderdrop("filing", *words, file, at=workspace)
    assert result.exit_code == 0, result.output
    book = openpyxl.load_workbook(file)
    assert faults_of(book) == []
    (sheet,) = book.worksheets
    told: dict[str, list[str]] = {}
    for name, value, _source in sheet.iter_rows(min_row=2, values_only=True):
        told.setdefault(name, []).append(value)
    return told


def line(told: dict[str, list[str]], begins: str) -> str:
    (value,) = next(values for name, values in told.items() if name.startswith(begins))
    return value


def test_form_when_there_is_no_journal_yet_has_what_the_settings_say(tmp_path: Path) -> None:
    told = form(a_workspace(tmp_path, SETTINGS))
    assert line(told, "资金账户") == "demo"
    assert line(told, "软件版本") == __version__
    assert line(told, "策略 ") == "alpha"
    assert line(told, "最高申报速率（设置）") == "7"
    assert line(told, "最高申报速率（实测") == "0"
    assert line(told, "联系人") == OPEN
    assert line(told, "与上次相比") == "首次报备 first filing"


def test_form_when_orders_were_traded_has_what_was_seen_and_what_changed_since_the_last_one(
    tmp_path: Path,
) -> None:
    workspace = a_workspace(tmp_path, SETTINGS)
    form(workspace)
    a_file(workspace / "inbox", "a.csv", GOOD)
    routed(workspace)
    told = form(workspace)
    assert int(line(told, "单日最高申报笔数（实测")) > 0
    assert "限价" in line(told, "委托类型")
    changed = next(values for name, values in told.items() if name.startswith("与上次相比"))
    assert any("单日最高申报笔数（实测" in one and "0 →" in one for one in changed)
    assert form(workspace)["与上次相比的变化 changes since the last filing"] == ["没有变化 none"]


def test_form_as_json_has_an_entry_for_each_account(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, SETTINGS + "[accounts.second]\n")
    result = orderdrop("filing", "--json", workspace / "x.xlsx", at=workspace)
    assert [one["account_id"] for one in json.loads(result.stdout)] == ["demo", "second"]
    result = orderdrop("filing", "--json", "--account", "主账户", workspace / "x.xlsx", at=workspace)
    assert [one["account_id"] for one in json.loads(result.stdout)] == ["demo"]
