"""Lists orders that can have no result under the settings as they are: their gateway or their account is not named any more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from orderdrop.config.settings import Settings
from orderdrop.domain.status import Status

_WAITING: Final = frozenset({Status.READY, Status.HELD})


def stranded(live: Iterable[Any], settings: Settings) -> list[str]:
    """Sids of those that will not leave, and of those at a broker that nobody listens to. live: journal rows of orders that are not finished."""
    return [order.sid for order in live if _is_stranded(order, settings)]


def _is_stranded(order: Any, settings: Settings) -> bool:
    if order.gateway is None:
        return False
    if order.gateway not in settings.gateways:
        return True
    if order.status not in _WAITING:
        return False
    unknown = bool(settings.accounts) and order.account_id not in settings.accounts
    return unknown or settings.gateway_of(order.account_id) != order.gateway
