"""The task of Windows' scheduler, as it is written. Golden file: UPDATE_TASK=1 pytest tests/unit/service/test_schedule.py"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import date, time
from pathlib import Path, PureWindowsPath
from xml.etree import ElementTree as ET

import pytest

from orderdrop.errors import ConfigError, OrderdropError
from orderdrop.service import schedule, windows
from orderdrop.service.windows import Task

GOLDEN = Path(__file__).parents[2] / "samples" / "schedule" / "task.xml"
MONDAY = date(2026, 11, 30)
TASK = Task(
    PureWindowsPath(r"C:\Program Files\Python 3.13\pythonw.exe"), PureWindowsPath(r"D:\交易 & 研究\工作区"), "PC\\张 三",
    time(8, 40), time(15, 45),
)  # fmt: skip
SPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def below(element: ET.Element) -> list[str]:
    return [one.tag.removeprefix(SPACE) for one in element]


def parsed(task: Task = TASK) -> ET.Element:
    return ET.fromstring(windows.xml_bytes(windows.task_xml(task, MONDAY)))


def text(root: ET.Element, path: str) -> str | None:
    found = root.find("/".join(f"{SPACE}{part}" for part in path.split("/")))
    assert found is not None, path
    return found.text


def test_task_is_written_as_recorded() -> None:
    written = windows.xml_bytes(windows.task_xml(TASK, MONDAY))
    if os.environ.get("UPDATE_TASK"):
        GOLDEN.write_bytes(written)
    assert written == GOLDEN.read_bytes()
    assert written.startswith(b"\xff\xfe<\x00")


def test_task_keeps_the_schemas_order() -> None:
    root = parsed()
    assert below(root) == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
    logon, hours = root[1]
    assert below(logon) == ["Enabled", "UserId", "Delay"]
    assert below(hours) == ["Enabled", "StartBoundary", "Repetition", "ScheduleByWeek"]
    assert below(hours[2]) == ["Interval", "Duration", "StopAtDurationEnd"]
    assert below(root[4][0]) == ["Command", "Arguments", "WorkingDirectory"]


def test_task_says_what_the_scheduler_would_else_do_otherwise() -> None:
    root = parsed()
    assert text(root, "Settings/ExecutionTimeLimit") == "PT0S"
    assert text(root, "Settings/MultipleInstancesPolicy") == "IgnoreNew"
    assert (
        text(root, "Settings/DisallowStartIfOnBatteries")
        == text(root, "Settings/StopIfGoingOnBatteries")
        == "false"
    )
    assert text(root, "Settings/Priority") == "5"
    assert text(root, "Principals/Principal/LogonType") == "InteractiveToken"
    assert text(root, "Triggers/CalendarTrigger/StartBoundary") == "2026-11-30T08:40:00+08:00"
    assert text(root, "Triggers/CalendarTrigger/Repetition/Duration") == "PT7H5M"
    assert text(root, "Actions/Exec/WorkingDirectory") == r"D:\交易 & 研究\工作区"
    assert (
        text(root, "Actions/Exec/Arguments")
        == r'-m orderdrop -C "D:\交易 & 研究\工作区" run --scheduled --until 15:45'
    )


def test_task_of_a_drives_root_keeps_its_quote() -> None:
    assert r'-C "D:\\" run' in TASK._replace(root=PureWindowsPath("D:\\")).words


def test_task_names_tell_workspaces_apart_and_one_from_none() -> None:
    other = TASK._replace(root=PureWindowsPath(r"E:\工作区"))
    assert TASK.name != other.name
    assert TASK._replace(root=PureWindowsPath(r"d:\交易 & 研究\工作区")).name == TASK.name
    assert re.fullmatch(r"orderdrop\\工作区-[0-9a-f]{6}", TASK.name)


class Scheduler:
    """A recorded schtasks: it keeps the definitions that it was given."""

    def __init__(self) -> None:
        self.tasks: dict[str, str] = {}
        self.asked: list[str] = []

    def __call__(self, words: Sequence[str]) -> tuple[int, str]:
        assert words[0] == "schtasks"
        self.asked.append(words[1])
        name = words[words.index("/TN") + 1]
        if words[1] == "/Create":
            if name in self.tasks and "/F" not in words:
                return 1, "ERROR: already exists"
            content = Path(words[words.index("/XML") + 1]).read_bytes()
            ET.fromstring(content)
            uri = f"<URI>\\{name}</URI><Author>PC\\x</Author>"
            self.tasks[name] = content.decode("utf-16").replace(
                "<RegistrationInfo>", f"<RegistrationInfo>{uri}"
            )
            return 0, "SUCCESS"
        if name not in self.tasks:
            return 1, "ERROR: The system cannot find the file specified."
        if words[1] == "/Delete":
            del self.tasks[name]
            return 0, "SUCCESS"
        return 0, self.tasks[name] if "/XML" in words else f"TaskName: \\{name}"


def test_schedule_when_installed_shown_and_removed_twice() -> None:
    system = Scheduler()
    assert not schedule.look(TASK, MONDAY, system).there
    for _ in range(2):
        schedule.install(TASK, MONDAY, system)
    assert [*system.tasks] == [TASK.name]
    assert schedule.look(TASK, date(2027, 1, 4), system) == (True, f"TaskName: \\{TASK.name}", True)
    assert not schedule.look(TASK._replace(stop=time(15, 30)), MONDAY, system).same
    assert not schedule.look(TASK._replace(python=PureWindowsPath("x.exe")), MONDAY, system).same
    schedule.remove(TASK, system)
    with pytest.raises(OrderdropError, match="cannot find the file"):
        schedule.remove(TASK, system)


def test_schedule_when_hours_run_backwards_is_refused(tmp_path) -> None:
    with pytest.raises(ConfigError, match="must come before"):
        schedule.task_of(tmp_path, time(15, 45), time(8, 40), "pythonw.exe")


def test_interpreter_without_console_is_taken_where_there_is_one(tmp_path) -> None:
    python = tmp_path / "python.exe"
    assert schedule.without_console(str(python)) == str(python)
    (tmp_path / "pythonw.exe").touch()
    assert schedule.without_console(str(python)) == str(tmp_path / "pythonw.exe")


def test_start_file_takes_the_folder_it_stands_in_and_any_interpreter() -> None:
    lines = windows.start_file(r"C:\用户 50%\python.exe").decode().split("\r\n")
    assert lines[:2] == ["@echo off", "chcp 65001 >nul"]
    assert r'"C:\用户 50%%\python.exe" -m orderdrop -C "%~dp0." run' in lines
    assert not windows.start_file("p").startswith(b"\xef\xbb\xbf")
