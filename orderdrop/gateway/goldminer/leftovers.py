"""Day's end: what is left in a terminal's folders stops its automatic start next morning [W], so it is put away, never unseen."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from orderdrop.gateway.base import Leftover
from orderdrop.gateway.goldminer.scan import FIN
from orderdrop.system.grasp import (
    Seen,
    give_back,
    held,
    is_what_was_seen,
    move_on,
    take_hold,
)

_WORDS: Final = re.compile(rb"[A-Za-z0-9_.\-]+")
_TOLD: Final = 5
_MOVED: Final = "正在被改写 / it is being written to"


def put_away(folder: Path, target: Path, open_sids: Collection[str]) -> Iterator[Leftover]:
    """Move the files of one folder to `target`, but for those that mention an open order, and the `.fin` of those. Raises OSError."""
    for interrupted in list(held(folder)):
        give_back(interrupted.path, interrupted.path.with_name(interrupted.name))
    wanted = {sid.encode() for sid in open_sids}
    staying: set[str] = set()
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    for path in files:
        seen, why = _look_at(path, wanted, staying)
        left = Leftover(path, None, why) if why or seen is None else _move(path, target, seen)
        if left.moved_to is None:
            staying.add(path.name)
        yield left


def leave(folders: Iterable[Path], why: str) -> Iterator[Leftover]:
    for folder in folders:
        yield from (Leftover(path, None, why) for path in sorted(folder.iterdir()) if path.is_file())


def _look_at(path: Path, wanted: set[bytes], staying: set[str]) -> tuple[Seen | None, str]:
    """What it is, and why it stays, "" if it need not."""
    try:
        seen = Seen.of(path.stat())
        if path.name.endswith(FIN):
            return seen, "其文件还在 / its file stays" if path.name.removesuffix(FIN) in staying else ""
        data = path.read_bytes()
    except OSError as error:
        return None, f"读不了 / cannot be read: {error}"
    if len(data) != seen.size:
        return None, _MOVED
    return seen._replace(sha256=hashlib.sha256(data).hexdigest(), read=seen.size), _why_it_stays(
        path, data, wanted
    )


def _why_it_stays(path: Path, data: bytes, wanted: set[bytes]) -> str:
    words = set(_WORDS.findall(data)) if path.suffix.lower() == ".csv" else set()
    found = sorted(sid for sid in wanted if sid in words or (not words and sid in data))
    if found:
        names = ", ".join(sid.decode() for sid in found[:_TOLD])
        return f"有未了结的委托 / has open orders: {names}{' …' if len(found) > _TOLD else ''}"
    if path.suffix.lower() == ".csv" and data and not data.endswith(b"\n"):
        return "最后一行没有写完 / its last row is cut"
    return ""


def _move(path: Path, folder: Path, seen: Seen) -> Leftover:
    """To `folder`, if it still is what was looked at: the terminal may write on, or put another file there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        own = take_hold(path)
    except OSError as error:
        return Leftover(path, None, f"移不走 / cannot be moved: {error}")
    try:
        target = _keep(own, path, folder) if is_what_was_seen(own, seen) else None
    except OSError as error:
        return Leftover(path, None, f"移不走 / cannot be moved: {_put_back(own, path) or error}")
    return Leftover(path, target) if target else Leftover(path, None, _put_back(own, path) or _MOVED)


def _keep(own: Path, path: Path, folder: Path) -> Path:
    for number in range(1, 1000):
        target = folder / (path.name if number == 1 else f"{path.stem}~{number}{path.suffix}")
        try:
            move_on(own, target)
        except FileExistsError:
            continue
        return target
    raise FileExistsError(f"归档里同名文件太多 / too many files of this name: {path.name}")


def _put_back(own: Path, path: Path) -> str:
    """Why it cannot be, "" if it stands there again."""
    try:
        stands = give_back(own, path)
    except OSError as error:
        return f"{own}: {error}"
    return "" if stands == path else f"现在叫 / it is called {stands.name} now"
