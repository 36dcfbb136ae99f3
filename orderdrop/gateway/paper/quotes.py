"""Reads the paper broker's reference prices: `quotes.csv` with the columns `symbol,price`, any known spelling of a symbol.

Without a header the first two columns are they; a header may name them in Chinese, too, and have others (docs/paper.md).

The file is the user's and may change at any time; it is read again when its size or time of change differs. A line that
cannot be read is told in the log and left out: an order that needs it is rejected, never priced by a guess.
"""

from __future__ import annotations

import csv
import logging
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Final

from orderdrop.domain.report import Unreadable, clean
from orderdrop.domain.report import price as price_of
from orderdrop.domain.symbol import Symbol, read_symbol

log = logging.getLogger(__name__)

_SYMBOL: Final = frozenset({"symbol", "code", "代码", "证券代码", "股票代码"})
_PRICE: Final = frozenset({"price", "last", "参考价", "价格", "最新价", "现价"})


class Quotes:
    """Reference prices in yuan, by canonical symbol. No file: no prices."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._prices: dict[str, Decimal] = {}

    def refresh(self) -> None:
        """Once for each batch or snapshot. Never raises: without a readable file there are no prices."""
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_size)
            if seen == self._seen:
                return
            text = _text(self._path.read_bytes())
        except FileNotFoundError:
            self._seen, self._prices = None, {}
        except OSError as error:
            log.warning("参考价文件读不了 / quotes cannot be read: %s: %s", self._path, error)
            self._seen, self._prices = None, {}
        else:
            try:
                self._seen, self._prices = seen, self._read(text)
            except csv.Error as error:
                log.warning("参考价文件读不了 / quotes cannot be read: %s: %s", self._path, error)
                self._seen, self._prices = seen, {}

    def price(self, symbol: str) -> Decimal | None:
        return self._prices.get(symbol)

    def _read(self, text: str) -> dict[str, Decimal]:
        prices: dict[str, Decimal] = {}
        where = (0, 1)
        for number, cells in enumerate(csv.reader(StringIO(text)), start=1):
            if not any(cell.strip() for cell in cells):
                continue
            if (named := _columns(cells)) is not None:
                where = named
                continue
            code, told = (cells[at] if at < len(cells) else "" for at in where)
            symbol, price = read_symbol(code), _price(told)
            if isinstance(symbol, Symbol) and price is not None:
                prices[symbol.text] = price
            else:
                log.warning(
                    "参考价文件第 %d 行读不懂 / line %d of the quotes is not understood: %s: %s",
                    number,
                    number,
                    self._path,
                    clean(",".join(cells)),
                )
        return prices


def _text(content: bytes) -> str:
    """Excel saves a csv in GBK; what is neither is read as far as it goes, for symbols and prices are ASCII."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", errors="replace")


def _columns(cells: list[str]) -> tuple[int, int] | None:
    """Where a header says that symbol and price are; None for a line that is no header."""
    names = [cell.strip().lower() for cell in cells]
    found = [
        next((at for at, name in enumerate(names) if name in known), None) for known in (_SYMBOL, _PRICE)
    ]
    symbol, price = found
    return None if symbol is None else (symbol, 1 if price is None else price)


def _price(text: str) -> Decimal | None:
    try:
        price = price_of(text.strip(), "price")
    except Unreadable:
        return None
    return price if price > 0 else None
