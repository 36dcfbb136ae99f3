"""Reads the journal as tables: one row an order, one row an event. Their columns are a contract, see docs/journal.md.

`load` keeps money exact, as Decimal, for the figures; what users get has numbers that pandas can reckon with.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from sqlalchemy import Connection

from orderdrop.archive.day import Archived
from orderdrop.config.sources import load as load_settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.codes import Code
from orderdrop.domain.identity import day_number, from_day_number
from orderdrop.domain.order import SIDE_OF, OrderBusiness
from orderdrop.domain.refusal import Language, Refusal, explain
from orderdrop.journal.journal import reading_engine, snapshot
from orderdrop.journal.schema import ROW_BITS
from orderdrop.system.clock import SHANGHAI
from orderdrop.system.extras import library
from orderdrop.views.orders import average_of

if TYPE_CHECKING:
    import pandas as pd

ORDER_COLUMNS: Final = (
    "trade_date", "sid", "account_id", "strategy", "symbol", "side", "order_type", "order_business", "volume", "price", "remark",
    "status", "filled_volume", "filled_value", "avg_price", "fee", "order_id", "gateway", "reason_code", "reason", "drop", "row",
    "written_at", "received_at", "admitted_at", "submitted_at", "confirmed_at", "filled_at", "closed_at", "updated_at",
)  # fmt: skip
EVENT_COLUMNS: Final = (
    "event_id", "at", "trade_date", "sid", "account_id", "symbol", "event", "source", "detail", "filled_volume", "drop", "row",
)  # fmt: skip
MONEY: Final = frozenset({"price", "filled_value", "avg_price", "fee"})
_WHOLE: Final = frozenset({"order_type", "order_business", "volume", "filled_volume", "row", "event_id"})
INSTANTS: Final = frozenset({"at", *(name for name in ORDER_COLUMNS if name.endswith("_at"))})

What = Literal["orders", "events"]
COLUMNS: Final[dict[What, tuple[str, ...]]] = {"orders": ORDER_COLUMNS, "events": EVENT_COLUMNS}

_BELOW: Final = f"BETWEEN d.id << {ROW_BITS} AND ((d.id + 1) << {ROW_BITS}) - 1"
_DAYS: Final = "d.trade_day BETWEEN ? AND ?"
_ORDERS: Final = f"""SELECT o.id, o.trade_day, o.sid, o.account_id, o.strategy, o.symbol, o.order_type, o.order_business, o.volume,
    o.price, o.remark, o.status, o.filled_volume, o.filled_value, o.order_id, o.gateway, o.batch_id, o.reason_code, o.reason_column,
    o.reason_value, o.reason_bound, d.name AS drop_name,
    coalesce(o.received_at, d.received_at) AS received_at, d.archived_as, o.submitted_at, o.confirmed_at, o.closed_at,
    o.updated_at, (SELECT min(e.at) FROM events e WHERE e.order_ref = o.id AND e.source = 'router') AS admitted_at
    FROM drops d CROSS JOIN orders o ON o.id {_BELOW} WHERE {_DAYS} ORDER BY o.id"""
_EVENTS: Final = f"""SELECT e.id, e.at, e.order_ref, e.event, e.source, e.detail, e.filled_volume
    FROM drops d CROSS JOIN events e ON e.order_ref {_BELOW} WHERE {_DAYS} ORDER BY e.id"""
_FILLS: Final = f"""SELECT f.order_ref, f.exec_id, f.at, f.volume, f.price, f.fee
    FROM drops d CROSS JOIN fills f ON f.order_ref {_BELOW} WHERE {_DAYS} ORDER BY f.id"""
_ROWS: Final = f"""SELECT d.trade_day, d.name AS drop_name, d.strategy, r.id & {(1 << ROW_BITS) - 1} AS row, r.outcome, r.sid,
    r.reason_code, r.reason_column, r.reason_value, r.reason_bound
    FROM drops d CROSS JOIN rows r ON r.id {_BELOW} WHERE {_DAYS} ORDER BY r.id"""
_CANCELS: Final = f"""SELECT i.id, i.kind, i.sid, i.order_ref, i.state, i.reason_code,
    coalesce(i.received_at, d.received_at) AS received_at, i.updated_at
    FROM drops d CROSS JOIN instructions i ON i.id {_BELOW} WHERE {_DAYS} ORDER BY i.id"""
_DROPS: Final = f"SELECT d.* FROM drops d WHERE {_DAYS} ORDER BY d.id"


class Order(NamedTuple):
    """An order as figures are made of it. Instants in microseconds, money in yuan, volumes in shares.

    written_at: when its file was last written, if that was before it came in. filled_at: of the last fill. fee: None when the
    broker tells none.
    """

    id: int
    day: int
    sid: str
    account_id: str
    strategy: str
    symbol: str
    side: str
    order_type: int
    order_business: int
    volume: int
    price: Decimal | None
    remark: str | None
    status: str
    filled_volume: int
    filled_value: Decimal
    fee: Decimal | None
    order_id: str | None
    gateway: str | None
    batch_id: int | None
    why: Refusal | None
    drop: str
    row: int
    written_at: int | None
    received_at: int
    admitted_at: int
    submitted_at: int | None
    confirmed_at: int | None
    filled_at: int | None
    closed_at: int | None
    updated_at: int

    @property
    def avg_price(self) -> Decimal | None:
        return average_of(self.filled_value, self.filled_volume)


class Tables(NamedTuple):
    """What the journal holds of some days, narrowed to some orders. Everything but `orders` are journal rows."""

    orders: list[Order]
    events: list[Any]
    fills: list[Any]
    drops: list[Any]
    rows: list[Any]
    instructions: list[Any]


class Choice(NamedTuple):
    """Which orders; None: any."""

    account: str | None = None
    strategy: str | None = None
    symbol: str | None = None

    def takes(self, order: Order) -> bool:
        wanted = (
            (self.account, order.account_id),
            (self.strategy, order.strategy),
            (self.symbol, order.symbol),
        )
        return all(one is None or one == other for one, other in wanted)


def load(
    connection: Connection, workspace: Workspace, first: date, last: date, choice: Choice | None = None
) -> Tables:
    """Of the days from `first` to `last`. Refused rows name no account or symbol: a choice of these leaves them out.

    connection: in a snapshot, if a router may be running.
    """
    choice = choice or Choice()
    days = (day_number(first), day_number(last))

    def rows(query: str) -> list[Any]:
        return list(connection.exec_driver_sql(query, days).all())

    drops, fills = rows(_DROPS), rows(_FILLS)
    written = _written(drops, workspace)
    of_order: dict[int, list[Any]] = {}
    for fill in fills:
        of_order.setdefault(fill.order_ref, []).append(fill)
    every = (_order(row, of_order.get(row.id, ()), written) for row in rows(_ORDERS))
    orders = [order for order in every if choice.takes(order)]
    ids = {order.id for order in orders}
    by_place = choice.account or choice.symbol
    return Tables(
        orders,
        [event for event in rows(_EVENTS) if event.order_ref in ids],
        [fill for fill in fills if fill.order_ref in ids],
        drops,
        [] if by_place else [row for row in rows(_ROWS) if choice.strategy in {None, row.strategy}],
        [asked for asked in rows(_CANCELS) if asked.order_ref in ids or choice == Choice()],
    )


def _order(row: Any, fills: Sequence[Any], written: dict[str, int]) -> Order:
    fees = [Decimal(fill.fee) for fill in fills if fill.fee is not None]
    why = None
    if row.reason_code:
        why = Refusal(
            Code(row.reason_code), row.reason_column or "", row.reason_value or "", row.reason_bound or ""
        )
    at = written.get(row.archived_as or "")
    return Order(
        row.id, row.trade_day, row.sid, row.account_id, row.strategy or "", row.symbol,
        SIDE_OF[OrderBusiness(row.order_business)], row.order_type, row.order_business, row.volume,
        None if row.price is None else Decimal(row.price), row.remark, row.status, row.filled_volume,
        Decimal(row.filled_value or 0), sum(fees, Decimal(0)) if fees else None, row.order_id, row.gateway, row.batch_id, why,
        row.drop_name, row.id & ((1 << ROW_BITS) - 1), at if at is not None and at <= row.received_at else None, row.received_at,
        row.received_at if row.admitted_at is None else row.admitted_at, row.submitted_at, row.confirmed_at,
        max((fill.at for fill in fills), default=None), row.closed_at, row.updated_at,
    )  # fmt: skip


def _written(drops: Iterable[Any], workspace: Workspace) -> dict[str, int]:
    """When the files of drops were last written, by where they stand now; they keep that when they are put away."""
    found: dict[str, int] = {}
    kept: dict[str, Archived] = {}
    for drop in drops:
        where = drop.archived_as or ""
        home, _, rest = where.partition("/")
        day, _, name = rest.partition("/")
        if home != "archive" or not name:
            continue
        files = kept.setdefault(day, Archived(workspace.archive / day))
        at = files.written_at(name)
        if at is not None:
            found[where] = at
    return found


# for users


def read_journal(
    day: date | str,
    to: date | str | None = None,
    *,
    workspace: str | os.PathLike[str] = ".",
    what: What = "orders",
) -> pd.DataFrame:
    """The journal of a day as a DataFrame: one row an order, or one row an event.

    Args:
        day: a date, or `"2026-11-20"`.
        to: the last of several days.
        workspace: the workspace's folder.
        what: "orders" or "events".

    Returns:
        The columns of docs/journal.md. Instants are in Shanghai time, money in yuan.

    Raises:
        ConfigError: `workspace` is no workspace.
        JournalError: there is no journal yet, or it cannot be read.
        OrderdropError: pandas is not installed.
    """
    settings, place = load_settings(Path(workspace))
    first = _date(day)
    engine = reading_engine(settings.journal.url, place.root)
    try:
        with snapshot(engine) as connection:
            tables = load(connection, place, first, _date(to) if to else first)
    finally:
        engine.dispose()
    return frame(tables, what, settings.log.language)


def frame(tables: Tables, what: What, language: Language = "zh+en") -> pd.DataFrame:
    """Raises OrderdropError when pandas is not installed."""
    pandas = library("pandas")
    columns: tuple[str, ...] = COLUMNS[what]
    made: pd.DataFrame = pandas.DataFrame(cells(tables, what, language), columns=list(columns), dtype=object)
    for name in columns:
        if name in INSTANTS:
            # What lies beyond all calendars (a terminal once told it) is no time.
            instants = pandas.to_datetime(made[name].astype("Int64"), unit="us", utc=True, errors="coerce")
            made[name] = instants.dt.tz_convert(SHANGHAI)
        elif name == "trade_date":
            made[name] = pandas.to_datetime(made[name])
        elif name in MONEY:
            made[name] = made[name].astype("float64")
        elif name in _WHOLE:
            made[name] = made[name].astype("Int64")
        else:
            made[name] = made[name].astype("string")
    return made


def cells(tables: Tables, what: What, language: Language = "zh+en") -> list[tuple[Any, ...]]:
    """Row by row, in the order of COLUMNS; instants in microseconds, money as Decimal."""
    return (
        [_order_cells(order, language) for order in tables.orders]
        if what == "orders"
        else [*_event_cells(tables)]
    )


def _order_cells(order: Order, language: Language) -> tuple[Any, ...]:
    facts = order._asdict() | {
        "trade_date": from_day_number(order.day).isoformat(),
        "avg_price": order.avg_price,
        "filled_value": order.filled_value if order.filled_volume else None,
        "strategy": order.strategy or None,
        "reason_code": order.why and str(order.why.code),
        "reason": order.why and explain(order.why, language).text(language),
    }
    return tuple(facts[name] for name in ORDER_COLUMNS)


def _event_cells(tables: Tables) -> Iterable[tuple[Any, ...]]:
    orders = {order.id: order for order in tables.orders}
    for event in tables.events:
        order = orders[event.order_ref]
        yield (
            event.id, event.at, from_day_number(order.day).isoformat(), order.sid, order.account_id, order.symbol, event.event,
            event.source, event.detail, event.filled_volume, order.drop, order.row,
        )  # fmt: skip


def _date(day: date | str) -> date:
    """Raises ValueError."""
    if isinstance(day, datetime):
        return day.date()
    return day if isinstance(day, date) else date.fromisoformat(day)
