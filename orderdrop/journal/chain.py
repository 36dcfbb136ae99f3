"""Seals what the journal has gained in a hash chain: each seal contains the one before.

Orders never wait for it: blocks are sealed in idle moments, behind the commit. A seal's digest covers, in this order, the digest
of the seal before, the new events (each with what its order never changes), reports, fills and batches (with the hash of the
exact bytes), and the seal's own header. A seal that closes a day also covers that day's drops, refused rows and instructions,
and the archive's manifest.

`marks` are four bytes a line: they prove nothing, but tell which line it was when a digest differs.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from orderdrop.journal.schema import ROW_BITS

AT_MOST: Final = 20_000
"""Lines of one table in one seal."""

_SLICE: Final = 500
_MARK: Final = 4

_FIXED: Final = "o.trade_day, o.sid, o.account_id, o.symbol, o.volume, o.order_type, o.order_business, o.price, o.remark, o.strategy, o.note"
_DENIED: Final = ", ".join(
    f"CASE WHEN e.event = 'denied' THEN o.reason_{part} END" for part in ("code", "column", "value", "bound")
)
_LINES: Final[dict[str, str]] = {
    "events": f"""SELECT e.id, json_array('event', e.id, e.at, e.order_ref, e.event, e.source, e.detail, e.filled_volume,
        {_FIXED}, {_DENIED}), NULL
        FROM events e LEFT JOIN orders o ON o.id = e.order_ref WHERE e.id > ? AND e.id <= ? ORDER BY e.id""",
    "reports": """SELECT id, json_array('report', id, received_at, gateway, account_id, sid, order_ref, kind, body), NULL
        FROM reports WHERE id > ? AND id <= ? ORDER BY id""",
    "fills": """SELECT id, json_array('fill', id, order_ref, exec_id, at, volume, price, fee), NULL
        FROM fills WHERE id > ? AND id <= ? ORDER BY id""",
    "batches": """SELECT id, json_array('batch', id, gateway, trade_day, created_at, orders, first_order, last_order), CAST(content AS BLOB)
        FROM batches WHERE id > ? AND id <= ? ORDER BY id""",
}
TABLES: Final = tuple(_LINES)
_FEW: Final = 4
_VERSION: Final = "SELECT value FROM meta WHERE key = 'schema_version'"
_LATER_SINCE: Final = 3
_BELOW: Final = f"BETWEEN drops.id << {ROW_BITS} AND ((drops.id + 1) << {ROW_BITS}) - 1"
_RECORDS: Final = (
    """SELECT json_array('drop', id, name, kind, strategy, trade_day, received_at, sid_space, sha256, position, next_row, rows,
        accepted, denied, duplicates, errors, reason_code, reason_column, reason_value, reason_bound)
        FROM drops WHERE trade_day = ? ORDER BY id""",
    f"""SELECT json_array('row', rows.id, outcome, sid, order_ref, rows.reason_code, rows.reason_column, rows.reason_value,
        rows.reason_bound) FROM drops CROSS JOIN rows ON rows.id {_BELOW} WHERE trade_day = ? ORDER BY rows.id""",
    f"""SELECT json_array('instruction', instructions.id, instructions.kind, sid)
        FROM drops CROSS JOIN instructions ON instructions.id {_BELOW} WHERE trade_day = ? ORDER BY instructions.id""",
)
# What came with version 3 has records of its own, where there is one: older digests stay as they are.
_LATER_RECORDS: Final = (
    "SELECT json_array('owner', id, owner) FROM drops WHERE trade_day = ? AND owner IS NOT NULL ORDER BY id",
    *(
        f"""SELECT json_array('came', {table}.id, {table}.received_at) FROM drops CROSS JOIN {table} ON {table}.id {_BELOW}
        WHERE drops.trade_day = ? AND {table}.received_at IS NOT NULL ORDER BY {table}.id"""
        for table in ("orders", "rows", "instructions")
    ),
)


_OF_DAY: Final = (
    """SELECT json_array('drop', id, owner) FROM drops WHERE trade_day = ? ORDER BY id""",
    f"""SELECT json_array('order', o.id, o.gateway, o.reason_code, o.reason_column, o.reason_value, o.reason_bound, o.due_at,
        o.expires_at, o.received_at, o.row_key, o.told_volume, o.worth, o.not_before, o.held_for)
        FROM drops CROSS JOIN orders AS o ON o.id {_BELOW} WHERE drops.trade_day = ? ORDER BY o.id""",
    f"""SELECT json_array('row', rows.id, rows.received_at) FROM drops CROSS JOIN rows ON rows.id {_BELOW}
        WHERE trade_day = ? ORDER BY rows.id""",
    f"""SELECT json_array('instruction', instructions.id, instructions.received_at)
        FROM drops CROSS JOIN instructions ON instructions.id {_BELOW} WHERE trade_day = ? ORDER BY instructions.id""",
    """SELECT json_array('batch', id, places) FROM batches WHERE trade_day = ? ORDER BY id""",
)
"""What came with version 3 of the journal, and what is said of an order that no event repeats. The lines and records above stay as they are."""


class Reach(NamedTuple):
    """The last line of each table that is sealed."""

    events: int = 0
    reports: int = 0
    fills: int = 0
    batches: int = 0


class Seal(NamedTuple):
    """One link. reach: up to where it seals. day: the day that it closes, with `note`, a JSON object of that day's hashes."""

    id: int
    at: int
    reach: Reach
    marks: bytes
    day: int | None
    note: str
    digest: str


