"""The router's heartbeat: a small file that says when its loop last came round, and what is wrong. Written by that loop itself, for a
thread would beat on while the loop hangs; on nobody's way, never flushed, and never a reason for the loop to stop.

Its age is told by a counter that runs whatever the clock is set to, on the same machine and the same boot.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

log = logging.getLogger(__name__)

EVERY: Final = 2.0
"""Seconds between two beats."""

_SOON: Final = 0.2
_LEAST: Final = 3072
"""Bytes that the file always has, so that it can be written over where the disk is full."""


class Heartbeat:
    """Used from the router's thread."""

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._due = 0.0
        self._failing = False

    @property
    def due(self) -> bool:
        return self._monotonic() >= self._due

    def beat(self, what: dict[str, Any]) -> None:
        """A file that somebody reads just now, on Windows, or a full disk: written over in place; else tried again soon."""
        content = json.dumps(what, ensure_ascii=False).encode().ljust(_LEAST) + b"\n"
        try:
            _write(self._path, content)
        except OSError as error:
            self._due = self._monotonic() + _SOON
            if not self._failing:
                self._failing = True
                log.warning("心跳写不出来 / the heartbeat cannot be written: %s", error)
        else:
            self._due, self._failing = self._monotonic() + EVERY, False

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        handle = os.open(path, os.O_WRONLY | getattr(os, "O_BINARY", 0))
        try:
            os.write(handle, content)
        finally:
            os.close(handle)


def last_beat(path: Path) -> dict[str, Any] | None:
    """Returns what the router said last; None when there is nothing to be read."""
    for _ in range(3):
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):  # it is being written over
            time.sleep(0.02)
            continue
        return found if isinstance(found, dict) else None
    return None
