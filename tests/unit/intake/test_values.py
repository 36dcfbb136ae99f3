from __future__ import annotations

from decimal import Decimal

import pytest
from intake_reading import read, read_row, the_order, the_refusal

from orderdrop.domain.refusal import Code, explain

GOOD_SIDS = [
    *("S", "S1-0001", "0d23bb4e-d81e-4ef2-ab21-c58e0fe6814f", "a" * 64, "_.x", "1E5"),
    *("123456789012345", "1234567890123456", "20261120093101125", "20261120093101125000"),
]


@pytest.mark.parametrize("sid", GOOD_SIDS)
def test_sid_when_good_then_kept_as_it_is(sid):
    order = the_order(read_row(sid=sid))
    assert (order.sid, order.note) == (sid, "")


def test_sid_when_spaces_surround_it_then_stripped():
    assert the_order(read_row(sid="  S1 ")).sid == "S1"


def test_sid_when_wrapped_to_keep_excel_off_then_unwrapped_and_said():
    order = the_order(read_row(sid='="0012"', symbol='="000001"'))
    assert (order.sid, order.symbol) == ("0012", "SZSE.000001")
    assert order.note == 'sid: ="0012" → 0012; symbol: ="000001" → 000001'


@pytest.mark.parametrize(
    ("sid", "code"),
    [
        ("1.23E+15", Code.SID_EXCEL),
        ("2E+17", Code.SID_EXCEL),
        ("1234567890123450", Code.SID_EXCEL),
        ("20261120093101000", Code.SID_EXCEL),
        ("123456789012345" + "0" * 20, Code.SID_EXCEL),
        ('="1234567890123450"', Code.SID_EXCEL),
        ("a" * 65, Code.SID_BAD),
        ("S 1", Code.SID_BAD),
        ("S/1", Code.SID_BAD),
        ("编号1", Code.SID_BAD),
        ("Ｓ１", Code.SID_BAD),
        ("S١", Code.SID_BAD),
        ("Sé", Code.SID_BAD),
        ("S\u200b1", Code.VALUE_CONTROL),
        ("S\u202e1", Code.VALUE_CONTROL),
        ("S\x071", Code.VALUE_CONTROL),
        ("-1", Code.VALUE_FORMULA),
        ("=1+1", Code.VALUE_FORMULA),
        ("+1", Code.VALUE_FORMULA),
        ("@A1", Code.VALUE_FORMULA),
        ('=HYPERLINK("x")', Code.VALUE_FORMULA),
    ],
)
def test_sid_when_bad_or_damaged_then_refused_with_the_reason(sid, code):
    refusal = the_refusal(read_row(sid=sid))
    assert (refusal.code, refusal.column) == (code, "sid")


@pytest.mark.parametrize("sid", ["", "  "])
def test_sid_when_empty_then_derived_from_the_row_and_its_line(sid):
    seen = []
    line = f"{sid},600000,100,1,10.35"
    text = f"sid,symbol,volume,side,price\n{line}\n"
    order = the_order(read(text, derive=lambda row, line: seen.append((row, line)) or "D1"))
    assert order.sid == "D1"
    assert seen == [(2, line)]


@pytest.mark.parametrize(
    ("volume", "shares"),
    [
        ("100", 100),
        ("100.0", 100),
        ("100.00", 100),
        (" 200 ", 200),
        ("0100", 100),
        ("999999999999", 999_999_999_999),
    ],
)
def test_volume_when_a_plain_whole_number_then_read(volume, shares):
    order = the_order(read_row(volume=volume))
    assert (order.volume, order.note) == (shares, "")


@pytest.mark.parametrize(
    ("volume", "shares"), [("1,000", 1000), ("12,345,600", 12_345_600), ("1,000.0", 1000)]
)
def test_volume_when_correctly_grouped_then_read(volume, shares):
    assert the_order(read_row(volume=f'"{volume}"')).volume == shares


def test_volume_when_full_width_then_mended_and_said():
    order = the_order(read_row(volume="１００"))
    assert (order.volume, order.note) == (100, "volume: １００ → 100 全角 full-width")


