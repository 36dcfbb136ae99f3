"""Commands run in a workspace of the test's own, with settings that do not make anybody wait."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from click.testing import CliRunner, Result

from orderdrop.cli import main

QUICK = "[inbox]\nsettle = 0.02\nscan_interval = 0.05\narchive_after = 0\ntorn_timeout = 0.2\n"
HEADER = "sid,symbol,volume,order_type,order_business,price\n"
GOOD = f"{HEADER}G-1,SHSE.600000,100,1,1,10.35\nG-2,SZSE.000001,200,1,1,11.20\n"  # the second is half filled
BAD = f"{HEADER}B-1,SHSE.600000,100,1,1,10.35\nB-2,SHSE.600000,150,1,1,10.35\nB-3,SHSE.600000,100,1,,10.35\n"
PENDING = f"{HEADER}P-1,SHSE.018014,100,1,1,100\n"


def a_workspace(folder: Path, settings: str = QUICK) -> Path:
    (folder / "inbox").mkdir(parents=True)
    (folder / "orderdrop.toml").write_text(settings, encoding="utf-8")
    return folder


def a_file(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def orderdrop(*words: object, at: Path | None = None, says: str | None = None, **environment: str) -> Result:
    """says: what is typed when it asks."""
    where = [] if at is None else ["-C", str(at)]
    return CliRunner().invoke(
        main,
        [*where, *map(str, words)],
        input=says,
        env={"COLUMNS": "160"} | environment,
        terminal_width=100,
        prog_name="orderdrop",
    )


def printed(result: Result) -> list[dict]:
    """What a command printed with --json."""
    return json.loads(result.stdout)


def routed(workspace: Path) -> Result:
    """The router's one round."""
    return orderdrop("run", "--once", at=workspace)


def dropped(workspace: Path, name: str, text: str) -> None:
    """A file that is dropped and routed."""
    outside = workspace / "outside"
    outside.mkdir(exist_ok=True)
    assert orderdrop("drop", a_file(outside, name, text), at=workspace).exit_code == 0
    routed(workspace)


def started(workspace: Path) -> subprocess.Popen[str]:
    """A router in a process of its own, that has said that it runs."""
    router = subprocess.Popen(
        [sys.executable, "-m", "orderdrop", "-C", str(workspace), "run"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (workspace / ".orderdrop" / "router.json").exists():
        assert time.monotonic() < deadline and router.poll() is None  # noqa: PT018
        time.sleep(0.02)
    assert router.stdout is not None
    while "Ctrl-C" not in router.stdout.readline():
        assert time.monotonic() < deadline
    time.sleep(0.2)
    return router
