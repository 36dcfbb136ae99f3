"""What only shows where files behave as on Windows: `PYTHONPATH=tests/winlike/shim python -m pytest tests/winlike`, skipped without the shim."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from routed_desk import Desk

from orderdrop.system import files

UNDER_THE_SHIM = "winlike_files" in sys.modules


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not UNDER_THE_SHIM and Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="only where files behave as on Windows"))


class Program:
    """Another program that has a file open until `close`. denies: it lets nobody write, as Excel."""

    def __init__(self, path: Path, mode: str = "rb", *, denies: bool = False) -> None:
        code = f"f = open({str(path)!r}, {mode!r}); print('open', flush=True); input(); f.close()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"WINLIKE_DENY": "write" if denies else ""},
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "open\n"

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.communicate("\n")


@pytest.fixture
def opened():
    """Makes programs that have files open; all are closed at the end."""
    made: list[Program] = []

    def open_it(path: Path, mode: str = "rb", *, denies: bool = False) -> Program:
        made.append(Program(path, mode, denies=denies))
        return made[-1]

    yield open_it
    for one in made:
        one.close()


@pytest.fixture
def desk(tmp_path):
    made = []

    def make(**settings) -> Desk:
        made.append(Desk(tmp_path / f"w{len(made)}", **settings))
        return made[-1]

    yield make
    for one in made:
        one.crash()


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """Each time that somebody in this process waited for a file that another program has open."""
    told: list[float] = []
    real = time.sleep

    def sleep(seconds: float) -> None:
        told.append(seconds)
        real(seconds)

    seen = type("Seen", (), {"sleep": staticmethod(sleep), "monotonic": staticmethod(time.monotonic)})
    monkeypatch.setattr(files, "time", seen)
    return told
