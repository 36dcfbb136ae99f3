"""Python as orderdrop's own modules see it on Windows: another `os`, `sys`, `signal`, `time`, `select` and `ctypes`; some are absent.

The standard library keeps its real platform, so that subprocess, pathlib and SQLite go on working.
"""

import builtins
import ctypes
import ctypes.wintypes
import os
import select
import signal
import sys
import time
import types
from importlib.machinery import PathFinder

import winlike_files as files

_TICK = 15_625_000
_COARSE = os.environ.get("WINLIKE_COARSE", "1") != "0"
_ABSENT_MODULES = frozenset(
    {"fcntl", "inotify_simple", "pwd", "grp", "resource", "termios", "tty", "pty", "syslog"}
)
_REAL_TIME = {name: getattr(time, name) for name in ("time_ns", "monotonic_ns")}


class _Seen(types.ModuleType):
    """A module as it is on Windows: some names absent, some different, the rest the real one's."""

    def __init__(self, real, absent=(), **different):
        super().__init__(real.__name__, real.__doc__)
        self.__dict__.update(different)
        self.__dict__["_real_module"] = real
        self.__dict__["_absent"] = frozenset(absent)

    def __setattr__(self, name, value):
        """`sys.stdout = …` is seen by everybody, all else by orderdrop alone."""
        seen = self.__dict__
        setattr(seen["_real_module"], name, value) if self.__name__ == "sys" else seen.update({name: value})

    def __getattr__(self, name):
        if name in self.__dict__["_absent"]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} on Windows")
        return getattr(self.__dict__["_real_module"], name)


def _coarse(name):
    return (lambda: _REAL_TIME[name]() // _TICK * _TICK) if _COARSE else _REAL_TIME[name]


class _Call:
    """A function of a Windows library."""

    restype = argtypes = None

    def __init__(self, call):
        self._call = call

    def __call__(self, *given):
        return self._call(*given)


CONSOLE_HANDLERS = []
"""Newest last; a test calls them as Windows does."""

_handles = {}


class _Windows:
    """The few functions of Windows' libraries that orderdrop calls."""

    last_error = 0
    _INVALID = 2**64 - 1

    def __init__(self):
        self.CreateFileW = _Call(self._create_file)
        self.CloseHandle = _Call(lambda handle: _handles.pop(handle, None) and 1)
        self.NtQueryInformationFile = _Call(self._processes_using)
        self.GetTickCount64 = _Call(lambda: _coarse("monotonic_ns")() // 1_000_000)
        self.SetConsoleCtrlHandler = _Call(self._set_handler)
        self.GetNamedSecurityInfoW = _Call(lambda *_given: 1)

    def _create_file(self, path, access, share, *_rest):
        try:
            files.check_length(path)
        except OSError as error:
            return self._failed(error.winerror)
        path = files.found(path)
        if not os.path.exists(path):
            return self._failed(files.NOT_FOUND)
        if access & 0xC0000000:
            files.note(f"exclusive-open share={share}", path)
            if not share & 2 and any(writes for _pid, writes, _denies in files.holders(path)):
                return self._failed(files.SHARING)
        handle = max(_handles, default=3) + 1
        _handles[handle] = path
        return handle

    def _failed(self, code):
        type(self).last_error = code
        return self._INVALID

    def _processes_using(self, handle, _status, told, _size, _kind):
        who = sorted({pid for pid, _writes, _denies in files.holders(_handles[handle])} | {os.getpid()})
        told._obj.count = len(who)
        told._obj.numbers[: len(who)] = who
        return 0

    def _set_handler(self, handler, add):
        (CONSOLE_HANDLERS.append if add else CONSOLE_HANDLERS.remove)(handler)
        return 1


def _win_error(code=None):
    return files.refusal(_Windows.last_error if code is None else code, "")


def _open_key(*_given):
    raise FileNotFoundError(2, "no such key")


def _windows():
    winreg = types.ModuleType("winreg")
    winreg.OpenKey, winreg.HKEY_LOCAL_MACHINE = _open_key, 0
    return {
        "os": _Seen(
            os,
            ["link", "fork", "forkpty", "eventfd", "eventfd_read", "eventfd_write", "pread", "pwrite", "preadv", "pwritev", "mkfifo", "mknod", "getuid", "geteuid", "getgid", "getegid", "getpgid", "setsid", "setpgid", "killpg", "nice", "sched_getaffinity", "sched_setaffinity", "statvfs", "fstatvfs", "chown", "lchown", "chroot", "uname", "getloadavg", "posix_fadvise", "posix_fallocate", "sendfile", "fchmod", "fchown", "fdatasync", "sync", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_SYNC", "O_DSYNC", "O_NOATIME", "O_NOCTTY", "wait", "waitid", "WNOHANG", "SCHED_OTHER", "EFD_CLOEXEC", "EFD_NONBLOCK", "getxattr", "setxattr", "listxattr", "pidfd_open", "memfd_create"],
            name="nt", open=files.open_low, O_BINARY=0, O_NOINHERIT=0, O_SEQUENTIAL=0, O_TEXT=0,
        ),
        "sys": _Seen(sys, ("getdlopenflags",), platform="win32"),
        "signal": _Seen(
            signal,
            ["SIGKILL", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGSTOP", "SIGCONT", "pause", "alarm", "setitimer", "pthread_kill", "sigwait", "set_wakeup_fd"],
        ),
        "time": _Seen(
            time,
            ("clock_gettime_ns", "clock_gettime"),
            time=lambda: _coarse("time_ns")() / 1e9,
            time_ns=_coarse("time_ns"),
            monotonic=lambda: _coarse("monotonic_ns")() / 1e9,
            monotonic_ns=_coarse("monotonic_ns"),
        ),
        "select": _Seen(select, ("poll", "epoll")),
        "ctypes": _Seen(
            ctypes, (), WinDLL=lambda *_a, **_k: _Windows(), WINFUNCTYPE=ctypes.CFUNCTYPE,
            get_last_error=lambda: _Windows.last_error, WinError=_win_error,
        ),
        "winreg": winreg,
    }  # fmt: skip


_seen = _windows()


def _import(name, space=None, own=None, fromlist=(), level=0):
    """`import` as orderdrop's modules do it."""
    if level == 0:
        if name.partition(".")[0] in _ABSENT_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
        if name in _seen:
            return _seen[name]
    return builtins.__import__(name, space, own, fromlist, level)


class _Finder:
    """Loads orderdrop's modules with the import of above."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] != "orderdrop":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            real = spec.loader.exec_module

            def exec_module(module):
                module.__dict__["__builtins__"] = {**builtins.__dict__, "__import__": _import}
                real(module)

            spec.loader.exec_module = exec_module
        return spec


def install():
    sys.meta_path.insert(0, _Finder)
