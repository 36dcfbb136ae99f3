"""The broker behind the terminal: takes orders and cancels, answers them in due time. Writes no output; tells a listener.

All its state can be made again from the ledger (`restore`): every decision goes there first.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final, Protocol

from orderdrop.system.clock import Micros, trade_date
from orderdrop.terminal.accounts import Account
from orderdrop.terminal.inputs import CancelRow, OrderRow
from orderdrop.terminal.ledger import Entry, Kind, Ledger
from orderdrop.terminal.orders import Order, Status, Trade, money, side_of, whole
from orderdrop.terminal.settings import Settings, after
from orderdrop.terminal.symbols import (
    BUY,
    CANCEL_FINISHED,
    CANCEL_NOT_ALLOWED,
    CANCEL_PENDING,
    LIMIT,
    NO_CASH,
    NO_POSITION,
    REASONS,
    RISK_RULE,
    answer_of,
    fills_of,
    kind_of,
    objection,
)

_FIRST_PRICE: Final = Decimal(10)


class Listener(Protocol):
    """Who is told: `at` is when the broker did it, `now` when the terminal learnt of it."""

    def status(self, order: Order, at: Micros, now: Micros) -> None: ...
    def trade(self, order: Order, trade: Trade, now: Micros) -> None: ...


class _Step(Enum):
    ACK = "ack"
    FILL = "fill"
    CANCEL = "cancel"


class Book:
    """Orders of one day, accounts, and what is due.

    Invariants: an order's row is in the ledger before anything is told of it; each fill is told once; what is set aside for
    an order is given back when it ends.
    """

    def __init__(self, settings: Settings, ledger: Ledger, listener: Listener, now: Micros) -> None:
        self._settings = settings
        self._ledger = ledger
        self._listener = listener
        self._day = trade_date(now)
        self._due: list[tuple[Micros, int, _Step, Order]] = []
        self._scheduled = 0
        self._last_price: dict[str, Decimal] = {}
        self._by_sid: dict[str, list[Order]] = {}
        self.orders: dict[str, Order] = {}
        self.trades: list[tuple[Order, Trade]] = []
        self.accounts: dict[str, Account] = {}
        for account_id in settings.accounts:
            self.account(account_id, now)

    def account(self, account_id: str, at: Micros) -> Account:
        """The account, opened if need be."""
        account = self.accounts.get(account_id)
        if account is None:
            account = self.accounts[account_id] = Account(account_id, at, self._settings.cash)
            for symbol, volume in self._settings.holdings:
                account.hold(symbol, volume, _FIRST_PRICE, at)
        return account

    def take(self, row: OrderRow, now: Micros) -> None:
        """Execute a row. A sid that was there before makes a second order."""
        number = len(self.orders) + 1
        entry = Entry(
            Kind.EXECUTED if row.file else Kind.MANUAL, now, row.sid, row.account_id, row.symbol, side_of(row),
            whole(row.volume), row.price, row.file, row.line, whole(row.order_type), f"{self._day:%Y%m%d}c{number:06d}",
        )  # fmt: skip
        self._ledger.add(entry)
        price = money(row.price)
        reason = objection(row.symbol, entry.order_type, whole(row.business), entry.volume, price)
        order = self._enter(entry, whole(row.business), price or Decimal(0))
        reason = reason or self._shortage(order)
        self._set_aside(order, order.rest)
        if reason:
            self._reject(order, reason, now, now)
            return
        self._listener.status(order, now, now)
        self._schedule(order, now)

    def cancel(self, row: CancelRow, now: Micros) -> None:
        """Every order of the sid; a sid that nobody knows leaves no trace."""
        self._ledger.add(Entry(Kind.CANCEL, now, row.sid, file=row.file, line=row.line))
        for order in self._by_sid.get(row.sid, ()):
            refusal = _cancel_refusal(order)
            if refusal:
                exec_id = f"{order.cl_ord_id}x{now}"
                trade = Trade(exec_id, Decimal(0), 0, now, refusal, REASONS[refusal])
                self._listener.trade(order, trade, now)
                continue
            self._note(Kind.CANCELING, order, now)
            order.status = Status.PENDING_CANCEL
            self._listener.status(order, now, now)
            self._push(after(now, self._settings.ack_delay), _Step.CANCEL, order)

    def advance(self, now: Micros) -> None:
        """Let happen what is due."""
        while self._due and self._due[0][0] <= now:
            at, _, step, order = heapq.heappop(self._due)
            if not order.live:
                continue
            if step is _Step.ACK:
                self._acknowledge(order, at, now)
            elif step is _Step.FILL:
                self._fill(order, at, now)
            elif order.status is Status.PENDING_CANCEL:
                self._note(Kind.CANCELED, order, at)
                self._end(order, Status.CANCELED)
                self._listener.status(order, at, now)

    def restore(self, entries: Iterable[Entry], now: Micros) -> None:
        """Become what the ledger tells. Nobody is told; what was due goes on."""
        canceling: dict[str, Micros] = {}
        for entry in entries:
            self._begin_day(trade_date(entry.at))
            if entry.kind in {Kind.EXECUTED, Kind.MANUAL}:
                business = {"buy": BUY, "sell": BUY + 1}.get(entry.side, whole(entry.side))
                order = self._enter(entry, business, money(entry.price) or Decimal(0))
                self._set_aside(order, order.rest)
            elif entry.cl_ord_id:
                self._again(entry, self.orders[entry.cl_ord_id])
            if entry.kind is Kind.CANCELING:
                canceling[entry.cl_ord_id] = entry.at
        self._begin_day(trade_date(now))
        for order in filter(lambda order: order.live, self.orders.values()):
            self._schedule(order, order.created_at)
            if order.cl_ord_id in canceling:
                self._push(after(canceling[order.cl_ord_id], self._settings.ack_delay), _Step.CANCEL, order)

    def _again(self, entry: Entry, order: Order) -> None:
        """What happened to an order, once more from the ledger."""
        if entry.kind is Kind.REJECTED:
            order.reject_code, order.reject_text = entry.order_type, REASONS[entry.order_type]
            self._end(order, Status.REJECTED)
        elif entry.kind is Kind.FILL:
            order.acknowledge()
            self._trade(order, Decimal(entry.price), entry.volume, entry.at)
        elif entry.kind is Kind.CANCELING:
            order.status = Status.PENDING_CANCEL
        elif entry.kind is Kind.CANCELED:
            order.acknowledge()
            self._end(order, Status.CANCELED)

    def _begin_day(self, day: date) -> None:
        if day == self._day:
            return
        self._day = day
        self.orders.clear()
        self.trades.clear()
        self._by_sid.clear()
        for account in self.accounts.values():
            account.new_day()

    def _enter(self, entry: Entry, business: int, price: Decimal) -> Order:
        last = self._last_price.get(entry.symbol, _FIRST_PRICE)
        order = Order(
            len(self.orders) + 1, entry.cl_ord_id, entry.account_id, entry.sid, entry.symbol, entry.order_type, business,
            entry.volume, price, price if entry.order_type == LIMIT else last, entry.at,
        )  # fmt: skip
        self.orders[order.cl_ord_id] = order
        if order.sid:
            self._by_sid.setdefault(order.sid, []).append(order)
        self.account(order.account_id, entry.at)
        return order

    def _shortage(self, order: Order) -> int:
        account = self.accounts[order.account_id]
        if order.business == BUY:
            return NO_CASH if order.worth * order.volume > account.available else 0
        return NO_POSITION if order.volume > account.sellable(order.symbol) else 0

    def _set_aside(self, order: Order, volume: int) -> None:
        amount = order.worth * volume if order.business == BUY else None
        self.accounts[order.account_id].set_aside(order.symbol, volume, amount)

    def _schedule(self, order: Order, start: Micros) -> None:
        """The acknowledgement and the fills that are still to come."""
        at = after(start, self._settings.ack_delay)
        self._push(at, _Step.ACK, order)
        for number in range(len(fills_of(order.symbol, order.volume))):
            if number >= order.fills:
                self._push(after(at, self._settings.fill_delay * (number + 1)), _Step.FILL, order)

    def _push(self, at: Micros, step: _Step, order: Order) -> None:
        self._scheduled += 1
        heapq.heappush(self._due, (at, self._scheduled, step, order))

    def _acknowledge(self, order: Order, at: Micros, now: Micros) -> None:
        if answer_of(order.symbol).rejected:
            self._reject(order, RISK_RULE, at, now)
            return
        order.acknowledge()
        if order.status is Status.PENDING_NEW:
            order.status = Status.NEW
            self._listener.status(order, at, now)

    def _fill(self, order: Order, at: Micros, now: Micros) -> None:
        volume = fills_of(order.symbol, order.volume)[order.fills]
        self._note(Kind.FILL, order, at, volume, order.worth)
        trade = self._trade(order, order.worth, volume, at)
        self._listener.status(order, at, now)
        self._listener.trade(order, trade, now)

    def _trade(self, order: Order, price: Decimal, volume: int, at: Micros) -> Trade:
        account = self.accounts[order.account_id]
        if order.business == BUY:
            self._set_aside(order, -volume)
            kind = kind_of(order.symbol)
            account.bought(order.symbol, volume, price, at, t0=kind is not None and kind.t0)
        else:
            account.sold(order.symbol, volume, price, at)
        order.filled += volume
        order.fills += 1
        if not order.rest:
            order.status = Status.FILLED
        elif order.status is not Status.PENDING_CANCEL:
            order.status = Status.PARTIALLY_FILLED
        self._last_price[order.symbol] = price
        trade = Trade(f"{order.cl_ord_id}e{order.fills}", price, volume, at)
        self.trades.append((order, trade))
        return trade

    def _reject(self, order: Order, code: int, at: Micros, now: Micros) -> None:
        self._note(Kind.REJECTED, order, at, code=code)
        order.reject_code, order.reject_text = code, REASONS[code]
        self._end(order, Status.REJECTED)
        self._listener.status(order, at, now)

    def _end(self, order: Order, status: Status) -> None:
        self._set_aside(order, -order.rest)
        order.status = status

    def _note(
        self,
        kind: Kind,
        order: Order,
        at: Micros,
        volume: int = 0,
        price: Decimal | None = None,
        code: int = 0,
    ) -> None:
        """code: of a rejection; it stands in the column of the order type."""
        text = "" if price is None else format(price, "f")
        cells = (order.sid, order.account_id, order.symbol, "", volume, text, "", 0, code, order.cl_ord_id)
        self._ledger.add(Entry(kind, at, *cells, REASONS.get(code, "")))


def _cancel_refusal(order: Order) -> int:
    if not order.live:
        return CANCEL_FINISHED
    if order.status is Status.PENDING_CANCEL:
        return CANCEL_PENDING
    return 0 if answer_of(order.symbol).cancelable else CANCEL_NOT_ALLOWED
