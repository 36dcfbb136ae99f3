"""The door to a terminal: the port that every gateway fills, and the values that pass through it.

The router writes its intent down, calls `submit`, and writes down the result. A gateway never retries a hand-over by
itself: what it cannot say for sure is `unknown`, and `settle` looks for evidence later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple, NewType, Protocol, runtime_checkable

from orderdrop.domain.report import Account, Report
from orderdrop.domain.security import Security
from orderdrop.errors import GatewayError
from orderdrop.system.clock import Micros

Cursor = NewType("Cursor", str)
"""How far a gateway's reports have been journaled; "" is the beginning. Only its gateway knows what is in it."""


class Outgoing(NamedTuple):
    """An order as a gateway is given it. `sid` is the one the terminal sees."""

    sid: str
    account_id: str
    symbol: str
    volume: int
    order_type: int
    order_business: int
    price: Decimal | None
    remark: str


class Batch(NamedTuple):
    """What is handed over in one go: `content` is what `encode` made, as it was journaled before.

    places: what `Gateway.places` said when it was made; None: that was not noted, and proves nothing.
    """

    id: int
    content: bytes
    places: Mapping[str, Any] | None = None


class Cancel(NamedTuple):
    """A wish to cancel. Idempotent: handing it over twice does no harm."""

    sid: str
    account_id: str


class Outcome(StrEnum):
    TAKEN = "taken"
    """The terminal has it, or will read it from where it was put."""

    UNKNOWN = "unknown"
    """Nobody can say; it counts as live until evidence settles it."""

    NEVER_LEFT = "never_left"
    """Proven: it did not leave this process, and can be handed over safely."""


class SubmitResult(NamedTuple):
    """doubtful: with UNKNOWN, that only these order ids are in doubt, and that the others of the batch never left."""

    outcome: Outcome
    detail: str = ""
    doubtful: frozenset[str] = frozenset()


SEEN_BEFORE: Final = "终端里已有这个编号，没有再送；先在终端核对 / the terminal has this sid already, it was not handed over again: look into the terminal"
"""Why the last gate holds an order: whatever the journal says, what the terminal or our own ledger shows is never sent again."""


class Trace(NamedTuple):
    """What can be said of orders that left and were not confirmed.

    absent: the broker's lists prove that it never had them; only these may ever be handed over again, and only if their account, as it was
    told after `since`, agrees (see domain/agreement). unsent: those of them for which no call was ever begun, which needs no agreement.
    words: why the others are in doubt, for people, in both languages. noes: what the terminal said against those of them that it refused in
    words only: no proof by itself, the broker's no once their account agrees (see `RefusesInWords`).
    """

    absent: frozenset[str]
    words: str
    since: Micros = Micros(0)
    unsent: frozenset[str] = frozenset()
    noes: Mapping[str, str] = {}


class Leftover(NamedTuple):
    """A file that was left in a terminal's folder. moved_to: None when it stays, `why` says why."""

    path: Path
    moved_to: Path | None
    why: str = ""


@runtime_checkable
class TakesFiles(Protocol):
    """What the day's end asks beside the port, of a gateway whose terminal takes files out of a folder."""

    def sids(self, content: bytes) -> Sequence[str]:
        """The order ids that stand in a batch's bytes."""
        ...

    def taken(self, day: date) -> Sequence[str] | None:
        """The order ids in the terminal's own archive of what it took from us on a day; None when it keeps none. Raises GatewayError."""
        ...

    def take_back(self, batch: Batch) -> bool:
        """Take an untaken file out of the folder. True: it was there, and no row of it has shown up yet. Raises GatewayError."""
        ...


@runtime_checkable
class DeliversInstruments(Protocol):
    """What is asked beside the port of a gateway whose terminal knows the day's securities.

    Invariants: it is called from a thread of its own and may take its time; it holds up nothing that the router's thread asks for, and
    `close` ends it soon.
    """

    def instruments(self, day: date) -> Generator[Security, None, None]:
        """All that the terminal knows of securities on that day, and nothing of any other day. Raises GatewayError."""
        ...


class Stopped(GatewayError):
    """A batch was left in the middle because a switch was thrown; `settle` tells what has left from what has not."""


@runtime_checkable
class SaysTrouble(Protocol):
    """A gateway that is cut off from its terminal without `poll` raising: it knows what it has heard before, and nothing new."""

    @property
    def trouble(self) -> str:
        """Why nothing is heard now, bilingual; "" when all is well."""
        ...


