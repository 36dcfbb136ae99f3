"""`cancel`, `release`, `resend`, `halt`, `resume`: each is a file in the inbox, so it works without the router running, too."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.drop import note_if_not_running
from orderdrop.cli.look import account_id, account_option, canonical, strategy_option, symbol_option
from orderdrop.cli.output import give_up, json_option, print_json_array, say, shortened
from orderdrop.domain.language import status_word
from orderdrop.domain.refusal import both
from orderdrop.domain.status import TERMINAL, Status

if TYPE_CHECKING:
    from orderdrop.domain.order import DropKind

_ASKED: Final = {
    "cancel_order": ("请求撤单", "cancel"),
    "release": ("请求放行", "release"),
    "resend": ("请求重发", "resend"),
}

sids_argument = click.argument("sids", nargs=-1, metavar="[SID|FILE:ROW]...")


@click.command(short_help="Ask for orders to be cancelled. 撤单")
@sids_argument
@click.option("--all", "every", is_flag=True, help="Every order that is not finished. 全部未完成委托")
@click.option(
    "--drop", "drop_name", metavar="NAME", help="Every unfinished order of one drop. 某个文件的全部未完成委托"
)
@click.option("--yes", is_flag=True, help="Do not ask before a --drop is cancelled. 不再询问")
@account_option
@strategy_option
@symbol_option
@json_option
@pass_place
def cancel(
    place: Place,
    sids: tuple[str, ...],
    every: bool,
    drop_name: str | None,
    yes: bool,
    account: str | None,
    strategy: str | None,
    symbol: str | None,
    as_json: bool,
) -> None:
    """Ask for orders to be cancelled: by sid, those of one --drop, or --all of an account, a strategy or a symbol.

    撤单：按编号，或 --drop 撤整个文件，或 --all 配合账号、策略、代码。

    An order that has not left is cancelled here; any other goes to its broker. Cancels always pass, also while halted. A --drop is
    cancelled after a question, unless --yes is given.

    \b
    Examples 例子:
      orderdrop cancel S1-0001 S1-0002
      orderdrop cancel 篮子.csv:3
      orderdrop cancel --all
      orderdrop cancel --drop basket.csv
      orderdrop cancel --all --strategy alpha --symbol 600000.SH
    """
    from orderdrop.domain.order import DropKind  # noqa: PLC0415

    narrowed = account is not None or strategy is not None or symbol is not None
    if bool(sids) + every + (drop_name is not None) != 1 or (narrowed and not every):
        raise click.UsageError(
            "给出编号，或 --drop，或 --all（可加筛选） / give sids, or --drop, or --all with or without filters"
        )
    place.must_exist()
    if drop_name is not None:
        sids = _of_drop(place, drop_name, yes=yes)
    elif every:
        wanted = {"account_id": account_id(place, account), "strategy": strategy, "symbol": canonical(symbol)}
        sids = _live(place, wanted)
    else:
        sids = _named(place, sids)
    _instruct(place, DropKind.CANCEL, sids, as_json=as_json)


@click.command(short_help="Let held orders go. 放行暂存的委托")
@sids_argument
@click.option("--all", "every", is_flag=True, help="Every held order. 全部")
@click.option("--drop", "drop_name", metavar="NAME", help="Every held order of one drop. 某个文件的全部委托")
@json_option
@pass_place
def release(place: Place, sids: tuple[str, ...], every: bool, drop_name: str | None, as_json: bool) -> None:
    """Let held orders go to the broker: by sid, --all, or those of one --drop.

    放行暂存(held)的委托。

    Orders are held when [inbox] hold, or their strategy's, is set.

    \b
    Examples 例子:
      orderdrop release S1-0001
      orderdrop release 篮子.csv:3
      orderdrop release --drop basket.csv
      orderdrop release --all
    """
    from orderdrop.domain.order import DropKind  # noqa: PLC0415

    if bool(sids) + every + (drop_name is not None) != 1:
        raise click.UsageError("编号、--all、--drop 选一种 / give sids, --all or --drop, one of them")
    place.must_exist()
    if sids:
        sids = _named(place, sids)
    else:
        sids = _live(
            place,
            {
                "status": Status.HELD,
                "drop_name": None if drop_name is None else _known_drop(place, drop_name),
            },
        )
    _instruct(place, DropKind.RELEASE, sids, as_json=as_json)


@click.command(short_help="Hand an order over once more, if it is proven lost. 重发")
@click.argument("sids", nargs=-1, required=True, metavar="SID|FILE:ROW...")
@json_option
@pass_place
def resend(place: Place, sids: tuple[str, ...], as_json: bool) -> None:
    """Hand an order over once more. Only one that is proven to have never reached the broker goes; any other is refused.

    重发：只有证明柜台从未收到的委托才会重发。

    \b
    Example 例子:
      orderdrop resend S1-0001
    """
    from orderdrop.domain.order import DropKind  # noqa: PLC0415

    place.must_exist()
    _instruct(place, DropKind.RESEND, _named(place, sids), as_json=as_json)


@click.command(short_help="Stop new orders. 暂停新委托")
@click.argument("reason", nargs=-1)
@account_option
@strategy_option
@click.option("--reducing", is_flag=True, help="Only orders that reduce a position may go. 只许减仓")
@pass_place
def halt(
    place: Place, reason: tuple[str, ...], account: str | None, strategy: str | None, reducing: bool
) -> None:
    """Stop new orders, of all or of an --account or a --strategy, until `orderdrop resume`. Cancels still pass.

    暂停新委托（全部，或某账户、某策略），直到 orderdrop resume；撤单照常。暂停期间放入的委托会被拒绝，恢复后不会自动送出。

    What is dropped meanwhile is refused for good: nothing goes by itself after `orderdrop resume`.

    It is a file in the inbox: HALT (or REDUCE), HALT.<account>, <strategy>/HALT.

    \b
    Examples 例子:
      orderdrop halt
      orderdrop halt --strategy alpha 行情异常 bad quotes
      orderdrop halt --account main --reducing
    """
    from orderdrop.system.files import write_over  # noqa: PLC0415

    if account and strategy:
        raise click.UsageError("--account 和 --strategy 选一个 / give --account or --strategy, one of them")
    place.must_exist()
    place.workspace.make()
    named = account_id(place, account) or ""
    path = place.workspace.switch(account=named, strategy=strategy or "", reducing=reducing)
    path.parent.mkdir(exist_ok=True)
    write_over(path, f"{' '.join(reason)}\n".encode(), durable=True)
    what = (
        ("只许减仓", "only orders that reduce a position may go")
        if reducing
        else ("已暂停新委托", "new orders are refused")
    )
    say(
        f"{what[0]}，直到 orderdrop resume。暂停期间放入的委托会被拒绝，恢复后不会自动送出，要重新放入",
        f"{what[1]} until orderdrop resume. What is refused meanwhile does not go by itself after it: drop it again",
        place.language,
    )
    if named and place.bound_by(("account", named))[0] != "account":
        say(
            f"没有已知的账户 {named}，对全部生效",
            f"no account is known as {named}: it binds all",
            place.language,
        )


@click.command(short_help="Take new orders again. 恢复")
@account_option
@strategy_option
@click.option(
    "--gateway", metavar="NAME", help="One that `orderdrop close` has closed for today. 今日已收盘的通道"
)
@pass_place
def resume(place: Place, account: str | None, strategy: str | None, gateway: str | None) -> None:
    """Take new orders again; only those of an --account or a --strategy, if one is named.

    恢复接收新委托；可只恢复某账户或某策略。暂停期间被拒绝的委托需要重新放入。

    What was denied while halted is not sent by itself: drop it again. A --gateway that was closed for today takes orders again as
    well; its terminal must be started anew before, and the day must be closed once more after it.

    \b
    Examples 例子:
      orderdrop resume
      orderdrop resume --account main
      orderdrop resume --gateway goldminer
    """
    from orderdrop.gateway.closures import shut  # noqa: PLC0415
    from orderdrop.inbox.switches import switch_files  # noqa: PLC0415

    if gateway and (account or strategy):
        raise click.UsageError("--gateway 单独使用 / give --gateway alone")
    place.must_exist()
    closed = shut(place.workspace, place.settings.gateways, place.today)
    if gateway:
        _open_again(place, gateway, closed)
        return
    wanted = {("account", name) for name in (account, account_id(place, account)) if name}
    wanted |= {("strategy", strategy)} if strategy else set()
    found = switch_files(place.workspace.inbox)
    switched = [
        path for path, key, _ in found if not wanted or key in wanted or place.bound_by(key) in wanted
    ]
    left = [path.name for path in switched if not _take_away(path)]
    if left:
        give_up(
            f"仍然暂停：{shortened(left)} 删不掉（文件夹里有文件？），请手工移走",
            f"still halted: {shortened(left)} cannot be removed (a folder that is not empty?); take it away by hand",
        )
    if switched:
        say("已恢复", "new orders are taken again", place.language)
    else:
        say("没有暂停", "it was not halted", place.language)
    for name in closed:
        say(
            f"通道 {name} 今天已收盘，不再送单；还要交易用 orderdrop resume --gateway {name}",
            f"the gateway {name} is closed for today; orderdrop resume --gateway {name} opens it",
            place.language,
        )


def _take_away(path: Path) -> bool:
    """Whether a switch, a file or an empty folder, is gone."""
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
    return not os.path.lexists(path)


def _open_again(place: Place, gateway: str, closed: Collection[str]) -> None:
    from orderdrop.gateway.closures import open_again  # noqa: PLC0415

    if gateway not in place.settings.gateways:
        raise click.UsageError(f"没有通道 “{gateway}” / no gateway is called so")
    if gateway not in closed:
        say(f"通道 {gateway} 今天没有收盘", f"{gateway} was not closed today", place.language)
        return
    open_again(place.workspace, gateway)
    say(
        f"通道 {gateway} 今天重新送单。先重启终端；之后再做一次 orderdrop close",
        f"{gateway} takes orders of today again. Start its terminal anew before, and orderdrop close once more after it",
        place.language,
    )


def _live(place: Place, wanted: dict[str, str | None]) -> tuple[str, ...]:
    """The sids of unfinished orders of which each column is as wanted."""
    with place.journal() as reading:
        live = reading.live_orders() if reading else []
    return tuple(
        order.sid
        for order in live
        if all(value in {None, getattr(order, column)} for column, value in wanted.items())
    )


def _of_drop(place: Place, named: str, *, yes: bool) -> tuple[str, ...]:
    """The sids of a drop's unfinished orders, once somebody has said yes to it. Ends the command when nobody does."""
    name = _known_drop(place, named)
    sids = _live(place, {"drop_name": name})
    if sids and not yes:
        click.confirm(
            both(
                f"撤销 {name} 的 {len(sids)} 笔未完成委托？",
                f"Cancel the {len(sids)} unfinished orders of {name}?",
                place.language,
            ),
            abort=True,
            err=True,
        )
    return sids


