"""When a router is to end, and whether a scheduled one is to start: the request of `orderdrop stop`, the hour of `--until`, the trading day.

A request names its day: until that day is over, no scheduled start begins another router. A start by hand takes it back.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Final, NamedTuple

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.market.calendar import TradingDays
from orderdrop.system.files import patiently, write_over

log = logging.getLogger(__name__)

TRY_AGAIN: Final = 75
"""Exit code of a scheduled run: what failed may pass, start it again."""

_LOOK_EVERY: Final = 0.5
_CLOSE_AT_MOST: Final = timedelta(minutes=10)


class NoStart(NamedTuple):
    """Why a scheduled router does not start now. code: 0, it need not; 1, not without a person."""

    code: int
    zh: str
    en: str


def ask_to_stop(workspace: Workspace, day: date) -> None:
    """Raises OSError."""
    write_over(workspace.stop_request, json.dumps({"day": day.isoformat()}).encode(), durable=True)


def is_asked_to_stop(workspace: Workspace, day: date) -> bool:
    """What does not read asks for nothing."""
    try:
        content = patiently(lambda: workspace.stop_request.read_text(encoding="utf-8"))
        return bool(json.loads(content)["day"] == day.isoformat())
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("停止请求读不懂 / a request to stop cannot be read: %s", error)
        return False


def take_back(workspace: Workspace) -> None:
    """A start by hand: whoever starts a router wants one."""
    with contextlib.suppress(OSError):
        patiently(lambda: workspace.stop_request.unlink(missing_ok=True))


def why_not_start(
    settings: Settings, workspace: Workspace, now: datetime, until: time_of_day | None
) -> NoStart | None:
    """now: in Shanghai."""
    today = now.date()
    if is_asked_to_stop(workspace, today):
        return NoStart(
            0,
            "今天已用 orderdrop stop 停止，明天再启动；现在要用请手动 orderdrop run",
            "orderdrop stop has ended it for today; orderdrop run starts it by hand",
        )
    if until is not None and now.time() >= until:
        return NoStart(
            0, f"已过 {until:%H:%M}，今天不再启动", f"it is past {until:%H:%M}, it starts no more today"
        )
    opened = TradingDays(settings.calendar, workspace.root).is_open(today)
    if opened is None:
        return NoStart(
            1,
            f"不知道 {today.year} 年哪些天休市，没有启动：用 orderdrop calendar --write 写入日历",
            f"nobody knows the closed days of {today.year}, it does not start: write them with orderdrop calendar --write",
        )
    return (
        None
        if opened
        else NoStart(0, f"{today} 休市，没有启动", f"{today} is no trading day, it does not start")
    )


def is_first_time(workspace: Workspace, day: date, why: NoStart) -> bool:
    """Whether this was not said today yet: a schedule starts again every few minutes."""
    said = json.dumps({"day": day.isoformat(), "said": why.en}).encode()
    with contextlib.suppress(OSError):
        if workspace.scheduled.read_bytes() == said:
            return False
    with contextlib.suppress(OSError):
        workspace.scheduled.parent.mkdir(exist_ok=True)
        write_over(workspace.scheduled, said)
    return True


class Ending:
    """Tells the router's loop that its end has come. Asked after each turn; looks twice a second."""

    def __init__(self, workspace: Workspace, until: datetime | None) -> None:
        """until: in Shanghai; None: no hour ends it."""
        self._workspace = workspace
        self._until = until
        self._look_at = 0.0

    def has_come(self, now: datetime, *, awaits_close: bool) -> str:
        """Why, bilingual; "" when it has not. awaits_close: the day is about to be closed, for which an hour waits."""
        if time.monotonic() < self._look_at:
            return ""
        self._look_at = time.monotonic() + _LOOK_EVERY
        if is_asked_to_stop(self._workspace, now.date()):
            return "收到停止请求 / orderdrop stop has asked for it"
        if self._until is None or now < self._until:
            return ""
        if awaits_close and now < self._until + _CLOSE_AT_MOST:
            return ""
        return f"到 {self._until:%H:%M} / it is {self._until:%H:%M}"
