"""Says which account, strategy and gateway an order belongs to, by the settings, in the form the router asks for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from orderdrop.config.gateways import PAPER_ACCOUNT, RemoteSettings
from orderdrop.config.settings import Settings
from orderdrop.domain.baseline import Baselines
from orderdrop.domain.switches import ALL, ScopeKey, folded
from orderdrop.gateway.base import Gateway
from orderdrop.system.clock import Micros
from orderdrop.system.lazy import Lazy


@dataclass(frozen=True)
class Routing:
    settings: Settings
    gateways: Mapping[str, Gateway]
    baselines: Mapping[str, Baselines] = field(
        default_factory=lambda: defaultdict(Baselines), compare=False
    )  # by gateway

    @cached_property
    def accounts(self) -> dict[str, str]:
        """Account id or alias to account id; empty: every account is welcome."""
        named = self.settings.accounts
        return {name: key for key, account in named.items() for name in (key, account.alias) if name}

    @cached_property
    def default_account(self) -> str | None:
        """The account of a row that names none: the only one there is."""
        named = list(self.settings.accounts)
        if not named:
            return PAPER_ACCOUNT
        return named[0] if len(named) == 1 else None

    def folder(self, name: str) -> tuple[str | None, str]:
        """Returns what a sub-folder of the inbox, "" for the inbox itself, says of rows that do not say it themselves: account and strategy.

        A folder called like an account, or its alias, is that account's; any other one names a strategy. Names are compared casefolded.
        """
        kind, named = self.scope(name)
        return (named, "") if kind == "account" else (self.default_account, named)

    def scope(self, folder: str) -> ScopeKey:
        """Returns what a sub-folder of the inbox names, in the spelling of the settings where they name it; ALL for the inbox itself."""
        return self._scopes[folder]

    @cached_property
    def _scopes(self) -> Lazy[str, ScopeKey]:
        accounts = {folded(name): account for name, account in self.accounts.items()}
        strategies = {folded(name): name for name in self.settings.strategies}

        def scope(folder: str) -> ScopeKey:
            spelled = folded(folder)
            if not spelled:
                return ALL
            account = accounts.get(spelled)
            return ("account", account) if account else ("strategy", strategies.get(spelled, folder))

        return Lazy(scope)

    def gateway_of(self, account_id: str) -> Gateway:
        return self.gateways[self.settings.gateway_of(account_id)]

    def sells_first(self, gateway: str) -> bool:
        settings = self.settings.gateways[gateway]
        return isinstance(settings, RemoteSettings) and settings.sells_first

    def holds(self, strategy: str) -> bool:
        """Whether the orders of a strategy wait for release, however it is spelled."""
        return self.settings.inbox.hold or folded(strategy) in self._held

    @cached_property
    def _held(self) -> frozenset[str]:
        return frozenset(folded(name) for name, named in self.settings.strategies.items() if named.hold)

    def places(self, gateway: str, wanted: Iterable[tuple[str, str]], now: Micros) -> str | None:
        """Returns what is known now of a terminal's output and its accounts, to be journaled with a batch that is about to leave.

        wanted: account and symbol of each of its orders. Asks nobody. None: its broker is never silent.
        """
        door = self.gateways[gateway]
        output = door.places()
        if output is None:
            return None
        orders = list(wanted)
        self.observe(gateway, {account_id for account_id, _symbol in orders}, now)
        return self.baselines[gateway].journaled(output, orders)

    def observe(self, gateway: str, accounts: Iterable[str], now: Micros) -> None:
        """Takes note of what a gateway has told of these accounts."""
        door, baselines = self.gateways[gateway], self.baselines[gateway]
        for account_id in accounts:
            told = door.remembered(account_id)
            if told is not None:
                baselines.note(told, now, door.lag)