class Line(NamedTuple):
    """table: of `TABLES`. content: what stands there, as it is hashed."""

    table: str
    id: int
    content: bytes

    @property
    def mark(self) -> bytes:
        """Of the content without its number, which changes when something before it is inserted or removed."""
        return zlib.crc32(self.content.split(b",", 2)[2]).to_bytes(_MARK, "big")


_COLUMNS: Final = "id, at, events_to, reports_to, fills_to, batches_to, marks, day, note, digest"


def seals(connection: Connection, where: str = "1") -> Iterator[Seal]:
    """Seals, oldest first."""
    found = connection.exec_driver_sql(f"SELECT {_COLUMNS} FROM seals WHERE {where} ORDER BY id")
    for number, at, *reach, marks, day, note, digest in found:
        yield Seal(number, at, Reach(*reach), marks, day, note, digest)


def last_seal(connection: Connection) -> Seal | None:
    return next(seals(connection, "id = (SELECT max(id) FROM seals)"), None)


def lines(connection: Connection, after: Reach, to: Reach) -> Iterator[Line]:
    """Yields what stands in the journal behind `after` and up to `to`."""
    for table, begin, end in zip(TABLES, after, to, strict=True):
        result = connection.exec_driver_sql(_LINES[table], (begin, end))
        # A batch of a large drop is a megabyte: never many of them at once.
        while part := result.fetchmany(_FEW if table == "batches" else _SLICE):
            for number, text, content in part:
                whole = text if content is None else f"{text} {hashlib.sha256(content).hexdigest()}"
                yield Line(table, number, whole.encode("utf-8", "surrogatepass"))


def following(connection: Connection, after: Reach) -> Reach:
    """Returns how far the next seal reaches; `after` itself when there is nothing new."""
    parts = (
        connection.exec_driver_sql(
            f"SELECT max(id) FROM (SELECT id FROM {table} WHERE id > ? ORDER BY id LIMIT {AT_MOST})", (begin,)
        ).scalar()
        for table, begin in zip(TABLES, after, strict=True)
    )
    return Reach(*(part or begin for part, begin in zip(parts, after, strict=True)))


def seal_next(
    connection: Connection, at: int, day: int | None = None, note: str = ""
) -> Iterator[Seal | None]:
    """Makes the next link, in slices: None while there is more to do. Nothing when there is nothing new and no day to close.

    One that closes a day has no lines, and is made without a pause: what is not sealed yet came after the closing began.

    Reads only what is committed, and what is committed here never changes; so it may be interrupted and begun again.
    """
    last = last_seal(connection)
    after = last.reach if last else Reach()
    reach = following(connection, after) if day is None else after
    if reach == after and day is None:
        return
    hashing, marks = Hashing(last.digest if last else ""), bytearray()
    for number, line in enumerate(lines(connection, after, reach)):
        hashing.add(line)
        marks += line.mark
        if number % _SLICE == _SLICE - 1:
            yield None
    new = Seal(last.id + 1 if last else 1, at, reach, bytes(marks), day, note, "")
    yield new._replace(digest=hashing.end(new))


class Hashing:
    """Makes a seal's digest, line by line."""

    def __init__(self, before: str) -> None:
        """before: the digest of the seal before, "" for the first one."""
        self._hash = hashlib.sha256(before.encode())

    def add(self, line: Line) -> None:
        self._hash.update(b"\n" + line.content)

    def end(self, seal: Seal) -> str:
        header = json.dumps([seal.id, seal.at, *seal.reach, seal.day, seal.note], ensure_ascii=False)
        self._hash.update(b"\n" + header.encode())
        return self._hash.hexdigest()


