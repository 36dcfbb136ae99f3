"""Reads a file's name, before anything is opened: ignored, refused, or which kind of drop it is. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final, NamedTuple

from orderdrop.config.workspace import FIN_SUFFIX, HALT_FILE, REDUCE_FILE
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.switches import ALL, ScopeKey, State

EXCEL_MARK: Final = "~$"
IGNORED_PREFIXES: Final = (EXCEL_MARK, ".")
IGNORED_SUFFIXES: Final = (".tmp", ".part", ".crdownload", FIN_SUFFIX, ".lock")
TABLE_SUFFIXES: Final = (".csv", ".xlsx", ".dbf")
MACRO_SUFFIXES: Final = (".xlsm", ".xlsb", ".xltm")
BY_CONTENT: Final = (*TABLE_SUFFIXES, ".xls")
"""What is looked into: under `.xls` many programs save a text or a web page."""

OTHER_TABLES: Final = (".et", ".ods", ".xltx")
"""Tables that people save by mistake for an .xlsx: they are told."""

MAX_NAME_BYTES: Final = 200
"""Leaves room for `.receipt.xlsx` within the 255 bytes that file systems give a name."""

_SWITCHES: Final = {HALT_FILE: State.HALTED, REDUCE_FILE: State.REDUCING}
_SWITCH_LETTERS: Final = frozenset("HhRr")
_PLAIN_ENDS: Final = frozenset({"", "txt"})
"""What may stand behind the dot of a switch that names no account."""

_KIND = {f".{kind}": kind for kind in DropKind}
_FOLLOWED: Final = re.compile(r"(\d{8})\.(?:order|cancel_order)\.csv", re.IGNORECASE | re.ASCII)
_DATED: Final = re.compile(  # 20261127, 2026-11-27, 2026年11月27日, and stamps that begin with a day: 20261127092037, with or without a fraction
    r"(?<!\d)(20\d\d)(?:"
    r"(\d\d)(\d\d)(?:(?:[01]\d|2[0-3])[0-5]\d[0-5]\d(?:\d{3,})?)?(?!\d)"
    r"|(?P<mark>[-_.])(\d\d)(?P=mark)(\d\d)(?!\d)"
    r"|年(\d{1,2})月(\d{1,2})(?!\d))",
    re.ASCII,
)
_COPIED: Final = re.compile(  # what people's systems put behind a name that is taken already
    r"""(?:
        \s*[(（]\d{1,3}[)）]                                                # Windows, browsers: basket (1)
      | \s*-\s*(?:副本|複製|复制|copy)                                      # Windows: basket - 副本
      | \s+(?:的?副本|拷贝|copy)(?:\s*\d{1,3})?                            # macOS: basket copy 2
      | \s*[(（\[][^()（）\[\]]*(?:conflict|冲突|衝突)[^()（）\[\]]*[)）\]]   # Dropbox, 坚果云: basket (conflicted copy 2026-11-28)
      | [-_.\s]*(?:的)?冲突(?:文件|副本).*                                   # basket_冲突文件_zhang_20261128
      | -(?:desktop|laptop|win)-[a-z0-9]{4,12}(?:-\d{1,3})?              # OneDrive: basket-DESKTOP-4F2K9QX
      | [.~]sync-conflict-[0-9a-z-]+                                        # Syncthing
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_COPY_OF: Final = re.compile(r"^(?:copy of|复件|副本)\s*", re.IGNORECASE)
_UNPRINTABLE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


class Name(NamedTuple):
    """A file that may be a drop. followed: it is appended to all day. day: the trading day in its name, if any.

    suffix: ".csv", or that of a file that is read whole: it is nothing until it is complete, and never appended to. What stands in the file
    wins over its name, once it is looked into.
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
    if is_mark(name):
        return Ignored("临时文件或标记文件 / a temporary file or a mark")
    if lower.endswith(MACRO_SUFFIXES):
        return Refusal(Code.BOOK_MACROS, value=printable(name))
    if lower.endswith(OTHER_TABLES):
        return Refusal(Code.FILE_TYPE, value=printable(name), bound=" ".join(TABLE_SUFFIXES))
    if not lower.endswith(BY_CONTENT):
        return Ignored(
            f"不认识的文件类型,只接收 {' '.join(TABLE_SUFFIXES)} / unknown type, only {' '.join(TABLE_SUFFIXES)} are taken"
        )
    if printable(name) != name:
        return Refusal(Code.FILE_NAME, value=printable(name))
    stem, dot, suffix = lower.rpartition(".")
    kind = _KIND.get(stem[stem.rfind(".") :], DropKind.ORDER)
    followed = _FOLLOWED.fullmatch(name) if name[:8].isdigit() else None  # few do; the pattern tells for sure
    day = _day_in(name)
    return Name(kind, followed is not None and day is not None, day, dot + suffix)


def is_mark(name: str) -> bool:
    """Whether programs leave such a file beside what they write, for a while: nobody wonders about it."""
    lower = name.lower()
    return lower.startswith(IGNORED_PREFIXES) or lower.endswith(IGNORED_SUFFIXES)


def read_switch(path: str) -> tuple[ScopeKey, State] | None:
    """Returns what an entry of the inbox, file or folder, switches off: `HALT` or `REDUCE` all, `<strategy>/HALT` a strategy, `HALT.<name>` what is
    called so: an account, if it is one that is known, else all (`orderdrop.domain.switches.with_accounts`).

    Whatever begins with such a word, in any case, and goes on with anything but a letter, is a switch: it must not fail to halt for the sake
    of a name. path: below the inbox.
    """
    folder, _, name = path.rpartition("/")
    if name[:1] not in _SWITCH_LETTERS:  # almost all names, quickly
        return None
    for word, state in _SWITCHES.items():
        rest = name[len(word) :]
        if name[: len(word)].upper() == word and not _is_letter(rest[:1]):
            if folder:
                return ("strategy", folder), state
            return _named(rest), state
    return None


def stem_of(name: str) -> str:
    """Returns what a drop and its copies have in common: its name without suffix and without what marks a copy or a conflict.

    name: path below the inbox.
    """
    folder, _, base = unicodedata.normalize("NFC", name).rpartition("/")
    stem = base.rpartition(".")[0] or base
    while True:
        shorter = _COPY_OF.sub("", _COPIED.sub("", stem.strip()))
        if shorter in {stem, ""}:
            return f"{folder}/{stem}".casefold()
        stem = shorter


def _is_letter(text: str) -> bool:
    """Of a word in Latin letters: what has no capitals, such as 副, ends it."""
    return text.lower() != text.upper()


def _named(rest: str) -> ScopeKey:
    """What stands behind the word and a dot, without what Windows adds: `.main`, `.main.txt`."""
    if not rest.startswith("."):
        return ALL
    account = rest[1:].strip()
    account = account[:-4].strip() if account.lower().endswith(".txt") else account
    return ALL if account.lower() in _PLAIN_ENDS else ("account", account)


def printable(name: str) -> str:
    """Returns a hostile name made harmless: what cannot be shown becomes `?`, what is too long is cut."""
    if name.isascii() and name.isprintable() and len(name) <= MAX_NAME_BYTES:  # almost all, quickly
        return name
    return _UNPRINTABLE.sub("?", name).encode()[:MAX_NAME_BYTES].decode(errors="ignore")


def _day_in(name: str) -> date | None:
    """The trading day that a name tells, in whatever form; of several the last one, as in `20261120_to_20261127`."""
    days = [
        day
        for found in _DATED.finditer(name)
        if (day := _day(*(part for part in found.groups() if part and part.isdigit()))) is not None
    ]
    return max(days, default=None)


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
