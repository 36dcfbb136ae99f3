"""Owns what people and programs put around a table of orders: rules, totals, lines that name a source, numbers of the rows."""

from __future__ import annotations

import re

from orderdrop.domain.order import DropKind
from orderdrop.domain.symbol import SPACES
from orderdrop.intake.columns import Layout
from orderdrop.intake.values import is_empty

_FIRST_ROWS = 20  # behind them a block may begin in the middle of a file
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}").fullmatch

is_total = re.compile(r"(?:合计|总计|小计|汇总|总和|共计|total|subtotal|sum)[:：]?", re.IGNORECASE).fullmatch
is_source = re.compile(
    r"(?:数据来源|资料来源|来源|注|说明|备注|免责声明|source|note)[:：].*", re.IGNORECASE
).fullmatch
is_rule = re.compile(r"[-=_*~—─━═]{2,}").fullmatch
"""Whether a cell holds nothing but a line that is drawn with characters."""


class Counter:
    """Follows a first column under no name, in which pandas numbers the rows: from 0 or 1, one more than the row before."""

    def __init__(self) -> None:
        self._last: int | None = None

    def counts_on(self, row: int, text: str) -> bool:
        """row: behind the first ones a block may begin in the middle of a file."""
        number = int(text) if _INDEX(text) else -1
        before, self._last = self._last, number
        return number == before + 1 if before is not None else number in {0, 1} or row > _FIRST_ROWS


def no_row(layout: Layout, cells: list[str]) -> str | None:
    """What a line is that people put around a table: "" for a separator, else its words; None: a row.

    A total says so in its code's cell or its first one, and no code and no side stand in it; a source line has a single cell.
    """
    filled = [text.strip(SPACES) for text in cells if not is_empty(text)]
    if not filled or all(is_rule(text) for text in filled):
        return ""
    if layout.kind is not DropKind.ORDER:
        return None
    if len(filled) == 1 and is_source(filled[0]):
        return filled[0]
    code, side = (_cell(layout, cells, column) for column in ("symbol", "order_business"))
    total = code if is_total(code) else filled[0]
    if is_total(total) and is_empty(side) and (is_empty(code) or total is code):
        return total
    return None


def _cell(layout: Layout, cells: list[str], column: str) -> str:
    """What stands in the row itself: a constant says nothing of it."""
    place = layout.place(column)
    return cells[place].strip(SPACES) if place < min(len(cells), layout.width) else ""
