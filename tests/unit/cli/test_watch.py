"""`orders --watch` and `status --watch`: what a window shows, and that it is read anew."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from command_line import GOOD, PENDING, QUICK, a_workspace, dropped, orderdrop, routed
from rich.console import Console

from orderdrop.cli import watch
from orderdrop.cli.context import Place
from orderdrop.cli.orders_frame import Filter, orders_frame
from orderdrop.cli.status import frame as status_frame


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = a_workspace(tmp_path, QUICK + '[accounts."1001"]\nalias = "main"\n')
    dropped(made, "good.csv", GOOD)
    dropped(made, "pending.csv", PENDING)
    assert routed(made).exit_code == 0
    return made


def _window(height: int = 24) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=120, height=height, color_system=None)


def _lines(workspace: Path, chosen: Filter, height: int = 24) -> list[str]:
    console = _window(height)
    with console.capture() as seen:
        console.print(orders_frame(chosen, Place(workspace), console))
    return seen.get().splitlines()


def _sids(lines: list[str]) -> list[str]:
    return [word for line in lines for word in line.split() if word in {"G-1", "G-2", "P-1"}]


def test_orders_are_shown_newest_first_with_their_counts(workspace: Path) -> None:
    lines = _lines(workspace, Filter())
    assert "3 笔 orders" in lines[0]
    assert "1 filled" in lines[0]
    assert _sids(lines) == ["P-1", "G-2", "G-1"]


@pytest.mark.parametrize(
    ("chosen", "sids"),
    [
        (Filter(status="open"), ["P-1", "G-2"]),
        (Filter(status="filled"), ["G-1"]),
        (Filter(symbol="SZSE.000001"), ["G-2"]),
        (Filter(account="main", symbol="SHSE.600000"), ["G-1"]),
        (Filter(account="other"), []),
        (Filter(strategy="beta"), []),
    ],
)
def test_orders_are_filtered(workspace: Path, chosen: Filter, sids: list[str]) -> None:
    assert _sids(_lines(workspace, chosen)) == sids


def test_orders_when_the_window_is_low_then_the_newest_are_left_and_all_are_counted(workspace: Path) -> None:
    lines = _lines(workspace, Filter(), height=8)
    assert _sids(lines) == ["P-1", "G-2"]
    assert "3 笔 orders" in lines[0]
    assert len(lines) <= 8


def test_status_frame_names_what_is_wrong(workspace: Path) -> None:
    (workspace / "inbox" / "late.csv").write_text(GOOD, encoding="utf-8")
    console = _window()
    with console.capture() as seen:
        console.print(status_frame(Place(workspace), console))
    shown = seen.get()
    assert "1 filled" in shown
    assert "! " in shown


def test_watch_when_something_new_comes_then_the_next_look_has_it(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = _window()
    monkeypatch.setattr(watch, "stdout", lambda: console)
    seen: list[str] = []

    def frame(place: Place, _console: Console) -> str:
        seen.append(place.settings.accounts["1001"].alias or "")
        return seen[-1]

    def pause(_seconds: float) -> None:
        if len(seen) == 2:
            raise KeyboardInterrupt
        (workspace / "orderdrop.toml").write_text('[accounts."1001"]\nalias = "other"\n', encoding="utf-8")

    watch.watch(Place(workspace), frame, pause)
    assert seen == ["main", "other"]


def test_watch_when_a_look_fails_then_it_is_told_and_the_next_one_comes(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = _window()
    monkeypatch.setattr(watch, "stdout", lambda: console)
    looks: list[int] = []

    def frame(place: Place, _console: Console) -> str:
        looks.append(len(place.settings.accounts))
        return ""

    def pause(_seconds: float) -> None:
        if "accounts" in console.file.getvalue():  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        (workspace / "orderdrop.toml").write_text("accounts = 3\n", encoding="utf-8")

    watch.watch(Place(workspace), frame, pause)
    assert looks == [1]


@pytest.mark.parametrize(
    "words",
    [("orders", "--watch"), ("orders", "--watch", "--json"), ("orders", "--watch", "--broker"), ("status", "--watch"),
     ("status", "--watch", "--json")],
)  # fmt: skip
def test_watch_where_nobody_looks_is_usage(workspace: Path, words: tuple[str, ...]) -> None:
    assert orderdrop(*words, at=workspace).exit_code == 2
