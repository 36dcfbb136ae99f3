"""The command `orderdrop`: a click group. Commands load what is heavy when they run, so that `--help` is quick.

Data goes to stdout, messages to stderr. Exit 0: well; 1: refused, or something is wrong; 2: usage or settings.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from orderdrop import __version__
from orderdrop.cli.adopt import adopt
from orderdrop.cli.ask import cash, positions, trades
from orderdrop.cli.audit import audit
from orderdrop.cli.check import check
from orderdrop.cli.close import close
from orderdrop.cli.context import Place
from orderdrop.cli.control import cancel, halt, release, resend, resume
from orderdrop.cli.demo import demo
from orderdrop.cli.doctor import doctor
from orderdrop.cli.drop import drop
from orderdrop.cli.export import export
from orderdrop.cli.filing import filing
from orderdrop.cli.health import health
from orderdrop.cli.init import init
from orderdrop.cli.limits import calendar, limits
from orderdrop.cli.look import drops, orders
from orderdrop.cli.output import be_lenient, have_streams, speaks_to_somebody, tell_error
from orderdrop.cli.replay import replay
from orderdrop.cli.run import run
from orderdrop.cli.schedule import schedule
from orderdrop.cli.speaking import in_language, language_of, translate_click
from orderdrop.cli.status import status
from orderdrop.cli.stop import stop
from orderdrop.cli.template import template
from orderdrop.cli.why import why
from orderdrop.domain.language import half, speak
from orderdrop.errors import ConfigError, OrderdropError
from orderdrop.service.log import note_fault
from orderdrop.terminal.command import terminal


class Commands(click.Group):
    """Lists its commands in the order of a day's work, and turns faults into one clear message."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **more: Any) -> Any:
        """Before anything is read or said: pythonw and the task scheduler give no streams, and some consoles have no Chinese."""
        have_streams()
        be_lenient()
        speak(language_of(sys.argv[1:] if args is None else list(args)))
        translate_click()
        return super().main(args, *rest, **more)

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> click.Context:
        return click.Command.make_context(in_language(self), info_name, args, *rest, **more)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        return None if found is None else in_language(found)

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            vars(error)["message"] = half(error.message)
            raise
        except OrderdropError as error:
            tell_error(str(error))
            if isinstance(error, ConfigError) and not speaks_to_somebody():
                note_fault(ctx.obj.root, str(error))
            ctx.exit(2 if isinstance(error, ConfigError) else 1)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            tell_error(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "--version", prog_name="orderdrop", message="%(prog)s %(version)s")
@click.option(
    "-C", "workspace", type=click.Path(path_type=Path), default=Path(), metavar="WORKSPACE", envvar="ORDERDROP_WORKSPACE",
    show_envvar=True, help="The workspace's folder; default: the current one. 工作区文件夹",
)  # fmt: skip
@click.pass_context
def main(ctx: click.Context, workspace: Path) -> None:
    """Drop an order file from any tool. It reaches the broker exactly once, or you are told why not.

    放入一个委托文件，它恰好送达柜台一次；否则告诉你原因。

    \b
    orderdrop demo                 see it work, nothing is traded      先看演示
    orderdrop init                 make a workspace here               建立工作区
    orderdrop run                  start the router                    启动路由器
    orderdrop drop basket.csv      hand in a file                      提交文件
    orderdrop why basket.csv       its result, and why                 查明原因
    """
    ctx.obj = Place(workspace)


for command in (
    init, run, stop, demo, template, check, drop, orders, drops, why, cash, positions, trades, status, health, limits, doctor, schedule, cancel,
    release, resend, halt, resume, close, adopt, replay, audit, export, filing, calendar, terminal,
):  # fmt: skip
    main.add_command(command)
