"""Knows each security as it is today: by instruments.csv (or .parquet), else by what a gateway's terminal has told. Both win over the boards' general rules.

The file is the user's and may change at any time. Its prices count on the day it was written, its last prices for a while only. A line
that cannot be read is told in the log and left out. What it says wins over the terminal: somebody wrote it on purpose, and it is the way out when a
terminal is wrong.
"""

from __future__ import annotations

import csv
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from orderdrop.config.sections import InstrumentSettings
from orderdrop.domain.board import Board, board_of
from orderdrop.domain.report import HIGHEST_PRICE, number
from orderdrop.domain.security import Instrument, Security
from orderdrop.domain.symbol import Symbol, read_symbol
from orderdrop.errors import ConfigError
from orderdrop.system.clock import Micros, trade_date
from orderdrop.system.extras import library
from orderdrop.system.lazy import Lazy

log = logging.getLogger(__name__)

_NAMES: Final = {
    "symbol": "symbol 代码 证券代码",
    "previous_close": "previous_close pre_close 昨收 昨收价",
    "last": "last 最新价 现价",
    "lower": "lower lower_limit 跌停价",
    "upper": "upper upper_limit 涨停价",
    "limit_percent": "limit_percent 涨跌幅",
    "unlimited": "unlimited 无涨跌幅",
    "st": "st is_st",
    "tick": "tick 最小变动价位",
    "minimum": "minimum 最小买入",
    "step": "step 数量单位",
    "max_limit": "max_limit 限价上限",
    "max_market": "max_market 市价上限",
}
COLUMNS: Final = {word: column for column, words in _NAMES.items() for word in words.split()}
BOARD_FACTS: Final = ("tick", "minimum", "step", "max_limit", "max_market")


class _Known(NamedTuple):
    """A line: its prices and flags, and what it changes of the board."""

    instrument: Instrument
    board: dict[str, Decimal | int]


_NOTHING: Final = _Known(Instrument(), {})


class Delivered(NamedTuple):
    """What terminals have told of the securities of one day, by symbol; the first that knows one wins. Never changed, only replaced."""

    day: date
    told: tuple[Mapping[str, Security], ...]

    def of(self, symbol: str) -> Security | None:
        return next((securities[symbol] for securities in self.told if symbol in securities), None)


NOTHING_DELIVERED: Final = Delivered(date.min, ())


