"""`orderdrop filing`: a form with what brokers ask of program trading, filled in from settings and journal."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.export import DAY, chosen, tables_of
from orderdrop.cli.look import account_option
from orderdrop.cli.output import json_option, print_json

if TYPE_CHECKING:
    from orderdrop.audit.filing import Fact

_DAYS: Final = 30
_LAST: Final = "filing.json"


@click.command(short_help="The form for 程序化交易报备. 报备表")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.xlsx")
@account_option
@click.option(
    "--from",
    "since",
    type=DAY,
    metavar="DATE",
    help="The first day of what was seen; default: 30 days ago. 起始日",
)
@json_option
@pass_place
def filing(place: Place, file: Path, account: str | None, since: datetime | None, as_json: bool) -> None:
    """Fill in what brokers ask of program trading: account, software, strategies, how orders are made and placed, rates set and seen.

    生成程序化交易报备表：账户、软件、策略、指令方式、申报速率(设置与实测)、与上次报备相比的变化。

    What only a person knows is left open and marked. Brokers' own forms differ: copy from this one. docs/filing.md says which rule
    asks for what.

    \b
    Examples 例子:
      orderdrop filing 报备.xlsx
      orderdrop filing --account demo --from 2026-11-01 报备.xlsx
    """
    from orderdrop.audit.filing import NOTHING, changes, filings  # noqa: PLC0415

    last = place.today
    first = since.date() if since else last - timedelta(days=_DAYS)
    choice = chosen(place, account, None, None)
    with place.connection() as connection:  # a filing comes before the first order
        tables = NOTHING if connection is None else tables_of(place, connection, first, last, choice)
    forms = filings(place.settings, tables, first, last, place.settings.account_id(account))
    kept = place.workspace.state / _LAST
    before = _before(kept)
    changed = {name: changes(before.get(name, {}), facts) for name, facts in forms.items()}
    titles = {name: place.account_name(name) for name in forms}
    _write(file, forms, changed, before.keys(), titles)
    after = {name: {fact.name: fact.value for fact in facts} for name, facts in forms.items()}
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(before | after, ensure_ascii=False, indent=1), encoding="utf-8")
    if as_json:
        print_json(
            [
                {"account_id": name, "facts": [fact._asdict() for fact in facts], "changes": changed[name]}
                for name, facts in forms.items()
            ]
        )
    else:
        click.echo(file)


def _before(kept: Path) -> dict[str, dict[str, str]]:
    """What stood in the last form of each account, {} where there was none."""
    try:
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _write(
    file: Path,
    forms: dict[str, list[Fact]],
    changed: dict[str, list[str]],
    filed: Any,
    titles: dict[str, str],
) -> None:
    """titles: of each account's sheet."""
    from orderdrop.audit.book import Sheet, write_book  # noqa: PLC0415
    from orderdrop.system.excel import sheet_name  # noqa: PLC0415

    sheets = []
    for name, facts in forms.items():
        rows: list[Any] = [tuple(fact) for fact in facts]
        news = changed[name] or (["没有变化 none"] if name in filed else ["首次报备 first filing"])
        rows += [("与上次相比的变化 changes since the last filing", one, "") for one in news]
        sheets.append(Sheet(sheet_name(titles[name]), ["项目 item", "内容 value", "来源 source"], rows))
    write_book(file, sheets, upright=True)
