"""Makes routers and kills them. One zygote for a test module; each victim is a real process in a real workspace."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self


class Death(NamedTuple):
    """at: the failpoint that killed it, "" when it was killed without one. code: its exit code when it ended by itself."""

    at: str
    killed: bool
    code: int


class Victims:
    """Forks victims from a zygote; one lives at a time. Use as a context manager."""

    def __init__(self, *words: str, gm_worker: Sequence[str] = ()) -> None:
        """words: for the zygote. gm_worker: how a process with a stand-in for 掘金's package is started."""
        self._words = words
        self._gm_worker = list(gm_worker)

    def __enter__(self) -> Self:
        script = Path(__file__).with_name("zygote.py")
        self._zygote = subprocess.Popen(
            [sys.executable, str(script), *self._words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._zygote.stdout, selectors.EVENT_READ)
        return self

    def __exit__(self, *_: object) -> None:
        self._zygote.stdin.close()
        self._zygote.wait(10)
        self._zygote.stdout.close()
        self._selector.close()

    def kill(
        self, root: Path, settings: dict, *, failpoint: str = "", after: float, turns: int = 0, meanwhile=None
    ) -> Death:
        """Let a router live until its failpoint, at most `after` seconds; `meanwhile` runs while it lives.

        turns: so many idle ones on end show that it will not come there any more. A slow machine takes longer for them, too.
        """
        pid = self._bear(root, settings, failpoint=failpoint, once=False, turns=turns)
        deadline = time.monotonic() + after
        if meanwhile is not None:
            meanwhile()
        died_by_itself = self._selector.select(max(deadline - time.monotonic(), 0))
        if not died_by_itself:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        status = self._burial()
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGKILL, signal.SIGTERM}
        reached = died_by_itself and killed and os.WTERMSIG(status) == signal.SIGKILL
        return Death(failpoint if reached else "", killed, -1 if killed else os.WEXITSTATUS(status))

    def run_once(self, root: Path, settings: dict) -> Death:
        """A router that is left alone until everything is settled."""
        self._bear(root, settings, failpoint="", once=True)
        status = self._burial()
        return Death("", os.WIFSIGNALED(status), os.waitstatus_to_exitcode(status))

    def _bear(self, root: Path, settings: dict, *, failpoint: str, once: bool, turns: int = 0) -> int:
        order = {
            "root": str(root), "settings": settings, "failpoint": failpoint, "once": once, "turns": turns,
        }  # fmt: skip
        order["gm_worker"] = self._gm_worker
        self._zygote.stdin.write(json.dumps(order).encode() + b"\n")
        return int(self._line().removeprefix("pid "))

    def _burial(self) -> int:
        return int(self._line().removeprefix("dead "))

    def _line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            byte = self._zygote.stdout.read(1)
            assert byte, "the zygote died"
            line += byte
        return line.decode().strip()
