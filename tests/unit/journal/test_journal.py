import sqlite3
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from builders import TO_VERSION_1
from sqlalchemy import event, text

from orderdrop.audit.verify import Verified, verify
from orderdrop.config.workspace import Workspace
from orderdrop.domain.identity import sid_key
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.status import Status
from orderdrop.errors import ConfigError, JournalError
from orderdrop.journal.journal import JOURNAL_ID, Journal, reading_engine
from orderdrop.journal.reader import read
from orderdrop.journal.records import row_id
from orderdrop.journal.schema import VERSION
from orderdrop.journal.writer import Writer

URL = "sqlite:///journal.db"


@pytest.fixture
def journal(tmp_path):
    journal = Journal(URL, tmp_path)
    journal.open()
    yield journal
    journal.close()


def an_order(sid="A1", drop=1, row=2, day=20261120):
    return day, (
        row_id(drop, row),
        sid_key(sid),
        Order(row, sid, "a", "SHSE.600000", 100, 1, 1, Decimal("10.35")),
    )


def add(writer: Writer, *orders) -> None:
    for day, accepted in orders:
        writer.add_accepted([accepted], day, "paper", None, Status.READY, 1)
        writer.tell_orders([(accepted[0], accepted[0])])


def test_transaction_when_it_fails_leaves_nothing_and_the_next_one_works(journal):
    with pytest.raises(RuntimeError), journal.transaction() as writer:
        add(writer, an_order())
        raise RuntimeError
    with journal.transaction() as writer:
        assert writer.backlog("paper") == 0
        add(writer, an_order())
    with journal.transaction() as writer:
        assert writer.backlog("paper") == 1


def test_journal_when_a_sid_comes_twice_on_a_day_the_constraint_decides(journal):
    with journal.transaction() as writer:
        add(writer, an_order())
    with pytest.raises(JournalError, match="one_order_per_sid|UNIQUE"), journal.transaction() as writer:
        add(writer, an_order(drop=2))


def test_journal_when_two_processes_write_the_constraint_decides_too(journal, tmp_path):
    other = Journal(URL, tmp_path)
    other.open()
    with other.transaction() as writer:
        add(writer, an_order())
    with pytest.raises(JournalError), journal.transaction() as writer:
        add(writer, an_order(drop=2))
    other.close()


def test_known_finds_a_sid_of_any_day_before_and_after_it_was_moved(journal):
    with journal.transaction() as writer:
        writer.connection.execute(
            text("INSERT INTO drops (id, name, kind, strategy, trade_day, received_at, state, sid_space, position, next_row)"
                 " VALUES (1, 'a.csv', 'order', '', 20261119, 1, 'done', '', 0, 1)")
        )  # fmt: skip
        add(writer, an_order(day=20261119))
        days = writer.unmoved_days(20261120)
        assert days == [20261119]
        assert sid_key("A1") in writer.known([sid_key("A1")], [*days, 20261120], past=True)
        writer.move_sids_to_past(20261119)
        assert writer.unmoved_days(20261120) == []
        found = writer.known([sid_key("A1"), sid_key("A2")], [20261120], past=True)
        assert [known.sid for known in found.values()] == ["A1"]


def test_refused_orders_do_not_use_up_their_sid(journal):
    with journal.transaction() as writer:
        denied = [(row_id(1, row), an_order()[1][2], Refusal(Code.LOT_SIZE)) for row in (2, 3)]
        writer.add_denied(denied, 20261120, 1)
        add(writer, an_order(row=4))


def test_every_added_order_has_its_event(journal, tmp_path):
    with journal.transaction() as writer:
        add(writer, an_order(), an_order("A2", row=3))
    with read(reading_engine(URL, tmp_path)) as reading:
        for row in (2, 3):
            [event] = reading.story(row_id(1, row))[0]
            assert (event.event, event.source) == ("ready", "router")


def test_readers_see_the_last_commit_while_the_writer_is_busy(journal, tmp_path):
    with journal.transaction() as writer:
        add(writer, an_order())
    with journal.transaction() as writer:
        add(writer, an_order("A2", row=3))
        with read(reading_engine(URL, tmp_path)) as reading:
            assert [
                order.sid for order in reading.orders_by_id([row_id(1, 2), row_id(1, 3)])
            ] == []  # no drop row
            assert len(reading.story(row_id(1, 2))[0]) == 1
            assert len(reading.story(row_id(1, 3))[0]) == 0


def test_readers_cannot_write(journal, tmp_path):
    engine = reading_engine(URL, tmp_path)
    with engine.connect() as connection, pytest.raises(Exception, match="readonly"):
        connection.execute(text("DELETE FROM orders"))


def test_journal_is_durable_by_its_settings(journal):
    with journal.transaction() as writer:
        pragma = {
            name: writer.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2}


def test_checkpoint_empties_the_log_into_the_database(journal, tmp_path, monkeypatch):
    monkeypatch.setattr("orderdrop.journal.journal.CHECKPOINT_BYTES", 0)
    with journal.transaction() as writer:
        add(writer, an_order())
    journal.checkpoint()
    copy = tmp_path / "copy.db"
    copy.write_bytes((tmp_path / "journal.db").read_bytes())
    assert sqlite3.connect(copy).execute("SELECT count(*) FROM orders").fetchone() == (1,)


