"""Files that were put away are looked at again: what was written behind their end is taken, what was rewritten is told."""

from __future__ import annotations

import hashlib
import os
from datetime import date
from pathlib import Path

import pytest

from orderdrop.inbox.drop_file import OpenDrop, Position
from orderdrop.inbox.late_writes import LateWrites
from orderdrop.inbox.tail import Limits
from orderdrop.intake import Context

TODAY = date(2026, 11, 20)
CONTENT = b"sid,symbol,volume,order_business,order_type,price\nA1,SHSE.600000,100,1,1,10.35\n"
ROW = b"A2,SHSE.600000,200,1,1,10.35\n"


class Bench:
    """An archived file, and a clock that stands until it is moved."""

    def __init__(self, folder: Path) -> None:
        self.now = 100.0
        self.path = folder / "a.csv"
        self.path.write_bytes(CONTENT)
        self.late = LateWrites(Limits(1 << 20, 1000), 10.0, lambda: self.now)

    def restore(self, content: bytes = CONTENT, name: str = "a.csv") -> None:
        """As after a restart: the journal says that `content` was taken."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.late.watch_restored(
            OpenDrop(7, name, TODAY, Position(len(content), 3), "", False, sha256), str(self.path)
        )

    def append(self, content: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(content)

    def look(self, after: float) -> list[list[str]]:
        """The sids of each take; each is committed."""
        self.now += after
        found = []
        for take in self.late.look(self.now):
            blocks = list(take.blocks(Context({}, "acc", "", take.file.naming())))
            take.accept(take.file.drop_id, refused=False)
            found.append([order.sid for block in blocks for order in block.orders])
        return found


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_file_when_a_late_row_was_written_then_it_is_taken_once(bench):
    bench.restore()
    bench.append(ROW)
    assert bench.look(1) == [["A2"]]
    assert bench.look(1) == []
    assert bench.late.altered == []


def test_file_when_nothing_comes_then_it_is_looked_at_ever_less_often(bench):
    bench.restore()
    for wait in (1, 2, 4):
        assert bench.look(wait) == []
    bench.append(ROW)
    assert bench.look(7) == [], "not before its time"
    assert bench.look(1) == [["A2"]]
    bench.append(ROW.replace(b"A2", b"A3"))
    assert bench.look(1) == [["A3"]], "who has written late may write again soon"


def test_file_when_a_late_line_lacks_its_newline_then_it_is_waited_for(bench):
    bench.restore()
    bench.append(ROW[:10])
    assert bench.look(1) == []
    bench.append(ROW[10:])
    assert bench.look(2) == [["A2"]]


def test_file_when_it_was_changed_while_no_router_ran_then_it_is_told_and_nothing_of_it_is_taken(bench):
    bench.path.write_bytes(CONTENT.replace(b"A1", b"B1") + ROW)
    bench.restore()
    assert bench.look(600) == []
    assert bench.late.altered == [(7, str(bench.path), False)]


def test_file_when_it_is_gone_then_it_is_told_and_not_looked_for_again(bench, caplog):
    bench.restore()
    bench.path.unlink()
    assert bench.look(1) == []
    assert bench.look(600) == []
    assert bench.late.altered == [(7, str(bench.path), True)]
    assert caplog.text.count("an archived file is gone") == 1


@pytest.mark.skipif(os.name == "nt", reason="a chmod touches nothing there")
def test_file_when_only_its_inode_was_touched_then_nothing_is_told(bench):
    bench.restore()
    bench.path.chmod(0o600)
    assert bench.look(1) == []
    assert bench.late.altered == []


def test_file_when_it_cannot_be_read_just_now_then_it_is_looked_at_later(bench, monkeypatch):
    bench.restore()
    bench.append(ROW)

    def fail(_path):
        raise PermissionError(13, "somebody has it open")

    with monkeypatch.context() as patched:
        patched.setattr("orderdrop.inbox.late_writes.os.lstat", fail)
        assert bench.look(1) == []
    assert bench.look(2) == [["A2"]]
    assert bench.late.altered == []


def test_file_when_its_name_is_no_drops_then_nobody_looks_after_it(bench):
    bench.restore(name="notes.txt")
    bench.path.unlink()
    assert bench.look(600) == []
    assert bench.late.altered == []
