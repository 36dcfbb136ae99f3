"""Tells the day's securities as a QMT terminal knows them, through the vendor's module xtdata. Runs in its own process (securities_query.py).

The terminal renews these data at about nine o'clock. Until then they are those of an earlier day and would be wrong, so each needs a proof of
its day: its TradingDay, or a quote of today with the same previous close.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from orderdrop.domain.board import Board, board_of
from orderdrop.domain.security import Security, told
from orderdrop.gateway.miniqmt.codes import symbol_of
from orderdrop.gateway.miniqmt.session import offline
from orderdrop.gateway.securities_query import answer
from orderdrop.system.clock import SHANGHAI

_MARKETS: Final = ["SH", "SZ", "BJ"]
_OF_SHARES: Final = frozenset({"stock", "fund"})
"""Bonds are counted in pieces or in lots, as the broker likes, so what the terminal says of their volumes is not taken."""


def find(question: Mapping[str, Any]) -> Iterator[Security]:
    """question: day, as `20261120`. Raises what the vendor's package raises."""
    with offline():
        from xtquant import xtdata  # noqa: PLC0415  it is an extra, and heavy
    xtdata.enable_hello = False
    xtdata.connect()
    for code, quote in xtdata.get_full_tick(_MARKETS).items():
        symbol = symbol_of(code)
        board = board_of(symbol)
        detail = None if board is None else xtdata.get_instrument_detail(code, iscomplete=True)
        if board is not None and detail and is_of(question["day"], detail, quote):
            yield security(symbol, board, detail)


def is_of(day: str, detail: Mapping[str, Any], quote: Mapping[str, Any]) -> bool:
    """Whether a detail is proven to be of the day."""
    if str(detail.get("TradingDay")) == day:
        return True
    close = detail.get("PreClose")
    return bool(close) and quote.get("lastClose") == close and _day_of(quote) == day


def _day_of(quote: Mapping[str, Any]) -> str:
    text = str(quote.get("timetag") or "")
    if text or not quote.get("time"):
        return text[:8]
    return f"{datetime.fromtimestamp(quote['time'] / 1000, SHANGHAI):%Y%m%d}"


def security(symbol: str, board: Board, detail: Mapping[str, Any]) -> Security:
    """From the vendor's words. A detail that counts days of suspension is suspended; 0 may be the first of them, so it says nothing."""
    name = str(detail.get("InstrumentName") or "")
    shares = board.kind in _OF_SHARES
    return told(
        symbol,
        previous_close=detail.get("PreClose") or 0,
        lower=detail.get("DownStopPrice") or 0,
        upper=detail.get("UpStopPrice") or 0,
        tick=detail.get("PriceTick") or 0,
        max_limit=(detail.get("MaxLimitOrderVolume") or 0) if shares else 0,
        max_market=(detail.get("MaxMarketOrderVolume") or 0) if shares and board.max_market else 0,
        st="ST" in name.upper() if name and board.kind == "stock" else None,
        suspended=True if (detail.get("InstrumentStatus") or 0) > 0 else None,
        name=name,
    )


if __name__ == "__main__":
    answer(find)
