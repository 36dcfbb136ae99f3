"""What a file is by its content, and the web pages that programs call `.xls`."""

from __future__ import annotations

import io

import openpyxl
import pytest
from books import a_dbf
from intake_reading import a_context

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.intake import BookLimits, open_book
from orderdrop.intake.nature import DBF, HEAD_BYTES, OTHER, PAGE, TEXT, WORKBOOK, suffix_of

HEAD = "<tr><td>代码</td><td>方向</td><td>数量</td><td>价格</td></tr>"
ROW = "<tr><td>600000</td><td>买入</td><td>1,000</td><td> 10.35&nbsp;</td></tr>"


def a_workbook() -> bytes:
    content = io.BytesIO()
    openpyxl.Workbook().save(content)
    return content.getvalue()


def page(
    *rows: str, around: str = "<table>{}</table>", encoding: str = "utf-8", limits: BookLimits | None = None
):
    text = around.format("".join(rows))
    limits = limits or BookLimits.of(1 << 20, 100)
    return open_book(text.encode(encoding), PAGE, DropKind.ORDER, limits)


def terms(book):
    assert not isinstance(book, Refusal), book
    blocks = list(book.read(a_context()))
    return (
        [
            (o.row, o.symbol, o.order_business, o.volume, str(o.price))
            for block in blocks
            for o in block.orders
        ],
        [(e.row, e.refusal.code) for block in blocks for e in block.errors],
    )


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        ("代码,方向\n".encode(), TEXT),
        ("代码\t方向\n".encode("gbk"), TEXT),
        ("\ufeff代码,方向\n".encode(), TEXT),
        ("代码,方向\n".encode("utf-16"), TEXT),
        (b"\n\nPRICE,symbol\n", TEXT),
        (("中" * HEAD_BYTES).encode()[:HEAD_BYTES], TEXT),
        (a_workbook(), WORKBOOK),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OTHER),
        (a_dbf([("symbol", "C", 20, 0)], [("600000",)]), DBF),
        (b"<html xmlns:x='urn:schemas-microsoft-com:office:excel'>", PAGE),
        (b"\xef\xbb\xbf\r\n<TABLE border=1>", PAGE),
        (b"<!DOCTYPE html>", PAGE),
        (b"<?xml version='1.0'?><Workbook>", OTHER),
        (b"<?xml version='1.0'?><html>", PAGE),
        (b"MIME-Version: 1.0\n", OTHER),
    ],
)  # fmt: skip
@pytest.mark.parametrize("named", [".csv", ".xlsx", ".xls", ".dbf"])
def test_file_is_told_by_its_content_whatever_it_is_called(head, suffix, named):
    assert suffix_of(head[:HEAD_BYTES], named) == suffix


@pytest.mark.parametrize("head", [b"", bytes(100), b"\x01\x02\x03", b"symbol\0,x\n"])
@pytest.mark.parametrize("named", [".xlsx", ".xls", ".dbf"])
def test_content_that_says_nothing_leaves_it_to_the_name(head, named):
    assert suffix_of(head, named) == named


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-8-sig", "utf-16"])
def test_rows_of_a_page_are_orders(encoding):
    orders, errors = terms(page("<tr><td colspan=4>我的篮子</td></tr>", HEAD, ROW, encoding=encoding))
    assert orders == [(3, "SHSE.600000", 1, 1000, "10.35")]
    assert errors == []


def test_page_of_cells_that_are_not_closed_is_read_as_browsers_do():
    orders, _errors = terms(
        page(HEAD, "<tr><td>600000<td>买入<td>100<td>10<tr><td>000002<td>卖出<td>200<td>11")
    )
    assert [order[1:4] for order in orders] == [("SHSE.600000", 1, 100), ("SZSE.000002", 2, 200)]


def test_scripts_and_styles_are_no_text():
    row = ROW.replace("600000", "<style>.a{}</style>60<b>00</b>00<script>1</script>")
    assert terms(page(HEAD, row))[0][0][1] == "SHSE.600000"


def test_cell_that_spans_several_is_refused():
    assert terms(page(HEAD, "<tr><td rowspan='2'>600000</td><td>买入</td><td>1</td><td>1</td></tr>")) == (
        [],
        [(2, Code.CELL_MERGED)],
    )


def test_hidden_row_is_told():
    (block,) = page(HEAD, ROW.replace("<tr>", "<tr style='display:none'>")).read(a_context())
    assert "hidden" in block.orders[0].note


@pytest.mark.parametrize(
    ("around", "code"),
    [
        ("<table>{}", Code.FILE_DAMAGED),
        ("<table><tr><td><table>{}</table></td></tr></table>", Code.FILE_DAMAGED),
        ("<p>{}</p>", Code.HEADER_NOT_FOUND),
        ("<table></table>", Code.HEADER_NOT_FOUND),
    ],
)
def test_page_that_is_cut_or_has_no_table_of_orders_is_refused(around, code):
    refusal = page(HEAD, ROW, around=around)
    assert isinstance(refusal, Refusal)
    assert refusal.code is code


def test_page_that_is_too_large_is_refused():
    assert page(HEAD, ROW, limits=BookLimits(100, 100, 7)).code is Code.FILE_INFLATES
    assert page(HEAD, ROW, ROW, limits=BookLimits(1, 100, 100)).code is Code.FILE_TOO_MANY_ROWS
