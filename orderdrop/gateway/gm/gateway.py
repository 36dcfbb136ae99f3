"""The gateway to 掘金's API (package gm): orders through calls, answers by asking again and again.

This file says what is sure. The process of the vendor's package stands behind connection, link and worker, what must not be
forgotten in store, what is in mind in blotter, what proves an absence in absence, what the API's words mean in rows, the day's
securities in securities. The API carries no field of ours: the terminal makes an id and tells it when the call returns. When a call
does not return, the order is looked for by its terms, and found only if nothing else can be meant.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Generator, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from orderdrop.config.gateways import GmSettings
from orderdrop.domain.goldminer_format import order_file
from orderdrop.domain.report import Account, CancelReject, Report, Unreadable
from orderdrop.domain.security import Security
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import (
    SEEN_BEFORE,
    Batch,
    CallsOneByOne,
    Cancel,
    Cursor,
    Leftover,
    Outcome,
    Outgoing,
    Stopped,
    SubmitResult,
    Trace,
)
from orderdrop.gateway.gm import absence, rows
from orderdrop.gateway.gm.blotter import ABSENT, Blotter
from orderdrop.gateway.gm.connection import GmConnection
from orderdrop.gateway.gm.link import GmRefused
from orderdrop.gateway.gm.store import GmStore, Sent
from orderdrop.gateway.securities_query import Enquiry, command
from orderdrop.system.clock import Clock, Micros, trade_date
from orderdrop.system.failpoint import reach

log = logging.getLogger(__name__)

SECURITIES: Final = command("orderdrop.gateway.gm.securities")
SECURITIES_WITHIN: Final = 120.0
"""Seconds that the terminal may take to tell the day's securities."""

_ROOM: Final = 1_000_000
LAG: Final = 2_000_000
"""Microseconds by which the terminal's cash and positions may be behind."""

ACCOUNTS_EVERY: Final = 3_000_000
"""Microseconds between two questions for cash and positions: a snapshot from before each hand-over, and one from after it."""

FULL_EVERY: Final = 4_000_000
_FRESH: Final = 2_000_000
"""Microseconds: a list that is older is asked for again before new orders go."""

_UNKNOWN_ORDER, _INTERNAL = 102, 999


