"""Reads the rows of a terminal's output: cells in, reports out. Pure; never guesses.

Owns the columns (builds differ: `long(short)`, `long` and `short` names, extra columns) and how their texts are read. A row
that does not read is a BadRow that says why; who reads the files counts it. What is beyond all bounds (domain/report) does not read either.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Final, NamedTuple

from orderdrop.domain.goldminer_format import (
    CASH_HEADER,
    EXECUTION_HEADER,
    LONG,
    ORDER_STATUS_HEADER,
    POSITION_HEADER,
    STATUS_OF,
    ExecType,
)
from orderdrop.domain.report import (
    Account,
    CancelReject,
    Fill,
    Position,
    Report,
    StatusReport,
    Unreadable,
    instant,
    name,
    number,
    price,
    reason_code,
    whole,
)
from orderdrop.domain.status import Status
from orderdrop.system.clock import SHANGHAI, Micros, from_datetime

BadRow = Unreadable
"""A whole row that does not read; the message says what is wrong with it, without the row's own values."""


class Told(NamedTuple):
    """What a row tells. order: names the order within its account. identity: the same for the same row written again.

    report: None where the row tells nothing that we journal. odd: what is not known of the row, though it tells something.
    """

    order: str
    identity: tuple[str, ...]
    report: Report | None
    odd: str = ""


RowReader = Callable[[Sequence[str], str, Micros], Told]
"""Cells, the account that the folder names, now (for rows without a time). Raises BadRow."""


def names_of(header: str) -> tuple[str, str]:
    """The long and the short name of `long(short)`; a plain name is both."""
    long, bracket, short = header.strip().lower().partition("(")
    return (long, short.removesuffix(")")) if bracket else (long, long)


_SHORT: Final = dict(
    names_of(cell)
    for header in (ORDER_STATUS_HEADER, EXECUTION_HEADER, CASH_HEADER, POSITION_HEADER)
    for cell in header.split(",")
)

HEADER_BEGINS: Final = "account_id"
"""The first column of every output file that we read; no account is called that."""


def columns_of(header: Sequence[str]) -> dict[str, int]:
    """Where each column stands, by every name it goes by."""
    return {name: index for index, cell in enumerate(header) for name in names_of(cell)}


def _pick(
    columns: Mapping[str, int], needed: Sequence[str], wanted: Sequence[str]
) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """Picks cells from a row with one empty cell behind it, which stands for the columns that the build does not have.

    Raises:
        BadRow: a needed column is missing.
    """

    def place(name: str) -> int:
        return columns.get(name, columns.get(_SHORT[name], -1))

    missing = [name for name in needed if place(name) < 0]
    if missing:
        raise BadRow(f"the header has no {', '.join(missing)}")
    return itemgetter(*map(place, (*needed, *wanted)))


def status_reader(columns: Mapping[str, int]) -> RowReader:
    """For order_status.csv and order_status_change.csv. Raises BadRow when columns are missing."""
    pick = _pick(
        columns,
        ("account_id", "sid", "status", "filled_volume"),
        ("order_id", "cl_ord_id", "ord_rej_reason", "ord_rej_reason_detail", "updated_at", "recv_at", "created_at", "scan_name"),
    )  # fmt: skip

    def read(cells: Sequence[str], folder: str, now: Micros) -> Told:
        account, sid, code, filled, order_id, client_id, reason, detail, updated, received, created, scan = (
            pick([*cells, ""])
        )
        known = STATUS_OF.get(reason_code(code, "status"))
        # The terminal has the order, that much is sure: it is live, and may be cancelled.
        status, odd = (Status.PENDING_NEW, _odd_status(code)) if known is None else (known, "")
        changed = updated or received or created
        rejected = status is Status.REJECTED
        report = StatusReport(
            _when(changed, now),
            name(account or folder, "account_id"),
            name(sid, "sid"),
            status,
            name(order_id, "order_id"),
            whole(filled, "filled_volume") if filled else 0,
            reason_code(reason, "ord_rej_reason") if rejected and reason else 0,
            detail if rejected else "",
            name(scan, "scan_name"),
        )
        order = sid or client_id or order_id
        return Told(order, (order, code, filled, changed), report, odd)

    return read


def _odd_status(code: str) -> str:
    return f"unknown status code {reason_code(code, 'status')}"


