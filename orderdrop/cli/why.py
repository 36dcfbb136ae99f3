"""`orderdrop why`: the whole story of an order or a file, with times."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from orderdrop.cli.context import Place, pass_place
from orderdrop.cli.look import date_option
from orderdrop.cli.output import give_up, json_option, print_json, say

if TYPE_CHECKING:
    from orderdrop.views.story import Teller


@click.command(short_help="The whole story of an order or a file. 查明原因")
@click.argument("asked", metavar="SID|FILE|FILE:ROW")
@date_option
@json_option
@pass_place
def why(place: Place, asked: str, day: datetime | None, as_json: bool) -> None:
    """The whole story of an order (by sid) or of a file: the row as it was read, checks, hand-over, what the broker said, fills.

    查明原因：一笔委托(按编号)或一个文件的完整经过，带时间。

    Of a file it tells the result and each bad row; it also explains a file that lies in the inbox and is not taken.

    \b
    Examples 例子:
      orderdrop why S1-0001
      orderdrop why basket.csv
      orderdrop why 篮子.csv:3
      orderdrop why inbox/basket.xlsx --json
    """
    from orderdrop.cli.story_screen import show  # noqa: PLC0415
    from orderdrop.views.story import Teller  # noqa: PLC0415

    place.must_exist()
    with place.journal() as reading:
        teller = Teller(
            place.workspace, place.settings, reading, day.date() if day else place.today, place.today
        )
        story = teller.order(asked) or _row(place, teller, asked) or teller.file(_below_inbox(place, asked))
        if story is None:
            _unknown(asked, teller)
    if as_json:
        print_json(story)
    else:
        show(story, place)


def _row(place: Place, teller: Teller, asked: str) -> dict[str, Any] | None:
    """The story of a file's row, such as 篮子.csv:3; of one that became no order, its file's."""
    from orderdrop.views.called import choices, read_called  # noqa: PLC0415

    called = read_called(asked)
    if called is None:
        return None
    called = called._replace(name=_below_inbox(place, called.name))
    found = teller.called(called)
    if len(found) > 1:
        say(
            f"“{asked}”指好几笔，这是最新的一笔；其余：", f"“{asked}” is several orders, this is the newest; the others are",
            place.language,
        )  # fmt: skip
        for choice in choices(found)[1:]:
            say(f"  {choice}", f"  {choice}", place.language)
    return teller.order(found[0].sid) if found else teller.file(called.name)


def _below_inbox(place: Place, asked: str) -> str:
    """The name of a file as drops are called: its path below the inbox, else its last part."""
    inbox = place.workspace.inbox.resolve()
    for path in (Path(asked), place.workspace.root / asked):
        if path.absolute().is_relative_to(inbox):
            return path.absolute().relative_to(inbox).as_posix()
    if (inbox / asked).exists():
        return Path(asked).as_posix()
    return Path(asked).name


def _unknown(asked: str, teller: Teller) -> NoReturn:
    like = teller.alike(asked)
    give_up(
        f"没有编号或文件 “{asked}”", f"no order and no drop is called “{asked}”",
        *([f"  相近的 / alike: {', '.join(like)}"] if like else []),
        "  orderdrop orders, orderdrop drops    今日委托与文件 / what there is today",
        "  orderdrop why … --date YYYY-MM-DD    别的日子被拒绝的行 / rows that were refused on another day",
        f"  收件箱 / the inbox is {teller.inbox}",
    )  # fmt: skip
