"""`orderdrop demo`: a workspace, drops as people make them, the paper broker, and what came of them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orderdrop.cli.output import give_up, json_option, print_json_array, stdout
from orderdrop.cli.place import Place

if TYPE_CHECKING:
    from rich.console import Console

    from orderdrop.cli.demo_drops import Told


@click.command(short_help="See it work on sample files; nothing is traded. 演示")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@json_option
@click.pass_context
def demo(ctx: click.Context, folder: Path | None, as_json: bool) -> None:
    """Make a workspace (in a temporary folder, or in FOLDER), drop sample files, run them once on the paper broker, and explain.

    演示:建一个临时工作区,放入样例文件,用内置模拟柜台跑一遍,并解释每个结果。不会真的交易。

    Exit 0 when all went as it should.

    \b
    Examples 例子:
      orderdrop demo
      orderdrop demo ~/orderdrop-demo
    """
    from orderdrop.cli.demo_drops import play  # noqa: PLC0415  heavy

    root = _empty(folder)
    told = play(Place(root))
    well = all(one.as_expected for one in told)
    if as_json:
        print_json_array(one.data() for one in told)
    else:
        _show(root, told)
    if not well:
        give_up("演示结果与预期不符", "the demo did not go as it should", f"  {root}")
    ctx.exit(0)


def _empty(folder: Path | None) -> Path:
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="orderdrop-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        give_up(f"{folder} 不是空文件夹", "the folder is not empty")
    return folder


def _show(root: Path, told: list[Told]) -> None:
    console = stdout()
    console.print(
        _bold("内置模拟柜台,不会真的交易  Simulated: the paper broker that is built in. Nothing is traded.")
    )
    for number, one in enumerate(told, 1):
        _show_one(console, number, one)
    _tell_where(console, root, told)
    here = f"orderdrop -C {root}"
    console.print()
    console.print(_bold("接下来试试 Try next"))
    for command in ("orders", "why DEMO-HALF", "why bad_rows.csv", "run"):
        console.print(f"  {here} {command}", soft_wrap=True)


def _show_one(console: Console, number: int, one: Told) -> None:
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from orderdrop.cli.look import order_table  # noqa: PLC0415
    from orderdrop.cli.reasons import tell_orders, tell_row  # noqa: PLC0415
    from orderdrop.views import line_of  # noqa: PLC0415

    words = zip(one.counts, ("接受 accepted", "拒绝 denied", "重复 duplicates", "错误 errors"), strict=True)
    told = ", ".join(f"{count} {word}" for count, word in words if count)
    mark = ("√", "bold green") if one.as_expected else ("×", "bold red")
    console.print()
    console.print(Text.assemble(mark, f" {number}. ", (one.drop.name, "bold"), f"  {told}"))
    console.print(Padding.indent(Text(f"{one.sample.zh}\n{one.sample.en}", "dim"), 2))
    if one.orders:
        console.print()
        console.print(order_table(one.orders, console.width))
    tell_orders(console, one.orders, "zh+en")
    for row in one.rows:
        if row.outcome == "error":
            tell_row(console, f"{line_of(row.id)}  {row.sid or ''}".rstrip(), row, "zh+en")


def _tell_where(console: Console, root: Path, told: list[Told]) -> None:
    from rich.table import Table  # noqa: PLC0415

    console.print()
    console.print(_bold(f"文件 Files: {root}"), soft_wrap=True)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", style="dim")
    for path, words in (
        ("outbox/receipts", "回执:每一行的结果 receipts: what became of every row"),
        (f"outbox/{told[0].orders[0].account_id}", "掘金格式的结果文件 result files in 掘金's format"),
        (
            f"archive/{Place(root).today}",
            "归档:原文件、送出的内容、校验和 the drops, what was sent, checksums",
        ),
        ("quarantine", "整份拒绝的文件 drops that were refused whole"),
    ):
        grid.add_row(f"  {path}", words)
    console.print(grid)


def _bold(words: str) -> Any:
    from rich.text import Text  # noqa: PLC0415

    return Text(words, "bold")
