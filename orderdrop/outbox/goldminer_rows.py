"""Writes our state as the rows of 掘金's result files. Takes the journal's rows as they are asked for by the outbox."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from orderdrop.domain import goldminer_format as gm
from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.domain.report import Account
from orderdrop.domain.status import Status
from orderdrop.system.clock import Micros
from orderdrop.system.csv_tables import harmless

STATUS_HEADER: Final = gm.ORDER_STATUS_HEADER
EXECUTION_HEADER: Final = gm.EXECUTION_HEADER
CASH_HEADER: Final = gm.CASH_HEADER
POSITION_HEADER: Final = gm.POSITION_HEADER
SCAN_NAME: Final = "orderdrop"
_OUR_NO: Final = 1
_NEEDS_QUOTES: Final = str.maketrans({",": ";", '"': "'", "\n": " ", "\r": " "})
"""Many a program cuts a line at its commas."""

_WHOLE: Final = re.compile(r"-?[0-9]{1,15}")
_PRICE: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")
_BOM: Final = b"\xef\xbb\xbf"


def with_header(header: str, rows: Iterable[list[str]]) -> bytes:
    """Returns a whole file, as the terminal writes it: UTF-8 with BOM."""
    return _BOM + f"{header}\n".encode() + lines(rows)


def lines(rows: Iterable[list[str]]) -> bytes:
    return "".join(map(gm.line, rows)).encode()


def status(order: Any) -> list[str]:
    """Returns a row of order_status.csv: where an order stands now, as the broker told it: its fills may follow."""
    said, told = Status(order.status), getattr(order, "told_volume", None) or 0
    if said is Status.PARTIALLY_FILLED and told >= order.volume:
        said = Status.FILLED
    return _status_row(order, said, max(order.filled_volume, told), order.updated_at)


def status_change(change: Any) -> list[str]:
    """Returns a row of order_status_change.csv: an order's state after one event; where the broker told it, in the broker's words.

    An order of which the broker says that it is filled is open for us until its fills are there: that is no state of the broker's.
    """
    said, filled = Status(change.event), change.filled_then or 0
    told = {
        Status(report["status"]): report["filled_volume"] for report in json.loads(change.said_then or "[]")
    }
    if said is Status.PARTIALLY_FILLED and said not in told and Status.FILLED in told:
        said = Status.FILLED
    return _status_row(change, said, max(filled, told.get(said, 0)), change.at)


def refused_row(at: int, detail: str) -> tuple[str, str, list[str]]:
    """Account, sid and a row of order_status.csv for a row that could not be read as an order: a rejection, as the terminal's would be."""
    said = json.loads(detail)
    code, column, value, bound = said["why"]
    state = gm.OrderState(
        account_id=said["account_id"],
        sid=harmless(said["sid"]),
        order_id="",
        symbol=harmless(said["symbol"]),
        order_type=_number(said["order_type"]),
        order_business=_number(said["order_business"]),
        status=Status.DENIED,
        reject_code=_OUR_NO,
        reject_text=explain(Refusal(Code(code), column, value, bound)).text().translate(_NEEDS_QUOTES),
        price=_price(said["price"]),
        volume=_number(said["volume"]),
        filled_volume=0,
        created_at=Micros(at),
        updated_at=Micros(at),
        sent_at=None,
    )
    return said["account_id"], said["sid"], gm.order_status_row(state, SCAN_NAME, Micros(at))


def _number(text: str) -> int:
    """A whole number that a program can read, 0 for what is none."""
    return int(text) if _WHOLE.fullmatch(text) else 0


def _price(text: str) -> Decimal | None:
    return Decimal(text) if _PRICE.fullmatch(text) else None


def execution(fill: Any) -> list[str]:
    """Returns a row of execution_report.csv."""
    execution = gm.Execution(
        account_id=fill.account_id,
        sid=fill.sid,
        order_id=harmless(fill.order_id),
        exec_id=harmless(fill.exec_id),
        symbol=fill.symbol,
        order_type=fill.order_type,
        order_business=fill.order_business,
        price=Decimal(fill.fill_price),
        volume=fill.fill_volume,
        created_at=Micros(fill.at),
    )
    return gm.execution_row(execution, SCAN_NAME, Micros(fill.at))


def cash_rows(account: Account) -> list[list[str]]:
    return [gm.cash_row(account, account.at, account.at)]


def position_rows(account: Account) -> list[list[str]]:
    at = account.at if account.held_at is None else account.held_at
    return [gm.position_row(account.account_id, position, at, at, at) for position in account.positions]


def _status_row(order: Any, said: Status, filled: int, at: int) -> list[str]:
    reject_code, reject_text = (
        _rejection(order) if gm.CODE_OF[said] == gm.CODE_OF[Status.REJECTED] else (0, "")
    )
    state = gm.OrderState(
        account_id=order.account_id,
        sid=order.sid,
        order_id=harmless(order.order_id),
        symbol=order.symbol,
        order_type=order.order_type,
        order_business=order.order_business,
        status=said,
        reject_code=reject_code,
        reject_text=harmless(reject_text),
        price=None if order.price is None else Decimal(order.price),
        volume=order.volume,
        filled_volume=filled,
        created_at=Micros(order.received_at),
        updated_at=Micros(at),
        sent_at=None if order.submitted_at is None else Micros(order.submitted_at),
    )
    return gm.order_status_row(state, SCAN_NAME, Micros(at))


def _rejection(order: Any) -> tuple[int, str]:
    """The broker's reason, or ours as 掘金's "risk rule"."""
    if order.reason_code == Code.BROKER_REJECTED:
        return int(order.reason_bound or 0), order.reason_value or ""
    if not order.reason_code:
        return 0, ""
    why = Refusal(
        Code(order.reason_code), order.reason_column or "", order.reason_value or "", order.reason_bound or ""
    )
    return _OUR_NO, explain(why).text().translate(_NEEDS_QUOTES)
