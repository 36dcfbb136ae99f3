"""The switches that stop new orders: for all, for an account, for a strategy. Cancels always pass; they are no orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import NamedTuple

from orderdrop.domain.board import board_of
from orderdrop.domain.order import FROM_HOLDING, RETURNS, Order
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.risk.context import Context
from orderdrop.risk.ledger import ALL, ScopeKey, folded

_REDUCES = FROM_HOLDING | RETURNS


class State(IntEnum):
    """The higher one wins."""

    ACTIVE = 0
    REDUCING = 1
    HALTED = 2


class Switches(NamedTuple):
    """What is switched off, by scope; what is not named is active."""

    states: dict[ScopeKey, State] = {}  # noqa: RUF012  never changed

    def of(self, account_id: str, strategy: str, folder: ScopeKey = ALL) -> tuple[State, ScopeKey]:
        """The strongest switch that binds an order, and whose it is. However a name is spelled; the order's own, and what its folder names."""
        mine = {ALL, *map(_plain, (("account", account_id), ("strategy", strategy), folder))}
        strongest, whose = State.ACTIVE, ALL
        for key, state in self.states.items():
            if state > strongest and _plain(key) in mine:
                strongest, whose = state, key
        return strongest, whose

    @property
    def halted(self) -> bool:
        """Whether nothing at all may leave."""
        return self.states.get(ALL) is State.HALTED

    @property
    def partial(self) -> bool:
        """Whether some orders may leave and others may not."""
        return any(
            state > State.ACTIVE and not (key == ALL and state is State.HALTED)
            for key, state in self.states.items()
        )


def with_accounts(
    named: Switches, accounts: Mapping[str, str], traded: Callable[[str], bool] = lambda _name: False
) -> Switches:
    """accounts: account id or alias to account id. traded: whether an account that the settings do not name has ever had an order."""
    states: dict[ScopeKey, State] = {}
    for key, state in named.states.items():
        whose = bound_by(key, accounts, traded)
        states[whose] = max(state, states.get(whose, State.ACTIVE))
    return Switches(states)


def bound_by(key: ScopeKey, accounts: Mapping[str, str], traded: Callable[[str], bool]) -> ScopeKey:
    """Whom a switch binds that names an account, or lies in a folder called like one. One that names no account that is known binds all:
    `HALT.rtf` is meant to halt.
    """
    kind, name = key
    known = {folded(other): account for other, account in accounts.items()}
    if kind != "account":
        return ("account", known[folded(name)]) if folded(name) in known else key
    whose = known.get(folded(name))
    if whose is None and not accounts and traded(name):
        whose = name
    return ALL if whose is None else ("account", whose)


def not_halted(_order: Order, context: Context) -> Refusal | None:
    return Refusal(Code.HALTED) if context.halted else None


def not_switched_off(order: Order, context: Context) -> Refusal | None:
    return switched_off(
        context.around.switches,
        order.account_id,
        order.strategy,
        order.symbol,
        order.order_business,
        context.folder,
    )


def strategy_named(order: Order, context: Context) -> Refusal | None:
    """Said, not denied: once any strategy has settings, one that has none is bound by no limit of a strategy."""
    known = context.around.strategies
    if not known or not order.strategy or folded(order.strategy) in known:
        return None
    return Refusal(Code.STRATEGY_UNKNOWN, "strategy", order.strategy)


def gateway_open(order: Order, context: Context) -> Refusal | None:
    closed = context.around.closed[order.account_id]
    return None if closed is None else Refusal(Code.GATEWAY_CLOSED, value=closed[0], bound=closed[1])


def switched_off(
    switches: Switches,
    account_id: str,
    strategy: str,
    symbol: str,
    order_business: int,
    folder: ScopeKey = ALL,
) -> Refusal | None:
    state, key = switches.of(account_id, strategy, folder)
    if state is State.HALTED:
        return Refusal(Code.HALTED_SCOPE, value=scope_words(key))
    if state is State.REDUCING and not _reduces(symbol, order_business):
        return Refusal(Code.REDUCING, value=scope_words(key))
    return None


def _plain(key: ScopeKey) -> ScopeKey:
    return key[0], folded(key[1])


def _reduces(symbol: str, order_business: int) -> bool:
    """A sale of what is held, or the return of what was sold short. A repo lends money, which reduces nothing."""
    board = board_of(symbol)
    return order_business in _REDUCES and board is not None and board.kind != "repo"


def scope_words(key: ScopeKey) -> str:
    kind, name = key
    return {"account": f"账户 {name} / account {name}", "strategy": f"策略 {name} / strategy {name}"}.get(
        kind, "全部 / all"
    )
