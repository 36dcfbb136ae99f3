"""Collects the facts that brokers ask for when somebody files program trading (程序化交易报备), an account at a time. Pure.

What a person alone knows is left open and marked so: nothing is guessed on a form that is signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from orderdrop import __version__
from orderdrop.audit.frames import Tables
from orderdrop.audit.program_trading import program_trading
from orderdrop.config.limits import ORDERS_PER_DAY_CEILING, ORDERS_PER_SECOND_CEILING
from orderdrop.config.settings import Settings
from orderdrop.domain.order import OrderType

NOTHING: Final = Tables([], [], [], [], [], [])
"""Before the first order."""

OPEN: Final = "（请填写 fill in）"

_ROUTES: Final = {
    "goldminer": "掘金／东财 EMC 终端文件单 file orders scanned by the 掘金 or 东财 terminal",
    "gm": "掘金量化终端 API（gm）API of the 掘金 terminal",
    "miniqmt": "迅投 MiniQMT（xtquant）API of MiniQMT",
    "paper": "内置模拟柜台，不报交易所 built-in paper broker, reaches no exchange",
}
_TYPES: Final = {
    OrderType.LIMIT: "限价 limit", OrderType.MARKET: "市价 market", OrderType.COUNTERPARTY_BEST: "对手方最优价格 counterparty best",
    OrderType.OWN_BEST: "本方最优价格 own best", OrderType.FILL_AND_KILL: "即时成交剩余撤销 fill and kill",
    OrderType.FILL_OR_KILL: "全额成交或撤销 fill or kill", OrderType.BEST_FIVE_CANCEL: "最优五档即时成交剩余撤销 best five, cancel rest",
    OrderType.BEST_FIVE_LIMIT: "最优五档即时成交剩余转限价 best five, rest to limit",
}  # fmt: skip


class Fact(NamedTuple):
    """A line of the form. source: where the value comes from, for those who check it."""

    name: str
    value: str
    source: str


def filings(
    settings: Settings, tables: Tables, first: date, last: date, only: str | None = None
) -> dict[str, list[Fact]]:
    """The lines of each account's form, by account. tables: the journal from `first` to `last`. only: one account."""
    seen = {one["account_id"]: one for one in program_trading(tables)}
    traded = dict.fromkeys(order.account_id for order in tables.orders)
    accounts = [only] if only else [*dict.fromkeys([*settings.accounts, *traded])]
    return {
        account: [*_facts(settings, tables, account, seen.get(account), first, last)] for account in accounts
    }


def changes(before: Mapping[str, str], facts: Iterable[Fact]) -> list[str]:
    """What is another value than at the last filing. before: name -> value."""
    return [
        f"{fact.name}：{before[fact.name]} → {fact.value}"
        for fact in facts
        if fact.name in before and before[fact.name] != fact.value
    ]


def _facts(
    settings: Settings, tables: Tables, account: str, seen: Mapping[str, Any] | None, first: date, last: date
) -> Iterable[Fact]:
    own = settings.accounts.get(account)
    gateway = settings.gateway_of(account)
    kind = settings.gateways[gateway].type
    orders = [order for order in tables.orders if order.account_id == account]
    measured = {one["measure"]: one["value"] for one in seen["measures"]} if seen else {}
    period = f"日志 journal {first} – {last}"
    yield Fact("资金账户 account", account, "orderdrop.toml" if own else period)
    if own and own.alias:
        yield Fact("账户别名 alias", own.alias, "orderdrop.toml")
    yield Fact("投资者名称 name of the investor", OPEN, "")
    yield Fact("资金规模及来源 size and source of the funds", OPEN, "")
    yield Fact("软件名称 software", "orderdrop", "")
    yield Fact("软件版本 version", __version__, "orderdrop --version")
    yield Fact("开发主体 developer", "orderdrop（开源 open source）；策略程序 strategy programs：" + OPEN, "")
    strategies = dict.fromkeys(
        [*settings.strategies, *(order.strategy for order in orders if order.strategy)]
    )
    yield Fact("策略 strategies", "、".join(strategies) or "未分策略 none named", f"orderdrop.toml, {period}")
    yield Fact("策略类型及主要内容 kind of strategies", OPEN, "")
    yield Fact(
        "指令生成方式 how orders are made",
        "程序或人工写委托文件，经事前检查后送出 files written by programs or people, checked before they are sent",
        "",
    )
    yield Fact("指令执行方式 how orders are placed", _ROUTES.get(kind, kind), f"[gateways.{gateway}]")
    yield Fact("委托类型 order types", _order_types(orders), period)
    limits = own.limits if own else settings.limits
    per_second = limits.orders_per_second or settings.limits.orders_per_second
    per_day = limits.orders_per_day or settings.limits.orders_per_day
    bound = settings.bound(gateway)
    yield Fact(
        "最高申报速率（设置）orders a second, as set",
        _as_set(per_second, 10, ORDERS_PER_SECOND_CEILING, bound),
        "[limits] orders_per_second",
    )
    yield Fact(
        "单日最高申报笔数（设置）orders a day, as set",
        _as_set(per_day, 2000, ORDERS_PER_DAY_CEILING, bound),
        "[limits] orders_per_day",
    )
    yield Fact(
        "最高申报速率（实测，含撤单）messages in the busiest second, as seen",
        str(measured.get("busiest_second", 0)),
        period,
    )
    yield Fact(
        "单日最高申报笔数（实测，含撤单）messages on the busiest day, as seen",
        str(measured.get("messages_a_day", 0)),
        period,
    )
    ratio = measured.get("cancel_ratio")
    yield Fact("撤单比例（实测）cancel ratio, as seen", "–" if ratio is None else f"{ratio:.1%}", period)
    high = any(one["level"] == "high_frequency" for one in seen["measures"]) if seen else False
    yield Fact(
        "是否高频 high-frequency",
        "是 yes" if high else "否（每秒 300 笔、单日 20,000 笔以下）no, below 300 a second and 20,000 a day",
        "docs/rules.md",
    )
    yield Fact("服务器所在地 where the software runs", OPEN, "")
    yield Fact("联系人 contact", OPEN, "")


def _order_types(orders: Iterable[Any]) -> str:
    used = sorted({order.order_type for order in orders})
    return "、".join(_TYPES.get(kind, str(kind)) for kind in used) or "期间没有委托 no orders in that time"


def _as_set(own: int | None, default: int, ceiling: int, bound: bool) -> str:
    if own is not None:
        return str(min(own, ceiling) if bound else own)
    return f"{default}（默认 default）" if bound else "不限（非实盘通道）not bound (no live gateway)"
