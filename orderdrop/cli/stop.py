"""`orderdrop stop`: ends the router that runs here, and keeps a schedule from starting another one today."""

from __future__ import annotations

import time
from typing import Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import give_up, say

_PATIENCE: Final = 30.0


@click.command(short_help="End the router, for today. 停止路由器")
@pass_place
def stop(place: Place) -> None:
    """End the router that runs in this workspace, as Ctrl-C would; for today a schedule starts no other one.

    停止这个工作区的路由器，如同按 Ctrl-C；今天的计划任务不再启动它。

    Nothing is canceled: orders at the broker stay there. `orderdrop run` starts it again by hand.

    不撤单：柜台的委托不变。要再启动，手动 orderdrop run。

    \b
    Examples 例子:
      orderdrop stop
    """
    from orderdrop.service.stopping import ask_to_stop  # noqa: PLC0415

    place.must_exist()
    place.workspace.state.mkdir(exist_ok=True)
    ask_to_stop(place.workspace, place.today)
    if not place.routed:
        say(
            "没有路由器在运行；今天的计划任务也不会启动它",
            "no router runs; no schedule starts one today",
            place.language,
        )
        return
    deadline = time.monotonic() + _PATIENCE
    while place.routed:
        if time.monotonic() > deadline:
            give_up(
                f"{_PATIENCE:.0f} 秒内没有停下，见 {place.workspace.log}",
                f"it has not ended within {_PATIENCE:.0f} s, see {place.workspace.log}",
            )
        time.sleep(0.1)
    say("已停止；今天的计划任务不再启动它", "it has ended; no schedule starts it again today", place.language)
