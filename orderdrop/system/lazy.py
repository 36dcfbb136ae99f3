"""Looks values up when they are first asked for, and keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Lazy(dict[K, V]):
    """A mapping that makes a missing value by looking it up."""

    def __init__(self, look: Callable[[K], V]) -> None:
        super().__init__()
        self._look = look

    def __missing__(self, key: K) -> V:
        value = self[key] = self._look(key)
        return value
