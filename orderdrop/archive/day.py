"""Reads a day's folder in the archive, loose or zipped, and zips it.

Zipping puts the same files, byte for byte, into `YYYY-MM-DD.zip` beside the folder. The folder goes only when every file has been
read back from the zip and is the same.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import IO, Final

from orderdrop.errors import OrderdropError
from orderdrop.system.files import patiently, sync_folder, write_new

MANIFEST: Final = "manifest.sha256"
HEAD: Final = "chain.json"
JOURNAL: Final = "journal.csv"
RECONCILIATION: Final = "reconciliation.csv"
SUMMARIES: Final = frozenset({MANIFEST, HEAD, JOURNAL, RECONCILIATION})
"""Made anew whenever the day is closed again."""

_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:\.zip)?")
_STAMP: Final = (1980, 1, 1, 0, 0, 0)
_COPY: Final = 1024 * 1024


class ArchiveError(OrderdropError):
    """A day's zip is not what it should be."""


class Archived:
    """The files of one day, by their path below the day's folder, with /. What is loose goes before what is zipped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.zip = folder.with_name(f"{folder.name}.zip")

    @property
    def exists(self) -> bool:
        return self.folder.is_dir() or self.zip.is_file()

    def names(self) -> list[str]:
        return sorted({*self._loose(), *self._members})

    def has(self, name: str) -> bool:
        return (self.folder / name).is_file() or name in self._members

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Raises OSError, ArchiveError."""
        try:
            if (self.folder / name).is_file():
                with (self.folder / name).open("rb") as file:
                    yield file
            else:
                with zipfile.ZipFile(self.zip) as zipped, zipped.open(name) as member:
                    yield member
        except (zipfile.BadZipFile, KeyError) as error:
            raise ArchiveError(f"读不出来 / cannot be read: {self.zip}: {name}: {error}") from None

    def read(self, name: str) -> bytes:
        with self.open(name) as file:
            return file.read()

    def sha256(self, name: str, first: int | None = None) -> str:
        """first: of the first bytes only."""
        hashing, left = hashlib.sha256(), first
        with self.open(name) as file:
            while piece := file.read(_COPY if left is None else min(_COPY, left)):
                hashing.update(piece)
                left = None if left is None else left - len(piece)
        return hashing.hexdigest()

    def written_at(self, name: str) -> int | None:
        """When the file was last written, in microseconds, as its writer left it; None when nobody knows."""
        if (self.folder / name).is_file():
            return (self.folder / name).stat().st_mtime_ns // 1000
        member = self._members.get(name)
        comment = member.comment.decode("ascii", "replace") if member else ""
        return int(comment) if comment.isdecimal() else None

    def _loose(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        every = (path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        return [path.relative_to(self.folder).as_posix() for path in every]

    @cached_property
    def _members(self) -> dict[str, zipfile.ZipInfo]:
        if not self.zip.is_file():
            return {}
        try:
            with zipfile.ZipFile(self.zip) as zipped:
                return {member.filename: member for member in zipped.infolist()}
        except zipfile.BadZipFile as error:
            raise ArchiveError(f"不是正确的 zip / not a good zip: {self.zip}: {error}") from None

    def compress(self) -> None:
        """Put all into the zip, then remove the folder. Repeatable after a crash.

        Raises ArchiveError, with the folder left as it is, when the zip does not give back what was put in.
        """
        names = self._loose()
        self._refuse_to_replace(names)
        temporary = self.zip.with_name(f".{self.zip.name}.tmp")
        temporary.unlink(missing_ok=True)
        with zipfile.ZipFile(temporary, "x", zipfile.ZIP_DEFLATED) as zipped:
            for name in self.names():
                member = zipfile.ZipInfo(name, _STAMP)
                member.compress_type = zipfile.ZIP_DEFLATED
                member.comment = str(self.written_at(name) or "").encode()
                with self.open(name) as source, zipped.open(member, "w", force_zip64=True) as target:
                    shutil.copyfileobj(source, target, _COPY)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        self._compare(temporary, names)
        patiently(lambda: temporary.replace(self.zip))
        sync_folder(self.zip.parent)
        self.__dict__.pop("_members", None)
        patiently(lambda: shutil.rmtree(self.folder))

    def restore(self) -> None:
        """Put what is zipped back into the folder, so that the day can be closed again; the zip stays until the next one."""
        for name, member in self._members.items():
            path = self.folder / name
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_new(path, self.read(name), durable=False)
                if member.comment.isdigit():
                    os.utime(path, ns=(int(member.comment) * 1000, int(member.comment) * 1000))

    def _refuse_to_replace(self, loose: list[str]) -> None:
        """Only the day's own summaries are made anew; of anything else there may be one content only."""
        for name in self._members.keys() & {*loose} - SUMMARIES:
            with zipfile.ZipFile(self.zip) as zipped:
                before = hashlib.sha256(zipped.read(name)).hexdigest()
            if before != self.sha256(name):
                raise ArchiveError(f"压缩包里已有不同的 {name} / another {name} is in {self.zip}")

    def _compare(self, temporary: Path, names: list[str]) -> None:
        beside = Archived(temporary.with_suffix(""))
        beside.zip = temporary
        for name in names:
            if beside.sha256(name) != self.sha256(name):
                raise ArchiveError(
                    f"压缩后不一致,原文件保留 / differs when zipped, the folder is kept: {name}"
                )


def days_in(archive: Path) -> dict[date, Archived]:
    """Every day that the archive holds, oldest first."""
    found = {}
    for entry in sorted(archive.iterdir()) if archive.is_dir() else []:
        named = _DAY.fullmatch(entry.name)
        if named:
            found[date.fromisoformat(named[1])] = Archived(archive / named[1])
    return found


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    total = 0
    pending = [os.fspath(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
    return total
