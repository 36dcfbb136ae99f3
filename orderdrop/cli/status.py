"""`orderdrop status`: is it running, where do orders go, is anything wrong."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import clock_time, json_option, print_json, say, shortened, stdout, style_of
from orderdrop.cli.watch import alone, watch, watch_option
from orderdrop.domain.codes import UNEVEN
from orderdrop.domain.language import half, status_word
from orderdrop.domain.status import Status
from orderdrop.views.health import LATE

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

UNKNOWN_SWITCH: Final = (
    "{0} 没有指明已知的账户，对全部生效 / {0} names no account that is known: it binds all"
)
_TOLD: Final = ("asked", "refused")
_SHOWN: Final = 5
_LYING_SHOWN: Final = 10
_ON_THE_WAY: Final = frozenset({Status.SUBMITTING, Status.SUBMITTED})


@click.command(short_help="Is it running, is anything wrong? 状态")
@watch_option
@json_option
@click.pass_context
@pass_place
def status(place: Place, ctx: click.Context, watched: bool, as_json: bool) -> None:
    """Gateways (live or simulated), the router, today's counts, unknown orders, the oldest one that nobody has confirmed.

    通道(实盘或模拟)、路由器、今日各状态笔数、状态不明的委托、最早未确认的委托。

    Exit 1 when orders are unknown, or of gateways or accounts that the settings do not have, when fills do not add up, when the terminal tells what is not ours or does not read, when cancels wait
    for orders that nobody has given or were refused, when files wait in the inbox and nobody takes them, when the last line of a file that is followed stays without its newline, when the router hangs, is in a
    fault or hears nothing of a gateway, when the journal or the disk is in trouble, when a file
    that was put away is not what was taken, or when the settings are not those of the running router.

    \b
    Examples 例子:
      orderdrop status
      orderdrop status --watch
      orderdrop status --json
    """
    place.must_exist()
    if watched:
        alone(as_json)
        watch(place, frame)
        return
    found = look(place)
    if as_json:
        print_json(found)
        problems = found["problems"]
    else:
        called, *problems = _in_words(place, found)
        stdout().print(_grid(found, place, called))
    for problem in problems:
        say(problem, problem, place.language)
    ctx.exit(1 if found["problems"] else 0)


def _in_words(place: Place, found: dict[str, Any]) -> list[str]:
    """The oldest unconfirmed order and the problems, with orders called as people call them, where the journal can be asked."""
    from orderdrop.domain.identity import day_number  # noqa: PLC0415
    from orderdrop.errors import JournalError  # noqa: PLC0415
    from orderdrop.views.called import in_words  # noqa: PLC0415

    oldest = found["oldest_unconfirmed"]
    texts = [oldest["sid"] if oldest else "", *found["problems"]]
    try:
        with place.journal() as reading:
            return in_words(texts, reading, day_number(place.today)) if reading else texts
    except JournalError:
        return texts


def look(place: Place) -> dict[str, Any]:
    """What `--json` prints."""
    from orderdrop.archive import altered  # noqa: PLC0415
    from orderdrop.cli.problems import problems_of  # noqa: PLC0415
    from orderdrop.domain.identity import day_number, from_day_number  # noqa: PLC0415
    from orderdrop.domain.refusal import Code  # noqa: PLC0415
    from orderdrop.errors import JournalError  # noqa: PLC0415
    from orderdrop.journal.records import InstructionState  # noqa: PLC0415
    from orderdrop.views.inbox import FileState, list_inbox, lying_on, names_of  # noqa: PLC0415
    from orderdrop.views.oddities import alarms  # noqa: PLC0415
    from orderdrop.views.orders import is_early, scan_finds_key  # noqa: PLC0415
    from orderdrop.views.stranded import stranded  # noqa: PLC0415

    router, beat = who_runs(place)
    counts: dict[str, int] = {}
    live: list[Any] = []
    inbox: list[Any] = []
    asked: list[Any] = []
    alarmed: list[str] = []
    uneven: list[str] = []
    found_by_scan, newest, journal_fault = 0, 0, ""
    try:
        with place.journal() as reading:
            if reading:
                counts = reading.status_counts(day_number(place.today))
                live = reading.live_orders()
                found_by_scan = int(reading.meta(scan_finds_key(place.today)) or 0)
                newest = reading.newest_day()
                alarmed = alarms(reading.meta, place.today)
                alarmed += altered.problems(reading, place.today, place.workspace)
                uneven = reading.sids_because(day_number(place.today), UNEVEN)
                asked = reading.instructions_of_day(day_number(place.today), _TOLD)
            torn_after = place.settings.inbox.torn_timeout
            inbox = [*list_inbox(place.workspace, reading, place.today, torn_after)]
    except JournalError as error:  # the rest can be told all the same
        journal_fault = str(error)
    files = names_of(inbox, FileState.WAITING)
    early = [row.sid for row in asked if is_early(row)]
    refused = [row for row in asked if row.state == InstructionState.REFUSED]
    unknown = [order for order in live if order.status == Status.UNKNOWN]
    lost = [order.sid for order in unknown if order.reason_code == Code.PROVEN_ABSENT]
    found = {
        "workspace": str(place.workspace.root),
        "date": place.today.isoformat(),
        "router": router,
        "heartbeat": beat,
        "settings_in_force": place.in_force,
        "halted": _halted(place),
        "switches": _switches(place),
        "gateways": _gateways(place),
        "counts": {status: counts[status] for status in Status if counts.get(status)},
        "unknown": [order.sid for order in unknown],
        "lost": lost,
        "oldest_unconfirmed": _oldest(
            [o for o in live if o.status in _ON_THE_WAY and o.confirmed_at is None]
        ),
        "waiting": files,
        "cancels_waiting": early,
        "refused": [_refused(place, row) for row in refused],
        "uneven": uneven,
        "alarms": alarmed,
        "stranded": stranded(live, place.settings),
        "lying": lying_on(inbox),
        "found_by_scan": found_by_scan,
        "journal_day": from_day_number(newest).isoformat() if newest else None,
        "journal_fault": journal_fault,
        "disk": _disk(place),
    }
    return found | {"problems": problems_of(found, place)}


def who_runs(place: Place) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Who runs, and what its loop said last; silent_for: seconds since then, or since its start while it has said nothing."""
    import platform  # noqa: PLC0415
    import time  # noqa: PLC0415

    from orderdrop.service.heartbeat import last_beat  # noqa: PLC0415
    from orderdrop.system.clock import ticks_of_machine  # noqa: PLC0415
    from orderdrop.views import health  # noqa: PLC0415
    from orderdrop.views.running import holder_of  # noqa: PLC0415

    if not place.routed:
        return {"running": False}, None
    holder, beat = holder_of(place.workspace), last_beat(place.workspace.heartbeat)
    if beat is not None and beat.get("pid") != holder.get("pid"):  # of an earlier router
        beat = None
    here = platform.node()
    about = beat if beat is not None else {"at": holder.get("since")}
    silent = health.age(
        about, ticks=ticks_of_machine() / 1_000_000, now=time.time(), same_boot=about.get("host") == here
    )
    return {"running": True, **holder, "silent_for": round(max(0.0, silent), 1)}, beat


