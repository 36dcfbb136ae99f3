"""Tells what `orderdrop why` knows, as data: the contract behind its `--json`."""

from __future__ import annotations

import csv
import difflib
import json
import os
from datetime import date
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace, receipt_path
from orderdrop.domain.identity import day_number, from_day_number, spot_of, wire_sid
from orderdrop.domain.refusal import Refusal
from orderdrop.domain.report import clean
from orderdrop.inbox.names import Name, read_name
from orderdrop.inbox.profiles import Profiles
from orderdrop.intake import Book, BookLimits, open_book
from orderdrop.intake.encoding import CANDIDATES, byte_order_mark, decodes
from orderdrop.intake.nature import HEAD_BYTES, TEXT, suffix_of
from orderdrop.intake.profile import DELIMITERS, Profile
from orderdrop.journal.reader import Reading
from orderdrop.journal.records import drop_of
from orderdrop.system.clock import iso
from orderdrop.views.called import Called, orders_called
from orderdrop.views.inbox import look_at
from orderdrop.views.orders import drop_view, explain_row, live_words, order_view, where

_ALIKE_AMONG: Final = 5000
_ROWS_TOLD: Final = 1000

Story = dict[str, Any]


class Teller:
    """Collects stories from the journal and the files beside it."""

    def __init__(
        self, workspace: Workspace, settings: Settings, reading: Reading | None, day: date, today: date
    ) -> None:
        """day: that the stories are of."""
        self._workspace = workspace
        self._settings = settings
        self._today = today
        self._reading = reading
        self._day = day
        self._language = settings.log.language
        self._scope = settings.inbox.sid_scope

    @property
    def inbox(self) -> Path:
        return self._workspace.inbox

    # an order

    def order(self, sid: str) -> Story | None:
        """None when nobody has ever given this sid."""
        reading = self._reading
        if reading is None:
            return None
        wires = sorted({sid, wire_sid(sid, self._day, self._scope)})
        found = reading.orders_by_sid(sid, wires, day_number(self._day))
        rows = reading.rows_by_sid(sid, day_number(self._day))
        if not (found or rows):
            return None
        newest = max(found, key=lambda order: (order.sid_key is not None, order.id), default=None)
        others = [self._attempt(order) for order in found if order is not newest]
        others += [self._attempt(row) for row in rows]
        story = {"asked": sid, "kind": "order", "order": None} if newest is None else self._told(sid, newest)
        return story | {"other_rows": sorted(others, key=lambda other: other["at"])}

    def called(self, called: Called) -> list[Any]:
        """The orders that a file and a row may mean, newest first: those of the day, else of the last day that had any."""
        if self._reading is None:
            return []
        found = orders_called(self._reading, called, day_number(self._day))
        if found:
            return found
        days = {drop.trade_day for drop in self._reading.drops_by_name(called.name)}
        return orders_called(self._reading, called, max(days)) if days else []

    def _told(self, sid: str, order: Any) -> Story:
        assert self._reading is not None  # noqa: S101  it was found there
        events, fills, reports, instructions = self._reading.story(order.id)
        why = explain_row(order, self._language)
        return {
            "asked": sid,
            "kind": "order",
            "order": order_view(order, self._language).model_dump(mode="json"),
            "remedy": why.remedy if why else None,
            "row": self._row_as_read(order),
            "batch": self._batch(order),
            "events": [self._event(event) for event in events],
            "fills": [
                {"at": iso(f.at), "exec_id": f.exec_id, "volume": f.volume, "price": f.price, "fee": f.fee}
                for f in fills
            ],
            "reports": [
                {"at": iso(r.received_at), "gateway": r.gateway, "kind": r.kind, "body": _body(r.body)}
                for r in reports
            ],
            "instructions": [self._instruction(row) for row in instructions],
        }

    def _row_as_read(self, order: Any) -> Story:
        """mended: what was changed while reading. header, text: as they stand in the file now, None when it is not there."""
        assert self._reading is not None  # noqa: S101
        drop = self._reading.drop_or_none(drop_of(order.id))
        path = self._path_of(drop)
        spot = where(order)
        header, text = (None, None) if path is None else self._as_it_stands(path, drop, order.id)
        return {
            "drop": drop.name,
            "sheet": spot.sheet,
            "line": spot.row,
            "file": None if path is None else self._workspace.root.joinpath(path).as_posix(),
            "header": header,
            "text": text,
            "mended": order.note,
            "owner": drop.owner,
        }

    def _as_it_stands(self, path: Path, drop: Any, order: int) -> tuple[str | None, str | None]:
        """The header and the row, as text."""
        said, limits = read_name(drop.name.rpartition("/")[2]), self._settings.inbox
        found = Profiles(self._settings.profiles).of(drop.name)
        profile = None if isinstance(found, Refusal) else found
        if isinstance(said, Name) and not said.followed:
            data = path.read_bytes()
            suffix = suffix_of(data[:HEAD_BYTES], said.suffix)
            if suffix != TEXT:
                allowed = BookLimits.of(limits.max_bytes, limits.max_rows)
                return _row_of_book(open_book(data, suffix, said.kind, allowed, profile), order)
        header, line = _lines(path, spot_of(order & 0xFFFFFFFF).row, profile)
        return (_positions(profile, line), line) if profile and profile.positions and line else (header, line)

    def _path_of(self, drop: Any) -> Path | None:
        """Where the file stands now."""
        where = self._workspace
        path = where.root / drop.archived_as if drop.archived_as else where.inbox / drop.name
        return path if path.is_file() else None

    def _batch(self, order: Any) -> Story | None:
        """How it was handed over, with its line of the exact bytes."""
        batch = self._reading.batch(order.batch_id) if self._reading and order.batch_id else None
        if batch is None:
            return None
        settings = self._settings.gateways.get(batch.gateway)
        wire = wire_sid(order.sid, from_day_number(order.trade_day), self._scope)
        text = batch.content.decode("utf-8", "replace")
        return {
            "id": batch.id,
            "gateway": batch.gateway,
            "live": None if settings is None else settings.live,
            "live_words": "" if settings is None else live_words(settings.live, self._language),
            "orders": batch.orders,
            "created_at": iso(batch.created_at),
            "outcome": batch.outcome,
            "handed_at": None if batch.handed_at is None else iso(batch.handed_at),
            "line": next((line for line in text.splitlines() if wire in line.split(",")), None),
        }

    def _event(self, event: Any) -> Story:
        detail = event.detail and clean(event.detail)
        return {"at": iso(event.at), "event": event.event, "source": event.source, "detail": detail}

    def _instruction(self, row: Any) -> Story:
        assert self._reading is not None  # noqa: S101
        why = explain_row(row, self._language)
        drop = self._reading.drop_or_none(drop_of(row.id))
        return {
            "kind": row.kind,
            "sid": row.sid,
            "state": row.state,
            "drop": drop.name,
            "sheet": where(row).sheet,
            "line": where(row).row,
            "at": iso(row.updated_at),
            "code": row.reason_code,
            "reason": why.text(self._language) if why else None,
            "remedy": why.remedy if why else None,
            "note": self._reading.passed_over(drop.id).get(row.id),
        }

    def _attempt(self, row: Any) -> Story:
        """Another row that carried the sid: refused, or a repetition."""
        assert self._reading is not None  # noqa: S101
        drop = self._reading.drop_or_none(drop_of(row.id))
        why = explain_row(row, self._language)
        return {
            "drop": drop.name,
            "sheet": where(row).sheet,
            "line": where(row).row,
            "at": iso(getattr(row, "received_at", None) or drop.received_at),
            "outcome": getattr(row, "outcome", None) or row.status,
            "code": row.reason_code,
            "reason": why.text(self._language) if why else None,
            "remedy": why.remedy if why else None,
        }

    # a file

    def file(self, name: str) -> Story | None:
        """None when no such file was taken, and none lies in the inbox."""
        reading = self._reading
        drops = reading.drops_by_name(name) if reading else []
        path = self.inbox / name
        there, torn_after = os.path.lexists(path), self._settings.inbox.torn_timeout
        lying = look_at(name, os.fspath(path), reading, self._today, torn_after) if there else None
        if not drops and lying is None:
            return None
        return {
            "asked": name,
            "kind": "file",
            "lying": None if lying is None else {"lot": lying.lot, "why": lying.why},
            "drops": [self._drop(drop) for drop in islice(drops, 20)],
        }

    def _drop(self, drop: Any) -> Story:
        assert self._reading is not None  # noqa: S101
        rows = self._reading.row_outcomes(drop.id)
        asked = self._reading.instructions_of_drop(drop.id)
        counts: dict[str, int] = {}
        bad: list[tuple[int, Story]] = []
        for order in self._reading.orders_of_drop(drop.id):
            counts[order.status] = counts.get(order.status, 0) + 1
            if order.reason_code and len(bad) < _ROWS_TOLD:
                bad.append((order.id, self._attempt(order) | {"sid": order.sid}))
        bad += [(row.id, self._attempt(row) | {"sid": row.sid}) for row in rows[:_ROWS_TOLD]]
        where = self._workspace
        newest = self._reading.newest_drop_called(drop.name)
        receipt = receipt_path(where.receipts, drop.name, None if newest == drop.id else drop.id)
        return {
            **drop_view(drop, rows, self._language, asked).model_dump(mode="json", exclude={"errors"}),
            "errors": drop.errors,
            "kind": drop.kind,
            "strategy": drop.strategy,
            "owner": drop.owner,
            "trade_date": from_day_number(drop.trade_day).isoformat(),
            "refused": None if not drop.reason_code else self._attempt_of_file(drop),
            "statuses": counts,
            "bad_rows": [row for _id, row in sorted(bad, key=itemgetter(0))],
            "instructions": [self._instruction(row) for row in asked],
            "receipt": receipt.as_posix() if receipt.exists() else None,
        }

    def _attempt_of_file(self, drop: Any) -> Story:
        why = explain_row(drop, self._language)
        return {
            "code": drop.reason_code,
            "reason": why.text(self._language) if why else None,
            "remedy": why.remedy if why else None,
        }

    # neither

    def alike(self, asked: str) -> list[str]:
        """Names of today that look like it."""
        if self._reading is None:
            return []
        number = day_number(self._day)
        names = [order.sid for order in islice(self._reading.orders_of_day(number), _ALIKE_AMONG)]
        names += [drop.name for drop in self._reading.drops_of_day(number)]
        return difflib.get_close_matches(asked, names, n=3, cutoff=0.7)


