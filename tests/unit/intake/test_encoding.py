from __future__ import annotations

import pytest
from intake_reading import a_context, opened, outcomes, read

from orderdrop.domain.refusal import Code
from orderdrop.intake.encoding import UTF16_BE, UTF16_LE, last_line_end, next_line_end

CHINESE = "证券代码,方向,数量,价格,备注\n600000,买入,100,10.35,调仓一\n000001,卖出,200,11.20,调仓二\n"
ASCII_HEADER = "symbol,side,volume,price,remark\n600000,1,100,10.35,\n600000,买入,100,10.35,调仓\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("text", [CHINESE, ASCII_HEADER])
def test_file_when_in_any_known_encoding_then_read_alike(text, encoding, newline):
    result = read(text.replace("\n", newline).encode(encoding))
    assert result == read(text)
    assert len(result.orders) == 2


def test_file_when_big_endian_with_a_mark_then_read():
    assert len(read(b"\xfe\xff" + CHINESE.encode("utf-16-be")).orders) == 2


@pytest.mark.parametrize("text", [CHINESE, ASCII_HEADER])
@pytest.mark.parametrize(("first", "second"), [("utf-8", "gbk"), ("gbk", "utf-8")])
def test_line_when_in_another_encoding_than_the_file_then_only_it_is_refused(text, first, second):
    stranger = "600000,卖出,100,10.35,别的程序写的\n".encode(second)
    data = text.encode(first) + stranger + "600000,买入,300,10.35,又对了\n".encode(first)
    result = read(data)
    # UTF-8 can look like GBK, but then it says no side that we know.
    assert result.codes == [(4, Code.ROW_ENCODING if first == "utf-8" else Code.SIDE_BAD)]
    assert [order.row for order in result.orders] == [2, 3, 5]
    assert result.orders[-1].remark == "又对了"


def test_line_when_it_decodes_in_nothing_then_it_does_not_decide_for_the_file():
    data = b"symbol,side,volume,price,remark\n600000,1,100,10,\xff\n" + "600000,1,100,10,调仓\n".encode("gbk")
    result = read(data)
    assert result.codes == [(2, Code.ROW_ENCODING)]
    assert result.orders[0].remark == "调仓"


def test_encoding_when_decided_in_one_piece_then_kept_in_the_next():
    data = b"symbol,side,volume,price,remark\n"
    reader, start = opened(data)
    assert outcomes(reader, data[start:] + "600000,买,100,10,调仓\n".encode("gbk")).orders
    assert outcomes(reader, "600000,买,100,10,调仓\n".encode()).codes == [(3, Code.ROW_ENCODING)]


def test_line_when_utf16_holds_half_a_pair_then_only_it_is_refused():
    good = "600000,买,100,10,调仓\n".encode("utf-16-le")
    bad = "600000,买,100,10,".encode("utf-16-le") + b"\x00\xd8" + "\n".encode("utf-16-le")
    data = b"\xff\xfe" + "代码,方向,数量,价格,备注\n".encode("utf-16-le") + good + bad + good + b"6"
    result = read(data)
    assert result.codes == [(3, Code.ROW_ENCODING), (5, Code.ROW_ENCODING)]
    assert [order.row for order in result.orders] == [2, 4]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("上\n\u0a00\u000a\u0a0a", UTF16_LE),
        ("上\n\u0a00\u000a\u0a0a", UTF16_BE),
        ("a\nb\n", UTF16_LE),
        ("ab", UTF16_BE),
        ("", UTF16_LE),
    ],
)
def test_line_end_when_utf16_then_found_at_whole_characters_only(text, encoding):
    data = text.encode(encoding)
    assert last_line_end(data, encoding, 0, len(data)) == 2 * (text.rfind("\n") + 1)
    assert next_line_end(data, encoding) == (2 * (text.find("\n") + 1) or len(data))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk", "utf-16"])
def test_split_when_the_last_line_is_unfinished_then_ends_before_it(encoding):
    data = CHINESE.encode(encoding)
    reader, start = opened(data)
    rest = data[start:]
    torn = "600000,买,1"
    assert reader.split(rest + torn.encode(encoding if encoding != "utf-16" else "utf-16-le")) == len(rest)
    assert reader.split(b"") == 0
    assert reader.split(b"6000") == 0
    assert len(outcomes(reader, rest, a_context()).orders) == 2
