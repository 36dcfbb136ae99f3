"""Puts files away, byte for byte, and closes a day's folder: drops, what was sent, the journal as a table, a manifest.

Nothing is deleted or replaced here, except the day's own summaries, which are made again whenever the day is closed again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from orderdrop.archived import HEAD, MANIFEST
from orderdrop.failpoint import reach
from orderdrop.files import rename_new, sync_folder, write_new, write_over
from orderdrop.workspace import FIN_SUFFIX

_DBF: Final = b"\x03"
"""The first byte of a dbf; no text begins with it."""


def put_away(source: Path, folder: Path, name: str, drop_id: int) -> Path:
    """Move a drop (and its `.fin`) to `folder`/`name`, or, if another drop has that name, beside it with the drop's number.

    Repeatable: after a crash between the two halves of the move, the second half is done.
    """
    for target in candidates(folder, name, drop_id):
        target.parent.mkdir(parents=True, exist_ok=True)
        if _same_file(source, target):
            source.unlink()
        else:
            try:
                reach("archive.before")
                _move(source, target)
            except FileExistsError:
                continue
        reach("archive.after")
        put_away_fin(source, target)
        sync_folder(target.parent)
        return target
    raise FileExistsError(f"{name} ({drop_id})")


def _move(source: Path, target: Path) -> None:
    """To another volume by a copy that is on disk, whole, before the original goes. FileExistsError if the name is taken."""
    try:
        rename_new(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        write_new(target, source.read_bytes())
        source.unlink()


def put_away_fin(source: Path, target: Path) -> None:
    """Let a drop's `.fin` follow it; one that stayed behind would speak for the next file of that name."""
    with contextlib.suppress(OSError):  # of orderdrop.append(); a lock is no drop
        source.with_name(f"{source.name}.lock").unlink()
    fin, beside = source.with_name(source.name + FIN_SUFFIX), target.with_name(target.name + FIN_SUFFIX)
    if _same_file(fin, beside):
        fin.unlink()
        return
    with contextlib.suppress(FileExistsError, FileNotFoundError):
        _move(fin, beside)


def candidates(folder: Path, name: str, drop_id: int) -> tuple[Path, Path]:
    """Where a drop may have been put away: `basket.csv`, else `basket~17.csv`."""
    plain = folder / PurePosixPath(name)
    return plain, plain.with_name(f"{plain.stem}~{drop_id}{plain.suffix}")


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


def _same_file(one: Path, other: Path) -> bool:
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except FileNotFoundError:
        return False
