"""Judges by the heartbeat whether the router is well. Pure: what is looked at is handed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

LATE: Final = 8.0
"""Seconds without a beat after which the router is late: it hangs, or a turn of it takes very long."""

STARTING: Final = 60.0
"""Seconds that a start may take before the first beat."""


def age(beat: Mapping[str, Any], *, ticks: float, now: float, same_boot: bool) -> float:
    """Seconds since the beat. ticks, now: what the machine counts, and what its clock shows, in seconds; same_boot: of this machine, too."""
    by_ticks = ticks - float(beat.get("mono") or 0)
    if same_boot and by_ticks >= 0:
        return by_ticks
    try:
        return now - datetime.fromisoformat(str(beat.get("at"))).timestamp()
    except ValueError:
        return now


def problems(beat: Mapping[str, Any] | None, seconds: float | None) -> Iterator[str]:
    """What is wrong with a router that runs, in both languages. seconds: how old the beat is, or how long ago it started without any."""
    if beat is None:
        if seconds is not None and seconds > STARTING:
            yield f"路由器启动 {seconds:.0f} 秒仍无心跳 / the router was started {seconds:.0f} s ago and gives no sign of life"
        return
    if seconds is not None and seconds > LATE:
        yield (
            f"路由器 {seconds:.0f} 秒没有动静，可能卡住：现在不接收委托和撤单 / the router has given no sign of life for {seconds:.0f} s;"
            " it may hang: neither orders nor cancels are taken"
        )
    if beat.get("fault"):
        yield f"停止接收新委托 / no new orders are taken: {beat['fault']}"
    for name, gateway in (beat.get("gateways") or {}).items():
        if gateway.get("silent"):
            why = gateway.get("why") or ""
            yield f"{name}: 读不到回报 / no reports: {why}".rstrip(": ")
    for fault in beat.get("chores") or []:
        yield f"收尾工作失败，将重试 / housekeeping failed, will be tried again: {fault}"
