"""Owns how a row of cells becomes an order, an instruction or a row error: exactly one of them, and the file goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import ClassVar, NamedTuple, TypeVar, cast

from orderdrop.domain.order import DropKind, Instruction, Order, OrderType
from orderdrop.domain.refusal import Code, Refusal, RowError, Said
from orderdrop.domain.symbol import SPACES
from orderdrop.intake.beside import Beside
from orderdrop.intake.cells import CLIP, SEMICOLON, Line, Odd, Oddity
from orderdrop.intake.columns import ORDER_COLUMNS, Layout, column_named, is_header, passed_over
from orderdrop.intake.surroundings import no_row
from orderdrop.intake.values import (
    Mended,
    Reading,
    are_sids,
    is_empty,
    is_sid,
    read_account,
    read_name,
    read_order_type,
    read_price,
    read_remark,
    read_sid,
    read_side,
    read_symbol_cell,
    read_time,
    read_volume,
    type_in_side,
)

V = TypeVar("V")

BLOCK_ROWS = 2000
_REMEMBERED = 8192  # texts a column remembers
_WORTH_COLUMNS = 8  # rows
_LAYOUTS = 64
_LIMIT = int(OrderType.LIMIT)
_SAID_AT_MOST = 128
"""Characters of a cell of a refused row that are told its sender."""


class Context(NamedTuple):
    """What a reader needs to know besides the bytes.

    accounts: account id or alias -> account id; empty: any account is taken as written.
    default_account: for a row without one; None: such a row is refused.
    strategy: the sub-folder's name, "" for none; for a row without one.
    derive: (line number, the line without its end) -> sid, for a row without one; called once for each such row, in order.
    """

    accounts: Mapping[str, str]
    default_account: str | None
    strategy: str
    derive: Callable[[int, str], str]


class Block(NamedTuple):
    """The results of some rows, in their order. rows: how many; each is in exactly one of the lists."""

    orders: list[Order]
    instructions: list[Instruction]
    errors: list[RowError]
    rows: int


class Column(dict[str, V]):
    """Remembers what a cell's text means; what is odd is read anew each time and told to `oddities`."""

    __slots__ = ("_name", "_oddities", "_read")

    def __init__(self, name: str, read: Callable[[str], Reading[V]], oddities: list[Oddity]) -> None:
        super().__init__()
        self._name, self._read, self._oddities = name, read, oddities

    def __missing__(self, text: str) -> V:
        reading = self._read(text)
        if isinstance(reading, Refusal):
            self._oddities.append(reading._replace(column=self._name))
            return cast("V", None)  # never used: the row is refused
        if isinstance(reading, Mended):
            self._oddities.append(f"{self._name}: {reading.note}" if reading.note else "")
            return cast("V", reading.value)
        if len(self) >= _REMEMBERED:
            self.clear()
        self[text] = reading
        return reading


