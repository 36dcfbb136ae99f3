"""Tells whether a router runs in a workspace, and who it is."""

from __future__ import annotations

import json
from typing import Any

from filelock import FileLock, Timeout

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace


def holder_of(workspace: Workspace) -> dict[str, Any]:
    """Who runs the router, empty if nobody can be named."""
    try:
        return dict(json.loads(workspace.holder.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def has_settings(workspace: Workspace, settings: Settings) -> bool:
    """Whether the router that runs here, if one does, was started with these settings: they do not change while it runs."""
    if not is_running(workspace):
        return True
    return bool(holder_of(workspace).get("settings", settings.fingerprint) == settings.fingerprint)


def is_running(workspace: Workspace) -> bool:
    """Whether a router holds this workspace."""
    if not workspace.lock.exists():
        return False
    lock = FileLock(workspace.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
