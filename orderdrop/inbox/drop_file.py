"""A drop in the inbox: what is known of the file under its name, how far it was taken, and whether it still is what was taken."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from orderdrop.domain.refusal import Refusal
from orderdrop.inbox.names import Name
from orderdrop.inbox.reading import open_drop, pieces, read_at
from orderdrop.intake import Context, FollowedSids, Reader, Unnamed
from orderdrop.intake.nature import HEAD_BYTES, suffix_of
from orderdrop.intake.profile import Profile
from orderdrop.system.grasp import Seen, hash_of

SMALL: Final = 1024 * 1024
"""Bytes up to which a drop is read and kept whole."""

WITNESS: Final = 4096


class Position(NamedTuple):
    """How far a file was taken. torn: its last line was refused as cut, the rest of that line is still to be refused."""

    offset: int = 0
    next_row: int = 1
    torn: bool = False


class OpenDrop(NamedTuple):
    """What the journal knows of a drop that is not put away yet."""

    id: int
    name: str
    day: date
    position: Position
    sid_space: str
    refused: bool
    sha256: str | None = None  # of what was taken
    traded: bool = False


class Changed(Exception):
    """The file is not what it was: bytes that were read stand there no more."""


class Growing(Changed):
    """The file has only grown while it was read, but it is a basket's first reading: it has not come to its end yet."""


@dataclass(slots=True, eq=False)
class DropFile:
    """A file being taken. `drop_id` is 0 until its first take is committed.

    sid_space: what derived sids are made from: the name for a followed file, else what all rows of its first take say (the hash of
    its bytes where each had a sid of its own).
    """

    path: str
    name: str
    info: Name
    strategy: str
    day: date
    drop_id: int = 0
    position: Position = Position()  # noqa: RUF009  a tuple
    sid_space: str = ""
    refused: bool = False
    traded: bool = False  # rows of it were taken before it was refused, if it was
    reader: Reader | None = None
    header: int = 0  # its length in bytes
    first_row: int = 2  # line of the first row
    hasher: hashlib._Hash = field(default_factory=hashlib.sha256)
    witness: bytes = b""  # the last bytes that were taken
    derive: FollowedSids | Unnamed | None = None
    taken: tuple[int, int] = (-1, 0)  # the stamp at which nothing new stood there any more; with it:
    inode: int = 0
    touched: int = -1  # see `touched_at`
    unread: bool = False  # it was refused by what it is, before its bytes were read
    again: bool = False  # it was rewritten under its name; `sid_space` is that of its first take
    known_sha256: str | None = None  # of what an earlier run has taken
    looked_into: bool = False  # `info` says what it is by its content
    profile: Profile | Refusal | None = (
        None  # how the user has described such files; refused where several would do
    )
    behind: bool = False  # known from the journal; what was taken is read again before anything new

    @property
    def sha256(self) -> str:
        return self.hasher.hexdigest()

    def still_there(self, handle: int) -> bool:
        """Whether what was taken before still stands in the open file: whole for small files, its end for large ones."""
        if self.position.offset <= SMALL:
            return hashlib.sha256(read_at(handle, 0, self.position.offset)).digest() == self.hasher.digest()
        start = self.position.offset - len(self.witness)
        return read_at(handle, start, len(self.witness)) == self.witness

    def stands(self) -> bool:
        """Whether all that was taken still stands in the file of that name. Raises OSError."""
        known = self._known
        return known is None or hash_of(self.path, self.position.offset) == known

    def seen(self) -> Seen:
        """Returns what the file was when all that stood in it was taken."""
        return Seen(self.inode, *self.taken, self._known, self.position.offset)

    @property
    def _known(self) -> str | None:
        """sha256 of what was taken, None if nobody has read it."""
        return None if self.unread else self.known_sha256 if self.behind else self.sha256

    def begun_again(self) -> DropFile:
        """Its bytes were rewritten under its name: another drop, whose rows without a sid are known by what the first was called."""
        space = self.sid_space
        return DropFile(
            self.path,
            self.name,
            self.info,
            self.strategy,
            self.day,
            sid_space=space,
            again=True,
            profile=self.profile,
        )

    def resume(self, known: OpenDrop) -> None:
        """Goes on where an earlier run has stopped."""
        self.drop_id, self.position, self.sid_space = known.id, known.position, known.sid_space
        self.traded = known.traded
        self.refused, self.behind, self.known_sha256 = known.refused, True, known.sha256
        self.unread = known.refused and known.traded  # refused when it had grown: the hash is of less

    def look_into(self, handle: int | None = None) -> None:
        """Learn from its first bytes what the file is, whatever it is called. Raises OSError."""
        self.looked_into = self.info.followed or bool(self.drop_id)
        if self.info.followed:
            return
        if handle is None:
            handle, _status = open_drop(self.path)
            try:
                self.look_into(handle)
            finally:
                os.close(handle)
            return
        size = min(os.fstat(handle).st_size, HEAD_BYTES)
        suffix = suffix_of(read_at(handle, 0, size), self.info.suffix)
        if suffix != self.info.suffix:
            self.info = self.info._replace(suffix=suffix)

    def catch_up(self, offset: int) -> bool:
        """After a restart: read again what was taken, to go on behind it. False if it does not stand there any more."""
        handle, status = open_drop(self.path)
        try:
            if status.st_size < offset:
                return False
            content = b"" if self.info.followed else None
            for piece in pieces(handle, 0, offset):
                self._note(piece)
                if self.reader is None and not self.info.whole and self.open_reader(piece) is not None:
                    return False
                content = content + piece if content is not None else None
        finally:
            os.close(handle)
        if self.known_sha256 is not None and self.sha256 != self.known_sha256:
            return False
        if (
            content and self.reader is not None
        ):  # name the rows without a sid again, so that the next ones are counted on
            context = Context({}, "-", self.strategy, self.naming())
            for _block in self.reader.read(content[self.header :], context):
                pass
        return True

    def open_reader(self, head: bytes) -> Refusal | None:
        """Understands the header; returns why it cannot be understood."""
        if isinstance(self.profile, Refusal):
            return self.profile
        opened = Reader.open(head, self.info.kind, self.profile)
        if isinstance(opened, Refusal):
            return opened
        self.reader, self.header = opened
        self.first_row = self.reader.next_row
        return None

    def _note(self, piece: bytes) -> None:
        self.hasher.update(piece)
        self.witness = (self.witness + piece)[-WITNESS:]

    def naming(self) -> FollowedSids | Unnamed:
        """Returns how rows without a sid get one: at once where the file is followed, else when all of them are known."""
        if self.info.followed:
            if not isinstance(self.derive, FollowedSids):
                self.derive = FollowedSids(self.day, self.sid_space)
            self.derive.take_named()
        else:
            self.derive = Unnamed()
        return self.derive
