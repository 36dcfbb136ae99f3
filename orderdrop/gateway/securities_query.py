"""Asks a vendor's package for the day's securities, in a process that lives for this one question.

Such a question takes seconds, and what a vendor's library does meanwhile with Python's lock nobody knows: in the router's process it could hold up
orders. The other process does the work, tells what it found in lines of JSON, and ends itself when it takes too long or nobody listens any more. It
never trades.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from orderdrop.domain.security import Security, read
from orderdrop.errors import GatewayError
from orderdrop.system import child_process
from orderdrop.system.pacing import slices

_GRACE: Final = 5.0
"""Seconds beyond the time of a question: the process ends itself first."""

_IN_A_LINE: Final = 100


def command(module: str) -> tuple[str, ...]:
    """How the process is started that answers with what `module` finds."""
    return (sys.executable, "-P", "-m", module)


class Enquiry:
    """Asked from a thread that may wait; `cancel` may come from any other one."""

    def __init__(self, command: Sequence[str], patience: float) -> None:
        """patience: seconds that a question may take."""
        self._command = command
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, **question: Any) -> Generator[Security, None, None]:
        """What the package says; complete when the iterator ends without a fault. Raises GatewayError."""
        process = self._process = child_process.start(self._command)
        clock = threading.Timer(self._patience + _GRACE, process.kill)
        clock.daemon = True
        clock.start()
        try:
            yield from _answers(process, question | {"patience": self._patience})
        finally:
            clock.cancel()
            child_process.end(process)
            self._process = None

    def cancel(self) -> None:
        """End the question that is being asked, if any."""
        process = self._process
        if process is not None:
            process.kill()


def _answers(process: subprocess.Popen[bytes], question: dict[str, Any]) -> Iterator[Security]:
    assert process.stdin is not None  # noqa: S101  pipes
    assert process.stdout is not None  # noqa: S101
    try:
        process.stdin.write(json.dumps(question).encode() + b"\n")
        process.stdin.flush()
        for line in process.stdout:
            told = json.loads(line)
            if isinstance(told, dict):
                if "failed" in told:
                    raise GatewayError(
                        f"终端没有给出证券资料 / the terminal tells no securities: {told['failed']}"
                    )
                return
            yield from map(read, told)
    except (OSError, ValueError, ArithmeticError) as error:
        raise GatewayError(f"证券资料读不懂 / the securities cannot be read: {error}") from error
    raise GatewayError("查询证券资料超时或中断 / asking for the securities took too long, or was broken off")


def answer(find: Callable[[dict[str, Any]], Iterator[Security]]) -> None:
    """The life of the other process: one question, and what `find` makes of it. The vendor's package prints: that must not get between the answers."""
    # Ctrl-C is for the router, which ends this process in its turn.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(os.dup(1), "wb") as answers, Path(os.devnull).open(encoding="utf-8") as nothing:
        os.dup2(2, 1)
        question = json.loads(sys.stdin.buffer.readline())
        threading.Thread(target=_end_with_the_router, args=(os.dup(0),), daemon=True).start()
        os.dup2(nothing.fileno(), 0)
        faulthandler.dump_traceback_later(question["patience"], exit=True, file=sys.stderr)
        try:
            for part in slices(find(question), _IN_A_LINE):
                _write(answers, [security.cells for security in part])
            outcome: dict[str, Any] = {"told": True}
        except Exception as error:  # noqa: BLE001  the last line of this process; whoever asked is told
            outcome = {"failed": f"{type(error).__name__}: {error}"}
        _write(answers, outcome)


def _end_with_the_router(question: int) -> None:
    """The router writes nothing more; the pipe ends when the router does."""
    os.read(question, 1)
    os._exit(1)


def _write(answers: Any, what: object) -> None:
    answers.write(json.dumps(what).encode() + b"\n")
    answers.flush()
