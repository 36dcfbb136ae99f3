"""What is done in memory for a transaction: only once it is on disk, or only when nothing of it is."""

import pytest

from orderdrop.errors import JournalError
from orderdrop.journal.journal import Journal


@pytest.fixture
def journal(tmp_path):
    one = Journal("sqlite:///journal.db", tmp_path)
    one.open()
    yield one
    one.close()


def act_on(writer, done: list[str]) -> None:
    writer.on_commit(lambda: done.append("first"))
    writer.on_commit(lambda: done.append("second"))
    writer.on_rollback(lambda: done.append("undone"))


def test_transaction_when_committed_calls_in_order_and_behind_the_commit(journal):
    done: list[str] = []
    with journal.transaction() as writer:
        act_on(writer, done)
        writer.on_commit(lambda: done.append(str(journal.trouble())))
        assert done == []
    assert done == ["first", "second", ""]


def test_transaction_when_it_fails_undoes_and_calls_nothing_else(journal):
    done: list[str] = []
    with pytest.raises(ZeroDivisionError), journal.transaction() as writer:
        act_on(writer, done)
        1 / 0  # noqa: B018
    assert done == ["undone"]


def test_transaction_when_the_commit_itself_fails_counts_as_nothing_written(journal, monkeypatch):
    done: list[str] = []

    def fail(name: str) -> None:
        if name == "commit.before":
            raise JournalError("the disk is full")

    monkeypatch.setattr("orderdrop.journal.journal.reach", fail)
    with pytest.raises(JournalError), journal.transaction() as writer:
        act_on(writer, done)
    assert done == ["undone"]
