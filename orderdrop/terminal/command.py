"""The command: a terminal to try with, in the foreground, until Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import click

from orderdrop.terminal.settings import Faults, Settings, Stall

_DEFAULT: Final = Settings(Path(), Path())
_DEFAULT_FAULTS: Final = Faults()
_FOLDER: Final = click.Path(file_okay=False, path_type=Path)
_SECONDS: Final = click.FloatRange(min=0)


def _stall(text: str) -> Stall:
    at, _, seconds = text.partition(":")
    return Stall(float(at), float(seconds))


def _holding(text: str) -> tuple[str, int]:
    symbol, _, volume = text.partition(":")
    return symbol, int(volume)


def _seconds(flag: str, default: float, text: str) -> Callable[..., Any]:
    return click.option(flag, type=_SECONDS, default=default, show_default=True, metavar="SECONDS", help=text)


@click.command(short_help="A stand-in terminal to try with; trades nothing. 仿真终端")
@click.option("--scan", type=_FOLDER, required=True, help="The folder it reads orders from. 扫描目录")
@click.option("--push", type=_FOLDER, required=True, help="The folder it writes results to. 输出目录")
@click.option("--archive", type=_FOLDER, help="Where taken files go; without it they are deleted. 归档目录")
@click.option("--user", default=_DEFAULT.user, show_default=True, help="Its folder in the archive. 用户")
@click.option(
    "--scan-name", default=_DEFAULT.scan_name, show_default=True, help="The name of the setting. 文件单名"
)
@click.option(
    "--account", "accounts", multiple=True, metavar="ID", help="An account that exists; none: every. 账号"
)
@click.option(
    "--cash", type=click.IntRange(0), default=int(_DEFAULT.cash), metavar="YUAN", help="At first. 初始资金"
)
@click.option(
    "--hold", "holdings", type=_holding, multiple=True, metavar="SYMBOL:VOLUME", help="At first. 初始持仓"
)
@_seconds("--interval", _DEFAULT.interval, "Between two scans. 扫描间隔")
@_seconds("--ack-delay", _DEFAULT.ack_delay, "Until the broker takes an order. 报单延迟")
@_seconds("--fill-delay", _DEFAULT.fill_delay, "From there to each fill. 成交延迟")
@_seconds("--report-lag", _DEFAULT.report_lag, "Of execution_report.csv. 成交回报延迟")
@_seconds(
    "--heartbeat",
    _DEFAULT.heartbeat,
    "Between two writes of cash and position; 0: when they change. 刷新间隔",
)
@click.option(
    "--manual", type=click.IntRange(0), default=0, metavar="N", help="After N rows, one by hand. 手工委托"
)
@click.option(
    "--seed", default=0, show_default=True, help="Decides what is lost and where writes are cut. 随机种子"
)
@click.option(
    "--lose", type=click.FloatRange(0, 1), default=0.0, metavar="P", help="Lose rows: how probably. 漏单概率"
)
@click.option(
    "--stall", "stalls", type=_stall, multiple=True, metavar="AT:SECONDS", help="Do nothing for a while. 卡顿"
)
@_seconds("--late", 0.0, "Write all output so much later. 输出迟到")
@click.option("--torn", is_flag=True, help="Write output in pieces, with cut rows. 半行")
@click.option("--rows-rewritten", is_flag=True, help="Rewrite appended files, so that rows move. 整份重写")
@click.option(
    "--restart-at", type=_SECONDS, multiple=True, metavar="SECONDS", help="End and start again. 重启"
)
@click.option(
    "--hush",
    type=click.FloatRange(0, 1),
    default=0.0,
    metavar="P",
    help="Execute at once and tell late: how probably. 执行了却晚报",
)
@_seconds("--hush-for", _DEFAULT_FAULTS.hush_for, "How much later. 晚多久")
@click.option(
    "--anew-at", type=_SECONDS, multiple=True, metavar="SECONDS", help="Truncate its output. 清空输出重写"
)
def terminal(cash: int, manual: int, **options: Any) -> None:
    """A stand-in for 掘金's and 东财 EMC's file orders: reads --scan, writes --push, trades nothing.

    仿真终端:按掘金/东财文件单的方式读取扫描目录、写输出目录,不产生真实交易。可模拟漏单、卡顿、迟到、半行与重启。

    What it really did stands in PUSH/.ledger.csv.

    实际执行记录在 PUSH/.ledger.csv。

    \b
    Examples 例子:
      orderdrop terminal --scan in --push out --archive archive
      orderdrop terminal --scan in --push out --lose 0.03 --torn --stall 20:8 --seed 7
    """
    from orderdrop.terminal.engine import Terminal  # noqa: PLC0415  heavy

    faults = Faults(**{name: options.pop(name) for name in Faults._fields})
    standing_in = Terminal(Settings(cash=Decimal(cash), manual_every=manual, **options), faults)
    click.echo(f"仿真终端 / stand-in terminal: {options['scan']} → {options['push']}  (Ctrl-C)", err=True)
    stop = threading.Event()
    before = [signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        standing_in.run(stop)
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(number, handler)
    counts = ", ".join(f"{kind} {count}" for kind, count in sorted(standing_in.counts.items()))
    click.echo(counts or "没有委托 / no rows", err=True)
