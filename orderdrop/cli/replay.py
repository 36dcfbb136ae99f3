"""`orderdrop replay`: play a day, a drop or a file again, and see side by side what was refused then and now."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.look import account_id, canonical
from orderdrop.cli.output import command_at, give_up, json_option, print_json, say, stdout, table
from orderdrop.cli.progress import Progress

if TYPE_CHECKING:
    from orderdrop.config.settings import Settings
    from orderdrop.replay.compare import Pair
    from orderdrop.replay.rewrite import Rewritten
    from orderdrop.replay.source import Source
    from orderdrop.system.clock import Micros

PAPER: Final = "paper"
ASAP: Final = "asap"
_SHOWN: Final = 50


def _speed(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    """0 for `asap`."""
    if value is None or value == ASAP:
        return None if value is None else 0.0
    try:
        speed = float(value)
    except ValueError:
        speed = 0.0
    if not 0 < speed < 1e9:
        raise click.BadParameter("一个大于 0 的数，或 asap / a number above 0, or asap")
    return speed


@click.command(short_help="Play a day or a file again. 重放")
@click.argument("what", metavar="DATE|PATH")
@click.option(
    "--to", default=PAPER, show_default=True, metavar="GATEWAY",
    help="“paper”: the paper broker, in a workspace of its own; else a gateway of this workspace. 送往",
)  # fmt: skip
@click.option(
    "--speed", callback=_speed, metavar="N|asap",
    help="Times the original rhythm. Default: asap on paper, 1 to a gateway. 速度",
)  # fmt: skip
@click.option(
    "--sids",
    type=click.Choice(["keep", "new"]),
    help="Default: keep on paper, new to a gateway. 编号保留或新编",
)
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="[OLD=]NEW",
    help="Other accounts; without OLD: for all. 换账户",
)
@click.option(
    "--only", multiple=True, metavar="NAME=VALUE",
    help="Of one drop, strategy, account, symbol or sid; may be repeated. 只重放",
)  # fmt: skip
@click.option(
    "--dry-run",
    is_flag=True,
    help="Only show what would come of it; nothing is left. 只看结果，不留下任何东西",
)
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
    help="The new workspace; default: replays/DATE-N below this one. 新工作区",
)  # fmt: skip
@click.option(
    "--yes-send-live",
    "promised",
    type=int,
    metavar="N",
    help="Send N live orders without being asked; N must be exact. 实盘免问",
)
@json_option
@pass_place
def replay(
    place: Place, what: str, to: str, speed: float | None, sids: str | None, accounts: tuple[str, ...],
    only: tuple[str, ...], dry_run: bool, into: Path | None, promised: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Play an archived day, one archived drop, or any order file again: in the original order and rhythm, on the paper broker.

    重放一个归档日、一个归档文件或任意委托文件：按原来的顺序和节奏，默认送往独立工作区里的模拟柜台。

    What was refused then and what is refused now stand side by side. To a gateway with live = true only with new sids, after a
    preview, and when the day's date was typed.

    \b
    Examples 例子:
      orderdrop replay 2026-11-20
      orderdrop replay archive/2026-11-20/drops/basket.csv --dry-run
      orderdrop replay 2026-11-20 --only strategy=alpha --speed 10
      orderdrop replay old.csv --to sim --account demo=sim-account
    """
    from orderdrop.replay.source import read_source  # noqa: PLC0415

    place.must_exist()
    on_paper = to == PAPER
    new_sids = (sids or ("keep" if on_paper else "new")) == "new"
    _refuse_options(place, to, into, promised, new_sids=new_sids)
    with place.journal() as reading:
        source = read_source(what, place.workspace, reading)
    changed = _change(place, source, accounts, only, new_sids=new_sids, rewrite_all=not on_paper)
    if on_paper:
        pause = _pause(speed or 0.0) if not dry_run else _pause(0.0)
        with _workspace(place, source, into, dry_run=dry_run) as root:
            pairs = _play(place, changed, root, pause)
        _tell(place, source, changed, pairs, None if dry_run else root, as_json=as_json)
    else:
        _to_gateway(
            place,
            source,
            changed,
            to,
            _pause(1.0 if speed is None else speed),
            promised,
            dry_run=dry_run,
            as_json=as_json,
        )


def _refuse_options(
    place: Place, to: str, into: Path | None, promised: int | None, *, new_sids: bool
) -> None:
    if to == PAPER:
        if promised is not None:
            raise click.UsageError("--yes-send-live 只用于实盘通道 / is for live gateways only")
        return
    gateway = place.settings.gateways.get(to)
    if gateway is None:
        raise click.UsageError(
            f"没有这个通道 / there is no gateway “{to}”：{', '.join(place.settings.gateways)}"
        )
    if into is not None:
        raise click.UsageError("--into 只用于模拟柜台 / is for the paper broker only")
    if gateway.live and not new_sids:
        raise click.UsageError("实盘只能用新编号 / to a live gateway only with --sids new")


