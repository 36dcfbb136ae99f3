"""What becomes of the orders of a block: looks their sids up, asks the checks, and counts what passes for those that come behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from orderdrop.admission.pending import Accepted, Pending
from orderdrop.admission.repeating import NOTHING_SAID, Said
from orderdrop.admission.verdict import Verdict, conflict, told
from orderdrop.domain.identity import SidScope, day_number, sid_key, sid_keys, wire_sid
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Code, Refusal, RowError
from orderdrop.domain.switches import ALL, ScopeKey
from orderdrop.intake import Block
from orderdrop.journal.records import Known
from orderdrop.journal.writer import Writer
from orderdrop.risk import checks

_WORTH_COLUMNS: Final = 8  # orders


class Judge:
    """Of one transaction. What it accepts is `pending.accepted_keys` from then on."""

    def __init__(
        self,
        writer: Writer,
        pending: Pending,
        context: checks.Context,
        check: Callable[[Order, checks.Context], Refusal | None],
        *,
        today: date,
        scope: SidScope,
        counts: bool,
    ) -> None:
        """counts: whether any rule asks what was ordered before."""
        self._writer = writer
        self._pending = pending
        self._context = context
        self._ledger = context.around.ledger
        self._check = check
        self._today = today
        self._scope = scope
        self._counts = counts
        day = day_number(today)
        self._awaited = writer.awaited(day, lambda sid: (sid_key(wire_sid(sid, today, scope)), sid_key(sid)))
        self.cancels_found = False  # whether an order has come for which a cancel waits
        self._days = [*writer.unmoved_days(day), day] if scope == "forever" else [day]

    # sids

    def keys(self, orders: Sequence[Order]) -> list[int]:
        if self._scope == "forever":
            return sid_keys([order.sid for order in orders])
        return sid_keys([wire_sid(order.sid, self._today, self._scope) for order in orders])

    def keys_of(self, sids: Sequence[str]) -> list[int]:
        return [sid_key(wire_sid(sid, self._today, self._scope)) for sid in sids]

    def known(self, keys: Sequence[int]) -> dict[int, Known]:
        """The orders that have used these sids up."""
        return self._writer.known(keys, self._days, past=self._scope == "forever") if keys else {}

    def used_before(self, drop_id: int) -> bool:
        """Whether any sid of this drop, which is written, was used up on a day gone by."""
        return self._writer.used_before(drop_id, self._days, past=self._scope == "forever")

    # verdicts

    def decide(
        self,
        drop_id: int,
        block: Block,
        keys: Sequence[int],
        known: Mapping[int, Known],
        refuse: str = "",
        said: Said = NOTHING_SAID,
        folder: ScopeKey = ALL,
    ) -> Verdict:
        """Sort the rows of a block into accepted, denied, repeated and bad ones.

        refuse: why none of them may go, if so. said: what those without a sid say, and whether it was ordered before. folder: what the
        drop's folder names.
        """
        verdict, base = Verdict([], [], [], list(block.errors)), drop_id << 32
        if not refuse and said.plain and self.all_well(block.orders, keys, known):
            ids = map(base.__or__, [order.row for order in block.orders])
            verdict.accepted.extend(zip(ids, keys, block.orders, strict=True))
            self._pending.accepted_keys.update(zip(keys, verdict.accepted, strict=True))
            return verdict
        awaited = self._awaited
        mine, accept, check, context = (
            self._pending.accepted_keys,
            verdict.accepted.append,
            self._check,
            self._context,
        )
        repeats = not said.plain
        if self._counts or folder != context.folder:
            context = replace(context, origin=(drop_id, context.around.now), folder=folder)
        for order, key in zip(block.orders, keys, strict=True):
            earlier = known.get(key) or mine.get(key)
            if earlier is not None:
                _repeat(verdict, order, earlier, nameless=order.row in said.keys)
                continue
            if repeats and (again := said.duplicate(order.row)) is not None:
                verdict.repeated.append((order._replace(sid=again.sid), again.id))
                continue
            refusal, judged = check(order, context), order
            if refusal is None and (self._counts or order.not_before):
                refusal, judged = self._count(base | order.row, order, context)
            if refusal is None and refuse:
                refusal = Refusal(Code.NOT_SENT, value=refuse)
            if refusal is not None:
                verdict.denied.append((base | order.row, order, refusal))
                continue
            if repeats or key in awaited:
                self._hold_besides(base | order.row, key, said.hold(order.row))
            mine[key] = accepted = (base | order.row, key, judged)
            accept(accepted)
        return verdict

    def all_well(self, orders: Sequence[Order], keys: Sequence[int], known: Mapping[int, Known]) -> bool:
        """Whether all of many orders are new and pass, as far as that can be told of all at once."""
        if self._counts or len(orders) < _WORTH_COLUMNS or self._check is not checks.check:
            return False
        if self._awaited and not self._awaited.isdisjoint(keys):
            return False
        new = known.keys().isdisjoint(keys) and self._pending.accepted_keys.keys().isdisjoint(keys)
        return new and len(set(keys)) == len(keys) and checks.all_pass(orders, self._context)

    def _hold_besides(self, order_id: int, key: int, repeated: checks.Hold | None) -> None:
        """What no check knows of: it repeats an earlier row; or a cancel was there before it, by which it ends with this transaction."""
        if repeated is not None:
            self._pending.hold(order_id, repeated)
        if key in self._awaited:
            self._pending.hold(order_id, checks.Hold(None, Refusal(Code.CANCELED_HERE)))
            self.cancels_found = True

    def _count(self, order_id: int, order: Order, context: checks.Context) -> tuple[Refusal | None, Order]:
        """Whether the order has to wait, and what is to be said of it; it counts for those that come behind it."""
        holds = checks.holds(order, context)
        if isinstance(holds, Refusal):
            return holds, order
        said = [*filter(None, [order.note]), *map(told, checks.warnings(order, context))]
        if holds:
            self._pending.hold(order_id, *holds)
            first = checks.combined(
                holds, by_settings=self._pending.held_by_settings(order, context.folder)
            ).why
            said += [told(hold.why) for hold in holds if hold.why is not first]
        entry = checks.entry_of(order, context)
        if entry.price is not order.price:
            self._pending.worth[order_id] = entry.price * entry.volume
        self._ledger.accept(order_id, entry)
        return None, order._replace(note="; ".join(said))


def _repeat(verdict: Verdict, order: Order, earlier: Known | Accepted, *, nameless: bool) -> None:
    """nameless: it has its sid from what it says, which a remark is no part of."""
    different = conflict(order._replace(remark=_remark_of(earlier)) if nameless else order, earlier)
    if different is None:
        verdict.repeated.append((order, earlier[0]))
    else:
        verdict.errors.append(RowError(order.row, order.sid, different))


def _remark_of(earlier: Known | Accepted) -> str:
    return (earlier.remark if isinstance(earlier, Known) else earlier[2].remark) or ""
