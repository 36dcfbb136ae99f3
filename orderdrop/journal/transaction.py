"""What has to be done in memory once a transaction is on disk, or once nothing of it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from orderdrop.journal.lookups import Asking


class Transaction(Asking):
    """One transaction of the journal's writer. Whoever changes a memory with it says so where it writes."""

    def __init__(self, connection: Connection, memory: dict[str, Any] | None = None) -> None:
        super().__init__(connection, memory)
        self._on_commit: list[Callable[[], object]] = []
        self._on_rollback: list[Callable[[], object]] = []

    def on_commit(self, act: Callable[[], object]) -> None:
        """Calls `act` once the transaction is on disk, in the order of the calls."""
        self._on_commit.append(act)

    def on_rollback(self, act: Callable[[], object]) -> None:
        """Calls `act` if nothing of the transaction is written."""
        self._on_rollback.append(act)

    def committed(self) -> None:
        """Called by the journal."""
        for act in self._on_commit:
            act()

    def rolled_back(self) -> None:
        """Called by the journal."""
        for act in self._on_rollback:
            act()
