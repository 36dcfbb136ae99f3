"""`orderdrop init`: a workspace with a commented orderdrop.toml."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import command_at, give_up, say
from orderdrop.system.access import PRIVATE_FOLDER, open_to_others, write_private

START_FILE: Final = "启动 orderdrop.cmd"


@click.command(short_help="Make a workspace. 建立工作区")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@pass_place
def init(place: Place, folder: Path | None) -> None:
    """Make a workspace with a commented orderdrop.toml.

    建立工作区,并写好带注释的 orderdrop.toml。

    Only its user can enter a new one (docs/security.md). 新工作区只有本用户能进入。

    Nothing needs to be set: as it is, orders go to the paper broker that is built in. An orderdrop.toml that is there
    already is left alone. On Windows it leaves 启动 orderdrop.cmd beside it, which starts the router by a double click.

    \b
    Examples 例子:
      orderdrop init
      orderdrop init ~/trading
    """
    from orderdrop.config.sample import settings_text  # noqa: PLC0415

    root = folder or place.root
    new = not root.exists() or not any(root.iterdir())
    root.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    if new and not root.is_symlink() and os.name == "posix":
        root.chmod(PRIVATE_FOLDER)  # one that was there and held nothing, too
    made = Place(root)
    path, text = made.workspace.settings, settings_text()
    try:
        write_private(path, text)
    except FileExistsError:
        give_up(f"已有 {path},没有改动", f"there is one already, it was left alone: {path}")
    made.workspace.make()
    if os.name == "nt":
        _leave_start_file(made.root)
    click.echo(path)
    if (others := open_to_others(made.workspace.root)).who and os.name == "posix":
        say(
            f"文件夹里已有别的内容,权限没有改动:{others.who.partition(' / ')[0]}能进入 {made.workspace.root},见 docs/security.md",
            f"the folder held other things, its permissions were left alone: {others.who.partition(' / ')[2]} may enter {made.workspace.root}, see docs/security.md",
        )
    command = "orderdrop" if root == Path() else command_at(root)
    say(
        f"工作区已建立。下一步: {command} run,然后把委托文件放入 {made.workspace.inbox}",
        f"the workspace is ready. Next: {command} run, then put order files into {made.workspace.inbox}",
    )


def _leave_start_file(root: Path) -> None:
    """`启动 orderdrop.cmd`, for a double click. One that is there already is left alone."""
    from orderdrop.service.windows import start_file  # noqa: PLC0415

    with contextlib.suppress(FileExistsError), (root / START_FILE).open("xb") as file:
        file.write(start_file(sys.executable))
