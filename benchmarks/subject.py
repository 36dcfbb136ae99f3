"""What the processes under test have in common: their options, how they say that they are ready, what they report.

`floor.py FOLDER --expect N` and `ours.py FOLDER --expect N` take drops from FOLDER/inbox until N orders stand in
FOLDER/outgoing, then write FOLDER/result.json.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

RESULT = "result.json"


class Options(argparse.Namespace):
    folder: Path
    expect: int
    finish: bool
    idle: float
    window: int
    confirmed: bool
    profile: Path | None


def main(route: Callable[[Options], dict[str, Any]]) -> None:
    """`route` returns what it has to tell, at least {"handed": {name of the outgoing file: monotonic nanoseconds}}."""
    options = _options()
    with _profiled(options.profile):
        result = route(options)
    result["rss_mb"] = peak_rss_mb()
    (options.folder / RESULT).write_text(json.dumps(result))
    if not options.finish:
        os._exit(0)  # what would follow is not measured


def say_ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def peak_rss_mb() -> float:
    """Of this process alone: on Linux, ru_maxrss also remembers the process that started this one."""
    with contextlib.suppress(OSError), Path("/proc/self/status").open(encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextlib.contextmanager
def _profiled(to: Path | None) -> Iterator[None]:
    if to is None:
        yield
        return
    pyinstrument = importlib.import_module(
        "pyinstrument"
    )  # only here: a benchmark without it loads nothing of it
    with pyinstrument.Profiler(interval=0.0002) as profiler:
        yield
    to.write_text(profiler.output_text(unicode=True, show_all=True))


def _options() -> Options:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--expect", type=int, default=0, help="end when so many orders were handed over")
    parser.add_argument("--finish", action="store_true", help="do the chores and close before ending")
    parser.add_argument(
        "--idle", type=float, default=0, help="only measure the CPU time of so many idle seconds"
    )
    parser.add_argument("--window", type=int, default=0, help="through 掘金's gateway, with this window")
    parser.add_argument(
        "--confirmed", action="store_true", help="end when all are confirmed, not handed over"
    )
    parser.add_argument("--profile", type=Path, help="write pyinstrument's tree to this file")
    return parser.parse_args(namespace=Options())