@pytest.mark.parametrize(
    ("volume", "code"),
    [
        ("", Code.VALUE_MISSING),
        (" ", Code.VALUE_MISSING),
        *((text, Code.VOLUME_BAD) for text in ("0", "0.0", "-100", "-0", "100.5", "00")),
        *(
            (text, Code.NUMBER_BAD)
            for text in ("1e3", "1E3", "NaN", "inf", "0x64", "1_000", "+100", "--1", "abc")
        ),
        *(
            (text, Code.NUMBER_BAD)
            for text in ("1000000000000", "9" * 100, "100.", ".5", "1 000", "100股", "10²", "①")
        ),
        *((text, Code.NUMBER_BAD) for text in ("١٠٠", "१००", "𝟙𝟘𝟘", "1\u200b00", "１0e2", "∞", "½")),
        *(
            (f'"{text}"', Code.NUMBER_BAD)
            for text in ("1,00", "1000,000", ",100", "1,0000", "1,,000", "1,000,")
        ),
        ("=A1", Code.VALUE_FORMULA),
    ],
)
def test_volume_when_not_a_plain_positive_whole_number_then_refused(volume, code):
    refusal = the_refusal(read_row(volume=volume))
    assert (refusal.code, refusal.column) == (code, "volume")


@pytest.mark.parametrize(
    ("text", "price"),
    [
        *(("10.35", "10.35"), ("11.20", "11.20"), ("13", "13"), (" 4.105 ", "4.105"), ("0.0001", "0.0001")),
        *(("10.350000", "10.3500"), ('"1,500.00"', "1500.00"), ("1500.0", "1500.0")),
    ],
)
def test_price_when_a_plain_number_then_an_exact_decimal_as_it_was_written(text, price):
    order = the_order(read_row(price=text))
    assert str(order.price) == price
    assert isinstance(order.price, Decimal)


@pytest.mark.parametrize("text", ["", "0", "0.0", "0.0000", " ", "00.00"])
def test_price_when_empty_or_zero_then_none(text):
    assert the_order(read_row(price=text, order_type="2")).price is None


def test_price_when_a_limit_order_has_none_then_it_is_left_to_the_checks():
    assert the_order(read_row(price="", order_type="1")).price is None


def test_price_when_full_width_then_mended_and_said():
    order = the_order(read_row(price="１０．３５"))
    assert (order.price, order.note) == (Decimal("10.35"), "price: １０．３５ → 10.35 全角 full-width")


@pytest.mark.parametrize(
    ("price", "code"),
    [
        *((text, Code.PRICE_BAD) for text in ("-1", "-0.01", "-0")),
        *((text, Code.PRICE_DECIMALS) for text in ("10.35001", "0.00001")),
        *(
            (text, Code.NUMBER_BAD)
            for text in ("1e1", "NaN", "Infinity", "+10", "0x1", "1_0.5", "10.", ".5", "10.3.5", "¥10")
        ),
        *((text, Code.NUMBER_BAD) for text in ("1" * 13, "1." + "0" * 40, '"10,35"', "涨停")),
        ("=1", Code.VALUE_FORMULA),
    ],
)
def test_price_when_not_a_plain_number_then_refused(price, code):
    refusal = the_refusal(read_row(price=price))
    assert (refusal.code, refusal.column) == (code, "price")


@pytest.mark.parametrize(("volume", "price"), [("1.000", "10"), ("1,000", "10"), ("100", "10,350")])
def test_number_when_cells_end_with_semicolons_then_a_comma_or_point_is_not_guessed(volume, price):
    text = f"symbol;volume;side;price\n600000;{volume};1;{price}\n"
    assert the_refusal(read(text)).code in {Code.NUMBER_BAD, Code.VOLUME_BAD}


@pytest.mark.parametrize("text", ["1", "b", "B", "buy", "BUY", "买", "买入", "证券买入", " 买入 "])
def test_side_when_a_purchase_then_1(text):
    assert the_order(read_row(order_business=text)).order_business == 1


