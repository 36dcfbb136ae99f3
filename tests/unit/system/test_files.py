import io
import os
import sys

import pytest

from orderdrop.system import files


def test_write_new_when_the_name_is_taken_refuses_and_leaves_it(tmp_path):
    target = tmp_path / "a.csv"
    target.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        files.write_new(target, b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.csv"]


def test_write_new_when_staged_never_shows_a_part(tmp_path):
    staging, target = tmp_path / "staging", tmp_path / "scan" / "b.csv"
    staging.mkdir()
    target.parent.mkdir()
    files.write_new(target, b"x" * 100_000, staging=staging)
    assert target.stat().st_size == 100_000
    assert not list(staging.iterdir())


def test_write_over_when_writing_fails_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "a.csv"
    target.write_bytes(b"old")

    def no_space(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(OSError, match="No space"):
        files.write_over(target, b"new")
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.csv"]


def test_rename_new_when_hard_links_are_not_supported_still_refuses_a_taken_name(tmp_path, monkeypatch):
    def unsupported(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", unsupported)
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    with pytest.raises(FileExistsError):
        files.rename_new(one, other)
    files.rename_new(one, tmp_path / "free")
    assert (tmp_path / "free").read_bytes() == b"1"
    assert other.read_bytes() == b"2"


def test_rename_free_when_the_name_is_taken_at_that_moment_replaces_nothing(tmp_path, monkeypatch):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    if files._exclusive_rename() is not None:
        monkeypatch.setattr(os.path, "lexists", lambda _path: False)  # what was free a moment ago
    with pytest.raises(FileExistsError):
        files.rename_free(one, other)
    assert (one.read_bytes(), other.read_bytes()) == (b"1", b"2")


def test_rename_free_when_the_system_has_no_such_call_still_refuses_a_taken_name(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exclusive_rename", lambda: None)
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    with pytest.raises(FileExistsError):
        files.rename_free(one, other)
    files.rename_free(one, tmp_path / "free")
    assert (tmp_path / "free").read_bytes() == b"1"
    with pytest.raises(FileNotFoundError):
        files.rename_free(one, tmp_path / "free2")


def test_patiently_when_windows_says_shared_tries_again(monkeypatch):
    monkeypatch.setattr(files.time, "sleep", lambda _seconds: None)
    tries = []

    def busy():
        tries.append(1)
        if len(tries) < 3:
            error = PermissionError(13, "sharing violation")
            error.winerror = 32
            raise error
        return "done"

    assert files.patiently(busy) == "done"
    assert len(tries) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_patiently_when_it_is_another_refusal_gives_up_at_once():
    def denied():
        raise PermissionError(13, "denied")

    with pytest.raises(PermissionError):
        files.patiently(denied)


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """A file, and for each write to it whether somebody could open it meanwhile."""
    if sys.platform != "linux":
        pytest.skip("only there a file grows page by page while it is read")
    path, could = tmp_path / "a.csv", []
    path.write_bytes(b"header\n")
    with path.open("ab") as file:
        if not files._lease(file.fileno(), str(path)):
            pytest.skip("this file system has no leases")

    class Watched(io.FileIO):
        def write(self, data) -> int:
            try:
                os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
                could.append(True)
            except BlockingIOError:
                could.append(False)
            return super().write(data)

    monkeypatch.setattr(files, "open", lambda *_args, **_more: Watched(path, "ab"), raising=False)
    return path, could


@pytest.mark.posix
def test_append_whole_when_it_crosses_a_page_then_nobody_opens_the_file_meanwhile(seen):
    path, could = seen
    files.append_whole(path, b"r" * 5000 + b"\n")
    files.append_whole(path, b"few\n")
    files.append_whole(path, b"r" * 4000 + b"\n")
    assert could == [False, True, False]
    assert path.read_bytes().endswith(b"few\n" + b"r" * 4000 + b"\n")


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux's")
def test_append_whole_when_a_program_keeps_the_file_open_appends_all_the_same(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"header\n")
    with path.open("rb") as kept:
        for number in range(20):
            files.append_whole(path, b"%04d" % number * 300 + b"\n")
        assert len(kept.read().splitlines()) == 21
