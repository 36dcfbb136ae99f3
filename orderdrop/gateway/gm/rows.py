"""Reads what 掘金's API tells, as reports and accounts; says which of its orders can be one of ours. Pure.

The codes are those of the file orders (order/goldminer_format). Numbers come as doubles: prices are read with four decimals, as the
vendor's own package rounds them. What is beyond all bounds (domain/report) does not read: Unreadable. A double that is no number, or is as large as
doubles go, is how a terminal says that it does not know.
"""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO
from typing import Any, Final

from orderdrop.domain.goldminer_format import LONG, STATUS_OF, ExecType
from orderdrop.domain.report import (
    MOST_SHARES,
    Account,
    CancelReject,
    Fill,
    Position,
    StatusReport,
    Unreadable,
    instant,
    name,
)
from orderdrop.domain.status import Status
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Outgoing
from orderdrop.system.clock import Micros

Told = dict[str, Any]
"""An order, a report, a fund or a position, by the names of the vendor's messages."""

Terms = tuple[str, str, int, int]
"""Account, symbol, side and volume."""

EARLY: Final = 5_000_000
LATE: Final = 120_000_000
"""Microseconds before and after a hand-over within which the terminal may have made the order of it."""

_PRECISION: Final = Decimal("0.0001")
_CENT: Final = Decimal("0.01")
_HUGE: Final = 1e15
_HIGHEST: Final = 1e9


def read_batch(content: bytes) -> list[Outgoing]:
    """The orders of a batch, as `order_file` wrote them. Raises GatewayError for anything else."""
    try:
        rows = list(csv.reader(StringIO(content.decode("utf-8"), newline=""), strict=True))[1:]
        return [
            Outgoing(
                sid, account, symbol, int(volume), int(kind), int(business),
                Decimal(price) if price else None, remark,
            )
            for sid, account, symbol, volume, kind, business, price, remark in rows
        ]  # fmt: skip
    except (ValueError, ArithmeticError, csv.Error) as error:
        raise GatewayError(f"这批委托读不懂 / this batch does not read: {error}") from error


def status_report(sid: str, order: Told, now: Micros) -> StatusReport:
    """A status that the vendor has not told us of says one thing for sure: the terminal has the order, and it may be live. Raises Unreadable."""
    status = STATUS_OF.get(order["status"], Status.PENDING_NEW)
    rejected = status is Status.REJECTED
    return StatusReport(
        instant(order["updated_at"] or order["created_at"] or now, now),
        order["account_id"],
        sid,
        status,
        name(order["order_id"], "order_id"),
        shares(order["filled_volume"], "filled_volume"),
        shares(order["ord_rej_reason"], "ord_rej_reason") if rejected else 0,
        order["ord_rej_reason_detail"] if rejected else "",
    )


def event(sid: str, report: Told, now: Micros) -> tuple[str, Fill | CancelReject] | None:
    """A fill or a refused cancel, with the key by which it counts once; None for what the order itself tells as well. Raises Unreadable."""
    at = instant(report["created_at"] or now, now)
    priced = -_HIGHEST < report["price"] < _HIGHEST
    if report["exec_type"] == ExecType.TRADE and report["exec_id"] and report["volume"] > 0 and priced:
        fee = money(report["commission"])
        fill = Fill(
            at, report["account_id"], sid, name(report["exec_id"], "exec_id"), shares(report["volume"], "volume"),
            price_of(report["price"]), name(report["order_id"], "order_id"), fee or None,
        )  # fmt: skip
        return f"fill {report['exec_id']}", fill
    if report["exec_type"] == ExecType.CANCEL_REJECTED:
        words = report["ord_rej_reason_detail"]
        key = f"no {report['cl_ord_id']} {report['exec_id'] or at}"
        code = shares(report["ord_rej_reason"], "ord_rej_reason")
        return key, CancelReject(at, report["account_id"], sid, code, words)
    return None


def account(account_id: str, cash: Told, positions: list[Told], now: Micros) -> Account:
    """Short positions are left out. Raises Unreadable when the money or a holding is not told."""
    if not (_is_number(cash["balance"]) and _is_number(cash["available"])):
        raise Unreadable("funds without money")
    return Account(
        now,
        account_id,
        money(cash["balance"]),
        money(cash["available"]),
        money(cash["order_frozen"]),
        money(cash["market_value"]),
        money(cash["pnl"]),
        tuple(
            Position(
                name(held["symbol"], "symbol"), shares(held["volume"], "volume"), shares(held["volume_today"], "volume_today"),
                shares(held["available_now"], "available_now"), price_of(held["vwap"]), price_of(held["price"]),
            )
            for held in positions
            if str(held["side"]) in {LONG, "0"}
        ),
        held_at=now,
    )  # fmt: skip


def terms(order: Told) -> Terms:
    return order["account_id"], order["symbol"], order["side"], order["volume"]


def terms_of_ours(ours: Outgoing) -> Terms:
    return ours.account_id, ours.symbol, ours.order_business, ours.volume


def has_our_price(order: Told, ours: Outgoing) -> bool:
    """A market order's price may have been filled in."""
    return ours.price is None or price_of(order["price"]) == ours.price


def is_in_time(order: Told, begun_at: int) -> bool:
    """begun_at: when the hand-over began, 0 if nobody remembers: then any time will do."""
    return not begun_at or begun_at - EARLY <= order["created_at"] <= begun_at + LATE


def shares(told: Any, what: str) -> int:
    """A count as it came, whole and not below nothing. Raises Unreadable."""
    if not (isinstance(told, int | float) and 0 <= told < MOST_SHARES and told == int(told)):
        raise Unreadable(f"{what} is beyond all bounds")
    return int(told)


def price_of(number: float) -> Decimal:
    """Nothing, for what is no number."""
    if not _is_number(number):
        return Decimal(0)
    price = Decimal(repr(number)).quantize(_PRECISION)
    cents = price.quantize(_CENT)
    return cents if cents == price else price


def money(number: float) -> Decimal:
    return Decimal(repr(number)).quantize(_CENT) if _is_number(number) else Decimal(0)


def _is_number(told: float) -> bool:
    return -_HUGE < told < _HUGE
