"""orderdrop as a process under test: the whole router with its chores, behind a gateway that notes the time."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from pathlib import Path
from typing import Any, Protocol

import subject
from folder_gateway import FolderGateway

from orderdrop.config.gateways import GoldminerSettings
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.execution.turn import Turn
from orderdrop.gateway.base import Batch, SubmitResult
from orderdrop.gateway.goldminer.gateway import GoldminerGateway
from orderdrop.service.app import App
from orderdrop.system.clock import SystemClock

_WARM_UP = 3.0
_STARTED = 2
"""With the second turn, all that belongs to the start is over; the time of the start is a measure of its own."""
_LIMITS = {"inbox": {"max_bytes": 1 << 30, "max_rows": 5_000_000}}


def route(options: subject.Options) -> dict[str, Any]:
    """Until all is handed over and journaled; with --finish, until the chores are done and the router has closed."""
    logging.disable(
        logging.WARNING
    )  # it says, rightly, that somebody takes drops out of its inbox: the next round
    scan = options.folder / "outgoing"
    settings = Settings.model_validate(_LIMITS | {"gateways": {"gateway": _terminal(options, scan)}})
    values = settings.gateways["gateway"]
    gateway: _Timed = (
        _TimedScanGateway("gateway", values, (), SystemClock())
        if isinstance(values, GoldminerSettings)
        else _TimedGateway("gateway", scan, options.folder / "staging")
    )
    workspace = Workspace(options.folder, options.folder / "inbox")
    with contextlib.suppress(_EnoughError):
        app = App(settings, workspace, gateways={"gateway": gateway})
        app.__enter__()
        run = _Run(options, app, gateway)
        app.run(run.stop, run.tell)
        app.__exit__()
    return {"handed": gateway.handed, **run.found}


def _terminal(options: subject.Options, scan: Path) -> dict[str, Any]:
    """The gateway's settings: 掘金's with --window, else any, since a gateway of ours stands in its place."""
    if not options.window:
        return {"type": "paper"}
    push = options.folder / "push"
    for folder in (scan, push):
        folder.mkdir(exist_ok=True)
    return {"type": "goldminer", "scan_dir": scan, "push_dir": push, "window": options.window, "live": False}


class _Timed(Protocol):
    handed: dict[str, int]
    orders: int


class _TimedGateway(FolderGateway):
    """Notes when each batch was handed over."""

    def __init__(self, name: str, folder: Path, staging: Path) -> None:
        super().__init__(name, folder, staging)
        self.handed: dict[str, int] = {}
        self.orders = 0

    def submit(self, batch: Batch) -> SubmitResult:
        result = super().submit(batch)
        self.handed[self._path(batch).name] = time.monotonic_ns()
        self.orders += batch.content.count(b"\n") - 1
        return result


class _TimedScanGateway(GoldminerGateway):
    """The real one, and notes when each file stood in the scan folder, by its name there."""

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self.handed: dict[str, int] = {}
        self.orders = 0

    def submit(self, batch: Batch) -> SubmitResult:
        result = super().submit(batch)
        self.handed[self._scan.name(batch)] = time.monotonic_ns()
        self.orders += batch.content.count(b"\n") - 1
        return result


class _EnoughError(BaseException):
    """Everything expected was handed over and journaled; the rest is not measured. No `Exception`: those end no router."""


class _Run:
    """Ends the run: when enough was handed over, or when the idle seconds are over."""

    def __init__(self, options: subject.Options, app: App, gateway: _Timed) -> None:
        self._options, self._app, self._gateway = options, app, gateway
        self.stop = threading.Event()
        self._turns = 0
        self.found: dict[str, float] = {}
        if options.idle:
            threading.Thread(target=self._watch_idleness, daemon=True).start()

    def tell(self, _round: Turn) -> None:
        self._turns += 1
        enough = bool(self._options.expect) and self._gateway.orders >= self._options.expect
        if enough and self._options.confirmed:
            enough = not self._app.router.confirmation.waiting
            self.found["confirmed"] = time.monotonic_ns()
        if self._turns == _STARTED or (enough and self._turns < _STARTED):
            subject.say_ready()
        if enough:
            self.stop.set()
            self.found.setdefault("rss_mb_at_hand_over", subject.peak_rss_mb())
            if not self._options.finish:
                raise _EnoughError

    def _watch_idleness(self) -> None:
        time.sleep(_WARM_UP)
        began, cpu = time.monotonic(), time.process_time()
        time.sleep(self._options.idle)
        self.found["cpu_percent"] = 100 * (time.process_time() - cpu) / (time.monotonic() - began)
        self.stop.set()
        self._app.inbox.wake()


if __name__ == "__main__":
    subject.main(route)
