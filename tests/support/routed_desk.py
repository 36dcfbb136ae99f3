"""A workspace in which a real router with the paper broker runs when it is told to."""

from __future__ import annotations

import csv
import os
import sqlite3
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.service.app import App
from orderdrop.system.clock import Clock, SystemClock, trade_date

TODAY = f"{trade_date(SystemClock().now()):%Y%m%d}"
QUICK = {"scan_interval": 0.001, "settle": 0, "torn_timeout": 0.001, "archive_after": 0, "events": False}
"""Nothing is waited for: tests write their files whole, or mean what they tear."""

AS_ON_WINDOWS = os.name == "nt" or "winlike_files" in sys.modules
_SLOWER = 25


class Desk:
    """A workspace and its router, which runs when it is told to: `route`, `restart`, `close`."""

    def __init__(self, root: Path, clock: Clock | None = None, **settings) -> None:
        self.root = root
        self.inbox = root / "inbox"
        self.inbox.mkdir(parents=True, exist_ok=True)
        inbox = QUICK | settings.pop("inbox", {})
        gateways = {"paper": {"cash": "1000000000"}}
        self._settings = Settings.model_validate({"inbox": inbox, "gateways": gateways, **settings})
        self._clock = clock
        self.app: App | None = None

    # doing

    def put(self, files: Mapping[str, str | bytes]) -> None:
        """Each file appears whole; a name with a folder is in that sub-folder."""
        for name, content in files.items():
            path = self.inbox / name
            path.parent.mkdir(exist_ok=True)
            new = self.root / "being-written"
            new.write_bytes(content if isinstance(content, bytes) else content.encode())
            new.rename(path)

    def append(self, name: str, content: str) -> None:
        with (self.inbox / name).open("ab") as file:
            file.write(content.encode())

    def route(self, inbox: Mapping[str, str | bytes] | None = None, *, rounds: int = 3) -> Desk:
        """Let the router turn until `rounds` turns on end brought nothing new; then its housekeeping is done as well."""
        self.put(inbox or {})
        app = self.open()
        if (
            AS_ON_WINDOWS
        ):  # events come from another thread there, and no rename is told from a file that is written
            rounds *= _SLOWER
            app.inbox._next_scan = 0.0
        calm, deadline = 0, time.monotonic() + 120
        while calm < rounds and time.monotonic() < deadline:
            time.sleep(0.002)
            done = []
            app.turn(done.append)
            calm = calm + 1 if done[0].idle and not app.router.ready else 0
        app.chores.finish()
        app.chores._ending = False
        return self

    def open(self) -> App:
        if self.app is None:
            app = App(self._settings, Workspace(self.root, self.inbox), clock=self._clock)
            self.prepare(app)
            self.app = app.__enter__()
        return self.app

    def prepare(self, app: App) -> None:
        """Before it starts."""

    def close(self) -> None:
        if self.app is not None:
            app, self.app = self.app, None
            app.__exit__()

    def crash(self) -> None:
        """Gone without a word, as after kill -9; only what would die with the process is taken back."""
        if self.app is not None:
            app, self.app = self.app, None
            app._closing.close()

    def restart(self) -> Desk:
        self.close()
        return self.route()

    # looking

    def orders(self) -> dict[str, dict]:
        """Orders that have used up their sid, by sid."""
        return {row["sid"]: row for row in self.query("SELECT * FROM orders WHERE sid_key IS NOT NULL")}

    def statuses(self) -> dict[str, str]:
        return {sid: order["status"] for sid, order in self.orders().items()}

    def at_broker(self) -> list[tuple[str, str, int, str]]:
        """(sid, symbol, volume, status) of all that the broker ever took, in its order."""
        rows = self._read(self.root / ".orderdrop" / "paper-paper.db", "SELECT * FROM orders ORDER BY number")
        return [(row["sid"], row["symbol"], row["volume"], row["status"]) for row in rows]

    def receipt(self, name: str) -> list[dict[str, str]]:
        return self.table(f"receipts/{name}.receipt.csv")

    def outcomes(self, name: str) -> list[tuple[str, str, str]]:
        """(sid, outcome, code) of each row of a receipt."""
        return [(row["sid"], row["outcome"], row["code"]) for row in self.receipt(name)]

    def table(self, name: str) -> list[dict[str, str]]:
        """A file of the outbox."""
        with (self.root / "outbox" / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def kept(self, folder: str = "archive") -> dict[str, bytes]:
        """Files that were put away, by their path behind the day."""
        paths = [path for path in (self.root / folder).rglob("*") if path.is_file()]
        return {"/".join(path.relative_to(self.root / folder).parts[1:]): path.read_bytes() for path in paths}

    def query(self, query: str) -> list[dict]:
        return self._read(self.root / "journal.db", query)

    def _read(self, path: Path, query: str) -> list[dict]:
        if not path.exists():
            return []
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query)]
        finally:
            connection.close()
