"""Anything, in any order, before a terminal with faults: nothing is executed twice, nothing is said that the terminal's ledger belies."""

import shutil
import sqlite3
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from file_desk import HEADER, FileDesk
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from orderdrop.audit.verify import verify
from orderdrop.config.workspace import Workspace
from orderdrop.domain.identity import wire_sid
from orderdrop.errors import GatewayError, JournalError
from orderdrop.gateway import closures
from orderdrop.journal.journal import reading_engine
from orderdrop.system import failpoint
from orderdrop.system.clock import Micros, iso, trade_date
from orderdrop.terminal import Faults, Kind, Stall, read_ledger

ACCOUNTS = ("A1", "A2")
PENDING = "SHSE.018014"
SYMBOLS = ("SHSE.600000", PENDING)
DAY = 86400
FAULTS = st.sampled_from(
    [
        Faults(),
        Faults(),
        Faults(lose=1.0),
        Faults(seed=3, lose=0.4),
        Faults(late=8.0),
        Faults(torn=True),
        Faults(rows_rewritten=True),
        Faults(stalls=(Stall(0.0, 20.0),)),
        Faults(restart_at=(1.0,)),
    ]
)
rows = st.lists(
    st.tuples(
        st.sampled_from(ACCOUNTS),
        st.sampled_from(SYMBOLS),
        st.sampled_from([1, 2]),
        st.sampled_from(["", "2"]),
    ),
    min_size=1,
    max_size=4,
)


KILLED_AT = (
    "commit.before", "commit.before", "commit.after", "submit.before", "submit.after", "scan.staged", "scan.renamed",
    "scan.synced", "receipt.before", "seal.before", "seal.after", "close.before", "archive.before", "archive.after",
)  # fmt: skip
FAILS_AT = {
    "commit.before": sqlite3.OperationalError("disk I/O error"),
    "scan.staged": GatewayError("the share is away"),
    "scan.renamed": GatewayError("the share is away"),
}


class Killed(BaseException):
    """The router is gone, as after kill -9."""


class MortalDesk(FileDesk):
    """A desk whose router may die or stumble wherever `failpoint` says; it is started again at once."""

    dies_of: BaseException = Killed()

    def stumble(self, point: str, of: BaseException) -> None:
        self.dies_of = of
        failpoint.arm(point)

    def kill(self, *_: object) -> None:
        raise self.dies_of

    def later(self, seconds: float, **how: Any) -> FileDesk:
        while True:
            try:
                return super().later(seconds, **how)
            except (Killed, JournalError):  # a start that fails is one that somebody tries again
                failpoint.arm("")
                self.crash()


