"""The journal's door: opens the database, hands out transactions to the one writer and connections to readers.

Durability (SQLite): write-ahead log with `synchronous=FULL`, so that a commit is on disk before anything leaves. SQLite before
3.51.3 can corrupt a database when two connections write or checkpoint at the same instant
(https://sqlite.org/wal.html#walresetbug). Here that cannot happen: one connection, held by the one router, writes and
checkpoints; readers open the file read-only, which can do neither. Checkpoints run in idle moments, off the hot path.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
from sqlalchemy import Connection, create_engine, insert, inspect, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from orderdrop.errors import ConfigError, JournalError
from orderdrop.journal.schema import VERSION, meta, metadata
from orderdrop.journal.writer import Writer
from orderdrop.system.failpoint import reach
from orderdrop.system.sqlite import roll_back, writing_engine

JOURNAL_ID: Final = "journal_id"
"""The key in `meta` below which the journal's own id stands."""

CHECKPOINT_BYTES: Final = 4 * 1024 * 1024
_PRAGMAS: Final = (
    "wal_autocheckpoint=0",
    f"journal_size_limit={CHECKPOINT_BYTES}",
    f"cache_size=-{48 * 1024}",
)
_NETWORK_FILESYSTEMS: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "fuse.sshfs", "9p", "afpfs", "webdav"}
)


class Journal:
    """The durable truth.

    Invariants: one writer for a process, used from one thread; what `transaction` has left without an error is on disk.
    """

    def __init__(self, url: str, root: Path) -> None:
        self._url = _resolve(url, root)
        self._path = Path(str(self._url.database))
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._grew = False
        self._memory: dict[str, Any] = {}  # see Writer

    @property
    def path(self) -> Path:
        return self._path

    def open(self) -> None:
        """Raises ConfigError on a network drive, JournalError when the file cannot be used."""
        refuse_network_drive(self._path)
        try:
            self._engine = writing_engine(self._url, *_PRAGMAS)
            self._connection = self._engine.connect()
            with self.transaction() as writer:
                _migrate(writer.connection)
        except (DBAPIError, sqlite3.Error, OSError) as error:
            self.close()
            raise JournalError(
                f"日志库打不开 / the journal cannot be opened: {self._path}: {error}"
            ) from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._engine is not None:
            self._engine.dispose()
        self._connection = self._engine = None

    @contextmanager
    def transaction(self) -> Iterator[Writer]:
        """Writes all or nothing, on disk at the end. Raises JournalError (disk full, I/O error, …) with nothing written."""
        connection = self._connection
        if connection is None:
            raise JournalError("the journal is not open")
        writer: Writer | None = None
        try:
            transaction = connection.begin()
            writer = Writer(connection, self._memory)
            yield writer
            reach("commit.before")
            transaction.commit()
            self._grew = True
            reach("commit.after")
        except BaseException as error:
            self._memory.clear()
            roll_back(connection)
            if writer is not None:
                writer.rolled_back()
            if isinstance(error, DBAPIError | sqlite3.Error):
                raise JournalError(f"日志库写不进去 / the journal cannot be written: {error}") from error
            raise
        writer.committed()

    def trouble(self) -> str:
        """Returns why nothing could be written just now, "" when it could: asked without waiting, and without writing."""
        raw = self._connection and self._connection.connection.dbapi_connection
        if not isinstance(raw, sqlite3.Connection) or raw.in_transaction:
            return ""
        (patience,) = raw.execute("PRAGMA busy_timeout").fetchone()
        try:
            raw.execute("PRAGMA busy_timeout = 0").fetchall()
            raw.execute("BEGIN IMMEDIATE")
            raw.execute("ROLLBACK")
        except sqlite3.Error as error:
            return str(error)
        finally:
            raw.execute(f"PRAGMA busy_timeout = {patience}").fetchall()
        return ""

    def checkpoint(self) -> None:
        """Moves the write-ahead log into the database once it is worth it; never waits for a reader. For idle moments."""
        wal = self._path.with_name(self._path.name + "-wal")
        if not self._grew or self._connection is None or wal.stat().st_size <= CHECKPOINT_BYTES:
            return
        self._grew = False
        raw = self._connection.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)  # noqa: S101  the engine was made for SQLite
        raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def reading_engine(url: str, root: Path) -> Engine:
    """Returns an engine that can only read and never disturbs the writer. Raises JournalError when there is no journal yet."""
    resolved = _resolve(url, root)
    path = Path(str(resolved.database))
    if not path.exists():
        raise JournalError(f"还没有日志库 / there is no journal yet: {path}")
    uri = f"{path.as_uri()}?mode=ro"
    return create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(uri, uri=True, timeout=5, check_same_thread=False),
        poolclass=QueuePool,  # a connection that is opened anew reads the schema anew
        pool_size=1,
    )


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Yields a connection of a reading engine that sees one state of the journal, whatever is written meanwhile."""
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        yield connection


def _resolve(url: str, root: Path) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(f"[journal] url: “{url}” 不是数据库地址 / is not a database URL") from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise ConfigError(f"[journal] url: 目前只支持 SQLite 文件 / only SQLite files for now: {url}")
    return parsed.set(database=str(root / parsed.database))


def refuse_network_drive(path: Path) -> None:
    """SQLite's locks do not hold on network drives. Compares the longest mount point above `path`."""
    resolved = path.parent.resolve()
    if str(resolved).startswith("\\\\"):
        raise ConfigError(f"日志库不能放在网络盘 / the journal must be on a local disk: {path}")
    above = [part for part in psutil.disk_partitions(all=True) if resolved.is_relative_to(part.mountpoint)]
    mount = max(above, key=lambda part: len(part.mountpoint), default=None)
    if mount and (mount.fstype.lower() in _NETWORK_FILESYSTEMS or "remote" in mount.opts.split(",")):
        raise ConfigError(
            f"日志库不能放在网络盘 / the journal must be on a local disk: {path} ({mount.fstype})"
        )


