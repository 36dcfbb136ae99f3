"""Asks the gateways' terminals for the day's securities, on threads beside the router's; keeps them in a file for each gateway.

Owns when a terminal is asked: once for each day, once more after the terminals have renewed their data, again after a failure. A failure means that
nobody knows, no more. What is kept serves `orderdrop check` and the next start; nothing of another day is ever told. The router only reads a
reference, and what is done meanwhile is done in small portions, so that no order waits for it.
"""

from __future__ import annotations

import csv
import io
import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from orderdrop.config.gateways import DeliveringSettings
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.security import Security, read
from orderdrop.errors import OrderdropError
from orderdrop.gateway.base import DeliversInstruments, Gateway
from orderdrop.market.instruments import NOTHING_DELIVERED, Delivered, Instruments
from orderdrop.system.clock import Clock, Micros, iso, second_of_day, trade_date
from orderdrop.system.files import rewriting
from orderdrop.system.pacing import slices

log = logging.getLogger(__name__)

FROM: Final = 8 * 3600 + 30 * 60
SETTLED: Final = 9 * 3600 + 10 * 60
UNTIL: Final = 15 * 3600
"""Seconds of the day: asked from then on; an answer from then on is the last one needed (QMT renews its data at nine); not asked any more."""

PAUSES: Final = (30.0, 60.0, 120.0, 300.0)
"""Seconds after a failure, the last one again and again."""

_LOOK: Final = 60.0
_PORTION: Final = 20
_BREATH: Final = 0.0005
HEADER: Final = (*Security._fields, "day", "at")


class Kept(NamedTuple):
    """What a gateway's file holds for a day. at: when it was asked for, as text."""

    at: str
    securities: dict[str, Security]


class Deliveries:
    """Lives as long as the router; `begin` and `close` are the router's thread's."""

    def __init__(
        self, gateways: Mapping[str, Gateway], settings: Settings, workspace: Workspace, clock: Clock
    ) -> None:
        self._gateways = {
            name: gateway
            for name, gateway in gateways.items()
            if name in delivering(settings) and isinstance(gateway, DeliversInstruments)
        }
        self._workspace = workspace
        self._clock = clock
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._delivered = NOTHING_DELIVERED
        self._told: dict[str, Mapping[str, Security]] = {}

    def delivered(self) -> Delivered:
        """As of now; costs nothing."""
        return self._delivered

    def begin(self, day: date) -> None:
        """Forget what was, remember what was kept of this day, and see to the rest in the background."""
        self.close()
        self._stop = threading.Event()
        with self._lock:
            self._told = {}
            self._delivered = Delivered(day, ())
        for name, gateway in self._gateways.items():
            work = (name, gateway, day, self._recall(name, day), self._stop)
            threading.Thread(target=self._follow, args=work, name=f"instruments-{name}", daemon=True).start()

    def close(self) -> None:
        """Ask for nothing more. What is being asked for ends with its gateway."""
        self._stop.set()

    def _follow(
        self, name: str, gateway: DeliversInstruments, day: date, answered: int | None, stop: threading.Event
    ) -> None:
        """answered: the second of the day at which the newest answer was asked for, None when there is none."""
        failures = 0
        while answered is None or answered < SETTLED:
            now = self._clock.now()
            second, due = second_of_day(now), FROM if answered is None else SETTLED
            if trade_date(now) != day or second >= UNTIL:
                return
            if second < due:
                wait = min(_LOOK, due - second)
            elif self._ask(name, gateway, day, now, stop, first=not failures):
                answered, failures = second, 0
                continue
            else:
                wait, failures = PAUSES[min(failures, len(PAUSES) - 1)], failures + 1
            if stop.wait(wait):
                return

    def _recall(self, name: str, day: date) -> int | None:
        found = _kept(self._workspace.securities(name), day)
        if not found.securities:
            return None
        self._tell(name, day, found.securities, self._stop)
        at = datetime.fromisoformat(found.at)
        return at.hour * 3600 + at.minute * 60 + at.second

    def _ask(
        self, name: str, gateway: DeliversInstruments, day: date, now: Micros, stop: threading.Event, *, first: bool
    ) -> bool:  # fmt: skip
        level = logging.WARNING if first else logging.DEBUG
        try:
            with closing(gateway.instruments(day)) as telling:
                found = {security.symbol: security for security in _gently(telling)}
        except OrderdropError as error:
            if not stop.is_set():
                log.log(level, "%s: 没有证券资料,将再问 / no securities yet, will ask again: %s", name, error)
            return False
        if not found:
            log.log(
                level, "%s: 终端还没有当日证券资料 / the terminal has nothing of today's securities yet", name
            )
            return False
        self._tell(name, day, found, stop)
        log.info("%s: 当日证券资料 %d 只 / securities of today: %d", name, len(found), len(found))
        try:
            _write(self._workspace.securities(name), day, now, found.values())
        except OSError as error:
            log.warning("证券资料存不下来 / the securities cannot be kept: %s", error)
        return True

    def _tell(self, name: str, day: date, found: Mapping[str, Security], stop: threading.Event) -> None:
        with self._lock:
            if not stop.is_set():
                self._told[name] = found
                in_order = tuple(self._told[each] for each in self._gateways if each in self._told)
                self._delivered = Delivered(day, in_order)


