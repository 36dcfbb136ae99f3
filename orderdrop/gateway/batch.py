"""Reads the orders of a batch out of its bytes."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from io import StringIO
from typing import Final

from orderdrop.domain.goldminer_format import ORDER_HEADER
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Outgoing

_WIDTH: Final = len(ORDER_HEADER.split(","))


def read_batch(content: bytes) -> list[Outgoing]:
    """The rows of a batch as `encode` wrote them. Raises GatewayError for anything else; nothing is guessed."""
    try:
        rows = list(csv.reader(StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise GatewayError(
            f"模拟柜台读不懂这批委托 / the paper broker cannot read the batch: {error}"
        ) from error
    if not rows or ",".join(rows[0]) != ORDER_HEADER or not content.endswith(b"\n"):
        raise GatewayError("模拟柜台: 表头或结尾不对 / the paper broker: wrong header or end of the batch")
    orders = []
    for number, cells in enumerate(rows[1:], start=2):
        order = _read_row(cells)
        if order is None:
            raise GatewayError(
                f"模拟柜台读不懂第 {number} 行 / the paper broker cannot read line {number}: {cells}"
            )
        orders.append(order)
    return orders


_WHOLE = re.compile(r"[0-9]{1,15}").fullmatch


_PRICE = re.compile(r"(?:[0-9]{1,15}(?:\.[0-9]{1,15})?)?").fullmatch


def _read_row(cells: list[str]) -> Outgoing | None:
    if len(cells) != _WIDTH:
        return None
    sid, account_id, symbol, volume, order_type, business, price, comment = cells
    whole = _WHOLE(volume) and _WHOLE(order_type) and _WHOLE(business)
    if not (sid and account_id and whole and _PRICE(price)):
        return None
    money = Decimal(price) if price else None
    return Outgoing(sid, account_id, symbol, int(volume), int(order_type), int(business), money, comment)
