"""Puts a whole report together: figures, differences, what came from other hands, the chain's head. Reads journal and archive."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, inspect

from orderdrop.audit.differences import by_hand, differences
from orderdrop.audit.figures import figures
from orderdrop.audit.frames import Choice, Tables
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.journal import chain


def report(
    connection: Connection,
    workspace: Workspace,
    settings: Settings,
    tables: Tables,
    first: date,
    last: date,
    choice: Choice,
) -> dict[str, Any]:
    """As `orderdrop audit --json` prints it. Orders of other hands are told of the whole days, whatever was chosen."""
    found = differences(connection, workspace, tables, first, last, settings.inbox.sid_scope)
    return figures(tables, first, last, choice) | {
        "differences": [one._asdict() for one in found],
        "by_hand": by_hand(connection, first, last),
        "gateways": [{"name": name, "live": gateway.live} for name, gateway in settings.gateways.items()],
        "chain": _chain(connection),
    }


def _chain(connection: Connection) -> dict[str, Any]:
    last = chain.last_seal(connection) if inspect(connection).has_table("seals") else None
    return {"seal": last.id if last else 0, "head": last.digest if last else ""}
