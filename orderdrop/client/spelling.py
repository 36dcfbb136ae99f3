"""Reads the column names and values of a program's rows by the tables that csv files, workbooks and dbf files are read by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from orderdrop.domain.order import DropKind, OrderType
from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.domain.symbol import with_market
from orderdrop.errors import OrderdropError
from orderdrop.intake.cells import COMMA
from orderdrop.intake.columns import IGNORED, MARKET, PASSED_OVER, column_named, is_nameless, lay_out
from orderdrop.intake.values import (
    Mended,
    Reading,
    read_name,
    read_order_type,
    read_price,
    read_remark,
    read_sid,
    read_side,
    read_symbol_cell,
    read_time,
    read_volume,
    type_in_side,
    unguarded,
)

_READ_BY: Final[dict[str, Callable[[str], Reading[Any]]]] = {
    "sid": read_sid,
    "account_id": read_name,
    "symbol": read_symbol_cell,
    "volume": read_volume,
    "order_type": read_order_type,
    "order_business": read_side,
    "price": read_price,
    "remark": read_remark,
    "strategy": read_name,
    "not_before": read_time,
    "not_after": read_time,
}
_NO_VALUES: Final = frozenset({"NAType", "NaTType"})
_NAMED_AT_MOST: Final = 5

BREAK: Final = "含有换行 / holds a line break"


class InvalidOrder(OrderdropError, ValueError):
    """What was given is no order; nothing was written. The message names the order, the column and what is wrong."""


def spelled(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows under `OrderRow`'s names, as a file that says the same is read. Empty cells are left out.

    Raises InvalidOrder: once for the columns, else naming what is wrong and the rows in which it is.
    """
    if not rows:
        return []
    names = _names(dict.fromkeys(str(name) for row in rows for name in row))
    read: list[dict[str, Any]] = []
    problems: dict[str, list[int]] = {}
    for number, row in enumerate(rows, 1):
        values, wrong = _read(row, names)
        read.append(values)
        for words in wrong:
            problems.setdefault(words, []).append(number)
    if problems:
        raise InvalidOrder(told(problems))
    return read


def told(problems: Mapping[str, Sequence[int]]) -> str:
    """What is wrong, each thing once, with the orders that it is wrong with."""
    return "\n".join(f"{_orders(numbers)}: {words}" for words, numbers in problems.items())


def is_nothing(value: Any) -> bool:
    """Whether a value stands for an empty cell: None, an empty text, and what pandas and numpy write there."""
    if value is None or type(value).__name__ in _NO_VALUES or (isinstance(value, str) and not value):
        return True
    return isinstance(value, float | Decimal) and value != value  # noqa: PLR0124  not a number


def _orders(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"第 {numbers[0]} 笔 / order {numbers[0]}"
    first = ", ".join(map(str, numbers[:_NAMED_AT_MOST]))
    more = "…" if len(numbers) > _NAMED_AT_MOST else ""
    return f"第 {first}{more} 笔（共 {len(numbers)} 笔）/ orders {first}{more} ({len(numbers)} in all)"


def _names(given: Iterable[str]) -> dict[str, str]:
    """Name as given -> column. Raises InvalidOrder, which names all that is wrong with the columns."""
    titles = [*given]
    layout = lay_out(titles, DropKind.ORDER, COMMA)
    if isinstance(layout, Refusal):
        why = explain(layout)
        raise InvalidOrder(f"{layout.code}: {why.text()} → {why.remedy}")
    return {title: IGNORED if is_nameless(title) else column_named(title) or IGNORED for title in titles}


def _read(row: Mapping[str, Any], names: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    texts = {
        names[str(title)]: (str(title), text)
        for title, value in row.items()
        if not is_nothing(value) and (text := _text(value)).strip()
    }
    texts.pop(IGNORED, None)
    texts.pop(PASSED_OVER, None)
    wrong: list[Refusal] = []
    broken = [BREAK for _title, text in texts.values() if set(text) & set("\r\n\0")]
    texts = {column: cell for column, cell in texts.items() if not set(cell[1]) & set("\r\n\0")}
    _join_market(texts, wrong)
    values: dict[str, Any] = {}
    for column, (title, text) in texts.items():
        reading = _READ_BY[column](text)
        if isinstance(reading, Refusal):
            wrong.append(reading._replace(column=title))
        else:
            values[column] = reading.value if isinstance(reading, Mended) else reading
    _settle_type(values, texts, wrong)
    wrong += [
        Refusal(Code.VALUE_MISSING, needed)
        for needed in ("symbol", "volume", "order_business")
        if needed not in texts and not broken
    ]
    kept = {column: value for column, value in values.items() if value not in {None, ""}}
    return kept, [*broken[:1], *map(_words, wrong)]


def _join_market(texts: dict[str, tuple[str, str]], wrong: list[Refusal]) -> None:
    """A bare code and the market beside it become one symbol."""
    title, market = texts.pop(MARKET, ("", ""))
    if not market or "symbol" not in texts:
        return
    beside, code = texts["symbol"]
    symbol = with_market(unguarded(code), unguarded(market))
    if isinstance(symbol, Refusal):
        wrong.append(symbol._replace(column=title))
    else:
        texts["symbol"] = beside, symbol


def _settle_type(values: dict[str, Any], texts: Mapping[str, tuple[str, str]], wrong: list[Refusal]) -> None:
    """市价买入 says the type as well; a row with a price and no type is a limit order; one with neither says too little."""
    side = texts.get("order_business", ("", ""))[1]
    implied = type_in_side(side)
    said = values.get("order_type")
    if implied is not None and said is not None and said != implied and OrderType.LIMIT in {said, implied}:
        title, text = texts["order_type"]
        wrong.append(Refusal(Code.ORDER_TYPE_SIDE, title, text, side))
    elif said is None and implied is not None:
        values["order_type"] = implied
    elif not {"order_type", "price"} & texts.keys() or (said is None and values.get("price", 0) is None):
        wrong.append(Refusal(Code.VALUE_MISSING, "price"))


def _words(refusal: Refusal) -> str:
    why = explain(refusal)
    named = f"{refusal.column}: " if refusal.column else ""
    return f"{named}{why.text()} → {why.remedy}"


def _text(value: Any) -> str:
    """A value as a cell of a csv file would have it."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.time):
        return value.strftime("%H:%M:%S") if not value.microsecond else value.isoformat()
    if isinstance(value, float):  # numpy's as well
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1 << 53 else repr(number)
    return str(value)
