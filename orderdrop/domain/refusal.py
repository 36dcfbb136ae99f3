"""Explains why a file, a row or an order was refused: a stable code, the facts, and the sentence in Chinese and English.

A refusal is data. `explain` turns it into words; the words may improve, the codes stay.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from orderdrop.domain.codes import Code
from orderdrop.domain.language import Language, both, labels
from orderdrop.domain.messages import REJECTION_REMEDIES, WORDS
from orderdrop.domain.report import clean

__all__ = ["Code", "Explanation", "Language", "Refusal", "RowError", "Said", "both", "explain"]


class Refusal(NamedTuple):
    """The facts of a refusal. column: as the file's header names it. bound: what the rule wants, for people."""

    code: Code
    column: str = ""
    value: str = ""
    bound: str = ""


class Said(NamedTuple):
    """What an order row that was refused says, as text, so that its sender can be told in the terms of its own. sid: as it wrote it."""

    sid: str
    account_id: str
    symbol: str = ""
    volume: str = ""
    order_type: str = ""
    order_business: str = ""
    price: str = ""


class RowError(NamedTuple):
    """A row that did not become an order. row: line in the file; sid: "" where none could be read. said: None where it names no sid, or no account."""

    row: int
    sid: str
    refusal: Refusal
    said: Said | None = None


class Explanation(NamedTuple):
    """The sentences for people. `zh` and `en` say what and why; `remedy` says what to do, in the asked language."""

    zh: str
    en: str
    remedy: str

    def text(self, language: Language = "zh+en") -> str:
        return both(self.zh, self.en, language)


TO_DO: Final = " → "
"""In a broker's words: what stands behind it says what to do. Only our own paper broker writes so."""

_LONGEST = 5000
_SLOT = re.compile(r"\{(column|value|bound)\}")


def explain(refusal: Refusal, language: Language = "zh+en") -> Explanation:
    words = WORDS[Code(refusal.code)]
    # A journal may hold words of before they were cleaned where they come in.
    value, bound = (_halves(clean(fact, _LONGEST)) for fact in (refusal.value, refusal.bound))
    told: tuple[str, ...] = ()
    if refusal.code == Code.BROKER_REJECTED and all(TO_DO in half for half in value):
        value, told = zip(*(half.split(TO_DO, 1) for half in value), strict=True)
    chinese, english = (
        {"column": refusal.column, "value": _short(value[n]), "bound": bound[n]} for n in (0, 1)
    )
    known = REJECTION_REMEDIES.get(refusal.bound) if refusal.code == Code.BROKER_REJECTED else None
    to_do_zh, to_do_en = told or known or (words.remedy_zh, words.remedy_en)
    zh, remedy_zh = _fill(words.zh, chinese), _fill(to_do_zh, chinese)
    en, remedy_en = _fill(words.en, english), _fill(to_do_en, english)
    return Explanation(zh, en, both(remedy_zh, remedy_en, language))


def _fill(text: str, facts: dict[str, str]) -> str:
    return _SLOT.sub(lambda slot: facts[slot[1]], text)


def _halves(fact: str) -> tuple[str, str]:
    """A fact that is itself a sentence in both languages, `中文 / English`, is put into each sentence by its half."""
    zh, slash, en = fact.partition(" / ")
    if slash and en.replace(TO_DO, "").isascii() and not zh.isascii():
        return zh, en
    return labels(fact, "zh"), labels(fact, "en")


def _short(value: str, limit: int = 80) -> str:
    return value if len(value) <= limit else value[: limit - 1] + "…"
