"""The process under test: `subject.py floor|orderdrop FOLDER --expect N`. Says "ready", routes N orders, writes result.json.

Both subjects see the same folders: FOLDER/inbox, and FOLDER/outgoing where their files appear.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import sys
import threading
import time
from pathlib import Path
from typing import Any

RESULT = "result.json"
_WARM_UP = 3.0
_MAX_BYTES = 1 << 30
_MAX_ROWS = 5_000_000


def main() -> None:
    arguments = _arguments()
    with _profiled(arguments.profile):
        result = run_floor(arguments) if arguments.subject == "floor" else run_orderdrop(arguments)
    result["rss_mb"] = peak_rss_mb()
    (arguments.folder / RESULT).write_text(json.dumps(result))
    sys.stdout.flush()
    if not arguments.finish:
        os._exit(0)


def run_floor(arguments: argparse.Namespace) -> dict[str, Any]:
    from floor import Floor

    floor = Floor(arguments.folder)
    say_ready()
    floor.serve(arguments.expect)
    return {"handed": floor.handed}


def run_orderdrop(arguments: argparse.Namespace) -> dict[str, Any]:
    """Until all is handed over and journaled; with --finish, until the chores are done and the router has closed."""
    from folder_gateway import FolderGateway

    from orderdrop.app import App
    from orderdrop.config import Settings
    from orderdrop.gateway.base import Batch, SubmitResult
    from orderdrop.router import Round
    from orderdrop.workspace import Workspace

    class TimedGateway(FolderGateway):
        """Notes when each batch was handed over."""

        handed: dict[str, int] = {}  # noqa: RUF012  one instance in this process
        orders = 0

        def submit(self, batch: Batch) -> SubmitResult:
            result = super().submit(batch)
            self.handed[self._path(batch).name] = time.monotonic_ns()
            self.orders += batch.content.count(b"\n") - 1
            return result

    root: Path = arguments.folder
    gateway = TimedGateway("paper", root / "outgoing", root / "staging")
    settings = Settings.model_validate({"inbox": {"max_bytes": _MAX_BYTES, "max_rows": _MAX_ROWS}})
    stop = threading.Event()
    app = App(settings, Workspace(root, root / "inbox"), gateways={"paper": gateway})
    peak_at_hand_over = 0.0

    def tell(_round: Round) -> None:
        nonlocal peak_at_hand_over
        if arguments.expect and gateway.orders >= arguments.expect:
            stop.set()
            peak_at_hand_over = peak_at_hand_over or peak_rss_mb()
            if not arguments.finish:
                raise _EnoughError

    opened = contextlib.ExitStack()
    opened.enter_context(app)
    say_ready()
    idle = _Idle(arguments.idle, stop, app.inbox.wake) if arguments.idle else None
    with contextlib.suppress(_EnoughError):
        app.run(stop, tell)
    if arguments.finish or idle:
        opened.close()
    return {
        "handed": gateway.handed,
        "cpu_percent": idle.cpu_percent if idle else None,
        "rss_mb_at_hand_over": peak_at_hand_over,
    }


class _EnoughError(Exception):
    """Everything expected was handed over and journaled."""


class _Idle(threading.Thread):
    """Measures the process's CPU time while nothing happens, then ends the run."""

    def __init__(self, seconds: float, stop: threading.Event, wake: Any) -> None:
        super().__init__(daemon=True)
        self._seconds, self._stop_run, self._wake = seconds, stop, wake
        self.cpu_percent = 0.0
        self.start()

    def run(self) -> None:
        time.sleep(_WARM_UP)
        began, cpu = time.monotonic(), time.process_time()
        time.sleep(self._seconds)
        self.cpu_percent = 100 * (time.process_time() - cpu) / (time.monotonic() - began)
        self._stop_run.set()
        self._wake()


def say_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def peak_rss_mb() -> float:
    """Of this process alone: on Linux, ru_maxrss also remembers the process that started this one."""
    with contextlib.suppress(OSError), open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextlib.contextmanager
def _profiled(to: Path | None) -> Any:
    if to is None:
        yield
        return
    from pyinstrument import Profiler

    profiler = Profiler(interval=0.0005)
    with profiler:
        yield
    to.write_text(profiler.output_text(unicode=True, show_all=True, timeline=False))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subject", choices=("floor", "orderdrop"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--expect", type=int, default=0, help="end when so many orders were handed over")
    parser.add_argument("--finish", action="store_true", help="do the chores and close before ending")
    parser.add_argument("--idle", type=float, default=0, help="only measure the CPU time of so many idle seconds")
    parser.add_argument("--profile", type=Path, help="write pyinstrument's tree to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
