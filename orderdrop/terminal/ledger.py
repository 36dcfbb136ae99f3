"""The ledger: what the terminal really did with each row, for tests to compare with; and its memory across restarts.

`<push>/.ledger.csv`, only ever appended to, whole lines in one write, before any output tells of them. A real terminal has
no such file.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Final, NamedTuple

from orderdrop.system.clock import Micros, from_datetime, iso

LEDGER_NAME: Final = ".ledger.csv"


class Kind(StrEnum):
    """What a line is about. Every row read from a file is one of the first six."""

    EXECUTED = "executed"
    """An order row went to the broker, whatever the broker said."""
    LOST = "lost"
    """An order row was read, never executed, and never shows up."""
    CANCEL = "cancel"
    LOST_CANCEL = "lost_cancel"
    UNREADABLE = "unreadable"
    IGNORED = "ignored"
    """An order row of an account that does not exist."""

    MANUAL = "manual"
    """An order entered by hand."""
    REJECTED = "rejected"
    FILL = "fill"
    CANCELING = "canceling"
    """The broker considers the cancel of an order."""
    CANCELED = "canceled"

    TAKEN = "taken"
    """A file was taken away."""
    GONE = "gone"
    """A file is not there any more, and the terminal did not take it."""
    REREAD = "reread"
    """A file shrank or was replaced, and begins anew."""


class Entry(NamedTuple):
    """A line. line: of the file, its header being line 1; price: as it stood in the row, or of the fill."""

    kind: Kind
    at: Micros
    sid: str = ""
    account_id: str = ""
    symbol: str = ""
    side: str = ""
    volume: int = 0
    price: str = ""
    file: str = ""
    line: int = 0
    order_type: int = 0
    cl_ord_id: str = ""
    detail: str = ""


_HEADER: Final = (
    "kind", "time", "sid", "account", "symbol", "side", "volume", "price", "file", "line", "order_type", "cl_ord_id", "detail",
)  # fmt: skip


class Ledger:
    """Invariant: what `flush` was called for is in the file, and the file ends with a newline."""

    def __init__(self, push: Path) -> None:
        self._path = push / LEDGER_NAME
        self._new: list[Entry] = []

    def open(self) -> list[Entry]:
        """All entries so far. A last line that was cut when the terminal was killed goes: its output was never told."""
        if not self._path.exists():
            self._path.write_text(",".join(_HEADER) + "\n", encoding="utf-8")
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self._path, whole)
        return list(_entries(self._path))

    def add(self, entry: Entry) -> None:
        self._new.append(entry)

    def flush(self) -> None:
        if not self._new:
            return
        with self._path.open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(
                [kind, iso(at), *rest] for kind, at, *rest in self._new
            )
        self._new.clear()


def read_ledger(push: Path) -> list[Entry]:
    """What the terminal of an output folder has done so far; safe while it runs."""
    path = push / LEDGER_NAME
    return list(_entries(path)) if path.exists() else []


def _entries(path: Path) -> Iterator[Entry]:
    content = path.read_bytes()
    rows = csv.reader(StringIO(content[: content.rfind(b"\n") + 1].decode(), newline=""), strict=True)
    next(rows, None)
    for kind, time, sid, account, symbol, side, volume, price, file, line, order_type, ours, detail in rows:
        at = from_datetime(datetime.fromisoformat(time))
        yield Entry(
            Kind(kind),
            at,
            sid,
            account,
            symbol,
            side,
            int(volume),
            price,
            file,
            int(line),
            int(order_type),
            ours,
            detail,
        )
