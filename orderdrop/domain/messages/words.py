"""The sentences of a code: what is wrong and what to do, in Chinese and English. {column}, {value}, {bound} are facts."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
