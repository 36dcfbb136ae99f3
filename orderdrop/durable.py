"""SQLite opened so that a commit is on disk: one writing connection, write-ahead log, `synchronous=FULL`, immediate transactions."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, Engine
from sqlalchemy.pool import StaticPool


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
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def roll_back(connection: Connection) -> None:
    """Whatever state a failure left: no transaction is open afterwards. A failed COMMIT leaves SQLite's own open."""
    try:
        connection.rollback()
    finally:
        raw = connection.connection.dbapi_connection
        if isinstance(raw, sqlite3.Connection) and raw.in_transaction:
            raw.execute("ROLLBACK")
