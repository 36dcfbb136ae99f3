"""Workbooks that nobody should trade from: never the wrong order, always a clear refusal."""

import io
import random
import struct
import zipfile
from decimal import Decimal

import pytest
from book_reading import LIMITS, read, refused
from books import HEADER, a_book, a_book_of_xml, a_dbf, shared_row, with_part
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_reading import the_order

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.intake import BookLimits, open_book

GOOD = a_book(*[(f"S{n}", "SHSE.600000", "买入", 100 * n, 10.35, "") for n in range(1, 30)])
ORDERS = read(GOOD).orders
TEXTS = ("sid", "symbol", "order_business", "volume", "price", "S1", "SHSE.600000", "买入")
HEAD = shared_row(1, 0, 1, 2, 3, 4)
ONE = shared_row(2, 5, 6, 7, "100", "10.35")


def test_book_as_excel_saves_it_is_read():
    order = the_order(read(a_book_of_xml(HEAD + ONE, TEXTS)))
    assert (order.sid, order.symbol, order.volume, order.price) == (
        "S1",
        "SHSE.600000",
        100,
        Decimal("10.35"),
    )


def test_book_cut_anywhere_is_refused_as_damaged():
    for size in [*range(1, len(GOOD), 61), len(GOOD) - 1]:
        assert refused(GOOD[:size]).code is Code.FILE_DAMAGED, size


def test_book_with_a_changed_byte_is_the_same_or_refused():
    chance = random.Random(7)
    for _ in range(300):
        at = chance.randrange(len(GOOD))
        spoiled = bytearray(GOOD)
        spoiled[at] ^= 1 << chance.randrange(8)
        assert _refused_or_same(bytes(spoiled)), at


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=300))
def test_anything_that_is_no_book_is_refused(content):
    refused(content)
    refused(b"PK\x03\x04" + content)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("xl/vbaProject.bin", b"x", Code.BOOK_MACROS),
        ("xl/macrosheets/sheet1.xml", b"<x/>", Code.BOOK_MACROS),
        ("xl/externalLinks/externalLink1.xml", b"<x/>", Code.BOOK_LINKS),
        ("xl/media/image1.png", b"\0" * 30_000_000, Code.FILE_INFLATES),
        ("customXml/item1.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><x/>', Code.FILE_DAMAGED),
        ("customXml/item1.xml", '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x><x/>'.encode("utf-16"), Code.FILE_DAMAGED),
    ],
)  # fmt: skip
def test_book_with_a_part_that_is_dangerous_is_refused(name, content, code):
    limits = BookLimits.of(4 * 1024 * 1024, 200_000)
    refusal = refused(with_part(GOOD, name, content), limits=limits)
    assert refusal.code is code
    assert explain(refusal).remedy


def test_book_whose_type_says_macros_is_refused():
    def change(types):
        return types.replace(b"spreadsheetml.sheet.main+xml", b"sheet.macroEnabled.main+xml")

    assert refused(with_part(GOOD, "[Content_Types].xml", change)).code is Code.BOOK_MACROS


def test_entities_that_grow_are_refused_before_they_are_read():
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    assert refused(a_book_of_xml(HEAD + ONE, TEXTS, head=bomb)).code is Code.FILE_DAMAGED


def test_zip_that_understates_its_size_is_refused():
    """The directory says 100 bytes, the part is longer: what is read ends there, and the checksum fails."""
    content = bytearray(a_book_of_xml(HEAD + ONE, TEXTS))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as parts:
        size = parts.getinfo("xl/worksheets/sheet1.xml").file_size
    spoiled = bytes(content).replace(struct.pack("<I", size), struct.pack("<I", 100))
    assert spoiled != bytes(content)
    assert refused(spoiled).code is Code.FILE_DAMAGED


def test_zip_with_a_part_twice_is_refused():
    file = io.BytesIO(GOOD)
    with zipfile.ZipFile(file, "a") as parts, pytest.warns(UserWarning, match="Duplicate"):
        parts.writestr("xl/worksheets/sheet1.xml", parts.read("xl/worksheets/sheet1.xml"))
    assert refused(file.getvalue()).code is Code.FILE_DAMAGED


