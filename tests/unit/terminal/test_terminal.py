"""The stand-in terminal, by steps: what it reads, takes and tells when nothing goes wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from builders import FRIDAY
from terminal_bench import CANCELS, GOOD, ORDERS, PENDING, Bench, rows_of

from orderdrop.terminal import Kind, read_ledger

SAMPLES = Path(__file__).parents[2] / "samples" / "goldminer"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


# --- input


def test_file_with_fin_is_executed_and_deleted(bench: Bench) -> None:
    bench.put("b1.order.csv", f"S1,A1,{GOOD}")
    bench.step()
    assert bench.sids(Kind.EXECUTED) == ["S1"]
    assert list(bench.scan.iterdir()) == []


def test_file_with_fin_is_archived_byte_for_byte_when_archiving_is_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path, archive=tmp_path / "archive", user="u1", scan_name="s01")
    bench.put("b1.order.csv", f"S1,A1,{GOOD}")
    content = (bench.scan / "b1.order.csv").read_bytes()
    bench.step()
    assert list(bench.scan.iterdir()) == []
    upfiles = tmp_path / "archive" / "u1" / "2026-11-20" / "upfiles" / "s01"
    assert (upfiles / "b1.order.csv").read_bytes() == content


def test_name_that_the_archive_has_already_replaces_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, archive=tmp_path / "archive")
    for sid in ("S1", "S2"):
        bench.put("b1.order.csv", f"{sid},A1,{GOOD}")
        bench.step(1)
    archived = (tmp_path / "archive").rglob("b1.order.csv*")
    assert sorted(path.name for path in archived) == ["b1.order.csv", "b1.order.csv.1"]


def test_rows_without_fin_are_executed_as_they_are_appended_and_the_file_stays(bench: Bench) -> None:
    bench.put("20261120.order.csv", f"S1,A1,{GOOD}", fin=False)
    bench.step()
    with (bench.scan / "20261120.order.csv").open("a", newline="") as file:
        file.write(f"S2,A1,{GOOD}\r\nS3,A1,SHSE.6000")
    bench.step(1)
    assert bench.sids(Kind.EXECUTED) == ["S1", "S2"]
    with (bench.scan / "20261120.order.csv").open("a", newline="") as file:
        file.write("00,100,1,1,10.00,\n")
    bench.step(1)
    assert bench.sids(Kind.EXECUTED) == ["S1", "S2", "S3"]
    assert (bench.scan / "20261120.order.csv").exists()


def test_last_line_without_newline_counts_with_fin(bench: Bench) -> None:
    (bench.scan / "b1.order.csv").write_text(f"{ORDERS}\nS1,A1,{GOOD}")
    (bench.scan / "b1.order.csv.fin").touch()
    bench.step()
    assert bench.sids(Kind.EXECUTED) == ["S1"]


def test_other_names_are_left_alone(bench: Bench) -> None:
    for name in ("b1.order.csv.tmp", "b1.csv", "b1.order.dbf"):
        (bench.scan / name).write_text(f"{ORDERS}\nS1,A1,{GOOD}\n")
    bench.step()
    assert not read_ledger(bench.push)
    assert len(list(bench.scan.iterdir())) == 3


@pytest.mark.parametrize("business", ["order_business", "order_biz", "order_business(order_biz)"])
def test_header_may_be_long_or_short(bench: Bench, business: str) -> None:
    bench.put(
        "b1.order.csv",
        f"S1,A1,{GOOD}",
        header=ORDERS.replace("order_business(order_biz)", business),
        bom=False,
    )
    bench.step()
    assert bench.sids(Kind.EXECUTED) == ["S1"]


def test_file_that_was_replaced_is_executed_again_from_its_beginning(bench: Bench) -> None:
    bench.put("20261120.order.csv", f"S1,A1,{GOOD}", f"S2,A1,{GOOD}", fin=False)
    bench.step()
    bench.put("20261120.order.csv", f"S1,A1,{GOOD}", fin=False)
    bench.step(1)
    assert bench.sids(Kind.EXECUTED) == ["S1", "S2", "S1"]


def test_repeated_sid_is_executed_again_and_shows_twice(bench: Bench) -> None:
    bench.put("b1.order.csv", f"S1,A1,{GOOD}")
    bench.put("b2.order.csv", f"S1,A1,{GOOD}")
    bench.settle()
    assert bench.sids(Kind.EXECUTED) == ["S1", "S1"]
    assert bench.statuses("S1") == ["3", "3"]
    assert len({row["cl_ord_id"] for row in bench.read("order_status")}) == 2
    assert bench.read("position")[0]["volume"] == "200"


@pytest.mark.parametrize(
    "row", ["S1,A1,SHSE.600000,100", f",A1,{GOOD}", f"S1,,{GOOD}", f"S1,A1,{GOOD},", "S1,A1,SHSE.60"]
)
def test_unreadable_row_does_nothing_and_the_next_is_executed(bench: Bench, row: str) -> None:
    bench.put("b1.order.csv", row, f"S2,A1,{GOOD}")
    bench.settle()
    assert [row["sid"] for row in bench.read("order_status")] == ["S2"]
    assert [entry.line for entry in read_ledger(bench.push) if entry.kind is Kind.UNREADABLE] == [2]


def test_file_without_header_does_nothing(bench: Bench) -> None:
    bench.put("b1.order.csv", f"S2,A1,{GOOD}", header=f"S1,A1,{GOOD}")
    bench.step()
    assert len(bench.sids(Kind.UNREADABLE)) == 2


def test_account_that_does_not_exist_is_ignored_and_leaves_no_folder(tmp_path: Path) -> None:
    bench = Bench(tmp_path, accounts=("A1",))
    bench.put("b1.order.csv", f"S1,A2,{GOOD}", f"S2,A1,{GOOD}")
    bench.step()
    assert (bench.sids(Kind.IGNORED), bench.sids(Kind.EXECUTED)) == (["S1"], ["S2"])
    assert not (bench.push / "A2").exists()


def test_account_id_that_names_another_folder_is_ignored(bench: Bench) -> None:
    bench.put("b1.order.csv", f"S1,../A2,{GOOD}")
    bench.step()
    assert bench.sids(Kind.IGNORED) == ["S1"]


# --- output


@pytest.mark.parametrize(
    "name", ["cash", "position", "order_status", "order_status_change", "execution_report"]
)
def test_headers_are_those_of_a_real_terminal(bench: Bench, name: str) -> None:
    bench.put("b1.order.csv", f"S1,A1,{GOOD}")
    bench.settle()
    real = SAMPLES / "out" / "1a66e81c-ae5d-11ec-aef5-00163e0a4100" / f"{name}.csv"
    ours = bench.push / "A1" / f"{name}.csv"
    assert ours.read_bytes().splitlines()[0] == real.read_bytes().splitlines()[0]


def test_order_goes_from_pending_new_to_filled_and_its_report_lags(bench: Bench) -> None:
    bench.put("b1.order.csv", f"S1,A1,{GOOD}")
    bench.step()
    assert [(row["status"], row["order_id"]) for row in bench.read("order_status")] == [("10", "")]
    bench.step(0.06)
    assert [(row["status"], row["order_id"]) for row in bench.read("order_status")] == [("1", "300001")]
    bench.step(0.2)
    assert bench.statuses("S1") == ["3"]
    assert bench.read("execution_report") == []
    bench.step(1)
    (fill,) = bench.read("execution_report")
    assert (fill["exec_type"], fill["price"], fill["volume"], fill["scan_name"]) == (
        "15",
        "10.00",
        "100",
        "fileorder_s01",
    )
    assert bench.statuses("S1", "order_status_change") == ["10", "1", "3"]


def test_timestamps_come_with_and_without_fraction(bench: Bench) -> None:
    bench.clock.advance(0.123456)
    bench.put("b1.order.csv", *rows_of(8))
    bench.settle()
    stamps = {row["created_at"] for row in bench.read("order_status")}
    assert {len(stamp) for stamp in stamps} == {25, 27, 32}
    assert all(datetime.fromisoformat(stamp).utcoffset() == timedelta(hours=8) for stamp in stamps)


@pytest.mark.parametrize(
    ("symbol", "volume", "status", "filled", "reports"),
    [
        ("SZSE.000572", 1000, "3", "1000", 1),
        ("SZSE.000002", 300, "3", "300", 2),
        ("SZSE.000001", 1000, "2", "500", 1),
        ("SHSE.018014", 10, "1", "0", 0),
        ("SZSE.000010", 100, "8", "0", 0),
        ("SHSE.010609", 10, "8", "0", 0),
        ("SZSE.000151", 200, "2", "100", 1),
        ("SHSE.601318", 100, "3", "100", 1),
    ],
)
def test_simulated_symbols_answer_as_documented(
    bench: Bench, symbol: str, volume: int, status: str, filled: str, reports: int
) -> None:
    bench.put("b1.order.csv", f"S1,A1,{symbol},{volume},1,1,10,")
    bench.settle()
    (row,) = bench.read("order_status")
    assert (row["status"], row["filled_volume(filled_vol)"]) == (status, filled)
    assert len(bench.read("execution_report")) == reports


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ("SHSE.999999,100,1,1,10,", "6"),
        ("BJSE.920002,100,1,1,10,", "6"),
        ("600000,100,1,1,10,", "6"),
        ("SHSE.600000,150,1,1,10,", "7"),
        ("SHSE.600000,-100,1,1,10,", "7"),
        ("SHSE.600000,1e2,1,1,10,", "7"),
        ("SHSE.688001,100,1,1,10,", "7"),
        ("SHSE.600000,100,1,1,,", "8"),
        ("SHSE.600000,100,1,1,nan,", "8"),
        ("SHSE.600000,100,1,1,10.00001,", "8"),
        ("SHSE.600000,100,22,1,10,", "14"),
        ("SHSE.600000,100,1,10,10,", "14"),
        ("SHSE.600000,100,1,2,10,", "3"),
        ("SHSE.600000,999999900,1,1,10,", "2"),
    ],
)
def test_nonsense_is_rejected_with_the_reason_of_its_column(bench: Bench, order: str, code: str) -> None:
    bench.put("b1.order.csv", f"S1,A1,{order}")
    bench.settle()
    (row,) = bench.read("order_status")
    assert (row["status"], row["ord_rej_reason(rej_reason)"]) == ("8", code)
    assert row["ord_rej_reason_detail(rej_detail)"]
    assert bench.read("cash")[0]["order_frozen(ord_frozen)"] == "0.00"


def test_market_order_trades_at_the_last_price(bench: Bench) -> None:
    bench.put("b1.order.csv", "S1,A1,SHSE.600000,100,1,1,12.34,")
    bench.settle()
    bench.put("b2.order.csv", "S2,A1,SHSE.600000,100,24,1,,")
    bench.settle()
    assert bench.read("order_status")[1]["price"] == "0"
    assert bench.read("execution_report")[1]["price"] == "12.34"


def test_cash_is_set_aside_by_an_open_order_and_spent_by_a_fill(tmp_path: Path) -> None:
    bench = Bench(tmp_path, cash=Decimal(10_000))
    bench.put(
        "b1.order.csv",
        f"S1,A1,{PENDING}",
        "S2,A1,SHSE.600000,100,1,1,50,",
        f"S3,A1,{PENDING.replace('10,', '50,')}",
    )
    bench.settle()
    (cash,) = bench.read("cash")
    assert (cash["order_frozen(ord_frozen)"], cash["available"], cash["balance"]) == (
        "1000.00",
        "4000.00",
        "5000.00",
    )
    assert bench.statuses("S3") == ["8"]


def test_what_was_bought_today_is_sold_tomorrow(bench: Bench) -> None:
    bench.put("b1.order.csv", f"S1,A1,{GOOD}")
    bench.settle()
    (held,) = bench.read("position")
    assert (held["volume"], held["volume_today(vol_today)"], held["available_now(avl_now)"]) == (
        "100",
        "100",
        "0",
    )
    bench.put("b2.order.csv", "S2,A1,SHSE.600000,100,1,2,11,")
    bench.settle()
    assert bench.statuses("S2") == ["8"]
    bench.step(24 * 3600)
    assert bench.read("order_status") == []
    bench.put("b3.order.csv", "S3,A1,SHSE.600000,100,1,2,11,")
    bench.settle()
    assert bench.statuses("S3") == ["3"]
    assert bench.read("position")[0]["volume"] == "0"
    assert bench.read("cash")[0]["balance"] == "1000000100.00"


def test_cash_is_written_now_and_then_without_orders(tmp_path: Path) -> None:
    bench = Bench(tmp_path, accounts=("A1",), heartbeat=3.0)
    bench.step()
    before = bench.read("cash")
    bench.step(1)
    assert bench.read("cash") == before
    bench.step(3)
    assert bench.read("cash") != before


def test_manual_order_comes_after_every_so_many_rows_without_sid(tmp_path: Path) -> None:
    bench = Bench(tmp_path, manual_every=2)
    bench.put("b1.order.csv", *rows_of(4))
    bench.settle()
    by_hand = [row for row in bench.read("order_status") if not row["sid"]]
    assert [row["scan_name"] for row in by_hand] == ["", ""]
    assert len(bench.sids(Kind.MANUAL)) == 2


# --- cancels


def test_cancel_goes_through_pending_cancel_and_gives_the_cash_back(bench: Bench) -> None:
    bench.put("b1.order.csv", f"S1,A1,{PENDING}")
    bench.settle()
    bench.put("b1.cancel_order.csv", "S1,", header=CANCELS)
    bench.step()
    assert bench.statuses("S1") == ["6"]
    bench.settle()
    assert bench.statuses("S1", "order_status_change") == ["10", "1", "6", "5"]
    assert bench.read("cash")[0]["order_frozen(ord_frozen)"] == "0.00"
    assert list(bench.scan.iterdir()) == []


@pytest.mark.parametrize(("order", "code"), [(GOOD, "101"), ("SZSE.000008,200,1,1,10,", "103")])
def test_refused_cancel_is_an_execution_report(bench: Bench, order: str, code: str) -> None:
    bench.put("b1.order.csv", f"S1,A1,{order}")
    bench.settle()
    status = bench.statuses("S1")
    bench.put("b1.cancel_order.csv", "S1,", header=CANCELS)
    bench.settle()
    refusal = bench.read("execution_report")[-1]
    assert (refusal["sid"], refusal["exec_type"], refusal["ord_rej_reason(rej_reason)"]) == ("S1", "19", code)
    assert bench.statuses("S1") == status


def test_cancel_of_an_unknown_sid_leaves_no_trace(bench: Bench) -> None:
    bench.put("b1.cancel_order.csv", "S1,", header=CANCELS)
    bench.settle()
    assert bench.sids(Kind.CANCEL) == ["S1"]
    assert [path.name for path in bench.push.iterdir()] == [".ledger.csv"]


def test_friday_is_a_day_in_shanghai(bench: Bench) -> None:
    """The clock of these tests; output is in its zone."""
    bench.put("b1.order.csv", f"S1,A1,{GOOD}")
    bench.step()
    (row,) = bench.read("order_status")
    assert row["created_at"].startswith(FRIDAY.isoformat()[:16])


@pytest.mark.parametrize("row", ["S1,comments,", "S1,comments,more", "S1,,"])
def test_cancel_when_cells_stand_behind_it_is_taken(bench: Bench, row: str) -> None:
    bench.put("b.order.csv", "S1,A1,SHSE.018014,10,1,1,100,")
    bench.settle()
    bench.put("b1.cancel_order.csv", row, header=CANCELS)
    bench.settle()
    assert bench.statuses("S1")[-1] == "5"
