"""Counts what the gateways could not read of their terminals' output."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from orderdrop.gateway.base import CountsUnreadable, Gateway
from orderdrop.journal.writer import Writer
from orderdrop.views.oddities import note_unreadable_rows

_EVERY: Final = 1.0


class UnreadableRows:
    """What the gateways could not read of their terminals' output; used from the router's thread. Counted anew after a start, as the output is read anew."""

    def __init__(self, gateways: Mapping[str, Gateway]) -> None:
        self._gateways = {name: one for name, one in gateways.items() if isinstance(one, CountsUnreadable)}
        self._noted: dict[str, dict[str, int]] = {}
        self._again_at = float("-inf")

    def news(self, ticks: float) -> dict[str, dict[str, int]]:
        """Counts that are not noted, by gateway, at most once a second. ticks: seconds that only go forward."""
        if ticks < self._again_at:
            return {}
        counts = {name: one.bad_rows for name, one in self._gateways.items()}
        news = {name: dict(told) for name, told in counts.items() if told != self._noted.get(name, {})}
        if news:
            self._again_at = ticks + _EVERY
        return news

    def write(self, writer: Writer, day: date, news: Mapping[str, dict[str, int]]) -> None:
        for name, counts in news.items():
            note_unreadable_rows(writer, day, name, counts, add=False)
        writer.on_commit(lambda: self._noted.update(news))
