"""A terminal's output as tests want it: rows with everything filled in, in the vendor's columns or in other builds'."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from builders import a_clock

from orderdrop.domain import goldminer_format as gm
from orderdrop.domain.report import Report
from orderdrop.gateway.base import Cursor
from orderdrop.gateway.goldminer.output import Output
from orderdrop.gateway.goldminer.table import CsvTable

ACCOUNT = "1a66e81c-ae5d-11ec-aef5-00163e0a4100"
SAMPLES = Path(__file__).parents[1] / "samples" / "goldminer"
BOM = "\ufeff"
_times = count()


def at(second: float) -> str:
    return f"2026-11-20T09:31:{second:09.6f}+08:00"


def a_change(sid="S1", status=1, filled=0, second=1.0, **over) -> dict[str, str]:
    """A row of order_status_change.csv, by the long names of its columns."""
    row = {
        "account_id": ACCOUNT, "sid": sid, "scan_name": "s01", "cl_ord_id": f"c-{sid}", "order_id": f"o-{sid}",
        "symbol": "SHSE.600000", "order_type": 1, "order_business": 1, "status": status, "ord_rej_reason": 0,
        "ord_rej_reason_detail": "", "price": "10.35", "volume": 1000, "filled_volume": filled,
        "created_at": at(1), "updated_at": at(second), "sent_at": at(1), "recv_at": at(second),
    }  # fmt: skip
    return {name: str(value) for name, value in (row | over).items()}


def an_execution(sid="S1", exec_id="e1", volume=1000, second=1.0, **over) -> dict[str, str]:
    row = {
        "account_id": ACCOUNT, "sid": sid, "scan_name": "s01", "cl_ord_id": f"c-{sid}", "order_id": f"o-{sid}",
        "exec_id": exec_id, "symbol": "SHSE.600000", "order_type": 1, "order_business": 1, "ord_rej_reason": 0,
        "ord_rej_reason_detail": "", "exec_type": 15, "price": "10.35", "volume": volume,
        "created_at": at(second), "recv_at": at(second),
    }  # fmt: skip
    return {name: str(value) for name, value in (row | over).items()}


def header_of(row: dict[str, str]) -> str:
    """The vendor's header of the file that such a row stands in."""
    return gm.EXECUTION_HEADER if "exec_id" in row else gm.ORDER_STATUS_HEADER


def text(
    rows: list[dict[str, str]], *, bom: bool = True, end: str = "\n", header: str | None = None
) -> bytes:
    """A file of these rows; header: how this build writes it."""
    lines = [header or header_of(rows[0]), *(gm.line(list(row.values())).removesuffix("\n") for row in rows)]
    return ((BOM if bom else "") + "".join(line + end for line in lines)).encode()


class Pushed:
    """An output folder with one account, and an `Output` that reads it: each poll is 0.2 s later."""

    def __init__(self, folder: Path, account: str = ACCOUNT) -> None:
        self.root = folder / "push"
        self.folder = self.root / account
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock = a_clock()
        self.cursor = Cursor("")
        self.output = self.reborn()

    def reborn(self, accounts=()) -> Output:
        """The next life of the reader."""
        ticks = (0.2 * n for n in count())

        def tick() -> float:
            self.clock.advance(0.2)
            return next(ticks)

        self.output = Output(self.root, {".csv": CsvTable()}, accounts, self.clock, tick)
        self.output.open()
        return self.output

    def write(self, name: str, content: bytes) -> None:
        """Put the content in place of the file's, in the same file, at a time of its own."""
        path = self.folder / name
        with path.open("r+b" if path.exists() else "wb") as file:
            file.write(content)
            file.truncate()
        self.touch(path)

    def append(self, name: str, content: bytes) -> None:
        with (self.folder / name).open("ab") as file:
            file.write(content)
        self.touch(self.folder / name)

    def touch(self, path: Path) -> None:
        stamp = 1_800_000_000_000_000_000 + next(_times) * 1_000_000
        os.utime(path, ns=(stamp, stamp))

    def poll(self, limit: int = 1000) -> list[Report]:
        reports, self.cursor = self.output.poll(self.cursor, limit)
        return reports

    def drain(self, limit: int = 1000) -> list[Report]:
        """Everything, until nothing has come for three polls."""
        return list(self._drained(limit))

    def _drained(self, limit: int) -> Iterator[Report]:
        quiet = 0
        while quiet < 3:
            reports = self.poll(limit)
            quiet = 0 if reports else quiet + 1
            yield from reports
