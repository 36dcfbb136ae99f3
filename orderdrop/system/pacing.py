"""Keeps chores out of the way: not too often, and in slices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

_SHORTEST: Final = 0.2
_COST_FACTOR: Final = 20
_MANY: Final = 10_000


T = TypeVar("T")


def slices(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part


class Pace:
    """When something that was just written may be written again: the dearer it is, the later. Lets each thing take at most a twentieth of the time, and at most five times a second."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._not_before: dict[object, float] = {}

    def due(self, what: object) -> bool:
        return self._monotonic() >= self._not_before.get(what, 0.0)

    def spent(self, what: object, seconds: float) -> None:
        now = self._monotonic()
        self._not_before[what] = now + max(_SHORTEST, _COST_FACTOR * seconds)
        if len(self._not_before) > _MANY:
            self._not_before = {key: at for key, at in self._not_before.items() if at > now}
