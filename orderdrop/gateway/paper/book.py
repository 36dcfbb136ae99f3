"""Keeps the paper broker's book in memory: accounts, holdings, open orders; what an order, a cancel or a new day does to them.

No I/O. What a call changes is noted in `changes`, and whoever keeps the book writes that down before anybody is told.
Money is Decimal yuan, volumes are shares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from orderdrop.domain.board import Board, board_of
from orderdrop.domain.report import Account, CancelReject, Fill, Position, Report, StatusReport
from orderdrop.domain.status import Status
from orderdrop.gateway.base import Cancel, Outgoing
from orderdrop.gateway.paper.rules import (
    BAD_VOLUME,
    BUY,
    CANCEL_NOT_ALLOWED,
    NO_CASH,
    NO_POSITION,
    SELL,
    Deal,
    Rejection,
    Tariff,
    cents,
    is_regular,
    is_whole_remainder,
    judge,
    reject,
)
from orderdrop.system.clock import Micros

ZERO = Decimal(0)
_VWAP = Decimal("0.0001")


class Opening(NamedTuple):
    """What a new account holds of a symbol. cost: of a share, None where the settings do not say."""

    volume: int
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What the settings say. cash and positions (by canonical symbol): of a new account."""

    tariff: Tariff
    cash: Decimal
    positions: Mapping[str, Opening]
    simulate: bool


@dataclass(slots=True)
class Holding:
    """today: bought today. frozen: offered by open sales. cost: of what is held, without fees; None until somebody knows it.

    price: of the last trade.
    """

    volume: int = 0
    today: int = 0
    frozen: int = 0
    cost: Decimal | None = ZERO
    price: Decimal = ZERO

    def sellable(self, board: Board | None) -> int:
        waits = 0 if board is not None and board.t0 else self.today
        return self.volume - waits - self.frozen


@dataclass(slots=True)
class PaperAccount:
    """cash: all of it, frozen: of it, set aside for open purchases. opening: the account's worth on its first day."""

    id: str
    cash: Decimal
    frozen: Decimal
    fees: Decimal
    opening: Decimal
    holdings: dict[str, Holding]

    @property
    def available(self) -> Decimal:
        return self.cash - self.frozen


@dataclass(slots=True)
class PaperOrder:
    """An order as the broker has it. value, fees: of what has traded. price: of its fills, None when it was rejected."""

    number: int
    batch_id: int
    account_id: str
    sid: str
    symbol: str
    volume: int
    order_type: int
    business: int
    price: Decimal | None
    taken_at: Micros
    status: Status = Status.NEW
    cancelable: bool = True
    filled: int = 0
    value: Decimal = ZERO
    fees: Decimal = ZERO
    frozen: Decimal = ZERO

    @property
    def order_id(self) -> str:
        return str(self.number)


@dataclass(slots=True)
class Changes:
    """What is not written down yet."""

    accounts: set[str] = field(default_factory=set)
    holdings: set[tuple[str, str]] = field(default_factory=set)
    orders: dict[int, PaperOrder] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    day: bool = False


