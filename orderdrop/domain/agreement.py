"""Tells whether an account's cash and holdings leave room for an order that nobody has heard of. Pure.

Two snapshots of an account are compared: one from before the order was handed over, one from well after it. What the known orders have done in
between explains a range of changes: exact where their times are clear, wide where they are not. An order that reached the broker
leaves a trace that this range cannot hold: a purchase takes cash or brings shares, a sale takes shares that could be sold, or brings cash.
Only a change that is explained without the order, and could not be with any part of it, agrees with its absence. An order that the
broker refused, or that was cancelled unfilled, leaves no trace; it has not traded either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from orderdrop.domain.board import board_of
from orderdrop.domain.order import FROM_HOLDING, PAID_IN_CASH, RETURNS, OrderBusiness, OrderType
from orderdrop.system.clock import Micros

ZERO: Final = Decimal(0)
_CENT: Final = Decimal("0.01")

_FEE_RATE: Final = Decimal("0.005")
_FEE_AT_LEAST: Final = Decimal(6)
"""The most that a trade is charged, or an order sets aside for charges: wider than any tariff known."""

_BETTER: Final = 2
"""A sale brings its limit, or more: so many times as much at most."""

_ANY_PRICE: Final = Decimal(1_000_000)
_KINDS: Final = frozenset({"stock", "fund", "bond"})

PLAIN_BUYS: Final = frozenset({OrderBusiness.BUY, OrderBusiness.COLLATERAL_BUY})
PLAIN_SALES: Final = frozenset({OrderBusiness.SELL, OrderBusiness.COLLATERAL_SELL})


class Holding(NamedTuple):
    """Shares, and how many of them could be sold."""

    volume: int = 0
    sellable: int = 0


class Snapshot(NamedTuple):
    """An account as it was told. cash_at, held_at: when it was so, by the terminal; None: holdings were not told.

    read_at: when we had read it, by our clock: what was handed over from then on is not in it.
    whole: the account held nothing else; False of one that was journaled with the symbols of its batch alone.
    """

    cash_at: Micros
    held_at: Micros | None
    read_at: Micros
    available: Decimal
    frozen: Decimal
    holdings: Mapping[str, Holding]
    whole: bool = True

    def knows(self, symbol: str) -> bool:
        return self.whole or symbol in self.holdings


class Trade(NamedTuple):
    at: Micros
    volume: int
    price: Decimal
    fee: Decimal | None = None


class Ordered(NamedTuple):
    """An order that left. limit: None for market orders. handed_at: by our clock, not before that; None: not known; the others by the broker's.

    confirmed_at: None: nobody has heard of it. told: the filled volume that the broker has claimed, 0: none.
    """

    symbol: str
    volume: int
    business: int
    limit: Decimal | None
    handed_at: Micros | None = None
    confirmed_at: Micros | None = None
    closed_at: Micros | None = None
    told: int = 0
    trades: tuple[Trade, ...] = ()

    @property
    def buys(self) -> bool:
        return self.business in PLAIN_BUYS

    @property
    def sells(self) -> bool:
        return self.business in PLAIN_SALES

    @property
    def filled(self) -> int:
        return sum(trade.volume for trade in self.trades)

    @property
    def most(self) -> Decimal:
        """The most that it can be worth, in yuan."""
        price = _ANY_PRICE if self.limit is None else self.limit if self.buys else self.limit * _BETTER
        return price * self.volume


class _Range:
    """What a figure may have changed by."""

    def __init__(self) -> None:
        self.low = self.high = ZERO

    def add(self, low: Decimal | int, high: Decimal | int) -> None:
        self.low += low
        self.high += high

    def holds(self, change: Decimal | int) -> bool:
        return self.low <= change <= self.high


class _Seen(NamedTuple):
    """How sure it is that something shows in a snapshot: 0 to 1 at least, 0 to 1 at most."""

    least: int
    most: int


_SURELY, _NEVER, _PERHAPS = _Seen(1, 1), _Seen(0, 0), _Seen(0, 1)


class _Explained:
    """What the known orders explain of the changes from one snapshot to another. lag: microseconds, see `room_for`."""

    def __init__(self, before: Snapshot, after: Snapshot, symbol: str, lag: int) -> None:
        self._before, self._after, self._symbol, self._lag = before, after, symbol, lag
        self.cash, self.frozen, self.shares, self.sellable = _Range(), _Range(), _Range(), _Range()

    def add(self, order: Ordered) -> None:
        if order.handed_at is not None and order.handed_at >= self._after.read_at:
            return
        if order.confirmed_at is None:
            self._add_silent(order)
        else:
            self._add_money(order)
            self._add_frozen(order)
            if order.symbol == self._symbol:
                self._add_shares(order)
                self._add_sellable(order)

    def _add_silent(self, order: Ordered) -> None:
        """It may have done anything, or nothing; what it has done before may be over."""
        most, volume = order.most + _fee(order.most), order.volume
        old = order.handed_at is None or order.handed_at < self._before.read_at
        gives_back = most if old or not order.buys else ZERO
        self.cash.add(-most if not order.sells else -_fee(order.most), gives_back)
        self.frozen.add(-most if old else 0, most)
        if order.symbol == self._symbol:
            self.shares.add(0 if order.buys else -volume, 0 if order.sells else volume)
            back = order.sells and old
            self.sellable.add(0 if order.buys else -volume, volume if back or self._comes_back(order) else 0)

    def _add_money(self, order: Ordered) -> None:
        """What was paid and received."""
        for trade in order.trades:
            value = trade.price * trade.volume
            fees = (_fee(value), ZERO) if trade.fee is None else (trade.fee, trade.fee)
            low, high = -value - fees[0], value - fees[1]
            if order.buys or order.sells:
                low, high = (low, -value - fees[1]) if order.buys else (value - fees[0], high)
            seen = self._change(order, trade.at, cash=True)
            self.cash.add(min(seen.least * low, seen.most * low), max(seen.least * high, seen.most * high))
        untold = max(0, order.told - order.filled)
        if untold:
            most = untold * order.most / order.volume
            self.cash.add(-most - _fee(most), ZERO if order.buys else most)

    def _add_frozen(self, order: Ordered) -> None:
        """What open purchases set aside, is not available. It is what it is at a time, not what has happened until then."""
        if order.business not in PAID_IN_CASH:
            return
        before, after = self._set_aside(order, self._before), self._set_aside(order, self._after)
        low, high = after[0] - before[1], after[1] - before[0]
        self.frozen.add(low, high)
        self.cash.add(-high, -low)

    def _set_aside(self, order: Ordered, at: Snapshot) -> tuple[Decimal, Decimal]:
        placed = self._placed(order, at, cash=True)
        closed = _NEVER if order.closed_at is None else self._seen(order, order.closed_at, at, cash=True)
        if not placed.most or closed.least:
            return ZERO, ZERO
        seen = [(trade.volume, self._seen(order, trade.at, at, cash=True)) for trade in order.trades]
        untold = max(0, order.told - order.filled)
        least = max(0, order.volume - untold - sum(volume * its.most for volume, its in seen))
        most = order.volume - sum(volume * its.least for volume, its in seen)
        if order.limit is None:
            return ZERO, most * _ANY_PRICE
        surely = placed.least and not closed.most
        worth = most * order.limit
        return (least * order.limit if surely else ZERO), worth + (_fee(worth) if worth else ZERO)

    def _add_shares(self, order: Ordered) -> None:
        for trade in order.trades:
            seen = self._change(order, trade.at, cash=False)
            self._may_move(self.shares, order, seen.least * trade.volume, seen.most * trade.volume)
        self._may_move(self.shares, order, 0, max(0, order.told - order.filled))

    def _may_move(self, what: _Range, order: Ordered, least: int, most: int) -> None:
        if order.buys:
            what.add(least, most)
        elif order.sells:
            what.add(-most, -least)
        else:
            what.add(-most, most)

    def _add_sellable(self, order: Ordered) -> None:
        """A sale takes all that it may sell at once, and gives back what it has not sold. What is bought can be sold today, or cannot."""
        if order.business not in FROM_HOLDING | RETURNS:
            if not self._comes_back(order):
                return
            for trade in order.trades:
                self.sellable.add(0, self._change(order, trade.at, cash=False).most * trade.volume)
            self.sellable.add(0, max(0, order.told - order.filled))
            return
        placed = self._difference(
            self._placed(order, self._before, cash=False), self._placed(order, self._after, cash=False)
        )
        self.sellable.add(-placed.most * order.volume, -placed.least * order.volume)
        if order.closed_at is not None:
            back, seen = order.volume - order.filled, self._change(order, order.closed_at, cash=False)
            self.sellable.add(seen.least * back, seen.most * back)

    def _comes_back(self, order: Ordered) -> bool:
        """Whether what it buys may be sold today: a stock may not, of others the code does not tell."""
        board = board_of(order.symbol)
        return not order.sells and (board is None or board.t0 or board.kind != "stock" or not order.buys)

    # what a snapshot shows

    def _change(self, order: Ordered, at: Micros, *, cash: bool) -> _Seen:
        """How sure it is that something that happened once is in the later snapshot and not in the earlier one."""
        return self._difference(
            self._seen(order, at, self._before, cash=cash), self._seen(order, at, self._after, cash=cash)
        )

    def _difference(self, before: _Seen, after: _Seen) -> _Seen:
        return _Seen(max(0, after.least - before.most), max(0, after.most - before.least))

    def _seen(self, order: Ordered, at: Micros, by: Snapshot, *, cash: bool) -> _Seen:
        told_at = by.cash_at if cash or by.held_at is None else by.held_at
        if order.handed_at is not None and order.handed_at >= by.read_at:
            return _NEVER
        if at <= told_at - self._lag:
            return _SURELY
        return _NEVER if at > told_at + self._lag else _PERHAPS

    def _placed(self, order: Ordered, by: Snapshot, *, cash: bool) -> _Seen:
        """Somewhere between the hand-over and the first word of it."""
        assert order.confirmed_at is not None  # noqa: S101  the silent ones are another matter
        seen = self._seen(order, order.confirmed_at, by, cash=cash)
        return _PERHAPS if seen is _NEVER and not self._was_later(order, by) else seen

    def _was_later(self, order: Ordered, by: Snapshot) -> bool:
        return order.handed_at is not None and order.handed_at >= by.read_at


def room_for(doubted: Ordered, before: Snapshot, after: Snapshot, others: Iterable[Ordered], lag: int) -> str:
    """Why the account does not rule this order out; "" when it does.

    before: read before the order was handed over. after: newer than it by `lag`, in which a snapshot may be behind (microseconds).
    others: every other order of the account that left, as far as it can have changed anything since `before`.
    """
    if not (doubted.buys or doubted.sells) or not _is_plain(doubted.symbol):
        return NOT_PLAIN
    if before.held_at is None or after.held_at is None:
        return NO_HOLDINGS
    explained = _Explained(before, after, doubted.symbol, lag)
    count = 1
    for order in others:
        explained.add(order)
        count += 1 + len(order.trades)
    explained.cash.add(-_CENT * count, _CENT * count)  # what is told is rounded
    explained.frozen.add(-_CENT * count, _CENT * count)
    return (_bought if doubted.buys else _sold)(doubted, before, after, explained)


def _bought(doubted: Ordered, before: Snapshot, after: Snapshot, explained: _Explained) -> str:
    shares = _of(after, doubted).volume - _of(before, doubted).volume
    if not explained.shares.holds(shares) or shares > explained.shares.low:
        return SHARES_LEFT
    # None of it has traded, so if it stands at the broker, it has set aside all that it may come to.
    price = _CENT if doubted.limit is None else doubted.limit
    cash = after.available - before.available
    if not explained.cash.holds(cash) or cash <= explained.cash.high - price * doubted.volume:
        return CASH_LEFT
    if after.frozen > 0 and after.frozen - before.frozen > explained.frozen.high:
        return CASH_LEFT
    return ""


def _sold(doubted: Ordered, before: Snapshot, after: Snapshot, explained: _Explained) -> str:
    earlier, later = _of(before, doubted), _of(after, doubted)
    if earlier.sellable < doubted.volume:
        return NOT_HELD
    shares = later.volume - earlier.volume
    if not explained.shares.holds(shares) or shares < explained.shares.high:
        return SHARES_LEFT
    sellable = later.sellable - earlier.sellable
    if not explained.sellable.holds(sellable) or sellable <= explained.sellable.high - doubted.volume:
        return SHARES_LEFT
    return "" if explained.cash.holds(after.available - before.available) else CASH_LEFT


def _of(snapshot: Snapshot, order: Ordered) -> Holding:
    return snapshot.holdings.get(order.symbol, Holding())


def _fee(value: Decimal) -> Decimal:
    return max(_FEE_AT_LEAST, value * _FEE_RATE)


def _is_plain(symbol: str) -> bool:
    board = board_of(symbol)
    return board is not None and board.kind in _KINDS


def limit_of(order_type: int, price: Decimal | None) -> Decimal | None:
    """The price that bounds what an order may come to."""
    return price if order_type == OrderType.LIMIT else None


NO_FUNDS: Final = "终端没有告诉资金，什么都证明不了 / the terminal tells no funds: nothing can be proven"
NO_HOLDINGS: Final = (
    "终端没有告诉持仓，什么都证明不了 / the terminal tells no holdings: nothing can be proven"
)
NOT_KNOWN_THEN: Final = (
    "送出之前的资金和持仓没有记下 / funds and holdings of before the hand-over are not known"
)
NOT_TOLD_SINCE: Final = "终端还没有告诉之后的资金和持仓 / the terminal has told no funds and holdings since"
CASH_LEFT: Final = "资金的变化用已知的委托解释不了，可能就是它 / cash has changed as no known order explains: it may be this one"
SHARES_LEFT: Final = "持仓的变化用已知的委托解释不了，可能就是它 / holdings have changed as no known order explains: it may be this one"
NOT_HELD: Final = (
    "送出之前没有可卖的持仓，看不出它 / the account held no shares to sell before: it would not show"
)
NOT_PLAIN: Final = (
    "信用委托或回购在资金和持仓里看不出 / an order of this kind does not show in cash and holdings"
)
