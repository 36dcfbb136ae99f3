"""Notes files that are not where, or not what, the journal says: `orderdrop status` tells of them, with exit 1, until the day is over."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Final

from orderdrop.config.workspace import Workspace
from orderdrop.inbox.late_writes import Altered
from orderdrop.journal.reader import Reading
from orderdrop.journal.writer import Writer
from orderdrop.system.grasp import held

_LEFT_BEHIND: Final = 60.0
"""Seconds after which a file that bears a name of ours is not on its way any more."""


def note_altered(writer: Writer, day: date, workspace: Workspace, found: Iterable[Altered]) -> None:
    """Archived files whose content is not what was taken, or that are gone."""
    known = json.loads(writer.get_meta(_key(day)) or "{}")
    for one in found:
        path = Path(one.path)
        name = path.relative_to(workspace.root) if path.is_relative_to(workspace.root) else path
        known[name.as_posix()] = one.gone
    writer.set_meta(_key(day), json.dumps(known, ensure_ascii=False))


def problems(reading: Reading, day: date, workspace: Workspace) -> list[str]:
    """What is wrong, bilingual; empty when all is as it should be."""
    known = json.loads(reading.meta(_key(day)) or "{}")
    words = {
        True: "归档后不见了 / was put away and is gone",
        False: "归档后被改写，与已接收的内容不同，改写的部分没有交易 / was rewritten after it was put away: it is not what was taken, and nothing of it was traded",
    }
    return [f"{name}：{words[bool(gone)]}" for name, gone in known.items()] + [
        f"{path}：没有归档完，请重启路由器或人工处理 / was not put away to its end: restart the router, or look at it"
        for path in _left_behind(workspace.inbox)
    ]


def _left_behind(inbox: Path) -> Iterator[Path]:
    try:
        with os.scandir(inbox) as entries:
            below = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for folder in (inbox, *below):
        for found in held(folder):
            try:
                if time.time() - found.path.lstat().st_ctime > _LEFT_BEHIND:
                    yield found.path
            except FileNotFoundError:
                continue


def _key(day: date) -> str:
    return f"altered:{day:%Y%m%d}"
