"""Compares what the writer expects with the journal, the broker's books, the receipts and the archive. Says every difference."""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from world import LIVE_SYMBOLS, Row, World, read

from orderdrop.audit.verify import verify
from orderdrop.config.workspace import Workspace
from orderdrop.journal.journal import reading_engine
from orderdrop.system.clock import SystemClock, trade_date

_REJECTED = "SZSE.000010"
_HALF = "SZSE.000001"


def differences(world: World) -> list[str]:
    """Empty when nothing is lost, nothing doubled and nothing wrong."""
    return [
        *_lost_or_doubled(world), *_foreign(world), *_statuses(world), *_receipts(world), *_files(world), *_altered(world),
    ]  # fmt: skip


def _lost_or_doubled(world: World) -> Iterator[str]:
    for where, rows in (("journal", _journal(world)), ("broker", _broker(world))):
        found = Counter(row.sid for row, _status, _filled in rows)
        values = {row.sid: row for row, _status, _filled in rows}
        for sid, row in world.good.items():
            if found[sid] != 1:
                yield f"{where}: {sid} is there {found[sid]} times"
            elif values[sid] != row:
                yield f"{where}: {values[sid]} instead of {row}"


def _foreign(world: World) -> Iterator[str]:
    for where, rows in (("journal", _journal(world)), ("broker", _broker(world))):
        yield from (f"{where}: nobody wrote {row}" for row, *_ in rows if row.sid not in world.good)
    told = read(world.root / "journal.db", "SELECT DISTINCT sid FROM rows WHERE sid IS NOT NULL")
    denied = read(world.root / "journal.db", "SELECT DISTINCT sid FROM orders WHERE sid_key IS NULL")
    yield from (
        f"journal: nobody wrote the row {sid}" for (sid,) in told + denied if sid not in _written(world)
    )


def _statuses(world: World) -> Iterator[str]:
    """Journal and broker agree, with each other and with what the broker does for such an order."""
    broker = {row.sid: (status, filled) for row, status, filled in _broker(world)}
    for row, status, filled in _journal(world):
        if broker.get(row.sid) != (status, filled):
            yield f"{row.sid}: journal says {status} {filled}, broker {broker.get(row.sid)}"
        if (status, filled) != _expected(world, row):
            yield f"{row.sid}: {status} {filled} instead of {_expected(world, row)}"
    ours = read(
        world.root / "journal.db",
        "SELECT sid, exec_id, fills.volume, fills.price FROM fills JOIN orders ON orders.id = order_ref",
    )
    theirs = read(_paper(world), "SELECT sid, exec_id, volume, price FROM reports WHERE kind = 'fill'")
    for fill, count in (Counter(ours) - Counter(theirs)).items():
        yield f"journal has a fill {count} times too often: {fill}"
    for fill, count in (Counter(theirs) - Counter(ours)).items():
        yield f"journal lacks a fill {count} times: {fill}"


def _receipts(world: World) -> Iterator[str]:
    """Every row that was written is told on a receipt, with the order's status as it is."""
    status = {row.sid: status for row, status, _filled in _journal(world)}
    told: dict[str, set[str]] = {}
    for path in (world.root / "outbox" / "receipts").rglob("*.receipt.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                told.setdefault(row["sid"], set()).add(row["outcome"])
    for sid in world.good:
        if status.get(sid) not in told.get(sid, set()):
            yield f"receipts: {sid} is {status.get(sid)}, told {told.get(sid)}"
    yield from (f"receipts: the bad row {sid} is not told" for sid in world.bad if sid not in told)
    yield from (f"receipts: nobody wrote {sid}" for sid in told if sid and sid not in _written(world))


def _files(world: World) -> Iterator[str]:
    """Every file that was written to its end is kept, byte for byte; the inbox is empty but for the followed file."""
    kept = {
        _digest(path) for folder in ("archive", "quarantine") for path in (world.root / folder).rglob("*")
    }
    yield from (
        f"archive: a file is missing: {content!r}" for content in world.whole if _hash(content) not in kept
    )
    left = [path.name for path in world.inbox.iterdir() if not path.name.endswith(".order.csv")]
    yield from (f"inbox: {name} was left" for name in left)


def _altered(world: World) -> Iterator[str]:
    """A crash is no forgery: the hash chain and the archive are proven all the same."""
    engine = reading_engine("sqlite:///journal.db", world.root)
    with engine.connect() as connection:
        proof = verify(connection, Workspace(world.root, world.inbox), trade_date(SystemClock().now()))
    engine.dispose()
    if proof.difference is not None:
        yield f"verify: {proof.difference}"
    if proof.unsealed or not proof.seals or not proof.days:
        yield f"verify: not all is sealed: {proof}"


def _expected(world: World, row: Row) -> tuple[str, int]:
    if row.symbol == _REJECTED:
        return "rejected", 0
    if row.symbol not in LIVE_SYMBOLS:
        return "filled", row.volume
    filled = row.volume // 2 // 100 * 100 or row.volume // 2 if row.symbol == _HALF else 0
    if row.sid in world.cancelled:
        return "canceled", filled
    return ("partially_filled" if filled else "new"), filled


def _journal(world: World) -> list[tuple[Row, str, int]]:
    """Orders that have used up their sid."""
    query = "SELECT sid, account_id, symbol, volume, price, status, filled_volume FROM orders WHERE sid_key IS NOT NULL"
    return [_row(*found) for found in read(world.root / "journal.db", query)]


def _broker(world: World) -> list[tuple[Row, str, int]]:
    query = "SELECT sid, account_id, symbol, volume, price, status, filled FROM orders"
    rejected = {sid for sid, row in world.good.items() if row.symbol == _REJECTED}
    rows = [_row(*found) for found in read(_paper(world), query)]
    # The broker keeps no price of an order that it rejected.
    return [(r._replace(price=world.good[r.sid].price) if r.sid in rejected else r, s, f) for r, s, f in rows]


def _row(
    sid: str, account: str, symbol: str, volume: int, price: str | None, status: str, filled: int
) -> tuple[Row, str, int]:
    return Row(sid, account, symbol, volume, str(Decimal(price or 0))), status, filled


def _paper(world: World) -> Path:
    return world.root / ".orderdrop" / "paper-paper.db"


def _written(world: World) -> set[str]:
    return world.good.keys() | world.bad | {"NOBODY-1"}


def _digest(path: Path) -> bytes:
    return _hash(path.read_bytes()) if path.is_file() else b""


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
