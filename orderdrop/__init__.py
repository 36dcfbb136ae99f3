"""Drop an order file from any tool. It reaches the broker exactly once, or you are told why not.

For programs: `drop`, `append`, `cancel`, `wait` (see `orderdrop.client`). They are loaded when they are first used, so that
importing this package costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from orderdrop import (
    drop as _folder,
)  # empty, costs nothing; bound here so that nothing rebinds the name later

if TYPE_CHECKING:
    from orderdrop.client import InvalidOrder, OrderRow, Refused, append, cancel, drop, new_sid, wait
    from orderdrop.views import OrderView

__version__ = "0.1.0"

__all__ = [
    "InvalidOrder",
    "OrderRow",
    "OrderView",
    "Refused",
    "__version__",
    "append",
    "cancel",
    "drop",
    "new_sid",
    "wait",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "orderdrop.views" if name == "OrderView" else "orderdrop.client"
    value = globals()[name] = getattr(import_module(home), name)
    return value


class _Door(ModuleType):
    """`orderdrop.drop` is a package of ours and a function of the library: the package that can be called is both."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return import_module("orderdrop.client").drop(*args, **options)


sys.modules[_folder.__name__].__class__ = _Door
