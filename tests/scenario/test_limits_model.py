"""Drops, restarts, other settings, releases and cancels in any order: what leaves never passes the limits of that moment, by a sum of the test's own."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routed_desk import Desk

from orderdrop.config.settings import Settings
from orderdrop.system.clock import SHANGHAI, FixedClock

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price,strategy\n"
SHARE, STAYS_OPEN = "SHSE.600000", "SHSE.018014"  # at 10.00 at once; never
DEAREST = Decimal("11.00")
ROWS = {  # what a share of it may come to, by the test's own book
    "limit": (f"{SHARE},{{}},1,1,10.00", Decimal("10.00")),
    "market": (f"{SHARE},{{}},24,1,", DEAREST),
    "protected": (f"{SHARE},{{}},24,1,10.50", Decimal("10.50")),
    "open": (f"{STAYS_OPEN},{{}},1,1,10.00", Decimal("10.00")),
    "sale": (f"{SHARE},{{}},1,2,10.00", DEAREST),
    "market sale": (f"{SHARE},{{}},24,2,9.50", DEAREST),
}
LIMITS = st.fixed_dictionaries(
    {
        "max_day_bought": st.sampled_from(["4000", "30000"]),
        "max_day_sold": st.sampled_from(["3000", "30000"]),
        "max_order_value": st.sampled_from(["3000", "9000"]),
        "open_orders": st.sampled_from([2, 8]),
        "max_position": st.sampled_from([5200, 6000]),
    }
)


class Limited:
    """A desk, and what the test itself knows of its orders."""

    def __init__(self) -> None:
        self.folder, self.number, self.left = Path(tempfile.mkdtemp()), 0, 0
        self.kinds: dict[str, tuple[str, int]] = {}
        self.clock = FixedClock(datetime(2026, 11, 20, 10, 0, tzinfo=SHANGHAI))
        self.desk = Desk(self.folder, self.clock)
        for name, text in (
            ("instruments", "symbol,previous_close\n600000.SH,10.00\n"),
            ("quotes", f"symbol,price\n{SHARE},10.00\n"),
        ):
            (self.folder / f"{name}.csv").write_text(text)
            os.utime(self.folder / f"{name}.csv", (self.clock.now() / 1e6,) * 2)

    def close(self) -> None:
        self.desk.crash()
        shutil.rmtree(self.folder)

    def drop(self, kinds, waits) -> None:
        lines = []
        for kind, lots in kinds:
            self.number += 1
            self.kinds[f"S{self.number}"] = kind, 100 * lots
            lines.append(f"S{self.number},A1,{ROWS[kind][0].format(100 * lots)},{'waits' if waits else ''}\n")
        self._route({f"d{self.number}.csv": HEADER + "".join(lines)})

    def change(self, limits, clean) -> None:
        self.desk.close() if clean else self.desk.crash()
        self.limits = limits
        paper = {"cash": "1000000", "positions": {SHARE: 5000}}
        values = self.desk._settings.model_dump(exclude_unset=True)
        self.desk._settings = Settings.model_validate(
            values | {"gateways": {"paper": paper}, "limits": limits, "strategies": {"waits": {"hold": True}}}
        )
        self._route({})

    def release(self, every) -> None:
        self._instruct("release", "held", every=every)

    def cancel(self, every) -> None:
        self._instruct("cancel_order", "held", "new", every=every)

    def _instruct(self, kind, *of, every) -> None:
        sids = sorted(sid for sid, status in self.desk.statuses().items() if status in of)
        if sids:
            self.number += 1
            chosen = sids if every else sids[:1]
            self._route(
                {f"i{self.number}.{kind}.csv": "sid,comment\n" + "".join(f"{sid},\n" for sid in chosen)}
            )

    def _route(self, files) -> None:
        self.desk.route(files)
        at_broker = self.desk._read(
            self.folder / ".orderdrop" / "paper-paper.db", "SELECT * FROM orders ORDER BY number"
        )
        new, self.left = at_broker[self.left :], len(at_broker)
        bought, sold = (
            sum((self._worth(one) for one in at_broker if self._sells(one) is sells), Decimal(0))
            for sells in (False, True)
        )
        held = 5000 + sum(
            one["filled"] * (-1 if self._sells(one) else 1) for one in at_broker if one["symbol"] == SHARE
        )
        if any(not self._sells(one) for one in new):
            assert bought <= Decimal(self.limits["max_day_bought"])
            if any(one["symbol"] == SHARE and not self._sells(one) for one in new):
                assert held <= self.limits["max_position"]
        if any(self._sells(one) for one in new):
            assert sold <= Decimal(self.limits["max_day_sold"])
        if new:
            assert sum(one["status"] == "new" for one in at_broker) <= self.limits["open_orders"]
        for one in new:
            kind, volume = self.kinds[one["sid"]]
            assert volume * ROWS[kind][1] <= Decimal(self.limits["max_order_value"]) or "sale" in kind

    def _sells(self, one) -> bool:
        return "sale" in self.kinds[one["sid"]][0]

    def _worth(self, one) -> Decimal:
        """What it has traded for, and the rest at the most, of what may still trade."""
        kind, volume = self.kinds[one["sid"]]
        traded = Decimal(one["filled"]) * 10
        return traded if one["status"] != "new" else traded + (volume - one["filled"]) * ROWS[kind][1]


ORDERS = st.lists(st.tuples(st.sampled_from(sorted(ROWS)), st.integers(1, 4)), min_size=1, max_size=3)
TURNS = st.tuples(
    LIMITS,
    st.booleans(),
    st.lists(st.tuples(ORDERS, st.booleans()), max_size=3),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(TURNS, min_size=2, max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_limits_when_anything_leaves_then_kept_as_they_are_now(turns):
    """In each turn: other settings, drops of which some wait, and what waits is released or cancelled or left for the next one."""
    one = Limited()
    try:
        for limits, clean, drops, releases, cancels in turns:
            one.change(limits, clean)
            for kinds, waits in drops:
                one.drop(kinds, waits)
            if releases:
                one.release(every=True)
            if cancels:
                one.cancel(every=False)
    finally:
        one.close()
