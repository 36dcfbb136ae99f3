"""Things that tests are about, with everything filled in; a test names only what it is about."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from orderdrop.checks import Context
from orderdrop.clock import SHANGHAI, FixedClock
from orderdrop.gateway.base import Outgoing
from orderdrop.order.model import Order

ACCOUNT = "A1"
FRIDAY = datetime(2026, 11, 20, 9, 31, tzinfo=SHANGHAI)


def an_order(**over) -> Order:
    """A good limit order to buy 100 shares of SHSE.600000 at 10.00; a price may be given as text."""
    values = {
        "row": 2,
        "sid": "S1",
        "account_id": ACCOUNT,
        "symbol": "SHSE.600000",
        "volume": 100,
        "order_type": 1,
        "order_business": 1,
        "price": "10.00",
        **over,
    }
    return Order(**values | {"price": _money(values["price"])})


def an_outgoing(**over) -> Outgoing:
    """The same order, as a gateway is given it."""
    order = an_order(**over)
    return Outgoing(
        order.sid, order.account_id, order.symbol, order.volume,
        order.order_type, order.order_business, order.price, order.remark,
    )  # fmt: skip


def a_context(**over) -> Context:
    return Context(**{"accounts": None, "halted": False, **over})


def a_clock(at: datetime = FRIDAY) -> FixedClock:
    return FixedClock(at)


def _money(price: str | Decimal | None) -> Decimal | None:
    return None if price is None else Decimal(price)
