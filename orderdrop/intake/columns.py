"""Owns what a header may say: the names of the columns, in Chinese and English, long and short. An unknown one is refused."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from orderdrop.intake.tables import CLIP, DELIMITERS, split_line
from orderdrop.order.model import DropKind
from orderdrop.order.refusal import Code, Refusal

ORDER_COLUMNS = (
    "sid",
    "account_id",
    "symbol",
    "volume",
    "order_type",
    "order_business",
    "price",
    "remark",
    "strategy",
    "not_before",
    "not_after",
)
NEEDED = {DropKind.ORDER: ("symbol", "volume", "order_business")}
INSTRUCTION_COLUMNS = ("sid", "account_id", "remark")

IGNORED = ""
"""The column of names that people keep beside the codes: known, and not read."""

_NAMES = {
    "sid": "sid 编号 委托编号 订单编号 委托号 订单号",
    "account_id": "account_id account acct 账户 账号 帐户 帐号 资金账号 资金账户 资金帐号 资金帐户",
    "symbol": "symbol code stock_code ticker 代码 证券代码 股票代码 合约代码 基金代码 债券代码 标的 标的代码",
    "volume": "volume vol qty quantity shares 数量 委托数量 股数 委托股数",
    "order_type": "order_type ord_type 委托类型 订单类型 价格类型 报价方式",
    "order_business": "order_business order_biz side direction bs 方向 买卖方向 买卖 委托方向 交易方向 买卖标志",
    "price": "price order_price limit_price 价格 委托价格 委托价",
    "remark": "remark comment memo note 备注 说明",
    "strategy": "strategy strategy_name 策略 策略名称",
    "not_before": "not_before 不早于 最早时间",
    "not_after": "not_after 不晚于 最晚时间",
    IGNORED: "name symbol_name stock_name 名称 证券名称 股票名称 基金名称 债券名称 证券简称 股票简称 简称 序号",
}
_COLUMN_OF = {name.replace("_", ""): column for column, names in _NAMES.items() for name in names.split()}

# 数量(手) is a hundred times 数量(股): a unit is accepted only when it is the one we count in.
_UNITS = {"volume": ("股", "shares"), "price": ("元", "yuan", "cny", "rmb")}
_LONG_SHORT = re.compile(r"(.+?)\((.+)\)")
_LONGEST_NAME = 80
_BETWEEN = re.compile(r"[\s_\ufeff-]+")


class Layout(NamedTuple):
    """Where the columns stand. places: column -> index of the cell; names: column -> as the header spells it."""

    kind: DropKind
    delimiter: str
    width: int
    places: dict[str, int]
    names: dict[str, str]

    def place(self, column: str) -> int:
        """The cell's index; one past the last for a column that the file does not have."""
        return self.places.get(column, self.width)

    def name(self, column: str) -> str:
        return self.names.get(column, column)

    @property
    def may_go_on(self) -> bool:
        """Whether cells behind a row's own do no harm: a cancel's, whose sid stands where no comma of a comment can have moved it.

        The published client of 掘金's file orders writes `SID,comments,` below `sid,comment`.
        """
        return self.kind is DropKind.CANCEL and self.place("sid") < self.place("remark")


def passed_over(text: str) -> str:
    """What is said of cells behind a row that are not read."""
    return f"行尾多出的单元格已略过 / cells behind the row were passed over: {text[:CLIP]}"


def read_header(line: str, kind: DropKind) -> Layout | Refusal:
    """The first delimiter under which the header is known; if there is none, the refusal that says most."""
    refusals = []
    for delimiter in DELIMITERS:
        cells = split_line(line, delimiter)
        layout = cells if isinstance(cells, Refusal) else lay_out(cells, kind, delimiter)
        if isinstance(layout, Layout):
            return layout
        refusals.append(layout)
    return next((refusal for refusal in refusals if refusal.code is not Code.HEADER_NOT_FOUND), refusals[0])


def is_header(cells: list[str]) -> bool:
    """Whether all that stands in a row is names of columns."""
    named = [column_named(cell) is not None for cell in cells if cell]
    return bool(named) and all(named)


def column_named(cell: str) -> str | None:
    """The column that a header's cell names: `IGNORED` for one that is not read, None for an unknown one."""
    return _column_named(cell) if len(cell) <= _LONGEST_NAME else None


@lru_cache(maxsize=1024)
def _column_named(cell: str) -> str | None:
    name = _BETWEEN.sub("", unicodedata.normalize("NFKC", cell)).lower()
    match = _LONG_SHORT.fullmatch(name)
    if not match:
        return _COLUMN_OF.get(name)
    long, short = match.groups()
    column = _COLUMN_OF.get(long)
    if column is None:
        return None
    same = _COLUMN_OF.get(short) == column or short in _UNITS.get(column, ()) or _abbreviates(short, long)
    return column if same else None


def _abbreviates(short: str, long: str) -> bool:
    """`cmt` for `comment`, the way that dbf names are made; never a unit."""
    letters = iter(long)
    return short.isascii() and short[0] == long[0] and all(letter in letters for letter in short)


def lay_out(cells: list[str], kind: DropKind, delimiter: str) -> Layout | Refusal:
    allowed = ORDER_COLUMNS if kind is DropKind.ORDER else INSTRUCTION_COLUMNS
    while kind is DropKind.CANCEL and len(cells) > 1 and not cells[-1].strip():
        cells = cells[:-1]  # as its rows: what stands behind a cancel's own cells is passed over
    columns = [column_named(cell) for cell in cells]
    if not any(column is not None for column in columns):
        return Refusal(Code.HEADER_NOT_FOUND, value=delimiter.join(cells)[:CLIP], bound=", ".join(allowed))
    places: dict[str, int] = {}
    for index, (column, cell) in enumerate(zip(columns, cells, strict=True)):
        if column == IGNORED and kind is DropKind.ORDER:
            continue
        if column is None or column not in allowed:
            return Refusal(
                Code.HEADER_UNKNOWN_COLUMN, value=cell[:CLIP] or f"#{index + 1}", bound=", ".join(allowed)
            )
        if column in places:
            return Refusal(Code.HEADER_TWICE, value=cell[:CLIP])
        places[column] = index
    missing = [column for column in NEEDED.get(kind, ("sid",)) if column not in places]
    if missing:
        return Refusal(Code.HEADER_MISSING_COLUMN, value=", ".join(missing), bound=_hint(kind, places))
    names = {column: cells[index].strip("\ufeff ") for column, index in places.items()}
    return Layout(kind, delimiter, len(cells), places, names)


def _hint(kind: DropKind, places: dict[str, int]) -> str:
    if kind is DropKind.ORDER and "sid" in places and places.keys() <= set(INSTRUCTION_COLUMNS):
        return "; 撤单文件的名字是 cancels are named *.cancel_order.csv"
    return ""
