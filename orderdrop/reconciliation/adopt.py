"""Goes on with a journal that is new, older than what was sent, or another one, after a person's word: what the witnesses know is written into it.

Owns what such a journal may believe. An order that was found outside is used up, and in doubt until its broker tells of it; what the
journal itself would still have sent is in doubt as well, for a newer one may have sent it. Nothing is sent here, and nothing that was
adopted is ever proven absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import insert, select, text

from orderdrop.archive.witness import Marks, Standing, Testimony, mark_paths
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.identity import SidScope, day_number, from_day_number, sid_key
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.status import Status
from orderdrop.errors import OrderdropError
from orderdrop.gateway.base import Outcome
from orderdrop.journal.journal import JOURNAL_ID, Journal
from orderdrop.journal.lookups import BATCHES_FROM, DROPS_FROM, VOID_DAYS, Asking
from orderdrop.journal.records import DropState, NewBatch, NewDrop, row_id
from orderdrop.journal.schema import drops, orders
from orderdrop.journal.writer import Writer
from orderdrop.reconciliation.evidence import Evidence, Found
from orderdrop.system.clock import Clock, Micros, trade_date
from orderdrop.system.failpoint import reach

ADOPTED: Final = "(adopted)"
"""The name of the drop that adopted orders belong to; no file in an inbox is called that."""


@dataclass
class Adopted:
    """unknown, over: sids that were written down, of today and of days before. doubted: orders of the journal that it would have sent."""

    unknown: list[str] = field(default_factory=list)
    over: int = 0
    doubted: list[str] = field(default_factory=list)
    batches: int = 0


def adopt(
    settings: Settings, workspace: Workspace, clock: Clock, heard: Testimony, found: Evidence
) -> Adopted:
    """Needs the workspace's lock. Raises JournalError; then nothing is written."""
    journal = Journal(settings.journal.url, workspace.root)
    journal.open()
    try:
        with journal.transaction() as writer:
            done = _Adopting(writer, settings, clock).run(heard, found)
            standing = _standing(writer)
        reach("adopt.written")
        set_marks(settings, workspace, standing)
    finally:
        journal.close()
    return done


def set_marks(settings: Settings, workspace: Workspace, standing: Standing) -> None:
    marks = Marks(mark_paths(settings, workspace), workspace.root)
    marks.open(standing)
    marks.close()


def _standing(writer: Writer) -> Standing:
    name = writer.get_meta(JOURNAL_ID) or ""
    return Standing(name, writer.next_drop_id() - 1, writer.next_batch_id() - 1)


class _Adopting:
    def __init__(self, writer: Writer, settings: Settings, clock: Clock) -> None:
        self._writer = writer
        self._settings = settings
        self._scope: SidScope = settings.inbox.sid_scope
        self._now: Micros = clock.now()
        self._today: date = trade_date(self._now)
        self._day = day_number(self._today)
        self._done = Adopted()

    def run(self, heard: Testimony, found: Evidence) -> Adopted:
        own_batch = self._writer.next_batch_id() - 1
        drop = max(self._writer.next_drop_id() - 1, heard.drop) + 1
        self._writer.set_meta(DROPS_FROM, str(drop))
        self._writer.set_meta(BATCHES_FROM, str(max(own_batch, heard.batch, found.batch)))
        self._doubt()
        new = self._new(found.orders.values())
        if new:
            self._write(drop, new)
        self._add_batches(found, own_batch, drop)
        return self._done

    def _doubt(self) -> None:
        """What this journal would send, or send again, may have been sent since."""
        would = (
            "status IN ('received', 'ready', 'held', 'submitting')"
            f" OR (status = 'unknown' AND reason_code = '{Code.PROVEN_ABSENT}')"
        )
        found = list(self._writer.connection.execute(select(orders.c.id, orders.c.sid).where(text(would))))
        why = Refusal(Code.ADOPTED, value="journal")
        self._writer.move([row.id for row in found], Status.UNKNOWN, self._now, "router", why, batch_id=None)
        for batch in self._writer.open_batches():
            self._writer.close_batch(batch.id, Outcome.UNKNOWN, self._now)
        self._done.doubted = [row.sid for row in found]

    def _new(self, found: Iterable[Found]) -> list[tuple[int, Found]]:
        """With their keys; with a scope of one day, what is older than today is no concern."""
        wanted = {sid_key(one.sid): one for one in found if self._scope == "forever" or one.day == self._day}
        keys = sorted(wanted)
        days = [*self._writer.unmoved_days(self._day), self._day]
        known: set[int] = set()
        for start in range(0, len(keys), 5000):
            known |= self._writer.known(keys[start : start + 5000], days, past=True).keys()
        return [(key, one) for key, one in wanted.items() if key not in known]

    def _write(self, drop: int, new: Sequence[tuple[int, Found]]) -> None:
        count = len(new)
        name = NewDrop(
            drop, ADOPTED, DropKind.ORDER, "", self._day, self._now, DropState.DONE, "", None, 0, count + 2, 0,
            count, count, 0, 0, 0, None, None, None, None, None,
        )  # fmt: skip
        self._writer.add_drops([name])
        self._writer.update_drop(drop, archived_as="")
        rows = [self._row(row_id(drop, line), key, one) for line, (key, one) in enumerate(new, start=2)]
        self._writer.connection.execute(insert(orders), rows)
        self._writer.add_events(
            [(self._now, row["id"], row["status"], "router", ADOPTED, None) for row in rows]
        )
        self._done.unknown = [row["sid"] for row in rows if row["status"] == Status.UNKNOWN]
        self._done.over = count - len(self._done.unknown)

    def _row(self, number: int, key: int, one: Found) -> dict[str, Any]:
        """Of today's day in any case: the archive of the day that it was of stays as it is."""
        today = one.day == self._day
        known = one.gateway in self._settings.gateways
        return {
            "id": number, "trade_day": self._day, "sid": self._sid(one), "sid_key": key, "account_id": one.account_id,
            "symbol": one.symbol, "volume": one.volume, "order_type": one.order_type, "order_business": one.order_business,
            "price": one.price, "remark": one.remark or None,
            "gateway": one.gateway if known else self._settings.gateway_of(one.account_id),
            "status": Status.UNKNOWN if today else Status.EXPIRED, "reason_code": Code.ADOPTED,
            "reason_value": from_day_number(one.day).isoformat(), "updated_at": self._now,
            "closed_at": None if today else self._now,
        }  # fmt: skip

    def _sid(self, one: Found) -> str:
        return one.sid if self._scope == "forever" else one.sid.removeprefix(f"{one.day}-")

    def _add_batches(self, found: Evidence, own: int, drop: int) -> None:
        """Today's, so that the gateways find again what is theirs; none in the place of one that the journal has."""
        taken = set()
        for sent in sorted(found.batches.values(), key=lambda sent: sent.id):
            if (
                sent.day != self._day
                or sent.id <= own
                or sent.id in taken
                or sent.gateway not in self._settings.gateways
            ):
                continue
            taken.add(sent.id)
            first, last = row_id(drop, 2), row_id(drop, 2)
            self._writer.add_batch(
                NewBatch(sent.id, sent.gateway, sent.day, self._now, 0, first, last, sent.content)
            )
            self._writer.close_batch(sent.id, Outcome.UNKNOWN, self._now)
        self._done.batches = len(taken)


