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

RULES: tuple[Rule, ...] = (
    not_halted,
    account_known,
    board_known,
    side_offered,
    order_type_offered,
    price_as_type_wants,
    tick_kept,
    lot_kept,
    maximum_kept,
)


def check(order: Order, context: Context) -> Refusal | None:
    """Why the order is denied, None when it may go. Never raises."""
    for rule in RULES:
        try:
            refusal = rule(order, context)
        # Broad on purpose, and only here: a check that cannot be run denies, whatever went wrong in it.
        except Exception as fault:  # noqa: BLE001
            return Refusal(Code.CHECK_FAILED, rule.__name__, type(fault).__name__)
        if refusal is not None:
            return refusal
    return None
