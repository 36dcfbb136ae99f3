"""Switches stop new orders: of everybody, of an account, of a strategy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import NamedTuple

ScopeKey = tuple[str, str]
"""("", "") everything, ("account", id), ("strategy", name); a strategy's name casefolded (`strategy_key`)."""


ALL: ScopeKey = ("", "")


def keys_of(account_id: str, strategy: str, folder: ScopeKey = ALL) -> tuple[ScopeKey, ...]:
    """Whose totals an order counts in: those of the strategy that its row names, and of the one that its folder names."""
    mine: dict[ScopeKey, None] = dict.fromkeys((ALL, ("account", account_id)))
    if strategy:
        mine[strategy_key(strategy)] = None
    if folder[0] == "strategy":
        mine[strategy_key(folder[1])] = None
    return tuple(mine)


def folded(name: str) -> str:
    """A name as it is compared."""
    return name.strip().casefold()


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


def _plain(key: ScopeKey) -> ScopeKey:
    return key[0], folded(key[1])


def scope_words(key: ScopeKey) -> str:
    kind, name = key
    return {"account": f"账户 {name} / account {name}", "strategy": f"策略 {name} / strategy {name}"}.get(
        kind, "全部 / all"
    )


def strategy_key(name: str) -> ScopeKey:
    """However it is spelled."""
    return "strategy", folded(name)
