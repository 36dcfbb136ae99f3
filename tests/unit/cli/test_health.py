"""`status`, `health` and `doctor` before a router that lives, hangs, is in a fault, or is not there."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from command_line import GOOD, a_file, a_workspace, orderdrop, printed, routed, started

from orderdrop.config.sources import load
from orderdrop.service.app import App
from orderdrop.system.logfile import LogFile


@pytest.fixture
def app(tmp_path: Path):
    """A router that runs, and does nothing by itself."""
    with App(*load(a_workspace(tmp_path / "w"))) as app:
        yield app


def at(app: App) -> Path:
    return app.workspace.root


def told(app: App, **over) -> None:
    """The heartbeat says this, a moment ago."""
    app._beat()
    path = app.workspace.heartbeat
    said = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(said | over), encoding="utf-8")


def codes(where: Path) -> tuple[int, int]:
    """Of status and health."""
    return orderdrop("status", at=where).exit_code, orderdrop("health", at=where).exit_code


def test_router_when_well_is_well(app):
    told(app)
    result = orderdrop("health", "--json", at=at(app))
    assert (result.exit_code, printed(result)["ok"], printed(result)["problems"]) == (0, True, [])
    assert printed(result)["heartbeat"]["pid"] == os.getpid()
    assert codes(at(app)) == (0, 0)


def test_router_when_there_is_none_is_dead_to_monitoring_and_no_problem_to_people(tmp_path):
    assert codes(a_workspace(tmp_path)) == (0, 2)


@pytest.mark.parametrize(("seconds", "expected"), [(9, (1, 1)), (40, (1, 2))])
def test_router_when_silent_is_late_then_dead(app, seconds, expected):
    told(app)
    said = json.loads(app.workspace.heartbeat.read_text(encoding="utf-8"))
    told(app, mono=said["mono"] - seconds)
    assert codes(at(app)) == expected


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"fault": "the disk is full"}, "the disk is full"),
        ({"gateways": {"gm": {"silent": True, "why": "cut off"}}}, "gm: 读不到回报 / no reports: cut off"),
        ({"chores": ["no receipt for a.csv"]}, "no receipt for a.csv"),
    ],
)
def test_router_when_its_heartbeat_names_a_fault_then_status_health_and_doctor_do(app, over, words):
    told(app, **over)
    status = printed(orderdrop("status", "--json", at=at(app)))
    assert any(words in problem for problem in status["problems"])
    assert codes(at(app)) == (1, 1)
    found = printed(orderdrop("doctor", "--json", at=at(app)))
    assert [one["level"] for one in found if one["check"] == "router.life"] == ["wrong"]


def test_heartbeat_of_an_earlier_router_says_nothing_of_this_one(app):
    told(app, pid=1, fault="of yesterday")
    assert codes(at(app)) == (0, 0)


def test_file_when_it_waits_for_too_long_is_named(app):
    told(app)
    path = a_file(app.workspace.inbox, "a.csv", GOOD)
    assert codes(at(app)) == (0, 0)
    os.utime(path, (time.time() - 3600,) * 2)
    if path.stat().st_ctime > time.time() - 60:  # POSIX: it came just now, however old it is
        assert codes(at(app)) == (0, 0)


def test_file_when_a_running_router_does_not_take_it_is_named(app, monkeypatch):
    told(app)
    a_file(app.workspace.inbox, "a.csv", GOOD)
    now = time.time()
    monkeypatch.setattr("orderdrop.cli.problems.time.time", lambda: now + 60)
    monkeypatch.setattr("orderdrop.cli.problems.time.sleep", lambda _seconds: None)
    result = orderdrop("status", at=at(app))
    assert result.exit_code == 1
    assert "should have been taken long ago and still wait: a.csv" in result.stderr


def test_disk_when_full_is_a_row_of_status(tmp_path, monkeypatch):
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1000))
    result = orderdrop("status", at=a_workspace(tmp_path))
    assert result.exit_code == 1
    assert "the disk is full" in result.stderr


def test_journal_when_it_cannot_be_read_is_a_row_of_status_beside_the_others(tmp_path):
    workspace = a_workspace(tmp_path)
    (workspace / "journal.db").write_bytes(b"this is no database" * 100)
    result = orderdrop("status", "--json", at=workspace)
    assert result.exit_code == 1
    assert "the journal cannot be read" in printed(result)["problems"][0]


def test_journal_when_locked_by_somebody_is_a_fault_though_nothing_is_written(app):
    other = sqlite3.connect(app.journal.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        app._beat()
        assert codes(at(app)) == (0, 0)  # a backup may hold it for a moment
        app._beat()
        result = orderdrop("status", at=at(app))
        assert result.exit_code == 1
        assert "the journal cannot be written" in result.stderr
    finally:
        other.close()
    app._beat()
    assert codes(at(app)) == (0, 0)


def test_journal_when_of_a_future_day_is_told_with_the_way_back(tmp_path):
    workspace = a_workspace(tmp_path)
    a_file(workspace / "inbox", "a.csv", GOOD)
    routed(workspace)
    with sqlite3.connect(workspace / "journal.db") as journal:
        journal.execute("UPDATE drops SET trade_day = 21991231")
    journal.close()
    result = orderdrop("status", at=workspace)
    assert result.exit_code == 1
    assert "orderdrop adopt --day-was-wrong" in result.stderr
    found = printed(orderdrop("doctor", "--json", at=workspace))
    assert [one["level"] for one in found if one["check"] == "journal.day"] == ["wrong"]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP")
def test_router_when_stopped_in_its_tracks_is_told(tmp_path):
    workspace = a_workspace(tmp_path)
    router = started(workspace)
    try:
        until(lambda: codes(workspace) == (0, 0))
        os.kill(router.pid, signal.SIGSTOP)
        until(lambda: codes(workspace) == (1, 1))
        assert orderdrop("health", "--max-age", "1", at=workspace).exit_code == 2
        os.kill(router.pid, signal.SIGCONT)
        until(lambda: codes(workspace) == (0, 0))
    finally:
        os.kill(router.pid, signal.SIGCONT)
        router.terminate()
        router.communicate(timeout=30)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


# the log


def test_log_when_it_cannot_be_written_says_so_once_and_shows_no_traceback(tmp_path, capsys):
    handler = LogFile(tmp_path / "log", delay=True)

    class Full:
        def write(self, _text: str) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def flush(self) -> None: ...
        def close(self) -> None: ...

    record = logging.LogRecord("orderdrop", logging.ERROR, "x", 1, "told", (), None)
    handler.emit(record)
    good, handler.stream = handler.stream, Full()
    handler.shouldRollover = lambda _record: False
    for _ in range(3):
        handler.emit(record)
    handler.stream = good
    handler.emit(record)
    handler.stream = Full()
    handler.emit(record)
    handler.stream = good
    handler.close()
    said = capsys.readouterr().err
    assert said.count("the log cannot be written") == 2
    assert "Traceback" not in said
    assert (tmp_path / "log").read_text().count("told") == 2
