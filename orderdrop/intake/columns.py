"""Owns what a header may say: the names of the columns, in Chinese and English, long and short. An unknown one is refused."""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.intake.cells import CLIP, DELIMITERS, split_line
from orderdrop.intake.profile import NOT_READ, Profile

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

PASSED_OVER = "passed over"
"""A column that changes no order, such as 金额: not read, and the receipt says so."""

MARKET = "market"
"""The exchange, in a column beside a bare code; read together with the symbol."""

_NAMES = {
    "sid": "sid client_order_id cl_ord_id 编号 委托编号 订单编号 委托号 订单号 自定义编号",
    "account_id": "account_id account acct 账户 账号 帐户 帐号 资金账号 资金账户 资金帐号 资金帐户 交易账号 交易账户",
    "symbol": "symbol code stock_code ticker security instrument ts_code vt_symbol order_book_id sec_code secid wind_code windcode"
    " stock instrument_id security_code security_id stock_id sec_id symbol_code"
    " 代码 证券代码 股票代码 合约代码 基金代码 债券代码 品种代码 标的 标的代码 股票 证券 证券编码 股票编码 证券代号 股票代号 交易代码",
    "volume": "volume vol qty quantity shares order_volume order_qty order_quantity 数量 委托数量 股数 委托股数 委托量 下单数量 交易数量 买卖数量"
    " 下单量 申报数量 报单数量 指令数量 交易股数 委托数",
    "order_type": "order_type ord_type 委托类型 订单类型 价格类型 报价方式 报价类型 委托方式",
    "order_business": "order_business order_biz side direction bs action order_side trade_side bs_flag buy_sell entrust_bs"
    " 方向 买卖方向 买卖 委托方向 交易方向 买卖标志 买卖标记 买卖类别 买/卖 买卖类型 委托买卖"
    " 操作 操作类型 操作方向 交易类别 交易类型 交易操作 业务名称 委托类别 委托业务 指令方向 申报方向 下单方向 业务类型",
    "price": "price order_price limit_price entrust_price 价格 委托价格 委托价 限价 下单价格 下单价 申报价格 报单价格 指令价格 交易价格 委托限价",
    "remark": "remark comment memo note 备注 说明 投资备注 委托备注 备注信息",
    "strategy": "strategy strategy_name strategy_id 策略 策略名称 策略名",
    "not_before": "not_before 不早于 最早时间",
    "not_after": "not_after 不晚于 最晚时间",
    MARKET: "market exchange exchange_id market_code 市场 交易市场 证券市场 交易所 市场名称 市场类型 市场代码 交易所代码",
    IGNORED: "name symbol_name stock_name sec_name display_name code_name index no # 名称 证券名称 股票名称 基金名称 债券名称 证券简称 股票简称 简称"
    " 证券名 股票名 标的名称 序号 行号",
    PASSED_OVER: "turnover last last_price date weight 金额 委托金额 交易金额 预计金额 预估金额 参考金额 成交额 现价 最新价 最新 昨收 昨收价 收盘价"
    " 涨跌幅 涨幅 涨跌 日期 交易日期 委托日期 行业 所属行业 板块 概念 股东代码 股东账号 股东账户 权重 基准价格 参考价 参考价格 币种"
    " 市值 参考市值 总市值 流通市值 涨停价 跌停价 开盘价 最高价 最低价 换手率 市盈率",
}
_COLUMN_OF = {name.replace("_", ""): column for column, names in _NAMES.items() for name in names.split()}
_SIDES_NAMED = frozenset(
    [
        "bs",
        "buysell",
        "买卖",
        "买入卖出",
        "1买2卖",
        "1买入2卖出",
        "1buy2sell",
        "买1卖2",
        "买入1卖出2",
        "1b2s",
        "b买s卖",
    ]
)
"""What may stand in brackets behind the name of the side: the words and codes that are read there, never others."""
_SIDE_MARKS = re.compile(r"[,，、/;:：=|]")

# 数量(手) is a hundred times 数量(股): a unit is accepted only when it is the one we count in.
_UNITS = {"volume": ("股", "shares"), "price": ("元", "yuan", "cny", "rmb")}
_LONG_SHORT = re.compile(r"(.+?)\((.+)\)")
_LONGEST_NAME = 80
_NOTHING = " \u3000\u00a0\ufeff\u200b"
_BETWEEN = re.compile(r"[\s_\ufeff\u200b\x1f-]+")
_PANDAS_INDEX = re.compile(r"Unnamed: ?\d+(?:_level_\d+)?")
"""How pandas names a column that had no name."""
_GUARDED = re.compile(r'="([^"=]*)"')
_MUST = re.compile(r"^\*+|\*+$|\((?:必填|必填项|选填|可选|可空|required|optional)\)$")
"""How a template marks a column that must, or need not, be filled in."""