class GmGateway(CallsOneByOne):
    """掘金's API as a `Gateway`; one token, several accounts.

    Invariants: a call is on disk before it is made, so an order that is not there never left; a call that has begun is never made
    again; TAKEN is said of orders whose id the terminal has told.
    """

    def __init__(
        self, name: str, settings: GmSettings, accounts: Collection[str], folder: Path, clock: Clock
    ) -> None:
        """accounts: those that the settings give to this gateway. folder: where its own files are kept."""
        self.name = name
        self.live = settings.live
        self.pulse = settings.poll_interval
        self._clock = clock
        self._store = GmStore(folder / f"gm-{name}.db")
        self._settings = settings
        hello = {
            "serv_addr": settings.serv_addr,
            "strategy_id": settings.strategy_id,
            "accounts": list(accounts),
            "call_timeout": settings.call_timeout,
            "lock": str(folder / f"gm-{name}.lock"),
        }
        self._connection = GmConnection(hello, settings.call_timeout, clock, self._forget_lists)
        self._enquiry = Enquiry(SECURITIES, SECURITIES_WITHIN)
        self._blotter = Blotter(accounts, settings.strategy_id)
        self._named = bool(accounts)
        self._snapshots: dict[str, Account] = {}
        self._interval = round(settings.poll_interval * 1_000_000)
        self._looked_at = self._full_at = self._accounts_at = Micros(0)
        self._day = date.min
        self._was_whole = False
        self._opened_at = clock.now()
        self._shown: set[str] = set()  # what the last gate has held
        self._begun = False

    def open(self) -> None:
        """A terminal that is away is no fault: it is called again and again.

        Raises GatewayError when the package is missing, ConfigError when the token is.
        """
        self._connection.introduce(self._settings.secret())
        self._opened_at = self._clock.now()
        self._store.open(self._opened_at)
        with self._store.transaction():
            self._was_whole = self._store.is_whole
        self._begin_day()
        try:
            self._connect()
        except GatewayError as error:
            log.error("掘金接口连不上,将重试 / 掘金's API cannot be reached, will try again: %s", error)

    def close(self) -> None:
        self._enquiry.cancel()
        self._connection.stop()
        self._store.close()

    keeps_days = True  # its own file does
    lag = LAG

    @property
    def trouble(self) -> str:
        return "" if self._connection.up else "掘金接口没有连上 / not connected to 掘金's API"

    def watched(self) -> Sequence[Path]:
        """It has no folders."""
        return ()

    def room(self) -> int:
        return _ROOM if self._connection.may_be_asked else 0

    def encode(self, orders: Iterable[Outgoing]) -> bytes:
        return order_file(orders)

    def submit(self, batch: Batch) -> SubmitResult:
        """One call for each order, each on disk before it is made. Raises GatewayError when one of them is in doubt."""
        orders = rows.read_batch(batch.content)
        self._begin_memory()
        try:
            self._look_anew(_FRESH)
        except GatewayError as error:
            return SubmitResult(Outcome.NEVER_LEFT, str(error))
        with self._store.transaction():
            begun = self._store.of_batch(batch)
        if shown := self._shown_before(order for order in orders if order.sid not in begun):
            return SubmitResult(Outcome.UNKNOWN, SEEN_BEFORE, frozenset() if begun else shown)
        with self._store.transaction():
            self._store.add_batch(batch)
        for place, order in enumerate(orders):
            if order.sid not in begun:
                if self.stopped():
                    raise Stopped(
                        f"{len(orders) - place} 笔没有送出 / orders were not sent: a switch was thrown"
                    )
                self._place(batch, place, order)
        known = all(self._outcome(number) is Outcome.TAKEN for number in begun.values())
        return SubmitResult(Outcome.TAKEN if known else Outcome.UNKNOWN)

    def cancel(self, cancels: Sequence[Cancel]) -> None:
        """What is in doubt is cancelled as soon as it is found."""
        known, now = [], self._clock.now()
        with self._store.transaction():
            for cancel in cancels:
                sent = self._blotter.of_sid(cancel.account_id, cancel.sid)
                if sent is None:
                    self._store.add_reports(
                        [CancelReject(now, cancel.account_id, cancel.sid, _UNKNOWN_ORDER)]
                    )
                elif not sent.client_id:
                    self._store.want_cancel(sent, wanted=True)
                    sent.cancel = True
                else:
                    known.append(sent)
        self._send_cancels(known)

    def settle(self, batch: Batch) -> dict[str, Outcome]:
        """What has no call in the file never left, if the file is old enough to know."""
        orders = rows.read_batch(batch.content)
        with self._store.transaction():
            lost = not self._store.has_batch(batch) and not self._was_whole
            adopted = self._adopt(batch, orders) if lost else []
            begun = self._store.of_batch(batch)
        for sent in adopted:
            self._blotter.add(sent)
        try:
            self._look_anew(0)
        except GatewayError as error:
            log.warning(
                "批次 %s 先按记录判断 / batch %s is settled from the file: %s", batch.id, batch.id, error
            )
        return {order.sid: self._outcome(begun.get(order.sid)) for order in orders}

    def remember(self, batches: Iterable[Batch]) -> None:
        """Its own file remembers. If that is new, nobody knows whether these orders left: they are looked for by their terms."""
        if self._was_whole:
            return
        with self._store.transaction():
            adopted = [
                sent
                for batch in batches
                if not self._store.has_batch(batch)
                for sent in self._adopt(batch, rows.read_batch(batch.content))
            ]
        for sent in adopted:
            self._blotter.add(sent)

    def trace(self, batch: Batch, sids: Collection[str], since: Micros) -> Trace:
        try:
            self._look_anew(FULL_EVERY, full=self._is_due(self._full_at, FULL_EVERY))
        except GatewayError as error:
            return Trace(frozenset(), str(error))
        with self._store.transaction():
            known, begun = self._store.has_batch(batch), self._store.of_batch(batch)
        for account_id, listed in ({} if batch.places is None else batch.places["listed"]).items():
            self._blotter.expect(account_id, listed)
        unsent = frozenset(sid for sid in sids if known and sid not in begun and sid not in self._shown)
        proven = absence.look_for(
            self._blotter, [begun[sid] for sid in sids if sid in begun], since, noted=batch.places is not None
        )
        absent = unsent | {sid for sid in sids if begun.get(sid) in proven.numbers}
        self._note_absent(proven.numbers)
        return Trace(absent, proven.words, proven.at, unsent)

    def close_day(self, folder: Path, open_sids: Collection[str]) -> list[Leftover]:  # noqa: ARG002
        """It has no folders."""
        return []

    def poll(self, after: Cursor, limit: int) -> tuple[list[Report], Cursor]:
        if after and not after.isdecimal():
            raise GatewayError(f"回报游标不是掘金接口的 / not a cursor of 掘金's API: {after}")
        self._begin_memory()
        try:
            self._look_anew(
                self._interval, full=self._blotter.has_doubts and self._is_due(self._full_at, FULL_EVERY)
            )
            self._ask_for_accounts()
        except GatewayError as error:
            log.debug("%s", error)
        with self._store.transaction():
            reports, last = self._store.reports(int(after or 0), limit)
        return reports, Cursor(str(last)) if reports else after

    def account(self, account_id: str) -> Account | None:
        """The one before, when the terminal cannot be asked."""
        if account_id in self._blotter.accounts:
            try:
                self._connect()
                asked_at = self._clock.now()  # what came later need not be in the answer
                told = self._connection.ask("account", account_id=account_id)
                if told["cash"] is not None:
                    self._snapshots[account_id] = rows.account(
                        account_id, told["cash"], told["positions"], asked_at
                    )
            except (Unreadable, ArithmeticError, TypeError, LookupError) as error:
                what = f"funds: {error}"
                self._blotter.problems.setdefault(what, 1)
                log.debug("%s", what)
            except GatewayError as error:
                log.debug("%s", error)
        return self._snapshots.get(account_id)

    def remembered(self, account_id: str) -> Account | None:
        return self._snapshots.get(account_id)

    def places(self) -> dict[str, Any]:
        """Its lists are of the whole day: it is enough to know how long they were."""
        return {"listed": self._blotter.listed}

    def accounts(self) -> Sequence[str]:
        return sorted(self._blotter.accounts)

    @property
    def bad_rows(self) -> dict[str, int]:
        """What of the terminal's answers did not read, counted."""
        return dict(self._blotter.problems)

    def instruments(self, day: date) -> Generator[Security, None, None]:
        """By a process beside that of the orders: it names no account and no strategy."""
        return self._enquiry.ask(
            day=day.isoformat(), token=self._settings.secret(), serv_addr=self._settings.serv_addr,
            strategy_id="", accounts=[], call_timeout=SECURITIES_WITHIN,
        )  # fmt: skip

    def _ask_for_accounts(self) -> None:
        if self._is_due(self._accounts_at, ACCOUNTS_EVERY):
            self._accounts_at = self._clock.now()
            for account_id in sorted(self._blotter.accounts):
                self.account(account_id)

    # details of handing over

    def _shown_before(self, orders: Iterable[Outgoing]) -> frozenset[str]:
        """The last gate: what stands in our file under another batch, or in the terminal, from before this life, and is nobody's."""
        found = frozenset(order.sid for order in orders if self._blotter.had_before(order, self._opened_at))
        self._shown |= found
        return found

    def _note_absent(self, numbers: Iterable[int]) -> None:
        """The same sid may go in another batch, in a later life, too."""
        proven = [
            sent for number in numbers if (sent := self._blotter.numbered(number)) and sent.told != ABSENT
        ]
        if proven:
            with self._store.transaction():
                for sent in proven:
                    self._store.note_state(sent, ABSENT)
                    sent.told = ABSENT

    def _place(self, batch: Batch, place: int, order: Outgoing) -> None:
        with self._store.transaction():
            sent = self._store.begin(batch, place, order, self._day, self._clock.now())
        self._blotter.add(sent)
        reach("gm.begun")
        told = self._connection.ask(
            "place", account_id=order.account_id, symbol=order.symbol, volume=order.volume,
            business=order.order_business, order_type=order.order_type,
            price=None if order.price is None else str(order.price),
        )  # fmt: skip
        reach("gm.placed")
        ids = [answer["cl_ord_id"] for answer in told if answer["cl_ord_id"]]
        if len(ids) != 1 or self._blotter.is_bound(order.account_id, ids[0]):
            raise GatewayError(
                f"{order.sid}: 终端没有给出唯一的委托编号 / the terminal told no id of its own: {ids}"
            )
        self._bind(sent, ids[0])

    def _bind(self, sent: Sent, client_id: str) -> None:
        with self._store.transaction():
            self._store.bind(sent, client_id)
        self._blotter.bind(sent, client_id)

    def _send_cancels(self, known: Sequence[Sent]) -> None:
        if not known:
            return
        self._connect()
        try:
            self._connection.ask("cancel", orders=[(sent.order.account_id, sent.client_id) for sent in known])
        except GmRefused as error:
            now = self._clock.now()
            noes = [
                CancelReject(now, sent.order.account_id, sent.order.sid, _INTERNAL, str(error))
                for sent in known
            ]
            with self._store.transaction():
                self._store.add_reports(noes)

    # details of doubt

    def _adopt(self, batch: Batch, orders: Iterable[Outgoing]) -> list[Sent]:
        """Orders of which nobody remembers whether they left: they may have."""
        self._store.add_batch(batch)
        return [
            self._store.begin(batch, place, order, self._day, Micros(0)) for place, order in enumerate(orders)
        ]

    def _outcome(self, number: int | None) -> Outcome:
        if number is None:
            return Outcome.NEVER_LEFT
        sent = self._blotter.numbered(number)
        return Outcome.TAKEN if sent and sent.client_id else Outcome.UNKNOWN

    # details of looking

    def _look_anew(self, older_than: int, *, full: bool = False) -> None:
        """Ask for all lists, unless they were told less than this many microseconds ago. Raises GatewayError."""
        self._connect()
        if not (full or self._is_due(self._looked_at, older_than)):
            return
        refused, answered = None, False
        for account_id in sorted(self._blotter.accounts):
            began = self._clock.now()
            try:
                told = self._connection.ask("look", account_id=account_id, full=full)
            except GmRefused as error:
                self._blotter.reads.pop(account_id, None)
                log.warning(
                    "账户 %s 查询失败 / account %s cannot be asked for: %s", account_id, account_id, error
                )
                refused = error
            else:
                answered = True
                self._blotter.hear(account_id, told, began if told["healthy"] else None)
        if refused is not None and not answered:
            self._connection.lose(refused)
            raise refused
        self._connection.note_answer()
        self._looked_at = self._clock.now()
        if full:
            self._full_at = self._looked_at
        for sent, client_id in self._blotter.matches():
            log.warning(
                "%s 在终端里找到了 / %s was found by its terms: %s", sent.order.sid, sent.order.sid, client_id
            )
            self._bind(sent, client_id)
        self._tell()
        self._send_late_cancels()

    def _tell(self) -> None:
        """Write down what is new of our orders; a report is on disk before it is told."""
        try:
            with self._store.transaction():
                self._store.add_reports(self._blotter.news(self._store, self._clock.now()))
        except GatewayError:
            self._day = date.min  # what was not written down is told again
            raise
        reach("gm.told")

    def _send_late_cancels(self) -> None:
        late = self._blotter.late_cancels()
        self._send_cancels(late)
        if late:
            with self._store.transaction():
                for sent in late:
                    self._store.want_cancel(sent, wanted=False)
                    sent.cancel = False

    def _is_due(self, at: Micros, interval: int) -> bool:
        return not 0 <= self._clock.now() - at < interval

    def _begin_day(self) -> None:
        self._connection.stop()
        self._day = trade_date(self._clock.now())
        with self._store.transaction():
            self._blotter.begin_day(self._day, self._store.of_day(self._day))

    def _begin_memory(self) -> None:
        """From now on an order that is not in the file never left: everything older was settled before the first order, and the first poll."""
        if not self._begun:
            with self._store.transaction():
                self._store.begin_memory()
            self._begun = True

    def _connect(self) -> None:
        """Make sure of a process that answers; after a failure, not before its time. Raises GatewayError."""
        if trade_date(self._clock.now()) != self._day:
            self._begin_day()
        self._blotter.accounts |= set(self._connection.start(ask_accounts=not self._named))

    def _forget_lists(self) -> None:
        """The connection is lost: the next one tells everything again."""
        self._blotter.begin_connection()
        self._looked_at = self._full_at = Micros(0)
