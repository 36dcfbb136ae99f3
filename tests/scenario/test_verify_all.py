"""Thirty-five ways to alter a journal and its archive: each is seen, or what it touches is named as not proven."""

import re
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from routed_desk import Desk

from orderdrop.audit.verify import verify
from orderdrop.config.workspace import Workspace
from orderdrop.journal.journal import reading_engine
from orderdrop.system.clock import SHANGHAI, FixedClock

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
FILES = {
    "a.csv": HEADER + "A1,acc,SHSE.600000,100,1,1,10.35\nA2,acc,SZSE.000001,200,1,1,11.00\n",
    "b.csv": HEADER + "B1,acc,SHSE.600000,150,1,1,10.35\n",
    "20261119.order.csv": HEADER + "C1,acc,SHSE.600000,100,1,1,10.35\nC3,acc,SHSE.600000,1O0,1,1,10.35\n",
}
Act = Callable[[Path], None]


@pytest.fixture(scope="module")
def closed(tmp_path_factory) -> Path:
    """A workspace with a day that was closed: fills, a part fill that was cancelled, a denial, a bad row, a cancel."""
    clock = FixedClock(datetime(2026, 11, 19, 9, 31, tzinfo=SHANGHAI))
    desk = Desk(tmp_path_factory.mktemp("closed"), clock)
    desk.route(FILES)
    clock.advance(60)
    desk.route({"x.cancel_order.csv": "sid,comment\nA2,\n"})
    desk.close()
    clock.advance(timedelta(days=1).total_seconds())
    desk.route().close()
    return desk.root


def sql(*statements: str) -> Act:
    def act(root: Path) -> None:
        connection = sqlite3.connect(root / "journal.db")
        for statement in statements:
            assert connection.execute(statement).rowcount
        connection.commit()
        connection.close()

    return act


def order(change: str, sid: str = "A1") -> Act:
    return sql(f"UPDATE orders SET {change} WHERE sid = '{sid}'")


def day(root: Path) -> Path:
    return root / "archive" / "2026-11-19"


def swapped(name: str) -> Act:
    def act(root: Path) -> None:
        path = day(root) / name
        path.write_bytes(path.read_bytes().replace(b"0", b"1"))

    return act


def added(root: Path) -> None:
    (day(root) / "drops" / "z.csv").write_text("sid\n")


def zipped_twice(root: Path) -> None:
    """The day in a zip, in which a drop stands a second time."""
    with zipfile.ZipFile(root / "archive" / "2026-11-19.zip", "w") as zipped:
        for path in sorted(day(root).rglob("*")):
            if path.is_file():
                zipped.write(path, path.relative_to(day(root)).as_posix())
        with pytest.warns(UserWarning, match="Duplicate name"):
            zipped.writestr("drops/a.csv", "sid\n")
    shutil.rmtree(day(root))


def zip_beside(root: Path) -> None:
    with zipfile.ZipFile(root / "archive" / "2026-11-19.zip", "w") as zipped:
        zipped.writestr("drops/a.csv", "sid\n")


def linked(root: Path) -> None:
    day(root).rename(root / "elsewhere")
    day(root).symlink_to(root / "elsewhere")


def day_put_in(root: Path) -> None:
    folder = root / "archive" / "2026-11-18" / "drops"
    folder.mkdir(parents=True)
    (folder / "x.csv").write_text("never dropped\n")


