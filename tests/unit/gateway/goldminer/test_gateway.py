"""What the gateway is sure of: evidence, taking back, the day's end."""

from __future__ import annotations

import errno
import shutil

import pytest
from goldminer_desk import Folders
from goldminer_writing import ACCOUNT, a_change, text

from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Cursor, Outcome
from orderdrop.gateway.goldminer import leftovers as goldminer_close
from orderdrop.system import grasp


@pytest.fixture
def folders(tmp_path) -> Folders:
    return Folders(tmp_path)


def heard(folders: Folders) -> Cursor:
    cursor = Cursor("")
    while True:
        reports, cursor = folders.gateway.poll(cursor, 100)
        if not reports:
            return cursor


# evidence


def test_evidence_when_the_file_waits_then_not_taken(folders):
    evidence = folders.gateway.evidence(folders.handed())
    assert (evidence.taken, evidence.taken_at, evidence.seen) == (False, None, frozenset())


def test_evidence_when_it_is_gone_then_taken_since_we_first_saw_it(folders):
    batch = folders.handed()
    folders.take_away()
    first = folders.gateway.evidence(batch)
    folders.clock.advance(5)
    assert (first.taken, first.taken_at) == (True, folders.clock.now() - 5_000_000)
    assert folders.gateway.evidence(batch).taken_at == first.taken_at


def test_evidence_when_it_is_gone_and_the_router_was_started_again_then_taken_still(folders):
    batch = folders.handed()
    folders.take_away()
    assert folders.reborn().evidence(batch).taken is True


def test_evidence_when_it_stands_in_any_users_upfiles_then_taken(folders):
    batch = folders.handed()
    folders.take_away(folders.archive / "用户[1]" / "2026-11-20" / "upfiles" / "s01")
    assert folders.gateway.evidence(batch).taken is True


def test_evidence_when_we_took_it_back_then_not_taken(folders):
    batch = folders.handed()
    assert folders.gateway.take_back(batch)
    assert folders.gateway.evidence(batch).taken is False


def test_evidence_when_it_was_never_handed_over_then_nobody_can_say(folders):
    assert folders.gateway.evidence(folders.batch()).taken is None


@pytest.mark.parametrize("again", [False, True])
def test_evidence_when_the_share_is_away_then_nobody_can_say(folders, again):
    """A mount point without its share is an empty folder: everything would seem to be taken."""
    batch = folders.handed()
    folders.scan.rename(folders.root / "away")
    if again:
        folders.scan.mkdir()
    assert folders.gateway.evidence(batch).taken is None
    assert set(folders.gateway.settle(batch).values()) == {Outcome.UNKNOWN}


def test_evidence_when_rows_show_up_then_named(folders):
    batch = folders.handed(1, "S1", "S2")
    folders.tell(a_change("S2"), a_change("S3"))
    heard(folders)
    assert folders.gateway.evidence(batch).seen == {"S2"}


def test_evidence_when_the_account_has_no_file_for_orders_then_no_read_counts(folders):
    batch = folders.handed()
    (folders.push / ACCOUNT / "cash.csv").write_bytes(b"account_id,available,balance\n")
    heard(folders)
    assert folders.gateway.evidence(batch).reads == ()
    folders.tell(a_change("S9"))
    heard(folders)
    assert folders.gateway.evidence(batch).reads


def test_evidence_when_the_output_moves_then_alive(folders):
    batch = folders.handed()
    heard(folders)
    assert folders.gateway.evidence(batch).alive_at is None
    asked = folders.clock.now()
    folders.clock.advance(1)
    folders.tell(a_change("S9"))
    heard(folders)
    assert folders.gateway.evidence(batch).alive_at == asked


def test_mentions_when_an_order_stands_nowhere_then_absent(folders):
    folders.tell(a_change("S9"))
    heard(folders)
    assert folders.gateway.mentions(["S1", "S9"]) == {"S9"}


# taking back


def test_take_back_when_untaken_then_out_of_the_scan_folder_and_never_left(folders):
    batch = folders.handed()
    assert folders.gateway.take_back(batch)
    assert folders.in_scan() == []
    assert set(folders.gateway.settle(batch).values()) == {Outcome.NEVER_LEFT}


def test_take_back_when_the_terminal_takes_no_file_away_then_nothing_is_proven(tmp_path):
    folders = Folders(tmp_path, fin=False)
    batch = folders.handed()
    assert not folders.gateway.take_back(batch)
    assert folders.in_scan() == []
    assert set(folders.gateway.settle(batch).values()) == {Outcome.UNKNOWN}


def test_take_back_when_the_terminal_has_it_then_not(folders):
    batch = folders.handed()
    folders.take_away()
    assert not folders.gateway.take_back(batch)


def test_take_back_when_a_row_has_shown_up_then_not_and_it_counts_as_taken(folders):
    batch = folders.handed()
    folders.tell(a_change("S2"))
    assert not folders.gateway.take_back(batch)
    assert set(folders.gateway.settle(batch).values()) == {Outcome.TAKEN}


