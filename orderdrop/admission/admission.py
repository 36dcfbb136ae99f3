"""From takes to decided orders, in one transaction: identity, checks, batches with the bytes that will be handed over.

A group of small drops is judged in memory and written with a handful of statements; a large drop streams through in
blocks, inside a savepoint, so that a basket with one bad row can be refused as a whole after all.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby, islice
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from orderdrop import intake
from orderdrop.accounts.routing import Routing
from orderdrop.admission import repeating
from orderdrop.admission.judge import Judge
from orderdrop.admission.pending import Accepted, Pending
from orderdrop.admission.repeating import NOTHING_SAID, Repeats, Said
from orderdrop.admission.verdict import Verdict, duplicate_row, error_row, refused_row, said_of
from orderdrop.domain.identity import day_number
from orderdrop.domain.order import DropKind, Instruction, Order
from orderdrop.domain.refusal import Code, Refusal, RowError
from orderdrop.domain.switches import Switches
from orderdrop.errors import OrderdropError, SidTaken
from orderdrop.execution.handover import FLUSH_AT, Handover
from orderdrop.inbox.names import printable
from orderdrop.inbox.scanner import RefusedFile
from orderdrop.inbox.tail import Changed, DropFile, Take
from orderdrop.intake import Block
from orderdrop.journal.records import ROW_REFUSED, DropState, InstructionState, Known, NewDrop, row_id
from orderdrop.journal.writer import Writer
from orderdrop.risk import checks
from orderdrop.risk.engine import RiskEngine
from orderdrop.system.clock import Micros
from orderdrop.system.faults import tell_unexpected

log = logging.getLogger(__name__)

_NOT_THE_DROPS: Final = (OSError, OrderdropError, SQLAlchemyError, sqlite3.Error, MemoryError)
"""Faults of the system and the journal: no drop is to blame for them."""

_SID_TAKEN: Final = "a sid is taken"
_NAMELESS: Final = "its rows have no sids"
_ONCE_MORE: Final = frozenset({_SID_TAKEN, _NAMELESS})


@dataclass
class Admitted:
    """What a transaction admitted; to be acted on once it is committed."""

    handovers: list[Handover] = field(default_factory=list)
    drops: list[tuple[Take, int, bool]] = field(default_factory=list)  # take, drop id, refused
    refused_files: list[tuple[RefusedFile, int]] = field(default_factory=list)
    spoiled: list[DropFile] = field(default_factory=list)  # changed while being read: look again
    instructions: int = 0
    waiting: int = 0  # orders that stay READY
    held: int = 0  # orders that are HELD
    canceled: bool = False  # whether orders are HELD for a cancel that was there before them
    drop_ids: set[int] = field(default_factory=set)
    raised: list[tuple[Take, str]] = field(
        default_factory=list
    )  # nothing of them was written; with the fault

    def mark(self) -> tuple[int, int, int, int, set[int]]:
        """Where we are, for `back_to`."""
        lengths = len(self.drops), len(self.refused_files), len(self.spoiled)
        return *lengths, self.instructions, set(self.drop_ids)

    def back_to(self, mark: tuple[int, int, int, int, set[int]]) -> None:
        drops, files, spoiled, self.instructions, self.drop_ids = mark
        del self.drops[drops:], self.refused_files[files:], self.spoiled[spoiled:]

    @property
    def waits(self) -> bool:
        """Whether any order stays here."""
        return bool(self.waiting or self.held)


@dataclass
class _Draft:
    """A take on its way in. refuse: why nothing of it may be sent, "" while all is well."""

    take: Take
    drop_id: int
    whole: bool  # a basket: all of it or nothing
    refuse: str = ""
    said: Said | None = None  # by its rows without a sid, if it has any
    rows: int = 0
    accepted: int = 0
    denied: int = 0
    duplicates: int = 0
    errors: int = 0

    def __post_init__(self) -> None:
        self.file = self.take.file

    @property
    def sheets(self) -> list[str]:
        """Names of the sheets, if there are several."""
        return self.take.book.names if self.take.book else []


class Admission:
    """Admits the drops of one transaction. Made anew for each."""

    def __init__(
        self,
        desk: Routing,
        writer: Writer,
        now: Micros,
        today: date,
        *,
        risk: RiskEngine,
        switches: Switches,
        room: Mapping[str, int],
        closed: Collection[str] = (),
        check: Callable[[Order, checks.Context], Refusal | None] = checks.check,
    ) -> None:
        """room: how many orders each gateway takes now. closed: accounts whose orders wait."""
        self._desk = desk
        self._writer = writer
        self._now = now
        self._today = today
        self._day = day_number(today)
        self._next_drop = writer.next_drop_id()
        self._pending = Pending(desk, writer, now, today, room, closed)
        context = risk.gather(writer, now, today, switches)
        self.context = context
        self._ledger = context.around.ledger
        self._judge = Judge(
            writer, self._pending, context, check,
            today=today, scope=desk.settings.inbox.sid_scope, counts=risk.counts,
        )  # fmt: skip
        self._repeats = Repeats(writer, self._day, desk.settings.inbox)
        self.admitted = Admitted(handovers=self._pending.handovers)

    def admit(self, found: Iterable[Take | RefusedFile], *, apart: bool = False) -> Admitted:
        """apart: each by itself, so that one at which an unforeseen fault arises keeps no other from going in."""
        for ready in found if apart else ():
            self._admit_apart(ready)
        if not apart:
            self._admit(found)
        self._end()
        return self.admitted

    def set_aside(self, take: Take, fault: str) -> None:
        """Refuse what has raised: as a whole, and what it has grown by."""
        take.refusal = Refusal(Code.FILE_FAULT, value=fault)
        self._refuse_take(take, take.refusal)
        self._end()

    def _admit(self, found: Iterable[Take | RefusedFile]) -> None:
        for small, group in groupby(found, _is_small):
            if small:
                self._admit_small([ready for ready in group if isinstance(ready, Take)])
            else:
                for ready in group:
                    self._pending.flush()
                    self._refuse_or_stream(ready)

    def _admit_apart(self, ready: Take | RefusedFile) -> None:
        self._pending.flush()
        self._repeats = Repeats(
            self._writer, self._day, self._desk.settings.inbox
        )  # the journal has all by now
        marks = self._pending.mark(), self._ledger.mark(), self._next_drop, self.admitted.mark()
        savepoint = self._writer.connection.begin_nested()
        try:
            self._admit([ready])
            self._pending.flush()
            savepoint.commit()
        except Exception as error:
            if not isinstance(ready, Take) or isinstance(error, _NOT_THE_DROPS):
                raise
            savepoint.rollback()
            pending, counted, self._next_drop, admitted = marks
            self._pending.back_to(pending)
            self._ledger.back_to(counted)
            self.admitted.back_to(admitted)
            fault = tell_unexpected(ready.file.name, error)
            self.admitted.raised.append((ready, fault.removeprefix(f"{ready.file.name}: ")))

    def _end(self) -> None:
        self._pending.flush()
        self._writer.use_ids(drop=self._next_drop)
        self.admitted.waiting = self._pending.waiting
        self.admitted.held = self._pending.holding
        self.admitted.canceled = self._judge.cancels_found

    def make_room(self, room: Mapping[str, int]) -> None:
        """How many orders each gateway takes from now on."""
        self._pending.make_room(room)

    # one drop after the other

    def _admit_small(self, takes: Sequence[Take]) -> None:
        drafts = [self._draft(take) for take in takes]
        read = [self._read_small(draft) for draft in drafts]
        orders = [order for blocks in read for block in blocks for order in block.orders]
        keys = self._judge.keys(orders)
        known = self._judge.known(keys)
        few = len(orders) <= FLUSH_AT
        if few and self._all_in_order(drafts, read) and self._judge.all_well(orders, keys, known):
            self._enter_all(drafts, read, keys)
            return
        following = iter(keys)
        for draft, blocks in zip(drafts, read, strict=True):
            keyed = [(block, list(islice(following, len(block.orders)))) for block in blocks]
            if draft.said is not None:
                self._look_back(
                    draft,
                    [pair for block, own in keyed for pair in zip(block.orders, own, strict=True)],
                    known,
                )
            self._settle_small(draft, keyed, known)
            self._finish(draft)
            if self._pending.full:
                known |= self._pending.known()
                self._pending.flush()

    def _read_small(self, draft: _Draft) -> list[Block]:
        blocks = list(draft.take.blocks(self._context(draft.file)))
        if draft.file.derive is not None and draft.file.derive.asked:
            draft.said = said = repeating.begin(draft.file, repeating.said_by(blocks))
            blocks = [repeating.named(draft.file, said, block) for block in blocks]
        return blocks

    def _look_back(
        self, draft: _Draft, orders: Sequence[tuple[Order, int]], known: Mapping[int, Known]
    ) -> None:
        """Whether rows without a sid were ordered before today. orders: with the keys of their sids."""
        said, mine = draft.said, self._pending.mine
        assert said is not None  # noqa: S101  only where rows have no sid
        named = [(order.row, key in known or key in mine) for order, key in orders]
        self._repeats.judge(
            draft.file,
            said,
            known=lambda: {row for row, there in named if there},
            others_new=lambda: any(not there and row not in said.keys for row, there in named),
        )

    def _all_in_order(self, drafts: Sequence[_Draft], read: Sequence[Sequence[Block]]) -> bool:
        """Whether these drops hold nothing but orders of today, each with a sid."""
        odd = (draft.said or self._too_late(draft.file) or self._folder_holds(draft.file) for draft in drafts)
        return not any(odd) and all(len(block.orders) == block.rows for blocks in read for block in blocks)

    def _enter_all(
        self, drafts: Sequence[_Draft], read: Sequence[Sequence[Block]], keys: Sequence[int]
    ) -> None:
        """Many small drops, of which every order is new and passes, are entered as one."""
        accepted: list[Accepted] = []
        following = iter(keys)
        for draft, blocks in zip(drafts, read, strict=True):
            base, begin = draft.drop_id << 32, len(accepted)
            for block in blocks:
                accepted += [
                    (base | order.row, key, order)
                    for order, key in zip(block.orders, following, strict=False)
                ]
            draft.rows = draft.accepted = len(accepted) - begin
            if draft.rows:
                self._pending.ranges.append((accepted[begin][0], accepted[-1][0]))
            self._finish(draft)
        self._pending.mine.update(zip(keys, accepted, strict=True))
        self._pending.accept(accepted)
        if self._pending.full:
            self._pending.flush()

    def _settle_small(
        self, draft: _Draft, blocks: Sequence[tuple[Block, list[int]]], known: dict[int, Known]
    ) -> None:
        """Judge a drop that is in memory as a whole; again, refusing all of it, when a row of a basket is bad."""
        mark = self._ledger.mark()
        verdicts = [self._judged(draft, block, keys, known) for block, keys in blocks]
        bad = (
            next(filter(None, (verdict.bad(draft.sheets) for verdict in verdicts)), "") if draft.whole else ""
        )
        if bad:
            draft.refuse = bad
            for verdict in verdicts:
                self._pending.disown(verdict.accepted)
            self._ledger.back_to(mark)
            verdicts = [self._judged(draft, block, keys, known) for block, keys in blocks]
            self._ledger.back_to(mark)
        for (block, _keys), verdict in zip(blocks, verdicts, strict=True):
            self._enter(draft, block, verdict)

    def _refuse_or_stream(self, ready: Take | RefusedFile) -> None:
        if isinstance(ready, RefusedFile):
            drop_id = self._new_drop_id()
            self._pending.drops.append(
                self._refused_drop(drop_id, ready.name, ready.refusal, owner=ready.owner)
            )
            self.admitted.refused_files.append((ready, drop_id))
            self.admitted.drop_ids.add(drop_id)
        elif ready.refusal is not None:
            self._refuse_take(ready, ready.refusal)
        else:
            self._stream(ready)

    def _stream(self, take: Take) -> None:
        """A large drop, block by block; begun again, refusing all of it, when a row of a basket is bad, and looking its
        sids up, when the journal has one of them.
        """
        draft = self._draft(take)
        look_up = take.file.info.followed  # its rows are named as they are read, so it is read once
        mark, counted = self._pending.mark(), self._ledger.mark()
        savepoint = self._writer.connection.begin_nested()
        try:
            while again := self._stream_blocks(draft, look_up=look_up):
                look_up, refuse = (
                    look_up or again != _NAMELESS,
                    draft.refuse if again in _ONCE_MORE else again,
                )
                savepoint.rollback()
                self._pending.back_to(mark)
                self._ledger.back_to(counted)
                savepoint = self._writer.connection.begin_nested()
                said = self._say(draft) if again == _NAMELESS else draft.said
                draft = _Draft(take, draft.drop_id, draft.whole, refuse=refuse, said=said)
            if draft.refuse:
                self._ledger.back_to(counted)
            self._finish(draft)
            self._pending.flush()
            savepoint.commit()
        except (Changed, OSError):
            savepoint.rollback()
            self._pending.back_to(mark)
            self._ledger.back_to(counted)
            self.admitted.spoiled.append(take.file)
        except Exception as error:
            if not isinstance(error, _NOT_THE_DROPS):
                savepoint.rollback()  # inner before outer
            raise

    def _stream_blocks(self, draft: _Draft, *, look_up: bool) -> str:
        """Why it must be begun again: why the basket is refused, or one of _ONCE_MORE; "" if it need not.

        look_up: every sid, before it goes in. Else a block in which all is well goes in without: the journal's constraint objects if it
        has one of them today, and those of days gone by are looked for at the end, all at once.
        """
        if draft.said is not None and draft.said.sids is not None:
            draft.said.sids.restart()
        try:
            for read in draft.take.blocks(self._context(draft.file)):
                block = self._named(draft, read)
                if block is None:
                    return _NAMELESS
                verdict = self._judge_block(draft, block, look_up=look_up)
                bad = verdict.bad(draft.sheets) if draft.whole and not draft.refuse else ""
                if bad:
                    return bad
                self._enter(draft, block, verdict)
                if self._pending.full:
                    self._pending.flush()
            self._pending.flush()
        except SidTaken:
            if look_up:
                raise
            return _SID_TAKEN
        return _SID_TAKEN if not look_up and self._judge.used_before(draft.drop_id) else ""

    def _named(self, draft: _Draft, block: Block) -> Block | None:
        """The block with a name for each row; None: rows have no sid, and all rows must be known before they have names."""
        file = draft.file
        if file.derive is None or not file.derive.asked:
            return block
        one_by_one = file.info.followed or bool(file.drop_id)
        if one_by_one:
            draft.said = Said()
        elif draft.said is None:
            return None
        else:
            draft.said.keys.clear()
        said = draft.said
        assert said is not None  # noqa: S101
        block = repeating.named(file, said, block)
        if one_by_one:
            keys = self._judge.keys(block.orders)
            self._look_back(draft, [*zip(block.orders, keys, strict=True)], self._judge.known(keys))
        return block

    def _say(self, draft: _Draft) -> Said:
        """What the rows of a large drop say, read for that alone."""
        file, keys = draft.file, array("q")
        for block in draft.take.blocks(self._context(file)):
            keys.extend(repeating.said_by([block]))
        draft.said = said = repeating.begin(file, keys)
        if self._repeats.look(keys):
            orders: list[tuple[Order, int]] = []
            known: dict[int, Known] = {}
            for block in draft.take.blocks(self._context(file)):
                named = repeating.named(file, said, block).orders
                own = self._judge.keys(named)
                known |= self._judge.known(own)
                orders += zip(named, own, strict=True)
            self._look_back(draft, orders, known)
        return said

    def _judge_block(self, draft: _Draft, block: Block, *, look_up: bool) -> Verdict:
        keys, counted = self._judge.keys(block.orders), self._ledger.mark()
        verdict = self._judged(draft, block, keys, self._judge.known(keys) if look_up else {})
        if look_up or len(verdict.accepted) == block.rows:
            return verdict
        self._pending.disown(verdict.accepted)
        self._ledger.back_to(counted)
        return self._judged(draft, block, keys, self._judge.known(keys))

    def _judged(
        self, draft: _Draft, block: Block, keys: Sequence[int], known: Mapping[int, Known]
    ) -> Verdict:
        too_late = self._too_late(draft.file)
        if too_late is None:
            folder = self._desk.scope(draft.file.strategy)
            return self._judge.sort(
                draft.drop_id, block, keys, known, draft.refuse, draft.said or NOTHING_SAID, folder
            )
        late = (RowError(order.row, order.sid, too_late, said_of(order)) for order in block.orders)
        return Verdict([], [], [], [*block.errors, *late])

    # what was decided

    def _enter(self, draft: _Draft, block: Block, verdict: Verdict) -> None:
        """Queue what was decided, and count it."""
        self._pending.accept(verdict.accepted, by_settings=self._folder_holds(draft.file))
        if draft.said is not None:
            self._note_said(draft, draft.said, verdict)
        self._pending.denied += verdict.denied
        came = self._now if draft.file.drop_id else None  # its rows came later than the drop
        self._pending.rows += [error_row(draft.drop_id, error, came) for error in verdict.errors]
        self._tell_refused(draft, verdict.errors)
        self._pending.rows += [
            duplicate_row(draft.drop_id, order, earlier, came) for order, earlier in verdict.repeated
        ]
        if verdict.accepted or verdict.denied:
            base = draft.drop_id << 32
            self._pending.ranges.append((base | block.orders[0].row, base | block.orders[-1].row))
        for instruction in block.instructions:
            self._instruct(draft, instruction)
        draft.rows += block.rows
        draft.accepted += len(verdict.accepted) + len(block.instructions)
        draft.denied += len(verdict.denied)
        draft.duplicates += len(verdict.repeated)
        draft.errors += len(verdict.errors) if block.rows else 0  # the rest of a torn line was counted before

    def _note_said(self, draft: _Draft, said: Said, verdict: Verdict) -> None:
        accepted = [(order_id, order) for order_id, _key, order in verdict.accepted]
        self._pending.row_keys |= {
            order_id: said.keys[order.row] for order_id, order in accepted if order.row in said.keys
        }
        if draft.take.data is not None and (
            accepted or verdict.repeated
        ):  # a large drop is in the journal at once
            self._repeats.taken(draft.file, draft.drop_id, said, accepted)

    def _tell_refused(self, draft: _Draft, errors: Iterable[RowError]) -> None:
        """Rows that are no orders, but name a sid and an account: programs that read result files look for them there.

        Not under a sid that is an order's: the state of that one is another.
        """
        told = [(error, error.said) for error in errors if error.said is not None]
        if not told:
            return
        keys = self._judge.keys_of([said.sid for _error, said in told])
        taken = self._judge.known(keys).keys() | self._pending.mine.keys()
        self._writer.add_events(
            [
                (self._now, None, ROW_REFUSED, "router", refused_row(draft.drop_id, error, said), None)
                for (error, said), key in zip(told, keys, strict=True)
                if key not in taken
            ]
        )

    def _folder_holds(self, file: DropFile) -> bool:
        """Whether the settings hold what comes in this folder; no row can name itself out of that."""
        kind, name = self._desk.scope(file.strategy)
        return kind == "strategy" and self._desk.holds(name)

    def _too_late(self, file: DropFile) -> Refusal | None:
        """Why no row of this file is taken any more."""
        if file.refused:
            return Refusal(Code.ROW_LATE)
        return Refusal(Code.DAY_OVER, value=file.day.isoformat()) if file.day < self._today else None

    def _instruct(self, draft: _Draft, instruction: Instruction) -> None:
        if instruction.note:
            log.warning("%s:%s: %s", draft.file.name, instruction.row, instruction.note)
            row = row_id(draft.drop_id, instruction.row)
            self._writer.note_passed_over(draft.drop_id, row, instruction.note)
        self._writer.add_instructions(
            [
                {
                    "id": row_id(draft.drop_id, instruction.row),
                    "kind": draft.file.info.kind,
                    "sid": instruction.sid,
                    "state": InstructionState.ASKED,
                    "updated_at": self._now,
                    "received_at": self._now if draft.file.drop_id else None,
                }
            ]
        )
        self.admitted.instructions += 1

    # writing

    def _draft(self, take: Take) -> _Draft:
        file = take.file
        by_row = file.info.followed or file.info.kind is not DropKind.ORDER
        whole = not by_row and self._desk.settings.inbox.on_bad_row == "reject-file"
        return _Draft(take, file.drop_id or self._new_drop_id(), whole)

    def _new_drop_id(self) -> int:
        self._next_drop += 1
        return self._next_drop - 1

    def _context(self, file: DropFile) -> intake.Context:
        account, strategy = self._desk.folder(file.strategy)
        return intake.Context(
            accounts=self._desk.accounts,
            default_account=account,
            strategy=strategy,
            derive=file.naming(),
        )

    def _finish(self, draft: _Draft) -> None:
        """Queue the drop itself, or what it has grown by."""
        take, file = draft.take, draft.file
        refused = bool(draft.refuse)
        if file.drop_id and file.day < self._today:
            self._writer.await_closing(day_number(file.day))
        if file.drop_id:
            self._writer.grow_drop(
                file.drop_id,
                {
                    "sha256": take.sha256,
                    "position": take.end.offset,
                    "next_row": take.end.next_row,
                    "torn": int(take.end.torn),
                    **({"state": DropState.REFUSED} if refused else {}),
                },
                {
                    name: getattr(draft, name)
                    for name in ("rows", "accepted", "denied", "duplicates", "errors")
                },
            )
        else:
            self._pending.drops.append(
                NewDrop(
                    draft.drop_id, file.name, file.info.kind, file.strategy, self._day, self._now,
                    DropState.REFUSED if refused else DropState.OPEN, file.sid_space, take.sha256,
                    take.end.offset, take.end.next_row, int(take.end.torn),
                    draft.rows, draft.accepted, draft.denied, draft.duplicates, draft.errors, take.owner, None, None, None, None,
                    json.dumps(draft.sheets, ensure_ascii=False) if draft.sheets else None,
                )
            )  # fmt: skip
        self.admitted.drops.append((take, draft.drop_id, refused))
        self.admitted.drop_ids.add(draft.drop_id)

    def _refuse_take(self, take: Take, why: Refusal) -> None:
        """A file that cannot be read as orders at all."""
        file = take.file
        drop_id = file.drop_id or self._new_drop_id()
        if file.drop_id and file.day < self._today:
            self._writer.await_closing(day_number(file.day))
        if file.drop_id:
            self._writer.update_drop(
                drop_id, state=DropState.REFUSED, position=take.size,
                reason_code=why.code, reason_column=why.column, reason_value=why.value, reason_bound=why.bound,
            )  # fmt: skip
        else:
            self._pending.drops.append(
                self._refused_drop(drop_id, file.name, why, file.info.kind, take.size, take.owner)
            )
        self.admitted.drops.append((take, drop_id, True))
        self.admitted.drop_ids.add(drop_id)

    def _refused_drop(
        self, drop_id: int, name: str, why: Refusal, kind: str = DropKind.ORDER, size: int = 0,
        owner: str | None = None,
    ) -> NewDrop:  # fmt: skip
        return NewDrop(
            drop_id, printable(name), kind, "", self._day, self._now, DropState.REFUSED, "", None, size, 1, 0,
            0, 0, 0, 0, 0, owner, why.code, why.column, why.value, why.bound,
        )  # fmt: skip


def _is_small(ready: Take | RefusedFile) -> bool:
    return isinstance(ready, Take) and ready.data is not None and not ready.refusal
