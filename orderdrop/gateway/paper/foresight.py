"""Says what the paper broker would make of an order, without sending it: for `orderdrop check`. Cash and shares are not looked at.

Its file is only read; a router may be at work on it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from orderdrop.config.gateways import PaperSettings
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.gateway.base import Outgoing
from orderdrop.gateway.paper.quotes import Quotes
from orderdrop.gateway.paper.rules import Deal, Rejection, judge
from orderdrop.gateway.paper.store import LAST_PRICE


class Foresight:
    """Of one paper gateway; asked about orders in the order in which they would be traded."""

    def __init__(
        self, settings: PaperSettings, file: Path, quotes: Path, known_price: Callable[[str], Decimal | None]
    ) -> None:
        self._simulate = settings.simulate
        self._file = file
        self._quotes = Quotes(quotes)
        self._quotes.refresh()
        self._known_price = known_price
        self._last: dict[str, Decimal] = {}

    def rejection(self, order: Order) -> Refusal | None:
        outgoing = Outgoing(
            order.sid, order.account_id, order.symbol, order.volume, order.order_type, order.order_business,
            order.price, "",
        )  # fmt: skip
        deal = judge(outgoing, self._reference, simulate=self._simulate)
        if isinstance(deal, Rejection):
            return Refusal(Code.BROKER_REJECTED, value=deal.text, bound=str(deal.code))
        if isinstance(deal, Deal) and deal.fills:
            self._last[order.symbol] = deal.price
        return None

    def _reference(self, symbol: str) -> Decimal | None:
        return (
            self._quotes.price(symbol)
            or self._last.get(symbol)
            or self._last_fill(symbol)
            or self._known_price(symbol)
        )

    def _last_fill(self, symbol: str) -> Decimal | None:
        try:
            with closing(sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=ro", uri=True)) as file:
                found = file.execute(LAST_PRICE, (symbol,)).fetchone()
        except sqlite3.Error:  # it has not traded yet
            return None
        return None if found is None else Decimal(found[0])
