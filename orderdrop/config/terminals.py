"""Finds the folders of terminals on this machine: where QMT and 掘金 are usually installed, and by what they write. Only looks, two folders deep.

roots: the drives to look on. A folder that may not be read is passed over: somebody else's.
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

USERDATA: Final = "userdata_mini"
ACCOUNT_OF_GOLDMINER: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""A UUID, as the terminal shows it under 账户管理."""

_WRITTEN: Final = ("order_status.csv", "order_status_change.csv", "execution_report.csv", "cash.csv")
_SCAN: Final = ("scan", "in", "input", "输入", "扫单")
_ARCHIVE: Final = ("archive", "归档")
_MOST: Final = 2000
"""Folders of one folder that are looked into."""


class FileOrders(NamedTuple):
    """The folders of a 文件单. None: not found beside the output. accounts: those that the terminal has written of."""

    push_dir: Path
    scan_dir: Path | None
    archive_dir: Path | None
    accounts: tuple[str, ...]


def drives() -> list[Path]:
    """The drives of a Windows machine, and the user's home; elsewhere there are no such terminals."""
    if os.name != "nt":
        return []
    found = [Path(f"{letter}:/") for letter in string.ascii_uppercase[2:]]
    return [*(drive for drive in found if drive.exists()), Path.home()]


def find_qmt(roots: Iterable[Path]) -> list[Path]:
    """Every userdata_mini: `D:/国金QMT交易端/userdata_mini`, `C:/Program Files/gj_qmt/userdata_mini`. The one used last first."""
    found = {folder / USERDATA for folder in _two_deep(roots) if _is_folder(folder / USERDATA)}
    return sorted(found, key=_changed, reverse=True)


def find_file_orders(roots: Iterable[Path]) -> list[FileOrders]:
    """Every folder with a folder of an account into which 掘金 or EMC writes, with its neighbours by their names. The one used last first."""
    found = {folder: accounts for folder in _two_deep(roots) if (accounts := accounts_written_of(folder))}
    return [
        FileOrders(push, _beside(push, _SCAN), _beside(push, _ARCHIVE), accounts)
        for push, accounts in sorted(found.items(), key=lambda one: _changed(one[0]), reverse=True)
    ]


def accounts_written_of(push_dir: Path) -> tuple[str, ...]:
    """The accounts of which a terminal's output folder holds something."""
    return tuple(
        sorted(
            folder.name
            for folder in _folders(push_dir)
            if ACCOUNT_OF_GOLDMINER.fullmatch(folder.name)
            and any(_is_file(folder / name) for name in _WRITTEN)
        )
    )


def _two_deep(roots: Iterable[Path]) -> Iterator[Path]:
    for root in roots:
        for folder in _folders(root):
            yield folder
            yield from _folders(folder)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry) for entry, _ in zip(entries, range(_MOST), strict=False) if entry.is_dir()]
    except OSError:
        return []


def _beside(push: Path, names: tuple[str, ...]) -> Path | None:
    return next((near for near in _folders(push.parent) if near != push and near.name.lower() in names), None)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
