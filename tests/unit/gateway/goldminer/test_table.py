from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.domain.goldminer_format import line
from orderdrop.gateway.goldminer.rows import BadRow
from orderdrop.gateway.goldminer.table import CsvTable

TABLE = CsvTable()
HEAD = b"account_id,sid,detail\n"


def rows_of(data: bytes):
    head = TABLE.head(HEAD)
    return TABLE.cells(head, TABLE.split(head, data))


@pytest.mark.parametrize(
    "header", [HEAD, b"\xef\xbb\xbf" + HEAD, HEAD.replace(b"\n", b"\r\n"), b"Account_ID,SID,x\n"]
)
def test_head_when_bom_or_crlf_then_the_same_columns(header):
    head = TABLE.head(header)
    assert (head.columns["account_id"], head.columns["sid"], head.width, head.size) == (0, 1, 3, len(header))


def test_head_when_it_has_no_newline_yet_then_not_there():
    assert TABLE.head(HEAD[:-1]) is None


def test_head_when_the_first_line_is_a_row_then_refused():
    with pytest.raises(BadRow):
        TABLE.head(b"A1,S1,x\n")


def test_cells_when_a_row_has_no_newline_then_it_does_not_count():
    assert rows_of(b"A1,S1,\r\nA1,S2,y") == [["A1", "S1", ""]]


def test_cells_when_the_number_of_fields_differs_then_none():
    assert rows_of(b"A1,S1\nA1,S2,,\nA1,S3,z\n") == [None, None, ["A1", "S3", "z"]]


def test_cells_when_the_brokers_words_hold_commas_quotes_and_newlines_then_read():
    words = '拒单, "原因"\r\n第二行'
    assert rows_of(line(["A1", "S1", words]).encode() + b"A1,S2,\n") == [
        ["A1", "S1", words],
        ["A1", "S2", ""],
    ]


def test_split_when_a_quoted_cell_is_not_closed_yet_then_waits():
    assert rows_of(b'A1,S1,x\nA1,S2,"half\n') == [["A1", "S1", "x"]]


def test_cells_when_a_quote_is_stray_then_it_swallows_no_other_row():
    assert rows_of(b'A1,S1,5"\nA1,S2,6"\nA1,S3,x\n') == [
        ["A1", "S1", '5"'],
        ["A1", "S2", '6"'],
        ["A1", "S3", "x"],
    ]


def test_cells_when_gbk_stands_in_one_row_then_read():
    assert rows_of("A1,S1,已报\n".encode("gb18030") + "A1,S2,已报\n".encode()) == [
        ["A1", "S1", "已报"],
        ["A1", "S2", "已报"],
    ]


def test_cells_when_nuls_stand_before_a_row_then_the_row_counts_and_within_one_it_does_not():
    assert rows_of(b"\0\0\0A1,S1,x\nA1,\0\0,x\n") == [["A1", "S1", "x"], None]


@given(
    st.lists(st.lists(st.text(alphabet='ab,"\r\n文', max_size=4), min_size=3, max_size=3), max_size=5),
    st.data(),
)
def test_split_when_cut_anywhere_then_records_join_to_the_beginning(rows, data):
    content = "".join(map(line, rows)).encode()
    cut = content[: data.draw(st.integers(0, len(content)))]
    records = TABLE.split(TABLE.head(HEAD), cut)
    assert cut.startswith(b"".join(records))
