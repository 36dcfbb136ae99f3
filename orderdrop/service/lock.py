"""Takes the workspace's lock, so that one router runs in each workspace, and writes down who holds it."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from orderdrop import __version__
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.errors import WorkspaceBusy
from orderdrop.system.clock import Clock, iso
from orderdrop.system.files import patiently
from orderdrop.views.running import holder_of


@contextmanager
def holding(lock: FileLock, workspace: Workspace, clock: Clock, settings: Settings) -> Iterator[None]:
    """Holds the lock for as long as the context lasts. Raises WorkspaceBusy, which names the holder."""
    try:
        lock.acquire(timeout=0.3)  # `is_running` may hold it for a moment
    except Timeout:
        holder = holder_of(workspace)
        who = f"pid {holder.get('pid', '?')} @ {holder.get('host', '?')}, {holder.get('since', '?')}"
        raise WorkspaceBusy(
            f"这个工作区已有路由器在运行 / a router is running in this workspace already: {workspace.root}\n"
            f"  {who}\n  先停止它，或换一个工作区 / stop it first, or use another workspace"
        ) from None
    try:
        about = {
            "pid": os.getpid(),
            "host": platform.node(),
            "since": iso(clock.now()),
            "version": __version__,
            "settings": settings.fingerprint,
        }
        patiently(
            lambda: workspace.holder.write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
        )
        yield
    finally:
        try:
            with contextlib.suppress(
                OSError
            ):  # somebody reads it just now, on Windows; the lock says who holds it
                patiently(lambda: workspace.holder.unlink(missing_ok=True))
        finally:
            lock.release()
