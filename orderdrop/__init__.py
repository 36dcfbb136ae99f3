"""Drop an order file from any tool. It reaches the broker exactly once, or you are told why not.

For programs: `buy`, `sell`, `drop`, `append`, `cancel`, `wait`; `cash`, `positions`, `broker_orders`, `trades` (see `orderdrop.client`); and `read_journal` for
what was traded. They are loaded when they are first used, so that
importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderdrop.audit.frames import read_journal
    from orderdrop.client import (
        InvalidOrder,
        OrderRow,
        Refused,
        append,
        broker_orders,
        buy,
        cancel,
        cash,
        drop,
        new_sid,
        positions,
        sell,
        trades,
        wait,
    )
    from orderdrop.views.orders import OrderView

__version__ = "0.1.0"

__all__ = [
    "InvalidOrder",
    "OrderRow",
    "OrderView",
    "Refused",
    "__version__",
    "append",
    "broker_orders",
    "buy",
    "cancel",
    "cash",
    "drop",
    "new_sid",
    "positions",
    "read_journal",
    "sell",
    "trades",
    "wait",
]

_HOMES = {"OrderView": "orderdrop.views.orders", "read_journal": "orderdrop.audit.frames"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name, "orderdrop.client")
    value = globals()[name] = getattr(import_module(home), name)
    return value
