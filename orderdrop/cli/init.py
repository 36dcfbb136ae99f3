"""`orderdrop init`: a workspace with a commented orderdrop.toml."""

from __future__ import annotations

from pathlib import Path

import click

from orderdrop.cli.output import command_at, give_up, say
from orderdrop.cli.place import Place, pass_place


@click.command(short_help="Make a workspace. 建立工作区")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@pass_place
def init(place: Place, folder: Path | None) -> None:
    """Make a workspace with a commented orderdrop.toml.

    建立工作区,并写好带注释的 orderdrop.toml。

    Nothing needs to be set: as it is, orders go to the paper broker that is built in. An orderdrop.toml that is there
    already is left alone.

    \b
    Examples 例子:
      orderdrop init
      orderdrop init ~/trading
    """
    from orderdrop.cli.settings_file import settings_text  # noqa: PLC0415

    root = folder or place.root
    root.mkdir(parents=True, exist_ok=True)
    made = Place(root)
    path, text = made.workspace.settings, settings_text()
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        give_up(f"已有 {path},没有改动", f"there is one already, it was left alone: {path}")
    made.workspace.make()
    click.echo(path)
    command = "orderdrop" if root == Path() else command_at(root)
    say(
        f"工作区已建立。下一步: {command} run,然后把委托文件放入 {made.workspace.inbox}",
        f"the workspace is ready. Next: {command} run, then put order files into {made.workspace.inbox}",
    )
