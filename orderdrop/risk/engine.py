"""Gathers, once for a batch, what the checks have to know; and only what the settings and the live gateways call for.

Which rules run stands in `rulebook`, what was ordered today in `exposure`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from orderdrop.accounts.routing import Routing
from orderdrop.accounts.snapshots import before_first_order
from orderdrop.domain.board import Board
from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.domain.report import Account
from orderdrop.domain.security import Instrument
from orderdrop.domain.switches import Switches
from orderdrop.errors import ConfigError
from orderdrop.journal.writer import Writer
from orderdrop.market.calendar import TradingDays
from orderdrop.market.instruments import NOTHING_DELIVERED, Delivered, Instruments
from orderdrop.risk.context import Context, Funds, Held, Range, RiskFacts
from orderdrop.risk.exposure import Exposure, Following
from orderdrop.risk.ledger import Ledger
from orderdrop.risk.rulebook import Rulebook
from orderdrop.risk.rules import market, session
from orderdrop.system.clock import Micros, second_of_day
from orderdrop.system.lazy import Lazy

log = logging.getLogger(__name__)


class RiskEngine:
    """Lives as long as the router. Its rules are chosen once: the settings do not change while it runs."""

    def __init__(
        self, desk: Routing, root: Path, account_of: Callable[[str], Account | None] | None = None,
        delivered: Callable[[], Delivered] = lambda: NOTHING_DELIVERED,
    ) -> None:  # fmt: skip
        """account_of: the newest snapshot; else the account's gateway is asked. delivered: what terminals have told of securities."""
        self._settings = desk.settings
        self._limits = desk.settings.limits
        self._account_of = account_of or (lambda account_id: desk.gateway_of(account_id).account(account_id))
        self._accounts = frozenset(desk.accounts.values()) or None
        self.instruments = Instruments(desk.settings.instruments, root, delivered)
        self.trading_days = TradingDays(desk.settings.calendar, root)
        self._rulebook = book = Rulebook(desk)
        self.bound, self.rates, self.any_bound = book.bound, book.rates, book.any_bound
        self.paces, self.counts = book.paces, book.counts
        self._exposure = Exposure(desk, book, self.instruments)
        self._unread = ""  # what is wrong with calendar.csv; told once
        self.close({})

    def close(self, gateways: Mapping[str, str]) -> None:
        """gateways: those that are closed for the rest of the day, with the time of it."""
        self._shut = bool(gateways)
        self._closed: Lazy[str, tuple[str, str] | None] = Lazy(
            lambda account_id: _closed(self._settings.gateway_of(account_id), gateways)
        )

    def begin(self, today: date) -> None:
        """Looks the day up before anybody waits for it, and says so when nobody knows it."""
        if self.any_bound and self.trading_days.is_open(today) is None:
            why = explain(Refusal(Code.CALENDAR_UNKNOWN, value=str(today.year)))
            log.error("%s → %s", why.text(), why.remedy)

    def trading_day(self, today: date) -> bool | None:
        """None: nobody knows, or calendar.csv does not read: no new orders then."""
        try:
            return self.trading_days.is_open(today)
        except ConfigError as error:
            if str(error) != self._unread:
                log.error("%s", error)
            self._unread = str(error)
            return None

    def gather(self, writer: Writer, now: Micros, today: date, switched: Switches) -> Context:
        """Returns the context for a batch that is judged now, in this transaction."""
        book = self._rulebook
        second = second_of_day(now)
        phase = session.phase_at(second)
        self.instruments.refresh(today)
        known = Lazy(self.instruments.today(now, today))
        around = RiskFacts(
            now=now, day=today, second=second, phase=phase, continuous=phase in session.CONTINUOUS,
            trading_day=self.trading_day(today) if self.any_bound else True,
            outside_session=self._settings.calendar.outside_session,
            bound=book.bound, limits=book.hard, soft_limits=book.soft,
            instruments=known,
            ranges=Lazy(self._prices(market.limit_prices, known)), cages=Lazy(self._prices(market.cage_prices, known)),
            ledger=self.follow(writer, now, today).ledger if self.counts else Ledger(),
            funds=Lazy(lambda account_id: self.funds(account_id, now)),
            rates=book.rates, repeats=book.repeats, switches=switched,
            max_wait=self._limits.max_wait, snapshot_age=self._limits.snapshot_age,
            cancels_warn=self._limits.cancels_warn, cancels_hold=self._limits.cancels_hold, closed=self._closed,
            strategies=frozenset(book.strategies),
        )  # fmt: skip
        rules = book.rules(
            shut=self._shut, partial=switched.partial, priced=self.instruments.there, cancels=bool(around.ledger.cancels)
        )  # fmt: skip
        return Context(
            self._accounts, switched.halted, self._settings.credit_accounts, board_of=self.instruments.board_of, sessions=self.any_bound,
            **rules, soft=book.says, around=around,
        )  # fmt: skip

    def _prices(
        self,
        bounds: Callable[[Board, Instrument | None], Range | None],
        known: Mapping[str, Instrument | None],
    ) -> Callable[[str], Range | None]:
        """Between which prices a symbol may trade; nobody knows for a symbol of no board."""
        board_of = self.instruments.board_of

        def prices(symbol: str) -> Range | None:
            board = board_of(symbol)
            return None if board is None else bounds(board, known[symbol])

        return prices

    @property
    def cancels_ahead(self) -> Counter[str]:
        """Returns how many cancels of each account wait for their turn: new orders come after them."""
        return self._exposure.cancels_ahead

    @cancels_ahead.setter
    def cancels_ahead(self, cancels: Counter[str]) -> None:
        self._exposure.cancels_ahead = cancels

    def follow(self, writer: Writer, now: Micros, today: date) -> Following:
        """Returns the ledger as it stands in the journal now."""
        return self._exposure.follow(writer, now, today)

    def pace(self, gateway: str, now: Micros) -> int:
        """Returns how many orders may leave for a gateway now."""
        return self._exposure.pace(gateway, now)

    def left(self, account_id: str, now: Micros) -> int:
        """Returns how many orders and cancels an account may send now."""
        return self._exposure.left(account_id, now)

    def cancel_sent(self, account_id: str, now: Micros) -> None:
        """Notes that a cancel has left."""
        self._exposure.cancel_sent(account_id, now)

    def funds(self, account_id: str, now: Micros) -> Funds | None:
        told = self._account_of(account_id) or before_first_order(self._settings, account_id, now)
        if told is None:
            return None
        assets = told.balance + told.market_value
        if told.held_at is None:
            return Funds(told.at, told.available, assets, None)
        held = {held.symbol: Held(held.volume, held.available, held.price) for held in told.positions}
        return Funds(told.at, told.available, assets, held, told.held_at)


def _closed(gateway: str, gateways: Mapping[str, str]) -> tuple[str, str] | None:
    return (gateway, gateways[gateway]) if gateway in gateways else None
