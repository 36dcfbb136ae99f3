"""Shows a person the story that `orderdrop why` tells."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from orderdrop.cli.context import Place
from orderdrop.cli.output import clock_time, stdout, style_of, tell
from orderdrop.domain.codes import Code
from orderdrop.domain.language import status_word
from orderdrop.views.called import is_derived
from orderdrop.views.orders import Where
from orderdrop.views.story import Story, cells_of

_SIDES: Final = {"buy": "买 buy", "sell": "卖 sell"}
_BAD_ROWS_SHOWN: Final = 50


def show(story: Story, place: Place) -> None:
    console = stdout()
    if story["kind"] == "order":
        _show_order(console, story, place)
    else:
        _show_file(console, story)


# an order


def _show_order(console: Console, story: Story, place: Place) -> None:
    order = story["order"]
    if order is None:
        console.print(Text.assemble((story["asked"], "bold"), "  没有成为委托 no order came of it"))
    else:
        _head(console, story, order, place)
        _row(console, story["row"])
        _times(console, story, order)
        _words(console, story["reports"])
    if story["other_rows"]:
        _title(console, "同一编号的其他行 Other rows with this sid")
        for other in story["other_rows"]:
            _attempt(console, other)


def _head(console: Console, story: Story, order: Story, place: Place) -> None:
    price = order["price"] or "市价 market"
    name = place.names.get(order["symbol"])
    what = (
        f"{_SIDES[order['side']]} {order['volume']} {order['symbol']}{f' {name}' if name else ''} @ {price}"
    )
    status = Text(f" {status_word(order['status'])} ", f"reverse {style_of(order['status'])}")
    called = f"{order['drop']}:{Where(order['sheet'], order['row'])}  " if is_derived(order["sid"]) else ""
    console.print(
        Text.assemble((called, "bold"), (order["sid"], "dim" if called else "bold"), "  ", what, "  ", status)
    )
    facts = [("账户 account", place.account_name(order["account_id"])), ("策略 strategy", order["strategy"]), ("通道 gateway", _gateway(story)),
             ("柜台编号 order id", order["order_id"]), ("成交 filled", _filled(order)), ("备注 remark", order["remark"])]  # fmt: skip
    for name, value in facts:
        if value:
            console.print(Text.assemble("  ", (f"{name} ", "dim"), str(value)))
    if order["reason"]:
        tell(
            console,
            "",
            order["reason_code"] or Code.HELD,
            order["reason"],
            story["remedy"],
            style_of(order["status"]),
        )


def _gateway(story: Story) -> str:
    batch = story["batch"]
    return f"{batch['gateway']} ({batch['live_words']})" if batch else story["order"]["gateway"] or ""


def _filled(order: Story) -> str:
    return (
        f"{order['filled_volume']} / {order['volume']} @ {order['avg_price']}"
        if order["filled_volume"]
        else ""
    )


def _row(console: Console, row: Story) -> None:
    _title(console, f"原始行 The row as it was read: {row['drop']}:{_at(row)}")
    cells = cells_of(row)
    if cells:
        shown = [(name.strip("\ufeff "), cell) for name, cell in cells if cell]
        _indented(console, Text("  ").join(Text.assemble((f"{name}=", "dim"), cell) for name, cell in shown))
    else:
        _indented(console, Text(row["text"] or "文件不在了 the file is not there any more"))
    if row["owner"]:
        _indented(console, Text(f"文件所有者 the file's owner: {row['owner']}", "dim"))
    if row["mended"]:
        _indented(console, Text(f"已修正 mended: {row['mended']}", "yellow"))


def _times(console: Console, story: Story, order: Story) -> None:
    """Everything that has a time, in its order; then the line as it was sent."""
    moments = [(order["received_at"], "router", "接收 received", f"{order['drop']}:{order['row']}")]
    batch = story["batch"]
    if batch:
        count = f"{batch['orders']} 笔 {'order' if batch['orders'] == 1 else 'orders'}"
        again = any((event["detail"] or "").startswith(Code.RESENT) for event in story["events"])
        words = "再次交接 once more, proven lost before" if again else "通过检查 checks passed"
        moments.append((batch["created_at"], "router", words, f"batch {batch['id']}: {count}"))
        if batch["handed_at"]:
            moments.append((batch["handed_at"], "router", f"送出 handed over: {batch['outcome']}", ""))
    moments += [
        (event["at"], event["source"], event["event"], event["detail"] or "") for event in story["events"]
    ]
    moments += [
        (
            asked["at"],
            "router",
            f"{asked['kind']}: {asked['state']}",
            f"{asked['drop']}:{_at(asked)} {asked['reason'] or ''} {asked['note'] or ''}".rstrip(),
        )
        for asked in story["instructions"]
    ]
    _title(console, "经过 What happened")
    grid = Table.grid(padding=(0, 2))
    for style, wrap in (("dim", False), ("dim", False), ("", False), ("", False), ("", True)):
        grid.add_column(style=style, no_wrap=not wrap, overflow="fold" if wrap else "ellipsis")
    for at, source, event, detail in sorted(moments, key=lambda moment: moment[0]):
        grid.add_row(
            f"  {at[11:23]}",
            _since(order["received_at"], at),
            source,
            Text(status_word(event), style_of(event)),
            detail,
        )
    console.print(grid)
    if batch and batch["line"]:
        _title(console, "送出的内容 The line as it was sent")
        _indented(console, Text(batch["line"]))


def _since(start: str, at: str) -> str:
    """`+0.012`, in seconds."""
    seconds = (datetime.fromisoformat(at) - datetime.fromisoformat(start)).total_seconds()
    return f"{seconds:+.3f}"


def _words(console: Console, reports: list[Story]) -> None:
    """What the broker said in words of its own."""
    said = [report for report in reports if report["body"].get("text") or report["body"].get("code")]
    if said:
        _title(console, "柜台原话 The broker's words")
    for report in said:
        body = report["body"]
        _indented(
            console,
            Text(
                f"{clock_time(report['at'])}  {report['gateway']}  {body.get('code', '')}  {body.get('text', '')}"
            ),
        )


# a file


def _show_file(console: Console, story: Story) -> None:
    lying = story["lying"]
    if lying:
        style = {"taken": "green", "waiting": "yellow"}.get(lying["lot"], "red")
        console.print(
            Text.assemble((story["asked"], "bold"), "  在收件箱里 in the inbox: ", (lying["lot"], style))
        )
        _indented(console, Text(lying["why"]))
    for drop in story["drops"]:
        _show_drop(console, drop)


def _show_drop(console: Console, drop: Story) -> None:
    style = {"refused": "red", "done": "green"}.get(drop["state"], "cyan")
    when = f"{drop['trade_date']} {clock_time(drop['received_at'])}"
    console.print(Text.assemble((drop["name"], "bold"), f"  {when}  ", (status_word(drop["state"]), style)))
    counts = [f"{drop[key]} {words}" for key, words in _COUNTS.items() if drop[key]]
    facts = [
        ("行数 rows", f"{drop['rows']}: {', '.join(counts)}" if counts else str(drop["rows"])),
        ("状态 statuses", ", ".join(f"{count} {status_word(name)}" for name, count in drop["statuses"].items())),
        ("策略 strategy", drop["strategy"]), ("所有者 owner", drop["owner"]), ("归档 archived as", drop["archived_as"]), ("回执 receipt", drop["receipt"]),
        ("sha256", drop["sha256"]),
    ]  # fmt: skip
    for name, value in facts:
        if value:
            console.print(Text.assemble("  ", (f"{name} ", "dim"), value), soft_wrap=name == "sha256")
    if drop["refused"]:
        _reason(console, "整份拒绝 refused as a whole", drop["refused"])
    for row in drop["bad_rows"][:_BAD_ROWS_SHOWN]:
        _reason(console, _at(row), row)
    if len(drop["bad_rows"]) > _BAD_ROWS_SHOWN:
        console.print(f"  … +{len(drop['bad_rows']) - _BAD_ROWS_SHOWN}: {drop['receipt']}")
    for asked in drop["instructions"]:
        _reason(console, f"{_at(asked)} {asked['kind']} {asked['sid']}: {asked['state']}", asked)
        if asked["note"]:
            _indented(console, Text(f"注意 note: {asked['note']}", "yellow"))


_COUNTS: Final = {
    "accepted": "接受 accepted",
    "denied": "拒绝 denied",
    "duplicates": "重复 duplicates",
    "errors": "错误 errors",
}


def _reason(console: Console, where: str, row: Any) -> None:
    sid = row.get("sid")
    sid = None if sid and where and is_derived(sid) else sid
    where += f"  {sid}" if sid and sid not in where else ""
    if row["code"]:
        tell(console, where, row["code"], row["reason"], row["remedy"])
    else:
        console.print(f"  {where}")


def _attempt(console: Console, other: Story) -> None:
    where = f"{clock_time(other['at'])} {other['drop']}:{_at(other)} {other['outcome']}"
    _reason(console, where, {**other, "sid": None})


def _title(console: Console, words: str) -> None:
    console.print(Text(words, "bold dim"))


def _indented(console: Console, text: Text) -> None:
    console.print(Padding.indent(text, 2), soft_wrap=not console.is_terminal)


def _at(row: Story) -> str:
    return str(row["line"]) if row["sheet"] is None else f"{row['sheet']}!{row['line']}"
