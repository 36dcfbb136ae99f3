"""Nothing in journal and archive can be altered without `verify` naming it; and nothing honest is accused."""

import re
import shutil
import sqlite3
from datetime import datetime, timedelta

import pytest
from builders import TO_VERSION_1

from orderdrop.archive.day import Archived, ArchiveError
from orderdrop.audit.verify import verify
from orderdrop.config.workspace import Workspace
from orderdrop.journal.journal import reading_engine
from orderdrop.system.clock import SHANGHAI, FixedClock, trade_date

DAY = datetime(2026, 11, 19, 9, 31, tzinfo=SHANGHAI)
HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"


def row(sid: str, symbol: str = "SHSE.600000", volume: int = 100) -> str:
    return f"{sid},acc,{symbol},{volume},1,1,10.35\n"


MORNING = {
    "a.csv": HEADER + row("A1") + row("A2", "SZSE.000001", 200),
    "b.csv": HEADER + row("B1") + row("B2", volume=150),
    "20261119.order.csv": HEADER + row("C1") + row("C2") + "C3,acc,SHSE.600000,1O0,1,1,10.35\n",
}


@pytest.fixture
def clock():
    return FixedClock(DAY)


@pytest.fixture
def traded(trade, clock):
    """A desk that has closed a day with fills, a refused basket, a bad row and a cancel, and stands in the next one."""
    desk = trade(MORNING, clock)
    clock.advance(60)
    desk.route({"x.cancel_order.csv": "sid,comment\nA2,\n"})
    desk.close()
    clock.advance(timedelta(days=1).total_seconds())
    return desk


def verified(desk, clock):
    engine = reading_engine("sqlite:///journal.db", desk.root)
    try:
        with engine.connect() as connection:
            return verify(connection, Workspace(desk.root, desk.inbox), trade_date(clock.now()))
    finally:
        engine.dispose()


