"""Ends the day: what the terminals' folders still hold is put into the archive, and the four-way table is written.

Nothing that is not confirmed goes unseen: files that mention an open order stay and are told. What the terminal never took is taken
out of its folder, else it would trade it next morning; such orders expire when the terminal shows none of them for a while after.

A running router closes by itself after `[close] at`, or when a request lies in its state folder (`orderdrop close` puts it there);
without a router the command does the same steps itself. Closing a day again does no harm.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Engine

from orderdrop.archive.day import RECONCILIATION, Archived
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.identity import SidScope, day_number, from_day_number, wire_sid
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.status import Status
from orderdrop.errors import GatewayError, OrderdropError
from orderdrop.execution.turn import Turn
from orderdrop.gateway import closures
from orderdrop.gateway.base import Batch, Gateway, Leftover, Outcome, TakesFiles
from orderdrop.journal.journal import Journal
from orderdrop.journal.reader import Reading, read
from orderdrop.reconciliation.four_way import (
    UNANSWERED,
    WITH_US,
    Dropped,
    Reconciled,
    Totals,
    reconcile,
    total,
)
from orderdrop.router import Router
from orderdrop.system.clock import Clock, iso, to_datetime
from orderdrop.system.csv_tables import header_bytes, rows_bytes
from orderdrop.system.faults import tell_unexpected
from orderdrop.system.files import write_over
from orderdrop.views.day import ClosedView, ReconciledView, StayedView
from orderdrop.views.orders import line_of

log = logging.getLogger(__name__)

GRACE: Final = 10.0
"""Seconds in which rows of a file that was taken back may still show up: the terminal may have read it already."""

_LOOK_EVERY: Final = 0.5
_AGAIN: Final = 60.0
_ROUNDS: Final = 200
_TOLD: Final = 20
_CLOSED: Final = "terminals_closed"


class Return(NamedTuple):
    """A batch whose file was taken out of the terminal's folder."""

    gateway: str
    batch: Batch