class Rows:
    """Reads the rows of drops that share a layout and a context, one at a time; what their cells mean is remembered."""

    _made: ClassVar[dict[tuple[int, int, str | None, str], Rows]] = {}

    @classmethod
    def of(cls, layout: Layout, context: Context) -> Rows:
        """The one for this layout and context: a thousand small files with the same header learn their words once."""
        key = (id(layout), id(context.accounts), context.default_account, context.strategy)
        rows = cls._made.get(key)
        if rows is None:
            if len(cls._made) >= _LAYOUTS:
                cls._made.clear()
            rows = cls._made[key] = cls(layout, context)
        rows._derive = context.derive
        return rows

    def __init__(self, layout: Layout, context: Context) -> None:
        self._layout = layout
        self._accounts = context.accounts  # held, so that its id stays its own
        self._default = context.default_account
        self._derive = context.derive
        self._oddities: list[Oddity] = []
        self._pick = itemgetter(*map(layout.place, ORDER_COLUMNS))
        self._tail = ["", *layout.constants]
        """The cell of a column that the file does not have, and what stands for every row."""
        self._beside = Beside(layout) if Beside.is_needed(layout) else None
        grouped = (
            layout.delimiter != SEMICOLON
        )  # where cells end with semicolons, a comma may be a decimal point
        account = partial(read_account, accounts=context.accounts, default=context.default_account)
        self._account_id = self._column("account_id", account)
        self._symbol = self._column("symbol", read_symbol_cell)
        self._volume = self._column("volume", partial(read_volume, grouped=grouped))
        self._order_type = self._column("order_type", read_order_type)
        self._order_business = self._column("order_business", read_side)
        self._price = self._column("price", partial(read_price, grouped=grouped))
        self._remark = self._column("remark", read_remark)
        self._strategy = self._column("strategy", lambda text: read_name(text) or context.strategy)
        self._not_before = self._column("not_before", read_time)
        self._not_after = self._column("not_after", read_time)

    def _column(self, column: str, read: Callable[[str], Reading[V]]) -> Column[V]:
        return Column(self._layout.name(column), read, self._oddities)

    def read(self, numbers: Sequence[int], lines: Sequence[str | None], table: Sequence[Line]) -> Block:
        """numbers: of the lines. table: the cells of each line."""
        if self._beside is not None:
            table = self._beside.look(numbers, table)
        return self._read(numbers, lines, table)

    def _read(self, numbers: Sequence[int], lines: Sequence[str | None], table: Sequence[Line]) -> Block:
        read = self._orders if self._layout.kind is DropKind.ORDER else self._instructions
        return read(numbers, lines, table)

    def _orders(self, numbers: Sequence[int], lines: Sequence[str | None], table: Sequence[Line]) -> Block:
        """By columns where a block is plain, else row by row: a remembered cell costs a third of that by columns."""
        plain = self._plain_orders(numbers, table) if len(table) >= _WORTH_COLUMNS else None
        return self._each_order(numbers, lines, table) if plain is None else Block(plain, [], [], len(plain))

    def _plain_orders(self, numbers: Sequence[int], table: Sequence[Line]) -> list[Order] | None:
        """The orders of a block in which every row has its width, its sid and its order type, and nothing is odd; else None."""
        if set(map(type, table)) != {list} or set(map(len, table)) != {self._layout.width}:
            return None
        columns = [*zip(*table, strict=True)]
        sid_place = self._layout.place("sid")
        if sid_place >= self._layout.width or not are_sids(columns[sid_place]):
            return None

        def read(name: str, meaning: Column[V]) -> list[V]:
            place = self._layout.place(name)
            if place >= self._layout.width:  # the file does not have it
                return [meaning[self._tail[place - self._layout.width]]] * len(table)
            return [*map(meaning.__getitem__, columns[place])]

        kinds, prices = read("order_type", self._order_type), read("price", self._price)
        if None in kinds:
            kinds = [
                kind or (None if yuan is None else _LIMIT) for kind, yuan in zip(kinds, prices, strict=True)
            ]
        rows = zip(
            numbers, columns[sid_place], read("account_id", self._account_id), read("symbol", self._symbol),
            read("volume", self._volume), kinds, read("order_business", self._order_business), prices,
            read("remark", self._remark), read("strategy", self._strategy), repeat(""),
            read("not_before", self._not_before), read("not_after", self._not_after),
        )  # fmt: skip
        if self._oddities or None in kinds:
            self._oddities.clear()
            return None
        return [*map(tuple.__new__, repeat(Order), rows)]

    def _each_order(
        self, numbers: Sequence[int], lines: Sequence[str | None], table: Sequence[Line]
    ) -> Block:
        block = Block([], [], [], 0)
        width, oddities = self._layout.width, self._oddities
        pick = self._pick
        accounts, symbols, volumes, types = self._account_id, self._symbol, self._volume, self._order_type
        sides, prices, remarks, strategies = self._order_business, self._price, self._remark, self._strategy
        befores, afters = self._not_before, self._not_after
        new, append, good_sid, tail = tuple.__new__, block.orders.append, is_sid, self._tail
        for row, line, cells in zip(numbers, lines, table, strict=True):
            if type(cells) is not list or len(cells) != width:
                self._odd_line(block, row, line, cells)
                continue
            cells.extend(tail)
            sid, account, symbol, volume, kind, side, price, remark, strategy, before, after = pick(cells)
            name = sid if good_sid(sid) else self._sid(sid, row, line or "")
            yuan = prices[price]
            order = new(  # what Order(…) does, in a third of the time
                Order,
                (
                    row,
                    name,
                    accounts[account],
                    symbols[symbol],
                    volumes[volume],
                    types[kind] or self._implied_type(yuan),
                    sides[side],
                    yuan,
                    remarks[remark],
                    strategies[strategy],
                    "",
                    befores[before],
                    afters[after],
                ),
            )
            if oddities:
                self._odd_row(block, order, cells)
            else:
                append(order)
        return _counted(block)

    def _instructions(
        self, numbers: Sequence[int], lines: Sequence[str | None], table: Sequence[Line]
    ) -> Block:
        block = Block([], [], [], 0)
        width = self._layout.width
        pick = itemgetter(self._layout.place("sid"), self._layout.place("remark"))
        for row, line, cells in zip(numbers, lines, table, strict=True):
            beyond: list[str] = []
            if type(cells) is list and len(cells) > width and self._layout.may_go_on:
                beyond = [cell for cell in cells[width:] if cell.strip(SPACES)]
                del cells[width:]
            if type(cells) is not list or len(cells) != width or _is_blank(line):
                self._odd_line(block, row, line, cells)
                continue
            cells.extend(self._tail)
            sid, remark = pick(cells)
            note = passed_over(", ".join(beyond)) if beyond else ""
            instruction = Instruction(row, self._given(sid), self._remark[remark], note)
            if self._oddities or (column_named(sid) == "sid" and is_header(cells)):
                self._odd_row(block, instruction, cells)
            else:
                block.instructions.append(instruction)
        return _counted(block)

    def _sid(self, text: str, row: int, line: str) -> str:
        return self._derive(row, line) if is_empty(text) else self._given(text)

    def _given(self, text: str) -> str:
        reading = read_sid(text)
        if isinstance(reading, Refusal):
            self._oddities.append(reading._replace(column=self._layout.name("sid")))
            return ""
        if isinstance(reading, Mended):
            self._oddities.append(f"{self._layout.name('sid')}: {reading.note}")
            return str(reading.value)
        return reading

    def _implied_type(self, price: Decimal | None) -> int:
        """A row with a price and no order type is a limit order; one with neither says too little."""
        if price is None:
            self._oddities.append(Refusal(Code.VALUE_MISSING, column=self._layout.name("order_type")))
        return _LIMIT

    def _odd_row(self, block: Block, outcome: Order | Instruction, cells: list[str]) -> None:
        """A row of the right width in which something was mended or refused, or that is the header once more."""
        outcome = self._with_type_of_side(outcome, cells)
        refusals = [oddity for oddity in self._oddities if isinstance(oddity, Refusal)]
        notes = [oddity for oddity in self._oddities if isinstance(oddity, str) and oddity]
        self._oddities.clear()
        if is_header(cells):
            block.errors.append(RowError(outcome.row, "", Refusal(Code.ROW_HEADER_AGAIN)))
        elif refusals and _of_texts(refusals) and (passed := no_row(self._layout, cells)) is not None:
            _say(block, outcome.row, passed)
        elif refusals:
            block.errors.append(RowError(outcome.row, self._sid_in(cells), refusals[0], self._said(cells)))
        elif isinstance(outcome, Order):
            block.orders.append(outcome._replace(note="; ".join(notes)))
        else:
            block.instructions.append(
                outcome._replace(note="; ".join([*filter(None, [outcome.note]), *notes]))
            )

    def _with_type_of_side(self, outcome: Order | Instruction, cells: list[str]) -> Order | Instruction:
        """市价买入 is a market order where no other column says the type; where one says another, the row contradicts itself."""
        if not isinstance(outcome, Order):
            return outcome
        kind = type_in_side(self._cell(cells, "order_business"))
        said = self._cell(cells, "order_type")
        if kind is None or kind == outcome.order_type:
            return outcome
        if is_empty(said):
            name = self._layout.name("order_type")
            self._oddities[:] = [
                one
                for one in self._oddities
                if not (isinstance(one, Refusal) and one.column == name and one.code is Code.VALUE_MISSING)
            ]
            return outcome._replace(order_type=kind)
        if _LIMIT in {kind, outcome.order_type}:
            side = self._cell(cells, "order_business")
            self._oddities.append(
                Refusal(Code.ORDER_TYPE_SIDE, self._layout.name("order_type"), said[:CLIP], side[:CLIP])
            )
        return outcome

    def _odd_line(self, block: Block, row: int, line: str | None, cells: Line) -> None:
        """A line that has no cells, too many or too few of them, or its oddities beside it. A blank one is passed over."""
        if isinstance(cells, Odd):
            self._oddities.extend(cells.oddities)
            told = self._read([row], [line], [cells.cells])
            block.orders.extend(told.orders)
            block.instructions.extend(told.instructions)
            block.errors.extend(told.errors)
        elif isinstance(cells, Refusal):
            block.errors.append(RowError(row, "", cells))
        elif _is_blank(line):
            return
        elif (passed := no_row(self._layout, cells)) is not None:
            _say(block, row, passed)
        else:
            again = is_header(cells)
            wrong = Refusal(Code.ROW_FIELDS, value=str(len(cells)), bound=str(self._layout.width))
            refusal = Refusal(Code.ROW_HEADER_AGAIN) if again else wrong
            # Its cells may have moved: what it names counts if there is such an account.
            said = None if again or not self._accounts else self._said(cells)
            block.errors.append(RowError(row, "" if again else self._sid_in(cells), refusal, said))

    def _sid_in(self, cells: list[str]) -> str:
        """The sid that a refused row gives, "" where none can be read."""
        place = self._layout.place("sid")
        sid = cells[place].strip(SPACES) if place < len(cells) else ""
        return sid if is_sid(sid) else ""

    def _said(self, cells: list[str]) -> Said | None:
        """What an order row gives, if it names a sid and an account that an order could have."""
        cell = {name: self._cell(cells, name) for name in Said._fields}
        account = read_account(cell["account_id"], self._accounts, self._default)
        known = account.value if isinstance(account, Mended) else account
        named = self._layout.kind is DropKind.ORDER and cell["sid"] and cell["sid"].isprintable()
        if not named or isinstance(known, Refusal) or not known:
            return None
        return Said(
            **{name: text[:_SAID_AT_MOST] for name, text in cell.items()} | {"account_id": str(known)}
        )

    def _cell(self, cells: list[str], column: str) -> str:
        place, width = self._layout.place(column), self._layout.width
        if place >= width:
            return self._tail[place - width]
        return cells[place].strip(SPACES) if place < len(cells) else ""


def with_note(order: Order, note: str) -> Order:
    return order._replace(note="; ".join(filter(None, [order.note, note])))


def _of_texts(refusals: Sequence[Refusal]) -> bool:
    """Whether it is for what the cells say: a cell of a workbook that has no text is never passed over."""
    return not any(refusal.code.startswith("CELL_") for refusal in refusals)


def _say(block: Block, row: int, passed: str) -> None:
    """Name a line that was passed over on the row before it; a separator is nothing that anybody has to know of."""
    if passed and block.orders:
        said = f"第 {row} 行“{passed[:40]}”不是委托，已略过 / row {row} is no order and was passed over"
        block.orders[-1] = with_note(block.orders[-1], said)


def _is_blank(line: str | None) -> bool:
    return line is not None and not line.strip(SPACES)


def _counted(block: Block) -> Block:
    orders, instructions, errors, _ = block
    return Block(orders, instructions, errors, len(orders) + len(instructions) + len(errors))
