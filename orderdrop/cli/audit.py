"""`orderdrop audit`: a day on one page, and the proof that nothing was altered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.export import DAY, chosen, looking, tables_of
from orderdrop.cli.look import account_option, strategy_option, symbol_option
from orderdrop.cli.output import give_up, json_option, print_json, say, stdout, table
from orderdrop.cli.progress import Progress

if TYPE_CHECKING:
    from orderdrop.audit.page import Known, Table
    from orderdrop.audit.verify import Verified

_SHOWN: Final = 15
_LONG: Final = 20


@click.command(short_help="The day on one page; --verify proves it. 审计")
@click.argument("day", type=DAY, metavar="[DATE]", required=False)
@click.argument("to", type=DAY, metavar="[TO]", required=False)
@account_option
@strategy_option
@symbol_option
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a report that stands alone. 网页报告",
)
@click.option(
    "--xlsx", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a workbook. 工作簿"
)
@click.option("--verify", is_flag=True, help="Prove that journal and archive were not altered. 校验未被篡改")
@json_option
@pass_place
def audit(
    place: Place, day: datetime | None, to: datetime | None, account: str | None, strategy: str | None, symbol: str | None,
    html: Path | None, xlsx: Path | None, verify: bool, as_json: bool,
) -> None:  # fmt: skip
    """Today, another day, or the days from DATE to TO: outcomes, latencies, refusals, trades, program trading, differences.

    审计一天或一段日期：结果、各阶段耗时、拒绝原因、成交、程序化交易指标、对账差异。

    With --verify: proves journal and archive by the hash chain, names the first difference, and exits with 1 if there is one.

    \b
    Examples 例子:
      orderdrop audit
      orderdrop audit 2026-11-20 --html audit.html --xlsx audit.xlsx
      orderdrop audit 2026-11-01 2026-11-30 --strategy alpha --json
      orderdrop audit --verify
    """
    if verify:
        if day or account or strategy or symbol or html or xlsx:
            raise click.UsageError(
                "--verify 校验全部，不加日期和筛选 / proves all of it; it takes no days and no filters"
            )
        _verify(place, as_json=as_json)
        return
    from orderdrop.audit.report import report  # noqa: PLC0415

    first = day.date() if day else place.today
    last = to.date() if to else first
    choice = chosen(place, account, strategy, symbol)
    with Progress(place.language) as progress:
        progress.step("正在读取日志库", "reading the journal")
        with looking(place) as connection:
            tables = tables_of(place, connection, first, last, choice)
            progress.step("正在核对", "reckoning and comparing")
            told = report(connection, place.workspace, place.settings, tables, first, last, choice)
        progress.step("正在写文件", "writing the files")
        paths = _write(tables, told, html, xlsx, place)
    for path in paths:
        click.echo(path)
    if as_json:
        print_json(told)
    elif not (html or xlsx):
        _show(told, _known(place))


def _known(place: Place) -> Known:
    from orderdrop.audit.page import Known  # noqa: PLC0415

    return Known({account: place.account_name(account) for account in place.settings.accounts}, place.names)


def _write(
    tables: Any, told: Mapping[str, Any], html: Path | None, xlsx: Path | None, place: Place
) -> list[Path]:
    """What was written."""
    from orderdrop.audit.book import Sheet, journal_sheet, write_book  # noqa: PLC0415
    from orderdrop.audit.page import page  # noqa: PLC0415
    from orderdrop.audit.page import tables as pages  # noqa: PLC0415
    from orderdrop.system.files import write_over  # noqa: PLC0415

    known = _known(place)
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        write_over(html, page(told, tables.orders, known).encode())
    if xlsx is not None:
        sheets = [
            Sheet(one.heading[0], [column.replace(" | ", " ") for column in one.columns], one.rows)
            for one in pages(told, known)
            if one.rows
        ]
        every = [journal_sheet(tables, what, place.language) for what in ("orders", "events")]
        write_book(xlsx, [*sheets, *every])
    return [path for path in (html, xlsx) if path is not None]


# the screen


def _show(told: Mapping[str, Any], known: Known) -> None:
    from decimal import Decimal  # noqa: PLC0415

    from orderdrop.audit.page import shown  # noqa: PLC0415
    from orderdrop.audit.page import tables as pages  # noqa: PLC0415

    console = stdout()
    outcomes = " · ".join(f"{count} {status}" for status, count in told["orders"]["by_outcome"].items())
    turnover, fees = (
        shown(Decimal(amount))
        for amount in (told["trades"]["turnover"]["total"], told["trades"]["fees"]["told"])
    )
    console.print(f"{told['orders']['total']} 笔 orders: {outcomes or '-'}")
    console.print(
        f"成交额 turnover {turnover} · 费用 fees {fees} · 对账差异 differences {len(told['differences'])}"
    )
    console.print(
        f"校验链头 chain head: {told['chain']['seal']} {told['chain']['head'] or '-'}", soft_wrap=True
    )
    for one in pages(told, known):
        if one.rows:
            _show_table(one)


def _show_table(one: Table) -> None:
    from rich.text import Text  # noqa: PLC0415

    from orderdrop.audit.page import shown  # noqa: PLC0415

    console = stdout()
    console.print()
    console.print(Text(" ".join(one.heading), "bold"))
    columns = [column.replace(" | ", "\n") for column in one.columns]
    cells = [[shown(value) for value in row] for row in one.rows]
    numbers = [
        name
        for name, *values in zip(columns, *one.rows, strict=True)
        if not any(isinstance(value, str) for value in values)
    ]
    made = table(*columns, right=numbers)
    for number, column in enumerate(made.columns):
        if max(len(row[number]) for row in cells) > _LONG:
            column.no_wrap, column.overflow, column.ratio = False, "fold", 1
    for row in cells[:_SHOWN]:
        made.add_row(*row)
    console.print(made)
    if len(one.rows) > _SHOWN:
        console.print(f"  … +{len(one.rows) - _SHOWN} (--html, --xlsx, --json)")


# --verify


def _verify(place: Place, *, as_json: bool) -> None:
    from orderdrop.audit.verify import verify  # noqa: PLC0415

    with Progress(place.language) as progress, looking(place) as connection:
        progress.step("正在校验", "proving journal and archive")
        proof = verify(connection, place.workspace, place.today)
    found = proof.difference
    if as_json:
        print_json(
            proof._asdict()
            | {"difference": found and found._asdict(), "notes": [en for _zh, en in proof.notes]}
        )
    else:
        _tell_proof(place, proof)
    if found is not None:
        give_up(f"{found.where}: {found.zh}", found.en)


def _tell_proof(place: Place, proof: Verified) -> None:
    for zh, en in proof.notes:
        say(zh, en, place.language)
    if proof.difference is not None:
        return
    say(
        f"未被篡改：{proof.seals} 个封印，{proof.events} 个事件，{len(proof.days)} 天归档",
        f"not altered: {proof.seals} seals, {proof.events} events, the archive of {len(proof.days)} days",
        place.language,
    )
    if proof.unsealed:
        say(
            f"还有 {proof.unsealed} 个事件尚未封印",
            f"{proof.unsealed} events are not sealed yet",
            place.language,
        )
    click.echo(f"{proof.head or '-'}")
