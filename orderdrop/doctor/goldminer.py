"""Measures the folders of a 掘金 or 东财 EMC terminal. Looks only; its probes have names that no scanner takes."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from filelock import FileLock, Timeout

from orderdrop.config.gateways import GoldminerSettings
from orderdrop.doctor.folders import Folder, look_at
from orderdrop.errors import GatewayError
from orderdrop.gateway.goldminer.account import CASH, CHANGES, EXECUTIONS, LATEST, POSITIONS
from orderdrop.gateway.goldminer.output import Output
from orderdrop.gateway.goldminer.rows import columns_of
from orderdrop.gateway.goldminer.scan import is_our_name
from orderdrop.system.clock import Micros, SystemClock, trade_date
from orderdrop.system.dbf import is_installed

ITEMS: Final = (CHANGES, LATEST, EXECUTIONS, CASH, POSITIONS, "func_response")
"""The six files that can be switched on in the terminal."""

_LOOKED_AT: Final = 1 << 16
_SUFFIXES: Final = frozenset({".csv", ".dbf"})


class Lying(NamedTuple):
    """A file in one of the terminal's folders. day: of its last change, in Shanghai. age: seconds since. ours: made by us, by its name."""

    path: Path
    day: date
    age: float
    ours: bool = True


class GoldminerFacts(NamedTuple):
    """scan: probed by renames from staging. contested: another program holds the right to write to it. lying: what is in it.
    handed: whether files went in today.

    push: whether the output folder is there. output: each account's files, by account. archived: the names of the 文件单 settings that
    stand in the terminal's archive, None when it is not there or not set. spoken: those that its output names. dbf: whether the library is installed.
    """

    name: str
    accounts: tuple[str, ...]
    scan: Folder
    staging_inside: bool = False
    contested: bool = False
    lying: tuple[Lying, ...] = ()
    handed: bool = False
    push: bool = True
    output: dict[str, tuple[Lying, ...]] = {}  # noqa: RUF012  never changed
    archived: frozenset[str] | None = None
    spoken: frozenset[str] = frozenset()
    dbf: bool = True


def measure(
    name: str,
    settings: GoldminerSettings,
    accounts: Collection[str],
    today: date,
    *,
    router_runs: bool,
    renames: int,
) -> GoldminerFacts:
    """settings: with absolute folders. accounts: those that the settings give to this gateway."""
    scan, staging = settings.scan_dir, settings.staging
    output = _output(settings.push_dir, accounts)
    inside = staging.resolve().is_relative_to(scan.resolve())
    # Staging is made by the router; until then its parent tells whether it lies on the same volume.
    source = staging if staging.is_dir() else staging.parent
    return GoldminerFacts(
        name,
        tuple(accounts),
        look_at(scan, source=source, tries=renames),
        staging_inside=inside,
        contested=not router_runs and _is_held(staging / "writer.lock"),
        lying=tuple(_lying(scan)),
        handed=(staging / f"handed-{today:%Y%m%d}.log").exists(),
        push=settings.push_dir.is_dir(),
        output=output,
        spoken=frozenset(name for files in output.values() for file in files for name in _spoken(file.path)),
        archived=_archived(settings.archive_dir),
        dbf=is_installed(),
    )


def _is_held(path: Path) -> bool:
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def _lying(folder: Path) -> Iterator[Lying]:
    """The files of a folder, hidden ones left out."""
    now = time.time()
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or not path.is_file():
            continue
        changed = path.stat().st_mtime
        day = trade_date(Micros(round(changed * 1_000_000)))
        yield Lying(path, day, now - changed, ours=is_our_name(path.name))


def _output(push: Path, accounts: Collection[str]) -> dict[str, tuple[Lying, ...]]:
    """The folders that the gateway would read."""
    output = Output(push, {}, accounts, SystemClock())
    try:
        output.open()
    except GatewayError:
        return {}
    return {
        account: tuple(file for file in _lying(folder.path) if file.path.suffix.lower() in _SUFFIXES)
        for account, folder in output.folders.items()
    }


def _spoken(path: Path) -> set[str]:
    """The 文件单 settings that the last rows of a file of orders name."""
    if path.suffix.lower() != ".csv" or path.stem.lower() not in {CHANGES, LATEST, EXECUTIONS}:
        return set()
    try:
        with path.open("rb") as file:
            header = file.readline().decode("utf-8-sig", "replace").strip().split(",")
            at = columns_of(header).get("scan_name")
            file.seek(max(file.tell(), path.stat().st_size - _LOOKED_AT))
            lines = file.read(_LOOKED_AT).decode("utf-8", "replace").splitlines()
    except OSError:
        return set()
    rows = [line.split(",") for line in lines]
    return {row[at] for row in rows if len(row) == len(header) and row[at]} if at is not None else set()


def _archived(archive: Path | None) -> frozenset[str] | None:
    if archive is None or not archive.is_dir():
        return None
    return frozenset(path.name for path in archive.glob("*/*/upfiles/*") if path.is_dir())
