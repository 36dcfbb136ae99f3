"""What MiniQMT tells, as plain values: copied out of the vendor's objects in the vendor's thread, and never touched by it again. Pure.

Floats end here: prices and amounts become Decimal.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from orderdrop.clock import Micros
from orderdrop.gateway.miniqmt_codes import symbol_of
from orderdrop.order.report import Account, Position


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
    """The answer to one of the questions of a full query."""

    round: int
    account_id: str
    question: str
    value: Any


Event = Up | Down | AccountState | Listed | Traded | Numbered | OrderFault | CancelAnswer | Answer


class Funds(NamedTuple):
    """In yuan. available: what can be spent; frozen: what open orders hold."""

    available: Decimal
    frozen: Decimal
    market_value: Decimal


class Full(NamedTuple):
    """All that one account has, asked at `begun`. account: None when the terminal gave no funds."""

    account_id: str
    begun: Micros
    orders: tuple[Listed, ...]
    trades: tuple[Traded, ...]
    account: Account | None


def listed(order: Any) -> Listed:
    """order: an XtOrder. Raises AttributeError, ValueError, TypeError for what is none."""
    return Listed(
        _text(order.account_id), int(order.order_id), _text(getattr(order, "order_sysid", "")), symbol_of(order.stock_code),
        int(order.order_type), int(order.order_volume), int(order.traded_volume), int(order.order_status),
        _text(getattr(order, "status_msg", "")), _text(getattr(order, "order_remark", "")), _instant(order.order_time),
    )  # fmt: skip


def traded(trade: Any) -> Traded:
    """trade: an XtTrade."""
    return Traded(
        _text(trade.account_id), int(trade.order_id), _text(getattr(trade, "order_sysid", "")), _text(trade.traded_id),
        int(trade.traded_volume), _money(trade.traded_price), _text(getattr(trade, "order_remark", "")),
        _instant(trade.traded_time),
    )  # fmt: skip


def funds(asset: Any) -> Funds:
    """asset: an XtAsset."""
    return Funds(_money(asset.cash), _money(asset.frozen_cash), _money(asset.market_value))


def position(one: Any) -> Position:
    """one: an XtPosition. What was bought today is what was not there yesterday; older builds tell no last price."""
    volume = int(one.volume)
    price = getattr(one, "last_price", None) or (one.market_value / volume if volume else 0)
    return Position(
        symbol_of(one.stock_code), volume, max(0, volume - int(one.yesterday_volume)), int(one.can_use_volume),
        _money(one.avg_price), _money(price),
    )  # fmt: skip


def snapshot(account_id: str, money: Funds, positions: Iterable[Position], asked_at: Micros) -> Account:
    """The profit is what the positions have floating. It is as of when it was asked for: what came later need not be in it."""
    held = tuple(sorted((one for one in positions if one.volume), key=lambda one: one.symbol))
    pnl = sum(((one.price - one.vwap) * one.volume for one in held), Decimal(0))
    balance = money.available + money.frozen
    return Account(
        asked_at, account_id, balance, money.available, money.frozen, money.market_value, pnl, held
    )


def _money(amount: float) -> Decimal:
    """A price has at most three decimals, an amount of money two; the rest is a float's noise."""
    text = f"{float(amount):.4f}"
    return Decimal(text.removesuffix("00"))


def _instant(seconds: int) -> Micros:
    """The terminal counts seconds since 1970; 0: it did not say."""
    return Micros(int(seconds) * 1_000_000)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
