"""Confirmation: which orders have left and were not seen in what the broker tells, how many may, and which may be lost.

A terminal that is late is not a terminal that lost an order. What tells them apart is order: a terminal works through what it is
given row by row, so a row is *passed* once a later one, of the same account, is confirmed. Where nothing later is confirmed, the
terminal may still be on its way there: then only a silence that is long, against how slow it has been, means a loss.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Mapping
from operator import attrgetter
from typing import Final, NamedTuple

from orderdrop.system.clock import Micros

_SLOWNESS: Final = 3
"""So many times the slowest confirmation of late must have passed in silence before a row that was not passed can be lost."""

_LATENCIES: Final = 200
_STEP: Final = 10


class Place(NamedTuple):
    """Where an order stands in the order of handing over: its batch, and its row there from 1."""

    batch: int
    row: int


class Flight(NamedTuple):
    """An order that left and is not confirmed. sid: as the terminal knows it; at: when it was handed over."""

    order: int
    sid: str
    account_id: str
    place: Place
    at: Micros


class Doubt(NamedTuple):
    """Orders of one batch and account that were not confirmed in time.

    since: evidence that is older proves nothing. ripe: False while the terminal may only be late.
    """

    batch: int
    flights: tuple[Flight, ...]
    since: Micros
    ripe: bool


class Window:
    """How many orders may be in flight: halved by a miss, grown again a tenth at a time by each windowful that is confirmed."""

    def __init__(self, most: int) -> None:
        self.most = self.size = most
        self._confirmed = 0
        self._halved_at = Micros(0)

    def confirmed(self, count: int) -> None:
        self._confirmed += count
        if self._confirmed >= self.size:
            self._confirmed = 0
            self.size = min(self.most, self.size + max(1, self.most // _STEP))

    def missed(self, handed_at: Micros, now: Micros) -> None:
        """What was handed over before the window was last halved says nothing about its size now."""
        if handed_at >= self._halved_at:
            self.size, self._confirmed, self._halved_at = max(1, self.size // 2), 0, now


class Tracker:
    """One gateway's orders in flight, in memory. Instants and spans in microseconds.

    Invariant: an order in `absent` is in `flights`, and takes no room.
    """

    def __init__(self, most: int, timeout: int, silence: int) -> None:
        """timeout: until an order is late. silence: shortest one about a whole file after which the file can be lost."""
        self.window = Window(most)
        self.flights: dict[int, Flight] = {}
        self.absent: set[int] = set()
        self._timeout = timeout
        self._silence = silence
        self._told: set[int] = set()  # known to be late
        self._newest: dict[str, _Newest] = {}
        self._passed: dict[int, Micros] = {}
        self._latencies: deque[int] = deque(maxlen=_LATENCIES)

    @property
    def room(self) -> int:
        return max(0, self.window.size - len(self.flights) + len(self.absent))

    def replace(self, flights: Iterable[Flight], late: Iterable[int], absent: Iterable[int]) -> None:
        """What the journal says is in flight; `late` and `absent` are ids. Instants of flights that are known stay."""
        self.flights = {flight.order: self.flights.get(flight.order, flight) for flight in flights}
        self._told, self.absent = set(late), set(absent)

    def add(self, flights: Iterable[Flight]) -> None:
        self.flights.update((flight.order, flight) for flight in flights)

    def passed_through(self, newest: Mapping[str, int], now: Micros) -> None:
        """After a start: by account, the newest batch that the journal knows to be confirmed, in part at least."""
        self._newest = {account: _Newest(Place(batch, 0), now) for account, batch in newest.items()}

    def confirmed(self, orders: Iterable[int], now: Micros) -> None:
        found = [flight for order in orders if (flight := self.flights.pop(order, None))]
        for flight in found:
            newest = self._newest.get(flight.account_id)
            place = flight.place if newest is None else max(newest.place, flight.place)
            self._newest[flight.account_id] = _Newest(place, now)
            self._latencies.append(now - flight.at)
        ids = {flight.order for flight in found}
        self.absent -= ids
        self._told -= ids
        if found:
            self.window.confirmed(len(found))

    def is_late(self, orders: Iterable[int]) -> None:
        self._told.update(orders)

    def is_absent(self, orders: Iterable[int], now: Micros) -> None:
        """Proven: the broker never had them."""
        for order in orders:
            self.absent.add(order)
            self.window.missed(self.flights[order].at, now)

    def drop(self, orders: Iterable[int]) -> None:
        """They are not in flight any more: they wait to be handed over again."""
        for order in orders:
            self.flights.pop(order, None)
            self._told.discard(order)
            self.absent.discard(order)

    def newly_late(self, now: Micros) -> list[Flight]:
        return [flight for flight in self._late(now) if flight.order not in self._told]

    def doubts(self, now: Micros) -> list[Doubt]:
        """What is late and not proven absent, in the order in which it was handed over."""
        silent = [flight for flight in self.flights.values() if flight.order not in self.absent]
        self._passed = {f.order: self._passed.get(f.order, now) for f in silent if self._is_passed(f)}
        late = _grouped([flight for flight in silent if now - flight.at >= self._timeout], self._passed)
        last = {at: self._last_doubt(flights, now) for at, flights in late.items() if not at.passed}
        slow = {at.account_id for at, doubt in last.items() if now - doubt.since < self._long}
        return [
            last.get(at) or self._passed_doubt(flights, ripe=at.account_id not in slow)
            for at, flights in late.items()
        ]

    def _is_passed(self, flight: Flight) -> bool:
        newest = self._newest.get(flight.account_id)
        return newest is not None and flight.place < newest.place

    def _passed_doubt(self, flights: list[Flight], *, ripe: bool) -> Doubt:
        """Not ripe while later ones are in doubt, too, and not for long yet: then it is the terminal that is slow."""
        since = max(max(flight.at, self._passed[flight.order]) for flight in flights)
        return Doubt(flights[0].place.batch, tuple(flights), since, ripe)

    def _last_doubt(self, flights: list[Flight], now: Micros) -> Doubt:
        batch, handed_at = flights[0].place.batch, max(flight.at for flight in flights)
        newest = self._newest.get(flights[0].account_id)
        since = handed_at if newest is None else max(handed_at, newest.moved_at)
        in_part = newest is not None and newest.place.batch >= batch
        return Doubt(batch, tuple(flights), since, now - since >= (self._slowest if in_part else self._long))

    @property
    def _slowest(self) -> int:
        return _SLOWNESS * max(self._latencies, default=0)

    @property
    def _long(self) -> int:
        return max(self._slowest, self._silence)

    def _late(self, now: Micros) -> list[Flight]:
        return [flight for flight in self.flights.values() if now - flight.at >= self._timeout]


class _Newest(NamedTuple):
    """The last row, in the order of handing over, that is confirmed of an account, and when an account's row last was."""

    place: Place
    moved_at: Micros


class _Where(NamedTuple):
    batch: int
    account_id: str
    passed: bool


def _grouped(flights: Iterable[Flight], passed: Container[int]) -> dict[_Where, list[Flight]]:
    groups: dict[_Where, list[Flight]] = {}
    for flight in sorted(flights, key=attrgetter("place")):
        where = _Where(flight.place.batch, flight.account_id, flight.order in passed)
        groups.setdefault(where, []).append(flight)
    return groups
