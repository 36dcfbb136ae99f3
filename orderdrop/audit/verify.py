"""Proves that journal and archive are what they were, and names the first difference.

Four steps, each relying on the one before: the chain over events, reports, fills and batches; orders against their events, reports,
batches and fills; a closed day's drops, refused rows and what else is said of its orders against its seal; the archive against manifest
and journal. Whoever may rewrite
the whole journal can make a new chain as well: that shows against the heads that stand in archives and printed reports.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from datetime import date
from decimal import Decimal
from itertools import zip_longest
from typing import Any, NamedTuple

from sqlalchemy import Connection, inspect

from orderdrop.archive.day import HEAD, MANIFEST, Archived, days_in
from orderdrop.audit import testimony
from orderdrop.audit.testimony import Difference
from orderdrop.config.workspace import FIN_SUFFIX, Workspace
from orderdrop.domain.identity import day_number, from_day_number
from orderdrop.errors import OrderdropError
from orderdrop.journal import chain
from orderdrop.journal.chain import Line, Reach, Seal
from orderdrop.system.clock import iso


class Verified(NamedTuple):
    """What was proven, as far as `difference` lets it be. begins: where the chain begins, None: with the journal itself.

    unsealed: events that came after the last seal.
    """

    difference: Difference | None
    seals: int
    head: str
    events: int
    unsealed: int
    begins: str | None
    days: list[str]
    notes: list[tuple[str, str]]


def verify(connection: Connection, workspace: Workspace, today: date) -> Verified:
    """connection: in a snapshot, if a router may be running."""
    proof = _Proof(connection, workspace, today)
    try:
        difference = next(proof.differences(), None)
    except (OSError, OrderdropError) as error:
        difference = Difference(str(getattr(error, "filename", None) or "archive"), "读不出来", str(error))
    last = proof.last
    return Verified(
        difference, len(proof.digests), last.digest if last else "", last.reach.events if last else 0,
        proof.unsealed, proof.begins, proof.days, proof.notes,
    )  # fmt: skip


class _Proof:
    def __init__(self, connection: Connection, workspace: Workspace, today: date) -> None:
        self._connection = connection
        self._workspace = workspace
        self._today = today
        self.digests: dict[int, str] = {}
        self.last: Seal | None = None
        self.begins: str | None = None
        self.unsealed = 0
        self.days: list[str] = []
        self.notes: list[tuple[str, str]] = []

    def differences(self) -> Iterator[Difference]:
        if not inspect(self._connection).has_table("seals"):
            self._note(
                "日志库早于校验链,运行一次路由器后开始", "the journal is older than the chain, which begins when the router runs"
            )  # fmt: skip
            return
        yield from self._chain()
        yield from self._orders()
        yield from self._archive()

    def _note(self, zh: str, en: str) -> None:
        self.notes.append((zh, en))

    # the chain

    def _chain(self) -> Iterator[Difference]:
        before: Seal | None = None
        closing: Seal | None = None
        for seal in chain.seals(self._connection):
            if seal.id == 0:
                self.begins = f"event {seal.reach.events + 1}"
                self._note(
                    f"校验链始于第 {seal.reach.events + 1} 个事件,更早的无法证明",
                    f"the chain begins with event {seal.reach.events + 1}; what is older cannot be proven by it",
                )
            else:
                yield from self._seal(before, seal)
                if seal.day is not None:
                    yield from self._scan_names(closing, seal)
            if seal.day is not None:
                closing = seal
            self.digests[seal.id] = seal.digest
            before = self.last = seal
        reach = before.reach if before else Reach()
        count = "SELECT count(*) FROM events WHERE id > ?"
        self.unsealed = self._connection.exec_driver_sql(count, (reach.events,)).scalar_one()

    def _seal(self, before: Seal | None, seal: Seal) -> Iterator[Difference]:
        after = before.reach if before else Reach()
        expected = before.id + 1 if before else 1
        if seal.id != expected:
            yield Difference(f"seal {expected}", "封印缺失", "the seal is missing")
        hashing = chain.Hashing(before.digest if before else "")
        for line in chain.lines(self._connection, after, seal.reach):
            hashing.add(line)
        if hashing.end(seal) != seal.digest:
            yield self._locate(after, seal)

    def _locate(self, after: Reach, seal: Seal) -> Difference:
        """Which line it was, by the marks."""
        marks = chain.marks_of(seal)
        found = list(chain.lines(self._connection, after, seal.reach))
        standing = {line.mark for line in found}
        for number, (mark, line) in enumerate(zip_longest(marks, found)):
            if line is None:
                return Difference(f"seal {seal.id}", "末尾的记录被删除", "an entry at its end was removed")
            if mark == line.mark:
                continue
            if mark is None or (mark in standing and line.mark not in marks):
                return Difference(_name(line), "插入的记录", "this entry was inserted")
            if mark in standing:
                return Difference(_name(line), "顺序被改", "was moved")
            if number + 1 < len(marks) and marks[number + 1] == line.mark:
                return Difference(_name(line), "它前面的记录被删除", "the entry before it was removed")
            return Difference(_name(line), "内容被改", "was altered")
        return Difference(
            f"seal {seal.id}", "封印或记录编号被改", "the seal itself, or the number of an entry, was altered"
        )

    # orders against events and fills

    def _orders(self) -> Iterator[Difference]:
        yield from testimony.differences(self._connection)
        yield from self._filled()

    def _filled(self) -> Iterator[Difference]:
        sums: dict[int, tuple[int, Decimal]] = {}
        for order, volume, price in self._connection.exec_driver_sql(
            "SELECT order_ref, volume, price FROM fills"
        ):
            shares, value = sums.get(order, (0, Decimal(0)))
            sums[order] = (shares + volume, value + volume * Decimal(price))
        query = "SELECT id, sid, filled_volume, filled_value FROM orders WHERE filled_volume > 0"
        for number, sid, volume, value in self._connection.exec_driver_sql(query):
            fills = sums.pop(number, (0, Decimal(0)))
            if (volume, Decimal(value or 0)) != fills:
                yield Difference(
                    f"order {number} ({sid})", f"成交 {volume} 股 {value} 元,成交明细合计 {fills[0]} 股 {fills[1]} 元",
                    f"{volume} shares for {value} filled, its fills say {fills[0]} for {fills[1]}",
                )  # fmt: skip
        for number in sums:
            yield Difference(f"order {number}", "成交明细没有对应的成交", "has fills, but is not filled")

    # the archive

    def _archive(self) -> Iterator[Difference]:
        closings, awaiting = chain.closings(self._connection), chain.awaiting(self._connection)
        kept = days_in(self._workspace.archive)
        for number in sorted({*closings, *map(day_number, kept)}):
            day = from_day_number(number)
            files = kept.get(day, Archived(self._workspace.day(day)))
            if number in awaiting:
                self._note(
                    f"{day} 待重新归档,未校验", f"{day} is to be closed again; its archive was not verified"
                )
                continue
            self._odd_folders(day, files)
            closing = closings.get(number)
            if closing is None:
                yield from self._unproven(day, files)
            else:
                yield from self._closed(day, files, closing)
                self.days.append(day.isoformat())

    def _odd_folders(self, day: date, files: Archived) -> None:
        """A zip beside its folder is legal while a day is being zipped, and a link where archives are kept on another disk."""
        if files.folder.is_dir() and files.zip.is_file():
            self._note(
                f"archive/{day} 旁边还有 zip，只在文件夹没有时才读它",
                f"a zip lies beside archive/{day}; it was read only where the folder lacks a file",
            )
        for path in (files.folder, files.zip):
            if path.is_symlink():
                self._note(
                    f"{path.name} 是链接，校验的是它指向的内容", f"{path.name} is a link; what it points to was verified"
                )  # fmt: skip

    def _unproven(self, day: date, files: Archived) -> Iterator[Difference]:
        """A day without a seal: the router runs, was killed, or is older than the chain."""
        if files.has(HEAD):
            yield Difference(_path(day), "日志库没有这一天的封印", "the journal has no seal of this day")
        if day < self._today:
            self._note(f"{day} 没有封印,未校验", f"{day} has no seal; its archive was not verified")

    def _closed(self, day: date, files: Archived, closing: Seal) -> Iterator[Difference]:
        sealed: dict[str, str] = json.loads(closing.note)
        if day < self._today:
            records = chain.records_digest(self._connection, day_number(day))
            if records != sealed["records"]:
                yield Difference(
                    f"drops, rows {day}", "当日文件或坏行记录被改", "drops, refused rows or instructions of the day were altered"
                )  # fmt: skip
            yield from self._further(day, closing, sealed)
        if not files.exists:
            yield Difference(_path(day), "归档不见了", "the archive of the day is gone")
        if not files.has(MANIFEST) or files.sha256(MANIFEST) != sealed["manifest"]:
            yield Difference(_path(day, MANIFEST), "清单被改", "the manifest is not the one that was sealed")
        listed = _listed(files.read(MANIFEST).decode())
        yield from self._listed(day, files, listed)
        yield from self._head(day, files)
        yield from self._sent(day, files)
        known = yield from self._drops(day, files)
        if day < self._today:  # a router may be putting files away right now
            yield from self._unknown(day, files, {*listed, MANIFEST, *known})

    def _further(self, day: date, closing: Seal, sealed: dict[str, str]) -> Iterator[Difference]:
        """What the chain's lines do not say. Seals of an older version have nothing of it."""
        if "further" not in sealed:
            return
        if chain.told_since(self._connection, day_number(day), closing.reach):
            self._note(
                f"{day} 归档后又有回报，要重新归档", f"something was told of {day} after it was closed; it is to be closed again"
            )  # fmt: skip
        elif chain.further_digest(self._connection, day_number(day)) != sealed["further"]:
            yield Difference(
                f"orders {day}", "当日委托的通道、原因、时间，或文件的所有者等记录被改",
                "gateways, reasons or times of orders of the day, or what else its seal covers, were altered",
            )  # fmt: skip

    def _scan_names(self, before: Seal | None, seal: Seal) -> Iterator[Difference]:
        """before: the closing seal before this one."""
        sealed = json.loads(seal.note)
        begin = before.reach.reports if before else 0
        if "scan_names" in sealed and sealed["scan_names"] != chain.scan_names_digest(
            self._connection, begin, seal.reach.reports
        ):
            yield Difference(
                f"reports {begin + 1} to {seal.reach.reports}",
                "回报的文件单名称被改",
                "their scan_name was altered",
            )

    def _unknown(self, day: date, files: Archived, known: set[str]) -> Iterator[Difference]:
        for name in files.names():
            if name not in known and name.removesuffix(FIN_SUFFIX) not in known:
                yield Difference(
                    _path(day, name), "多出来的文件", "neither manifest nor journal knows this file"
                )

    def _listed(self, day: date, files: Archived, listed: dict[str, str]) -> Iterator[Difference]:
        for name, digest in listed.items():
            if not files.has(name):
                yield Difference(_path(day, name), "文件不见了", "the file is gone")
            elif files.sha256(name) != digest and not self._grew(day, files, name):
                yield Difference(_path(day, name), "文件被改", "the file was altered")

    def _grew(self, day: date, files: Archived, name: str) -> bool:
        """Whether a file of today was written to after it was put away, and what came was taken."""
        if day < self._today:
            return False
        drops = self._drops_at(f"archive/{day}/{name}")
        return any(drop.sha256 == files.sha256(name, drop.position) for drop in drops)

    def _head(self, day: date, files: Archived) -> Iterator[Difference]:
        told: dict[str, Any] = json.loads(files.read(HEAD))
        if told["seal"] and self.digests.get(told["seal"]) != told["digest"]:
            yield Difference(
                _path(day, HEAD), f"日志库的封印 {told['seal']} 不是这一个", f"the journal's seal {told['seal']} is another one"
            )  # fmt: skip

    def _sent(self, day: date, files: Archived) -> Iterator[Difference]:
        query = "SELECT id, gateway, content FROM batches WHERE trade_day = ? ORDER BY id"
        for number, gateway, content in self._connection.exec_driver_sql(query, (day_number(day),)):
            name = f"sent/{gateway}/{number:08d}.order.csv"
            if day < self._today and not files.has(name):
                yield Difference(_path(day, name), "文件不见了", "the file is gone")
            if files.has(name) and files.read(name) != content:
                yield Difference(_path(day, name), "与日志库不一致", "is not what the journal says was sent")

    def _drops(self, day: date, files: Archived) -> Generator[Difference, None, set[str]]:
        """Drops against the hashes that the journal has of them. Returns their names."""
        prefix = f"archive/{day}/"
        query = (
            "SELECT DISTINCT archived_as FROM drops WHERE trade_day = ? AND archived_as LIKE ? ORDER BY id"
        )
        known = set()
        for (path,) in self._connection.exec_driver_sql(query, (day_number(day), f"{prefix}%")):
            name = path.removeprefix(prefix)
            known.add(name)
            drops = self._drops_at(path)
            if not files.has(name):
                yield Difference(path, "文件不见了", "the file is gone")
            elif all(
                drop.sha256 and not drop.reason_code and drop.sha256 != files.sha256(name, drop.position)
                for drop in drops
            ):
                yield Difference(path, "不是收到的内容", "is not what was taken")
        return known

    def _drops_at(self, path: str) -> list[Any]:
        """More than one when a file was rewritten under its name."""
        query = "SELECT sha256, position, reason_code FROM drops WHERE archived_as = ? AND trade_day = ?"
        day = int(path.split("/")[1].replace("-", ""))
        return list(self._connection.exec_driver_sql(query, (path, day)))


def _listed(manifest: str) -> dict[str, str]:
    pairs = (line.split("  ", 1) for line in manifest.splitlines())
    return {name: digest for digest, name in pairs}


def _path(day: date, name: str = "") -> str:
    return f"archive/{day}/{name}".rstrip("/")


def _name(line: Line) -> str:
    """`event 17 (submitted, S1-0001, 2026-11-20T09:31:01…)`."""
    cells = json.loads(line.content.partition(b"\n")[0].decode().rpartition("]")[0] + "]")
    match line.table:
        case "events":
            about = [cells[4], cells[9], iso(cells[2])]
        case "reports":
            about = [cells[7], cells[5], iso(cells[2])]
        case "fills":
            about = [cells[3]]
        case _:
            about = [cells[2]]
    words = ", ".join(str(cell) for cell in about if cell)
    return f"{line.table.removesuffix('s') if line.table != 'batches' else 'batch'} {line.id} ({words})"
