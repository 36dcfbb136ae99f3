"""Durable file operations, the same on every system: write whole or not at all, never replace by accident.

The one place that calls fsync, link and replace. Windows sharing violations (another program has the file open) are retried for
`PATIENCE` seconds, because virus scanners and Excel hold files for moments; but not by what gives way to orders (`giving_way`).
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from orderdrop.system.sharing import is_held, is_written

PATIENCE: Final = 2.5
_NEW: Final = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
)
_HERE: Final = -100  # AT_FDCWD
_NO_REPLACE: Final = 1  # RENAME_NOREPLACE
_EXCLUSIVE: Final = 4  # RENAME_EXCL
_CANNOT: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_counter = itertools.count()
_manners = threading.local()

T = TypeVar("T")


def write_new(path: Path, content: bytes, *, staging: Path | None = None, durable: bool = True) -> None:
    """Make `path` appear with all of `content`; FileExistsError if the name is taken.

    staging: a folder on the same volume where the file is written first (default: beside `path`, under a name
    that no scanner takes).
    """
    temporary = _write_temporary(path, content, staging, durable)
    try:
        rename_free(temporary, path)
    except BaseException:
        _discard(temporary)
        raise
    if durable:
        sync_folder(path.parent)


def write_over(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Put `content` in the place of `path`; a reader sees the old file or the new one, never a part."""
    temporary = _write_temporary(path, content, None, durable)
    try:
        patiently(lambda: os.replace(temporary, path))
    except BaseException:
        _discard(temporary)
        raise
    if durable:
        sync_folder(path.parent)


def begin_anew(path: Path, content: bytes) -> None:
    """As `write_over`; but a file that somebody follows on Windows, and that cannot be replaced so, is written over where it stands."""
    try:
        write_over(path, content)
    except OSError as error:
        if not is_held(error):
            raise
        with open(path, "r+b", buffering=0) as file:
            file.truncate()
            file.write(content)


@contextlib.contextmanager
def rewriting(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Write a new content for `path` piece by piece; it takes the old one's place at the end, if all went well."""
    temporary = _temporary_name(path, None)
    try:
        with open(temporary, "xb") as file:
            yield file.write
        patiently(lambda: os.replace(temporary, path))
    except BaseException:
        _discard(temporary)
        raise


def append_whole(path: Path, content: bytes) -> None:
    """Append in one write, so that whoever opens the file sees whole rows, on a local disk.

    Windows keeps readers out of a write by itself. Linux lets a file grow page by page while it is being read, so that a row across a
    page's end can be seen in part: there, such a write is made under a lease, for which whoever opens the file waits those microseconds.
    A program that holds the file open all the time can still see the beginning of a row, as anybody who follows a growing file does.
    """

    def append() -> None:
        with open(path, "ab", buffering=0) as file, _unseen(file, len(content)):
            view = memoryview(content)
            while view:
                view = view[file.write(view) :]

    patiently(append)


def grow(path: Path, at: int, content: bytes, mark_at: int, mark: bytes) -> None:
    """Write `content` from `at` on, to the file's end, and then `mark`, which says that it is there."""

    def write() -> None:
        with open(path, "r+b", buffering=0) as file, _unseen(file, _PAGE + 1):
            file.seek(at)
            view = memoryview(content)
            while view:
                view = view[file.write(view) :]
            file.seek(mark_at)
            file.write(mark)

    patiently(write)


_PAGE: Final = 4096
_LEASE_TRIES: Final = 20
_LEASE_PAUSE: Final = 0.0005
_TRY_AGAIN: Final = 5.0
_held_open: dict[str, float] = {}  # files that some program keeps open, and until when nobody waits for it


@contextlib.contextmanager
def _unseen(file: Any, length: int) -> Iterator[None]:
    """Nobody opens the file meanwhile, if `length` bytes at its end would be seen in part, and the system can do that."""
    if sys.platform == "linux" and os.fstat(file.fileno()).st_size % _PAGE + length > _PAGE:
        leased = _lease(file.fileno(), os.fspath(file.name))
        try:
            yield
        finally:
            if leased:
                fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    else:
        yield


if sys.platform == "linux":
    import fcntl

    def _lease(handle: int, name: str) -> bool:
        """Whether nobody else has the file open now, and whoever opens it waits until the lease is given back."""
        tries = 1 if time.monotonic() < _held_open.get(name, 0.0) else _LEASE_TRIES
        for attempt in range(tries):
            if attempt:
                time.sleep(_LEASE_PAUSE)
            try:
                # A signal that is ignored: the usual one for a lease ends the process.
                fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)
                fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            except BlockingIOError:
                continue
            except OSError:  # a file system without leases
                break
            _held_open.pop(name, None)
            return True
        _held_open[name] = time.monotonic() + _TRY_AGAIN
        return False


