"""Owns 掘金's file format: headers, codes, and how a row is written. Pure data and functions.

It stands here and not in a gateway, because our own inbox and outbox speak this format whatever the gateway: a program
written for 掘金's file orders works unchanged. The facts are those of docs/protocol.md, section 1.

Rows are lists of cells or finished bytes, lines end with LF, text is UTF-8. Who writes an output file puts the BOM first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from enum import IntEnum
from typing import Final, NamedTuple

from orderdrop.domain.report import Account, Position
from orderdrop.domain.status import Status
from orderdrop.system.clock import Micros, iso

ORDER_HEADER: Final = "sid,account_id,symbol,volume,order_type,order_business(order_biz),price,comment"
CANCEL_HEADER: Final = "sid,comment"
CASH_HEADER: Final = (
    "account_id,market_value(market_val),nav,pnl,fpnl,frozen,order_frozen(ord_frozen),available,balance,"
    "created_at,updated_at,recv_at"
)
POSITION_HEADER: Final = (
    "account_id,symbol,side,volume,volume_today(vol_today),vwap,vwap_diluted(vwap_dild),"
    "market_value(market_val),price,fpnl,cost,available_now(avl_now),created_at,updated_at,recv_at"
)
ORDER_STATUS_HEADER: Final = (
    "account_id,sid,scan_name,cl_ord_id,order_id,symbol,order_type,order_business(order_biz),status,"
    "ord_rej_reason(rej_reason),ord_rej_reason_detail(rej_detail),price,volume,filled_volume(filled_vol),"
    "created_at,updated_at,sent_at,recv_at"
)
"""Of order_status.csv and of order_status_change.csv."""
EXECUTION_HEADER: Final = (
    "account_id,sid,scan_name,cl_ord_id,order_id,exec_id,symbol,order_type,order_business(order_biz),"
    "ord_rej_reason(rej_reason),ord_rej_reason_detail(rej_detail),exec_type,price,volume,created_at,recv_at"
)

LONG: Final = "1"
"""position.csv's side; shares are held long."""


class ExecType(IntEnum):
    """What a row of execution_report.csv tells, beside the status codes."""

    TRADE = 15
    ORDER_STATUS = 18
    CANCEL_REJECTED = 19


STATUS_OF: Final[dict[int, Status]] = {
    0: Status.UNKNOWN,
    1: Status.NEW,
    2: Status.PARTIALLY_FILLED,
    3: Status.FILLED,
    5: Status.CANCELED,
    6: Status.PENDING_CANCEL,
    8: Status.REJECTED,
    9: Status.SUSPENDED,
    10: Status.PENDING_NEW,
    12: Status.EXPIRED,
}
"""掘金's status codes, as the broker's words."""

CODE_OF: Final[dict[Status, int]] = {status: code for code, status in STATUS_OF.items()} | {
    Status.RECEIVED: 10,
    Status.HELD: 10,
    Status.READY: 10,
    Status.SUBMITTING: 10,
    Status.SUBMITTED: 10,
    Status.DENIED: 8,
}
"""Every status as 掘金 would put it: what is still with us is pending, and our no is a rejection."""


class Reason(NamedTuple):
    zh: str
    en: str


REASONS: Final[dict[int, Reason]] = {
    1: Reason("风控规则", "a risk rule"),
    2: Reason("资金不足", "not enough cash"),
    3: Reason("可用持仓不足", "not enough shares to sell"),
    4: Reason("账号不合法", "bad account id"),
    5: Reason("策略不合法", "bad strategy id"),
    6: Reason("代码不合法", "bad symbol"),
    7: Reason("数量不合法", "bad volume"),
    8: Reason("价格不合法", "bad price"),
    10: Reason("账号被禁用", "the account is disabled"),
    11: Reason("账号未连接", "the account is disconnected"),
    12: Reason("账号未登录", "the account is logged out"),
    13: Reason("不在交易时段", "not in a trading session"),
    14: Reason("委托类型不支持", "the order type is not supported"),
    15: Reason("委托过快", "throttled"),
    16: Reason("证券停牌", "the security is suspended"),
    101: Reason("委托已完成", "the order is finished"),
    102: Reason("没有这笔委托", "unknown order"),
    103: Reason("柜台不许撤单", "the broker does not allow it"),
    104: Reason("正在撤单", "a cancel is already pending"),
    999: Reason("柜台内部错误", "internal error"),
}
"""掘金's reject reasons; from 101 to 104: of a cancel."""


def reason(code: int) -> Reason:
    """A code that the vendor has not told us is named by its number."""
    return REASONS.get(code) or Reason(f"原因 {code}", f"reason {code}")


NO_HEADER: Final = "the first line is not a header"
"""So a table stands that was emptied at the close while its terminal ran on."""

OrderCells = tuple[str, str, str, int, int, int, Decimal | None, str]
"""sid, account_id, symbol, volume, order_type, order_business, price, comment: a gateway's `Outgoing` is one."""

_ORDER_COMMAS: Final = ORDER_HEADER.count(",")
_SPECIAL = re.compile('[",\r\n]').search


def order_file(orders: Iterable[OrderCells]) -> bytes:
    """A whole `*.order.csv`: the header and a line for each order."""
    return f"{ORDER_HEADER}\n".encode() + order_rows(orders)


