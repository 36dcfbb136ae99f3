"""Remembers which files went into the scan folder, and whether that memory is without a gap."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from orderdrop.system.files import write_over

_SAME_BOOT: Final = 10.0
"""Seconds by which two readings of the time of the last boot may differ (the clock is set meanwhile)."""

_LEDGERS_KEPT: Final = 7
_DAY: Final = len("YYYYMMDD")


class Memory:
    """The ledger of hand-overs, a file a day, and the note of when and where we last worked.

    Invariant: with `is_whole`, what the ledger does not know never went in. It is not whole when the machine was started anew since
    (a power loss may undo a rename that the terminal has seen already, and lose the ledger's last lines), or when staging or the
    scan folder is another one than before; and it stays so until `begin`, by when all that was left behind is settled.
    """

    def __init__(self, staging: Path) -> None:
        self.is_whole = False
        self._staging = staging
        self._session = staging / "session.json"
        self._names: dict[str, str] = {}
        self._now: dict[str, object] | None = None

    def open(self, place: list[str | int]) -> None:
        """place: what tells the scan folder from another one. Raises OSError."""
        boot = psutil.boot_time()
        self.is_whole = False
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            last = json.loads(self._session.read_text(encoding="utf-8"))
            self.is_whole = abs(last["boot"] - boot) <= _SAME_BOOT and last["place"] == place
        self._now = {"boot": boot, "place": place}
        names = [name for ledger in self._ledgers() for name in ledger.read_text(encoding="utf-8").split()]
        self._names = {key_of(name): name for name in names}

    def begin(self) -> None:
        """What an earlier life has left behind is settled; from here on the ledger tells everything. Raises OSError."""
        if self._now is not None:
            write_over(self._session, json.dumps(self._now).encode(), durable=True)
            self._now = None

    def note(self, name: str) -> None:
        """The file may be in from now on. One write, no flush: a power loss is noticed otherwise. Raises OSError."""
        if self._names.get(key_of(name)) == name:
            return
        # A newline first, so that what a full disk has cut stays a line of its own.
        line = f"\n{name}\n".encode()
        with (self._staging / f"handed-{name[:_DAY]}.log").open("ab", buffering=0) as ledger:
            if ledger.write(line) != len(line):
                raise OSError(f"{ledger.name}: written in part")
        self._names[key_of(name)] = name

    def name_of(self, key: str) -> str | None:
        """Under which name it went in, None if it did not."""
        return self._names.get(key)

    def _ledgers(self) -> Iterator[Path]:
        ledgers = sorted(self._staging.glob("handed-*.log"))
        for old in ledgers[:-_LEDGERS_KEPT]:
            old.unlink(missing_ok=True)
        yield from ledgers[-_LEDGERS_KEPT:]


def key_of(name: str) -> str:
    """The part of a name that is unique: without the day."""
    return name[_DAY:]
