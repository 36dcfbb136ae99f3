"""Asks Windows who has a file open, in a way that never makes a stranger's own open fail.

`users` looks at the file's list of processes through a handle for attributes alone, which takes no part in the sharing of files. Only
where that tells of somebody, `is_written` opens it for a moment, to tell a reader from a writer: a writer who has it open already cannot
be refused any more. Elsewhere there is nothing to ask: whoever writes, quiet time tells.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Final

SHARING_VIOLATIONS: Final = frozenset({5, 32, 33})
"""Windows' numbers for "somebody else has it": 5 is told of the target of a rename."""

_BUSY: Final = frozenset({32, 33})


class HeldOpen(PermissionError):
    """Another program has the file open: seen before anything was tried."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EACCES, "another program has it open", str(path))


def is_held(error: OSError) -> bool:
    """Whether the error says that another program has the file open."""
    return isinstance(error, HeldOpen) or getattr(error, "winerror", None) in SHARING_VIOLATIONS


def held_words(error: OSError) -> str:
    """One bilingual sentence for a file that could not be written or moved, for whoever may have it open."""
    name = Path(os.fsdecode(error.filename2 or error.filename or "?")).name
    return (
        f"{name.removeprefix('.')} 被其他程序打开（如 Excel），关闭后更新"
        f" / is open in another program; it is brought up to date once it is closed"
    )


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _GENERIC_READ: Final = 0x80000000
    _READ_ATTRIBUTES: Final = 0x80
    _SHARE_READ, _SHARE_WRITE, _SHARE_DELETE = 1, 2, 4
    _OPEN_EXISTING: Final = 3
    _PROCESSES_USING_FILE: Final = 47
    _MOST: Final = 256
    _INVALID: Final = wintypes.HANDLE(-1).value
    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    _kernel32.CreateFileW.restype = wintypes.HANDLE
    _kernel32.CreateFileW.argtypes = [
        wintypes.LPCWSTR, wintypes.DWORD, wintypes.DWORD, wintypes.LPVOID, wintypes.DWORD, wintypes.DWORD, wintypes.HANDLE,
    ]  # fmt: skip
    _kernel32.CloseHandle.restype = wintypes.BOOL
    _kernel32.CloseHandle.argtypes = [wintypes.HANDLE]
    _ntdll = ctypes.WinDLL("ntdll")
    _ntdll.NtQueryInformationFile.restype = ctypes.c_long
    _ntdll.NtQueryInformationFile.argtypes = [
        wintypes.HANDLE, ctypes.c_void_p, ctypes.c_void_p, wintypes.ULONG, ctypes.c_int,
    ]  # fmt: skip

    class _Processes(ctypes.Structure):
        _fields_ = (("count", wintypes.ULONG), ("numbers", ctypes.c_size_t * _MOST))

    class _Status(ctypes.Structure):
        _fields_ = (("status", ctypes.c_void_p), ("information", ctypes.c_size_t))

    def is_written(path: Path) -> bool:
        """Whether another program may be writing the file. Raises OSError where that cannot be asked: no right to read, a path too long."""
        others = users(path)
        if others is not None and not others:
            return False
        try:
            _kernel32.CloseHandle(_open(path, _GENERIC_READ, _SHARE_READ | _SHARE_DELETE))
        except OSError as error:
            if error.winerror in _BUSY:
                return True
            raise
        return False

    def users(path: Path) -> set[int] | None:
        """The processes that have the file open, without this one; None where the file system does not tell. Raises OSError."""
        handle = _open(path, _READ_ATTRIBUTES, _SHARE_READ | _SHARE_WRITE | _SHARE_DELETE)
        try:
            told, status = _Processes(), _Status()
            failed = _ntdll.NtQueryInformationFile(
                handle, ctypes.byref(status), ctypes.byref(told), ctypes.sizeof(told), _PROCESSES_USING_FILE
            )
        finally:
            _kernel32.CloseHandle(handle)
        if failed:
            return None
        return {int(number) for number in told.numbers[: told.count]} - {os.getpid()}

    def _open(path: Path, access: int, share: int) -> int:
        handle = _kernel32.CreateFileW(str(path), access, share, None, _OPEN_EXISTING, 0, None)
        if handle == _INVALID:
            error = ctypes.WinError(ctypes.get_last_error())
            error.filename = str(path)
            raise error
        return int(handle)

else:

    def is_written(path: Path) -> bool:
        """Nobody can tell."""
        del path
        return False
