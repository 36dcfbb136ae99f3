"""The file system as Windows has it: open files are neither moved nor removed, names are the same in any case, and st_ctime is a creation.

A file counts as open when a process under the shim has it open (/proc/<pid>/fd). Python's open() and SQLite share reading and writing
there, not deleting; a process with WINLIKE_DENY=write shares reading only.
"""

import builtins
import contextlib
import ctypes
import errno
import io
import os
import shutil
import stat
import struct
import sys
import tempfile
import types

ROOTS = tuple(
    os.path.realpath(root) + os.sep
    for root in os.environ.get("WINLIKE_ROOTS", tempfile.gettempdir()).split(":")
    if root
)
_LOG = os.environ.get("WINLIKE_LOG", "")
_LONG = os.environ.get("WINLIKE_LONG", "") == "1"
_PEOPLE = os.path.join(tempfile.gettempdir(), f".winlike-{os.getuid()}")
"""A file for each process under the shim, named by its number; its content is what the process denies to others."""

real = types.SimpleNamespace(
    rename=os.rename, replace=os.replace, unlink=os.unlink, mkdir=os.mkdir, rmdir=os.rmdir, open=os.open, stat=os.stat,
    lstat=os.lstat, fstat=os.fstat, access=os.access, listdir=os.listdir, scandir=os.scandir, io_open=io.open,
)  # fmt: skip

NOT_FOUND, DENIED, SHARING, EXISTS, BAD_NAME, TOO_LONG = 2, 5, 32, 183, 123, 206
_ERRNO = {
    NOT_FOUND: errno.ENOENT, DENIED: errno.EACCES, SHARING: errno.EACCES, EXISTS: errno.EEXIST,
    BAD_NAME: errno.EINVAL, TOO_LONG: errno.ENOENT,
}  # fmt: skip
_WORDS = {
    NOT_FOUND: "The system cannot find the file specified",
    DENIED: "Access is denied",
    SHARING: "The process cannot access the file because it is being used by another process",
    EXISTS: "Cannot create a file when that file already exists",
    BAD_NAME: "The filename, directory name, or volume label syntax is incorrect",
    TOO_LONG: "The filename or extension is too long",
}
_RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    "conin$",
    "conout$",
    *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789¹²³"),
}
_FORBIDDEN = frozenset('<>:"|?*\\') | {chr(n) for n in range(32)}
MAX_PATH = 260


def refusal(winerror, path):
    error = OSError(_ERRNO[winerror], f"[WinError {winerror}] {_WORDS[winerror]}", os.fspath(path))
    error.winerror = winerror
    note(winerror, path)
    return error


