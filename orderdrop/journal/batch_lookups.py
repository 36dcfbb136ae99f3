"""Answers questions about batches inside a transaction, for the journal's one writer."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, func, select, text

from orderdrop.journal.records import Placed
from orderdrop.journal.schema import batches, orders

_PLACES = (
    f"SELECT {', '.join(Placed._fields)} FROM orders WHERE id BETWEEN ? AND ? AND batch_id = ? ORDER BY id"
)


class AskingOfBatches:
    """The questions that begin at a batch: its content, its orders, what was known when it was made."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._driver: Any = connection.connection.dbapi_connection  # for the busiest statements

    def batches_of_day(self, gateway: str, day: int) -> Iterator[tuple[int, bytes]]:
        """Yields id and content, oldest first."""
        query = select(batches.c.id, batches.c.content).where(
            batches.c.trade_day == day, batches.c.gateway == gateway
        )
        return ((row[0], row[1]) for row in self.connection.execute(query.order_by(batches.c.id)))

    def open_batches(self) -> list[Any]:
        """Batches whose outcome was never noted; without their content, which may be large."""
        columns = [column for column in batches.c if column is not batches.c.content]
        query = select(*columns).where(text("outcome IS NULL")).order_by(batches.c.id)
        return list(self.connection.execute(query))

    def orders_of_batch(self, batch: tuple[int, int, int]) -> list[Any]:
        """batch: its id, first and last order."""
        batch_id, first, last = batch
        query = select(orders).where(orders.c.id.between(first, last), orders.c.batch_id == batch_id)
        return list(self.connection.execute(query.order_by(orders.c.id)))

    def places_in_batch(self, batch: tuple[int, int, int]) -> list[Placed]:
        """Returns what is needed to follow the orders of a batch (its id, first and last order)."""
        batch_id, first, last = batch
        return [Placed._make(row) for row in self._driver.execute(_PLACES, (first, last, batch_id))]

    def batch_content(self, batch_id: int) -> bytes:
        found: bytes = self.connection.execute(
            select(batches.c.content).where(batches.c.id == batch_id)
        ).scalar_one()
        return found

    def batch_places(self, batch_id: int) -> str | None:
        """Returns what was known of the terminal's output and the accounts when it was made."""
        found: str | None = self.connection.execute(
            select(batches.c.places).where(batches.c.id == batch_id)
        ).scalar_one()
        return found

    def places_until(
        self, gateway: str, account_id: str, day: int, batch_id: int, newest: int, oldest: int
    ) -> list[str]:
        """Returns the same of a day's batches with orders of an account, up to this one: so many of the newest and of the oldest, newest first."""
        query = select(batches.c.id, batches.c.places).where(
            batches.c.trade_day == day, batches.c.gateway == gateway, batches.c.id <= batch_id,
            func.instr(batches.c.places, json.dumps(account_id, ensure_ascii=False) + ":[[") > 0,
        )  # fmt: skip
        last = self.connection.execute(query.order_by(batches.c.id.desc()).limit(newest)).all()
        first = self.connection.execute(query.order_by(batches.c.id).limit(oldest)).all()
        return [row.places for row in sorted({*last, *first}, reverse=True)]

    def batches_made_at(self, ids: Collection[int]) -> dict[int, int]:
        """Returns when these batches were made, and none of their orders had left."""
        statement = "SELECT batches.id, created_at FROM json_each(?) AS wanted CROSS JOIN batches ON batches.id = wanted.value"
        found = self.connection.exec_driver_sql(statement, (json.dumps(sorted(ids)),))
        return {row.id: row.created_at for row in found}
