"""The gateway against the stand-in terminal and its faults: what is told adds up to what the terminal did."""

from __future__ import annotations

from itertools import count

import pytest
from builders import a_clock, an_outgoing
from terminal_bench import Bench

from orderdrop.config.gateways import GoldminerSettings
from orderdrop.domain.goldminer_format import STATUS_OF
from orderdrop.domain.report import Fill
from orderdrop.domain.standing import Standing, apply
from orderdrop.domain.status import Status
from orderdrop.gateway.base import Batch, Cancel, Cursor, Outcome
from orderdrop.gateway.goldminer.gateway import GoldminerGateway
from orderdrop.terminal import Faults, Kind

SYMBOLS = ("SZSE.000725", "SZSE.000002", "SZSE.000001", "SHSE.018014", "SZSE.000010", "SZSE.000008")
ACCOUNTS = ("A1", "A2")


class Route:
    """A gateway before a terminal, both in the tester's time; what was told is folded as the router does."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.batches: list[Batch] = []
        self.standings: dict[str, Standing] = {}
        self.fills: set[tuple[str, str]] = set()
        self.cursor = Cursor("")
        self.gateway = self._made()

    def _made(self) -> GoldminerGateway:
        bench = self.bench
        settings = GoldminerSettings(
            live=False, scan_dir=bench.scan, push_dir=bench.push, archive_dir=bench.settings.archive,
            scan_name=bench.settings.scan_name,
        )  # fmt: skip
        gateway = GoldminerGateway("gm", settings, ACCOUNTS, bench.clock)
        ticks = (0.2 * n for n in count())
        gateway._output._ticks = lambda: next(ticks)
        gateway.open()
        return gateway

    def restart(self) -> None:
        self.gateway.close()
        self.gateway = self._made()
        for batch in self.batches:
            outcomes = set(self.gateway.settle(batch).values())
            assert outcomes <= {Outcome.TAKEN, Outcome.UNKNOWN}

    def submit(self, number: int, size: int = 5) -> None:
        sids = [f"S{number}-{n}" for n in range(size)]
        orders = [
            an_outgoing(sid=sid, symbol=SYMBOLS[n % 6], volume=200, account_id=ACCOUNTS[n % 2])
            for n, sid in enumerate(sids)
        ]
        batch = Batch(number, self.gateway.encode(orders))
        assert self.gateway.submit(batch).outcome is Outcome.TAKEN
        self.batches.append(batch)
        self.standings |= {sid: Standing(1, Status.SUBMITTED, 200) for sid in sids}

    def step(self, seconds: float = 0.1) -> None:
        self.bench.step(seconds)
        reports, self.cursor = self.gateway.poll(self.cursor, 7)
        for report in reports:
            if isinstance(report, Fill):
                if (report.sid, report.exec_id) in self.fills:
                    continue
                self.fills.add((report.sid, report.exec_id))
            if report.sid:
                self.standings[report.sid] = apply(self.standings[report.sid], report)


FAULTS = {
    "none": Faults(),
    "torn": Faults(torn=True),
    "rows rewritten": Faults(rows_rewritten=True),
    "torn and rewritten": Faults(torn=True, rows_rewritten=True),
    "restarts": Faults(restart_at=(0.7, 1.9, 3.1)),
    "everything": Faults(seed=3, lose=0.1, late=0.5, torn=True, rows_rewritten=True, restart_at=(0.7, 1.9)),
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("restarts", [False, True], ids=["router stays", "router restarts"])
def test_route_when_the_terminal_has_faults_then_every_order_ends_as_the_terminal_says(
    tmp_path, faults, restarts
):
    bench = Bench(tmp_path, faults, archive=tmp_path / "archive", manual_every=7)
    bench.step()
    route = Route(bench)
    for number in range(12):
        route.submit(number)
        for _ in range(4):
            route.step()
        route.gateway.cancel([Cancel(f"S{number}-3", "A2")])
        if restarts and number % 3 == 1:
            route.restart()
    for _ in range(150):
        route.step()
    told = {
        row["sid"]: (STATUS_OF[int(row["status"])], int(row["filled_volume(filled_vol)"]))
        for account in ACCOUNTS
        for row in bench.read("order_status", account)
        if row["sid"]
    }
    executed = set(bench.sids(Kind.EXECUTED))
    lost = set(route.standings) - executed
    assert set(told) == executed
    assert {sid: (s.status, s.filled_volume) for sid, s in route.standings.items() if sid in executed} == told
    assert all(route.standings[sid].status is Status.SUBMITTED for sid in lost)
    assert bool(lost) == bool(faults.lose)
    assert route.gateway.bad_rows == {}


def test_evidence_when_a_row_was_lost_then_everything_that_proves_it(tmp_path):
    bench = Bench(tmp_path, Faults(seed=3, lose=0.3), archive=tmp_path / "archive")
    bench.step()
    route = Route(bench)
    for number in range(4):
        route.submit(number)
    for _ in range(150):
        route.step()
    lost = set(bench.sids(Kind.LOST))
    assert lost
    for batch in route.batches:
        evidence = route.gateway.evidence(batch)
        sids = set(route.gateway.settle(batch))
        assert (evidence.taken, evidence.seen) == (True, sids - lost)
        first, last = evidence.reads[0], evidence.reads[-1]
        assert last - first > 10_000_000
        assert evidence.alive_at is not None
    assert route.gateway.mentions(set(route.standings)) == set(route.standings) - lost


def test_take_back_when_the_terminal_stalls_then_it_never_has_the_orders(tmp_path):
    bench = Bench(tmp_path)
    bench.step()
    route = Route(bench)
    route.submit(1)
    assert route.gateway.evidence(route.batches[0]).taken is False
    assert route.gateway.take_back(route.batches[0])
    for _ in range(20):
        route.step()
    assert bench.sids(Kind.EXECUTED) == []
    assert set(route.gateway.settle(route.batches[0]).values()) == {Outcome.NEVER_LEFT}


def test_close_day_when_the_day_is_over_then_the_terminal_starts_with_empty_folders(tmp_path):
    bench = Bench(tmp_path)
    bench.clock = a_clock()
    bench.step()
    route = Route(bench)
    route.submit(1)
    for _ in range(60):
        route.step()
    open_sids = {sid for sid, s in route.standings.items() if s.closed_at is None}
    leftovers = route.gateway.close_day(tmp_path / "day", open_sids)
    assert {item.path.parent.name for item in leftovers if item.moved_to is None} <= set(ACCOUNTS)
    assert list(bench.scan.iterdir()) == []
    assert all(not item.moved_to for item in leftovers if "S1-3" in item.why)
