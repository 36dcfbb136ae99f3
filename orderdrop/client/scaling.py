"""Scales the orders of a file: each volume times a factor, rounded down to what its board takes. What it makes is a drop of its own.

Sides, prices and types stay as they were read. A file of which a row is no order is not scaled at all, and nothing is guessed for a security
whose board is not known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Final, NamedTuple

from orderdrop.accounts.routing import Routing
from orderdrop.client.spelling import InvalidOrder
from orderdrop.client.writing import refuse_name, today
from orderdrop.config.settings import Settings
from orderdrop.domain.board import Board
from orderdrop.domain.identity import spot_of
from orderdrop.domain.order import DropKind, Order, OrderRow
from orderdrop.domain.refusal import Refusal, RowError, explain
from orderdrop.inbox.drop_file import Changed, DropFile
from orderdrop.inbox.names import Name, read_name
from orderdrop.inbox.tail import Limits, prepare
from orderdrop.intake import Context, Unnamed

_PROBLEMS_TOLD: Final = 20


class LeftOut(NamedTuple):
    """An order that scales to less than its board takes. row: of the file that was scaled."""

    row: int
    symbol: str
    volume: int


@dataclass(frozen=True)
class Scaled:
    """name: of the drop that is made. orders: with their new volumes, in the file's order."""

    name: str
    orders: list[OrderRow]
    left_out: list[LeftOut]


def scaled_file(
    path: Path, factor: Decimal, settings: Settings, board_of: Callable[[str], Board | None]
) -> Scaled:
    """Raises InvalidOrder, Refused, OSError."""
    refuse_name(path.name)
    said = read_name(path.name)
    if not isinstance(said, Name) or said.kind is not DropKind.ORDER:
        raise InvalidOrder(f"{path.name} 不是委托文件，不能缩放 / holds no orders, it cannot be scaled")
    orders, left_out = [], []
    for order in _orders_of(path, said, settings):
        board = board_of(order.symbol)
        if board is None:
            raise InvalidOrder(
                f"{path.name}:{_row(order)}: 不知道 {order.symbol} 的每手股数，不能缩放 / its lot is not known, it cannot be scaled"
            )
        volume = scaled_volume(order.volume, factor, board)
        if volume:
            orders.append(_order_row(order, volume))
        else:
            left_out.append(LeftOut(_row(order), order.symbol, order.volume))
    return Scaled(_name(path.name, factor), orders, left_out)


def scaled_volume(volume: int, factor: Decimal, board: Board) -> int:
    """Rounded down to the least that the board takes and its steps above it; 0 when nothing is left to order."""
    wanted = int((volume * factor).to_integral_value(ROUND_DOWN))
    if wanted < board.minimum:
        return 0
    return wanted - (wanted - board.minimum) % board.step


def _orders_of(path: Path, said: Name, settings: Settings) -> Iterator[Order]:
    accounts = Routing(settings, {}).accounts
    context = Context(accounts, "", "", Unnamed())  # what a row leaves out, the router fills in
    limits = Limits(settings.inbox.max_bytes, settings.inbox.max_rows)
    file = DropFile(os.fspath(path), path.name, said, "", today())
    found: list[Order] = []
    problems: list[str] = []
    try:
        take = prepare(file, whole=True, torn_due=True, finished=True, limits=limits)
        assert take is not None  # noqa: S101  a whole file leaves nothing to wait for
        if take.refusal is not None:
            raise InvalidOrder(f"{path.name}: {_words(take.refusal)}")
        for block in take.blocks(context):
            found += block.orders
            problems += [f"{path.name}:{_row(error)}: {_words(error.refusal)}" for error in block.errors]
    except Changed as changed:
        raise InvalidOrder(f"{changed} 正在被写入 / is being written, try again") from None
    if problems:
        more = len(problems) - _PROBLEMS_TOLD
        raise InvalidOrder("\n".join(problems[:_PROBLEMS_TOLD] + ([f"… +{more}"] if more > 0 else [])))
    return iter(found)


def _row(row: Order | RowError) -> int:
    return spot_of(row.row).row


def _words(refusal: Refusal) -> str:
    why = explain(refusal)
    return f"{refusal.code}: {why.text()} → {why.remedy}"


def _order_row(order: Order, volume: int) -> OrderRow:
    return OrderRow.model_validate({
        "sid": order.sid or None, "account_id": order.account_id or None, "symbol": order.symbol, "volume": volume,
        "order_type": order.order_type, "order_business": order.order_business, "price": order.price,
        "remark": order.remark or None, "strategy": order.strategy or None,
        "not_before": order.not_before or None, "not_after": order.not_after or None,
    })  # fmt: skip


def _name(name: str, factor: Decimal) -> str:
    """`basket-x0.5.csv` of `basket.xlsx`, `20261120-x0.5.order.csv` of `20261120.order.csv`."""
    stem = Path(name).stem
    ending = ".csv"
    if stem.lower().endswith(f".{DropKind.ORDER}"):
        stem, _, kind = stem.rpartition(".")
        ending = f".{kind}.csv"
    return f"{stem}-x{factor.normalize():f}{ending}"
