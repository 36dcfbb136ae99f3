"""`orderdrop close`: puts away what the terminals' folders still hold, and says where the four accounts of the day differ."""

from __future__ import annotations

import json
import time as clock
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import give_up, json_option, print_json, say, stdout, styled, table
from orderdrop.cli.progress import Progress
from orderdrop.errors import OrderdropError

if TYPE_CHECKING:
    from orderdrop.views.day import ClosedView

_PATIENCE: Final = 60.0
_MORNING: Final = time(9)
"""Until then yesterday may be closed; terminals are started again at about 08:45."""

_SHOWN: Final = 20


@click.command(short_help="Close the day: archive, reconcile. 收盘")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d", "%Y%m%d"]), metavar="YYYY-MM-DD",
    help="Close another day; the default before 09:00, and on days off, is the last one. 日期",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Also while a live market may be open. 盘中也执行")
@json_option
@click.pass_context
@pass_place
def close(place: Place, ctx: click.Context, day: datetime | None, force: bool, as_json: bool) -> None:
    """Put what the terminals' folders still hold into the archive, and compare what was dropped, what was sent, what the terminal took
    and how it ended at the broker.

    收盘：把终端目录里遗留的文件归档(否则终端次日不会自动启动),并核对放入、送出、终端取走、柜台终态四方。

    Files that mention an open order stay, and are told. An order whose file the terminal never took is taken back and expires. A
    running router is asked to do it; it also does so by itself after [close] at. Doing it again does no harm. Exit 1 when something
    stays, or differs.

    \b
    Examples 例子:
      orderdrop close
      orderdrop close --date 2026-11-20
    """
    place.must_exist()
    wanted = day.date() if day else _default_day(place)
    if wanted > place.today:
        raise click.UsageError(f"{wanted} 还没到 / has not come yet")
    if _market_may_be_open(place) and not force:
        give_up(
            f"实盘可能还在交易，{place.settings.close.at:%H:%M} 之后再收盘",
            f"a live market may be open; close after {place.settings.close.at:%H:%M}",
            "  确要执行用 --force / --force does it all the same",
        )
    with Progress(place.language) as progress:
        progress.step("正在收盘", "closing the day")
        closed = _by_the_router(place, wanted) if place.routed else _here(place, wanted)
    if as_json:
        print_json(closed)
    else:
        _show(closed, place)
    ctx.exit(0 if closed.well else 1)


def _default_day(place: Place) -> date:
    """Today; in the early morning, and on a day without trading or drops, the last day on which something was dropped."""
    from orderdrop.domain.identity import day_number, from_day_number  # noqa: PLC0415
    from orderdrop.market.calendar import TradingDays  # noqa: PLC0415

    with place.journal() as reading:
        days = reading.days_with_drops(2) if reading else []
    if _now().time() >= _MORNING:
        open_ = TradingDays(place.settings.calendar, place.workspace.root).may_be_open(place.today)
        if open_ or not days or day_number(place.today) in days:
            return place.today
    earlier = (from_day_number(n) for n in days if n < day_number(place.today))
    return next(earlier, place.today - timedelta(days=1))


def _market_may_be_open(place: Place) -> bool:
    from orderdrop.market.calendar import TradingDays  # noqa: PLC0415

    now, settings = _now(), place.settings
    live = any(gateway.live for gateway in settings.gateways.values())
    if not (live and _MORNING <= now.time() < settings.close.at):
        return False
    return TradingDays(settings.calendar, place.workspace.root).may_be_open(now.date())


def _now() -> datetime:
    from orderdrop.system.clock import SystemClock, to_datetime  # noqa: PLC0415

    return to_datetime(SystemClock().now())


def _here(place: Place, day: date) -> ClosedView:
    from orderdrop.cli.context import logged  # noqa: PLC0415
    from orderdrop.service.app import App  # noqa: PLC0415  heavy

    with logged(place), App(place.settings, place.workspace) as app:
        return app.day_end.close(day)


def _by_the_router(place: Place, day: date) -> ClosedView:
    """Ask, and wait for the answer. Raises OrderdropError when there is none."""
    from orderdrop.system.files import patiently, write_over  # noqa: PLC0415
    from orderdrop.views.day import ClosedView  # noqa: PLC0415

    here = place.workspace

    def answer() -> bytes:
        return patiently(here.closed.read_bytes) if here.closed.exists() else b""

    before = answer()
    write_over(here.close_request, json.dumps({"day": day.isoformat()}).encode())
    deadline = clock.monotonic() + _PATIENCE
    while clock.monotonic() < deadline:
        told = answer()
        if told != before:
            closed = ClosedView.model_validate_json(told)
            if closed.day == day.isoformat():
                return closed
        clock.sleep(0.1)
    raise OrderdropError(
        f"路由器还没有完成收盘，见日志 / the router has not closed the day yet, see {here.log}"
    )


def _show(closed: ClosedView, place: Place) -> None:
    console = stdout()
    taken = "–" if closed.taken is None else closed.taken
    for words, count in (
        ("放入 dropped", closed.dropped),
        ("拒绝 denied", closed.denied),
        ("送出 sent", closed.sent),
        ("终端取走 taken by the terminal", taken),
        ("柜台终态 ended at the broker", closed.ended),
        ("不一致 differing", closed.differing),
        ("归档文件 files put away", closed.put_away),
    ):
        console.print(f"  {count:>6}  {words}")
    if closed.taken_back:
        console.print(f"  收回 taken back, never executed: {', '.join(closed.taken_back)}", soft_wrap=True)
    _show_differences(closed, place)
    for item in closed.stayed:
        console.print(f"! {item.path}  {item.why}", soft_wrap=True)
    for fault in closed.faults:
        console.print(f"× {fault}", soft_wrap=True)
    where = place.workspace.day(date.fromisoformat(closed.day))
    say(f"{closed.day} 已归档：{where}", f"closed; see {where}", place.language)


def _show_differences(closed: ClosedView, place: Place) -> None:
    from orderdrop.domain.refusal import both  # noqa: PLC0415
    from orderdrop.reconciliation.four_way import WORDS, Difference  # noqa: PLC0415

    if not closed.differences:
        return
    numbers = ("送出\nSent", "取走\nTaken", "成交\nFilled")
    columns = ("编号\nSid", "代码\nSymbol", *numbers, "状态\nStatus", "差异\nDifference")
    grid = table(*columns, right=numbers, wrap=("编号\nSid", "差异\nDifference"))
    for row in closed.differences[:_SHOWN]:
        taken = "–" if row.taken is None else str(row.taken)
        words = both(*WORDS[Difference(row.difference)], place.language)
        grid.add_row(
            row.sid, row.symbol, str(row.sent), taken, str(row.filled_volume), styled(row.status), words
        )
    stdout().print(grid)
    if len(closed.differences) > _SHOWN:
        stdout().print(f"  … +{len(closed.differences) - _SHOWN}: --json")
