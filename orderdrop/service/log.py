"""Sets up the router's log: a rotating file in the workspace."""

from __future__ import annotations

import contextlib
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orderdrop.config.settings import Settings
    from orderdrop.config.workspace import Workspace


def note_fault(root: Path, words: str) -> None:
    """What keeps a router from starting where nobody sees its console: into the log, which cannot be set up without settings."""
    from orderdrop.config.workspace import Workspace  # noqa: PLC0415

    path = Workspace(root, root).log
    if path.parent.is_dir() or Workspace(root, root).settings.is_file():
        with contextlib.suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} ERROR {words}\n")


def set_up_log(settings: Settings, workspace: Workspace) -> None:
    """A rotating log in the workspace's state folder, for this process."""
    from orderdrop.system.logfile import LogFile  # noqa: PLC0415  only a router needs it

    workspace.state.mkdir(parents=True, exist_ok=True)
    handler = LogFile(workspace.log, maxBytes=5_000_000, backupCount=9, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger("orderdrop")
    root.setLevel(settings.log.level)
    root.handlers = [handler]
    root.propagate = False
