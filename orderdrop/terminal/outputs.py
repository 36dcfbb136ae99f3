"""The output folder: what the terminal tells, when, and how badly it is written.

Each told thing waits until it is due (`late`, and for executions the lag), then goes into its file. Files are written as a
terminal writes them, not as one should: truncated and written again in place, or appended to.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import NamedTuple, TypeVar

from orderdrop.system.clock import Micros
from orderdrop.terminal import rows
from orderdrop.terminal.accounts import Account
from orderdrop.terminal.orders import Order, Trade
from orderdrop.terminal.settings import Faults, Settings, after


class _Told(NamedTuple):
    due: Micros
    account_id: str
    cells: list[str]


class _Snapshot(NamedTuple):
    due: Micros
    account_id: str
    cash: str
    positions: list[str]


_T = TypeVar("_T", _Told, _Snapshot)


class _Writer:
    """Writes one file, in two pieces when output is torn. Invariant: a piece left over is written before anything else."""

    def __init__(self, path: Path, faults: Faults) -> None:
        self.path = path
        self._faults = faults
        self._cuts = 0
        self._left = b""

    def write_left(self) -> bool:
        """Whether something was left over."""
        left, self._left = self._left, b""
        if left:
            self._put("ab", left)
        return bool(left)

    def write(self, mode: str, content: bytes) -> None:
        cut = self._cut(len(content))
        self._put(mode, content[:cut])
        self._left = content[cut:]

    def _cut(self, size: int) -> int:
        if not self._faults.torn or size < 2:
            return size
        self._cuts += 1
        return 1 + int((size - 1) * self._faults.chance("cut", self.path.name, self._cuts))

    def _put(self, mode: str, content: bytes) -> None:
        with self.path.open(mode, buffering=0) as file:
            view = memoryview(content)
            while view:
                view = view[file.write(view) or 0 :]


class _Rewritten:
    """A file that is truncated and written again in place."""

    def __init__(self, path: Path, header: str, faults: Faults) -> None:
        self._writer = _Writer(path, faults)
        self._header = f"{header}\n"
        self.lines: dict[str, str] = {}
        self.changed = True

    def write(self) -> None:
        if not self._writer.write_left() and self.changed:
            self._writer.write("wb", rows.BOM + (self._header + "".join(self.lines.values())).encode())
            self.changed = False


class _Appended:
    """A file that is appended to; with `rows_rewritten`, written anew with all its rows, each with its order id."""

    def __init__(self, path: Path, header: str, faults: Faults) -> None:
        self._writer = _Writer(path, faults)
        self._rewritten = faults.rows_rewritten
        self._start = rows.BOM + f"{header}\n".encode()
        self._rows: list[list[str]] = []
        self._new = [self._start]
        self._mode = "wb"

    def add(self, cells: list[str]) -> None:
        self._new.append(rows.line(cells).encode())
        if self._rewritten:
            self._rows.append(cells)

    def write(self, order_ids: dict[str, str]) -> None:
        left = self._writer.write_left()
        if not self._new or (left and self._rewritten):
            return
        self._writer.write(self._mode, self._anew(order_ids) if self._rewritten else b"".join(self._new))
        self._new.clear()
        self._mode = "wb" if self._rewritten else "ab"

    def begin_anew(self) -> None:
        """What was told is gone; a header is written at once, and what comes next behind it."""
        self._rows.clear()
        self._new.insert(0, self._start)
        self._mode = "wb"

    def _anew(self, order_ids: dict[str, str]) -> bytes:
        place = rows.ORDER_ID_PLACE
        for cells in self._rows:
            cells[place] = cells[place] or order_ids.get(cells[place - 1], "")
        return self._start + "".join(map(rows.line, self._rows)).encode()


class _AccountFolder:
    """The five files of an account, begun anew."""

    def __init__(self, folder: Path, faults: Faults) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.cash = _Rewritten(folder / "cash.csv", rows.CASH, faults)
        self.position = _Rewritten(folder / "position.csv", rows.POSITION, faults)
        self.status = _Rewritten(folder / "order_status.csv", rows.STATUS, faults)
        self.change = _Appended(folder / "order_status_change.csv", rows.STATUS, faults)
        self.execution = _Appended(folder / "execution_report.csv", rows.EXECUTION, faults)

    def write(self, order_ids: dict[str, str]) -> None:
        self.change.write(order_ids)
        self.status.write()
        self.cash.write()
        self.position.write()
        self.execution.write(order_ids)


class OutputFolder:
    """What was told, and the files. Invariant: nothing is in a file before it is due; what is due is, after `write`."""

    def __init__(self, settings: Settings, faults: Faults) -> None:
        self._settings = settings
        self._faults = faults
        self._folders: dict[str, _AccountFolder] = {}
        self._order_ids: dict[str, str] = {}
        self._statuses: deque[_Told] = deque()
        self._executions: deque[_Told] = deque()
        self._hushed: list[tuple[deque[_Told], _Told]] = []
        self._snapshots: deque[_Snapshot] = deque()
        self._told = 0

    def status(self, order: Order, at: Micros, now: Micros) -> None:
        told = _Told(self._late(now), order.account_id, self._status_row(order, at, now))
        self._tell(self._statuses, order, told)

    def trade(self, order: Order, trade: Trade, now: Micros) -> None:
        due = after(self._late(now), self._settings.report_lag)
        row = rows.execution_row(order, trade, self._settings.scan_name, due)
        self._tell(self._executions, order, _Told(due, order.account_id, row))

    def account(self, account: Account, now: Micros) -> None:
        cash = rows.line(rows.cash_row(account, now))
        positions = rows.position_rows(account, now)
        self._snapshots.append(_Snapshot(self._late(now), account.account_id, cash, positions))

    def open(self, account_id: str) -> None:
        """Begin an account's files anew."""
        self._folder(account_id)

    def full_again(self, order: Order, now: Micros) -> None:
        """After a restart: the order's last state stands in order_status.csv at once."""
        cells = self._status_row(order, now, now)
        self._folder(order.account_id).status.lines[order.cl_ord_id] = rows.line(cells)

    def begin_anew(self) -> None:
        """The files that grow are truncated. What was not written yet comes behind."""
        for folder in self._folders.values():
            folder.change.begin_anew()
            folder.execution.begin_anew()

    def write(self, now: Micros) -> None:
        self._let_out(now)
        for told in _due(self._statuses, now):
            folder = self._folder(told.account_id)
            cl_ord_id, order_id = told.cells[rows.ORDER_ID_PLACE - 1 : rows.ORDER_ID_PLACE + 1]
            folder.status.lines[cl_ord_id] = rows.line(told.cells)
            folder.status.changed = True
            folder.change.add(told.cells)
            if order_id:
                self._order_ids[cl_ord_id] = order_id
        for told in _due(self._executions, now):
            self._folder(told.account_id).execution.add(told.cells)
        for snapshot in _due(self._snapshots, now):
            folder = self._folder(snapshot.account_id)
            folder.cash.lines = {"": snapshot.cash}
            folder.position.lines = {str(number): line for number, line in enumerate(snapshot.positions)}
            folder.cash.changed = folder.position.changed = True
        for folder in self._folders.values():
            folder.write(self._order_ids)

    def _status_row(self, order: Order, at: Micros, now: Micros) -> list[str]:
        self._told += 1
        return rows.status_row(order, self._settings.scan_name, at, now, self._told)

    def _tell(self, queue: deque[_Told], order: Order, told: _Told) -> None:
        """The n-th order of a sid is hushed by the seed, whatever its file and the time."""
        if order.sid and self._faults.chance("hush", order.sid, order.cl_ord_id) < self._faults.hush:
            self._hushed.append((queue, told._replace(due=after(told.due, self._faults.hush_for))))
        else:
            queue.append(told)

    def _let_out(self, now: Micros) -> None:
        due = [(queue, told) for queue, told in self._hushed if told.due <= now]
        if due:
            self._hushed = [one for one in self._hushed if one[1].due > now]
            for queue, told in reversed(due):
                queue.appendleft(told)

    def _late(self, now: Micros) -> Micros:
        return after(now, self._faults.late)

    def _folder(self, account_id: str) -> _AccountFolder:
        folder = self._folders.get(account_id)
        if folder is None:
            path = self._settings.push / account_id
            folder = self._folders[account_id] = _AccountFolder(path, self._faults)
        return folder


def _due(waiting: deque[_T], now: Micros) -> list[_T]:
    due = []
    while waiting and waiting[0].due <= now:
        due.append(waiting.popleft())
    return due