_PLACED = frozenset(
    [
        "委托状态",
        "订单状态",
        "状态",
        "状态说明",
        "合同编号",
        "委托编号",
        "成交数量",
        "成交均价",
        "成交价格",
        "已成交量",
        "已撤数量",
        "撤单数量",
        "撤销数量",
        "废单原因",
        "委托时间",
        "成交时间",
        "成交编号",
        "status",
        "filledvolume",
        "filledqty",
        "avgprice",
    ]
)
_SURELY_PLACED = frozenset(
    [
        "委托状态",
        "订单状态",
        "合同编号",
        "成交数量",
        "成交均价",
        "已撤数量",
        "撤单数量",
        "废单原因",
        "成交编号",
    ]
)
"""Columns that only a list of orders has that were placed already."""


class Layout(NamedTuple):
    """Where the columns stand. places: column -> index of the cell; names: column -> as the header spells it.

    passed_over: names of columns that are not read, to be said once. nameless: cells under no name, which must be empty;
    counted: whether the first of them counts the rows up, as pandas writes it. profile: how the file was read, if the user has described it;
    its constants stand behind the cells of a row, and behind the empty cell of what the file does not have.
    """

    kind: DropKind
    delimiter: str
    width: int
    places: dict[str, int]
    names: dict[str, str]
    passed_over: tuple[str, ...] = ()
    nameless: tuple[int, ...] = ()
    counted: bool = False
    profile: Profile | None = None

    @property
    def said(self) -> str:
        """What the receipt says of how the file was read and of columns that are not read, "" for nothing."""
        names = "、".join(self.passed_over)
        told = [self.profile.said] if self.profile else []
        return "；".join([*told, f"没有读的列 / columns not read: {names}"] if names else told)

    @property
    def constants(self) -> tuple[str, ...]:
        return tuple(text for _column, text in self.profile.constants) if self.profile else ()

    @property
    def own_places(self) -> dict[str, int]:
        """Of the columns that stand in the file: without the constants."""
        return {column: place for column, place in self.places.items() if place < self.width}

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


def read_header(line: str, kind: DropKind, profile: Profile | None = None) -> Layout | Refusal:
    """The first delimiter under which the header is known; if there is none, the refusal that says most."""
    refusals = []
    for delimiter in profile.delimiters if profile else DELIMITERS:
        cells = split_line(line, delimiter)
        layout = cells if isinstance(cells, Refusal) else lay_out(cells, kind, delimiter, profile)
        if isinstance(layout, Layout):
            return layout
        refusals.append(layout)
    return next((refusal for refusal in refusals if refusal.code is not Code.HEADER_NOT_FOUND), refusals[0])


@lru_cache(maxsize=64)
def by_position(profile: Profile, kind: DropKind, delimiter: str) -> Layout:
    """The layout of a file without a header."""
    own = {column: place for place, column in enumerate(profile.positions) if column != NOT_READ}
    names = {column: f"#{place + 1} {_first_name(column, chinese=True)}" for column, place in own.items()}
    width = len(profile.positions)
    return Layout(kind, delimiter, width, _with_constants(own, width, profile), names, profile=profile)


def _with_constants(places: dict[str, int], width: int, profile: Profile) -> dict[str, int]:
    behind = {column: width + 1 + at for at, (column, _text) in enumerate(profile.constants)}
    return behind | places


def is_header(cells: list[str]) -> bool:
    """Whether all that stands in a row is names of columns."""
    named = [column_named(cell) is not None for cell in cells if cell]
    return bool(named) and all(named)


def column_named(cell: str) -> str | None:
    """The column that a header's cell names: `IGNORED` for one that is not read, None for an unknown one."""
    return _column_named(cell) if len(cell) <= _LONGEST_NAME else None


@lru_cache(maxsize=1024)
def _column_named(cell: str) -> str | None:
    name = folded(cell)
    match = _LONG_SHORT.fullmatch(name)
    if not match:
        return _COLUMN_OF.get(name)
    long, short = match.groups()
    column = _COLUMN_OF.get(long)
    if column is None:
        return None
    same = _COLUMN_OF.get(short) == column or short in _UNITS.get(column, ()) or _abbreviates(short, long)
    same = same or (column == "order_business" and _SIDE_MARKS.sub("", short) in _SIDES_NAMED)
    harmless = column in {IGNORED, PASSED_OVER}
    return column if same or harmless else None


def _abbreviates(short: str, long: str) -> bool:
    """`cmt` for `comment`, the way that dbf names are made; never a unit."""
    letters = iter(long)
    return short.isascii() and short[0] == long[0] and all(letter in letters for letter in short)


def _columns_of(cells: list[str], profile: Profile | None) -> list[str | None]:
    described = dict(profile.header) if profile else {}
    return [
        (described[name] or PASSED_OVER) if (name := folded(cell)) in described else column_named(cell)
        for cell in cells
    ]


