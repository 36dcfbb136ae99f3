"""Every command has help with an example in both languages. Golden files: UPDATE_HELP=1 pytest tests/unit/cli/test_help.py"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import a_workspace, orderdrop

from orderdrop import __version__
from orderdrop.cli import main

GOLDEN = Path(__file__).parents[2] / "docs" / "help"
HEAVY = ("pydantic", "sqlalchemy", "watchdog", "rich", "pandas", "filelock")


@pytest.mark.parametrize("command", ["", *main.commands])
def test_help_of_every_command_is_as_recorded(command: str) -> None:
    shown = orderdrop(*command.split(), "--help").stdout
    golden = GOLDEN / f"{command or 'orderdrop'}.txt"
    if os.environ.get("UPDATE_HELP"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


def test_recorded_help_has_no_command_that_is_gone() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {"orderdrop", *main.commands}


@pytest.mark.parametrize("command", main.commands)
def test_help_has_an_example_and_a_chinese_line(command: str) -> None:
    shown = orderdrop(command, "--help").stdout
    assert f"      orderdrop {command}" in shown or f"    orderdrop {command}" in shown
    assert any("\u4e00" <= character <= "\u9fff" for character in shown)


def test_help_loads_nothing_heavy() -> None:
    code = f"import sys, orderdrop.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_version() -> None:
    assert orderdrop("--version").stdout == f"orderdrop {__version__}\n"


def test_module_is_the_command() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "orderdrop", "--version"], capture_output=True, text=True, check=True
    )
    assert found.stdout == f"orderdrop {__version__}\n"


def test_console_in_gbk_shows_what_it_can(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    (workspace / "inbox" / "笑😀.txt").touch()
    environment = os.environ | {"PYTHONIOENCODING": "gbk", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "orderdrop", "-C", str(workspace), "why", "笑😀.txt"]
    people = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert people.returncode == 0
    assert "笑?.txt  在收件箱里" in people.stdout.decode("gbk")
    program = subprocess.run([*command, "--json"], capture_output=True, check=True, env=environment)
    assert b'"\\u7b11\\ud83d\\ude00.txt"' in program.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("orders",),
        ("drops",),
        ("status",),
        ("why", "S1"),
        ("cancel", "S1"),
        ("drop", "--symbol", "600000.SH"),
        ("halt",),
    ],
)
def test_folder_that_is_no_workspace_is_an_error_of_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = orderdrop(*words, at=tmp_path)
    assert result.exit_code == 2
    assert "这里不是工作区 / this is no workspace" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_workspace_may_be_named_by_a_variable(tmp_path: Path) -> None:
    a_workspace(tmp_path)
    assert orderdrop("orders", "--json", ORDERDROP_WORKSPACE=str(tmp_path)).stdout == "[]\n"


def test_wrong_settings_are_one_message_and_exit_2(tmp_path: Path) -> None:
    a_workspace(tmp_path, "[inbox]\nsetle = 1\n")
    result = orderdrop("status", at=tmp_path)
    assert result.exit_code == 2
    assert "inbox.setle" in result.stderr
    assert "不认识的设置 / unknown setting" in result.stderr
    assert "Traceback" not in result.output


def test_journal_that_is_none_is_one_message_and_exit_1(tmp_path: Path) -> None:
    a_workspace(tmp_path)
    (tmp_path / "journal.db").write_bytes(b"not a database, by any means" * 100)
    result = orderdrop("orders", at=tmp_path)
    assert result.exit_code == 1
    assert "日志库读不出来 / the journal cannot be read" in result.stderr
