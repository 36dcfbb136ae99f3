"""A goldminer gateway on folders of its own, and its lives one after the other."""

from __future__ import annotations

from pathlib import Path

from builders import a_clock, an_outgoing
from goldminer_writing import ACCOUNT, text

from orderdrop.config.gateways import GoldminerSettings
from orderdrop.gateway.base import Batch, Cursor
from orderdrop.gateway.goldminer.gateway import GoldminerGateway


class Folders:
    """The terminal's two folders, our staging, and the gateway of now."""

    def __init__(self, root: Path, *, used_before: bool = True, **over) -> None:
        self.root = root
        self.scan, self.push, self.archive = root / "scan", root / "push", root / "archive"
        self.staging = root / "scan.orderdrop"
        for folder in (self.scan, self.push / ACCOUNT, self.archive):
            folder.mkdir(parents=True, exist_ok=True)
        self.clock = a_clock()
        self.over = over
        self.gateway = self.made()
        self.gateway.open()
        if used_before:
            self.gateway.poll(Cursor(""), 1)
            self.reborn()

    def made(self, **over) -> GoldminerGateway:
        values = {
            "live": False, "scan_dir": self.scan, "push_dir": self.push, "archive_dir": self.archive, "scan_name": "s01",
        }  # fmt: skip
        settings = GoldminerSettings(**(values | self.over | over))
        return GoldminerGateway("gm", settings, (), self.clock)

    def reborn(self) -> GoldminerGateway:
        self.gateway.close()
        self.gateway = self.made()
        self.gateway.open()
        return self.gateway

    def batch(self, number: int = 1, *sids: str) -> Batch:
        orders = [an_outgoing(sid=sid, account_id=ACCOUNT) for sid in sids or ("S1", "S2")]
        return Batch(number, self.gateway.encode(orders), self.gateway.places())

    def handed(self, number: int = 1, *sids: str) -> Batch:
        batch = self.batch(number, *sids)
        self.gateway.submit(batch)
        return batch

    def in_scan(self) -> list[str]:
        return sorted(path.name for path in self.scan.iterdir())

    def take_away(self, upfiles: Path | None = None) -> None:
        """As the terminal does with what it has read."""
        for path in list(self.scan.iterdir()):
            if upfiles and path.suffix != ".fin":
                upfiles.mkdir(parents=True, exist_ok=True)
                path.rename(upfiles / path.name)
            else:
                path.unlink()

    def tell(self, *rows: dict[str, str]) -> None:
        (self.push / ACCOUNT / "order_status_change.csv").write_bytes(text(list(rows)))
