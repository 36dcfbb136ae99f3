"""The last line of a file that is followed, as long as it has no newline: no row yet. It is told when it stays so, and taken once it ends."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final, NamedTuple

from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.intake.encoding import byte_order_mark, last_line_end

_AT_MOST: Final = 65_536
_SHOWN: Final = 200

STILL_TAKEN: Final = "补上换行就接收 / it is taken once its newline is there"


class Unfinished(NamedTuple):
    """text: what stands there. quiet: seconds since the file was written to."""

    text: str
    quiet: float

    @property
    def why(self) -> Refusal:
        return Refusal(Code.ROW_TORN, value=self.text)

    @property
    def words(self) -> str:
        why = explain(self.why)
        return f"{Code.ROW_TORN}: {why.text()} → {why.remedy}; {STILL_TAKEN}"


def unfinished_line(path: str | os.PathLike[str], position: int) -> Unfinished | None:
    """What stands behind `position`, up to where the file was taken, if it is one line without its newline. Raises OSError."""
    with Path(path).open("rb") as file:
        status = os.fstat(file.fileno())
        if not position < status.st_size <= position + _AT_MOST:
            return None
        encoding, _length = byte_order_mark(file.read(4)) or (None, 0)
        file.seek(position)
        line = file.read(_AT_MOST)
    if last_line_end(line, encoding, 0, len(line)):
        return None
    text = line.decode(encoding or "utf-8", "replace").strip("\r\n\0")
    return Unfinished(text[:_SHOWN], time.time() - status.st_mtime)
