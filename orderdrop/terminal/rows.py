"""Headers and rows of the output files, as docs/protocol.md has them, written down a second time on purpose. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

from orderdrop.system.clock import SHANGHAI, Micros
from orderdrop.terminal.accounts import Account
from orderdrop.terminal.orders import Order, Trade

BOM: Final = b"\xef\xbb\xbf"
CASH: Final = (
    "account_id,market_value(market_val),nav,pnl,fpnl,frozen,order_frozen(ord_frozen),available,balance,"
    "created_at,updated_at,recv_at"
)
POSITION: Final = (
    "account_id,symbol,side,volume,volume_today(vol_today),vwap,vwap_diluted(vwap_dild),"
    "market_value(market_val),price,fpnl,cost,available_now(avl_now),created_at,updated_at,recv_at"
)
STATUS: Final = (
    "account_id,sid,scan_name,cl_ord_id,order_id,symbol,order_type,order_business(order_biz),status,"
    "ord_rej_reason(rej_reason),ord_rej_reason_detail(rej_detail),price,volume,filled_volume(filled_vol),"
    "created_at,updated_at,sent_at,recv_at"
)
EXECUTION: Final = (
    "account_id,sid,scan_name,cl_ord_id,order_id,exec_id,symbol,order_type,order_business(order_biz),"
    "ord_rej_reason(rej_reason),ord_rej_reason_detail(rej_detail),exec_type,price,volume,created_at,recv_at"
)
ORDER_ID_PLACE: Final = 4
"""Of the order id in a row of STATUS or EXECUTION."""

TRADE: Final = "15"
CANCEL_REJECTED: Final = "19"
_LONG: Final = "1"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CENT: Final = Decimal("0.01")
_VWAP: Final = Decimal("0.0000001")


def stamp(at: Micros, style: int) -> str:
    """style: of four, two have microseconds, one tenths of a second, one no fraction; cut off, never rounded up."""
    return _cut(at, (26, 26, 21, 19)[style % 4])


@lru_cache(maxsize=4096)
def _cut(at: Micros, length: int) -> str:
    """Kept, because the orders of a burst share their instants."""
    text = (_EPOCH + timedelta(microseconds=at)).astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"{text[:length]}+08:00"


def line(cells: list[str]) -> str:
    joined = ",".join(cells)
    if joined.count(",") == len(cells) - 1 and '"' not in joined:
        return f"{joined}\n"
    return ",".join(map(_cell, cells)) + "\n"


def status_row(order: Order, scan_name: str, at: Micros, recv_at: Micros, style: int) -> list[str]:
    created = stamp(order.created_at, order.number)
    return [
        order.account_id,
        order.sid,
        scan_name if order.sid else "",
        order.cl_ord_id,
        order.order_id,
        order.symbol,
        str(order.order_type),
        str(order.business),
        str(int(order.status)),
        str(order.reject_code),
        order.reject_text,
        format(order.price, "f"),
        str(order.volume),
        str(order.filled),
        created,
        stamp(at, style),
        created,
        stamp(recv_at, style + 1),
    ]


def execution_row(order: Order, trade: Trade, scan_name: str, recv_at: Micros) -> list[str]:
    return [
        order.account_id,
        order.sid,
        scan_name if order.sid else "",
        order.cl_ord_id,
        order.order_id,
        trade.exec_id,
        order.symbol,
        str(order.order_type),
        str(order.business),
        str(trade.reject_code),
        trade.reject_text,
        CANCEL_REJECTED if trade.reject_code else TRADE,
        format(trade.price, "f"),
        str(trade.volume),
        stamp(trade.at, order.number + 2),
        stamp(recv_at, order.number),
    ]


def cash_row(account: Account, at: Micros) -> list[str]:
    """`frozen` is what futures occupy; what open orders set aside is `order_frozen`."""
    market = sum((held.price * held.volume for held in account.positions.values()), Decimal(0))
    cost = sum((held.cost for held in account.positions.values()), Decimal(0))
    money = (market, account.balance + market, Decimal(0), market - cost, Decimal(0))
    rest = (account.frozen, account.available, account.balance)
    times = (stamp(account.opened_at, 0), stamp(at, 0), stamp(at, 2))
    return [account.account_id, *map(_cents, money + rest), *times]


def position_rows(account: Account, at: Micros) -> list[str]:
    """Finished lines; what was sold out stays for the day, with a volume of 0."""
    lines = []
    for symbol, held in account.positions.items():
        vwap = format((held.cost / held.volume).quantize(_VWAP, ROUND_HALF_UP), "f") if held.volume else "0"
        market = held.price * held.volume
        cells = [account.account_id, symbol, _LONG, str(held.volume), str(held.today), vwap, vwap]
        cells += [_cents(market), format(held.price, "f"), _cents(market - held.cost), _cents(held.cost)]
        cells += [str(held.sellable), stamp(held.opened_at, 0), stamp(at, 3), stamp(at, 2)]
        lines.append(line(cells))
    return lines


def _cents(amount: Decimal) -> str:
    return format(amount.quantize(_CENT, ROUND_HALF_UP), "f")


def _cell(text: str) -> str:
    if not any(special in text for special in ',"\r\n'):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
