"""Plays drops on the paper broker, in a workspace of their own, on a clock that stands where each drop came in.

What the machine's clock and speed do to a router that waits for files is kept out: each part is routed until nothing stirs, then the
clock moves on. So the journal that is left depends on the drops, the settings and the quotes only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from orderdrop.config.gateways import PaperSettings
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import FIN_SUFFIX, Workspace
from orderdrop.errors import ConfigError, OrderdropError
from orderdrop.journal.reader import Reading
from orderdrop.replay.source import Part, Played
from orderdrop.service.app import App
from orderdrop.system.clock import FixedClock, Micros, to_datetime
from orderdrop.system.files import write_over

PAPER: Final = "paper"
_CALM: Final = 3
_AT_MOST: Final = 60.0
_WITHOUT_WAITING: Final = {
    "path": Path("inbox"), "events": False, "scan_interval": 1e-6, "settle": 0.0, "torn_timeout": 1e-6, "archive_after": 0.0,
}  # fmt: skip


class Step(NamedTuple):
    """One part on its way in. first: the drop's first one."""

    played: Played
    part: Part
    first: bool


def steps(drops: Sequence[Played]) -> list[Step]:
    """All parts of all drops, in the order in which they came."""
    every = [
        (part.at, order, number, Step(played, part, number == 0))
        for order, played in enumerate(drops)
        for number, part in enumerate(played.parts)
    ]
    return [step for *_key, step in sorted(every, key=lambda entry: entry[:3])]


def paper_settings(settings: Settings, root: Path) -> Settings:
    """The workspace's own settings, with every account on the paper broker and nothing to wait for. root: of the real workspace."""
    papers = [values for values in settings.gateways.values() if isinstance(values, PaperSettings)]
    paper = papers[0] if papers else PaperSettings()
    accounts = {
        key: account.model_copy(update={"gateway": PAPER}) for key, account in settings.accounts.items()
    }
    return settings.model_copy(
        update={
            "inbox": settings.inbox.model_copy(update=_WITHOUT_WAITING),
            "journal": type(settings.journal)(),
            "gateways": {PAPER: paper.model_copy(update={"live": False, "quotes": root / paper.quotes})},
            "accounts": accounts,
        }
    )


def play(
    drops: Sequence[Played],
    settings: Settings,
    root: Path,
    pause: Callable[[Micros, Micros], None],
    come: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Play `drops` in a new workspace at `root`.

    pause: is told the instants before and after each move of the clock. come: is told how many parts were played, and of how many.

    settings: see `paper_settings`. Raises ConfigError when there is a journal already.
    """
    workspace = Workspace(root, root / "inbox")
    if (root / "journal.db").exists():
        raise ConfigError(
            f"这里已有日志库,换一个文件夹 / there is a journal already, use another folder: {root}"
        )
    every = steps(drops)
    if not every:
        raise ConfigError("没有可以重放的内容 / there is nothing to replay")
    clock = FixedClock(to_datetime(every[0].part.at))
    with App(settings, workspace, clock=clock) as app:
        _route(app)
        for number, step in enumerate(every):
            come(number, len(every))
            if step.part.at > clock.at:
                pause(clock.at, step.part.at)
                clock.at = step.part.at
            _put(app, step)
            _route(app)


def _put(app: App, step: Step) -> None:
    path = app.workspace.inbox / step.played.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not step.first and path.exists():
        with path.open("ab") as file:
            file.write(step.part.content)
        return
    if path.exists():  # another drop of that name has been here: it is put away as it was then
        app.chores.finish()
    write_over(path, step.played.header + step.part.content)
    if step.played.fin:
        path.with_name(path.name + FIN_SUFFIX).touch()


def _route(app: App) -> None:
    """Turn until nothing stirs."""
    calm, deadline = 0, time.monotonic() + _AT_MOST
    while calm < _CALM:
        done = app.router.step()
        app.chores.note(done)
        if done.fault:
            raise OrderdropError(done.fault)
        still = done.idle and app.inbox.empty and app.router.queues.is_empty
        calm = calm + 1 if still else 0
        if time.monotonic() > deadline:
            return  # an unfinished file: it is as open as it was then


def numbers(drops: Sequence[Played], reading: Reading) -> Iterator[tuple[Played, Any]]:
    """Each drop that was played, with what its journal calls it; None: it was not taken."""
    taken = [drop for day in reading.open_days() for drop in reading.drops_of_day(day)]
    for played in sorted(drops, key=lambda played: played.parts[0].at):
        found = next((drop for drop in taken if drop.name == played.name), None)
        if found is not None:
            taken.remove(found)
        yield played, found
