"""The marks beside the journal: what they say of it, torn or not, and what the start makes of that."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from builders import TO_VERSION_2
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.archive import witness
from orderdrop.archive.witness import (
    NAME,
    SIZE,
    Mark,
    Marks,
    Standing,
    hear,
    mark_paths,
    pack,
    read_marks,
    unpack,
)
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.journal.journal import Journal

numbers = st.integers(min_value=0, max_value=2**53)
SETTINGS = Settings()


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    made = Workspace(tmp_path / "w", tmp_path / "w" / "inbox")
    made.make()
    return made


def a_journal(workspace: Workspace, drop: int = 3, batch: int = 2) -> Standing:
    """A journal that has come so far, and its marks."""
    journal = Journal(SETTINGS.journal.url, workspace.root)
    journal.open()
    with journal.transaction() as writer:
        writer.set_meta("drops_from", str(drop))
        writer.set_meta("batches_from", str(batch))
    journal.close()
    standing = witness.standing_of(SETTINGS.journal.url, workspace.root)
    assert standing is not None
    assert (standing.drop, standing.batch) == (drop, batch)
    return standing


def marked(workspace: Workspace, standing: Standing) -> Marks:
    marks = Marks(mark_paths(SETTINGS, workspace), workspace.root)
    marks.open(standing)
    return marks


@given(st.text("0123456789abcdef", min_size=32, max_size=32), numbers, numbers, st.text(max_size=20))
def test_mark_when_packed_is_one_line_of_one_length_and_reads_back(journal, drop, batch, host):
    mark = Mark(journal, drop, batch, host=host)
    data = pack(mark)
    assert len(data) == SIZE
    assert data.endswith(b"\n")
    assert unpack(data) == mark


@given(st.integers(0, SIZE - 1), st.integers(1, 255))
def test_mark_when_a_byte_of_it_is_another_then_it_does_not_read_or_says_the_same(place, by):
    mark = Mark("0f" * 16, 12, 7)
    data = bytearray(pack(mark))
    data[place] ^= by
    assert unpack(bytes(data)) in {None, mark}


@given(st.integers(0, SIZE))
def test_mark_when_torn_between_two_then_it_is_one_of_them_or_does_not_read(cut):
    old, new = Mark("0f" * 16, 9, 9), Mark("0f" * 16, 10, 10)
    assert unpack(pack(new)[:cut] + pack(old)[cut:]) in {None, old, new}


@pytest.mark.parametrize("data", [b"", b"\0" * SIZE, b"[]", b"{}", b'{"check": 1}', b'{"check": 0, "x": 1}'])
def test_mark_when_it_is_none_of_ours_does_not_read(data):
    assert unpack(data) is None


def test_marks_when_advanced_are_overwritten_in_place_and_never_go_back(workspace):
    marks = marked(workspace, a_journal(workspace))
    before = (workspace.state / NAME).stat().st_ino
    marks.advance(["paper"], 9, 8)
    marks.advance(["paper"], 4, 5)
    seen = read_marks(mark_paths(SETTINGS, workspace).values())
    assert [(one.mark.drop, one.mark.batch) for one in seen] == [(9, 8), (9, 8)]
    assert (workspace.state / NAME).stat().st_ino == before
    marks.close()


def test_marks_when_one_cannot_be_written_then_the_others_are_and_nothing_is_raised(workspace):
    marks = marked(workspace, a_journal(workspace))
    marks.close()
    (workspace.state / NAME).unlink()
    (workspace.state / NAME).mkdir()
    marks.advance(["paper"], 9, 8)
    assert unpack((workspace.state / "paper-paper.mark").read_bytes()).batch == 8
    marks.close()


def test_witnesses_when_the_workspace_is_fresh_say_nothing(workspace):
    assert hear(SETTINGS, workspace).zh == ""
    marked(workspace, a_journal(workspace, 0, 0)).close()
    assert hear(SETTINGS, workspace).zh == ""


def test_witnesses_when_journal_and_marks_agree_or_marks_lag_say_nothing(workspace):
    standing = a_journal(workspace)
    marked(workspace, standing._replace(drop=1, batch=1)).close()
    assert hear(SETTINGS, workspace).zh == ""


def test_witnesses_when_there_is_no_mark_yet_say_nothing(workspace):
    a_journal(workspace)
    assert hear(SETTINGS, workspace).zh == ""


def test_witnesses_when_the_journal_is_gone_name_the_mark(workspace):
    marked(workspace, a_journal(workspace)).close()
    (workspace.root / "journal.db").unlink()
    heard = hear(SETTINGS, workspace)
    assert "the journal is missing" in heard.en
    assert "drop 3, batch 2" in heard.sentence
    assert "orderdrop adopt" in heard.sentence


def test_witnesses_when_the_journal_is_empty_and_another_was_here_say_so(workspace):
    standing = a_journal(workspace)
    marked(workspace, standing).close()
    (workspace.root / "journal.db").unlink()
    Journal(SETTINGS.journal.url, workspace.root).open()
    assert "the journal is empty" in hear(SETTINGS, workspace).en


@pytest.mark.parametrize(("drop", "batch"), [(4, 2), (3, 3)])
def test_witnesses_when_a_mark_is_ahead_in_drop_or_batch_call_the_journal_older(workspace, drop, batch):
    marks = marked(workspace, a_journal(workspace))
    marks.advance(["paper"], drop, batch)
    marks.close()
    assert "older" in hear(SETTINGS, workspace).en


def test_witnesses_when_one_mark_only_is_ahead_believe_it(workspace):
    standing = a_journal(workspace)
    marks = marked(workspace, standing)
    marks.advance(["paper"], 9, 9)
    marks.close()
    (workspace.state / NAME).unlink()
    assert "older" in hear(SETTINGS, workspace).en


def test_witnesses_when_the_journal_is_another_one_say_so(workspace):
    marked(workspace, a_journal(workspace)._replace(id="0f" * 16)).close()
    assert "not the one that was here" in hear(SETTINGS, workspace).en


def test_witnesses_when_the_journal_is_of_before_it_had_an_id_say_so(workspace):
    marked(workspace, a_journal(workspace)).close()
    journal = Journal(SETTINGS.journal.url, workspace.root)
    journal.open()
    with journal.transaction() as writer:
        for statement in TO_VERSION_2:
            writer.connection.exec_driver_sql(statement)
    journal.close()
    assert "not the one that was here" in hear(SETTINGS, workspace).en


def test_witnesses_when_a_mark_does_not_read_rely_on_the_others(workspace):
    standing = a_journal(workspace)
    marks = marked(workspace, standing)
    marks.advance(["paper"], 9, 9)
    marks.close()
    (workspace.state / NAME).write_bytes(b"\0" * SIZE)
    assert "older" in hear(SETTINGS, workspace).en


def test_witnesses_when_no_mark_reads_and_the_journal_stands_go_on_and_tell_which(workspace):
    marked(workspace, a_journal(workspace)).close()
    for path in mark_paths(SETTINGS, workspace).values():
        path.write_bytes(b"torn")
    heard = hear(SETTINGS, workspace)
    assert heard.zh == ""
    assert len(heard.unreadable) == 2


def test_witnesses_when_no_mark_reads_and_the_journal_is_gone_let_nothing_start(workspace):
    marked(workspace, a_journal(workspace)).close()
    for path in mark_paths(SETTINGS, workspace).values():
        path.write_bytes(b"torn")
    (workspace.root / "journal.db").unlink()
    assert "does not read" in hear(SETTINGS, workspace).sentence


@pytest.mark.parametrize(
    "trace",
    ["archive/2026-11-20/sent/paper/00000001.order.csv", "archive/2026-11-20/drops/a.csv", "outbox/receipts/a.csv.receipt.csv"],
)  # fmt: skip
def test_witnesses_when_only_archive_or_receipts_tell_of_a_journal_let_nothing_start(workspace, trace):
    path = workspace.root / trace
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    assert "missing" in hear(SETTINGS, workspace).en


def goldminer(root: Path) -> Settings:
    own = {"type": "goldminer", "live": False, "scan_dir": str(root / "scan"), "push_dir": str(root / "push")}
    return Settings.model_validate({"gateways": {"gm": own}})


def test_witnesses_when_only_stagings_ledger_tells_let_nothing_start(workspace, tmp_path):
    staging = tmp_path / "scan.orderdrop"
    staging.mkdir()
    (staging / "handed-20261120.log").write_text("\n20261120_00000001.0123456789ab.order.csv\n")
    heard = hear(goldminer(tmp_path), workspace)
    assert "missing" in heard.en
    assert "handed-20261120.log" in heard.sentence


def test_marks_of_goldminer_stand_in_its_staging(workspace, tmp_path):
    assert mark_paths(goldminer(tmp_path), workspace)["gm"] == tmp_path / "scan.orderdrop" / NAME


def test_witnesses_when_the_workspace_was_copied_say_from_where(workspace, tmp_path):
    marked(workspace, a_journal(workspace)).close()
    root = tmp_path / "copy"
    shutil.copytree(workspace.root, root)
    assert "was copied" in hear(SETTINGS, Workspace(root, root / "inbox")).en


def test_witnesses_when_the_workspace_was_renamed_say_nothing(workspace, tmp_path):
    marked(workspace, a_journal(workspace)).close()
    root = tmp_path / "renamed"
    os.rename(workspace.root, root)
    assert hear(SETTINGS, Workspace(root, root / "inbox")).zh == ""


def test_witnesses_when_the_file_system_tells_no_numbers_call_nothing_a_copy(
    workspace, tmp_path, monkeypatch
):
    marks = marked(workspace, a_journal(workspace))
    marks._numbers = dict.fromkeys(marks._numbers, 0)  # as Windows does on some volumes
    marks.advance(["paper"], 3, 2)
    marks.close()
    root = tmp_path / "copy"
    shutil.copytree(workspace.root, root)
    assert hear(SETTINGS, Workspace(root, root / "inbox")).zh == ""
