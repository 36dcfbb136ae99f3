"""How a refusal is told to a person: where, its code, why, and what to do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.padding import Padding
from rich.text import Text

from orderdrop.cli.output import style_of
from orderdrop.domain.refusal import Code, Language
from orderdrop.domain.status import Status
from orderdrop.views.called import is_derived, name_of
from orderdrop.views.orders import explain_row

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN: Final = 20


def tell(console: Console, where: str, code: str, reason: str, remedy: str, style: str = "red") -> None:
    """On a terminal three short paragraphs, elsewhere one line."""
    head = Text.assemble((where, "bold"), "  " if where else "", (code, style or "red"))
    if console.is_terminal:
        console.print(Padding.indent(head, 2))
        console.print(Padding.indent(reason, 4))
        console.print(Padding.indent(Text(f"→ {remedy}", "yellow"), 4))
    else:
        console.print(Text.assemble("  ", head, f"  {reason} → {remedy}"), soft_wrap=True)


def tell_row(console: Console, where: str, row: Any, language: Language) -> None:
    """row: a journal row; nothing is told of one that has no reason. where: what people call it, also in the commands that are told."""
    why = explain_row(row, language)
    if why is not None:
        style = style_of(getattr(row, "status", "")) or "red"
        sid = getattr(row, "sid", None)
        remedy = why.remedy.replace(sid, where) if sid and is_derived(sid) else why.remedy
        tell(console, where, row.reason_code or Code.HELD, why.text(language), remedy, style)


def tell_orders(
    console: Console, rows: Sequence[Any], language: Language, again: Collection[str] = ()
) -> None:
    """Below a table of orders: why some of them stand as they do. again: see `name_of`."""
    told = [row for row in rows if row.reason_code or row.status == Status.HELD]
    for row in told[:_SHOWN]:
        tell_row(console, name_of(row, again), row, language)
    if len(told) > _SHOWN:
        console.print(Text(f"  … +{len(told) - _SHOWN}: --json", "dim"))
