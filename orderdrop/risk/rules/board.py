"""Checks that the board of a security takes such an order: side, type, quantity, tick (docs/rules.md).

A symbol of no board is denied by `board_known`; in every other rule it is a fault, so that it is denied there as well.
"""

from __future__ import annotations

from typing import NoReturn

from orderdrop.domain.board import Board
from orderdrop.domain.order import FROM_HOLDING, SHORT_SALES, SIDE_OF, Order, OrderBusiness, OrderType
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.risk.context import Context

_CREDIT = frozenset(SIDE_OF) - {OrderBusiness.BUY, OrderBusiness.SELL}
_LENDS = frozenset({OrderBusiness.SELL, OrderBusiness.COLLATERAL_SELL})
"""How one's own money is lent (repo)."""

_LIMIT = int(OrderType.LIMIT)

ORDER_TYPES: dict[str, frozenset[int]] = {
    "SHSE": frozenset({1, 2, 20, 21, 24, 25}),
    "SZSE": frozenset({1, 2, 20, 21, 22, 23, 24}),
    "BJSE": frozenset({1, 20, 21, 24, 25}),
}
"""掘金's codes that an exchange offers; the others are “–” in docs/rules.md, "Order types"."""


def board_known(order: Order, context: Context) -> Refusal | None:
    return None if context.board_of(order.symbol) else Refusal(Code.BOARD_UNKNOWN, "symbol", order.symbol)


def side_taken(order: Order, context: Context) -> Refusal | None:
    side = order.order_business
    if side not in SIDE_OF:
        return Refusal(Code.SIDE_BAD, "order_business", str(side))
    if side in _CREDIT and order.account_id not in context.credit:
        return Refusal(Code.CREDIT_ACCOUNT, "order_business", str(side), order.account_id)
    return None


def side_offered(order: Order, context: Context) -> Refusal | None:
    board = context.board_of(order.symbol) or _none(order)
    if order.order_business in _LENDS or not board.sell_only:
        return None
    return Refusal(Code.SIDE_NOT_ALLOWED, "order_business", board.name, "卖出(2) / a sale (2)")


def order_type_offered(order: Order, context: Context) -> Refusal | None:
    board = context.board_of(order.symbol) or _none(order)
    if order.order_type not in ORDER_TYPES[board.exchange]:
        return Refusal(Code.ORDER_TYPE_EXCHANGE, "order_type", str(order.order_type), board.exchange)
    if order.order_type == _LIMIT:
        return None
    if order.order_business in SHORT_SALES:
        return Refusal(
            Code.ORDER_TYPE_EXCHANGE, "order_type", str(order.order_type), "融券卖出 / a short sale"
        )
    if board.market_orders:
        return None
    return Refusal(Code.ORDER_TYPE_EXCHANGE, "order_type", str(order.order_type), board.name)


def tick_kept(order: Order, context: Context) -> Refusal | None:
    """Holds for a protective price as well."""
    price = order.price
    if price is None:
        return None
    tick = (context.board_of(order.symbol) or _none(order)).tick
    return Refusal(Code.PRICE_TICK, "price", str(price), str(tick)) if price % tick else None


def lot_kept(order: Order, context: Context) -> Refusal | None:
    """Purchases and short sales: the minimum, then whole steps. Other sales: also an odd lot that may be the remainder of a whole holding.

    The holding is not known here. So an odd sale passes when *some* holding would allow it; `cash.odd_lot_whole` looks at the
    holding where it is known, and the broker has the last word.
    """
    board, volume = context.board_of(order.symbol) or _none(order), order.volume
    if volume < 1:
        return Refusal(Code.VOLUME_BAD, "volume", str(volume))
    odd_below = board.odd_below if order.order_business in FROM_HOLDING else 0
    if board.minimum > volume >= odd_below:
        return Refusal(Code.LOT_MINIMUM, "volume", str(volume), str(board.minimum))
    if volume % board.step >= (odd_below or 1):
        return Refusal(Code.LOT_SIZE, "volume", str(volume), _lot_rule(board))
    return None


def maximum_kept(order: Order, context: Context) -> Refusal | None:
    board = context.board_of(order.symbol) or _none(order)
    maximum = board.max_limit if order.order_type == _LIMIT else board.max_market or 0
    if order.volume <= maximum:
        return None
    return Refusal(Code.VOLUME_MAXIMUM, "volume", str(order.volume), str(maximum))


def _none(order: Order) -> NoReturn:
    """A rule about a board cannot be run without one."""
    raise LookupError(order.symbol)


def _lot_rule(board: Board) -> str:
    zh, en = f"{board.step} 股的整数倍", f"a multiple of {board.step}"
    return f"{zh},零股须一次卖出 / {en}, an odd lot is sold whole" if board.odd_below else f"{zh} / {en}"
