"""From takes to decided orders, in one transaction: identity, checks, batches with the bytes that will be handed over.

A group of small drops is judged in memory and written with a handful of statements; a large drop streams through in
blocks, inside a savepoint, so that a basket with one bad row can be refused as a whole after all.
"""

from __future__ import annotations

import logging
import sqlite3
from array import array
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby, islice
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from orderdrop import intake
from orderdrop.accounts.routing import Routing
from orderdrop.admission import repeating
from orderdrop.admission.entry import Admitted, Draft, Entry
from orderdrop.admission.judge import Judge
from orderdrop.admission.pending import Accepted, Pending
from orderdrop.admission.repeating import NOTHING_SAID, Said
from orderdrop.admission.verdict import Verdict, said_of
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Code, Refusal, RowError
from orderdrop.domain.switches import Switches
from orderdrop.errors import OrderdropError, SidTaken
from orderdrop.execution.handover import FLUSH_AT
from orderdrop.inbox.drop_file import Changed, DropFile
from orderdrop.inbox.scanner import RefusedFile
from orderdrop.inbox.tail import Take
from orderdrop.intake import Block
from orderdrop.journal.records import Known
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
        self._pending = Pending(desk, writer, now, today, room, closed)
        context = risk.gather(writer, now, today, switches)
        self.context = context
        self._ledger = context.around.ledger
        self._judge = Judge(
            writer, self._pending, context, check,
            today=today, scope=desk.settings.inbox.sid_scope, counts=risk.counts,
        )  # fmt: skip
        self._entry = Entry(desk, writer, now, today, self._pending, self._judge)
        self.admitted = self._entry.admitted

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
        self._entry.refuse_take(take, take.refusal)
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
        self._entry.forget_repeats()
        marks = self._pending.mark(), self._ledger.mark(), self._entry.next_drop, self.admitted.mark()
        savepoint = self._writer.connection.begin_nested()
        try:
            self._admit([ready])
            self._pending.flush()
            savepoint.commit()
        except Exception as error:
            if not isinstance(ready, Take) or isinstance(error, _NOT_THE_DROPS):
                raise
            savepoint.rollback()
            pending, counted, self._entry.next_drop, admitted = marks
            self._pending.back_to(pending)
            self._ledger.back_to(counted)
            self.admitted.back_to(admitted)
            fault = tell_unexpected(ready.file.name, error)
            self.admitted.raised.append((ready, fault.removeprefix(f"{ready.file.name}: ")))

    def _end(self) -> None:
        self._pending.flush()
        self._writer.use_ids(drop=self._entry.next_drop)
        self.admitted.waiting = self._pending.waiting
        self.admitted.held = self._pending.holding
        self.admitted.canceled = self._judge.cancels_found

    def make_room(self, room: Mapping[str, int]) -> None:
        """How many orders each gateway takes from now on."""
        self._pending.make_room(room)

    # one drop after the other

    def _admit_small(self, takes: Sequence[Take]) -> None:
        drafts = [self._entry.draft(take) for take in takes]
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
            self._entry.finish(draft)
            if self._pending.full:
                known |= self._pending.known()
                self._pending.flush()

    def _read_small(self, draft: Draft) -> list[Block]:
        blocks = list(draft.take.blocks(self._context(draft.file)))
        if draft.file.derive is not None and draft.file.derive.asked:
            draft.said = said = repeating.begin(draft.file, repeating.said_by(blocks))
            blocks = [repeating.named(draft.file, said, block) for block in blocks]
        return blocks

    def _look_back(
        self, draft: Draft, orders: Sequence[tuple[Order, int]], known: Mapping[int, Known]
    ) -> None:
        """Whether rows without a sid were ordered before today. orders: with the keys of their sids."""
        said, mine = draft.said, self._pending.accepted_keys
        assert said is not None  # noqa: S101  only where rows have no sid
        named = [(order.row, key in known or key in mine) for order, key in orders]
        self._entry.repeats.judge(
            draft.file,
            said,
            known=lambda: {row for row, there in named if there},
            others_new=lambda: any(not there and row not in said.keys for row, there in named),
        )

    def _all_in_order(self, drafts: Sequence[Draft], read: Sequence[Sequence[Block]]) -> bool:
        """Whether these drops hold nothing but orders of today, each with a sid."""
        odd = (
            draft.said or self._entry.too_late(draft.file) or self._entry.folder_holds(draft.file)
            for draft in drafts
        )
        return not any(odd) and all(len(block.orders) == block.rows for blocks in read for block in blocks)

    def _enter_all(
        self, drafts: Sequence[Draft], read: Sequence[Sequence[Block]], keys: Sequence[int]
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
            self._entry.finish(draft)
        self._pending.accepted_keys.update(zip(keys, accepted, strict=True))
        self._pending.accept(accepted)
        if self._pending.full:
            self._pending.flush()

    def _settle_small(
        self, draft: Draft, blocks: Sequence[tuple[Block, list[int]]], known: dict[int, Known]
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
                self._pending.free_keys(verdict.accepted)
            self._ledger.back_to(mark)
            verdicts = [self._judged(draft, block, keys, known) for block, keys in blocks]
            self._ledger.back_to(mark)
        for (block, _keys), verdict in zip(blocks, verdicts, strict=True):
            self._entry.enter(draft, block, verdict)

    def _refuse_or_stream(self, ready: Take | RefusedFile) -> None:
        if isinstance(ready, RefusedFile):
            self._entry.refuse_file(ready)
        elif ready.refusal is not None:
            self._entry.refuse_take(ready, ready.refusal)
        else:
            self._stream(ready)

    def _stream(self, take: Take) -> None:
        """A large drop, block by block; begun again, refusing all of it, when a row of a basket is bad, and looking its
        sids up, when the journal has one of them.
        """
        draft = self._entry.draft(take)
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
                draft = Draft(take, draft.drop_id, draft.whole, refuse=refuse, said=said)
            if draft.refuse:
                self._ledger.back_to(counted)
            self._entry.finish(draft)
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

    def _stream_blocks(self, draft: Draft, *, look_up: bool) -> str:
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
                self._entry.enter(draft, block, verdict)
                if self._pending.full:
                    self._pending.flush()
            self._pending.flush()
        except SidTaken:
            if look_up:
                raise
            return _SID_TAKEN
        return _SID_TAKEN if not look_up and self._judge.used_before(draft.drop_id) else ""

    def _named(self, draft: Draft, block: Block) -> Block | None:
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

    def _say(self, draft: Draft) -> Said:
        """What the rows of a large drop say, read for that alone."""
        file, keys = draft.file, array("q")
        for block in draft.take.blocks(self._context(file)):
            keys.extend(repeating.said_by([block]))
        draft.said = said = repeating.begin(file, keys)
        if self._entry.repeats.look(keys):
            orders: list[tuple[Order, int]] = []
            known: dict[int, Known] = {}
            for block in draft.take.blocks(self._context(file)):
                named = repeating.named(file, said, block).orders
                own = self._judge.keys(named)
                known |= self._judge.known(own)
                orders += zip(named, own, strict=True)
            self._look_back(draft, orders, known)
        return said

    def _judge_block(self, draft: Draft, block: Block, *, look_up: bool) -> Verdict:
        keys, counted = self._judge.keys(block.orders), self._ledger.mark()
        verdict = self._judged(draft, block, keys, self._judge.known(keys) if look_up else {})
        if look_up or len(verdict.accepted) == block.rows:
            return verdict
        self._pending.free_keys(verdict.accepted)
        self._ledger.back_to(counted)
        return self._judged(draft, block, keys, self._judge.known(keys))

    def _judged(self, draft: Draft, block: Block, keys: Sequence[int], known: Mapping[int, Known]) -> Verdict:
        too_late = self._entry.too_late(draft.file)
        if too_late is None:
            folder = self._desk.scope(draft.file.strategy)
            return self._judge.decide(
                draft.drop_id, block, keys, known, draft.refuse, draft.said or NOTHING_SAID, folder
            )
        late = (RowError(order.row, order.sid, too_late, said_of(order)) for order in block.orders)
        return Verdict([], [], [], [*block.errors, *late])

    def _context(self, file: DropFile) -> intake.Context:
        account, strategy = self._desk.folder(file.strategy)
        return intake.Context(
            accounts=self._desk.accounts,
            default_account=account,
            strategy=strategy,
            derive=file.naming(),
        )


def _is_small(ready: Take | RefusedFile) -> bool:
    return isinstance(ready, Take) and ready.data is not None and not ready.refusal
