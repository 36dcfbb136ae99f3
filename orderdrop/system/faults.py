"""Tells faults that nobody expected: once, with their traceback in the log alone, however often they come back.

The one home of `except Exception`: who calls here stands at the last line of a worker loop, or between items that must not keep each
other from being done.
"""

from __future__ import annotations

import logging
import time
from typing import Final

log = logging.getLogger(__name__)

AGAIN: Final = 600.0
"""Seconds after which a fault that keeps coming back is told once more."""

_MOST: Final = 100

_told: dict[str, float] = {}


def words(error: BaseException) -> str:
    """One line, for people: a fault of ours or of the system as it says itself, any other with its kind."""
    return f"意外故障 / unexpected fault: {type(error).__name__}: {error}".rstrip(": ")[:500]


def tell_unexpected(what: str, error: BaseException) -> str:
    """what: what was being done, bilingual. The one line that was told."""
    said = f"{what}: {words(error)}"
    now = time.monotonic()
    if now - _told.get(said, -AGAIN) >= AGAIN:
        if len(_told) >= _MOST:
            _told.clear()
        _told[said] = now
        log.error("%s", said, exc_info=error)  # the screen shows the message alone
    return said
