"""The whole tuple of checks over a basket: every rule and every limit, on a live account. Writes FOLDER/result.json."""

from __future__ import annotations

import gc
import os
import random
import time
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import subject
import workload

from orderdrop.accounts.routing import Routing
from orderdrop.config.settings import Settings
from orderdrop.domain.order import Order
from orderdrop.domain.report import Account, Position
from orderdrop.domain.switches import State, Switches
from orderdrop.journal.journal import Journal
from orderdrop.risk import checks
from orderdrop.risk.context import Rate
from orderdrop.risk.engine import RiskEngine
from orderdrop.risk.ledger import Ledger
from orderdrop.service.app import COLLECT_AFTER
from orderdrop.system.clock import SHANGHAI, Micros, from_datetime

_NOW = from_datetime(datetime(2026, 11, 20, 10, 0, tzinfo=SHANGHAI))
_MANY = 10**12
_BOUNDS: dict[str, Any] = {
    "max_order_value": _MANY, "max_order_volume": _MANY, "max_day_value": _MANY, "max_day_bought": _MANY, "max_day_sold": _MANY,
    "orders_per_day": _MANY, "open_orders": _MANY, "price_deviation": 50, "symbols_allowed": ["SHSE.*", "SZSE.*"],
    "symbols_forbidden": ["ST", "BJSE.*"], "hours_allowed": ["09:30-15:00"],
}  # fmt: skip
_HELD = {"max_position": _MANY, "max_position_percent": 100, "max_holdings": _MANY}
_SETTINGS = {"limits": {**_BOUNDS, **_HELD, "as_live": True, "max_wait": 3600, "repeat_window": 60}}


def judge(options: subject.Options) -> dict[str, Any]:
    orders = _orders(options.expect)
    (options.folder / "calendar.csv").write_text("closed,note\n2026-10-01,\n")
    _write_instruments(options.folder / "instruments.csv")
    gathering = RiskEngine(Routing(Settings.model_validate(_SETTINGS), {}), options.folder, _account)
    gathering.rates = dict.fromkeys((f"acc-{n}" for n in range(4)), Rate(_MANY, _MANY, ""))  # type: ignore[assignment]
    journal = Journal("sqlite:///journal.db", options.folder)
    journal.open()
    with journal.transaction() as writer:
        switched = Switches({("account", "somebody"): State.HALTED})
        context = gathering.gather(
            writer, _NOW, datetime.fromtimestamp(_NOW / 1e6, SHANGHAI).date(), switched
        )
        every = len(checks.STANDING_RULES) + len(checks.FURTHER_RULES)
        assert len(context.standing) + len(context.further) == every - 2  # repeats are held, no day is closed
        gc.collect()
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER, 20, 20)  # as the router does
        began = time.process_time()
        _judge(orders, context)
        judged = time.process_time()
        _count(orders, context)
        counted = time.process_time() - judged
    return {"all": (judged - began) / len(orders) * 1e6, "counting": counted / len(orders) * 1e6}


def _judge(orders: list[Order], context: checks.Context) -> None:
    """As the admission does it: each order is judged, then counted for those behind it."""
    for number, order in enumerate(orders):
        refusal = checks.check(order, context) or (checks.holds(order, context) or None)
        assert refusal is None, refusal
        checks.warnings(order, context)
        context.around.ledger.accept(number, checks.entry_of(order, context))


def _count(orders: list[Order], context: checks.Context) -> None:
    """The counting alone, once more."""
    ledger = Ledger(fee=context.around.ledger.fee)
    for account in context.around.ledger.accounts():
        ledger.reserved(account, _NOW)
    for number, order in enumerate(orders):
        ledger.accept(number, checks.entry_of(order, context))


def _orders(count: int) -> list[Order]:
    return [
        Order(
            number + 2,
            sid,
            f"acc-{random.randrange(4)}",
            symbol,
            100 * random.randrange(1, 50),
            1,
            side,
            price,
            "",
            "alpha",
        )
        for number, sid in enumerate(workload.new_sids(count))
        for symbol, price in [workload.a_price()]
        for side in [1 if int(symbol[-1]) % 2 else 2]
    ]


def _write_instruments(path: Path) -> None:
    lines = [f"{symbol},{cents / 100:.2f},{cents / 100:.2f},0\n" for symbol, cents in workload.CENTS.items()]
    path.write_text("symbol,previous_close,last,st\n" + "".join(lines))
    os.utime(path, (_NOW / 1e6, _NOW / 1e6))


def _account(account_id: str) -> Account:
    positions = (Position(symbol, 10**9, 0, 10**9, Decimal(10), Decimal(10)) for symbol in workload.CENTS)
    much = Decimal(_MANY)
    return Account(
        Micros(_NOW), account_id, much, much, Decimal(0), much * 10**6, Decimal(0), tuple(positions), _NOW
    )


if __name__ == "__main__":
    subject.main(judge)
