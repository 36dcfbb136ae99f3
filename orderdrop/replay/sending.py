"""Puts drops that were written anew into the real inbox, in their rhythm, each part under a name that nobody else has."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path, PurePosixPath

from orderdrop.client.writing import put, unique_name
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.order import DropKind
from orderdrop.errors import ConfigError
from orderdrop.inbox.names import Name, read_name
from orderdrop.replay.playing import steps
from orderdrop.replay.source import Played
from orderdrop.system.clock import Micros


def refuse_other_accounts(accounts: Collection[str], gateway: str, settings: Settings) -> None:
    """Raises ConfigError when the gateway does not exist, or an order would go to another one."""
    if gateway not in settings.gateways:
        known = ", ".join(settings.gateways)
        raise ConfigError(f"没有这个通道 / there is no gateway “{gateway}”: {known}")
    named = settings.accounts
    strange = sorted(
        account
        for account in accounts
        if settings.gateway_of(account) != gateway or (named and account not in named)
    )
    if strange:
        raise ConfigError(
            f"这些账户不属于通道 {gateway} / these accounts are not {gateway}'s: {', '.join(strange)}\n"
            f"  用 --account 旧=新 改写 / map them with --account {strange[0]}=NEW"
        )


def send(
    drops: Sequence[Played], workspace: Workspace, pause: Callable[[Micros, Micros], None]
) -> list[Path]:
    """Where each drop was put. A basket stays one drop; of a file that was appended to, each part is one."""
    sent, at = [], None
    for step in steps(drops):
        pause(at or step.part.at, step.part.at)
        at = step.part.at
        strategy = step.played.strategy or None
        sent.append(
            put(workspace, unique_name(_kind(step.played)), step.played.header + step.part.content, strategy)
        )
    return sent


def _kind(played: Played) -> DropKind:
    said = read_name(PurePosixPath(played.name).name)
    return said.kind if isinstance(said, Name) else DropKind.ORDER
