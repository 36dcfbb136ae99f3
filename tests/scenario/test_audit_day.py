"""A whole day, from the files in the inbox to the report, the exports and the proof; every number was worked out by hand."""

import csv
import json
import sqlite3
import sys
from datetime import datetime
from decimal import Decimal

import openpyxl
import pandas as pd
import pytest
from book_looks import faults_of
from click.testing import CliRunner

import orderdrop
from orderdrop.audit.frames import COLUMNS
from orderdrop.cli import main
from orderdrop.errors import OrderdropError
from orderdrop.system.clock import SHANGHAI, FixedClock

DAY = datetime(2026, 11, 19, 9, 31, tzinfo=SHANGHAI)
HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
POSITIONS = {"paper": {"cash": "1000000", "positions": {"SHSE.600000": 1000}}}


@pytest.fixture
def day(trade):
    """A1 bought whole, A2 half, then cancelled after half a second, A3 sold; B a bad lot and a bad row; D uses a sid again."""
    clock = FixedClock(DAY)
    rows = "A1,acc,SHSE.600000,100,1,1,10.35\nA2,acc,SZSE.000001,200,1,1,10.00\nA3,acc,SHSE.600000,500,1,2,20.00\n"
    desk = trade(
        {"=alpha/a.csv": HEADER + rows}, clock, gateways=POSITIONS, inbox={"on_bad_row": "reject-row"}
    )
    clock.advance(0.5)
    desk.route({"x.cancel_order.csv": "sid,comment\nA2,\n"})
    clock.advance(3600)
    desk.route({"b.csv": HEADER + "B1,acc,SHSE.600000,150,1,1,10.35\nB2,acc,SHSE.600000,100,1,1,abc\n"})
    desk.route({"d.csv": HEADER + "A1,acc,SHSE.600000,100,1,1,10.35\n"})
    desk.close()
    return desk


def orderdrop_(desk, *words: object, code: int = 0):
    result = CliRunner().invoke(main, ["-C", str(desk.root), *map(str, words)], env={"COLUMNS": "160"})
    assert result.exit_code == code, result.output
    return result


def audited(desk, *words: object) -> dict:
    return json.loads(orderdrop_(desk, "audit", "2026-11-19", *words, "--json").stdout)


def alter(desk, statement: str) -> None:
    connection = sqlite3.connect(desk.root / "journal.db")
    with connection:
        connection.execute(statement)
    connection.close()


def test_day_when_audited_comes_to_what_was_worked_out_by_hand(day):
    told = audited(day)
    assert told["orders"] == {"total": 4, "by_outcome": {"denied": 1, "filled": 2, "canceled": 1}}
    # A1: 100 × 10.35; A2: 100 × 10.00; A3: 500 × 20.00
    assert told["trades"]["turnover"] == {"buy": "2035.00", "sell": "10000.00", "total": "12035.00"}
    # each 5.00 commission at least; 0.001% transfer: 0.01 + 0.01 + 0.10; stamp duty 0.05% of 10,000: 5.00
    assert told["trades"]["fees"] == {"told": "20.12", "fills_without": 0}
    assert told["drops"] == {
        "total": 4, "refused": 0, "rows": 7, "accepted": 4, "denied": 1, "duplicates": told["drops"]["duplicates"],
        "errors": told["drops"]["errors"],
    }  # fmt: skip
    assert {(one["by"], one["code"]) for one in told["refusals"]} == {
        ("check", "LOT_SIZE"),
        ("row", "NUMBER_BAD"),
        ("row", "SID_CONFLICT"),
    }
    (account,) = told["program_trading"]
    assert (
        account["orders"],
        account["cancels"],
        account["messages"],
        account["cancels_within_a_second"],
    ) == (3, 1, 4, 1)
    assert account["measures"][0]["value"] == 4
    assert told["differences"] == told["by_hand"] == told["unknown"] == told["resent"] == []
    assert told["chain"]["head"] == day.query("SELECT digest FROM seals ORDER BY id DESC")[0]["digest"]
    assert told["software"]["version"] == orderdrop.__version__


