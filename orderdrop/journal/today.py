"""Reads today's orders as limits need them: all of them at the start, and from then on what has changed.

Each change of an order has its event, and events are numbered, so nothing that changes can be missed. Bounded by today: five million
older orders cost nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from sqlalchemy import Connection

from orderdrop.domain.status import TERMINAL
from orderdrop.journal.records import CANCEL_SENT
from orderdrop.journal.schema import ROW_BITS

CLOSED: Final = frozenset(str(status) for status in TERMINAL)

_COLUMNS: Final = (
    "o.id, o.sid, o.account_id, o.strategy, o.symbol, o.volume, o.order_type, o.order_business, o.price, o.status, o.batch_id,"
    " o.filled_volume, o.filled_value, o.told_volume, o.worth, o.confirmed_at, o.updated_at, d.strategy AS folder,"
    " coalesce(b.created_at, o.received_at, d.received_at) AS accepted_at"
)
_FROM: Final = (
    f" FROM {{source}} JOIN drops AS d ON d.id = o.id >> {ROW_BITS} LEFT JOIN batches AS b ON b.id = o.batch_id"
    " WHERE o.sid_key IS NOT NULL"
)
_OF_DAY: Final = f"SELECT {_COLUMNS}{_FROM.format(source='orders AS o')} AND o.id BETWEEN ? AND ? AND o.trade_day = ? ORDER BY o.id"
_BY_ID: Final = f"SELECT {_COLUMNS}{_FROM.format(source='json_each(?) AS wanted CROSS JOIN orders AS o ON o.id = wanted.value')} AND o.trade_day = ?"
_SENT: Final = f"SELECT 1 FROM events AS sent WHERE sent.order_ref = o.id AND sent.event = '{CANCEL_SENT}'"
_CANCELS: Final = f"""SELECT o.account_id, count(*) FROM orders AS o CROSS JOIN events AS e ON e.order_ref = o.id
    WHERE o.id BETWEEN ?1 AND ?2 AND o.batch_id IS NOT NULL AND e.event = '{CANCEL_SENT}' GROUP BY o.account_id
    UNION ALL SELECT o.account_id, count(*) FROM instructions AS i JOIN orders AS o ON o.id = i.order_ref
    WHERE i.id BETWEEN ?1 AND ?2 AND i.kind = 'cancel_order' AND o.batch_id IS NOT NULL
    AND (i.state IN ('sent', 'done') OR i.reason_code = 'CANCEL_REJECTED') AND NOT EXISTS ({_SENT}) GROUP BY o.account_id"""
"""The second half: those of a version that had no such event."""
_RECENT: Final = 20_000


class TodaysOrders:
    def __init__(self, connection: Connection, day: int) -> None:
        self._connection = connection
        self._day = day

    def last_event(self) -> int:
        return int(self._one("SELECT coalesce(max(id), 0) FROM events"))

    def all(self) -> list[Any]:
        """Orders that have used up their sid."""
        return self._ask(_OF_DAY, (*self._range(), self._day))

    def changed(self, ids: set[int]) -> list[Any]:
        return self._ask(_BY_ID, (json.dumps(sorted(ids)), self._day)) if ids else []

    def events_after(self, event: int) -> list[Any]:
        """(id, order, event, at, account_id, reason_code) of orders."""
        query = (
            "SELECT e.id, e.order_ref, e.event, e.at, o.account_id, o.reason_code FROM events AS e JOIN orders AS o ON o.id = e.order_ref"
            " WHERE e.id > ? ORDER BY e.id"
        )
        return self._ask(query, (event,))

    def events_since(self, at: int) -> list[Any]:
        """As above, by their time; of the last 20,000."""
        return [event for event in self.events_after(self.last_event() - _RECENT) if event.at > at]

    def cancels(self) -> Counter[str]:
        """Returns how many cancels left for a broker, each as often as it did, by account."""
        found: Counter[str] = Counter()
        for account, count in self._ask(_CANCELS, self._range()):
            found[account] += count
        return found

    def _range(self) -> tuple[int, int]:
        row = self._connection.exec_driver_sql(
            "SELECT min(id), max(id) FROM drops WHERE trade_day = ?", (self._day,)
        ).one()
        return (row[0] or 0) << ROW_BITS, ((row[1] or -1) + 1) << ROW_BITS

    def _ask(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        return list(self._connection.exec_driver_sql(query, values))

    def _one(self, query: str) -> Any:
        return self._connection.exec_driver_sql(query).scalar_one()
