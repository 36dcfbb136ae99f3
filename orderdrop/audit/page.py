"""Writes the report as one HTML file that needs nothing else: no script, no network. Also the same tables for the workbook."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple

from orderdrop.audit import charts
from orderdrop.audit.book import Sheet
from orderdrop.audit.frames import Order
from orderdrop.audit.order_list import order_list
from orderdrop.system.csv_tables import harmless
from orderdrop.views.called import is_derived

STAGES: Final = {
    "dropped_admitted": "写入→接收 dropped to admitted",
    "admitted_handed_over": "接收→送出 to handed over",
    "handed_over_confirmed": "送出→确认 to confirmed",
    "confirmed_filled": "确认→成交 to filled",
    "dropped_confirmed": "写入→确认 all the way",
}
MEASURES: Final = {
    "busiest_second": "最忙一秒 busiest second",
    "messages_a_day": "一天报撤 messages in a day",
    "cancel_ratio": "撤单比 cancel ratio",
}
BY: Final = {
    "file": "整份文件 file",
    "row": "行错误 row",
    "duplicate": "重复 duplicate",
    "check": "我们的检查 check",
    "broker": "柜台 broker",
}
LEVELS: Final = {
    "ok": ("good", "正常 ok"),
    "watch": ("warn", "注意 watch"),
    "limit": ("bad", "到上限 limit"),
    "high_frequency": ("bad", "高频 high-frequency"),
}
BETWEEN: Final = {"sent": "送出内容 sent", "archive": "归档 archive", "reports": "柜台回报 reports"}

Cell = str | int | Decimal | None


class Table(Sheet):
    """A sheet whose title has a Chinese and an English half, `中文 | English`. Columns likewise; numbers stand right."""

    @property
    def heading(self) -> tuple[str, str]:
        zh, _, en = self.title.partition(" | ")
        return zh, en


class Known(NamedTuple):
    """What people call things. aliases: by account id; names: of securities, by symbol."""

    aliases: Mapping[str, str] = {}
    names: Mapping[str, str] = {}

    def account(self, account_id: str) -> str:
        return self.aliases.get(account_id, account_id)

    def security(self, symbol: str) -> str:
        return f"{symbol} {self.names.get(symbol, '')}".strip()


NOTHING_KNOWN: Final = Known()


def page(told: Mapping[str, Any], orders: Sequence[Order] = (), known: Known = NOTHING_KNOWN) -> str:
    """told: the figures, with `differences`, `by_hand`, `gateways` and `chain` (see orderdrop.audit.report). orders: to be listed."""
    style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    body = [_header(told), _tiles(told), *_pictures(told)]
    body += [_section(table) for table in tables(told, known) if table.rows]
    body += [order_list(orders, known.names)] if orders else []
    title = escape(_days(told))
    return (
        f'<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>orderdrop {title}</title><style>\n{style}</style></head><body><main>{''.join(body)}{_footer(told)}</main></body></html>\n"
    )


def _days(told: Mapping[str, Any]) -> str:
    return str(told["from"]) if told["from"] == told["to"] else f"{told['from']} – {told['to']}"


def _header(told: Mapping[str, Any]) -> str:
    badges = "".join(
        f'<span class="badge{" live" if gateway["live"] else ""}">{_text(gateway["name"])} {"实盘 LIVE" if gateway["live"] else "模拟 simulated"}</span>'
        for gateway in told["gateways"]
    )
    chosen = "".join(
        f'<span class="badge">{name} = {_text(value)}</span>' for name, value in told["choice"].items()
    )
    return f"<header><h1>{escape(_days(told))}</h1><p>委托审计 Order audit</p>{badges}{chosen}</header>"


def _tiles(told: Mapping[str, Any]) -> str:
    outcomes, trades = told["orders"]["by_outcome"], told["trades"]
    refused = sum(rule["count"] for rule in told["refusals"] if rule["by"] != "duplicate")
    doubtful, differing = len(told["unknown"]), len(told["differences"])
    every = (
        ("委托", "orders", f"{told['orders']['total']:,}", ""),
        ("全部成交", "filled", f"{outcomes.get('filled', 0):,}", ""),
        ("成交额 元", "turnover, yuan", _compact(trades["turnover"]["total"]), ""),
        ("费用 元", "fees, yuan", _compact(trades["fees"]["told"]), ""),
        ("被拒绝", "refused", f"{refused:,}", "warn" if refused else ""),
        ("曾状态不明", "were unknown", f"{doubtful:,}", "bad" if doubtful else "good"),
        ("对账差异", "differences", f"{differing:,}", "bad" if differing else "good"),
    )
    tiles = (
        f'<div class="tile"><span>{zh}</span><b class="{mark}">{value}</b><small>{en}</small></div>'
        for zh, en, value, mark in every
    )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _pictures(told: Mapping[str, Any]) -> list[str]:
    if not told["orders"]["total"]:
        return ['<section class="soft">这段时间没有委托 no orders</section>']
    steps = told["flow"]["steps"]
    made = [
        _card(
            f"一天的流量（每 {told['flow']['minutes']} 分钟，按结果）", f"orders each {told['flow']['minutes']} min, by outcome",
            _both(partial(charts.flow, told["flow"]["minutes"], steps)) + charts.legend(charts.grouped(step["by_outcome"]) for step in steps),
        )
    ]  # fmt: skip
    rows = [
        (group["strategy"] or "(无策略 none)", charts.grouped(group["by_outcome"]))
        for group in told["by_strategy"]
    ]
    outcomes = _card(
        "各策略的结果",
        "outcomes by strategy",
        _both(partial(charts.bars, rows)) + charts.legend(counts for _name, counts in rows),
    )
    measured = [
        (STAGES[one["stage"]], one["median_ms"], one["p95_ms"], one["worst_ms"])
        for one in told["latency"]
        if one["orders"]
    ]
    latency = ""
    if measured:
        latency = _card(
            "各阶段耗时（中位 · p95，对数轴）",
            "latency of each stage: median · p95, logarithmic",
            _both(partial(charts.latencies, measured)),
        )
    return [*made, outcomes, latency]


def _card(zh: str, en: str, content: str) -> str:
    return f"<section><h2>{zh}<small>{en}</small></h2>{content}</section>"


def _both(draw: Callable[..., str]) -> str:
    """A picture for screens and one for phones; the style sheet shows one of them."""
    return f'<div class="wide">{draw(width=charts.WIDE)}</div><div class="narrow">{draw(width=charts.NARROW)}</div>'


def _section(table: Table) -> str:
    numbers = [all(not isinstance(row[i], str) for row in table.rows) for i in range(len(table.columns))]
    head = "".join(
        f"<th{_class(right)}>{_halves(column)}</th>"
        for column, right in zip(table.columns, numbers, strict=True)
    )
    labels = [f' data-is="{escape(column.replace(" | ", " "))}"' for column in table.columns]
    marks = [f"<td{_class(right)}{label}>" for right, label in zip(numbers, labels, strict=True)]
    rows = "".join(
        f"<tr>{''.join(f'{mark}{_shown(value)}</td>' for mark, value in zip(marks, row, strict=True))}</tr>"
        for row in table.rows
    )
    zh, en = table.heading
    return _card(zh, en, f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")


def _class(right: bool) -> str:
    return ' class="n"' if right else ""


def _halves(column: str) -> str:
    zh, _, en = column.partition(" | ")
    return f"{zh}<small>{en}</small>"


def _shown(value: Any) -> str:
    for mark, words in LEVELS.values():
        if value == words:
            return f'<span class="{mark}">{words}</span>'
    return _text(shown(value))


def _text(value: object) -> str:
    """What users have written is text and nothing else, also when it is copied into a spreadsheet."""
    return escape(harmless(value))


def _footer(told: Mapping[str, Any]) -> str:
    software, chain = told["software"], told["chain"]
    head = (
        f"封印 seal {chain['seal']} · <code>{chain['head']}</code>"
        if chain["head"]
        else "日志库还没有封印 no seal yet"
    )
    return (
        f"<footer><p>校验链头 chain head: {head}</p>"
        "<p>orderdrop audit --verify 校验日志与归档 proves that journal and archive were not altered</p>"
        f"<p>软件 software: {software['name']} {software['version']} · 开发者 developer: {software['developer']}</p></footer>"
    )


# tables


def tables(told: Mapping[str, Any], known: Known = NOTHING_KNOWN) -> list[Table]:
    """Everything that the report tells, for the page and for the workbook."""
    return [
        Table("程序化交易 | program trading", *_program(told["program_trading"], known)),
        Table("拒绝,按规则 | refusals by rule", ("次数 | count", "由谁 | by", "代码 | code", "原因 | reason", "办法 | remedy", "首例 | first"), [
            (rule["count"], BY[rule["by"]], rule["code"], f"{rule['zh']} / {rule['en']}", rule["remedy"], rule["first"])
            for rule in told["refusals"]
        ]),
        Table("对账差异 | differences", ("之间 | between", "对象 | about", "日志 | journal", "另一方 | other"), [
            (BETWEEN[one["between"]], one["about"], one["journal"], one["other"]) for one in told["differences"]
        ]),
        Table("曾状态不明 | were unknown", ("编号 | sid", "代码 | symbol", "现在 | now", "依据 | evidence"), _evidence(told["unknown"], known)),
        Table("重发 | sent again", ("编号 | sid", "代码 | symbol", "现在 | now", "依据 | evidence"), _evidence(told["resent"], known)),
        Table(
            "别处的委托 | by hand, or by another program",
            ("账户 | account", "编号 | sid", "柜台编号 | order id", "状态 | status", "成交 | filled", "成交额 | value", "首次 | first at"),
            [
                (known.account(one["account_id"]), one["sid"] or "手工 by hand", one["order_id"], one["status"], one["filled_volume"], Decimal(one["value"]), one["first_at"])
                for one in told["by_hand"]
            ],
        ),
        Table("成交 | trades", ("项目 | what", "买 | buy", "卖 | sell", "合计 | total"), _trades(told["trades"])),
        Table("按日 | by day", *_groups("日期 | day", "day", told["by_day"])),
        Table("按策略 | by strategy", *_groups("策略 | strategy", "strategy", told["by_strategy"])),
        Table("按小时 | by hour", *_groups("小时 | hour", "hour", told["by_hour"])),
        Table("各阶段耗时 | latency", ("阶段 | stage", "笔数 | orders", "中位 | median", "p95 | p95", "最差 | worst", "最差一笔 | worst order"), [
            (STAGES[one["stage"]], one["orders"], *(charts.duration(one[name]) for name in ("median_ms", "p95_ms", "worst_ms")), one["worst_sid"])
            for one in told["latency"] if one["orders"]
        ]),
    ]  # fmt: skip


def _program(
    accounts: Iterable[Mapping[str, Any]], known: Known
) -> tuple[Sequence[str], list[tuple[Cell, ...]]]:
    columns = (
        "账户 | account", "指标 | measure", "数值 | value", "评价 | level", "建议 | ours", "上限 | ceiling", "高频线 | regulator",
        "委托 | orders", "撤单 | cancels", "一秒内撤 | within 1 s",
    )  # fmt: skip
    rows = [
        (
            known.account(account["account_id"]), MEASURES[one["measure"]], _ratio(one["measure"], one["value"]), LEVELS[one["level"]][1],
            *(_ratio(one["measure"], one[name]) for name in ("ours", "ceiling", "regulator")),
            account["orders"], account["cancels"], account["cancels_within_a_second"],
        )
        for account in accounts
        for one in account["measures"]
    ]  # fmt: skip
    return columns, rows


def _ratio(measure: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if measure == "cancel_ratio" else f"{value:,.0f}"


def _evidence(orders: Iterable[Mapping[str, Any]], known: Known) -> list[tuple[Cell, ...]]:
    return [
        (
            f"{order['drop']}:{order['row']}" if is_derived(order["sid"]) else order["sid"], known.security(order["symbol"]), order["status"],
            " → ".join(f"{one['at'][11:23]} {one['event']} {one['detail'] or ''}".strip() for one in order["evidence"]),
        )
        for order in orders
    ]  # fmt: skip


def _trades(trades: Mapping[str, Any]) -> list[tuple[Cell, ...]]:
    price, turnover = trades["price"], trades["turnover"]
    if not trades["fills"]:
        return []
    better = sum((Decimal(price[side]["better_by"]) for side in ("buy", "sell")), Decimal(0))
    return [
        (
            "成交额 元 turnover, yuan",
            Decimal(turnover["buy"]),
            Decimal(turnover["sell"]),
            Decimal(turnover["total"]),
        ),
        (
            "优于限价 元 better than the limits, yuan",
            Decimal(price["buy"]["better_by"]),
            Decimal(price["sell"]["better_by"]),
            better,
        ),
        ("优于限价 基点 basis points", _points(price["buy"]), _points(price["sell"]), None),
        ("费用 元 fees, yuan", None, None, Decimal(trades["fees"]["told"])),
        ("成交笔数 fills", None, None, trades["fills"]),
        ("未告知费用的成交 fills without a fee", None, None, trades["fees"]["fills_without"]),
    ]


def _points(price: Mapping[str, Any]) -> Decimal | None:
    return None if price["basis_points"] is None else Decimal(price["basis_points"])


def _groups(
    column: str, name: str, groups: Iterable[Mapping[str, Any]]
) -> tuple[Sequence[str], list[tuple[Cell, ...]]]:
    columns = (
        column,
        "委托 | orders",
        *(words.replace(" ", " | ", 1) for words, _statuses in charts.GROUPS.values()),
        "成交额 | turnover",
    )
    rows = [
        (
            group[name] or "–",
            group["orders"],
            *charts.grouped(group["by_outcome"]).values(),
            Decimal(group["turnover"]),
        )
        for group in groups
    ]
    return columns, rows


def _compact(amount: str) -> str:
    """Without cents, and with 万 or 亿 where a tile would be too narrow."""
    yuan = float(amount)
    for least, size, unit in ((1e8, 1e8, "亿"), (1e7, 1e4, "万")):
        if yuan >= least:
            return f"{yuan / size:,.2f} {unit}" if unit == "亿" else f"{yuan / size:,.0f} {unit}"
    return f"{yuan:,.0f}"


def shown(value: Cell) -> str:
    """A cell as people read it."""
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:,.2f}"
        case int():
            return f"{value:,}"
        case _:
            return str(value)