@pytest.mark.parametrize("mark", ["EncryptedPackage", "Workbook"])
def test_ole_files_are_told_apart(mark):
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + mark.encode("utf-16-le") + b"\0" * 600
    assert refused(content).code is (Code.FILE_ENCRYPTED if mark == "EncryptedPackage" else Code.FILE_TYPE)


def test_zip_with_a_password_is_refused():
    spoiled = bytearray(GOOD)
    at = spoiled.find(b"PK\x01\x02")
    while at >= 0:
        spoiled[at + 8] |= 1
        at = spoiled.find(b"PK\x01\x02", at + 1)
    assert refused(bytes(spoiled)).code is Code.FILE_ENCRYPTED


@pytest.mark.parametrize(
    "rows",
    [
        ONE + HEAD,
        HEAD + ONE + ONE,
        HEAD + ONE.replace('r="A2"', 'r="A3"'),
        HEAD + ONE.replace('r="E2"', 'r="A2"'),
        HEAD + ONE.replace('r="D2"', 'r="ZZZZ2"'),
        HEAD + ONE.replace('r="2"', 'r="99999999"', 1),
        HEAD + ONE.replace("<v>5</v>", "<v>5000</v>"),
        HEAD + ONE.replace("<v>100</v>", "<v>1e</v>"),
        HEAD + ONE[:-10],
        HEAD + ONE + '<row r="x"/>',
    ],
)
def test_sheet_that_excel_could_not_have_written_is_refused(rows):
    assert refused(a_book_of_xml(rows, TEXTS)).code is Code.FILE_DAMAGED


def test_sheet_whose_rows_are_far_apart_is_quickly_read():
    far = ONE.replace('"2"', '"1048576"').replace('2"', '1048576"')
    assert read(a_book_of_xml(HEAD + far, TEXTS)).orders[0].row == 1_048_576


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("".join(shared_row(n, 5, 6, 7, "100", "10.35") for n in range(2, 8)), Code.FILE_TOO_MANY_ROWS),
        ('<row r="2">' + "<c/>" * 2000 + "</row>", Code.FILE_INFLATES),
        (
            '</sheetData><mergeCells><mergeCell ref="A1:A1048576"/></mergeCells><sheetData>',
            Code.FILE_INFLATES,
        ),
    ],
)
def test_sheet_that_is_too_large_is_refused(rows, code):
    limits = BookLimits(rows=5, unpacked=10**7, cells=1000)
    assert refused(a_book_of_xml(HEAD + rows, TEXTS), limits=limits).code is code


def test_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    refusal = refused(GOOD)
    assert (refusal.code, refusal.bound) == (Code.FILE_LIBRARY, "pip install openpyxl")


_text = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=20)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["SHSE.600000", "000001.SZ", 600000, 2, "sh600036"]),
            st.sampled_from(["买", "卖出", 1, 2, "B"]),
            st.integers(1, 10**6) | st.integers(1, 10**6).map(str),
            st.decimals("0.01", "9999.99", places=2).map(float) | st.decimals("0.01", "9999.99", places=2).map(str),
            _text,
        ),
        min_size=1,
        max_size=8,
    )
)  # fmt: skip
def test_what_is_typed_is_what_is_ordered_or_refused(rows):
    result = read(a_book(*[(f"S{n}", *row) for n, row in enumerate(rows)]))
    assert len(result.orders) + len(result.errors) == len(rows)
    for order in result.orders:
        _symbol, side, volume, price, _remark = rows[int(order.sid[1:])]
        assert order.row == int(order.sid[1:]) + 2
        assert order.order_business == (1 if side in {"买", 1, "B"} else 2)
        assert order.volume == int(volume)
        assert order.price == Decimal(str(price))


def test_dbf_cut_or_spoiled_is_refused_or_the_same():
    fields = [(name, "C", 20, 0) for name in HEADER if name != "order_business"] + [("order_biz", "C", 4, 0)]
    good = a_dbf(fields, [(f"S{n}", "SHSE.600000", "100", "10.35", "", "1") for n in range(9)])
    assert len(read(good, suffix=".dbf").orders) == 9
    for size in range(1, len(good) - 1):
        assert isinstance(open_book(good[:size], ".dbf", DropKind.ORDER, LIMITS), Refusal), size


def _refused_or_same(content: bytes) -> bool:
    opened = open_book(content, ".xlsx", DropKind.ORDER, LIMITS)
    if isinstance(opened, Refusal):
        return True
    return read(content).orders == ORDERS
