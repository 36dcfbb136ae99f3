"""Day's end: what is left in a terminal's folders stops its automatic start next morning [W], so it is put away, never unseen."""

from __future__ import annotations

import errno
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from orderdrop.files import patiently, rename_new, write_new
from orderdrop.gateway.base import Leftover
from orderdrop.gateway.goldminer_scan import FIN

_WORDS: Final = re.compile(rb"[A-Za-z0-9_.\-]+")
_TOLD: Final = 5


def put_away(folder: Path, target: Path, open_sids: Collection[str]) -> Iterator[Leftover]:
    """Move the files of one folder to `target`, but for those that mention an open order, and the `.fin` of those."""
    wanted = {sid.encode() for sid in open_sids}
    staying: set[str] = set()
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    for path in files:
        why = _why_it_stays(path, wanted, staying)
        if why:
            staying.add(path.name)
            yield Leftover(path, None, why)
        else:
            yield _move(path, target)


def leave(folders: Iterable[Path], why: str) -> Iterator[Leftover]:
    for folder in folders:
        yield from (Leftover(path, None, why) for path in sorted(folder.iterdir()) if path.is_file())


def _why_it_stays(path: Path, wanted: set[bytes], staying: set[str]) -> str:
    if path.name.endswith(FIN):
        return "其文件还在 / its file stays" if path.name.removesuffix(FIN) in staying else ""
    try:
        data = path.read_bytes()
    except OSError as error:
        return f"读不了 / cannot be read: {error}"
    words = set(_WORDS.findall(data)) if path.suffix.lower() == ".csv" else set()
    found = sorted(sid for sid in wanted if sid in words or (not words and sid in data))
    if found:
        names = ", ".join(sid.decode() for sid in found[:_TOLD])
        return f"有未了结的委托 / has open orders: {names}{' …' if len(found) > _TOLD else ''}"
    if path.suffix.lower() == ".csv" and data and not data.endswith(b"\n"):
        return "最后一行没有写完 / its last row is cut"
    return ""


def _move(path: Path, folder: Path) -> Leftover:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            target = folder / (path.name if number == 1 else f"{path.stem}~{number}{path.suffix}")
            try:
                _rename_or_copy(path, target)
            except FileExistsError:
                continue
            return Leftover(path, target)
    except OSError as error:
        return Leftover(path, None, f"移不走 / cannot be moved: {error}")
    return Leftover(path, None, "归档里同名文件太多 / too many files of this name")


def _rename_or_copy(path: Path, target: Path) -> None:
    """Rename, or across volumes: a durable copy, and the file goes only if it did not move meanwhile. Raises OSError."""
    try:
        rename_new(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV and getattr(error, "winerror", None) != 17:  # ERROR_NOT_SAME_DEVICE
            raise
        before = path.stat()
        write_new(target, path.read_bytes())
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise OSError(f"{path} moved while it was copied to {target}") from None
        patiently(path.unlink)
