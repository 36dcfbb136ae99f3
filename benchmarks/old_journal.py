"""A journal that has seen a year: so many orders over some 250 earlier days, as orderdrop would have left it behind.

Written with SQL straight into the schema, because routing five million orders would take an hour.
"""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from pathlib import Path

from orderdrop.domain.identity import day_number
from orderdrop.journal.journal import BEGIN_CHAIN, Journal
from orderdrop.system.clock import SystemClock, trade_date

DAYS = 250
_DROPS_A_DAY = 20
_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count - 1)"
_ADD_DROPS = f"""{_NUMBERS} INSERT INTO drops (id, name, kind, strategy, trade_day, received_at, state, sid_space, sha256,
 position, next_row, rows, accepted, archived_as)
 SELECT :first + n, 'basket-' || (:first + n) || '.order.csv', 'order', '', :day, :at, 'done', lower(hex(randomblob(32))),
 lower(hex(randomblob(32))), 80 * :size, :size + 2, :size, :size, 'archive/' || :day || '/drops/' || (:first + n) FROM numbers"""
_ADD_ORDERS = f"""{_NUMBERS} INSERT INTO orders (id, trade_day, sid, sid_key, account_id, symbol, volume, order_type,
 order_business, price, gateway, batch_id, status, filled_volume, filled_value, order_id, submitted_at, confirmed_at, updated_at,
 closed_at)
 SELECT (:first + n / :size) << 32 | (n % :size + 2), :day, lower(hex(randomblob(16))), random(), 'acc-' || (n % 4),
 'SHSE.' || (600000 + n % 500), 100 * (n % 50 + 1), 1, n % 2 + 1, '10.35', 'paper', :first + n / :size, 'filled',
 100 * (n % 50 + 1), '1035', hex(randomblob(8)), :at, :at, :at, :at FROM numbers"""
_ADD_EVENTS = """INSERT INTO events (at, order_ref, event, source, filled_volume)
 SELECT :at, id, :event, 'paper', iif(:event = 'filled', filled_volume, NULL) FROM orders
 WHERE id BETWEEN :first << 32 AND (:first + :count) << 32"""
_ADD_BATCHES = """INSERT INTO batches (id, gateway, trade_day, created_at, orders, first_order, last_order, content, outcome,
 handed_at) SELECT id, 'paper', trade_day, received_at, rows, id << 32, id << 32 | (rows + 1), x'00', 'taken', received_at
 FROM drops"""
_EVENTS = ("submitting", "submitted", "filled")


def build(root: Path, orders: int) -> None:
    """Make `root`/journal.db with `orders` filled orders of earlier days, all of their sids moved to sids_past."""
    journal = Journal("sqlite:///journal.db", root)
    journal.open()
    journal.close()
    database = sqlite3.connect(root / "journal.db", isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"):
        database.execute(f"PRAGMA {pragma}")
    today = trade_date(SystemClock().now())
    size = max(1, orders // (DAYS * _DROPS_A_DAY))
    database.execute("BEGIN")
    for number in range(DAYS):
        _add_day(database, today - timedelta(days=DAYS - number), 1 + number * _DROPS_A_DAY, size)
    database.execute(_ADD_BATCHES)
    database.execute("INSERT INTO sids_past SELECT sid_key, id FROM orders ORDER BY sid_key")
    through = day_number(today - timedelta(days=1))
    database.execute("INSERT INTO meta VALUES ('sids_past_through', ?)", (str(through),))
    database.execute(BEGIN_CHAIN)  # as if it had been sealed: the chain goes on behind it
    database.execute("COMMIT")
    database.execute("PRAGMA journal_mode=WAL")
    database.close()


def _add_day(database: sqlite3.Connection, day: date, first: int, size: int) -> None:
    at = int(day.strftime("%s")) * 1_000_000
    values = {"first": first, "day": day_number(day), "at": at, "size": size}
    database.execute(_ADD_DROPS, values | {"count": _DROPS_A_DAY})
    database.execute(_ADD_ORDERS, values | {"count": _DROPS_A_DAY * size})
    for event in _EVENTS:
        database.execute(_ADD_EVENTS, values | {"event": event, "count": _DROPS_A_DAY})
