"""Reads everything a terminal tells: its output folder, from the rows to reports that can be asked for again, and the proof of silence.

Owns the cursor. It names, for each file that grows, the last row that was told, so that a router that starts again reads the day's
files once and goes on behind what it has journaled. What stands only in order_status.csv may be told again after a restart; folding
is idempotent.
"""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from orderdrop.domain.report import Account, Report
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Cursor
from orderdrop.gateway.goldminer.account import AccountFolder, Item, Problems, is_about_orders, tells_changes
from orderdrop.gateway.goldminer.files import Place, Reach
from orderdrop.gateway.goldminer.table import Table
from orderdrop.system.clock import Clock, Micros

_ACCOUNT: Final = re.compile(r"\d{4,}|[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""An account number, 32 hex digits or a UUID [W]; other folders are somebody's copies."""

_ANY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

_FIND_EVERY: Final = 1.0
"""Seconds; FAT and some shares do not move a folder's time when a file is added to it."""

_TRIES: Final = 4
_SETTLES: Final = 0.06
"""How often, and how many seconds apart, files that have just moved are read."""

_READS_APART: Final = 1_000_000
_READS_KEPT: Final = 64

SENTENCE: Final = "终端输出文件夹读不了 / the terminal's output folder cannot be read"


class Progress:
    """How far reports were told: how many, and up to which row of each file."""

    def __init__(self, count: int = 0, places: dict[str, Place] | None = None) -> None:
        self.count = count
        self.places = places or {}

    @classmethod
    def of(cls, cursor: Cursor) -> Progress:
        """Raises GatewayError when it is not a cursor of ours."""
        if not cursor:
            return cls()
        try:
            count, places = json.loads(cursor)
            return cls(int(count), {name: Place(int(end), int(crc)) for name, (end, crc) in places.items()})
        except (ValueError, TypeError, AttributeError):
            raise GatewayError(
                f"回报游标不是掘金通道的 / not a cursor of a goldminer gateway: {cursor[:200]}"
            ) from None

    def behind(self, items: Iterable[Item], is_there: Callable[[str], bool]) -> Progress:
        """Progress with `items` told; files that are no longer there are forgotten."""
        places = {name: place for name, place in self.places.items() if is_there(name)}
        count = self.count
        for item in items:
            count += 1
            if item.source:
                places[item.source] = item.place
        return Progress(count, places)

    def cursor(self) -> Cursor:
        if not self.count:
            return Cursor("")
        return Cursor(json.dumps([self.count, self.places], separators=(",", ":"), sort_keys=True))


class Output:
    """A terminal's output folder, all accounts of it.

    Invariants: `poll` moves on only when it is asked with the cursor that it gave; asked with any other one, it reads everything again
    and goes on behind that. `seen` only grows.
    """

    def __init__(
        self,
        folder: Path,
        tables: dict[str, Table],
        accounts: Collection[str],
        clock: Clock,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """tables: by suffix (".csv"). accounts: folder names that are accounts though they do not look like it.

        ticks: seconds that only go forward; how long a file has stood still is measured with them.
        """
        self.folder = folder
        self.seen: set[str] = set()
        self.reads: deque[Micros] = deque(maxlen=_READS_KEPT)
        self.alive_at: Micros | None = None
        self.problems = Problems()
        self._tables = tables
        self._accounts = frozenset(accounts)
        self._clock = clock
        self._ticks = ticks
        self._looked_at: Micros | None = None
        self._found_at = float("-inf")
        self._folders: dict[str, AccountFolder] = {}
        self._beside: set[str] = set()
        self._times: dict[Path, int] = {}
        self._pending: list[Item] = []
        self._told = self._next = Progress()
        self._handed = 0
        self._given = Cursor("")

    def open(self) -> None:
        """Raises GatewayError when the folder is not there."""
        self.alive_at = None
        self.reads.clear()
        self._begin(Progress())
        try:
            self._find(self._ticks())
        except OSError as error:
            raise GatewayError(f"{SENTENCE}: {self.folder}: {error}") from error

    @property
    def folders(self) -> dict[str, AccountFolder]:
        return self._folders

    def poll(self, after: Cursor, limit: int) -> tuple[list[Report], Cursor]:
        """Reports behind `after`. Raises GatewayError."""
        if after == self._given:
            del self._pending[: self._handed]
            self._told, self._handed = self._next, 0
        elif after != self._told.cursor():
            self._begin(Progress.of(after))
        self.look()
        items = self._pending[:limit]
        self._handed = len(items)
        if not items:
            self._next, self._given = self._told, after
            return [], after
        self._next = self._told.behind(items, self._is_there)
        self._given = self._next.cursor()
        return [item.report for item in items], self._given

    def look(self) -> None:
        """Read what is new; it waits for the next `poll`. Raises GatewayError."""
        begun, ticks = self._clock.now(), self._ticks()
        try:
            self._find(ticks)
        except OSError as error:
            raise GatewayError(f"{SENTENCE}: {self.folder}: {error}") from error
        moved, whole = False, bool(self._folders)
        for account in self._folders.values():
            items, changed, read = account.look(begun, ticks)
            self._pending += items
            moved |= changed
            whole &= read
        if moved and self._looked_at is not None:
            # It moved at some time since the look before; the earlier bound can be relied on.
            self.alive_at = self._looked_at
        self._looked_at = begun
        if whole:
            self._note_read(begun)

    def look_well(self) -> None:
        """Read all that stands there, also what is first let settle; not for ever where a row stays torn. Raises GatewayError."""
        for _ in range(_TRIES):
            self.look()
            if self.reads or not self._folders:
                return
            time.sleep(_SETTLES)

    def shows(self, account_id: str, sid: str) -> bool:
        """Whether this order may be one that stands in the output: not where only rows of other accounts bear its id."""
        if sid not in self.seen:
            return False
        telling = {name for name, folder in self._folders.items() if folder.tells(sid)}
        return not telling or account_id in telling

    def tells_orders(self, account_id: str) -> bool:
        """Whether an order of this account would show: its folder has a file for orders."""
        folder = self._folders.get(account_id)
        return folder is not None and folder.tells_orders

    def places(self) -> dict[str, Any]:
        """How far each file that grows was read by the last look, for `broken`. As JSON has it."""
        files = {
            name: {file: [*reach] for file, reach in folder.reaches.items()}
            for name, folder in self._folders.items()
        }
        return {"folder": str(self.folder), "files": files, "beside": sorted(self._beside)}

    def broken(self, places: Mapping[str, Any] | None, accounts: Iterable[str]) -> str:
        """Why what was read since `places` was told does not reach back to it without a break; "" when it does.

        Then an order of these accounts that the terminal told of since stands in the output.
        """
        if places is None:
            return _NOT_NOTED
        if places["folder"] != str(self.folder):
            return _OTHER_FOLDER
        if any(name not in places["beside"] and _tells_orders(self.folder / name) for name in self._beside):
            return _SECOND_FOLDER
        return next(
            filter(None, (self._broken(name, places["files"].get(name, {})) for name in accounts)), ""
        )

    def _broken(self, account_id: str, files: Mapping[str, Any]) -> str:
        folder = self._folders.get(account_id)
        if not any(map(tells_changes, files)):
            only = folder is not None and folder.tells_only_latest
            return _ONLY_LATEST if only else _NOT_THERE
        try:
            whole = folder is not None and folder.still_holds(
                {name: Reach(*reach) for name, reach in files.items()}
            )
        except OSError as error:
            return f"{SENTENCE}: {error}"
        return "" if whole else _BEGUN_ANEW

    def told(self, account_id: str) -> Account | None:
        """What `account` says, without a look."""
        folder = self._folders.get(account_id)
        return folder.snapshot() if folder else None

    def account(self, account_id: str) -> Account | None:
        self.look()
        folder = self._folders.get(account_id)
        return folder.snapshot() if folder else None

    @property
    def unread(self) -> bool:
        """Whether something was read that is not known to be journaled."""
        return bool(self._pending)

    def mentions(self, sids: Collection[str], further: Iterable[Path] = ()) -> set[str] | None:
        """Which of these order ids stand anywhere in the output, read anew byte by byte, func_response.csv and unknown files too.

        further: folders that may tell of them as well. None when a file moved or could not be read meanwhile: then nothing is proven. Cut
        rows and rows that do not read count, because they may be ours.
        """
        found = {sid for sid in sids if sid in self.seen}
        try:
            self._find(self._ticks())
            for folder in (self.folder, *self._subfolders(), *further):
                for path in folder.iterdir():
                    data = _read_standing(path)
                    if data is None:
                        return None
                    found |= {sid for sid in sids if sid not in found and _mentions(path, data, sid)}
        except OSError:
            return None
        return found

    def _subfolders(self) -> Iterator[Path]:
        """Those of accounts, and what lies beside them: somebody's copies, or where a terminal writes by now."""
        yield from (account.path for account in self._folders.values())
        yield from (path for path in (self.folder / name for name in self._beside) if path.is_dir())

    def _begin(self, told: Progress) -> None:
        self._looked_at, self._found_at = None, float("-inf")
        self._folders, self._times, self._pending = {}, {}, []
        self._told = self._next = told
        self._handed, self._given = 0, told.cursor()

    def _is_there(self, source: str) -> bool:
        folder = self._folders.get(source.partition("/")[0])
        return folder is not None and source in folder.sources

    def _note_read(self, begun: Micros) -> None:
        if len(self.reads) > 1 and self.reads[-1] - self.reads[-2] < _READS_APART:
            self.reads[-1] = begun
        else:
            self.reads.append(begun)

    def _find(self, ticks: float) -> None:
        """Find new accounts and files, when a folder moved or some time has passed. Raises OSError."""
        due = ticks - self._found_at >= _FIND_EVERY
        if self._moved(self.folder) or due:
            beside = set()
            for path in sorted(self.folder.iterdir()):
                if path.name in self._folders:
                    continue
                if self._is_account(path):
                    self._folders[path.name] = AccountFolder(
                        path, self.seen, self.problems, self._told.places
                    )
                elif not path.name.startswith(".") and (path.name in self._beside or path.is_dir()):
                    beside.add(path.name)
            self._beside = beside
        for account in self._folders.values():
            try:
                if self._moved(account.path) or due:
                    account.find(self._files(account.path))
            except FileNotFoundError:
                self._times.pop(account.path, None)
        if due:
            self._found_at = ticks

    def _is_account(self, path: Path) -> bool:
        """Where the settings name no account, every account is welcome."""
        name = path.name
        known = (
            name in self._accounts
            or _ACCOUNT.fullmatch(name)
            or (not self._accounts and _ANY.fullmatch(name))
        )
        return bool(known) and path.is_dir()

    def _files(self, folder: Path) -> dict[str, Table]:
        tables = self._tables
        return {path.name: tables[s] for path in folder.iterdir() if (s := path.suffix.lower()) in tables}

    def _moved(self, folder: Path) -> bool:
        moved_at = folder.stat().st_mtime_ns
        moved = self._times.get(folder) != moved_at
        self._times[folder] = moved_at
        return moved


def _tells_orders(folder: Path) -> bool:
    """Whether a folder that is no account's holds output about orders."""
    try:
        return any(is_about_orders(path.name) for path in folder.iterdir())
    except OSError:
        return False


def _read_standing(path: Path) -> bytes | None:
    """A file's content; None when it moves meanwhile. Folders and hidden files are not the terminal's output."""
    if path.name.startswith(".") or not path.is_file():
        return b""
    before = path.stat()
    data = path.read_bytes()
    after = path.stat()
    still = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return data if still else None


def _mentions(path: Path, data: bytes, sid: str) -> bool:
    if sid.encode() not in data:
        return False
    # A dbf's fields stand side by side, so there every find counts; in a text S1 is not S10.
    alone = rf"(?<![A-Za-z0-9_.\-]){re.escape(sid)}(?![A-Za-z0-9_.\-])"
    return path.suffix.lower() != ".csv" or bool(re.search(alone.encode(), data))


_NOT_NOTED: Final = (
    "没有记下送出时输出读到了哪里 / how far the output was read when it was handed over was not noted"
)
_OTHER_FOLDER: Final = (
    "送出之后换过输出文件夹 / the output folder is another one than when it was handed over"
)
_SECOND_FOLDER: Final = (
    "送出之后出现了另一个输出文件夹 / a second folder with output has appeared since it was handed over"
)
_ONLY_LATEST: Final = "只有 order_status.csv，它只说最新状态 / there is only order_status.csv, which tells the last state and can be rewritten without a trace"
_NOT_THERE: Final = "送出时还没有这个账户的 order_status_change，之后没有它证明不了什么 / when it was handed over there was no order_status_change of this account yet: that it lacks the order proves nothing"
_BEGUN_ANEW: Final = "终端的输出重新开始过或被移走了，没有它证明不了什么 / the terminal began its output anew, or it was put away: that it lacks the order proves nothing"
