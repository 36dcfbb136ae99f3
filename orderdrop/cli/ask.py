"""`orderdrop cash`, `positions`, `trades` and `orders --broker`: what the broker has, as far as it was told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.look import NAME, account_id, account_option, canonical, date_option, symbol_option
from orderdrop.cli.output import clock_time, json_option, print_json_array, say, stdout, styled, table

_NUMBERS: Final = frozenset(
    {
        "余额\nBalance", "可用\nAvailable", "冻结\nFrozen", "市值\nValue", "总资产\nNAV", "盈亏\nP&L", "持仓\nVolume", "今买\nToday",
        "可卖\nSellable", "成本\nVWAP", "现价\nPrice", "数量\nVolume", "价格\nPrice", "成交\nFilled", "金额\nAmount", "费用\nFee",
    }
)  # fmt: skip
_NAMES: Final = frozenset({"账号\nAccount", "编号\nsid", "成交编号\nFill", "合同号\nOrder"})


@click.command(short_help="Each account's funds. 资金")
@account_option
@json_option
@pass_place
def cash(place: Place, account: str | None, as_json: bool) -> None:
    """The funds of each account, as the broker last told them.

    各账户资金，以柜台最近告知的为准。

    \b
    Examples 例子:
      orderdrop cash
      orderdrop cash --account main --json
    """
    from orderdrop.client import queries  # noqa: PLC0415

    place.must_exist()
    found = queries.cash(place.workspace, account_id(place, account))
    _answer(
        place, found, ("账号\nAccount", "余额\nBalance", "可用\nAvailable", "冻结\nFrozen", "市值\nValue", "总资产\nNAV", "盈亏\nP&L", "时间\nAt"),
        lambda one: (place.account_name(one.account_id), one.balance, one.available, one.frozen, one.market_value, one.nav, one.pnl, clock_time(one.at)),
        as_json=as_json,
    )  # fmt: skip


@click.command(short_help="Each account's holdings. 持仓")
@account_option
@symbol_option
@json_option
@pass_place
def positions(place: Place, account: str | None, symbol: str | None, as_json: bool) -> None:
    """The holdings of each account, as the broker last told them.

    各账户持仓，以柜台最近告知的为准。

    \b
    Examples 例子:
      orderdrop positions
      orderdrop positions --symbol 600000.SH --json
    """
    from orderdrop.client import queries  # noqa: PLC0415

    place.must_exist()
    names = place.names
    found = queries.positions(place.workspace, account_id(place, account), canonical(symbol))
    _answer(
        place, found, ("账号\nAccount", "代码\nSymbol", NAME, "持仓\nVolume", "今买\nToday", "可卖\nSellable", "成本\nVWAP", "现价\nPrice", "市值\nValue", "时间\nAt"),
        lambda one: (place.account_name(one.account_id), one.symbol, names.get(one.symbol, ""), str(one.volume), str(one.volume_today), str(one.available), one.vwap, one.price, one.market_value, clock_time(one.at)),
        as_json=as_json,
    )  # fmt: skip


@click.command(short_help="Today's fills. 成交")
@date_option
@account_option
@symbol_option
@json_option
@pass_place
def trades(
    place: Place, day: datetime | None, account: str | None, symbol: str | None, as_json: bool
) -> None:
    """Today's fills, each once, also of orders that did not come from here.

    今日成交明细，含不是由此发出的委托。

    \b
    Examples 例子:
      orderdrop trades
      orderdrop trades --date 2026-11-19 --json
    """
    from orderdrop.client import queries  # noqa: PLC0415
    from orderdrop.domain.identity import day_number  # noqa: PLC0415
    from orderdrop.views.called import names_of_day  # noqa: PLC0415

    place.must_exist()
    with place.journal() as reading:
        on = day.date() if day else place.today
        names = place.names
        found = queries.trades(reading, on, account_id(place, account), canonical(symbol))
        called = names_of_day(reading, day_number(on)) if reading and not as_json else {}
    _answer(
        place, found, ("时间\nTime", "编号\nsid", "代码\nSymbol", NAME, "买卖\nSide", "数量\nVolume", "价格\nPrice", "金额\nAmount", "费用\nFee", "成交编号\nFill"),
        lambda one: (clock_time(one.at), _named(one.sid, called), one.symbol or "–", names.get(one.symbol or "", ""), one.side or "–", str(one.volume), one.price, one.value, one.fee or "", one.exec_id),
        as_json=as_json,
    )  # fmt: skip


def show_broker_orders(
    place: Place, day: datetime | None, account: str | None, symbol: str | None, *, as_json: bool
) -> None:
    """`orderdrop orders --broker`."""
    from orderdrop.client import queries  # noqa: PLC0415
    from orderdrop.domain.identity import day_number  # noqa: PLC0415
    from orderdrop.views.called import names_of_day  # noqa: PLC0415

    with place.journal() as reading:
        on = day.date() if day else place.today
        names = place.names
        found = queries.broker_orders(reading, on, account_id(place, account), canonical(symbol))
        called = names_of_day(reading, day_number(on)) if reading and not as_json else {}
    _answer(
        place, found, ("时间\nTime", "编号\nsid", "代码\nSymbol", NAME, "买卖\nSide", "数量\nVolume", "价格\nPrice", "状态\nStatus", "成交\nFilled", "合同号\nOrder"),
        lambda one: (clock_time(one.at), _named(one.sid, called), one.symbol or "–", names.get(one.symbol or "", ""), one.side or "–", str(one.volume or ""), one.price or "", styled(one.status), str(one.filled_volume or ""), one.order_id or ""),
        as_json=as_json,
    )  # fmt: skip


def _named(sid: str | None, names: Mapping[str, str]) -> str:
    """An order as people call it."""
    return names.get(sid, sid) if sid else "–"


def _answer(place: Place, found: Sequence[Any], columns: Sequence[str], cells: Any, *, as_json: bool) -> None:
    if as_json:
        print_json_array(found)
    elif found:
        rows = [cells(one) for one in found]
        shown = [at for at, column in enumerate(columns) if column != NAME or any(row[at] for row in rows)]
        made = table(*(columns[at] for at in shown), right=_NUMBERS, wrap=_NAMES)
        for row in rows:
            made.add_row(*(row[at] for at in shown))
        stdout().print(made)
    else:
        say("柜台还没有告知", "the broker has told nothing of that yet", place.language)
    if not place.routed:
        say(
            "路由器没有运行，以上为最后所知",
            "no router runs: this is what was last known",
            place.language,
        )
