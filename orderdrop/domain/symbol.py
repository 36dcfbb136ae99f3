"""Owns how a security is spelled: every spelling in use (docs/protocol.md, section 4) becomes `SHSE.600000`.

Mended, and said in the note: full-width characters, and the zeros that Excel takes from `000001`. Refused: a bare code that
fits no board or several exchanges. Whether a spelled-out exchange has such a code is a check's business.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from orderdrop.domain.board import boards_of_code
from orderdrop.domain.refusal import Code, Refusal

FULL_WIDTH = {0xFEE0 + ascii_: ascii_ for ascii_ in range(0x21, 0x7F)} | {0x3000: 0x20}
"""For str.translate: full-width forms only. NFKC would turn `10²` into `102`."""

SPACES = " \u3000\u00a0"
"""What may surround a value: the space bar's, the Chinese input method's, the web page's."""

_EXCHANGES = {
    "SHSE": "SHSE",
    "SH": "SHSE",
    "XSHG": "SHSE",
    "SSE": "SHSE",  # vn.py, tqsdk
    "SS": "SHSE",  # Yahoo
    "SHA": "SHSE",  # BigQuant
    "SZSE": "SZSE",
    "SZ": "SZSE",
    "XSHE": "SZSE",
    "SZA": "SZSE",
    "BJSE": "BJSE",
    "BJ": "BJSE",
    "BSE": "BJSE",  # vn.py
    "BJA": "BJSE",
}
_NAMED = "|".join(sorted(_EXCHANGES, key=len, reverse=True))
_CANONICAL = re.compile(r"(?:SHSE|SZSE|BJSE)\.[0-9]{6}")
_PREFIXED = re.compile(rf"(?:({_NAMED})[.:]|(SH|SZ|BJ))([0-9]{{6}})")
_SUFFIXED = re.compile(rf"([0-9]{{6}})\.({_NAMED})")
_BARE = re.compile(r"[0-9]{1,6}")


class Symbol(NamedTuple):
    """text: canonical. note: what was mended, "" when nothing was."""

    text: str
    note: str


def read_symbol(text: str) -> Symbol | Refusal:
    """The refusal's column is left empty: the caller knows it."""
    if _CANONICAL.fullmatch(text):
        return Symbol(text, "")
    half_width = text.translate(FULL_WIDTH)
    folded = half_width.strip(SPACES).upper() if half_width.isascii() else half_width
    symbol = _spelled(folded) or _bare(folded, text)
    if isinstance(symbol, Symbol) and half_width != text:
        note = (
            f"{text} → {symbol.text} 全角 full-width"
            if not symbol.note
            else f"{symbol.note}, 全角 full-width"
        )
        return Symbol(symbol.text, note)
    return symbol


def _spelled(text: str) -> Symbol | None:
    if match := _PREFIXED.fullmatch(text):
        return Symbol(f"{_EXCHANGES[match[1] or match[2]]}.{match[3]}", "")
    if match := _SUFFIXED.fullmatch(text):
        return Symbol(f"{_EXCHANGES[match[2]]}.{match[1]}", "")
    return None


_KIND_OF_MARKET = r"(?:证券交易所|交易所|市场|市主板|主板|市|板)?[AB]?[股板]?"
_MARKETS = {
    exchange: re.compile(rf"(?:{names}){_KIND_OF_MARKET}")
    for exchange, names in {
        "SHSE": "沪|上海|上交所?|上证所?|科创|SHSE|SSE|SH|XSHG|SS",
        "SZSE": "深|深圳|深交所?|深证所?|创业|SZSE|SZ|XSHE",
        "BJSE": "京|北京|北交所?|北证|BJSE|BSE|BJ",
    }.items()
}


def exchange_of_market(text: str) -> str | None:
    """The exchange that a cell of a market column names; None for one that nobody trades through here, or that is none."""
    name = text.translate(FULL_WIDTH).strip(SPACES).upper()
    return next((exchange for exchange, names in _MARKETS.items() if names.fullmatch(name)), None)


def with_market(text: str, market: str) -> str | Refusal:
    """A symbol's cell beside the cell of a market column: the exchange is spelled out where the code alone does not say it.

    Refused: a market that is not known, and one that contradicts the code.
    """
    if not market.strip(SPACES):
        return text
    exchange, symbol = exchange_of_market(market), read_symbol(text)
    if isinstance(symbol, Symbol):
        return (
            text
            if symbol.text.startswith(f"{exchange}.")
            else Refusal(Code.SYMBOL_MARKET, value=text, bound=market)
        )
    if exchange is None:
        return Refusal(Code.SYMBOL_MARKET, value=text, bound=market) if text.strip(SPACES) else text
    code = text.translate(FULL_WIDTH).strip(SPACES)
    return f"{exchange}.{code.zfill(6)}" if _BARE.fullmatch(code) and code.strip("0") else text


def _bare(code: str, text: str) -> Symbol | Refusal:
    if not _BARE.fullmatch(code) or not code.strip("0"):  # a cell of zeros is an empty one
        return Refusal(Code.SYMBOL_BAD, value=text)
    padded = code.zfill(6)
    fitting = [f"{board.exchange}.{padded}" for board in boards_of_code(padded)]
    if not fitting:
        return Refusal(Code.SYMBOL_BAD, value=text)
    if len(fitting) > 1:
        return Refusal(Code.SYMBOL_AMBIGUOUS, value=text, bound=", ".join(fitting))
    return Symbol(fitting[0], "" if padded == code else f"{code} → {fitting[0]} 补零 zeros restored")
