import os
from pathlib import Path

import pytest

from orderdrop.system import grasp
from orderdrop.system.grasp import Seen


def a_file(folder: Path, content: bytes = b"one\n", name: str = "a.csv") -> tuple[Path, Seen]:
    path = folder / name
    path.write_bytes(content)
    return path, seen(path)


def seen(path: Path) -> Seen:
    size = path.stat().st_size
    return Seen.of(path.stat())._replace(sha256=grasp.hash_of(path, size), read=size)


def replaced(path: Path, content: bytes) -> None:
    new = path.with_name("new")
    new.write_bytes(content)
    new.rename(path)


def rewritten(path: Path, content: bytes) -> None:
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.posix
@pytest.mark.parametrize(
    "change",
    [
        lambda path: replaced(path, b"two\n"),
        lambda path: replaced(path, b"one\n"),
        lambda path: rewritten(path, b"two\n"),
        lambda path: os.utime(path, (1, 1)),
        lambda path: path.write_bytes(b"one\nmore\n"),
    ],
    ids=["replaced", "by the like", "rewritten with size and time kept", "touched", "grown"],
)
def test_file_when_it_is_not_what_was_seen_is_known_under_our_name(tmp_path, change):
    path, before = a_file(tmp_path)
    change(path)
    own = grasp.take_hold(path)
    assert not grasp.is_what_was_seen(own, before)


def test_file_when_it_is_what_was_seen_is_so_whatever_the_system_tells_of_inodes(tmp_path):
    path, before = a_file(tmp_path)
    own = grasp.take_hold(path)
    assert grasp.is_what_was_seen(own, before)
    assert grasp.is_what_was_seen(own, before._replace(inode=0)), "0 proves nothing"
    rewritten(own, b"two\n")
    assert not grasp.is_what_was_seen(own, before._replace(inode=0))


def test_file_when_given_back_takes_nobodys_place(tmp_path):
    path, _ = a_file(tmp_path, b"ours\n", "a.order.csv")
    own = grasp.take_hold(path)
    path.write_bytes(b"the next one\n")
    beside = grasp.give_back(own, path)
    assert path.read_bytes() == b"the next one\n"
    assert beside.read_bytes() == b"ours\n"
    assert beside.name.startswith("a~")
    assert beside.name.endswith(".order.csv")
    assert sorted(tmp_path.iterdir()) == sorted([path, beside])


@pytest.mark.posix
@pytest.mark.skipif(os.name == "nt", reason="a rename is one step there")
def test_file_when_a_crash_came_between_link_and_unlink_is_given_back_once(tmp_path):
    path, _ = a_file(tmp_path)
    own = grasp.take_hold(path)
    os.link(own, path)
    assert grasp.give_back(own, path) == path
    assert list(tmp_path.iterdir()) == [path]


def test_file_when_there_is_no_room_for_a_link_is_given_back_by_a_rename(tmp_path, monkeypatch):
    path, _ = a_file(tmp_path)
    own = grasp.take_hold(path)

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    assert grasp.give_back(own, path) == path
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.posix
@pytest.mark.parametrize("name", ["a.csv", "篮子 1.csv", ".hidden", "n" * 200 + ".csv"])
def test_files_under_our_names_are_found_again(tmp_path, name):
    path, _ = a_file(tmp_path, name=name)
    own = grasp.take_hold(path, "0a1b-17-4-1")
    [found] = grasp.held(tmp_path)
    assert (found.path, found.tag) == (own, "0a1b-17-4-1")
    assert name.startswith(found.name)


def test_files_of_others_are_not_taken_for_ours(tmp_path):
    for name in (".a.csv.tmp", "a.csv", ".a.away.tmp", "a.csv.x.0123abcd.away.tmp", ".~lock.a.csv#"):
        (tmp_path / name).touch()
    assert list(grasp.held(tmp_path)) == []


def test_copy_when_the_file_is_written_to_meanwhile_is_not_kept_and_loses_nothing(tmp_path, monkeypatch):
    path, _ = a_file(tmp_path)
    real = grasp.write_new

    def write_on(target, content):
        real(target, content)
        with path.open("ab") as file:
            file.write(b"late\n")

    monkeypatch.setattr(grasp, "write_new", write_on)
    with pytest.raises(OSError, match="moved"):
        grasp.copy_and_unlink(path, tmp_path / "copy")
    assert path.read_bytes() == b"one\nlate\n"
    assert not (tmp_path / "copy").exists()


@pytest.mark.posix
def test_halves_when_no_inode_is_told_are_never_taken_for_one_file(tmp_path, monkeypatch):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    os.link(one, tmp_path / "half")
    assert grasp.are_halves(one, tmp_path / "half") == (os.name == "posix")
    real = os.lstat
    monkeypatch.setattr(
        os, "lstat", lambda path: os.stat_result((*real(path)[:1], 0, 0, 2, *real(path)[4:10]))
    )
    assert os.path.samestat(os.lstat(one), os.lstat(other))
    assert not grasp.are_halves(one, other)