def _body(text: str) -> Story:
    """A report as it was told, its words as they may be shown."""
    told: Story = json.loads(text)
    return told | {name: clean(value) for name, value in told.items() if isinstance(value, str)}


def _row_of_book(opened: Book | Refusal, order: int) -> tuple[str | None, str | None]:
    """The same for a workbook, with tabs between the cells. order: its id."""
    sheet, number = spot_of(order & 0xFFFFFFFF)
    if isinstance(opened, Refusal) or sheet >= len(opened.sheets):
        return None, None
    here = opened.sheets[sheet]
    text = next(("\t".join(row.texts) for row in here.rows if row.row == number), None)
    return "\t".join(here.header.titles), text


def _positions(profile: Profile, line: str) -> str:
    """What stands for the header of a file that has none."""
    delimiter = max(DELIMITERS, key=line.count)
    names = [column or f"#{place}" for place, column in enumerate(profile.positions, 1)]
    return delimiter.join(names[: line.count(delimiter) + 1])


def _lines(path: Path, number: int, profile: Profile | None = None) -> tuple[str | None, str | None]:
    """The header and a line of a drop, as text. number: counted from 1."""
    data = path.read_bytes()
    marked = byte_order_mark(data)
    guess = next((name for name in CANDIDATES if decodes(data, name)), CANDIDATES[-1])
    encoding, start = marked or ((profile and profile.encoding) or guess, 0)
    lines = data[start:].decode(encoding, "replace").replace("\r\n", "\n").split("\n")
    above = lines[profile.skip if profile else 0 :]
    header = next((line for line in above if line.strip()), None)
    return header, lines[number - 1] if 0 < number <= len(lines) else None


def cells_of(row: Story) -> list[tuple[str, str]]:
    """Column and cell of a row as it was read; empty when its cells do not fit the header."""
    if not row["header"] or not row["text"]:
        return []
    delimiter = max(DELIMITERS, key=row["header"].count)
    header, cells = (
        next(csv.reader([line], delimiter=delimiter), []) for line in (row["header"], row["text"])
    )
    return list(zip(header, cells, strict=True)) if len(header) == len(cells) else []
