import errno
import os
import subprocess

import pytest

from orderdrop import archive


def a_drop(tmp_path, content=b"sid\n1\n", name="basket.csv"):
    (tmp_path / "inbox").mkdir(exist_ok=True)
    path = tmp_path / "inbox" / name
    path.write_bytes(content)
    return path


def test_put_away_when_the_name_is_taken_gets_a_number_beside_it(tmp_path):
    for number, content in ((1, b"one"), (2, b"two")):
        archive.put_away(a_drop(tmp_path, content), tmp_path / "drops", "basket.csv", number)
    assert (tmp_path / "drops" / "basket.csv").read_bytes() == b"one"
    assert (tmp_path / "drops" / "basket~2.csv").read_bytes() == b"two"
    assert not list((tmp_path / "inbox").iterdir())


def test_put_away_takes_the_fin_along_and_leaves_no_lock(tmp_path):
    drop = a_drop(tmp_path)
    for suffix in (".fin", ".lock"):
        drop.with_name(f"basket.csv{suffix}").touch()
    archive.put_away(drop, tmp_path / "drops", "basket.csv", 1)
    assert sorted(path.name for path in (tmp_path / "drops").iterdir()) == ["basket.csv", "basket.csv.fin"]
    assert not list((tmp_path / "inbox").iterdir())


def test_put_away_when_it_was_interrupted_between_its_halves_is_finished(tmp_path):
    drop = a_drop(tmp_path)
    (tmp_path / "drops").mkdir()
    os.link(drop, tmp_path / "drops" / "basket.csv")
    target = archive.put_away(drop, tmp_path / "drops", "basket.csv", 1)
    assert target.name == "basket.csv"
    assert not drop.exists()


def test_put_away_when_the_archive_is_on_another_volume_copies(tmp_path, monkeypatch):
    def another_volume(*_args, **_options):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", another_volume)
    drop = a_drop(tmp_path)
    drop.with_name("basket.csv.fin").touch()
    target = archive.put_away(drop, tmp_path / "drops", "basket.csv", 1)
    assert target.read_bytes() == b"sid\n1\n"
    assert not list((tmp_path / "inbox").iterdir())


@pytest.mark.skipif(os.name == "nt", reason="sha256sum")
def test_manifest_is_checked_by_sha256sum_and_by_nothing_less(tmp_path):
    archive.put_away(a_drop(tmp_path), tmp_path / "day" / "drops", "basket.csv", 1)
    archive.write_manifest(tmp_path / "day")
    check = ["sha256sum", "-c", archive.MANIFEST]
    assert subprocess.run(check, check=False, cwd=tmp_path / "day", capture_output=True).returncode == 0
    (tmp_path / "day" / "drops" / "basket.csv").write_bytes(b"altered")
    assert subprocess.run(check, check=False, cwd=tmp_path / "day", capture_output=True).returncode == 1


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"\xef\xbb\xbfsid\n", "00000007.order.csv"), (b"\x03\x64\x01", "00000007.order.dbf")],
)
def test_sent_bytes_when_kept_then_the_name_says_what_they_are(tmp_path, content, name):
    archive.write_sent(tmp_path, "gm", 7, content)
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "sent" / "gm").iterdir()] == [
        (name, content)
    ]
