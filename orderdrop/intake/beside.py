"""Owns what is looked at in a row before its columns: its market, cells under no name, and what a profile makes of it."""

from __future__ import annotations

from collections.abc import Sequence

from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.symbol import with_market
from orderdrop.intake.cells import CLIP, Line, Odd, Oddity
from orderdrop.intake.columns import MARKET, Layout
from orderdrop.intake.surroundings import Counter, no_row
from orderdrop.intake.values import is_empty, unguarded


class Beside:
    """Looks at rows of one layout, before they are read."""

    @staticmethod
    def is_needed(layout: Layout) -> bool:
        return bool(layout.nameless or layout.profile) or MARKET in layout.places

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._profile = layout.profile
        self._values = (
            {column: dict(words) for column, words in layout.profile.values} if layout.profile else {}
        )
        self._tail = ["", *layout.constants]
        self._market = layout.place(MARKET)
        self._counter = Counter()

    def look(self, numbers: Sequence[int], table: Sequence[Line]) -> list[Line]:
        """The rows as they are to be read. numbers: of the lines."""
        self._counter = Counter()
        return [self._row(row, cells) for row, cells in zip(numbers, table, strict=True)]

    def _row(self, row: int, cells: Line) -> Line:
        """The row, after a look at what stands beside the columns that are read: the market, and cells under no name."""
        if isinstance(cells, Odd):
            found = self._row(row, cells.cells)
            if isinstance(found, Odd):
                return Odd(found.cells, [*cells.oddities, *found.oddities])
            return cells if isinstance(found, Refusal) else Odd(found, cells.oddities)
        if self._profile is not None and not isinstance(cells, Refusal):
            cells = self._profile.fitted(cells)
        if isinstance(cells, Refusal) or len(cells) != self._layout.width:
            return cells
        oddities: list[Oddity] = []
        if self._profile is not None:
            cells = self._in_our_words(cells, oddities)
        for place in self._layout.nameless:
            text = cells[place]
            if not (
                is_empty(text) or (self._layout.counted and place == 0 and self._counter.counts_on(row, text))
            ):
                oddities.append(Refusal(Code.COLUMN_NAMELESS, f"#{place + 1}", text[:CLIP]))
        if self._market != self._layout.width:
            cells = self._on_its_market(cells, oddities)
        return Odd(cells, oddities) if oddities else cells

    def _on_its_market(self, cells: list[str], oddities: list[Oddity]) -> list[str]:
        """The row with its code and its market read together."""
        place = self._layout.place("symbol")
        market = [*cells, *self._tail][self._market]
        spelled = with_market(unguarded(cells[place]), unguarded(market))
        if isinstance(spelled, Refusal):
            oddities.append(spelled._replace(column=self._layout.name(MARKET)))
        elif spelled != unguarded(cells[place]):
            return [*cells[:place], spelled, *cells[place + 1 :]]
        return cells

    def _in_our_words(self, cells: list[str], oddities: list[Oddity]) -> list[str]:
        """A row whose words are those of the profile, and whose empty cells hold its constants."""
        if all(is_empty(cell) for cell in cells):
            return cells
        cells = [*cells]
        for column, words in self._values.items():
            place = self._layout.place(column)
            text = unguarded(cells[place]) if place < self._layout.width else ""
            if text in words:
                cells[place] = words[text]
            elif text and no_row(self._layout, cells) is None:
                name = self._layout.name(column)
                oddities.append(Refusal(Code.PROFILE_VALUE, name, text[:CLIP], ", ".join(words)))
        for column, text in self._layout.profile.constants if self._layout.profile else ():
            place = self._layout.place(column)
            if place < self._layout.width and is_empty(cells[place]) and no_row(self._layout, cells) is None:
                cells[place] = text
        return cells
