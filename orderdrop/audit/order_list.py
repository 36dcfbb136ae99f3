"""The orders of the report one by one, for the page: in folded parts, so that thousands do not bury the rest, and no more than a browser bears."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from orderdrop.audit.charts import GROUPS
from orderdrop.audit.frames import Order
from orderdrop.domain.status import Status
from orderdrop.system.clock import Micros, to_datetime
from orderdrop.system.csv_tables import harmless

PART: Final = 200
MOST: Final = 5000
"""Orders in a part, and on the page: a megabyte."""

_GROUP_OF: Final[dict[str, str]] = {
    status: name for name, (_words, statuses) in GROUPS.items() for status in statuses
}
_SIDES: Final = {"buy": '<td class="buy">买 buy', "sell": '<td class="sell">卖 sell'}
_HEADS: Final = (
    ("时间", "time"), ("出处", "from"), ("代码", "symbol"), ("买卖", "side"), ("数量", "volume"), ("价格", "price"),
    ("状态", "status"), ("成交", "filled"), ("均价", "average"), ("原因", "reason"),
)  # fmt: skip
_NUMBER: Final = ' class="n"'
_NUMBERS: Final = frozenset({"volume", "price", "filled", "average"})


def order_list(orders: Sequence[Order], names: Mapping[str, str]) -> str:
    """A section. names: of securities, by symbol."""
    days = len({order.day for order in orders}) > 1
    parts = [orders[start : start + PART] for start in range(0, min(len(orders), MOST), PART)]
    shown = "".join(_part(part, names, days=days, is_open=len(orders) <= PART) for part in parts)
    left = len(orders) - MOST
    more = (
        f'<p class="soft">… 另有 {left:,} 笔，见工作簿 {left:,} more, see the workbook: orderdrop audit --xlsx</p>'
        if left > 0
        else ""
    )
    return f'<section class="list"><h2>委托明细<small>the orders</small></h2>{shown}{more}</section>'


def _part(part: Sequence[Order], names: Mapping[str, str], *, days: bool, is_open: bool) -> str:
    head = "".join(
        f"<th{_NUMBER if en in _NUMBERS else ''}>{zh}<small>{en}</small></th>" for zh, en in _HEADS
    )
    counts = Counter(_GROUP_OF[order.status] for order in part)
    words = " · ".join(f"{GROUPS[name][0]} {counts[name]}" for name in GROUPS if counts[name])
    span = f"{_time(part[0], days=days)} – {_time(part[-1], days=days)}"
    rows = "".join(_row(order, names, days=days) for order in part)
    return (
        f"<details{' open' if is_open else ''}><summary><b>{span}</b> {len(part)} 笔 orders <small>{words}</small></summary>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></details>"
    )


def _row(order: Order, names: Mapping[str, str], *, days: bool) -> str:
    return f"<tr>{''.join(_cells(order, names, days=days))}</tr>"


def _cells(order: Order, names: Mapping[str, str], *, days: bool) -> Iterator[str]:
    yield f"<td>{_time(order, days=days)}"
    yield f'<td title="{_text(order.sid)}">{_text(order.drop)}:{order.row}'
    name = names.get(order.symbol)
    yield f"<td>{_text(order.symbol)}{f' <b>{_text(name)}</b>' if name else ''}"
    yield _SIDES[order.side]
    yield f'<td class="n">{order.volume:,}'
    yield f'<td class="n">{"市价" if order.price is None else order.price}'
    yield f'<td><i class="{_GROUP_OF[order.status]}"></i>{Status(order.status)}'
    yield f"<td{_NUMBER}>{order.filled_volume:,}" if order.filled_volume else f"<td{_NUMBER}>"
    yield f'<td class="n">{order.avg_price or ""}'
    yield f"<td>{_text(order.why.code) if order.why else ''}"


def _time(order: Order, *, days: bool) -> str:
    at = to_datetime(Micros(order.received_at))
    return f"{at:%m-%d %H:%M:%S}" if days else f"{at:%H:%M:%S}"


def _text(value: object) -> str:
    return escape(harmless(value))
