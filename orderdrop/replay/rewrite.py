"""Rewrites drops: with other sids, other accounts, or some of their rows only.

The router's own reading says what stands in a row. A basket with a row that cannot be read is left out whole where it would have been
refused whole: without its bad row it would be another basket.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple

from orderdrop.admission.dry_run import Rehearsed, rehearse
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.order import DropKind
from orderdrop.errors import ConfigError
from orderdrop.inbox.drop_file import Changed
from orderdrop.inbox.names import Name, read_name
from orderdrop.intake.columns import ORDER_COLUMNS
from orderdrop.replay.source import Part, Played, Source
from orderdrop.system.clock import Micros, to_datetime
from orderdrop.views.orders import line_of

ONLY: Final = ("drop", "strategy", "account", "symbol", "sid")


class Changes(NamedTuple):
    """new_sid: makes one, None: they stay. accounts: old to new, by id; "" stands for every other. only: what each name may be."""

    new_sid: Callable[[], str] | None
    accounts: Mapping[str, str]
    only: Mapping[str, frozenset[str]]

    @property
    def any(self) -> bool:
        return self.new_sid is not None or bool(self.accounts) or bool(self.only)


def numbered(prefix: str) -> Callable[[], str]:
    """`prefix-0001` and so on."""
    numbers = count(1)
    return lambda: f"{prefix}-{next(numbers):04}"


class Rewritten(NamedTuple):
    """orders: cells of what stands in drops that were written anew, as in `ORDER_COLUMNS`. left_out: names with the reason."""

    drops: list[Played]
    orders: list[tuple[str, ...]]
    left_out: list[tuple[str, str]]


def rewrite(source: Source, settings: Settings, changes: Changes) -> Rewritten:
    return _Rewriting(source, settings, changes).run()


class _Rewriting:
    def __init__(self, source: Source, settings: Settings, changes: Changes) -> None:
        self._source = source
        self._settings = settings
        self._changes = changes
        self._sids: dict[str, str] = {}
        self._orders: list[tuple[str, ...]] = []
        self._left_out: list[tuple[str, str]] = []

    def run(self) -> Rewritten:
        drops = []
        with tempfile.TemporaryDirectory(prefix="orderdrop-replay-") as folder:
            for number, played in enumerate(self._source.drops):
                read = self._read(played, Path(folder) / str(number))
                written = self._write(played, read) if read else None
                if written is not None:
                    drops.append(written)
        return Rewritten(drops, self._orders, self._left_out)

    def _read(self, played: Played, folder: Path) -> Rehearsed | None:
        folder.mkdir()
        path = folder / PurePosixPath(played.name).name
        path.write_bytes(played.content)
        nowhere = Workspace(folder, folder / "inbox")  # no switches, no snapshots: only reading counts here
        nowhere.inbox.mkdir()
        try:
            (read,) = rehearse(
                [path], self._settings, nowhere, None, played.parts[0].at, self._source.day,
                strategy=played.strategy,
            )  # fmt: skip
        except (OSError, Changed) as error:
            raise ConfigError(f"{played.name}: {error}") from None
        bad = [row for row in read.rows if row.outcome == "error"]
        why = read.drop.reason_code or (bad[0].reason_code if bad and self._whole(played) else "")
        if why:
            self._left_out.append((played.name, f"整份曾被拒绝 / it was refused whole: {why}"))
            return None
        if bad:
            self._left_out.append(
                (played.name, f"{len(bad)} 行读不出来 / {len(bad)} rows cannot be read: {bad[0].reason_code}")
            )
        return read

    def _whole(self, played: Played) -> bool:
        said = read_name(PurePosixPath(played.name).name)
        by_row = isinstance(said, Name) and (said.followed or said.kind is not DropKind.ORDER)
        return not by_row and self._settings.inbox.on_bad_row == "reject-file"

    def _write(self, played: Played, read: Rehearsed) -> Played | None:
        """None when nothing of it is left."""
        if read.drop.kind == DropKind.ORDER:
            header: Sequence[str] = ORDER_COLUMNS
            lines = [(line_of(order.id), self._order(played, order)) for order in read.orders]
            self._orders += [cells for _line, cells in lines if cells is not None]
        else:
            header = ("sid",)
            lines = [(line_of(asked.id), self._instruction(asked)) for asked in read.instructions]
        kept = [(line, cells) for line, cells in lines if cells is not None]
        if not kept:
            return None
        parts = _cut(played, kept)
        rows = (1, *(line for line, _cells in kept))
        path = PurePosixPath(played.name)
        name = path if path.suffix.lower() == ".csv" else path.with_name(f"{path.name}.csv")
        return played._replace(name=name.as_posix(), parts=parts, rows=rows, header=_csv([header]), fin=False)

    def _order(self, played: Played, order: Any) -> tuple[str, ...] | None:
        facts = {
            "drop": PurePosixPath(played.name).name, "strategy": order.strategy or "", "account": order.account_id,
            "symbol": order.symbol, "sid": order.sid,
        }  # fmt: skip
        if any(facts[name] not in wanted for name, wanted in self._changes.only.items()):
            return None
        sid = self._sid(order.sid)
        accounts = self._changes.accounts
        account = accounts.get(order.account_id) or accounts.get("") or order.account_id
        price = "" if order.price is None else format(Decimal(order.price), "f")
        cells = {
            "sid": sid, "account_id": account, "symbol": order.symbol, "volume": str(order.volume),
            "order_type": str(order.order_type), "order_business": str(order.order_business), "price": price,
            "strategy": order.strategy or "", "not_before": _time(order.due_at), "not_after": _time(order.expires_at),
            "remark": order.remark or "",
        }  # fmt: skip
        return tuple(cells[column] for column in ORDER_COLUMNS)

    def _sid(self, old: str) -> str:
        """The same for the same one, so that a duplicate stays a duplicate and a cancel finds its order."""
        if old not in self._sids:
            self._sids[old] = self._changes.new_sid() if self._changes.new_sid else old
        return self._sids[old]

    def _instruction(self, asked: Any) -> tuple[str, ...] | None:
        """Of orders that are played only."""
        return (self._sids[asked.sid],) if asked.sid in self._sids else None


def _cut(played: Played, kept: Sequence[tuple[int, Sequence[str]]]) -> tuple[Part, ...]:
    """The rows that are left, at the instants at which they came."""
    parts, begin, rest = [], 1, list(kept)
    for part in played.parts:
        begin += part.content.count(b"\n") + (not part.content.endswith(b"\n"))
        mine = [cells for line, cells in rest if line < begin or part is played.parts[-1]]
        rest = rest[len(mine) :]
        if mine:
            parts.append(Part(part.at, _csv(mine)))
    return tuple(parts)


def _time(at: int | None) -> str:
    return "" if at is None else f"{to_datetime(Micros(at)):%H:%M:%S}"


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
