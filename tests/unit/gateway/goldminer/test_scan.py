from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest
from goldminer_desk import Folders
from goldminer_writing import SAMPLES

from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Batch, Cancel, Outcome
from orderdrop.gateway.goldminer import scan, staging
from orderdrop.system import files


@pytest.fixture
def folders(tmp_path) -> Folders:
    return Folders(tmp_path)


def failing(at, error=errno.ENOSPC, *, after=False):
    """A rename into a folder called `at` that fails, before or after it was done."""
    rename = scan.rename_free

    def fail(source, target):
        if target.parent.name != at:
            return rename(source, target)
        if after:
            rename(source, target)
        raise OSError(error, os.strerror(error))

    return fail


# hand-over


def test_submit_when_all_is_well_then_the_exact_bytes_and_a_fin(folders):
    batch = folders.batch()
    assert folders.gateway.submit(batch).outcome is Outcome.TAKEN
    name, fin = folders.in_scan()
    assert re.fullmatch(r"20261120_00000001\.[0-9a-f]{12}\.order\.csv", name)
    assert fin == f"{name}.fin"
    assert (folders.scan / name).read_bytes() == batch.content
    assert not [path for path in folders.staging.iterdir() if path.name.endswith(".order.csv")]


def test_encode_when_written_then_the_terminals_own_header_with_bom(folders):
    sample = (SAMPLES / "in" / "20261120_093101.125.order.csv").read_bytes()
    assert folders.batch().content.split(b"\n")[0] == sample.split(b"\r\n")[0]
    assert folders.gateway.encode([]) == folders.gateway.encode([])


def test_submit_when_fin_is_off_then_none(tmp_path):
    folders = Folders(tmp_path, fin=False)
    folders.handed()
    assert len(folders.in_scan()) == 1


def test_submit_when_it_stands_there_already_then_taken_and_untouched(folders):
    batch = folders.handed()
    before = folders.in_scan()
    folders.clock.advance(86400)
    assert folders.gateway.submit(batch).outcome is Outcome.TAKEN
    assert folders.in_scan() == before


def test_submit_when_the_name_is_another_files_then_a_fault_and_it_is_left(folders):
    batch = folders.handed()
    path = folders.scan / folders.in_scan()[0]
    path.write_bytes(b"other")
    with pytest.raises(GatewayError, match="another file"):
        folders.gateway.submit(batch)
    assert path.read_bytes() == b"other"


def test_submit_when_batches_differ_in_id_or_content_only_then_different_names(folders):
    folders.handed(1, "S1")
    folders.handed(2, "S1")
    folders.handed(1, "S2")
    assert len(folders.in_scan()) == 6


def test_submit_when_the_file_cannot_be_written_then_it_never_left_and_there_is_no_room_for_a_while(
    folders, monkeypatch
):
    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(scan.os, "fsync", full)
    result = folders.gateway.submit(folders.batch())
    assert (result.outcome, folders.in_scan()) == (Outcome.NEVER_LEFT, [])
    assert folders.gateway.room() == 0
    folders.clock.advance(1.1)
    assert folders.gateway.room() > 0


def test_submit_when_the_rename_fails_then_it_never_left_and_may_go_again(folders, monkeypatch):
    batch = folders.batch()
    with monkeypatch.context() as patch:
        patch.setattr(scan, "rename_free", failing("scan", errno.EACCES))
        assert folders.gateway.submit(batch).outcome is Outcome.NEVER_LEFT
    assert folders.in_scan() == []
    assert set(folders.gateway.settle(batch).values()) == {Outcome.NEVER_LEFT}
    assert folders.gateway.submit(batch).outcome is Outcome.TAKEN
    folders.take_away()
    assert set(folders.gateway.settle(batch).values()) == {Outcome.UNKNOWN}


def test_submit_when_a_share_says_it_failed_but_did_it_then_taken(folders, monkeypatch):
    monkeypatch.setattr(scan, "rename_free", failing("scan", errno.EIO, after=True))
    assert folders.gateway.submit(folders.batch()).outcome is Outcome.TAKEN


def test_submit_when_nobody_can_say_where_it_is_then_unknown(folders, monkeypatch):
    rename = scan.rename_free

    def taken_at_once(source, target):
        rename(source, target)
        target.unlink()
        raise OSError(errno.EIO, "io")

    monkeypatch.setattr(scan, "rename_free", taken_at_once)
    assert folders.gateway.submit(folders.batch()).outcome is Outcome.UNKNOWN


