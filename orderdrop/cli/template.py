"""`orderdrop template`: a workbook, or a csv, to fill in."""

from __future__ import annotations

from pathlib import Path

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import give_up, say


@click.command(short_help="A workbook to fill in and drop. 委托模板")
@click.argument(
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("orders.xlsx"),
    metavar="[FILE.xlsx|FILE.csv]",
)
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="A",
    help="Offer only this account; may be given more than once. 账户",
)
@click.option("--force", is_flag=True, help="Replace a file that is there. 覆盖已有文件")
@pass_place
def template(place: Place, file: Path, accounts: tuple[str, ...], force: bool) -> None:
    """Make a workbook to fill in: drop-down lists, checks while you type, instructions and examples. Default: orders.xlsx.

    生成委托模板：下拉列表、输入检查、说明和示例。填好后另存到收件箱即可。

    It knows the accounts and strategies of the settings, and the positions that the router has last written to outbox/. With a name
    that ends in .csv: the header of a csv.

    \b
    Examples 例子:
      orderdrop template
      orderdrop template 委托.xlsx --account main
      orderdrop template orders.csv
    """
    from orderdrop.client.template import accounts_of, csv_template, held, workbook_template  # noqa: PLC0415
    from orderdrop.system.files import write_over  # noqa: PLC0415

    suffix = file.suffix.lower()
    if suffix not in {".xlsx", ".csv"}:
        raise click.UsageError("文件名以 .xlsx 或 .csv 结尾 / the name must end in .xlsx or .csv")
    if file.exists() and not force:
        give_up(
            f"已有 {file},没有改动(--force 覆盖)", "is there already and was left alone; --force replaces it"
        )
    names = accounts_of(place.settings, accounts)
    if suffix == ".csv":
        content = csv_template()
    else:
        positions = held(place.workspace, place.settings, names if accounts else ())
        content = workbook_template(names, list(place.settings.strategies), positions)
    write_over(file, content)
    click.echo(file)
    say(
        f"填好后保存到 {place.workspace.inbox},保存即提交",
        f"fill it in and save it into {place.workspace.inbox}: saving there sends it",
        place.language,
    )
