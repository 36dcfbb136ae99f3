"""What the tests of workbooks and dbf files share: read one whole, say what became of it."""

from __future__ import annotations

from intake_reading import Outcomes, a_context

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Refusal
from orderdrop.intake import Book, BookLimits, open_book

LIMITS = BookLimits.of(32 * 1024 * 1024, 200_000)


def opened(
    data: bytes, kind: DropKind = DropKind.ORDER, limits: BookLimits = LIMITS, suffix: str = ".xlsx"
) -> Book:
    book = open_book(data, suffix, kind, limits)
    assert not isinstance(book, Refusal), book
    return book


def refused(
    data: bytes, kind: DropKind = DropKind.ORDER, limits: BookLimits = LIMITS, suffix: str = ".xlsx"
) -> Refusal:
    refusal = open_book(data, suffix, kind, limits)
    assert isinstance(refusal, Refusal), refusal
    return refusal


def read(data: bytes, kind: DropKind = DropKind.ORDER, suffix: str = ".xlsx", **context) -> Outcomes:
    outcomes = Outcomes([], [], [])
    for block in opened(data, kind, suffix=suffix).read(a_context(**context)):
        for whole, part in zip(outcomes, block[:3], strict=True):
            whole.extend(part)
    return outcomes
