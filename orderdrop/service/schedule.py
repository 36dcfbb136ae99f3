"""Puts this workspace's task into Windows' scheduler, reads what stands there, takes it out. Linux and macOS have none of ours yet."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import date, time
from pathlib import Path, PureWindowsPath
from typing import Final, NamedTuple

from orderdrop.errors import ConfigError, OrderdropError
from orderdrop.service import windows
from orderdrop.service.windows import Task

_PATIENCE: Final = 60.0

Run = Callable[[Sequence[str]], tuple[int, str]]
"""Runs a command: its exit code, and what it said."""


class Entry(NamedTuple):
    """What stands in the scheduler. same: as `install` would write it now."""

    there: bool
    said: str
    same: bool


def task_of(root: Path, start: time, stop: time, python: str) -> Task:
    """Raises ConfigError where no task can keep this workspace's router."""
    if start >= stop:
        raise ConfigError(
            f"--start {start:%H:%M} 不早于 --stop {stop:%H:%M} / --start must come before --stop"
        )
    if '"' in str(root):
        raise ConfigError(f"路径里不能有引号 / the path must hold no quotes: {root}")
    return Task(PureWindowsPath(python), PureWindowsPath(root), _user(), start, stop)


def without_console(python: str) -> str:
    """pythonw.exe beside python.exe: the task shows no window."""
    beside = Path(python).with_name("pythonw.exe")
    return str(beside) if beside.exists() else python


def install(task: Task, begins: date, run: Run) -> None:
    """Raises OrderdropError with what schtasks said."""
    handle, name = tempfile.mkstemp(suffix=".xml")
    try:
        os.write(handle, windows.xml_bytes(windows.task_xml(task, begins)))
        os.close(handle)
        _must(windows.install_words(task, name), run)
    finally:
        Path(name).unlink()


def look(task: Task, begins: date, run: Run) -> Entry:
    code, said = run(windows.show_words(task))
    if code:
        return Entry(there=False, said=said, same=False)
    _code, standing = run(windows.read_words(task))
    return Entry(there=True, said=said, same=windows.same_task(standing, windows.task_xml(task, begins)))


def remove(task: Task, run: Run) -> None:
    """Raises OrderdropError with what schtasks said."""
    _must(windows.remove_words(task), run)


def by_the_system(words: Sequence[str]) -> tuple[int, str]:
    """Runs `schtasks`. Raises ConfigError where there is none."""
    if sys.platform != "win32":
        raise ConfigError(
            "只有 Windows 有计划任务 / schtasks is Windows' own; docs/windows.md names what to use elsewhere\n"
            "  --dry-run 只显示 / --dry-run shows what would be installed"
        )
    done = subprocess.run(words, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603
    return done.returncode, _text(done.stdout + done.stderr)


def _text(said: bytes) -> str:
    """In whatever a console speaks there."""
    for encoding in ("utf-16" if said.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8", "gb18030"):
        try:
            return said.decode(encoding)
        except UnicodeDecodeError:
            continue
    return said.decode("utf-8", "replace")


def _must(words: Sequence[str], run: Run) -> None:
    code, said = run(words)
    if code:
        raise OrderdropError(f"schtasks: {said.strip() or code}\n  {subprocess.list2cmdline(words)}")


def _user() -> str:
    domain = os.environ.get("USERDOMAIN", "")
    return f"{domain}\\{getpass.getuser()}" if domain else getpass.getuser()
