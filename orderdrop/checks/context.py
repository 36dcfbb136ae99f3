"""What a check may know beside the order itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from orderdrop.order.model import Order
from orderdrop.order.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Context:
    """The router's state when an order is judged.

    accounts: those that may trade, None when any may. passed: (account, symbol, order type, side) that the rules which look
    at nothing else have let pass, in this state. credit: the accounts that take credit orders.
    """

    accounts: frozenset[str] | None
    halted: bool
    credit: frozenset[str] = frozenset()
    passed: set[tuple[str, str, int, int]] = field(default_factory=set)


Rule = Callable[[Order, Context], Refusal | None]
"""None: the order may pass. A rule is pure and judges by itself, whatever stands before it in the tuple."""
