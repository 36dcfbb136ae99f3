"""What was handed over and not confirmed: the window, the alarm, the proof that an order never arrived, and what follows from it.

Owns the gateways' trackers (execution/window.py). Only a gateway whose broker is another program has one; a built-in broker confirms
as it takes. Nothing here sends: an order that is proven absent becomes READY again, or waits for `orderdrop resend`.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from orderdrop.accounts.routing import Routing
from orderdrop.config.gateways import RemoteSettings
from orderdrop.domain.baseline import read_places
from orderdrop.domain.identity import day_number, from_day_number, wire_sid
from orderdrop.domain.order import SELLS
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.standing import is_proven_absent
from orderdrop.domain.status import Status
from orderdrop.errors import GatewayError
from orderdrop.execution.agreeing import Agreeing, Suspect
from orderdrop.execution.handover import Handover
from orderdrop.execution.reports import Folded
from orderdrop.execution.turn import Turn
from orderdrop.execution.window import Flight, Place, Tracker
from orderdrop.gateway.base import Batch, RefusesInWords, Trace
from orderdrop.journal.schema import ROW_BITS
from orderdrop.journal.writer import Writer
from orderdrop.system.clock import Micros, trade_date

log = logging.getLogger(__name__)

UNTRACKED: Final = 1_000_000_000
"""Room where there is no window."""

RESENDS: Final = 5
"""After so many proven misses of one order, `auto` asks: this terminal has a fault that sending does not cure."""

_LOOK_EVERY: Final = 1_000_000

_ASK_AGAIN: Final = (3_000_000, 5_000_000, 10_000_000, 30_000_000)
"""Microseconds until an account that did not agree is compared anew; the last one again and again."""

_REASONS: Final = 12
"""So many changes of the reason are written down of one order."""
_TOLD: Final = 5


class Found(NamedTuple):
    """What a look has found at one gateway: orders that are late, with a word on why, and those that are proven absent.

    again: ids of the absent ones that are to be handed over again. suspects: of the absent ones, those whose account has to agree.
    other: orders that were late before, and whose reason is another one by now. noes: what the terminal said against absent ones. refused:
    those of them that are the broker's no, by batch; its gateway tells them.
    """

    late: list[tuple[Flight, str]]
    absent: list[Flight]
    again: Sequence[int] = ()
    suspects: Mapping[int, Suspect] = {}
    other: Sequence[tuple[Flight, str]] = ()
    noes: Mapping[int, str] = {}
    refused: Sequence[Flight] = ()

    @property
    def orders(self) -> set[int]:
        told = {flight.order for flight, _words in (*self.late, *self.other)}
        return told | {flight.order for flight in self.absent}


class Leaving(NamedTuple):
    """A batch that was handed over."""

    gateway: str
    batch: Batch
    flights: list[Flight]


class Reading(NamedTuple):
    """What the journal says of one gateway's unconfirmed orders."""

    flights: list[Flight]
    late: list[int]
    absent: list[int]
    batches: dict[int, Batch]
    words: dict[int, str]


class State(NamedTuple):
    """The same of all gateways. interrupted: orders that a failed settlement left in doubt, with their accounts."""

    gateways: dict[str, Reading]
    interrupted: dict[int, str]

    @property
    def closed(self) -> frozenset[str]:
        """Accounts that get no new orders: nobody knows what became of a hand-over that was interrupted."""
        return frozenset(self.interrupted.values())