class DayEnd:
    """Closes days. Used from the router's thread, between its turns."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        journal: Journal,
        reader: Engine,
        router: Router,
        clock: Clock,
        *,
        note: Callable[[Turn], None],
        archive_day: Callable[[date], None],
        grace: float = GRACE,
    ) -> None:
        """note: is told what reports have changed. archive_day: makes a day's folder complete, its manifest last."""
        self._workspace = workspace
        self._settings = settings
        self._journal = journal
        self._reader = reader
        self._router = router
        self._clock = clock
        self._note = note
        self._archive_day = archive_day
        self._grace = grace
        self._look_at = self._finish_at = 0.0
        self._day: date | None = None  # being closed
        self._again: date | None = None  # could not be closed
        self._closed: date | None = None  # is known to be closed
        self._back: list[Return] = []
        self._faults: list[str] = []
        self.faults: list[str] = []  # of the last attempt, for the heartbeat

    def look(self) -> None:
        """Which gateways are closed for today: a person may have opened one again."""
        gateways = self._router.desk.gateways
        self._router.queues.shut_off(closures.shut(self._workspace, gateways, self._router.today))

    def step(self) -> None:
        """What is due now, without waiting. A fault is told, and does not come back by itself."""
        now = time.monotonic()
        if self._day is not None:
            if now >= self._finish_at:
                self._try(self._day, self._finish)
            return
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_EVERY
        try:
            self.look()
            day = self._asked() or self._again or self._due()
        except (OSError, OrderdropError) as error:
            self._look_at = now + _AGAIN
            self.faults = [str(error)]
            log.error("现在不知道是否该收盘 / whether a day is to be closed cannot be told now: %s", error)
            return
        if self._again is None:
            self.faults = []
        if day is not None:
            self._try(day, lambda: self._begin(day))

    def close(self, day: date) -> ClosedView:
        """All of it, waiting as long as it must. Raises OrderdropError, OSError."""
        self._begin(day)
        if self._back:
            until = time.monotonic() + self._grace
            while time.monotonic() < until:
                self._listen()
                time.sleep(min(0.2, self._grace))
        return self._finish()

    # when

    def _asked(self) -> date | None:
        path = self._workspace.close_request
        if not path.exists():
            return None
        try:
            day = date.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["day"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("收盘请求读不懂，已忽略 / a request to close a day cannot be read: %s", error)
            day = None
        with contextlib.suppress(OSError):
            path.unlink()
        return day

    @property
    def awaits_close(self) -> bool:
        """Whether today's close is under way, or will come by itself: who ends the router waits for it."""
        if self._day is not None or self._again is not None:
            return True
        live = any(gateway.live for gateway in self._router.desk.gateways.values())
        today = self._router.today
        wanted = self._settings.close.auto and live and self._closed != today
        return wanted and self._router.risk.trading_days.may_be_open(today)

    def _due(self) -> date | None:
        """Today, when it was a trading day, its time has come and nobody has closed it yet."""
        now, today = to_datetime(self._clock.now()), self._router.today
        live = any(gateway.live for gateway in self._router.desk.gateways.values())
        wanted = self._settings.close.auto and live and self._closed != today
        if not wanted or now.time() < self._settings.close.at:
            return None
        if not self._router.risk.trading_days.may_be_open(today):
            return None
        with read(self._reader) as reading:
            done = int(reading.meta(_CLOSED) or 0)
        if done >= day_number(today):
            self._closed = today
        return today if done < day_number(today) else None

    # how

    def _try(self, day: date, act: Callable[[], object]) -> None:
        try:
            act()
            self._again, self.faults = None, []
        except Exception as error:  # noqa: BLE001  whatever it is, it must not end the router
            unexpected = not isinstance(error, (OSError, OrderdropError))
            self.faults = [tell_unexpected("收盘 / closing the day", error) if unexpected else str(error)]
            self._day, self._again = None, day
            self._look_at = time.monotonic() + _AGAIN
            log.error(
                "收盘没有完成，一分钟后重试 / the day could not be closed, trying again in a minute: %s",
                error,
            )

    def _begin(self, day: date) -> None:
        self._faults = []
        if day == self._router.today:
            self._shut()
        self._listen()
        with read(self._reader) as reading:
            live = reading.live_orders()
        self._back = [
            back for name, gateway in self._gateways() for back in self._take_back(name, gateway, live)
        ]
        self._day = day
        self._finish_at = time.monotonic() + (self._grace if self._back else 0.0)

    def _shut(self) -> None:
        """Of gateways whose terminal takes files out of a folder: what would go in from now on would lie there tomorrow."""
        today, at = self._router.today, iso(self._clock.now())[11:19]
        for name, gateway in self._gateways():
            if isinstance(gateway, TakesFiles):
                closures.close(self._workspace, name, today, at)
        self.look()
        for name, since in self._router.queues.shut.items():
            with self._journal.transaction() as writer:
                ids = writer.waiting_ids(name)
            if ids:
                self._router.recovery.expire(ids, Refusal(Code.GATEWAY_CLOSED, value=name, bound=since))
                self._note(Turn(orders=set(ids)))

    def _take_back(self, name: str, gateway: Gateway, live: Iterable[Any]) -> list[Return]:
        """The files of unanswered orders that the terminal has left lying."""
        if not isinstance(gateway, TakesFiles):
            return []
        unanswered = {o.batch_id for o in live if o.gateway == name and Status(o.status) in UNANSWERED}
        back = []
        with self._journal.transaction() as writer:
            batches = [Batch(number, writer.batch_content(number)) for number in sorted(unanswered - {None})]
        for batch in batches:
            try:
                # Or taken back before, by a close that was interrupted.
                if gateway.take_back(batch) or Outcome.NEVER_LEFT in gateway.settle(batch).values():
                    back.append(Return(name, batch))
            except GatewayError as error:
                self._faults.append(str(error))
        return back

    def _finish(self) -> ClosedView:
        day = self._day
        assert day is not None  # noqa: S101  `_begin` has set it
        self._listen()
        expired = self._expire()
        live = self._live()
        Archived(self._workspace.day(day)).restore()  # else a name that is in its zip would be given again
        leftovers = [
            item for name, gateway in self._gateways() for item in self._put_away(name, gateway, day, live)
        ]
        rows, totals = self._reconcile(day)
        self._archive_day(day)
        with self._journal.transaction() as writer:
            writer.set_meta(_CLOSED, str(max(day_number(day), int(writer.get_meta(_CLOSED) or 0))))
        self._day, self._back = None, []
        closed = self._view(day, leftovers, expired, [o.sid for o in live], rows, totals)
        write_over(self._workspace.closed, closed.model_dump_json().encode())
        _tell(closed)
        return closed

    def _expire(self) -> list[str]:
        """Orders of what was taken back, where the gateway still says that nothing of it was executed."""
        expired: list[Any] = []
        for name, batch in self._back:
            gateway = self._router.desk.gateways[name]
            never = {sid for sid, outcome in gateway.settle(batch).items() if outcome is Outcome.NEVER_LEFT}
            orders = [o for o in self._live() if o.batch_id == batch.id and Status(o.status) in UNANSWERED]
            expired += [order for order in orders if self._wire(order) in never]
        if expired:
            ids = {order.id for order in expired}
            self._router.recovery.expire(ids, Refusal(Code.TAKEN_BACK))
            self._note(Turn(orders=ids, accounts={order.account_id for order in expired}))
        return [order.sid for order in expired]

    def _put_away(self, name: str, gateway: Gateway, day: date, live: Iterable[Any]) -> list[Leftover]:
        open_sids = [self._wire(order) for order in live if order.gateway == name]
        try:
            return gateway.close_day(self._workspace.terminal_day(day, name), open_sids)
        except GatewayError as error:
            self._faults.append(str(error))
            return []

    def _listen(self) -> None:
        """Until everything that the terminals have told is journaled; a terminal that never stops is left at some time."""
        for _ in range(_ROUNDS):
            done = self._router.listen()
            self._note(done)
            if done.idle:
                return

    def _live(self) -> list[Any]:
        """Orders that have left and are not finished."""
        with read(self._reader) as reading:
            return [order for order in reading.live_orders() if Status(order.status) not in WITH_US]

    def _gateways(self) -> Iterable[tuple[str, Gateway]]:
        return self._router.desk.gateways.items()

    def _wire(self, order: Any) -> str:
        return wire_sid(order.sid, from_day_number(order.trade_day), self._scope)

    @property
    def _scope(self) -> SidScope:
        return self._settings.inbox.sid_scope

    # the four-way table

    def _reconcile(self, day: date) -> tuple[list[Reconciled], Totals]:
        with read(self._reader) as reading:
            sent = self._sent(reading, day)
            rows = list(reconcile(self._dropped(reading, day), sent, self._taken(day)))
        columns = list(Reconciled._fields)
        cells = (["" if cell is None else cell for cell in row] for row in rows)
        folder = self._workspace.day(day)
        folder.mkdir(parents=True, exist_ok=True)
        write_over(folder / RECONCILIATION, header_bytes(columns) + rows_bytes(cells))
        return rows, total(rows)

    def _dropped(self, reading: Reading, day: date) -> Iterable[Dropped]:
        for o in reading.orders_of_day(day_number(day)):
            yield Dropped(
                self._wire(o), o.account_id, o.gateway or "", o.symbol, o.volume, o.drop_name, line_of(o.id),
                Status(o.status), o.filled_volume, o.reason_code,
            )  # fmt: skip

    def _sent(self, reading: Reading, day: date) -> Counter[str]:
        """By the bytes that were handed over; where a gateway's bytes cannot be asked, by the journal's word."""
        sent: Counter[str] = Counter()
        silent = set()
        for batch in reading.batches_of_day(day_number(day)):
            gateway = self._router.desk.gateways.get(batch.gateway)
            if isinstance(gateway, TakesFiles):
                if batch.outcome != Outcome.NEVER_LEFT:
                    sent.update(gateway.sids(batch.content))
            else:
                silent.add(batch.gateway)
        if silent:
            orders = reading.orders_of_day(day_number(day))
            sent.update(self._wire(o) for o in orders if o.gateway in silent and o.batch_id is not None)
        return sent

    def _taken(self, day: date) -> dict[str, Counter[str] | None]:
        taken: dict[str, Counter[str] | None] = {}
        for name, gateway in self._gateways():
            taken[name] = None
            if isinstance(gateway, TakesFiles):
                try:
                    sids = gateway.taken(day)
                except GatewayError as error:
                    self._faults.append(str(error))
                else:
                    taken[name] = None if sids is None else Counter(sids)
        return taken

    def _view(
        self,
        day: date,
        leftovers: list[Leftover],
        expired: list[str],
        still_open: list[str],
        rows: list[Reconciled],
        totals: Totals,
    ) -> ClosedView:
        return ClosedView(
            day=day.isoformat(),
            at=iso(self._clock.now()),
            put_away=sum(item.moved_to is not None for item in leftovers),
            stayed=[StayedView(path=str(x.path), why=x.why) for x in leftovers if x.moved_to is None],
            taken_back=expired,
            open=still_open,
            differences=[ReconciledView(**row._asdict()) for row in rows if row.difference],
            faults=self._faults,
            **totals._asdict(),
        )


def _tell(closed: ClosedView) -> None:
    """To the log, and by it to the screen."""
    if closed.well:
        log.info("%s 已收盘 / closed, %s files put away", closed.day, closed.put_away)
        return
    told = [f"{Path(item.path).name}: {item.why}" for item in closed.stayed]
    told += [f"{row.sid}: {row.difference}" for row in closed.differences]
    told += closed.faults
    more = f" … +{len(told) - _TOLD}" if len(told) > _TOLD else ""
    log.warning("%s 收盘有未尽事项 / closed, but look at: %s%s", closed.day, "; ".join(told[:_TOLD]), more)
