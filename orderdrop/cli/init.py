"""`orderdrop init`: a workspace with a commented orderdrop.toml."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import command_at, give_up, say
from orderdrop.config.workspace import SETTINGS_FILE
from orderdrop.system.access import PRIVATE_FOLDER, open_to_others, write_private

_FOLDER: Final = click.Path(path_type=Path)
START_FILE: Final = "启动 orderdrop.cmd"


@click.command(short_help="Make a workspace. 建立工作区")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option(
    "--gateway",
    type=click.Choice(["goldminer", "miniqmt", "gm"]),
    help="Ask for what this terminal needs. 通道：逐项询问",
)
@click.option("--account", metavar="ID", help="The account. 账户（掘金是 UUID，QMT 是资金账号）")
@click.option("--alias", metavar="NAME", help="What it is called in orders; default: main. 别名")
@click.option("--live/--simulated", default=None, help="Real money or not. 实盘 / 模拟")
@click.option("--scan-dir", type=_FOLDER, help="goldminer: the terminal's input folder. 输入目录")
@click.option("--push-dir", type=_FOLDER, help="goldminer: its output folder. 输出目录")
@click.option("--archive-dir", type=_FOLDER, help="goldminer: its archive. 归档目录")
@click.option("--scan-name", metavar="NAME", help="goldminer: the name of the 文件单. 文件单名称")
@click.option("--userdata-dir", type=_FOLDER, help="miniqmt: QMT's folder userdata_mini. QMT 的文件夹")
@click.option(
    "--account-type",
    type=click.Choice(["STOCK", "CREDIT"]),
    help="miniqmt: CREDIT: a margin account. 信用账户",
)
@click.option(
    "--token-file", type=_FOLDER, help="gm: a file that holds nothing but the token. 存放 token 的文件"
)
@pass_place
def init(place: Place, folder: Path | None, gateway: str | None, **options: Any) -> None:
    """Make a workspace with a commented orderdrop.toml.

    建立工作区，并写好带注释的 orderdrop.toml。

    Only its user can enter a new one (docs/security.md).

    新工作区只有本用户能进入（docs/security.md）。加 --gateway 则逐项询问终端的文件夹和账户，自动找常见的安装位置，并体检；选项写明的不再问。

    Nothing needs to be set: as it is, orders go to the paper broker that is built in. An orderdrop.toml that is there
    already is left alone. On Windows it leaves 启动 orderdrop.cmd beside it, which starts the router by a double click.
    With --gateway it asks for the terminal's folders and the account, finds the usual ones by itself, and looks
    whether all is there; what an option says is not asked.

    \b
    Examples 例子:
      orderdrop init
      orderdrop init ~/trading
      orderdrop init desk --gateway miniqmt
      orderdrop init desk --gateway goldminer --scan-dir D:/gm/scan --push-dir D:/gm/push --account 1a66e81c-ae5d-11ec-aef5-00163e0a4100
    """
    from orderdrop.config.sample import settings_text  # noqa: PLC0415

    root = folder or place.root
    new = not root.exists() or not any(root.iterdir())
    root.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    if new and not root.is_symlink() and os.name == "posix":
        root.chmod(PRIVATE_FOLDER)  # one that was there and held nothing, too
    made = Place(root)
    path = root.absolute() / SETTINGS_FILE
    if path.exists():
        give_up(f"已有 {path}，没有改动", f"there is one already, it was left alone: {path}")
    given = _asked(gateway, options, root)
    text = settings_text(given)
    try:
        write_private(path, text)
    except FileExistsError:
        give_up(f"已有 {path}，没有改动", f"there is one already, it was left alone: {path}")
    made.workspace.make()
    if os.name == "nt":
        _leave_start_file(made.root)
    click.echo(path)
    if (others := open_to_others(made.workspace.root)).who and os.name == "posix":
        say(
            f"文件夹里已有别的内容，权限没有改动：{others.who.partition(' / ')[0]}能进入 {made.workspace.root}，见 docs/security.md",
            f"the folder held other things, its permissions were left alone: {others.who.partition(' / ')[2]} may enter {made.workspace.root}, see docs/security.md",
        )
    command = "orderdrop" if root == Path() else command_at(root)
    if gateway and _something_wrong(made, gateway):
        say(
            f"工作区已建立，还有要处理的。处理后：{command} doctor，全部正常再 {command} run",
            f"the workspace is ready, and there is something to do. Then {command} doctor, and once all is well {command} run",
        )
        return
    say(
        f"工作区已建立。下一步：{command} run，然后把委托文件放入 {made.workspace.inbox}",
        f"the workspace is ready. Next: {command} run, then put order files into {made.workspace.inbox}",
    )


def _asked(gateway: str | None, options: dict[str, Any], root: Path) -> dict[str, dict[str, Any]]:
    """Raises click.UsageError."""
    from orderdrop.cli.init_gateway import ask_for  # noqa: PLC0415

    if gateway is not None:
        return ask_for(gateway, options, root)
    if any(value is not None for value in options.values()):
        raise click.UsageError("这些选项要与 --gateway 同用 / these options go with --gateway")
    return {}


def _something_wrong(made: Place, gateway: str) -> bool:
    """Shows what the doctor says of the terminal."""
    from orderdrop.cli.doctor import show  # noqa: PLC0415
    from orderdrop.doctor.examination import examine_gateway  # noqa: PLC0415

    findings = list(examine_gateway(gateway, made.settings, made.workspace, made.today))
    show(findings, made)
    return any(finding.level == "wrong" for finding in findings)


def _leave_start_file(root: Path) -> None:
    """`启动 orderdrop.cmd`, for a double click. One that is there already is left alone."""
    from orderdrop.service.windows import start_file  # noqa: PLC0415

    with contextlib.suppress(FileExistsError), (root / START_FILE).open("xb") as file:
        file.write(start_file(sys.executable))