def _refused(place: Place, row: Any) -> dict[str, Any]:
    """A cancel, release or resend of today that was refused."""
    from orderdrop.views.orders import explain_row, where  # noqa: PLC0415

    why = explain_row(row, place.language)
    return {
        "kind": row.kind, "sid": row.sid, "drop": row.drop_name, "row": where(row).row, "code": row.reason_code,
        "reason": None if why is None else why.text(place.language),
    }  # fmt: skip


def _disk(place: Place) -> dict[str, int]:
    """Bytes in use, and what is free where the journal lies."""
    import shutil  # noqa: PLC0415

    from orderdrop.archive.day import size_of  # noqa: PLC0415

    here = place.workspace
    journal = sum(path.stat().st_size for path in here.root.glob("journal.db*"))
    folders = {
        "archive": here.archive,
        "quarantine": here.quarantine,
        "outbox": here.outbox,
        "state": here.state,
    }
    sizes = {name: size_of(folder) for name, folder in folders.items()}
    return {"journal": journal, **sizes, "free": shutil.disk_usage(here.root).free}


def _halted(place: Place) -> str | None:
    """The reason for which all is halted, "" when none was given; None when not halted."""
    return next(
        (found["reason"] for found in _switches(place) if found["state"] == "halted" and not found["scope"]),
        None,
    )


def _switches(place: Place) -> list[dict[str, Any]]:
    """What is switched off: its scope ("" for all, account, strategy), name, state, file, and the reason that was given, or why it binds all."""
    from orderdrop.domain.switches import ALL  # noqa: PLC0415
    from orderdrop.inbox.switches import reason_in, switch_files  # noqa: PLC0415

    found = []
    for path, key, state in switch_files(place.workspace.inbox):
        kind, name = place.bound_by(key)
        why = reason_in(path)
        if key[0] == "account" and (kind, name) == ALL:
            why = " ".join(filter(None, [UNKNOWN_SWITCH.format(path.name), why]))
        found.append(
            {"scope": kind, "name": name, "state": state.name.lower(), "file": path.name, "reason": why}
        )
    return found


def _gateways(place: Place) -> list[dict[str, Any]]:
    from orderdrop.gateway.closures import shut  # noqa: PLC0415
    from orderdrop.gateway.instrument_feed import kept  # noqa: PLC0415

    settings = place.settings
    told = kept(settings, place.workspace, place.today)
    closed = shut(place.workspace, settings.gateways, place.today)
    return [
        {
            "name": name,
            "type": gateway.type,
            "live": gateway.live,
            "closed": closed.get(name),
            "accounts": [key for key in settings.accounts if settings.gateway_of(key) == name],
            "instruments": {"count": len(told[name].securities), "at": told[name].at}
            if name in told
            else None,
        }
        for name, gateway in settings.gateways.items()
    ]


