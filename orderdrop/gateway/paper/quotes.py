"""Reads the paper broker's reference prices: `quotes.csv` with lines `symbol,price`, any known spelling of a symbol.

The file is the user's and may change at any time; it is read again when its size or time of change differs. A line that
cannot be read is told in the log and left out: an order that needs it is rejected, never priced by a guess.
"""

from __future__ import annotations

import csv
import logging
from decimal import Decimal
from io import StringIO
from pathlib import Path

from orderdrop.domain.report import Unreadable, clean
from orderdrop.domain.report import price as price_of
from orderdrop.domain.symbol import Symbol, read_symbol

log = logging.getLogger(__name__)


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
            # Symbols and prices are ASCII; a comment column in GBK does not matter.
            text = self._path.read_text(encoding="utf-8-sig", errors="replace")
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
        prices = {}
        for number, cells in enumerate(csv.reader(StringIO(text)), start=1):
            if not cells or cells[0].strip().lower() in {"symbol", "代码", ""}:
                continue
            symbol, price = read_symbol(cells[0]), _price(cells[1] if len(cells) > 1 else "")
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


def _price(text: str) -> Decimal | None:
    try:
        price = price_of(text.strip(), "price")
    except Unreadable:
        return None
    return price if price > 0 else None
