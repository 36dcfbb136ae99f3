"""Models journal rows as people and programs are shown them. These models are the contract behind `--json` and `schemas/`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from orderdrop.domain.identity import from_day_number, spot_of
from orderdrop.domain.order import SIDE_OF, OrderBusiness, Side
from orderdrop.domain.refusal import Code, Explanation, Language, Refusal, both, explain
from orderdrop.domain.status import Status
from orderdrop.journal.records import InstructionState
from orderdrop.journal.schema import ROW_BITS
from orderdrop.system.clock import iso
from orderdrop.views.unfinished import STILL_TAKEN, Unfinished

_AVERAGE_STEP = Decimal("0.0001")


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OrderView(_View):
    """One order, as `orderdrop orders --json` prints it. Instants are ISO 8601 with +08:00; prices are decimal strings."""

    sid: str
    account_id: str
    strategy: str | None
    symbol: str
    side: Side
    order_type: int
    order_business: int
    volume: int
    price: str | None
    remark: str | None
    status: Status
    filled_volume: int
    avg_price: str | None
    order_id: str | None = Field(description="the broker's number")
    gateway: str | None
    reason_code: str | None
    reason: str | None
    trade_date: str
    drop: str = Field(description="path below the inbox")
    sheet: str | None = Field(description="the workbook's sheet, where several hold orders")
    row: int = Field(description="line in the file, the header being line 1; in a workbook the sheet's row")
    received_at: str
    submitted_at: str | None
    confirmed_at: str | None
    updated_at: str


class RowErrorView(_View):
    sheet: str | None
    row: int
    column: str | None
    value: str | None
    code: str
    message: str


class DropView(_View):
    """One drop, as `orderdrop drops --json` prints it."""

    name: str
    sha256: str | None
    state: str
    rows: int
    accepted: int
    denied: int
    duplicates: int
    errors: list[RowErrorView] = Field(description="row 0 speaks of the whole file")
    received_at: str
    archived_as: str | None


class CashView(_View):
    """The funds of one account, as `orderdrop cash --json` prints them; yuan, as decimal strings."""

    account_id: str
    at: str = Field(description="when the gateway told it")
    balance: str = Field(description="all cash, with what open orders hold")
    available: str = Field(description="what can be spent")
    frozen: str = Field(description="what open orders hold")
    market_value: str
    nav: str = Field(description="cash and holdings")
    pnl: str


class PositionView(_View):
    """One holding, as `orderdrop positions --json` prints it."""

    account_id: str
    at: str = Field(description="when the gateway told it")
    symbol: str
    volume: int
    volume_today: int = Field(description="bought today")
    available: int = Field(description="what can be sold")
    vwap: str
    price: str
    market_value: str


class BrokerOrderView(_View):
    """One order as the broker last spoke of it, as `orderdrop orders --broker --json` prints it.

    An order that did not come from here has no sid, and what only its sid would tell is null.
    """

    gateway: str
    account_id: str
    sid: str | None
    at: str
    order_id: str | None = Field(description="the broker's number")
    symbol: str | None
    side: Side | None
    volume: int | None
    price: str | None
    status: Status
    filled_volume: int
    reason: str | None = Field(description="the broker's own words")


class TradeView(_View):
    """One fill, as `orderdrop trades --json` prints it."""

    gateway: str
    account_id: str
    sid: str | None
    at: str
    order_id: str | None = Field(description="the broker's number of the order")
    exec_id: str = Field(description="the broker's number of the fill")
    symbol: str | None
    side: Side | None
    volume: int
    price: str
    value: str
    fee: str | None = Field(description="all charges, null where the broker does not tell")


class ReceiptRow(_View):
    """One row of `<drop name>.receipt.csv`."""

    row: int
    sid: str
    outcome: str = Field(
        description="an order's status, not_sent, error or duplicate; of a cancel: asked, sent, done, refused"
    )
    code: str
    原因: str
    reason: str
    remedy: str
    note: str
    gateway: str
    filled_volume: str
    avg_price: str
    sheet: str = Field(description="the workbook's sheet, where several hold orders")
    owner: str = Field("", description="who owned the file, where the system tells it")


class Where(NamedTuple):
    """Where a journal row stood in its file. sheet: None where there is only one table."""

    sheet: str | None
    row: int

    def __str__(self) -> str:
        return str(self.row) if self.sheet is None else f"{self.sheet}!{self.row}"


def order_view(order: Any, language: Language = "zh+en") -> OrderView:
    why = explain_row(order, language)
    sheet, row = where(order)
    return OrderView(
        sid=order.sid,
        account_id=order.account_id,
        strategy=order.strategy,
        symbol=order.symbol,
        side=SIDE_OF[OrderBusiness(order.order_business)],
        order_type=order.order_type,
        order_business=order.order_business,
        volume=order.volume,
        price=order.price,
        remark=order.remark,
        status=Status(order.status),
        filled_volume=order.filled_volume,
        avg_price=average_price(order),
        order_id=order.order_id,
        gateway=order.gateway,
        reason_code=order.reason_code,
        reason=None if why is None else why.text(language),
        trade_date=from_day_number(order.trade_day).isoformat(),
        drop=order.drop_name,
        sheet=sheet,
        row=row,
        received_at=iso(order.received_at),
        submitted_at=_instant(order.submitted_at),
        confirmed_at=_instant(order.confirmed_at),
        updated_at=iso(order.updated_at),
    )


def drop_view(
    drop: Any, outcomes: Sequence[Any], language: Language = "zh+en", asked: Sequence[Any] = ()
) -> DropView:
    """outcomes: the drop's row errors and duplicates; only errors are shown. asked: its instructions; those refused count as denied."""
    refused = [row for row in asked if row.state == InstructionState.REFUSED]
    bad = [*(row for row in outcomes if row.outcome == "error"), *refused]
    errors = [_error_view(where(row), row, language) for row in sorted(bad, key=attrgetter("id"))]
    if drop.reason_code:
        errors.insert(0, _error_view(Where(None, 0), drop, language))
    return DropView(
        name=drop.name,
        sha256=drop.sha256,
        state=drop.state,
        rows=drop.rows,
        accepted=drop.accepted - len(refused),
        denied=drop.denied + len(refused),
        duplicates=drop.duplicates,
        errors=errors,
        received_at=iso(drop.received_at),
        archived_as=drop.archived_as,
    )


