"""Finds where journal, files sent and the terminal's reports do not say the same, and what came from somebody else's hand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from orderdrop.archive.day import Archived
from orderdrop.audit.frames import Order, Tables
from orderdrop.config.workspace import Workspace
from orderdrop.domain.goldminer_format import ORDER_HEADER
from orderdrop.domain.identity import SidScope, day_number, from_day_number, wire_sid
from orderdrop.domain.status import AT_BROKER, TERMINAL, Status
from orderdrop.journal.schema import ROW_BITS
from orderdrop.system.clock import SHANGHAI, Micros, from_datetime, iso

_COLUMNS: Final = ("sid", "account_id", "symbol", "volume", "order_type", "order_business", "price", "remark")
_LAST_REPORTS: Final = f"""SELECT order_ref, json_extract(body, '$.status') AS status, json_extract(body, '$.filled_volume') AS filled
    FROM reports WHERE id IN (SELECT max(r.id) FROM drops d CROSS JOIN reports r
    ON r.order_ref BETWEEN d.id << {ROW_BITS} AND ((d.id + 1) << {ROW_BITS}) - 1
    WHERE d.trade_day BETWEEN ? AND ? AND r.kind = 'StatusReport' GROUP BY r.order_ref)"""
_FOREIGN: Final = """SELECT received_at, gateway, account_id, sid, kind, body FROM reports
    WHERE order_ref IS NULL AND received_at >= ? AND received_at < ? ORDER BY id"""


class Differing(NamedTuple):
    """between: `sent` (the bytes handed over), `archive` (the file kept of them) or `reports`."""

    between: str
    about: str
    journal: str
    other: str


def differences(
    connection: Connection, workspace: Workspace, tables: Tables, first: date, last: date, scope: SidScope
) -> list[Differing]:
    days = (day_number(first), day_number(last))
    sent = _Sent(tables, scope)
    query = "SELECT id, gateway, trade_day, content FROM batches WHERE trade_day BETWEEN ? AND ? ORDER BY id"
    found: list[Differing] = []
    for batch in connection.exec_driver_sql(query, days):
        found += sent.compare(batch)
        found += _kept(batch, workspace)
    found += sent.missing()
    reported = {row.order_ref: row for row in connection.exec_driver_sql(_LAST_REPORTS, days)}
    for order in tables.orders:
        found += _reported(order, reported.get(order.id))
    return found


class _Sent:
    """What stands in the batches, against the orders."""

    def __init__(self, tables: Tables, scope: SidScope) -> None:
        self._orders = {_wire(order, scope): order for order in tables.orders if order.batch_id is not None}
        self._scope: SidScope = scope
        self._seen: set[str] = set()
        self._unread: set[int] = set()

    def compare(self, batch: Any) -> Iterator[Differing]:
        rows = read_rows(batch.content)
        if rows is None:
            self._unread.add(batch.id)
            return
        for row in rows:
            order = self._orders.get(row["sid"])
            if order is None or order.batch_id != batch.id:
                continue  # of an order that was not chosen, or that went again in a later batch
            self._seen.add(row["sid"])
            yield from _fields(row, order, self._scope)

    def missing(self) -> Iterator[Differing]:
        for wire, order in self._orders.items():
            if wire not in self._seen and order.batch_id not in self._unread:
                yield Differing("sent", order.sid, f"batch {order.batch_id}", "不在其中 / is not in it")


def read_rows(content: bytes) -> list[dict[str, str]] | None:
    """The rows of a batch in 掘金's CSV; None for another format."""
    try:
        header, *lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    except (UnicodeDecodeError, csv.Error, ValueError):
        return None
    if ",".join(header) != ORDER_HEADER:
        return None
    return [dict(zip(_COLUMNS, line, strict=False)) for line in lines]


def _fields(row: Mapping[str, str], order: Order, scope: SidScope) -> Iterator[Differing]:
    ours = {
        "sid": _wire(order, scope), "account_id": order.account_id, "symbol": order.symbol, "volume": str(order.volume),
        "order_type": str(order.order_type), "order_business": str(order.order_business), "remark": order.remark or "",
    }  # fmt: skip
    for name, value in ours.items():
        if row.get(name) != value:
            yield Differing("sent", order.sid, f"{name} {value}", f"{name} {row.get(name)}")
    price = Decimal(row["price"]) if row.get("price") else None
    if price != order.price:
        yield Differing("sent", order.sid, f"price {order.price}", f"price {price}")


def _kept(batch: Any, workspace: Workspace) -> Iterator[Differing]:
    files = Archived(workspace.day(from_day_number(batch.trade_day)))
    name = f"sent/{batch.gateway}/{batch.id:08d}.order.csv"
    if files.has(name) and files.read(name) != batch.content:
        yield Differing("archive", name, f"batch {batch.id}", "内容不同 / another content")


def _reported(order: Order, told: Any) -> Iterator[Differing]:
    """The broker's last word on an order against ours."""
    if told is None:
        if order.status in AT_BROKER and order.batch_id is not None:
            yield Differing("reports", order.sid, order.status, "没有回报 / no report")
        return
    if told.filled > order.filled_volume:
        yield Differing("reports", order.sid, f"filled {order.filled_volume}", f"filled {told.filled}")
    elif (
        told.status != order.status and Status(told.status) in TERMINAL and order.filled_volume < order.volume
    ):
        yield Differing("reports", order.sid, order.status, told.status)


def _wire(order: Order, scope: SidScope) -> str:
    return wire_sid(order.sid, from_day_number(order.day), scope)


def by_hand(connection: Connection, first: date, last: date) -> list[dict[str, Any]]:
    """Orders at the broker that are not ours: entered by hand (without a sid), or by another program."""
    begin, end = (from_datetime(_midnight(day)) for day in (first, date.fromordinal(last.toordinal() + 1)))
    found: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for report in connection.exec_driver_sql(_FOREIGN, (begin, end)):
        body = json.loads(report.body)
        order_id = body.get("order_id") or ""
        key = (report.gateway, report.account_id, report.sid, order_id)
        one = found.setdefault(
            key,
            {
                "gateway": report.gateway, "account_id": report.account_id, "sid": report.sid or None, "order_id": order_id or None,
                "first_at": iso(Micros(body.get("at") or report.received_at)), "status": None, "reports": 0,
                "filled_volume": 0, "value": "0",
            },
        )  # fmt: skip
        one["reports"] += 1
        one["status"] = body.get("status") or one["status"]
        if report.kind == "Fill":
            one["filled_volume"] += body["volume"]
            one["value"] = str(Decimal(one["value"]) + body["volume"] * Decimal(body["price"]))
    return list(found.values())


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
