import errno
import os
import subprocess

import pytest
from filelock import FileLock, Timeout

from orderdrop.archive import filing
from orderdrop.system.grasp import Seen, take_hold


def a_drop(tmp_path, content=b"sid\n1\n", name="basket.csv"):
    (tmp_path / "inbox").mkdir(exist_ok=True)
    path = tmp_path / "inbox" / name
    path.write_bytes(content)
    return path


def put_away(drop, folder, number=1, seen=None):
    seen = seen or Seen.of(drop.stat())
    return filing.put_away(drop, folder, drop.name, f"journal-{number}", number, seen)


def test_put_away_when_the_name_is_taken_gets_a_number_beside_it(tmp_path):
    for number, content in ((1, b"one"), (2, b"two")):
        put_away(a_drop(tmp_path, content), tmp_path / "drops", number)
    assert (tmp_path / "drops" / "basket.csv").read_bytes() == b"one"
    assert (tmp_path / "drops" / "basket~2.csv").read_bytes() == b"two"
    assert not list((tmp_path / "inbox").iterdir())


def test_put_away_takes_the_fin_along_and_leaves_no_lock(tmp_path):
    drop = a_drop(tmp_path)
    for suffix in (".fin", ".lock"):
        drop.with_name(f"basket.csv{suffix}").touch()
    put_away(drop, tmp_path / "drops")
    assert sorted(path.name for path in (tmp_path / "drops").iterdir()) == ["basket.csv", "basket.csv.fin"]
    assert not list((tmp_path / "inbox").iterdir())


def test_put_away_when_a_writer_holds_the_lock_then_it_stays_his_and_nobody_elses(tmp_path):
    drop = a_drop(tmp_path)
    lock = drop.with_name("basket.csv.lock")
    with FileLock(lock):
        put_away(drop, tmp_path / "drops")
        with pytest.raises(Timeout):
            FileLock(lock, timeout=0).acquire()
    put_away(a_drop(tmp_path), tmp_path / "drops", 2)
    assert not list((tmp_path / "inbox").iterdir())


@pytest.mark.posix
def test_put_away_when_another_file_has_come_under_the_name_leaves_it_there(tmp_path):
    drop = a_drop(tmp_path, b"old")
    seen = Seen.of(drop.stat())
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "new").rename(drop)
    assert put_away(drop, tmp_path / "drops", seen=seen) == (drop, False)
    assert [path.read_bytes() for path in (tmp_path / "inbox").iterdir()] == [b"new"]
    assert not (tmp_path / "drops").exists()


@pytest.mark.posix
@pytest.mark.skipif(os.name == "nt", reason="a rename is one step there")
def test_put_away_when_the_next_file_comes_between_link_and_unlink_destroys_nothing(tmp_path, monkeypatch):
    drop, link = a_drop(tmp_path, b"old"), os.link

    def link_and_then(source, target, **options):
        link(source, target, **options)
        (tmp_path / "new").write_bytes(b"new")
        (tmp_path / "new").rename(drop)

    monkeypatch.setattr(os, "link", link_and_then)
    target, away = put_away(drop, tmp_path / "drops")
    assert (away, target.read_bytes(), drop.read_bytes()) == (True, b"old", b"new")
    assert list((tmp_path / "inbox").iterdir()) == [drop]


def test_put_away_when_the_next_file_and_its_fin_are_there_leaves_both(tmp_path):
    drop = a_drop(tmp_path, b"old")
    own = take_hold(drop, "journal-1")
    a_drop(tmp_path, b"new")
    fin = drop.with_name("basket.csv.fin")
    fin.touch()
    target = filing.finish(own, tmp_path / "drops", "basket.csv", 1)
    filing.put_away_fin(drop, target)
    assert fin.exists()
    os.utime(drop, ns=(fin.stat().st_mtime_ns + 1, fin.stat().st_mtime_ns + 1))
    filing.put_away_fin(drop, target)  # older than what stands there now: it is of the file before
    assert not fin.exists()
    assert target.with_name("basket.csv.fin").exists()


