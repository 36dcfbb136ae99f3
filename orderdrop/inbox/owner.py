"""Finds who owns a file, where the system tells it. Names are remembered: to ask for one may mean to ask a directory service."""

from __future__ import annotations

import os
import sys
from functools import lru_cache


def owner_of(status: os.stat_result) -> str | None:
    """Returns the owner's name, its number where it has none; None on Windows, whose files say nothing of it here."""
    return None if sys.platform == "win32" else _name(status.st_uid)


@lru_cache(maxsize=256)
def _name(uid: int) -> str:
    if sys.platform == "win32":
        return str(uid)
    import pwd  # noqa: PLC0415  there is none on Windows

    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OSError):
        return str(uid)