@pytest.mark.parametrize("text", ["2", "s", "Sell", "卖", "卖出", "证券卖出"])
def test_side_when_a_sale_then_2(text):
    assert the_order(read_row(order_business=text)).order_business == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [("200", 200), ("融资买入", 200), ("融券卖出", 201), ("买券还券", 202), ("卖券还款", 203)],
)
def test_side_when_a_credit_order_then_its_code(text, code):
    assert the_order(read_row(order_business=text)).order_business == code


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "3",
        "10",
        "-1",
        "1.0",
        "01",
        "long",
        "short",
        "买卖",
        "融资",
        "买入开仓",
        "bu",
        "True",
        "²",
        "B S",
    ],
)
def test_side_when_anything_else_then_refused_never_guessed(text):
    assert the_refusal(read_row(order_business=text)).code is Code.SIDE_BAD


def test_side_when_empty_then_missing():
    assert the_refusal(read_row(order_business="")).code is Code.VALUE_MISSING


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *((str(n), n) for n in (1, 2, 20, 21, 22, 23, 24, 25)),
        ("限价", 1),
        ("LIMIT", 1),
        ("市价", 2),
        ("Market", 2),
        ("２４", 24),
    ],
)
def test_order_type_when_a_code_or_a_word_then_the_code(text, code):
    assert the_order(read_row(order_type=text)).order_type == code


@pytest.mark.parametrize("text", ["0", "3", "11", "26", "1.0", "limt", "x"])
def test_order_type_when_unknown_then_refused_and_the_known_ones_named(text):
    refusal = the_refusal(read_row(order_type=text))
    assert refusal.code is Code.ORDER_TYPE_BAD
    assert "24" in explain(refusal).remedy


def test_order_type_when_empty_with_a_price_then_limit():
    assert the_order(read_row(order_type="", price="10")).order_type == 1


@pytest.mark.parametrize("price", ["", "0"])
def test_order_type_when_empty_without_a_price_then_missing(price):
    refusal = the_refusal(read_row(order_type="", price=price))
    assert (refusal.code, refusal.column) == (Code.VALUE_MISSING, "order_type")


@pytest.mark.parametrize(
    "remark",
    ["-", "--", "-5%", "+3.5%", "-1,000", "调仓 第二批", "a-b=c@d", "减仓\u3000一半", "5' pipe", "⚡"],
)
def test_remark_when_plain_text_then_kept(remark):
    cell = f'"{remark}"'
    assert the_order(read_row(remark=cell)).remark == remark


@pytest.mark.parametrize(
    ("remark", "code"),
    [
        *(
            (text, Code.VALUE_FORMULA)
            for text in ("=1+1", "+A1", "-A1", "@SUM(A1)", "-1+cmd|x", "＝1", '="-1+cmd|x"', "\t=x", "-减仓")
        ),
        *(
            (text, Code.VALUE_CONTROL)
            for text in ("a\x00b"[:1] + "\x01", "a\u202eb", "a\u2028b", "a\tb", "a\ufeffa", "a\x85")
        ),
        ("x" * 201, Code.VALUE_TOO_LONG),
    ],
)
def test_remark_when_excel_would_run_it_or_nobody_would_see_it_then_refused(remark, code):
    refusal = the_refusal(read_row(remark=remark))
    assert (refusal.code, refusal.column) == (code, "remark")


@pytest.mark.parametrize(
    "name", ["A1", "主账户", "1a66e81c-ae5d-11ec-aef5-00163e0a4100", "x" * 64, "alpha.3", "_x"]
)
def test_name_when_letters_digits_and_a_few_signs_then_taken(name):
    order = the_order(read_row(account_id=name, strategy=name))
    assert (order.account_id, order.strategy) == (name, name)


