"""Starts a process that is asked through its pipes, and ends it for sure."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Sequence

from orderdrop.errors import GatewayError


def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Without a window, and without its errors. Raises GatewayError."""
    try:
        return subprocess.Popen(  # noqa: S603  our own interpreter, our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise GatewayError(f"接口进程起不来 / a process does not start: {error}") from error


def end(process: subprocess.Popen[bytes]) -> None:
    """When this returns it does nothing more, whatever it was at."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()
