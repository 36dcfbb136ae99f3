"""Answers four questions alike for every gateway: cash, positions, the broker's orders, trades.

Answered from what the router has last been told and has written down, so nobody needs a connection of their own, and it works while no
router runs; `at` says how old an answer is. Changes nothing.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.identity import day_number
from orderdrop.domain.order import SIDE_OF, OrderBusiness
from orderdrop.domain.report import Unreadable, clean, whole
from orderdrop.domain.status import Status
from orderdrop.errors import JournalError
from orderdrop.journal.journal import reading_engine
from orderdrop.journal.reader import Reading, read
from orderdrop.system.clock import SHANGHAI, Micros, from_datetime, iso
from orderdrop.system.files import patiently
from orderdrop.views.orders import BrokerOrderView, CashView, PositionView, TradeView

_RECEIPTS: Final = "receipts"


def cash(place: Workspace, account_id: str | None = None) -> list[CashView]:
    """The funds of each account that a gateway has told of."""
    return [
        CashView(
            account_id=row["account_id"], at=row["updated_at"], balance=row["balance"], available=row["available"],
            frozen=row["order_frozen"], market_value=row["market_value"], nav=row["nav"], pnl=row["pnl"],
        )
        for row in _rows(place, "cash.csv", account_id)
    ]  # fmt: skip


def positions(
    place: Workspace, account_id: str | None = None, symbol: str | None = None
) -> list[PositionView]:
    """The holdings of each account."""
    return [
        PositionView(
            account_id=row["account_id"], at=row["updated_at"], symbol=row["symbol"], volume=_count(row["volume"]),
            volume_today=_count(row["volume_today"]), available=_count(row["available_now"]), vwap=row["vwap"],
            price=row["price"], market_value=row["market_value"],
        )
        for row in _rows(place, "position.csv", account_id)
        if symbol in {None, row["symbol"]}
    ]  # fmt: skip


def broker_orders(
    reading: Reading | None, day: date, account_id: str | None = None, symbol: str | None = None
) -> list[BrokerOrderView]:
    """A day's orders as the broker last spoke of them, in its order; those that did not come from here have no sid."""
    newest: dict[tuple[str, str, str, bool], tuple[Any, dict[str, Any]]] = {}
    for row, body in _told(reading, day, "StatusReport"):
        ours = row.order_sid is not None  # somebody else may bear its sid
        key = (row.gateway, row.account_id, row.sid or f"#{body['order_id']}", ours)  # no sid has a `#`
        newest[key] = (row, body)
    found = (_broker_order(row, body) for row, body in newest.values())
    return [one for one in found if account_id in {None, one.account_id} and symbol in {None, one.symbol}]


def trades(
    reading: Reading | None, day: date, account_id: str | None = None, symbol: str | None = None
) -> list[TradeView]:
    """A day's fills, in the order in which they were told, each once."""
    found = {
        (row.gateway, row.account_id, row.sid, body["exec_id"], row.order_sid is None): _trade(row, body)
        for row, body in _told(reading, day, "Fill")
    }
    return [
        one for one in found.values() if account_id in {None, one.account_id} and symbol in {None, one.symbol}
    ]


@contextmanager
def journal(settings: Settings, place: Workspace) -> Iterator[Reading | None]:
    """The journal, to read only; None when no router has run yet. Raises JournalError."""
    try:
        engine = reading_engine(settings.journal.url, place.root)
    except JournalError:
        yield None
        return
    try:
        with read(engine) as reading:
            yield reading
    finally:
        engine.dispose()


def _rows(place: Workspace, name: str, account_id: str | None) -> Iterator[dict[str, str]]:
    """A table of every account's folder below the outbox, oldest name first, by its columns' long names."""
    if not place.outbox.is_dir():
        return
    for folder in sorted(place.outbox.iterdir()):
        path = folder / name
        if folder.name == _RECEIPTS or not path.is_file():
            continue
        lines = patiently(lambda path=path: path.read_text(encoding="utf-8-sig")).splitlines()  # type: ignore[misc]
        try:
            header, *rows = csv.reader(lines)
        except (csv.Error, ValueError):  # an earlier version wrote what a terminal told, however long
            continue
        columns = [column.partition("(")[0] for column in header]
        for cells in rows:
            row = dict(zip(columns, map(clean, cells), strict=len(cells) == len(columns)))
            if account_id in {None, row.get("account_id")} and len(row) == len(columns):
                yield row


def _count(text: str) -> int:
    """0 for what is none."""
    try:
        return whole(text, "a volume")
    except Unreadable:
        return 0


def _worth(price: str, volume: int) -> str:
    """Empty where it cannot be reckoned."""
    try:
        return str(Decimal(price) * volume)
    except ArithmeticError:
        return ""


def _told(reading: Reading | None, day: date, kind: str) -> Iterable[tuple[Any, dict[str, Any]]]:
    """Reports of one kind: of the day's orders, and of others that were told on that day."""
    if reading is None:
        return ()
    begin = datetime.combine(day, time(), SHANGHAI)
    end = begin + timedelta(days=1)
    rows = reading.reports_of_day(day_number(day), from_datetime(begin), from_datetime(end), kind)
    return ((row, json.loads(row.body)) for row in rows)


def _broker_order(row: Any, body: dict[str, Any]) -> BrokerOrderView:
    return BrokerOrderView(
        **_whose(row), at=iso(Micros(body["at"])), order_id=body["order_id"] or None, price=row.price,
        volume=row.volume, status=Status(body["status"]), filled_volume=body["filled_volume"],
        reason=clean(body["text"]) or None,
    )  # fmt: skip


def _trade(row: Any, body: dict[str, Any]) -> TradeView:
    return TradeView(
        **_whose(row), at=iso(Micros(body["at"])), order_id=body["order_id"] or None, exec_id=body["exec_id"],
        volume=body["volume"], price=body["price"], value=_worth(body["price"], body["volume"]),
        fee=body["fee"],
    )  # fmt: skip


def _whose(row: Any) -> dict[str, Any]:
    side = None if row.order_business is None else SIDE_OF[OrderBusiness(row.order_business)]
    return {
        "gateway": row.gateway, "account_id": row.account_id, "sid": row.order_sid, "symbol": row.symbol, "side": side,
    }  # fmt: skip