@pytest.mark.parametrize("column", ["account_id", "strategy"])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(
            (text, Code.VALUE_CHARACTERS)
            for text in ("..", ".x", "x.", "../x", "a/b", "a\\b", "C:x", "a b", "1.2E+11", "Ａ１")
        ),
        *((text, Code.VALUE_FORMULA) for text in ("=x", "-x", "+1", "@x")),
        *((text, Code.VALUE_CONTROL) for text in ("a\u200bb", "a\x7f")),
        ("x" * 65, Code.VALUE_TOO_LONG),
    ],
)
def test_name_when_it_could_not_be_a_folder_or_be_told_apart_then_refused(column, name, code):
    refusal = the_refusal(read_row(**{column: name}))
    assert (refusal.code, refusal.column) == (code, column)


def test_account_when_aliases_are_given_then_replaced_by_the_id():
    accounts = {"A1": "A1", "main one": "A1", "A2": "A2"}
    text = "account,symbol,volume,side,price\nmain one,600000,100,1,10\nA2,600000,100,1,10\n"
    assert [order.account_id for order in read(text, accounts=accounts).orders] == ["A1", "A2"]


def test_account_when_not_among_the_known_then_refused_with_the_known():
    text = "account,symbol,volume,side,price\nA3,600000,100,1,10\n"
    refusal = the_refusal(read(text, accounts={"A1": "A1", "m": "A1", "A2": "A2"}))
    assert (refusal.code, refusal.value, refusal.bound) == (Code.ACCOUNT_UNKNOWN, "A3", "A1, A2")


@pytest.mark.parametrize("header", ["account,symbol,volume,side,price", "name,symbol,volume,side,price"])
def test_account_when_the_row_has_none_then_the_only_one_or_refused(header):
    text = f"{header}\n,600000,100,1,10\n"
    assert the_order(read(text, default_account="A7")).account_id == "A7"
    refusal = the_refusal(read(text, default_account=None, accounts={"A1": "A1", "A2": "A2"}))
    assert (refusal.code, refusal.bound) == (Code.ACCOUNT_MISSING, "A1, A2")


@pytest.mark.parametrize(("cell", "strategy"), [("", "folder"), ("alpha", "alpha")])
def test_strategy_when_the_row_names_none_then_the_folders(cell, strategy):
    text = f"symbol,volume,side,price,策略\n600000,100,1,10,{cell}\n"
    assert the_order(read(text, strategy="folder")).strategy == strategy


@pytest.mark.parametrize(
    ("symbol", "code"),
    [
        ("", Code.VALUE_MISSING),
        ("AAPL", Code.SYMBOL_BAD),
        ("=600000", Code.VALUE_FORMULA),
        ("60000\u200b0", Code.VALUE_CONTROL),
        ('="AAPL"', Code.SYMBOL_BAD),
    ],
)
def test_symbol_cell_when_no_symbol_then_refused(symbol, code):
    refusal = the_refusal(read_row(symbol=symbol))
    assert (refusal.code, refusal.column) == (code, "symbol")


def test_symbol_cell_when_excel_took_its_zeros_then_said_in_the_note():
    assert the_order(read_row(symbol="1")).note == "symbol: 1 → SZSE.000001 补零 zeros restored"


def test_refusal_when_the_header_is_chinese_then_names_the_column_as_it_stands_there():
    assert the_refusal(read("证券代码,方向,委托数量\n600000,买,x\n")).column == "委托数量"


def test_refusal_when_the_value_is_huge_then_clipped():
    assert len(the_refusal(read_row(symbol="x" * 100_000)).value) == 200


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("", ""),
        ("9:31", "09:31:00"),
        ("09:31:05", "09:31:05"),
        ("23:59", "23:59:00"),
        ("９：３１", "09:31:00"),
    ],
)
def test_time_when_it_is_one_then_read_to_the_second(text, time):
    order = the_order(read_row(not_before=text))
    assert order.not_before == time
    assert bool(order.note) is (not text.isascii())


@pytest.mark.parametrize("text", ["24:00", "9.31", "0931", "9:31 AM", "9:60", "-1:00", "soon"])
def test_time_when_it_is_none_then_refused(text):
    refusal = the_refusal(read_row(not_after=text))
    assert refusal.code in {Code.TIME_BAD, Code.VALUE_FORMULA}
    assert refusal.column == "not_after"