def _change(
    place: Place,
    source: Source,
    accounts: tuple[str, ...],
    only: tuple[str, ...],
    *,
    new_sids: bool,
    rewrite_all: bool,
) -> Rewritten:
    from orderdrop.client.writing import new_sid  # noqa: PLC0415
    from orderdrop.replay.rewrite import Changes, Rewritten, numbered, rewrite  # noqa: PLC0415

    prefix = new_sid("R") if rewrite_all else f"R{source.day:%Y%m%d}"
    changes = Changes(
        numbered(prefix) if new_sids else None, dict(_accounts(place, accounts)), _only(place, only)
    )
    if not (changes.any or rewrite_all):
        return Rewritten(source.drops, [], [])
    return rewrite(source, place.settings, changes)


def _accounts(place: Place, given: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for pair in given:
        old, separator, new = pair.rpartition("=")
        if not new or (separator and not old):
            raise click.BadParameter(pair, param_hint="--account")
        yield account_id(place, old) or "", account_id(place, new) or new


def _only(place: Place, given: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
    from orderdrop.replay.rewrite import ONLY  # noqa: PLC0415

    wanted: dict[str, frozenset[str]] = {}
    for pair in given:
        name, separator, value = pair.partition("=")
        if not separator or name not in ONLY:
            raise click.BadParameter(
                f"{pair}: {', '.join(f'{known}=…' for known in ONLY)}", param_hint="--only"
            )
        if name in {"symbol", "account"}:
            value = str(canonical(value) if name == "symbol" else account_id(place, value))
        wanted[name] = wanted.get(name, frozenset()) | {value}
    return wanted


def _pause(speed: float) -> Callable[[Micros, Micros], None]:
    def pause(before: Micros, after: Micros) -> None:
        if speed:
            time.sleep((after - before) / 1_000_000 / speed)

    return pause


@contextmanager
def _workspace(place: Place, source: Source, into: Path | None, *, dry_run: bool) -> Iterator[Path]:
    if dry_run:
        with tempfile.TemporaryDirectory(prefix="orderdrop-replay-") as folder:
            yield Path(folder)
        return
    root = into or _free(place.workspace.root / "replays", f"{source.day}")
    if root.exists() and any(root.iterdir()):
        give_up(f"{root} 不是空文件夹", "the folder is not empty")
    root.mkdir(parents=True, exist_ok=True)
    yield root


def _free(folder: Path, name: str) -> Path:
    number = 1
    while (folder / f"{name}-{number}").exists():
        number += 1
    return folder / f"{name}-{number}"


def _play(
    place: Place, changed: Rewritten, root: Path, pause: Callable[[Micros, Micros], None]
) -> list[Pair]:
    from orderdrop.journal.journal import reading_engine  # noqa: PLC0415
    from orderdrop.journal.reader import read  # noqa: PLC0415
    from orderdrop.replay.compare import compare  # noqa: PLC0415
    from orderdrop.replay.playing import numbers, paper_settings, play  # noqa: PLC0415

    settings: Settings = paper_settings(place.settings, place.workspace.root)
    with Progress(place.language) as progress:
        progress.step("正在重放", "playing again")
        play(changed.drops, settings, root, pause, progress.come)
    engine = reading_engine(settings.journal.url, root)
    try:
        with place.journal() as then, read(engine) as now:
            return compare(list(numbers(changed.drops, now)), then, now)
    finally:
        engine.dispose()


# to a gateway


def _to_gateway(
    place: Place, source: Source, changed: Rewritten, to: str, pause: Callable[[Micros, Micros], None],
    promised: int | None, *, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    from orderdrop.replay.sending import refuse_other_accounts, send  # noqa: PLC0415

    refuse_other_accounts({order[1] for order in changed.orders}, to, place.settings)
    with tempfile.TemporaryDirectory(prefix="orderdrop-replay-") as folder:
        pairs = _play(place, changed, Path(folder), _pause(0.0))
    live = place.settings.gateways[to].live
    if dry_run or not as_json:
        _tell(place, source, changed, pairs, None, as_json=as_json)
    if dry_run:
        return
    if live:
        _confirm(place, source, changed, to, promised)
    sent = [
        path.relative_to(place.workspace.inbox).as_posix()
        for path in send(changed.drops, place.workspace, pause)
    ]
    if as_json:
        print_json({"gateway": to, "live": live, "orders": len(changed.orders), "drops": sent})
    else:
        for name in sent:
            click.echo(name)
        say(
            f"已放入收件箱 {len(sent)} 个文件，{len(changed.orders)} 笔",
            f"{len(sent)} drops with {len(changed.orders)} orders are in the inbox",
            place.language,
        )
        if not place.routed:
            say("路由器没有运行", "no router runs here → orderdrop run", place.language)


def _confirm(place: Place, source: Source, changed: Rewritten, to: str, promised: int | None) -> None:
    """A live replay trades: it takes the exact number, or the day typed by a person."""
    stdout().print(_preview(changed))
    if promised is not None:
        if promised != len(changed.orders):
            give_up(
                f"--yes-send-live {promised},实际是 {len(changed.orders)} 笔，没有发送",
                f"there are {len(changed.orders)} orders; nothing was sent",
            )
        return
    say(
        f"将向实盘通道 {to} 发送 {len(changed.orders)} 笔真实委托",
        f"{len(changed.orders)} real orders will be sent to {to}, which is LIVE",
        place.language,
    )
    typed = click.prompt(
        f"输入日期以确认 / type the day to confirm ({source.day})", default="", show_default=False, err=True
    )
    if typed.strip() != source.day.isoformat():
        give_up("没有发送", "nothing was sent")


def _preview(changed: Rewritten) -> Any:
    """What would be sent, account by account."""
    from decimal import Decimal  # noqa: PLC0415

    sums: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for _sid, account, _symbol, volume, _type, business, price, *_rest in changed.orders:
        key = (account, "买 buy" if business == "1" else "卖 sell")
        orders, value = sums.get(key, (0, Decimal(0)))
        sums[key] = (orders + 1, value + int(volume) * Decimal(price or 0))
    made = table(
        "账户\nAccount",
        "买卖\nSide",
        "笔数\nOrders",
        "限价金额\nLimit value",
        right=("笔数\nOrders", "限价金额\nLimit value"),
    )
    for (account, side), (orders, value) in sorted(sums.items()):
        made.add_row(account, side, str(orders), f"{value:,.2f}")
    return made


# telling


def _tell(
    place: Place, source: Source, changed: Rewritten, pairs: list[Pair], root: Path | None, *, as_json: bool
) -> None:
    from orderdrop.replay.compare import counts  # noqa: PLC0415

    then, now = counts(pairs)
    left_out = [*source.missing, *changed.left_out]
    if as_json:
        print_json(
            {
                "day": source.day.isoformat(), "workspace": root and str(root), "drops": len(changed.drops),
                "then": dict(then), "now": dict(now), "rows": [pair.data() for pair in pairs],
                "left_out": [{"drop": name, "why": why} for name, why in left_out],
            }
        )  # fmt: skip
        return
    shown = [pair for pair in pairs if pair.refused or (pair.then and pair.differs)]
    if shown:
        stdout().print(_table(shown[:_SHOWN]))
    if len(shown) > _SHOWN:
        say(
            f"只显示前 {_SHOWN} 行，共 {len(shown)} 行",
            f"the first {_SHOWN} of {len(shown)}; --json prints all",
            place.language,
        )
    for name, why in left_out:
        say(f"未重放 {name}: {why}", f"not played: {name}", place.language)
    _tell_counts(place, len(changed.drops), pairs, then, now)
    if root is not None:
        say(
            f"重放的工作区：{root}",
            f"look into it: {command_at(root)} orders --date {source.day}",
            place.language,
        )


def _tell_counts(
    place: Place, drops: int, pairs: list[Pair], then: Mapping[str, int], now: Mapping[str, int]
) -> None:
    def words(counts: Mapping[str, int]) -> str:
        return " · ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "-"

    say(f"{drops} 个文件，{len(pairs)} 行", f"{drops} drops, {len(pairs)} rows", place.language)
    if then:
        say(f"当时：{words(then)}", f"then: {words(then)}", "en")
    say(f"现在：{words(now)}", f"now:  {words(now)}", "en")
    if then:
        differ = sum(pair.differs for pair in pairs)
        say(f"{differ} 行结果不同", f"{differ} rows came out differently", place.language)


def _table(pairs: list[Pair]) -> Any:
    from rich.text import Text  # noqa: PLC0415

    made = table(
        "文件\nDrop",
        "行\nRow",
        "编号\nsid",
        "当时\nThen",
        "现在\nNow",
        right=("行\nRow",),
        wrap=("文件\nDrop", "编号\nsid"),
    )
    for pair in pairs:
        then, now = (
            "" if fate is None else f"{fate.outcome} {fate.code}".strip() for fate in (pair.then, pair.now)
        )
        fate = pair.now or pair.then
        made.add_row(
            pair.drop, str(pair.row or ""), fate.sid if fate else "", then,
            Text(now, "yellow" if pair.then and pair.differs else ""),
        )  # fmt: skip
    return made