def test_day_when_narrowed_tells_of_these_orders_only(day):
    told = audited(day, "--symbol", "000001")
    assert (told["orders"]["by_outcome"], told["refusals"], told["choice"]) == (
        {"canceled": 1},
        [],
        {"symbol": "SZSE.000001"},
    )
    assert audited(day, "--strategy", "=alpha")["orders"]["total"] == 3


def test_differences_when_sides_disagree_name_both(day):
    alter(
        day,
        "UPDATE batches SET content = CAST(replace(CAST(content AS TEXT), 'A1,acc,SHSE.600000,100', 'A1,acc,SHSE.600000,900') AS BLOB) WHERE id = 1",
    )
    alter(day, "UPDATE reports SET body = replace(body, '\"filled_volume\":500', '\"filled_volume\":600')")
    alter(day, "DELETE FROM reports WHERE order_ref = (SELECT id FROM orders WHERE sid = 'A2')")
    found = [
        (one["between"], one["about"], one["journal"], one["other"]) for one in audited(day)["differences"]
    ]
    assert ("sent", "A1", "volume 100", "volume 900") in found
    assert ("archive", "sent/paper/00000001.order.csv", "batch 1", "内容不同 / another content") in found
    assert ("reports", "A3", "filled 500", "filled 600") in found
    assert ("reports", "A2", "canceled", "没有回报 / no report") in found
    assert len(found) == 4


def test_order_when_it_is_not_in_its_batch_is_a_difference(day):
    alter(
        day,
        "UPDATE batches SET content = CAST(replace(CAST(content AS TEXT), 'A3,acc', 'Z3,acc') AS BLOB) WHERE id = 1",
    )
    found = [(one["about"], one["other"]) for one in audited(day)["differences"] if one["between"] == "sent"]
    assert found == [("A3", "不在其中 / is not in it")]


def test_order_when_it_came_from_another_hand_is_told(day):
    at = 1_795_050_000_000_000
    body = json.dumps({"at": at, "status": "filled", "order_id": "88", "volume": 100, "price": "9.50"})
    for kind in ("StatusReport", "Fill"):
        alter(
            day,
            f"INSERT INTO reports (received_at, gateway, account_id, sid, kind, body) VALUES ({at}, 'paper', 'acc', '', '{kind}', '{body}')",
        )
    (one,) = audited(day)["by_hand"]
    assert (
        one["sid"],
        one["order_id"],
        one["status"],
        one["reports"],
        one["filled_volume"],
        one["value"],
    ) == (None, "88", "filled", 2, 100, "950.00")


def test_screen_when_looked_at_has_the_same_figures(day):
    shown = orderdrop_(day, "audit", "2026-11-19").stdout
    assert "12,035.00" in shown
    assert "LOT_SIZE" in shown
    assert audited(day)["chain"]["head"] in shown


def test_files_when_written_hold_no_formula(day, tmp_path):
    orderdrop_(day, "audit", "2026-11-19", "--html", tmp_path / "a.html", "--xlsx", tmp_path / "a.xlsx")
    assert "&#x27;=alpha" in (tmp_path / "a.html").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.value for cell in cells if cell.data_type == "f"] == []
    assert "'=alpha" in {cell.value for cell in cells}
    assert {"成交", "按策略", "orders", "events"} <= set(book.sheetnames)
    assert faults_of(book) == []


# --verify


