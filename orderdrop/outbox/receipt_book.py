"""Writes the receipt of a workbook as a workbook: its own rows, and beside each the result, why, and what to do, in colour."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, Final

from orderdrop.domain.refusal import Language, both
from orderdrop.intake.workbook import OwnSheet
from orderdrop.system.excel import (
    BAD,
    GOOD,
    HEAD,
    PALE,
    WAITING,
    Tint,
    append_fitted,
    lay_out_page,
    number,
    openpyxl,
    safe,
    sheet_name,
    tinted,
    width_of,
)
from orderdrop.views.orders import ReceiptRow

MOST_ROWS: Final = 20_000
"""A longer drop gets the csv receipt alone: nobody reads so much, and it would take seconds."""

_SLICE: Final = 200
_TOLD: Final = (
    "结果 outcome",
    "委托编号 order sid",
    "已成交 filled",
    "均价 average",
    "原因 reason",
    "办法 remedy",
    "说明 note",
)
_WIDTHS: Final = (15, 27, 10, 10, 48, 38, 22)
_HEAD_ROWS: Final = 2
_ROW_WIDTH: Final = 8
_OWN_WIDTH: Final = 11
_OWN_WIDEST: Final = 30
_ARROW: Final = 4
"""What the arrow of the filter takes of a head."""
_NUMBERS: Final = frozenset({"volume", "price"})
_OUTCOMES: Final[dict[str, tuple[str, Tint]]] = {
    "filled": ("已成交", GOOD),
    "partially_filled": ("部分成交", GOOD),
    "new": ("已报", GOOD),
    "done": ("已完成", GOOD),
    "received": ("已接收", WAITING),
    "held": ("暂存", WAITING),
    "ready": ("待送出", WAITING),
    "submitting": ("正在送出", WAITING),
    "submitted": ("已送出", WAITING),
    "pending_new": ("待报", WAITING),
    "pending_cancel": ("待撤", WAITING),
    "suspended": ("挂起", WAITING),
    "unknown": ("状态不明", WAITING),
    "duplicate": ("重复", WAITING),
    "asked": ("已登记", WAITING),
    "sent": ("已转达", WAITING),
    "canceled": ("已撤", PALE),
    "expired": ("已过期", PALE),
    "not_sent": ("未发送", PALE),
    "denied": ("检查拒绝", BAD),
    "rejected": ("柜台拒绝", BAD),
    "error": ("有错", BAD),
    "refused": ("拒绝", BAD),
}

Told = dict[tuple[str, int], ReceiptRow]
"""By sheet ("" where only one holds orders) and row; what has been shown is taken out."""


def write_receipt_book(
    title: str, receipts: Iterable[ReceiptRow], sheets: Iterable[OwnSheet], language: Language
) -> Generator[None, None, bytes]:
    """Makes the receipt's bytes in slices. sheets: the drop's own; none when it was refused unread."""
    told = {(receipt.sheet, receipt.row): receipt for receipt in receipts}
    several = any(sheet for sheet, _row in told)
    book = openpyxl().Workbook(write_only=True)
    try:
        for own in sheets:
            yield from _show(book, title, own, told, own.name if several else "", language)
        if told or not book.worksheets:  # of the file as a whole, and rows without a text of their own
            sheet = _sheet(book, "回执 Receipt", title, ())
            for line, ((name, row), receipt) in enumerate(told.items(), _HEAD_ROWS + 1):
                at = safe(f"{name}!{row}") if name else row
                append_fitted(sheet, line, [at, *_outcome(sheet, receipt, language)], _widths(()))
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()
    finally:
        for sheet in book.worksheets:
            if not sheet.closed:
                sheet.close()


def _show(book: Any, title: str, own: OwnSheet, told: Told, name: str, language: Language) -> Iterator[None]:
    """Writes a sheet's own rows beside their results; no sheet where nothing is told of one."""
    numbers = {place for column, place in own.header.layout.places.items() if column in _NUMBERS}
    sheet, line = None, _HEAD_ROWS
    for count, (row, texts) in enumerate(own.rows, 1):
        receipt = told.pop((name, row), None)
        if receipt is not None:
            sheet = sheet or _sheet(book, sheet_name(own.name), title, own.header.titles)
            cells = [number(text) if at in numbers else safe(text) for at, text in enumerate(texts)]
            line += 1
            append_fitted(
                sheet, line, [row, *cells, *_outcome(sheet, receipt, language)], _widths(own.header.titles)
            )
        if not count % _SLICE:
            yield


def _sheet(book: Any, name: str, title: str, titles: Sequence[str]) -> Any:
    """A new sheet with its title and its header."""
    letter = openpyxl().utils.get_column_letter
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "B3"
    lay_out_page(sheet, head=_HEAD_ROWS)
    for index, width in enumerate(_widths(titles), 1):
        sheet.column_dimensions[letter(index)].width = width
    sheet.auto_filter.ref = f"A2:{letter(1 + len(titles) + len(_TOLD))}{MOST_ROWS + 2}"
    sheet.append([tinted(_cell(sheet, title), PALE, bold=True)])
    heads = [tinted(_cell(sheet, text), HEAD, bold=True) for text in ("行 row", *titles, *_TOLD)]
    append_fitted(sheet, _HEAD_ROWS, heads, [width - _ARROW for width in _widths(titles)])
    return sheet


def _widths(titles: Sequence[str]) -> list[int]:
    """Our own heads fall into two lines, Chinese and English."""
    own = (min(_OWN_WIDEST, max(_OWN_WIDTH, width_of(title) + _ARROW + 1)) for title in titles)
    return [_ROW_WIDTH, *own, *_WIDTHS]


def _outcome(sheet: Any, receipt: ReceiptRow, language: Language) -> list[Any]:
    word, tint = _OUTCOMES.get(receipt.outcome, (receipt.outcome, PALE))
    said = {"zh": [receipt.原因], "en": [receipt.reason]}.get(language, [receipt.原因, receipt.reason])
    reasons = [*dict.fromkeys(said)]
    return [
        tinted(_cell(sheet, both(word, receipt.outcome, language).replace(" / ", " ")), tint),
        safe(receipt.sid),
        number(receipt.filled_volume),
        number(receipt.avg_price),
        safe("\n".join([f"{receipt.code} {reasons[0]}".strip(), *reasons[1:]]).strip()),
        safe(receipt.remedy.replace(" / ", "\n", 1)),
        safe(receipt.note),
    ]


def _cell(sheet: Any, text: str) -> Any:
    return openpyxl().cell.WriteOnlyCell(sheet, safe(text))
