"""A program as people have written them for 掘金's file orders: it knows two folders and the terminal's formats, and nothing of orderdrop."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path

ORDERS = [
    "sid",
    "account_id",
    "symbol",
    "volume",
    "order_type",
    "order_business(order_biz)",
    "price",
    "comment",
]
CANCELS = ["sid", "comment"]
RESULTS = ("cash", "position", "order_status", "order_status_change", "execution_report")
REPORTED, PARTLY, FILLED, CANCELED, REJECTED = "1", "2", "3", "5", "8"


class Program:
    """orders_folder, results_folder: the terminal's two folders, as the program was told. day: what it takes for today."""

    def __init__(
        self, orders_folder: Path, results_folder: Path, account: str, day: date, encoding: str = "utf-8-sig"
    ) -> None:
        self.orders_folder = orders_folder
        self.results = results_folder / account
        self.account = account
        self.day = day
        self.encoding = encoding

    # what it writes

    def order(self, sid: str, symbol: str, volume: int, price: str, *, side: int = 1, kind: int = 1) -> None:
        """Appended to the file of the day, as long as the program runs."""
        self._append(
            f"{self.day:%Y%m%d}.order.csv", ORDERS, [sid, self.account, symbol, volume, kind, side, price, ""]
        )

    def cancel(self, sid: str) -> None:
        self._append(f"{self.day:%Y%m%d}.cancel_order.csv", CANCELS, [sid, "comments", ""])

    def basket(self, stamp: str, rows: list[tuple[str, str, int, str]]) -> None:
        """A file of its own, and its `.fin`."""
        path = self.orders_folder / f"{self.day:%Y%m%d}_{stamp}.order.csv"
        with path.open("w", encoding=self.encoding, newline="") as file:
            writer = csv.writer(file)
            writer.writerow(ORDERS)
            writer.writerows(
                [sid, self.account, symbol, volume, 1, 1, price, ""] for sid, symbol, volume, price in rows
            )
        path.with_name(f"{path.name}.fin").touch()

    def _append(self, name: str, header: list[str], cells: list) -> None:
        path = self.orders_folder / name
        new = not path.exists()
        with path.open("a", encoding=self.encoding, newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(header)
            writer.writerow(cells)

    # what it reads

    def ready(self) -> bool:
        """It does not begin before all five files are there, and it knows its cash."""
        return all((self.results / f"{name}.csv").exists() for name in RESULTS) and self.available() > 0

    def available(self) -> float:
        return float(self._read("cash")[-1]["available"])

    def holding(self, symbol: str) -> int:
        return sum(int(row["volume"]) for row in self._read("position") if row["symbol"] == symbol)

    def status(self, sid: str) -> str:
        rows = [row for row in self._today("order_status") if row["sid"] == sid]
        return rows[-1]["status"] if rows else ""

    def changes(self, sid: str) -> list[str]:
        return [row["status"] for row in self._today("order_status_change") if row["sid"] == sid]

    def filled(self, sid: str) -> int:
        """By the fills, which must add up to what the status says."""
        fills = sum(
            int(row["volume"])
            for row in self._today("execution_report")
            if (row["sid"], row["exec_type"]) == (sid, "15")
        )
        said = [
            int(row["filled_volume(filled_vol)"]) for row in self._today("order_status") if row["sid"] == sid
        ]
        return fills if said and said[-1] == fills else -1

    def reason(self, sid: str) -> tuple[str, str]:
        (row,) = [row for row in self._today("order_status") if row["sid"] == sid]
        return row["ord_rej_reason(rej_reason)"], row["ord_rej_reason_detail(rej_detail)"]

    def lines_cut_at_commas(self, name: str) -> set[int]:
        """How many cells each line has for a program that knows no quotes."""
        return {
            line.count(",")
            for line in (self.results / f"{name}.csv").read_text(encoding="utf-8-sig").splitlines()
        }

    def _today(self, name: str) -> list[dict[str, str]]:
        return [
            row for row in self._read(name) if datetime.fromisoformat(row["created_at"]).date() == self.day
        ]

    def _read(self, name: str) -> list[dict[str, str]]:
        with (self.results / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
