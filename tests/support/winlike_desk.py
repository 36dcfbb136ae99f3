"""A desk whose router and chores go round as they do while they run: what the tests under tests/winlike share."""

from __future__ import annotations

import time
from collections.abc import Callable

from routed_desk import Desk

HEADER = "sid,symbol,volume,order_type,order_business,price\n"


def row(sid: str, symbol: str = "SHSE.600000") -> str:
    return f"{sid},{symbol},100,1,1,10.35\n"


def turn_until(here: Desk, is_so: Callable[[], bool]) -> None:
    """The router and its chores go round, as they do while they run."""
    app = here.open()
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline
        app.turn(lambda _done: None)
        time.sleep(0.002)


def statuses(here: Desk) -> list[str]:
    return sorted(here.statuses())


def lines(here: Desk, name: str) -> list[str]:
    path = here.root / "outbox" / name
    return path.read_text("utf-8-sig").splitlines() if path.exists() else []
