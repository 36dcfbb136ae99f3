"""掘金's API over a stand-in (gm_stand_in), as tests need it. Skips where the vendor has no wheel."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from builders import ACCOUNT

from orderdrop.config.gateways import GmSettings
from orderdrop.gateway.gm.gateway import GmGateway
from orderdrop.system.clock import FixedClock

if TYPE_CHECKING:
    from gm_stand_in import Book

STAND_IN = Path(__file__).with_name("gm_stand_in.py")


class GmTerminal:
    """A book in a folder, a clock that it shares with the gateway, and gateways to it."""

    def __init__(self, folder: Path, clock: FixedClock, opening: Mapping[str, int] | None = None) -> None:
        pytest.importorskip(
            "gm.pb.account_pb2", reason="掘金's package gm has no wheel for this system, or is not installed"
        )
        self.folder = folder
        self.clock = clock
        (folder / "opening.json").write_text(json.dumps(dict(opening or {})))
        self.advance(0)

    @property
    def book(self) -> Book:
        from gm_stand_in import Book  # noqa: PLC0415  needs the vendor's package

        return Book(self.folder)

    def gateway(self, state: Path | None = None, **over) -> GmGateway:
        """Not opened yet. state: where its own files are, if not beside the book."""
        values = {"token": "a-secret", "live": False, "call_timeout": 5, **over}
        gateway = GmGateway("gm", GmSettings(**values), [ACCOUNT], state or self.folder, self.clock)
        gateway._connection.link._command = command(self.folder)
        gateway._enquiry._command = (*command(self.folder), "securities")
        return gateway

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        (self.folder / "now").write_text(str(self.clock.now()))


def command(folder: Path) -> tuple[str, ...]:
    """How the worker process with the stand-in is started."""
    return (sys.executable, str(STAND_IN), str(folder))
