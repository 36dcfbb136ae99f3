"""What the tests of the intake share: read a whole file, say what became of it."""

from __future__ import annotations

from typing import NamedTuple

from orderdrop.domain.order import DropKind, Instruction, Order
from orderdrop.domain.refusal import Code, Refusal, RowError
from orderdrop.intake import Context, Reader

CARD = "sid,account_id,symbol,volume,order_type,order_business,price,remark,strategy"


class Outcomes(NamedTuple):
    orders: list[Order]
    instructions: list[Instruction]
    errors: list[RowError]

    @property
    def codes(self) -> list[tuple[int, Code]]:
        return [(error.row, error.refusal.code) for error in self.errors]


def a_context(**over) -> Context:
    values = {
        "accounts": {},
        "default_account": "A1",
        "strategy": "",
        "derive": lambda row, _line: f"derived-{row}",
    }
    return Context(**(values | over))


def opened(data: bytes, kind: DropKind = DropKind.ORDER) -> tuple[Reader, int]:
    reader = Reader.open(data, kind)
    assert not isinstance(reader, Refusal), reader
    return reader


def refused(data: bytes | str, kind: DropKind = DropKind.ORDER) -> Refusal:
    refusal = Reader.open(data.encode() if isinstance(data, str) else data, kind)
    assert isinstance(refusal, Refusal), refusal
    return refusal


def outcomes(reader: Reader, data: bytes, context: Context | None = None) -> Outcomes:
    all_of_them = Outcomes([], [], [])
    for block in reader.read(data, context or a_context()):
        for whole, part in zip(all_of_them, block[:3], strict=True):
            whole.extend(part)
    return all_of_them


def read(data: bytes | str, kind: DropKind = DropKind.ORDER, **context) -> Outcomes:
    raw = data.encode() if isinstance(data, str) else data
    reader, start = opened(raw, kind)
    return outcomes(reader, raw[start:], a_context(**context))


def read_row(**cells) -> Outcomes:
    """One row of a card file in which a few cells are as given, the others good."""
    row = {
        "sid": "S1",
        "account_id": "A1",
        "symbol": "SHSE.600000",
        "volume": "100",
        "order_type": "1",
        "order_business": "1",
        "price": "10.35",
        "remark": "",
        "strategy": "",
    } | cells
    return read(f"{','.join(row)}\n{','.join(row.values())}\n")


def the_order(result: Outcomes) -> Order:
    assert not result.errors, result.errors
    (order,) = result.orders
    return order


def the_refusal(result: Outcomes) -> Refusal:
    assert not result.orders, result.orders
    (error,) = result.errors
    return error.refusal
