"""Files, names and moments that are against us: nothing that nobody wrote may trade, nothing that was written may be lost."""

import os
import time
from pathlib import Path

import pytest
from routed_desk import TODAY

from orderdrop.system.files import append_whole

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
FOLLOWED = f"{TODAY}.order.csv"


def row(sid: str, volume: int = 100) -> str:
    return f"{sid},acc,SHSE.600000,{volume},1,1,10.35\n"


def sids(desk) -> list[str]:
    return sorted(sid for sid, *_ in desk.at_broker())


# rewritten files


@pytest.mark.parametrize("grown", [0, 1, 7])
def test_followed_file_when_rewritten_while_no_router_runs_is_read_from_its_beginning(trade, grown):
    """What stands at the old position is the middle of a row: it must never be read as one."""
    desk = trade({FOLLOWED: HEADER + row("A1") + row("A2")})
    desk.close()
    rows = ["LONGSID" + "X" * grown, *"BCDEF"]
    (desk.inbox / FOLLOWED).write_text(HEADER + "".join(map(row, rows)))
    desk.route()
    assert sids(desk) == sorted(["A1", "A2", *rows])
    assert desk.query("SELECT * FROM rows WHERE outcome = 'error'") == []


@pytest.mark.parametrize("restart", [False, True])
def test_followed_file_when_rewritten_with_the_same_size_is_read_again(trade, restart):
    desk = trade({FOLLOWED: HEADER + row("A1")})
    if restart:
        desk.close()
    time.sleep(0.02)
    (desk.inbox / FOLLOWED).write_text(HEADER + row("B1"))
    desk.route()
    assert sids(desk) == ["A1", "B1"]


def test_drop_when_replaced_by_one_of_the_same_size_before_it_is_archived_is_read_again(trade):
    desk = trade({}, inbox={"archive_after": 60})
    app = desk.open()
    desk.put({"a.csv": HEADER + row("A1")})
    turn(app, 5)
    time.sleep(0.02)
    (desk.inbox / "a.csv").write_text(HEADER + row("B1"))
    turn(app, 5)
    assert sids(desk) == ["A1", "B1"]


def turn(app, times):
    for _ in range(times):
        time.sleep(0.003)
        app.turn(lambda _round: None)


# marks that lie


def test_fin_when_left_behind_by_an_earlier_drop_does_not_finish_the_next_one(trade):
    """`1000` cut to `10` looks like a good order."""
    desk = trade({}, inbox={"torn_timeout": 60})
    (desk.inbox / "a.csv.fin").touch()
    time.sleep(0.02)
    (desk.inbox / "a.csv").write_text(HEADER + "A1,acc,SHSE.600000,1000,1,1,1")
    desk.route()
    assert desk.at_broker() == []
    desk.append("a.csv", "0.35\n")
    desk.route()
    assert [row["price"] for row in desk.orders().values()] == ["10.35"]


def test_fin_when_the_process_dies_between_the_two_moves_follows_its_drop(trade, monkeypatch):
    desk = trade({})
    desk.put({"a.csv.fin": "", "a.csv": HEADER + row("A1")})
    os.utime(desk.inbox / "a.csv.fin")
    real = os.link

    def die_at_fin(source, target, **kwargs):
        if str(target).endswith(".fin"):
            raise KeyboardInterrupt
        real(source, target, **kwargs)

    monkeypatch.setattr(os, "link", die_at_fin)
    with pytest.raises(KeyboardInterrupt):
        desk.route()
    monkeypatch.undo()
    desk.crash()
    desk.route()
    assert list(desk.inbox.iterdir()) == []
    assert sids(desk) == ["A1"]


# late writes


def test_row_when_written_through_an_open_handle_after_the_archive_and_a_crash_is_found(trade):
    desk = trade({})
    with (desk.inbox / "a.csv").open("ab", buffering=0) as file:
        file.write((HEADER + row("A1")).encode())
        desk.route()
        assert list(desk.inbox.iterdir()) == []
        desk.crash()
        file.write(row("A2").encode())
    app = desk.open()
    deadline = time.monotonic() + 60
    while sids(desk) != ["A1", "A2"] and time.monotonic() < deadline:
        turn(app, 10)
    assert sids(desk) == ["A1", "A2"]


# receipts


def test_receipt_when_the_process_dies_before_it_is_written_is_written_after(trade, monkeypatch):
    desk = trade({})
    app = desk.open()
    monkeypatch.setattr(app.chores, "run", lambda _interrupted: None)
    desk.put({"a.csv": HEADER + row("A1")})
    turn(app, 5)
    assert sids(desk) == ["A1"]
    desk.crash()
    monkeypatch.undo()
    desk.route()
    assert desk.outcomes("a.csv") == [("A1", "filled", "")]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", "sid,colour\nA1,red\n", "HEADER_UNKNOWN_COLUMN"),
        ("a.csv", "", "FILE_EMPTY"),
        ("a.csv", b"\xff\xff,\xff\n", "FILE_ENCODING"),
        ("a.csv", "nothing\n", "HEADER_NOT_FOUND"),
        ("20200102.order.csv", HEADER + row("A1"), "FILE_STALE"),
    ],
)
def test_file_when_refused_whole_has_a_receipt_and_the_next_one_trades(trade, name, content, code):
    desk = trade({name: content, "good.csv": HEADER + row("B1")})
    assert desk.outcomes(name) == [("", "refused", code)]
    assert sids(desk) == ["B1"]


