"""Holds what a check may know beside the order. It is gathered once for a batch; what costs is looked up when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from orderdrop.domain.board import Board, board_of
from orderdrop.domain.hold import Hold
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Refusal
from orderdrop.domain.security import Instrument
from orderdrop.domain.switches import ALL, ScopeKey
from orderdrop.risk.ledger import Ledger, Whose
from orderdrop.system.clock import Micros

if TYPE_CHECKING:
    from orderdrop.domain.switches import Switches
    from orderdrop.risk.rules.limits import Limit
    from orderdrop.risk.rules.session import Phase


class Range(NamedTuple):
    """The lowest and the highest price that is taken: of the day, or now (its cage)."""

    lower: Decimal
    upper: Decimal


class Held(NamedTuple):
    """A holding in the snapshot."""

    volume: int
    available: int
    price: Decimal


class Funds(NamedTuple):
    """An account's snapshot: its cash as it was at cash_at, its holdings as they were at held_at.

    positions: None when they were never told, which is not the same as none. held_at: None with them; for holdings that came with the cash, too.
    """

    cash_at: Micros
    available: Decimal
    assets: Decimal
    positions: Mapping[str, Held] | None
    held_at: Micros | None = None


class Rate(NamedTuple):
    """How fast an account may send. per_second: None: as fast as it likes."""

    per_second: int | None
    per_day: int | None
    per_day_from: str


class RepeatPolicy(NamedTuple):
    """seconds: 0: nothing is a repeat."""

    seconds: float
    act: Literal["hold", "refuse", "warn"]


class RiskFacts(NamedTuple):
    """Market, limits and what was ordered before, at one instant.

    second: of the day, in Shanghai. trading_day: None when nobody knows the year. bound: by account, whether its gateway is held to
    sessions, cash and the rest. limits: by account, strategy and folder. instruments, ranges (of the day), cages (in continuous trading): by
    symbol, None where nobody knows. closed: by account, its gateway and the time, if that was closed for the rest of the day.
    strategies: those that the settings name, casefolded.
    """

    now: Micros
    day: date
    second: int
    phase: Phase
    continuous: bool
    trading_day: bool | None
    outside_session: Literal["hold", "refuse"]
    bound: Mapping[str, bool]
    limits: Mapping[Whose, tuple[Limit, ...]]
    soft_limits: Mapping[Whose, tuple[Limit, ...]]
    instruments: Mapping[str, Instrument | None]
    ranges: Mapping[str, Range | None]
    cages: Mapping[str, Range | None]
    ledger: Ledger
    funds: Mapping[str, Funds | None]
    rates: Mapping[str, Rate]
    repeats: Mapping[str, RepeatPolicy]
    switches: Switches
    max_wait: float
    snapshot_age: float
    cancels_warn: Decimal
    cancels_hold: Decimal
    closed: Mapping[str, tuple[str, str] | None]
    strategies: frozenset[str] = frozenset()

    def instant(self, second: int) -> Micros:
        """Returns a second of today as an instant."""
        return Micros(self.now - self.now % 1_000_000 + (second - self.second) * 1_000_000)


T = TypeVar("T")

_REMEMBERED = 1 << 16


class Passed:
    """What the rules that look at an order alone have let pass, so that they need not be asked again of what is alike to them.

    accounts: with the side. kinds: symbol, order type and side → the number of their terms; terms: board, order type and side → that
    number. prices, volumes: with the number of the terms they were seen with. standing: account, strategy, folder and that number.
    """

    __slots__ = ("accounts", "kinds", "prices", "standing", "terms", "volumes")

    def __init__(self) -> None:
        self.accounts: set[tuple[str, int]] = set()
        self.standing: set[tuple[str, str, ScopeKey, int]] = set()
        self.kinds: dict[tuple[str, int, int], int] = {}
        self.terms: dict[tuple[Board | None, int, int], int] = {}
        self.prices: set[tuple[int, Decimal | None]] = set()
        self.volumes: set[tuple[int, int]] = set()

    def of_kind(self, kind: tuple[str, int, int], board: Board | None) -> int:
        """Returns the terms of a kind that has passed, from now on known."""
        _make_room(self.kinds)
        terms = self.kinds[kind] = self.terms.setdefault((board, *kind[1:]), len(self.terms))
        return terms

    def add(self, to: set[T], what: T) -> None:
        _make_room(to)
        to.add(what)


def _make_room(remembered: dict[Any, int] | set[Any]) -> None:
    if len(remembered) >= _REMEMBERED:  # a drop may name a million accounts, or prices
        remembered.clear()


@dataclass(frozen=True, slots=True)
class Context:
    """The router's state when an order is judged.

    accounts: those that may trade, None when any may. passed: in this state. credit: the accounts that take credit orders. standing,
    further, holds, warnings: the rules that the settings and the gateways call for. soft: whether any limits are only said. sessions:
    whether any gateway is bound to them.
    origin: the take that is judged (drop, when). folder: the strategy, or the account, that its folder names.
    """

    accounts: frozenset[str] | None
    halted: bool
    credit: frozenset[str] = frozenset()
    passed: Passed = field(default_factory=Passed)
    board_of: Callable[[str], Board | None] = board_of
    sessions: bool = False
    standing: tuple[Rule, ...] = ()
    further: tuple[Rule, ...] = ()
    holds: tuple[HoldRule, ...] = ()
    warnings: tuple[Rule, ...] = ()
    soft: bool = False
    around: RiskFacts = None  # type: ignore[assignment]
    """Where nothing was gathered, the rule that asks fails, and so denies."""
    origin: tuple[int, int] = (0, 0)
    folder: ScopeKey = ALL

    @property
    def alone(self) -> bool:
        """Whether nothing is looked at but each order itself."""
        return not (self.standing or self.further or self.holds or self.warnings or self.soft)


Rule = Callable[[Order, Context], Refusal | None]
"""None: the order may pass. A rule is pure and judges by itself, whatever stands before it in the tuple."""

HoldRule = Callable[[Order, Context], Hold | None]
"""None: the order need not wait."""
