"""`orderdrop adopt`: goes on after the journal was lost, put back, replaced or copied, or after a wrong clock has begun a day; asks a person."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.output import give_up, json_option, print_json, say, shortened

if TYPE_CHECKING:
    from orderdrop.system.clock import Clock

WORD: Final = "adopt"


@click.command(short_help="Go on after the journal was lost or replaced. 接管日志库")
@click.option(
    "--day-was-wrong", is_flag=True,
    help="A wrong clock has begun a day that has not come: take it back. 撤销因时钟错误而提前开始的日子",
)  # fmt: skip
@json_option
@pass_place
def adopt(place: Place, day_was_wrong: bool, as_json: bool) -> None:
    """Go on with the journal that stands here, or with a new one, when the start was refused: the journal is missing, older than what
    was sent, another one, or the workspace was copied.

    接管：日志库丢失、变旧、被换成别的，或工作区是复制来的，启动因此被拒绝时使用。

    Look into the terminal first, and make sure that no other copy runs. What archive, staging, terminal output and the gateways' own
    files tell is written into the journal: those sids are used up, today's orders are unknown until the broker tells of them, and
    nothing of it is handed over again; what the journal itself would still have sent is unknown, too. With --day-was-wrong: the drops
    of the days ahead are refused, what never left may be dropped again, what left is unknown, and today goes on. The word `adopt` has
    to be typed, or given on standard input.

    \b
    Examples 例子:
      orderdrop adopt
      orderdrop adopt --day-was-wrong
      echo adopt | orderdrop adopt --json
    """
    from orderdrop.cli.context import logged  # noqa: PLC0415
    from orderdrop.service.app import alone  # noqa: PLC0415  heavy
    from orderdrop.system.clock import SystemClock  # noqa: PLC0415

    place.must_exist()
    clock = SystemClock()
    with logged(place), alone(place.settings, place.workspace, clock):
        told = _take_back(place, clock) if day_was_wrong else _adopt(place, clock)
    if as_json:
        print_json(told)


def _adopt(place: Place, clock: Clock) -> dict[str, Any]:
    from orderdrop.archive.witness import hear  # noqa: PLC0415
    from orderdrop.reconciliation.adopt import adopt as take_over  # noqa: PLC0415
    from orderdrop.reconciliation.evidence import gather, summary  # noqa: PLC0415

    heard = hear(place.settings, place.workspace)
    found = gather(place.settings, place.workspace, place.today)
    if heard.zh:
        say(heard.zh, heard.en, place.language)
    else:
        say(
            "日志库与见证一致，通常不需要接管",
            "journal and witnesses agree; there is usually nothing to adopt",
            place.language,
        )
    for line in (*heard.about, *summary(found)):
        click.echo(f"  {line}", err=True)
    _ask(place)
    done = take_over(place.settings, place.workspace, clock, heard, found)
    say(
        f"已接管：今日补记 {len(done.unknown)} 笔（状态不明），更早 {done.over} 笔，原日志里未送出的 {len(done.doubted)} 笔改为状态不明",
        f"adopted: {len(done.unknown)} orders of today are unknown, {done.over} are of earlier days; {len(done.doubted)} that the journal"
        " would have sent are unknown",
        place.language,
    )
    if done.doubted:
        click.echo(f"  {shortened(done.doubted)}", err=True)
    say("先在终端核对，再 orderdrop run", "look into the terminal, then: orderdrop run", place.language)
    return {
        "unknown": done.unknown, "earlier": done.over, "doubted": done.doubted, "batches": done.batches,
        "gone": found.gone, "unread": found.unread,
    }  # fmt: skip


def _take_back(place: Place, clock: Clock) -> dict[str, Any]:
    from orderdrop.reconciliation.adopt import undo_days  # noqa: PLC0415

    say(
        f"今天是 {place.today}。日志库里更晚的日子将被撤销：那些文件拒绝，未送出的委托作废，已送出的状态不明",
        f"today is {place.today}. The days after it are taken back: their drops refused, what never left is over, what left is unknown",
        place.language,
    )
    _ask(place)
    done = undo_days(place.settings, place.workspace, clock)
    say(
        f"已撤销 {', '.join(map(str, done.days))}：{done.drops} 个文件，未送出 {len(done.freed)} 笔，已送出 {len(done.left)} 笔",
        f"taken back: {done.drops} drops, {len(done.freed)} orders never left, {len(done.left)} left: {shortened(done.left)}",
        place.language,
    )
    return {"days": done.days, "drops": done.drops, "freed": done.freed, "left": done.left}


def _ask(place: Place) -> None:
    """A person's word, typed or on standard input."""
    say(f"确认请输入 {WORD}：", f"type {WORD} to confirm:", place.language)
    if sys.stdin.readline().strip() != WORD:
        give_up("没有确认，什么都没有改", "not confirmed, nothing was changed")