class Instruments:
    """By canonical symbol; a line of the file for `SHSE.204*` is about all that begin so."""

    def __init__(
        self,
        settings: InstrumentSettings,
        root: Path,
        delivered: Callable[[], Delivered] = lambda: NOTHING_DELIVERED,
    ) -> None:
        """delivered: what the terminals have told so far."""
        self._path = root / settings.path
        self._told = delivered
        self._delivered = NOTHING_DELIVERED
        self._last_age = settings.last_age
        self._stamp: tuple[int, int] | None = None
        self._lines: dict[str, _Known] = {}
        self._patterns: dict[str, _Known] = {}
        self._boards = Lazy(self._board)

    @property
    def there(self) -> bool:
        return bool(self._lines or self._patterns or self._delivered.told)

    def refresh(self, day: date = date.min) -> None:
        """Once for each batch, with the day that it is judged on. What cannot be read just now, because somebody is writing it, stays as it was."""
        delivered = self._told()
        if delivered.day != day:
            delivered = NOTHING_DELIVERED
        if delivered is not self._delivered:
            self._delivered = delivered
            self._boards = Lazy(self._board)
        if self._stamp is None and not os.access(
            self._path, os.F_OK
        ):  # mostly; what is raised below costs more
            return
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if stamp == self._stamp:
                return
            lines = self._read(table_of(self._path))
        except FileNotFoundError:
            stamp, lines = None, {}
        except (OSError, ValueError, ConfigError, csv.Error) as error:
            log.warning("证券资料读不了 / instruments cannot be read: %s: %s", self._path, error)
            return
        self._stamp = stamp
        self._lines = {name: known for name, known in lines.items() if not name.endswith("*")}
        self._patterns = {name[:-1]: known for name, known in lines.items() if name.endswith("*")}
        self._boards = Lazy(self._board)

    @property
    def board_of(self) -> Callable[[str], Board | None]:
        """The board of a symbol, with what the terminal and the file know better."""
        return self._boards.__getitem__ if self.there else board_of

    def _board(self, symbol: str) -> Board | None:
        board, facts = board_of(symbol), self._of(symbol).board
        security = self._delivered.of(symbol)
        if security is not None:
            told = {name: getattr(security, name) for name in ("tick", "max_limit", "max_market")}
            facts = {name: value for name, value in told.items() if value is not None} | facts
        return board._replace(**facts) if board is not None and facts else board  # type: ignore[arg-type]

    def today(self, now: Micros, day: date) -> Callable[[str], Instrument | None]:
        """Returns what is known today; prices of an earlier day are not."""
        stamp = Micros(self._stamp[0] // 1000) if self._stamp else Micros(0)
        of_today = trade_date(stamp) == day
        fresh = of_today and now - stamp <= self._last_age * 1_000_000
        delivered = self._delivered if self._delivered.day == day else NOTHING_DELIVERED

        def of(symbol: str) -> Instrument | None:
            security, written = delivered.of(symbol), said(symbol)
            return written if security is None else _together(written or Instrument(), security)

        def said(symbol: str) -> Instrument | None:
            known = self._of(symbol)
            if known is _NOTHING:
                return None
            instrument = known.instrument
            if not of_today:
                return instrument._replace(
                    previous_close=None, last=None, lower=None, upper=None, unlimited=False
                )
            return instrument if fresh else instrument._replace(last=None)

        return of

    def _of(self, symbol: str) -> _Known:
        known = self._lines.get(symbol)
        if known is None and self._patterns:
            known = next(
                (
                    self._patterns[symbol[:n]]
                    for n in range(len(symbol), 0, -1)
                    if symbol[:n] in self._patterns
                ),
                None,
            )
        return known or _NOTHING

    def _read(self, rows: Iterator[list[str]]) -> dict[str, _Known]:
        titles = next(rows, [])
        header = [COLUMNS.get(cell.strip().lower(), "") for cell in titles]
        if titles and "symbol" not in header:
            log.warning("证券资料没有 symbol 列 / instruments have no column symbol: %s", self._path)
            return {}
        found, bad = {}, []
        for line, cells in enumerate(rows, start=2):
            values = {
                name: cell.strip() for name, cell in zip(header, cells, strict=False) if name and cell.strip()
            }
            try:
                symbol = _symbol(values.pop("symbol", "")) if values else ""
                found[symbol] = _known(values)
            except (ValueError, ArithmeticError):
                bad.append(line)
        if bad:
            log.warning(
                "证券资料有 %d 行读不懂 / %d lines of the instruments are not understood, the first is line %d: %s",
                len(bad), len(bad), bad[0], self._path,
            )  # fmt: skip
        found.pop("", None)
        return found


def _together(written: Instrument, security: Security) -> Instrument:
    """Cell by cell, the file first. Of a previous close or a percentage that the file gives, the limit prices are calculated, not those of the terminal."""
    calculated = written.unlimited or not (written.previous_close is written.limit_percent is None)
    lower, upper = (None, None) if calculated else (security.lower, security.upper)
    return written._replace(
        previous_close=written.previous_close or security.previous_close,
        lower=written.lower or lower,
        upper=written.upper or upper,
        st=security.st if written.st is None else written.st,
        suspended=bool(security.suspended),
    )


def table_of(path: Path) -> Iterator[list[str]]:
    """The header and the rows, as texts. Raises OSError, ValueError, ConfigError."""
    if path.suffix.lower() != ".parquet":
        return csv.reader(StringIO(path.read_text(encoding="utf-8-sig", errors="replace")))
    found = library("pyarrow.parquet", "parquet").read_table(path)
    rows = zip(*(column.to_pylist() for column in found.columns), strict=True)
    return chain([list(found.column_names)], ([_text(cell) for cell in row] for row in rows))


def _text(cell: object) -> str:
    if cell is None or cell != cell:  # noqa: PLR0124  not a number, as pandas writes what is missing
        return ""
    return str(int(cell)) if isinstance(cell, bool) else str(cell)


def _symbol(text: str) -> str:
    if text.endswith("*"):
        return text
    symbol = read_symbol(text)
    if isinstance(symbol, Symbol):
        return symbol.text
    raise ValueError(text)


def _known(values: Mapping[str, str]) -> _Known:
    numbers = {name: _number(text) for name, text in values.items() if name not in {"unlimited", "st"}}
    board: dict[str, Decimal | int] = {
        name: numbers[name] if name == "tick" else int(numbers[name])
        for name in BOARD_FACTS
        if name in numbers
    }
    if numbers.keys() >= {"lower", "upper"} and numbers["lower"] > numbers["upper"]:
        raise ValueError("lower > upper")
    return _Known(
        Instrument(
            previous_close=numbers.get("previous_close"),
            last=numbers.get("last"),
            lower=numbers.get("lower"),
            upper=numbers.get("upper"),
            limit_percent=numbers.get("limit_percent"),
            unlimited=_flag(values.get("unlimited", "0")),
            st=_flag(values["st"]) if "st" in values else None,
        ),
        board,
    )


def _number(text: str) -> Decimal:
    told = number(text, "a number", HIGHEST_PRICE)
    if told <= 0:
        raise ValueError(text)
    return told


def _flag(text: str) -> bool:
    if text not in {"0", "1", "是", "否"}:
        raise ValueError(text)
    return text in {"1", "是"}