def _named(place: Place, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The sids of orders that are named by a sid, or by file and row. Ends the command where a row is none of today's orders, or several."""
    from orderdrop.domain.identity import day_number  # noqa: PLC0415
    from orderdrop.views.called import choices, orders_called, read_called  # noqa: PLC0415

    rows = [(one, called) for one in asked if (called := read_called(one)) is not None]
    if not rows:
        return asked
    sids: dict[str, str] = {}
    with place.journal() as reading:
        for one, called in rows:
            found = orders_called(reading, called, day_number(place.today)) if reading else []
            if not found:
                give_up(
                    f"今天没有这一行的委托：{one}", f"no order of today came from that row: {one}",
                    "  orderdrop orders, orderdrop why",
                )  # fmt: skip
            if len(found) > 1:
                give_up(
                    f"“{one}”指好几笔，什么也没写；请写其中一笔：", f"“{one}” is several orders, nothing was written; name one of",
                    *(f"  {choice}" for choice in choices(found)),
                )  # fmt: skip
            sids[one] = found[0].sid
    return tuple(dict.fromkeys(sids.get(one, one) for one in asked))


def _known_drop(place: Place, name: str) -> str:
    """The full name of the newest drop called so. Ends the command when there is none."""
    with place.journal() as reading:
        found = reading.drops_by_name(name) if reading else []
    if not found:
        give_up(f"没有收到过文件 “{name}”", f"no drop is called “{name}”", "  orderdrop drops")
    return str(found[0].name)


def _instruct(place: Place, kind: DropKind, sids: tuple[str, ...], *, as_json: bool) -> None:
    """Write the drop, and say beforehand what the journal already knows to be in vain."""
    from orderdrop.client.writing import instruct  # noqa: PLC0415

    if not sids:
        say("没有这样的委托，什么也没写", "no such orders, nothing was written", place.language)
        if as_json:
            print_json_array([])
        return
    _warn(place, kind, sids)
    place.workspace.make()
    path = instruct(place.workspace, kind, sids)
    name = path.relative_to(place.workspace.inbox).as_posix()
    if as_json:
        print_json_array([{"sid": sid, "drop": name} for sid in sids])
    else:
        click.echo(name)
    zh, en = _ASKED[kind]
    say(
        f"{zh} {len(sids)} 笔：{shortened(sids)}；结果见 orderdrop why {name}",
        f"{en} of {len(sids)} {'order' if len(sids) == 1 else 'orders'} requested: see orderdrop why {name}",
        place.language,
    )
    note_if_not_running(place)


def _warn(place: Place, kind: DropKind, sids: tuple[str, ...]) -> None:
    if len(sids) > 100:  # a few are worth a question each
        return
    with place.journal() as reading:
        if reading is None:
            return
        known: dict[str, Any] = {sid: _newest(place, reading, sid) for sid in sids}
    unknown = [sid for sid, order in known.items() if order is None]
    finished = [
        f"{sid} ({status_word(order.status)})"
        for sid, order in known.items()
        if order is not None and order.status in TERMINAL
    ]
    if unknown:
        waits = kind == "cancel_order"
        say(
            f"没有这些编号的委托{'，撤单会等它们，等到今日结束；写错了就用正确的编号再撤' if waits else ''}：{shortened(unknown)}",
            f"not known yet{': the cancel waits for it until the day ends; if the sid is wrong, cancel the right one' if waits else ''}: {shortened(unknown)}",
            place.language,
        )  # fmt: skip
    if finished:
        say(f"已是终态：{shortened(finished)}", "finished already", place.language)


def _newest(place: Place, reading: Any, sid: str) -> Any:
    from orderdrop.client.order_watch import newest_order  # noqa: PLC0415

    return newest_order(reading, sid, place.today, place.settings.inbox.sid_scope)