def marks_of(seal: Seal) -> list[bytes]:
    return [seal.marks[start : start + _MARK] for start in range(0, len(seal.marks), _MARK)]


def records_digest(connection: Connection, day: int) -> str:
    """Of a day's drops, refused rows and instructions, without what may still change when the day is over."""
    hashing = hashlib.sha256()
    has_them = int(connection.exec_driver_sql(_VERSION).scalar_one()) >= _LATER_SINCE
    for query in (*_RECORDS, *(_LATER_RECORDS if has_them else ())):
        for (text,) in connection.exec_driver_sql(query, (day,)):
            hashing.update(f"{text}\n".encode("utf-8", "surrogatepass"))
    return hashing.hexdigest()


def further_digest(connection: Connection, day: int) -> str:
    """Of what else is said of a day: as long as nothing more is told of its orders, it does not change."""
    hashing = hashlib.sha256()
    for query in _OF_DAY:
        for (text,) in connection.exec_driver_sql(query, (day,)):
            hashing.update(f"{text}\n".encode("utf-8", "surrogatepass"))
    return hashing.hexdigest()


def scan_names_digest(connection: Connection, begin: int, end: int) -> str:
    """Of the 文件单 names in the reports behind `begin` and up to `end`: they belong to no day."""
    query = "SELECT json_array(id, scan_name) FROM reports WHERE id > ? AND id <= ? AND scan_name IS NOT NULL ORDER BY id"
    hashing = hashlib.sha256()
    for (text,) in connection.exec_driver_sql(query, (begin, end)):
        hashing.update(f"{text}\n".encode("utf-8", "surrogatepass"))
    return hashing.hexdigest()


def reports_closed(connection: Connection) -> int:
    """Returns up to which report the days' closing seals reach by now."""
    query = "SELECT coalesce(max(reports_to), 0) FROM seals WHERE day IS NOT NULL"
    return int(connection.exec_driver_sql(query).scalar_one())


def told_since(connection: Connection, day: int, reach: Reach) -> bool:
    """Whether anything was told of a day's orders behind `reach`."""
    query = (
        "SELECT 1 FROM (SELECT order_ref FROM events WHERE id > ? UNION ALL SELECT order_ref FROM reports WHERE id > ?) AS told"
        " CROSS JOIN orders ON orders.id = told.order_ref WHERE orders.trade_day = ? LIMIT 1"
    )
    return connection.exec_driver_sql(query, (reach.events, reach.reports, day)).first() is not None


def late_key(day: int) -> str:
    """Returns where the journal notes that a day is to be closed, again if it was: rows came late, or it is being closed right now."""
    return f"late:{day}"


def days_to_close(connection: Connection, today: int) -> list[int]:
    """Days before `today` that were never closed, or have changed since: a late fill, an expiry, rows that came too late."""
    closed = "(SELECT coalesce(max(day), 0) FROM seals WHERE day IS NOT NULL AND day < :today)"
    sealed, told = (
        f"(SELECT coalesce(max({column}), 0) FROM seals WHERE day IS NOT NULL)"
        for column in ("events_to", "reports_to")
    )
    query = (
        f"SELECT DISTINCT trade_day FROM drops WHERE trade_day > {closed} AND trade_day < :today"
        " UNION SELECT DISTINCT orders.trade_day FROM events CROSS JOIN orders ON orders.id = events.order_ref"
        f" WHERE events.id > {sealed} AND orders.trade_day < :today"
        " UNION SELECT DISTINCT orders.trade_day FROM reports CROSS JOIN orders ON orders.id = reports.order_ref"
        f" WHERE reports.id > {told} AND orders.trade_day < :today"
        " UNION SELECT CAST(substr(key, 6) AS INTEGER) FROM meta WHERE key >= 'late:' AND key < 'late;'"
    )
    bound = {"today": today}
    result: Any = connection.connection.dbapi_connection
    return sorted(row[0] for row in result.execute(query, bound))


def closings(connection: Connection) -> dict[int, Seal]:
    """Returns the last seal that closes each day, by day."""
    newest = "SELECT max(id) FROM seals WHERE day IS NOT NULL AND id > 0 GROUP BY day"
    return {seal.day: seal for seal in seals(connection, f"id IN ({newest})") if seal.day is not None}


def awaiting(connection: Connection) -> set[int]:
    """Days that are to be closed again: rows came late, or closing them was interrupted."""
    found = connection.exec_driver_sql(
        "SELECT substr(key, 6) FROM meta WHERE key >= 'late:' AND key < 'late;'"
    )
    return {int(row[0]) for row in found}
