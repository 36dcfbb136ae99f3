"""From takes to decided orders, in one transaction: identity, checks, batches with the bytes that will be handed over.

A group of small drops is judged in memory and written with a handful of statements; a large drop streams through in
blocks, inside a savepoint, so that a basket with one bad row can be refused as a whole after all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

from orderdrop import checks, intake
from orderdrop.clock import Micros
from orderdrop.desk import Desk
from orderdrop.drop.inbox import RefusedFile
from orderdrop.drop.names import printable
from orderdrop.drop.tail import Changed, DropFile, Take
from orderdrop.gateway.base import Batch, Outgoing
from orderdrop.intake import Block
from orderdrop.journal.writer import (
    DropState,
    InstructionState,
    Known,
    NewBatch,
    NewDrop,
    NewOrder,
    NewRow,
    RowOutcome,
    Writer,
    drop_of,
    row_id,
)
from orderdrop.order.identity import day_number, sid_key, wire_sid
from orderdrop.order.model import DropKind, Instruction, Order
from orderdrop.order.refusal import Code, Refusal, RowError
from orderdrop.order.status import Status

FLUSH_AT = 2000
"""Orders that are written, and handed over, together."""


class Handover(NamedTuple):
    """A batch that is committed and may now go out."""

    gateway: str
    batch: Batch
    first_order: int
    last_order: int


@dataclass
class Admitted:
    """What a transaction admitted; to be acted on once it is committed."""

    handovers: list[Handover] = field(default_factory=list)
    drops: list[tuple[Take, int, bool]] = field(default_factory=list)  # take, drop id, refused
    refused_files: list[tuple[RefusedFile, int]] = field(default_factory=list)
    spoiled: list[DropFile] = field(default_factory=list)  # changed while being read: look again
    instructions: int = 0
    waiting: int = 0  # orders that stay READY
    drop_ids: set[int] = field(default_factory=set)


class _Good(NamedTuple):
    id: int
    key: int
    wire: str
    order: Order


@dataclass
class _Draft:
    """A take on its way in. refuse: why nothing of it may be sent, "" while all is well."""

    take: Take
    drop_id: int
    policy: str
    refuse: str = ""
    checked: bool = False  # every row has passed already
    rows: int = 0
    accepted: int = 0
    denied: int = 0
    duplicates: int = 0
    errors: int = 0

    @property
    def file(self) -> DropFile:
        return self.take.file


class Admission:
    """Admits the drops of one transaction. Made anew for each."""

    def __init__(
        self,
        desk: Desk,
        writer: Writer,
        now: Micros,
        today: date,
        *,
        halted: bool,
        room: Mapping[str, int],
    ) -> None:
        self._desk = desk
        self._writer = writer
        self._now = now
        self._today = today
        self._day = day_number(today)
        self._scope = desk.settings.inbox.sid_scope
        self._days = [*writer.unmoved_days(self._day), self._day] if self._scope == "forever" else [self._day]
        accounts = desk.accounts
        self._accounts = accounts
        self._checks = checks.Context(accounts=frozenset(accounts.values()) or None, halted=halted)
        self._next_drop = writer.next_drop_id()
        self._next_batch = writer.next_batch_id()
        self._room = dict(room)
        self._good: dict[str, list[_Good]] = {}
        self._orders: list[NewOrder] = []
        self._ranges: list[tuple[int, int]] = []
        self._rows: list[NewRow] = []
        self._drops: list[NewDrop] = []
        self._mine: dict[int, tuple[int, Order]] = {}
        self.admitted = Admitted()

    def admit(self, found: Iterable[Take | RefusedFile]) -> Admitted:
        for small, group in groupby(
            found, lambda ready: isinstance(ready, Take) and ready.data is not None and not ready.refusal
        ):
            if small:
                self._admit_small([ready for ready in group if isinstance(ready, Take)])
            else:
                for ready in group:
                    self._flush()
                    self._refuse_or_stream(ready)
        self._flush()
        return self.admitted

    # one drop after the other

    def _admit_small(self, takes: Sequence[Take]) -> None:
        drafts = [self._draft(take) for take in takes]
        read = [list(draft.take.blocks(self._context(draft.file))) for draft in drafts]
        keys = [[self._keys(block) for block in blocks] for blocks in read]
        known = self._known([key for of_draft in keys for of_block in of_draft for key in of_block])
        for draft, blocks, of_draft in zip(drafts, read, keys, strict=True):
            if draft.policy == "reject-file":
                draft.refuse = self._first_bad(blocks, of_draft, known)
                draft.checked = not draft.refuse
            for block, of_block in zip(blocks, of_draft, strict=True):
                self._judge(draft, block, of_block, known)
            self._finish(draft)
            if len(self._orders) >= FLUSH_AT or sum(map(len, self._good.values())) >= FLUSH_AT:
                known |= self._as_known()
                self._flush()

    def _refuse_or_stream(self, ready: Take | RefusedFile) -> None:
        if isinstance(ready, RefusedFile):
            drop_id = self._new_drop_id()
            self._drops.append(self._refused_drop(drop_id, ready.name, ready.refusal))
            self.admitted.refused_files.append((ready, drop_id))
            self.admitted.drop_ids.add(drop_id)
        elif ready.refusal is not None:
            self._refuse_take(ready, ready.refusal)
        else:
            self._stream(ready)

    def _stream(self, take: Take) -> None:
        """A large drop, block by block; begun again, refusing all of it, when a row of a basket is bad."""
        draft = self._draft(take)
        savepoint = self._writer.connection.begin_nested()
        batches, handovers = self._next_batch, len(self.admitted.handovers)
        try:
            bad = self._stream_blocks(draft)
            if bad:
                savepoint.rollback()
                self._forget_pending()
                self._next_batch = batches
                del self.admitted.handovers[handovers:]
                savepoint = self._writer.connection.begin_nested()
                draft = _Draft(take, draft.drop_id, draft.policy, refuse=bad)
                self._stream_blocks(draft)
            self._finish(draft)
            self._flush()
            savepoint.commit()
        except (Changed, OSError):
            savepoint.rollback()
            self._forget_pending()
            del self.admitted.handovers[handovers:]
            self.admitted.spoiled.append(take.file)

    def _stream_blocks(self, draft: _Draft) -> str:
        """Why the basket must be refused, "" if it need not."""
        for block in draft.take.blocks(self._context(draft.file)):
            keys = self._keys(block)
            known = self._known(keys)
            if draft.policy == "reject-file" and not draft.refuse:
                bad = self._first_bad([block], [keys], known)
                if bad:
                    return bad
                draft.checked = True
            self._judge(draft, block, keys, known)
            self._flush()
        return ""

    # judging

    def _known(self, keys: Sequence[int]) -> dict[int, Known]:
        return self._writer.known(keys, self._days, past=self._scope == "forever") if keys else {}

    def _keys(self, block: Block) -> list[int]:
        if self._scope == "forever":
            return [sid_key(order.sid) for order in block.orders]
        return [sid_key(wire_sid(order.sid, self._today, self._scope)) for order in block.orders]

    def _first_bad(
        self, blocks: Sequence[Block], keys: Sequence[Sequence[int]], known: dict[int, Known]
    ) -> str:
        """The first reason in these blocks to refuse a basket: a bad row, a sid used for something else, a denial."""
        mine: dict[int, tuple[int, Order]] = {}
        for block, of_block in zip(blocks, keys, strict=True):
            if block.errors:
                return _cite(block.errors[0].row, block.errors[0].refusal)
            for order, key in zip(block.orders, of_block, strict=True):
                earlier = self._earlier(key, known) or mine.get(key)
                if earlier is None:
                    mine[key] = (0, order)
                    refusal = checks.check(order, self._checks)
                else:
                    refusal = self._conflict(order, earlier)
                if refusal is not None:
                    return _cite(order.row, refusal)
        return ""

    def _judge(self, draft: _Draft, block: Block, keys: Sequence[int], known: dict[int, Known]) -> None:
        """Sort the rows of a block into good, denied, duplicate and bad ones, and queue them to be written."""
        base = draft.drop_id << 32
        draft.rows += block.rows
        for error in block.errors:
            self._add_error(draft, error, counted=bool(block.rows))
        too_late = self._too_late(draft.file)
        if too_late is not None:
            for order in block.orders:
                self._add_error(draft, RowError(order.row, order.sid, too_late), counted=True)
            return
        first = len(self._orders)
        accepted = 0
        for order, key in zip(block.orders, keys, strict=True):
            earlier = self._earlier(key, known)
            if earlier is not None:
                self._repeat(draft, order, earlier)
                continue
            refusal = None if draft.checked else checks.check(order, self._checks)
            if refusal is None and draft.refuse:
                refusal = Refusal(Code.NOT_SENT, value=draft.refuse)
            if refusal is not None:
                self._deny(draft, order, refusal)
                continue
            self._mine[key] = (base | order.row, order)
            self._accept(base | order.row, key, order)
            accepted += 1
        draft.accepted += accepted
        self._note_range(base, block, grew=len(self._orders) > first or accepted > 0)
        for instruction in block.instructions:
            self._instruct(draft, instruction)

    def _too_late(self, file: DropFile) -> Refusal | None:
        """Why no row of this file is taken any more."""
        if file.refused:
            return Refusal(Code.ROW_LATE)
        return Refusal(Code.DAY_OVER, value=file.day.isoformat()) if file.day < self._today else None

    def _note_range(self, base: int, block: Block, *, grew: bool) -> None:
        if grew:
            self._ranges.append((base | block.orders[0].row, base | block.orders[-1].row))

    def _earlier(self, key: int, known: dict[int, Known]) -> Known | tuple[int, Order] | None:
        return known.get(key) or self._mine.get(key)

    def _conflict(self, order: Order, earlier: Known | tuple[int, Order]) -> Refusal | None:
        difference = _difference(order, earlier)
        return Refusal(Code.SID_CONFLICT, "sid", order.sid, difference) if difference else None

    def _repeat(self, draft: _Draft, order: Order, earlier: Known | tuple[int, Order]) -> None:
        conflict = self._conflict(order, earlier)
        if conflict is not None:
            self._add_error(draft, RowError(order.row, order.sid, conflict), counted=True)
            return
        draft.duplicates += 1
        where = f"{drop_of(earlier[0])}:{earlier[0] & 0xFFFFFFFF}"
        self._rows.append(
            NewRow(
                row_id(draft.drop_id, order.row), RowOutcome.DUPLICATE, order.sid, earlier[0],
                Code.DUPLICATE, "sid", order.sid, where,
            )
        )  # fmt: skip

    def _accept(self, order_ref: int, key: int, order: Order) -> None:
        gateway = self._desk.settings.gateway_of(order.account_id)
        if self._desk.holds(order.strategy):
            self._orders.append(self._new_order(order_ref, key, order, gateway, None, Status.HELD))
            return
        wire = order.sid if self._scope == "forever" else wire_sid(order.sid, self._today, self._scope)
        self._good.setdefault(gateway, []).append(_Good(order_ref, key, wire, order))

    def _deny(self, draft: _Draft, order: Order, why: Refusal) -> None:
        draft.denied += 1
        new = self._new_order(row_id(draft.drop_id, order.row), None, order, None, None, Status.DENIED)
        self._orders.append(
            new._replace(
                reason_code=why.code,
                reason_column=why.column,
                reason_value=why.value,
                reason_bound=why.bound,
                closed_at=self._now,
            )
        )

    def _add_error(self, draft: _Draft, error: RowError, *, counted: bool) -> None:
        draft.errors += counted
        why = error.refusal
        self._rows.append(
            NewRow(
                row_id(draft.drop_id, error.row), RowOutcome.ERROR, error.sid or None, None,
                why.code, why.column, why.value, why.bound,
            )
        )  # fmt: skip

    def _instruct(self, draft: _Draft, instruction: Instruction) -> None:
        self._writer.add_instructions(
            [
                {
                    "id": row_id(draft.drop_id, instruction.row),
                    "kind": draft.file.info.kind,
                    "sid": instruction.sid,
                    "state": InstructionState.ASKED,
                    "updated_at": self._now,
                }
            ]
        )
        draft.accepted += 1
        self.admitted.instructions += 1

    # writing

    def _draft(self, take: Take) -> _Draft:
        settings = self._desk.settings.inbox
        by_row = take.file.info.followed or take.file.info.kind is not DropKind.ORDER
        return _Draft(
            take, take.file.drop_id or self._new_drop_id(), "reject-row" if by_row else settings.on_bad_row
        )

    def _new_drop_id(self) -> int:
        self._next_drop += 1
        return self._next_drop - 1

    def _context(self, file: DropFile) -> intake.Context:
        return intake.Context(
            accounts=self._accounts,
            default_account=self._desk.default_account,
            strategy=file.strategy,
            derive=file.naming(),
        )

    def _finish(self, draft: _Draft) -> None:
        """Queue the drop itself, or what it has grown by."""
        take, file = draft.take, draft.file
        refused = bool(draft.refuse)
        if file.drop_id:
            self._writer.grow_drop(
                file.drop_id,
                {
                    "sha256": take.sha256,
                    "position": take.end.offset,
                    "next_row": take.end.next_row,
                    "torn": int(take.end.torn),
                },
                {
                    name: getattr(draft, name)
                    for name in ("rows", "accepted", "denied", "duplicates", "errors")
                },
            )
        else:
            self._drops.append(
                NewDrop(
                    draft.drop_id, file.name, file.info.kind, file.strategy, self._day, self._now,
                    DropState.REFUSED if refused else DropState.OPEN, file.sid_space, take.sha256,
                    take.end.offset, take.end.next_row, int(take.end.torn),
                    draft.rows, draft.accepted, draft.denied, draft.duplicates, draft.errors, None, None, None, None,
                )
            )  # fmt: skip
        self.admitted.drops.append((take, draft.drop_id, refused))
        self.admitted.drop_ids.add(draft.drop_id)

    def _refuse_take(self, take: Take, why: Refusal) -> None:
        """A file that cannot be read as orders at all."""
        file = take.file
        drop_id = file.drop_id or self._new_drop_id()
        if file.drop_id:
            self._writer.update_drop(
                drop_id, state=DropState.REFUSED, position=take.size,
                reason_code=why.code, reason_column=why.column, reason_value=why.value, reason_bound=why.bound,
            )  # fmt: skip
        else:
            self._drops.append(self._refused_drop(drop_id, file.name, why, file.info.kind, take.size))
        self.admitted.drops.append((take, drop_id, True))
        self.admitted.drop_ids.add(drop_id)

    def _refused_drop(
        self, drop_id: int, name: str, why: Refusal, kind: str = DropKind.ORDER, size: int = 0
    ) -> NewDrop:
        return NewDrop(
            drop_id, printable(name), kind, "", self._day, self._now, DropState.REFUSED, "", None, size, 1, 0,
            0, 0, 0, 0, 0, why.code, why.column, why.value, why.bound,
        )  # fmt: skip

    def _new_order(
        self,
        order_ref: int,
        key: int | None,
        order: Order,
        gateway: str | None,
        batch: int | None,
        status: Status,
    ) -> NewOrder:
        return NewOrder(
            order_ref, self._day, order.sid, key, order.account_id, order.symbol, order.volume, order.order_type,
            order.order_business, None if order.price is None else str(order.price),
            order.remark or None, order.strategy or None, order.note or None, gateway, batch, status, self._now,
        )  # fmt: skip

    def _flush(self) -> None:
        """Write what is queued. Orders that their gateway has room for leave with this transaction, the rest wait, READY."""
        for gateway, good in self._good.items():
            room = self._room[gateway]
            now, later = good[:room], good[room:]
            self._room[gateway] = room - len(now) if not later else 0
            self.admitted.waiting += len(later)
            if now:
                batch = self._new_batch(gateway, now)
                self._orders += [
                    self._new_order(g.id, g.key, g.order, gateway, batch, Status.SUBMITTING) for g in now
                ]
            self._orders += [
                self._new_order(g.id, g.key, g.order, gateway, None, Status.READY) for g in later
            ]
        self._writer.add_drops(self._drops)
        self._writer.add_orders(self._orders, self._ranges)
        self._writer.add_rows(self._rows)
        self._forget_pending()

    def _new_batch(self, gateway: str, good: Sequence[_Good]) -> int:
        outgoing = [_outgoing(wire, order) for _id, _key, wire, order in good]
        content = self._desk.gateways[gateway].encode(outgoing)
        batch_id, self._next_batch = self._next_batch, self._next_batch + 1
        first, last = min(good).id, max(good).id
        self._writer.add_batch(
            NewBatch(batch_id, gateway, self._day, self._now, len(good), first, last, content)
        )
        self.admitted.handovers.append(Handover(gateway, Batch(batch_id, content), first, last))
        return batch_id

    def _as_known(self) -> dict[int, Known]:
        return {key: Known(ref, order.sid, *_payload(order)) for key, (ref, order) in self._mine.items()}

    def _forget_pending(self) -> None:
        self._good, self._orders, self._ranges, self._rows, self._drops = {}, [], [], [], []
        self._mine = {}


def _outgoing(wire: str, order: Order) -> Outgoing:
    return Outgoing(
        wire, order.account_id, order.symbol, order.volume, order.order_type, order.order_business, order.price, order.remark
    )  # fmt: skip


def _payload(order: Order) -> tuple[str, str, int, int, int, str | None, str | None, str | None]:
    return (
        order.account_id, order.symbol, order.volume, order.order_type, order.order_business,
        None if order.price is None else str(order.price), order.remark or None, order.strategy or None,
    )  # fmt: skip


_PAYLOAD_NAMES = Known._fields[2:]


def _difference(order: Order, earlier: Known | tuple[int, Order]) -> str:
    """Which columns differ from the order that has the sid, such as `volume 100 → 200`; "" for the same order.

    The columns are compared, not a hash of them: nothing can collide, and people are told what differs.
    """
    before = earlier[2:] if isinstance(earlier, Known) else _payload(earlier[1])
    after = _payload(order)
    if before == after:
        return ""
    return ", ".join(
        f"{name} {old or '-'} → {new or '-'}"
        for name, old, new in zip(_PAYLOAD_NAMES, before, after, strict=True)
        if (old != new if name != "price" else _number(old) != _number(new))
    )


def _number(text: object) -> Decimal | None:
    return None if text is None else Decimal(str(text))


def _cite(row: int, why: Refusal) -> str:
    return f"第 {row} 行 {why.code}"
