"""Reads what a terminal says of a security for one day. Pure.

Refuses what cannot be: the day's lowest and highest price count only as a pair that holds the previous close between them and does not reach
beyond twice of it. Anything else is how a terminal says that there is no limit, or that it does not know. The previous close counts only with
them: on its first days a security has no limit, and the general percentage must not make one of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

_DIGITS: Final = 4
_WIDEST: Final = 2
_BEYOND: Final = 1_000_000.0
"""No price and no tick of ours is as high; a terminal writes such numbers where it has none."""


_ENDLESS: Final = 1 << 53
"""A terminal writes such counts where there is no end, and where it does not know."""


class Security(NamedTuple):
    """Prices in its currency, volumes as in orders. None: the terminal does not say. lower, upper: with previous_close, or none of them."""

    symbol: str
    previous_close: Decimal | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None
    tick: Decimal | None = None
    max_limit: int | None = None
    max_market: int | None = None
    st: bool | None = None
    suspended: bool | None = None
    name: str = ""

    @property
    def cells(self) -> list[str]:
        """As texts, in the order of the fields; "": not said."""
        return [_text(value) for value in self]


def told(
    symbol: str, *, previous_close: float = 0, lower: float = 0, upper: float = 0, tick: float = 0,
    max_limit: int = 0, max_market: int = 0, st: bool | None = None, suspended: bool | None = None, name: str = "",
) -> Security:  # fmt: skip
    """From a terminal's numbers, in which 0 means nothing."""
    close, low, high = map(_price, (previous_close, lower, upper))
    if close is None or low is None or high is None or not low <= close <= high <= _WIDEST * close:
        close = low = high = None
    return Security(
        symbol,
        close,
        low,
        high,
        _price(tick),
        _volume(max_limit),
        _volume(max_market),
        st,
        suspended,
        name.strip(),
    )


def read(cells: Sequence[str]) -> Security:
    """What `cells` made, and perhaps more behind it. Raises ValueError or ArithmeticError for anything else."""
    if len(cells) < len(Security._fields):
        raise ValueError(cells)
    prices = [Decimal(cell) if cell else None for cell in cells[1:5]]
    volumes = [int(cell) if cell else None for cell in cells[5:7]]
    flags = [bool(int(cell)) if cell else None for cell in cells[7:9]]
    return Security(cells[0], *prices, *volumes, *flags, cells[9])  # type: ignore[call-arg,arg-type]


def _price(value: float) -> Decimal | None:
    """Terminals calculate in binary: 0.05470000000000001 is 0.0547."""
    if not 0 < value < _BEYOND:
        return None
    return Decimal(str(round(value, _DIGITS))) or None


def _volume(value: int) -> int | None:
    return int(value) if 0 < value < _ENDLESS else None


def _text(value: object) -> str:
    return "" if value is None else str(int(value)) if isinstance(value, bool) else str(value)


class Instrument(NamedTuple):
    """What is known of a security today. Prices in its currency; None: not known. unlimited: it has no daily limit today. suspended: a terminal says so."""

    previous_close: Decimal | None = None
    last: Decimal | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None
    limit_percent: Decimal | None = None
    unlimited: bool = False
    st: bool | None = None
    suspended: bool = False

    @property
    def reference(self) -> Decimal | None:
        return self.last if self.last is not None else self.previous_close
