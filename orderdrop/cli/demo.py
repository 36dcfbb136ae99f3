"""`orderdrop demo`: a workspace, drops as people make them, the paper broker or a stand-in terminal, and what came of them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from orderdrop.cli.context import Place
from orderdrop.cli.output import (
    command_at,
    give_up,
    json_option,
    print_json,
    print_json_array,
    say,
    stdout,
    tell_orders,
    tell_row,
)

if TYPE_CHECKING:
    from rich.console import Console

    from orderdrop.cli.demo_drops import Told
    from orderdrop.cli.demo_terminal import Outcome

_LOSE: Final = 0.05


@click.command(short_help="See it work on sample files; nothing is traded. 演示")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option(
    "--terminal", is_flag=True, help="Before a stand-in of 掘金's terminal that loses rows. 仿真终端与漏单"
)
@click.option(
    "--lose",
    type=click.FloatRange(0, 0.5),
    metavar="P",
    help=f"With --terminal: how probably it loses a row; default {_LOSE}. 漏单概率",
)
@json_option
@click.pass_context
def demo(ctx: click.Context, folder: Path | None, terminal: bool, lose: float | None, as_json: bool) -> None:
    """Make a workspace (in a temporary folder, or in FOLDER), drop sample files, run them once on the paper broker, and explain.

    演示：建一个临时工作区，放入样例文件，用内置模拟柜台跑一遍，并解释每个结果。不会真的交易。

    With --terminal: a hundred orders go to a stand-in of 掘金's terminal that loses some of them, and its own ledger is compared
    with our journal. Takes up to a minute.

    Exit 0 when all went as it should.

    \b
    Examples 例子:
      orderdrop demo
      orderdrop demo ~/orderdrop-demo
      orderdrop demo --terminal --lose 0.1
    """
    if lose is not None and not terminal:
        raise click.UsageError("--lose 要和 --terminal 一起用 / --lose goes with --terminal")
    root = _empty(folder)
    if terminal:
        _before_a_terminal(root, _LOSE if lose is None else lose, as_json=as_json)
    else:
        _with_samples(root, as_json=as_json)
    ctx.exit(0)


def _with_samples(root: Path, *, as_json: bool) -> None:
    from orderdrop.cli.demo_drops import play  # noqa: PLC0415  heavy

    told = play(Place(root))
    well = all(one.as_expected for one in told)
    if as_json:
        print_json_array(one.data() for one in told)
    else:
        _show(root, told)
    if not well:
        _failed(root)


def _before_a_terminal(root: Path, lose: float, *, as_json: bool) -> None:
    from orderdrop.cli.demo_terminal import play  # noqa: PLC0415  heavy

    if not as_json:
        say(
            f"委托发往仿真终端(独立进程，约漏掉 {lose:.0%} 的行),最多一分钟…",
            f"orders go to a stand-in terminal (a process of its own, loses about {lose:.0%} of the rows); a minute at most …",
        )
    outcome = play(Place(root), lose)
    if as_json:
        print_json(outcome.data())
    else:
        _show_outcome(root, outcome)
    if not outcome.as_expected:
        _failed(root)


def _failed(root: Path) -> None:
    give_up("演示结果与预期不符", "the demo did not go as it should", f"  {root}")


def _empty(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="orderdrop-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        give_up(f"{folder} 不是空文件夹", "the folder is not empty")
    return folder.resolve()


def _show(root: Path, told: list[Told]) -> None:
    console = stdout()
    console.print(
        _bold("内置模拟柜台，不会真的交易  Simulated: the paper broker that is built in. Nothing is traded.")
    )
    for number, one in enumerate(told, 1):
        _show_one(console, number, one)
    _tell_where(console, root, told)
    here = command_at(root)
    console.print()
    console.print(_bold("接下来试试 Try next"))
    for command in ("orders", "why DEMO-HALF", "why bad_rows.csv", "run"):
        console.print(f"  {here} {command}", soft_wrap=True)


def _show_one(console: Console, number: int, one: Told) -> None:
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from orderdrop.cli.look import order_table  # noqa: PLC0415
    from orderdrop.views.orders import where  # noqa: PLC0415

    words = zip(one.counts, ("接受 accepted", "拒绝 denied", "重复 duplicates", "错误 errors"), strict=True)
    told = ", ".join(f"{count} {word}" for count, word in words if count)
    mark = ("√", "bold green") if one.as_expected else ("×", "bold red")
    console.print()
    console.print(Text.assemble(mark, f" {number}. ", (one.drop.name, "bold"), f"  {told}"))
    console.print(Padding.indent(Text(f"{one.sample.zh}\n{one.sample.en}", "dim"), 2))
    if one.orders:
        console.print()
        console.print(order_table(one.orders, console.width, {}))
    tell_orders(console, one.orders, "zh+en")
    for row in one.rows:
        if row.outcome == "error":
            tell_row(console, f"{where(row)}  {row.sid or ''}".rstrip(), row, "zh+en")


def _show_outcome(root: Path, outcome: Outcome) -> None:
    from orderdrop.cli.output import styled, table  # noqa: PLC0415

    console, found = stdout(), outcome.data()
    console.print(_bold("仿真终端，不会真的交易  Simulated: a stand-in terminal. Nothing is traded."))
    for words, value in (
        ("委托 orders", found["orders"]),
        ("终端漏掉的行 rows that the terminal lost", found["lost_by_terminal"]),
        ("恰好执行一次 executed exactly once", found["arrived_once"]),
        ("执行两次 executed twice", len(found["doubled"])),
        ("未确认，按已发送对待 unconfirmed, treated as live", len(found["in_doubt"])),
    ):
        console.print(f"  {value:>4}  {words}")
    if outcome.troubled:
        counts = ("漏掉\nLost", "执行\nExecuted")
        grid = table("编号\nSid", *counts, "状态\nStatus", right=counts)
        for fate in outcome.troubled:
            grid.add_row(fate.sid, str(fate.lost), str(fate.executed), styled(fate.status))
        console.print()
        console.print(grid)
    if found["in_doubt"]:
        console.print()
        console.print(
            "  没有证明漏单之前不会重发 Nothing is sent again on a guess: only what is proven lost goes once more.",
            soft_wrap=True,
        )
    console.print()
    console.print(_bold("接下来试试 Try next"))
    asked = found["troubled"][0]["sid"] if outcome.troubled else "DEMO-1-01"
    for command in (f"why {asked}", "status", *(f"resend {sid}" for sid in found["in_doubt"][:1])):
        console.print(f"  {command_at(root)} {command}", soft_wrap=True)
    console.print(
        f"  {root / 'terminal' / 'push' / '.ledger.csv'}  终端的实际执行记录 what it really did",
        soft_wrap=True,
    )


def _tell_where(console: Console, root: Path, told: list[Told]) -> None:
    from rich.table import Table  # noqa: PLC0415

    console.print()
    console.print(_bold(f"文件 Files: {root}"), soft_wrap=True)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", style="dim")
    for path, words in (
        ("outbox/receipts", "回执：每一行的结果 receipts: the result of every row"),
        (f"outbox/{told[0].orders[0].account_id}", "掘金格式的结果文件 result files in 掘金's format"),
        (
            f"archive/{Place(root).today}",
            "归档：原文件、送出的内容、校验和 the drops, what was sent, checksums",
        ),
        ("quarantine", "整份拒绝的文件 drops that were refused whole"),
    ):
        grid.add_row(f"  {path}", words)
    console.print(grid)


def _bold(words: str) -> Any:
    from rich.text import Text  # noqa: PLC0415

    return Text(words, "bold")
