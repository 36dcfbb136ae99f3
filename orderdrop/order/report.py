"""What a gateway tells: a status, a fill, a refused cancel, an account. Facts about the broker's side, never ours."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from orderdrop.clock import Micros
from orderdrop.order.status import Status


class StatusReport(NamedTuple):
    """The broker says where an order stands.

    sid: as the terminal knows it (see `wire_sid`). filled_volume: cumulative, in shares, as claimed by the broker.
    code: 掘金's reject reason, 0 for none. text: the broker's own words.
    """

    at: Micros
    account_id: str
    sid: str
    status: Status
    order_id: str = ""
    filled_volume: int = 0
    code: int = 0
    text: str = ""


class Fill(NamedTuple):
    """One execution. exec_id is the broker's and unique within the account: the key by which a fill counts once.

    volume: shares; price: yuan; fee: yuan, all charges together, None where the broker does not tell.
    """

    at: Micros
    account_id: str
    sid: str
    exec_id: str
    volume: int
    price: Decimal
    order_id: str = ""
    fee: Decimal | None = None


class CancelReject(NamedTuple):
    """The broker did not cancel (code: 掘金's 101 finished, 102 unknown order, 103 broker option, 104 pending)."""

    at: Micros
    account_id: str
    sid: str
    code: int
    text: str = ""


Report = StatusReport | Fill | CancelReject


class Position(NamedTuple):
    """A holding in one symbol. Volumes in shares; vwap and price in yuan."""

    symbol: str
    volume: int
    volume_today: int
    available: int
    vwap: Decimal
    price: Decimal


class Account(NamedTuple):
    """A snapshot of funds and holdings, in yuan. `frozen`: cash set aside for open buy orders."""

    at: Micros
    account_id: str
    balance: Decimal
    available: Decimal
    frozen: Decimal
    market_value: Decimal
    pnl: Decimal
    positions: tuple[Position, ...]
