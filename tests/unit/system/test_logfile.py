import logging
import os

import pytest

from orderdrop.system import logfile
from orderdrop.system.logfile import LogFile


@pytest.fixture
def log(tmp_path):
    handler = LogFile(tmp_path / "log", maxBytes=200, backupCount=3, delay=True)
    yield handler
    handler.close()


def write(handler: LogFile, numbers) -> None:
    for number in numbers:
        handler.emit(logging.makeLogRecord({"msg": f"record {number:03}, and some more words"}))


def kept(folder) -> list[str]:
    files = sorted(folder.iterdir(), key=lambda path: path.name, reverse=True)
    return [line[7:10] for path in files for line in path.read_text().splitlines()]


def test_log_when_it_is_full_begins_a_new_file_and_keeps_some(tmp_path, log):
    write(log, range(20))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2", "log.3"]
    assert kept(tmp_path) == [f"{number:03}" for number in range(20)][-len(kept(tmp_path)) :]


def test_log_when_somebody_has_it_open_on_windows_grows_on_and_loses_nothing(
    tmp_path, log, monkeypatch, capsys
):
    real, now = os.replace, [1000.0]
    monkeypatch.setattr(logfile.time, "monotonic", lambda: now[0])

    def refused(*_):
        raise PermissionError(13, "in use")

    monkeypatch.setattr(os, "replace", refused)
    write(log, range(12))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log"]
    monkeypatch.setattr(os, "replace", real)
    write(log, range(12, 14))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log"], "not tried at each record"
    now[0] += 60
    write(log, range(14, 16))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1"]
    assert kept(tmp_path) == [f"{number:03}" for number in range(16)]
    assert capsys.readouterr().err == ""


def test_log_when_an_older_file_is_open_goes_on_in_the_one_it_has(tmp_path, log, monkeypatch):
    write(log, range(10))
    before = kept(tmp_path)
    monkeypatch.setattr(os, "rename", lambda *_: (_ for _ in ()).throw(PermissionError(13, "in use")))
    write(log, range(10, 14))
    assert kept(tmp_path)[-4:] == ["010", "011", "012", "013"]
    assert set(before) - set(kept(tmp_path)) <= set(before[:4])
    assert not (tmp_path / "log.rolling").exists()
