"""What a program reads in the result files: the broker's own states, and a word on every row that names a sid and an account."""

from __future__ import annotations

import sys
from decimal import Decimal

import pytest
from file_desk import FileDesk, buys
from routed_desk import TODAY, Desk

from orderdrop.domain.report import Fill, StatusReport
from orderdrop.domain.status import Status
from orderdrop.errors import ConfigError

ORDERS = "sid,account_id,symbol,volume,order_type,order_business(order_biz),price,comment\n"
FILLED, PARTLY, REJECTED = "3", "2", "8"


@pytest.fixture
def paper(tmp_path):
    desk = Desk(tmp_path, accounts={"A": {"alias": "main"}, "B": {}})
    yield desk
    desk.crash()


def changes(desk: Desk, sid: str, account: str = "A") -> list[tuple[str, str]]:
    rows = desk.table(f"{account}/order_status_change.csv")
    return [(row["status"], row["filled_volume(filled_vol)"]) for row in rows if row["sid"] == sid]


def told(desk: Desk, sid: str, account: str = "A") -> list[dict[str, str]]:
    return [row for row in desk.table(f"{account}/order_status.csv") if row["sid"] == sid]


@pytest.mark.parametrize("lag", [0.0, 3.0])
def test_result_row_when_the_terminal_says_filled_before_its_fills_says_filled(tmp_path, lag):
    desk = FileDesk(tmp_path, habits={"report_lag": lag})
    try:
        desk.put({"a.csv": buys(3)})
        desk.later(10, until=lambda: set(desk.statuses().values()) == {"filled"})
        for sid in ("S0", "S1", "S2"):
            states = [state for state, _filled in changes(desk, sid, "A1")]
            assert PARTLY not in states
            assert (FILLED, "100") in changes(desk, sid, "A1")
    finally:
        desk.close()


BAD = {
    "V0": "V0,A,SHSE.600000,0,1,1,10.35,",
    "V1": "V1,A,SHSE.600000,-100,1,1,10.35,",
    "P1": "P1,A,SHSE.600000,100,1,1,-1,",
    "P2": "P2,A,SHSE.600000,100,1,1,1e-05,",
    "x" * 72: f"{'x' * 72},A,SHSE.600000,100,1,1,10.35,",
    "a,b": '"a,b",A,SHSE.600000,100,1,1,10.35,',
    "委托1": "委托1,A,SHSE.600000,100,1,1,10.35,",
    "a b": "a b,A,SHSE.600000,100,1,1,10.35,",
    "M1": "M1,main,NOWHERE,100,1,1,10.35,",
    "F1": "F1,A,SHSE.600000,100,1,1",
}


def test_row_that_cannot_be_read_when_it_names_a_sid_and_an_account_then_it_is_a_rejection(paper):
    paper.route({f"{TODAY}.order.csv": ORDERS + "".join(f"{row}\n" for row in BAD.values())})
    assert paper.statuses() == {}
    for sid in BAD:
        assert changes(paper, sid) == [(REJECTED, "0")], sid
        (row,) = told(paper, sid)
        assert row["ord_rej_reason(rej_reason)"] == "1"
        assert row["ord_rej_reason_detail(rej_detail)"]
        assert row["account_id"] == "A"


def test_rejections_of_rows_when_the_router_starts_again_are_still_there_once(paper):
    paper.route({f"{TODAY}.order.csv": ORDERS + BAD["V0"] + "\n"})
    paper.close()
    paper.route()
    assert changes(paper, "V0") == [(REJECTED, "0")]
    assert len(told(paper, "V0")) == 1


def test_row_when_it_is_mended_then_its_order_is_what_is_told(paper):
    paper.route({f"{TODAY}.order.csv": ORDERS + BAD["V0"] + "\n"})
    paper.append(f"{TODAY}.order.csv", "V0,A,SHSE.600000,100,1,1,10.35,\n")
    paper.route()
    assert [row["status"] for row in told(paper, "V0")] == [FILLED]
    assert changes(paper, "V0")[-1] == (FILLED, "100")


