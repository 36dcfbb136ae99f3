"""The one place that picks a language: of two sentences, of `中文 / English` in one text, of a label `中文 English`, of a status. Pure.

A text that nobody has made in two languages stays as it is. What programs read (JSON keys, csv, statuses in files) never comes here.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from orderdrop.domain.messages.labels import LABELS, STATUSES

Language = Literal["zh+en", "zh", "en"]

_SPLIT: Final = " / "
_CHINESE: Final = re.compile(r"[\u3400-\u9fff]")
_TAIL: Final = re.compile(r"(?::| →) ")
_HEAD: Final = re.compile(r"[^\u3400-\u9fff]*?: (?=[\u3400-\u9fff“])")
_BY_LENGTH: Final = sorted(LABELS, key=lambda pair: -len(" ".join(pair)))
_PROSE: Final = re.compile(r"(?:the|a|an|it|its|they|no|of|one) ")
_LABEL: Final = re.compile(
    rf"(?<![\u3400-\u9fff])(?:{'|'.join(f'{re.escape(zh)} {{1,2}}{re.escape(en)}' for zh, en in _BY_LENGTH)})(?![A-Za-z])"
)


class _Spoken:
    """What this process speaks; the command line sets it once, before it says a word."""

    language: Language = "zh+en"


def speak(language: Language) -> None:
    _Spoken.language = language


def spoken() -> Language:
    return _Spoken.language


def both(zh: str, en: str, language: Language | None = None) -> str:
    language = language or _Spoken.language
    if language == "zh":
        return zh
    if language == "en":
        return en
    return f"{zh} / {en}" if zh != en else zh


def half(text: str, language: Language | None = None) -> str:
    """Of a text whose lines may say all twice, `中文 / English`, the half that is spoken.

    What only one half names, because it stands behind both (`… / no such folder: D:/scan`), stays; so does what stands before them.
    """
    language = language or _Spoken.language
    if language == "zh+en" or _SPLIT not in text:
        return text
    return "\n".join(_half_of_line(line, language) for line in text.split("\n"))


def labels(text: str, language: Language | None = None) -> str:
    """A text with its known labels, `接受 accepted`, in the language that is spoken."""
    language = language or _Spoken.language
    for begin, end, first, last in reversed(label_spans(text, language)):
        text = text[:begin] + text[first:last] + text[end:]
    return text


def label_spans(text: str, language: Language | None = None) -> list[tuple[int, int, int, int]]:
    """Where labels stand, and where in them the half that is spoken: for texts with colours."""
    language = language or _Spoken.language
    if language == "zh+en":
        return []
    found = []
    for match in _LABEL.finditer(text):
        begin, end = match.span()
        gap = match[0].index(" ")
        english = end - len(match[0][gap:].lstrip())
        found.append((begin, end, english, end) if language == "en" else (begin, end, begin, begin + gap))
    return found


def status_word(status: str, language: Language | None = None) -> str:
    """A status, or an outcome, as people say it; in files and in JSON it stays as it is."""
    return STATUSES.get(status, status) if (language or _Spoken.language) == "zh" else status


def _half_of_line(line: str, language: Language) -> str:
    at = _where_split(line)
    if at is None:
        return line
    zh, en = line[:at], line[at + len(_SPLIT) :]
    head = _HEAD.match(zh)
    if language == "en":
        indent = line[: len(line) - len(line.lstrip())]
        count = re.match(r"\d+ ", zh)
        return (head[0] if head else indent) + (count[0] if count and not en[0].isdigit() else "") + en
    tail = _TAIL.search(en)
    own = _CHINESE.search(zh)
    said = zh[own.start() :] if own else zh
    if tail is None or re.search(r"[:：→]", said) or en[tail.end() :] in zh or _PROSE.match(en, tail.end()):
        return zh
    return f"{zh}{'：' if tail[0] == ': ' else tail[0]}{en[tail.end() :]}"


def _where_split(line: str) -> int | None:
    """Between Chinese and a half that is none; a slash between two numbers or names is no such place."""
    at = line.find(_SPLIT)
    while at >= 0:
        before, behind = line[:at], line[at + len(_SPLIT) :]
        words = _TAIL.split(behind, maxsplit=1)[0]
        quoted = re.sub(r"“[^”]*”|文件单|掘金|极简|独立交易", "", words)
        if _CHINESE.search(before) and re.search(r"[A-Za-z]", words) and not _CHINESE.search(quoted):
            return at
        at = line.find(_SPLIT, at + 1)
    return None
