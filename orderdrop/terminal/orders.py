"""An order as the terminal keeps it, in 掘金's codes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Final, NamedTuple

from orderdrop.system.clock import Micros
from orderdrop.terminal.inputs import OrderRow
from orderdrop.terminal.symbols import BUY, SELL

_FIRST_ORDER_ID: Final = 300_000
_WHOLE: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_MONEY: Final = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?)?", re.ASCII)


class Status(IntEnum):
    NEW = 1
    PARTIALLY_FILLED = 2
    FILLED = 3
    CANCELED = 5
    PENDING_CANCEL = 6
    REJECTED = 8
    PENDING_NEW = 10


LIVE: Final = frozenset({Status.NEW, Status.PARTIALLY_FILLED, Status.PENDING_CANCEL, Status.PENDING_NEW})


@dataclass(slots=True)
class Order:
    """number: of the day, from 1. price: of its row, 0 for none. worth: the price at which it trades, in yuan.

    What a row said that is no number stands as 0. order_id is empty until the broker has taken it.
    """

    number: int
    cl_ord_id: str
    account_id: str
    sid: str
    symbol: str
    order_type: int
    business: int
    volume: int
    price: Decimal
    worth: Decimal
    created_at: Micros
    order_id: str = ""
    status: Status = Status.PENDING_NEW
    reject_code: int = 0
    reject_text: str = ""
    filled: int = 0
    fills: int = 0

    @property
    def live(self) -> bool:
        return self.status in LIVE

    @property
    def rest(self) -> int:
        return self.volume - self.filled

    def acknowledge(self) -> None:
        self.order_id = str(_FIRST_ORDER_ID + self.number)


class Trade(NamedTuple):
    """A row of the execution report: a fill, or a refused cancel (reject_code is not 0)."""

    exec_id: str
    price: Decimal
    volume: int
    at: Micros
    reject_code: int = 0
    reject_text: str = ""


def whole(text: str) -> int:
    """0 for what is not a whole number."""
    return int(text) if _WHOLE.fullmatch(text) else 0


def money(text: str) -> Decimal | None:
    """An empty cell is 0; None: not a price."""
    return Decimal(text or 0) if _MONEY.fullmatch(text) else None


def side_of(row: OrderRow) -> str:
    """For the ledger."""
    return {BUY: "buy", SELL: "sell"}.get(whole(row.business), row.business)