def test_take_back_when_a_row_shows_up_late_then_settling_says_so(folders):
    batch = folders.handed()
    assert folders.gateway.take_back(batch)
    folders.tell(a_change("S1"))
    assert set(folders.gateway.settle(batch).values()) == {Outcome.TAKEN}


def test_take_back_when_handed_over_again_and_taken_then_it_is_not_forgotten(folders):
    batch = folders.handed()
    for _ in range(2):
        assert folders.gateway.take_back(batch)
        folders.gateway.submit(batch)
    folders.take_away()
    assert folders.gateway.evidence(batch).taken is True
    assert folders.reborn().evidence(batch).taken is True


# the day's end


def test_close_day_when_all_is_settled_then_both_folders_are_empty_and_nothing_is_lost(folders):
    folders.handed()
    folders.tell(a_change("S1"), a_change("S2"))
    heard(folders)
    leftovers = folders.gateway.close_day(folders.root / "day", set())
    assert [item for item in leftovers if item.moved_to is None] == []
    assert folders.in_scan() == []
    assert list((folders.push / ACCOUNT).iterdir()) == []
    assert len(list((folders.root / "day" / "in").iterdir())) == 2
    assert (folders.root / "day" / "out" / ACCOUNT / "order_status_change.csv").exists()


def test_close_day_when_an_order_is_open_then_its_files_stay_and_are_told(folders):
    folders.handed(1, "S1")
    folders.handed(2, "S2")
    folders.tell(a_change("S10"))
    heard(folders)
    leftovers = folders.gateway.close_day(folders.root / "day", {"S1"})
    staying = {item.path.name: item.why for item in leftovers if item.moved_to is None}
    assert sorted(staying) == folders.in_scan()
    assert len(staying) == 2
    assert "S1" in min(staying.items())[1]
    assert list((folders.push / ACCOUNT).iterdir()) == []


def test_close_day_when_reports_are_not_journaled_yet_then_all_output_stays(folders):
    folders.tell(a_change("S1"))
    leftovers = folders.gateway.close_day(folders.root / "day", set())
    assert [(item.path.name, item.moved_to) for item in leftovers] == [("order_status_change.csv", None)]
    heard(folders)
    assert all(item.moved_to for item in folders.gateway.close_day(folders.root / "day", set()))


def test_close_day_when_a_row_is_cut_then_its_file_stays(folders):
    (folders.push / ACCOUNT / "order_status_change.csv").write_bytes(text([a_change("S1")])[:-1])
    heard(folders)
    (left,) = folders.gateway.close_day(folders.root / "day", set())
    assert left.moved_to is None


def test_close_day_when_closed_twice_then_nothing_is_replaced(folders):
    for sid in ("S1", "S2"):
        folders.tell(a_change(sid))
        heard(folders)
        folders.gateway.close_day(folders.root / "day", set())
    assert len(list((folders.root / "day" / "out" / ACCOUNT).iterdir())) == 2


def test_close_day_when_the_archive_is_on_another_volume_then_copied(folders, monkeypatch):
    def other_volume(*_):
        raise OSError(errno.EXDEV, "other volume")

    monkeypatch.setattr(grasp, "rename_new", other_volume)
    batch = folders.handed()
    leftovers = folders.gateway.close_day(folders.root / "day", set())
    assert folders.in_scan() == []
    assert batch.content in [item.moved_to.read_bytes() for item in leftovers]


@pytest.mark.parametrize("how", ["replaced", "written to"])
def test_close_day_when_the_terminal_writes_just_before_a_file_is_moved_then_it_stays(
    folders, monkeypatch, how
):
    folders.tell(a_change("S1"))
    heard(folders)
    real = goldminer_close.take_hold

    def take_hold(path, tag=""):
        content = path.read_bytes() + b"more\n"
        if how == "replaced":
            new = path.with_name("new")
            new.write_bytes(content)
            new.rename(path)
        else:
            path.write_bytes(content)
        return real(path, tag)

    monkeypatch.setattr(goldminer_close, "take_hold", take_hold)
    [left] = folders.gateway.close_day(folders.root / "day", set())
    assert (left.moved_to, left.path.read_bytes()[-5:]) == (None, b"more\n")
    assert "written" in left.why
    assert [path.name for path in left.path.parent.iterdir()] == [left.path.name]


def test_close_day_when_it_was_killed_in_the_middle_then_the_next_one_finds_the_file(folders):
    folders.tell(a_change("S1"))
    heard(folders)
    [output] = folders.gateway._output.folders.values()
    [told] = output.path.iterdir()
    goldminer_close.take_hold(told)
    [left] = folders.gateway.close_day(folders.root / "day", set())
    assert left.moved_to.name == told.name


def test_close_day_when_the_folder_is_away_then_a_fault(folders):
    shutil.rmtree(folders.scan)
    with pytest.raises(GatewayError):
        folders.gateway.close_day(folders.root / "day", set())


def test_bad_rows_when_counted_then_told(folders):
    folders.tell(a_change("S1", status=7))
    heard(folders)
    assert folders.gateway.bad_rows == {"order_status_change.csv: unknown status code 7": 1}


def test_accounts_when_folders_are_there_then_named(folders):
    heard(folders)
    assert folders.gateway.accounts() == [ACCOUNT]
