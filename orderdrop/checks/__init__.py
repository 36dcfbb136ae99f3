"""Owns our no: a tuple of rules, of which the first denial wins. Pure; refuses what cannot be judged (fail closed).

`RULES` is the table of contents. Session, limits and repeats are not judged here yet.
"""

from __future__ import annotations

from orderdrop.checks.board import (
    board_known,
    lot_kept,
    maximum_kept,
    order_type_offered,
    side_offered,
    tick_kept,
)
from orderdrop.checks.context import Context, Rule
from orderdrop.checks.fields import account_known, price_as_type_wants
from orderdrop.checks.switches import not_halted
from orderdrop.order.model import Order
from orderdrop.order.refusal import Code, Refusal

__all__ = ["RULES", "Context", "Rule", "check"]

KIND_RULES: tuple[Rule, ...] = (
    not_halted,
    account_known,
    board_known,
    side_offered,
    order_type_offered,
)
"""They look at nothing of an order but its account, symbol, type and side, so their yes is remembered."""

SIZE_RULES: tuple[Rule, ...] = (
    price_as_type_wants,
    tick_kept,
    lot_kept,
    maximum_kept,
)

RULES = KIND_RULES + SIZE_RULES


def check(order: Order, context: Context) -> Refusal | None:
    """Why the order is denied, None when it may go. Never raises."""
    kind = (order.account_id, order.symbol, order.order_type, order.order_business)
    if kind in context.passed:
        return _first_denial(SIZE_RULES, order, context)
    refusal = _first_denial(KIND_RULES, order, context)
    if refusal is not None:
        return refusal
    context.passed.add(kind)
    return _first_denial(SIZE_RULES, order, context)


def _first_denial(rules: tuple[Rule, ...], order: Order, context: Context) -> Refusal | None:
    for rule in rules:
        try:
            refusal = rule(order, context)
        # Broad on purpose, and only here: a check that cannot be run denies, whatever went wrong in it.
        except Exception as fault:  # noqa: BLE001
            return Refusal(Code.CHECK_FAILED, rule.__name__, type(fault).__name__)
        if refusal is not None:
            return refusal
    return None
