"""Checks the switches that stop new orders: for all, for an account, for a strategy. Cancels always pass; they are no orders."""

from __future__ import annotations

from orderdrop.domain.board import board_of
from orderdrop.domain.order import FROM_HOLDING, RETURNS, Order
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.switches import ALL, ScopeKey, State, Switches, folded, scope_words
from orderdrop.risk.context import Context

_REDUCES = FROM_HOLDING | RETURNS


def not_halted(_order: Order, context: Context) -> Refusal | None:
    return Refusal(Code.HALTED) if context.halted else None


def not_switched_off(order: Order, context: Context) -> Refusal | None:
    return switched_off(
        context.around.switches,
        order.account_id,
        order.strategy,
        order.symbol,
        order.order_business,
        context.folder,
    )


def strategy_named(order: Order, context: Context) -> Refusal | None:
    """Said, not denied: once any strategy has settings, one that has none is bound by no limit of a strategy."""
    known = context.around.strategies
    if not known or not order.strategy or folded(order.strategy) in known:
        return None
    return Refusal(Code.STRATEGY_UNKNOWN, "strategy", order.strategy)


def gateway_open(order: Order, context: Context) -> Refusal | None:
    closed = context.around.closed[order.account_id]
    return None if closed is None else Refusal(Code.GATEWAY_CLOSED, value=closed[0], bound=closed[1])


def switched_off(
    switches: Switches,
    account_id: str,
    strategy: str,
    symbol: str,
    order_business: int,
    folder: ScopeKey = ALL,
) -> Refusal | None:
    state, key = switches.of(account_id, strategy, folder)
    if state is State.HALTED:
        return Refusal(Code.HALTED_SCOPE, value=scope_words(key))
    if state is State.REDUCING and not _reduces(symbol, order_business):
        return Refusal(Code.REDUCING, value=scope_words(key))
    return None


def _reduces(symbol: str, order_business: int) -> bool:
    """A sale of what is held, or the return of what was sold short. A repo lends money, which reduces nothing."""
    board = board_of(symbol)
    return order_business in _REDUCES and board is not None and board.kind != "repo"
