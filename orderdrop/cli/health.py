"""`orderdrop health`: one answer for monitoring programs."""

from __future__ import annotations

from typing import Any, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import json_option, print_json, say

_WELL, _WRONG, _DEAD = 0, 1, 2
_WORDS: Final = {
    _WELL: ("正常", "well"),
    _WRONG: ("有问题", "something is wrong"),
    _DEAD: ("路由器没有运行或卡住", "the router does not run, or hangs"),
}


@click.command(short_help="Is the router well? For monitoring. 健康检查")
@click.option(
    "--max-age",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="A router that has been silent for longer is dead or hangs. 多久没有动静算卡死(秒)",
)
@json_option
@click.pass_context
@pass_place
def health(place: Place, ctx: click.Context, max_age: float, as_json: bool) -> None:
    """Is the router well? One answer, as an exit code that monitoring programs understand.

    路由器是否正常，以退出码回答：供监控程序定时调用。

    Exit 0: well; 1: something is wrong, as `orderdrop status` tells it, or the router is late by more than 8 s; 2: no router
    runs, or it has been silent for longer than --max-age.

    \b
    Examples 例子:
      orderdrop health
      orderdrop health --max-age 60 --json
    """
    from orderdrop.cli.status import look  # noqa: PLC0415

    place.must_exist()
    found = look(place)
    code = _judge(found, max_age)
    if as_json:
        print_json(
            {
                "ok": code == _WELL,
                "exit": code,
                "running": found["router"]["running"],
                "silent_for": found["router"].get("silent_for"),
                "heartbeat": found["heartbeat"],
                "problems": found["problems"],
            }
        )
    else:
        say(*_WORDS[code], place.language)
        for problem in found["problems"]:
            say(problem, problem, place.language)
    ctx.exit(code)


def _judge(found: dict[str, Any], max_age: float) -> int:
    router = found["router"]
    if not router["running"] or router["silent_for"] > max_age:
        return _DEAD
    return _WRONG if found["problems"] else _WELL
