"""What a file's name says, before anything is opened: ignored, refused, or which kind of drop it is. Pure."""

from __future__ import annotations

import re
from datetime import date
from typing import Final, NamedTuple

from orderdrop.checks.ledger import ALL, ScopeKey
from orderdrop.checks.switches import State
from orderdrop.order.model import DropKind
from orderdrop.order.refusal import Code, Refusal
from orderdrop.workspace import FIN_SUFFIX, HALT_FILE, REDUCE_FILE

EXCEL_MARK: Final = "~$"
IGNORED_PREFIXES: Final = (EXCEL_MARK, ".")
IGNORED_SUFFIXES: Final = (".tmp", ".part", ".crdownload", FIN_SUFFIX, ".lock")
TABLE_SUFFIXES: Final = (".csv", ".xlsx", ".dbf")
MACRO_SUFFIXES: Final = (".xlsm", ".xlsb", ".xltm")
OTHER_TABLES: Final = (".xls", ".et", ".ods", ".xltx")
"""Tables that people save by mistake for an .xlsx: they are told."""

MAX_NAME_BYTES: Final = 200
"""Leaves room for `.receipt.xlsx` within the 255 bytes that file systems give a name."""

_SWITCHES: Final = {HALT_FILE: State.HALTED, REDUCE_FILE: State.REDUCING}
_SWITCH_LETTERS: Final = frozenset("HhRr")
_KIND = {f".{kind}": kind for kind in DropKind}
_FOLLOWED: Final = re.compile(r"(\d{8})\.(?:order|cancel_order)\.csv", re.IGNORECASE | re.ASCII)
_DATED: Final = re.compile(
    r"(\d{8})(?:_\d{6}\b.*\.(?:csv|xlsx|dbf)|(?:\d{6}\.\d+)?\.(?:order|cancel_order)\.(?:xlsx|dbf))",
    re.IGNORECASE | re.ASCII,
)
_UNPRINTABLE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


class Name(NamedTuple):
    """A file that may be a drop. followed: it is appended to all day. day: the trading day in its name, if any.

    suffix: ".csv", or that of a file that is read whole: it is nothing until it is complete, and never appended to.
    """

    kind: DropKind
    followed: bool
    day: date | None
    suffix: str = ".csv"

    @property
    def whole(self) -> bool:
        return self.suffix != ".csv"


class Ignored(NamedTuple):
    """A file that is none of our business. why: bilingual, for `orderdrop why`."""

    why: str


def read_name(name: str) -> Name | Ignored | Refusal:
    """name: the file's own name, without folders."""
    lower = name.lower()
    if read_switch(name) is not None:
        return Ignored("开关文件 / a switch")
    if lower.startswith(IGNORED_PREFIXES) or lower.endswith(IGNORED_SUFFIXES):
        return Ignored("临时文件或标记文件 / a temporary file or a mark")
    if lower.endswith(MACRO_SUFFIXES):
        return Refusal(Code.BOOK_MACROS, value=printable(name))
    if lower.endswith(OTHER_TABLES):
        return Refusal(Code.FILE_TYPE, value=printable(name), bound=" ".join(TABLE_SUFFIXES))
    if not lower.endswith(TABLE_SUFFIXES):
        return Ignored(
            f"不认识的文件类型,只接收 {' '.join(TABLE_SUFFIXES)} / unknown type, only {' '.join(TABLE_SUFFIXES)} are taken"
        )
    if printable(name) != name:
        return Refusal(Code.FILE_NAME, value=printable(name))
    stem, dot, suffix = lower.rpartition(".")
    kind = _KIND.get(stem[stem.rfind(".") :], DropKind.ORDER)
    begins_with_day = name[:8].isdigit()  # few do; the patterns tell for sure
    followed = _FOLLOWED.fullmatch(name) if begins_with_day else None
    dated = followed or (_DATED.fullmatch(name) if begins_with_day else None)
    day = _day(dated[1]) if dated else None
    return Name(kind, followed is not None and day is not None, day, dot + suffix)


def read_switch(path: str) -> tuple[ScopeKey, State] | None:
    """What a file switches off: `HALT` or `REDUCE` for all, `HALT.<account>` for an account, `<strategy>/HALT` for a strategy.

    path: below the inbox. Also as Windows makes it when extensions are hidden, with `.txt`.
    """
    folder, _, name = path.rpartition("/")
    if name[:1] not in _SWITCH_LETTERS:  # almost all names, quickly
        return None
    plain = name[:-4] if name.lower().endswith(".txt") else name
    word, dot, account = plain.partition(".")
    state = _SWITCHES.get(word.upper())
    if (
        state is None
        or account.lower().endswith((*TABLE_SUFFIXES, *IGNORED_SUFFIXES))
        or f".{account.lower()}" in TABLE_SUFFIXES + IGNORED_SUFFIXES
    ):
        return None
    if not dot:
        return (("strategy", folder) if folder else ALL), state
    return None if folder or not account else (("account", account), state)


def printable(name: str) -> str:
    """A hostile name made harmless: what cannot be shown becomes `?`, what is too long is cut."""
    if name.isascii() and name.isprintable() and len(name) <= MAX_NAME_BYTES:  # almost all, quickly
        return name
    return _UNPRINTABLE.sub("?", name).encode()[:MAX_NAME_BYTES].decode(errors="ignore")


def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
