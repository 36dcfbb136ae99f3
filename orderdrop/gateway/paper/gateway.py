"""The paper broker: a gateway to a broker that is built in and behaves like one that is not.

It keeps its own books in its own file (store), takes only bytes, and has the last word on cash, shares and prices
(rules, book). Like the worst of terminals its book executes a repeated sid again: that this never happens is the
router's promise; before the book stands the last gate, as in every gateway.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from orderdrop.config.gateways import PAPER_ACCOUNT, OpeningPosition, PaperSettings
from orderdrop.domain.goldminer_format import order_file
from orderdrop.domain.report import Account, Report
from orderdrop.domain.symbol import Symbol, read_symbol
from orderdrop.errors import ConfigError, GatewayError
from orderdrop.gateway.base import (
    SEEN_BEFORE,
    Batch,
    Cancel,
    Cursor,
    Leftover,
    Outcome,
    Outgoing,
    SubmitResult,
    Trace,
)
from orderdrop.gateway.batch import read_batch
from orderdrop.gateway.paper.book import Book, Opening, Terms
from orderdrop.gateway.paper.quotes import Quotes
from orderdrop.gateway.paper.rules import CANCEL_FINISHED, CANCEL_UNKNOWN, Tariff
from orderdrop.gateway.paper.store import PaperStore
from orderdrop.system.clock import Clock, Micros, trade_date

log = logging.getLogger(__name__)

_ROOM: Final = 1_000_000
"""It takes whatever comes."""

_NAMED: Final = 5


def paper_file(folder: Path, name: str) -> Path:
    return folder / f"paper-{name}.db"


class PaperGateway:
    """The paper broker as a `Gateway`.

    Invariants: TAKEN is said after the commit; what memory holds is what the file holds, also after a fault (memory is
    then thrown away and read again).
    """

    def __init__(
        self,
        name: str,
        settings: PaperSettings,
        folder: Path,
        quotes: Path,
        clock: Clock,
        accounts: Collection[str] = (),
        known_price: Callable[[str], Decimal | None] = lambda _symbol: None,
    ) -> None:
        """folder: where the file is kept; quotes: the reference prices; accounts: those that are open from the start. known_price: of a
        symbol, by what is known of the day's securities.

        Raises ConfigError for bad [positions].
        """
        self.name = name
        self.live = settings.live
        self._path = paper_file(folder, name)
        self._store = PaperStore(self._path)
        self._quotes = Quotes(quotes)
        self._clock = clock
        self._terms = Terms(
            Tariff(settings.fees), settings.cash, _positions(name, settings.opening), settings.simulate
        )
        self._accounts = accounts
        self._known_price = known_price
        self._book: Book | None = None

    pulse = 0.0
    lag = 0
    keeps_days = True

    def watched(self) -> Sequence[Path]:
        """It tells at once."""
        return ()

    def open(self) -> None:
        self._book = None
        with self._faults():
            self._store.open()
        self._quotes.refresh()
        with self._at_work() as book:
            for account_id in self._accounts:
                book.open_account(account_id, self._quotes.price)

    def close(self) -> None:
        self._book = None
        self._store.close()

    def room(self) -> int:
        return _ROOM

    def encode(self, orders: Iterable[Outgoing]) -> bytes:
        return order_file(orders)

    def submit(self, batch: Batch) -> SubmitResult:
        """Take and execute all rows of a batch, in one commit; a batch that it has already is not taken again."""
        orders = read_batch(batch.content)
        self._quotes.refresh()
        with self._at_work() as book:
            reference = self._references(book)
            if not self._store.has_batch(batch):
                if taken := self._store.taken_before(book.day, orders):
                    return SubmitResult(Outcome.UNKNOWN, SEEN_BEFORE, taken)
                now = self._clock.now()
                self._store.add_batch(batch, now)
                there = set(book.accounts)
                for order in orders:
                    book.take(order, batch.id, reference, now)
                self._tell_opened(book.accounts.keys() - there)
        return SubmitResult(Outcome.TAKEN)

    def cancel(self, cancels: Sequence[Cancel]) -> None:
        with self._at_work() as book:
            now = self._clock.now()
            for cancel in cancels:
                if not book.cancel(cancel, now):
                    finished = self._store.has_order(book.day, cancel.account_id, cancel.sid)
                    book.refuse_cancel(cancel, CANCEL_FINISHED if finished else CANCEL_UNKNOWN, now)

    def settle(self, batch: Batch) -> dict[str, Outcome]:
        with self._at_work():
            outcome = Outcome.TAKEN if self._store.has_batch(batch) else Outcome.NEVER_LEFT
        return {order.sid: outcome for order in read_batch(batch.content)}

    def remember(self, batches: Iterable[Batch]) -> None:
        """Its own file remembers."""

    def trace(self, batch: Batch, sids: Collection[str], since: Micros) -> Trace:  # noqa: ARG002  its file is never late
        """Its own file knows: what is not there by the end of `submit` never was."""
        return Trace(
            frozenset(
                sid
                for sid, outcome in self.settle(batch).items()
                if outcome is Outcome.NEVER_LEFT and sid in sids
            ),
            "",
        )

    def close_day(self, folder: Path, open_sids: Collection[str]) -> list[Leftover]:  # noqa: ARG002
        """It has no folders."""
        return []

    def poll(self, after: Cursor, limit: int) -> tuple[list[Report], Cursor]:
        seen = self._seen(after)
        if seen >= self._current().last_seq:
            return [], after
        with self._faults(), self._store.transaction():
            reports, last = self._store.reports(seen, limit)
        return reports, Cursor(str(last))

    def account(self, account_id: str) -> Account | None:
        self._quotes.refresh()
        return self._current().snapshot(account_id, self._quotes.price, self._clock.now())

    def remembered(self, account_id: str) -> Account | None:
        return self.account(account_id)

    def places(self) -> None:
        """It is never silent."""

    def accounts(self) -> Sequence[str]:
        return sorted(self._current().accounts)

    def _references(self, book: Book) -> Callable[[str], Decimal | None]:
        """What a market order of a symbol trades at: its quote, else its last fill here, else what is known of the security today."""

        def reference(symbol: str) -> Decimal | None:
            quote = self._quotes.price(symbol)
            if quote is not None:
                return quote
            last = book.last_prices.get(symbol) or self._store.last_price(symbol)
            if last is not None:
                book.last_prices[symbol] = last
                return last
            return self._known_price(symbol)

        return reference

    def _tell_opened(self, accounts: Iterable[str]) -> None:
        """A typo in an account must not go unseen: where no setting names accounts, every name is one."""
        new = sorted(name for name in accounts if name not in {*self._accounts, PAPER_ACCOUNT})
        if new:
            names = ", ".join(new[:_NAMED]) + (f" … +{len(new) - _NAMED}" if len(new) > _NAMED else "")
            log.warning(
                "设置里没有这些账户，模拟柜台 %s 为它们新开：%s / the paper broker %s has opened accounts that no setting names: %s",
                self.name, names, self.name, names,
            )  # fmt: skip

    def _current(self) -> Book:
        """The book of today."""
        book = self._book
        if book is None or trade_date(self._clock.now()) > book.day:
            with self._at_work() as book:
                pass
        return book

    @contextmanager
    def _at_work(self) -> Iterator[Book]:
        """Today's book, in a transaction; what changed is saved at the end. Memory never runs ahead of the file."""
        book, self._book = self._book, None
        now = self._clock.now()
        today = trade_date(now)
        with self._faults(), self._store.transaction():
            book = book or self._store.load(self._terms, today, now)
            book.begin_day(today, now)
            yield book
            self._store.save(book)
        self._book = book

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise GatewayError(
                f"模拟柜台的文件出错 / the paper broker's file: {self._path}: {error}"
            ) from error

    def _seen(self, after: Cursor) -> int:
        if after and not after.isdecimal():
            raise GatewayError(f"回报游标不是模拟柜台的 / not a cursor of the paper broker: {after}")
        return int(after or 0)


def _positions(name: str, named: dict[str, OpeningPosition]) -> dict[str, Opening]:
    positions = {}
    for text, held in named.items():
        symbol = read_symbol(text)
        if not isinstance(symbol, Symbol) or held.volume < 1:
            raise ConfigError(
                f"[gateways.{name}.positions] {text} = {held.volume}: 代码或数量不对 / bad symbol or volume"
            )
        positions[symbol.text] = Opening(held.volume, held.cost)
    return positions
