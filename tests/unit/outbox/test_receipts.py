"""The receipts of drops: whose name they bear, and that one that cannot be written keeps no other waiting."""

from __future__ import annotations

import csv
import shutil
from contextlib import contextmanager

import openpyxl
import pytest
from books import a_book
from builders import a_clock
from routed_desk import Desk

from orderdrop.accounts.routing import Routing
from orderdrop.config.workspace import Workspace
from orderdrop.journal.journal import reading_engine
from orderdrop.journal.reader import read
from orderdrop.outbox import receipts as module
from orderdrop.outbox.receipts import Receipts
from orderdrop.outbox.waiting import WaitingReceipts
from orderdrop.system.pacing import PutOff

HEADER = "sid,symbol,volume,order_type,order_business,price\n"


class Bench:
    """A router's journal, and receipts of our own that are made from it, in a workspace of their own."""

    def __init__(self, root) -> None:
        self.desk = Desk(root / "workspace", clock=a_clock())
        app = self.desk.open()
        self.reader = reading_engine(app.settings.journal.url, self.desk.root)
        self.made = Workspace(root / "made", self.desk.inbox)
        self.faults: list[str] = []
        self.put_off = PutOff()
        desk = Routing(app.settings, app.desk.gateways)
        waiting = WaitingReceipts(self.made.receipts, "zh+en")
        self.receipts = Receipts(self.made, desk, self.reader, waiting, self.put_off, self._told)

    @contextmanager
    def _told(self, _what):
        try:
            yield
        except OSError as error:
            self.faults.append(str(error))

    def drop(self, name: str, content: str | bytes) -> None:
        self.desk.route({name: content if isinstance(content, bytes) else HEADER + content})
        shutil.copytree(self.desk.root / "archive", self.made.archive, dirs_exist_ok=True)
        with read(self.reader) as reading:
            self.receipts.note(reading.recent_drops(1))

    def write(self) -> int:
        """In how many slices."""
        self.receipts.hurry()
        return sum(1 for _slice in self.receipts.write())

    def names(self) -> list[str]:
        return sorted(path.name for path in self.made.receipts.iterdir())

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.made.receipts / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def close(self) -> None:
        self.reader.dispose()
        self.desk.crash()


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


def test_receipt_when_rows_had_different_ends_then_each_stands_in_its_drops_order(bench):
    bench.drop(
        f"{bench.desk.app.router.today:%Y%m%d}.order.csv",
        "S1,SHSE.600000,100,1,1,10\nS2,SHSE.600000,x,1,1,10\nS1,SHSE.600000,100,1,1,10\nS3,SHSE.600000,150,1,1,10\n",
    )
    assert bench.receipts.waiting
    bench.write()
    assert not bench.receipts.waiting
    [name] = bench.names()
    assert [(row["row"], row["sid"], row["outcome"]) for row in bench.rows(name)] == [
        ("2", "S1", "filled"), ("3", "S2", "error"), ("4", "S1", "duplicate"), ("5", "S3", "denied"),
    ]  # fmt: skip


def test_receipt_when_a_drop_was_refused_whole_then_row_zero_says_why(bench):
    bench.drop("a.csv", "S1,SHSE.600000,x,1,1,10\nS2,SHSE.600000,100,1,1,10\n")
    (bench.desk.inbox / "empty.csv").write_bytes(b"")
    (bench.desk.inbox / "empty.csv.fin").touch()
    bench.drop("b.csv", "S3,SHSE.600000,100,1,1,10\n")
    bench.write()
    assert [(row["row"], row["outcome"], row["code"]) for row in bench.rows("empty.csv.receipt.csv")] == [
        ("0", "refused", "FILE_EMPTY")
    ]


def test_receipt_when_another_drop_takes_the_name_then_the_older_ones_gets_its_number(bench):
    bench.drop("a.csv", "S1,SHSE.600000,100,1,1,10\n")
    bench.write()
    bench.drop("a.csv", "S2,SHSE.600000,100,1,1,10\n")
    bench.write()
    assert bench.names() == ["a.csv.receipt.csv", "a.csv~1.receipt.csv"]
    assert [row["sid"] for row in bench.rows("a.csv.receipt.csv")] == ["S2"]
    assert [row["sid"] for row in bench.rows("a.csv~1.receipt.csv")] == ["S1"]


