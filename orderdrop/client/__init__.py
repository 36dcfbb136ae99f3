"""The library's door for programs that write orders: `buy`, `sell`, `drop` whole files, `append` rows, `cancel`, and `wait` for the result;
`cash`, `positions`, `broker_orders` and `trades` tell what the broker has.

Everything goes through the inbox, as with any other tool, so it works while no router is running, too. Nothing here decides
what may be traded. A sid makes a call repeatable: an order that was given with a sid is never doubled, however often it is given.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock

from orderdrop.client.spelling import InvalidOrder, is_nothing
from orderdrop.client.writing import (
    Refused,
    Rows,
    append_rows,
    instruct,
    new_sid,
    order_rows,
    put,
    read_whole,
    refuse_name,
    table,
    today,
    unique_name,
    with_profile,
)
from orderdrop.config.settings import Settings
from orderdrop.config.sources import load
from orderdrop.config.workspace import Workspace
from orderdrop.domain.order import DropKind, OrderBusiness, OrderRow
from orderdrop.domain.refusal import Refusal, explain
from orderdrop.domain.status import Status
from orderdrop.domain.symbol import read_symbol
from orderdrop.errors import ConfigError
from orderdrop.system.files import patiently

if TYPE_CHECKING:
    import pandas as pd

    from orderdrop.views.orders import BrokerOrderView, CashView, OrderView, PositionView, TradeView

__all__ = [
    "InvalidOrder",
    "OrderRow",
    "Refused",
    "append",
    "broker_orders",
    "buy",
    "cancel",
    "cash",
    "drop",
    "new_sid",
    "positions",
    "sell",
    "trades",
    "wait",
]

LOCK_TIMEOUT: Final = 30.0
"""Seconds that `append` waits for other writers of the same file."""

_POLL: Final = 0.05


def drop(
    orders: str | os.PathLike[str] | pd.DataFrame | Rows | Mapping[str, Any],
    workspace: str | os.PathLike[str] = ".",
    *,
    name: str | None = None,
    strategy: str | None = None,
    profile: str | None = None,
) -> Path:
    """Put orders into the inbox as one drop that appears whole, or not at all. Any number of processes may do so at once.

    Rows without a sid get one from the router, made of the day, the content and the line: the same rows dropped twice in a day
    trade once. To trade the same again, or to `wait` for an order, give each a sid (see `new_sid`).

    Args:
        orders: a file, a DataFrame as it is, rows, or one row; columns and values may be written as in a csv file, such as 代码 and 买入.
        workspace: the workspace's folder.
        name: of the drop; a file keeps its own. If the name is taken, a suffix makes it unique.
        strategy: a sub-folder of the inbox, which names the strategy of rows that name none.
        profile: the description in orderdrop.toml that the file is read by; the drop's name then carries it.

    Returns:
        Where the drop stands now. The router will move it; its file name names the receipt and `orderdrop why` knows it.

    Raises:
        InvalidOrder: a row is no order.
        Refused: the router would never take this file.
        ConfigError: `workspace` is no workspace.
    """
    settings, place = open_workspace(workspace)
    if isinstance(orders, str | os.PathLike):
        name = name or Path(orders).name
        name = name if profile is None else with_profile(settings, name, profile)
        content = read_whole(Path(orders), settings.inbox.max_bytes)
    else:
        if profile is not None:
            raise InvalidOrder("profile 只用于文件 / a profile is for files")
        content = table(order_rows(orders))
    return put(place, name or unique_name(DropKind.ORDER), content, strategy)


def buy(
    symbol: str,
    volume: int,
    price: float | str | Decimal | None = None,
    *,
    order_type: str | int | None = None,
    account: str | None = None,
    strategy: str | None = None,
    sid: str | None = None,
    remark: str | None = None,
    workspace: str | os.PathLike[str] = ".",
) -> str:
    """Drop one purchase. With a price it is a limit order; without one, `order_type` has to say which market order it is.

    Args:
        symbol: in any spelling: `600000`, `600000.SH`, `sh600000`.
        volume: shares; bonds in units.
        price: yuan.
        order_type: a word or a code, such as "市价" or 24.
        account: id or alias; may be left out when there is only one.
        strategy: names the strategy.
        sid: makes the call repeatable: the same sid is never traded twice. Without one every call is a new order.
        remark: free text.
        workspace: the workspace's folder.

    Returns:
        The order's sid, for `wait` and `cancel`.

    Raises:
        InvalidOrder: the values are no order; nothing was written.
        ConfigError: `workspace` is no workspace.
    """
    return _drop_one(
        OrderBusiness.BUY, symbol, volume, price, order_type, account, strategy, sid, remark, workspace
    )


def sell(
    symbol: str,
    volume: int,
    price: float | str | Decimal | None = None,
    *,
    order_type: str | int | None = None,
    account: str | None = None,
    strategy: str | None = None,
    sid: str | None = None,
    remark: str | None = None,
    workspace: str | os.PathLike[str] = ".",
) -> str:
    """Drop one sale. Arguments, result and errors are those of `buy`."""
    return _drop_one(
        OrderBusiness.SELL, symbol, volume, price, order_type, account, strategy, sid, remark, workspace
    )


def _drop_one(
    side: OrderBusiness, symbol: str, volume: int, price: float | str | Decimal | None, order_type: str | int | None,
    account: str | None, strategy: str | None, sid: str | None, remark: str | None, workspace: str | os.PathLike[str],
) -> str:  # fmt: skip
    if is_nothing(price) and order_type is None:
        raise InvalidOrder(
            '没有价格，也没有说是哪种市价委托 → 写 price=10.35，或 order_type="市价"'
            ' / neither a price nor a kind of market order → write price=10.35, or order_type="市价"'
        )
    named = sid or new_sid()
    row = {
        "sid": named, "account_id": account, "symbol": symbol, "volume": volume, "order_type": order_type, "order_business": int(side),
        "price": price, "strategy": strategy, "remark": remark,
    }  # fmt: skip
    drop([row], workspace)
    return named


def append(rows: Rows, workspace: str | os.PathLike[str] = ".", *, name: str | None = None) -> list[OrderRow]:
    """Append orders to the file of the day, `YYYYMMDD.order.csv`, which the router follows. Any number of processes may do so.

    Args:
        rows: as for `drop`.
        workspace: the workspace's folder.
        name: of the file, if it is to be another one.

    Returns:
        The rows with their sids; a new sid was made for each that had none. Giving these rows again is harmless.

    Raises:
        InvalidOrder: a row is no order, or the file begins with another program's header; nothing was written.
        Refused: the router would never take a file of this name.
        ConfigError: `workspace` is no workspace.
        filelock.Timeout: another writer held the file for LOCK_TIMEOUT seconds; nothing was written.
        OSError: the disk failed; some of the rows may have been written.
    """
    _settings, place = open_workspace(workspace)
    name = name or f"{today():%Y%m%d}.{DropKind.ORDER}.csv"
    refuse_name(name)
    given = [row if row.sid else row.model_copy(update={"sid": new_sid()}) for row in order_rows(rows)]
    path = place.inbox / name
    with FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT):
        patiently(partial(append_rows, path, given))
    return given


def cancel(sids: str | Iterable[str], workspace: str | os.PathLike[str] = ".") -> Path:
    """Ask for orders to be cancelled. Returns where the drop stands. Raises InvalidOrder, ConfigError."""
    _settings, place = open_workspace(workspace)
    return instruct(place, DropKind.CANCEL, [sids] if isinstance(sids, str) else list(sids))


def wait(
    sid: str, status: str | None = None, timeout: float = 30, workspace: str | os.PathLike[str] = "."
) -> OrderView:
    """Wait until the order with this sid has had `status`, or, without one, until it is finished.

    Args:
        sid: as it was given.
        status: such as "submitted", "new" or "filled"; it counts as well if the order has moved on since.
        timeout: seconds.
        workspace: the workspace's folder.

    Returns:
        The order as it stands. Without `status`: filled, canceled, rejected by the broker, or expired.

    Raises:
        Refused: the row was refused, or our checks denied the order (unless `status` is "denied").
        TimeoutError: the order was not there in time, or finished in another way.
        ConfigError: `workspace` is no workspace.
    """
    from orderdrop.client.order_watch import OrderWatch  # noqa: PLC0415  SQLAlchemy is heavy, and only waiting needs it

    settings, place = open_workspace(workspace)
    wanted = None if status is None else Status(status)
    seeking = OrderWatch(settings, place, sid)
    deadline = time.monotonic() + timeout
    try:
        while True:
            found = seeking.look(wanted)
            if found is not None:
                return found
            if time.monotonic() >= deadline:
                raise TimeoutError(f"{sid}: {seeking.standing}")
            time.sleep(min(_POLL, max(deadline - time.monotonic(), 0)))
    finally:
        seeking.close()


def cash(workspace: str | os.PathLike[str] = ".", *, account: str | None = None) -> list[CashView]:
    """The funds of each account, or of one, as the broker last told them; `at` says when. Raises ConfigError."""
    from orderdrop.client import queries  # noqa: PLC0415  SQLAlchemy is heavy

    settings, place = open_workspace(workspace)
    return queries.cash(place, settings.account_id(account))


def positions(
    workspace: str | os.PathLike[str] = ".", *, account: str | None = None, symbol: str | None = None
) -> list[PositionView]:
    """The holdings of each account, as the broker last told them. symbol: in any spelling. Raises ConfigError, ValueError."""
    from orderdrop.client import queries  # noqa: PLC0415  SQLAlchemy is heavy

    settings, place = open_workspace(workspace)
    return queries.positions(place, settings.account_id(account), _canonical(symbol))


def broker_orders(
    workspace: str | os.PathLike[str] = ".", *, account: str | None = None, symbol: str | None = None
) -> list[BrokerOrderView]:
    """Today's orders as the broker last spoke of them, also those that did not come from here. Raises as `positions`, and JournalError."""
    from orderdrop.client import queries  # noqa: PLC0415  SQLAlchemy is heavy

    settings, place = open_workspace(workspace)
    with queries.journal(settings, place) as reading:
        return queries.broker_orders(reading, today(), settings.account_id(account), _canonical(symbol))


def trades(
    workspace: str | os.PathLike[str] = ".", *, account: str | None = None, symbol: str | None = None
) -> list[TradeView]:
    """Today's fills, each once. Raises as `broker_orders`."""
    from orderdrop.client import queries  # noqa: PLC0415  SQLAlchemy is heavy

    settings, place = open_workspace(workspace)
    with queries.journal(settings, place) as reading:
        return queries.trades(reading, today(), settings.account_id(account), _canonical(symbol))


def _canonical(symbol: str | None) -> str | None:
    if symbol is None:
        return None
    read = read_symbol(symbol)
    if isinstance(read, Refusal):
        raise ValueError(explain(read).text())  # noqa: TRY004  it is text, and no symbol
    return read.text


def open_workspace(workspace: str | os.PathLike[str]) -> tuple[Settings, Workspace]:
    settings, place = load(Path(workspace))
    if not place.inbox.is_dir():
        raise ConfigError(
            f"这里不是工作区,没有收件箱 / not a workspace, there is no inbox: {place.inbox}\n"
            "  先运行 orderdrop init / run orderdrop init first"
        )
    return settings, place
