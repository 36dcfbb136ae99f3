"""Wakes the inbox by the system's file events. They name files that may have come; the scan finds whatever they miss.

On Linux the router's thread reads the kernel's queue itself (inotify_simple): watchdog's threads would share the interpreter with
it and cost a burst more than all the rest. Elsewhere, watchdog tells; its thread only leaves hints.
"""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
from typing import Final, Protocol

from watchdog.events import (
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from orderdrop.config.workspace import FIN_SUFFIX

log = logging.getLogger(__name__)

Hints = dict[str, bool]
"""Names below the inbox, with /: whether the file was renamed in."""


class Watch(Protocol):
    """Wakes the inbox. `wake` may be called from any thread, the rest from the router's."""

    def wait(self, seconds: float) -> None:
        """Sleeps until there is a hint or somebody calls `wake`."""
        ...

    def take(self) -> Hints:
        """Returns what was told since the last time."""
        ...

    @property
    def stirring(self) -> bool:
        """Whether there are hints to take."""
        ...

    def also(self, folder: str) -> None:
        """Wakes on changes there, and one level below, without a hint."""
        ...

    def wake(self) -> None: ...

    def close(self) -> None: ...


class Unwatched:
    """No events at all: the inbox scans."""

    def __init__(self) -> None:
        self._wake = threading.Event()

    def wait(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def take(self) -> Hints:
        return {}

    @property
    def stirring(self) -> bool:
        return False

    def also(self, folder: str) -> None:
        pass

    def wake(self) -> None:
        self._wake.set()

    def close(self) -> None:
        pass


def _add(hints: Hints, name: str, *, moved: bool, made: bool) -> None:
    """made: a new file, written in place: what was renamed in under its name before is not it. A `.fin` tells of its file only that it is
    there.
    """
    file = name.removesuffix(FIN_SUFFIX)
    if file == name:
        hints[file] = moved or (not made and hints.get(file, False))
    else:
        hints.setdefault(file, False)


class Told(Unwatched):
    """Hints that another thread leaves."""

    def __init__(self) -> None:
        super().__init__()
        self._hints: Hints = {}
        self._lock = threading.Lock()

    def tell(self, name: str, *, moved: bool, made: bool = False) -> None:
        if name.endswith(".tmp"):
            return
        with self._lock:
            _add(self._hints, name, moved=moved, made=made)
        self.wake()

    def wait(self, seconds: float) -> None:
        if not self._hints:
            super().wait(seconds)

    def take(self) -> Hints:
        with self._lock:
            hints, self._hints = self._hints, {}
        return hints

    @property
    def stirring(self) -> bool:
        return bool(self._hints)


class Observed(Told):
    """Told by watchdog."""

    def __init__(self, root: str) -> None:
        super().__init__()
        # Only "modified" is told everywhere when a file grows.
        wanted: list[type[FileSystemEvent]] = [FileMovedEvent, FileCreatedEvent, FileModifiedEvent]
        self._observer = Observer(timeout=0.1)
        self._observer.schedule(_Teller(root, self), root, recursive=True, event_filter=wanted)
        self._observer.start()

    def also(self, folder: str) -> None:
        try:
            self._observer.schedule(_Waker(self), folder, recursive=True)
        except OSError as error:
            log.warning("文件夹没有事件 / no events for the folder %s: %s", folder, error)

    def close(self) -> None:
        self._observer.stop()
        self._observer.join()


class _Teller(FileSystemEventHandler):
    def __init__(self, root: str, told: Told) -> None:
        self._root, self._told = root, told

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.is_directory:
            return
        moved = isinstance(event, FileMovedEvent)
        name = os.path.relpath(os.fsdecode(event.dest_path if moved else event.src_path), self._root)
        made = isinstance(event, FileCreatedEvent)
        self._told.tell(name.replace(os.sep, "/"), moved=moved, made=made)


class _Waker(FileSystemEventHandler):
    def __init__(self, told: Told) -> None:
        self._told = told

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in {"opened", "closed_no_write"}:  # somebody reads, we ourselves for one
            self._told.wake()


if sys.platform == "linux":
    from inotify_simple import INotify, flags

    _WANTED: Final = flags.CREATE | flags.CLOSE_WRITE | flags.MOVED_TO | flags.ONLYDIR
    _CHANGES: Final = flags.MODIFY | _WANTED

    class _Inotify:
        """The kernel's own queue, read by whoever waits or takes. Sub-folders are watched, too, one level deep."""

        def __init__(self, root: str) -> None:
            self._inotify = INotify()
            self._woken = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            self._either = _poll(self._inotify.fileno(), self._woken)
            self._stirs = _poll(self._inotify.fileno())
            self._root = root
            self._hints: Hints = {}
            self._stirred = False  # something came that has no name below the inbox
            self._folders = {self._inotify.add_watch(root, _WANTED): ""}
            self._others: dict[
                int, str | None
            ] = {}  # folders without hints; None: one below, which is not looked into
            for name in _folders_in(root):
                self._add(name)

        def also(self, folder: str) -> None:
            self._add_other(folder, folder)
            for name in _folders_in(folder):
                self._add_other(os.path.join(folder, name), None)

        def wait(self, seconds: float) -> None:
            if self._hints or self._stirred:
                return
            for handle, _event in self._either.poll(max(0.0, seconds) * 1000):
                if handle == self._woken:
                    os.eventfd_read(self._woken)

        def take(self) -> Hints:
            self._read()
            hints, self._hints, self._stirred = self._hints, {}, False
            return hints

        @property
        def stirring(self) -> bool:
            """What the chores do themselves, under names of our own, is read and not counted: it must not interrupt them."""
            if self._stirs.poll(0):
                self._read()
            return bool(self._hints) or self._stirred

        def _read(self) -> None:
            for watch, mask, _cookie, name in self._inotify.read(timeout=0):
                if watch in self._others:
                    above = self._others[watch]
                    self._stirred = True
                    if mask & flags.ISDIR and above is not None:
                        self._add_other(os.path.join(above, name), None)
                    continue
                folder = self._folders.get(watch, "")
                if mask & flags.ISDIR:
                    if not folder:
                        self._add(name)
                        self._stirred = True
                elif name and not name.endswith(".tmp"):
                    path = f"{folder}/{name}" if folder else name
                    moved, made = bool(mask & flags.MOVED_TO), bool(mask & flags.CREATE)
                    _add(self._hints, path, moved=moved, made=made)

        def wake(self) -> None:
            os.eventfd_write(self._woken, 1)

        def close(self) -> None:
            self._inotify.close()
            os.close(self._woken)

        def _add(self, folder: str) -> None:
            """A folder that cannot be watched is scanned all the same."""
            try:
                self._folders[self._inotify.add_watch(os.path.join(self._root, folder), _WANTED)] = folder
            except OSError as error:
                log.warning("子文件夹没有事件 / no events for the folder %s: %s", folder, error)

        def _add_other(self, folder: str, above: str | None) -> None:
            try:
                self._others[self._inotify.add_watch(folder, _CHANGES)] = above
            except OSError as error:
                log.warning("文件夹没有事件 / no events for the folder %s: %s", folder, error)

    def _folders_in(root: str) -> list[str]:
        with os.scandir(root) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]

    def _poll(*handles: int) -> select.poll:
        poll = select.poll()
        for handle in handles:
            poll.register(handle, select.POLLIN)
        return poll


def watch(root: str) -> Watch:
    """Returns the best that this system has; where there are no events, the scan finds everything, later."""
    try:
        if sys.platform == "linux":
            return _Inotify(root)
        return Observed(root)
    except OSError as error:
        log.warning("没有文件事件,改为扫描 / no file events, scanning only: %s", error)
        return Unwatched()