class Book:
    """The broker's state on one trading day.

    Invariants: no account has less than nothing available; no holding has less than nothing to sell; a holding's and an
    account's frozen parts are the sums over the open orders.
    """

    def __init__(self, terms: Terms, day: date, last_number: int, last_seq: int) -> None:
        self.terms = terms
        self.day = day
        self.last_number = last_number
        self.last_seq = last_seq
        self.accounts: dict[str, PaperAccount] = {}
        self.changes = Changes()
        self.last_prices: dict[str, Decimal] = {}  # of fills, by symbol
        self._open: dict[tuple[str, str], list[PaperOrder]] = {}

    # an order

    def take(
        self, order: Outgoing, batch_id: int, quote: Callable[[str], Decimal | None], at: Micros
    ) -> None:
        """Execute or reject it. A sid that was here before is executed again: that is the router's business."""
        account = self._account(order.account_id, quote)
        deal = judge(order, quote, simulate=self.terms.simulate)
        taken = self._new_order(order, batch_id, deal, at)
        wrong = deal if isinstance(deal, Rejection) else self._freeze(account, taken, deal)
        if wrong is not None:
            taken.status, taken.price = Status.REJECTED, None
            self._tell(taken, at, wrong.code, wrong.text)
        elif isinstance(deal, Deal):
            self._tell(taken, at)
            for volume in deal.fills:
                self._fill(account, taken, deal, volume, at)
            if taken.status is not Status.FILLED:
                self.add_open(taken)

    def add_open(self, order: PaperOrder) -> None:
        self._open.setdefault((order.account_id, order.sid), []).append(order)

    def _new_order(self, order: Outgoing, batch_id: int, deal: Deal | Rejection, at: Micros) -> PaperOrder:
        self.last_number += 1
        price, cancelable = (None, False) if isinstance(deal, Rejection) else (deal.price, deal.cancelable)
        taken = PaperOrder(
            self.last_number, batch_id, order.account_id, order.sid, order.symbol, order.volume,
            order.order_type, order.order_business, price, at, Status.NEW, cancelable,
        )  # fmt: skip
        self.changes.orders[taken.number] = taken
        return taken

    def _freeze(self, account: PaperAccount, order: PaperOrder, deal: Deal) -> Rejection | None:
        if order.business == BUY:
            return self._freeze_cash(account, order, deal)
        return self._freeze_shares(account, order, deal)

    def _freeze_cash(self, account: PaperAccount, order: PaperOrder, deal: Deal) -> Rejection | None:
        value = deal.price * order.volume
        need = value + self.terms.tariff.total(deal.board, BUY, value)
        if need > account.available:
            return reject(
                NO_CASH,
                f"需要 {need}，可用 {account.available}",
                f"{need} needed, {account.available} available",
            )
        account.frozen += need
        order.frozen = need
        return None

    def _freeze_shares(self, account: PaperAccount, order: PaperOrder, deal: Deal) -> Rejection | None:
        holding = account.holdings.get(order.symbol)
        sellable = holding.sellable(deal.board) if holding else 0
        if holding is None or order.volume > sellable:
            return reject(
                NO_POSITION,
                f"卖 {order.volume}，可卖 {sellable}",
                f"{order.volume} to sell, {sellable} available",
            )
        if not (
            is_regular(deal.board, order.volume) or is_whole_remainder(deal.board, order.volume, sellable)
        ):
            return reject(
                BAD_VOLUME,
                f"零股须一次卖出，可卖 {sellable}",
                f"an odd lot is sold whole, {sellable} available",
            )
        if self._fees_beyond(deal) > account.available:
            return reject(NO_CASH, "卖出所得不够付费用", "the proceeds do not pay the fees")
        holding.frozen += order.volume
        self.changes.holdings.add((account.id, order.symbol))
        return None

    def _fees_beyond(self, deal: Deal) -> Decimal:
        """The cash that a sale may need: its fees may be more than its proceeds, most of all at the first fill."""
        worst, value = ZERO, ZERO
        for volume in deal.fills:
            value += deal.price * volume
            worst = max(worst, self.terms.tariff.total(deal.board, SELL, value) - value)
        return worst

    def _fill(self, account: PaperAccount, order: PaperOrder, deal: Deal, volume: int, at: Micros) -> None:
        value = deal.price * volume
        order.value += value
        order.filled += volume
        fees = self.terms.tariff.total(deal.board, order.business, order.value)
        fee, order.fees = fees - order.fees, fees
        account.fees += fee
        if order.business == BUY:
            holding = _bought(account, order, volume, value, fee)
        else:
            holding = _sold(account, order, volume, value - fee)
        holding.price = self.last_prices[order.symbol] = deal.price
        self.changes.holdings.add((account.id, order.symbol))
        order.status = Status.FILLED if order.filled == order.volume else Status.PARTIALLY_FILLED
        exec_id = f"{order.number}-{order.filled}"
        self.changes.reports.append(
            Fill(at, account.id, order.sid, exec_id, volume, deal.price, order.order_id, fee)
        )
        self._tell(order, at)

    def _tell(self, order: PaperOrder, at: Micros, code: int = 0, text: str = "") -> None:
        self.changes.reports.append(
            StatusReport(
                at, order.account_id, order.sid, order.status, order.order_id, order.filled, code, text
            )
        )

    # a cancel, a new day

    def cancel(self, cancel: Cancel, at: Micros) -> bool:
        """False when there is no open order of that sid. Of a sid that was sent twice, both are cancelled."""
        orders = list(self._open.get((cancel.account_id, cancel.sid), ()))
        for order in orders:
            if not order.cancelable:
                self.refuse_cancel(cancel, CANCEL_NOT_ALLOWED, at)
                continue
            order.status = Status.PENDING_CANCEL
            self._tell(order, at)
            self._close(order, Status.CANCELED, at)
        return bool(orders)

    def refuse_cancel(self, cancel: Cancel, code: int, at: Micros) -> None:
        self.changes.reports.append(CancelReject(at, cancel.account_id, cancel.sid, code, reject(code).text))

    def begin_day(self, today: date, at: Micros) -> None:
        """Open orders expire, what was bought can be sold. Nothing happens on the day that the book is of, or before it."""
        if today <= self.day:
            return
        for orders in list(self._open.values()):
            for order in list(orders):
                self._close(order, Status.EXPIRED, at)
        for account in self.accounts.values():
            for symbol, holding in account.holdings.items():
                if holding.today:
                    holding.today = 0
                    self.changes.holdings.add((account.id, symbol))
        self.day = today
        self.changes.day = True

    def _close(self, order: PaperOrder, status: Status, at: Micros) -> None:
        """Give back what the order had frozen."""
        account = self.accounts[order.account_id]
        if order.business == BUY:
            account.frozen -= order.frozen
            order.frozen = ZERO
            self.changes.accounts.add(account.id)
        else:
            account.holdings[order.symbol].frozen -= order.volume - order.filled
            self.changes.holdings.add((account.id, order.symbol))
        order.status = status
        self.changes.orders[order.number] = order
        self._forget_open(order)
        self._tell(order, at)

    def _forget_open(self, order: PaperOrder) -> None:
        key = (order.account_id, order.sid)
        self._open[key].remove(order)
        if not self._open[key]:
            del self._open[key]

    # accounts

    def open_account(self, account_id: str, quote: Callable[[str], Decimal | None]) -> None:
        """Before its first order, so that programs see its cash and holdings; one that is open already is left alone."""
        if account_id not in self.accounts:
            self._account(account_id, quote)

    def _account(self, account_id: str, quote: Callable[[str], Decimal | None]) -> PaperAccount:
        """The account, opened when it is used for the first time; holdings come in at their reference price, or what they are said to have cost."""
        self.changes.accounts.add(account_id)
        account = self.accounts.get(account_id)
        if account is not None:
            return account
        holdings = {}
        for symbol, (volume, said) in self.terms.positions.items():
            price = quote(symbol) or said
            cost = said or price
            holdings[symbol] = Holding(
                volume, cost=None if cost is None else cost * volume, price=price or ZERO
            )
            self.changes.holdings.add((account_id, symbol))
        worth = self.terms.cash + sum((held.price * held.volume for held in holdings.values()), ZERO)
        account = PaperAccount(account_id, self.terms.cash, ZERO, ZERO, worth, holdings)
        self.accounts[account_id] = account
        return account

    def snapshot(self, account_id: str, quote: Callable[[str], Decimal | None], at: Micros) -> Account | None:
        """None for an account that was never used. A holding is worth its quote, else its last trade's price."""
        account = self.accounts.get(account_id)
        if account is None:
            return None
        positions = tuple(
            _position(symbol, holding, quote(symbol))
            for symbol, holding in sorted(account.holdings.items())
            if holding.volume
        )
        value = sum((cents(position.price * position.volume) for position in positions), ZERO)
        pnl = account.cash + value - account.opening
        return Account(
            at, account_id, account.cash, account.available, account.frozen, value, pnl, positions, held_at=at
        )


