"""Copies what MiniQMT tells out of the vendor's objects, in the vendor's thread, into plain values. Pure.

Floats end here: prices and amounts become Decimal. None, NaN and the largest double (1.797e308) are how the terminal says that it has not been told;
where an order, a trade or the funds mean nothing without it, they are Unreadable.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple

from orderdrop.domain.report import MOST_SHARES, Account, Position, Unreadable, clean, name
from orderdrop.gateway.miniqmt.codes import symbol_of
from orderdrop.system.clock import Micros

_MOST_YUAN: Final = 1e15
_HIGHEST: Final = 1e9
_LATEST: Final = 7_258_118_400  # seconds; of the year 2199
_LARGEST_NUMBER: Final = 1 << 62


class Up(NamedTuple):
    """Connected and subscribed."""


class Down(NamedTuple):
    """The connection is gone, or did not come about."""

    words: str


class AccountState(NamedTuple):
    account_id: str
    state: int


class Listed(NamedTuple):
    """An order as the terminal lists it. number: the terminal's; contract: the broker's 合同编号, "" as long as there is none."""

    account_id: str
    number: int
    contract: str
    symbol: str
    business: int
    volume: int
    traded: int
    status: int
    text: str
    remark: str
    at: Micros

    @property
    def likeness(self) -> tuple[str, str, int, int]:
        return self.account_id, self.symbol, self.business, self.volume


class Traded(NamedTuple):
    account_id: str
    number: int
    contract: str
    exec_id: str
    volume: int
    price: Decimal
    remark: str
    at: Micros


class Numbered(NamedTuple):
    """The answer to an order: its number, or none, perhaps with words."""

    seq: int
    number: int
    words: str


class OrderFault(NamedTuple):
    """An order did not go well, the terminal says. Not final: an order has been live after such words."""

    account_id: str
    number: int
    remark: str
    words: str


class CancelAnswer(NamedTuple):
    """taken: the request, not the order; whether that is cancelled, only its status tells."""

    account_id: str
    number: int
    taken: bool
    words: str


class Answer(NamedTuple):
    """The answer to one of the questions of a full query. value: None when it was not answered. unread: what of it does not read."""

    round: int
    account_id: str
    question: str
    value: Any
    unread: tuple[str, ...] = ()


class Unread(NamedTuple):
    """An event that does not read; what is wrong with it."""

    what: str


Event = Up | Down | AccountState | Listed | Traded | Numbered | OrderFault | CancelAnswer | Answer | Unread


class Funds(NamedTuple):
    """In yuan. available: what can be spent; frozen: what open orders hold."""

    available: Decimal
    frozen: Decimal
    market_value: Decimal


class Full(NamedTuple):
    """All that one account has, asked at `begun`. account: None when the terminal gave no funds. unread: what of it does not read: what is not
    among the rest may be that.
    """

    account_id: str
    begun: Micros
    orders: tuple[Listed, ...]
    trades: tuple[Traded, ...]
    account: Account | None
    unread: tuple[str, ...] = ()


def listed(order: Any) -> Listed:
    """order: an XtOrder. Raises AttributeError, TypeError, ValueError (as Unreadable), for what is none."""
    return Listed(
        name(_text(order.account_id), "account_id"), _number(order.order_id, "order_id"), name(_text(getattr(order, "order_sysid", "")), "order_sysid"),
        name(symbol_of(order.stock_code), "stock_code"), _number(order.order_type, "order_type"), _shares(order.order_volume),
        _shares(order.traded_volume), _number(order.order_status, "order_status"),
        _text(getattr(order, "status_msg", "")), _text(getattr(order, "order_remark", "")), _instant(order.order_time),
    )  # fmt: skip


def traded(trade: Any) -> Traded:
    """trade: an XtTrade."""
    return Traded(
        name(_text(trade.account_id), "account_id"), _number(trade.order_id, "order_id"), name(_text(getattr(trade, "order_sysid", "")), "order_sysid"),
        name(_text(trade.traded_id), "traded_id"), _number(trade.traded_volume, "traded_volume"),
        _money(_needed(trade.traded_price, _HIGHEST, "traded_price")), _text(getattr(trade, "order_remark", "")),
        _instant(trade.traded_time),
    )  # fmt: skip


def funds(asset: Any) -> Funds:
    """asset: an XtAsset. Raises Unreadable when its cash is not told."""
    cash = _needed(asset.cash, _MOST_YUAN, "cash")
    return Funds(_money(cash), _money(_told(asset.frozen_cash)), _money(_told(asset.market_value)))


def position(one: Any) -> Position:
    """one: an XtPosition. What was bought today is what was not there yesterday; older builds tell no last price. Raises Unreadable."""
    volume, yesterday = _number(one.volume, "volume"), _shares(one.yesterday_volume)
    price = _told(getattr(one, "last_price", None), _HIGHEST) or (
        _told(one.market_value) / volume if volume else 0
    )
    return Position(
        name(symbol_of(one.stock_code), "stock_code"), volume, max(0, volume - yesterday), _number(one.can_use_volume, "can_use_volume"),
        _money(_told(one.avg_price, _HIGHEST)), _money(price),
    )  # fmt: skip


def snapshot(account_id: str, money: Funds, positions: Iterable[Position], asked_at: Micros) -> Account:
    """The profit is what the positions have floating. It is as of when it was asked for: what came later need not be in it."""
    held = tuple(sorted((one for one in positions if one.volume), key=lambda one: one.symbol))
    pnl = sum(((one.price - (one.vwap or 0)) * one.volume for one in held), Decimal(0))
    balance = money.available + money.frozen
    return Account(
        asked_at, account_id, balance, money.available, money.frozen, money.market_value, pnl, held, asked_at
    )


def _money(amount: float) -> Decimal:
    """A price has at most three decimals, an amount of money two; the rest is a float's noise."""
    text = f"{float(amount):.4f}"
    return Decimal(text.removesuffix("00"))


def words(text: Any) -> str:
    """What the terminal says in words, beside a report of its own."""
    return clean(_text(text))


def _real(value: Any) -> float | None:
    """None for what is no number at all; NaN stays, and is within no bounds."""
    if isinstance(value, int):
        return value
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _told(value: Any, beyond: float = _MOST_YUAN) -> float:
    """A number, 0 where it is not told."""
    told = _real(value)
    return told if told is not None and -beyond < told < beyond else 0


def _needed(value: Any, beyond: float, what: str) -> float:
    told = _real(value)
    if told is None or not -beyond < told < beyond:
        raise Unreadable(f"{what} is not told")
    return told


def _shares(value: Any) -> int:
    """A count, 0 where it is not told."""
    told = _real(value)
    return int(told) if told is not None and 0 <= told < MOST_SHARES else 0


def _number(value: Any, what: str) -> int:
    return int(_needed(value, _LARGEST_NUMBER, what))


def _instant(seconds: Any) -> Micros:
    """The terminal counts seconds since 1970; 0: it did not say."""
    return Micros(int(_told(seconds, _LATEST)) * 1_000_000)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