def test_submit_when_windows_shares_then_tried_again(folders, monkeypatch):
    rename, tries = os.rename, []

    def busy(source, target):
        tries.append(1)
        if len(tries) < 3:
            error = PermissionError(13, "sharing violation")
            error.winerror = 32
            raise error
        return rename(source, target)

    monkeypatch.setattr(files, "_exclusive_rename", lambda: None)
    monkeypatch.setattr(os, "rename", busy)
    assert folders.gateway.submit(folders.batch()).outcome is Outcome.TAKEN


def test_submit_when_a_stranger_takes_the_name_at_the_last_moment_then_nothing_is_replaced(
    folders, monkeypatch
):
    batch = folders.batch()

    def comes_between(point):
        if point == "scan.staged":
            stranger.write_bytes(b"another's")

    monkeypatch.setattr(scan, "reach", comes_between)
    monkeypatch.setattr(os.path, "lexists", lambda _path: False)  # who looks first has looked too early
    stranger = folders.scan / f"20261120{scan.Names.of('.csv').key(batch)}"
    assert folders.gateway.submit(batch).outcome is Outcome.UNKNOWN
    assert stranger.read_bytes() == b"another's"


def test_fin_when_it_cannot_be_made_then_later(folders, monkeypatch):
    def denied(*_args, **_options):
        raise PermissionError(13, "denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "touch", denied)
        assert folders.gateway.submit(folders.batch()).outcome is Outcome.TAKEN
    assert len(folders.in_scan()) == 1
    folders.gateway.poll("", 1)
    assert len(folders.in_scan()) == 2


def test_cancel_when_handed_over_then_a_cancel_file_of_its_own(folders):
    for _ in range(2):
        folders.gateway.cancel([Cancel("S1", "A1"), Cancel("S2", "A1")])
    names = [name for name in folders.in_scan() if not name.endswith(".fin")]
    assert len(names) == 2
    assert all(name.endswith(".cancel_order.csv") for name in names)
    content = (folders.scan / names[0]).read_bytes()
    assert content == b"\xef\xbb\xbfsid,comment\nS1,\nS2,\n"


def test_cancel_when_it_does_not_go_in_then_a_fault(folders, monkeypatch):
    monkeypatch.setattr(scan, "rename_free", failing("scan"))
    with pytest.raises(GatewayError):
        folders.gateway.cancel([Cancel("S1", "A1")])
    folders.gateway.cancel([])


# opening


def test_open_when_the_scan_folder_is_missing_then_says_what_to_do(folders):
    with pytest.raises(GatewayError, match="scan_dir"):
        folders.made(scan_dir=folders.root / "nowhere").open()


def test_open_when_the_output_folder_is_missing_then_says_so_and_lets_go(folders):
    folders.gateway.close()
    with pytest.raises(GatewayError, match="nowhere"):
        folders.made(push_dir=folders.root / "nowhere").open()
    folders.reborn()


def test_open_when_staging_lies_in_the_scan_folder_then_refused(folders):
    with pytest.raises(GatewayError, match="staging"):
        folders.made(staging_dir=folders.scan / "staging").open()


def test_open_when_staging_is_on_another_volume_then_says_what_to_do(folders, monkeypatch):
    folders.gateway.close()
    monkeypatch.setattr(scan, "rename_free", failing("scan", errno.EXDEV))
    with pytest.raises(GatewayError, match="one volume"):
        folders.made().open()


def test_open_when_another_one_writes_to_the_folder_then_refused(folders):
    with pytest.raises(GatewayError, match="one writer"):
        folders.made().open()


def test_open_when_called_again_after_a_fault_then_goes_on(folders):
    batch = folders.handed()
    folders.gateway.open()
    assert folders.gateway.evidence(batch).taken is False
    assert set(folders.in_scan()) == {name for name in folders.in_scan() if ".order.csv" in name}


# settling


def outcome(folders: Folders, batch: Batch) -> Outcome:
    (only,) = set(folders.gateway.settle(batch).values())
    return only


def test_settle_when_it_never_left_then_says_so(folders):
    batch = folders.batch()
    assert folders.gateway.settle(batch) == {"S1": Outcome.NEVER_LEFT, "S2": Outcome.NEVER_LEFT}


def test_settle_when_killed_before_the_rename_then_never_left_and_out_of_the_way(folders, monkeypatch):
    batch = folders.batch()

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(scan, "rename_free", killed)
        with pytest.raises(KeyboardInterrupt):
            folders.gateway.submit(batch)
    folders.reborn()
    assert outcome(folders, batch) is Outcome.NEVER_LEFT
    assert len(list((folders.staging / "returned").iterdir())) == 1
    assert outcome(folders, batch) is Outcome.NEVER_LEFT


@pytest.mark.parametrize("point", ["scan.renamed", "scan.synced"])
def test_settle_when_killed_after_the_rename_then_taken_and_sealed(folders, monkeypatch, point):
    def killed(name):
        if name == point:
            raise KeyboardInterrupt

    batch = folders.batch()
    with monkeypatch.context() as patch:
        patch.setattr(scan, "reach", killed)
        with pytest.raises(KeyboardInterrupt):
            folders.gateway.submit(batch)
    folders.reborn()
    assert outcome(folders, batch) is Outcome.TAKEN
    assert len(folders.in_scan()) == 2


def test_settle_when_it_stands_in_upfiles_then_taken(folders):
    batch = folders.handed()
    folders.take_away(folders.archive / "user" / "2026-11-20" / "upfiles" / "s01")
    folders.reborn()
    assert outcome(folders, batch) is Outcome.TAKEN


def test_settle_when_it_went_in_on_another_day_the_second_time_then_found_in_upfiles(folders):
    batch = folders.handed()
    assert folders.gateway.take_back(batch)
    folders.clock.advance(86400)
    folders.gateway.submit(batch)
    folders.take_away(folders.archive / "user" / "2026-11-21" / "upfiles" / "s01")
    assert outcome(folders, batch) is Outcome.TAKEN
    assert outcome(Folders(folders.root / "elsewhere", archive_dir=folders.archive), batch) is Outcome.TAKEN


def test_settle_when_it_is_gone_and_nobody_tells_then_unknown(folders):
    batch = folders.handed()
    folders.take_away()
    folders.reborn()
    assert outcome(folders, batch) is Outcome.UNKNOWN


def test_submit_when_it_went_in_and_is_gone_then_it_is_not_written_again(folders):
    batch = folders.handed()
    folders.take_away()
    gateway = folders.reborn()
    result = gateway.submit(batch)
    assert result.outcome is Outcome.UNKNOWN
    assert " / " in result.detail
    assert list(folders.scan.iterdir()) == []


def test_submit_when_a_file_that_the_journal_does_not_know_holds_the_sid_then_not_again(folders):
    folders.handed()
    gateway = folders.reborn()  # of a journal that has no batch yet
    again = folders.batch(9, "S1", "S9")
    result = gateway.submit(again)
    assert (result.outcome, result.doubtful) == (Outcome.UNKNOWN, {"S1"})
    assert not [path for path in folders.scan.iterdir() if "_00000009." in path.name]


def test_submit_when_the_journal_knows_the_file_then_a_resent_order_passes(folders):
    batch = folders.handed()
    gateway = folders.reborn()
    gateway.remember([batch])
    again = folders.batch(9, "S1")
    assert gateway.submit(again).outcome is Outcome.TAKEN


@pytest.mark.parametrize("doubt", ["reboot", "new staging", "other scan folder"])
def test_settle_when_nobody_remembers_then_unknown_instead_of_never_left(folders, monkeypatch, doubt):
    batch = folders.batch()
    match doubt:
        case "reboot":
            monkeypatch.setattr(staging.psutil, "boot_time", lambda: 0.0)
        case "new staging":
            folders.over["staging_dir"] = folders.root / "staging2"
        case "other scan folder":
            folders.over["scan_dir"] = folders.root / "scan2"
            (folders.root / "scan2").mkdir()
    folders.reborn()
    assert outcome(folders, batch) is Outcome.UNKNOWN


def test_settle_when_recovery_was_cut_short_then_the_doubt_remains(folders, monkeypatch):
    """A life that was killed before it began to work has not settled what the power loss left behind."""
    monkeypatch.setattr(staging.psutil, "boot_time", lambda: 0.0)
    folders.reborn()
    folders.reborn()
    assert outcome(folders, folders.batch()) is Outcome.UNKNOWN
    folders.gateway.poll("", 1)
    folders.reborn()
    assert outcome(folders, folders.batch(2)) is Outcome.NEVER_LEFT


def test_settle_when_the_ledger_was_cut_by_a_full_disk_then_the_next_line_is_whole(folders):
    with (folders.staging / "handed-20261120.log").open("ab") as ledger:
        ledger.write(b"\n20261120_000")
    batch = folders.handed()
    folders.take_away()
    folders.reborn()
    assert outcome(folders, batch) is Outcome.UNKNOWN
