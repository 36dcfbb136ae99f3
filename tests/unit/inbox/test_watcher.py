"""Both watchers, with real events: what they tell, and that a sleeper is woken by it."""

import os
import sys
import threading
import time

import pytest

from orderdrop.inbox.watcher import Observed, Told, Unwatched, watch
from orderdrop.system.grasp import take_hold


@pytest.fixture(params=[watch, Observed], ids=["this system's", "watchdog"])
def watched(request, tmp_path):
    (tmp_path / "inbox" / "alpha").mkdir(parents=True)
    watcher = request.param(str(tmp_path / "inbox"))
    yield watcher, tmp_path / "inbox"
    watcher.close()


def told(watcher, name):
    """What is told of `name`: whether it was renamed in; None if nothing is told in time."""
    began, hints = time.monotonic(), {}
    while time.monotonic() < began + 60:
        watcher.wait(0.1)
        for key, moved in watcher.take().items():
            hints[key] = hints.get(key, False) or moved
        if hints.get(name):
            return True
        if name in hints and time.monotonic() > began + 1:
            break
    return hints.get(name)


def test_watch_when_a_file_is_renamed_in_says_so(watched):
    watcher, inbox = watched
    (inbox / "a.csv.tmp").write_bytes(b"x")
    os.rename(inbox / "a.csv.tmp", inbox / "a.csv")
    assert told(watcher, "a.csv") is True


def test_watch_when_a_file_is_written_in_place_does_not_call_it_renamed(watched):
    watcher, inbox = watched
    (inbox / "a.csv").write_bytes(b"x")
    assert told(watcher, "a.csv") is False


def test_watch_when_a_file_comes_into_a_sub_folder_names_it_with_its_folder(watched):
    watcher, inbox = watched
    (inbox / "alpha" / "a.csv.tmp").write_bytes(b"x")
    os.rename(inbox / "alpha" / "a.csv.tmp", inbox / "alpha" / "a.csv")
    assert told(watcher, "alpha/a.csv") is True


def test_watch_when_a_fin_comes_names_the_file_it_stands_for(watched):
    watcher, inbox = watched
    (inbox / "a.csv.fin").touch()
    assert told(watcher, "a.csv") is False


def test_watch_when_woken_wakes_at_once(watched):
    watcher, _inbox = watched
    began = time.monotonic()
    threading.Timer(0.05, watcher.wake).start()
    watcher.wait(30)
    assert time.monotonic() - began < 25


@pytest.mark.skipif(not hasattr(os, "eventfd"), reason="inotify")
def test_watch_when_a_sub_folder_is_new_watches_it_too(tmp_path):
    watcher = watch(str(tmp_path))
    (tmp_path / "beta").mkdir()
    watcher.take()
    (tmp_path / "beta" / "a.csv").write_bytes(b"x")
    assert told(watcher, "beta/a.csv") is False
    watcher.close()


def test_watch_when_there_are_no_events_leaves_it_to_the_scan(tmp_path, monkeypatch):
    def none_left(_root):
        raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr("orderdrop.inbox.watcher.Observed", none_left)
    monkeypatch.setattr("orderdrop.inbox.watcher._Inotify", none_left, raising=False)
    assert isinstance(watch(str(tmp_path)), Unwatched)


def test_watch_when_a_file_is_made_where_one_was_renamed_in_does_not_call_it_renamed():
    watcher = Told()
    watcher.tell("a.csv", moved=True)
    watcher.tell("a.csv", moved=False, made=True)
    watcher.tell("a.csv", moved=False)
    watcher.tell("b.csv", moved=True)
    watcher.tell("b.csv", moved=False)
    assert watcher.take() == {"a.csv": False, "b.csv": True}


def test_watch_when_a_fin_is_renamed_in_does_not_call_its_file_renamed(watched):
    watcher, inbox = watched
    (inbox / "fin.tmp").touch()
    os.rename(inbox / "fin.tmp", inbox / "a.csv.fin")
    assert told(watcher, "a.csv") is False


@pytest.mark.posix
@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
def test_watch_when_a_file_is_put_away_under_a_name_of_ours_does_not_stir(tmp_path):
    watcher = watch(str(tmp_path))
    (tmp_path / "a.csv").touch()
    watcher.take()
    take_hold(tmp_path / "a.csv")
    assert not watcher.stirring
    began = time.monotonic()
    watcher.wait(0.05)
    assert time.monotonic() - began >= 0.05
    watcher.close()
