"""Compares the result of each row then with its result when it was played."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from orderdrop.domain.codes import Code
from orderdrop.journal.reader import Reading
from orderdrop.replay.source import Played
from orderdrop.views.orders import line_of

REFUSED = frozenset({"denied", "not_sent", "rejected", "error", "duplicate", "refused"})


class Fate(NamedTuple):
    """The result of a row: an order's status, `not_sent`, `error`, `duplicate`; of a cancel: `asked`, `sent`, `done`, `refused`."""

    sid: str
    outcome: str
    code: str

    @property
    def refused(self) -> bool:
        return self.outcome in REFUSED


class Pair(NamedTuple):
    """A row then and now. row 0 speaks of the whole file. None: it was not there."""

    drop: str
    row: int
    then: Fate | None
    now: Fate | None

    @property
    def differs(self) -> bool:
        return (self.then and self.then[1:]) != (self.now and self.now[1:])

    @property
    def refused(self) -> bool:
        return bool((self.then and self.then.refused) or (self.now and self.now.refused))

    def data(self) -> dict[str, Any]:
        sides = {"then": self.then, "now": self.now}
        return {"drop": self.drop, "row": self.row} | {
            side: fate and {"sid": fate.sid, "outcome": fate.outcome, "code": fate.code or None}
            for side, fate in sides.items()
        }


def compare(played: Iterable[tuple[Played, Any]], then: Reading | None, now: Reading) -> list[Pair]:
    """played: each drop with what it became now, None if it was not taken."""
    pairs = []
    for one, drop in played:
        before = fates(then, one.drop_id) if then and one.drop_id is not None else {}
        after = fates(now, drop.id) if drop is not None else {}
        if one.rows is not None:
            after = {_line(one.rows, row): fate for row, fate in after.items()}
            before = {row: fate for row, fate in before.items() if row in one.rows}
        pairs += [
            Pair(one.name, row, before.get(row), after.get(row))
            for row in sorted(before.keys() | after.keys())
        ]
    return pairs


def fates(reading: Reading, drop_id: int) -> dict[int, Fate]:
    """By line."""
    drop = reading.drop_or_none(drop_id)
    found = {0: Fate("", "refused", drop.reason_code)} if drop is not None and drop.reason_code else {}
    for order in reading.orders_of_drop(drop_id):
        outcome = "not_sent" if order.reason_code == Code.NOT_SENT else order.status
        found[line_of(order.id)] = Fate(order.sid, outcome, order.reason_code or "")
    for row in reading.row_outcomes(drop_id):
        found[line_of(row.id)] = Fate(row.sid or "", row.outcome, row.reason_code)
    for asked in reading.instructions_of_drop(drop_id):
        found[line_of(asked.id)] = Fate(asked.sid, asked.state, asked.reason_code or "")
    return found


def counts(pairs: Iterable[Pair]) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """How many rows had which outcome, then and now."""
    every = list(pairs)
    return (
        Counter(pair.then.outcome for pair in every if pair.then),
        Counter(pair.now.outcome for pair in every if pair.now),
    )


def _line(rows: tuple[int, ...], row: int) -> int:
    return rows[row - 1] if 0 < row <= len(rows) else row
