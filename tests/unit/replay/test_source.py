"""What can be played: a file of anybody's, or a day that the journal knows."""

from __future__ import annotations

import os
from datetime import date

import pytest
from builders import FRIDAY

from orderdrop.config.workspace import Workspace
from orderdrop.errors import ConfigError
from orderdrop.replay.source import read_source
from orderdrop.system.clock import from_datetime, to_datetime

AT = from_datetime(FRIDAY)


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "workspace", tmp_path / "workspace" / "inbox")


def a_file(folder, name: str, content: bytes = b"sid\n"):
    path = folder / name
    path.write_bytes(content)
    os.utime(path, ns=(AT * 1000, AT * 1000))
    return path


def test_file_when_nobody_knows_it_then_it_comes_whole_when_it_was_written(tmp_path, workspace):
    found = read_source(str(a_file(tmp_path, "a.csv", b"x")), workspace, None)
    [drop] = found.drops
    assert (found.day, drop.name, drop.content, drop.parts[0].at) == (FRIDAY.date(), "a.csv", b"x", AT)
    assert (drop.drop_id, drop.fin) == (None, True)


def test_file_when_its_name_is_of_another_day_then_it_comes_at_the_opening_of_that_day(tmp_path, workspace):
    found = read_source(str(a_file(tmp_path, "20261119.order.csv")), workspace, None)
    assert found.day == date(2026, 11, 19)
    assert f"{to_datetime(found.drops[0].parts[0].at):%H:%M}" == "09:30"


@pytest.mark.parametrize("what", ["2026-11-20", "20261120"])
def test_day_when_nothing_came_in_then_said(workspace, what):
    with pytest.raises(ConfigError, match="no drops came in on this day"):
        read_source(what, workspace, None)


@pytest.mark.parametrize("what", ["2026-13-01", "nowhere.csv", "", "tomorrow"])
def test_source_when_neither_a_day_nor_a_file_then_said(workspace, what):
    with pytest.raises(ConfigError, match="neither a day nor a file"):
        read_source(what, workspace, None)


def test_day_when_a_folder_of_the_archive_is_named_then_it_is_its_day(tmp_path, workspace):
    (tmp_path / "2026-11-20").mkdir()
    with pytest.raises(ConfigError, match="2026-11-20 没有收到过文件"):
        read_source(str(tmp_path / "2026-11-20"), workspace, None)
