"""The receipt of a workbook as a workbook: its own rows, and beside each what became of it, why, and what to do, in colour."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from orderdrop.excel import BAD, GOOD, HEAD, PALE, WAITING, Tint, library, number, safe, sheet_name, tinted
from orderdrop.intake.sheets import Header
from orderdrop.intake.workbook import OwnSheet
from orderdrop.order.refusal import Language, both
from orderdrop.views import ReceiptRow

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
_WIDTHS: Final = (20, 18, 10, 10, 60, 50, 30)
_OWN_WIDTH: Final = 14
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

Told = Mapping[tuple[str, int], ReceiptRow]


def write_receipt_book(
    title: str, receipts: Iterable[ReceiptRow], sheets: Iterable[OwnSheet], language: Language
) -> Generator[None, None, bytes]:
    """The receipt's bytes, made in slices. sheets: the drop's own; none when it was refused unread."""
    told = {(receipt.sheet, receipt.row): receipt for receipt in receipts}
    several = any(sheet for sheet, _row in told)
    book = library().Workbook(write_only=True)
    whole = told.get(("", 0))
    if whole is not None:
        sheet = book.create_sheet("回执 Receipt")
        _head(sheet, title, ())
        sheet.append([_cell(sheet, ""), *_outcome(sheet, whole, language)])
        sheets = ()
    try:
        for name, header, rows in sheets:
            if any(not several or key[0] == name for key in told):
                sheet = book.create_sheet(sheet_name(name))
                _head(sheet, title, header.titles)
                yield from _rows(sheet, header, rows, told, name if several else "", language)
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()
    finally:
        for sheet in book.worksheets:
            if not sheet.closed:
                sheet.close()


def _head(sheet: Any, title: str, titles: Sequence[str]) -> None:
    utils = library().utils
    sheet.freeze_panes = f"{utils.get_column_letter(2)}3"
    for index, width in enumerate(chain([6], [_OWN_WIDTH] * len(titles), _WIDTHS), 1):
        sheet.column_dimensions[utils.get_column_letter(index)].width = width
    sheet.append([tinted(_cell(sheet, title), PALE, bold=True)])
    sheet.append([tinted(_cell(sheet, text), HEAD, bold=True) for text in ("行 row", *titles, *_TOLD)])
    last = utils.get_column_letter(1 + len(titles) + len(_TOLD))
    sheet.auto_filter.ref = f"A2:{last}{MOST_ROWS + 2}"


def _rows(
    sheet: Any,
    header: Header,
    rows: Iterator[tuple[int, list[str]]],
    told: Told,
    name: str,
    language: Language,
) -> Iterator[None]:
    numbers = {place for column, place in header.layout.places.items() if column in _NUMBERS}
    for count, (row, texts) in enumerate(rows, 1):
        receipt = told.get((name, row))
        if receipt is not None:
            own = [number(text) if at in numbers else safe(text) for at, text in enumerate(texts)]
            sheet.append([row, *own, *_outcome(sheet, receipt, language)])
        if not count % _SLICE:
            yield


def _outcome(sheet: Any, receipt: ReceiptRow, language: Language) -> list[Any]:
    word, tint = _OUTCOMES.get(receipt.outcome, (receipt.outcome, PALE))
    reason = both(receipt.原因, receipt.reason, language)
    return [
        tinted(_cell(sheet, both(word, receipt.outcome, language).replace(" / ", " ")), tint),
        safe(receipt.sid),
        number(receipt.filled_volume),
        number(receipt.avg_price),
        safe(f"{receipt.code} {reason}".strip()),
        safe(receipt.remedy),
        safe(receipt.note),
    ]


def _cell(sheet: Any, text: str) -> Any:
    return library().cell.WriteOnlyCell(sheet, safe(text))