class Confirmation:
    """Used from the router's thread. What is read or written in a transaction counts once it is committed."""

    def __init__(self, desk: Routing) -> None:
        self._desk = desk
        self._scope = desk.settings.inbox.sid_scope
        self._settings: dict[str, RemoteSettings] = {
            name: values
            for name, values in desk.settings.gateways.items()
            if name in desk.gateways and isinstance(values, RemoteSettings)
        }
        self._trackers = {
            name: Tracker(
                values.window, round(values.confirm_timeout * 1_000_000), round(values.lost_after * 1_000_000)
            )
            for name, values in self._settings.items()
        }
        self._batches: dict[int, Batch] = {}
        self._words: dict[int, list[str]] = {}  # why orders are in doubt, as it was written down
        self._refused: dict[
            int, tuple[int, Micros]
        ] = {}  # how often their account did not agree, and when it is asked again
        self._look_at = Micros(0)
        self._interrupted: dict[int, str] = {}
        self.shut: Collection[str] = ()  # gateways that are closed for today

    @property
    def closed(self) -> frozenset[str]:
        """See State."""
        return frozenset(self._interrupted.values())

    def room(self, gateway: str) -> int:
        tracker = self._trackers.get(gateway)
        return UNTRACKED if tracker is None else tracker.room

    def never_again(self, gateway: str) -> bool:
        return gateway in self._settings and self._settings[gateway].resend == "never"

    @property
    def waiting(self) -> bool:
        """Whether anything that left is not confirmed."""
        return any(tracker.flights for tracker in self._trackers.values())

    # what leaves, and what the journal remembers

    def reread(self, writer: Writer, now: Micros) -> None:
        """Asks the journal what is in flight; that counts from the commit on."""
        state = self._state(writer, trade_date(now), now)
        writer.on_commit(lambda: self._take(state))

    def _state(self, writer: Writer, today: date, now: Micros) -> State:
        gateways = {name: self._read(writer, name, today, now) for name in self._trackers}
        return State(gateways, writer.interrupted(day_number(today)))

    def _take(self, state: State) -> None:
        self._interrupted = state.interrupted
        self._batches = {
            number: batch for one in state.gateways.values() for number, batch in one.batches.items()
        }
        for name, one in state.gateways.items():
            self._trackers[name].replace(one.flights, one.late, one.absent)
            for order, words in one.words.items():
                self._words.setdefault(order, [words])

    def begin(self, writer: Writer, today: date, now: Micros) -> None:
        """After a start, and every morning."""
        self._take(self._state(writer, today, now))
        for name, tracker in self._trackers.items():
            self._desk.baselines[name].forget()
            tracker.passed_through(writer.newest_confirmed(name, day_number(today)), now)

    def expect(self, writer: Writer, handovers: Iterable[Handover], now: Micros) -> None:
        """Batches were just handed over: from the commit on, their orders are in flight."""
        tracked = [handover for handover in handovers if handover.gateway in self._trackers]
        leaving = [
            Leaving(h.gateway, _batch(writer, h), self._flights(_orders(writer, h), h.gateway, now))
            for h in tracked
        ]
        writer.on_commit(lambda: self._left(leaving))

    def _left(self, leaving: Iterable[Leaving]) -> None:
        for gateway, batch, flights in leaving:
            self._trackers[gateway].add(flights)
            self._batches[batch.id] = batch
            for flight in flights:
                self._desk.baselines[gateway].moved(flight.account_id, flight.at)

    # what becomes of it

    def _confirmed(self, orders: Collection[int], now: Micros) -> None:
        for order in self._interrupted.keys() & set(orders):
            del self._interrupted[order]
        for tracker in self._trackers.values():
            tracker.confirmed(orders, now)
        self._forget(orders)

    def follow_up(
        self,
        writer: Writer,
        turn: Turn,
        silence: Mapping[str, Found],
        folded: Mapping[str, Folded],
        now: Micros,
    ) -> None:
        """Writes what a look has found, but for orders that the reports have confirmed meanwhile."""
        confirmed = {order for one in folded.values() for order in one.confirmed}
        found = self._write(writer, silence, confirmed, now)
        turn.ready_again |= any(one.again for one in found.values())
        for one in found.values():
            turn.orders |= one.orders

        def committed() -> None:
            self._settle(found, now)
            self._confirmed(confirmed, now)
            for name, one in folded.items():
                self._told(name, one.accounts, now)

        writer.on_commit(committed)
        if turn.surprised:
            self.reread(writer, now)

    def _told(self, gateway: str, accounts: Collection[str], now: Micros) -> None:
        """Something of these accounts was told."""
        if gateway in self._trackers:
            for account_id in accounts:
                self._desk.baselines[gateway].moved(account_id, now)

    def _observe(self, now: Micros) -> None:
        """Keep what the accounts have: it is what a silence is judged by later on."""
        for name, tracker in self._trackers.items():
            baselines = self._desk.baselines[name]
            for flight in tracker.flights.values():
                if flight.order not in tracker.absent:
                    baselines.moved(flight.account_id, now)
            self._desk.observe(name, self._desk.gateways[name].accounts(), now)

    def _forget(self, orders: Iterable[int]) -> None:
        for order in orders:
            self._words.pop(order, None)
            self._refused.pop(order, None)

    def look(self, now: Micros) -> dict[str, Found]:
        """Ask the gateways about what is late, once a second; right after their reports were read, so that nothing told is missed."""
        self._observe(now)
        if now < self._look_at or not self.waiting:
            return {}
        self._look_at = Micros(now + _LOOK_EVERY)
        in_flight = {f.place.batch for tracker in self._trackers.values() for f in tracker.flights.values()}
        self._batches = {number: batch for number, batch in self._batches.items() if number in in_flight}
        found = {name: self._look(name, tracker, now) for name, tracker in self._trackers.items()}
        return {name: one for name, one in found.items() if one.late or one.absent or one.other}

    def _write(
        self, writer: Writer, found: Mapping[str, Found], confirmed: Collection[int], now: Micros
    ) -> dict[str, Found]:
        """Journal what was found, but for orders that have been confirmed meanwhile; to be given to `_settle` after the commit."""
        kept = {
            name: Found(
                [(flight, words) for flight, words in one.late if flight.order not in confirmed],
                [flight for flight in one.absent if flight.order not in confirmed],
                suspects=one.suspects,
                other=[(flight, words) for flight, words in one.other if flight.order not in confirmed],
                noes=one.noes,
            )
            for name, one in found.items()
        }
        for name, one in kept.items():
            late, agreed, other = self._agreed(writer, name, one, now)
            refused = [flight for flight in agreed if flight.order in one.noes]
            absent = [flight for flight in agreed if flight.order not in one.noes]
            by_words: dict[str, list[int]] = defaultdict(list)
            for flight, words in (*late, *other):
                by_words[words].append(flight.order)
            for words, ids in by_words.items():
                for account_id, its in self._by_closed(ids).items():
                    code = Code.INTERRUPTED if account_id else Code.UNCONFIRMED
                    writer.move(
                        its, Status.UNKNOWN, now, "router", Refusal(code, value=words, bound=account_id)
                    )
            again = self._again(writer, name, absent)
            writer.ready_again(again, now)
            asked = [flight.order for flight in absent if flight.order not in again]
            writer.move(asked, Status.UNKNOWN, now, "router", Refusal(Code.PROVEN_ABSENT))
            kept[name] = Found(late, absent, again, other=other, refused=refused)
        return kept

    def _agreed(
        self, writer: Writer, name: str, found: Found, now: Micros
    ) -> tuple[list[tuple[Flight, str]], list[Flight], list[tuple[Flight, str]]]:
        """What is late, what is absent, and whose reason is another one, once the accounts were asked."""
        asked = [found.suspects[flight.order] for flight in found.absent if flight.order in found.suspects]
        if not asked:
            return found.late, found.absent, list(found.other)
        today = day_number(trade_date(now))
        gateway, baselines = self._desk.gateways[name], self._desk.baselines[name]
        objections = {
            order: f"{found.noes[order]}; {words}" if words and order in found.noes else words
            for order, words in Agreeing(writer, gateway, baselines, today, now).objections(asked).items()
        }
        for order in (order for order, words in objections.items() if words):
            times = self._refused.get(order, (0, now))[0]
            wait = _ASK_AGAIN[min(times, len(_ASK_AGAIN) - 1)]
            self._refused[order] = (times + 1, Micros(now + wait))
        late = [(flight, objections.get(flight.order) or words) for flight, words in found.late]
        told = {flight.order for flight, _words in late}
        others = {flight.order: (flight, words) for flight, words in found.other}
        for flight in found.absent:
            if flight.order in objections and flight.order not in told:
                others[flight.order] = (flight, objections[flight.order])
        return (
            late,
            [flight for flight in found.absent if flight.order not in objections],
            [one for one in others.values() if self._is_news(*one)],
        )

    def _is_news(self, flight: Flight, words: str) -> bool:
        """Whether this reason is worth another line."""
        known = self._words.get(flight.order, [])
        new = bool(words) and words != (known[-1] if known else "")
        return new and len(known) < _REASONS

    def _by_closed(self, ids: Iterable[int]) -> dict[str, list[int]]:
        """By the account that gets no new orders for their sake."""
        groups: dict[str, list[int]] = defaultdict(list)
        for order in ids:
            groups[self._interrupted.get(order, "")].append(order)
        return groups

    def _settle(self, kept: Mapping[str, Found], now: Micros) -> None:
        """Act on what was written: it is committed."""
        for name, (late, absent, again, _suspects, other, _noes, refused) in kept.items():
            self._refuse(name, refused)
            for flight, words in (*late, *other):
                self._words.setdefault(flight.order, []).append(words)
            self._forget(flight.order for flight in absent)
            tracker = self._trackers[name]
            tracker.is_late(flight.order for flight, _words in late)
            tracker.is_absent((flight.order for flight in absent), now)
            for flight in absent:
                self._interrupted.pop(flight.order, None)
            tracker.drop(again)
            _tell(
                name,
                "超时未确认，可能在途 / not confirmed in time, it may be live",
                [f for f, _words in late],
            )
            _tell(name, "证明终端从未收到 / proven: the terminal never had it", absent)

    def _refuse(self, name: str, refused: Sequence[Flight]) -> None:
        """Let the gateway tell them; as reports, they are journaled with its next poll."""
        gateway = self._desk.gateways[name]
        if isinstance(gateway, RefusesInWords):
            for batch in {flight.place.batch for flight in refused}:
                gateway.refuse(self._batches[batch], [f.sid for f in refused if f.place.batch == batch])

    def _look(self, name: str, tracker: Tracker, now: Micros) -> Found:
        late = {flight.order: flight for flight in tracker.newly_late(now)}
        words: dict[int, tuple[Flight, str]] = {}
        absent: list[Flight] = []
        suspects: dict[int, Suspect] = {}
        noes: dict[int, str] = {}
        for doubt in tracker.doubts(now):
            asked = [f for f in doubt.flights if now >= self._refused.get(f.order, (0, Micros(0)))[1]]
            if not asked:
                continue
            trace = self._trace(name, doubt.batch, [flight.sid for flight in asked], doubt.since)
            lost = [flight for flight in asked if doubt.ripe and flight.sid in trace.absent]
            for flight in asked:
                if flight not in lost:
                    words[flight.order] = (flight, trace.words)
            noes |= {flight.order: trace.noes[flight.sid] for flight in lost if flight.sid in trace.noes}
            for flight in lost:
                if flight.sid not in trace.unsent:
                    suspects[flight.order] = Suspect(
                        flight.order, flight.account_id, doubt.batch, flight.at, max(doubt.since, trace.since)
                    )
            absent += lost
        other = [one for order, one in words.items() if order not in late and self._is_news(*one)]
        told = [(flight, words[order][1] if order in words else "") for order, flight in late.items()]
        return Found(told, absent, suspects=suspects, other=other, noes=noes)

    def _trace(self, name: str, batch: int, sids: list[str], since: Micros) -> Trace:
        known = self._batches.get(batch)
        if known is None:
            return Trace(frozenset(), "")
        try:
            return self._desk.gateways[name].trace(known, sids, since)
        except GatewayError as error:
            return Trace(frozenset(), str(error))

    def _again(self, writer: Writer, name: str, absent: Sequence[Flight]) -> list[int]:
        if self._settings[name].resend != "auto" or name in self.shut or not absent:
            return []
        times = writer.times_resent([flight.order for flight in absent])
        return [flight.order for flight in absent if times.get(flight.order, 0) < RESENDS]

    def _read(self, writer: Writer, name: str, today: date, now: Micros) -> Reading:
        rows = writer.unconfirmed(name, day_number(today))
        flights = self._flights(rows, name, now)
        late = [row.id for row in rows if row.status == Status.UNKNOWN]
        absent = [row.id for row in rows if is_proven_absent(row)]
        known = self._batches
        batches = {
            batch: known.get(batch) or _journaled(writer, batch)
            for batch in sorted({flight.place.batch for flight in flights})
        }
        words = {row.id: row.reason_value for row in rows if row.id in late and row.reason_value}
        return Reading(flights, late, absent, batches, words)

    def _flights(self, orders: Iterable[Any], gateway: str, now: Micros) -> list[Flight]:
        """orders: of whole batches, or what is left of them; a row's place among them is what counts."""
        first = self._desk.sells_first(gateway)
        in_order = sorted(
            orders,
            key=lambda o: (o.batch_id, o.id >> ROW_BITS, first and o.order_business not in SELLS, o.id),
        )
        return [
            Flight(
                order.id, wire_sid(order.sid, from_day_number(order.trade_day), self._scope), order.account_id,
                Place(order.batch_id, row), Micros(order.submitted_at or now),
            )
            for row, order in enumerate(in_order, 1)
        ]  # fmt: skip


def _orders(writer: Writer, handover: Handover) -> list[Any]:
    return writer.places_in_batch((handover.batch_id, handover.first_order, handover.last_order))


def _batch(writer: Writer, handover: Handover) -> Batch:
    if handover.content is None:
        return _journaled(writer, handover.batch_id)
    return Batch(handover.batch_id, handover.content, read_places(handover.places).output)


def _journaled(writer: Writer, batch: int) -> Batch:
    return Batch(batch, writer.batch_content(batch), read_places(writer.batch_places(batch)).output)


def _tell(gateway: str, what: str, flights: Sequence[Flight]) -> None:
    if flights:
        more = " …" if len(flights) > _TOLD else ""
        sids = ", ".join(flight.sid for flight in flights[:_TOLD])
        log.error("%s: %s 笔/orders %s: %s%s", gateway, len(flights), what, sids, more)
