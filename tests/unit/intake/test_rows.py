from __future__ import annotations

import pytest
from intake_reading import CARD, a_context, opened, outcomes, read

from orderdrop.domain.order import DropKind, Instruction
from orderdrop.domain.refusal import Code, Refusal, RowError, explain
from orderdrop.intake import BLOCK_ROWS

HEADER = "sid,symbol,volume,side,price,remark"
GOOD = "S{0},600000,100,买,10.35,"


def card(*lines: str) -> str:
    return "".join(f"{line}\n" for line in (HEADER, *lines))


@pytest.mark.parametrize(
    ("line", "code", "sid"),
    [
        ("S9,600000,100,买,10.35", Code.ROW_FIELDS, "S9"),
        ("S9,600000,100,买,10.35,,", Code.ROW_FIELDS, "S9"),
        ("S9,6000S9,600000,100,买,10.35,", Code.ROW_FIELDS, "S9"),
        (",,100,,,", Code.VALUE_MISSING, ""),
        (",x,", Code.ROW_FIELDS, ""),
        (HEADER, Code.ROW_HEADER_AGAIN, ""),
        ("\ufeff" + HEADER, Code.ROW_HEADER_AGAIN, ""),
        ("sid,comment", Code.ROW_HEADER_AGAIN, ""),
        ("编号,代码,数量,方向,价格,备注", Code.ROW_HEADER_AGAIN, ""),
        ('S9,600000,100,买,10.35,"x', Code.ROW_QUOTES, ""),
        ('"S9,600000,100,买,10.35,x', Code.ROW_QUOTES, ""),
        ('S9,600000,100,买,10.35,"x"y', Code.ROW_QUOTES, ""),
        ('S9,600000,100,买,10.35,5" pipe', Code.ROW_QUOTES, ""),
        ("S9,600000,10\0,买,10.35,", Code.ROW_NUL, ""),
        ("S9,600000,100\r,买,10.35,", Code.VALUE_CONTROL, ""),
        ("S9,600000,100,买,10.35,\r", Code.VALUE_CONTROL, ""),
        ("S9,600000,x,买,10.35,", Code.NUMBER_BAD, "S9"),
        ("S 9,600000,100,买,10.35,", Code.SID_BAD, ""),
    ],
)
def test_row_when_bad_then_an_error_of_its_line_and_the_others_are_read(line, code, sid):
    text = card(GOOD.format(1), line, GOOD.format(2)).replace("\r\n", "\r\r\n")
    result = read(text)
    assert result.codes == [(3, code)]
    assert result.errors[0].sid == sid
    assert [(order.row, order.sid) for order in result.orders] == [(2, "S1"), (4, "S2")]
    assert explain(result.errors[0].refusal).en


@pytest.mark.parametrize("blank", ["", " ", "\u3000 "])
def test_row_when_the_line_is_blank_then_counted_and_passed_over(blank):
    result = read(card(blank, GOOD.format(1), blank, blank, GOOD.format(2)))
    assert not result.errors
    assert [order.row for order in result.orders] == [3, 6]


def test_row_when_several_values_are_bad_then_one_error():
    assert read(card("S 1,x,y,z,w,=1")).codes == [(2, Code.SID_BAD)]


def test_row_when_several_values_are_mended_then_all_are_said():
    (order,) = read(card("S1,1,１００,买,10.35,")).orders
    assert order.note == "symbol: 1 → SZSE.000001 补零 zeros restored; volume: １００ → 100 全角 full-width"


def test_row_when_the_same_odd_value_comes_again_then_said_again():
    result = read(card("S1,1,100,买,10,", "S2,1,x,买,10,", "S3,1,x,买,10,", "S4,600000,100,买,10,"))
    assert [bool(order.note) for order in result.orders] == [True, False]
    assert result.codes == [(3, Code.NUMBER_BAD), (4, Code.NUMBER_BAD)]


def test_row_when_cells_are_quoted_then_read_without_the_quotes():
    (order,) = read(card('"S1","600000","1,000","买","10.35","a, ""b"""')).orders
    assert (order.sid, order.volume, order.remark) == ("S1", 1000, 'a, "b"')


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_row_when_lines_end_either_way_then_read_alike(newline):
    result = read(card(GOOD.format(1), "", GOOD.format(2)).replace("\n", newline))
    assert [(order.row, order.remark) for order in result.orders] == [(2, ""), (4, "")]
    assert not result.errors


def test_row_when_the_last_line_is_declared_whole_then_it_counts_without_newline():
    assert len(read(card(GOOD.format(1)).removesuffix("\n")).orders) == 1


