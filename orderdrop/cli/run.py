"""`orderdrop run`: the router in the foreground, with a screen for people or JSON lines for programs."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import json_option

if TYPE_CHECKING:
    from orderdrop.cli.live_screen import Screen
    from orderdrop.service.app import App


@click.command(short_help="Route orders until Ctrl-C. 启动路由器")
@click.option(
    "--once",
    is_flag=True,
    help="End when the inbox is empty and every order is settled, after 60 s at most. 只跑一轮",
)
@json_option
@click.pass_context
@pass_place
def run(place: Place, ctx: click.Context, once: bool, as_json: bool) -> None:
    """Route what is dropped into the inbox, until Ctrl-C.

    启动路由器：接收收件箱里的文件，送达柜台；Ctrl-C 停止。

    One router for a workspace; a second one says who runs already. Each drop gets a line, each refused row its reason and what
    to do. With --json: one JSON object a line for each drop. With --once: exit 1 when something was refused or is not settled.

    \b
    Examples 例子:
      orderdrop run
      orderdrop -C D:\\trading run
      orderdrop run --once --json
    """
    from orderdrop.cli.context import logged  # noqa: PLC0415
    from orderdrop.cli.live_screen import Screen  # noqa: PLC0415
    from orderdrop.service.app import App  # noqa: PLC0415  heavy

    place.must_exist()
    stop = threading.Event()
    with (
        logged(place),
        App(place.settings, place.workspace) as app,
        Screen(app, place, as_json=as_json) as screen,
    ):
        if once:
            settled = app.run_once(screen.note)
        else:
            _route(app, stop, screen)
            settled = True
    if once and not (settled and screen.all_well):
        ctx.exit(1)


def _route(app: App, stop: threading.Event, screen: Screen) -> None:
    """Until a signal. A waiting router is woken from another thread: a handler may interrupt the one that holds the lock."""
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # a closed terminal ends it as well
    numbers = [signal.Signals[name] for name in names if hasattr(signal, name)]

    def end(*_: object) -> None:
        for number in numbers:  # it ends already; a second Ctrl-C must not break the end off
            signal.signal(number, signal.SIG_IGN)
        stop.set()

    def wake() -> None:
        stop.wait()
        app.inbox.wake()

    before = [signal.signal(number, end) for number in numbers]
    threading.Thread(target=wake, name="stop", daemon=True).start()
    try:
        app.run(stop, screen.note)
    finally:
        stop.set()
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
