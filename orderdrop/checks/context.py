"""What a check may know beside the order itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orderdrop.order.model import Order
from orderdrop.order.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Context:
    """The router's state when an order is judged. accounts: those that may trade, None when any may."""

    accounts: frozenset[str] | None
    halted: bool


Rule = Callable[[Order, Context], Refusal | None]
"""None: the order may pass. A rule is pure and judges by itself, whatever stands before it in the tuple."""