def test_rows_when_there_are_many_then_blocks_of_bounded_size_and_exact_numbers():
    count = 2 * BLOCK_ROWS + 17
    data = card(*(GOOD.format(number) for number in range(count))).encode()
    reader, start = opened(data)
    numbers = []
    for block in reader.read(data[start:], a_context()):
        assert block.rows == len(block.orders) <= BLOCK_ROWS
        numbers += [order.row for order in block.orders]
        assert reader.next_row == numbers[-1] + 1
    assert numbers == list(range(2, count + 2))


def test_rows_when_one_line_is_longer_than_a_piece_then_only_it_is_refused():
    result = read(card(GOOD.format(1), "x" * 700_000, GOOD.format(2)))
    assert result.codes == [(3, Code.ROW_FIELDS)]
    assert [order.row for order in result.orders] == [2, 4]


def test_rows_when_a_column_has_ever_new_texts_then_still_right():
    lines = [f"S{n},600000,{n + 1},买,{n + 1}.{n % 100:02d}," for n in range(20_000)]
    orders = read(card(*lines)).orders
    assert [order.volume for order in orders] == list(range(1, 20_001))
    assert str(orders[-1].price) == "20000.99"


def test_rows_when_the_sid_is_missing_then_derive_is_asked_once_for_each_in_order_even_in_bad_rows():
    asked = []
    text = "symbol,volume,side,price\n600000,100,1,10\n600000,x,1,10\n\n600000,200,1,10\n"
    read(text, derive=lambda row, line: asked.append((row, line)) or f"D{row}")
    assert asked == [(2, "600000,100,1,10"), (3, "600000,x,1,10"), (5, "600000,200,1,10")]


def test_instructions_when_read_then_sid_and_remark_or_an_error():
    text = "sid,comment\nS1,\n\n S2 ,why\n,x\nsid,comment\n1.2E+15,\nS3\nS4,=1\n"
    result = read(text, DropKind.CANCEL)
    assert result.instructions == [Instruction(2, "S1"), Instruction(4, "S2", "why")]
    assert result.errors == [
        RowError(5, "", Refusal(Code.VALUE_MISSING, "sid")),
        RowError(6, "", Refusal(Code.ROW_HEADER_AGAIN)),
        RowError(7, "", Refusal(Code.SID_EXCEL, "sid", "1.2E+15")),
        RowError(8, "S3", Refusal(Code.ROW_FIELDS, "", "1", "2")),
        RowError(9, "S4", Refusal(Code.VALUE_FORMULA, "comment", "=1")),
    ]


def test_instructions_when_there_is_only_a_sid_column_then_blank_lines_are_passed_over():
    result = read("sid\nS1\n\n  \nS2\n", DropKind.RELEASE)
    assert result.instructions == [Instruction(2, "S1"), Instruction(5, "S2")]
    assert not result.errors


def test_card_when_it_has_every_column_then_every_field_is_filled():
    (order,) = read(f"{CARD}\nS1,A1,SHSE.600000,100,24,2,10.35,why,alpha\n").orders
    assert order[1:7] == ("S1", "A1", "SHSE.600000", 100, 24, 2)
    assert (str(order.price), order.remark, order.strategy, order.note) == ("10.35", "why", "alpha", "")
    assert outcomes(*opened(f"{CARD}\n".encode())[:1], b"").orders == []


# cancels, as other programs write them


@pytest.mark.parametrize(
    "row", ["M1,comments,", "M1,comments", "M1,,,", 'M1,"a, b",', "M1,a,b,c", "M1,comments,\r"]
)
@pytest.mark.parametrize("head", ["sid,comment", "sid,comment,"])
def test_cancel_when_cells_stand_behind_it_then_it_is_obeyed_all_the_same(head, row):
    found = read(f"{head}\n{row}\nM2,comments,\n", DropKind.CANCEL)
    assert [one.sid for one in found.instructions] == ["M1", "M2"]
    assert found.errors == []


def test_cancel_when_what_stands_behind_it_says_something_then_that_is_said():
    ones = read("sid,comment\nM1,a,b,c\nM2,a,\n", DropKind.CANCEL).instructions
    assert ["b, c" in one.note for one in ones] == [True, False]
    assert ones[1].note == ""


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (DropKind.CANCEL, "comment,sid\nwhy, M9,M1\n"),  # M9 is half of a comment
        (DropKind.CANCEL, "sid,comment\nM1\n"),
        (DropKind.RELEASE, "sid,comment\nM1,comments,\n"),
        (DropKind.RESEND, "sid,comment\nM1,comments,\n"),
    ],
)
def test_instruction_when_its_cells_may_have_moved_or_it_lets_something_go_then_it_is_refused(kind, content):
    assert read(content, kind).codes == [(2, Code.ROW_FIELDS)]
