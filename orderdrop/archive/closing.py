"""Closes days: completes a day's folder in the archive, seals it into the journal's hash chain, and zips old days.

Sealing is a chore, too: the chain (journal/chain.py) follows behind what is committed, so orders never wait for it. What a crash
has left open is closed at the next start.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator, Iterator
from datetime import date, timedelta
from operator import attrgetter
from typing import Final

from sqlalchemy.engine import Engine

from orderdrop.archive import filing
from orderdrop.archive.day import JOURNAL, Archived, days_in
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.identity import day_number, from_day_number
from orderdrop.errors import OrderdropError
from orderdrop.journal import chain
from orderdrop.journal.journal import Journal
from orderdrop.journal.reader import read
from orderdrop.system.clock import Clock, trade_date
from orderdrop.system.csv_tables import header_bytes, rows_bytes
from orderdrop.system.failpoint import reach
from orderdrop.system.files import rewriting
from orderdrop.system.pacing import Pace, slices
from orderdrop.views.orders import OrderView, order_view

log = logging.getLogger(__name__)

_SLICE: Final = 500
_SEAL: Final = "seal"
_SEAL_COSTS: Final = 0.05
"""Seconds at least, to the pace: a seal a second is often enough, and each is a commit."""


class Closing:
    """Used from the router's thread, in idle moments."""

    def __init__(
        self, workspace: Workspace, settings: Settings, journal: Journal, reader: Engine, clock: Clock
    ) -> None:
        self._workspace = workspace
        self._settings = settings
        self._journal = journal
        self._reader = reader
        self._clock = clock
        self._pace = Pace()
        self._looked_on: date | None = None

    def hurry(self) -> None:
        self._pace = Pace()

    # sealing

    def seal(self) -> Iterator[None]:
        """Seal what the journal has gained."""
        if not self._pace.due(_SEAL):
            return
        began = time.perf_counter()
        while (yield from self._seal_once()):
            yield
        self._pace.spent(_SEAL, max(time.perf_counter() - began, _SEAL_COSTS))

    def _seal_once(self, day: int | None = None, note: str = "") -> Generator[None, None, chain.Seal | None]:
        """None when there was nothing to seal."""
        with read(self._reader) as reading:
            for seal in chain.seal_next(reading.connection, self._clock.now(), day, note):
                if seal is None:
                    yield
                    continue
                reach("seal.before")
                with self._journal.transaction() as writer:
                    writer.add_seal(seal)
                reach("seal.after")
                return seal
        return None

    # closing

    def past_days(self) -> Iterator[None]:
        """Once a day: close what was never closed, because of a crash, or what something late was told of; zip what is old."""
        today = trade_date(self._clock.now())
        if self._looked_on == today:
            return
        yield from self._close_days()
        yield from self._compress(today)
        self._looked_on = today

    def close_days(self, ended: date) -> None:
        """Close the days before today that need it, and `ended`, now."""
        for _ in self._close_days(ended):
            pass

    def _close_days(self, ended: date | None = None) -> Iterator[None]:
        today = day_number(trade_date(self._clock.now()))
        with read(self._reader) as reading:
            found = chain.days_to_close(reading.connection, today)
        days = {from_day_number(day) for day in found} | ({ended} if ended else set())
        for day in sorted(days):
            yield from self._close(day)

    def _close(self, day: date) -> Iterator[None]:
        """The manifest's hash goes into the chain, and the chain's head into a file that the manifest lists.

        What is told while this waits for a lull has no part in it: the day is closed again. From the manifest on there is no pause.
        """
        folder, number = self._workspace.day(day), day_number(day)
        while (yield from self._seal_once()):
            yield
        with self._journal.transaction() as writer:
            writer.await_closing(number)
        Archived(folder).restore()
        yield from self._complete(day)
        reach("close.before")
        with read(self._reader) as reading:
            head = chain.last_seal(reading.connection)
            records = chain.records_digest(reading.connection, number)
            further = chain.further_digest(reading.connection, number)
            told = chain.reports_closed(reading.connection), head.reach.reports if head else 0
            scan_names = chain.scan_names_digest(reading.connection, *told)
        filing.write_head(folder, head.id if head else 0, head.digest if head else "")
        manifest = filing.sha256_of(filing.write_manifest(folder))
        hashes = {"manifest": manifest, "records": records, "further": further, "scan_names": scan_names}
        yield from self._seal_once(number, json.dumps(hashes))

    def _complete(self, day: date) -> Iterator[None]:
        """What was sent, and the journal as a table."""
        folder, number = self._workspace.day(day), day_number(day)
        with read(self._reader) as reading:
            for batch in reading.batches_of_day(number):
                filing.write_sent(folder, batch.gateway, batch.id, batch.content)
                yield
            columns = list(OrderView.model_fields)
            cells = attrgetter(*columns)
            language = self._settings.log.language
            folder.mkdir(parents=True, exist_ok=True)
            with rewriting(folder / JOURNAL) as write:
                write(header_bytes(columns))
                for orders in slices(reading.orders_of_day(number), _SLICE):
                    write(rows_bytes(cells(order_view(order, language)) for order in orders))
                    yield

    # old days

    def _compress(self, today: date) -> Iterator[None]:
        """Zip the days that are old enough; nothing is deleted before it was read back from the zip."""
        after = self._settings.archive.compress_after
        if not after:
            return
        for day, kept in days_in(self._workspace.archive).items():
            if day < today - timedelta(days=after) and kept.folder.is_dir():
                try:
                    kept.compress()
                    log.info("zipped %s", kept.zip.name)
                except (OSError, OrderdropError) as error:
                    log.error(
                        "没有压缩,明天再试 / %s was not zipped, will try again tomorrow: %s", day, error
                    )
                yield
