from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from command_line import GOOD, QUICK, a_file, a_workspace, orderdrop, routed, started
from filelock import FileLock

from orderdrop.system.clock import SystemClock, to_datetime

NOW = to_datetime(SystemClock().now())
OPEN = QUICK + f"[calendar]\nextra_open = [{', '.join(str(NOW.date() + timedelta(n)) for n in range(2))}]\n"
CLOSED = (
    QUICK + f"[calendar]\nextra_closed = [{', '.join(str(NOW.date() + timedelta(n)) for n in range(2))}]\n"
)


def test_stop_ends_a_router_as_ctrl_c_does_and_keeps_a_schedule_from_starting_it(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, OPEN)
    router = started(workspace)
    told = orderdrop("stop", at=workspace)
    said, _ = router.communicate(timeout=120)
    assert (told.exit_code, router.returncode) == (0, 0)
    assert "it has ended" in told.stderr
    assert "stopped" in said
    assert not (workspace / ".orderdrop" / "router.json").exists()
    again = orderdrop("run", "--scheduled", at=workspace)
    assert (again.exit_code, "orderdrop stop has ended it for today" in again.stderr) == (0, True)
    assert orderdrop("run", "--scheduled", at=workspace).stderr == "", "said once a day"
    by_hand = started(workspace)
    assert not (workspace / ".orderdrop" / "stop.json").exists()
    assert orderdrop("stop", at=workspace).exit_code == 0
    by_hand.communicate(timeout=120)
    assert by_hand.returncode == 0


def test_stop_where_no_router_runs_says_so(tmp_path: Path) -> None:
    told = orderdrop("stop", at=a_workspace(tmp_path))
    assert (told.exit_code, "no router runs" in told.stderr) == (0, True)


def test_run_once_after_stop_routes_all_the_same(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    orderdrop("stop", at=workspace)
    a_file(workspace / "inbox", "basket.csv", GOOD)
    assert routed(workspace).exit_code == 0


def test_scheduled_run_on_a_closed_day_says_so_and_logs_it(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, CLOSED)
    told = orderdrop("run", "--scheduled", "--until", "23:59", at=workspace)
    assert (told.exit_code, "is no trading day" in told.stderr) == (0, True)
    log = (workspace / ".orderdrop" / "orderdrop.log").read_text(encoding="utf-8")
    assert "is no trading day" in log


def test_scheduled_run_where_a_router_runs_asks_to_be_tried_again(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, OPEN)
    (workspace / ".orderdrop").mkdir()
    with FileLock(workspace / ".orderdrop" / "router.lock"):
        assert orderdrop("run", "--scheduled", at=workspace).exit_code == 75
        assert orderdrop("run", at=workspace).exit_code == 1


def test_run_until_an_hour_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = a_workspace(tmp_path, OPEN)
    a_file(workspace / "inbox", "basket.csv", GOOD)
    monkeypatch.setattr(
        "orderdrop.service.stopping.why_not_start", lambda *_: None
    )  # whatever the hour is here
    told = orderdrop("run", "--scheduled", "--until", "00:00", at=workspace)
    assert told.exit_code == 0, told.output
    assert "stopped" in told.stdout
