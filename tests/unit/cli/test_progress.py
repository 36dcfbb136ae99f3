"""Progress is told on a terminal only, and only of what takes its time."""

from __future__ import annotations

import io
import sys
import threading

import pytest
from command_line import GOOD, a_workspace, dropped, routed

from orderdrop.cli.progress import Progress
from orderdrop.config.sources import load
from orderdrop.journal.journal import reading_engine
from orderdrop.journal.reader import read
from orderdrop.replay.playing import paper_settings, play
from orderdrop.replay.source import read_source


class Terminal(io.StringIO):
    """A stderr that somebody looks at. shown: set once something was written."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        written = super().write(text)
        if "reading" in self.getvalue():
            self.shown.set()
        return written


def test_progress_when_it_takes_long_says_what_is_done_and_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with Progress("zh+en", patience=0) as progress:
        progress.step("正在读取", "reading")
        progress.come(3, 1200)
        assert screen.shown.wait(60)
    shown = screen.getvalue()
    assert "正在读取 / reading" in shown
    assert "3/1,200" in shown


def test_progress_when_it_is_done_soon_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with Progress("zh+en", patience=3600) as progress:
        progress.step("正在读取", "reading")
    assert screen.getvalue() == ""
    assert progress._timer is not None
    progress._timer.join(60)
    assert not progress._timer.is_alive()


def test_progress_when_nobody_looks_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    with Progress("zh+en", patience=0) as progress:
        progress.step("正在读取", "reading")
        assert progress._timer is None
    assert screen.getvalue() == ""


def test_replay_tells_each_part_that_is_played(tmp_path) -> None:
    workspace = a_workspace(tmp_path / "then")
    for name in ("a.csv", "b.csv"):
        dropped(workspace, name, GOOD.replace("G-", name[0]))
    routed(workspace)
    settings, place = load(workspace)
    engine = reading_engine(settings.journal.url, workspace)
    with read(engine) as reading:
        (day,) = {path.name for path in place.archive.iterdir()}
        source = read_source(day, place, reading)
    engine.dispose()
    (tmp_path / "now").mkdir()
    come: list[tuple[int, int]] = []
    play(
        source.drops, paper_settings(settings, workspace), tmp_path / "now", lambda _before, _after: None,
        lambda done, total: come.append((done, total)),
    )  # fmt: skip
    assert come == [(0, 2), (1, 2)]
