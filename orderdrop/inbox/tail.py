"""Follows one file in the inbox: how far it was taken, and a `Take` of what is new in it.

A file is read from where we stopped, but only while what we took before still stands there; a file that was truncated or
rewritten is read from its beginning as a new drop (its old rows are then duplicates). One that grows while it is read is not
rewritten: what stood there at first is taken, the rest is left for the next look. Small takes are read in one go, large ones in
pieces, so that memory does not grow with the file. A workbook or a dbf is read whole or not at all: it is a `Book` before it is a take.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from orderdrop.domain.refusal import Code, Refusal, RowError
from orderdrop.inbox import drop_file
from orderdrop.inbox.drop_file import WITNESS, Changed, DropFile, Growing, Position
from orderdrop.inbox.owner import owner_of
from orderdrop.inbox.reading import open_drop, pieces, read_at, stamp_of, touched_at
from orderdrop.intake import Block, Book, BookLimits, Context, Reader, open_book

_UNFINISHED: Final = frozenset({Code.FILE_EMPTY, Code.FILE_DAMAGED})


class Limits(NamedTuple):
    max_bytes: int
    max_rows: int


@dataclass(slots=True, eq=False)
class Take:
    """What is new in a file, up to `size`. After `blocks` has run to its end, `end` says how far that led.

    whole: a last line without newline counts (there is a `.fin`). torn_due: such a line is refused now.
    """

    file: DropFile
    size: int
    stamp: tuple[int, int]
    whole: bool
    torn_due: bool
    inode: int = 0
    touched: int = -1
    data: bytes | None = None
    refusal: Refusal | None = None
    book: Book | None = None
    end: Position = Position()  # noqa: RUF009  a tuple
    content: hashlib._Hash | None = None  # of all that is new
    owner: str | None = None
    _consumed: hashlib._Hash | None = None
    _witness: bytes = b""

    def blocks(self, context: Context) -> Iterator[Block]:
        """Yields the rows that are new. Raises Changed, OSError."""
        if self.book is not None:
            yield from self.book.read(context)
            return
        file = self.file
        reader, start = file.reader, file.position
        assert reader is not None  # noqa: S101  `prepare` has seen to it
        reader.next_row = start.next_row if start.offset else file.first_row
        if self.data is None:
            self._consumed, self._witness = file.hasher.copy(), file.witness
        offset, rest, torn = start.offset, b"", start.torn
        for piece in self._pieces():
            data = rest + piece
            if torn:
                cut = _end_of_line(reader, data)
                if not cut:
                    rest = data
                    continue
                yield self._torn(reader, data[:cut], Code.ROW_TORN_REST)
                reader.next_row += 1
                torn = False
                offset, data = self._count(offset, data[:cut]), data[cut:]
            if offset == 0:
                offset, data = self._count(offset, data[: file.header]), data[file.header :]
            end = reader.split(data)
            yield from reader.read(data[:end], context)
            offset, rest = self._count(offset, data[:end]), data[end:]
        if rest and self.whole and not torn:
            yield from reader.read(rest, context)
            offset = self._count(offset, rest)
        elif rest and (self.whole or self.torn_due):
            yield self._torn(reader, rest, Code.ROW_TORN_REST if torn else Code.ROW_TORN)
            offset, torn = self._count(offset, rest), True
        self._consume(offset - start.offset)
        self.end = Position(offset, reader.next_row, torn)

    def accept(self, drop_id: int, *, refused: bool) -> None:
        """The take is committed: go on behind it next time."""
        file = self.file
        file.drop_id, file.refused = drop_id, file.refused or refused
        file.traded |= not refused
        file.position = self.end if self.refusal is None else Position(self.size)
        if self._consumed is not None:
            file.hasher, file.witness = self._consumed, self._witness
        file.unread = self.refusal is not None
        self.note_taken()
        self.data = self.book = None

    def note_taken(self) -> None:
        """Nothing new stood in the file when it had this stamp."""
        self.file.taken, self.file.inode, self.file.touched = self.stamp, self.inode, self.touched

    @property
    def sha256(self) -> str:
        return (self._consumed or self.file.hasher).hexdigest()

    def read_whole(self, data: bytes) -> None:
        """What `blocks` leaves behind for a text, for a file that was read at one go."""
        self._consumed, self._witness = hashlib.sha256(data), data[-WITNESS:]
        self.end = Position(len(data))
        self.data = data if len(data) <= drop_file.SMALL else None

    def _count(self, offset: int, data: bytes) -> int:
        if self._consumed is not None:
            self._consumed.update(data)
            self._witness = (self._witness + data[-WITNESS:])[-WITNESS:]
        return offset + len(data)

    def _consume(self, size: int) -> None:
        """What `_count` leaves behind, of so many bytes at once, where they are in memory."""
        if self.data is None:
            return
        file, data = self.file, self.data[:size]
        if self.content is not None and len(data) == len(self.data) and not file.position.offset:
            self._consumed = self.content
        else:
            self._consumed = file.hasher.copy()
            self._consumed.update(data)
        self._witness = (file.witness + data[-WITNESS:])[-WITNESS:]

    def _torn(self, reader: Reader, line: bytes, code: Code) -> Block:
        value = line[:200].decode("utf-8", "replace").strip("\r\n\0")
        return Block([], [], [RowError(reader.next_row, "", Refusal(code, value=value))], 1)

    def _pieces(self) -> Iterator[bytes]:
        if self.data is not None:
            yield self.data
            return
        handle, _status = open_drop(self.file.path)
        try:
            yield from pieces(handle, self.file.position.offset, self.size)
            self.must_stand(handle)
        finally:
            os.close(handle)

    def must_stand(self, handle: int) -> None:
        """Raises Changed, if what was read is not what stands in the file now, and Growing, if more is to come of a basket."""
        now, file = os.fstat(handle), self.file
        if stamp_of(now) == self.stamp:
            return
        start = file.position.offset
        if now.st_size < self.size or (start and not file.still_there(handle)):
            raise Changed(file.name)
        again = hashlib.sha256()
        for piece in pieces(handle, start, self.size):
            again.update(piece)
        if self.content is None or again.digest() != self.content.digest():
            raise Changed(file.name)
        if not (file.info.followed or file.drop_id):
            raise Growing(file.name)


def prepare(file: DropFile, *, whole: bool, torn_due: bool, finished: bool, limits: Limits) -> Take | None:
    """Returns a take of what is new in `file`; None when there is nothing to take yet.

    Raises:
        Changed: what was taken before does not stand there any more, or what was being read.
        OSError: it cannot be read now.
    """
    if file.behind and not file.looked_into:
        file.look_into()
    if file.behind and not file.catch_up(file.position.offset):
        raise Changed(file.name)
    file.behind = False
    handle, before = open_drop(file.path)
    try:
        if not file.looked_into:
            file.look_into(handle)
        take = Take(
            file,
            before.st_size,
            stamp_of(before),
            whole,
            torn_due,
            before.st_ino,
            touched_at(before),
            owner=owner_of(before),
        )
        if before.st_size < file.position.offset or (file.position.offset and not file.still_there(handle)):
            raise Changed(file.name)
        if before.st_size > limits.max_bytes:
            take.refusal = Refusal(
                Code.FILE_TOO_LARGE, value=str(before.st_size), bound=str(limits.max_bytes)
            )
            return take
        return _fill(take, handle, finished, limits)
    finally:
        os.close(handle)


def _fill(take: Take, handle: int, finished: bool, limits: Limits) -> Take | None:
    file = take.file
    if take.size == file.position.offset and file.drop_id:
        take.note_taken()
        return None
    if file.info.whole:
        return _fill_whole(take, handle, limits)
    head, lines, content = _look(take, handle)
    ended = take.whole or take.torn_due
    if not (lines or ended):
        if file.info.followed and file.drop_id:
            take.note_taken()  # a line that is not ended is no row yet
        return None
    take.refusal = _unfit(take, head, lines, limits)
    if take.refusal is not None:
        return take
    if finished and not ended and not file.info.followed and not _ends_whole(file, handle, take):
        return None
    file.sid_space = file.sid_space or (file.name if file.info.followed else content)
    return take


def _fill_whole(take: Take, handle: int, limits: Limits) -> Take | None:
    """A book, once it is complete; one that is not may still be on its way, as long as nobody says that it has ended."""
    file = take.file
    if file.position.offset:
        raise Changed(file.name)
    data = read_at(handle, 0, take.size)
    if len(data) != take.size or stamp_of(os.fstat(handle)) != take.stamp:
        raise Changed(file.name)
    allowed = BookLimits.of(*limits)
    opened = (
        file.profile
        if isinstance(file.profile, Refusal)
        else open_book(data, file.info.suffix, file.info.kind, allowed, file.profile)
    )
    if isinstance(opened, Book):
        take.book = opened
        take.read_whole(data)
        file.sid_space = file.sid_space or take.sha256
    elif opened.code in _UNFINISHED and not (take.whole or take.torn_due):
        return None
    else:
        take.refusal = opened
    return take


def _look(take: Take, handle: int) -> tuple[bytes, int, str]:
    """How the new part begins, how many lines it has, and its sha256. A small part stays in `take.data`."""
    start = take.file.position.offset
    if take.size - start <= drop_file.SMALL:
        take.data = read_at(handle, start, take.size - start)
        take.content = hashlib.sha256(take.data)
        if len(take.data) != take.size - start:
            raise Changed(take.file.name)
        take.must_stand(handle)
        return take.data, take.data.count(b"\n"), take.content.hexdigest()
    head, lines, content = b"", 0, hashlib.sha256()
    for piece in pieces(handle, start, take.size):
        head = head or piece
        lines += piece.count(b"\n")
        content.update(piece)
    take.content = content
    return head, lines, content.hexdigest()


def _unfit(take: Take, head: bytes, lines: int, limits: Limits) -> Refusal | None:
    """Why the file cannot be read as rows; None: it can, and its reader is open."""
    file = take.file
    if take.size == 0:
        return Refusal(Code.FILE_EMPTY)
    if file.position.next_row + lines > limits.max_rows + 1:
        return Refusal(Code.FILE_TOO_MANY_ROWS, bound=str(limits.max_rows))
    return None if file.position.offset else file.open_reader(head)


def _ends_whole(file: DropFile, handle: int, take: Take) -> bool:
    """Whether the last line has its newline."""
    tail = take.data
    if tail is None:
        start = max(file.position.offset, take.size - WITNESS)
        start -= (start - file.position.offset) % 2  # UTF-16 stays aligned
        tail = read_at(handle, start, take.size - start)
    return file.reader is not None and file.reader.split(tail) == len(tail)


def _end_of_line(reader: Reader, data: bytes) -> int:
    """The length of the first line of `data` with its newline, 0 if there is none."""
    at = data.find(b"\n")
    while at >= 0:
        for end in (at + 1, at + 2):
            if reader.split(data[:end]) == end <= len(data):
                return end
        at = data.find(b"\n", at + 1)
    return 0
