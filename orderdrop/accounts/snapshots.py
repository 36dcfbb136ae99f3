"""Reads an account's last snapshot from the result files that the router writes whatever the gateway; for those who only look."""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO
from pathlib import Path

from orderdrop.config.gateways import PaperSettings
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace, account_folder
from orderdrop.domain.report import Account, Position
from orderdrop.domain.symbol import Symbol, read_symbol
from orderdrop.gateway.goldminer.rows import BadRow, columns_of, read_account
from orderdrop.system.clock import Micros

_ZERO = Decimal(0)


def last_snapshot(workspace: Workspace, settings: Settings, account_id: str, now: Micros) -> Account | None:
    """None when nothing is known of the account."""
    folder = workspace.outbox / account_folder(account_id)
    cash, positions = _table(folder / "cash.csv"), _table(folder / "position.csv")
    if cash is not None:
        try:
            told = read_account(account_id, cash, positions, now)
        except BadRow:
            return None
        if told is not None and told.held_at is not None and not told.positions:
            # An empty table has no time of its own, and is written when the funds are.
            return told._replace(held_at=min(told.held_at, told.at))
        return told
    return before_first_order(settings, account_id, now)


def _table(path: Path) -> tuple[dict[str, int], list[list[str]]] | None:
    try:
        rows = list(csv.reader(StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError):
        return None
    return (columns_of(rows[0]), rows[1:]) if rows else None


def before_first_order(settings: Settings, account_id: str, now: Micros) -> Account | None:
    """Returns what the paper broker will open an account with; another broker has to tell."""
    paper = settings.gateways[settings.gateway_of(account_id)]
    if not isinstance(paper, PaperSettings):
        return None
    held = [
        Position(symbol.text, held.volume, 0, held.volume, held.cost, held.cost or _ZERO)
        for symbol, held in ((read_symbol(text), held) for text, held in paper.opening.items())
        if isinstance(symbol, Symbol)
    ]
    return Account(now, account_id, paper.cash, paper.cash, _ZERO, _ZERO, _ZERO, tuple(held), held_at=now)
