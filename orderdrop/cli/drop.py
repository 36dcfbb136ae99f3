"""`orderdrop drop`: put files, or a single order, into the inbox, and wait for what comes of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.look import order_table
from orderdrop.cli.output import give_up, json_option, print_json_array, say, stdout, tell_orders, tell_row
from orderdrop.domain.status import TERMINAL, Status

if TYPE_CHECKING:
    from orderdrop.journal.reader import Reading

_POLL: Final = 0.05
_LARGEST_FACTOR: Final = 10
"""A larger one is a slip: 50 for 50 %."""


class _Single(NamedTuple):
    """What the options of a single order say."""

    symbol: str | None
    buy: int | None
    sell: int | None
    price: str | None
    market: bool
    account: str | None
    sid: str | None


def _factor(_ctx: click.Context, _parameter: click.Parameter, given: str | None) -> Decimal | None:
    """Raises click.BadParameter."""
    if given is None:
        return None
    try:
        factor = Decimal(given)
    except InvalidOperation:
        factor = Decimal(0)
    if not (factor.is_finite() and 0 < factor <= _LARGEST_FACTOR):
        raise click.BadParameter(
            f"“{given}” 不是 0 到 {_LARGEST_FACTOR} 之间的倍数，例如 0.5 / is no factor above 0 and up to {_LARGEST_FACTOR}, such as 0.5"
        )
    return factor


@click.command(short_help="Put files or one order into the inbox. 提交文件或一笔委托")
@click.argument(
    "files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="[FILE]..."
)
@click.option("--symbol", metavar="S", help="A single order instead of files. 代码")
@click.option("--buy", type=click.IntRange(min=1), metavar="N", help="Shares to buy. 买入数量")
@click.option("--sell", type=click.IntRange(min=1), metavar="N", help="Shares to sell. 卖出数量")
@click.option("--price", metavar="P", help="Limit price in yuan. 限价")
@click.option("--market", is_flag=True, help="A market order (掘金's type 2). 市价")
@click.option("--account", metavar="A", help="Account id or alias; not needed when there is only one. 账号")
@click.option(
    "--sid", metavar="X", help="Your order id: with it the command can be repeated safely. 委托编号"
)
@click.option(
    "--scale",
    "factor",
    callback=_factor,
    metavar="X",
    help="Multiply the files' volumes, rounded down to whole lots. 数量乘以",
)
@click.option("--strategy", metavar="NAME", help="Put it into the inbox's sub-folder of that strategy. 策略")
@click.option(
    "--profile", metavar="NAME", help="Read the files by that description in orderdrop.toml. 格式描述"
)
@click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Wait until every order is finished. 等待结果",
)
@json_option
@click.pass_context
@pass_place
def drop(
    place: Place, ctx: click.Context, files: tuple[Path, ...], factor: Decimal | None, strategy: str | None, profile: str | None,
    seconds: float | None, as_json: bool, **single: Any,
) -> None:  # fmt: skip
    """Put order files into the inbox safely: each appears there whole, under a name of its own. Or a single order.

    把委托文件安全地放入收件箱(整份出现，不会被读到一半),或直接下一笔委托。

    The files are copied. With --scale, new files are put there that hold the scaled volumes, called basket-x0.5.csv; an order that
    scales to less than its board takes is left out, and told. Without --sid, each call for a single order is a new order. With --wait: exit 1 when something was
    refused or is not finished in time.

    \b
    Examples 例子:
      orderdrop drop basket.csv
      orderdrop drop basket.csv --strategy alpha --wait 30
      orderdrop drop 委托.csv --profile qmt
      orderdrop drop basket.xlsx --scale 0.5
      orderdrop drop --symbol 600000.SH --buy 1000 --price 10.35
      orderdrop drop --symbol 000001.SZ --sell 500 --market --sid S-17 --wait 5
    """
    from orderdrop import client  # noqa: PLC0415  pydantic is heavy

    place.must_exist()
    place.workspace.make()
    order = _Single(**single)
    since = time.time_ns() // 1000
    if files and any(order):
        raise click.UsageError("文件与单笔委托只能选一种 / give files or a single order, not both")
    if (profile or factor is not None) and not files:
        raise click.UsageError("--profile、--scale 只用于文件 / --profile and --scale are for files")
    if profile and factor is not None:
        raise click.UsageError("--profile 与 --scale 不能同时使用 / give --profile or --scale, not both")
    if factor is not None:
        paths = _drop_scaled(place, files, factor, strategy)
    elif files:
        paths = [client.drop(file, place.root, strategy=strategy, profile=profile) for file in files]
    else:
        row = _row(order)
        paths = [client.drop([row], place.root, strategy=strategy)]
        say(f"编号 {row['sid']}", f"sid {row['sid']}", place.language)
    names = [path.relative_to(place.workspace.inbox).as_posix() for path in paths]
    if seconds is None:
        _show_dropped(place, names, as_json=as_json)
    elif not _show_outcomes(place, names, since, seconds, as_json=as_json):
        ctx.exit(1)


def _drop_scaled(place: Place, files: tuple[Path, ...], factor: Decimal, strategy: str | None) -> list[Path]:
    """All of them are read before the first is dropped. Ends the command when nothing is left to order."""
    from orderdrop import client  # noqa: PLC0415
    from orderdrop.client.scaling import scaled_file  # noqa: PLC0415
    from orderdrop.gateway.instrument_feed import as_delivered, kept  # noqa: PLC0415
    from orderdrop.market.instruments import Instruments  # noqa: PLC0415

    told = as_delivered(kept(place.settings, place.workspace, place.today), place.today)
    known = Instruments(place.settings.instruments, place.root, lambda: told)
    known.refresh(place.today)
    made = [scaled_file(file, factor, place.settings, known.board_of) for file in files]
    for file, scaled in zip(files, made, strict=True):
        for row in scaled.left_out:
            say(
                f"{file.name}:{row.row} {row.symbol} {row.volume} 股缩放后不足最小数量，未放入",
                f"{file.name}:{row.row}: {row.volume} shares of {row.symbol} scale to less than the board takes; the row is left out",
                place.language,
            )
    if not any(scaled.orders for scaled in made):
        give_up("没有剩下可放入的委托，什么也没写", "no orders are left, nothing was written")
    return [
        client.drop(scaled.orders, place.root, name=scaled.name, strategy=strategy)
        for scaled in made
        if scaled.orders
    ]


def _row(order: _Single) -> dict[str, Any]:
    """Raises UsageError for half an order."""
    from orderdrop.client import new_sid  # noqa: PLC0415
    from orderdrop.domain.order import OrderBusiness, OrderType  # noqa: PLC0415

    if order.symbol is None:
        raise click.UsageError(
            "给出文件，或 --symbol 与 --buy/--sell / give files, or --symbol with --buy or --sell"
        )
    if (order.buy is None) == (order.sell is None):
        raise click.UsageError("--buy 与 --sell 选一个 / give --buy or --sell, one of them")
    if (order.price is None) != order.market:
        raise click.UsageError("--price 与 --market 选一个 / give --price or --market, one of them")
    return {
        "sid": order.sid or new_sid("C"),
        "account_id": order.account,
        "symbol": order.symbol,
        "volume": order.buy or order.sell,
        "order_type": OrderType.MARKET if order.market else OrderType.LIMIT,
        "order_business": OrderBusiness.BUY if order.buy else OrderBusiness.SELL,
        "price": order.price,
    }


def _show_dropped(place: Place, names: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json_array([{"drop": name} for name in names])
    else:
        for name in names:
            click.echo(name)
    note_if_not_running(place)


def note_if_not_running(place: Place) -> None:
    if not place.routed:
        say(
            "路由器没有运行，下次 orderdrop run 时处理(限当日)",
            "no router is running: it is taken at the next orderdrop run, today only", place.language,
        )  # fmt: skip


def _show_outcomes(place: Place, names: list[str], since: int, seconds: float, *, as_json: bool) -> bool:
    """Wait, and tell what came of the drops; whether all is well and finished."""
    deadline = time.monotonic() + seconds
    while True:
        with place.journal() as reading:
            found = [_outcome(place, reading, name, since) for name in names]
        finished = all(outcome is not None and outcome.finished for outcome in found)
        if finished or time.monotonic() >= deadline:
            break
        time.sleep(_POLL)
    taken = [outcome for outcome in found if outcome is not None]
    if as_json:
        print_json_array(outcome.data() for outcome in taken)
    else:
        for outcome in taken:
            outcome.show()
    missing = [name for name, outcome in zip(names, found, strict=True) if outcome is None]
    if missing:
        note_if_not_running(place)
        give_up(f"还没有收到 {', '.join(missing)}", "not taken yet", f"  orderdrop why {missing[0]}")
    if not finished:
        say("还没有全部完成", f"not all orders are finished after {seconds:g} s", place.language)
        held = [order.sid for outcome in taken for order in outcome.orders if order.status == Status.HELD]
        if held:
            say(
                f"{len(held)} 笔暂存，放行前不会送出：orderdrop release {' '.join(held[:3])}{' …' * (len(held) > 3)}",
                f"{len(held)} held, they go once they are released: orderdrop release {' '.join(held[:3])}{' …' * (len(held) > 3)}",
                place.language,
            )
    return finished and all(outcome.well for outcome in taken)


@dataclass
class _Outcome:
    """What came of a drop. rows, orders: journal rows; also the orders that its rows repeat."""

    place: Place
    drop: Any
    rows: list[Any]
    orders: list[Any]

    @property
    def finished(self) -> bool:
        return all(order.status in TERMINAL for order in self.orders)

    @property
    def well(self) -> bool:
        drop = self.drop
        refused = drop.denied or drop.errors or drop.reason_code
        return not refused and not any(order.status == Status.REJECTED for order in self.orders)

    def data(self) -> dict[str, Any]:
        from orderdrop.views.orders import drop_view, order_view  # noqa: PLC0415

        language = self.place.language
        orders = [order_view(order, language).model_dump(mode="json") for order in self.orders]
        return {**drop_view(self.drop, self.rows, language).model_dump(mode="json"), "orders": orders}

    def show(self) -> None:
        from orderdrop.views.orders import where  # noqa: PLC0415

        console, language = stdout(), self.place.language
        if self.orders:
            console.print(order_table(self.orders, console.width, self.place.names))
        tell_orders(console, self.orders, language)
        tell_row(console, self.drop.name, self.drop, language)
        for row in self.rows:
            if row.outcome == "error":
                tell_row(console, f"{self.drop.name}:{where(row)}", row, language)
        count = self.drop.duplicates
        if count:
            say(
                f"{count} 行重复，没有再发送",
                f"{count} of the rows are duplicates and were not sent again",
                language,
            )


def _outcome(place: Place, reading: Reading | None, name: str, since: int) -> _Outcome | None:
    drops = reading.drops_by_name(name) if reading else []
    drop = next((drop for drop in drops if drop.name == name and drop.received_at >= since), None)
    if reading is None or drop is None:
        return None
    rows = reading.row_outcomes(drop.id)
    repeated = reading.orders_by_id([row.order_ref for row in rows if row.order_ref is not None])
    return _Outcome(place, drop, rows, [*reading.orders_of_drop(drop.id), *repeated])
