"""Gathers, once for a batch, what the checks have to know; and only what the settings and the live gateways call for.

What was ordered today comes from the journal, at the start and again after every change: each change of an order has its event, so
the ledger reads on from the last event it has seen, whoever made the change.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from orderdrop.accounts.routing import Routing
from orderdrop.accounts.snapshots import before_first_order
from orderdrop.config.limits import ORDERS_PER_DAY_CEILING, ORDERS_PER_SECOND_CEILING
from orderdrop.domain.board import Board
from orderdrop.domain.identity import day_number
from orderdrop.domain.order import BUYS, OrderType
from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.domain.report import Account
from orderdrop.domain.security import Instrument
from orderdrop.domain.status import Status
from orderdrop.domain.switches import ALL, ScopeKey, Switches, folded, strategy_key
from orderdrop.errors import ConfigError
from orderdrop.journal.records import CANCEL_SENT, drop_of
from orderdrop.journal.today import CLOSED
from orderdrop.journal.writer import Writer
from orderdrop.market.calendar import TradingDays
from orderdrop.market.instruments import NOTHING_DELIVERED, Delivered, Instruments
from orderdrop.risk import checks
from orderdrop.risk.context import Context, Funds, Held, Range, Rate, RepeatPolicy, RiskFacts
from orderdrop.risk.ledger import UNKNOWN_WORTH, Entry, Ledger, Whose
from orderdrop.risk.rules import cash, market, rate, repeats, session, switches
from orderdrop.risk.rules.limits import Limit, Scope, compiled, within_limits
from orderdrop.system.clock import Micros, second_of_day
from orderdrop.system.lazy import Lazy

log = logging.getLogger(__name__)

LIVE_PER_SECOND: Final = 10
LIVE_PER_DAY: Final = 2000
LIVE_REPEAT_WINDOW: Final = 60.0
SECOND: Final = 1_000_000
MINUTE: Final = 60_000_000
UNBOUNDED: Final = 1 << 30
_NO_FAULT: Final = frozenset(
    {Code.NOT_SENT, Code.HALTED, Code.HALTED_SCOPE, Code.REDUCING, Code.GATEWAY_CLOSED}
)
"""Denials that tell nothing against the order itself."""

_BY_DEFAULT: Final = "默认 default"
_ANY: Final = Scope("", ALL)

_OF_BOUND = frozenset(
    {
        session.on_trading_day, session.in_time, cash.snapshot_there, cash.cash_enough, cash.shares_enough, cash.odd_lot_whole,
        repeats.crosses_nothing_own, rate.held_for_cancels, session.held_for_time,
        market.reference_there, cash.snapshot_fresh, rate.cancels_few,
    }
)  # fmt: skip
_OF_PRICES = frozenset({market.price_within_limits, market.price_within_cage, market.not_suspended})
_IN_YUAN = ("max_order_value", "max_day_value", "max_day_sold")
_OF_CANCELS = frozenset({rate.held_for_cancels, rate.cancels_few})
_OF_RATES = frozenset({rate.day_ceiling, rate.turn_comes_in_time})
_OF_REPEATS = {"refuse": repeats.repeat_refused, "hold": repeats.held_as_repeat, "warn": repeats.repeat_told}


@dataclass
class Following:
    """The ledger of a day, and how far the journal was followed. told: (at, account, what) of denials and rejections of the last minute."""

    day: int
    ledger: Ledger
    event: int = 0
    told: list[tuple[int, str, str]] = field(default_factory=list)


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
        self.instruments = Instruments(desk.settings.instruments, root, delivered)
        self.trading_days = TradingDays(desk.settings.calendar, root)
        self.bound: Lazy[str, bool] = Lazy(
            lambda account_id: self._settings.bound(self._settings.gateway_of(account_id))
        )
        self.rates: Lazy[str, Rate] = Lazy(self._rate)
        self._hard: Lazy[Whose, tuple[Limit, ...]] = Lazy(self._hard_limits)
        self._soft: Lazy[Whose, tuple[Limit, ...]] = Lazy(self._soft_limits)
        self._strategies = {folded(name): name for name in desk.settings.strategies}
        self._folder = desk.scope
        self._repeats: Lazy[str, RepeatPolicy] = Lazy(self._repeat_policy)
        self._accounts = frozenset(desk.accounts.values()) or None
        self.any_bound = any(map(self._settings.bound, self._settings.gateways))
        named = (account.limits for account in self._settings.accounts.values())
        self.paces = self.any_bound or any(of.orders_per_second for of in (self._limits, *named))
        self._chosen = self._choose()
        self._rules: Lazy[frozenset[Any], dict[str, Any]] = Lazy(_rules)
        self._says = any(compiled(of.soft, _ANY) for of in self._all_limits())
        self.counts = bool(self._chosen) or self._says
        self._followed: Following | None = None
        self.cancels_ahead: Counter[str] = (
            Counter()
        )  # that wait for their turn, by account: new orders come after them
        self._cancelled: dict[str, deque[int]] = {}  # when cancels have left, by account
        self._cancels_known = False
        self._unread = ""  # what is wrong with calendar.csv; told once
        self.close({})

    def close(self, gateways: Mapping[str, str]) -> None:
        """gateways: those that are closed for the rest of the day, with the time of it."""
        self._shut = bool(gateways)
        self._closed: Lazy[str, tuple[str, str] | None] = Lazy(
            lambda account_id: _closed(self._settings.gateway_of(account_id), gateways)
        )

    def begin(self, today: date) -> None:
        """Look the day up before anybody waits for it, and say so when nobody knows it."""
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
        """The context for a batch that is judged now, in this transaction."""
        second = second_of_day(now)
        phase = session.phase_at(second)
        self.instruments.refresh(today)
        known = Lazy(self.instruments.today(now, today))
        around = RiskFacts(
            now=now, day=today, second=second, phase=phase, continuous=phase in session.CONTINUOUS,
            trading_day=self.trading_day(today) if self.any_bound else True,
            outside_session=self._settings.calendar.outside_session,
            bound=self.bound, limits=self._hard, soft_limits=self._soft,
            instruments=known,
            ranges=Lazy(self._prices(market.limit_prices, known)), cages=Lazy(self._prices(market.cage_prices, known)),
            ledger=self.follow(writer, now, today).ledger if self.counts else Ledger(),
            funds=Lazy(lambda account_id: self.funds(account_id, now)),
            rates=self.rates, repeats=self._repeats, switches=switched,
            max_wait=self._limits.max_wait, snapshot_age=self._limits.snapshot_age,
            cancels_warn=self._limits.cancels_warn, cancels_hold=self._limits.cancels_hold, closed=self._closed,
            strategies=frozenset(self._strategies),
        )  # fmt: skip
        chosen = set(self._chosen)
        if self._shut:
            chosen.add(switches.gateway_open)
        if switched.partial:
            chosen.add(switches.not_switched_off)
        if self.instruments.there:
            chosen |= _OF_PRICES
        if not around.ledger.cancels:
            chosen -= _OF_CANCELS
        return Context(
            self._accounts, switched.halted, self._settings.credit_accounts, board_of=self.instruments.board_of, sessions=self.any_bound,
            **self._rules[frozenset(chosen)],
            soft=self._says, around=around,
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

    def pace(self, gateway: str, now: Micros) -> int:
        """How many orders may leave for a gateway now: what is left of this second, behind the cancels that wait, to the account that has least."""
        ledger = self._followed.ledger if self._followed else Ledger()
        busy = [
            account
            for account in {*ledger.busy_accounts(), *self.cancels_ahead, *self._cancelled}
            if self._settings.gateway_of(account) == gateway
        ]
        accounts = {*self._settings.accounts_of(gateway), *busy} or {""}
        return max(0, min(self.left(account, now) - self.cancels_ahead[account] for account in accounts))

    def left(self, account_id: str, now: Micros) -> int:
        """How many orders and cancels an account may send now."""
        per_second = self.rates[account_id].per_second
        if per_second is None:
            return UNBOUNDED
        orders = self._followed.ledger.sent_lately(account_id, now) if self._followed else 0
        cancels = self._cancelled.get(account_id, ())
        return per_second - orders - sum(now - SECOND < at <= now for at in cancels)

    def cancel_sent(self, account_id: str, now: Micros) -> None:
        """A cancel has left."""
        times = self._cancelled.setdefault(account_id, deque())
        times.append(now)
        while times and times[0] <= now - SECOND:
            times.popleft()

    # which rules

    def _choose(self) -> frozenset[Any]:
        chosen: set[Any] = set()
        if any(compiled(of, _ANY) for of in self._all_limits()):
            chosen.add(within_limits)
        if self.any_bound:
            chosen |= _OF_BOUND
        if any(getattr(of, name) for of in self._all_bounds() for name in _IN_YUAN):
            chosen.add(market.sale_worth_known)
        if self._strategies:
            chosen.add(switches.strategy_named)
        if self.paces:
            chosen |= _OF_RATES
        if self._limits.repeat_window or (self._limits.repeat_window is None and self.any_bound):
            chosen |= {_OF_REPEATS[self._limits.repeats], session.held_for_time}
        return frozenset(chosen)

    def _all_limits(self) -> list[Any]:
        accounts, strategies = self._settings.accounts.values(), self._settings.strategies.values()
        return [self._limits, *(one.limits for one in accounts), *(one.limits for one in strategies)]

    def _all_bounds(self) -> list[Any]:
        """The hard and the soft ones."""
        return [bounds for of in self._all_limits() for bounds in (of, of.soft)]

    # what they look at

    def _hard_limits(self, key: Whose) -> tuple[Limit, ...]:
        return tuple(limit for limits, scope in self._tables(*key) for limit in compiled(limits, scope))

    def _soft_limits(self, key: Whose) -> tuple[Limit, ...]:
        return tuple(
            limit
            for limits, scope in self._tables(*key)
            for limit in compiled(limits.soft, scope._replace(table=f"{scope.table}.soft"))
        )

    def _tables(self, account_id: str, strategy: str, folder: ScopeKey) -> Iterable[tuple[Any, Scope]]:
        """An order keeps them all: those of the strategy that its row names, and of the one that its folder names."""
        yield self._limits, Scope("limits", ALL)
        account = self._settings.accounts.get(account_id)
        if account is not None:
            yield (
                account.limits,
                Scope(f"accounts.{account.alias or account_id}.limits", ("account", account_id)),
            )
        whose = (strategy, folder[1] if folder[0] == "strategy" else "")
        for spelled in dict.fromkeys(map(folded, whose)):
            if (name := self._strategies.get(spelled)) is not None:
                limits = self._settings.strategies[name].limits
                yield limits, Scope(f"strategies.{name}.limits", strategy_key(name))

    def _rate(self, account_id: str) -> Rate:
        """The smaller of the account's own and that of [limits]; where neither is set, on live gateways the default; there also at most the ceiling."""
        account = self._settings.accounts.get(account_id)
        own = account.limits if account else self._limits
        per_second = _smaller(own.orders_per_second, self._limits.orders_per_second)
        per_day = _smaller(own.orders_per_day, self._limits.orders_per_day)
        if not self.bound[account_id]:
            return Rate(per_second, None, "")
        said = "orders_per_day" if per_day else _BY_DEFAULT
        return Rate(
            min(per_second or LIVE_PER_SECOND, ORDERS_PER_SECOND_CEILING),
            min(per_day or LIVE_PER_DAY, ORDERS_PER_DAY_CEILING),
            said,
        )

    def _repeat_policy(self, account_id: str) -> RepeatPolicy:
        window = self._limits.repeat_window
        if window is None:
            window = LIVE_REPEAT_WINDOW if self.bound[account_id] else 0
        return RepeatPolicy(window, self._limits.repeats)

    def funds(self, account_id: str, now: Micros) -> Funds | None:
        told = self._account_of(account_id) or before_first_order(self._settings, account_id, now)
        if told is None:
            return None
        assets = told.balance + told.market_value
        if told.held_at is None:
            return Funds(told.at, told.available, assets, None)
        held = {held.symbol: Held(held.volume, held.available, held.price) for held in told.positions}
        return Funds(told.at, told.available, assets, held, told.held_at)

    # what was ordered today

    def follow(self, writer: Writer, now: Micros, today: date) -> Following:
        """The ledger as it stands in the journal now."""
        day = day_number(today)
        following: Following = writer.kept("following", lambda: Following(0, Ledger()))
        self._followed = following
        orders = writer.todays_orders(day)
        if following.day != day:
            self.instruments.refresh(today)
        price = self.instruments.today(now, today)
        if following.day != day:
            following.day, following.event = day, orders.last_event()
            following.ledger = Ledger(fee=_fees(self._limits.fee_rate, self._limits.fee_minimum))
            self._put(following.ledger, orders.all(), price)
            following.ledger.cancels = orders.cancels()
            self._note(following, orders.events_since(now - MINUTE))
        else:
            following.ledger.committed()
            events = orders.events_after(following.event)
            if events:
                following.event = events[-1].id
                self._put(following.ledger, orders.changed({event.order_ref for event in events}), price)
                self._note(following, events)
                self._count_cancels(following.ledger, events)
        following.told = [told for told in following.told if told[0] > now - MINUTE]
        return following

    def _put(self, ledger: Ledger, orders: Iterable[Any], known: Callable[[str], Any]) -> None:
        for order in orders:
            before = ledger.entries.get(order.id)
            entry = before or self._entry(order, known)
            filled, value = order.filled_volume, Decimal(order.filled_value or 0)
            if (
                order.told_volume and order.told_volume > filled
            ):  # the broker says more than its fills: the worse counts
                filled, value = order.told_volume, value + (order.told_volume - filled) * entry.price
            ledger.put(
                order.id,
                entry._replace(
                    open=order.status not in CLOSED, sent=order.batch_id is not None, filled_volume=filled, filled_value=value,
                    confirmed_at=order.confirmed_at, changed_at=order.updated_at,
                ),
            )  # fmt: skip

    def _entry(self, order: Any, known: Callable[[str], Instrument | None]) -> Entry:
        """An order of the journal. It is worth what it was judged to be worth; where that was not kept, what the day says now."""
        board, market_order = self.instruments.board_of(order.symbol), order.order_type != OrderType.LIMIT
        price, buy = None if order.price is None else Decimal(order.price), order.order_business in BUYS
        if board is not None and board.kind == "repo":
            each: Decimal | None = market.REPO_UNIT
        elif order.worth is not None:
            each = Decimal(order.worth) / order.volume
        else:
            instrument = known(order.symbol)
            prices = None if board is None else market.limit_prices(board, instrument)
            each = market.most(price, prices, instrument, buy=buy, market=market_order)
        cash, shares = market.moves(board, order.order_business)
        return Entry(
            order.sid, order.account_id, order.strategy or "", order.symbol, buy, order.volume,
            UNKNOWN_WORTH if each is None else each, None if market_order else price,
            order.accepted_at, (drop_of(order.id), order.accepted_at),
            cash=cash, shares=shares, folder=self._folder(order.folder or ""),
        )  # fmt: skip

    def _note(self, following: Following, events: Iterable[Any]) -> None:
        for event in events:
            if event.event == Status.SUBMITTING:
                following.ledger.sent(event.account_id, event.at)
            elif (
                event.event == CANCEL_SENT and not self._cancels_known
            ):  # by a router that ended a moment ago
                self.cancel_sent(event.account_id, event.at)
            elif event.event in {Status.DENIED, Status.REJECTED} and event.reason_code not in _NO_FAULT:
                following.told.append((event.at, event.account_id, event.event))
        self._cancels_known = True

    def _count_cancels(self, ledger: Ledger, events: Iterable[Any]) -> None:
        for event in events:
            if event.event == CANCEL_SENT:
                ledger.cancels[event.account_id] = ledger.cancels.get(event.account_id, 0) + 1


def _rules(chosen: frozenset[Any]) -> dict[str, Any]:
    """The chosen ones in their order, as a context has them."""
    tuples = {
        "standing": checks.STANDING_RULES,
        "further": checks.FURTHER_RULES,
        "holds": checks.HOLDS,
        "warnings": checks.WARNINGS,
    }
    return {name: tuple(rule for rule in rules if rule in chosen) for name, rules in tuples.items()}


def _fees(rate: Decimal, minimum: Decimal) -> Callable[[Decimal], Decimal]:
    return lambda value: max(value * rate, minimum)


def _closed(gateway: str, gateways: Mapping[str, str]) -> tuple[str, str] | None:
    return (gateway, gateways[gateway]) if gateway in gateways else None


def _smaller(*bounds: int | None) -> int | None:
    """Of those that are set."""
    return min((bound for bound in bounds if bound), default=None)
