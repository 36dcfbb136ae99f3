"""The sentences behind the codes: what is wrong and what to do, in Chinese and English, by family."""

from __future__ import annotations

from typing import Final

from orderdrop.domain.codes import Code
from orderdrop.domain.messages.checks import CHECKS
from orderdrop.domain.messages.files import FILES
from orderdrop.domain.messages.orders import ORDERS, REJECTION_REMEDIES
from orderdrop.domain.messages.values import VALUES
from orderdrop.domain.messages.words import Words

__all__ = ["REJECTION_REMEDIES", "WORDS", "Words"]

WORDS: Final[dict[Code, Words]] = {**FILES, **VALUES, **CHECKS, **ORDERS}