def _position(symbol: str, holding: Holding, quote: Decimal | None) -> Position:
    vwap = quote if holding.cost is None else (holding.cost / holding.volume).quantize(_VWAP)
    sellable = holding.sellable(board_of(symbol))
    return Position(symbol, holding.volume, holding.today, sellable, vwap, quote or holding.price)


def _cost(account: PaperAccount, holding: Holding, price: Decimal) -> Decimal:
    """What is held has cost so much; of what nobody knew a price, as much as its first trade says: then it was worth that from the beginning."""
    if holding.cost is None:
        account.opening += price * holding.volume
        return price * holding.volume
    return holding.cost


def _bought(account: PaperAccount, order: PaperOrder, volume: int, value: Decimal, fee: Decimal) -> Holding:
    paid = value + fee
    account.cash -= paid
    account.frozen -= paid
    order.frozen -= paid
    holding = account.holdings.get(order.symbol)
    if holding is None:
        holding = account.holdings[order.symbol] = Holding()
    cost = _cost(account, holding, value / volume)
    holding.volume += volume
    holding.today += volume
    holding.cost = cost + value
    return holding


def _sold(account: PaperAccount, order: PaperOrder, volume: int, proceeds: Decimal) -> Holding:
    """What was bought today is sold last."""
    holding = account.holdings[order.symbol]
    account.cash += proceeds
    left = holding.volume - volume
    holding.cost = (_cost(account, holding, order.price or ZERO) * left / holding.volume).quantize(_VWAP)
    holding.volume = left
    holding.frozen -= volume
    holding.today = min(holding.today, left)
    return holding
