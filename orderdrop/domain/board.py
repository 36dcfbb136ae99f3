"""Owns what the exchanges' rules make of a code: board, lot, tick, maxima, daily limit.

The figures are those of docs/rules.md ("Quantity, tick, daily limit", November 2026). A figure marked (?) there is uncertain and
the stricter value stands here. Where a terminal delivers the day's instrument data, that wins over this table.
Listing day, ST and a fund's T+0 flag are never inferred from a code.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Literal, NamedTuple

Exchange = Literal["SHSE", "SZSE", "BJSE"]
Kind = Literal["stock", "fund", "bond", "repo", "b_share"]


class Board(NamedTuple):
    """The rules of one board. Volumes in shares, fund units or bonds (of 100 yuan face value); prices in its currency.

    lot: a purchase is a multiple of it. minimum, step: the least purchase, and what may be added to it.
    odd_below: a holding's remainder below this may be sold, whole; 0: not at all.
    max_limit, max_market: the largest single order; max_market is None where there are no market orders.
    limit_percent: the widest daily limit that the code alone tells; None: none that we know.
    cage_percent, cage_ticks: how far a limit order may reach beyond the last price, whichever is more; None: no cage.
    """

    name: str
    exchange: Exchange
    prefixes: tuple[str, ...]
    kind: Kind
    lot: int
    minimum: int
    step: int
    odd_below: int
    max_limit: int
    max_market: int | None
    tick: Decimal
    decimals: int
    limit_percent: int | None
    market_orders: bool = True
    sell_only: bool = False
    t0: bool = False
    cage_percent: int | None = None
    cage_ticks: int = 0


_CENT = Decimal("0.01")
_MILL = Decimal("0.001")
_MILLION = 1_000_000

_FUNDS = (*(f"50{n}" for n in range(10) if n != 8), *(f"5{n}" for n in range(1, 10)))
"""All that begin with 5, but for the REITs at 508."""

BOARDS: tuple[Board, ...] = (
    Board(
        "上交所主板 SSE main",
        "SHSE",
        ("600", "601", "603", "605"),
        "stock",
        lot=100,
        minimum=100,
        step=100,
        odd_below=100,
        max_limit=_MILLION,
        max_market=_MILLION,
        tick=_CENT,
        decimals=2,
        limit_percent=10,  # ST too, since 2026-07-06
        cage_percent=2,
        cage_ticks=10,
    ),
    Board(
        "科创板 STAR",
        "SHSE",
        ("688", "689"),
        "stock",
        lot=1,
        minimum=200,
        step=1,
        odd_below=200,
        max_limit=100_000,
        max_market=50_000,
        tick=_CENT,
        decimals=2,
        limit_percent=20,
        cage_percent=2,  # (?)
    ),
    Board(
        "深交所主板 SZSE main",
        "SZSE",
        ("000", "001", "002", "003"),
        "stock",
        lot=100,
        minimum=100,
        step=100,
        odd_below=100,
        max_limit=_MILLION,
        max_market=_MILLION,
        tick=_CENT,
        decimals=2,
        limit_percent=10,
        cage_percent=2,
        cage_ticks=10,
    ),
    Board(
        "创业板 ChiNext",
        "SZSE",
        ("300", "301", "302"),
        "stock",
        lot=100,
        minimum=100,
        step=100,
        odd_below=100,
        max_limit=300_000,
        max_market=150_000,
        tick=_CENT,
        decimals=2,
        limit_percent=20,
        cage_percent=2,
        cage_ticks=10,
    ),
    Board(
        "北交所 BSE",
        "BJSE",
        ("92", "4", "8"),  # 4 and 8: the older codes
        "stock",
        lot=1,
        minimum=100,
        step=1,
        odd_below=100,
        max_limit=_MILLION,
        max_market=_MILLION,
        tick=_CENT,
        decimals=2,
        limit_percent=30,
        cage_percent=5,
        cage_ticks=10,
    ),
    Board(
        "沪市基金 SSE fund",
        "SHSE",
        _FUNDS,
        "fund",
        lot=100,
        minimum=100,
        step=100,
        odd_below=100,
        max_limit=_MILLION,  # (?)
        max_market=_MILLION,  # (?)
        tick=_MILL,
        decimals=3,
        limit_percent=20,  # 10 or 20 by fund; the code does not tell, so the wider one
    ),
    Board(
        "深市基金 SZSE fund",
        "SZSE",
        ("15", "16"),
        "fund",
        lot=100,
        minimum=100,
        step=100,
        odd_below=100,
        max_limit=_MILLION,  # (?)
        max_market=_MILLION,  # (?)
        tick=_MILL,
        decimals=3,
        limit_percent=20,  # as above
    ),
    Board(
        "沪市REITs SSE REIT",
        "SHSE",
        ("508",),
        "fund",
        lot=100,
        minimum=100,
        step=100,
        odd_below=100,
        max_limit=_MILLION,  # (?) as funds, far below what is told
        max_market=None,
        tick=_MILL,
        decimals=3,
        limit_percent=10,  # 30 on the first day, which a code does not tell
        market_orders=False,  # (?)
    ),
    Board(
        "深市REITs SZSE REIT",
        "SZSE",
        ("180",),
        "fund",
        lot=100,
        minimum=100,
        step=100,
        odd_below=100,
        max_limit=_MILLION,  # (?) as funds, far below what is told
        max_market=None,
        tick=_MILL,
        decimals=3,
        limit_percent=10,  # 30 on the first day, which a code does not tell
        market_orders=False,  # (?)
    ),
    Board(
        "沪市可转债 SSE convertible",
        "SHSE",
        ("11",),
        "bond",
        lot=10,
        minimum=10,
        step=10,
        odd_below=10,  # (?)
        max_limit=_MILLION,  # docs/rules.md: "large"; 100 million yuan of face value is the strictest known
        max_market=None,
        tick=_MILL,  # (?)
        decimals=3,
        limit_percent=20,
        market_orders=False,
        t0=True,
    ),
    Board(
        "深市可转债 SZSE convertible",
        "SZSE",
        ("12",),
        "bond",
        lot=10,
        minimum=10,
        step=10,
        odd_below=10,  # (?)
        max_limit=_MILLION,  # as above
        max_market=None,
        tick=_MILL,  # (?)
        decimals=3,
        limit_percent=20,
        market_orders=False,
        t0=True,
    ),
    Board(
        "沪市国债 SSE treasury bond",
        "SHSE",
        ("010", "018", "019", "020"),  # 掘金's simulated symbols 010609, 018014, 020417 are such
        "bond",
        lot=10,
        minimum=10,
        step=10,
        odd_below=10,  # (?) as convertibles
        max_limit=_MILLION,  # (?) as convertibles
        max_market=None,
        tick=_MILL,
        decimals=3,
        limit_percent=None,
        market_orders=False,  # (?) as convertibles
    ),
    Board(
        "沪市逆回购 SSE repo",
        "SHSE",
        ("204",),
        "repo",
        lot=10,
        minimum=10,
        step=10,
        odd_below=0,
        max_limit=_MILLION,  # "large"
        max_market=None,
        tick=Decimal("0.005"),  # (?)
        decimals=3,
        limit_percent=None,
        market_orders=False,
        sell_only=True,
    ),
    Board(
        "深市逆回购 SZSE repo",
        "SZSE",
        ("131",),
        "repo",
        lot=10,
        minimum=10,
        step=10,
        odd_below=0,
        max_limit=_MILLION,  # "large"
        max_market=None,
        tick=Decimal("0.005"),  # (?)
        decimals=3,
        limit_percent=None,
        market_orders=False,
        sell_only=True,
    ),
    Board(
        "沪市B股 SSE B share",
        "SHSE",
        ("900",),
        "b_share",
        lot=100,  # (?)
        minimum=100,
        step=100,
        odd_below=0,  # not stated
        max_limit=_MILLION,  # not stated
        max_market=None,
        tick=_MILL,  # USD
        decimals=3,
        limit_percent=10,
        market_orders=False,  # not stated
    ),
    Board(
        "深市B股 SZSE B share",
        "SZSE",
        ("200",),
        "b_share",
        lot=100,  # (?)
        minimum=100,
        step=100,
        odd_below=0,  # not stated
        max_limit=_MILLION,  # not stated
        max_market=None,
        tick=_CENT,  # HKD
        decimals=2,
        limit_percent=10,
        market_orders=False,  # not stated
    ),
)
"""No prefix of one exchange is the beginning of another's; a test holds that."""

REMEMBERED = 16_384
"""Symbols whose boards are kept in mind."""


_BY_PREFIX = {
    prefix: tuple(board for board in BOARDS if prefix in board.prefixes)
    for prefix in (prefix for board in BOARDS for prefix in board.prefixes)
}
_LENGTHS = sorted({len(prefix) for prefix in _BY_PREFIX})


class _Boards(dict[str, Board | None]):
    """The board of each symbol that was asked for."""

    def __missing__(self, symbol: str) -> Board | None:
        exchange, _, code = symbol.partition(".")
        board = next((board for board in boards_of_code(code) if board.exchange == exchange), None)
        if len(self) >= REMEMBERED:
            self.clear()
        self[symbol] = board
        return board


boards = _Boards()
board_of: Callable[[str], Board | None] = boards.__getitem__
"""The board of a canonical symbol such as `SHSE.600000`; None when its exchange has no board for the code."""


def boards_of_code(code: str) -> tuple[Board, ...]:
    """The boards, of any exchange, that a bare code of six ASCII digits fits; none for anything else."""
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        return ()
    return tuple(board for length in _LENGTHS for board in _BY_PREFIX.get(code[:length], ()))
