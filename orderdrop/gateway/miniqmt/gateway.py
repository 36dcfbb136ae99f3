"""The gateway to MiniQMT, a QMT terminal on the same machine, through the vendor's package xtquant.

This file says what is sure. How the connection is kept stands in link and session, what the terminal tells in
events, whose it is in book, keys in reference, codes in codes, the day's securities in securities. The window, confirmation and sending
again are the router's.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from orderdrop.config.gateways import MiniqmtSettings
from orderdrop.domain.goldminer_format import order_file
from orderdrop.domain.report import Account, Report
from orderdrop.domain.security import Security
from orderdrop.errors import ConfigError, GatewayError
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
from orderdrop.gateway.miniqmt import events as ev
from orderdrop.gateway.miniqmt.book import Book, Lists
from orderdrop.gateway.miniqmt.codes import CANCEL_FINISHED, CANCEL_UNKNOWN
from orderdrop.gateway.miniqmt.link import Link
from orderdrop.gateway.miniqmt.reference import Row, rows_of
from orderdrop.gateway.miniqmt.session import library
from orderdrop.gateway.securities_query import Enquiry, command
from orderdrop.system.clock import Clock, Micros, trade_date
from orderdrop.system.failpoint import reach

log = logging.getLogger(__name__)

READS_APART: Final = 10_000_000
"""Microseconds between two full queries that together prove an absence; the terminal keeps answers for up to six seconds."""

LAG: Final = 7_000_000
"""Microseconds by which an answer to a query may be behind, for the same reason."""

SECURITIES: Final = command("orderdrop.gateway.miniqmt.securities")
SECURITIES_WITHIN: Final = 120.0
"""Seconds that the terminal may take to tell the day's securities."""

_ROOM: Final = 1_000_000
_PULSE: Final = 0.05
"""Seconds between two looks into the queue of events; it costs next to nothing."""


