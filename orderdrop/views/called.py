"""What people call an order that was given no sid: the file and the row it came from, `篮子.csv:3`. Its made-up sid stays good as well."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from orderdrop.domain.identity import from_day_number
from orderdrop.journal.reader import Reading
from orderdrop.journal.records import drop_of, row_id
from orderdrop.views.orders import Where, where

_DERIVED: Final = re.compile(r"(?:\d{8}-)?(?:D\d{8}-[0-9a-f]{12}|F\d{8}-[0-9a-f]{16})-\d+")
_IN_TEXT: Final = re.compile(rf"(?<![A-Za-z0-9_.-])(?:{_DERIVED.pattern})(?![A-Za-z0-9_.-])")
_CALLED: Final = re.compile(r"(?P<name>.+?)(?:~(?P<drop>\d+))?:(?:(?P<sheet>[^:]+)!)?(?P<row>\d{1,9})")


class Called(NamedTuple):
    """A file and a row, as somebody wrote them. drop: the number of the file, where one name has stood for several."""

    name: str
    drop: int | None
    at: Where


def is_derived(sid: str) -> bool:
    """Whether a sid was made up here, because the row had none."""
    return bool(_DERIVED.fullmatch(sid))


def name_of(order: Any, again: Collection[str] = ()) -> str:
    """What to call an order on a screen: its sid, or its file and row where it was given none.

    again: names that several files of the day have had; they need the file's number, as on its receipt.
    """
    if not is_derived(order.sid):
        return str(order.sid)
    number = f"~{drop_of(order.id)}" if order.drop_name in again else ""
    return f"{order.drop_name}{number}:{where(order)}"


def read_called(asked: str) -> Called | None:
    """None for what has no such form; no sid has it."""
    found = _CALLED.fullmatch(asked)
    if found is None:
        return None
    drop = int(found["drop"]) if found["drop"] else None
    return Called(found["name"].replace("\\", "/"), drop, Where(found["sheet"], int(found["row"])))


def orders_called(reading: Reading, called: Called, day: int) -> list[Any]:
    """The orders of a day that a file and a row may mean, newest first. A row that repeats an order means that one."""
    drops = [drop for drop in _drops(reading, called) if drop.trade_day == day]
    ids: dict[int, None] = {}
    for drop in drops:
        found = _ids(reading, drop.id, called.at)
        ids.update(dict.fromkeys(found))
    by_id = {order.id: order for order in reading.orders_by_id([*ids])}
    return [by_id[one] for one in ids if one in by_id]


def names_of_day(reading: Reading, day: int) -> dict[str, str]:
    """What to call the orders of a day that were given no sid, by their made-up one."""
    again = names_again(reading, day)
    return {order.sid: name_of(order, again) for order in reading.orders_of_day(day) if is_derived(order.sid)}


def in_words(texts: Sequence[str], reading: Reading, day: int) -> list[str]:
    """Texts for people, in which made-up sids are what people call these orders."""
    again = names_again(reading, day)
    known: dict[str, str] = {}
    for sid in {found[0] for text in texts for found in _IN_TEXT.finditer(text)}:
        order = max(reading.orders_by_sid(sid, [sid], day), key=lambda one: one.id, default=None)
        known[sid] = sid if order is None else name_of(order, again)
    return [_IN_TEXT.sub(lambda found: known[found[0]], text) for text in texts]


def names_again(reading: Reading, day: int) -> frozenset[str]:
    """The names that several files of a day have had."""
    return frozenset(reading.names_dropped_again(day))


def choices(orders: Collection[Any]) -> list[str]:
    """How each of several orders with one name is told apart."""
    again = {order.drop_name for order in orders}
    return [
        f"{name_of(order, again)}  {order.sid}  {order.symbol} {order.volume}  {order.status}"
        f"  {from_day_number(order.trade_day)}"
        for order in orders
    ]


def _drops(reading: Reading, called: Called) -> list[Any]:
    """Those of the name; a `~7` may belong to the name itself."""
    found = reading.drops_by_name(called.name)
    if called.drop is None:
        return found
    numbered = [drop for drop in found if drop.id == called.drop]
    return numbered or reading.drops_by_name(f"{called.name}~{called.drop}")


def _ids(reading: Reading, drop_id: int, at: Where) -> list[int]:
    if at.sheet is None and (plain := reading.orders_by_id([row_id(drop_id, at.row)])):
        return [order.id for order in plain]

    def fits(row: Any) -> bool:
        return where(row) == at if at.sheet else where(row).row == at.row

    repeated = [row.order_ref for row in reading.row_outcomes(drop_id) if row.order_ref and fits(row)]
    return repeated or [order.id for order in reading.orders_of_drop(drop_id) if fits(order)]
