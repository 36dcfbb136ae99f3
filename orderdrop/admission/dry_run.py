"""What would become of drops: the router's own admission, rehearsed in a journal that is thrown away. Nothing is sent or kept.

Sids are looked up in the real journal, which is only read. So `orderdrop check` says what the router would say, by the same code.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection

from orderdrop.accounts.routing import Routing
from orderdrop.accounts.snapshots import last_snapshot
from orderdrop.admission.admission import Admission
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.identity import day_number
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.switches import with_accounts
from orderdrop.gateway.closures import shut
from orderdrop.gateway.instrument_feed import as_delivered, kept
from orderdrop.inbox.drop_file import DropFile
from orderdrop.inbox.names import TABLE_SUFFIXES, Ignored, printable, read_name
from orderdrop.inbox.profiles import Profiles
from orderdrop.inbox.scanner import RefusedFile
from orderdrop.inbox.switches import read_switches
from orderdrop.inbox.tail import Limits, Take, prepare
from orderdrop.journal.journal import Journal
from orderdrop.journal.lookups import has_traded
from orderdrop.journal.reader import Reading
from orderdrop.journal.records import Earlier, Known
from orderdrop.journal.today import TodaysOrders
from orderdrop.journal.writer import Writer
from orderdrop.risk import checks
from orderdrop.risk.engine import RiskEngine
from orderdrop.risk.rules.cash import cash_enough, odd_lot_whole, shares_enough
from orderdrop.system.clock import Micros, trade_date


class Rehearsed(NamedTuple):
    """A drop as the router would journal it. orders, rows, instructions: journal rows. denials: by sid, all that speaks against an order.

    rejections: by sid, why the broker would say no to what we let pass.
    """

    path: Path
    drop: Any
    orders: list[Any]
    rows: list[Any]
    instructions: list[Any]
    denials: dict[str, list[Refusal]]
    rejections: dict[str, Refusal]


Broker = Callable[[Order], Refusal | None]
"""Why the broker would reject an order, as far as that can be known beforehand."""


def rehearse(
    files: Sequence[Path], settings: Settings, workspace: Workspace, real: Connection | None, now: Micros, today: date, *,
    strategy: str, profile: str | None = None, broker: Broker = lambda _order: None,
) -> list[Rehearsed]:  # fmt: skip
    """One after the other, as if they were dropped now. real: a connection to the real journal, None when there is none. broker: asked of
    what passes our checks.

    profile: the name of the one that all of them are read by; None: the one that each would be read by in the inbox.

    Raises Changed, OSError for a file that is being written.
    """
    nothing_leaves = dict.fromkeys(settings.gateways, 0)
    desk = Routing(settings, {})
    told = as_delivered(kept(settings, workspace, today), today)
    risk = RiskEngine(
        desk, workspace.root, lambda account_id: last_snapshot(workspace, settings, account_id, now), lambda: told
    )  # fmt: skip
    risk.close(shut(workspace, settings.gateways, today))
    risk.counts = (
        True  # what the rows before need is gone for those behind them, whatever the settings call for
    )
    switches = with_accounts(
        read_switches(workspace.inbox),
        desk.accounts,
        lambda name: name == desk.default_account or (real is not None and has_traded(real, name)),
    )
    denials: dict[str, list[Refusal]] = {}
    rejections: dict[str, Refusal] = {}

    snapshots = _BySnapshot()

    def check(order: Order, context: checks.Context) -> Refusal | None:
        found = denials[order.sid] = checks.every_denial(order, context)
        if not found and (no := snapshots.no(order, context) or broker(order)) is not None:
            rejections[order.sid] = no
        return found[0] if found else None

    with _scratch(real) as writer:
        admission = Admission(
            desk, writer, now, today, risk=risk, switches=switches, room=nothing_leaves, check=check
        )
        admission.admit([_ready(path, settings, strategy, today, profile) for path in files])
        reading = Reading(writer.connection)
        drops = sorted(reading.drops_of_day(day_number(today)), key=lambda drop: drop.id)
        return [
            Rehearsed(
                path, drop, list(reading.orders_of_drop(drop.id)), reading.row_outcomes(drop.id),
                reading.instructions_of_drop(drop.id), denials, rejections,
            )
            for path, drop in zip(files, drops, strict=True)
        ]  # fmt: skip


class _BySnapshot:
    """What the account's snapshot of today says of cash and shares, for accounts that no rule binds to it.

    Behind a market order whose price nobody knows here, nobody knows how much cash is left: only the broker does.
    """

    def __init__(self) -> None:
        self._unpriced: set[str] = set()  # accounts that have had such an order

    def no(self, order: Order, context: checks.Context) -> Refusal | None:
        around, account_id = context.around, order.account_id
        if around.bound[account_id]:
            return None
        funds = around.funds[account_id]
        if (
            funds is None
            or trade_date(Micros(min(funds.cash_at, funds.held_at or funds.cash_at))) != around.day
        ):
            return None
        as_bound = replace(context, around=around._replace(bound={account_id: True}))
        refusal = None if account_id in self._unpriced else cash_enough(order, as_bound)
        if refusal is not None and refusal.code is Code.REFERENCE_NEEDED:
            self._unpriced.add(account_id)
            refusal = None
        return refusal or shares_enough(order, as_bound) or odd_lot_whole(order, as_bound)


def _ready(
    path: Path, settings: Settings, strategy: str, today: date, profile: str | None
) -> Take | RefusedFile:
    said = read_name(path.name)
    if isinstance(said, Ignored):
        return _refused(path, Refusal(Code.FILE_TYPE, value=path.name, bound=" ".join(TABLE_SUFFIXES)))
    if isinstance(said, Refusal):
        return _refused(path, said)
    if path.is_symlink():
        return _refused(path, Refusal(Code.FILE_LINK, value=printable(path.name)))
    if said.day is not None and said.day != today:
        return _refused(path, Refusal(Code.FILE_STALE, value=said.day.isoformat(), bound=today.isoformat()))
    name = f"{strategy}/{path.name}" if strategy else path.name
    profiles = Profiles(settings.profiles)
    described = profiles.of(name) if profile is None else profiles.named(profile)
    file = DropFile(os.fspath(path), name, said, strategy, today, profile=described)
    limits = Limits(settings.inbox.max_bytes, settings.inbox.max_rows)
    take = prepare(file, whole=True, torn_due=True, finished=True, limits=limits)
    assert take is not None  # noqa: S101  a whole file leaves nothing to wait for
    return take


def _refused(path: Path, why: Refusal) -> RefusedFile:
    return RefusedFile(os.fspath(path), path.name, why)


@contextmanager
def _scratch(real: Connection | None) -> Iterator[Writer]:
    with tempfile.TemporaryDirectory(prefix="orderdrop-check-") as folder:
        journal = Journal("sqlite:///scratch.db", Path(folder))
        journal.open()
        try:
            with journal.transaction() as writer:
                yield _Rehearsing(writer.connection, real)
        finally:
            journal.close()


class _Rehearsing(Writer):
    """Writes to the scratch journal, and looks sids up in the real one as well."""

    def __init__(self, scratch: Connection, real: Connection | None) -> None:
        super().__init__(scratch)
        self._real = Writer(real) if real is not None else None

    def next_drop_id(self) -> int:
        return max(super().next_drop_id(), self._real.next_drop_id() if self._real else 0)

    def drops_of_space(self, space: str, day: int) -> list[str]:
        return super().drops_of_space(space, day) + (
            self._real.drops_of_space(space, day) if self._real else []
        )

    def said_before(self, keys: Sequence[int], day: int) -> list[Earlier]:
        return super().said_before(keys, day) + (self._real.said_before(keys, day) if self._real else [])

    def unmoved_days(self, today: int) -> list[int]:
        return self._real.unmoved_days(today) if self._real else []

    def todays_orders(self, day: int) -> TodaysOrders:
        return self._real.todays_orders(day) if self._real else super().todays_orders(day)

    def awaited(self, day: int, keys_of: Callable[[str], Collection[int]]) -> set[int]:
        """A cancel that waits in the real journal is no row of the scratch one."""
        return super().awaited(day, keys_of) | (self._real.awaited(day, keys_of) if self._real else set())

    def known(self, keys: Sequence[int], days: Sequence[int], *, past: bool) -> dict[int, Known]:
        found = super().known(keys, days, past=past)
        return found | (self._real.known(keys, days, past=past) if self._real else {})
