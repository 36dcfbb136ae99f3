"""Checks that the money and the shares are there, by the account's last snapshot less all that it does not show yet."""

from __future__ import annotations

from decimal import Decimal

from orderdrop.domain.order import FROM_HOLDING, PAID_IN_CASH, RETURNS, Order
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.risk.context import Context, Funds
from orderdrop.risk.rules.market import worth

_SECOND = 1_000_000
_CHECKED = PAID_IN_CASH - RETURNS


def snapshot_there(order: Order, context: Context) -> Refusal | None:
    if not context.around.bound[order.account_id]:
        return None
    funds = context.around.funds[order.account_id]
    if funds is None or (
        funds.positions is None and order.order_business in FROM_HOLDING and not _lends(order, context)
    ):
        return Refusal(Code.ACCOUNT_NOT_TOLD, "account_id", order.account_id)
    return None


def snapshot_fresh(order: Order, context: Context) -> Refusal | None:
    """Said, not denied."""
    around = context.around
    funds = around.funds[order.account_id] if around.bound[order.account_id] else None
    age = 0.0 if funds is None else (around.now - funds.cash_at) / _SECOND
    if age <= around.snapshot_age:
        return None
    return Refusal(Code.SNAPSHOT_OLD, "account_id", f"{age:.0f} s", f"{around.snapshot_age:.0f} s")


def cash_enough(order: Order, context: Context) -> Refusal | None:
    """For purchases with their fees, and for repos, which lend money. Not for what no snapshot tells: the other currency of B shares, and what a short sale brought,
    which may pay for the return of its shares.
    """
    board = context.board_of(order.symbol)
    if (
        board is None
        or board.kind == "b_share"
        or (order.order_business not in _CHECKED and board.kind != "repo")
    ):
        return None
    funds = _funds(order, context)
    if funds is None:
        return None
    price = worth(order, context)
    if price is None:
        return Refusal(Code.REFERENCE_NEEDED, "price", order.symbol)
    ledger = context.around.ledger
    value = price * order.volume
    needed = value + ledger.fee(value)
    left = funds.available - ledger.reserved(order.account_id, funds.cash_at, funds.held_at).cash
    return None if needed <= left else Refusal(Code.CASH_SHORT, "volume", _yuan(needed), _yuan(left))


def shares_enough(order: Order, context: Context) -> Refusal | None:
    sellable = _sellable(order, context)
    if sellable is None or order.volume <= sellable:
        return None
    return Refusal(Code.SHARES_SHORT, "volume", str(order.volume), str(max(sellable, 0)))


def odd_lot_whole(order: Order, context: Context) -> Refusal | None:
    """The odd remainder of a holding is sold at once: with whole lots or by itself, never in part."""
    board = context.board_of(order.symbol)
    if (
        board is None
        or not board.odd_below
        or (order.volume >= board.minimum and not order.volume % board.step)
    ):
        return None
    sellable = _sellable(order, context)
    if sellable is None:
        return None
    if board.minimum > board.step:  # any number from the minimum on; below it only all that is left
        wrong = order.volume < board.minimum and order.volume != sellable
    else:
        wrong = order.volume % board.step not in {0, sellable % board.step}
    return Refusal(Code.LOT_ODD, "volume", str(order.volume), str(sellable)) if wrong else None


def _sellable(order: Order, context: Context) -> int | None:
    """What may be sold today less what is being sold; None where it does not matter or nobody says."""
    if order.order_business not in FROM_HOLDING:
        return None
    board, funds = context.board_of(order.symbol), _funds(order, context)
    if funds is None or funds.positions is None or board is None or board.kind == "repo":
        return None
    held = funds.positions.get(order.symbol)
    sales = context.around.ledger.reserved(order.account_id, funds.cash_at, funds.held_at).sales
    return (held.available if held else 0) - sales.get(order.symbol, 0)


def _lends(order: Order, context: Context) -> bool:
    board = context.board_of(order.symbol)
    return board is not None and board.kind == "repo"


def _funds(order: Order, context: Context) -> Funds | None:
    return context.around.funds[order.account_id] if context.around.bound[order.account_id] else None


def _yuan(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.01'))}"
