"""Knows what was ordered today, and how many orders may leave now: the day's ledger, read on from the journal.

What was ordered today comes from the journal, at the start and again after every change: each change of an order has its event, so
the ledger reads on from the last event it has seen, whoever made the change.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from orderdrop.accounts.routing import Routing
from orderdrop.domain.identity import day_number
from orderdrop.domain.order import BUYS, OrderType
from orderdrop.domain.refusal import Code
from orderdrop.domain.security import Instrument
from orderdrop.domain.status import Status
from orderdrop.journal.records import CANCEL_SENT, drop_of
from orderdrop.journal.today import CLOSED
from orderdrop.journal.writer import Writer
from orderdrop.market.instruments import Instruments
from orderdrop.risk.ledger import UNKNOWN_WORTH, Entry, Ledger
from orderdrop.risk.rulebook import Rulebook
from orderdrop.risk.rules import market
from orderdrop.system.clock import Micros

SECOND: Final = 1_000_000
MINUTE: Final = 60_000_000
UNBOUNDED: Final = 1 << 30
_NO_FAULT: Final = frozenset(
    {Code.NOT_SENT, Code.HALTED, Code.HALTED_SCOPE, Code.REDUCING, Code.GATEWAY_CLOSED}
)
"""Denials that tell nothing against the order itself."""


@dataclass
class Following:
    """The ledger of a day, and how far the journal was followed. told: (at, account, what) of denials and rejections of the last minute."""

    day: int
    ledger: Ledger
    event: int = 0
    told: list[tuple[int, str, str]] = field(default_factory=list)


class Exposure:
    """Lives as long as the router."""

    def __init__(self, desk: Routing, rulebook: Rulebook, instruments: Instruments) -> None:
        self._settings = desk.settings
        self._limits = desk.settings.limits
        self._folder = desk.scope
        self._rulebook = rulebook
        self._instruments = instruments
        self._followed: Following | None = None
        self.cancels_ahead: Counter[str] = (
            Counter()
        )  # that wait for their turn, by account: new orders come after them
        self._cancelled: dict[str, deque[int]] = {}  # when cancels have left, by account
        self._cancels_known = False

    def pace(self, gateway: str, now: Micros) -> int:
        """Returns how many orders may leave for a gateway now: what is left of this second, behind the cancels that wait, to the account that has least."""
        ledger = self._followed.ledger if self._followed else Ledger()
        busy = [
            account
            for account in {*ledger.busy_accounts(), *self.cancels_ahead, *self._cancelled}
            if self._settings.gateway_of(account) == gateway
        ]
        accounts = {*self._settings.accounts_of(gateway), *busy} or {""}
        return max(0, min(self.left(account, now) - self.cancels_ahead[account] for account in accounts))

    def left(self, account_id: str, now: Micros) -> int:
        """Returns how many orders and cancels an account may send now."""
        per_second = self._rulebook.rates[account_id].per_second
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

    # what was ordered today

    def follow(self, writer: Writer, now: Micros, today: date) -> Following:
        """Returns the ledger as it stands in the journal now."""
        day = day_number(today)
        following: Following = writer.kept("following", lambda: Following(0, Ledger()))
        self._followed = following
        orders = writer.todays_orders(day)
        if following.day != day:
            self._instruments.refresh(today)
        price = self._instruments.today(now, today)
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
        board, market_order = self._instruments.board_of(order.symbol), order.order_type != OrderType.LIMIT
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


def _fees(rate: Decimal, minimum: Decimal) -> Callable[[Decimal], Decimal]:
    return lambda value: max(value * rate, minimum)
