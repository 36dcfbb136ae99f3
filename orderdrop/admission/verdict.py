"""What became of the rows of a block, and how it is told: to the journal, and to the sender of a basket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from orderdrop.admission.pending import Accepted, known_as
from orderdrop.domain.identity import spot_of
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Code, Refusal, RowError, Said, explain
from orderdrop.journal.records import Known, NewRow, RowOutcome, drop_of, row_id


class Verdict(NamedTuple):
    """What became of the rows of a block. repeated: an order and the id of the one that it repeats."""

    accepted: list[Accepted]
    denied: list[tuple[int, Order, Refusal]]
    repeated: list[tuple[Order, int]]
    errors: list[RowError]

    def bad(self, sheets: Sequence[str]) -> str:
        """The first reason to refuse a basket, "" if there is none. sheets: their names, if there are several."""
        if self.errors:
            return _cite(self.errors[0].row, self.errors[0].refusal, sheets)
        return _cite(self.denied[0][1].row, self.denied[0][2], sheets) if self.denied else ""


_COMPARED = Known._fields[1:-2]
"""The sid as well: its key is only 64 bits of a hash."""


def conflict(order: Order, earlier: Known | Accepted) -> Refusal | None:
    """Why `order` is not the one that has its sid: which columns differ, such as `volume 100 → 200`.

    The columns are compared, not a hash of them: nothing can collide, and people are told what differs.
    """
    before = earlier if isinstance(earlier, Known) else known_as(earlier)
    after = known_as((before.id, 0, order))
    if before[:-2] == after[:-2]:
        return None
    differences = [
        f"{name} {old or '-'} → {new or '-'}"
        for name, old, new in zip(_COMPARED, before[1:-2], after[1:-2], strict=True)
        if (_number(old) != _number(new) if name == "price" else old != new)
    ]
    return Refusal(Code.SID_CONFLICT, "sid", order.sid, ", ".join(differences)) if differences else None


@lru_cache(maxsize=1024)
def told(warning: Refusal) -> str:
    return f"{warning.code}: {explain(warning).text()}"


def error_row(drop_id: int, error: RowError, came: int | None = None) -> NewRow:
    """came: when the row did, if later than its drop."""
    why, sid = error.refusal, error.sid or None
    return NewRow(
        row_id(drop_id, error.row), RowOutcome.ERROR, sid, None, why.code, why.column, why.value, why.bound, came,
    )  # fmt: skip


def refused_row(drop_id: int, error: RowError, said: Said) -> str:
    """The detail of its event: what the row said, and why it is no order."""
    why = error.refusal
    told = {
        **said._asdict(),
        "row": row_id(drop_id, error.row),
        "why": [why.code, why.column, why.value, why.bound],
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def said_of(order: Order) -> Said:
    """A good row that came too late."""
    price = "" if order.price is None else str(order.price)
    kinds = (str(order.volume), str(order.order_type), str(int(order.order_business)))
    return Said(order.sid, order.account_id, order.symbol, *kinds, price)


def duplicate_row(drop_id: int, order: Order, earlier: int, came: int | None = None) -> NewRow:
    sheet, row = spot_of(earlier & 0xFFFFFFFF)
    where = f"{drop_of(earlier)}:{f'#{sheet + 1}!' if sheet else ''}{row}"
    return NewRow(
        row_id(drop_id, order.row),
        RowOutcome.DUPLICATE,
        order.sid,
        earlier,
        Code.DUPLICATE,
        "sid",
        order.sid,
        where,
        came,
    )


def _number(text: object) -> Decimal | None:
    return None if text is None else Decimal(str(text))


def _cite(line: int, why: Refusal, sheets: Sequence[str]) -> str:
    sheet, row = spot_of(line)
    zh, en = (f"{sheets[sheet]}!", f"sheet {sheet + 1}, ") if sheets else ("", "")
    return f"{zh}第 {row} 行 {why.code} / {en}row {row}: {why.code}"
