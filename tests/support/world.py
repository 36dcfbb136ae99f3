"""The writer's side of the crash tests: drops files in every style, and knows what must have come of each row."""

import random
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from orderdrop.system.clock import SystemClock, trade_date

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
LIVE_SYMBOLS = ("SHSE.018014", "SZSE.000001")
"""The paper broker leaves their orders open, so that they can be cancelled."""

SYMBOLS = (*LIVE_SYMBOLS, "SHSE.600000", "SZSE.000572", "SZSE.000002", "SZSE.000010")


class Row(NamedTuple):
    sid: str
    account_id: str
    symbol: str
    volume: int
    price: str

    @property
    def line(self) -> str:
        return f"{self.sid},{self.account_id},{self.symbol},{self.volume},1,1,{self.price}\n"


class World:
    """good: rows that must trade, once. bad: sids that must not. cancelled: sids whose cancel must be answered.

    whole: contents of files that were written to their end, of which each must be kept byte for byte.
    """

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.inbox = root, root / "inbox"
        self.inbox.mkdir(parents=True)
        self.random = random.Random(seed)
        self.seed = seed
        self.good: dict[str, Row] = {}
        self.bad: set[str] = set()
        self.cancelled: set[str] = set()
        self.whole: list[bytes] = []
        self._count = 0
        self._redroppable: list[tuple[str, bytes]] = []
        self._mendable: list[list[Row]] = []
        self._open: list[
            tuple[Path, bytes, bytes]
        ] = []  # slow writes: file, all of it, what is still to be written
        self._followed = self.inbox / f"{trade_date(SystemClock().now()):%Y%m%d}.order.csv"
        self._followed_rest = b""
        self._followed.write_text(HEADER)

    # what is dropped

    def act(self, times: int) -> None:
        for _ in range(times):
            self.random.choice(
                (self.rename_in, self.rename_in, self.write_slowly, self.go_on, self.append, self.append, self.with_fin,
                 self.duplicate, self.drop_again, self.basket_with_a_bad_row, self.mend, self.conflict, self.cancel_unknown)
            )()  # fmt: skip

    def act_between_lives(self) -> None:
        """What is done while no router runs."""
        self.random.choice((self.rewrite_followed, self.cancel_live, self.cancel_live, self.drop_again))()

    def finish(self) -> None:
        while self._open:
            self.go_on()
        self._append(self._followed_rest)
        self._followed_rest = b""

    def rename_in(self) -> None:
        self._drop(self._name(), self._content(self._good_rows()))

    def write_slowly(self) -> None:
        content = self._content(self._good_rows())
        cut = self.random.randrange(1, len(content))
        cut -= content[cut - 1 : cut] == b"\n"  # within a line, or the file would look finished
        path = self.inbox / self._name()
        path.write_bytes(content[:cut])
        self._open.append((path, content, content[cut:]))

    def go_on(self) -> None:
        if not self._open:
            return
        path, content, rest = self._open.pop(0)
        with path.open("ab") as file:
            file.write(rest)
        self.whole.append(content)
        self._redroppable.append((path.name, content))

    def append(self) -> None:
        """To the followed file, sometimes only a part of the last row, and bad rows among the good ones."""
        rows = "".join(row.line for row in self._good_rows())
        if self.random.random() < 0.3:
            rows += self._bad_line()
        text = self._followed_rest + rows.encode()
        keep = self.random.randrange(30) if self.random.random() < 0.4 else 0
        cut = len(text) - keep
        self._append(text[:cut])
        self._followed_rest = text[cut:]

    def rewrite_followed(self) -> None:
        """In another order, with a new row at the top."""
        if self._followed_rest:
            self._append(self._followed_rest)
            self._followed_rest = b""
        header, *lines = self._followed.read_bytes().splitlines(keepends=True)
        self.random.shuffle(lines)
        new = b"".join(row.line.encode() for row in self._good_rows())
        self._followed.write_bytes(header + new + b"".join(lines))

    def with_fin(self) -> None:
        """The last line has no newline; `.fin` says that it is whole."""
        content = self._content(self._good_rows())[:-1]
        path = self.inbox / self._name()
        path.write_bytes(content)
        path.with_name(f"{path.name}.fin").touch()
        self.whole.append(content)

    def duplicate(self) -> None:
        if self._redroppable:
            _name, content = self.random.choice(self._redroppable)
            self._drop(self._name(), content)

    def drop_again(self) -> None:
        """Under its old name: the writer does not know whether it was taken."""
        if self._redroppable:
            self._drop(*self._redroppable[-1])

    def basket_with_a_bad_row(self) -> None:
        rows = self._rows()
        lines = [row.line for row in rows]
        lines.insert(self.random.randrange(len(lines) + 1), self._bad_line())
        self.bad |= {row.sid for row in rows}
        self._mendable.append(rows)
        self._drop(self._name(), (HEADER + "".join(lines)).encode(), remember=False)

    def mend(self) -> None:
        """The basket once more, without its bad row. A sid whose row was refused is not used up."""
        if self._mendable:
            rows = self._mendable.pop()
            self._note_good(rows)
            self._drop(self._name(), self._content(rows))

    def conflict(self) -> None:
        """A sid that has traded, with another volume: the basket is refused whole."""
        known = self._in_journal("SELECT sid FROM orders WHERE sid_key IS NOT NULL")
        if not known:
            return
        taken = self.good[self.random.choice(known)]
        others = self._rows()
        self.bad |= {row.sid for row in others}
        rows = [*others, taken._replace(volume=taken.volume + 1000)]
        self._drop(self._name(), self._content(rows), remember=False)

    def cancel_unknown(self) -> None:
        self._drop(self._name(".cancel_order.csv"), b"sid,comment\nNOBODY-1,\n", remember=False)

    def cancel_live(self) -> None:
        live = self._in_journal("SELECT sid FROM orders WHERE status IN ('new', 'partially_filled')")
        wanted = [sid for sid in live if self.random.random() < 0.5]
        if wanted:
            self.cancelled |= set(wanted)
            text = "sid,comment\n" + "".join(f"{sid},\n" for sid in wanted)
            self._drop(self._name(".cancel_order.csv"), text.encode(), remember=False)

    # details

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _name(self, ending: str = ".csv") -> str:
        return f"f{self._number()}{ending}"

    def _rows(self) -> list[Row]:
        return [
            Row(
                f"S{self.seed}-{self._number()}",
                f"acc{self.random.randrange(2)}",
                self.random.choice(SYMBOLS),
                self.random.randrange(1, 50) * 100,
                str(Decimal(self.random.randrange(100, 9000)) / 100),
            )
            for _ in range(self.random.randrange(1, 6))
        ]

    def _good_rows(self) -> list[Row]:
        rows = self._rows()
        self._note_good(rows)
        return rows

    def _note_good(self, rows: list[Row]) -> None:
        self.good |= {row.sid: row for row in rows}
        self.bad -= {row.sid for row in rows}

    def _bad_line(self) -> str:
        sid = f"B{self.seed}-{self._number()}"
        self.bad.add(sid)
        wrong = self.random.choice(
            ("ten,1,1,9.99", "150,1,1,9.99", "100,1,7,9.99", "100,1,1,9.999", "100,1,1")
        )
        return f"{sid},acc0,SHSE.600000,{wrong}\n"

    def _content(self, rows: list[Row]) -> bytes:
        return (HEADER + "".join(row.line for row in rows)).encode()

    def _drop(self, name: str, content: bytes, *, remember: bool = True) -> None:
        temporary = self.root / f"{name}.new"
        temporary.write_bytes(content)
        temporary.rename(self.inbox / name)
        self.whole.append(content)
        if remember:
            self._redroppable.append((name, content))

    def _append(self, content: bytes) -> None:
        with self._followed.open("ab", buffering=0) as file:
            file.write(content)

    def _in_journal(self, query: str) -> list[str]:
        return [row[0] for row in read(self.root / "journal.db", query)]


def read(path: Path, query: str) -> list[tuple]:
    """Rows of a database that may not be there yet."""
    if not path.exists():
        return []
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(query).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []
        raise
    finally:
        connection.close()
