"""The switches that stop new orders."""

from __future__ import annotations

from orderdrop.checks.context import Context
from orderdrop.order.model import Order
from orderdrop.order.refusal import Code, Refusal


def not_halted(_order: Order, context: Context) -> Refusal | None:
    return Refusal(Code.HALTED) if context.halted else None
