"""Opens a drop and reads its bytes, without following a link or waiting on a pipe; tells by what a change of the file shows."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator
from typing import Final

from orderdrop.system.grasp import OPEN_FLAGS

_PIECE: Final = 1024 * 1024


def open_drop(path: str) -> tuple[int, os.stat_result]:
    """Opens for reading without following a link or waiting on a pipe. Raises OSError."""
    handle = os.open(path, OPEN_FLAGS)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise OSError(f"not a regular file: {path}")
    return handle, status


def stamp_of(status: os.stat_result) -> tuple[int, int]:
    """Returns size and time: what changes when a file is written."""
    return status.st_size, status.st_mtime_ns


def full_stamp(status: os.stat_result) -> tuple[int, int, int]:
    """Returns size, time and inode: what changes when a file is written or replaced."""
    return status.st_size, status.st_mtime_ns, status.st_ino


def touched_at(status: os.stat_result) -> int:
    """Returns when a file's inode was last touched: bytes that were rewritten with size and time kept show by it, and so does much that is
    harmless. Windows tells no such thing; there it is the minute, so that taken files are compared once in a minute.
    """
    return status.st_ctime_ns if os.name == "posix" else int(time.monotonic() // 60)


def read_at(handle: int, offset: int, size: int) -> bytes:
    """Returns what stands there, less than `size` at the file's end."""
    if sys.platform != "win32":
        data = os.pread(handle, size, offset)
        if len(data) == size:
            return data
    return b"".join(pieces(handle, offset, offset + size))


def pieces(handle: int, start: int, end: int) -> Iterator[bytes]:
    """Yields what stands from `start` to `end`, a mebibyte at a time."""
    os.lseek(handle, start, os.SEEK_SET)
    while start < end:
        piece = os.read(handle, min(_PIECE, end - start))
        if not piece:
            return
        start += len(piece)
        yield piece