def test_verify_when_run_as_a_command_says_head_or_first_difference(day):
    found = orderdrop_(day, "audit", "--verify")
    assert "not altered" in found.stderr
    assert found.stdout.strip() == day.query("SELECT digest FROM seals ORDER BY id DESC")[0]["digest"]
    alter(day, "UPDATE events SET detail = 'x' WHERE id = 2")
    broken = orderdrop_(day, "audit", "--verify", code=1)
    assert "event 2 (" in broken.stderr
    assert "was altered" in broken.stderr
    told = json.loads(orderdrop_(day, "audit", "--verify", "--json", code=1).stdout)
    assert told["difference"]["en"] == "was altered"
    orderdrop_(day, "audit", "2026-11-19", "--verify", code=2)


# the journal for other programs


def test_journal_when_read_is_a_frame_of_orders_or_events(day):
    orders = orderdrop.read_journal("2026-11-19", workspace=day.root)
    assert tuple(orders.columns) == COLUMNS["orders"]
    assert list(orders["sid"]) == ["A1", "A2", "A3", "B1"]
    assert orders["filled_value"].sum() == 12035
    assert orders.loc[0, "admitted_at"] == pd.Timestamp(DAY)
    assert orders.loc[3, "reason_code"] == "LOT_SIZE"
    events = orderdrop.read_journal(DAY.date(), workspace=day.root, what="events")
    assert tuple(events.columns) == COLUMNS["events"]
    assert len(events) == len(day.query("SELECT id FROM events WHERE order_ref IS NOT NULL"))
    assert orderdrop.read_journal("2026-11-18", workspace=day.root).empty


def test_journal_when_pandas_is_missing_says_what_to_install(day, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(OrderdropError, match=r"pip install pandas"):
        orderdrop.read_journal("2026-11-19", workspace=day.root)


def test_export_when_written_as_csv_is_exact_and_harmless(day, tmp_path):
    orderdrop_(day, "export", "2026-11-19", "--out", tmp_path)
    with (tmp_path / "orders-2026-11-19.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS["orders"]
    assert [(row["sid"], row["filled_value"], row["fee"]) for row in rows][:2] == [
        ("A1", "1035.00", "5.01"),
        ("A2", "1000.00", "5.01"),
    ]
    assert rows[0]["strategy"] == "'=alpha"
    assert rows[0]["admitted_at"] == "2026-11-19T09:31:00.000000+08:00"
    assert sum(Decimal(row["filled_value"] or 0) for row in rows) == Decimal("12035.00")
    assert (tmp_path / "events-2026-11-19.csv").exists()


def test_export_when_written_as_parquet_is_what_read_journal_gives(day, tmp_path):
    orderdrop_(day, "export", "20261119", "--format", "parquet", "--out", tmp_path)
    for what in ("orders", "events"):
        expected = orderdrop.read_journal("2026-11-19", workspace=day.root, what=what)
        found = pd.read_parquet(tmp_path / f"{what}-2026-11-19.parquet")
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_export_when_written_as_a_workbook_has_times_and_numbers(day, tmp_path):
    orderdrop_(day, "export", "2026-11-19", "2026-11-20", "--format", "xlsx", "--out", tmp_path)
    sheet = openpyxl.load_workbook(tmp_path / "journal-2026-11-19_2026-11-20.xlsx")["orders"]
    header, first, *_ = [[cell.value for cell in row] for row in sheet.iter_rows()]
    row = dict(zip(header, first, strict=True))
    assert (row["sid"], row["filled_value"], row["admitted_at"]) == ("A1", 1035, DAY.replace(tzinfo=None))


def test_export_when_a_library_is_missing_says_what_to_install(day, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    result = orderdrop_(day, "export", "2026-11-19", "--format", "xlsx", "--out", tmp_path, code=2)
    assert "pip install openpyxl" in result.stderr


def test_status_when_asked_tells_the_disk_in_use(day):
    found = CliRunner().invoke(main, ["-C", str(day.root), "status", "--json"])
    disk = json.loads(found.stdout)["disk"]
    assert disk["journal"] >= (day.root / "journal.db").stat().st_size > 0
    assert disk["archive"] == sum(
        path.stat().st_size for path in (day.root / "archive").rglob("*") if path.is_file()
    )
