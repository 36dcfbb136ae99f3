"""Puts files away, byte for byte, and closes a day's folder: drops, what was sent, the journal as a table, a manifest.

Nothing is deleted or replaced here, except the day's own summaries, which are made again whenever the day is closed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from filelock import FileLock, Timeout

from orderdrop.archive.day import HEAD, MANIFEST
from orderdrop.config.workspace import FIN_SUFFIX
from orderdrop.system.failpoint import reach
from orderdrop.system.files import sync_folder, write_new, write_over
from orderdrop.system.grasp import (
    Seen,
    are_halves,
    give_back,
    is_what_was_seen,
    move_on,
    take_hold,
)

log = logging.getLogger(__name__)

FIN_TAG: Final = "fin"
"""The tag of a `.fin` that is on its way."""

_DBF: Final = b"\x03"
"""The first byte of a dbf; no text begins with it."""


class PutAway(NamedTuple):
    """path: where the file stands now. away: False when it is not what was taken, and stands where it was, or beside it."""

    path: Path
    away: bool


def put_away(source: Path, folder: Path, name: str, tag: str, drop_id: int, seen: Seen) -> PutAway:
    """Move a drop (and its `.fin`) to `folder`/`name`, or, if another drop has that name, beside it with the drop's number.

    tag: what `finish` is told after a crash. Raises OSError; then the file is where it was, or its name is one of `grasp.held`.
    """
    own = take_hold(source, tag)
    reach("archive.held")
    try:
        if not is_what_was_seen(own, seen):
            return PutAway(give_back(own, source), away=False)
        target = finish(own, folder, name, drop_id)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            give_back(own, source)
        raise
    put_away_fin(source, target)
    return PutAway(target, away=True)


def finish(own: Path, folder: Path, name: str, drop_id: int) -> Path:
    """Move what is ours already to where it is kept. Repeatable: after a crash between the two halves of the move, the second is done."""
    for target in candidates(folder, name, drop_id):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if are_halves(own, target):
                own.unlink()
            else:
                reach("archive.before")
                move_on(own, target)
        except (FileExistsError, NotADirectoryError):  # a file that is called like this one's folder, say
            continue
        reach("archive.after")
        try:
            sync_folder(target.parent)
        except OSError as error:  # it is there, and must be noted
            log.warning("%s: %s", target.parent, error)
        return target
    raise FileExistsError(f"{name} ({drop_id})")


def put_away_fin(source: Path, target: Path) -> None:
    """Let a drop's `.fin` follow it; one that stayed behind would speak for the next file of that name. That one's own stays."""
    _remove_lock(source.with_name(f"{source.name}.lock"))
    fin, beside = source.with_name(source.name + FIN_SUFFIX), target.with_name(target.name + FIN_SUFFIX)
    if not os.path.lexists(fin):  # almost always
        return
    try:
        own = take_hold(fin, FIN_TAG)
    except FileNotFoundError:
        return
    except OSError as error:  # it stays, which harms little; the drop itself is put away
        log.warning("%s: %s", fin, error)
        return
    reach("archive.fin")
    try:
        if not _speaks_for(own, source):
            move_on(own, beside)
            return
    except OSError as error:
        log.warning("%s: %s", fin, error)
    with contextlib.suppress(OSError):  # else the next start does it
        give_back(own, fin)


def _remove_lock(lock: Path) -> None:
    """Of orderdrop.append(); a lock is no drop. One that a writer holds is his: only who holds it may unlink it, and who waited takes the next."""
    if os.path.lexists(lock):  # else it would be made
        with contextlib.suppress(OSError, Timeout), FileLock(lock, timeout=0), contextlib.suppress(OSError):
            lock.unlink()  # Windows does it by itself, when it is let go


def _speaks_for(fin: Path, source: Path) -> bool:
    """Whether another file has come under the drop's name, and this `.fin` after it."""
    try:
        return fin.lstat().st_mtime_ns >= source.lstat().st_mtime_ns
    except FileNotFoundError:
        return False


def candidates(folder: Path, name: str, drop_id: int) -> tuple[Path, Path, Path]:
    """Where a drop may have been put away: `basket.csv`, else `basket~17.csv`, else `alpha~17/basket.csv`, where its folder is a file."""
    pure = PurePosixPath(name)
    plain = folder / pure
    above = folder / f"{pure.parts[0]}~{drop_id}"
    return plain, plain.with_name(f"{plain.stem}~{drop_id}{plain.suffix}"), above / pure.name


def write_sent(folder: Path, gateway: str, batch_id: int, content: bytes) -> None:
    """Keep the exact bytes of a batch; one that is there already is left."""
    suffix = ".dbf" if content.startswith(_DBF) else ".csv"
    target = folder / "sent" / gateway / f"{batch_id:08d}.order{suffix}"
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        write_new(target, content, durable=False)


def write_head(folder: Path, seal: int, digest: str) -> None:
    """`chain.json`: where the journal's hash chain stood when the day was closed."""
    write_over(folder / HEAD, f"{json.dumps({'seal': seal, 'digest': digest})}\n".encode())


def write_manifest(folder: Path) -> Path:
    """`manifest.sha256` of every file in the day's folder, in sha256sum's format, so that `sha256sum -c` checks it."""
    lines = [f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in sorted(_files(folder))]
    manifest = folder / MANIFEST
    write_over(manifest, "".join(lines).encode(), durable=True)
    return manifest


def _files(folder: Path) -> Iterable[Path]:
    return (
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path.name != MANIFEST
    )


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
