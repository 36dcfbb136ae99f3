"""What securities are called, for people: by instruments.csv, else by what a gateway's terminal has told. A name decides nothing.

A name outlives its day, so that of an earlier day is better than none.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from orderdrop.config.gateways import DeliveringSettings
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.report import clean
from orderdrop.domain.symbol import Symbol, read_symbol
from orderdrop.errors import ConfigError
from orderdrop.market.instruments import COLUMNS, table_of

log = logging.getLogger(__name__)

_TITLES: Final = frozenset(
    ["name", "名称", "证券名称", "证券简称", "股票名称", "基金名称", "债券名称", "简称"]
)
_LONGEST: Final = 40

Stamp = tuple[int, int]


def names_of(settings: Settings, workspace: Workspace) -> Mapping[str, str]:
    """By canonical symbol; a security that nobody has named is not in it."""
    told = [
        workspace.securities(name)
        for name, gateway in reversed(settings.gateways.items())
        if isinstance(gateway, DeliveringSettings) and gateway.instruments
    ]
    found: dict[str, str] = {}
    for path in (*told, workspace.root / settings.instruments.path):  # the last one wins
        try:
            kept = path.stat()
        except OSError:
            continue
        found |= _read(path, (kept.st_mtime_ns, kept.st_size))
    return found


@lru_cache(maxsize=8)
def _read(path: Path, _stamp: Stamp) -> Mapping[str, str]:
    """What cannot be read names nothing."""
    try:
        return dict(_named(table_of(path)))
    except (OSError, ValueError, ConfigError, csv.Error) as error:
        log.debug("no names in %s: %s", path, error)
        return {}


def _named(rows: Iterator[list[str]]) -> Iterable[tuple[str, str]]:
    titles = [cell.strip().lower() for cell in next(rows, [])]
    symbols = [at for at, title in enumerate(titles) if COLUMNS.get(title) == "symbol"]
    names = [at for at, title in enumerate(titles) if title in _TITLES]
    if not (symbols and names):
        return
    for cells in rows:
        if len(cells) > max(symbols[0], names[0]):
            symbol, name = read_symbol(cells[symbols[0]].strip()), clean(cells[names[0]].strip())[:_LONGEST]
            if name and isinstance(symbol, Symbol):
                yield symbol.text, name
