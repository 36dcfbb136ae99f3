"""Puts files into a scan folder, and tells whether the terminal has taken them.

A file is written in staging, on the same volume but outside the scan folder, and goes in by one rename: at every moment it stands
in exactly one of the two. So what still lies in staging has not left, whatever crashed. A line in staging's ledger is written
before the rename, so that a file that stands nowhere any more is known to have gone in.

Layout of staging: `<name>` (being written), `returned/` (taken back, or never left), `handed-YYYYMMDD.log` (the ledger),
`session.json` (see Memory), `writer.lock` (one writer for each scan folder).
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
from collections.abc import Collection
from datetime import date
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from filelock import FileLock, Timeout

from orderdrop.config.gateways import GoldminerSettings
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Batch, Outcome, SubmitResult
from orderdrop.gateway.goldminer.staging import Memory, key_of
from orderdrop.system.clock import Clock, Micros, trade_date
from orderdrop.system.failpoint import reach
from orderdrop.system.files import patiently, rename_free, sync_folder

log = logging.getLogger(__name__)

FIN: Final = ".fin"


class Where(Enum):
    """Where a batch's file stands."""

    SCAN = "scan"
    UPFILES = "upfiles"
    STAGING = "staging"
    RETURNED = "returned"
    GONE = "gone"
    """It went in and is not there any more: the terminal took it."""

    NEVER_IN = "never in"
    """It never went in, or nobody remembers; `Memory.is_whole` tells which."""


class Names(NamedTuple):
    """How files are named: `YYYYMMDD_<batch id>.<hash>.order.csv`, like the names that terminals are known to take [W].

    The day is that of the hand-over. The rest comes from the batch alone, content included, so it is found again on any day and no other
    batch, of this workspace or another one, ever has it.
    """

    orders: str
    cancels: str

    @classmethod
    def of(cls, suffix: str) -> Names:
        return cls(f".order{suffix}", f".cancel_order{suffix}")

    def core(self, batch: Batch) -> str:
        """See `core_of`."""
        return f"_{batch.id:08d}.{_digest(batch.content)}.order"

    def key(self, batch: Batch) -> str:
        return f"_{batch.id:08d}.{_digest(batch.content)}{self.orders}"

    def cancel(self, now: Micros, number: int, content: bytes) -> str:
        return f"{_day(now)}_{now}-{number}.{_digest(content)}{self.cancels}"


_OUR_ORDERS: Final = re.compile(r"\d{8}_\d{8,}\.[0-9a-f]{12}\.order\b")
_OURS: Final = re.compile(
    rf"(?:{_OUR_ORDERS.pattern}|\d{{8}}_\d+-\d+\.[0-9a-f]{{12}}\.cancel_order)\.\w+(?:\.fin)?"
)


def is_our_name(name: str) -> bool:
    """Whether a file in the scan folder is one that `Names` has named, or its `.fin`."""
    return bool(_OURS.fullmatch(name))


