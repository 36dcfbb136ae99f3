"""Checks what the day adds to a board's rules: limit prices, the cage in continuous trading, what an instruments file knows better."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from orderdrop.domain.board import Board
from orderdrop.domain.order import BUYS, FROM_HOLDING, PAID_IN_CASH, TO_HOLDING, Order, OrderType
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.security import Instrument
from orderdrop.risk.context import Context, Range
from orderdrop.risk.ledger import UNKNOWN_WORTH, ZERO, Entry

_LIMIT = int(OrderType.LIMIT)
_HUNDRED = Decimal(100)
REPO_UNIT = Decimal(100)


def limit_prices(board: Board, known: Instrument | None) -> Range | None:
    """The day's lowest and highest price; None: nobody knows, or there is none."""
    if known is None or known.unlimited:
        return None
    if known.lower is not None and known.upper is not None:
        return Range(known.lower, known.upper)
    percent = known.limit_percent or board.limit_percent
    if known.previous_close is None or percent is None:
        return None
    return Range(
        max(
            min(_moved(known.previous_close, -percent, board.tick), known.previous_close - board.tick),
            board.tick,
        ),
        max(_moved(known.previous_close, percent, board.tick), known.previous_close + board.tick),
    )


def cage_prices(board: Board, known: Instrument | None) -> Range | None:
    """The lowest price of a sale and the highest of a purchase in continuous trading; None: nobody knows, or there are none."""
    if known is None or known.last is None or board.cage_percent is None:
        return None
    ticks = board.cage_ticks * board.tick
    return Range(
        min(known.last * (_HUNDRED - board.cage_percent) / _HUNDRED, known.last - ticks),
        max(known.last * (_HUNDRED + board.cage_percent) / _HUNDRED, known.last + ticks),
    )


def _moved(price: Decimal, percent: Decimal | int, tick: Decimal) -> Decimal:
    moved = price * (_HUNDRED + percent) / _HUNDRED
    return (moved / tick).quantize(Decimal(1), ROUND_HALF_UP) * tick


def worth(order: Order, context: Context) -> Decimal | None:
    """Yuan for each unit of volume, the most that it may come to; None where nobody can say. See `most`."""
    board, buy, price = context.board_of(order.symbol), order.order_business in BUYS, order.price
    if board is not None and board.kind == "repo":
        return REPO_UNIT
    if buy and price is not None:
        return price
    around = context.around
    return most(
        price,
        around.ranges[order.symbol],
        around.instruments[order.symbol],
        buy=buy,
        market=order.order_type != _LIMIT,
    )


def most(
    price: Decimal | None, prices: Range | None, known: Instrument | None, *, buy: bool, market: bool
) -> Decimal | None:
    """A purchase never costs more than its price. A sale never brings less, so the most is the highest price of the day, else the last one,
    when that is more. Where nobody knows either, a limit sale is worth its price, which is said, and no market order is worth anything known.
    """
    if buy and price is not None:
        return price
    top = prices.upper if prices is not None else known.reference if known is not None else None
    if top is None:
        return None if market else price
    return top if price is None or top > price else price


def sale_worth_known(order: Order, context: Context) -> Refusal | None:
    """Said, not denied: the limits in yuan count this sale at its own price, and it may bring more."""
    if order.price is None or order.order_type != _LIMIT or order.order_business in BUYS:
        return None
    board, around = context.board_of(order.symbol), context.around
    if around.ranges[order.symbol] is not None or board is None or board.kind == "repo":
        return None
    known = around.instruments[order.symbol]
    if known is not None and known.reference is not None:
        return None
    return Refusal(Code.WORTH_UNKNOWN, "price", order.symbol)


def entry_of(order: Order, context: Context) -> Entry:
    """An order that is accepted, as the ledger keeps it."""
    price = worth(order, context)
    cash, shares = moves(context.board_of(order.symbol), order.order_business)
    limit = order.price if order.order_type == _LIMIT else None
    new: Any = tuple.__new__  # what Entry(…) does, in half the time
    entry: Entry = new(Entry, (
        order.sid, order.account_id, order.strategy, order.symbol, order.order_business in BUYS, order.volume,
        UNKNOWN_WORTH if price is None else price, limit, context.around.now, context.origin, True, False, 0, ZERO, None, 0, cash, shares,
        context.folder,
    ))  # fmt: skip
    return entry


def moves(board: Board | None, business: int) -> tuple[bool, int]:
    """Whether the account's own money pays for an order, and what it does to the holding: more (1), less (-1). A repo lends money, and sells nothing."""
    if board is not None and board.kind == "repo":
        return True, 0
    return business in PAID_IN_CASH, (business in TO_HOLDING) - (business in FROM_HOLDING)


def price_within_limits(order: Order, context: Context) -> Refusal | None:
    if order.price is None:
        return None
    prices = context.around.ranges[order.symbol]
    if prices is None or prices.lower <= order.price <= prices.upper:
        return None
    return Refusal(Code.PRICE_LIMIT, "price", str(order.price), f"{prices.lower} – {prices.upper}")


def price_within_cage(order: Order, context: Context) -> Refusal | None:
    """Limit orders in continuous trading: not too far on the wrong side of the last price."""
    if not context.around.continuous or order.price is None or order.order_type != _LIMIT:
        return None
    cage = context.around.cages[order.symbol]
    if cage is None:
        return None
    buy = order.order_business in BUYS
    if order.price <= cage.upper if buy else order.price >= cage.lower:
        return None
    bound = f"≤ {_plain(cage.upper)}" if buy else f"≥ {_plain(cage.lower)}"
    return Refusal(Code.PRICE_CAGE, "price", str(order.price), bound)


def reference_there(order: Order, context: Context) -> Refusal | None:
    """Said, not denied: without a previous close the daily limit, without a last price the cage is not looked at."""
    if order.price is None or context.around.ranges[order.symbol] is not None:
        return None
    board = context.board_of(order.symbol)
    if board is None or board.limit_percent is None or not context.around.bound[order.account_id]:
        return None
    known = context.around.instruments[order.symbol]
    return None if known and known.unlimited else Refusal(Code.REFERENCE_MISSING, "price", order.symbol)


def not_suspended(order: Order, context: Context) -> Refusal | None:
    """Said, not denied: a suspension may end within the day."""
    known = context.around.instruments[order.symbol]
    return Refusal(Code.SECURITY_SUSPENDED, "symbol", order.symbol) if known and known.suspended else None


def _plain(price: Decimal) -> str:
    return f"{price.normalize():f}"