def delivering(settings: Settings) -> list[str]:
    """The gateways that are asked for the day's securities."""
    return [
        name
        for name, values in settings.gateways.items()
        if isinstance(values, DeliveringSettings) and values.instruments
    ]


def kept(settings: Settings, workspace: Workspace, day: date) -> dict[str, Kept]:
    """What the running router, or the last one, was told for the day, by gateway; for those who only look."""
    found = {name: _kept(workspace.securities(name), day) for name in delivering(settings)}
    return {name: one for name, one in found.items() if one.securities}


def as_delivered(found: Mapping[str, Kept], day: date) -> Delivered:
    return Delivered(day, tuple(one.securities for one in found.values()))


class KnownPrices:
    """The last price of a symbol, else its previous close, by instruments.csv and what terminals have told: what they say of today."""

    def __init__(self, settings: Settings, workspace: Workspace, clock: Clock) -> None:
        self._settings, self._workspace, self._clock = settings, workspace, clock
        self._delivered = NOTHING_DELIVERED
        self._instruments = Instruments(settings.instruments, workspace.root, lambda: self._delivered)

    def __call__(self, symbol: str) -> Decimal | None:
        now = self._clock.now()
        today = trade_date(now)
        if self._delivered.day != today or not self._delivered.told:
            self._delivered = as_delivered(kept(self._settings, self._workspace, today), today)
        self._instruments.refresh(today)
        instrument = self._instruments.today(now, today)(symbol)
        return None if instrument is None else instrument.reference


def _gently(items: Iterable[Security]) -> Iterator[Security]:
    """Let go of Python's lock between portions."""
    for portion in slices(items, _PORTION):
        yield from portion
        time.sleep(_BREATH)


def _write(path: Path, day: date, at: Micros, securities: Iterable[Security]) -> None:
    asked = [day.isoformat(), iso(at)]
    with rewriting(path) as write:
        write(_csv([HEADER]))
        for portion in slices(securities, _PORTION):
            write(_csv([*security.cells, *asked] for security in portion))
            time.sleep(_BREATH)


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _kept(path: Path, day: date) -> Kept:
    """What is of no use, or no file of ours, holds nothing."""
    try:
        return _read(path, day)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, ArithmeticError, csv.Error) as error:
        log.warning("留存的证券资料读不了 / the securities that were kept cannot be read: %s", error)
    return Kept("", {})


def _read(path: Path, day: date) -> Kept:
    """Raises OSError, ValueError, ArithmeticError, csv.Error."""
    found: dict[str, Security] = {}
    at = ""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        if tuple(next(rows, ())) != HEADER:
            raise ValueError(f"{path}: another header")
        for cells in rows:
            security, (of, at) = read(cells), cells[len(Security._fields) :]
            if of != day.isoformat():
                break
            found[security.symbol] = security
            datetime.fromisoformat(at)
    return Kept(at, found)