@pytest.mark.parametrize(
    "name", ["委" * 83 + ".csv", "x" * 240 + ".csv", "a\u202evsc.csv", "a\nb.csv", "a\x7f.csv"]
)
def test_file_when_its_name_is_hostile_is_refused_and_stops_nothing(trade, name):
    desk = trade({name: HEADER + row("A1")})
    desk.route({"good.csv": HEADER + row("B1")})
    assert sids(desk) == ["B1"]
    assert desk.outcomes("good.csv") == [("B1", "filled", "")]
    assert [path.name for path in desk.inbox.iterdir()] == []
    assert len(list((desk.root / "outbox" / "receipts").iterdir())) == 2


@pytest.mark.parametrize("folder", [b"\xff\xfe", "a\u202eb".encode(), b"a\nb"])
def test_file_when_its_folder_has_a_hostile_name_is_refused_and_stops_nothing(trade, folder):
    desk = trade({})
    hostile = Path(os.fsdecode(os.fsencode(desk.inbox) + b"/" + folder))
    hostile.mkdir()
    (hostile / "a.csv").write_text(HEADER + row("A1"))
    desk.route({"good.csv": HEADER + row("B1")})
    assert sids(desk) == ["B1"]
    assert desk.outcomes("good.csv") == [("B1", "filled", "")]


@pytest.mark.parametrize("folder", [".stversions", "a/b", ".git/x"])
@pytest.mark.parametrize("events", [False, True])
def test_file_when_in_a_hidden_or_deep_folder_is_none_of_our_business(trade, folder, events):
    """Synchronising programs keep old versions of files in hidden folders."""
    desk = trade({}, inbox={"events": events})
    below = desk.inbox / folder
    below.mkdir(parents=True)
    desk.route()
    time.sleep(0.1 * events)
    (desk.root / "new").write_text(HEADER + row("A1"))
    (desk.root / "new").rename(below / "old.csv")
    time.sleep(0.3 * events)
    desk.route()
    assert desk.at_broker() == []


def test_file_when_moved_out_of_the_inbox_leaves_the_events_working(trade):
    desk = trade({}, inbox={"events": True, "scan_interval": 60})
    app = desk.open()
    (desk.inbox / "notes.txt").write_text("x")
    (desk.inbox / "notes.txt").rename(desk.root / "notes.txt")
    time.sleep(0.3)
    desk.put({"a.csv": HEADER + row("A1")})
    deadline = time.monotonic() + 60
    while not desk.at_broker() and time.monotonic() < deadline:
        turn(app, 5)
    assert sids(desk) == ["A1"]


# chores


@pytest.mark.parametrize("stuck", ["receipts/a.csv.receipt.csv", "acc/order_status.csv"])
def test_result_file_when_it_cannot_be_written_keeps_no_other_chore_from_being_done(trade, stuck):
    """Such as a receipt that stands open in Excel on Windows."""
    desk = trade({})
    (desk.root / "outbox" / stuck).mkdir(parents=True)
    desk.route({"a.csv": HEADER + row("A1")}).route({"b.csv": HEADER + row("B1")})
    assert list(desk.inbox.iterdir()) == []
    assert desk.outcomes("b.csv") == [("B1", "filled", "")]
    assert len(desk.table("acc/execution_report.csv")) == 2


def test_execution_report_when_a_write_fails_half_way_has_every_fill_once(trade, monkeypatch):
    desk = trade({"a.csv": HEADER + row("A1")})
    torn = []

    def tear(path, content):
        if not torn:
            torn.append(path)
            with path.open("ab") as file:
                file.write(content[:20])
            raise OSError(28, "No space left on device")
        return real(path, content)

    real = append_whole
    monkeypatch.setattr("orderdrop.outbox.result_files.append_whole", tear)
    desk.route({"b.csv": HEADER + row("B1") + row("B2")})
    desk.route({"c.csv": HEADER + row("C1")})
    assert torn
    for name in ("execution_report.csv", "order_status_change.csv"):
        assert all(None not in row.values() and None not in row for row in desk.table(f"acc/{name}"))
    ids = [row["exec_id"] for row in desk.table("acc/execution_report.csv")]
    assert len(ids) == len(set(ids)) == 4


# the inbox itself


def test_inbox_when_it_cannot_be_listed_for_a_while_is_read_afterwards(trade, monkeypatch):
    desk = trade({"HALT": ""})
    real = os.scandir
    monkeypatch.setattr(os, "scandir", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    app = desk.open()
    turn(app, 3)
    assert app.inbox.halted
    monkeypatch.setattr(os, "scandir", real)
    (desk.inbox / "HALT").unlink()
    desk.route({"a.csv": HEADER + row("A1")})
    assert sids(desk) == ["A1"]


def test_sub_folder_when_it_goes_away_while_it_is_listed_stops_nobody_else(trade, monkeypatch):
    desk = trade({"alpha/a.csv": HEADER + row("A1")})
    real = os.scandir

    def gone(path):
        if str(path).endswith("alpha"):
            raise FileNotFoundError(2, "No such file or directory", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", gone)
    desk.route({"b.csv": HEADER + row("B1")})
    assert sids(desk) == ["A1", "B1"]
