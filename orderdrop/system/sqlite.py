"""Opens SQLite so that a commit is on disk: one writing connection, write-ahead log, `synchronous=FULL`, immediate transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.pool import StaticPool

from orderdrop.system.failpoint import reach


def writing_engine(url: URL, *pragmas: str) -> Engine:
    """The one connection that writes. pragmas: further ones, such as `cache_size=-1024`."""
    engine = create_engine(url, poolclass=StaticPool, connect_args={"timeout": 5, "cached_statements": 256})

    @event.listens_for(engine, "connect")
    def configure(dbapi: sqlite3.Connection, _record: object) -> None:
        dbapi.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", *pragmas):
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        raw: Any = connection.connection.dbapi_connection
        raw.execute("BEGIN IMMEDIATE")

    return engine


def roll_back(connection: Connection) -> None:
    """Whatever state a failure left: no transaction is open afterwards. A failed COMMIT leaves SQLite's own open."""
    try:
        connection.rollback()
    finally:
        raw = connection.connection.dbapi_connection
        if isinstance(raw, sqlite3.Connection) and raw.in_transaction:
            raw.execute("ROLLBACK")


class Database:
    """A file with one schema and one writer, kept by whoever owns it. Raises sqlite3's and SQLAlchemy's errors, and OSError."""

    def __init__(self, path: Path, schema: Sequence[str]) -> None:
        self.path = path
        self._schema = schema
        self._engine: Engine | None = None
        self._connection: Connection | None = None

    def open(self) -> None:
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = writing_engine(URL.create("sqlite", database=str(self.path)))
        self._connection = self._engine.connect()
        with self.transaction():
            for statement in self._schema:
                self.run(statement)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._engine is not None:
            self._engine.dispose()
        self._connection = self._engine = None

    @contextmanager
    def transaction(self, before: str = "", after: str = "") -> Iterator[None]:
        """All or nothing, on disk at the end; after an error nothing is left open. before, after: failpoints around the commit."""
        connection = self._connected()
        transaction = connection.begin()
        try:
            yield
            reach(before)
            transaction.commit()
            reach(after)
        except BaseException:
            roll_back(connection)
            raise

    def run(self, sql: str, values: tuple[Any, ...] | list[tuple[Any, ...]] = ()) -> Any:
        """A tuple of values: one statement. A list: one for each tuple in it, none for an empty list."""
        if isinstance(values, list) and not values:
            return None
        return self._connected().exec_driver_sql(sql, values)

    def _connected(self) -> Connection:
        if self._connection is None:
            raise OSError(f"{self.path} is not open")
        return self._connection
