"""Marks places where the crash tests kill the process. Does nothing unless it is armed.

`ORDERDROP_FAILPOINT=commit.after:3` kills the process, as kill -9 would, when `commit.after` is reached the third time.
"""

from __future__ import annotations

import os
import signal
import sys

_left: dict[str, int] = {}


def arm(what: str) -> None:
    """what: `name` or `name:nth`; "" disarms."""
    _left.clear()
    if what:
        name, _, nth = what.partition(":")
        _left[name] = int(nth or 1)


def reach(name: str) -> None:
    if not _left or name not in _left:
        return
    _left[name] -= 1
    if _left[name] == 0:
        if sys.platform == "win32":
            os._exit(137)
        os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get("ORDERDROP_FAILPOINT", ""))
