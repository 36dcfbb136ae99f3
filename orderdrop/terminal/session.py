"""One run of the terminal, from a start to the next: what it knows at its beginning is what the ledger knows."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Final

from orderdrop.system.clock import Micros, trade_date
from orderdrop.terminal.book import Book
from orderdrop.terminal.inputs import BadRow, CancelRow, OrderRow, Row, ScanFolder
from orderdrop.terminal.ledger import Entry, Kind, Ledger
from orderdrop.terminal.orders import side_of, whole
from orderdrop.terminal.outputs import OutputFolder
from orderdrop.terminal.settings import Faults, Settings, after

_MANUAL: Final = ("SHSE.600519", "100", "1", "1", "1500")
"""What is entered by hand: symbol, volume, order type, business, price."""

_ACCOUNT_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""It becomes the name of a folder."""

_DRAWN: Final = {
    Kind.EXECUTED: "order",
    Kind.LOST: "order",
    Kind.IGNORED: "order",
    Kind.CANCEL: "cancel",
    Kind.LOST_CANCEL: "cancel",
}


class Session:
    """Folders, broker and ledger of one run. Invariant: the ledger is written before a file goes or output is written."""

    def __init__(self, settings: Settings, faults: Faults, counts: Counter[Kind], now: Micros) -> None:
        for folder in (settings.scan, settings.push):
            folder.mkdir(parents=True, exist_ok=True)
        self._settings = settings
        self._faults = faults
        self._counts = counts
        self._ledger = Ledger(settings.push)
        entries = self._ledger.open()
        self._output = OutputFolder(settings, faults)
        self._book = Book(settings, self._ledger, self._output, now)
        self._book.restore(entries, now)
        self._scan_folder = ScanFolder(settings.scan, lines_done(entries))
        self._draws = Counter((_DRAWN[entry.kind], entry.sid) for entry in entries if entry.kind in _DRAWN)
        self._executed = 0
        self._heartbeat = now
        self._tell_all_again(now)

    def begin_anew(self) -> None:
        self._output.begin_anew()

    def step(self, now: Micros) -> None:
        self._read(now)
        self._book.advance(now)
        self._ledger.flush()
        self._take_away(now)
        self._ledger.flush()
        self._tell_accounts(now)
        self._output.write(now)

    def _tell_all_again(self, now: Micros) -> None:
        for account_id in self._book.accounts:
            self._output.open(account_id)
        for order in self._book.orders.values():
            self._output.full_again(order, now)
        for order, trade in self._book.trades:
            self._output.trade(order, trade, now)

    def _read(self, now: Micros) -> None:
        found = self._scan_folder.scan()
        for kind, names in ((Kind.REREAD, found.reread), (Kind.GONE, found.gone)):
            for name in names:
                self._ledger.add(Entry(kind, now, file=name))
        for row in found.rows:
            self._counts[self._take(row, now)] += 1

    def _take(self, row: Row, now: Micros) -> Kind:
        """Notes the result of a row."""
        if isinstance(row, BadRow):
            self._ledger.add(Entry(Kind.UNREADABLE, now, file=row.file, line=row.line, detail=row.text))
            return Kind.UNREADABLE
        if isinstance(row, CancelRow):
            return self._take_cancel(row, now)
        if self._loses("order", row.sid):
            return self._pass_over(Kind.LOST, row, now)
        if not self._has_account(row.account_id):
            return self._pass_over(Kind.IGNORED, row, now)
        self._book.take(row, now)
        self._executed += 1
        if self._settings.manual_every and self._executed % self._settings.manual_every == 0:
            self._book.take(OrderRow("", 0, "", row.account_id, *_MANUAL), now)
            self._counts[Kind.MANUAL] += 1
        return Kind.EXECUTED

    def _take_cancel(self, row: CancelRow, now: Micros) -> Kind:
        if not self._loses("cancel", row.sid):
            self._book.cancel(row, now)
            return Kind.CANCEL
        self._ledger.add(Entry(Kind.LOST_CANCEL, now, row.sid, file=row.file, line=row.line))
        return Kind.LOST_CANCEL

    def _pass_over(self, kind: Kind, row: OrderRow, now: Micros) -> Kind:
        cells = (
            row.sid,
            row.account_id,
            row.symbol,
            side_of(row),
            whole(row.volume),
            row.price,
            row.file,
            row.line,
        )
        self._ledger.add(Entry(kind, now, *cells, whole(row.order_type)))
        return kind

    def _loses(self, what: str, sid: str) -> bool:
        """The n-th time that a sid comes is decided by the seed, whatever its file and the time."""
        self._draws[what, sid] += 1
        return self._faults.chance(what, sid, self._draws[what, sid]) < self._faults.lose

    def _has_account(self, account_id: str) -> bool:
        known = self._settings.accounts
        return account_id in known if known else bool(_ACCOUNT_ID.fullmatch(account_id))

    def _take_away(self, now: Micros) -> None:
        for name in self._scan_folder.take_away(self._upfiles(now)):
            self._ledger.add(Entry(Kind.TAKEN, now, file=name))

    def _upfiles(self, now: Micros) -> Path | None:
        settings = self._settings
        if settings.archive is None:
            return None
        day = trade_date(now).isoformat()
        return settings.archive / settings.user / day / "upfiles" / settings.scan_name

    def _tell_accounts(self, now: Micros) -> None:
        beats = bool(self._settings.heartbeat) and now >= self._heartbeat
        if beats:
            self._heartbeat = after(now, self._settings.heartbeat)
        for account in self._book.accounts.values():
            if account.changed or beats:
                self._output.account(account, now)
                account.changed = False


def lines_done(entries: list[Entry]) -> dict[str, int]:
    """For each file that may still stand in the scan folder, the last line that was read from it."""
    done: dict[str, int] = {}
    for entry in entries:
        if entry.kind in {Kind.TAKEN, Kind.GONE, Kind.REREAD}:
            done.pop(entry.file, None)
        elif entry.file:
            done[entry.file] = entry.line
    return done
