"""The router's log is a file in the workspace, at the level that the settings name."""

from __future__ import annotations

import logging

import pytest

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.service.log import set_up_log


@pytest.fixture
def workspace(tmp_path):
    """The process's own log is put back behind the test."""
    root = logging.getLogger("orderdrop")
    before = root.level, root.handlers, root.propagate
    yield Workspace(tmp_path, tmp_path / "inbox")
    for handler in root.handlers:
        handler.close()
    root.level, root.handlers, root.propagate = before
    root.manager._clear_cache()


def set_up(workspace: Workspace, level: str = "INFO") -> logging.Logger:
    set_up_log(Settings.model_validate({"log": {"level": level}}), workspace)
    return logging.getLogger("orderdrop.router")


def test_log_when_something_is_said_then_it_stands_in_the_workspaces_file_with_level_and_module(workspace):
    set_up(workspace).warning("磁盘满了 / the disk is full: %s", "journal.db")
    line = workspace.log.read_text(encoding="utf-8")
    assert line.endswith("WARNING orderdrop.router 磁盘满了 / the disk is full: journal.db\n")


def test_log_when_nothing_was_said_then_there_is_no_file(workspace):
    set_up(workspace)
    assert not workspace.log.exists()


def test_log_when_the_level_is_higher_then_less_is_written(workspace):
    made = set_up(workspace, "ERROR")
    made.warning("not this")
    made.error("but this")
    assert "not this" not in workspace.log.read_text(encoding="utf-8")
    assert "but this" in workspace.log.read_text(encoding="utf-8")


def test_log_when_set_up_twice_then_each_line_is_written_once(workspace):
    set_up(workspace)
    set_up(workspace).error("once")
    assert workspace.log.read_text(encoding="utf-8").count("once") == 1


def test_log_when_it_is_the_routers_then_nothing_of_it_goes_to_the_root(workspace, caplog):
    set_up(workspace).error("for the file alone")
    assert caplog.records == []
