"""Archived files that are not what was taken: they are told, also when the journal could not be written at first."""

from __future__ import annotations

import pytest
from builders import a_clock
from routed_desk import Desk

from orderdrop.archive.altered import problems
from orderdrop.errors import JournalError
from orderdrop.inbox.late_writes import Altered
from orderdrop.journal.reader import read
from orderdrop.service import housekeeping

HEADER = "sid,symbol,volume,order_type,order_business,price\n"


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path, clock=a_clock())
    yield made
    made.crash()


def test_altered_file_when_the_journal_cannot_be_written_is_told_with_the_next_chores(desk, monkeypatch):
    desk.route({"a.csv": HEADER + "S1,SHSE.600000,100,1,1,10\n"})
    app = desk.app
    [archived] = (app.workspace.archive / "2026-11-20" / "drops").iterdir()
    [drop] = desk.query("SELECT id FROM drops")
    app.inbox._late.altered.append(Altered(drop["id"], str(archived), gone=False))
    with monkeypatch.context() as broken:

        def fail(*_):
            raise JournalError("the disk is full")

        broken.setattr(housekeeping, "note_altered", fail)
        app.chores.finish()
        assert "the disk is full" in "".join(app.chores.faults)
    app.chores.finish()
    with read(app._reader) as reading:
        assert "a.csv" in "".join(problems(reading, app.router.today, app.workspace))
    assert app.inbox.altered == []