def is_early(asked: Any) -> bool:
    """Whether an instruction is a cancel that waits for an order that nobody has given yet."""
    return bool(asked.state == InstructionState.ASKED and asked.reason_code == Code.CANCEL_EARLY)


def receipt_of_order(order: Any, gateway: str, language: Language, owner: str = "") -> ReceiptRow:
    """gateway: its name with a word on whether it is live. owner: of the drop."""
    outcome = "not_sent" if order.reason_code == Code.NOT_SENT else order.status
    why = explain_row(order, language)
    sheet, row = where(order)
    return ReceiptRow.model_construct(
        row=row, sid=order.sid, outcome=outcome, code=order.reason_code or "",
        原因=why.zh if why else "", reason=why.en if why else "", remedy=why.remedy if why else "",
        note=order.note or "", gateway=gateway,
        filled_volume=str(order.filled_volume or ""), avg_price=average_price(order) or "", sheet=sheet or "",
        owner=owner,
    )  # fmt: skip


def receipt_of_row(
    journaled: Any,
    outcome: str,
    language: Language,
    place: Where | None = None,
    owner: str = "",
    note: str = "",
) -> ReceiptRow:
    """A row that did not become an order: an error, a duplicate, or an instruction. place: of a drop that was refused whole. note: what
    was passed over in it.
    """
    why = explain_row(journaled, language)
    sheet, row = place or where(journaled)
    return ReceiptRow.model_construct(
        row=row, sid=getattr(journaled, "sid", None) or "", outcome=outcome, code=journaled.reason_code or "",
        原因=why.zh if why else "", reason=why.en if why else "", remedy=why.remedy if why else "",
        note=note, gateway="", filled_volume="", avg_price="", sheet=sheet or "",
        owner=owner,
    )  # fmt: skip


def receipt_of_line(row: int, line: Unfinished, language: Language, owner: str = "") -> ReceiptRow:
    """A line of a file that is still being written: what may yet become a row."""
    why = explain(line.why, language)
    return ReceiptRow.model_construct(
        row=row, sid="", outcome="error", code=line.why.code,
        原因=why.zh, reason=why.en, remedy=why.remedy, note=STILL_TAKEN,
        gateway="", filled_volume="", avg_price="", sheet="", owner=owner,
    )  # fmt: skip


def explain_row(row: Any, language: Language) -> Explanation | None:
    """The sentences for a journal row's reason, None if it has none."""
    if not row.reason_code:
        return _held_by_settings(row, language)
    column = getattr(row, "reason_column", "") or ""
    return explain(
        Refusal(Code(row.reason_code), column, row.reason_value or "", row.reason_bound or ""), language
    )


def _held_by_settings(row: Any, language: Language) -> Explanation | None:
    """Of an order that waits for nothing but its release; None for whatever else has no reason."""
    if getattr(row, "status", None) != Status.HELD:
        return None
    strategy = getattr(row, "strategy", None)
    settings = "[inbox] hold" + (f" / [strategies.{strategy}] hold" if strategy else "")
    return explain(Refusal(Code.HELD, "", row.sid, settings), language)


def average_price(order: Any) -> str | None:
    """Yuan, to four decimals."""
    average = average_of(Decimal(order.filled_value or 0), order.filled_volume)
    return None if average is None else str(average)


def average_of(value: Decimal, volume: int) -> Decimal | None:
    """To four decimals; as it comes, where a journal holds what a terminal once told and no price can be."""
    try:
        average = value / volume if volume else None
        return average if average is None else average.quantize(_AVERAGE_STEP)
    except InvalidOperation:
        return average
    except ArithmeticError:
        return None


def line_of(row_id: int) -> int:
    """The number under which a row of a file is kept; `spot_of` tells its sheet and row."""
    return row_id & ((1 << ROW_BITS) - 1)


def where(row: Any) -> Where:
    """row: of the journal, with the `sheets` of its drop."""
    sheet, number = spot_of(line_of(row.id))
    return Where(json.loads(row.sheets)[sheet] if row.sheets else None, number)


def scan_finds_key(day: date) -> str:
    """Where the journal counts the drops of a day that only the scan has found."""
    return f"found_by_scan:{day:%Y%m%d}"


def live_words(live: bool, language: Language | None = None) -> str:
    return both("实盘", "LIVE", language) if live else both("模拟", "simulated", language)


def _error_view(place: Where, row: Any, language: Language) -> RowErrorView:
    why = explain_row(row, language)
    message = f"{why.text(language)} → {why.remedy}" if why else ""
    return RowErrorView(
        sheet=place.sheet, row=place.row, column=row.reason_column or None, value=row.reason_value, code=row.reason_code,
        message=message,
    )  # fmt: skip


def _instant(at: int | None) -> str | None:
    return None if at is None else iso(at)  # type: ignore[arg-type]
