"""Collects what stands outside the journal of orders that left: the archive, staging's ledger, the terminal's folders and output, the gateways' own files.

Reads only, and leaves out what it cannot read, with a word. For a person who has lost the journal; nothing here decides what is sent.
"""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, NamedTuple

from orderdrop.archive.day import Archived, days_in
from orderdrop.config.gateways import GmSettings, GoldminerSettings, MiniqmtSettings, PaperSettings
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace, account_folder
from orderdrop.domain.identity import day_number, from_day_number
from orderdrop.domain.order import SID_PATTERN
from orderdrop.errors import OrderdropError
from orderdrop.gateway.goldminer.account import CHANGES, LATEST
from orderdrop.gateway.goldminer.dbf import DbfTable
from orderdrop.gateway.goldminer.scan import core_of
from orderdrop.gateway.goldminer.table import CsvTable, Table

_DBF: Final = b"\x03"
_SENT: Final = re.compile(r"sent/(?P<gateway>[^/]+)/(?P<batch>\d+)\.order\.\w+")
_REFUSED: Final = "8"
"""The status code of a refusal; in our own result files it may be our denial, which has used up no sid."""


class Found(NamedTuple):
    """An order that left, or may have. sid: as the terminal sees it. day: its trading day."""

    sid: str
    account_id: str
    symbol: str
    volume: int
    order_type: int
    order_business: int
    price: str | None
    remark: str
    gateway: str
    day: int


class Sent(NamedTuple):
    """A batch whose exact bytes were found."""

    id: int
    gateway: str
    day: int
    content: bytes


@dataclass
class Evidence:
    """orders: by sid and day, each once. gone: files that went in and whose content is nowhere. unread: what could not be read, and why."""

    orders: dict[tuple[str, int], Found] = field(default_factory=dict)
    batches: dict[tuple[str, int], Sent] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    batch: int = 0

    def add(self, found: Iterable[Found]) -> None:
        for one in found:
            if _IS_SID(one.sid):
                self.orders.setdefault((one.sid, one.day), one)

    def add_batch(self, sent: Sent) -> None:
        self.batch = max(self.batch, sent.id)
        self.batches.setdefault((sent.gateway, sent.id), sent)
        self.add(_orders_in(sent.content, sent.gateway, sent.day))


_IS_SID: Final = re.compile(SID_PATTERN).fullmatch


def gather(settings: Settings, workspace: Workspace, today: date) -> Evidence:
    """What can be found. Surest first: an order counts as it was first found."""
    found = Evidence()
    for day, kept in days_in(workspace.archive).items():
        _archived(found, day, kept)
    for name, values in settings.gateways.items():
        accounts = settings.accounts_of(name)
        match values:
            case PaperSettings() | GmSettings():
                _stored(found, name, workspace.state / f"{values.type}-{name}.db")
            case GoldminerSettings():
                own = values.below(workspace.root)
                _files(found, name, own)
                folders = [own.push_dir / one for one in accounts] or _folders(own.push_dir)
                _outputs(found, name, folders, today, own.scan_name)
            case MiniqmtSettings():
                folders = [workspace.outbox / account_folder(one) for one in accounts]
                _outputs(found, name, folders, today, None)
    return found


# sources


def _archived(found: Evidence, day: date, kept: Archived) -> None:
    try:
        for name in kept.names():
            if named := _SENT.fullmatch(name):
                sent = Sent(int(named["batch"]), named["gateway"], day_number(day), kept.read(name))
                found.add_batch(sent)
    except (OSError, OrderdropError, ValueError) as error:
        found.unread.append(f"{kept.folder}: {error}")


def _stored(found: Evidence, name: str, path: Path) -> None:
    """The paper broker's file, or that of 掘金's API."""
    if not path.exists():
        return
    day = "trade_day" if path.name.startswith("paper") else "day"
    query = (
        f"SELECT sid, account_id, symbol, volume, order_type, business, price, {day}, batch_id FROM orders"
    )
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            for sid, account, symbol, volume, kind, business, price, on, batch in file.execute(query):
                number = day_number(date.fromisoformat(on))
                one = Found(sid, account, symbol, volume, kind, business, price, "", name, number)
                found.add([one])
                found.batch = max(found.batch, int(batch))
    except (sqlite3.Error, ValueError) as error:
        found.unread.append(f"{path}: {error}")


