"""Checks that the market takes an order now: the phases of a trading day (docs/rules.md, "Sessions"), and the hours an order asks for itself.

Bound to it are live gateways, and others that are asked to behave like one. Too early: held until its phase comes, or refused.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from orderdrop.domain.hold import Hold
from orderdrop.domain.order import Order, OrderType
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.risk.context import Context

_LIMIT = int(OrderType.LIMIT)


class Phase(StrEnum):
    BEFORE = "盘前 / before the opening"
    OPENING_CALL = "开盘集合竞价 / opening call"
    OPENING_CALL_LOCKED = "开盘集合竞价(不可撤单) / opening call, no cancels"
    PAUSE = "竞价后静默 / pause after the call"
    MORNING = "上午连续竞价 / morning"
    NOON = "午休 / noon break"
    AFTERNOON = "下午连续竞价 / afternoon"
    CLOSING_CALL = "收盘集合竞价(不可撤单) / closing call, no cancels"
    CLOSED = "收盘 / closed"
    AFTER_HOURS = "盘后固定价格 / after-hours at a fixed price"


class _Begin(NamedTuple):
    second: int
    phase: Phase


def _at(hours: int, minutes: int) -> int:
    return hours * 3600 + minutes * 60


PHASES: tuple[_Begin, ...] = (
    _Begin(0, Phase.BEFORE),
    _Begin(_at(9, 15), Phase.OPENING_CALL),
    _Begin(_at(9, 20), Phase.OPENING_CALL_LOCKED),
    _Begin(_at(9, 25), Phase.PAUSE),
    _Begin(_at(9, 30), Phase.MORNING),
    _Begin(_at(11, 30), Phase.NOON),
    _Begin(_at(13, 0), Phase.AFTERNOON),
    _Begin(_at(14, 57), Phase.CLOSING_CALL),
    _Begin(_at(15, 0), Phase.CLOSED),
    _Begin(_at(15, 5), Phase.AFTER_HOURS),
    _Begin(_at(15, 30), Phase.CLOSED),
)
_BEGINS = [begin.second for begin in PHASES]

CONTINUOUS = frozenset({Phase.MORNING, Phase.AFTERNOON})
TAKES_LIMITS = CONTINUOUS | {Phase.OPENING_CALL, Phase.OPENING_CALL_LOCKED, Phase.CLOSING_CALL}
"""After-hours trading at a fixed price has order types of its own, which are not offered."""

NO_CANCELS = frozenset({Phase.OPENING_CALL_LOCKED, Phase.CLOSING_CALL})


def phase_at(second: int) -> Phase:
    """second: of the day, in Shanghai."""
    return PHASES[bisect_right(_BEGINS, second) - 1].phase


def end_of_phase(second: int) -> int:
    return _BEGINS[bisect_right(_BEGINS, second)]


@lru_cache(maxsize=256)
def taken_from(second: int, order_type: int) -> int | None:
    """The first second, from `second` on, in which the market takes this type of order; None: not today any more."""
    takes = TAKES_LIMITS if order_type == _LIMIT else CONTINUOUS
    if phase_at(second) in takes:
        return second
    return next((begin.second for begin in PHASES if begin.second > second and begin.phase in takes), None)


def second_of(text: str) -> int:
    """`09:31` or `09:31:05`."""
    hours, minutes, *seconds = map(int, text.split(":"))
    return _at(hours, minutes) + sum(seconds)


def clock_text(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def on_trading_day(order: Order, context: Context) -> Refusal | None:
    if not context.sessions:
        return None
    around = context.around
    if not around.bound[order.account_id]:
        return None
    if around.trading_day is None:
        return Refusal(Code.CALENDAR_UNKNOWN, value=str(around.day.year))
    return None if around.trading_day else Refusal(Code.DAY_CLOSED, value=around.day.isoformat())


def in_time(order: Order, context: Context) -> Refusal | None:
    """Refused when its phase does not come any more today, comes too late for it, or is not to be waited for."""
    if not (context.sessions or order.not_before or order.not_after):
        return None
    around = context.around
    due = _due(order, context)
    if due is None:
        return Refusal(Code.SESSION_OVER, value=clock_text(around.second))
    if order.not_after and max(due, around.second) > second_of(order.not_after):
        return Refusal(
            Code.NOT_AFTER_PASSED, "not_after", order.not_after, clock_text(max(due, around.second))
        )
    asked = second_of(order.not_before) if order.not_before else 0
    if due > max(around.second, asked) and around.outside_session == "refuse":
        return Refusal(Code.SESSION_CLOSED, value=phase_at(around.second), bound=clock_text(due))
    return None


def held_for_time(order: Order, context: Context) -> Hold | None:
    due = _due(order, context)
    around = context.around
    if due is None or due <= around.second:
        return None
    if order.not_before and due == second_of(order.not_before):
        why = Refusal(Code.HELD_NOT_BEFORE, "not_before", clock_text(due))
    else:
        why = Refusal(Code.HELD_SESSION, value=clock_text(due), bound=phase_at(around.second))
    return Hold(around.instant(due), why)


def _due(order: Order, context: Context) -> int | None:
    """The second of today from which the order may go; None: none is left."""
    around = context.around
    start = max(around.second, second_of(order.not_before)) if order.not_before else around.second
    return taken_from(start, order.order_type) if around.bound[order.account_id] else start
