"""Prints what commands say: JSON for programs, tables for people, messages and refusals on stderr or beside the table."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from orderdrop.domain.language import Language, both, half, labels, spoken, status_word
from orderdrop.domain.status import Status

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console
    from rich.table import Table

WIDE: Final = 200
"""Columns where nobody looks at a terminal: a table in a file is not cut."""

STYLE_OF: Final[dict[Status, str]] = {
    Status.FILLED: "green",
    Status.PARTIALLY_FILLED: "green",
    Status.DENIED: "red",
    Status.REJECTED: "red",
    Status.UNKNOWN: "bold white on red",
    Status.SUSPENDED: "magenta",
    Status.HELD: "yellow",
    Status.CANCELED: "dim",
    Status.EXPIRED: "dim",
}
"""Every other status is on its way."""

ON_ITS_WAY: Final = "cyan"

_SHOWN: Final = 20
_STATUSES: Final[frozenset[str]] = frozenset(Status)

json_option: Callable[..., Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for programs. 输出 JSON"
)


_PLAIN_PATH: Final = re.compile(r"[\w\\:./-]+")
"""A path that cmd takes as it is: `&`, brackets and percent signs mean something there."""


def command_at(root: Path) -> str:
    """`orderdrop -C ROOT`, to be copied into a shell, whatever is in the path."""
    path = str(root)
    if os.name == "nt":
        return f"orderdrop -C {path}" if _PLAIN_PATH.fullmatch(path) else f'orderdrop -C "{path}"'
    return f"orderdrop -C {shlex.quote(path)}"


def have_streams() -> None:
    """A program without a console, of pythonw say, speaks to nobody; it runs all the same, and its log tells."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  until the end


def speaks_to_somebody() -> bool:
    """Whether what is said on stderr can be seen anywhere."""
    return getattr(sys.stderr, "name", "") != os.devnull


def be_lenient() -> None:
    """What a Windows console in GBK cannot show becomes `?`; it never ends a command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and not _is_utf8(stream):
            reconfigure(errors="replace")


def print_json(value: Any) -> None:
    """One object. ASCII where the console is not UTF-8, so that nothing is lost."""
    click.echo(json.dumps(_data(value), ensure_ascii=not _is_utf8(sys.stdout), indent=2))


def print_json_array(values: Iterable[Any]) -> None:
    """A line for each; written as they come, however many there are."""
    plain = not _is_utf8(sys.stdout)
    separator = "["
    for value in values:
        click.echo(separator + json.dumps(_data(value), ensure_ascii=plain), nl=False)
        separator = ",\n "
    click.echo("[]" if separator == "[" else "]")


def print_json_line(value: Any) -> None:
    click.echo(json.dumps(_data(value), ensure_ascii=not _is_utf8(sys.stdout)))


def stdout() -> Console:
    from orderdrop.cli.console import SpeakingConsole  # noqa: PLC0415  rich is heavy

    watched = sys.stdout.isatty() or "COLUMNS" in os.environ
    return SpeakingConsole(
        file=sys.stdout, highlight=False, markup=False, emoji=False, width=None if watched else WIDE
    )


def table(*columns: str, right: Iterable[str] = (), wrap: Iterable[str] = ()) -> Table:
    """columns: in two lines, `代码\\nSymbol`. right: those that are aligned right. wrap: those that may be broken."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    made = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold", show_edge=False)
    for column in columns:
        breaks = column in wrap
        zh, newline, en = column.partition("\n")
        head = {"zh": zh, "en": en or zh}.get(spoken(), column) if newline else column
        made.add_column(
            head,
            justify="right" if column in right else "left",
            no_wrap=not breaks,
            min_width=8 if breaks else None,
            overflow="fold" if breaks else "ellipsis",
        )
    return made


def styled(status: str) -> Any:
    """A status in its colour."""
    from rich.text import Text  # noqa: PLC0415

    return Text(status_word(status), style_of(status))


def style_of(status: str) -> str:
    return STYLE_OF.get(Status(status), ON_ITS_WAY) if status in _STATUSES else ""


def say(zh: str, en: str, language: Language | None = None) -> None:
    """A message for people."""
    click.echo(labels(half(both(zh, en, language), language), language), err=True)


OTHER_SETTINGS: Final = (
    "设置与运行中的路由器不同(启动后改过？),重启路由器才生效",
    "the settings are not those of the running router (changed after its start?): they bind once it is started anew",
)


def tell_error(message: str) -> None:
    head = {"zh": "错误：", "en": "error: "}.get(spoken(), "错误 / error: ")
    click.echo(click.style(head, fg="red", bold=True) + half(message), err=True)


def give_up(zh: str, en: str, *more: str) -> NoReturn:
    """End the command with exit 1."""
    tell_error("\n".join([f"{zh} / {en}", *more]))
    click.get_current_context().exit(1)


def tell(console: Console, where: str, code: str, reason: str, remedy: str, style: str = "red") -> None:
    """Tells of a refusal: where, its code, why, and what to do. On a terminal in three short paragraphs, elsewhere in one line."""
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    head = Text.assemble((where, "bold"), "  " if where else "", (code, style or "red"))
    if console.is_terminal:
        console.print(Padding.indent(head, 2))
        console.print(Padding.indent(reason, 4))
        console.print(Padding.indent(Text(f"→ {remedy}", "yellow"), 4))
    else:
        console.print(Text.assemble("  ", head, f"  {reason} → {remedy}"), soft_wrap=True)


def tell_row(console: Console, where: str, row: Any, language: Language) -> None:
    """Tells why a journal row was refused; nothing, of one that has no reason. where: what people call it, also in the commands that are told."""
    from orderdrop.domain.codes import Code  # noqa: PLC0415  heavy
    from orderdrop.views.called import is_derived  # noqa: PLC0415
    from orderdrop.views.orders import explain_row  # noqa: PLC0415

    why = explain_row(row, language)
    if why is not None:
        style = style_of(getattr(row, "status", "")) or "red"
        sid = getattr(row, "sid", None)
        remedy = why.remedy.replace(sid, where) if sid and is_derived(sid) else why.remedy
        tell(console, where, row.reason_code or Code.HELD, why.text(language), remedy, style)


def tell_orders(
    console: Console, rows: Sequence[Any], language: Language, again: Collection[str] = ()
) -> None:
    """Tells, below a table of orders, why some of them stand as they do. again: see `name_of`."""
    from rich.text import Text  # noqa: PLC0415

    from orderdrop.views.called import name_of  # noqa: PLC0415

    told = [row for row in rows if row.reason_code or row.status == Status.HELD]
    for row in told[:_SHOWN]:
        tell_row(console, name_of(row, again), row, language)
    if len(told) > _SHOWN:
        console.print(Text(f"  … +{len(told) - _SHOWN}: --json", "dim"))


def clock_time(instant: str | None) -> str:
    """`09:31:01` of an ISO instant."""
    return "" if instant is None else instant[11:19]


def shortened(names: Sequence[str], at_most: int = 5) -> str:
    more = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" … +{more}" if more > 0 else "")


def _is_utf8(stream: Any) -> bool:
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "").replace("_", "") == "utf8"


def _data(value: BaseModel | Any) -> Any:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if dump is not None else value
