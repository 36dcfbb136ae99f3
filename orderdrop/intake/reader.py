"""Owns the reading of one csv drop, piece by piece: bytes in, blocks of outcomes out. Keeps nothing but its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.intake.cells import CLIP, split_line, split_lines
from orderdrop.intake.columns import ORDER_COLUMNS, Layout, by_position, read_header
from orderdrop.intake.encoding import (
    CANDIDATES,
    Decoder,
    byte_order_mark,
    decodes,
    last_line_end,
    next_line_end,
)
from orderdrop.intake.profile import Profile
from orderdrop.intake.rows import BLOCK_ROWS, Block, Context, Rows, with_note

HEAD_ROWS = 20
"""The header stands in one of the first rows."""

_OURS = frozenset(",".join(columns).encode() for columns in (ORDER_COLUMNS, ORDER_COLUMNS[:-2]))
"""Headers that the client library, `drop` and `replay` write: such a file is no other program's, wherever it lies."""

_CODE = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")
_PIECE = 1 << 18  # bytes that are decoded at a time


class Reader:
    """A resumable reader of one csv drop.

    next_row: the number of the next line, as an editor counts; every line counts, blank ones too.
    """

    __slots__ = ("_decoder", "_layout", "_said", "next_row")

    def __init__(self, layout: Layout, encoding: str | None, next_row: int) -> None:
        """encoding: None when nothing but ASCII was seen yet."""
        self._layout = layout
        self._decoder = Decoder(encoding)
        self._said = ""  # what is to be told once, on the first order
        self.next_row = next_row

    @classmethod
    def open(
        cls, head: bytes, kind: DropKind, profile: Profile | None = None
    ) -> tuple[Reader, int] | Refusal:
        """Understand the header.

        Args:
            head: the file's beginning, with at least the whole header line.
            kind: what the file's name says it asks for.
            profile: how the user has described such a file.

        Returns:
            The reader and the offset where the rows begin; or why the file cannot be read.
        """
        if profile is not None and head[: next_line_end(head, None)].rstrip(b"\r\n") in _OURS:
            profile = None
        marked = byte_order_mark(head)
        encoding, start = marked or (profile.encoding if profile else None, 0)
        encodings = (encoding,) if encoding else CANDIDATES
        refusals: list[Refusal] = []
        titles: list[int] = []
        row = 1
        for _line in range(profile.skip if profile else 0):
            start, row = next_line_end(head, encoding, start), row + 1
        if profile is not None and profile.positions:
            return cls._open_headerless(head, start, row, encoding, profile, kind)
        while start < len(head) and row <= HEAD_ROWS:
            end = next_line_end(head, encoding, start)
            raw = head[start:end]
            if not _is_blank(raw, encoding):
                found = _read_layout(raw, encodings, kind, profile)
                if not isinstance(found, Refusal):
                    layout, used = found
                    whole = head[:end].isascii() and encoding is None
                    reader = cls(layout, None if whole else used, row + 1)
                    reader._said = _said(titles, layout)
                    return reader, end
                refusals.append(found)
                if not _is_title(raw, found, encodings):
                    break
                titles.append(row)
            start, row = end, row + 1
        return next((one for one in refusals if one.code is not Code.HEADER_NOT_FOUND), None) or (
            refusals[0] if refusals else Refusal(Code.FILE_EMPTY)
        )

    @classmethod
    def _open_headerless(
        cls, head: bytes, start: int, row: int, encoding: str | None, profile: Profile, kind: DropKind
    ) -> tuple[Reader, int] | Refusal:
        """The delimiter is the one under which the first line has as many cells as the profile has positions."""
        at = start
        while at < len(head):
            end = next_line_end(head, encoding, at)
            raw = head[at:end]
            if not _is_blank(raw, encoding):
                break
            at = end
        else:
            return Refusal(Code.FILE_EMPTY)
        line = next(
            (raw.decode(one) for one in ([encoding] if encoding else CANDIDATES) if decodes(raw, one)), None
        )
        if line is None:
            return Refusal(Code.FILE_ENCODING)
        line = line.rstrip("\r\n")
        for delimiter in profile.delimiters:
            cells = split_line(line, delimiter)
            if isinstance(cells, list) and profile.fits(cells):
                reader = cls(by_position(profile, kind, delimiter), encoding, row)
                reader._said = profile.said
                return reader, start
        return Refusal(
            Code.PROFILE_WIDTH, value=line[:CLIP], bound=f"{profile.name}: {len(profile.positions)}"
        )

    def read(self, data: bytes, context: Context) -> Iterator[Block]:
        """Yields the result of each row, in blocks of at most BLOCK_ROWS; `next_row` moves on with each block.

        Args:
            data: whole lines only; the last one may lack its newline when `.fin` says that it is whole.
            context: what a row may leave out.
        """
        rows = Rows.of(self._layout, context)
        start, lines, table = 0, [], []
        while start < len(data):
            stop = self._piece_end(data, start)
            text = self._decoder.decode(data[start:stop])
            lines += text.lines
            table += split_lines(text, self._layout.delimiter)
            start = stop
            while len(table) >= BLOCK_ROWS or (table and start == len(data)):
                following = self.next_row + min(len(table), BLOCK_ROWS)
                block = rows.read(range(self.next_row, following), lines[:BLOCK_ROWS], table[:BLOCK_ROWS])
                self.next_row = following
                del lines[:BLOCK_ROWS], table[:BLOCK_ROWS]
                if self._said and block.orders:
                    block.orders[0] = with_note(block.orders[0], self._said)
                    self._said = ""
                if block.rows:
                    yield block

    def split(self, data: bytes) -> int:
        """The length of the part of data that consists of whole, newline-terminated lines. data begins with a line."""
        return last_line_end(data, self._decoder.encoding, 0, len(data))

    def _piece_end(self, data: bytes, start: int) -> int:
        encoding = self._decoder.encoding
        if len(data) - start <= _PIECE:
            return len(data)
        end = last_line_end(data, encoding, start, start + _PIECE)
        return end if end > start else next_line_end(data, encoding, start)


