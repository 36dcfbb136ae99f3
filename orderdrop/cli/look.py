"""`orderdrop orders` and `orderdrop drops`: a day's orders and drops, filtered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import (
    clock_time,
    json_option,
    print_json_array,
    say,
    stdout,
    styled,
    table,
    tell,
    tell_orders,
)
from orderdrop.cli.watch import alone, watch, watch_option
from orderdrop.domain.status import TERMINAL, Status

if TYPE_CHECKING:
    from orderdrop.journal.reader import Reading
    from orderdrop.views.orders import DropView

OPEN: Final = "open"
"""A word for every status that is not final."""

_ORDERS_SHOWN: Final = 1000
_REASONS_SHOWN: Final = 20
_NARROW: Final = 100
NAME: Final = "名称\nName"
_SPARED: Final = frozenset({"时间\nTime", "均价\nAverage"})
_NUMBERS: Final = frozenset({"数量\nVolume", "价格\nPrice", "成交\nFilled", "均价\nAverage"})

date_option: Callable[..., Any] = click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d", "%Y%m%d"]),
    metavar="YYYY-MM-DD",
    help="Of another day. 日期",
)
account_option: Callable[..., Any] = click.option(
    "--account", metavar="ID", help="Of one account, by id or alias. 账号"
)
strategy_option: Callable[..., Any] = click.option("--strategy", metavar="NAME", help="Of one strategy. 策略")
symbol_option: Callable[..., Any] = click.option(
    "--symbol", metavar="S", help="Of one security, in any spelling. 代码"
)


@click.command(short_help="Today's orders. 今日委托")
@date_option
@account_option
@strategy_option
@symbol_option
@click.option(
    "--status",
    type=click.Choice([OPEN, *(status.value for status in Status)]),
    help=f"Of one status; “{OPEN}”: of any that is not final. 状态",
)
@click.option(
    "--broker", is_flag=True, help="As the broker last spoke of them, also those not from here. 柜台委托"
)
@watch_option
@json_option
@pass_place
def orders(
    place: Place, day: datetime | None, account: str | None, strategy: str | None, symbol: str | None,
    status: str | None, broker: bool, watched: bool, as_json: bool,
) -> None:  # fmt: skip
    """Today's orders, with their status and what was filled.

    今日委托及其状态、成交。

    With --watch: the newest first, as many as the window holds, with any of the filters.

    \b
    Examples 例子:
      orderdrop orders
      orderdrop orders --status open --symbol 600000.SH
      orderdrop orders --date 2026-11-19 --account main --json
      orderdrop orders --broker
      orderdrop orders --watch --status open
    """
    from orderdrop.domain.identity import day_number  # noqa: PLC0415
    from orderdrop.views.called import names_again  # noqa: PLC0415
    from orderdrop.views.orders import order_view  # noqa: PLC0415

    place.must_exist()
    if broker:
        if strategy or status:
            raise click.UsageError(
                "--broker 不能与 --strategy、--status 同用 / --broker goes with neither of them"
            )
        if watched:
            raise click.UsageError("--broker 不能与 --watch 同用 / --broker does not go with --watch")
        from orderdrop.cli.ask import show_broker_orders  # noqa: PLC0415  it imports this module

        show_broker_orders(place, day, account, symbol, as_json=as_json)
        return
    if watched:
        from orderdrop.cli.orders_frame import Filter, orders_frame  # noqa: PLC0415  it imports this module

        alone(as_json)
        chosen = Filter(day.date() if day else None, account, strategy, canonical(symbol), status)
        watch(place, partial(orders_frame, chosen))
        return
    wanted: dict[str, Any] = {
        "account": account_id(place, account), "strategy": strategy, "symbol": canonical(symbol),
        "status": None if status == OPEN else status,
    }  # fmt: skip
    on = day.date() if day else place.today
    with place.journal() as reading:
        _note_absence(place, reading)
        rows = reading.orders_of_day(day_number(on), **wanted) if reading else iter(())
        found = (row for row in rows if status != OPEN or row.status not in TERMINAL)
        if as_json:
            print_json_array(order_view(row, place.language) for row in found)
        else:
            _show_orders(place, list(found), names_again(reading, day_number(on)) if reading else ())


@click.command(short_help="Today's drops, with row errors. 今日文件")
@date_option
@strategy_option
@click.option("--status", type=click.Choice(["open", "refused", "done"]), help="Of one state. 状态")
@click.option("--account", metavar="ID", help="That hold orders of one account. 账号")
@click.option("--symbol", metavar="S", help="That hold orders of one security. 代码")
@json_option
@click.pass_context
@pass_place
def drops(
    place: Place, ctx: click.Context, day: datetime | None, strategy: str | None, status: str | None, account: str | None,
    symbol: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Today's drops: how many rows were accepted, and what is wrong with the others.

    今日收到的文件：接受了几行，其余各行错在哪里。

    A cancel, release or resend that was refused is a denied row; then exit 1.

    \b
    Examples 例子:
      orderdrop drops
      orderdrop drops --status refused
      orderdrop drops --date 20261119 --json
    """
    from orderdrop.domain.identity import day_number  # noqa: PLC0415
    from orderdrop.domain.order import DropKind  # noqa: PLC0415
    from orderdrop.journal.records import InstructionState, drop_of  # noqa: PLC0415
    from orderdrop.views.orders import drop_view  # noqa: PLC0415

    place.must_exist()
    number = day_number(day.date() if day else place.today)
    holding: set[int] | None = None
    with place.journal() as reading:
        _note_absence(place, reading)
        found = reading.drops_of_day(number) if reading else []
        if reading and (account or symbol):
            wanted: dict[str, Any] = {"account": account_id(place, account), "symbol": canonical(symbol)}
            holding = {drop_of(order.id) for order in reading.orders_of_day(number, **wanted)}
        asked = {
            drop.id: reading.instructions_of_drop(drop.id)
            for drop in found
            if reading and drop.kind != DropKind.ORDER
        }
        refused = any(row.state == InstructionState.REFUSED for rows in asked.values() for row in rows)
        shown = [
            drop_view(drop, reading.row_outcomes(drop.id), place.language, asked.get(drop.id, ()))
            for drop in found
            if reading
            and (holding is None or drop.id in holding)
            and strategy in {None, drop.strategy}
            and status in {None, drop.state}
        ]
    if as_json:
        print_json_array(shown)
    else:
        _show_drops(place, shown)
    ctx.exit(1 if refused else 0)