def test_bad_row_when_its_sid_is_an_orders_then_that_order_is_not_called_rejected(paper):
    paper.route({f"{TODAY}.order.csv": ORDERS + "V0,A,SHSE.018014,100,1,1,100,\n" + BAD["V0"] + "\n"})
    assert REJECTED not in [state for state, _filled in changes(paper, "V0")]
    assert [row["status"] for row in told(paper, "V0")] == ["1"]


@pytest.mark.parametrize("account", ["C", "../B", "..", "receipts", "A/../B", "A\\x", "SHSE.600000"])
def test_bad_row_when_its_account_is_none_then_no_folder_is_made(paper, account):
    before = sorted(path.name for path in (paper.route().root / "outbox").iterdir())
    paper.route({"a.csv": ORDERS + f"V0,{account},SHSE.600000,0,1,1,10.35,\n"})
    assert sorted(path.name for path in (paper.root / "outbox").iterdir()) == before
    assert sorted(path.name for path in paper.root.iterdir() if path.is_dir()) == [
        ".orderdrop", "archive", "inbox", "outbox", "quarantine",
    ]  # fmt: skip


def test_cell_when_a_spreadsheet_would_run_it_gets_a_mark(paper):
    paper.route({"a.csv": ORDERS + "A1,A,SHSE.018014,10,1,1,100,\n"})
    app, at = paper.open(), paper.open().clock.now()
    number = "=1+1"
    reports = [
        Fill(at, "A", "A1", "@exec", 5, Decimal(100), order_id=number),
        StatusReport(at + 1, "A", "A1", Status.REJECTED, number, code=1, text="=cmd|' /C calc'!A0"),
    ]
    gateway = app.desk.gateways["paper"]
    poll = gateway.poll
    gateway.poll = lambda after, _limit: (reports, after)
    app.turn(lambda _round: None)
    gateway.poll = poll
    paper.route()
    cells = [cell for name in ("order_status", "order_status_change", "execution_report")
             for row in paper.table(f"A/{name}.csv") for cell in row.values()]  # fmt: skip
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "@"}]
    assert "'=1+1" in cells
    assert "'@exec" in cells


# dbf twins


NAMES = ("cash", "position", "order_status", "order_status_change", "execution_report")


def records(desk: Desk, name: str, account: str = "A") -> list[dict]:
    shapefile = pytest.importorskip("shapefile")
    with shapefile.Reader(dbf=str(desk.root / "outbox" / account / f"{name}.dbf"), encoding="gbk") as reader:
        return [record.as_dict() for record in reader.iterRecords()]


def short(name: str) -> str:
    return name.rpartition("(")[2].rstrip(")")


def test_dbf_twins_when_they_are_wanted_say_what_the_csv_files_say(tmp_path):
    pytest.importorskip("shapefile")
    desk = Desk(tmp_path, accounts={"A": {}}, outbox={"format": "csv+dbf"})
    try:
        desk.route({"a.csv": ORDERS + "A1,A,SHSE.600000,100,1,1,10.35,\n"})
        for number in range(3):
            desk.route(
                {
                    f"b{number}.csv": ORDERS
                    + f"B{number},A,SZSE.000002,600,1,1,7.15,\nV{number},A,SHSE.600000,1,1,1,1,\n"
                }
            )
        desk.route({f"{TODAY}.order.csv": ORDERS + BAD["委托1"] + "\n"})
        for name in NAMES:
            rows, twin = desk.table(f"A/{name}.csv"), records(desk, name)
            assert len(rows) == len(twin) > 0
            for row, record in zip(rows, twin, strict=True):
                assert [short(column) for column in row] == list(record)
                for column, text in row.items():
                    value = record[short(column)]
                    same = (
                        float(text) == float(value)
                        if isinstance(value, int | float)
                        else text.startswith(str(value))
                    )
                    assert same, (name, column, text, value)
        assert "委托1" in [record["sid"] for record in records(desk, "order_status")]
    finally:
        desk.crash()


def test_dbf_twins_when_the_library_is_not_there_then_the_router_does_not_start(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "shapefile", None)
    desk = Desk(tmp_path, accounts={"A": {}}, outbox={"format": "csv+dbf"})
    with pytest.raises(ConfigError, match="dbf"):
        desk.open()
    desk.app = None
