"""A task of Windows' Task Scheduler that keeps a router going on trading days: its XML, and the words for `schtasks`. Pure.

A task, not a service: what trades beside it, QMT and 掘金, needs a desktop and a user who is logged on. It starts at logon and every five
minutes of the trading hours, and the scheduler ignores a start while the router runs: so that one that died comes back by itself.
Written from the schema's documentation; no Windows machine has run it yet.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from pathlib import PureWindowsPath
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

FOLDER: Final = "orderdrop"
EVERY: Final = 5
"""Minutes between two starts."""

_LOGON_DELAY: Final = "PT30S"
_PRIORITY: Final = 5
"""Normal; the default, 7, is below that."""


class Task(NamedTuple):
    """python: the interpreter without console, pythonw.exe. root: the workspace. user: DOMAIN\\name, who must be logged on."""

    python: PureWindowsPath
    root: PureWindowsPath
    user: str
    start: time
    stop: time

    @property
    def name(self) -> str:
        r"""`orderdrop\trading-1f9c3a`: of the workspace's folder, and a number of its whole path, so that two never share one."""
        plain = re.sub(r"[^\w.-]", "_", self.root.name or "root")
        return f"{FOLDER}\\{plain}-{_number_of(str(self.root).casefold()):06x}"

    @property
    def words(self) -> str:
        """What stands behind the interpreter."""
        return f"-m orderdrop -C {quoted(str(self.root))} run --scheduled --until {self.stop:%H:%M}"


def quoted(path: str) -> str:
    r"""As Windows' programs take a word apart: a backslash before the closing quote would swallow it, of `C:\` say."""
    return f'"{path}\\"' if path.endswith("\\") else f'"{path}"'


def _number_of(text: str) -> int:
    number = 0
    for byte in text.encode():
        number = (number * 131 + byte) % 0x1000000
    return number


def task_xml(task: Task, begins: date) -> str:
    """The task's definition. begins: the day from which its hours count. The order of elements is the schema's."""
    hours = datetime.combine(begins, task.stop) - datetime.combine(begins, task.start)
    days = "".join(f"<{day} />" for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"))
    root, user = escape(str(task.root)), escape(task.user)
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>orderdrop: {root}</Description>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>{user}</UserId>
      <Delay>{_LOGON_DELAY}</Delay>
    </LogonTrigger>
    <CalendarTrigger>
      <Enabled>true</Enabled>
      <StartBoundary>{begins.isoformat()}T{task.start:%H:%M}:00+08:00</StartBoundary>
      <Repetition>
        <Interval>PT{EVERY}M</Interval>
        <Duration>{_duration(hours)}</Duration>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <ScheduleByWeek>
        <DaysOfWeek>{days}</DaysOfWeek>
        <WeeksInterval>1</WeeksInterval>
      </ScheduleByWeek>
    </CalendarTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{user}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>{_PRIORITY}</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>10</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(str(task.python))}</Command>
      <Arguments>{escape(task.words)}</Arguments>
      <WorkingDirectory>{root}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""


def _duration(hours: timedelta) -> str:
    """`PT7H5M`."""
    minutes = int(hours.total_seconds()) // 60
    return f"PT{minutes // 60}H{minutes % 60}M" if minutes % 60 else f"PT{minutes // 60}H"


def xml_bytes(text: str) -> bytes:
    """As the scheduler exports and imports it: UTF-16 with its mark, lines of Windows."""
    return b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le")


def install_words(task: Task, file: str) -> list[str]:
    """Replaces the task of that name, if there is one."""
    return ["schtasks", "/Create", "/TN", task.name, "/XML", file, "/F"]


def show_words(task: Task) -> list[str]:
    return ["schtasks", "/Query", "/TN", task.name, "/V", "/FO", "LIST"]


def read_words(task: Task) -> list[str]:
    """The definition that stands there, as XML."""
    return ["schtasks", "/Query", "/TN", task.name, "/XML", "ONE"]


def remove_words(task: Task) -> list[str]:
    return ["schtasks", "/Delete", "/TN", task.name, "/F"]


def same_task(standing: str, wanted: str) -> bool:
    """Whether two definitions say the same: without what the scheduler adds, and how it breaks its lines. The day it begins is not compared."""
    return _essence(standing) == _essence(wanted)


def _essence(xml: str) -> list[str]:
    found = re.findall(r"<(\w+)[^<>]*>([^<>]+)</\1>", xml)
    return sorted(
        f"{name}={value.strip()[10:] if name == 'StartBoundary' else value.strip()}"
        for name, value in found
        if name not in {"URI", "Author", "Date"}
    )


def start_file(python: str) -> bytes:
    """`启动 orderdrop.cmd`: starts the router of its own folder by a double click, wherever that is moved to.

    The code page is set first, so that what follows may be UTF-8; the dot keeps the folder's backslash from swallowing the quote.
    """
    command = python.replace("%", "%%")
    lines = [
        "@echo off",
        "chcp 65001 >nul",
        "title orderdrop",
        f'"{command}" -m orderdrop -C "%~dp0." run',
        "pause",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()