@pytest.mark.parametrize("url", ["postgresql://x/y", "sqlite://", "nonsense", "sqlite:///:memory:"])
def test_journal_when_the_url_is_not_a_sqlite_file_says_so(url, tmp_path):
    with pytest.raises(ConfigError):
        Journal(url, tmp_path)


def test_journal_when_on_a_network_drive_refuses(tmp_path, monkeypatch):
    class Share:
        mountpoint, fstype, opts = str(tmp_path), "cifs", "rw"

    monkeypatch.setattr("orderdrop.journal.journal.psutil.disk_partitions", lambda all: [Share])
    with pytest.raises(ConfigError, match="local disk"):
        Journal(URL, tmp_path).open()


def test_journal_when_it_is_no_database_says_so(tmp_path):
    (tmp_path / "journal.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal(URL, tmp_path).open()


def test_journal_when_it_comes_from_a_newer_version_is_left_alone(journal, tmp_path):
    with journal.transaction() as writer:
        writer.set_meta("schema_version", "99")
    with pytest.raises(ConfigError, match="newer"):
        Journal(URL, tmp_path).open()


def test_migration_when_the_schema_is_older_is_applied_once(journal, tmp_path, monkeypatch):
    monkeypatch.setattr("orderdrop.journal.journal.VERSION", VERSION + 1)
    monkeypatch.setattr(
        "orderdrop.journal.journal.MIGRATIONS", {VERSION: ("ALTER TABLE meta ADD COLUMN extra TEXT",)}
    )
    for _ in range(2):
        newer = Journal(URL, tmp_path)
        newer.open()
        with newer.transaction() as writer:
            assert writer.get_meta("schema_version") == str(VERSION + 1)
            writer.connection.execute(text("SELECT extra FROM meta"))
        newer.close()


def test_journal_of_version_1_when_opened_has_the_tables_of_a_new_one(journal, tmp_path):
    def columns(connection):
        tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        return {
            table: sorted(
                connection.execute(f"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{table}')")
            )
            for (table,) in connection.execute(tables).fetchall()
        }

    with sqlite3.connect(tmp_path / "journal.db") as database:
        new = columns(database)
    journal.close()
    with sqlite3.connect(tmp_path / "journal.db") as database:
        for statement in TO_VERSION_1:
            database.execute(statement)
        assert columns(database) != new
    journal.open()
    with sqlite3.connect(tmp_path / "journal.db") as database:
        assert columns(database) == new


def verdict_on(root: Path) -> Verified:
    engine = reading_engine(URL, root)
    try:
        with engine.connect() as connection:
            return verify(connection, Workspace(root, root / "inbox"), date(2026, 11, 29))
    finally:
        engine.dispose()


VERSION_2 = Path(__file__).parents[2] / "samples" / "journals" / "version-2.zip"
"""A workspace as version 2 left it: a basket with a duplicate, a denied row, rows without sid, one of them held, a closed day."""


def test_workspace_of_version_2_when_opened_is_verified_as_before_and_has_a_journal_id(tmp_path):
    with zipfile.ZipFile(VERSION_2) as kept:
        kept.extractall(tmp_path)
    before = verdict_on(tmp_path)
    assert (before.difference, before.seals, before.days) == (None, 3, ["2026-11-28"])
    journal = Journal(URL, tmp_path)
    journal.open()
    with journal.transaction() as writer:
        assert writer.get_meta("schema_version") == str(VERSION)
        name = writer.get_meta(JOURNAL_ID)
        old = writer.connection.execute(
            text("SELECT count(*), count(worth), count(row_key), count(not_before) FROM orders")
        ).one()
    journal.close()
    assert verdict_on(tmp_path) == before
    assert tuple(old) == (5, 0, 0, 0)
    journal.open()
    with journal.transaction() as writer:
        assert writer.get_meta(JOURNAL_ID) == name
        assert len(name) == 32
    journal.close()


def test_reader_when_the_journal_is_of_an_older_version_says_what_to_do(tmp_path):
    with zipfile.ZipFile(VERSION_2) as kept:
        kept.extractall(tmp_path)
    engine = reading_engine(URL, tmp_path)
    with pytest.raises(JournalError, match="run --once"), read(engine) as reading:
        list(reading.orders_of_day(20261128))
    engine.dispose()


def test_journal_id_when_two_journals_are_made_differs(tmp_path):
    names = set()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        journal = Journal(URL, tmp_path / folder)
        journal.open()
        with journal.transaction() as writer:
            names.add(writer.get_meta(JOURNAL_ID))
        journal.close()
    assert len(names) == 2


def test_questions_about_what_waits_never_walk_all_orders(journal, tmp_path):
    asked = []
    with journal.transaction() as writer:
        event.listen(writer.connection, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        writer.overdue(1, 20261120)
        writer.due(1, 20261120)
        writer.ready(20261120)
        writer.next_due(20261120)
        writer.stale(20261120)
        writer.never_ended(20261120)
        writer.interrupted(20261120)
        writer.unconfirmed("gm", 20261120)
    with sqlite3.connect(tmp_path / "journal.db") as database:
        plans = [
            row[3]
            for query, values in asked
            for row in database.execute(f"EXPLAIN QUERY PLAN {query}", values)
        ]
    assert len(asked) == 9
    assert "SCAN orders" not in plans
