"""`orderdrop export`: the journal of a day as files for other programs, one row an order and one row an event."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.look import account_id, account_option, canonical, strategy_option, symbol_option
from orderdrop.cli.output import give_up, say
from orderdrop.cli.progress import Progress

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from orderdrop.audit.frames import Choice, Tables

DAY: Final = click.DateTime(["%Y-%m-%d", "%Y%m%d"])


@click.command(short_help="The journal as csv, xlsx or parquet. 导出")
@click.argument("day", type=DAY, metavar="DATE")
@click.argument("to", type=DAY, metavar="[TO]", required=False)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "xlsx", "parquet"]),
    default="csv",
    show_default=True,
    help="格式",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), metavar="FOLDER",
    help="Where the files go; default: the current folder. 输出文件夹",
)  # fmt: skip
@account_option
@strategy_option
@symbol_option
@pass_place
def export(
    place: Place, day: datetime, to: datetime | None, kind: str, out: Path, account: str | None, strategy: str | None,
    symbol: str | None,
) -> None:  # fmt: skip
    """Write the orders and the events of a day, or of the days from DATE to TO, to files. docs/journal.md tells the columns.

    导出一天或一段日期的委托和事件；各列的含义见 docs/journal.md。

    \b
    Examples 例子:
      orderdrop export 2026-11-20
      orderdrop export 2026-11-01 2026-11-30 --format xlsx --strategy alpha
    """
    first, last = day.date(), (to or day).date()
    with Progress(place.language) as progress:
        progress.step("正在读取日志库", "reading the journal")
        with looking(place) as connection:
            tables = tables_of(place, connection, first, last, chosen(place, account, strategy, symbol))
        progress.step("正在写文件", "writing the files")
        paths = _write(place, tables, kind, out, _label(first, last))
    for path in paths:
        click.echo(path)


def _label(first: date, last: date) -> str:
    return f"{first}" if first == last else f"{first}_{last}"


def _write(place: Place, tables: Tables, kind: str, out: Path, label: str) -> list[Path]:
    from orderdrop.audit import book  # noqa: PLC0415

    if kind == "xlsx":
        path = out / f"journal-{label}.xlsx"
        book.write_book(
            path, [book.journal_sheet(tables, what, place.language) for what in ("orders", "events")]
        )
        return [path]
    write = book.write_csv if kind == "csv" else book.write_parquet
    paths = []
    for what in ("orders", "events"):
        path = out / f"{what}-{label}.{kind}"
        write(path, tables, what, place.language)
        paths.append(path)
    return paths


@contextmanager
def looking(place: Place) -> Iterator[Connection]:
    """The journal, in one state. Ends the command when there is none."""
    place.must_exist()
    with place.connection() as connection:
        if connection is None:
            give_up("还没有日志库：路由器还没有运行过", "there is no journal yet: no router has run here")
        yield connection


def chosen(place: Place, account: str | None, strategy: str | None, symbol: str | None) -> Choice:
    from orderdrop.audit.frames import Choice  # noqa: PLC0415

    return Choice(account_id(place, account), strategy, canonical(symbol))


def tables_of(place: Place, connection: Connection, first: date, last: date, choice: Choice) -> Tables:
    from orderdrop.audit.frames import load  # noqa: PLC0415

    if last < first:
        raise click.UsageError("先写开始日期 / the first day comes first")
    tables = load(connection, place.workspace, first, last, choice)
    if not tables.drops:
        say("这段日期没有文件", "no drops came in on these days", place.language)
    return tables