def execution_reader(columns: Mapping[str, int]) -> RowReader:
    """For execution_report.csv: fills and refused cancels; the rest stands in the status files. Raises BadRow as above."""
    pick = _pick(
        columns,
        ("account_id", "sid", "exec_id", "exec_type", "price", "volume"),
        ("order_id", "cl_ord_id", "ord_rej_reason", "ord_rej_reason_detail", "created_at", "recv_at", "scan_name"),
    )  # fmt: skip

    def read(cells: Sequence[str], folder: str, now: Micros) -> Told:
        account, sid, exec_id, kind, paid, volume, order_id, client_id, reason, detail, created, received, scan = (
            pick([*cells, ""])
        )  # fmt: skip
        account, sid = name(account or folder, "account_id"), name(sid, "sid")
        order, at, scan = sid or client_id or order_id, created or received, name(scan, "scan_name")
        match reason_code(kind, "exec_type"):
            case ExecType.TRADE:
                if not exec_id:
                    raise BadRow("a fill without exec_id")
                fill = Fill(
                    _when(at, now), account, sid, name(exec_id, "exec_id"), whole(volume, "volume"),
                    price(paid, "price"), name(order_id, "order_id"), scan_name=scan,
                )  # fmt: skip
                return Told(order, (order, exec_id), fill)
            case ExecType.CANCEL_REJECTED:
                code = reason_code(reason, "ord_rej_reason") if reason else 0
                no = CancelReject(_when(at, now), account, sid, code, detail, scan)
                return Told(order, (order, exec_id, at), no)
            case ExecType.ORDER_STATUS:
                return Told(order, (), None)
            case code if code in STATUS_OF:
                return Told(order, (), None)
            case code:
                raise BadRow(f"unknown exec_type {code}")

    return read


def read_account(
    account_id: str,
    cash: tuple[Mapping[str, int], Sequence[Sequence[str]]],
    positions: tuple[Mapping[str, int], Sequence[Sequence[str]]] | None,
    now: Micros,
    written_at: Micros | None = None,
) -> Account | None:
    """A snapshot from cash.csv's and position.csv's columns and rows; None when there is no row of this account.

    Holdings are as of the newest of their rows; where none of them has a time, as of when the file was written (written_at; None: now).
    Short positions (futures) are left out. Raises BadRow.
    """
    pick = _pick(
        cash[0],
        ("account_id", "available", "balance"),
        ("market_value", "order_frozen", "pnl", "updated_at", "recv_at", "created_at"),
    )
    rows = [picked for picked in (pick([*cells, ""]) for cells in cash[1]) if picked[0] in {account_id, ""}]
    if not rows:
        return None
    _, available, balance, market_value, frozen, pnl, updated, received, created = rows[-1]
    at = updated or received or created
    return Account(
        _lately(at, now),
        account_id,
        number(balance, "balance"),
        number(available, "available"),
        number(frozen or "0", "order_frozen"),
        number(market_value or "0", "market_value"),
        number(pnl or "0", "pnl"),
        tuple(_positions(account_id, *positions)) if positions else (),
        _told_at(account_id, *positions, now if written_at is None else min(written_at, now))
        if positions
        else None,
    )


def _positions(account_id: str, columns: Mapping[str, int], rows: Sequence[Sequence[str]]) -> list[Position]:
    pick = _pick(
        columns,
        ("account_id", "symbol", "volume", "available_now"),
        ("side", "volume_today", "vwap", "price"),
    )
    positions = []
    for cells in rows:
        account, symbol, volume, available, side, today, vwap, last = pick([*cells, ""])
        if account not in {account_id, ""} or side not in {LONG, ""}:
            continue
        held = Position(
            name(symbol, "symbol"),
            whole(volume, "volume"),
            whole(today or "0", "volume_today"),
            whole(available, "available_now"),
            price(vwap or "0", "vwap"),
            price(last or "0", "price"),
        )
        positions.append(held)
    return positions


def _told_at(
    account_id: str, columns: Mapping[str, int], rows: Sequence[Sequence[str]], written_at: Micros
) -> Micros:
    """When the holdings were as these rows say: a time that does not read is none."""
    pick = _pick(columns, ("account_id", "symbol"), ("updated_at", "recv_at", "created_at"))
    times = []
    for cells in rows:
        account, _symbol, updated, received, created = pick([*cells, ""])
        if account in {account_id, ""} and (at := updated or received or created):
            with contextlib.suppress(BadRow):
                times.append(_lately(at, written_at))
    return max(times, default=written_at)


def moment(text: str) -> Micros:
    """`2022-03-12T15:58:03.441803+08:00`, with or without fraction [W]; without a zone it is the market's. Raises BadRow."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRow("a time that does not read") from None
    if not _FIRST_YEAR <= at.year < _LAST_YEAR:
        raise BadRow("a time that cannot be")
    return from_datetime(at if at.tzinfo else at.replace(tzinfo=SHANGHAI))


def _when(text: str, now: Micros) -> Micros:
    """When something happened to an order; now, where nobody says. Raises BadRow."""
    return instant(moment(text), now) if text else now


def _lately(text: str, now: Micros) -> Micros:
    """As of when funds are told: they may be old, but not of a time to come. Raises BadRow."""
    at = moment(text) if text else now
    return at if at <= now else instant(at, now)


_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2200
