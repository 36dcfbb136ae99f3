"""Measures a folder: whether files can be made, renamed and removed in it, how fast, and by which clock."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Final, NamedTuple

from orderdrop.system.files import patiently

PROBE: Final = ".orderdrop-doctor"
"""Begins the names of our probes; no scanner and no inbox takes them."""

_CONTENT: Final = b"sid,comment\n" * 8


class Folder(NamedTuple):
    """Facts of a folder. fault: why a file could not be made, renamed into it or removed, "" when it could.

    renames: seconds that each took, sharing violations waited for. clock: by how many seconds the folder's clock is ahead of this
    machine's, None when no file could be made. free: bytes.
    """

    path: Path
    there: bool
    fault: str = ""
    renames: tuple[float, ...] = ()
    clock: float | None = None
    free: int | None = None


def look_at(path: Path, *, source: Path | None = None, tries: int = 1) -> Folder:
    """source: where files are made before they are renamed into `path`; default: in `path` itself."""
    if not path.is_dir():
        return Folder(path, there=False)
    renames: list[float] = []
    clock: float | None = None
    try:
        for number in range(tries):
            took, ahead = _one(source or path, path, number)
            renames.append(took)
            clock = ahead if clock is None or abs(ahead) < abs(clock) else clock
        free = shutil.disk_usage(path).free
    except OSError as error:
        return Folder(path, there=True, fault=str(error), renames=tuple(renames), clock=clock)
    return Folder(path, there=True, renames=tuple(renames), clock=clock, free=free)


def _one(source: Path, target: Path, number: int) -> tuple[float, float]:
    """Seconds of one rename, and the folder's clock ahead of ours. Raises OSError."""
    name = f"{PROBE}-{os.getpid()}-{number}"
    made, moved = source / f"{name}.tmp", target / f"{name}.moved.tmp"
    try:
        made.write_bytes(_CONTENT)
        ahead = made.stat().st_mtime - time.time()
        began = time.perf_counter()
        patiently(lambda: made.rename(moved))
        return time.perf_counter() - began, ahead
    finally:
        for path in (made, moved):
            with contextlib.suppress(OSError):
                patiently(lambda path=path: path.unlink(missing_ok=True))  # type: ignore[misc]
