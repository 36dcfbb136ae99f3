"""Keeps chores out of the way: not too often, and in slices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final, TypeVar

from orderdrop.system.sharing import held_words, is_held

_SHORTEST: Final = 0.2
_COST_FACTOR: Final = 20
_MANY: Final = 10_000
_LONGEST: Final = 30.0


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


class PutOff:
    """What could not be done, why, and when it is tried again: soon, then after twice as long each time, at most 30 seconds.

    For chores that must keep no order waiting: each thing waits by itself, and its reason stands in `reasons` until it is done.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._waits: dict[object, tuple[float, float, str]] = {}  # not before, pause, why

    def __len__(self) -> int:
        return len(self._waits)

    def __contains__(self, what: object) -> bool:
        return what in self._waits

    def due(self, what: object) -> bool:
        found = self._waits.get(what)
        return found is None or self._monotonic() >= found[0]

    def failed(self, what: object, why: str) -> None:
        before = self._waits.get(what)
        pause = _SHORTEST if before is None else min(before[1] * 2, _LONGEST)
        self._waits[what] = self._monotonic() + pause, pause, why

    def done(self, what: object) -> None:
        self._waits.pop(what, None)

    def hurry(self) -> None:
        """All of it may be tried now."""
        self._waits = {what: (0.0, pause, why) for what, (_due, pause, why) in self._waits.items()}

    @property
    def reasons(self) -> list[str]:
        return list(dict.fromkeys(why for _due, _pause, why in self._waits.values()))

    @contextmanager
    def unless_held(self, what: object) -> Iterator[None]:
        """Put off what fails because another program has the file open. Raises OSError for all else."""
        try:
            yield
        except OSError as error:
            if not is_held(error):
                raise
            self.failed(what, held_words(error))
        else:
            self.done(what)
