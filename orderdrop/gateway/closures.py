"""Closes gateways for the rest of a day: a file for each, which names the day, so that the next morning opens them by itself.

`orderdrop close` has emptied their terminals' folders for the next start; an order that went in after it would stop that start. Removing the file
opens the gateway again; a running router sees it, as it sees all switches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

from orderdrop.config.workspace import Workspace
from orderdrop.system.files import write_over

UNREADABLE: Final = "?"


def shut(workspace: Workspace, gateways: Iterable[str], today: date) -> dict[str, str]:
    """Those that are closed today, with the time of it."""
    found = {name: _read(workspace.shut(name), today) for name in gateways}
    return {name: at for name, at in found.items() if at}


def close(workspace: Workspace, gateway: str, today: date, at: str) -> None:
    """at: `15:30:05`. On disk before anything is taken out of the folder. Raises OSError."""
    content = json.dumps({"day": today.isoformat(), "at": at})
    write_over(workspace.shut(gateway), content.encode(), durable=True)


def open_again(workspace: Workspace, gateway: str) -> None:
    """Raises OSError."""
    workspace.shut(gateway).unlink(missing_ok=True)


def _read(path: Path, today: date) -> str:
    """When it was closed today, "" if it was not; a file that somebody has spoilt closes it until it is opened again."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        day, at = str(told["day"]), str(told["at"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError):
        return UNREADABLE
    return at if day == today.isoformat() else ""