@lru_cache(maxsize=64)
def _read_layout(
    raw: bytes, encodings: tuple[str, ...], kind: DropKind, profile: Profile | None
) -> tuple[Layout, str] | Refusal:
    """The first encoding in which the header is known; if there is none, the refusal of the first that can be read."""
    refusals = []
    for encoding in encodings:
        try:
            line = raw.decode(encoding).replace("\r\n", "\n").removesuffix("\n")
        except UnicodeDecodeError:
            continue
        layout = Refusal(Code.FILE_NUL) if "\0" in line else read_header(line, kind, profile)
        if isinstance(layout, Layout):
            return layout, encoding
        refusals.append(layout)
    return refusals[0] if refusals else Refusal(Code.FILE_ENCODING)


def _is_title(raw: bytes, refusal: Refusal, encodings: tuple[str, ...]) -> bool:
    """Whether a line above the header is a title: it names no column, and no cell of it could be an order's code."""
    if refusal.code is not Code.HEADER_NOT_FOUND:
        return False
    text = next((raw.decode(one) for one in encodings if decodes(raw, one)), None)
    return text is not None and not _CODE.search(text)


def _said(titles: list[int], layout: Layout) -> str:
    rows = ", ".join(map(str, titles))
    return "；".join(
        filter(
            None,
            [
                f"第 {rows} 行是标题，已略过 / row {rows} is a title and was passed over" if titles else "",
                layout.said,
            ],
        )
    )


def _is_blank(raw: bytes, encoding: str | None) -> bool:
    """Whether a line holds nothing but spaces and separators, as Excel leaves them above a table."""
    return not raw.decode(encoding or "latin-1", "replace").strip(" \r\n,;\t|")
