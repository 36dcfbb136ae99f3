"""Rows without a sid that were ordered before: names them by what they say, and finds the same row in an earlier drop of the day.

The name decides where a whole drop comes again, under whatever name (the journal's constraint finds it). This is for a drop that comes
again in part, under its own name or that of a copy: what is equal in it was probably not meant a second time, what is new was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from orderdrop.config.sections import InboxSettings
from orderdrop.domain.hold import Hold
from orderdrop.domain.identity import spot_of
from orderdrop.domain.order import Order
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.inbox.drop_file import DropFile
from orderdrop.inbox.names import stem_of
from orderdrop.intake import Block, DropSids, FollowedSids, LaterSids, row_key
from orderdrop.journal.records import Earlier
from orderdrop.journal.writer import Writer

Act = Literal["hold", "duplicate", "new"]


@dataclass
class Said:
    """What the rows without a sid of a drop say. keys: of its rows, by their numbers; again: those that an earlier drop had."""

    keys: dict[int, int] = field(default_factory=dict)
    again: dict[int, Earlier] = field(default_factory=dict)
    act: Act = "new"
    sids: DropSids | None = None  # of a finished file that is new

    def hold(self, row: int) -> Hold | None:
        """Why a row has to wait for a person: it is a repeat, probably."""
        earlier = self.again.get(row) if self.act == "hold" else None
        return (
            None
            if earlier is None
            else Hold(None, Refusal(Code.REPEATED_ROW, "", earlier.sid, where(earlier)))
        )

    def duplicate(self, row: int) -> Earlier | None:
        return self.again.get(row) if self.act == "duplicate" else None

    @property
    def plain(self) -> bool:
        """Whether no row of it was ordered before."""
        return not self.again or self.act == "new"


NOTHING_SAID: Final = Said()


def where(earlier: Earlier) -> str:
    """`basket.csv:2`."""
    sheet, row = spot_of(earlier.id & 0xFFFFFFFF)
    return f"{earlier.drop}:{f'#{sheet + 1}!' if sheet else ''}{row}"


def said_by(blocks: Iterable[Block]) -> Iterator[int]:
    """What each order of these blocks says."""
    return (row_key(order) for block in blocks for order in block.orders)


def begin(file: DropFile, keys: Iterable[int]) -> Said:
    """Of a file without sids, all of whose rows are known. A drop that has grown keeps the space of its first rows."""
    if file.info.followed or file.drop_id:
        return Said()
    sids = DropSids(file.day, keys)
    file.sid_space = sids.space
    return Said(sids=sids)


def named(file: DropFile, said: Said, block: Block) -> Block:
    """The block with a name for each row that had none."""
    naming = file.derive
    if isinstance(naming, FollowedSids):
        rows = naming.take_named()
        said.keys |= {
            order.row: row_key(order._replace(sid="")) for order in block.orders if order.row in rows
        }
        return block
    later = LaterSids(file.day, file.sid_space)
    orders = []
    for order in block.orders:
        if order.sid:
            orders.append(order)
            continue
        said.keys[order.row] = key = row_key(order)
        name = later.name(key, order.row) if said.sids is None else said.sids.name(key)
        orders.append(order._replace(sid=name))
    return block._replace(orders=orders)


class Repeats:
    """Finds what was ordered before, by earlier drops and by those of this transaction. Made anew for each."""

    def __init__(self, writer: Writer, day: int, settings: InboxSettings) -> None:
        self._writer = writer
        self._day = day
        self._settings = settings
        self._here: dict[
            int, dict[int, Earlier]
        ] = {}  # of this transaction: by what they say, then by their ids
        self._spaces: dict[str, set[str]] = {}  # of this transaction: the drops whose rows say the same

    def taken(self, file: DropFile, drop_id: int, said: Said, orders: Collection[tuple[int, Order]]) -> None:
        """A drop was taken that is not in the journal yet. orders: the accepted ones, with their ids."""
        if said.sids is not None:
            self._spaces.setdefault(file.sid_space, set()).add(file.name)
        for order_id, order in orders:
            key = said.keys.get(order.row)
            if key is not None and said.hold(order.row) is None:
                earlier = Earlier(key, order_id, order.sid, file.name, drop_id, None)
                self._here.setdefault(key, {})[order_id] = earlier

    def look(self, keys: Collection[int]) -> dict[int, list[Earlier]]:
        """The orders of the day that say the same, oldest first."""
        found: dict[int, dict[int, Earlier]] = {
            key: dict(self._here[key]) for key in keys if key in self._here
        }
        for earlier in self._writer.said_before(sorted(keys), self._day) if keys else ():
            found.setdefault(earlier.key, {})[earlier.id] = earlier
        return {key: [orders[order_id] for order_id in sorted(orders)] for key, orders in found.items()}

    def judge(
        self, file: DropFile, said: Said, known: Callable[[], Collection[int]], others_new: Callable[[], bool]
    ) -> None:
        """Decide what becomes of the rows of `said` that were ordered before: `again`, and how it is to be taken.

        known: the rows whose names the journal has already. others_new: whether any row with a sid of its own is new.
        """
        before = self.look(set(said.keys.values()))
        if not before:
            return
        same = self._same_rows(file, said, before)
        stems = {stem_of(file.name), *map(stem_of, same)}
        usable = {
            key: [one for one in orders if stem_of(one.drop) in stems and not self._own(file, one)]
            for key, orders in before.items()
        }
        again = _matched(said.keys, usable, self._met(file, before))
        if not again:
            return
        there = known()
        nothing_new = all(row in again or row in there for row in said.keys) and not others_new()
        said.again = again
        said.act = "duplicate" if same or nothing_new else self._act(file)

    def _act(self, file: DropFile) -> Act:
        return self._settings.on_repeat or ("duplicate" if file.info.whole else "hold")

    def _own(self, file: DropFile, earlier: Earlier) -> bool:
        """Its own earlier rows say nothing: they stand in it besides. Those of a followed file have names that say enough."""
        return earlier.drop == file.name if file.info.followed else earlier.drop_id == file.drop_id

    def _met(self, file: DropFile, before: Mapping[int, Sequence[Earlier]]) -> Counter[int]:
        """How often a drop that has grown has had these rows already."""
        met: Counter[int] = Counter()
        if file.drop_id:
            repeated = self._writer.repeated_by(file.drop_id)
            for key, orders in before.items():
                met[key] = sum(one.drop_id == file.drop_id or one.id in repeated for one in orders)
        return met

    def _same_rows(self, file: DropFile, said: Said, before: Mapping[int, Sequence[Earlier]]) -> set[str]:
        """Names of the day's earlier drops that said the same as a whole."""
        if file.drop_id or file.info.followed:
            return set()
        names = self._spaces.get(file.sid_space, set()) | set(
            self._writer.drops_of_space(file.sid_space, self._day)
        )
        wanted = Counter(said.keys.values())
        drops: dict[int, Counter[int]] = {}
        whole: dict[int, Earlier] = {}
        for orders in before.values():
            for one in orders:
                drops.setdefault(one.drop_id, Counter())[one.key] += 1
                whole[one.drop_id] = one
        for drop_id, had in drops.items():
            if had == wanted and whole[drop_id].accepted == wanted.total():
                names.add(whole[drop_id].drop)
        return names


def _matched(
    keys: Mapping[int, int], before: Mapping[int, Sequence[Earlier]], met: Counter[int]
) -> dict[int, Earlier]:
    """Row for row: a row that the drop has more often than was ordered is new."""
    found, count = {}, Counter(met)
    for row, key in keys.items():
        said = before.get(key, ())
        if count[key] < len(said):
            found[row] = said[count[key]]
        count[key] += 1
    return found
