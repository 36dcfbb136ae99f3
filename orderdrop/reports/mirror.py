"""Our state as the rows of 掘金's result files. Takes the journal's rows as they are asked for by the outbox."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from orderdrop.clock import Micros
from orderdrop.order import goldminer_format as gm
from orderdrop.order.refusal import Code, Refusal, explain
from orderdrop.order.report import Account
from orderdrop.order.status import Status

STATUS_HEADER: Final = gm.ORDER_STATUS_HEADER
EXECUTION_HEADER: Final = gm.EXECUTION_HEADER
SCAN_NAME: Final = "orderdrop"
_OUR_NO: Final = 1
_NEEDS_QUOTES: Final = str.maketrans({",": ";", '"': "'", "\n": " ", "\r": " "})
"""Many a program cuts a line at its commas."""

_BOM: Final = b"\xef\xbb\xbf"


def with_header(header: str, rows: Iterable[list[str]]) -> bytes:
    """A whole file, as the terminal writes it: UTF-8 with BOM."""
    return _BOM + f"{header}\n".encode() + lines(rows)


def lines(rows: Iterable[list[str]]) -> bytes:
    return "".join(map(gm.line, rows)).encode()


def status(order: Any) -> list[str]:
    """A row of order_status.csv: where an order stands now."""
    return _status_row(order, Status(order.status), order.filled_volume, order.updated_at)


def status_change(change: Any) -> list[str]:
    """A row of order_status_change.csv: an order's state after one event."""
    said = Status(change.event)
    filled = change.filled_then if change.filled_then is not None else 0
    return _status_row(change, said, filled, change.at)


def execution(fill: Any) -> list[str]:
    """A row of execution_report.csv."""
    execution = gm.Execution(
        account_id=fill.account_id,
        sid=fill.sid,
        order_id=fill.order_id or "",
        exec_id=fill.exec_id,
        symbol=fill.symbol,
        order_type=fill.order_type,
        order_business=fill.order_business,
        price=Decimal(fill.fill_price),
        volume=fill.fill_volume,
        created_at=Micros(fill.at),
    )
    return gm.execution_row(execution, SCAN_NAME, Micros(fill.at))


def cash_table(account: Account) -> bytes:
    return with_header(gm.CASH_HEADER, [gm.cash_row(account, account.at, account.at)])


def position_table(account: Account) -> bytes:
    rows = [
        gm.position_row(account.account_id, position, account.at, account.at, account.at)
        for position in account.positions
    ]
    return with_header(gm.POSITION_HEADER, rows)


def _status_row(order: Any, said: Status, filled: int, at: int) -> list[str]:
    reject_code, reject_text = (
        _rejection(order) if gm.CODE_OF[said] == gm.CODE_OF[Status.REJECTED] else (0, "")
    )
    state = gm.OrderState(
        account_id=order.account_id,
        sid=order.sid,
        order_id=order.order_id or "",
        symbol=order.symbol,
        order_type=order.order_type,
        order_business=order.order_business,
        status=said,
        reject_code=reject_code,
        reject_text=reject_text,
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
