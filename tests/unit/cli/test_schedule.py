from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from command_line import a_workspace, orderdrop


def test_schedule_dry_run_shows_the_task_of_this_workspace(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    shown = orderdrop(
        "schedule", "install", "--dry-run", "--stop", "15:30", "--python", r"C:\p\pythonw.exe", at=workspace
    )
    assert shown.exit_code == 0, shown.output
    ET.fromstring(shown.stdout.partition("?>")[2])
    assert "run --scheduled --until 15:30" in shown.stdout
    assert r"<Command>C:\p\pythonw.exe</Command>" in shown.stdout


@pytest.mark.posix
@pytest.mark.parametrize("action", ["install", "show", "remove"])
def test_schedule_where_there_is_no_windows_says_so_and_does_nothing(tmp_path: Path, action: str) -> None:
    told = orderdrop("schedule", action, at=a_workspace(tmp_path))
    assert (told.exit_code, "is Windows' own" in told.stderr) == (2, True)