class ScanFolder:
    """A terminal's input folder and our staging beside it.

    Invariants: nothing in the scan folder is ever replaced or written to; a name goes in once.
    """

    def __init__(self, settings: GoldminerSettings, names: Names, clock: Clock) -> None:
        self.scan = settings.scan_dir
        self.staging = settings.staging
        self.names = names
        self.memory = Memory(self.staging)
        self._archive = settings.archive_dir
        self._scan_name = settings.scan_name
        self.taken_away = settings.fin
        self._clock = clock
        self._back: set[str] = set()
        self._never_left: set[str] = set()  # keys of which that was proven in this life
        self._without_fin: list[Path] = []
        self._identity: tuple[int, int] | None = None
        self._lock = FileLock(self.staging / "writer.lock")

    @property
    def returned(self) -> Path:
        return self.staging / "returned"

    def open(self) -> None:
        """Raises GatewayError that says what to do."""
        try:
            self._check_folders()
            self._check_rename()
            self.memory.open([str(self.scan), *(self._identity or ())])
            self._back = {key_of(path.name) for path in self.returned.iterdir()}
        except OSError as error:
            self.close()
            raise GatewayError(f"扫单文件夹不能用 / the scan folder cannot be used: {error}") from error

    def close(self) -> None:
        self._lock.release(force=True)

    # hand-over

    def hand_over(self, name: str, content: bytes) -> SubmitResult:
        """Put a file in, once: what went in and is gone is not written again. Raises GatewayError when the name is another file's."""
        key = key_of(name)
        staged, target = self.staging / name, self.scan / name
        try:
            self.memory.begin()
            known = self.memory.name_of(key)
            there = self._find(self.scan, key) if known else target
            if there is not None and os.path.lexists(there):
                return self._already(there, content)
            if known and key not in self._never_left:
                return SubmitResult(Outcome.UNKNOWN, f"{known}: {_WENT_IN}")
            _write(staged, content)
            self._forget_return(key)
            self.memory.note(name)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._set_aside(staged)
            self._never_left.add(key)
            return SubmitResult(Outcome.NEVER_LEFT, f"{staged}: {error}")
        self._never_left.discard(key)
        reach("scan.staged")
        result = self._put_in(staged, target)
        reach("scan.renamed")
        if result.outcome is Outcome.TAKEN:
            self._seal(target)
        return result

    def mark_finished(self, path: Path | None = None) -> None:
        """Make the `.fin` files that are missing: of `path`, and those that could not be made before."""
        due, self._without_fin = [*self._without_fin, *([path] if path else [])], []
        for file in due if self.taken_away else []:
            try:
                if file.exists():
                    patiently(lambda file=file: file.with_name(file.name + FIN).touch(exist_ok=True))  # type: ignore[misc]
            except OSError as error:
                log.warning(
                    "%s 写不了,将重试 / cannot be written, will try again: %s", file.name + FIN, error
                )
                self._without_fin.append(file)

    def _put_in(self, staged: Path, target: Path) -> SubmitResult:
        try:
            # One step: a link and an unlink would leave a moment in which it stands in both.
            rename_free(staged, target)
        except OSError as error:
            return self._after_failed_rename(staged, target, error)
        return SubmitResult(Outcome.TAKEN)

    def _after_failed_rename(self, staged: Path, target: Path, error: OSError) -> SubmitResult:
        """A share may report a failure for what it has done: look."""
        detail = f"{target}: {error}"
        try:
            here, there = staged.exists(), target.exists()
            if here and not there:
                self._set_aside(staged)
                self._never_left.add(key_of(staged.name))
                return SubmitResult(Outcome.NEVER_LEFT, detail)
        except OSError:
            return SubmitResult(Outcome.UNKNOWN, detail)
        return SubmitResult(Outcome.TAKEN if there and not here else Outcome.UNKNOWN, detail)

    def _seal(self, target: Path) -> None:
        """The rename made durable, then `.fin`. What fails here does not undo the hand-over."""
        try:
            sync_folder(self.scan)
        except OSError as error:
            log.warning("%s: %s", self.scan, error)
        reach("scan.synced")
        self.mark_finished(target)

    def _already(self, there: Path, content: bytes) -> SubmitResult:
        try:
            same = there.read_bytes() == content
        except FileNotFoundError:
            return SubmitResult(Outcome.UNKNOWN, f"{there} was there and is gone")
        except OSError as error:
            return SubmitResult(Outcome.UNKNOWN, f"{there}: {error}")
        if not same:
            raise GatewayError(
                f"扫单文件夹里已有同名的另一个文件 / another file has this name in the scan folder: {there}"
            )
        self.mark_finished(there)
        return SubmitResult(Outcome.TAKEN, "it was there already")

    # evidence

    def where(self, batch: Batch) -> Where:
        """Where the batch's file stands. Raises OSError when a folder cannot be looked at, or is not the one that was opened."""
        key = self.names.key(batch)
        if self._find(self.scan, key):
            return Where.SCAN
        self._check_identity()
        if self._in_upfiles(key):
            return Where.UPFILES
        if self._find(self.returned, key):
            return Where.RETURNED
        if self._find(self.staging, key):
            return Where.STAGING
        return Where.GONE if self.memory.name_of(key) else Where.NEVER_IN

    def take_back(self, batch: Batch) -> bool:
        """Rename the file out of the scan folder, False when it is not there any more. Raises OSError."""
        path = self._find(self.scan, self.names.key(batch))
        if path is None:
            return False
        try:
            self._set_aside(path)
        except FileNotFoundError:
            return False
        with contextlib.suppress(FileNotFoundError):
            self._set_aside(path.with_name(path.name + FIN))
        sync_folder(self.scan)
        return True

    def withdraw(self, batch: Batch) -> None:
        """Of a batch that is proven to have never left: it may go in. What lies in staging of it is set aside. Raises OSError."""
        path = self._find(self.staging, self.names.key(batch))
        if path is not None:
            self._set_aside(path)
        self._never_left.add(self.names.key(batch))

    def went_in(self, batch: Batch) -> bool:
        """Whether the ledger has it, and nobody has proven in this life that it never left."""
        key = self.names.key(batch)
        return self.memory.name_of(key) is not None and key not in self._never_left

    def unknown(self, day: date, known: Collection[str]) -> list[Path]:
        """Order files of ours, in the scan folder and in the day's upfiles, that are none of these (see `core`). Raises OSError."""
        files = [*self.scan.iterdir(), *(self.upfiles(day) or [])]
        return [path for path in files if (core := core_of(path.name)) and core not in known]

    def finish(self, batch: Batch) -> None:
        """After a crash: the `.fin` that a file in the scan folder may lack. Raises OSError."""
        path = self._find(self.scan, self.names.key(batch))
        if path is not None:
            self.mark_finished(path)

    def name(self, batch: Batch) -> str:
        return f"{_day(self._clock.now())}{self.names.key(batch)}"

    def _find(self, folder: Path, key: str) -> Path | None:
        return next((path for path in folder.iterdir() if path.name.endswith(key)), None)

    def _in_upfiles(self, key: str) -> bool:
        """`<archive>/<user>/<YYYY-MM-DD>/upfiles/<scan_name>/<file>` [V], of any user and day."""
        if self._archive is None:
            return False
        name, folder = self.memory.name_of(key), f"upfiles/{_literal(self._scan_name)}"
        if name is None:
            return any(self._archive.glob(f"*/*/{folder}/*{_literal(key)}"))
        since = f"{name[:4]}-{name[4:6]}-{name[6:8]}"
        days = (day for day in self._archive.glob("*/*") if day.name >= since)
        return any((day / "upfiles" / self._scan_name / name).exists() for day in days)

    def upfiles(self, day: date) -> list[Path] | None:
        """The order files of ours that the terminal's archive has of a day; None when it has none of that day. Raises OSError.

        Ours by the beginning of the name: the terminal may put a number behind a name that it has already [?].
        """
        if self._archive is None:
            return None
        folders = list(self._archive.glob(f"*/{day.isoformat()}/upfiles/{_literal(self._scan_name)}"))
        if not folders:
            return None
        files = sorted(path for folder in folders for path in folder.iterdir())
        return [path for path in files if _OUR_ORDERS.match(path.name)]

    def downfiles(self) -> list[Path]:
        """The folders of today's output in the terminal's archive, `<archive>/<user>/<YYYY-MM-DD>/downfiles/<account_id>` [V]. Raises OSError."""
        if self._archive is None:
            return []
        day = trade_date(self._clock.now()).isoformat()
        return [path for path in self._archive.glob(f"*/{day}/downfiles/*") if path.is_dir()]

    def _set_aside(self, path: Path) -> None:
        self._move_aside(path, self.returned / path.name)
        self._back.add(key_of(path.name))

    def _move_aside(self, path: Path, target: Path) -> None:
        """To `target`, or, if that name is taken, to one that no key ends with."""
        for number in count(1):
            with contextlib.suppress(FileExistsError):
                rename_free(path, target if number == 1 else target.with_name(f"{target.name}~{number}"))
                break

    def _forget_return(self, key: str) -> None:
        """It goes in once more: that it was taken back before proves nothing from now on."""
        path = self._find(self.returned, key) if key in self._back else None
        if path is not None:
            self._move_aside(path, path)
        self._back.discard(key)

    # checks

    def _check_folders(self) -> None:
        if not self.scan.is_dir():
            raise GatewayError(
                f"没有扫单文件夹 / there is no scan folder: {self.scan}\n"
                "  在终端的文件单设置里建好它,或改 scan_dir / make it in the terminal's 文件单 settings, or correct scan_dir"
            )
        if self.staging.resolve().is_relative_to(self.scan.resolve()):
            raise GatewayError(
                f"暂存文件夹不能在扫单文件夹里 / staging must not lie in the scan folder: {self.staging}"
            )
        for folder in (self.staging, self.returned):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            if not self._lock.is_locked:
                self._lock.acquire(timeout=0)
        except Timeout:
            raise GatewayError(
                f"另一个程序正在写这个扫单文件夹 / another program writes to this scan folder: {self.scan}\n"
                "  一个扫单文件夹只能有一个写入者 / one writer for each scan folder: stop the other one"
            ) from None
        status = self.scan.stat()
        self._identity = (status.st_dev, status.st_ino)

    def _check_rename(self) -> None:
        """The one true test of "same volume and writable": a file goes in and out again, under a name that no scanner takes."""
        inside, outside = self.scan / ".orderdrop-probe.tmp", self.staging / ".orderdrop-probe.tmp"
        inside.unlink(missing_ok=True)
        outside.write_bytes(b"")
        try:
            rename_free(outside, inside)
        except OSError as error:
            raise GatewayError(
                f"暂存文件夹里的文件不能改名移入扫单文件夹 / no rename from staging into the scan folder: {error}\n"
                f"  两者须在同一个盘上且可写 / put both on one volume and make them writable: {self.staging}, {self.scan}"
            ) from error
        finally:
            outside.unlink(missing_ok=True)
        rename_free(inside, outside)
        outside.unlink()

    def _check_identity(self) -> None:
        """A share that is not mounted looks like an empty folder: everything would seem to be taken."""
        status = self.scan.stat()
        if (status.st_dev, status.st_ino) != self._identity:
            raise OSError(f"{self.scan} is not the folder that it was")


_WENT_IN: Final = "已送进扫单文件夹并被取走，没有再送 / it went into the scan folder and was taken, it was not written again"


def core_of(name: str) -> str:
    """What tells a batch's file from any other one: its number and the hash of its content; "" of a file that is none of ours."""
    found = _OUR_ORDERS.match(name)
    return key_of(found.group()) if found else ""


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _day(now: Micros) -> str:
    return f"{trade_date(now):%Y%m%d}"


def _literal(text: str) -> str:
    return re.sub(r"([\[*?])", r"[\1]", text)