class MiniqmtGateway(CallsOneByOne):
    """A terminal as a `Gateway`; all accounts of one type.

    Invariants: TAKEN is said when the vendor's API has taken every row; NEVER_LEFT only of rows for which it was not called, in this life or, as
    far as `remember` tells, in an earlier one. Reports of a life are numbered; the next life tells all of the day again, from full queries.
    """

    def __init__(self, name: str, settings: MiniqmtSettings, accounts: Collection[str], clock: Clock) -> None:
        """settings: with an absolute folder. accounts: those that the settings give to this gateway."""
        self.name = name
        self.live = settings.live
        self.pulse = _PULSE
        self._settings = settings
        self._accounts = sorted(accounts)
        self._clock = clock
        self._life = secrets.token_hex(4)
        self._day = trade_date(clock.now())
        self._link = Link(settings, self._accounts, clock)
        self._book = Book(clock.now())
        self._enquiry = Enquiry(SECURITIES, SECURITIES_WITHIN)
        self._batches: dict[int, list[Row]] = {}
        self._left: set[int] = set()  # batches that were handed over, or may have been by an earlier life
        self._submitted: set[int] = set()  # those of today, by this one
        self._complete_memory = False
        self._sessions = 0
        self._snapshots: dict[str, Account] = {}
        self._lists: dict[str, Lists] = defaultdict(Lists)
        self._waiting_cancels: dict[str, Row] = {}
        self._unread: dict[str, set[str]] = {}  # by account, what of its last full query did not read
        self.bad_rows: dict[str, int] = {}

    # the connection

    def open(self) -> None:
        """Connect, and wait a little for the first full query; without one, there is no room yet."""
        library()
        if not self._accounts:
            raise ConfigError(
                f"通道 {self.name} 没有资金账号 / no fund account uses the gateway {self.name}:\n"
                f'  在 orderdrop.toml 写上 / write into orderdrop.toml: [accounts.资金账号] gateway = "{self.name}"'
            )
        if not self._settings.userdata_dir.is_dir():
            raise GatewayError(
                f"没有 userdata_dir / there is no such folder: {self._settings.userdata_dir}: "
                "安装目录下的 userdata_mini / it is userdata_mini, where MiniQMT is installed"
            )
        self._pump_until(lambda: self._link.ready, self._settings.connect_timeout)
        if not self._link.ready:
            log.error("MiniQMT 还没有就绪 / is not ready yet: %s", self._link.trouble)

    def close(self) -> None:
        self._enquiry.cancel()
        self._link.close()

    lag = LAG
    keeps_days = False  # only today's batches are remembered

    @property
    def trouble(self) -> str:
        return "" if self._link.ready else self._link.trouble or "还没有就绪 / not ready yet"

    def watched(self) -> Sequence[Path]:
        """It has no folders of ours."""
        return ()

    def room(self) -> int:
        return _ROOM if self._link.ready else 0

    # hand-over

    def encode(self, orders: Iterable[Outgoing]) -> bytes:
        return order_file(orders)

    def submit(self, batch: Batch) -> SubmitResult:
        """Give every row to the API, with so many calls under way. Raises GatewayError in the middle; `settle` tells the rows apart."""
        self._pump()
        if not self._link.ready:
            return SubmitResult(Outcome.NEVER_LEFT, self._link.trouble)
        if shown := self._shown_before(batch):
            return SubmitResult(Outcome.UNKNOWN, SEEN_BEFORE, shown)
        rows = self._rows(batch)
        self._left.add(batch.id)
        self._submitted.add(batch.id)
        self._book.add(rows)
        for number, row in enumerate(rows):
            if self.stopped():
                # What was called is told from the rest once it is answered.
                self._pump_until(lambda: not self._book.unanswered, self._settings.answer_timeout)
                left = len(rows) - number
                raise Stopped(f"{left} 笔没有送出 / orders were not sent: a switch was thrown")
            self._make_room_in_flight()
            self._hand_over(row)
        return SubmitResult(Outcome.TAKEN)

    def cancel(self, cancels: Sequence[Cancel]) -> None:
        """What has no number yet is cancelled as soon as it has one."""
        self._pump()
        if self._link.session is None:
            raise GatewayError(
                f"MiniQMT 没有连接,撤单没有送出 / not connected, no cancel went: {self._link.trouble}"
            )
        for cancel in cancels:
            row = self._book.row_of(cancel.account_id, cancel.sid)
            if row is None:
                self._book.refuse_cancel(cancel, CANCEL_UNKNOWN, self._clock.now())
            elif not self._book.is_open(row):
                self._book.refuse_cancel(cancel, CANCEL_FINISHED, self._clock.now())
            else:
                self._waiting_cancels[row.reference] = row
        self._send_cancels()

    # results

    def settle(self, batch: Batch) -> dict[str, Outcome]:
        self._pump()
        if self._complete_memory and batch.id not in self._left:
            return {row.order.sid: Outcome.NEVER_LEFT for row in rows_of(batch, self._day)}
        rows = self._rows(batch)
        self._look()
        return {row.order.sid: self._outcome(row) for row in rows}

    def remember(self, batches: Iterable[Batch]) -> None:
        """All of today, also those whose hand-over was never noted: what is not among them, this process alone knows of."""
        for batch in batches:
            self._left.add(batch.id)
            self._rows(batch)
        self._complete_memory = True

    def trace(self, batch: Batch, sids: Collection[str], since: Micros) -> Trace:
        self._pump()
        doubtful = [
            row for row in self._rows(batch) if row.order.sid in sids and not self._book.is_known(row)
        ]
        if batch.places is None:
            return Trace(frozenset(), _NOT_NOTED)
        for account_id, listed in batch.places["listed"].items():
            self._lists[account_id].expect(listed)
        absent = [
            row
            for row in doubtful
            if (row.trouble or not row.numbered) and self._is_absent(row, max(since, row.troubled_at))
        ]
        for row in absent:
            row.absent = not row.trouble
        proven_at = max((self._proofs(row, max(since, row.troubled_at))[0] for row in absent), default=since)
        return Trace(
            frozenset(row.order.sid for row in absent), self._words(doubtful), Micros(max(since, proven_at)),
            noes={row.order.sid: f"{_TROUBLE}: {row.trouble}" for row in absent if row.trouble},
        )  # fmt: skip

    def refuse(self, batch: Batch, sids: Collection[str]) -> None:
        for row in self._rows(batch):
            if row.order.sid in sids and row.trouble and not self._book.is_known(row):
                self._book.refuse(row, self._clock.now())

    def close_day(self, folder: Path, open_sids: Collection[str]) -> list[Leftover]:  # noqa: ARG002
        """It has no folders of ours."""
        return []

    # what it tells

    def poll(self, after: Cursor, limit: int) -> tuple[list[Report], Cursor]:
        self._pump()
        self._look()
        self._send_cancels()
        life, _, number = after.partition(":")
        seen = int(number) if life == self._life and number.isdecimal() else 0
        reports = self._book.log[seen : seen + limit]
        return reports, Cursor(f"{self._life}:{seen + len(reports)}") if reports else after

    def account(self, account_id: str) -> Account | None:
        return self._snapshots.get(account_id)

    def remembered(self, account_id: str) -> Account | None:
        return self._snapshots.get(account_id)

    def places(self) -> dict[str, Any]:
        """Its lists are of the whole day: it is enough to know how long they were."""
        return {"listed": {account_id: self._lists[account_id].longest for account_id in self._accounts}}

    def accounts(self) -> Sequence[str]:
        return self._accounts

    def instruments(self, day: date) -> Generator[Security, None, None]:
        return self._enquiry.ask(day=f"{day:%Y%m%d}")

    # details

    def _pump(self) -> None:
        """Take in what came, in its order."""
        now = self._clock.now()
        if trade_date(now) != self._day:
            self._begin_day(now)
        for event in self._link.pump():
            if self._sessions != self._link.sessions:
                self._sessions = self._link.sessions
                self._book.new_session()
                for lists in self._lists.values():
                    lists.proofs.clear()
            if isinstance(event, ev.Unread):
                self._note_unread(event.what)
            if isinstance(event, ev.Full):
                self._take_full(event)
            self._book.take(event, now)

    def _look(self) -> None:
        self._book.look(self._clock.now(), foreign=self._complete_memory)

    def _take_full(self, full: ev.Full) -> None:
        if full.account is not None:
            self._snapshots[full.account_id] = full.account
        new = set(full.unread) - self._unread.get(full.account_id, set())
        self._unread[full.account_id] = set(full.unread)
        for what in sorted(new):
            self._note_unread(what)
        whole = self._book.is_whole(full)
        self._lists[full.account_id].take(full, whole=whole)
        if whole:
            self._link.count(full)
        else:
            log.warning("查询结果不完整,不作证据 / a query lacks orders that were listed before: no evidence")

    def _note_unread(self, what: str) -> None:
        """Counted; each kind is said once."""
        self.bad_rows[what] = self.bad_rows.get(what, 0) + 1
        if self.bad_rows[what] == 1:
            log.warning("MiniQMT 的回报读不懂 / it told what does not read: %s", what)

    def _begin_day(self, now: Micros) -> None:
        self._day = trade_date(now)
        self._book, self._batches, self._life = Book(now), {}, secrets.token_hex(4)
        self._waiting_cancels.clear()
        self._submitted.clear()
        self._lists.clear()

    def _shown_before(self, batch: Batch) -> frozenset[str]:
        """The last gate: rows of a new batch that the terminal has had already, whatever the journal knows. Reports of them are theirs."""
        rows = self._batches.get(batch.id) or list(rows_of(batch, self._day))
        shown = [row for row in rows if self._book.has_had(row)]
        if shown:
            self._batches[batch.id] = rows
            for row in shown:
                self._book.claim(row)
        return frozenset(row.order.sid for row in shown)

    def _rows(self, batch: Batch) -> list[Row]:
        if batch.id not in self._batches:
            self._batches[batch.id] = list(rows_of(batch, self._day))
            self._book.add(self._batches[batch.id])
        return self._batches[batch.id]

    def _pump_until(self, done: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        self._pump()
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._link.wait(min(left, 0.05))
            self._pump()
        return True

    def _make_room_in_flight(self) -> None:
        """Wait until fewer calls are unanswered. Raises GatewayError when no answer comes, or the connection goes."""
        most = self._settings.in_flight
        free = self._pump_until(
            lambda: self._link.session is None or self._book.unanswered < most, self._settings.answer_timeout
        )
        if self._link.session is None:
            raise GatewayError(f"交接中断开 / the connection went in the middle: {self._link.down}")
        if not free:
            raise GatewayError(f"{most} 个委托请求没有应答 / {most} orders are not answered by the terminal")

    def _hand_over(self, row: Row) -> None:
        """From the call on, the order may be live, whatever the call does."""
        session = self._link.session
        assert session is not None  # noqa: S101  there was room in flight
        row.handed_at = self._clock.now()
        reach("miniqmt.before")
        try:
            seq = session.order(row)
        # The vendor's native code raises what it likes, and by then the order may be live.
        except Exception as error:
            raise GatewayError(f"下单接口出错 / the API raised at {row.order.sid}: {error}") from error
        if seq <= 0:
            raise GatewayError(f"下单接口返回 {seq} / the API returned {seq} at {row.order.sid}")
        reach("miniqmt.after")
        self._book.called(row, seq)

    def _outcome(self, row: Row) -> Outcome:
        if self._book.is_known(row) or row.numbered:
            return Outcome.TAKEN
        if row.batch_id in self._submitted and row.handed_at is None:
            self._book.forget(row)
            return Outcome.NEVER_LEFT
        return Outcome.UNKNOWN

    def _is_absent(self, row: Row, since: int) -> bool:
        """Proven: full queries, far enough apart, and no order listed that might be it."""
        if not self._link.ready or self._book.is_known(row) or self._book.fits_a_stranger(row):
            return False
        if self._book.lists_another(row):
            return False
        if self._unread.get(row.order.account_id):
            return False  # what does not read may be it
        reads = self._proofs(row, since)
        return bool(reads) and reads[-1] - reads[0] >= READS_APART

    def _proofs(self, row: Row, since: int) -> list[Micros]:
        """When the full queries of this session began that may prove its absence."""
        since = max(since, row.handed_at or since)
        return [begun for begun in self._lists[row.order.account_id].proofs if begun > since]

    def _words(self, doubtful: Sequence[Row]) -> str:
        if not self._link.ready:
            return self._link.trouble
        if any(self._book.fits_a_stranger(row) for row in doubtful):
            return _ALIKE
        if any(self._unread.get(row.order.account_id) for row in doubtful):
            return _UNREAD
        if any(self._lists[row.order.account_id].short for row in doubtful):
            return _SHORT
        trouble = next((row.trouble for row in doubtful if row.trouble), "")
        if trouble:
            return f"{_TROUBLE}: {trouble}"
        return _NUMBERED if any(row.numbered for row in doubtful) else _ASKING

    def _send_cancels(self) -> None:
        session = self._link.session
        for reference, row in list(self._waiting_cancels.items()):
            if not self._book.is_open(row):
                del self._waiting_cancels[reference]
            elif row.listed is not None and session is not None:
                self._book.canceling(row)
                try:
                    session.cancel(row.order.account_id, row.listed)
                # The vendor's native code raises what it likes; a cancel may be repeated.
                except Exception as error:  # noqa: BLE001
                    log.error("撤单接口出错,将重试 / the API raised at a cancel, will try again: %s", error)
                    return
                del self._waiting_cancels[reference]


_NOT_NOTED: Final = "没有记下送出时终端列出了多少委托 / how many orders the terminal listed when it was handed over was not noted"
_SHORT: Final = "终端的委托列表比之前短，证明不了什么 / the terminal's list of orders is shorter than it was: what it lacks proves nothing"
_ALIKE: Final = "终端里有一笔没有备注、看起来相同的委托,分不清 / the terminal lists an order without remark that looks the same: it cannot be told apart"
_UNREAD: Final = (
    "终端列出的委托有读不懂的，可能就是它 / the terminal lists what does not read: it may be that"
)
_NUMBERED: Final = "终端给了委托编号,但列表里没有 / the terminal gave it a number, but does not list it"
_TROUBLE: Final = "终端报错,委托可能仍有效,正在查证 / the terminal reported an error; whether the order is live is being checked"
_ASKING: Final = "终端的委托列表里还没有它 / it does not stand in the terminal's list yet"
