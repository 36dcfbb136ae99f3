"""`orderdrop limits`: each limit and how much of it is used today. `orderdrop calendar`: the closed days of a year."""

from __future__ import annotations

from typing import Any

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import OTHER_SETTINGS, give_up, json_option, print_json_array, say, stdout, table


@click.command(short_help="Each limit, and how much of it is used today. 限额")
@json_option
@click.pass_context
@pass_place
def limits(place: Place, ctx: click.Context, as_json: bool) -> None:
    """Each limit that binds today and how much of it is used: for all, for each account, for each strategy.

    今日各项限额及已用：全部、各账户、各策略。

    They are those of the settings as they stand now. A running router keeps those that it was started with: when they differ, that is
    said, and exit 1.

    \b
    Examples 例子:
      orderdrop limits
      orderdrop limits --json
    """
    place.must_exist()
    in_force = place.in_force
    found = [{**one, "in_force": in_force} for one in _look(place)]
    if not in_force:
        say(*OTHER_SETTINGS, place.language)
    if as_json:
        print_json_array(found)
    else:
        _show(place, found)
    ctx.exit(0 if in_force else 1)


def _show(place: Place, found: list[dict[str, Any]]) -> None:
    made = table(
        "账户\nAccount",
        "限额\nLimit",
        "上限\nAt most",
        "已用\nUsed",
        "%",
        right={"上限\nAt most", "已用\nUsed", "%"},
        wrap=("账户\nAccount", "限额\nLimit"),
    )
    for one in found:
        account, setting = one["account_id"], one["setting"]
        if account:
            setting = setting.replace(account, place.account_name(account))
            account = place.account_name(account)
        cells = (account or "–", setting, one["limit"], one["used"], one["percent"])
        made.add_row(*("" if cell is None else str(cell) for cell in cells))
    if found:
        stdout().print(made)
    else:
        say("没有设限额，也没有实盘通道", "no limits are set, and no gateway is live", place.language)


def _look(place: Place) -> list[dict[str, Any]]:
    from orderdrop.accounts.routing import Routing  # noqa: PLC0415
    from orderdrop.accounts.snapshots import last_snapshot  # noqa: PLC0415
    from orderdrop.gateway.instrument_feed import as_delivered, kept  # noqa: PLC0415
    from orderdrop.journal.writer import Writer  # noqa: PLC0415
    from orderdrop.risk.engine import RiskEngine  # noqa: PLC0415
    from orderdrop.risk.ledger import Ledger  # noqa: PLC0415
    from orderdrop.risk.usage import usage  # noqa: PLC0415
    from orderdrop.system.clock import SystemClock  # noqa: PLC0415

    now, settings = SystemClock().now(), place.settings
    told = as_delivered(kept(settings, place.workspace, place.today), place.today)
    risk = RiskEngine(
        Routing(settings, {}),
        place.workspace.root,
        lambda account_id: last_snapshot(place.workspace, settings, account_id, now),
        lambda: told,
    )
    with place.connection() as connection:
        ledger = Ledger() if connection is None else risk.follow(Writer(connection), now, place.today).ledger
        found = usage(settings, risk, ledger, now)
    return [
        {
            "account_id": one.account_id or None,
            "setting": one.setting,
            "limit": one.limit,
            "used": None if one.used is None else str(one.used),
            "percent": None if one.percent is None else str(one.percent),
            "soft": one.soft,
        }
        for one in found
    ]


@click.command(short_help="The days of a year without trading. 交易日历")
@click.argument("year", type=click.IntRange(1990, 2100), required=False)
@click.option("--write", is_flag=True, help="Write them into calendar.csv. 写入 calendar.csv")
@pass_place
def calendar(place: Place, year: int | None, write: bool) -> None:
    """The weekdays of a YEAR (this one, if none is given) on which the exchanges are closed, as exchange_calendars knows them.

    休市的工作日(不含周末);--write 写入 calendar.csv,路由器就不再需要 exchange_calendars。

    Needs: pip install ".[calendar]". With --write the router needs it no more, and starts quicker. Anybody may write calendar.csv by
    hand as well: one closed weekday a line; a year counts as known when a day of it stands there.

    \b
    Examples 例子:
      orderdrop calendar 2026
      orderdrop calendar --write
    """
    from orderdrop.market.calendar import calendar_text, days_in, published  # noqa: PLC0415
    from orderdrop.system.files import write_over  # noqa: PLC0415

    year = year or place.today.year
    closed = published(year)
    if closed is None:
        give_up(
            f"不知道 {year} 年的休市日",
            f"the closed days of {year} are not known",
            '  pip install -U ".[calendar]",或照交易所的公告自己写 calendar.csv / or write calendar.csv by the exchanges\' notice',
        )
    if not write:
        click.echo(calendar_text(closed), nl=False)
        return
    place.must_exist()
    path = place.workspace.root / place.settings.calendar.path
    others = {day for day in days_in(path) if day.year != year}
    write_over(path, calendar_text(frozenset(closed | others)).encode(), durable=True)
    say(
        f"{len(closed)} 个休市日写入 {path.name}",
        f"{len(closed)} closed days of {year} are in {path.name}",
        place.language,
    )
