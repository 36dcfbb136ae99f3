"""What must hold for every input, however strange."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from intake_reading import CARD, Outcomes, a_context, opened, outcomes, read

from orderdrop.domain.order import DropKind, Order
from orderdrop.domain.refusal import Refusal, explain
from orderdrop.intake import Reader

FOLDER = Path(__file__).parents[2] / "samples"
SAMPLES = sorted([*FOLDER.glob("drops/*.csv"), *FOLDER.glob("goldminer/in/*.csv")])

cells = st.one_of(
    st.sampled_from(
        [
            "S1",
            "S2",
            "1",
            "2",
            "100",
            "1,000",
            "１００",
            "10.35",
            "0",
            "",
            "600000",
            "1.23E+15",
            "买",
            "=A1",
            '"',
            "\r",
            "\0",
            " ",
        ]
    ),
    st.text(max_size=6),
)
lines = st.lists(cells, min_size=0, max_size=10).map(",".join)
headers = st.sampled_from(
    [
        CARD,
        "symbol,volume,side,price",
        "证券代码,买卖方向,委托数量,委托价格,备注",
        "sid;symbol;volume;side;price",
    ]
)
encodings = st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"])


def kind_of(path: Path) -> DropKind:
    return DropKind.CANCEL if "cancel" in path.name else DropKind.ORDER


@settings(max_examples=300)
@given(st.binary(max_size=200), st.sampled_from(DropKind))
def test_intake_when_given_any_bytes_then_never_raises(data, kind):
    head = Reader.open(data, kind)
    if isinstance(head, Refusal):
        assert explain(head).zh
    else:
        outcomes(head[0], data[head[1] :])


@settings(max_examples=300)
@given(headers, st.lists(st.binary(max_size=60), max_size=6), st.sampled_from([b"\n", b"\r\n", b"\n\0"]))
def test_intake_when_any_bytes_follow_a_header_then_every_line_has_one_outcome(header, raw_lines, newline):
    data = f"{header}\n".encode() + b"".join(line.replace(b"\n", b"") + newline for line in raw_lines)
    result = read(data)
    rows = [order.row for order in result.orders] + [error.row for error in result.errors]
    assert len(rows) == len(set(rows)) <= data.count(b"\n")
    assert all(explain(error.refusal).en for error in result.errors)


def _half_width(text: str) -> str:
    return "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" else c for c in text)


@settings(max_examples=500)
@given(headers, st.lists(lines, max_size=8), encodings)
def test_intake_when_it_makes_an_order_then_its_values_stand_in_the_line(header, some, encoding):
    text = "".join(f"{line.replace(chr(10), '')}\n" for line in (header, *some))
    text = text.encode("utf-8", "ignore").decode()
    by_number = dict(enumerate(text.split("\n"), 1))
    for order in read(text.encode(encoding)).orders:
        line = _half_width(by_number[order.row])
        numbers = {
            Decimal(n.replace(",", "")) for n in re.findall(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?", line)
        }
        assert order.sid in line or order.sid == f"derived-{order.row}"
        assert any(n == order.volume for n in numbers | _ungrouped(line))
        assert order.price is None or order.price in numbers | _ungrouped(line)
        assert order.symbol[5:].lstrip("0") in line


def _ungrouped(line: str) -> set[Decimal]:
    return {Decimal(n) for n in re.findall(r"[0-9]+(?:\.[0-9]+)?", line)}


times_of_day = st.just("") | st.times().map(lambda time: f"{time:%H:%M:%S}")
orders = st.builds(
    Order,
    row=st.just(2),
    sid=st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}", fullmatch=True),
    account_id=st.from_regex(r"[A-Za-z0-9]{1,32}", fullmatch=True),
    symbol=st.sampled_from(["SHSE.600000", "SZSE.000001", "BJSE.920002", "SHSE.018014"]),
    volume=st.integers(1, 10**12 - 1),
    order_type=st.sampled_from([1, 2, 20, 21, 22, 23, 24, 25]),
    order_business=st.sampled_from([1, 2]),
    price=st.none() | st.decimals("0.0001", 10**8, places=4),
    remark=st.text(st.characters(categories=["L", "N"], include_characters=" ,;\"'."), max_size=50)
    .map(str.strip)
    .filter(
        lambda text: not text.startswith("'")
    ),  # a mark by which a spreadsheet keeps its hands off a text
    strategy=st.from_regex(r"([A-Za-z0-9_一-龥]{1,20})?", fullmatch=True),
    note=st.just(""),
    not_before=times_of_day,
    not_after=times_of_day,
)


@given(st.lists(orders, max_size=5), encodings)
def test_intake_when_an_order_is_written_as_a_card_row_then_read_back_as_it_was(some, encoding):
    def cell(value: object) -> str:
        return "" if value is None else '"{}"'.format(str(value).replace('"', '""'))

    numbered = [order._replace(row=row) for row, order in enumerate(some, 2)]
    text = "".join(f"{','.join(map(cell, order[1:10] + order[11:]))}\n" for order in numbered)
    data = f"{CARD},not_before,not_after\n{text}".encode(encoding)
    told = next((line for line in data.split(b"\n") if not line.isascii()), b"")
    # A few pairs of GBK letters are UTF-8 as well, and the first line that is not ASCII decides: no reader can tell.
    assume(encoding != "gb18030" or not told or not _is_utf8(told))
    assert read(data) == Outcomes(numbered, [], [])


def _is_utf8(data: bytes) -> bool:
    try:
        return not data.isascii() and bool(data.decode())
    except UnicodeDecodeError:
        return False


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_intake_when_a_file_is_cut_anywhere_then_no_order_that_was_not_in_it(path):
    data = path.read_bytes()
    whole = read(data, kind_of(path))
    for end in range(len(data)):
        head = Reader.open(data[:end], kind_of(path))
        if isinstance(head, Refusal):
            continue
        reader, start = head
        rest = data[start:end]
        result = outcomes(reader, rest[: reader.split(rest)])
        assert result.orders == whole.orders[: len(result.orders)]
        assert result.instructions == whole.instructions[: len(result.instructions)]
        assert not result.errors


@settings(max_examples=300)
@given(
    headers,
    st.lists(lines, max_size=10),
    encodings,
    st.lists(st.integers(0, 600), max_size=6),
    st.booleans(),
)
def test_intake_when_fed_in_pieces_then_the_same_as_at_once(header, some, encoding, cuts, gbk_tail):
    text = (
        "".join(f"{line.replace(chr(10), '')}\n" for line in (header, *some))
        .encode("utf-8", "ignore")
        .decode()
    )
    data = text.encode(encoding)
    if gbk_tail and encoding != "utf-16":
        data += (
            "S7,A1,600000,100,1,买,10,调仓\n".encode("gbk")
            + b"\xff\n"
            + "S8,A1,600000,100,1,买,10,调仓\n".encode()
        )
    at_once = read(data)
    reader, start = opened(data)
    fed, pieces = start, Outcomes([], [], [])
    for seen in (*sorted(min(start + cut, len(data)) for cut in cuts), len(data)):
        available = data[fed:seen]
        length = reader.split(available)
        for whole, part in zip(pieces, outcomes(reader, available[:length], a_context()), strict=True):
            whole.extend(part)
        fed += length
    assert pieces == at_once
    assert fed == len(data)


card_cells = st.fixed_dictionaries(
    {
        "sid": st.from_regex(r"[A-Za-z0-9_.\-]{0,64}", fullmatch=True) | cells,
        "account_id": st.sampled_from(["A1", "A2", "", "=A"]),
        "symbol": st.sampled_from(["SHSE.600000", "600000", "1", "xx"]),
        "volume": st.sampled_from(["100", "1,000", "１００", "1e3", ""]),
        "order_type": st.sampled_from(["1", "2", "", "9"]),
        "order_business": st.sampled_from(["1", "卖", ""]),
        "price": st.sampled_from(["10.35", "10.350", "", "0", "-1"]),
        "remark": st.sampled_from(["", "调仓", "=1+1"]),
        "strategy": st.sampled_from(["", "alpha", "../x"]),
    }
)
good_cells = st.fixed_dictionaries(
    {
        "sid": st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}", fullmatch=True),
        "account_id": st.sampled_from(["A1", ""]),
        "symbol": st.sampled_from(["SHSE.600000", "sz000001"]),
        "volume": st.sampled_from(["100", "200"]),
        "order_type": st.sampled_from(["1", ""]),
        "order_business": st.sampled_from(["1", "卖"]),
        "price": st.sampled_from(["10.35", "9.9"]),
        "remark": st.sampled_from(["", "调仓"]),
        "strategy": st.sampled_from(["", "alpha"]),
    }
)


@settings(max_examples=300)
@given(st.lists(good_cells, min_size=8, max_size=20), st.lists(card_cells, max_size=2), st.integers(0, 20))
def test_intake_when_many_rows_are_read_by_columns_then_the_same_as_one_by_one(good, others, place):
    rows = [*good[:place], *others, *good[place:]]
    texts = (",".join(row[name] for name in CARD.split(",")) for row in rows)
    lines = [f"{text.replace(chr(10), '')}\n".encode("utf-8", "ignore") for text in texts]
    header = f"{CARD}\n".encode()
    reader, _ = opened(header)
    one_by_one = Outcomes([], [], [])
    for line in lines:
        for whole, part in zip(one_by_one, outcomes(reader, line), strict=True):
            whole.extend(part)
    assert read(header + b"".join(lines)) == one_by_one
    if not others:
        assert len(one_by_one.orders) == len(good)
