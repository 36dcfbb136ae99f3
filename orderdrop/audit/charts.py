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

WIDE: Final = 1000
NARROW: Final = 350
"""Widths of a picture, for a screen and for a phone: its letters stay as large as those of the text around it."""

_NAMES: Final = 210
_VALUES: Final = 150
_LETTER: Final = 7.5
"""How wide a digit may be."""

_BARS: Final = 12
"""So many would stand beside one another at least: a day with one bar is no block."""

_BROADEST: Final = 28.0


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


def flow(minutes: int, steps: Sequence[Mapping[str, Any]], width: int = WIDE) -> str:
    """Stacked columns along the clock."""
    height, bottom, top = 250, 222, 10
    counts = {_minute(step["at"]): grouped(step["by_outcome"]) for step in steps}
    first, last = _span(min(counts), max(counts) + minutes, minutes)
    most = max(sum(one.values()) for one in counts.values())
    left = _room(f"{_nice(most):,}")
    each = (width - left) / ((last - first) / minutes)
    wide = max(1.0, min(each - 1.5, _BROADEST))
    parts = [_rule(left, width, bottom - (bottom - top) * tick / _nice(most), tick) for tick in _ticks(most)]
    for minute, one in sorted(counts.items()):
        x, y = left + (minute - first) / minutes * each + (each - wide) / 2, float(bottom)
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
    labels = max(2, int(width / 80))
    between = max(minutes, -(-(last - first) // (labels * minutes)) * minutes)
    parts += [
        f'<text x="{left + (minute - first) / minutes * each:.1f}" y="{bottom + 18}">{_clock(minute)}</text>'
        for minute in range(first, last, between)
        if left + (minute - first) / minutes * each + 5 * _LETTER <= width
    ]
    return _svg(width, height, parts, "一天的委托流量 orders through the day")


def _span(first: int, last: int, minutes: int) -> tuple[int, int]:
    """Minutes of the day, with room on both sides where there are few bars."""
    missing = _BARS - (last - first) // minutes
    if missing <= 0:
        return first, last
    first = max(0, min(first - missing // 2 * minutes, 24 * 60 - _BARS * minutes))
    return first, first + _BARS * minutes


def bars(rows: Sequence[tuple[str, Mapping[str, int]]], width: int = WIDE) -> str:
    """A stacked bar for each name; on a narrow picture below it."""
    most = max(sum(counts.values()) for _name, counts in rows)
    stacked = width < WIDE
    left = 0 if stacked else _NAMES
    room = width - left - 8 - _room(f"{most:,}")
    parts, y = [], 4
    for name, counts in rows:
        parts.append(f'<text class="ink" x="0" y="{y + 15}">{escape(_shortened(name))}</text>')
        y += 22 if stacked else 0
        x = float(left)
        for group, count in counts.items():
            wide = room * count / most
            if count:
                parts.append(
                    f'<rect class="{group}" x="{x:.1f}" y="{y}" width="{max(wide, 1):.1f}" height="20"><title>{GROUPS[group][0]} {count}</title></rect>'
                )
            x += wide
        parts.append(f'<text x="{x + 8:.1f}" y="{y + 15}">{sum(counts.values()):,}</text>')
        y += 30
    return _svg(width, y, parts, "各策略的结果 outcomes by strategy")


def latencies(rows: Sequence[tuple[str, float, float, float]], width: int = WIDE) -> str:
    """(stage, median, p95, worst) in milliseconds, on a logarithmic scale: a dot, a bar to p95, a thin one to the worst."""
    values = [max(value, 0.01) for _name, *three in rows for value in three]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 0.05)
    stacked = width < WIDE
    left, right = (26, 26) if stacked else (_NAMES, _VALUES)
    tall, down = (52, 38) if stacked else (34, 20)
    room = width - left - right

    def x(value: float) -> float:
        return left + room * (math.log10(max(value, 0.01)) - low) / max(high - low, 1)

    bottom = tall * len(rows) + 6
    parts = []
    for power in range(low, high + 1):
        at = x(10.0**power)
        parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{bottom}"/>')
        if not stacked or (power - low) % 2 == 0:
            parts.append(
                f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{duration(10.0**power)}</text>'
            )
    for number, (name, median, p95, worst) in enumerate(rows):
        y = tall * number + down
        words = y - 18 if stacked else y + 4
        told = f"<title>中位 median {duration(median)}, p95 {duration(p95)}, 最差 worst {duration(worst)}</title>"
        parts.append(
            f'<g>{told}<text class="ink" x="0" y="{words}">{escape(name)}</text>'
            f'<line class="range" x1="{x(median):.1f}" x2="{x(worst):.1f}" y1="{y}" y2="{y}"/>'
            f'<line class="range usual" x1="{x(median):.1f}" x2="{x(p95):.1f}" y1="{y}" y2="{y}"/>'
            f'<circle class="open" cx="{x(median):.1f}" cy="{y}" r="6"/>'
            f'<text class="ink" x="{width}" y="{words}" text-anchor="end">{duration(median)} · {duration(p95)}</text></g>'
        )
    return _svg(width, bottom + 22, parts, "各阶段耗时 latency of each stage")


def duration(milliseconds: float) -> str:
    """`0.24 ms`, `12 ms`, `1.5 s`, `3.2 min`."""
    for below, unit, size in ((1000, "ms", 1), (60_000, "s", 1000)):
        if abs(milliseconds) < below:
            return f"{milliseconds / size:.3g} {unit}"
    return (
        f"{milliseconds / 60_000:,.3g} min" if abs(milliseconds) < 6e6 else f"{milliseconds / 3.6e6:,.3g} h"
    )


def _room(label: str) -> float:
    """For the longest label at the edge of a picture."""
    return 14 + _LETTER * len(label)


def _svg(width: int, height: float, parts: Iterable[str], title: str) -> str:
    return f'<svg viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{title}">{"".join(parts)}</svg>'


def _rule(left: float, width: int, y: float, tick: int) -> str:
    return (
        f'<line class="grid" x1="{left:.1f}" x2="{width}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{left - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{tick:,}</text>'
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