def lay_out(
    cells: list[str], kind: DropKind, delimiter: str, profile: Profile | None = None
) -> Layout | Refusal:
    allowed = ORDER_COLUMNS if kind is DropKind.ORDER else INSTRUCTION_COLUMNS
    while kind is DropKind.CANCEL and len(cells) > 1 and not cells[-1].strip():
        cells = cells[:-1]  # as its rows: what stands behind a cancel's own cells is passed over
    columns = _columns_of(cells, profile)
    if not any(column is not None for column in columns):
        return Refusal(Code.HEADER_NOT_FOUND, value=delimiter.join(cells)[:CLIP], bound=", ".join(allowed))
    sorted_ = _sort_columns(cells, columns, kind, allowed)
    if sorted_.unknown:
        return _unknown(sorted_.unknown, cells, kind, allowed)
    if sorted_.twice:
        return Refusal(Code.HEADER_TWICE, value=sorted_.twice[0][:CLIP])
    places = _with_constants(sorted_.places, len(cells), profile) if profile else sorted_.places
    missing = [column for column in NEEDED.get(kind, ("sid",)) if column not in places]
    if missing:
        return Refusal(Code.HEADER_MISSING_COLUMN, value=", ".join(missing), bound=_hint(kind, places))
    names = {column: cells[index].strip("\ufeff ") for column, index in sorted_.places.items()}
    counted = sorted_.nameless[:1] == [0]
    return Layout(
        kind,
        delimiter,
        len(cells),
        places,
        names,
        tuple(sorted_.passed_over),
        tuple(sorted_.nameless),
        counted,
        profile,
    )


class _Sorted(NamedTuple):
    """A header's cells by what they are."""

    places: dict[str, int]
    passed_over: list[str]
    nameless: list[int]
    unknown: list[str]
    twice: list[str]


def _sort_columns(
    cells: list[str], columns: list[str | None], kind: DropKind, allowed: tuple[str, ...]
) -> _Sorted:
    found = _Sorted({}, [], [], [], [])
    orders = kind is DropKind.ORDER
    read = {*allowed, MARKET} if orders else {*allowed}
    for index, (column, cell) in enumerate(zip(columns, cells, strict=True)):
        if orders and column == IGNORED:
            continue
        if orders and column == PASSED_OVER:
            found.passed_over.append(cell.strip("\ufeff "))
        elif orders and is_nameless(cell):
            found.nameless.append(index)
        elif column is None or column not in read:
            found.unknown.append(cell if cell.strip(_NOTHING) else f"#{index + 1}")
        elif column in found.places:
            found.twice.append(cell)
        else:
            found.places[column] = index
    return found


def is_nameless(cell: str) -> bool:
    """Whether a header's cell gives its column no name: nothing stands in it, or what pandas writes there."""
    return not cell.strip(_NOTHING) or bool(_PANDAS_INDEX.fullmatch(cell.strip(_NOTHING)))


def _unknown(unknown: list[str], cells: list[str], kind: DropKind, allowed: tuple[str, ...]) -> Refusal:
    """All columns that are not known, at once; with what the header probably means, in its own language."""
    if kind is DropKind.ORDER and not _SURELY_PLACED.isdisjoint(map(folded, cells)):
        placed = [cell for cell in cells if folded(cell) in _PLACED]
        return Refusal(
            Code.HEADER_PLACED_ORDERS,
            value=", ".join(placed)[:CLIP],
            bound=", ".join(dict.fromkeys([*unknown, *placed])),
        )
    chinese = any(not cell.isascii() for cell in cells)
    near = [f"{cell} → {name}" for cell in unknown if (name := _nearest(cell, chinese))]
    known = [_first_name(column, chinese) for column in allowed]
    meant = f"是不是想写 / did you mean {', '.join(near)}？ " if near else ""
    return Refusal(
        Code.HEADER_UNKNOWN_COLUMN, value=", ".join(unknown)[:CLIP], bound=f"{meant}{', '.join(known)}"
    )


def folded(cell: str) -> str:
    """A name as it is compared: without case, spaces, `_`, marks of a template, and the guards that keep a spreadsheet's hands off."""
    bare = cell.strip(_NOTHING + "\t\x1f").removeprefix("'")
    if guarded := _GUARDED.fullmatch(bare):
        bare = guarded[1]
    return _MUST.sub("", _BETWEEN.sub("", unicodedata.normalize("NFKC", bare)).lower())


def _nearest(cell: str, chinese: bool) -> str | None:
    """The known name that a person most likely meant; None where nothing is near."""
    found = difflib.get_close_matches(folded(cell), _COLUMN_OF, n=1, cutoff=0.7)
    column = _COLUMN_OF[found[0]] if found else None
    return _first_name(column, chinese) if column in ORDER_COLUMNS else None


def _first_name(column: str, chinese: bool) -> str:
    """How a header in that language calls the column."""
    names = _NAMES[column].split()
    return next((name for name in names if not name.isascii()), column) if chinese else column


def _hint(kind: DropKind, places: dict[str, int]) -> str:
    if kind is DropKind.ORDER and "sid" in places and places.keys() <= set(INSTRUCTION_COLUMNS):
        return "; 撤单文件的名字是 cancels are named *.cancel_order.csv"
    return ""
