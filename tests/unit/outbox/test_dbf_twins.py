"""The result files as dbf: the same rows, in fields that are wide enough, and growing in their place."""

from __future__ import annotations

import sys

import pytest
import shapefile

from orderdrop.errors import ConfigError
from orderdrop.outbox.dbf_twins import grow_twin, must_be_there, write_twin

HEADER = "account_id,sid,symbol,order_business(order_biz),volume,price,ord_rej_reason_detail(rej_detail),created_at"


def a_row(sid: str = "S1", **over) -> list[str]:
    values = {
        "account_id": "A1", "sid": sid, "symbol": "SHSE.600000", "side": "1", "volume": "300", "price": "10.35", "detail": "",
        "at": "2026-11-20T09:31:00.000000+08:00",
    }  # fmt: skip
    return list((values | over).values())


def records(path) -> list[dict]:
    with shapefile.Reader(dbf=str(path), encoding="gbk") as reader:
        return [record.as_dict() for record in reader.iterRecords()]


@pytest.fixture
def twin(tmp_path):
    return tmp_path / "order_status.dbf"


def test_twin_when_written_then_each_field_has_its_columns_short_name_and_value(twin):
    write_twin(twin, HEADER, [a_row(detail="资金不足")])
    [record] = records(twin)
    assert record == {
        "account_id": "A1", "sid": "S1", "symbol": "SHSE.600000", "order_biz": 1, "volume": 300, "price": 10.35,
        "rej_detail": "资金不足", "created_at": "2026-11-20T09:31:00.000000+08:00",
    }  # fmt: skip


def test_twin_when_there_are_no_rows_then_it_has_its_fields_all_the_same(twin):
    write_twin(twin, HEADER, [])
    assert records(twin) == []
    grow_twin(twin, HEADER, [a_row()])
    assert [record["sid"] for record in records(twin)] == ["S1"]


def test_twin_when_it_grows_then_it_is_what_a_new_one_would_be(twin, tmp_path):
    write_twin(twin, HEADER, [a_row("S1")])
    grow_twin(twin, HEADER, [a_row("S2"), a_row("S3")])
    grow_twin(twin, HEADER, [a_row("S4")])
    at_once = tmp_path / "at once.dbf"
    write_twin(at_once, HEADER, [a_row(f"S{number}") for number in range(1, 5)])
    assert twin.read_bytes() == at_once.read_bytes()


def test_twin_when_nothing_is_new_then_it_is_not_touched(twin):
    write_twin(twin, HEADER, [a_row()])
    before = twin.stat()
    grow_twin(twin, HEADER, [])
    assert twin.stat() == before


def test_twin_when_a_growth_broke_off_then_the_rows_that_count_are_those_before_it(twin):
    write_twin(twin, HEADER, [a_row("S1")])
    with twin.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b" half a record")
    assert [record["sid"] for record in records(twin)] == ["S1"]
    grow_twin(twin, HEADER, [a_row("S2")])
    assert [record["sid"] for record in records(twin)] == ["S1", "S2"]


def test_twin_when_a_number_is_not_known_then_the_field_is_empty_and_not_zero(twin):
    write_twin(twin, HEADER, [a_row(price="", volume="")])
    [record] = records(twin)
    assert (record["price"], record["volume"]) == (None, None)


@pytest.mark.parametrize("volume", ["0", "999999999999999"])
def test_twin_when_a_volume_is_large_then_each_digit_is_kept(twin, volume):
    write_twin(twin, HEADER, [a_row(volume=volume)])
    assert records(twin)[0]["volume"] == int(volume)


def test_twin_when_a_text_is_longer_than_its_field_then_it_is_cut_between_two_characters(twin):
    write_twin(twin, HEADER, [a_row(detail="x" + "资" * 200, sid="单" * 40)])
    [record] = records(twin)
    assert record["rej_detail"] == "x" + "资" * 126
    assert record["sid"] == "单" * 32


def test_twin_when_a_character_is_not_in_gbk_then_a_question_mark_stands_for_it(twin):
    write_twin(twin, HEADER, [a_row(detail="😀好")])
    assert records(twin)[0]["rej_detail"] == "?好"


def test_twins_when_the_library_is_missing_then_said_before_anything_is_written(monkeypatch):
    monkeypatch.setitem(sys.modules, "shapefile", None)
    with pytest.raises(ConfigError, match="dbf"):
        must_be_there()
