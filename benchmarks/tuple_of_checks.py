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

from orderdrop import checks
from orderdrop.checks.context import Rate
from orderdrop.checks.switches import State, Switches
from orderdrop.clock import SHANGHAI, Micros, from_datetime
from orderdrop.config import Settings
from orderdrop.desk import Desk
from orderdrop.gathering import Gathering
from orderdrop.journal.journal import Journal
from orderdrop.order.model import Order
from orderdrop.order.report import Account, Position

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
    gathering = Gathering(Desk(Settings.model_validate(_SETTINGS), {}), options.folder, _account)
    gathering.rates = dict.fromkeys((f"acc-{n}" for n in range(4)), Rate(_MANY, _MANY, ""))  # type: ignore[assignment]
    journal = Journal("sqlite:///journal.db", options.folder)
    journal.open()
    with journal.transaction() as writer:
        switched = Switches({("account", "somebody"): State.HALTED})
        context = gathering.gather(
            writer, _NOW, datetime.fromtimestamp(_NOW / 1e6, SHANGHAI).date(), switched
        )
        assert (
            len(context.further) >= len(checks.FURTHER_RULES) - 2
        )  # repeats are held, and both sides are allowed
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)  # as the router does
        began = time.process_time()
        denied = _judge(orders, context)
        took = time.process_time() - began
    assert not denied, denied[0]
    return {"us_an_order": took / len(orders) * 1e6}


def _judge(orders: list[Order], context: checks.Context) -> list[Any]:
    """As the admission does it."""
    denied, ledger = [], context.around.ledger
    for number, order in enumerate(orders):
        refusal = checks.check(order, context)
        hold = checks.hold(order, context)
        if refusal is not None or hold is not None:
            denied.append((order, refusal or hold))
            continue
        checks.warnings(order, context)
        ledger.accept(number, checks.entry_of(order, context))
    return denied


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
        Micros(_NOW), account_id, much, much, Decimal(0), much * 10**6, Decimal(0), tuple(positions)
    )


if __name__ == "__main__":
    subject.main(judge)
