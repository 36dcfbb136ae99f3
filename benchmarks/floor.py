"""The floor: what the job costs in straight code, one process, no promises beyond the disk.

Detect (raw inotify), csv.reader, tuple validation, one durable SQLite commit, fsync and rename of the outgoing file. It keeps
no identity beyond a unique sid, tells nobody anything and cannot recover: whatever orderdrop does more has to fit in between.
"""

# Raw calls on purpose: the floor is what they cost.
# ruff: noqa: PTH104, PTH123
from __future__ import annotations

import csv
import ctypes
import os
import re
import sqlite3
import struct
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import subject

_IN_MOVED_TO = 0x80
_EVENT = struct.Struct("iIII")
_EVENTS_AT_ONCE = 1 << 20
_CHUNK = 2000

_SCHEMA = """CREATE TABLE orders (id INTEGER PRIMARY KEY, sid TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL,
 symbol TEXT NOT NULL, volume INTEGER NOT NULL, order_type INTEGER NOT NULL, order_business INTEGER NOT NULL,
 price TEXT, comment TEXT)"""
_INSERT = (
    "INSERT INTO orders (sid, account_id, symbol, volume, order_type, order_business, price, comment)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)

_SID = re.compile(r"[A-Za-z0-9_.\-]{1,64}").fullmatch
_SYMBOL = re.compile(r"(?:SHSE|SZSE|BJSE)\.[0-9]{6}").fullmatch
_PRICE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,4})?").fullmatch
_TYPES = frozenset({"1", "2", "20", "21", "22", "23", "24", "25"})
_SIDES = frozenset({"1", "2"})

_LINE = "%s,%s,%s,%d,%d,%d,%s,%s\n"

Row = tuple[str, str, str, int, int, int, str, str]


class Watch:
    """A folder's `moved to` events, straight from the kernel."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._handle = libc.inotify_init1(os.O_CLOEXEC)
        if self._handle < 0 or libc.inotify_add_watch(self._handle, os.fsencode(folder), _IN_MOVED_TO) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def wait(self) -> list[str]:
        """Names that were renamed in; blocks until there is one."""
        data = os.read(self._handle, _EVENTS_AT_ONCE)
        names, at = [], 0
        while at < len(data):
            _watch, _mask, _cookie, length = _EVENT.unpack_from(data, at)
            at += _EVENT.size
            names.append(os.fsdecode(data[at : at + length].rstrip(b"\0")))
            at += length
        return names


class Floor:
    """Takes drops from `inbox` and hands their orders over to `outgoing`, with a journal beside them.

    handed: when each outgoing file was handed over, by its name, in monotonic nanoseconds. orders: how many.
    """

    def __init__(self, root: Path) -> None:
        self._inbox, self._outgoing, self._staging = root / "inbox", root / "outgoing", root / "staging"
        for folder in (self._inbox, self._outgoing, self._staging):
            folder.mkdir(parents=True, exist_ok=True)
        self._journal = _open_journal(root / "floor.db")
        self._watch = Watch(self._inbox)
        self._count = 0
        self.handed: dict[str, int] = {}
        self.orders = 0

    def serve(self, expect: int) -> None:
        """Route until `expect` orders are handed over: what has come together goes together."""
        while self.orders < expect:
            self._route(self._watch.wait())

    def _route(self, names: list[str]) -> None:
        self._count += 1
        name = f"{self._count:010d}.order.csv"
        staged = self._staging / name
        self._journal.execute("BEGIN IMMEDIATE")
        with open(staged, "xb", buffering=0) as file:
            for chunk in self._chunks(names):
                self._journal.executemany(_INSERT, chunk)
                file.write("".join([_LINE % row for row in chunk]).encode())
                self.orders += len(chunk)
            self._journal.execute("COMMIT")
            os.fsync(file.fileno())
        os.rename(staged, self._outgoing / name)
        _sync_folder(self._outgoing)
        self.handed[name] = time.monotonic_ns()

    def _chunks(self, names: Iterable[str]) -> Iterator[list[Row]]:
        """Valid rows of these drops, at most _CHUNK at a time, small drops together."""
        chunk: list[Row] = []
        for name in names:
            with open(self._inbox / name, newline="", encoding="utf-8") as drop:
                reader = csv.reader(drop, strict=True)
                next(reader)
                while rows := [_valid(cells) for cells in islice(reader, _CHUNK - len(chunk))]:
                    chunk += rows
                    if len(chunk) == _CHUNK:
                        yield chunk
                        chunk = []
        if chunk:
            yield chunk


def _valid(cells: list[str]) -> Row:
    """Raises ValueError: the floor has no words for what is wrong."""
    sid, account, symbol, volume, kind, side, price, comment = cells
    known = account and kind in _TYPES and side in _SIDES
    if not (known and _SID(sid) and _SYMBOL(symbol) and volume.isdigit() and _PRICE(price)):
        raise ValueError(sid)
    return sid, account, symbol, int(volume), int(kind), int(side), price, comment


def _open_journal(path: Path) -> sqlite3.Connection:
    journal = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0", "cache_size=-32768"):
        journal.execute(f"PRAGMA {pragma}")
    journal.execute(_SCHEMA)
    return journal


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)


def route(options: subject.Options) -> dict[str, Any]:
    floor = Floor(options.folder)
    subject.say_ready()
    floor.serve(options.expect)
    return {"handed": floor.handed}


if __name__ == "__main__":
    subject.main(route)
