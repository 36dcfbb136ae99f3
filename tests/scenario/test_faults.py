"""The disk says no, at any call: the router halts with a message, loses nothing, and goes on when the cause is gone."""

import builtins
import errno
import itertools
import os
import subprocess
import sys

import pytest

from orderdrop.inbox import drop_file

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
CALLS = {
    "open": 5, "read": 3, "pread": 3, "write": 5, "fsync": 2, "link": 3, "unlink": 2, "replace": 5, "scandir": 6, "lstat": 2,
    "files.open": 1,
}  # fmt: skip
"""How often each is made, about, while three drops go all the way; each of these times it fails once, and twice more."""

ERRORS = (errno.ENOSPC, errno.EACCES, errno.EIO)


def basket(prefix: str) -> str:
    return HEADER + "".join(f"{prefix}{n},acc,SHSE.600000,100,1,1,10.35\n" for n in range(3))


class Faults:
    """Lets calls fail from the nth on, so many times."""

    def __init__(self, monkeypatch, error: int, nth: int, times: int) -> None:
        self.calls, self.failed = itertools.count(1), 0
        self._monkeypatch, self._error, self._bad = monkeypatch, error, range(nth, nth + times)

    def inject(self, where: object, name: str) -> None:
        real = getattr(where, name)

        def call(*args, **kwargs):
            if next(self.calls) in self._bad:
                self.failed += 1
                raise OSError(self._error, os.strerror(self._error))
            return real(*args, **kwargs)

        self._monkeypatch.setattr(where, name, call)


@pytest.fixture
def faults(monkeypatch):
    return lambda error, nth, times: Faults(monkeypatch, error, nth, times)


@pytest.mark.skipif(sys.platform == "win32", reason="other calls there")
@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
@pytest.mark.parametrize(
    ("call", "nth"), [(call, nth + 1) for call, times in CALLS.items() for nth in range(times)]
)
def test_router_when_a_call_fails_for_a_while_loses_nothing(trade, faults, monkeypatch, call, error, nth):
    desk = trade({})
    fault = faults(error, nth, times=3)
    if call == "files.open":
        monkeypatch.setattr("orderdrop.system.files.open", builtins.open, raising=False)
        fault.inject(sys.modules["orderdrop.system.files"], "open")
    else:
        fault.inject(os, call)
    if call == "read":  # large files are read piece by piece
        monkeypatch.setattr(drop_file, "SMALL", 10)
    desk.put({"a.csv": basket("A"), "b.csv": basket("B")})
    for _ in range(4):
        desk.route()
    monkeypatch.undo()
    if not fault.failed:
        assert nth > 1, "the call is never made; this test tests nothing"
        pytest.skip("the call is not made so often")
    desk.route({"c.csv": basket("C")})
    assert_all_is_well(desk, "ABC")


def assert_all_is_well(desk, prefixes):
    wanted = [f"{prefix}{n}" for prefix in prefixes for n in range(3)]
    assert sorted(sid for sid, *_ in desk.at_broker()) == wanted
    assert desk.statuses() == dict.fromkeys(wanted, "filled")
    for prefix in prefixes:
        name = f"{prefix.lower()}.csv"
        assert [outcome for _sid, outcome, _code in desk.outcomes(name)] == ["filled"] * 3
        assert desk.kept()[f"drops/{name}"] == basket(prefix).encode()
    assert len(desk.table("acc/execution_report.csv")) == len(wanted)


# the two databases


@pytest.mark.parametrize("what", ["journal", "paper"])
def test_router_when_a_database_is_full_halts_and_goes_on_when_it_is_not(trade, monkeypatch, caplog, what):
    monkeypatch.setattr("orderdrop.execution.submission.PAUSE_AFTER_FAULT", 0.01)
    desk = trade({"a.csv": basket("A")})
    app = desk.open()
    store = app.journal if what == "journal" else app.desk.gateways["paper"]._store._file
    raw = store._connection.connection.dbapi_connection
    pages = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.execute(f"PRAGMA max_page_count = {pages}")
    rows = "".join(f"B{n},acc,SHSE.600000,100,1,1,10.35\n" for n in range(400))
    desk.put({"b.csv": HEADER + rows})
    for _ in range(30):
        app.inbox._next_scan = 0.0
        app.turn(lambda _round: None)
    assert len(desk.at_broker()) == 3
    assert "full" in caplog.text
    raw.execute("PRAGMA max_page_count = 1000000")
    for _ in range(3):
        desk.route()
    assert len(desk.at_broker()) == 403
    assert set(desk.statuses().values()) == {"filled"}


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(path):
    """Until nothing more goes onto the disk."""
    with path.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        file.writelines(itertools.repeat(b"\0" * 4096))


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_router_when_the_disk_is_full_halts_and_goes_on_when_it_is_not(small_disk, desk, monkeypatch):
    monkeypatch.setattr("orderdrop.execution.submission.PAUSE_AFTER_FAULT", 0.01)
    one = type(desk())(small_disk / "w")
    one.route({"a.csv": basket("A")})
    app = one.open()
    one.put({"b.csv": basket("B")})
    filler = small_disk / "filler"
    fill(filler)
    for _ in range(20):
        app.inbox._next_scan = 0.0
        app.turn(lambda _round: None)
    filler.unlink()
    for _ in range(3):
        one.route()
    one.route({"c.csv": basket("C")})
    assert_all_is_well(one, "ABC")
    one.close()