def alter(desk, *statements: str) -> None:
    with sqlite3.connect(desk.root / "journal.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def first_difference(desk, clock) -> str:
    found = verified(desk, clock).difference
    return "" if found is None else f"{found.where}: {found.en}"


def test_verify_when_nothing_was_altered_finds_nothing(traded, clock):
    proof = verified(traded, clock)
    assert (proof.difference, proof.unsealed, proof.begins, proof.days) == (None, 0, None, ["2026-11-19"])
    assert proof.seals > 1
    assert proof.events == len(traded.query("SELECT id FROM events")) > 10
    assert proof.notes == []


SUBMITTED = "(SELECT min(id) FROM events WHERE event = 'submitted')"
ALTERED = {
    "an event": ([f"UPDATE events SET at = at + 1 WHERE id = {SUBMITTED}"], r"event \d+ \(submitted, .*was altered"),
    "an event's detail": (["UPDATE events SET detail = '1@1' WHERE event = 'fill'"], r"event \d+ \(fill.*was altered"),
    "removed": (["DELETE FROM events WHERE id = 5"], r"event 6 \(.*: the entry before it was removed"),
    "removed at the end": (
        ["DELETE FROM events WHERE id = (SELECT max(id) FROM events)"],
        r"seal \d+: an entry at its end was removed|event.*removed|report.*removed",
    ),
    "inserted": (
        [
            "UPDATE events SET id = -id - 1 WHERE id >= 5",
            "UPDATE events SET id = -id WHERE id < 0",
            "INSERT INTO events (id, at, order_ref, event, source) SELECT 5, at, order_ref, 'note', source FROM events WHERE id = 4",
        ],
        r"event 5 \(note.*: this entry was inserted",
    ),
    "reordered": (
        [
            "UPDATE events SET id = -3 WHERE id = 3",
            "UPDATE events SET id = 3 WHERE id = 4",
            "UPDATE events SET id = 4 WHERE id = -3",
        ],
        r"event 3 \(.*: was moved",
    ),
    "an order's volume": (["UPDATE orders SET volume = 900 WHERE sid = 'A1'"], r"event \d+ \(.*A1.*was altered"),
    "why an order was denied": (
        ["UPDATE orders SET reason_code = 'HALTED' WHERE sid = 'B2'"],
        r"event \d+ \(denied, B2.*was altered",
    ),
    "an order's status": (
        ["UPDATE orders SET status = 'rejected' WHERE sid = 'A1'"],
        r"order \d+ \(A1\): its status is rejected, its events say filled",
    ),
    "an order's fills": (
        ["UPDATE orders SET filled_value = '1.00' WHERE sid = 'A1'"],
        r"order \d+ \(A1\): 100 shares for 1.00 filled, its fills say 100 for 1035.00",
    ),
    "an order inserted": (
        [
            """INSERT INTO orders (id, trade_day, sid, account_id, symbol, volume, order_type, order_business, status, updated_at)
            VALUES (4294967396, 20261119, 'Z1', 'acc', 'SHSE.600000', 100, 1, 1, 'filled', 1)"""
        ],
        r"\(Z1\): has no event: the order was inserted",
    ),
    "an order removed": (["DELETE FROM orders WHERE sid = 'A1'"], r"event \d+ .*was altered"),
    "a fill": (["UPDATE fills SET price = '9.99'"], r"fill 1 \(.*was altered"),
    "a report": (["UPDATE reports SET body = '{}' WHERE id = 2"], r"report 2 \(.*was altered"),
    "a batch's bytes": (
        ["UPDATE batches SET content = replace(CAST(content AS TEXT), '100', '900') WHERE id = 1"],
        r"batch 1 \(paper\): was altered",
    ),
    "a refused row": (["UPDATE rows SET reason_value = '100'"], r"drops, rows 2026-11-19: .*were altered"),
    "a drop": (["UPDATE drops SET name = 'z.csv' WHERE name = 'a.csv'"], r"drops, rows 2026-11-19"),
    "a file's owner": (["UPDATE drops SET owner = 'somebody'"], r"drops, rows 2026-11-19"),
    "when a row came": (["UPDATE orders SET received_at = 1 WHERE sid = 'A1'"], r"drops, rows 2026-11-19"),
    "a seal": (["UPDATE seals SET at = at + 1 WHERE id = 1"], r"seal 1: the seal itself"),
    "a seal removed": (["DELETE FROM seals WHERE id = 1"], r"seal 1: the seal is missing"),
}  # fmt: skip


@pytest.mark.parametrize("what", ALTERED)
def test_verify_when_the_journal_was_altered_names_the_first_difference(traded, clock, what):
    statements, expected = ALTERED[what]
    alter(traded, *statements)
    assert re.search(expected, first_difference(traded, clock))


@pytest.mark.parametrize(
    "name", ["drops/a.csv", "sent/paper/00000001.order.csv", "journal.csv", "chain.json", "manifest.sha256"]
)
def test_verify_when_a_file_of_the_archive_was_altered_names_it(traded, clock, name):
    path = traded.root / "archive" / "2026-11-19" / name
    path.write_bytes(path.read_bytes().translate(bytes.maketrans(b"0123456789", b"1234567890")))
    assert f"archive/2026-11-19/{name}" in first_difference(traded, clock)


def test_verify_when_a_file_and_its_line_of_the_manifest_were_altered_names_the_manifest(traded, clock):
    from orderdrop.archive import filing  # noqa: PLC0415

    folder = traded.root / "archive" / "2026-11-19"
    (folder / "drops" / "a.csv").write_text("sid\n")
    filing.write_manifest(folder)
    assert first_difference(traded, clock).startswith("archive/2026-11-19/manifest.sha256: ")


@pytest.mark.parametrize("name", ["drops/a.csv", "sent/paper/00000001.order.csv", "journal.csv"])
def test_verify_when_a_file_is_gone_names_it(traded, clock, name):
    (traded.root / "archive" / "2026-11-19" / name).unlink()
    assert first_difference(traded, clock) == f"archive/2026-11-19/{name}: the file is gone"


def test_verify_when_a_file_was_added_names_it(traded, clock):
    (traded.root / "archive" / "2026-11-19" / "drops" / "z.csv").write_text("sid\n")
    assert "drops/z.csv: neither manifest nor journal" in first_difference(traded, clock)


def test_verify_when_the_day_is_gone_says_so(traded, clock):
    shutil.rmtree(traded.root / "archive" / "2026-11-19")
    assert first_difference(traded, clock) == "archive/2026-11-19: the archive of the day is gone"


def test_verify_when_the_journal_was_replaced_by_another_one_the_archive_tells(traded, clock, desk):
    other = desk(clock).route({"q.csv": HEADER + row("Q1")})
    other.close()
    shutil.copy(other.root / "journal.db", traded.root / "journal.db")
    assert "archive/2026-11-19" in first_difference(traded, clock)


def test_day_when_it_is_old_enough_is_zipped_with_the_same_files_and_verifies(trade, clock):
    desk = trade(MORNING, clock, archive={"compress_after": 2})
    desk.close()
    folder = desk.root / "archive" / "2026-11-19"
    clock.advance(timedelta(days=2).total_seconds())
    desk.route().close()
    before = {
        name: (Archived(folder).read(name), Archived(folder).written_at(name))
        for name in Archived(folder).names()
    }
    assert folder.is_dir()
    clock.advance(timedelta(days=1).total_seconds())
    desk.route().close()
    kept = Archived(folder)
    assert not folder.exists()
    assert {name: (kept.read(name), kept.written_at(name)) for name in kept.names()} == before
    assert verified(desk, clock).difference is None


def test_day_when_rows_come_after_it_was_zipped_is_closed_again_and_zipped_again(trade, clock):
    desk = trade(MORNING, clock, archive={"compress_after": 1})
    desk.close()
    clock.advance(timedelta(days=2).total_seconds())
    desk.route().close()
    kept = Archived(desk.root / "archive" / "2026-11-19")
    assert not kept.folder.exists()
    alter(desk, "INSERT INTO meta VALUES ('late:20261119', '1')")
    desk.route().close()
    assert (kept.folder.exists(), verified(desk, clock).difference) == (False, None)


def test_compressing_when_the_zip_holds_another_content_keeps_both(tmp_path):
    kept = Archived(tmp_path / "2026-11-19")
    (tmp_path / "2026-11-19").mkdir()
    for content in ("one", "two"):
        kept.folder.mkdir(exist_ok=True)
        (kept.folder / "a.csv").write_text(content)
        if content == "one":
            kept.compress()
    with pytest.raises(ArchiveError, match="another a.csv"):
        kept.compress()
    assert (kept.folder / "a.csv").read_text() == "two"
    shutil.rmtree(kept.folder)
    assert Archived(kept.folder).read("a.csv") == b"one"


def test_verify_when_the_day_is_zipped_reads_the_zip(traded, clock):
    kept = Archived(traded.root / "archive" / "2026-11-19")
    kept.compress()
    assert not kept.folder.exists()
    assert first_difference(traded, clock) == ""
    alter(traded, "UPDATE batches SET content = x'00' WHERE id = 1")
    assert "batch 1" in first_difference(traded, clock)


# nothing honest is accused


def test_verify_when_an_order_expires_after_its_day_was_closed_finds_nothing(trade, clock):
    desk = trade({"a.csv": HEADER + row("A1")}, clock, inbox={"hold": True})
    desk.close()
    clock.advance(timedelta(days=1).total_seconds())
    desk.route()
    assert first_difference(desk, clock) == ""
    desk.close()
    proof = verified(desk, clock)
    assert (proof.difference, proof.days, proof.notes) == (None, ["2026-11-19", "2026-11-20"], [])


def test_verify_when_rows_come_for_a_day_that_is_closed_finds_nothing(trade, clock):
    desk = trade({"20261119.order.csv": HEADER + row("A1")}, clock)
    desk.close()
    clock.advance(timedelta(days=1).total_seconds())
    desk.append("20261119.order.csv", row("A2"))
    desk.route()
    assert desk.query("SELECT reason_code FROM rows") == [{"reason_code": "DAY_OVER"}]
    assert first_difference(desk, clock) == ""
    desk.close()
    assert verified(desk, clock) == verified(desk, clock)._replace(difference=None, notes=[])


def test_verify_when_the_router_was_killed_finds_nothing_and_the_day_is_closed_at_the_next_start(
    trade, clock
):
    desk = trade(MORNING, clock)
    desk.crash()
    proof = verified(desk, clock)
    assert (proof.difference, proof.days) == (None, [])
    clock.advance(timedelta(days=1).total_seconds())
    desk.route()
    proof = verified(desk, clock)
    assert (proof.difference, proof.days) == (None, ["2026-11-19"])


@pytest.mark.parametrize("point", ["seal.before", "seal.after", "close.before"])
def test_verify_when_sealing_or_closing_was_interrupted_finds_nothing(trade, clock, monkeypatch, point):
    class Killed(BaseException):
        pass

    def kill(reached: str) -> None:
        if reached == point:
            raise Killed

    desk = trade(MORNING, clock)
    desk.close()
    desk.route({"d.csv": HEADER + row("D1")})
    with monkeypatch.context() as killing, pytest.raises(Killed):
        killing.setattr("orderdrop.archive.closing.reach", kill)
        desk.app.chores.close_days(trade_date(clock.now()))
    desk.crash()
    assert first_difference(desk, clock) == ""
    clock.advance(timedelta(days=1).total_seconds())
    desk.route().close()
    assert verified(desk, clock)[0] is None
    assert "2026-11-19" in verified(desk, clock).days


def test_verify_when_a_file_was_rewritten_under_its_name_finds_nothing(trade, clock):
    desk = trade({"20261119.order.csv": HEADER + row("A1")}, clock)
    (desk.inbox / "20261119.order.csv").write_text(HEADER + row("A1") + row("A2"))
    (desk.inbox / "20261119.order.csv").write_text(HEADER + row("A3"))
    desk.route()
    desk.close()
    clock.advance(timedelta(days=1).total_seconds())
    desk.route().close()
    assert first_difference(desk, clock) == ""


# a journal from before the chain


def before_the_chain(desk) -> None:
    """As version 1 left it: without a witness, too."""
    alter(desk, *TO_VERSION_1)
    for mark in (desk.root / ".orderdrop").glob("*.mark"):
        mark.unlink()
    (desk.root / "archive" / "2026-11-19" / "chain.json").unlink()


def test_journal_when_it_is_older_than_the_chain_opens_and_verifies_from_there(traded, clock):
    before_the_chain(traded)
    events = len(traded.query("SELECT id FROM events"))
    assert verified(traded, clock).notes[0][1].startswith("the journal is older than the chain")
    traded.route({"n.csv": HEADER + row("N1")}).close()
    proof = verified(traded, clock)
    assert (proof.difference, proof.begins) == (None, f"event {events + 1}")
    assert (
        proof.notes[0][1] == f"the chain begins with event {events + 1}; what is older cannot be proven by it"
    )
    alter(traded, f"UPDATE events SET at = 1 WHERE id = {events + 1}")
    assert f"event {events + 1} " in first_difference(traded, clock)


def test_closing_when_a_drop_stirs_waits_and_is_finished_later(trade, clock):
    rows = "".join(row(f"L{number}") for number in range(1200))
    desk = trade({"large.csv": HEADER + rows}, clock)
    desk.crash()
    clock.advance(timedelta(days=1).total_seconds())
    chores = desk.open().chores
    turns = 0
    chores.run(lambda: True)
    while chores.under_way:
        turns += 1
        chores.run(lambda: True)
    assert turns > 5
    assert verified(desk, clock).days == ["2026-11-19"]
    assert first_difference(desk, clock) == ""


def test_day_when_something_is_told_of_it_after_its_closing_is_closed_again(trade, clock):
    desk = trade({"a.csv": HEADER + row("A1")}, clock)
    desk.close()
    clock.advance(timedelta(days=1).total_seconds())
    desk.route().close()
    closed = "SELECT id FROM seals WHERE day = 20261119"
    before = len(desk.query(closed))
    alter(desk, "INSERT INTO events (at, order_ref, event, source) SELECT 1, id, 'note', 'paper' FROM orders")
    desk.route().close()
    assert len(desk.query(closed)) == before + 1
    assert verified(desk, clock).difference is None
    desk.route().close()
    assert len(desk.query(closed)) == before + 1
