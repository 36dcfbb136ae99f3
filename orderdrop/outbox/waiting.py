"""Receipts of files that wait because another program has them open: one row, until the file is taken and its receipt stands there.

Also makes way for such a receipt, or for the next drop's: an earlier drop of that name has its receipt under its number from then on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from orderdrop.config.workspace import book_path, receipt_path
from orderdrop.domain.refusal import Code, Language, Refusal, explain
from orderdrop.journal.reader import Reading
from orderdrop.outbox.receipt import COLUMNS
from orderdrop.system.csv_tables import header_bytes, rows_bytes
from orderdrop.system.files import patiently, write_over

WAITS: Final = "waiting"
"""The outcome in the row."""


class WaitingReceipts:
    """Used from the router's thread."""

    def __init__(self, receipts: Path, language: Language) -> None:
        self._receipts = receipts
        self._language = language
        self.written: dict[str, Path] = {}
        self.older: dict[str, int] = {}  # the drop that had the name before; its receipt bears its number

    def update(self, open_elsewhere: set[str], reading: Reading) -> Iterator[None]:
        """Write those of files that have come to wait; remove those of files that went away untaken. Raises OSError."""
        for name in open_elsewhere - self.written.keys():
            older = reading.newest_drop_called(name)
            if older is not None:
                make_way(self._receipts, name, older)
                self.older[name] = older
            path = receipt_path(self._receipts, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_over(path, self._content(name))
            self.written[name] = path
            yield
        for name in self.written.keys() - open_elsewhere:
            path = self.written.pop(name)
            self.older.pop(name, None)
            with contextlib.suppress(FileNotFoundError):
                if path.read_bytes() == self._content(name):  # else it was taken
                    patiently(path.unlink)
            yield

    def _content(self, name: str) -> bytes:
        why = explain(Refusal(Code.FILE_OPEN, value=name), self._language)
        told = {
            "row": "0", "outcome": WAITS, "code": Code.FILE_OPEN.value, "原因": why.zh, "reason": why.en, "remedy": why.remedy,
        }  # fmt: skip
        return header_bytes(COLUMNS) + rows_bytes([[told.get(column, "") for column in COLUMNS]])


def make_way(receipts: Path, name: str, older: int) -> None:
    """Another file has taken the name: the older drop's receipt gets its number. Raises OSError while it is open elsewhere."""
    plain, numbered = receipt_path(receipts, name), receipt_path(receipts, name, older)
    for old, new in ((plain, numbered), (book_path(plain), book_path(numbered))):
        if old.exists() and not new.exists():
            patiently(lambda old=old, new=new: old.rename(new))  # type: ignore[misc]
