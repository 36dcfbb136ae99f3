"""One router for each workspace: the second one is refused, and told who holds it."""

from __future__ import annotations

import json
import os

import pytest
from builders import a_clock
from filelock import FileLock

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.errors import WorkspaceBusy
from orderdrop.service.lock import holding
from orderdrop.views.running import has_settings, holder_of, is_running


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    made = Workspace(tmp_path, tmp_path / "inbox")
    made.state.mkdir()
    return made


def held(workspace: Workspace, settings: Settings | None = None):
    return holding(FileLock(workspace.lock), workspace, a_clock(), settings or Settings())


def test_workspace_when_held_then_everybody_can_see_who_does(workspace):
    assert not is_running(workspace)
    with held(workspace):
        assert is_running(workspace)
        assert holder_of(workspace)["pid"] == os.getpid()
        assert holder_of(workspace)["since"].startswith("2026-11-20T09:31:00")
    assert not is_running(workspace)
    assert holder_of(workspace) == {}


def test_workspace_when_held_then_a_second_router_is_refused_and_told_the_holder(workspace):
    with held(workspace):
        with pytest.raises(WorkspaceBusy, match=rf"pid {os.getpid()} @ ") as refused, held(workspace):
            pytest.fail("two routers")
        assert str(workspace.root) in str(refused.value)
        assert holder_of(workspace)["pid"] == os.getpid(), "the first one still holds it"


@pytest.mark.parametrize("content", ["", "{", '{"host": "here"}'])
def test_workspace_when_the_holders_note_does_not_read_then_refused_all_the_same(workspace, content):
    with held(workspace):
        workspace.holder.write_text(content)
        with pytest.raises(WorkspaceBusy, match=r"pid \? @ "), held(workspace):
            pytest.fail("two routers")


def test_workspace_when_its_router_fails_then_it_is_free_again(workspace):
    with pytest.raises(RuntimeError), held(workspace):
        raise RuntimeError("a fault")
    assert not workspace.holder.exists()
    with held(workspace):
        assert is_running(workspace)


def test_workspace_when_a_router_was_killed_then_its_note_does_not_keep_the_next_one_out(workspace):
    workspace.holder.write_text(json.dumps({"pid": 4711}))
    workspace.lock.touch()
    with held(workspace):
        assert holder_of(workspace)["pid"] == os.getpid()


def test_settings_when_changed_while_a_router_runs_then_they_are_not_its_own(workspace):
    first, changed = Settings(), Settings.model_validate({"inbox": {"hold": True}})
    with held(workspace, first):
        assert has_settings(workspace, first)
        assert not has_settings(workspace, changed)
    assert has_settings(workspace, changed), "the next one will have them"
