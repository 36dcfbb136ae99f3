from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
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
    orderdrop,
    printed,
    routed,
    started,
)

from orderdrop.cli import main
from orderdrop.cli.demo_drops import SAMPLES


def test_run_once_sends_what_is_there(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    a_file(workspace / "inbox", "basket.csv", GOOD)
    result = routed(workspace)
    assert result.exit_code == 0, result.output
    assert "模拟 / simulated" in result.stdout
    assert "√ basket.csv  2 行 rows · 2 接受 accepted" in result.stdout
    assert "1 partially_filled · 1 filled" in result.stdout


def test_run_once_ends_with_1_when_rows_were_refused(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    a_file(workspace / "inbox", "bad.csv", BAD)
    result = routed(workspace)
    assert result.exit_code == 1
    assert "× bad.csv  3 行 rows · 2 拒绝 denied · 1 错误 errors" in result.stdout
    assert "bad.csv:3  LOT_SIZE  B-2" in result.stdout
    assert "bad.csv:4  VALUE_MISSING" in result.stdout
    assert "→" in result.stdout
    assert "NOT_SENT" not in result.stdout


def test_run_once_ends_with_1_when_the_broker_rejects(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    a_file(workspace / "inbox", "r.csv", PENDING.replace("SHSE.018014", "SZSE.000010"))
    result = routed(workspace)
    assert result.exit_code == 1
    assert "BROKER_REJECTED" in result.stdout


def test_run_once_ends_with_1_when_a_cancel_is_in_vain(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    a_file(workspace / "inbox", "x.cancel_order.csv", "sid,comment\nNOBODY,\n")
    result = routed(workspace)
    assert result.exit_code == 1
    assert "CANCEL_EARLY" in result.stdout


def test_run_json_is_a_line_for_each_drop(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    a_file(workspace / "inbox", "a.csv", GOOD)
    a_file(workspace / "inbox", "b.csv", BAD)
    result = orderdrop("run", "--once", "--json", at=workspace)
    assert [json.loads(line)["name"] for line in result.stdout.splitlines()] == ["a.csv", "b.csv"]


def test_wrong_settings_end_it_with_2(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, "[jornal]\n")
    assert routed(workspace).exit_code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_a_router_cleanly(tmp_path: Path, number: int) -> None:
    workspace = a_workspace(tmp_path, "[inbox]\nscan_interval = 30\n")
    router = started(workspace)
    router.send_signal(number)
    router.send_signal(number)
    out, err = router.communicate(timeout=60)
    assert router.returncode == 0, err
    assert "停止 stopped" in out
    assert "Traceback" not in err


def test_second_router_is_told_who_runs(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    router = started(workspace)
    try:
        result = routed(workspace)
        assert result.exit_code == 1
        assert "running in this workspace already" in result.stderr
        assert str(router.pid) in result.stderr
        assert orderdrop("status", "--json", at=workspace).exit_code == 0
    finally:
        router.terminate()
        router.communicate(timeout=60)


def test_demo_goes_as_it_should(tmp_path: Path) -> None:
    result = orderdrop("demo", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    assert "Nothing is traded" in result.stdout
    assert result.stdout.count("√") == len(SAMPLES)


def test_demo_when_the_folder_is_relative_goes_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = orderdrop("demo", "demo")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "demo" / "outbox" / "receipts").is_dir()


def test_demo_json(tmp_path: Path) -> None:
    told = printed(orderdrop("demo", tmp_path / "demo", "--json"))
    assert [one["as_expected"] for one in told] == [True] * len(SAMPLES)


def test_demo_wants_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    result = orderdrop("demo", tmp_path)
    assert result.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_run_where_nobody_made_a_workspace_refuses_and_makes_nothing(tmp_path: Path) -> None:
    result = orderdrop("run", "--once", at=tmp_path)
    assert result.exit_code == 2
    assert "orderdrop init" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_run_in_a_clone_of_the_source_refuses(tmp_path: Path) -> None:
    for folder in (".git", "inbox", "archive"):
        (tmp_path / folder).mkdir()
    assert orderdrop("run", "--once", at=tmp_path).exit_code == 2


def without_console(monkeypatch: pytest.MonkeyPatch, *words: str) -> object:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        patch.setattr(sys, "stderr", None)
        with pytest.raises(SystemExit) as ended:
            main([*words])
        sys.stdout.close()
        sys.stderr.close()
    return ended.value.code


def test_commands_when_there_is_no_console_run_and_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under pythonw and the task scheduler."""
    workspace = a_workspace(tmp_path)
    a_file(workspace / "inbox", "basket.csv", GOOD)
    for words in (["run", "--once"], ["status", "--json"], ["doctor"], ["-h"]):
        assert without_console(monkeypatch, "-C", str(workspace), *words) == 0 or words == ["doctor"]
    assert (workspace / "outbox" / "receipts" / "basket.csv.receipt.csv").exists()


def test_run_when_it_is_ended_by_a_fault_writes_it_to_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = a_workspace(tmp_path)
    monkeypatch.setattr("orderdrop.service.app.App.run_once", lambda *_: 1 / 0)
    assert isinstance(orderdrop("run", "--once", at=workspace).exception, ZeroDivisionError)
    log = (workspace / ".orderdrop" / "orderdrop.log").read_text(encoding="utf-8")
    assert "ZeroDivisionError" in log


def test_run_when_the_settings_are_wrong_and_there_is_no_console_says_so_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = a_workspace(tmp_path, "[inbox]\nnonsense = 1\n")
    assert without_console(monkeypatch, "-C", str(workspace), "run") == 2
    assert "nonsense" in (workspace / ".orderdrop" / "orderdrop.log").read_text(encoding="utf-8")


def test_help_when_the_console_knows_no_chinese_ends_well(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "orderdrop", "-h"],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": "cp1252"},
    )
    assert (told.returncode, told.stderr) == (0, b"")


def test_run_when_the_broker_rejects_a_row_then_the_file_wears_no_tick(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    a_file(workspace / "inbox", "sold.csv", f"{HEADER}S-1,SHSE.600000,100,1,2,10.35\n")
    told = routed(workspace).stdout
    assert "√" not in told
    assert "× sold.csv" in told
    assert "sold.csv:2  BROKER_REJECTED" in told


def test_held_orders_when_shown_anywhere_then_the_setting_and_the_way_out_are_named(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, f"{QUICK}hold = true\n")
    a_file(workspace / "inbox", "held.csv", f"{HEADER}H-1,SHSE.600000,100,1,1,10.35\n")
    told = routed(workspace).stdout
    assert "! held.csv" in told
    assert "orderdrop release --drop held.csv" in told
    for words in (("orders",), ("why", "H-1")):
        shown = orderdrop(*words, at=workspace).stdout
        assert "[inbox] hold" in shown, words
        assert "orderdrop release H-1" in shown, words
    assert "orderdrop release" in orderdrop("status", at=workspace).stdout
