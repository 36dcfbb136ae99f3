"""Looks for an order in the journal, for those who wait for it. Reads only."""

from __future__ import annotations

import contextlib
from datetime import date
from typing import Any

from sqlalchemy.engine import Engine

from orderdrop.client.writing import Refused, today
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.identity import SidScope, day_number, wire_sid
from orderdrop.domain.refusal import Code
from orderdrop.domain.status import TERMINAL, Status
from orderdrop.errors import JournalError
from orderdrop.journal.journal import reading_engine
from orderdrop.journal.reader import Reading, read
from orderdrop.journal.records import RowOutcome
from orderdrop.views.inbox import waiting
from orderdrop.views.orders import OrderView, explain_row, order_view


class OrderWatch:
    """Looks for an order in the journal, again and again. The journal may not exist yet."""

    def __init__(self, settings: Settings, place: Workspace, sid: str) -> None:
        self._settings = settings
        self._place = place
        self._sid = sid
        self._engine: Engine | None = None
        self.standing = "还没有收到 / not taken yet; 路由器在运行吗 / is the router running?"

    def look(self, wanted: Status | None) -> OrderView | None:
        """The order once it is as wanted. Raises Refused, TimeoutError when that can no longer be."""
        engine = self._open()
        if engine is None:
            return None
        with read(engine) as reading:
            order = newest_order(reading, self._sid, today(), self._settings.inbox.sid_scope)
            if order is None or (order.status == Status.DENIED and wanted is not Status.DENIED):
                self._refuse(reading, order)
                return None
            self._refuse_reuse(reading, order)
            view = order_view(order, self._settings.log.language)
            self.standing = f"现在是 / it is {view.status}"
            if view.status is wanted or (wanted is None and view.status in TERMINAL):
                return view
            events, _fills, _reports, _instructions = reading.story(order.id)
            if wanted is not None and any(event.event == wanted for event in events):
                return view
        if view.status in TERMINAL:
            raise TimeoutError(
                f"{self._sid}: 已是 / it is {view.status}, 不会再是 / and will not be {wanted}"
            )
        return None

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()

    def _open(self) -> Engine | None:
        if self._engine is None:
            with contextlib.suppress(JournalError):
                self._engine = reading_engine(self._settings.journal.url, self._place.root)
        return self._engine

    def _refuse(self, reading: Reading, denied: Any) -> None:
        """Raise if the row was refused and nothing that may hold it anew is waiting in the inbox."""
        last = max(
            [row for row in (self._last_error(reading), denied) if row], key=lambda row: row.id, default=None
        )
        if last is not None and not waiting(self._place, reading, today()):
            raise self._refused(last)

    def _refuse_reuse(self, reading: Reading, order: Any) -> None:
        """Raise if the sid was given to a different order since: who waits for that one must not be told of this one."""
        last = self._last_error(reading)
        if last is not None and last.id > order.id and last.reason_code == Code.SID_CONFLICT:
            raise self._refused(last)

    def _last_error(self, reading: Reading) -> Any:
        rows = reading.rows_by_sid(self._sid, day_number(today()))
        return max(
            (row for row in rows if row.outcome == RowOutcome.ERROR), key=lambda row: row.id, default=None
        )

    def _refused(self, row: Any) -> Refused:
        language = self._settings.log.language
        why = explain_row(row, language)
        assert why is not None  # noqa: S101  every refusal has a reason
        return Refused(row.reason_code, why.text(language), why.remedy)


def newest_order(reading: Reading, sid: str, on: date, scope: SidScope) -> Any:
    """The order that has the sid: the one that has used it up, else the last one that was denied today; None if there is none."""
    wires = sorted({sid, wire_sid(sid, on, scope)})
    found = reading.orders_by_sid(sid, wires, day_number(on))
    return max(found, key=lambda order: (order.sid_key is not None, order.id), default=None)