def note(what, path):
    if not _LOG:
        return
    frame, who = sys._getframe(1), []
    while frame is not None and len(who) < 4:
        if frame.f_globals.get("__name__", "").startswith("orderdrop"):
            who.append(f"{frame.f_globals['__name__']}.{frame.f_code.co_name}:{frame.f_lineno}")
        frame = frame.f_back
    handle = real.open(_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.write(
        handle,
        f"{os.getpid()} {what} {os.fsdecode(path)} < {' < '.join(who)}\n".encode("utf-8", "surrogateescape"),
    )
    os.close(handle)


def inside(path):
    """The path as text if files behave as on Windows there, else None."""
    if isinstance(path, int):
        return None
    text = os.path.abspath(os.fsdecode(path))
    return text if text.startswith(ROOTS) else None


# names


def found(path):
    """The path as the folders spell it: names are compared without regard to case."""
    text = inside(path)
    if text is None:
        return path
    try:
        real.lstat(text)
    except OSError:
        return _respelled(text)
    return path


def _respelled(text):
    folder, name = os.path.split(text)
    if not text.startswith(ROOTS):
        return text
    try:
        names = real.listdir(folder)
    except OSError:
        folder = _respelled(folder)
        try:
            names = real.listdir(folder)
        except OSError:
            return os.path.join(folder, name)
    folded = name.casefold()
    return os.path.join(folder, next((one for one in names if one.casefold() == folded), name))


def check_name(path):
    text = inside(path)
    if text is None:
        return
    root = next(root for root in ROOTS if text.startswith(root))
    for part in text[len(root) :].split(os.sep):
        reserved = part.partition(".")[0].rstrip(" ").lower() in _RESERVED
        if reserved or _FORBIDDEN & set(part) or part != part.rstrip(". "):
            raise refusal(BAD_NAME, path)
    check_length(path)


def check_length(path):
    text = inside(path)
    if text is not None and not _LONG and len(text.encode("utf-16-le", "surrogatepass")) // 2 >= MAX_PATH:
        raise refusal(TOO_LONG, path)


# who has a file open


def holders(path):
    """(process, writes, denies writing) of each handle that processes under the shim have on this file."""
    try:
        asked = real.stat(path)
    except OSError:
        return []
    if not stat.S_ISREG(asked.st_mode):
        return []
    key, who = (asked.st_dev, asked.st_ino), []
    for pid in real.listdir(_PEOPLE):
        try:
            handles = real.listdir(f"/proc/{pid}/fd")
        except OSError:
            with contextlib.suppress(OSError):
                real.unlink(os.path.join(_PEOPLE, pid))
            continue
        for handle in handles:
            try:
                opened = real.stat(f"/proc/{pid}/fd/{handle}")
                if (opened.st_dev, opened.st_ino) == key:
                    who.append((int(pid), _writes(pid, handle), _denies(pid)))
            except OSError:
                continue
    return who


def _writes(pid, handle):
    with real.io_open(f"/proc/{pid}/fdinfo/{handle}") as file:
        flags = next(line for line in file if line.startswith("flags:"))
    return bool(int(flags.split()[1], 8) & os.O_ACCMODE)


def _denies(pid):
    with real.io_open(os.path.join(_PEOPLE, str(pid))) as file:
        return file.read() == "write"


def _refuse_if_open(path, winerror=SHARING):
    text = inside(path)
    # A lock file: filelock opens it on Windows in its own way.
    if text is not None and not text.endswith(".lock") and holders(text):
        raise refusal(winerror, path)


def refuse_if_denied(path):
    """Writing, where somebody shares reading only."""
    text = inside(path)
    if text is not None and any(denies and pid != os.getpid() for pid, _writes, denies in holders(text)):
        raise refusal(SHARING, path)


# what the system does


def _rename(source, target, *, src_dir_fd=None, dst_dir_fd=None):
    if inside(target) is None:
        return real.rename(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
    source = found(source)
    check_name(target)
    check_length(source)
    there = found(target)
    if os.path.lexists(there) and os.fspath(there) != os.fspath(source):
        raise refusal(EXISTS, target)
    _refuse_if_open(source)
    return real.rename(source, os.path.join(os.path.dirname(there), os.path.basename(target)))


def _replace(source, target, *, src_dir_fd=None, dst_dir_fd=None):
    if inside(target) is None:
        return real.replace(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
    source = found(source)
    check_name(target)
    check_length(source)
    target = found(target)
    _refuse_if_open(source)
    _refuse_if_open(target, DENIED)
    return real.replace(source, target)


def _unlink(path, *, dir_fd=None):
    if dir_fd is not None or inside(path) is None:
        return real.unlink(path, dir_fd=dir_fd)
    path = found(path)
    _refuse_if_open(path)
    return real.unlink(path)


def _mkdir(path, mode=0o777, *, dir_fd=None):
    if inside(path) is None:
        return real.mkdir(path, mode, dir_fd=dir_fd)
    check_name(path)
    return real.mkdir(found(path), mode)


def open_low(path, flags, mode=0o777, *, dir_fd=None):
    """os.open, for orderdrop's own modules."""
    if inside(path) is not None:
        if flags & os.O_CREAT:
            check_name(path)
        check_length(path)
        path = found(path)
        if os.path.isdir(path):
            raise refusal(DENIED, path)
        if flags & os.O_ACCMODE:
            refuse_if_denied(path)
    return real.open(path, flags, mode, dir_fd=dir_fd)


def _asked_by_orderdrop(depth=6):
    frame = sys._getframe(2)
    for _ in range(depth):
        if frame is None:
            return False
        name = frame.f_globals.get("__name__", "")
        if name.split(".")[0] == "orderdrop":
            return True
        if name not in {"pathlib", "pathlib._local", "tempfile", "zipfile", "logging", "logging.handlers"}:
            return False
        frame = frame.f_back
    return False


def _open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
    """open(): with CRLF and code page 936, where orderdrop says nothing else."""
    if inside(file) is not None and opener is None:
        if set(mode) & set("wxa+"):
            check_name(file)
            refuse_if_denied(found(file))
        check_length(file)
        file = found(file)
        if os.path.isdir(file):
            raise refusal(DENIED, file)
    if "b" not in mode and _asked_by_orderdrop():
        encoding = encoding or "gbk"
        newline = "\r\n" if newline is None and set(mode) & set("wxa") else newline
    return real.io_open(file, mode, buffering, encoding, errors, newline, closefd, opener)


# what is told of a file

_NO_INODE = os.environ.get("WINLIKE_NO_INODE", "") == "1"
_statx = ctypes.CDLL(None, use_errno=True).statx
_BIRTH, _BIRTH_AT, _NO_FOLLOW, _HERE = 0x800, 80, 0x100, -100


def _born(path, follow):
    """When the file was made, in nanoseconds; None where the file system does not keep it."""
    told = ctypes.create_string_buffer(256)
    if _statx(_HERE, os.fsencode(path), 0 if follow else _NO_FOLLOW, _BIRTH, told):
        return None
    if not struct.unpack_from("I", told.raw, 0)[0] & _BIRTH:
        return None
    seconds, rest = struct.unpack_from("qI", told.raw, _BIRTH_AT)
    return seconds * 1_000_000_000 + rest


def _told(status, path, follow):
    """A file's status with its creation as st_ctime, and without an inode, if there is none."""
    if not stat.S_ISREG(status.st_mode):
        return status
    born = None if path is None else _born(path, follow)
    extra = {name: getattr(status, name) for name in dir(status) if name.startswith("st_")}
    if born is not None:
        extra |= {"st_ctime": born / 1e9, "st_ctime_ns": born}
    inode = 0 if _NO_INODE else status.st_ino
    return os.stat_result((status[0], inode, *status[2:9], int(extra["st_ctime"])), extra)


def _stat(path, *, dir_fd=None, follow_symlinks=True):
    text = inside(path) if dir_fd is None else None
    if text is None:
        return real.stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
    path = found(path)
    return _told(real.stat(path, follow_symlinks=follow_symlinks), path, follow_symlinks)


def _lstat(path, *, dir_fd=None):
    if dir_fd is not None or inside(path) is None:
        return real.lstat(path, dir_fd=dir_fd)
    path = found(path)
    return _told(real.lstat(path), path, follow=False)


def _fstat(handle):
    status = real.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        return status
    path = os.readlink(f"/proc/self/fd/{handle}")
    return _told(status, path, follow=True) if path.startswith(ROOTS) else status


def _access(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True):
    if dir_fd is None and inside(path) is not None:
        path = found(path)
    return real.access(
        path, mode, dir_fd=dir_fd, effective_ids=effective_ids, follow_symlinks=follow_symlinks
    )


def _be_known():
    handle = real.open(os.path.join(_PEOPLE, str(os.getpid())), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.write(handle, os.environ.get("WINLIKE_DENY", "").encode())
    os.close(handle)


def install():
    os.makedirs(_PEOPLE, exist_ok=True)
    _be_known()
    os.register_at_fork(after_in_child=_be_known)
    os.rename, os.replace, os.unlink, os.remove, os.mkdir = _rename, _replace, _unlink, _unlink, _mkdir
    os.stat, os.lstat, os.fstat, os.access = _stat, _lstat, _fstat, _access
    io.open = builtins.open = _open
    shutil._use_fd_functions = False  # Windows has no dir_fd
