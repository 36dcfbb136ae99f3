"""Places where the crash tests kill the process. Does nothing unless ORDERDROP_FAILPOINT names one.

`ORDERDROP_FAILPOINT=commit.after:3` kills the process, as kill -9 would, when `commit.after` is reached the third time.
"""

from __future__ import annotations

import os
import signal
import sys

_wanted, _, _nth = os.environ.get("ORDERDROP_FAILPOINT", "").partition(":")
_left = int(_nth or 1)


def _die_when_due(name: str) -> None:
    global _left  # noqa: PLW0603  a process-wide countdown is the point
    if name != _wanted:
        return
    _left -= 1
    if _left == 0:
        if sys.platform == "win32":
            os._exit(137)
        os.kill(os.getpid(), signal.SIGKILL)


def _pass(name: str) -> None:
    pass


reach = _die_when_due if _wanted else _pass
