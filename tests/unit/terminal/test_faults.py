"""The stand-in terminal's faults, restarts and speed; each by steps, with the clock in the tester's hand."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from terminal_bench import CANCELS, GOOD, PENDING, Bench, rows_of

import orderdrop.terminal
from orderdrop.terminal import Faults, Kind, Settings, Stall, Terminal
from orderdrop.terminal.command import terminal as command


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_lost_rows_are_some_of_a_file_and_never_show_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Faults(seed=7, lose=0.3))
    bench.put("b1.order.csv", *rows_of(100))
    bench.settle()
    lost, executed = bench.sids(Kind.LOST), bench.sids(Kind.EXECUTED)
    assert 15 < len(lost) < 45
    assert len(lost) + len(executed) == 100
    assert [row["sid"] for row in bench.read("order_status")] == executed
    assert list(bench.scan.iterdir()) == []


def test_what_is_lost_depends_on_the_seed_alone(tmp_path: Path) -> None:
    def lost(seed: int, name: str) -> list[str]:
        bench = Bench(tmp_path / f"{seed}{name}", Faults(seed=seed, lose=0.3))
        bench.clock.advance(seed)
        bench.put(f"{name}.order.csv", *rows_of(100))
        bench.step()
        return bench.sids(Kind.LOST)

    assert lost(7, "a") == lost(7, "b")
    assert lost(7, "a2") != lost(8, "a2")


def test_sid_that_was_lost_may_come_through_when_it_is_sent_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Faults(seed=7, lose=0.5))
    for number in range(20):
        bench.put(f"b{number}.order.csv", f"S1,A1,{GOOD}")
        bench.step(1)
        bench.begin_anew()
    assert 0 < len(bench.sids(Kind.LOST)) < 20


def test_hushed_orders_are_executed_at_once_and_told_late_while_cash_and_holdings_are_told_in_time(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, Faults(seed=7, hush=0.3, hush_for=20))
    bench.put("b1.order.csv", *rows_of(40))
    bench.settle()
    told = [row["sid"] for row in bench.read("order_status") if row["status"] == "3"]
    assert 20 < len(told) < 40
    assert len(bench.sids(Kind.EXECUTED)) == 40
    assert bench.read("position")[-1]["volume"] == "4000"
    for _ in range(40):
        bench.step(0.5)
    assert all(bench.statuses(f"S{n}", "order_status_change") == ["10", "1", "3"] for n in range(40))
    assert len(bench.read("execution_report")) == 40


def test_output_that_is_begun_anew_has_lost_what_was_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Faults(anew_at=(6.0,)))
    bench.step()
    bench.put("b1.order.csv", *rows_of(2))
    bench.settle()
    assert bench.statuses("S0", "order_status_change") == ["10", "1", "3"]
    bench.step(2)
    assert bench.read("order_status_change") == bench.read("execution_report") == []
    bench.put("b2.order.csv", f"X,A1,{GOOD}")
    bench.settle()
    assert [row["sid"] for row in bench.read("execution_report")] == ["X"]
    assert bench.statuses("X", "order_status_change") == ["10", "1", "3"]


def test_stalled_terminal_does_nothing_then_takes_everything(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Faults(stalls=(Stall(2, 5),)), accounts=("A1",))
    bench.step()
    bench.put("b1.order.csv", *rows_of(3))
    bench.clock.advance(2)
    before = bench.read("cash")
    for _ in range(4):
        bench.step(1)
    assert (bench.scan / "b1.order.csv").exists()
    assert (bench.read("cash"), bench.read("order_status")) == (before, [])
    bench.step(1)
    assert len(bench.read("order_status")) == 3
    assert list(bench.scan.iterdir()) == []


def test_late_terminal_takes_at_once_and_tells_later(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Faults(late=8))
    bench.put("b1.order.csv", f"S1,A1,{GOOD}")
    bench.step()
    assert list(bench.scan.iterdir()) == []
    bench.step(7.9)
    assert bench.read("order_status") == []
    bench.step(0.2)
    assert bench.statuses("S1") == ["10"]
    bench.step(10)
    assert bench.statuses("S1", "order_status_change") == ["10", "1", "3"]


def test_torn_output_is_cut_within_rows_and_whole_in_the_end(tmp_path: Path) -> None:
    whole, torn = (
        Bench(tmp_path / "whole", heartbeat=0),
        Bench(tmp_path / "torn", Faults(torn=True), heartbeat=0),
    )
    cut = Counter[str]()
    for bench in (whole, torn):
        bench.put("b1.order.csv", *rows_of(20))
        for _ in range(20):
            bench.step(0.25)
            cut.update(
                path.name for path in bench.push.rglob("*.csv") if not path.read_bytes().endswith(b"\n")
            )
    assert {"order_status.csv", "order_status_change.csv", "execution_report.csv", "cash.csv"} <= set(cut)
    for path in whole.push.rglob("[a-z]*.csv"):
        assert (torn.push / path.relative_to(whole.push)).read_bytes() == path.read_bytes()


def test_torn_order_status_is_half_a_file_between_two_steps(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Faults(torn=True))
    bench.put("b1.order.csv", *rows_of(50))
    path = bench.push / "A1" / "order_status.csv"
    sizes = []
    for _ in range(6):
        bench.step(0.3)
        sizes.append(path.stat().st_size)
    assert any(later < earlier for earlier, later in itertools.pairwise(sizes))


def test_rewritten_rows_move_but_none_is_missing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Faults(rows_rewritten=True))
    bench.put("b1.order.csv", *rows_of(3))
    bench.step()
    path = bench.push / "A1" / "order_status_change.csv"
    before = path.read_bytes()
    bench.settle()
    assert not path.read_bytes().startswith(before)
    assert bench.statuses("S1", "order_status_change") == ["10", "1", "3"]
    assert {row["order_id"] for row in bench.read("order_status_change")} == {"300001", "300002", "300003"}
    assert len(bench.read("execution_report")) == 3


def test_restart_begins_the_output_anew_with_order_status_full(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Faults(restart_at=(30,)))
    bench.put("b1.order.csv", f"S1,A1,{GOOD}", f"S2,A1,{PENDING}", "S3,A1,SHSE.999999,100,1,1,10,")
    bench.put("20261120.order.csv", f"S4,A1,{GOOD}", fin=False)
    bench.settle()
    before = {
        row["sid"]: (row["status"], row["cl_ord_id"], row["order_id"]) for row in bench.read("order_status")
    }
    bench.step(30)
    bench.settle()
    rows = bench.read("order_status")
    assert {row["sid"]: (row["status"], row["cl_ord_id"], row["order_id"]) for row in rows} == before
    assert [row["sid"] for row in bench.read("execution_report")] == ["S4", "S1"]
    assert bench.statuses("S1", "order_status_change") == []
    assert sorted(bench.sids(Kind.EXECUTED)) == ["S1", "S2", "S3", "S4"]


def test_killed_terminal_keeps_its_orders_positions_and_place_in_files(bench: Bench) -> None:
    bench.put("20261120.order.csv", "S1,A1,SZSE.000002,300,1,1,10,", f"S2,A1,{PENDING}", fin=False)
    bench.step()
    bench.step(0.16)
    assert bench.statuses("S1") == ["2"]
    bench.put("c1.cancel_order.csv", "S2,", header=CANCELS)
    bench.step()
    bench.begin_anew()
    bench.settle()
    assert [row["status"] for row in bench.read("order_status")] == ["3", "5"]
    assert [row["volume"] for row in bench.read("execution_report")] == ["100", "200"]
    (cash,), (held,) = bench.read("cash"), bench.read("position")
    assert (cash["balance"], cash["order_frozen(ord_frozen)"], held["volume"]) == (
        "999997000.00",
        "0.00",
        "300",
    )
    with (bench.scan / "20261120.order.csv").open("a") as file:
        file.write(f"S3,A1,{GOOD}\n")
    bench.settle()
    assert bench.sids(Kind.EXECUTED) == ["S1", "S2", "S3"]


def test_kill_between_executing_and_taking_away_executes_nothing_twice(bench: Bench) -> None:
    bench.put("b1.order.csv", *rows_of(3))
    content = (bench.scan / "b1.order.csv").read_bytes()
    bench.step()
    ledger = bench.push / ".ledger.csv"
    ledger.write_text(
        "".join(line for line in ledger.read_text().splitlines(keepends=True) if "taken" not in line)
    )
    (bench.scan / "b1.order.csv").write_bytes(content)
    (bench.scan / "b1.order.csv.fin").touch()
    bench.begin_anew()
    bench.settle()
    assert bench.sids(Kind.EXECUTED) == ["S0", "S1", "S2"]
    assert list(bench.scan.iterdir()) == []


def test_ledger_line_that_was_cut_by_a_kill_is_dropped(bench: Bench) -> None:
    bench.put("b1.order.csv", f"S1,A1,{GOOD}")
    bench.settle()
    with (bench.push / ".ledger.csv").open("a") as file:
        file.write("executed,2026-11-20T09:3")
    bench.begin_anew()
    bench.settle()
    assert bench.sids(Kind.EXECUTED) == ["S1"]


def test_same_steps_write_the_same_bytes(tmp_path: Path) -> None:
    faults = Faults(seed=3, lose=0.1, torn=True, late=1, stalls=(Stall(1, 1),), restart_at=(3,))
    benches = [Bench(tmp_path / name, faults, manual_every=5) for name in ("a", "b")]
    for bench in benches:
        bench.put("b1.order.csv", *rows_of(30))
        bench.settle()
    first, second = (
        {path.relative_to(bench.push): path.read_bytes() for path in bench.push.rglob("*.csv")}
        for bench in benches
    )
    assert first == second


def test_ten_thousand_orders_are_confirmed_at_once(bench: Bench) -> None:
    bench.put("b1.order.csv", *rows_of(10_000))
    bench.step()
    bench.step(1)
    assert Counter(row["status"] for row in bench.read("order_status")) == {"3": 10_000}


def test_run_steps_until_it_is_told_to_stop(tmp_path: Path) -> None:
    bench = Bench(tmp_path, interval=0.01)
    bench.put("b1.order.csv", f"S1,A1,{GOOD}")
    stop = threading.Event()
    worker = threading.Thread(target=bench.terminal.run, args=(stop,))
    worker.start()
    deadline = time.monotonic() + 60
    while list(bench.scan.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    worker.join(60)
    assert bench.sids(Kind.EXECUTED) == ["S1"]


def test_command_hands_its_options_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(Terminal, "run", lambda self, stop, clock=None: made.append(self))
    options = "--lose 0.03 --stall 20:8 --stall 60:2.5 --late 1.5 --torn --seed 7 --manual 10 --hold SZSE.000001:900"
    folders = ["--scan", str(tmp_path / "in"), "--push", str(tmp_path / "out")]
    anew = ["--hush", "0.1", "--hush-for", "7", "--anew-at", "12"]
    result = CliRunner().invoke(
        command, [*folders, *options.split(), "--account", "A1", "--restart-at", "9", *anew]
    )
    assert result.exit_code == 0, result.output
    (terminal,) = made
    assert terminal.faults == Faults(
        7,
        0.03,
        (Stall(20, 8), Stall(60, 2.5)),
        1.5,
        torn=True,
        restart_at=(9.0,),
        hush=0.1,
        hush_for=7,
        anew_at=(12.0,),
    )
    expected = Settings(tmp_path / "in", tmp_path / "out", accounts=("A1",), manual_every=10)
    assert terminal.settings == expected._replace(holdings=(("SZSE.000001", 900),))


def test_command_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    folders = ["--scan", str(tmp_path), "--push", str(tmp_path)]
    assert CliRunner().invoke(command, [*folders, "--stall", "20"]).exit_code == 2


def test_terminal_shares_only_the_clock_with_the_rest() -> None:
    """What both sides understood wrongly in the same way would never show."""
    package = Path(orderdrop.terminal.__file__).parent
    imported = {
        name
        for file in package.glob("*.py")
        for name in re.findall(
            r"^ *(?:from|import) (orderdrop[.\w]*)", file.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    ours = {name for name in imported if name.startswith("orderdrop.terminal")}
    assert imported - ours == {"orderdrop.system.clock"}
