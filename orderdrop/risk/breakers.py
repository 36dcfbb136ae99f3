"""Closes switches by itself: after too many refusals, too great a loss or turnover, a full disk, a failing journal, a jumping clock.

What closes is a file in the inbox, as if somebody had put it there: everybody sees it with its reason, and `orderdrop resume` opens it. Until
the file has been seen, and where it cannot be written, memory keeps it closed. It opens nothing by itself.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.identity import day_number
from orderdrop.domain.status import Status
from orderdrop.domain.switches import ALL, ScopeKey, State, Switches, scope_words
from orderdrop.errors import GatewayError, JournalError
from orderdrop.journal.writer import Writer
from orderdrop.risk.context import Funds
from orderdrop.risk.engine import RiskEngine
from orderdrop.risk.exposure import Following
from orderdrop.system.clock import Clock, SteadyClock, ticks_of_machine, trade_date
from orderdrop.system.files import write_over

log = logging.getLogger(__name__)

_MEGABYTE: Final = 1 << 20
_DISK_EVERY: Final = 5.0
_ASK_NEW_EVERY: Final = 60.0


class CircuitBreakers:
    """Used from the router's thread. What has closed for a reason once does not close for it again before something new has happened."""

    def __init__(
        self, settings: Settings, workspace: Workspace, risk: RiskEngine, clock: Clock,
        monotonic: Callable[[], float] = lambda: ticks_of_machine() / 1_000_000,
    ) -> None:  # fmt: skip
        self._settings = settings.switches
        self._named = frozenset(settings.accounts) if settings.switches.day_loss is not None else frozenset()
        self._begun: set[tuple[str, int]] = set()  # accounts whose worth in the morning is known
        self._workspace = workspace
        self._risk = risk
        self._clock = clock
        self._monotonic = monotonic
        self._closed: dict[ScopeKey, State] = {}
        self._since: dict[tuple[str, str], int] = {}
        self._tripped: set[tuple[str, str, int]] = set()
        self._last: tuple[int, float] | None = None
        self._disk_due = self._ask_new_at = 0.0
        self._asked_new = 0  # day
        money = (self._settings.day_loss, self._settings.day_turnover)
        self.counts = risk.any_bound or any(bound is not None for bound in money)

    def over(self, named: Switches) -> Switches:
        """Returns the switches that lie in the inbox, with those that were closed and have not been seen there yet."""
        for key in self._closed.keys() & named.states.keys():
            del self._closed[key]
        if not self._closed:
            return named
        return Switches(
            {
                **self._closed,
                **{key: max(state, self._closed.get(key, state)) for key, state in named.states.items()},
            }
        )

    def watch(self) -> None:
        """The machine: its clock, its disk. Each turn."""
        if not self._risk.any_bound:
            return
        machine = self._clock.machine if isinstance(self._clock, SteadyClock) else self._clock
        now, ticks = machine.now(), self._monotonic()
        if self._last is not None and self._settings.clock_jump:
            jump = (now - self._last[0]) / 1_000_000 - (ticks - self._last[1])
            if abs(jump) > self._settings.clock_jump:
                self._close(
                    ALL, State.HALTED, f"时钟跳动了 {jump:+.1f} 秒 / the clock has jumped by {jump:+.1f} s"
                )
        self._last = now, ticks
        if self._settings.free_disk and ticks >= self._disk_due:
            self._disk_due = ticks + _DISK_EVERY
            free = shutil.disk_usage(self._workspace.root).free // _MEGABYTE
            if free < self._settings.free_disk:
                self._close(ALL, State.HALTED, f"磁盘只剩 {free} MB / only {free} MB are left on the disk")

    def failed(self, error: Exception) -> None:
        """Closes all when it is the journal that could not be written."""
        if self._risk.any_bound and isinstance(error, JournalError):
            self._close(ALL, State.HALTED, f"日志库出错 / the journal is in trouble: {error}")

    def look(self, writer: Writer) -> None:
        """What was ordered and refused, in each transaction."""
        if not self.counts:
            return
        now = self._clock.now()
        today = trade_date(now)
        following = self._risk.follow(writer, now, today)
        self._count(following, Status.REJECTED, self._settings.rejects_per_minute, now)
        self._count(following, Status.DENIED, self._settings.denials_per_minute, now)
        if self._settings.day_turnover is not None or self._settings.day_loss is not None:
            day = day_number(today)
            for account_id in {*self._new(day), *following.ledger.accounts()}:
                self._weigh(writer, following, account_id, day)

    def _new(self, day: int) -> list[str]:
        """A loss counts from before the first order, so an account that has not ordered yet is asked for; seldom, for it may keep us waiting."""
        ticks = self._monotonic()
        if day == self._asked_new and ticks < self._ask_new_at:
            return []
        self._asked_new, self._ask_new_at = day, ticks + _ASK_NEW_EVERY
        return [account_id for account_id in self._named if (account_id, day) not in self._begun]

    def _count(self, following: Following, what: Status, bound: int, now: int) -> None:
        if not bound:
            return
        told = Counter(
            account
            for at, account, said in following.told
            if said == what and at > self._since.get((account, what), 0)
        )
        for account_id, count in told.items():
            if count >= bound and self._risk.bound[account_id]:
                self._since[account_id, what] = now
                words = f"一分钟内 {count} 笔 {what} / {count} {what} within a minute"
                self._close(("account", account_id), State.HALTED, words)

    def _weigh(self, writer: Writer, following: Following, account_id: str, day: int) -> None:
        turnover = self._settings.day_turnover
        totals = following.ledger.totals(("account", account_id))
        # What nobody can put a price on yet trips nothing; once it trades it counts.
        traded = totals.bought + totals.sold - following.ledger.unbounded(account_id)
        if turnover is not None and traded >= turnover and self._first("turnover", account_id, day):
            self._close(
                ("account", account_id),
                State.REDUCING,
                f"当日成交与在途 {traded:.2f} 元 / {traded:.2f} yuan traded or open today",
            )
        loss = self._settings.day_loss
        funds = None if loss is None else self._funds(account_id)
        if loss is None or funds is None:
            return
        key = f"assets:{day}:{account_id}"
        began = writer.get_meta(key)
        if began is None:
            writer.set_meta(key, str(funds.assets))
            return
        self._begun.add((account_id, day))
        if (lost := Decimal(began) - funds.assets) >= loss and self._first("loss", account_id, day):
            self._close(
                ("account", account_id),
                State.REDUCING,
                f"当日亏损 {lost:.2f} 元 / {lost:.2f} yuan lost today",
            )

    def _funds(self, account_id: str) -> Funds | None:
        """None as well when its gateway cannot be asked: that must not keep others from trading, and nobody from cancelling."""
        try:
            return self._risk.funds(account_id, self._clock.now())
        except GatewayError as error:
            log.debug("%s: %s", account_id, error)
            return None

    def _first(self, what: str, account_id: str, day: int) -> bool:
        trip = (what, account_id, day)
        new = trip not in self._tripped
        self._tripped.add(trip)
        return new

    def _close(self, key: ScopeKey, state: State, why: str) -> None:
        if self._closed.get(key, State.ACTIVE) >= state:
            return
        self._closed[key] = state
        log.error(
            "自动切换到 %s: %s / switched to %s by itself: %s", state.name, scope_words(key), state.name, why
        )
        account_id = key[1] if key[0] == "account" else ""
        path = self._workspace.switch(account=account_id, reducing=state is State.REDUCING)
        try:
            write_over(path, f"{why}\n".encode(), durable=True)
        except OSError as error:
            log.error("开关文件写不出来 / the switch cannot be written: %s: %s", path, error)
