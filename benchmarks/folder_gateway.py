"""The least that a hand-over to a scan folder costs: one durable new file for each batch. Tells no reports."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from orderdrop.domain.goldminer_format import order_file
from orderdrop.domain.report import Account, Report
from orderdrop.gateway.base import Batch, Cancel, Cursor, Leftover, Outcome, Outgoing, SubmitResult, Trace
from orderdrop.system.clock import Micros
from orderdrop.system.files import write_new


class FolderGateway:
    """Hands over as a scan folder wants it: staged, fsynced, renamed in, folder fsynced."""

    def __init__(self, name: str, folder: Path, staging: Path) -> None:
        self.name = name
        self.live = False
        self._folder = folder
        self._staging = staging

    pulse = 0.0
    keeps_days = True
    lag = 0

    def watched(self) -> Sequence[Path]:
        return ()

    def open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._staging.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        pass

    def room(self) -> int:
        return 10_000_000

    def encode(self, orders: Iterable[Outgoing]) -> bytes:
        return order_file(orders)

    def submit(self, batch: Batch) -> SubmitResult:
        write_new(self._path(batch), batch.content, staging=self._staging)
        return SubmitResult(Outcome.TAKEN)

    def cancel(self, cancels: Sequence[Cancel]) -> None:
        pass

    def settle(self, batch: Batch) -> dict[str, Outcome]:
        taken = self._path(batch).exists()
        sids = [line.split(b",", 1)[0].decode() for line in batch.content.splitlines()[1:]]
        return dict.fromkeys(sids, Outcome.TAKEN if taken else Outcome.NEVER_LEFT)

    def remember(self, batches: Iterable[Batch]) -> None:
        pass

    def trace(self, batch: Batch, sids: Collection[str], since: Micros) -> Trace:  # noqa: ARG002  the port's
        return Trace(frozenset(), "")

    def close_day(self, folder: Path, open_sids: Collection[str]) -> list[Leftover]:  # noqa: ARG002  the port's
        return []

    def poll(self, after: Cursor, limit: int) -> tuple[list[Report], Cursor]:  # noqa: ARG002  the port's
        return [], after

    def account(self, account_id: str) -> Account | None:  # noqa: ARG002  the port's
        return None

    def remembered(self, account_id: str) -> Account | None:  # noqa: ARG002  the port's
        return None

    def places(self) -> None:
        pass

    def accounts(self) -> Sequence[str]:
        return []

    def _path(self, batch: Batch) -> Path:
        return self._folder / f"{batch.id:010d}.order.csv"