# a day that a wrong clock began


@dataclass
class DayWrong:
    """days: those that lie ahead. freed: sids that never left and may be dropped again. left: sids that went out, or may have."""

    days: list[int] = field(default_factory=list)
    drops: int = 0
    freed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def days_ahead(asking: Asking, today: date) -> list[int]:
    """The days that the journal has come to and that have not come yet."""
    day = day_number(today)
    newest = asking.newest_day()
    if newest <= day:
        return []
    void = asking.void_days()
    query = "SELECT DISTINCT trade_day, max(id) FROM drops WHERE trade_day > ? GROUP BY trade_day ORDER BY trade_day"
    found = asking.connection.exec_driver_sql(query, (day,))
    ahead = [number for number, last in found if number not in void or last > void[number][1]]
    return ahead or [newest]


def undo_days(settings: Settings, workspace: Workspace, clock: Clock) -> DayWrong:
    """Needs the workspace's lock. The days ahead are free again: their drops refused, what never left over and its sids free, what left in doubt.

    Raises OrderdropError when no day lies ahead.
    """
    journal = Journal(settings.journal.url, workspace.root)
    journal.open()
    try:
        with journal.transaction() as writer:
            now = clock.now()
            today = trade_date(now)
            days = days_ahead(writer, today)
            if not days:
                raise OrderdropError(
                    f"日志库没有超前的日子 / the journal has come to no day after {today}: nothing to mend"
                )
            done = DayWrong(days)
            for day in days:
                _undo(writer, day, now, done)
            _free(writer, days, day_number(today))
        reach("adopt.written")
    finally:
        journal.close()
    return done


def _undo(writer: Writer, day: int, now: Micros, done: DayWrong) -> None:
    rows = list(writer.connection.execute(select(orders).where(orders.c.trade_day == day)))
    why = Refusal(Code.DAY_WRONG, value=from_day_number(day).isoformat())
    never = [row for row in rows if row.status in _NEVER_LEFT]
    doubtful = [row.id for row in rows if row.status in {Status.SUBMITTING, Status.SUBMITTED}]
    writer.move([row.id for row in never], Status.EXPIRED, now, "router", why, closed_at=now, sid_key=None)
    writer.move(doubtful, Status.UNKNOWN, now, "router", why)
    freed = {row.id for row in never}
    kept = [row for row in rows if row.id not in freed and row.sid_key is not None]
    past = [(row.sid_key, row.id) for row in kept]
    writer.remember_past(past)
    ids = {row.id for row in writer.connection.execute(select(drops.c.id).where(drops.c.trade_day == day))}
    for number in ids:
        writer.update_drop(number, state=DropState.REFUSED, reason_code=why.code, reason_value=why.value)
    for batch in writer.open_batches():
        if batch.trade_day == day:
            writer.close_batch(batch.id, Outcome.UNKNOWN, now)
    done.drops += len(ids)
    done.freed += [row.sid for row in never]
    done.left += [row.sid for row in kept if row.batch_id is not None]


_NEVER_LEFT: Final = frozenset({Status.RECEIVED, Status.READY, Status.HELD})


def _free(writer: Writer, days: Sequence[int], today: int) -> None:
    """The days' numbers, and the closing of today, which the wrong clock may have ended."""
    last = writer.next_drop_id() - 1
    void = {str(day): list(value) for day, value in writer.void_days().items()}
    writer.set_meta(VOID_DAYS, json.dumps(void | {str(day): [today, last] for day in days}))
    through = int(writer.get_meta("sids_past_through") or 0)
    before = "SELECT coalesce(max(trade_day), 0) FROM drops WHERE trade_day < ?"
    writer.set_meta(
        "sids_past_through",
        str(min(through, writer.connection.exec_driver_sql(before, (today,)).scalar_one())),
    )
    writer.await_closing(today)