def test_put_away_when_a_file_has_the_name_of_its_folder_finds_another_place(tmp_path):
    put_away(a_drop(tmp_path, b"file"), tmp_path / "drops", 1)
    (tmp_path / "inbox" / "basket.csv").mkdir()
    drop = a_drop(tmp_path, b"below", "basket.csv/x.csv")
    target, _ = filing.put_away(
        drop, tmp_path / "drops", "basket.csv/x.csv", "journal-2", 2, Seen.of(drop.stat())
    )
    assert target == tmp_path / "drops" / "basket.csv~2" / "x.csv"
    assert target.read_bytes() == b"below"


@pytest.mark.parametrize("call", ["move_on", "is_what_was_seen"])
def test_put_away_when_a_call_fails_leaves_the_drop_where_it_was(tmp_path, monkeypatch, call):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    drop = a_drop(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(filing, call, full)
        with pytest.raises(OSError, match="No space"):
            put_away(drop, tmp_path / "drops")
    assert list((tmp_path / "inbox").iterdir()) == [drop]
    assert put_away(drop, tmp_path / "drops").away
    assert not list((tmp_path / "inbox").iterdir())


@pytest.mark.posix
def test_put_away_when_it_was_interrupted_between_its_halves_is_finished(tmp_path):
    own = take_hold(a_drop(tmp_path), "journal-1")
    (tmp_path / "drops").mkdir()
    os.link(own, tmp_path / "drops" / "basket.csv")
    assert filing.finish(own, tmp_path / "drops", "basket.csv", 1).name == "basket.csv"
    assert not list((tmp_path / "inbox").iterdir())


def test_put_away_when_the_archive_is_on_another_volume_copies(tmp_path, monkeypatch):
    def another_volume(*_args, **_options):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", another_volume)
    drop = a_drop(tmp_path)
    drop.with_name("basket.csv.fin").touch()
    target, _ = put_away(drop, tmp_path / "drops")
    assert target.read_bytes() == b"sid\n1\n"
    assert not list((tmp_path / "inbox").iterdir())


@pytest.mark.skipif(os.name == "nt", reason="sha256sum")
def test_manifest_is_checked_by_sha256sum_and_by_nothing_less(tmp_path):
    put_away(a_drop(tmp_path), tmp_path / "day" / "drops")
    filing.write_manifest(tmp_path / "day")
    check = ["sha256sum", "-c", filing.MANIFEST]
    assert subprocess.run(check, check=False, cwd=tmp_path / "day", capture_output=True).returncode == 0
    (tmp_path / "day" / "drops" / "basket.csv").write_bytes(b"altered")
    assert subprocess.run(check, check=False, cwd=tmp_path / "day", capture_output=True).returncode == 1


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"\xef\xbb\xbfsid\n", "00000007.order.csv"), (b"\x03\x64\x01", "00000007.order.dbf")],
)
def test_sent_bytes_when_kept_then_the_name_says_what_they_are(tmp_path, content, name):
    filing.write_sent(tmp_path, "gm", 7, content)
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "sent" / "gm").iterdir()] == [
        (name, content)
    ]


def test_put_away_when_no_inode_is_told_keeps_every_drop_of_a_name(tmp_path, monkeypatch):
    real = os.lstat
    monkeypatch.setattr(os, "lstat", lambda path: os.stat_result((*real(path)[:1], 0, 0, *real(path)[3:10])))
    for number, content in ((1, b"one"), (2, b"two"), (3, b"six")):
        drop = a_drop(tmp_path, content)
        put_away(drop, tmp_path / "drops", number, Seen.of(os.lstat(drop)))
    kept = sorted((path.name, path.read_bytes()) for path in (tmp_path / "drops").iterdir())
    assert kept == [("basket.csv", b"one"), ("basket~2.csv", b"two"), ("basket~3.csv", b"six")]
