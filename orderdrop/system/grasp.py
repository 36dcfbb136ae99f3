"""Takes a file out of a folder that others write to: what is compared and what is moved is one and the same file.

A name proves nothing: between a look and an act another file may stand there. So a file is first renamed to a name of our own in
its folder, then compared with what was seen, and only what bears such a name is ever moved on or unlinked. What is not the file
that was seen goes back. A crash in between leaves our name standing; `held` finds it again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Final, NamedTuple

from orderdrop.system.files import patiently, rename_free, rename_new, write_new

_SUFFIX: Final = ".away.tmp"
"""Names that begin with a dot and end so are nobody's drop, and no event is told of them."""

_OWN: Final = re.compile(r"\.(?P<name>.+)\.(?P<tag>[^.]*)\.[0-9a-f]{8}\.away\.tmp", re.DOTALL)
_LONGEST: Final = 120  # bytes of a name that are kept: a tag fits behind them
_PIECE: Final = 1024 * 1024
OPEN_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)


_NOT_SAME_DEVICE: Final = 17
"""Windows' word for EXDEV."""


class Seen(NamedTuple):
    """What a file was when it was looked at.

    inode: 0 where the system tells none, and then it proves nothing. read: so many of its bytes were read; sha256: of those, None
    when none were.
    """

    inode: int
    size: int
    written: int
    sha256: str | None = None
    read: int = 0

    @classmethod
    def of(cls, status: os.stat_result) -> Seen:
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


class Held(NamedTuple):
    """A file under a name of ours. name: its own name before, cut if it was very long."""

    path: Path
    name: str
    tag: str


def take_hold(path: Path, tag: str = "") -> Path:
    """Rename a file to a name of our own beside it. Raises OSError, FileNotFoundError."""
    own = path.with_name(f".{_cut(path.name)}.{tag}.{token_hex(4)}{_SUFFIX}")
    rename_free(path, own)
    return own


def is_what_was_seen(own: Path, seen: Seen) -> bool:
    """Raises OSError."""
    status = os.lstat(own)
    found = (status.st_size, status.st_mtime_ns)
    if found != (seen.size, seen.written) or (seen.inode and status.st_ino and status.st_ino != seen.inode):
        return False
    if seen.sha256 is None:
        return True
    return stat.S_ISREG(status.st_mode) and hash_of(own, seen.read) == seen.sha256


def give_back(own: Path, path: Path) -> Path:
    """Under its name again, or beside it, if that name is taken; where it stands now. Raises OSError.

    With a link and an unlink: so nobody takes it for a file that its writer has renamed in.
    """
    target, (stem, dot, ending) = path, path.name.partition(".")
    while True:
        try:
            _rename_back(own, target)
        except FileExistsError:
            if not are_halves(own, target):
                target = path.with_name(f"{stem}~{token_hex(3)}{dot}{ending}")
                continue
            own.unlink()  # a crash came between link and unlink
        return target


def _rename_back(own: Path, target: Path) -> None:
    try:
        rename_new(own, target)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # no room for a second name, say
        rename_free(own, target)


def move_on(own: Path, target: Path) -> None:
    """Move what bears a name of ours to `target`, also on another volume. FileExistsError if that name is taken, OSError."""
    try:
        rename_new(own, target)
    except OSError as error:
        if error.errno != errno.EXDEV and getattr(error, "winerror", None) != _NOT_SAME_DEVICE:
            raise
        copy_and_unlink(own, target)


def copy_and_unlink(own: Path, target: Path) -> None:
    """To another volume: the copy is on disk, whole, before the original goes; it goes only if nobody wrote to it meanwhile. Raises OSError."""
    before = os.lstat(own)
    write_new(target, own.read_bytes())
    after = os.lstat(own)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        target.unlink()  # of our own making
        raise OSError(f"{own} moved while it was copied to {target}")
    patiently(own.unlink)


def held(folder: Path) -> Iterator[Held]:
    """What stands in `folder` under a name of ours."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            found = _OWN.fullmatch(entry.name) if entry.name.endswith(_SUFFIX) else None
            if found is not None:
                yield Held(Path(entry.path), found["name"], found["tag"])


def hash_of(path: str | Path, size: int) -> str:
    """sha256 of a file's first bytes. Follows no link and waits on no pipe. Raises OSError."""
    hasher, handle = hashlib.sha256(), os.open(path, OPEN_FLAGS)
    try:
        while size > 0 and (piece := os.read(handle, min(size, _PIECE))):
            hasher.update(piece)
            size -= len(piece)
    finally:
        os.close(handle)
    return hasher.hexdigest()


def _cut(name: str) -> str:
    encoded = os.fsencode(name)
    return name if len(encoded) <= _LONGEST else encoded[:_LONGEST].decode(errors="ignore")


def are_halves(one: Path, other: Path) -> bool:
    """Whether two names are one file, as a crash between link and unlink leaves them: then one of them may go.

    Never on Windows, where a rename is one step; and never where no inode is told, for then any two files look alike. Raises OSError.
    """
    if os.name != "posix":
        return False
    try:
        here, there = one.lstat(), other.lstat()
    except FileNotFoundError:
        return False
    return bool(here.st_ino) and here.st_nlink > 1 and os.path.samestat(here, there)
