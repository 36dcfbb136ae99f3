"""Remembers at which drops an unforeseen fault arose, from one transaction to the next, until it is clear which of them is the cause.

A fault that has taken a whole transaction back names no drop. So the next time each drop goes in by itself: what passes is cleared, and
what raises again is set aside once another one has passed beside it, for then it is the drop, and not the router. A drop that is alone is
tried for longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orderdrop.inbox.scanner import RefusedFile
from orderdrop.inbox.tail import Take

_TWICE: Final = 2
_ALONE: Final = 20
"""So often in a row a drop may raise that nothing else has passed beside."""


@dataclass
class _Suspect:
    raised: int = 1
    others_pass: bool = False


class Suspects:
    """Used from the router's thread."""

    def __init__(self) -> None:
        self._known: dict[str, _Suspect] = {}

    def any(self) -> bool:
        """Whether drops have to go in one by one. Those that somebody has taken out of the inbox count no more."""
        self._known = {path: one for path, one in self._known.items() if Path(path).exists()}
        return bool(self._known)

    def suspect(self, found: Iterable[Take | RefusedFile]) -> None:
        """A transaction with these failed, and nobody knows by which."""
        for ready in found:
            if isinstance(ready, Take):
                self._known.setdefault(ready.file.path, _Suspect())

    def is_cause(self, take: Take, passed: Iterable[Take]) -> bool:
        """Whether a drop that has raised just now, by itself, is to be set aside. passed: those that went in beside it."""
        suspect = self._known.get(take.file.path, _Suspect(0))
        others_pass = suspect.others_pass or any(_is_alike(take, other) for other in passed)
        return suspect.raised + 1 >= (_TWICE if others_pass else _ALONE)

    def note(self, raised: Iterable[Take], passed: Iterable[Take]) -> None:
        """It is committed: these have raised, and were not set aside; those went in."""
        gone_in = list(passed)
        for take in gone_in:
            self._known.pop(take.file.path, None)
        for take in raised:
            suspect = self._known.setdefault(take.file.path, _Suspect(0))
            suspect.raised += 1
            suspect.others_pass |= any(_is_alike(take, other) for other in gone_in)


def _is_alike(take: Take, other: Take) -> bool:
    """Whether that the other one went in says something: it was read as the same kind of drop."""
    return other.refusal is None and other.file.info.kind is take.file.info.kind