def test_receipt_when_news_of_an_older_drop_comes_then_it_is_written_under_its_number(bench):
    bench.drop("a.csv", "S1,SHSE.600000,100,1,1,10\n")
    bench.drop("a.csv", "S2,SHSE.600000,100,1,1,10\n")
    bench.write()
    bench.receipts.note([1])
    bench.write()
    assert [row["sid"] for row in bench.rows("a.csv.receipt.csv")] == ["S2"]
    assert [row["sid"] for row in bench.rows("a.csv~1.receipt.csv")] == ["S1"]


def test_receipt_when_a_drop_lies_in_a_sub_folder_then_its_receipt_does_too(bench):
    bench.drop("grid/a.csv", "S1,SHSE.600000,100,1,1,10\n")
    bench.write()
    assert (bench.made.receipts / "grid" / "a.csv.receipt.csv").exists()


def test_receipt_when_a_number_is_no_drops_then_nothing_is_written(bench):
    bench.receipts.note([4711])
    bench.write()
    assert not bench.receipts.waiting
    assert not bench.made.receipts.exists()


def test_receipt_when_it_cannot_be_written_then_the_others_are_and_it_is_tried_again(bench, monkeypatch):
    bench.drop("a.csv", "S1,SHSE.600000,100,1,1,10\n")
    bench.drop("b.csv", "S2,SHSE.600000,100,1,1,10\n")
    real = module.rewriting

    def full(path):
        if path.name.startswith("a.csv"):
            raise OSError(28, "no space left")
        return real(path)

    with monkeypatch.context() as patched:
        patched.setattr(module, "rewriting", full)
        bench.write()
    assert (bench.names(), len(bench.faults), bench.receipts.waiting) == (["b.csv.receipt.csv"], 1, True)
    bench.write()
    assert (bench.names(), bench.receipts.waiting) == (["a.csv.receipt.csv", "b.csv.receipt.csv"], False)


def test_receipt_when_the_writing_was_broken_off_then_it_is_written_whole_next_time(bench):
    bench.drop("a.csv", "".join(f"S{number},SHSE.600000,100,1,1,10\n" for number in range(1200)))
    writing = bench.receipts.write()
    next(writing)
    assert not (bench.made.receipts / "a.csv.receipt.csv").exists(), "never half of it"
    writing.close()
    assert bench.write() > 2
    assert len(bench.rows("a.csv.receipt.csv")) == 1200


def test_receipt_when_the_drop_was_a_workbook_then_a_workbook_stands_beside_the_csv(bench):
    bench.drop("篮子.xlsx", a_book())
    bench.write()
    assert bench.names() == ["篮子.xlsx.receipt.csv", "篮子.xlsx.receipt.xlsx"]
    book = openpyxl.load_workbook(bench.made.receipts / "篮子.xlsx.receipt.xlsx")
    assert book.sheetnames == ["委托"], "its own rows, from the archive"


def test_receipt_when_the_workbook_is_open_in_excel_then_the_csv_is_written_and_the_book_later(
    bench, monkeypatch
):
    bench.drop("a.xlsx", a_book())
    bench.write()
    path = bench.made.receipts / "a.xlsx.receipt.xlsx"
    path.write_bytes(before := b"somebody reads it")
    bench.receipts.note([1])
    with monkeypatch.context() as patched:
        patched.setattr(module, "is_free", lambda _path: False)
        bench.write()
    assert (path.read_bytes(), bench.receipts.waiting) == (before, True)
    bench.write()
    assert path.read_bytes() != before
    assert not bench.receipts.waiting


def test_receipt_when_a_library_fails_on_a_workbook_then_the_csv_stands_and_the_fault_is_told(
    bench, monkeypatch, caplog
):
    bench.drop("a.xlsx", a_book())

    def fail(*_values):
        raise ValueError("a stranger's file")

    monkeypatch.setattr(module, "write_receipt_book", fail)
    bench.write()
    assert bench.names() == ["a.xlsx.receipt.csv"]
    assert "no xlsx receipt for a.xlsx" in caplog.text
    assert not bench.receipts.waiting
