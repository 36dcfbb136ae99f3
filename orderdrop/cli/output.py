"""How commands speak: JSON for programs, tables for people, messages on stderr."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
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

_STATUSES: Final[frozenset[str]] = frozenset(Status)

json_option: Callable[..., Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for programs. 输出 JSON"
)


def command_at(root: Path) -> str:
    """`orderdrop -C ROOT`, to be copied into a shell, whatever is in the path."""
    path = str(root)
    if os.name == "nt":
        return f'orderdrop -C "{path}"' if " " in path else f"orderdrop -C {path}"
    return f"orderdrop -C {shlex.quote(path)}"


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