def _files(found: Evidence, name: str, own: GoldminerSettings) -> None:
    """Our files in the scan folder and in upfiles, and which of the ledger's stand nowhere."""
    contents: set[str] = set()
    for path in (*_entries(own.scan_dir), *_upfiles(own)):
        core = core_of(path.name)
        if not core:
            continue
        try:
            content, day, batch = path.read_bytes(), int(path.name[:8]), int(core[1:].partition(".")[0])
            found.add_batch(Sent(batch, name, day, content))
            contents.add(core)
        except (OSError, ValueError, OrderdropError) as error:
            found.unread.append(f"{path}: {error}")
    returned = {core_of(path.name) for path in _entries(own.staging / "returned")}
    for ledger in sorted(own.staging.glob("handed-*.log")):
        for handed in ledger.read_text(encoding="utf-8", errors="replace").split():
            core = core_of(handed)
            if not core:
                continue  # a cancel
            number = int(core[1:].partition(".")[0])
            found.batch = max(found.batch, number)
            if core not in contents | returned and (name, number) not in found.batches:
                found.gone.append(handed)


def _outputs(found: Evidence, name: str, folders: Sequence[Path], today: date, scan_name: str | None) -> None:
    """scan_name: of the terminal's own output; None: our result files, where a refusal may be our own denial."""
    for path in (path for folder in folders for path in _entries(folder)):
        tables: dict[str, Table] = {".csv": CsvTable(), ".dbf": DbfTable()}
        table = tables.get(path.suffix.lower())
        if table is None or path.stem.lower() not in {CHANGES, LATEST}:
            continue
        try:
            data = path.read_bytes()
            head = table.head(data)
            if head is None:
                continue
            records = table.split(head, data[head.size : table.counted(data, len(data))])
            rows = [
                {title: cells[place] for title, place in head.columns.items()}
                for cells in table.cells(head, records)
                if cells is not None
            ]
            found.add(_told(rows, name, path.parent.name, today, scan_name))
        except (OSError, ValueError, KeyError, OrderdropError) as error:
            found.unread.append(f"{path}: {error}")


def _told(
    rows: Iterable[dict[str, str]], name: str, folder: str, today: date, scan_name: str | None
) -> Iterator[Found]:
    for row in rows:
        ours = (
            row.get("scan_name", "") in {"", scan_name}
            if scan_name is not None
            else row["status"] != _REFUSED
        )
        if not (row.get("sid") and ours):
            continue
        created = row.get("created_at", "")[:10].replace("-", "")
        day = int(created) if len(created) == 8 and created.isdecimal() else day_number(today)
        try:
            price = Decimal(row["price"]) if row.get("price") else Decimal(0)
            yield Found(
                row["sid"], row.get("account_id") or folder, row["symbol"], int(Decimal(row["volume"])),
                int(row["order_type"]), int(row["order_business"]), str(price) if price else None, "", name, day,
            )  # fmt: skip
        except (KeyError, ValueError, InvalidOperation, OverflowError):
            continue  # what does not read tells of no order; the last gate still knows its sid


# details


def _orders_in(content: bytes, gateway: str, day: int) -> list[Found]:
    """Raises ValueError."""
    if content.startswith(_DBF):
        table = DbfTable()
        head = table.head(content)
        records = table.split(head, content[head.size : table.counted(content, len(content))]) if head else []
        rows = [cells for cells in (table.cells(head, records) if head else []) if cells is not None]
    else:
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        try:
            rows = list(csv.reader(text, strict=True))[1:]
        except csv.Error as error:
            raise ValueError(str(error)) from error
    return [
        Found(
            sid, account, symbol, int(Decimal(volume)), int(kind), int(business), str(Decimal(price)) if price else None,
            remark, gateway, day,
        )
        for sid, account, symbol, volume, kind, business, price, remark in rows
    ]  # fmt: skip


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        return []


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []


def _upfiles(own: GoldminerSettings) -> list[Path]:
    if own.archive_dir is None:
        return []
    return [
        path
        for folder in own.archive_dir.glob("*/*/upfiles/*")
        if folder.name == own.scan_name
        for path in _entries(folder)
    ]


def summary(found: Evidence) -> list[str]:
    """A line for each gateway and day of the newest ones."""
    counts: dict[tuple[int, str], int] = {}
    for one in found.orders.values():
        counts[one.day, one.gateway] = counts.get((one.day, one.gateway), 0) + 1
    newest = sorted(counts, reverse=True)[:10]
    lines = [f"{from_day_number(day)}  {name}: {counts[day, name]} 笔/orders" for day, name in newest]
    if len(counts) > len(newest):
        lines.append(f"… +{len(counts) - len(newest)}")
    lines += [f"内容已无处可寻 / its content is nowhere: {name}" for name in found.gone[:10]]
    return lines + [f"读不了 / cannot be read: {line}" for line in found.unread[:10]]
