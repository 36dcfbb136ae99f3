"""The screen: rich's console, whose labels are in the language that is spoken, wherever in a text, a table or an indented paragraph they stand."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from orderdrop.domain.language import half, label_spans, labels, spoken


class SpeakingConsole(Console):
    def print(self, *objects: Any, **options: Any) -> None:
        if spoken() != "zh+en":
            objects = tuple(map(_in_language, objects))
        super().print(*objects, **options)


def _in_language(shown: Any) -> Any:
    match shown:
        case str():
            return labels(half(shown))
        case Text():
            return _text(shown)
        case Padding():
            shown.renderable = _in_language(shown.renderable)
        case Table():
            for column in shown.columns:
                column.header = _in_language(column.header)
                column._cells = [_in_language(cell) for cell in column._cells]  # noqa: SLF001  rich has no other door
    return shown


def _text(text: Text) -> Text:
    """With the colours that it has."""
    for begin, end, first, last in reversed(label_spans(text.plain)):
        made = text[:begin]
        made.append_text(text[first:last])
        made.append_text(text[end:])
        made.style = text.style
        text = made
    return text
