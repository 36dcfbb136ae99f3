"""Asks what is wrong in a workspace, for `orderdrop status` and `orderdrop health`: small questions, each with its own sentence.

Each takes what `status --json` shows and the place, and yields bilingual sentences; none means that all is well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from orderdrop.cli.context import Place
from orderdrop.cli.output import OTHER_SETTINGS, shortened
from orderdrop.domain.codes import Code
from orderdrop.views import health

NO_SPACE: Final = 5_000_000
"""Bytes: with less than that free, nothing can be relied on to be written."""

Found = dict[str, Any]


def _lost(found: Found, _place: Place) -> Iterator[str]:
    if found["lost"]:
        yield f"{len(found['lost'])} 笔漏单，已证明终端从未收到 / orders are proven lost → orderdrop resend, or cancel: {shortened(found['lost'])}"


def _doubtful(found: Found, _place: Place) -> Iterator[str]:
    if doubtful := [sid for sid in found["unknown"] if sid not in found["lost"]]:
        yield f"{len(doubtful)} 笔状态不明，按已发送对待，先在终端核对 / orders are unknown: treat them as live, look into the terminal: {shortened(doubtful)}"


def _nobody_takes(found: Found, _place: Place) -> Iterator[str]:
    files = found["waiting"]
    if files and not found["router"]["running"]:
        yield f"有文件等待而路由器没有运行 / files wait and no router runs → orderdrop run: {shortened(files)}"


def _router(found: Found, _place: Place) -> Iterator[str]:
    """It hangs, is in a fault, hears nothing, or cannot keep house."""
    if found["router"]["running"]:
        yield from health.problems(found["heartbeat"], found["router"].get("silent_for"))


def _waits_too_long(found: Found, place: Place) -> Iterator[str]:
    """A router that runs takes what lies there; a file may have been old when it was put there, so it is looked at twice."""
    router = found["router"]
    if not router["running"] or (router.get("silent_for") or 0) > health.LATE:
        return
    files = _old([name for name in found["waiting"] if name not in _torn(found)], place)
    if files:
        time.sleep(place.settings.inbox.scan_interval + 0.5)
        files = sorted(set(files) & set(_old(_still_waiting(place), place)))
    if files:
        yield f"文件早该被接收却仍在等待 / files should have been taken long ago and still wait: {shortened(files)}"


def _torn(found: Found) -> dict[str, str]:
    """Files that are followed and end in a line without its newline, and what is to be done."""
    return {one["name"]: one["why"] for one in found["lying"] if one["lot"] == "waiting"}


def _unfinished(found: Found, _place: Place) -> Iterator[str]:
    for name, why in _torn(found).items():
        yield f"{name}: {why}"


def _old(files: list[str], place: Place) -> list[str]:
    """Those that nobody has written to or moved for longer than a torn line is waited for."""
    inbox, longest = place.settings.inbox, place.settings.inbox.torn_timeout
    bound = time.time() - longest - inbox.scan_interval - 1
    old = []
    for name in files:
        try:
            status = (place.workspace.inbox / name).stat()
        except OSError:
            continue
        if max(status.st_mtime, status.st_ctime) < bound:
            old.append(name)
    return old


def _still_waiting(place: Place) -> list[str]:
    from orderdrop.errors import JournalError  # noqa: PLC0415
    from orderdrop.views.inbox import waiting  # noqa: PLC0415

    try:
        with place.journal() as reading:
            return waiting(place.workspace, reading, place.today)
    except JournalError:
        return waiting(place.workspace, None, place.today)


def _journal(found: Found, _place: Place) -> Iterator[str]:
    if found["journal_fault"]:
        yield found["journal_fault"]


def _clock(found: Found, place: Place) -> Iterator[str]:
    """A day that the clock has not come to yet: it is wrong now, or was wrong then."""
    newest = found["journal_day"]
    if newest and newest > place.today.isoformat():
        yield (
            f"日志库已到 {newest},时钟是 {place.today}:先校准时钟；若之前的时钟错了 / the journal has come to {newest}, the clock shows "
            f"{place.today}: set the clock; if it was wrong before → orderdrop adopt --day-was-wrong"
        )


def _disk(found: Found, _place: Place) -> Iterator[str]:
    free = found["disk"]["free"]
    if free < NO_SPACE:
        yield f"磁盘已满，剩余 {free // 1000} kB / the disk is full, {free // 1000} kB are left"


def _uneven(found: Found, _place: Place) -> Iterator[str]:
    if sids := found["uneven"]:
        yield f"{len(sids)} 笔成交与柜台所说的对不上，以券商对账单为准 / orders' fills do not add up to what the broker tells → orderdrop why: {shortened(sids)}"


def _stranded(found: Found, _place: Place) -> Iterator[str]:
    if homeless := found["stranded"]:
        yield (
            "委托的通道或账户已不在设置里，送不出去也听不到回报，改回设置或撤单"
            " / the settings have no such gateway or account any more, nothing becomes of these → put the settings back, or cancel:"
            f" {shortened(homeless)}"
        )


def _alarms(found: Found, _place: Place) -> Iterator[str]:
    """What a terminal told that is not ours, or does not read."""
    yield from found["alarms"]


def _early_cancels(found: Found, _place: Place) -> Iterator[str]:
    if early := found["cancels_waiting"]:
        yield f"撤单在等还没有的委托 / cancels wait for orders that nobody has given: {shortened(early)}"


def _refused(found: Found, _place: Place) -> Iterator[str]:
    """Those after which an order may stand as nobody wanted it: not of a cancel that came when its order was finished."""
    if in_vain := [row["sid"] for row in found["refused"] if row["code"] != Code.CANCEL_FINISHED]:
        yield f"撤单、放行或重发被拒 / cancels, releases or resends were refused → orderdrop drops: {shortened(in_vain)}"


def _settings(found: Found, _place: Place) -> Iterator[str]:
    if not found["settings_in_force"]:
        yield " / ".join(OTHER_SETTINGS)


PROBLEMS: Final[tuple[Callable[[Found, Place], Iterator[str]], ...]] = (
    _router, _journal, _clock, _disk, _lost, _doubtful, _nobody_takes, _waits_too_long, _unfinished, _stranded, _uneven, _alarms, _early_cancels, _refused, _settings,
)  # fmt: skip


def problems_of(found: Found, place: Place) -> list[str]:
    return [text for look in PROBLEMS for text in look(found, place)]