def order_rows(orders: Iterable[OrderCells]) -> bytes:
    """The lines alone, for appending. A price of None is an empty cell."""
    orders = list(orders)
    lines = [
        f"{sid},{account},{symbol},{volume},{order_type},{business}"
        # str is four times as fast as format, and is the same as long as there is no exponent
        f",{'' if price is None else text if 'E' not in (text := str(price)) else _plain(price)},{comment}"
        for sid, account, symbol, volume, order_type, business, price, comment in orders
    ]
    text = "\n".join([*lines, ""])
    if text.count(",") == len(lines) * _ORDER_COMMAS and text.count("\n") == len(lines) and _bare(text):
        return text.encode()
    return "".join(map(_order_line, orders)).encode()


def _order_line(order: OrderCells) -> str:
    price = order[6]
    return line([*map(str, order[:6]), "" if price is None else _plain(price), order[7]])


def cancel_file(cancels: Iterable[tuple[str, str]]) -> bytes:
    """A whole `*.cancel_order.csv` from pairs of sid and comment."""
    return f"{CANCEL_HEADER}\n{''.join(map(line, cancels))}".encode()


def line(cells: Sequence[str]) -> str:
    """One CSV line, with its newline; quoted only where it must be."""
    joined = ",".join(cells)
    if joined.count(",") == len(cells) - 1 and "\n" not in joined and _bare(joined):
        return f"{joined}\n"
    return f"{','.join(map(cell, cells))}\n"


def _bare(text: str) -> bool:
    """No cell in it needs quotes, as far as commas and newlines do not say otherwise."""
    return '"' not in text and "\r" not in text


def cell(text: str) -> str:
    if not _SPECIAL(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


class OrderState(NamedTuple):
    """A row of order_status.csv. Volumes in shares; price in yuan, None for a market order; no order id yet: ""."""

    account_id: str
    sid: str
    order_id: str
    symbol: str
    order_type: int
    order_business: int
    status: Status
    reject_code: int
    reject_text: str
    price: Decimal | None
    volume: int
    filled_volume: int
    created_at: Micros
    updated_at: Micros
    sent_at: Micros | None


class Execution(NamedTuple):
    """A row of execution_report.csv: a fill. volume in shares, price in yuan."""

    account_id: str
    sid: str
    order_id: str
    exec_id: str
    symbol: str
    order_type: int
    order_business: int
    price: Decimal
    volume: int
    created_at: Micros


def cash_row(account: Account, created_at: Micros, recv_at: Micros) -> list[str]:
    """`frozen` is what positions occupy (futures); cash set aside for open orders is `order_frozen`."""
    floating = sum((_floating(position) for position in account.positions), Decimal(0))
    nav = account.balance + account.market_value
    money = (account.market_value, nav, account.pnl, floating, Decimal(0), account.frozen)
    rest = (account.available, account.balance)
    times = (iso(created_at), iso(account.at), iso(recv_at))
    return [account.account_id, *map(_plain, money + rest), *times]


def position_row(
    account_id: str, position: Position, created_at: Micros, updated_at: Micros, recv_at: Micros
) -> list[str]:
    vwap, cost, floating = "", "", ""
    if position.vwap is not None:
        vwap, floating = _plain(position.vwap), _plain(_floating(position))
        cost = _plain(_cents(position.vwap * position.volume))
    return [
        account_id,
        position.symbol,
        LONG,
        str(position.volume),
        str(position.volume_today),
        vwap,
        vwap,
        _plain(position.price * position.volume),
        _plain(position.price),
        floating,
        cost,
        str(position.available),
        iso(created_at),
        iso(updated_at),
        iso(recv_at),
    ]


def order_status_row(order: OrderState, scan_name: str, recv_at: Micros) -> list[str]:
    """The sid stands for cl_ord_id too: it is the id by which a client knows the order."""
    return [
        order.account_id,
        order.sid,
        scan_name,
        order.sid,
        order.order_id,
        order.symbol,
        str(order.order_type),
        str(order.order_business),
        str(CODE_OF[order.status]),
        str(order.reject_code),
        order.reject_text,
        "0" if order.price is None else _plain(order.price),
        str(order.volume),
        str(order.filled_volume),
        iso(order.created_at),
        iso(order.updated_at),
        "" if order.sent_at is None else iso(order.sent_at),
        iso(recv_at),
    ]


def execution_row(fill: Execution, scan_name: str, recv_at: Micros) -> list[str]:
    return [
        fill.account_id,
        fill.sid,
        scan_name,
        fill.sid,
        fill.order_id,
        fill.exec_id,
        fill.symbol,
        str(fill.order_type),
        str(fill.order_business),
        "0",
        "",
        str(int(ExecType.TRADE)),
        _plain(fill.price),
        str(fill.volume),
        iso(fill.created_at),
        iso(recv_at),
    ]


def _floating(position: Position) -> Decimal:
    return Decimal(0) if position.vwap is None else _cents((position.price - position.vwap) * position.volume)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _plain(amount: Decimal) -> str:
    """Never an exponent: `1E+2` is a number to Python and a puzzle to a terminal."""
    return format(amount, "f")
