"""An account's cash and positions. No fees, no profits: enough to say no to what is not there."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from orderdrop.system.clock import Micros


@dataclass(slots=True)
class Position:
    """Volumes in shares. sellable: T+1 let through, and not in an open sale. cost: of all that is held, in yuan."""

    price: Decimal
    opened_at: Micros
    volume: int = 0
    today: int = 0
    sellable: int = 0
    cost: Decimal = Decimal(0)


@dataclass(slots=True)
class Account:
    """frozen: the cash that open purchases set aside, in yuan. changed: since it was last told."""

    account_id: str
    opened_at: Micros
    balance: Decimal
    frozen: Decimal = Decimal(0)
    positions: dict[str, Position] = field(default_factory=dict)
    changed: bool = True

    @property
    def available(self) -> Decimal:
        return self.balance - self.frozen

    def sellable(self, symbol: str) -> int:
        position = self.positions.get(symbol)
        return position.sellable if position else 0

    def hold(self, symbol: str, volume: int, price: Decimal, at: Micros) -> None:
        """What was held before the terminal began."""
        self.positions[symbol] = Position(price, at, volume, 0, volume, price * volume)

    def set_aside(self, symbol: str, volume: int, amount: Decimal | None) -> None:
        """For an open order: cash of a purchase, or shares when `amount` is None. A negative one gives back."""
        if amount is not None:
            self.frozen += amount
        elif symbol in self.positions:
            self.positions[symbol].sellable -= volume
        self.changed = True

    def bought(self, symbol: str, volume: int, price: Decimal, at: Micros, *, t0: bool) -> None:
        position = self.positions.setdefault(symbol, Position(price, at))
        self.balance -= price * volume
        position.volume += volume
        position.today += volume
        position.sellable += volume if t0 else 0
        position.cost += price * volume
        position.price = price
        self.changed = True

    def sold(self, symbol: str, volume: int, price: Decimal, at: Micros) -> None:
        """Its shares were set aside when the order came."""
        position = self.positions.setdefault(symbol, Position(price, at))
        self.balance += price * volume
        if position.volume:
            position.cost -= position.cost * volume / position.volume
        position.volume -= volume
        position.price = price
        self.changed = True

    def new_day(self) -> None:
        """What was bought yesterday may be sold. Open orders have been given back before."""
        self.frozen = Decimal(0)
        self.positions = {symbol: held for symbol, held in self.positions.items() if held.volume}
        for position in self.positions.values():
            position.today = 0
            position.sellable = position.volume