def _oldest(orders: list[Any]) -> dict[str, Any] | None:
    from orderdrop.system.clock import SystemClock, iso  # noqa: PLC0415

    if not orders:
        return None
    oldest = min(orders, key=lambda order: (order.submitted_at or order.updated_at, order.id))
    since = oldest.submitted_at or oldest.updated_at
    return {
        "sid": oldest.sid,
        "since": iso(since),
        "seconds": round((SystemClock().now() - since) / 1_000_000, 3),
    }


def frame(place: Place, _console: Console) -> RenderableType:
    """What `--watch` shows: the same, and what is wrong below it."""
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    found = look(place)
    called, *problems = _in_words(place, found)
    return Group(_grid(found, place, called), *(Text(f"! {problem}", "bold yellow") for problem in problems))


def _grid(found: dict[str, Any], place: Place, oldest_called: str) -> Table:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from orderdrop.domain.switches import scope_words  # noqa: PLC0415
    from orderdrop.views.orders import live_words  # noqa: PLC0415

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("工作区 workspace", found["workspace"])
    grid.add_row("路由器 router", _router_words(found["router"]))
    for gateway in found["gateways"]:
        live = Text(
            f" {live_words(gateway['live'])} ", "bold white on red" if gateway["live"] else "black on green"
        )
        accounts = ", ".join(map(place.account_name, gateway["accounts"])) or "所有账号 every account"
        since = gateway["closed"]
        closed = f"  今日 {since} 已收盘 closed for today" if since else ""
        grid.add_row(
            "通道 gateway",
            Text.assemble(f"{gateway['name']} ", live, f" {accounts}", (closed, "bold yellow")),
        )
        if gateway["instruments"]:
            told = gateway["instruments"]
            words = f"{gateway['name']}: {told['count']}, {clock_time(told['at'])}"
            grid.add_row("证券资料 instruments", words)
    for switch in found["switches"]:
        whose = scope_words((switch["scope"], switch["name"]))
        words = "只减仓 reducing" if switch["state"] == "reducing" else "暂停 halted"
        grid.add_row(words, Text(f"{whose}  {switch['reason']}", "bold yellow"))
    counts = [(f"{count} {status_word(name)}   ", style_of(name)) for name, count in found["counts"].items()]
    counts = counts or [("没有委托 no orders", "")]
    grid.add_row("今日 today", Text.assemble(f"{found['date']}   ", *counts))
    oldest = found["oldest_unconfirmed"]
    if oldest:
        grid.add_row(
            "未确认 unconfirmed", f"{oldest_called}  {clock_time(oldest['since'])}  {oldest['seconds']:.0f} s"
        )
    if found["counts"].get(Status.HELD):
        grid.add_row(
            "暂存 held",
            Text("orderdrop release SID | --drop FILE | --all;  orderdrop orders --status held", "yellow"),
        )
    _show_inbox(grid, found)
    grid.add_row("磁盘 disk", _disk_words(found["disk"]))
    return grid


def _show_inbox(grid: Table, found: dict[str, Any]) -> None:
    """What lies in the inbox, and instructions that wait or were refused."""
    from rich.text import Text  # noqa: PLC0415

    if found["waiting"]:
        grid.add_row("等待 waiting", shortened(found["waiting"]))
    if found["cancels_waiting"]:
        grid.add_row("撤单等待 cancels wait", shortened(found["cancels_waiting"]))
    for refused in found["refused"][:_SHOWN]:
        grid.add_row("被拒 refused", f"{refused['drop']}  {refused['sid']}  {refused['code']}")
    for one in found["lying"][:_LYING_SHOWN]:
        grid.add_row(
            f"未接收 {one['lot']}" if one["lot"] != "taken" else "未归档 taken",
            Text(f"{one['name']}: {one['why']}", "yellow"),
        )
    if len(found["lying"]) > _LYING_SHOWN:
        grid.add_row("", f"… {len(found['lying']) - _LYING_SHOWN} more, see orderdrop status --json")
    if found["found_by_scan"]:
        missed = f"{found['found_by_scan']} 个文件没有文件事件，由扫描发现 / drops that no event told of, the scan found them"
        grid.add_row("扫描 scan", half(missed))


def _disk_words(disk: dict[str, int]) -> str:
    used = sum(size for name, size in disk.items() if name != "free")
    parts = f"日志 journal {_size(disk['journal'])}, 归档 archive {_size(disk['archive'])}"
    return f"{_size(used)} ({parts}), 剩余 free {_size(disk['free'])}"


def _size(count: float) -> str:
    """`640 kB`, `12.0 MB`, `1.4 GB`."""
    for unit, digits in (("kB", 0), ("MB", 1)):
        count /= 1000
        if count < 1000:
            return f"{count:.{digits}f} {unit}"
    return f"{count / 1000:.1f} GB"


def _router_words(router: dict[str, Any]) -> Any:
    from rich.text import Text  # noqa: PLC0415

    if not router["running"]:
        return Text("没有运行 not running", "yellow")
    since = datetime.fromisoformat(router["since"]).strftime("%H:%M:%S") if "since" in router else "?"
    words = f"运行中 running since {since}, pid {router.get('pid', '?')} on {router.get('host', '?')}"
    return Text(words, "bold red" if router.get("silent_for", 0) > LATE else "green")
