"""Speaks with the process that 掘金's package runs in: starts it, asks, stops waiting, ends it."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final

from orderdrop.domain.report import clean
from orderdrop.errors import GatewayError
from orderdrop.system import child_process

COMMAND: Final = (sys.executable, "-P", str(Path(__file__).with_name("worker.py")))
_GRACE: Final = 1.0
"""Seconds beyond a call's time: the process ends itself first."""


class GmSilence(GatewayError):
    """No answer, or none that reads: nobody knows what came of the call. The process has been ended."""


class GmRefused(GatewayError):
    """The vendor's library answered with an error; what it did before that is not known."""


class GmLink:
    """One process at a time. After GmSilence it is dead, and `start` makes a new one, which waits for the end of all earlier ones."""

    def __init__(self, hello: dict[str, Any], call_timeout: float, command: Sequence[str] = COMMAND) -> None:
        """hello: what the process is told first."""
        self._hello = hello
        self._token = ""
        self._timeout = call_timeout
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    @property
    def up(self) -> bool:
        return self._process is not None

    def introduce(self, token: str) -> None:
        """The token goes through the pipe only: no command line, no variable, no log shows it."""
        self._token = token

    def start(self) -> None:
        """Raises GmSilence or GmRefused, and GatewayError when no process can be made."""
        self.stop()
        self._process = child_process.start(self._command)
        self._answers = queue.SimpleQueue()
        assert self._process.stdout is not None  # noqa: S101  a pipe
        threading.Thread(target=_listen, args=(self._process.stdout, self._answers), daemon=True).start()
        try:
            self._ask(self._hello | {"token": self._token}, self._timeout * 2)
        except GatewayError:
            self.stop()
            raise

    def ask(self, do: str, **about: Any) -> Any:
        """Raises GmSilence or GmRefused."""
        return self._ask({"do": do, **about}, self._timeout)

    def stop(self) -> None:
        """End the process, whatever it is at. When this returns it makes no further call."""
        process, self._process = self._process, None
        if process is not None:
            child_process.end(process)

    def _ask(self, ask: dict[str, Any], patience: float) -> Any:
        line = json.dumps(ask | {"patience": patience}).encode() + b"\n"
        try:
            self._write(line)
            answer = json.loads(self._answers.get(timeout=patience + _GRACE))
        except (OSError, queue.Empty, ValueError):
            self.stop()
            raise GmSilence(
                f"掘金接口 {patience:g} 秒内没有回答,终端是否已启动并登录? / 掘金's API did not answer within {patience:g} s, "
                f"is the terminal running and logged in? ({ask.get('do', 'hello')})"
            ) from None
        if "told" in answer:
            return answer["told"]
        if "failed" in answer:
            self.stop()
            raise GmSilence(f"掘金接口出错 / 掘金's API failed: {clean(answer['failed'])}")
        raise GmRefused(f"掘金接口报错 / 掘金's API refused: {clean(answer['refused'])}")

    def _write(self, line: bytes) -> None:
        if self._process is None or self._process.stdin is None:
            raise OSError("there is no process")
        self._process.stdin.write(line)
        self._process.stdin.flush()


def _listen(pipe: IO[bytes], answers: queue.SimpleQueue[bytes]) -> None:
    """An empty line at the end: it does not read, so it is no answer."""
    with contextlib.suppress(OSError, ValueError):
        for line in pipe:
            answers.put(line)
    answers.put(b"")
