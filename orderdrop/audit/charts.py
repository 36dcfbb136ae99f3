"""Draws the report's pictures as SVG: the flow through the day, outcomes of each strategy, latencies. Nothing is fetched."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from orderdrop.domain.status import Status
from orderdrop.system.csv_tables import harmless

GROUPS: Final[dict[str, tuple[str, tuple[Status, ...]]]] = {
    "filled": ("全部成交 filled", (Status.FILLED,)),
    "partial": ("部分成交 partial", (Status.PARTIALLY_FILLED,)),
    "open": (
        "在途 open",
        (
            Status.NEW, Status.PENDING_NEW, Status.PENDING_CANCEL, Status.SUBMITTED, Status.SUBMITTING, Status.READY,
            Status.HELD, Status.RECEIVED,
        ),
    ),
    "ended": ("已撤过期 ended", (Status.CANCELED, Status.EXPIRED)),
    "rejected": ("柜台拒绝 rejected", (Status.REJECTED,)),
    "denied": ("检查拒绝 denied", (Status.DENIED,)),
    "doubt": ("状态不明 unknown", (Status.UNKNOWN, Status.SUSPENDED)),
}  # fmt: skip
"""A colour's class, its name, and what belongs to it."""

_WIDTH: Final = 1000
_LEFT: Final = 44
_NAMES: Final = 210
_VALUES: Final = 150


def grouped(by_outcome: Mapping[str, int]) -> dict[str, int]:
    return {
        name: sum(by_outcome.get(status, 0) for status in statuses)
        for name, (_words, statuses) in GROUPS.items()
    }


def legend(counts: Iterable[Mapping[str, int]]) -> str:
    """Of the groups that occur."""
    seen = {name for one in counts for name, count in one.items() if count}
    items = (
        f'<li><i class="{name}"></i>{words}</li>'
        for name, (words, _statuses) in GROUPS.items()
        if name in seen
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def flow(minutes: int, steps: Sequence[Mapping[str, Any]]) -> str:
    """Stacked columns along the clock."""
    height, bottom, top = 250, 222, 10
    counts = {_minute(step["at"]): grouped(step["by_outcome"]) for step in steps}
    first, last = min(counts), max(counts) + minutes
    most = max(sum(one.values()) for one in counts.values())
    each = (_WIDTH - _LEFT) / ((last - first) / minutes)
    wide = max(1.0, min(each - 1.5, 46.0))
    parts = [_rule(bottom - (bottom - top) * tick / _nice(most), tick) for tick in _ticks(most)]
    for minute, one in sorted(counts.items()):
        x, y = _LEFT + (minute - first) / minutes * each + (each - wide) / 2, float(bottom)
        told = ", ".join(f"{GROUPS[name][0]} {count}" for name, count in one.items() if count)
        bars = []
        for name, count in one.items():
            tall = (bottom - top) * count / _nice(most)
            y -= tall
            if count:
                bars.append(
                    f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}"/>'
                )
        parts.append(f"<g><title>{_clock(minute)}  {told}</title>{''.join(bars)}</g>")
    between = max(minutes, -(-(last - first) // (12 * minutes)) * minutes)
    parts += [
        f'<text x="{_LEFT + (minute - first) / minutes * each:.1f}" y="{bottom + 18}">{_clock(minute)}</text>'
        for minute in range(first, last, between)
    ]
    return _svg(height, parts, "一天的委托流量 orders through the day")


def bars(rows: Sequence[tuple[str, Mapping[str, int]]]) -> str:
    """A stacked bar for each name."""
    most = max(sum(counts.values()) for _name, counts in rows)
    room = _WIDTH - _NAMES - 60
    parts, y = [], 4
    for name, counts in rows:
        parts.append(f'<text class="ink" x="0" y="{y + 15}">{escape(_shortened(name))}</text>')
        x = float(_NAMES)
        for group, count in counts.items():
            wide = room * count / most
            if count:
                parts.append(
                    f'<rect class="{group}" x="{x:.1f}" y="{y}" width="{max(wide, 1):.1f}" height="20"><title>{GROUPS[group][0]} {count}</title></rect>'
                )
            x += wide
        parts.append(f'<text x="{x + 8:.1f}" y="{y + 15}">{sum(counts.values()):,}</text>')
        y += 30
    return _svg(y, parts, "各策略的结果 outcomes by strategy")


def latencies(rows: Sequence[tuple[str, float, float, float]]) -> str:
    """(stage, median, p95, worst) in milliseconds, on a logarithmic scale: a dot, a bar to p95, a thin one to the worst."""
    values = [max(value, 0.01) for _name, *three in rows for value in three]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 0.05)
    room = _WIDTH - _NAMES - _VALUES

    def x(value: float) -> float:
        return _NAMES + room * (math.log10(max(value, 0.01)) - low) / max(high - low, 1)

    bottom = 34 * len(rows) + 6
    parts = []
    for power in range(low, high + 1):
        at = x(10.0**power)
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{bottom}"/>')
        parts.append(
            f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{duration(10.0**power)}</text>'
        )
    for number, (name, median, p95, worst) in enumerate(rows):
        y = 34 * number + 20
        told = f"<title>中位 median {duration(median)}, p95 {duration(p95)}, 最差 worst {duration(worst)}</title>"
        parts.append(
            f'<g>{told}<text class="ink" x="0" y="{y + 4}">{escape(name)}</text>'
            f'<line class="range" x1="{x(median):.1f}" x2="{x(worst):.1f}" y1="{y}" y2="{y}"/>'
            f'<line class="range usual" x1="{x(median):.1f}" x2="{x(p95):.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="open" cx="{x(median):.1f}" cy="{y}" r="6"/>'
            f'<text class="ink" x="{_WIDTH}" y="{y + 4}" text-anchor="end">{duration(median)} · {duration(p95)}</text></g>'
        )
    return _svg(bottom + 22, parts, "各阶段耗时 latency of each stage")


def duration(milliseconds: float) -> str:
    """`0.24 ms`, `12 ms`, `1.5 s`, `3.2 min`."""
    for below, unit, size in ((1000, "ms", 1), (60_000, "s", 1000)):
        if abs(milliseconds) < below:
            return f"{milliseconds / size:.3g} {unit}"
    return (
        f"{milliseconds / 60_000:,.3g} min" if abs(milliseconds) < 6e6 else f"{milliseconds / 3.6e6:,.3g} h"
    )


def _svg(height: float, parts: Iterable[str], title: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{title}">{"".join(parts)}</svg>'


def _rule(y: float, tick: int) -> str:
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:,}</text>'
    )


def _ticks(most: int) -> list[int]:
    top = _nice(most)
    return sorted({0, top // 2, top} if top % 2 == 0 else {0, top})


def _nice(most: int) -> int:
    """A round number that is not below."""
    power: int = 10 ** (len(str(most)) - 1)
    return min(size * power for size in (1, 2, 4, 6, 8, 10) if size * power >= most)


def _minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _shortened(name: str, at_most: int = 18) -> str:
    text = harmless(name)
    return text if len(text) <= at_most else f"{text[: at_most - 1]}…"
