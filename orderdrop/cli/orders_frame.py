"""What `orderdrop orders --watch` shows: counts above, below them the newest orders, as many as the window holds."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderdrop.cli.context import Place
from orderdrop.cli.look import OPEN, account_id, order_table
from orderdrop.cli.output import style_of
from orderdrop.domain.status import Status

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_AROUND: Final = 6
"""Lines of a window that hold no order: counts, an empty line, the table's head in three, and the last one."""


class Filter(NamedTuple):
    """As the options were given. day: None for today, whatever day that is by then."""

    day: date | None = None
    account: str | None = None
    strategy: str | None = None
    symbol: str | None = None
    status: str | None = None

    @property
    def words(self) -> str:
        return "  ".join(str(value) for value in self[1:] if value)


def orders_frame(chosen: Filter, place: Place, console: Console) -> RenderableType:
    """Raises JournalError."""
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from orderdrop.domain.identity import day_number  # noqa: PLC0415

    day = chosen.day or place.today
    wanted = {
        "account_id": account_id(place, chosen.account),
        "strategy": chosen.strategy,
        "symbol": chosen.symbol,
        "status": None if chosen.status == OPEN else chosen.status,
    }
    counts: dict[str, int] = {}
    rows: list[Any] = []
    with place.journal() as reading:
        if reading is not None:
            counts, rows = reading.newest_orders(
                day_number(day), max(1, console.height - _AROUND), open_only=chosen.status == OPEN, **wanted
            )
    head = Text.assemble((f"{day}  ", "bold"), f"{_now()}  {sum(counts.values())} 笔 orders   ")
    for status in Status:
        if counts.get(status):
            head.append(f"{counts[status]} {status}   ", style_of(status))
    head.append(chosen.words, "reverse" if chosen.words else "")
    body = (
        order_table(rows, console.width, place.names)
        if rows
        else Text("没有符合的委托 no such orders", "dim")
    )
    return Group(head, Text(), body)


def _now() -> str:
    from orderdrop.system.clock import SystemClock, to_datetime  # noqa: PLC0415

    return f"{to_datetime(SystemClock().now()):%H:%M:%S}"
