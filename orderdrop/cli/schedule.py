"""`orderdrop schedule`: Windows' own scheduler starts the router on trading days, and again where it died."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import say

if TYPE_CHECKING:
    from orderdrop.service.windows import Task

_ACTIONS = ("install", "show", "remove")


@click.command(short_help="Start on trading days, by Windows. 计划任务")
@click.argument("action", type=click.Choice(_ACTIONS))
@click.option(
    "--start",
    type=click.DateTime(["%H:%M"]),
    default="08:40",
    show_default=True,
    metavar="HH:MM",
    help="First start, Shanghai time. 开始",
)
@click.option(
    "--stop",
    type=click.DateTime(["%H:%M"]),
    default="15:45",
    show_default=True,
    metavar="HH:MM",
    help="End of the day, Shanghai time. 结束",
)
@click.option("--python", metavar="PATH", help="Another interpreter than this one. 解释器路径")
@click.option("--dry-run", is_flag=True, help="Show the task's XML, install nothing. 只显示")
@click.pass_context
@pass_place
def schedule(
    place: Place,
    ctx: click.Context,
    action: str,
    start: datetime,
    stop: datetime,
    python: str | None,
    dry_run: bool,
) -> None:
    """Let Windows' Task Scheduler start the router on trading days, at logon, and every five minutes where it has died.

    由 Windows 计划任务在交易日、登录时启动路由器;意外退出后五分钟内再启动。

    The task runs `orderdrop run --scheduled --until HH:MM` without a window, for the user who is logged on, without a password. show
    prints what stands there, and says whether it is what install would write. No Windows machine has run it yet (docs/windows.md).

    \b
    Examples 例子:
      orderdrop schedule install
      orderdrop schedule show
      orderdrop schedule install --start 09:00 --stop 15:30 --dry-run
    """
    from orderdrop.service import schedule as schedules  # noqa: PLC0415
    from orderdrop.service.windows import task_xml  # noqa: PLC0415

    place.must_exist()
    interpreter = python or schedules.without_console(sys.executable)
    task = schedules.task_of(place.workspace.root, start.time(), stop.time(), interpreter)
    if dry_run:
        click.echo(task_xml(task, place.today), nl=False)
        return
    if action == "install":
        schedules.install(task, place.today, schedules.by_the_system)
        say(f"已建立计划任务 {task.name}", f"the task is installed: {task.name}", place.language)
    elif action == "remove":
        schedules.remove(task, schedules.by_the_system)
        say(f"已删除计划任务 {task.name}", f"the task is removed: {task.name}", place.language)
    else:
        ctx.exit(_show(place, task))


def _show(place: Place, task: Task) -> int:
    """Exit code: 0 it stands there as it would be installed."""
    from orderdrop.service import schedule as schedules  # noqa: PLC0415

    entry = schedules.look(task, place.today, schedules.by_the_system)
    if not entry.there:
        say(
            f"没有计划任务 {task.name}",
            f"there is no task {task.name} → orderdrop schedule install",
            place.language,
        )
        return 1
    click.echo(entry.said.strip())
    if not entry.same:
        say(
            "与现在 install 会写的不同：用同样的选项再 install 一次",
            "it is not what install would write now: install it again, with the same options",
            place.language,
        )
    return 0 if entry.same else 1
