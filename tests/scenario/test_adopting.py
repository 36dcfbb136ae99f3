"""The journal is lost, older, another one, or rolled back together with what stands beside it: nothing goes out twice, and there is a way on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from builders import FRIDAY, a_clock
from routed_desk import TODAY, Desk
from terminal_desk import ACCOUNT, TerminalDesk

from orderdrop.archive.witness import hear
from orderdrop.config.workspace import Workspace
from orderdrop.errors import JournalError
from orderdrop.reconciliation.adopt import adopt, undo_days
from orderdrop.reconciliation.evidence import gather
from orderdrop.service.app import App
from orderdrop.system.clock import SystemClock

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price,comment\n"
DAY_FILE = f"{TODAY}.order.csv"


class PaperDesk(Desk):
    account = "A1"

    def until_filled(self, *sids: str) -> None:
        self.route()
        assert {self.statuses()[sid] for sid in sids} == {"filled"}

    def times(self) -> Counter[str]:
        """How often the broker has executed each order."""
        return Counter(sid for sid, *_ in self.at_broker())


class GoldminerDesk(TerminalDesk):
    account = ACCOUNT

    def until_filled(self, *sids: str) -> None:
        self.until(lambda: all(self.statuses().get(sid) == "filled" for sid in sids))

    def times(self) -> Counter[str]:
        taken = self.kept_by_terminal.glob("*/*/upfiles/*/*.order.csv")
        rows = [line for path in taken for line in path.read_text("utf-8-sig").splitlines()[1:]]
        return Counter(row.partition(",")[0] for row in rows)


def row(sid: str, account: str) -> str:
    return f"{sid},{account},SHSE.600000,1000,1,1,10.00,\n"


@pytest.fixture(params=[PaperDesk, GoldminerDesk])
def traded(request, tmp_path):
    """A day file with two rows, both executed; the router is down, without a word."""
    made = request.param(tmp_path / "w")
    made.put({DAY_FILE: HEADER + row("F1", made.account) + row("F2", made.account)})
    made.until_filled("F1", "F2")
    made.crash()
    yield made
    made.crash()


def settings(desk: Desk) -> tuple:
    return desk._settings, Workspace(desk.root, desk.inbox)


def adopted(desk: Desk):
    own, workspace = settings(desk)
    clock = desk._clock or SystemClock()
    heard = hear(own, workspace)
    return adopt(own, workspace, clock, heard, gather(own, workspace, App(own, workspace, clock=clock)._day))


def journal_files(desk: Desk) -> list[Path]:
    return list(desk.root.glob("journal.db*"))


def lose(desk: Desk) -> None:
    for path in journal_files(desk):
        path.unlink()


def copied(desk: Desk, folder: Path) -> None:
    folder.mkdir()
    for path in journal_files(desk):
        shutil.copy(path, folder)


def put_back(desk: Desk, folder: Path) -> None:
    lose(desk)
    for path in folder.iterdir():
        shutil.copy(path, desk.root)


def refused(desk: Desk) -> str:
    before = {path: path.read_bytes() for path in journal_files(desk)}
    with pytest.raises(JournalError) as error:
        desk.open()
    assert {path: path.read_bytes() for path in journal_files(desk) if path.suffix == ".db"} == {
        path: content for path, content in before.items() if path.suffix == ".db"
    }
    return str(error.value)


def test_journal_when_it_is_lost_nothing_starts_and_adopting_goes_on_without_a_doubled_order(traded):
    lose(traded)
    assert "journal is missing" in refused(traded)
    assert sorted(adopted(traded).unknown) == ["F1", "F2"]
    traded.append(DAY_FILE, row("F3", traded.account))
    traded.until_filled("F3")
    assert traded.times() == {"F1": 1, "F2": 1, "F3": 1}
    repeats = traded.query("SELECT sid, outcome FROM rows")
    assert [(one["sid"], one["outcome"]) for one in repeats] == [("F1", "duplicate"), ("F2", "duplicate")]


def test_journal_when_an_older_copy_is_put_back_nothing_starts_and_adopting_goes_on(traded, tmp_path):
    copied(traded, tmp_path / "older")
    traded.append(DAY_FILE, row("F3", traded.account))
    traded.until_filled("F3")
    traded.crash()
    put_back(traded, tmp_path / "older")
    assert "older" in refused(traded)
    assert adopted(traded).unknown == ["F3"]
    traded.append(DAY_FILE, row("F4", traded.account))
    traded.until_filled("F4")
    assert traded.times() == {"F1": 1, "F2": 1, "F3": 1, "F4": 1}


def test_journal_when_it_is_another_workspaces_nothing_starts(traded, tmp_path):
    other = PaperDesk(tmp_path / "other")
    other.put({"a.csv": HEADER + row("X1", "A1")})
    other.until_filled("X1")
    other.crash()
    lose(traded)
    for path in journal_files(other):
        shutil.copy(path, traded.root)
    assert "not the one that was here" in refused(traded)
    assert sorted(adopted(traded).unknown) == ["F1", "F2"]
    traded.open()
    for _ in range(30):
        traded.app.turn(lambda _round: None)
    assert traded.times() == {"F1": 1, "F2": 1}


def test_journal_when_it_is_adopted_then_numbers_lie_beyond_all_that_was_given_out(traded):
    own, workspace = settings(traded)
    before = hear(own, workspace)
    lose(traded)
    adopted(traded)
    traded.append(DAY_FILE, row("F3", traded.account))
    traded.until_filled("F3")
    assert traded.query("SELECT min(id) AS id FROM batches WHERE outcome = 'taken'")[0]["id"] > before.batch
    assert traded.query("SELECT max(id) AS id FROM drops")[0]["id"] > before.drop


def test_workspace_when_copied_and_the_first_goes_on_with_one_scan_folder_the_copy_does_not_start(tmp_path):
    desk = GoldminerDesk(tmp_path / "w")
    desk.put({DAY_FILE: HEADER + row("F1", ACCOUNT)})
    desk.until_filled("F1")
    desk.crash()
    shutil.copytree(desk.root, tmp_path / "copy")
    (tmp_path / "copy" / ".orderdrop" / "journal.mark").unlink()  # what tells a copy by itself
    desk.append(DAY_FILE, row("F2", ACCOUNT))
    desk.until_filled("F2")
    desk.crash()
    copy = Workspace(tmp_path / "copy", tmp_path / "copy" / "inbox")
    with pytest.raises(JournalError, match="older"):
        App(desk._settings, copy).__enter__()


def test_machine_when_rolled_back_with_all_that_is_ours_the_terminals_output_is_the_last_gate(tmp_path):
    desk = GoldminerDesk(tmp_path / "w")
    desk.put({"first.csv": HEADER + row("F0", ACCOUNT)})
    desk.until_filled("F0")
    desk.close()
    ours = [desk.root, desk.scan.with_name("scan.orderdrop")]
    for number, folder in enumerate(ours):
        shutil.copytree(folder, tmp_path / f"snapshot{number}", ignore=shutil.ignore_patterns("gm"))
    desk.put({DAY_FILE: HEADER + row("F1", ACCOUNT) + row("F2", ACCOUNT)})
    desk.until_filled("F1", "F2")
    desk.crash()
    for name in os.listdir(desk.root):
        if name not in {"gm", "inbox"}:
            path = desk.root / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(tmp_path / "snapshot0", desk.root, dirs_exist_ok=True)
    shutil.rmtree(ours[1])
    shutil.copytree(tmp_path / "snapshot1", ours[1])
    desk.append(DAY_FILE, row("F3", ACCOUNT))
    desk.until_filled("F3")  # the terminal told what became of those that it has had
    assert desk.times() == {"F0": 1, "F1": 1, "F2": 1, "F3": 1}
    desk.crash()


def test_journal_when_held_orders_wait_in_an_older_copy_then_they_are_in_doubt_and_not_sent(desk, tmp_path):
    made = desk(inbox={"hold": True})
    made.route({"a.csv": HEADER + row("H1", "A1")})
    made.crash()
    copied(made, tmp_path / "older")
    made.put({"r.release.csv": "sid\nH1\n"})
    made.route()
    made.crash()
    put_back(made, tmp_path / "older")
    refused(made)
    assert adopted(made).doubted == ["H1"]
    made.route()
    assert [sid for sid, *_ in made.at_broker()] == ["H1"]


def test_day_when_a_wrong_clock_has_begun_it_is_taken_back_and_today_goes_on(desk):
    clock = a_clock(FRIDAY)
    made = desk(clock)
    made.route({"a.csv": HEADER + row("S1", "A1")})
    made.close()
    clock.advance(30 * 86400)
    made.open()
    made.route({"b.csv": HEADER + row("S2", "A1")})
    made.close()
    clock.advance(-30 * 86400)
    with pytest.raises(JournalError, match="day-was-wrong"):
        made.open()
    own, workspace = settings(made)
    done = undo_days(own, workspace, clock)
    assert (done.days, done.left, done.freed) == ([20261220], ["S2"], [])
    made.route({"c.csv": HEADER + row("S1", "A1") + row("S2", "A1"), "d.csv": HEADER + row("S3", "A1")})
    assert Counter(sid for sid, *_ in made.at_broker()) == {"S1": 1, "S2": 1, "S3": 1}
    assert made.statuses()["S3"] == "filled"
    with pytest.raises(Exception, match="nothing to mend"):
        undo_days(own, workspace, clock)


def test_day_when_it_was_wrong_and_orders_had_not_left_then_their_sids_are_free(desk):
    clock = a_clock(FRIDAY)
    made = desk(clock, inbox={"hold": True})
    clock.advance(30 * 86400)
    made.open()
    made.route({"b.csv": HEADER + row("S2", "A1")})
    made.close()
    clock.advance(-30 * 86400)
    own, workspace = settings(made)
    assert undo_days(own, workspace, clock).freed == ["S2"]
    made.route({"again.csv": HEADER + row("S2", "A1")})
    statuses = made.query("SELECT status, reason_code FROM orders ORDER BY id")
    assert [(one["status"], one["reason_code"]) for one in statuses] == [
        ("expired", "DAY_WRONG"),
        ("held", None),
    ]
    states = made.query("SELECT state, reason_code FROM drops ORDER BY id")
    assert (states[0]["state"], states[0]["reason_code"]) == ("refused", "DAY_WRONG")


def test_day_when_it_comes_for_good_then_it_is_lived_as_any_other(desk):
    clock = a_clock(FRIDAY)
    made = desk(clock)
    clock.advance(3 * 86400)
    made.open()
    made.route({"b.csv": HEADER + row("S2", "A1")})
    made.close()
    clock.advance(-3 * 86400)
    own, workspace = settings(made)
    undo_days(own, workspace, clock)
    made.route({"c.csv": HEADER + row("S3", "A1")})
    made.close()
    clock.advance(3 * 86400)
    made.route({"d.csv": HEADER + row("S2", "A1") + row("S4", "A1")})
    assert made.statuses()["S4"] == "filled"
    made.close()
    clock.advance(-86400)
    with pytest.raises(JournalError, match="gone back"):
        made.open()


@pytest.mark.parametrize("nth", [1, 2])
def test_router_when_killed_at_a_marks_writing_then_the_order_goes_once(tmp_path, nth):
    root = tmp_path / "w"
    (root / "inbox").mkdir(parents=True)
    (root / "inbox" / "a.csv").write_text(HEADER + row("S1", "paper"))
    run = [sys.executable, "-m", "orderdrop", "-C", str(root), "run", "--once"]
    killed = {**os.environ, "ORDERDROP_FAILPOINT": f"mark.written:{nth}"}
    assert subprocess.run(run, check=False, env=killed, capture_output=True, timeout=120).returncode != 0
    again = subprocess.run(run, check=False, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    desk = Desk(root)
    assert [(sid, status) for sid, _, _, status in desk.at_broker()] == [("S1", "filled")]
