"""Makes the template: a workbook to fill in and save into the inbox, or the header of a csv. Its examples are never taken for orders."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace, account_folder
from orderdrop.errors import ConfigError
from orderdrop.system.csv_tables import BOM
from orderdrop.system.excel import (
    HEAD,
    PALE,
    at_top,
    height_of,
    lay_out_page,
    lines_of,
    number,
    openpyxl,
    safe,
    tinted,
    width_of,
)

_ROWS: Final = 2000
"""Rows that have drop-down lists and checks; those below are taken, too."""

_GUIDE_WIDTH: Final = 60
_BESIDE: Final = 2
"""Columns beside the text of a head."""

_LISTS: Final = "清单 Lists"
_HELD: Final = "持仓 Positions"


class Column(NamedTuple):
    """A column of the order sheet. title: as `intake` knows it, in both languages."""

    title: str
    width: int
    format: str
    zh: str
    en: str


COLUMNS: Final = (
    Column("编号(sid)", 18, "@", "可不填。自己的委托编号,用过就不能再用;字母开头最稳妥", "Optional. Your own order id, never used twice; best begun with a letter"),
    Column("账户(account_id)", 22, "@", "只有一个账户时可不填", "Optional when there is only one account"),
    Column("代码(symbol)", 16, "@", "000001.SZ、600000.SH 或六位数字;认不清交易所的会被拒绝,不猜", "000001.SZ, 600000.SH or six digits; a code that fits two exchanges is refused"),
    Column("名称(name)", 14, "@", "给自己看的,不读取", "For yourself, not read"),
    Column("方向(side)", 10, "@", "买入 或 卖出,必填", "买入 buy or 卖出 sell, required"),
    Column("数量(volume)", 12, "#,##0", "股数(不是手),必填", "Shares, not lots; required"),
    Column("价格(price)", 12, "0.00##", "限价委托必填;市价委托留空", "Required for limit orders; empty for market orders"),
    Column("委托类型(order_type)", 26, "@", "有价格时可不填,即限价", "Optional where there is a price: limit"),
    Column("策略(strategy)", 14, "@", "可不填", "Optional"),
    Column("备注(remark)", 30, "@", "可不填", "Optional"),
)  # fmt: skip

ORDER_TYPES: Final = (
    "限价", "市价", "对手方最优", "本方最优", "即时成交剩余撤销", "全额成交或撤销", "最优五档即时成交剩余撤销", "最优五档即时成交剩余转限价",
)  # fmt: skip
SIDES: Final = ("买入", "卖出")

_GUIDE: Final = (
    ("怎么用", "How to use it"),
    ("1. 在“委托 Orders”里一行填一笔委托。灰色说明见鼠标停留处。", "1. Fill in one order a row on the sheet “委托 Orders”. Point at a cell to see what it wants."),
    ("2. 全部填好以后,把文件另存到收件箱文件夹(inbox)。保存即提交:没填完不要存到那里。", "2. When all is filled in, save the file into the inbox folder. Saving there sends: keep unfinished work elsewhere."),
    ("3. 回执在 outbox/receipts:同名的 .receipt.xlsx,每一行的结果、原因、办法。", "3. The receipt stands in outbox/receipts: .receipt.xlsx of the same name, with outcome, reason and remedy for every row."),
    ("4. 同一天、同一文件名再次保存,没有编号的行只有新内容会成交;内容相同的行按重复处理。", "4. Saved again under the same name on the same day, rows without a sid trade only what is new; an equal row is a duplicate."),
    ("5. 改价格或数量再保存,是一笔新的委托,原委托仍然有效;先撤单。", "5. A row with another price or volume is a new order, the old one stays alive: cancel it first."),
    ("6. 一行有错,默认整份不发送;改好后再保存。", "6. With one bad row nothing of the file is sent, unless the settings say otherwise; mend it and save again."),
    ("7. 先看会怎样:orderdrop check 文件名", "7. To see what would happen: orderdrop check FILE"),
    ("8. 请不要:合并单元格、引用其他工作簿、宏(.xlsm)、隐藏的委托工作表。", "8. Please no merged cells, links to other workbooks, macros (.xlsm) or hidden order sheets."),
)  # fmt: skip

_EXAMPLES: Final = (
    ("A-001", "", "600000.SH", "浦发银行", "买入", 1000, 10.35, "限价", "alpha", "限价买入 limit, buy"),
    ("", "", "000002", "万科A", "买入", 500, 11.2, "", "", "不填编号和类型，即限价 no sid, no type: limit"),
    ("", "", "600000.SH", "浦发银行", "买入", 200, None, "最优五档即时成交剩余撤销", "", "市价，不填价格 a market order has no price"),
    ("", "", "113050.SH", "南银转债", "买入", 10, 110, "", "", "可转债每手 10 张 a convertible: lots of 10"),
    ("", "", "113050.SH", "南银转债", "卖出", 10, 110, "", "", "股票当天买入的明天才能卖，可转债当天可卖 shares are sold from tomorrow on, convertibles today"),
)  # fmt: skip


class Held(NamedTuple):
    """A position, as texts of position.csv."""

    account: str
    symbol: str
    volume: str
    available: str
    cost: str


def accounts_of(settings: Settings, wanted: Sequence[str]) -> list[str]:
    """Names to choose from: aliases where there are some. Raises ConfigError for one that the settings do not know."""
    named = {name: values.alias or name for name, values in settings.accounts.items()}
    known = {**named, **{alias: alias for alias in named.values()}}
    for name in wanted:
        if named and name not in known:
            raise ConfigError(
                f"账户 “{name}” 不在设置里 / the account “{name}” is not in the settings: {', '.join(named.values())}"
            )
    return [known.get(name, name) for name in wanted] if wanted else list(named.values())


def held(workspace: Workspace, settings: Settings, accounts: Sequence[str]) -> list[Held]:
    """What the result files say is held, of these accounts, or of all when none is named."""
    ids = {values.alias or name: name for name, values in settings.accounts.items()}
    wanted = {account_folder(ids.get(account, account)) for account in accounts}
    names = {account_folder(name): alias for alias, name in ids.items()}
    paths = sorted(workspace.outbox.glob("*/position.csv"))
    return [
        position
        for path in paths
        if path.parent.name in wanted or not wanted
        for position in _positions(path, names.get(path.parent.name, path.parent.name))
    ]


def _positions(path: Path, account: str) -> list[Held]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [
            {name.partition("(")[0]: cell for name, cell in row.items() if name}
            for row in csv.DictReader(file)
        ]
    return [
        Held(account, row["symbol"], row["volume"], row["available_now"], row["vwap"])
        for row in rows
        if row.get("symbol") and row.get("volume", "0") != "0"
    ]


def csv_template() -> bytes:
    """The header alone: an example in it would be an order."""
    return BOM + (",".join(column.title for column in COLUMNS) + "\r\n").encode()


def workbook_template(accounts: Sequence[str], strategies: Sequence[str], positions: Sequence[Held]) -> bytes:
    """Raises ConfigError when openpyxl is not installed."""
    book = openpyxl().Workbook()
    orders = book.active
    orders.title = "委托 Orders"
    _lay_out_orders(orders)
    lists = {_LISTS: [accounts, strategies]} if accounts or strategies else {}
    _guide(book.create_sheet("说明 Guide"))
    _examples(book.create_sheet("示例 Examples"))
    if positions:
        _held(book.create_sheet(_HELD), positions)
    if lists:
        sheet = book.create_sheet(_LISTS)
        _table(sheet, ("可选账户 accounts", "可选策略 strategies"), _columns(accounts, strategies), (30, 30))
    _offer(orders, len(accounts), len(strategies), len(positions))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _lay_out_orders(sheet: Any) -> None:
    sheet.freeze_panes = "A2"
    lay_out_page(sheet, head=1)
    for index, column in enumerate(COLUMNS, 1):
        letter = openpyxl().utils.get_column_letter(index)
        sheet.column_dimensions[letter].width = max(column.width, width_of(column.title) + _BESIDE)
        sheet.column_dimensions[letter].number_format = column.format
        tinted(sheet.cell(1, index, column.title), HEAD, bold=True)
    formatting = openpyxl().formatting.rule
    fill = openpyxl().styles.PatternFill("solid", bgColor="FFC7CE")
    for letter in _letters("代码", "方向", "数量"):  # a row that was begun lacks one of these
        begun = f'AND(COUNTA($A2:$I2)>0,{letter}2="")'
        sheet.conditional_formatting.add(
            f"{letter}2:{letter}{_ROWS}", formatting.FormulaRule(formula=[begun], fill=fill)
        )


def _offer(sheet: Any, accounts: int, strategies: int, positions: int) -> None:
    """Drop-down lists and checks. What is not on a list of codes or strategies may be typed all the same."""
    choose = [
        ("账户", "list", _range(_LISTS, "A", accounts), True),
        ("代码", "list", _range(_HELD, "B", positions), False),
        ("方向", "list", f'"{",".join(SIDES)}"', True),
        ("数量", "whole", "1", True),
        ("价格", "decimal", "0.0001", True),
        ("委托类型", "list", f'"{",".join(ORDER_TYPES)}"', True),
        ("策略", "list", _range(_LISTS, "B", strategies), False),
    ]
    rules = {name: (kind, formula, strict) for name, kind, formula, strict in choose if formula}
    for index, column in enumerate(COLUMNS, 1):
        name = column.title.partition("(")[0]
        kind, formula, strict = rules.get(name, (None, None, False))
        rule = openpyxl().worksheet.datavalidation.DataValidation(
            type=kind, operator="greaterThanOrEqual" if kind in {"whole", "decimal"} else None, formula1=formula,
            allow_blank=True, showErrorMessage=strict, showInputMessage=True,
        )  # fmt: skip
        rule.promptTitle, rule.prompt = column.title, f"{column.zh}\n{column.en}"
        rule.errorTitle, rule.error = column.title, f"{column.zh}\n{column.en}"
        letter = openpyxl().utils.get_column_letter(index)
        rule.add(f"{letter}2:{letter}{_ROWS}")
        sheet.add_data_validation(rule)


def _range(sheet: str, letter: str, count: int) -> str | None:
    return f"'{sheet}'!${letter}$2:${letter}${count + 1}" if count else None


def _letters(*names: str) -> list[str]:
    titles = [column.title.partition("(")[0] for column in COLUMNS]
    return [openpyxl().utils.get_column_letter(titles.index(name) + 1) for name in names]


def _guide(sheet: Any) -> None:
    lay_out_page(sheet, head=1, upright=True)
    columns = [(f"{column.title}: {column.zh}", f"{column.title}: {column.en}") for column in COLUMNS]
    heads = {1, len(_GUIDE) + 2}
    for row, texts in enumerate([*_GUIDE, ("", ""), ("列的含义", "What the columns mean"), *columns], 1):
        for index, text in enumerate(texts, 1):
            cell = at_top(sheet.cell(row, index, safe(text)))
            if row in heads:
                tinted(cell, HEAD, bold=True)
        sheet.row_dimensions[row].height = height_of(max(lines_of(text, _GUIDE_WIDTH) for text in texts))
    sheet.column_dimensions["A"].width = sheet.column_dimensions["B"].width = _GUIDE_WIDTH


def _examples(sheet: Any) -> None:
    """Their header is none that `intake` knows, so that they are never orders."""
    titles = [f"例 {column.title}" for column in COLUMNS]
    _table(sheet, titles, _EXAMPLES, [column.width for column in COLUMNS])
    notes = (
        "以上是示例，不会被当成委托。要用的话，把行复制到“委托 Orders”。",
        "These are examples, never taken as orders: copy a row to “委托 Orders” to use it.",
    )
    for row, note in enumerate(notes, len(_EXAMPLES) + 3):
        tinted(sheet.cell(row, 1, note), PALE)


def _held(sheet: Any, positions: Sequence[Held]) -> None:
    titles = ("账户 account", "代码 symbol", "持仓 held", "可用 available", "成本 cost")
    rows = [(account, symbol, *map(number, figures)) for account, symbol, *figures in positions]
    _table(sheet, titles, rows, (22, 16, 12, 12, 12))


def _table(sheet: Any, titles: Sequence[str], rows: Sequence[Sequence[Any]], widths: Sequence[int]) -> None:
    sheet.freeze_panes = "A2"
    lay_out_page(sheet, head=1)
    for index, (title, width) in enumerate(zip(titles, widths, strict=True), 1):
        tinted(sheet.cell(1, index, title), HEAD, bold=True)
        letter = openpyxl().utils.get_column_letter(index)
        sheet.column_dimensions[letter].width = max(width, width_of(title) + _BESIDE)
    for row in rows:
        sheet.append([safe(cell) if isinstance(cell, str) else cell for cell in row])


def _columns(*lists: Sequence[str]) -> list[list[str]]:
    """Lists of different lengths, side by side."""
    longest = max(map(len, lists))
    return [[values[row] if row < len(values) else "" for values in lists] for row in range(longest)]
