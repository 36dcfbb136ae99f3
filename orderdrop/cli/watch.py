"""A table that stays on the terminal and is read anew each second, for `orders --watch` and `status --watch`. Ctrl-C ends it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from orderdrop.cli.context import Place
from orderdrop.cli.output import stdout
from orderdrop.errors import OrderdropError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

EVERY: Final = 1.0
"""Seconds between two looks."""

Frame = Callable[[Place, "Console"], "RenderableType"]

watch_option: Callable[..., Any] = click.option(
    "--watch", "watched", is_flag=True, help="Stay, and look again each second; Ctrl-C ends it. 持续刷新"
)


def watch(place: Place, frame: Frame, pause: Callable[[float], None] = time.sleep) -> None:
    """frame: makes what is shown, of a place that is as new as the look: the day and the settings may change meanwhile.

    Raises click.UsageError where nobody looks.
    """
    from rich.live import Live  # noqa: PLC0415

    console = stdout()
    if not console.is_terminal:
        raise click.UsageError("--watch 要在终端窗口里用 / --watch needs a terminal window")
    with (
        contextlib.suppress(KeyboardInterrupt),
        Live(_shown(place, frame, console), console=console, screen=True, auto_refresh=False) as live,
    ):
        while True:
            pause(EVERY)
            live.update(_shown(Place(place.root), frame, console), refresh=True)


def alone(as_json: bool) -> None:
    """Raises click.UsageError for --watch --json: a program asks again by itself."""
    if as_json:
        raise click.UsageError("--watch 与 --json 选一个 / give --watch or --json, one of them")


def _shown(place: Place, frame: Frame, console: Console) -> RenderableType:
    """A fault is shown in the table's place: the next look may be well again."""
    from rich.text import Text  # noqa: PLC0415

    try:
        return frame(place, console)
    except OrderdropError as error:
        return Text(str(error), "bold red")
