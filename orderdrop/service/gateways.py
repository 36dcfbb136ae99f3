"""Makes the gateways that the settings name; no other file names a vendor's."""

from __future__ import annotations

from collections.abc import Collection
from typing import assert_never

from orderdrop.admission.dry_run import Broker
from orderdrop.config.gateways import (
    GatewaySettings,
    GmSettings,
    GoldminerSettings,
    MiniqmtSettings,
    PaperSettings,
)
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Refusal
from orderdrop.gateway.base import Gateway
from orderdrop.gateway.gm.gateway import GmGateway
from orderdrop.gateway.goldminer.gateway import GoldminerGateway
from orderdrop.gateway.instrument_feed import KnownPrices
from orderdrop.gateway.miniqmt.gateway import MiniqmtGateway
from orderdrop.gateway.paper.foresight import Foresight
from orderdrop.gateway.paper.gateway import PaperGateway, paper_file
from orderdrop.system.clock import Clock


def make_gateways(settings: Settings, workspace: Workspace, clock: Clock) -> dict[str, Gateway]:
    return {
        name: _make_gateway(
            name,
            values,
            settings.accounts_of(name),
            workspace,
            clock,
            KnownPrices(settings, workspace, clock),
        )
        for name, values in settings.gateways.items()
    }


def foreseen(settings: Settings, workspace: Workspace, clock: Clock) -> Broker:
    """What the paper brokers of the settings would say; the others are somebody else's."""
    known_price = KnownPrices(settings, workspace, clock)
    paper = {
        name: Foresight(
            values, paper_file(workspace.state, name), workspace.root / values.quotes, known_price
        )
        for name, values in settings.gateways.items()
        if isinstance(values, PaperSettings)
    }

    def broker(order: Order) -> Refusal | None:
        foresight = paper.get(settings.gateway_of(order.account_id))
        return foresight.rejection(order) if foresight else None

    return broker


def _make_gateway(
    name: str, values: GatewaySettings, accounts: Collection[str], workspace: Workspace, clock: Clock,
    known_price: KnownPrices,
) -> Gateway:  # fmt: skip
    match values:
        case PaperSettings():
            return PaperGateway(
                name, values, workspace.state, workspace.root / values.quotes, clock, accounts, known_price
            )
        case GoldminerSettings():
            return GoldminerGateway(name, values.below(workspace.root), accounts, clock)
        case GmSettings():
            return GmGateway(name, values.below(workspace.root), accounts, workspace.state, clock)
        case MiniqmtSettings():
            return MiniqmtGateway(name, values.below(workspace.root), accounts, clock)
        case _:
            assert_never(values)