def _migrate(connection: Connection) -> None:
    """Bring an older schema up to VERSION, step by step, inside the transaction that opened the journal."""
    if not inspect(connection).has_table("meta"):
        metadata.create_all(connection)
        connection.execute(insert(meta).values(key="schema_version", value=str(VERSION)))
        _give_id(connection)
        return
    found = int(connection.execute(select(meta.c.value).where(meta.c.key == "schema_version")).scalar_one())
    if found > VERSION:
        raise ConfigError(
            f"日志库来自更新的版本 / the journal was written by a newer orderdrop (schema {found}, this one knows {VERSION})"
        )
    for version in range(found, VERSION):
        for statement in MIGRATIONS[version]:
            connection.exec_driver_sql(statement)
    if found < VERSION:
        connection.execute(meta.update().where(meta.c.key == "schema_version").values(value=str(VERSION)))
        _give_id(connection)


def _give_id(connection: Connection) -> None:
    """Give the journal a name of its own, once for its whole life: by it a witness tells this journal from another one."""
    statement = upsert(meta).values(key=JOURNAL_ID, value=secrets.token_hex(16))
    connection.execute(statement.on_conflict_do_nothing(index_elements=["key"]))


_SEALS_TABLE: Final = """CREATE TABLE seals (
    id INTEGER NOT NULL PRIMARY KEY, at INTEGER NOT NULL, events_to INTEGER NOT NULL, reports_to INTEGER NOT NULL,
    fills_to INTEGER NOT NULL, batches_to INTEGER NOT NULL, marks BLOB NOT NULL, day INTEGER, note TEXT NOT NULL, digest TEXT NOT NULL
)"""
_SEALS_INDEX: Final = "CREATE INDEX ix_seals_day ON seals (day) WHERE day IS NOT NULL"
# What was written before there was a chain cannot be proven by it: the chain begins behind it, and says so.
BEGIN_CHAIN: Final = """INSERT INTO seals (id, at, events_to, reports_to, fills_to, batches_to, marks, day, note, digest)
    SELECT 0, coalesce((SELECT max(at) FROM events), 0), coalesce((SELECT max(id) FROM events), 0),
    coalesce((SELECT max(id) FROM reports), 0), coalesce((SELECT max(id) FROM fills), 0),
    coalesce((SELECT max(id) FROM batches), 0), x'', (SELECT max(trade_day) FROM drops), '', ''"""
MIGRATIONS: Final[dict[int, tuple[str, ...]]] = {
    1: (
        "ALTER TABLE drops ADD COLUMN sheets TEXT",
        "ALTER TABLE orders ADD COLUMN due_at INTEGER",
        "ALTER TABLE orders ADD COLUMN expires_at INTEGER",
        _SEALS_TABLE,
        _SEALS_INDEX,
        BEGIN_CHAIN,
    ),
    2: (
        "ALTER TABLE drops ADD COLUMN owner TEXT",
        "ALTER TABLE orders ADD COLUMN received_at INTEGER",
        "ALTER TABLE orders ADD COLUMN row_key INTEGER",
        "ALTER TABLE orders ADD COLUMN told_volume INTEGER",
        "ALTER TABLE orders ADD COLUMN worth TEXT",
        "ALTER TABLE orders ADD COLUMN not_before INTEGER",
        "ALTER TABLE orders ADD COLUMN held_for TEXT",
        "CREATE INDEX ix_orders_row_key ON orders (trade_day, row_key) WHERE row_key IS NOT NULL",
        "ALTER TABLE rows ADD COLUMN received_at INTEGER",
        "ALTER TABLE instructions ADD COLUMN received_at INTEGER",
        "ALTER TABLE batches ADD COLUMN places TEXT",
        "ALTER TABLE reports ADD COLUMN scan_name TEXT",
    ),
}
"""Statements that lead from a schema version to the next one."""
