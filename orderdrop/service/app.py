"""Wires a router to its gateways, its journal and its workspace, and runs it: `App`."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

from filelock import FileLock
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from orderdrop import __version__
from orderdrop.accounts.routing import Routing
from orderdrop.archive import filing
from orderdrop.archive.witness import Marks, Standing, hear, mark_paths
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.identity import day_number, from_day_number
from orderdrop.domain.refusal import Code
from orderdrop.errors import ConfigError, JournalError, OrderdropError
from orderdrop.execution.turn import Turn
from orderdrop.gateway.base import Gateway, SaysTrouble
from orderdrop.gateway.instrument_feed import Deliveries
from orderdrop.inbox.drop_file import OpenDrop, Position
from orderdrop.inbox.profiles import Profiles
from orderdrop.inbox.scanner import Inbox
from orderdrop.journal.journal import JOURNAL_ID, Journal, reading_engine
from orderdrop.journal.reader import read
from orderdrop.journal.records import DropState
from orderdrop.journal.writer import Writer
from orderdrop.reconciliation.day_end import DayEnd
from orderdrop.risk.breakers import CircuitBreakers
from orderdrop.risk.engine import RiskEngine
from orderdrop.router import Router
from orderdrop.service import away
from orderdrop.service.gateways import make_gateways
from orderdrop.service.heartbeat import EVERY, Heartbeat
from orderdrop.service.housekeeping import Chores
from orderdrop.service.lock import holding
from orderdrop.system.access import let_in
from orderdrop.system.clock import Clock, Micros, SteadyClock, SystemClock, iso, ticks_of_machine
from orderdrop.system.faults import tell_unexpected

log = logging.getLogger(__name__)

LULL: Final = 0.03
LULL_AT_MOST: Final = 1.0
"""Seconds without a drop after which chores begin, and seconds after which they begin all the same."""

COLLECT_AFTER: Final = 200_000
PAUSE_AFTER_UNEXPECTED: Final = 0.5
"""Seconds after a turn that failed as nobody foresaw."""

ONCE_AT_MOST: Final = 60.0
"""Seconds after which `run --once` ends whatever is left."""


class App:
    """A router in its workspace, holding the workspace's lock.

    Use as a context manager. Raises WorkspaceBusy, ConfigError, JournalError, GatewayError on entering.
    """

    def __init__(
        self,
        settings: Settings,
        workspace: Workspace,
        *,
        clock: Clock | None = None,
        gateways: dict[str, Gateway] | None = None,
    ) -> None:
        self.settings = settings
        self.workspace = workspace
        self.clock = SteadyClock(clock or SystemClock(), self._may_begin)
        self.journal = Journal(settings.journal.url, workspace.root)
        self.desk = Routing(settings, gateways or make_gateways(settings, workspace, self.clock))
        self.inbox = Inbox(
            workspace.inbox,
            settings.inbox,
            longest_name=workspace.longest_name,
            profiles=Profiles(settings.profiles),
        )
        self.deliveries = Deliveries(self.desk.gateways, settings, workspace, self.clock)
        risk = RiskEngine(self.desk, workspace.root, delivered=self.deliveries.delivered)
        breakers = CircuitBreakers(settings, workspace, risk, self.clock)
        self._marks = Marks(mark_paths(settings, workspace), workspace.root)
        self.router = Router(self.inbox, self.journal, self.desk, self.clock, risk, breakers, self._marks)
        self._lock = FileLock(workspace.lock)
        self._reader: Engine | None = None
        self._day = self.router.today
        self._closing = contextlib.ExitStack()
        self._busy = self._rested = 0.0  # when something last came, when chores were last done
        self.heartbeat = Heartbeat(workspace.heartbeat)
        self.router.alive = self._beat_if_due
        self._turns = 0
        self._state = "routing"
        self._fault = self._trouble = ""
        self._counted: dict[str, int] = {}  # orders that are unknown, and of them those that are lost
        self._count_due = True

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opened:
            self.workspace.make()
            opened.enter_context(holding(self._lock, self.workspace, self.clock, self.settings))
            self._hear_witnesses()
            self.heartbeat.end()  # an earlier router's
            opened.callback(self.heartbeat.end)
            opened.callback(self.journal.close)
            self.journal.open()
            opened.callback(self._marks.close)
            self._let_in()
            for gateway in self.desk.gateways.values():
                opened.callback(gateway.close)
                gateway.open()
            opened.callback(self.deliveries.close)
            self._get_ready(self._day)
            recovered = self.router.recovery.recover()
            self._set_marks()
            opened.callback(self.inbox.close)
            gateways = self.desk.gateways.values()
            outputs = [folder for gateway in gateways for folder in gateway.watched()]
            self.inbox.open(self._day, self._open_drops(), outputs)
            self._pulse = min(
                (g.pulse for g in gateways if g.pulse), default=self.settings.inbox.scan_interval
            )
            self._reader = reading_engine(self.settings.journal.url, self.workspace.root)
            opened.callback(self._reader.dispose)
            self.chores = Chores(
                self.workspace, self.settings, self.journal, self._reader, self.inbox, self.router, self.clock
            )
            self.chores.note(recovered)
            self.chores.look_after(self._put_away_today())
            self.day_end = DayEnd(
                self.workspace, self.settings, self.journal, self._reader, self.router, self.clock,
                note=self.chores.note, archive_day=self.chores.close_days,
            )  # fmt: skip
            self.day_end.look()
            self._beat()
            self._closing = opened.pop_all()
        log.info("started %s, %s", __version__, self.workspace.root)
        return self

    def __exit__(self, *_: object) -> None:
        self._state = "closing"
        self._beat()
        try:
            self._note_last()
            self.chores.finish()
            self.chores.close_days(self._day)
        finally:
            self._closing.close()
            log.info("stopped")

    def _hear_witnesses(self) -> None:
        """Raises JournalError when the journal is not the one that was here, or not as new as it was: before anything is made or sent."""
        heard = hear(self.settings, self.workspace)
        if heard.zh:
            raise JournalError(heard.sentence)
        for path in (
            heard.unreadable
        ):  # the others agree, or there are none; the gateways' last gate stands behind it
            log.warning("见证读不出，已重写 / a mark does not read, it is made anew: %s", path)

    def _set_marks(self) -> None:
        with self.journal.transaction() as writer:
            name = writer.get_meta(JOURNAL_ID) or ""
            standing = Standing(name, writer.next_drop_id() - 1, writer.next_batch_id() - 1)
        self._marks.open(standing)

    def _let_in(self) -> None:
        here, group = self.workspace, self.settings.inbox.group
        if not group:
            return
        journal = self.journal.path
        private = [
            here.settings, here.state, here.archive, here.quarantine,
            *journal.parent.glob(f"{journal.name}*"),
        ]  # fmt: skip
        why = let_in(group, here.root, here.inbox, (here.outbox, here.receipts), private)
        if why:
            log.error("[inbox] group = %s: 没有放行 / the group is not let in: %s", group, why)

    def _note_last(self) -> None:
        """What was handed over, and was to be noted with the next drops."""
        try:
            self.chores.note(self.router.listen())
        except (OSError, OrderdropError) as error:  # the next start settles it, by evidence
            log.error("%s", error)

    def run(self, stop: threading.Event, tell: Callable[[Turn], None] = lambda _turn: None) -> None:
        """Routes until `stop` is set; `tell` is called after each turn."""
        gc.collect()
        gc.freeze()  # what is loaded stays: no pause of the collector has to walk it again
        gc.set_threshold(COLLECT_AFTER, 20, 20)  # orders come and go by the thousand, and hold no cycles
        while not stop.is_set():
            done = self.turn(tell)
            busy = (self.router.ready or self.router.reports.behind) and not done.fault
            wait = LULL if self.chores.waiting else self._pulse
            if done.unexpected:  # whatever it is, it must not keep the processor busy
                stop.wait(PAUSE_AFTER_UNEXPECTED)
            self.inbox.wait(0 if busy else min(wait, EVERY))

    def run_once(
        self, tell: Callable[[Turn], None] = lambda _turn: None, at_most: float = ONCE_AT_MOST
    ) -> bool:
        """Routes until the inbox is empty and every order is settled, at most `at_most` seconds; returns whether it came to that."""
        deadline = time.monotonic() + at_most
        turns, scans = 0, self.inbox.scans
        while time.monotonic() < deadline:
            done = self.turn(tell)
            turns += 1
            if (
                turns > 1
                and self.inbox.scans > scans
                and done.idle
                and self.inbox.empty
                and self.router.settled
            ):
                return True
            self.inbox.wait(min(self.settings.inbox.scan_interval, 0.05))
        return False

    def turn(self, tell: Callable[[Turn], None]) -> Turn:
        """One turn of the router, then as many chores as fit before the next drop stirs. Whatever fails, the next turn comes."""
        self._turns += 1
        no_orders, begun = self._new_day()
        done = self.router.step(no_orders)
        self._state, self._fault = "fault" if done.fault else "routing", done.fault
        self._count_due |= not done.idle
        try:
            self.chores.note(done)
            tell(done)
            if begun:
                self._rest(done)
        except Exception as error:  # noqa: BLE001  the wall: neither chores nor the screen end a router
            done.unexpected = True
            self._state, self._fault = "fault", tell_unexpected("收尾 / housekeeping", error)
        self._beat_if_due()
        return done

    def _new_day(self) -> tuple[str, bool]:
        """Why no new orders are taken, and whether the day has begun: nothing but cancels and reports goes on before it has."""
        try:
            if self.router.today != self._day:
                self._begin_day()
            shown = self.clock.other_day
        except (OSError, OrderdropError) as error:  # the next turn tries again
            return str(error), False
        except Exception as error:  # noqa: BLE001  the wall
            return tell_unexpected("新的一天 / a new day", error), False
        return ("" if shown is None else _clock_words(self._day, shown)), True

    def _rest(self, done: Turn) -> None:
        if self._chores_due(done):
            self.chores.run(self._stirring)
            if not self.chores.under_way:
                self._rested = time.monotonic()
        if done.idle or done.fault:  # what keeps orders from leaving need not keep the day from being closed
            self.day_end.step()

    def _stirring(self) -> bool:
        self._beat_if_due()
        return self.inbox.stirring

    def _may_begin(self, day: date) -> bool:
        return self.router.risk.trading_days.may_be_open(day)

    # signs of life

    def _beat_if_due(self) -> None:
        if self.heartbeat.due:
            self._beat()

    def _beat(self) -> None:
        """Says that the loop comes round, and what is wrong."""
        router, machine = self.router, self.clock.machine
        halted = self._state == "routing" and self.inbox.halted
        self.heartbeat.beat(
            {
                "pid": os.getpid(),
                "host": platform.node(),
                "at": iso(machine.now()),
                "mono": ticks_of_machine() / 1_000_000,
                "day": self._day.isoformat(),
                "turn": self._turns,
                "state": "halted" if halted else self._state,
                "fault": self._fault or self._unwritable(),
                "chores": [] if self._reader is None else self.chores.faults + self.day_end.faults,
                **self._unknown(),
                "backlog": sum(router.queues.backlog.values()),
                "gateways": {name: self._heard(name) for name in self.desk.gateways},
                "version": __version__,
            }
        )

    def _unwritable(self) -> str:
        """Why the journal takes nothing, though nothing had to be written lately; of two beats on end, for a backup may hold it for a moment."""
        before, self._trouble = self._trouble, self.journal.trouble()
        return (
            f"日志库写不进去 / the journal cannot be written: {self._trouble}"
            if before and self._trouble
            else ""
        )

    def _heard(self, name: str) -> dict[str, Any]:
        gateway, at = self.desk.gateways[name], self.router.reports.heard.get(name)
        why = self.router.reports.deaf.get(name) or (
            gateway.trouble if isinstance(gateway, SaysTrouble) else ""
        )
        return {"heard_at": None if at is None else iso(Micros(at)), "silent": bool(why), "why": why}

    def _unknown(self) -> dict[str, int]:
        """How many orders are unknown and, of all those, proven lost; asked anew when something has changed."""
        if self._count_due and self._reader is not None:
            self._count_due = False
            with contextlib.suppress(OrderdropError, SQLAlchemyError), read(self._reader) as reading:
                unknown = reading.unknown_counts()
                lost = unknown.get(Code.PROVEN_ABSENT, 0)
                self._counted = {"unknown": sum(unknown.values()), "lost": lost}
        return self._counted or {"unknown": 0, "lost": 0}

    def _chores_due(self, done: Turn) -> bool:
        """In a lull: an order that comes right behind another one must not wait for the receipt of the first. But not for ever."""
        now = time.monotonic()
        if not done.idle:
            self._busy = now
        return now - self._busy >= LULL or now - self._rested >= LULL_AT_MOST

    def _begin_day(self) -> None:
        ended, today = self._day, self.router.today
        self.router.recovery.look_at_clock()
        try:
            self._get_ready(today)
        except ConfigError as error:  # no new orders then, but all else goes on
            log.error("%s", error)
        begun = Turn()
        try:
            self.router.recovery.begin_day(begun)
        finally:
            self.chores.note(begun)
        self._day = today
        self.day_end.look()
        self.chores.finish()
        try:
            self.chores.close_days(ended)
        except (OSError, OrderdropError) as error:
            log.error("日终归档没有完成 / the day %s could not be closed: %s", ended, error)

    def _get_ready(self, day: date) -> None:
        """What has to be known of a day before its first order."""
        risk = self.router.risk
        risk.begin(day)
        if not (risk.any_bound and risk.trading_days.is_open(day) is False):
            self.deliveries.begin(day)

    def _open_drops(self) -> list[OpenDrop]:
        """What the journal knows of drops that still lie in the inbox; those that were moved just before a crash are noted."""
        with self.journal.transaction() as writer:
            away.finish_interrupted(self.workspace, writer)
        with self.journal.transaction() as writer:
            found = []
            for drop in writer.open_drops():
                lies_here = os.path.lexists(self.workspace.inbox / drop.name)
                find = away.put_away_before if lies_here else away.moved_to
                path = find(self.workspace, writer, drop)
                if lies_here and path is None:
                    found.append(_open_drop(drop))
                else:
                    self._note_moved(writer, drop, path)
        return found

    def _put_away_today(self) -> list[tuple[OpenDrop, str]]:
        """Drops of today that were put away before this start, with their paths."""
        assert self._reader is not None  # noqa: S101  entered
        with read(self._reader) as reading:
            drops = reading.drops_of_day(day_number(self._day))
        return [
            (_open_drop(drop), str(self.workspace.root / drop.archived_as))
            for drop in drops
            if drop.archived_as and drop.position  # a link, say, was never opened
        ]

    def _note_moved(self, writer: Writer, drop: Any, path: Path | None) -> None:
        if path is None:
            log.warning("文件不见了 / %s was taken out of the inbox by somebody else", drop.name)
        else:
            filing.put_away_fin(self.workspace.inbox / drop.name, path)
        away.note_put_away(self.workspace, writer, drop, path)


def _clock_words(today: date, shown: date) -> str:
    return (
        f"时钟跳到了 {shown},仍按 {today}:撤单和回报照常，新委托等时钟恢复；若 {shown} 才对，等 5 分钟(交易日),或重启路由器 / "
        f"the clock has jumped to {shown}, it is still taken for {today}: cancels and reports go on, new orders wait for the clock. "
        f"If {shown} is right, wait 5 minutes (on a trading day), or start the router anew"
    )


@contextmanager
def alone(settings: Settings, workspace: Workspace, clock: Clock) -> Iterator[None]:
    """Holds the workspace while no router runs in it. Raises WorkspaceBusy, ConfigError."""
    workspace.make()
    with holding(FileLock(workspace.lock), workspace, clock, settings):
        yield


def _open_drop(drop: Any) -> OpenDrop:
    position = Position(drop.position, drop.next_row, bool(drop.torn))
    refused = drop.state == DropState.REFUSED
    return OpenDrop(
        drop.id, drop.name, from_day_number(drop.trade_day), position, drop.sid_space, refused, drop.sha256,
        traded=drop.accepted > 0,
    )  # fmt: skip