def account_id(place: Place, named: str | None) -> str | None:
    return place.settings.account_id(named)


def canonical(symbol: str | None) -> str | None:
    """Any spelling of a symbol. Ends the command when it is none."""
    from orderdrop.domain.refusal import Refusal, explain  # noqa: PLC0415
    from orderdrop.domain.symbol import read_symbol  # noqa: PLC0415

    if symbol is None:
        return None
    read = read_symbol(symbol)
    if isinstance(read, Refusal):
        why = explain(read)
        raise click.UsageError(f"{why.text()} → {why.remedy}")
    return read.text


def order_table(
    rows: Iterable[Any], width: int, names: Mapping[str, str], again: Collection[str] = ()
) -> Any:
    """rows: journal rows. width: of the screen; a narrow one goes without the columns that matter least. names: of securities.
    again: see `name_of`.
    """
    from orderdrop.views.called import name_of  # noqa: PLC0415
    from orderdrop.views.orders import order_view  # noqa: PLC0415

    rows = list(rows)
    every = ("时间\nTime", "编号\nsid", "代码\nSymbol", NAME, "买卖\nSide", "数量\nVolume", "价格\nPrice", "状态\nStatus",
             "成交\nFilled", "均价\nAverage")  # fmt: skip
    spared = set() if width >= _NARROW else set(_SPARED)
    spared |= set() if any(row.symbol in names for row in rows) else {NAME}
    shown = [number for number in range(len(every)) if every[number] not in spared]
    made = table(*(every[number] for number in shown), right=_NUMBERS, wrap=("编号\nsid",))
    for row in rows:
        order = order_view(row)
        side = ("买 buy", "red") if order.side == "buy" else ("卖 sell", "green")
        cells = (
            clock_time(order.received_at), name_of(row, again), order.symbol, names.get(order.symbol, ""), _text(*side), f"{order.volume}", order.price or "市价",
            styled(order.status), f"{order.filled_volume or ''}", _short(order.avg_price),
        )  # fmt: skip
        made.add_row(*(cells[number] for number in shown))
    return made


def _show_orders(place: Place, rows: list[Any], again: Collection[str]) -> None:

    if not rows:
        say("没有符合的委托", "no such orders", place.language)
        return
    console = stdout()
    shown = rows[-_ORDERS_SHOWN:]
    console.print(order_table(shown, console.width, place.names, again))
    tell_orders(console, shown, place.language, again)
    counts = Counter(row.status for row in rows)
    words = " · ".join(f"{counts[status]} {status}" for status in Status if counts[status])
    say(f"{len(rows)} 笔", f"{len(rows)} orders: {words}", place.language)
    if len(rows) > len(shown):
        say(
            f"只显示最后 {len(shown)} 笔",
            f"the last {len(shown)} are shown; --json prints all",
            place.language,
        )


def _show_drops(place: Place, found: list[DropView]) -> None:
    from orderdrop.views.orders import Where  # noqa: PLC0415

    if not found:
        say("没有符合的文件", "no such drops", place.language)
        return
    console = stdout()
    numbers = ("行数\nRows", "接受\nAccepted", "拒绝\nDenied", "重复\nDup.", "错误\nErrors")
    made = table("时间\nTime", "文件\nDrop", "状态\nState", *numbers, right=numbers, wrap=("文件\nDrop",))
    for drop in found:
        state = _text(drop.state, "red" if drop.state == "refused" else "")
        errors = sum(error.row > 0 for error in drop.errors)
        counts = (drop.rows, drop.accepted, drop.denied, drop.duplicates, errors)
        made.add_row(clock_time(drop.received_at), drop.name, state, *(f"{count or ''}" for count in counts))
    console.print(made)
    for drop in found:
        for error in drop.errors[:_REASONS_SHOWN]:
            reason, _, remedy = error.message.rpartition(" → ")
            at = f"{drop.name}:{Where(error.sheet, error.row)}" if error.row else drop.name
            tell(console, at, error.code, reason, remedy)
        if len(drop.errors) > _REASONS_SHOWN:
            console.print(
                _text(f"  … +{len(drop.errors) - _REASONS_SHOWN}: orderdrop why {drop.name}", "dim")
            )


def _note_absence(place: Place, reading: Reading | None) -> None:
    if reading is None:
        say(
            "还没有日志库：路由器还没有运行过",
            "there is no journal yet: no router has run here",
            place.language,
        )


def _text(words: str, style: str) -> Any:
    from rich.text import Text  # noqa: PLC0415

    return Text(words, style)


def _short(price: str | None) -> str:
    """Without zeros that say nothing: `10.35` for `10.3500`."""
    if price is None:
        return ""
    whole, _, decimals = price.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
