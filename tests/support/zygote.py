"""The process that the victims are forked from: everything is imported, no thread runs, so a victim starts in milliseconds.

Reads lines of JSON on stdin, one for each victim; answers with `pid N` when it is born and `dead N` with its wait status.
Points of the system's calls (`sys.link.before`, …) are added here, because `orderdrop.system.files` knows no failpoints.
"""

import contextlib
import json
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.execution.turn import Turn
from orderdrop.gateway.gm import connection
from orderdrop.gateway.miniqmt.session import library
from orderdrop.service.app import App
from orderdrop.system import failpoint

CALLS = ("link", "unlink", "replace", "fsync")


def main() -> None:
    if "miniqmt" in sys.argv:
        with contextlib.redirect_stdout(sys.stderr):  # what is printed here is read as an answer
            _put_the_stand_in_for_miniqmt_in_its_place()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(order)
        print("pid", pid, flush=True)
        print("dead", os.waitpid(pid, 0)[1], flush=True)


def _put_the_stand_in_for_miniqmt_in_its_place() -> None:
    import xtquant_native  # noqa: PLC0415

    xtquant_native.install()
    library()


def _live(order: dict) -> None:
    """The victim. Ends by a kill, or, when told to run `once`, with 0 for settled and 1 for unsettled."""
    code = 2
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        logging.getLogger("orderdrop").setLevel(logging.CRITICAL)
        for name in CALLS:
            _add_points(name)
        failpoint.arm(order["failpoint"])
        connection.COMMAND = tuple(order["gm_worker"])
        root = Path(order["root"])
        settings = Settings.model_validate(order["settings"])
        with App(settings, Workspace(root, root / settings.inbox.path)) as app:
            if order["once"]:
                code = 0 if app.run_once(at_most=20) else 1
            else:
                app.run(threading.Event(), _until_idle_for(order["turns"]))
    except BaseException:  # noqa: BLE001  the last line of this process
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _until_idle_for(turns: int) -> Callable[[Turn], None]:
    """Dies as it is, without a word, after so many idle turns on end; 0: never. A signal of its own tells it from a failpoint's kill."""
    idle = 0

    def count(done: Turn) -> None:
        nonlocal idle
        idle = idle + 1 if done.idle else 0
        if turns and idle >= turns:
            os.kill(os.getpid(), signal.SIGTERM)

    return count


def _add_points(name: str) -> None:
    real = getattr(os, name)

    def call(*args, **kwargs):
        failpoint.reach(f"sys.{name}.before")
        result = real(*args, **kwargs)
        failpoint.reach(f"sys.{name}.after")
        return result

    setattr(os, name, call)


if __name__ == "__main__":
    main()
