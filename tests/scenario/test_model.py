"""Anything, in any order: each sid that was accepted is executed once, with the values of its first accepted row; one whose cancel was there before it, never."""

import shutil
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from routed_desk import TODAY, Desk

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
SYMBOLS = ("SHSE.600000", "SHSE.018014")
PRICES = {"SHSE.600000": "10.35", "SHSE.018014": "100.005"}

Row = tuple[str, str, int]
rows = st.lists(
    st.tuples(
        st.sampled_from([f"S{n}" for n in range(12)]), st.sampled_from(SYMBOLS), st.sampled_from([100, 200])
    ),
    min_size=1,
    max_size=4,
)


def table(of: list[Row]) -> str:
    return HEADER + "".join(
        f"{sid},acc,{symbol},{volume},1,1,{PRICES[symbol]}\n" for sid, symbol, volume in of
    )


class Trading(RuleBasedStateMachine):
    """accepted: what must have been executed, but for those that a cancel has met. early: sids that are to be cancelled when they come.

    followed: the rows that stand in the followed file.
    """

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.desk = Desk(self.folder)
        self.accepted: dict[str, Row] = {}
        self.early: set[str] = set()
        self.met: set[str] = set()
        self.followed: list[Row] = []
        self.baskets: list[list[Row]] = []
        self.halted, self.names = False, 0

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.desk.close()
            shutil.rmtree(self.folder)

    @rule(of=rows)
    def drop(self, of: list[Row]) -> None:
        """A basket goes whole or not at all."""
        self.baskets.append(of)
        seen = dict(self.accepted)
        for row in of:
            if seen.setdefault(row[0], row) != row:
                return self._drop(table(of))
        if not (self.halted and len(seen) > len(self.accepted)):
            self.accepted = seen
            self._meet()
        return self._drop(table(of))

    @rule(data=st.data())
    def duplicate(self, data) -> None:
        if self.baskets:
            self.drop(data.draw(st.sampled_from(self.baskets)))

    @rule(of=rows)
    def append(self, of: list[Row]) -> None:
        content = table(of) if not self.followed else table(of)[len(HEADER) :]
        self.followed += of
        self._accept_each(of)
        self.desk.append(f"{TODAY}.order.csv", content)
        self.desk.route()

    @rule(of=rows, data=st.data(), while_down=st.booleans())
    def rewrite(self, of: list[Row], data, while_down: bool) -> None:
        """The file of the day once more: some old rows, some new ones, in any order."""
        if not self.followed:
            return
        kept = data.draw(st.lists(st.sampled_from(self.followed), max_size=4))
        self.followed = data.draw(st.permutations([*of, *kept]))
        self._accept_each(self.followed)
        if while_down:
            self.desk.close()
        time.sleep(0.012)  # a change within one tick of the file system's clock cannot be seen
        (self.desk.inbox / f"{TODAY}.order.csv").write_text(table(self.followed))
        self.desk.route()

    @rule(sid=st.sampled_from([f"S{n}" for n in range(12)]))
    def cancel(self, sid: str) -> None:
        if sid not in self.accepted:
            self.early.add(sid)
        self._drop(f"sid,comment\n{sid},\n", ".cancel_order.csv")

    @rule()
    def halt(self) -> None:
        (self.desk.inbox / "HALT").touch()
        self.halted = True
        self.desk.route()

    @rule()
    def resume(self) -> None:
        (self.desk.inbox / "HALT").unlink(missing_ok=True)
        self.halted = False
        self.desk.route()

    @rule()
    def restart(self) -> None:
        self.desk.restart()

    @rule()
    def crash(self) -> None:
        self.desk.crash()
        self.desk.route()

    @invariant()
    def each_accepted_sid_is_executed_once_with_its_first_values(self) -> None:
        if hasattr(self, "desk"):
            executed = [(sid, symbol, volume) for sid, symbol, volume, _status in self.desk.at_broker()]
            assert sorted(executed) == sorted(
                row for sid, row in self.accepted.items() if sid not in self.met
            )
            statuses = self.desk.statuses()
            assert {statuses.get(sid) for sid in self.met} <= {"canceled"}

    def _accept_each(self, of: list[Row]) -> None:
        for row in of if not self.halted else ():
            self.accepted.setdefault(row[0], row)
        self._meet()

    def _meet(self) -> None:
        """Orders that have just come for which a cancel waits."""
        self.met |= self.early & self.accepted.keys()
        self.early -= self.met

    def _drop(self, content: str, ending: str = ".csv") -> None:
        self.names += 1
        self.desk.route({f"f{self.names}{ending}": content})


TestTrading = Trading.TestCase
TestTrading.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
