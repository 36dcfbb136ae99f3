"""Reads the switches that lie in the inbox, for those who only look; the router meets them on its scan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from orderdrop.domain.switches import ScopeKey, State, Switches
from orderdrop.inbox.names import printable, read_switch

_REASON_BYTES: Final = 400


def switch_files(inbox: Path) -> Iterator[tuple[Path, ScopeKey, State]]:
    """Files and folders. A switch that names an account may name none that is known: see `checks.switches.bound_by`."""
    if not inbox.is_dir():
        return
    below = (path for path in sorted(inbox.iterdir()) if path.is_dir() and not path.is_symlink())
    for folder in (inbox, *(path for path in below if not path.name.startswith("."))):
        for path in sorted(folder.iterdir()):
            switch = read_switch(path.relative_to(inbox).as_posix())
            if switch is not None:
                yield path, *switch


def reason_in(path: Path) -> str:
    """Returns what was written into a switch, as one short line; "" where nothing can be read."""
    try:
        with path.open("rb") as file:
            text = file.read(_REASON_BYTES).decode(errors="ignore")
    except OSError:  # a folder, a link to nowhere
        return ""
    return printable(" ".join(text.split()))


def read_switches(inbox: Path) -> Switches:
    states: dict[ScopeKey, State] = {}
    for _path, key, state in switch_files(inbox):
        states[key] = max(state, states.get(key, State.ACTIVE))
    return Switches(states)
