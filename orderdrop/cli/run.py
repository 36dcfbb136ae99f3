"""`orderdrop run`: the router in the foreground, with a screen for people or JSON lines for programs."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import json_option, say, tell_error

if TYPE_CHECKING:
    from orderdrop.cli.live_screen import Screen
    from orderdrop.execution.turn import Turn
    from orderdrop.service.app import App
    from orderdrop.service.stopping import Ending, NoStart


@click.command(short_help="Route orders until Ctrl-C. 启动路由器")
@click.option(
    "--once",
    is_flag=True,
    help="End when the inbox is empty and every order is settled, after 60 s at most. 只跑一轮",
)
@click.option(
    "--until",
    type=click.DateTime(["%H:%M"]),
    metavar="HH:MM",
    help="End at this hour in Shanghai, the day's close waited for. 到点结束",
)
@click.option(
    "--scheduled",
    is_flag=True,
    help="For a scheduler: start on trading days only; exit 75 when it may be tried again. 由计划任务启动",
)
@json_option
@click.pass_context
@pass_place
def run(
    place: Place, ctx: click.Context, once: bool, until: datetime | None, scheduled: bool, as_json: bool
) -> None:
    """Route what is dropped into the inbox, until Ctrl-C.

    启动路由器：接收收件箱里的文件，送达柜台；Ctrl-C 停止。

    One router for a workspace; a second one says who runs already. Each drop gets a line, each refused row its reason and what
    to do. With --json: one JSON object a line for each drop. With --once: exit 1 when something was refused or is not settled.

    With --scheduled (docs/windows.md): exit 0 at the end, on a closed day, after --until, or when `orderdrop stop` has ended it
    for today; 1 when nobody knows whether the day is open; 75 when the journal or a gateway cannot be reached, or a router runs.

    \b
    Examples 例子:
      orderdrop run
      orderdrop run --scheduled --until 15:45
      orderdrop -C D:\\trading run
      orderdrop run --once --json
    """
    from orderdrop.errors import GatewayError, JournalError, WorkspaceBusy  # noqa: PLC0415
    from orderdrop.service import stopping  # noqa: PLC0415
    from orderdrop.system.clock import SystemClock, to_datetime  # noqa: PLC0415

    place.must_exist()
    now = to_datetime(SystemClock().now())
    if scheduled:
        why = stopping.why_not_start(
            place.settings, place.workspace, now, until.time() if until is not None else None
        )
        if why is not None:
            _stay_away(place, now.date(), why)
            ctx.exit(why.code)
    elif not once:
        stopping.take_back(place.workspace)
    ends = None if until is None else datetime.combine(now.date(), until.time(), now.tzinfo)
    try:
        well = _routed(place, stopping.Ending(place.workspace, ends), once=once, as_json=as_json)
    except (WorkspaceBusy, JournalError, GatewayError) as error:
        if not scheduled:
            raise
        tell_error(str(error))
        ctx.exit(stopping.TRY_AGAIN)
    if not well:
        ctx.exit(1)


def _stay_away(place: Place, today: date, why: NoStart) -> None:
    """Says why a scheduled router does not start: once a day, in the log as well."""
    from orderdrop.cli.context import logged  # noqa: PLC0415
    from orderdrop.service.stopping import is_first_time  # noqa: PLC0415

    if is_first_time(place.workspace, today, why):
        with logged(place):
            logging.getLogger(__name__).log(
                logging.ERROR if why.code else logging.INFO, "%s / %s", why.zh, why.en
            )
        say(why.zh, why.en, place.language)


def _routed(place: Place, ending: Ending, *, once: bool, as_json: bool) -> bool:
    """Whether all is well. Raises OrderdropError."""
    from orderdrop.cli.context import logged  # noqa: PLC0415
    from orderdrop.cli.live_screen import Screen  # noqa: PLC0415
    from orderdrop.service.app import App  # noqa: PLC0415  heavy
    from orderdrop.system.console import ends_with_console  # noqa: PLC0415

    stop = threading.Event()
    settled = True
    with (
        ends_with_console(stop.set),
        nullcontext() if once else _ended_by_signals(stop),
        logged(place),
        App(place.settings, place.workspace) as app,
        Screen(app, place, as_json=as_json) as screen,
    ):
        if once:
            settled = app.run_once(screen.note)
        else:
            _route(app, stop, screen, ending)
    return not once or (settled and screen.all_well)


@contextmanager
def _ended_by_signals(stop: threading.Event) -> Iterator[None]:
    """From before anybody is told that the router runs until it has ended."""
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # a closed terminal ends it as well
    numbers = [signal.Signals[name] for name in names if hasattr(signal, name)]

    def end(*_: object) -> None:
        for number in numbers:  # it ends already; a second Ctrl-C must not break the end off
            signal.signal(number, signal.SIG_IGN)
        stop.set()

    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _route(app: App, stop: threading.Event, screen: Screen, ending: Ending) -> None:
    """Until the end is asked for. A waiting router is woken from another thread: a handler may interrupt the one that holds the lock."""
    from orderdrop.system.clock import to_datetime  # noqa: PLC0415

    def wake() -> None:
        stop.wait()
        app.inbox.wake()

    def note(done: Turn) -> None:
        screen.note(done)
        now = to_datetime(app.clock.machine.now())
        if why := ending.has_come(now, awaits_close=app.day_end.awaits_close):
            logging.getLogger(__name__).info("结束 / ends: %s", why)
            stop.set()

    threading.Thread(target=wake, name="stop", daemon=True).start()
    try:
        app.run(stop, note)
    finally:
        stop.set()
