"""Translates MiniQMT's codes and ours, both ways. Pure; the vendor's names stand in xtquant's xtconstant.py.

The table of price types is the one in docs/rules.md, "Order types".
"""

from __future__ import annotations

from typing import Final

from orderdrop.domain.order import OrderBusiness, OrderType
from orderdrop.domain.status import Status

BUSINESS: Final[dict[int, int]] = {
    OrderBusiness.BUY: 23,
    OrderBusiness.SELL: 24,
    OrderBusiness.MARGIN_BUY: 27,
    OrderBusiness.SHORT_SELL: 28,
    OrderBusiness.BUY_TO_RETURN: 29,
    OrderBusiness.SELL_TO_REPAY: 31,
    OrderBusiness.COLLATERAL_BUY: 23,
    OrderBusiness.COLLATERAL_SELL: 24,
    OrderBusiness.SPECIAL_MARGIN_BUY: 40,
    OrderBusiness.SPECIAL_SHORT_SELL: 41,
    OrderBusiness.SPECIAL_BUY_TO_RETURN: 42,
    OrderBusiness.SPECIAL_SELL_TO_REPAY: 44,
}
"""掘金's order_business to MiniQMT's order type. A credit account's plain purchases and sales are those of its collateral."""

_LIMIT: Final = 11

PRICE_TYPES: Final[dict[str, dict[int, int]]] = {
    "SHSE": {
        OrderType.LIMIT: _LIMIT,
        OrderType.MARKET: 43,
        OrderType.COUNTERPARTY_BEST: 44,
        OrderType.OWN_BEST: 45,
        OrderType.BEST_FIVE_CANCEL: 42,
        OrderType.BEST_FIVE_LIMIT: 43,
    },
    "SZSE": {
        OrderType.LIMIT: _LIMIT,
        OrderType.MARKET: 44,
        OrderType.COUNTERPARTY_BEST: 44,
        OrderType.OWN_BEST: 45,
        OrderType.FILL_AND_KILL: 46,
        OrderType.FILL_OR_KILL: 48,
        OrderType.BEST_FIVE_CANCEL: 47,
    },
    "BJSE": {
        OrderType.LIMIT: _LIMIT,
        OrderType.COUNTERPARTY_BEST: 44,
        OrderType.OWN_BEST: 45,
        OrderType.BEST_FIVE_CANCEL: 42,
        OrderType.BEST_FIVE_LIMIT: 43,
    },
}
"""掘金's order_type to MiniQMT's price type, by exchange. What is missing is refused."""

STATUS: Final[dict[int, Status]] = {
    48: Status.PENDING_NEW,  # 未报
    49: Status.PENDING_NEW,  # 待报
    50: Status.NEW,  # 已报
    51: Status.PENDING_CANCEL,  # 已报待撤: asked for, not done
    52: Status.PENDING_CANCEL,  # 部成待撤: the same, of an order that has traded in part
    53: Status.CANCELED,  # 部撤
    54: Status.CANCELED,  # 已撤
    55: Status.PARTIALLY_FILLED,  # 部成
    56: Status.FILLED,  # 已成
    57: Status.REJECTED,  # 废单
    255: Status.PENDING_NEW,  # 未知: it stands in the terminal's list, and that is all one knows
}

BROKER_NO: Final = 999
"""掘金's "internal error": MiniQMT gives its reasons in words only."""

CANCEL_FINISHED: Final = 101
CANCEL_UNKNOWN: Final = 102
CANCEL_REFUSED: Final = 103

ACCOUNT_OK: Final = frozenset({0, 6})
"""正常, and 收盘后: the account can be asked."""

_MARKET_OF: Final = {"SHSE": "SH", "SZSE": "SZ", "BJSE": "BJ"}
_EXCHANGE_OF: Final = {market: exchange for exchange, market in _MARKET_OF.items()}


def stock_code(symbol: str) -> str:
    """`600000.SH` for `SHSE.600000`."""
    exchange, _, code = symbol.partition(".")
    return f"{code}.{_MARKET_OF[exchange]}"


def symbol_of(stock: str) -> str:
    """`SHSE.600000` for `600000.SH`; what is of no exchange that we know stays as it is."""
    code, _, market = stock.partition(".")
    exchange = _EXCHANGE_OF.get(market)
    return f"{exchange}.{code}" if exchange else stock
