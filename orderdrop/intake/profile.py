"""Owns how a file that nobody here has designed is read: its own names or positions for our columns, its words, what it leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

NOT_READ: Final = ""
"""Where a position or a name of the file stands for no column of ours."""

DELIMITERS: Final = (",", "\t", ";", "|")

OPTIONAL_AT_THE_END: Final = frozenset({NOT_READ, "remark", "strategy"})
"""What a line without a header may end before: nothing of it changes what is traded."""


class Profile(NamedTuple):
    """A description that the user gave of another program's files.

    header: name in the file, as `columns.folded` has it -> column. positions: the columns of a file without a header, in their order.
    constants: column -> text that stands for every empty cell of it. values: column -> text in the file -> text as we read it; no other
    text may stand in such a column. skip: lines above the header, or the first row.
    """

    name: str
    header: tuple[tuple[str, str], ...] = ()
    positions: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    skip: int = 0
    constants: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()

    @property
    def said(self) -> str:
        return f"按 [profiles.{self.name}] 读取 / read by [profiles.{self.name}]"

    @property
    def delimiters(self) -> tuple[str, ...]:
        return (self.delimiter,) if self.delimiter else DELIMITERS

    def fits(self, cells: Sequence[str]) -> bool:
        """Whether a line can be one of a file without a header: it may end before a remark, or with delimiters to spare."""
        width = len(self.positions)
        if len(cells) > width:
            return not any(cell.strip() for cell in cells[width:])
        return all(column in OPTIONAL_AT_THE_END for column in self.positions[len(cells) :])

    def fitted(self, cells: list[str]) -> list[str]:
        """The cells of such a line at the width of the others; those of another line as they are."""
        if not self.positions or not self.fits(cells):
            return cells
        width = len(self.positions)
        return cells[:width] if len(cells) >= width else [*cells, *[""] * (width - len(cells))]
