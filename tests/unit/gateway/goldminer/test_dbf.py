from __future__ import annotations

import struct
from decimal import Decimal
from io import BytesIO

import pytest
from builders import an_outgoing
from goldminer_desk import Folders
from goldminer_writing import ACCOUNT, a_change, an_execution, header_of

from orderdrop.domain.report import Fill, StatusReport
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Cancel, Cursor, Outcome
from orderdrop.gateway.goldminer.dbf import DbfTable, DbfWriting

shapefile = pytest.importorskip("shapefile")

NUMBERS = {"order_type", "order_biz", "status", "rej_reason", "exec_type", "volume", "filled_vol"}


def dbf_of(path, rows) -> bytes:
    """A terminal's dbf twin of these rows: short names, GBK."""
    names = [name.partition("(")[2].rstrip(")") or name for name in header_of(rows[0]).split(",")]
    with shapefile.Writer(dbf=str(path), encoding="gbk") as table:
        for name in names:
            table.field(
                name,
                *(("N", 12, 0) if name in NUMBERS else ("N", 16, 4) if name == "price" else ("C", 64, 0)),
            )
        for row in rows:
            table.record(*row.values())
    return path.read_bytes()


@pytest.fixture
def folders(tmp_path) -> Folders:
    return Folders(tmp_path, format="dbf")


def heard(folders: Folders, cursor: Cursor = Cursor("")):  # noqa: B008
    told = []
    while True:
        reports, cursor = folders.gateway.poll(cursor, 2)
        if not reports:
            return told, cursor
        told += reports


def test_submit_when_dbf_then_a_file_that_reads_back(folders):
    orders = [
        an_outgoing(sid="S1", account_id=ACCOUNT, remark="调仓"),
        an_outgoing(sid="S2", account_id=ACCOUNT, price=None, order_type=24),
    ]
    content = folders.gateway.encode(orders)
    assert folders.gateway.encode(orders) == content
    batch = folders.batch(1, "S1", "S2")
    assert folders.gateway.submit(batch).outcome is Outcome.TAKEN
    assert folders.in_scan()[0].endswith(".order.dbf")
    with shapefile.Reader(dbf=BytesIO(content), encoding="gbk") as table:
        first, second = (list(record) for record in table.iterRecords())
    assert first == ["S1", ACCOUNT, "SHSE.600000", 100, 1, 1, 10.0, "调仓"]
    assert second[:7] == ["S2", ACCOUNT, "SHSE.600000", 100, 24, 1, None]


def test_settle_and_evidence_when_dbf_then_by_the_rows_in_it(folders):
    batch = folders.handed(1, "S1", "S2")
    assert folders.gateway.settle(batch) == {"S1": Outcome.TAKEN, "S2": Outcome.TAKEN}
    assert folders.gateway.evidence(batch).taken is False


def test_cancel_when_dbf_then_a_dbf(folders):
    folders.gateway.cancel([Cancel("S1", ACCOUNT)])
    assert folders.in_scan()[0].endswith(".cancel_order.dbf")


def test_comment_when_too_long_for_a_field_then_cut_between_characters():
    rows = DbfWriting().rows(DbfWriting().orders([an_outgoing(remark="长" * 200)]))
    assert rows == [("S1", "A1")]


def test_encode_when_a_field_cannot_hold_the_price_then_a_fault_and_no_rounding():
    with pytest.raises(GatewayError):
        DbfWriting().orders([an_outgoing(price="10.00001")])


def test_poll_when_the_output_is_dbf_then_the_same_reports_as_from_csv(folders):
    out = folders.push / ACCOUNT
    changes = [
        a_change("S1", 10, ord_rej_reason_detail=""),
        a_change("S1", 8, ord_rej_reason=14, ord_rej_reason_detail="不支持", second=2),
    ]
    dbf_of(out / "order_status_change.dbf", changes)
    dbf_of(out / "execution_report.dbf", [an_execution("S2", "e1", 600, price="10.34")])
    told, _ = heard(folders)
    (fill,) = [r for r in told if isinstance(r, Fill)]
    assert (fill.exec_id, fill.volume, fill.price) == ("e1", 600, Decimal("10.34"))
    assert [(r.status, r.code, r.text) for r in told if isinstance(r, StatusReport)] == [
        ("pending_new", 0, ""),
        ("rejected", 14, "不支持"),
    ]


def test_poll_when_a_dbf_grows_cut_anywhere_then_each_record_once(folders):
    rows = [a_change(f"S{n}", second=n + 1) for n in range(4)]
    whole = dbf_of(folders.root / "whole.dbf", rows)
    path, told, cursor = folders.push / ACCOUNT / "order_status_change.dbf", [], Cursor("")
    path.touch()
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        reports, cursor = heard(folders, cursor)
        told += reports
    path.write_bytes(whole)
    reports, cursor = heard(folders, cursor)
    assert [r.sid for r in told + reports] == ["S0", "S1", "S2", "S3"]
    folders.reborn()
    assert heard(folders, cursor)[0] == []


def test_poll_when_the_count_lags_behind_the_records_then_only_what_is_counted(folders):
    whole = dbf_of(folders.root / "whole.dbf", [a_change("S0"), a_change("S1")])
    path = folders.push / ACCOUNT / "order_status_change.dbf"
    path.write_bytes(whole[:4] + struct.pack("<I", 1) + whole[8:])
    told, cursor = heard(folders)
    assert [r.sid for r in told] == ["S0"]
    path.write_bytes(whole)
    assert [r.sid for r in heard(folders, cursor)[0]] == ["S1"]


def test_cells_when_a_record_is_deleted_then_it_tells_nothing(tmp_path):
    data = bytearray(dbf_of(tmp_path / "a.dbf", [a_change("S0"), a_change("S1")]))
    table = DbfTable()
    head = table.head(bytes(data))
    data[head.size] = ord("*")
    records = table.split(head, bytes(data[head.size : table.counted(bytes(data), len(data))]))
    first, second = table.cells(head, records)
    assert first is None
    assert second[1] == "S1"