def rename_new(source: Path, target: Path) -> None:
    """Rename without replacing: link and unlink on POSIX (no rename there refuses an existing name), rename on Windows."""
    if sys.platform == "win32":
        patiently(lambda: os.rename(source, target))
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}:
            raise
        rename_free(source, target)  # exFAT and some shares have no hard links
        return
    os.unlink(source)


def rename_free(source: Path, target: Path) -> None:
    """Rename in one step, never on another file: FileExistsError. Windows refuses by itself, Linux and macOS where the file system can.

    Elsewhere the name is looked at first: of a name that others may take at the same moment, that is no proof.
    """
    if sys.platform == "win32" or not _rename_exclusively(source, target):
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        patiently(lambda: os.rename(source, target))


def sync_folder(folder: Path) -> None:
    """Make names in a folder survive a power loss. Windows has no such call; NTFS journals its names."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def patiently(action: Callable[[], T]) -> T:
    """Run `action`, again while Windows says that somebody else has the file, at most for PATIENCE seconds; `giving_way`: once."""
    deadline = time.monotonic() + (0.0 if getattr(_manners, "giving_way", False) else PATIENCE)
    while True:
        try:
            return action()
        except PermissionError as error:
            if not is_held(error) or time.monotonic() >= deadline:
                raise
            time.sleep(0.02)


@contextlib.contextmanager
def giving_way() -> Iterator[None]:
    """In this thread nobody waits for a file that another program has open: around what can be tried again later, and must delay no order."""
    before = getattr(_manners, "giving_way", False)
    _manners.giving_way = True
    try:
        yield
    finally:
        _manners.giving_way = before


def is_free(path: Path) -> bool:
    """Whether nobody has the file open for writing. Only Windows can tell; elsewhere quiet time has to do. Raises OSError."""
    return not is_written(path)


def _write_temporary(path: Path, content: bytes, staging: Path | None, durable: bool) -> Path:
    temporary = _temporary_name(path, staging)
    handle = os.open(temporary, _NEW, 0o666)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(handle, view) :]
        if durable:
            os.fsync(handle)
    except BaseException:
        os.close(handle)
        _discard(temporary)
        raise
    os.close(handle)
    return temporary


def _temporary_name(path: Path, staging: Path | None) -> Path:
    """A name of our own that no scanner takes."""
    return (staging or path.parent) / f".{path.name}.{os.getpid()}-{next(_counter)}.tmp"


def _discard(temporary: Path) -> None:
    with contextlib.suppress(OSError):
        temporary.unlink()


def _rename_exclusively(source: Path, target: Path) -> bool:
    """False where this system, or this file system, has no such call. Raises OSError."""
    call = _exclusive_rename()
    if call is None:
        return False
    code = call(os.fsencode(source), os.fsencode(target))
    if code in _CANNOT:
        return False
    if code:
        raise OSError(code, os.strerror(code), str(source), None, str(target))
    return True


@cache
def _exclusive_rename() -> Callable[[bytes, bytes], int] | None:
    """`renameat2` of Linux, `renamex_np` of macOS; its answer is an errno, 0 for done."""
    import ctypes  # noqa: PLC0415  few need it

    try:
        library = ctypes.CDLL(None, use_errno=True)
        call = library.renameat2 if sys.platform == "linux" else library.renamex_np
    except (OSError, AttributeError, TypeError):
        return None

    def rename(source: bytes, target: bytes) -> int:
        if sys.platform == "linux":
            failed = call(_HERE, source, _HERE, target, _NO_REPLACE)
        else:
            failed = call(source, target, _EXCLUSIVE)
        return ctypes.get_errno() if failed else 0

    return rename
