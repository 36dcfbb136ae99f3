"""What securities are called, for people."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command_line import GOOD, QUICK, a_file, a_workspace, dropped, orderdrop, printed

from orderdrop.config.sources import load
from orderdrop.domain.security import Security, read, told
from orderdrop.gateway.instrument_feed import HEADER
from orderdrop.market.names import names_of

GM = '[gateways.gm]\ntype = "gm"\ntoken = "t"\n'


def _names(workspace: Path) -> dict[str, str]:
    return dict(names_of(*load(workspace)))


def _told(workspace: Path, *securities: Security) -> None:
    (workspace / ".orderdrop").mkdir(exist_ok=True)
    lines = [",".join(HEADER), *(",".join([*one.cells, "2026-01-05", "x"]) for one in securities)]
    a_file(workspace / ".orderdrop", "instruments-gm.csv", "\n".join(lines))


@pytest.mark.parametrize(
    "text",
    [
        "代码,名称,昨收\n600000.SH,浦发银行,10.3\n",
        "昨收,证券简称,证券代码\n,浦发银行,sh600000\n",
        "symbol,name\nnosuch,x\n600000,\nSHSE.600000,浦发银行\n",
    ],
)
def test_names_of_instruments_csv(tmp_path: Path, text: str) -> None:
    workspace = a_workspace(tmp_path)
    a_file(workspace, "instruments.csv", text)
    assert _names(workspace) == {"SHSE.600000": "浦发银行"}


@pytest.mark.parametrize(
    "text", ["", "symbol,previous_close\n600000.SH,10\n", "名称\n浦发银行\n", "symbol,name\n600000.SH\n"]
)
def test_names_when_nobody_tells_them_are_none(tmp_path: Path, text: str) -> None:
    workspace = a_workspace(tmp_path)
    a_file(workspace, "instruments.csv", text)
    assert _names(workspace) == {}


def test_names_that_a_terminal_told_also_on_an_earlier_day_and_the_file_wins(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, QUICK + GM)
    _told(workspace, Security("SHSE.600000", name="浦发"), Security("SZSE.000001", name="平安银行"))
    a_file(workspace, "instruments.csv", "代码,名称\n600000.SH,浦发银行\n")
    assert _names(workspace) == {"SHSE.600000": "浦发银行", "SZSE.000001": "平安银行"}


def test_names_when_the_file_changes_are_read_again(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    path = a_file(workspace, "instruments.csv", "代码,名称\n600000.SH,浦发\n")
    assert _names(workspace) == {"SHSE.600000": "浦发"}
    a_file(workspace, "instruments.csv", "代码,名称\n600000.SH,浦发银行\n")
    os.utime(path, ns=(1, 1))
    assert _names(workspace) == {"SHSE.600000": "浦发银行"}


def test_name_that_would_move_the_cursor_is_harmless(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    a_file(workspace, "instruments.csv", "代码,名称\n600000.SH,\x1b[2J浦发\n")
    assert "\x1b" not in _names(workspace)["SHSE.600000"]


def test_security_keeps_its_name_between_processes() -> None:
    security = told("SHSE.600000", tick=0.01, name=" 浦发银行 ")
    assert security.name == "浦发银行"
    assert read(security.cells) == security


UUID = "1a66e81c-ae5d-11ec-aef5-00163e0a4100"


def test_people_see_names_and_aliases_and_programs_the_ids(tmp_path: Path) -> None:
    limit = f"[accounts.{UUID}.limits]\nmax_order_value = 1100\n"
    workspace = a_workspace(
        tmp_path, f'{QUICK}on_bad_row = "reject-row"\n[accounts.{UUID}]\nalias = "主账户"\n{limit}'
    )
    a_file(workspace, "instruments.csv", "代码,名称\n600000.SH,浦发银行\n000001.SZ,平安银行\n")
    file = a_file(tmp_path, "good.csv", GOOD)
    dropped(workspace, "good.csv", GOOD)
    orderdrop("run", "--once", at=workspace)
    for words in (
        ("orders",),
        ("trades",),
        ("positions",),
        ("orders", "--broker"),
        ("orders", "--status", "filled"),
    ):
        shown = orderdrop(*words, at=workspace)
        assert "浦发银行" in shown.stdout, words
        assert UUID not in shown.output, words
    assert "平安银行" in orderdrop("check", file, at=workspace).stdout
    for words in (("status",), ("limits",), ("why", "G-2"), ("cash",)):
        shown = orderdrop(*words, at=workspace)
        assert "主账户" in shown.stdout, words
        assert UUID not in shown.output, words
    assert "账户 account 主账户" in orderdrop("why", "G-1", at=workspace).stdout
    assert "[accounts.主账户.limits] max_order_value" in orderdrop("why", "G-2", at=workspace).stdout
    assert printed(orderdrop("orders", "--json", at=workspace))[0]["account_id"] == UUID
    assert UUID in printed(orderdrop("limits", "--json", at=workspace))[0]["setting"]
