"""Queues what was decided of a drop, row by row, and the drop itself with its counts; all of it is written with the next flush."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from orderdrop.accounts.routing import Routing
from orderdrop.admission.judge import Judge
from orderdrop.admission.pending import Pending
from orderdrop.admission.repeating import Repeats, Said
from orderdrop.admission.verdict import Verdict, duplicate_row, error_row, refused_row
from orderdrop.domain.identity import day_number
from orderdrop.domain.order import DropKind, Instruction
from orderdrop.domain.refusal import Code, Refusal, RowError
from orderdrop.execution.handover import Handover
from orderdrop.inbox.drop_file import DropFile
from orderdrop.inbox.names import printable
from orderdrop.inbox.scanner import RefusedFile
from orderdrop.inbox.tail import Take
from orderdrop.intake import Block
from orderdrop.journal.records import ROW_REFUSED, DropState, InstructionState, NewDrop, row_id
from orderdrop.journal.writer import Writer
from orderdrop.system.clock import Micros

log = logging.getLogger(__name__)


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
class Draft:
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


class Entry:
    """Made anew for each transaction. next_drop: the number of the next drop. repeats: what rows without a sid have said before."""

    def __init__(
        self, desk: Routing, writer: Writer, now: Micros, today: date, pending: Pending, judge: Judge
    ) -> None:
        self._desk = desk
        self._writer = writer
        self._now = now
        self._today = today
        self._day = day_number(today)
        self._judge = judge
        self.pending = pending
        self.next_drop = writer.next_drop_id()
        self.repeats = Repeats(writer, self._day, desk.settings.inbox)
        self.admitted = Admitted(handovers=pending.handovers)

    def forget_repeats(self) -> None:
        """The journal has all by now."""
        self.repeats = Repeats(self._writer, self._day, self._desk.settings.inbox)

    # rows

    def enter(self, draft: Draft, block: Block, verdict: Verdict) -> None:
        """Queue what was decided, and count it."""
        self.pending.accept(verdict.accepted, by_settings=self.folder_holds(draft.file))
        if draft.said is not None:
            self._note_said(draft, draft.said, verdict)
        self.pending.denied += verdict.denied
        came = self._now if draft.file.drop_id else None  # its rows came later than the drop
        self.pending.rows += [error_row(draft.drop_id, error, came) for error in verdict.errors]
        self._tell_refused(draft, verdict.errors)
        self.pending.rows += [
            duplicate_row(draft.drop_id, order, earlier, came) for order, earlier in verdict.repeated
        ]
        if verdict.accepted or verdict.denied:
            base = draft.drop_id << 32
            self.pending.ranges.append((base | block.orders[0].row, base | block.orders[-1].row))
        for instruction in block.instructions:
            self._instruct(draft, instruction)
        draft.rows += block.rows
        draft.accepted += len(verdict.accepted) + len(block.instructions)
        draft.denied += len(verdict.denied)
        draft.duplicates += len(verdict.repeated)
        draft.errors += len(verdict.errors) if block.rows else 0  # the rest of a torn line was counted before

    def _note_said(self, draft: Draft, said: Said, verdict: Verdict) -> None:
        accepted = [(order_id, order) for order_id, _key, order in verdict.accepted]
        self.pending.row_keys |= {
            order_id: said.keys[order.row] for order_id, order in accepted if order.row in said.keys
        }
        if draft.take.data is not None and (
            accepted or verdict.repeated
        ):  # a large drop is in the journal at once
            self.repeats.taken(draft.file, draft.drop_id, said, accepted)

    def _tell_refused(self, draft: Draft, errors: Iterable[RowError]) -> None:
        """Rows that are no orders, but name a sid and an account: programs that read result files look for them there.

        Not under a sid that is an order's: the state of that one is another.
        """
        told = [(error, error.said) for error in errors if error.said is not None]
        if not told:
            return
        keys = self._judge.keys_of([said.sid for _error, said in told])
        taken = self._judge.known(keys).keys() | self.pending.accepted_keys.keys()
        self._writer.add_events(
            [
                (self._now, None, ROW_REFUSED, "router", refused_row(draft.drop_id, error, said), None)
                for (error, said), key in zip(told, keys, strict=True)
                if key not in taken
            ]
        )

    def _instruct(self, draft: Draft, instruction: Instruction) -> None:
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

    # drops

    def draft(self, take: Take) -> Draft:
        file = take.file
        by_row = file.info.followed or file.info.kind is not DropKind.ORDER
        whole = not by_row and self._desk.settings.inbox.on_bad_row == "reject-file"
        return Draft(take, file.drop_id or self.new_drop_id(), whole)

    def new_drop_id(self) -> int:
        self.next_drop += 1
        return self.next_drop - 1

    def finish(self, draft: Draft) -> None:
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
            self.pending.drops.append(
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

    def refuse_file(self, ready: RefusedFile) -> None:
        """Queues a drop that is refused by what it is, unopened."""
        drop_id = self.new_drop_id()
        self.pending.drops.append(self._refused_drop(drop_id, ready.name, ready.refusal, owner=ready.owner))
        self.admitted.refused_files.append((ready, drop_id))
        self.admitted.drop_ids.add(drop_id)

    def refuse_take(self, take: Take, why: Refusal) -> None:
        """A file that cannot be read as orders at all."""
        file = take.file
        drop_id = file.drop_id or self.new_drop_id()
        if file.drop_id and file.day < self._today:
            self._writer.await_closing(day_number(file.day))
        if file.drop_id:
            self._writer.update_drop(
                drop_id, state=DropState.REFUSED, position=take.size,
                reason_code=why.code, reason_column=why.column, reason_value=why.value, reason_bound=why.bound,
            )  # fmt: skip
        else:
            self.pending.drops.append(
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

    # of a file

    def folder_holds(self, file: DropFile) -> bool:
        """Whether the settings hold what comes in this folder; no row can name itself out of that."""
        kind, name = self._desk.scope(file.strategy)
        return kind == "strategy" and self._desk.holds(name)

    def too_late(self, file: DropFile) -> Refusal | None:
        """Why no row of this file is taken any more."""
        if file.refused:
            return Refusal(Code.ROW_LATE)
        return Refusal(Code.DAY_OVER, value=file.day.isoformat()) if file.day < self._today else None