LAST = "(SELECT max(id) FROM {0})"
FILLED = "WHERE event = 'filled' AND order_ref = (SELECT id FROM orders WHERE sid = 'A1')"
SEEN: dict[str, Act] = {
    "an event altered": sql(f"UPDATE events SET detail = 'x' {FILLED}"),
    "an event deleted": sql(f"DELETE FROM events {FILLED}"),
    "an event's time": sql(f"UPDATE events SET at = at + 1 {FILLED}"),
    "an order's price": order("price = '9.99'"),
    "an order's status": order("status = 'rejected'"),
    "an order's fills": order("filled_value = '1.00'"),
    "the reason of a denial": order("reason_code = 'HALTED'", "B1"),
    "a fill's price": sql("UPDATE fills SET price = '9.99' WHERE id = 1"),
    "a fill's fee": sql("UPDATE fills SET fee = '0.01' WHERE id = 1"),
    "a fill removed": sql("DELETE FROM fills WHERE id = 1"),
    "an order deleted": sql("DELETE FROM orders WHERE sid = 'A1'"),
    "a drop altered": sql("UPDATE drops SET name = 'z.csv' WHERE name = 'a.csv'"),
    "a drop deleted": sql("DELETE FROM drops WHERE name = 'b.csv'"),
    "a report's body": sql("UPDATE reports SET body = replace(body, 'new', 'old') WHERE id = 1"),
    "all seals deleted": sql("DELETE FROM seals"),
    "the last seal deleted": sql(f"DELETE FROM seals WHERE id = {LAST.format('seals')}"),
    "a file of the archive": swapped("drops/a.csv"),
    "the manifest": swapped("manifest.sha256"),
    "a file added": added,
    "a second entry in the zip": zipped_twice,
    "what was sent removed": lambda root: shutil.rmtree(day(root) / "sent"),
    "the day removed": lambda root: shutil.rmtree(day(root)),
    "an order's sid freed": order("sid_key = 12345"),
    "a denied order's sid used up": order("sid_key = 12345", "B1"),
    "an order's gateway": order("gateway = 'other'"),
    "an order's batch": order("batch_id = 99"),
    "the broker's number": order("order_id = 'X'"),
    "when it was confirmed": order("confirmed_at = confirmed_at + 5000000"),
    "when it was closed": order("closed_at = closed_at + 9000000"),
    "when it was handed over": order("submitted_at = submitted_at - 1"),
    "the reason of what was not denied": order("reason_code = 'HALTED'"),
}
NAMED: dict[str, tuple[Act, str]] = {
    "a chain begun anew": (
        sql("DELETE FROM seals WHERE id > 0", "INSERT INTO seals SELECT 0, 0, 5, 0, 0, 0, x'', NULL, '', ''"),
        "begins with event 6",
    ),
    "a day put in": (day_put_in, "2026-11-18"),
    "a day marked as late": (sql("INSERT INTO meta VALUES ('late:20261119', '1')"), "2026-11-19"),
    "a zip beside the folder": (zip_beside, "a zip lies beside archive/2026-11-19"),
    "a link instead of the folder": (linked, "2026-11-19 is a link"),
}
FURTHER: dict[str, Act] = {
    "an owner": sql("UPDATE drops SET owner = 'mallory' WHERE name = 'a.csv'"),
    "when a row came": order("received_at = 1"),
    "when a bad row came": sql("UPDATE rows SET received_at = 1"),
    "when a cancel's row came": sql("UPDATE instructions SET received_at = 1"),
    "what a row says": order("row_key = 7"),
    "what an order is worth": order("worth = '1'"),
    "its earliest time": order("not_before = 1"),
    "what held it": order("held_for = 'HELD_SESSION'"),
    "the broker's cumulative volume": order("told_volume = 77"),
    "how far output was read": sql("UPDATE batches SET places = '{}'"),
    "a scan name": sql("UPDATE reports SET scan_name = 'x' WHERE id = 1"),
    "the words of a reason": order("reason_value = 'x'", "A2"),
    "a gateway, with its batch's": sql("UPDATE orders SET gateway = NULL WHERE sid = 'A1'"),
}


def verified(root: Path):
    engine = reading_engine("sqlite:///journal.db", root)
    try:
        with engine.connect() as connection:
            return verify(connection, Workspace(root, root / "inbox"), date(2026, 11, 20))
    finally:
        engine.dispose()


@pytest.fixture
def copy(closed, tmp_path) -> Path:
    return Path(shutil.copytree(closed, tmp_path / "copy"))


def test_verify_when_nothing_was_altered_finds_nothing(copy):
    found = verified(copy)
    assert (found.difference, found.notes, found.days) == (None, [], ["2026-11-19", "2026-11-20"])


def test_manipulations_are_all_that_were_tried():
    assert len(SEEN) + len(NAMED) >= 35


@pytest.mark.parametrize("what", [*SEEN, *FURTHER])
def test_verify_when_something_was_altered_sees_it(copy, what):
    (SEEN | FURTHER)[what](copy)
    assert verified(copy).difference is not None


@pytest.mark.parametrize("what", NAMED)
def test_verify_when_something_cannot_be_proven_names_it(copy, what):
    act, words = NAMED[what]
    act(copy)
    found = verified(copy)
    told = [str(found.difference), *(en for _zh, en in found.notes)]
    assert re.search(words, "\n".join(told))