@runtime_checkable
class RefusesInWords(Protocol):
    """A gateway whose terminal may refuse an order in words, and never list it."""

    def refuse(self, batch: Batch, sids: Collection[str]) -> None:
        """Tell these of `Trace.noes` as rejected, with the next poll: no list has them, and their account has no room for them."""
        ...


class CallsOneByOne:
    """A gateway whose `submit` makes a call for each order: between two of them it asks `stopped`, and if so raises Stopped."""

    stopped: Callable[[], bool] = staticmethod(lambda: False)


@runtime_checkable
class CountsUnreadable(Protocol):
    """What is asked beside the port of a gateway whose terminal may write what does not read."""

    @property
    def bad_rows(self) -> dict[str, int]:
        """What did not read since the start, counted by what is wrong with it."""
        ...


class Gateway(Protocol):
    """One terminal.

    Invariants: `encode` is pure. `submit`, `cancel`, `poll`, `settle` and `account` are called from the router's thread only.
    A second `submit` of a batch may happen only after `settle` said NEVER_LEFT, and an order goes into another batch only after
    `settle` said NEVER_LEFT or `trace` called it absent. The last gate: a journal may be older than what was sent, so `submit` itself
    hands over no sid that stands in the terminal's output, its answers or the gateway's own ledger, unless `settle` or `trace` has said so
    of it: that is UNKNOWN. Faults raise GatewayError.
    """

    @property
    def name(self) -> str: ...

    @property
    def live(self) -> bool:
        """False for paper, simulated accounts and stand-in terminals."""
        ...

    @property
    def keeps_days(self) -> bool:
        """Whether `settle` can call a batch of an earlier day NEVER_LEFT; else it knows today's only."""
        ...

    @property
    def lag(self) -> int:
        """Microseconds by which an account's snapshot may be behind what has happened."""
        ...

    @property
    def pulse(self) -> float:
        """Seconds between two polls; 0: a poll after each turn is enough."""
        ...

    def watched(self) -> Sequence[Path]:
        """Folders in which a change means that a poll is worth while."""
        ...

    def open(self) -> None:
        """Connect, or check the folders; called before anything else and again after a fault."""
        ...

    def close(self) -> None: ...

    def room(self) -> int:
        """How many orders may be handed over now; what does not fit stays READY, in order."""
        ...

    def encode(self, orders: Iterable[Outgoing]) -> bytes:
        """The exact bytes to be handed over. They are journaled first."""
        ...

    def submit(self, batch: Batch) -> SubmitResult: ...

    def cancel(self, cancels: Sequence[Cancel]) -> None: ...

    def settle(self, batch: Batch) -> dict[str, Outcome]:
        """Returns, after a crash and by evidence, whether each sid of a batch left whose hand-over was never noted."""
        ...

    def remember(self, batches: Iterable[Batch]) -> None:
        """Today's batches of before this start, oldest first, also those whose hand-over was never noted; once, before `settle` and `poll`."""
        ...

    def trace(self, batch: Batch, sids: Collection[str], since: Micros) -> Trace:
        """Returns what can be proven of these orders of a batch that nobody has confirmed in time. Asks, changes nothing.

        since: evidence that is older proves nothing; by then every order handed over later was confirmed, or called absent itself.
        """
        ...

    def close_day(self, folder: Path, open_sids: Collection[str]) -> list[Leftover]:
        """After the close: put what the terminal's folders still hold away in `folder`, but nothing that tells of an open order."""
        ...

    def poll(self, after: Cursor, limit: int) -> tuple[list[Report], Cursor]:
        """New reports in the broker's order, at most about `limit`, and the cursor behind them.

        Read-only: the cursor moves only when the router has journaled the reports and asks again with it.
        """
        ...

    def account(self, account_id: str) -> Account | None:
        """The newest snapshot, None if the terminal has not told one yet. Its two times are those of what it says, never newer:
        `at` of the funds, `held_at` of the holdings, None while those were never told.
        """
        ...

    def remembered(self, account_id: str) -> Account | None:
        """`account`, as it was last read: asks nobody."""
        ...

    def places(self) -> Mapping[str, Any] | None:
        """How far what the terminal tells of orders is read, as JSON has it; asks nobody. `trace` is given it again with the batch.

        None: a broker that is never silent has nothing to prove.
        """
        ...

    def accounts(self) -> Sequence[str]:
        """The accounts this gateway knows of."""
        ...
