"""Which securities the terminal knows, what may be ordered of them, and how the simulated ones answer. Pure.

Coarse on purpose: enough to reject what is nonsense, less than an exchange checks.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

BUY: Final = 1
SELL: Final = 2
LIMIT: Final = 1

RISK_RULE, NO_CASH, NO_POSITION, BAD_SYMBOL, BAD_VOLUME, BAD_PRICE, BAD_TYPE = 1, 2, 3, 6, 7, 8, 14
CANCEL_FINISHED, CANCEL_NOT_ALLOWED, CANCEL_PENDING = 101, 103, 104

REASONS: Final[dict[int, str]] = {
    RISK_RULE: "[Counter] [sim] 风控拒绝",
    NO_CASH: "[Counter] [sim] 可用资金不足",
    NO_POSITION: "[Counter] [sim] 可用持仓不足",
    BAD_SYMBOL: "[Counter] [sim] 证券代码不存在",
    BAD_VOLUME: "[Counter] [sim] 委托数量不合法",
    BAD_PRICE: "[Counter] [sim] 委托价格不合法",
    BAD_TYPE: "[Counter] [sim] 不支持该委托类型",
    CANCEL_FINISHED: "[Counter] [sim] 委托已完成",
    CANCEL_NOT_ALLOWED: "[Counter] [sim] 该委托不允许撤单",
    CANCEL_PENDING: "[Counter] [sim] 委托正在撤单",
}


class Kind(NamedTuple):
    """minimum and step of a purchase; t0: may be sold on the day it was bought."""

    minimum: int
    step: int
    t0: bool = False


_SHARE: Final = Kind(100, 100)
_STAR: Final = Kind(200, 1)
_BOND: Final = Kind(10, 10)
_CONVERTIBLE: Final = Kind(10, 10, t0=True)

_KINDS: Final[tuple[tuple[re.Pattern[str], Kind], ...]] = (
    (re.compile(r"SHSE\.(60[0135]|5[0-9]{2}|900)[0-9]{3}"), _SHARE),
    (re.compile(r"SHSE\.68[89][0-9]{3}"), _STAR),
    (re.compile(r"SHSE\.11[0-9]{4}"), _CONVERTIBLE),
    (re.compile(r"SHSE\.0(10|18|19|20)[0-9]{3}"), _BOND),
    (re.compile(r"SZSE\.(00[0-3]|30[01]|15[0-9]|16[0-9]|200)[0-9]{3}"), _SHARE),
    (re.compile(r"SZSE\.12[0-9]{4}"), _CONVERTIBLE),
)
_TYPES: Final = {"SHSE": frozenset({1, 2, 20, 21, 24, 25}), "SZSE": frozenset({1, 2, 20, 21, 22, 23, 24})}
_FINEST_TICK: Final = Decimal("0.001")


class Answer(NamedTuple):
    """parts: the number of fills; whole: together they are all of the order, else half of it."""

    parts: int
    whole: bool
    cancelable: bool = True
    rejected: bool = False


_FULL: Final = Answer(1, whole=True)
_TWO_FILLS: Final = Answer(2, whole=True)
_HALF: Final = Answer(1, whole=False)
_PENDING: Final = Answer(0, whole=False)
_REJECT: Final = Answer(0, whole=False, rejected=True)
_HALF_STUCK: Final = Answer(1, whole=False, cancelable=False)

_ANSWERS: Final[dict[str, Answer]] = {
    "SZSE.000572": _FULL,
    "SZSE.000725": _FULL,
    "SZSE.000002": _TWO_FILLS,
    "SZSE.000001": _HALF,
    "SZSE.000004": _HALF,
    "SHSE.018014": _PENDING,
    "SHSE.020417": _PENDING,
    "SZSE.000010": _REJECT,
    "SHSE.010609": _REJECT,
    "SZSE.000008": _HALF_STUCK,
    "SZSE.000151": _HALF_STUCK,
}


@lru_cache(maxsize=16_384)
def kind_of(symbol: str) -> Kind | None:
    return next((kind for pattern, kind in _KINDS if pattern.fullmatch(symbol)), None)


def answer_of(symbol: str) -> Answer:
    return _ANSWERS.get(symbol, _FULL)


def fills_of(symbol: str, volume: int) -> tuple[int, ...]:
    """The volumes of an order's fills, one after the other. A half is rounded down to 100 if it is that much."""
    answer = answer_of(symbol)
    half = volume // 2 // 100 * 100 or volume // 2
    if answer.parts == 2:
        parts: tuple[int, ...] = (half, volume - half)
    elif answer.parts == 1:
        parts = (volume if answer.whole else half,)
    else:
        parts = ()
    return tuple(part for part in parts if part)


def objection(symbol: str, order_type: int, business: int, volume: int, price: Decimal | None) -> int:
    """The reject reason of an order that is wrong in itself, else 0. price: None when it cannot be read."""
    kind = kind_of(symbol)
    if kind is None:
        return BAD_SYMBOL
    if order_type not in _TYPES[symbol[:4]] or business not in {BUY, SELL}:
        return BAD_TYPE
    if volume <= 0 or (business == BUY and (volume < kind.minimum or volume % kind.step)):
        return BAD_VOLUME
    if price is None or price % _FINEST_TICK or (order_type == LIMIT and not price):
        return BAD_PRICE
    return 0
