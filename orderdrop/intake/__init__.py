"""Bytes become orders, instructions and row errors. Pure: no files, no clock. The doors are `Reader` for text and `open_book` for what is read whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.intake.dbf import open_dbf
from orderdrop.intake.nature import DBF, OTHER, PAGE, WORKBOOK
from orderdrop.intake.page import open_page
from orderdrop.intake.profile import Profile
from orderdrop.intake.reader import Reader
from orderdrop.intake.rows import BLOCK_ROWS, Block, Context
from orderdrop.intake.sheets import Book, BookLimits
from orderdrop.intake.sids import DropSids, FollowedSids, LaterSids, Unnamed, derived_sid, row_key
from orderdrop.intake.workbook import not_to_be_opened, open_workbook

__all__ = [
    "BLOCK_ROWS",
    "Block",
    "Book",
    "BookLimits",
    "Context",
    "DropSids",
    "FollowedSids",
    "LaterSids",
    "Profile",
    "Reader",
    "Unnamed",
    "derived_sid",
    "open_book",
    "row_key",
]

_OPENERS: Final[dict[str, Callable[[bytes, DropKind, BookLimits, Profile | None], Book | Refusal]]] = {
    WORKBOOK: open_workbook,
    DBF: open_dbf,
    PAGE: open_page,
    OTHER: lambda data, _kind, _limits, _profile: not_to_be_opened(data),
}


def open_book(
    data: bytes, suffix: str, kind: DropKind, limits: BookLimits, profile: Profile | None = None
) -> Book | Refusal:
    """What holds tables that are read whole, or why nothing of it can be taken. suffix: as `nature.suffix_of` tells it."""
    return _OPENERS[suffix](data, kind, limits, profile) if data else Refusal(Code.FILE_EMPTY)
