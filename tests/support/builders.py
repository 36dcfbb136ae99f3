"""Things that tests are about, with everything filled in; a test names only what it is about."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

from orderdrop.domain.order import Order
from orderdrop.domain.security import Instrument
from orderdrop.domain.switches import Switches
from orderdrop.gateway.base import Outgoing
from orderdrop.risk.checks import FURTHER_RULES, HOLDS, STANDING_RULES, WARNINGS, Context
from orderdrop.risk.context import Rate, RepeatPolicy, RiskFacts
from orderdrop.risk.ledger import Ledger
from orderdrop.risk.rules.session import CONTINUOUS, phase_at
from orderdrop.system.clock import SHANGHAI, FixedClock, from_datetime, second_of_day

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


def an_instrument(**values) -> Instrument:
    """What is known of a security; prices may be given as text."""
    return Instrument(
        **{name: Decimal(value) if isinstance(value, str) else value for name, value in values.items()}
    )


def a_context(**over) -> Context:
    return Context(**{"accounts": None, "halted": False, **over})


def surroundings(at: datetime = FRIDAY, **over) -> RiskFacts:
    """A quiet Friday morning on a live gateway, with nothing bounded and nothing known."""
    now = from_datetime(at)
    values = {
        "now": now,
        "day": at.date(),
        "second": second_of_day(now),
        "phase": phase_at(second_of_day(now)),
        "continuous": phase_at(second_of_day(now)) in CONTINUOUS,
        "trading_day": True,
        "outside_session": "hold",
        "bound": defaultdict(lambda: True),
        "limits": defaultdict(tuple),
        "soft_limits": defaultdict(tuple),
        "instruments": defaultdict(lambda: None),
        "ranges": defaultdict(lambda: None),
        "cages": defaultdict(lambda: None),
        "ledger": Ledger(),
        "funds": defaultdict(lambda: None),
        "rates": defaultdict(lambda: Rate(None, None, "")),
        "repeats": defaultdict(lambda: RepeatPolicy(0, "hold")),
        "switches": Switches({}),
        "closed": defaultdict(lambda: None),
        "max_wait": 60,
        "snapshot_age": 60,
        "cancels_warn": Decimal(15),
        "cancels_hold": Decimal(50),
    }
    return RiskFacts(**values | over)


def a_wide_context(at: datetime = FRIDAY, rules=FURTHER_RULES, **over) -> Context:
    """All rules run, in these surroundings."""
    around = surroundings(at, **over)
    return a_context(
        halted=around.switches.halted,
        sessions=True,
        standing=STANDING_RULES,
        further=rules,
        holds=HOLDS,
        warnings=WARNINGS,
        around=around,
    )


def a_clock(at: datetime = FRIDAY) -> FixedClock:
    return FixedClock(at)


def _money(price: str | Decimal | None) -> Decimal | None:
    return None if price is None else Decimal(price)


TO_VERSION_2 = (
    "DROP INDEX ix_orders_row_key",
    "ALTER TABLE drops DROP COLUMN owner",
    *(
        f"ALTER TABLE orders DROP COLUMN {name}"
        for name in ("received_at", "row_key", "told_volume", "worth", "not_before", "held_for")
    ),
    "ALTER TABLE rows DROP COLUMN received_at",
    "ALTER TABLE instructions DROP COLUMN received_at",
    "ALTER TABLE batches DROP COLUMN places",
    "ALTER TABLE reports DROP COLUMN scan_name",
    "DELETE FROM meta WHERE key = 'journal_id'",
    "UPDATE meta SET value = '2' WHERE key = 'schema_version'",
)
"""What makes a journal one of the second schema."""

TO_VERSION_1 = (
    *TO_VERSION_2,
    "DROP TABLE seals",
    "ALTER TABLE drops DROP COLUMN sheets",
    "ALTER TABLE orders DROP COLUMN due_at",
    "ALTER TABLE orders DROP COLUMN expires_at",
    "UPDATE meta SET value = '1' WHERE key = 'schema_version'",
)
"""What makes a journal one of the first schema."""
