"""Writes the result files, in 掘金's format whatever the gateway: a program written for 掘金's file orders reads them unchanged.

Below `outbox/<account_id>/`: order_status_change.csv and execution_report.csv grow row by row; order_status.csv, cash.csv and
position.csv are replaced as a whole, at a pace that their size allows. A file that another program keeps open on Windows is put off by
itself: its rows are kept, and no other file waits for it. At start, and when a day begins, the day's files are made again
from the journal; those of an account that is named, or that a gateway knows, are there before its first order.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import Final

from sqlalchemy.engine import Engine

from orderdrop.accounts.routing import Routing
from orderdrop.config.workspace import account_folder
from orderdrop.domain.identity import day_number
from orderdrop.domain.report import Account
from orderdrop.journal.reader import Reading, read
from orderdrop.outbox import dbf_twins, goldminer_rows
from orderdrop.system.files import append_whole, begin_anew, rewriting, write_over
from orderdrop.system.pacing import Pace, PutOff, slices

_SLICE: Final = 1000
_FUNDS_EVERY: Final = 3.0
_GROWING: Final = {
    "order_status_change": goldminer_rows.STATUS_HEADER,
    "execution_report": goldminer_rows.EXECUTION_HEADER,
}
_AGAIN: Final = 60_000_000
"""Microseconds after which funds are written again that have not changed, so that their age says something."""


class Outbox:
    """Keeps the result files up to date, in slices."""

    def __init__(self, folder: Path, desk: Routing, reader: Engine) -> None:
        self._folder = folder
        self._desk = desk
        self._reader = reader
        self._dbf = desk.settings.outbox.format == "csv+dbf"
        if self._dbf:
            dbf_twins.must_be_there()
        self._day: date | None = None
        self._event = self._fill = 0
        self._begun: set[Path] = set()
        self._refused: dict[str, dict[str, list[str]]] = defaultdict(
            dict
        )  # rows that are no orders, by account and sid
        self._stale: set[str] = set()  # accounts whose tables are behind
        self._tabled: set[str] = set()  # accounts that have tables
        self._behind = True  # something may have changed since the journal was last read
        self._pace = Pace()
        self.put_off = PutOff()
        self._kept: dict[Path, list[list[str]]] = {}  # rows for files that grow and were open elsewhere
        self._funds: dict[str, Account] = {}  # as they were last written
        self._funds_at = 0.0

    def note(self, accounts: Iterable[str]) -> None:
        """Something changed; the funds of these accounts may have."""
        self._stale.update(accounts)
        self._behind = True

    @property
    def behind(self) -> bool:
        """Whether some table waits for its turn, and for nobody to close it."""
        return any(map(self._may_be_replaced, self._stale)) or any(map(self.put_off.due, self._kept))

    def hurry(self) -> None:
        self._pace = Pace()
        self.put_off.hurry()

    def update(self, today: date) -> Iterator[None]:
        """Writes what is new since the last time; yields between slices."""
        try:
            yield from self._update(today)
        except OSError:
            self._day = None  # a line may be torn, or come twice: make the day's files again
            raise

    def _update(self, today: date) -> Iterator[None]:
        if today == self._day and not (self._behind or self.behind or self._funds_are_due):
            return
        with read(self._reader) as reading:
            if today != self._day:
                self._begin_day(today, reading)
            if self._behind:
                yield from self._append_new(reading)
            for path in [path for path in self._kept if self.put_off.due(path)]:
                self._grow(path, [])
            for account_id in [account for account in self._stale if self._pace.due(account)]:
                if self._may_be_replaced(account_id):
                    yield from self._bring_up_to_date(reading, account_id)
            yield from self._look_at_funds()

    def _begin_files(self) -> None:
        self._funds.clear()
        for account_id in self._known():
            self._stale.add(account_id)
            for stem in _GROWING:
                self._append(account_id, stem, [])

    def _known(self) -> set[str]:
        """The accounts that are named; if none are, those that the gateways know."""
        named = set(self._desk.settings.accounts)
        return named or {name for gateway in self._desk.gateways.values() for name in gateway.accounts()}

    @property
    def _funds_are_due(self) -> bool:
        return time.monotonic() >= self._funds_at

    def _look_at_funds(self) -> Iterator[None]:
        """Cash and positions move without orders of ours, too: prices do, and people trade by hand."""
        if not self._funds_are_due:
            return
        self._funds_at = time.monotonic() + _FUNDS_EVERY
        for account_id in sorted(self._known()):
            self._write_funds(account_id)
            yield

    def _begin_day(self, today: date, reading: Reading) -> None:
        self._day, self._behind = today, True
        self._begun.clear()
        self._kept.clear()
        self._refused.clear()
        self._stale |= self._tabled
        self._event, self._fill = reading.before_day(day_number(today))
        self._begin_files()

    def _append_new(self, reading: Reading) -> Iterator[None]:
        self._behind, done = False, False  # before: what is noted meanwhile is new again
        try:
            yield from self._append_changes(reading)
            yield from self._append_fills(reading)
            done = True
        finally:
            self._behind |= not done

    def _bring_up_to_date(self, reading: Reading, account_id: str) -> Iterator[None]:
        self._tabled.add(account_id)
        self._stale.discard(account_id)  # before: what changes meanwhile makes it stale again
        began, done = time.thread_time(), False
        try:
            yield from self._replace_tables(reading, account_id)
            done = not any(path in self.put_off for path in self._tables(account_id))
        finally:
            if not done:
                self._stale.add(account_id)
        self._pace.spent(account_id, time.thread_time() - began)

    def _append_changes(self, reading: Reading) -> Iterator[None]:
        while True:
            last = reading.last_event()  # before: what is told meanwhile is found the next time
            changes = reading.events_after(self._event, _SLICE)
            newest = changes[-1].event_id if changes else 0
            to = newest if len(changes) == _SLICE else max(last, newest)
            rows: dict[str, list[tuple[int, list[str]]]] = defaultdict(list)
            for change in changes:
                rows[change.account_id].append((change.event_id, goldminer_rows.status_change(change)))
            for event, at, detail in reading.refused_rows(self._event, to):
                account_id, sid, cells = goldminer_rows.refused_row(at, detail)
                rows[account_id].append((event, cells))
                self._refused[account_id][sid] = cells
            self._stale |= rows.keys()
            for account_id, of_account in rows.items():
                in_order = [cells for _event, cells in sorted(of_account, key=itemgetter(0))]
                self._append(account_id, "order_status_change", in_order)
            self._event = to
            yield
            if len(changes) < _SLICE:
                return

    def _append_fills(self, reading: Reading) -> Iterator[None]:
        while fills := reading.fills_after(self._fill, _SLICE):
            rows: dict[str, list[list[str]]] = defaultdict(list)
            for fill in fills:
                rows[fill.account_id].append(goldminer_rows.execution(fill))
            for account_id, of_account in rows.items():
                self._append(account_id, "execution_report", of_account)
            self._fill = fills[-1].fill_id
            yield

    def _append(self, account_id: str, stem: str, rows: list[list[str]]) -> None:
        path = self._path(account_id, f"{stem}.csv")
        self._grow(path, rows)
        if self._dbf:
            self._grow(path.with_suffix(".dbf"), rows)

    def _grow(self, path: Path, rows: list[list[str]]) -> None:
        """Behind what stands there; with the rows that could not be written before."""
        rows = [*self._kept.pop(path, ()), *rows]
        if not self.put_off.due(path):
            self._kept[path] = rows
            return
        header, begun = _GROWING[path.stem], path in self._begun
        with self.put_off.unless_held(path):
            if path.suffix == ".dbf":
                (dbf_twins.grow_twin if begun else dbf_twins.write_twin)(path, header, rows)
            elif begun:
                append_whole(path, goldminer_rows.lines(rows))
            else:
                begin_anew(path, goldminer_rows.with_header(header, rows))
            self._begun.add(path)
        if path in self.put_off:
            self._kept[path] = rows

    def _tables(self, account_id: str) -> list[Path]:
        path = self._path(account_id, "order_status.csv")
        return [path, path.with_suffix(".dbf")] if self._dbf else [path]

    def _may_be_replaced(self, account_id: str) -> bool:
        return not self.put_off or all(map(self.put_off.due, self._tables(account_id)))

    def _replace_tables(self, reading: Reading, account_id: str) -> Iterator[None]:
        assert self._day is not None  # noqa: S101  `update` has set it
        twin: list[list[str]] = []
        path = self._path(account_id, "order_status.csv")
        refused = dict(self._refused[account_id])
        with self.put_off.unless_held(path), rewriting(path) as write:
            write(goldminer_rows.with_header(goldminer_rows.STATUS_HEADER, []))
            for orders in slices(reading.orders_of_day(day_number(self._day), account=account_id), _SLICE):
                rows = [goldminer_rows.status(order) for order in orders]
                write(goldminer_rows.lines(rows))
                twin += rows if self._dbf else ()
                for order in orders if refused else ():
                    refused.pop(order.sid, None)  # mended, it came again
                yield
            write(goldminer_rows.lines(refused.values()))
        if self._dbf:
            beside = path.with_suffix(".dbf")
            with self.put_off.unless_held(beside):
                dbf_twins.write_twin(beside, goldminer_rows.STATUS_HEADER, [*twin, *refused.values()])
        yield
        self._write_funds(account_id)

    def _write_funds(self, account_id: str) -> None:
        """If there is news of them."""
        account = self._desk.gateway_of(account_id).account(account_id)
        last = self._funds.get(account_id)
        if account is None or (last is not None and not _is_news(account, last)):
            return
        tables = {"cash.csv": (goldminer_rows.CASH_HEADER, goldminer_rows.cash_rows(account))}
        if account.held_at is not None:  # holdings that were never told are not none
            tables["position.csv"] = (goldminer_rows.POSITION_HEADER, goldminer_rows.position_rows(account))
        written = [self._replace(self._path(account_id, name), *table) for name, table in tables.items()]
        if all(written):
            self._funds[account_id] = account

    def _replace(self, path: Path, header: str, rows: list[list[str]]) -> bool:
        """Whether it was written: not while another program has it open."""
        beside = path.with_suffix(".dbf")
        with self.put_off.unless_held(path):
            write_over(path, goldminer_rows.with_header(header, rows))
        if self._dbf:
            with self.put_off.unless_held(beside):
                dbf_twins.write_twin(beside, header, rows)
        return path not in self.put_off and beside not in self.put_off

    def _path(self, account_id: str, name: str) -> Path:
        folder = self._folder / account_folder(account_id)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name


def _is_news(account: Account, last: Account) -> bool:
    if (account.held_at is None) != (last.held_at is None):
        return True
    same = account._replace(at=last.at, held_at=last.held_at) == last
    return not same or account.at - last.at >= _AGAIN
