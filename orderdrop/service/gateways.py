"""Makes the gateways that the settings name; no other file names a vendor's."""

from __future__ import annotations

from collections.abc import Collection
from typing import assert_never

from orderdrop.config.gateways import (
    GatewaySettings,
    GmSettings,
    GoldminerSettings,
    MiniqmtSettings,
    PaperSettings,
)
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.gateway.base import Gateway
from orderdrop.gateway.gm.gateway import GmGateway
from orderdrop.gateway.goldminer.gateway import GoldminerGateway
from orderdrop.gateway.miniqmt.gateway import MiniqmtGateway
from orderdrop.gateway.paper.gateway import PaperGateway
from orderdrop.system.clock import Clock


def make_gateways(settings: Settings, workspace: Workspace, clock: Clock) -> dict[str, Gateway]:
    return {
        name: _make_gateway(name, values, settings.accounts_of(name), workspace, clock)
        for name, values in settings.gateways.items()
    }


def _make_gateway(
    name: str, values: GatewaySettings, accounts: Collection[str], workspace: Workspace, clock: Clock
) -> Gateway:
    match values:
        case PaperSettings():
            return PaperGateway(
                name, values, workspace.state, workspace.root / values.quotes, clock, accounts
            )
        case GoldminerSettings():
            return GoldminerGateway(name, values.below(workspace.root), accounts, clock)
        case GmSettings():
            return GmGateway(name, values.below(workspace.root), accounts, workspace.state, clock)
        case MiniqmtSettings():
            return MiniqmtGateway(name, values.below(workspace.root), accounts, clock)
        case _:
            assert_never(values)