class Terminal(RuleBasedStateMachine):
    @initialize(
        resend=st.sampled_from(["auto", "ask"]),
        window=st.sampled_from([1, 3, 100]),
        scope=st.sampled_from(["forever", "day"]),
        fin=st.booleans(),
        sells_first=st.booleans(),
        upfiles=st.booleans(),
    )
    def begin(
        self, resend: str, window: int, scope: Any, fin: bool, sells_first: bool, upfiles: bool
    ) -> None:
        self.folder = Path(tempfile.mkdtemp())
        more: dict[str, Any] = {} if upfiles else {"archive_dir": None}
        self.scope = scope
        self.auto = resend == "auto"
        self.desk = MortalDesk(
            self.folder / "w",
            accounts=ACCOUNTS,
            habits={"holdings": tuple((symbol, 100_000) for symbol in SYMBOLS)},
            inbox={"sid_scope": scope},
            resend=resend,
            window=window,
            fin=fin,
            sells_first=sells_first,
            lost_after=20,
            **more,
        )
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(failpoint.os, "kill", self.desk.kill)
        self.patch.setattr("orderdrop.execution.submission.PAUSE_AFTER_FAULT", 0.0)
        self.names = self.sids = 0
        self.baskets: list[str] = []
        self.desk.later(0.4)

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            try:
                self.at_rest()
            finally:
                self.desk.crash()
                self.patch.undo()
                shutil.rmtree(self.folder)

    @rule(of=rows, quick=st.booleans(), asleep=st.sampled_from([0, 0, 40]))
    def drop(self, of: list[tuple[str, str, int, str]], quick: bool, asleep: int = 0) -> None:
        """asleep: seconds in which the terminal does nothing."""
        lines = []
        for account, symbol, side, after in of:
            self.sids += 1
            until = self._clock_in(20) if after else ""
            lines.append(f"S{self.sids},{account},{symbol},100,1,{side},100,{until}\n")
        self.baskets.append(HEADER.replace("price\n", "price,not_after\n") + "".join(lines))
        self._put(self.baskets[-1])
        self.desk.later(asleep, step=2, terminal=False)
        self.desk.later(0.2 if quick else 1)

    @rule(data=st.data())
    def again(self, data: Any) -> None:
        if self.baskets:
            self._put(data.draw(st.sampled_from(self.baskets)))
            self.desk.later(0.4)

    @rule(kind=st.sampled_from(["cancel_order", "cancel_order", "resend", "release"]), data=st.data())
    def instruct(self, kind: str, data: Any) -> None:
        if self.sids:
            sid = data.draw(st.integers(1, self.sids))
            self._put(f"sid\nS{sid}\n", f".{kind}.csv")
            self.desk.later(0.4)

    @rule(seconds=st.sampled_from([1, 6, 12, 40, 90]), terminal=st.booleans())
    def wait(self, seconds: int, terminal: bool) -> None:
        self.desk.later(seconds, step=0.5 if seconds < 30 else 2, terminal=terminal)

    @rule(faults=FAULTS)
    def fault(self, faults: Faults) -> None:
        self.desk.fault(faults)

    @rule(down=st.booleans())
    def crash(self, down: bool) -> None:
        self.desk.crash()
        if down:
            for _ in range(20):
                self.desk.clock.advance(1)
                self.desk.terminal.step(self.desk.clock.now())
        self.desk.later(0.2)

    @rule(point=st.sampled_from(KILLED_AT), nth=st.integers(1, 4), of=rows)
    def kill(self, point: str, nth: int, of: Any) -> None:
        self.desk.stumble(f"{point}:{nth}", Killed())
        self.drop(of, quick=False)
        failpoint.arm("")

    @rule(point=st.sampled_from(sorted(FAILS_AT)), nth=st.integers(1, 4), of=rows)
    def fail(self, point: str, nth: int, of: Any) -> None:
        self.desk.stumble(f"{point}:{nth}", FAILS_AT[point])
        self.drop(of, quick=False)
        failpoint.arm("")

    @rule()
    def restart(self) -> None:
        self.desk.close()
        self.desk.later(0.2)

    @rule(on=st.booleans(), account=st.sampled_from(["", ".A1"]))
    def switch(self, on: bool, account: str) -> None:
        path = self.desk.inbox / f"HALT{account}"
        if on:
            path.touch()
        else:
            path.unlink(missing_ok=True)
        self.desk.later(0.4, terminal=False)

    @rule()
    def close_day(self) -> None:
        day_end = self.desk.open().day_end
        day_end._grace = 0
        day_end.close(self.desk.open().router.today)

    @rule()
    def open_again(self) -> None:
        closures.open_again(self.desk.open().workspace, "gm")
        self.desk.open().day_end._look_at = 0.0
        self.desk.later(0.4)

    @rule(
        at_night=st.booleans(),
        point=st.sampled_from(["", "", *KILLED_AT]),
        nth=st.integers(1, 6),
        dies=st.booleans(),
        days=st.sampled_from([1, 1, 3]),
    )
    def next_day(self, at_night: bool, point: str, nth: int, dies: bool, days: int) -> None:
        """at_night: the router is not running. point: where it dies, or fails, as the day begins."""
        if at_night:
            self.desk.close()
        if point:
            self.desk.stumble(f"{point}:{nth}", Killed() if dies else FAILS_AT.get(point, Killed()))
        self.desk.clock.advance(days * DAY)
        self.desk.later(0.6)
        failpoint.arm("")

    @invariant()
    def nothing_is_executed_twice(self) -> None:
        if hasattr(self, "desk"):
            assert all(count == 1 for count in self.desk.executed().values()), self.desk.executed()

    def at_rest(self) -> None:
        for path in self.desk.inbox.glob("HALT*"):
            path.unlink()
        self.desk.fault(Faults())
        self.desk.later(200, step=1)
        self._compare()
        self.desk.crash()
        self._verify()
        self.desk.later(5, step=0.5)
        self._compare()
        self.desk.close()
        self._verify()

    def _compare(self) -> None:
        executed = self.desk.executed()
        assert all(count == 1 for count in executed.values()), executed
        rejected = Counter(e.sid for e in read_ledger(self.desk.push) if e.kind is Kind.REJECTED)
        for order in self.desk.query("SELECT * FROM orders WHERE sid_key IS NOT NULL"):
            day = str(order["trade_day"])
            wire = wire_sid(order["sid"], date(int(day[:4]), int(day[4:6]), int(day[6:])), self.scope)
            told = (wire, order["status"], order["reason_code"], executed[wire])
            status, why = order["status"], order["reason_code"]
            done = executed[wire] or rejected[wire]
            if status in {
                "filled",
                "pending_new",
                "new",
                "partially_filled",
                "pending_cancel",
                "suspended",
                "rejected",
            }:
                assert done, told
            elif status == "canceled":
                assert bool(done) == (why != "CANCELED_HERE"), told
            elif status == "expired":
                # of an earlier day: nobody will ever speak of it again
                assert not done or why in {None, "NEVER_CONFIRMED", "NEVER_ENDED"}, told
                assert done or why != "NEVER_ENDED", told
            elif status == "unknown":
                assert not done, told
                assert why in {"PROVEN_ABSENT", "UNCONFIRMED", "INTERRUPTED"}, told
            elif status == "ready":
                assert self.desk.open().router.confirmation.closed or self._full(), told
            else:
                assert (status, why) == ("held", "HELD_SWITCH"), told
        asked = self.desk.query("SELECT * FROM instructions WHERE state = 'asked'")
        for one in asked:
            early = one["order_ref"] is None  # of an order that nobody has given today
            assert one["reason_code"] == ("CANCEL_EARLY" if early else "CANCEL_WAITS"), one

    def _full(self) -> bool:
        return self.desk.open().router.confirmation.room("gm") == 0

    def _clock_in(self, seconds: int) -> str:
        return iso(Micros(self.desk.clock.now() + seconds * 1_000_000))[11:19]

    def _verify(self) -> None:
        root = self.desk.root
        engine = reading_engine("sqlite:///journal.db", root)
        try:
            with engine.connect() as connection:
                proof = verify(
                    connection, Workspace(root, self.desk.inbox), trade_date(self.desk.clock.now())
                )
        finally:
            engine.dispose()
        assert proof.difference is None, proof.difference

    def _put(self, content: str, ending: str = ".csv") -> None:
        self.names += 1
        self.desk.put({f"f{self.names}{ending}": content})


TestTerminal = Terminal.TestCase
TestTerminal.settings = settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),  # to make a failure smaller takes minutes
)
