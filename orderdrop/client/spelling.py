"""Reads the column names and words of a program's rows by the table that csv files, workbooks and dbf files are read by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.domain.symbol import with_market
from orderdrop.errors import OrderdropError
from orderdrop.intake.cells import COMMA
from orderdrop.intake.columns import IGNORED, MARKET, PASSED_OVER, column_named, lay_out
from orderdrop.intake.values import (
    Mended,
    Reading,
    read_order_type,
    read_price,
    read_side,
    read_volume,
    type_in_side,
)

_WORDS: Final[dict[str, Callable[[str], Reading[Any]]]] = {
    "order_business": read_side,
    "order_type": read_order_type,
    "volume": read_volume,
    "price": read_price,
}
"""Columns whose texts mean something else; numbers and enums pass as they are."""


class InvalidOrder(OrderdropError, ValueError):
    """What was given is no order; nothing was written. The message names the order, the column and what is wrong."""


def spelled(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows under `OrderRow`'s names, words as codes. Raises InvalidOrder: once for the columns, else naming each row that is wrong."""
    if not rows:
        return []
    names = _names(dict.fromkeys(str(name) for row in rows for name in row))
    read, problems = [], []
    for number, row in enumerate(rows, 1):
        values, wrong = _read(row, names)
        read.append(values)
        problems += [f"第 {number} 笔 / order {number}: {words}" for words in wrong]
    if problems:
        raise InvalidOrder("\n".join(problems))
    return read


def _names(given: Iterable[str]) -> dict[str, str]:
    """Name as given -> column. Raises InvalidOrder, which names all that is wrong with the columns."""
    titles = [*given]
    layout = lay_out(titles, DropKind.ORDER, COMMA)
    if isinstance(layout, Refusal):
        why = explain(layout)
        raise InvalidOrder(f"{layout.code}: {why.text()} → {why.remedy}")
    return {title: column_named(title) or IGNORED for title in titles}


def _read(row: Mapping[str, Any], names: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    wrong: list[str] = []
    implied: int | None = None
    for title, value in row.items():
        column = names[str(title)]
        if column in {IGNORED, PASSED_OVER}:
            continue
        word = _WORDS.get(column)
        if word is None or type(value) is not str:
            values[column] = value
            continue
        reading = word(value)
        if isinstance(reading, Refusal):
            wrong.append(f"{title}: {explain(reading._replace(column=str(title))).text()}")
        else:
            values[column] = reading.value if isinstance(reading, Mended) else reading
        if column == "order_business" and (kind := type_in_side(value)) is not None:
            implied = kind
    if implied is not None and values.setdefault("order_type", implied) != implied:
        side = Refusal(
            Code.ORDER_TYPE_SIDE, "order_type", str(values["order_type"]), "市价" if implied != 1 else "限价"
        )
        wrong.append(explain(side).text())
    market = values.pop(MARKET, None)
    if market is not None and "symbol" in values:
        symbol = with_market(str(values["symbol"]), str(market))
        if isinstance(symbol, Refusal):
            wrong.append(explain(symbol._replace(column="symbol")).text())
        else:
            values["symbol"] = symbol
    return {column: value for column, value in values.items() if value is not None}, wrong
