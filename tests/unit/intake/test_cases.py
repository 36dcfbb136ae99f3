"""Files as people have them: what other programs, spreadsheets and pandas write is read where side, price, quantity and exchange stand in it."""

import io
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from intake_reading import a_context, read, refused, the_order, the_refusal

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, explain
from orderdrop.intake.sheets import BookLimits
from orderdrop.intake.workbook import open_workbook

CASES = Path(__file__).parents[2] / "samples" / "cases"
ACCOUNTS = {"8881234567": "8881234567"}


def case(name, **context):
    return read((CASES / name).read_bytes(), **context)


def terms(result):
    assert not result.errors, result.errors
    return [(one.symbol, one.order_business, one.volume, str(one.price)) for one in result.orders]


def book(name):
    opened = open_workbook((CASES / name).read_bytes(), DropKind.ORDER, BookLimits.of(1 << 25, 1000))
    blocks = list(opened.read(a_context()))
    assert not any(block.errors for block in blocks), blocks
    return [order for block in blocks for order in block.orders]


def test_symbols_of_other_tools_are_taken():
    assert [symbol for symbol, *_ in terms(case("symbols_other_tools.csv"))] == [
        "SHSE.600000", "SZSE.000002", "SHSE.600036", "SZSE.000858",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "spelled",
    ["sh.600000", "SH.600000", "600000.SSE", "600000.SS", "SSE.600000", "600000.SHSE", "SHSE:600000", "SH:600000", "XSHG.600000"],
)  # fmt: skip
def test_symbol_when_spelled_as_another_tool_does_is_the_same(spelled):
    (order,) = read(f"symbol,volume,side,price\n{spelled},100,buy,10.35\n").orders
    assert order.symbol == "SHSE.600000"


@pytest.mark.parametrize(
    "spelled", ["XX.600000", "600000.SHFE", "600000SH", "SS600000", "SSE600000", "600000:SH", "HK.00700"]
)
def test_symbol_when_it_is_no_such_spelling_is_refused(spelled):
    refusal = the_refusal(read(f"symbol,volume,side,price\n{spelled},100,buy,10.35\n"))
    assert refusal.code is Code.SYMBOL_BAD


def test_codes_behind_a_tab_are_taken_and_the_note_says_so():
    result = case("code_with_tab.csv")
    assert terms(result) == [("SHSE.600000", 1, 1000, "10.35"), ("SZSE.000002", 1, 200, "11.20")]
    assert all("→ " in order.note for order in result.orders)


@pytest.mark.parametrize("guard", ["\t{}", "'{}", '="{}"', "{}\x1f", "\u200b{}", "\ufeff{}", " '{} "])
@pytest.mark.parametrize(
    "column", ["sid", "account", "symbol", "volume", "side", "price", "remark", "strategy", "not_before"]
)
def test_guard_around_any_value_is_stripped_and_said(guard, column):
    row = {"sid": "S1", "account": "A1", "symbol": "600000", "volume": "100", "side": "buy", "price": "10.35", "remark": "x", "strategy": "alpha", "not_before": "14:30:00"}  # fmt: skip
    plain = the_order(read("\t".join(row) + "\n" + "\t".join(row.values()) + "\n"))
    text = guard.format(row[column])
    cell = '"' + text.replace('"', '""') + '"' if "\t" in text or '"' in text else text
    guarded = the_order(read(",".join(row) + "\n" + ",".join((row | {column: cell}).values()) + "\n"))
    assert guarded._replace(note="") == plain
    assert column in guarded.note


def test_index_of_pandas_is_taken():
    assert len(terms(case("pandas_index.csv"))) == 2


@pytest.mark.parametrize("column", [("5", "6"), ("0", "2"), ("a", "b"), ("", "x")])
def test_nameless_first_column_when_it_does_not_count_up_is_refused(column):
    result = read(
        f",symbol,volume,side,price\n{column[0]},600000,100,buy,10\n{column[1]},600001,100,buy,10\n"
    )
    assert {error.refusal.code for error in result.errors} == {Code.COLUMN_NAMELESS}
    assert "index=False" in explain(result.errors[0].refusal).remedy


def test_empty_nameless_column_hurts_nobody():
    assert terms(read("symbol,volume,side,price,\n600000,100,buy,10,\n")) == [("SHSE.600000", 1, 100, "10")]


def test_float_noise_is_read_at_15_digits_and_said():
    result = case("float_noise.csv")
    assert [price for *_, price in terms(result)] == ["10.54", "31.2", "11.2"]
    assert "10.540000000000001 → 10.54" in result.orders[0].note
    assert not result.orders[2].note


@pytest.mark.parametrize("price", ["22.04831", "22.0483123456789", "10.123456789012345"])
def test_price_when_its_digits_are_no_noise_stays_refused(price):
    assert (
        the_refusal(read(f"symbol,volume,side,price\n600000,100,buy,{price}\n")).code is Code.PRICE_DECIMALS
    )


def test_starred_header_is_taken_and_units_stay_what_they_are():
    assert terms(case("starred_header.csv")) == [("SHSE.600000", 1, 1000, "10.35")]
    assert refused("*代码,方向,数量(手)\n").code is Code.HEADER_UNKNOWN_COLUMN


def test_separators_above_between_and_below_are_passed_over():
    assert terms(case("separators_first.csv")) == [("SHSE.600000", 1, 1000, "10.35")]
    text = "代码,方向,数量,价格\n,,,\n600000,买,100,10\n , ,,\n000002,卖,200,11\n,,,\n"
    assert len(terms(read(text))) == 2


def test_title_lines_above_and_source_lines_below_are_passed_over_and_said():
    result = read(
        "我的篮子,,,\n\n更新时间：9:30,,,\n代码,方向,数量,价格\n600000,买,100,10\n数据来源：Wind,,,\n"
    )
    assert terms(result) == [("SHSE.600000", 1, 100, "10")]
    assert "1, 3" in result.orders[0].note
    assert "数据来源" in result.orders[0].note


def test_orders_above_a_header_are_never_taken_for_a_title():
    assert refused("600000,买,100,10\n代码,方向,数量,价格\n000002,卖,200,11\n").code is Code.HEADER_NOT_FOUND
    assert (
        refused("代码,方向,数量,止损\n600000,买,100,10\n代码,方向,数量,价格\n").code
        is Code.HEADER_UNKNOWN_COLUMN
    )


def test_total_is_passed_over_and_named():
    result = case("sum_row.csv")
    assert len(terms(result)) == 2
    assert "第 4 行“合计”" in result.orders[-1].note


@pytest.mark.parametrize("row", ["合计,,买入,1500,", "其他,,,1500,", ",,,1500,"])
def test_row_when_it_only_looks_like_a_total_is_refused(row):
    result = read(f"证券代码,证券名称,买卖方向,委托数量,委托价格\n600000,浦发银行,买入,1000,10.35\n{row}\n")
    assert len(result.errors) == 1


def test_account_that_became_a_number_is_taken_where_it_is_known():
    order = the_order(case("account_as_number.csv", accounts=ACCOUNTS))
    assert order.account_id == "8881234567"
    assert "8881234567.0 → 8881234567" in order.note
    assert the_refusal(case("account_as_number.csv")).code is Code.ACCOUNT_AS_NUMBER
    assert (
        the_refusal(case("account_as_number.csv", accounts={"08881234567": "08881234567"})).code
        is Code.ACCOUNT_AS_NUMBER
    )


def test_list_of_placed_orders_is_called_that_and_works_once_its_columns_are_gone():
    text = (CASES / "qmt_委托.csv").read_bytes().decode("gbk")
    refusal = refused(text)
    assert refusal.code is Code.HEADER_PLACED_ORDERS
    lines = [line.split("\t") for line in text.splitlines()]
    gone = {name.strip() for name in refusal.bound.split(",")}
    keep = [at for at, name in enumerate(lines[0]) if name not in gone]
    rest = "\n".join("\t".join(line[at] for at in keep) for line in lines) + "\n"
    result = read(rest, accounts=ACCOUNTS)
    assert terms(result) == [("SHSE.600036", 1, 500, "31.20"), ("SZSE.000002", 2, 200, "11.20")]
    assert [order.strategy for order in result.orders] == ["alpha", "alpha"]


def test_tabbed_text_in_gbk_is_taken():
    assert terms(case("tab_text.xls")) == [
        ("SHSE.600000", 1, 1000, "10.35"),
        ("SZSE.000002", 2, 200, "11.20"),
    ]


def test_time_in_a_cell_of_a_workbook_is_a_time():
    assert [order.not_before for order in book("time_cell.xlsx")] == ["09:31:00"]


def test_amount_and_date_beside_the_orders_are_passed_over_and_said():
    orders = book("amount_column.xlsx")
    assert orders
    assert "金额" in orders[0].note
    assert "日期" in orders[0].note


def test_unknown_columns_are_told_all_at_once_in_the_files_language_with_what_is_near():
    refusal = refused("股票代码,方向,数量,价格,止损价,委托价位\n")
    assert (refusal.code, refusal.value) == (Code.HEADER_UNKNOWN_COLUMN, "止损价, 委托价位")
    assert "委托价位 → 价格" in refusal.bound
    assert "代码" in refusal.bound
    assert "symbol" not in refusal.bound


@pytest.mark.parametrize(
    ("market", "code", "symbol"),
    [("深市", "000001", "SZSE.000001"), ("沪A", "600000", "SHSE.600000"), ("深圳A股", "1", "SZSE.000001"), ("上海", "600000.SH", "SHSE.600000"), ("", "600000", "SHSE.600000"), ("北京", "920002", "BJSE.920002")],
)  # fmt: skip
def test_market_column_is_read_together_with_the_code(market, code, symbol):
    (order,) = read(f"市场,代码,方向,数量,价格\n{market},{code},买,100,10\n").orders
    assert order.symbol == symbol


@pytest.mark.parametrize(
    ("market", "code"), [("深市", "600000"), ("港股", "600000"), ("上海", "000001.SZ"), ("沪深", "000001")]
)
def test_market_when_it_contradicts_the_code_or_is_none_is_refused(market, code):
    refusal = the_refusal(read(f"市场,代码,方向,数量,价格\n{market},{code},买,100,10\n"))
    assert refusal.code is Code.SYMBOL_MARKET


@pytest.mark.parametrize(
    "header",
    ["股票,操作,委托量,价格", "ts_code,action,volume,price", "vt_symbol,direction,volume,price", "order_book_id,side,quantity,price", "代码,操作类型,数量,委托价", "证券代码,买卖标记,委托数量,委托价格", "代码,业务名称,数量,价格", "代码,委托类别,数量,价格", "代码,交易类别,数量,价格"],
)  # fmt: skip
@pytest.mark.parametrize("side", ["买入", "限价买入", "证券买入"])
def test_headers_and_sides_of_neighbours_are_known(header, side):
    assert terms(read(f"{header}\n600000.SH,{side},100,10.35\n")) == [("SHSE.600000", 1, 100, "10.35")]


def test_price_that_excel_shows_in_full_is_kept_as_decimal():
    assert the_order(read("symbol,volume,side,price\n600000,100,buy,31.199999999999999\n")).price == Decimal(
        "31.2"
    )


H = "代码,方向,数量,价格"


def made(*rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return open_workbook(content.getvalue(), DropKind.ORDER, BookLimits.of(1 << 25, 1000))


def book_rows(*rows):
    return list(made(*rows).read(a_context()))


@pytest.mark.parametrize("symbol", ["600000.SHA", "600000.sha"])
def test_symbol_as_bigquant_spells_it_is_taken(symbol):
    assert terms(read(f"{H}\n{symbol},买入,100,10.35\n")) == [("SHSE.600000", 1, 100, "10.35")]


def test_market_behind_a_guard_is_read_as_without_it():
    result = read("市场,代码,方向,数量,价格\n\t沪A,\t600000,买,100,10\n")
    assert terms(result) == [("SHSE.600000", 1, 100, "10")]
    assert "→ 600000" in result.orders[0].note


@pytest.mark.parametrize(
    "header",
    ['\t代码,\'方向,="数量",="价格"', "*代码,方向(B/S),数量(股),价格(必填)", "代码,方向(1买2卖),数量,价格"],
)
def test_header_behind_guards_or_with_its_codes_is_known(header):
    assert terms(read(f"{header}\n600000,1,100,10.35\n")) == [("SHSE.600000", 1, 100, "10.35")]


@pytest.mark.parametrize("header", ["方向(0买1卖)", "方向(1卖2买)", "数量(手)"])
def test_header_when_its_brackets_mean_another_code_is_refused(header):
    columns = H.replace(header[:2], header)
    assert refused(f"{columns}\n600000,1,100,10.35\n").code is Code.HEADER_UNKNOWN_COLUMN


def test_market_word_of_a_side_is_a_market_order():
    market, limit = read(f"{H}\n600000,市价买入,1000,10.35\n600000,限价卖出,1000,10.35\n").orders
    assert (market.order_type, market.order_business, market.note) == (2, 1, "")
    assert (limit.order_type, limit.order_business, limit.note) == (1, 2, "")


def test_market_word_of_a_side_when_no_price_stands_there_is_a_market_order():
    (order,) = read(f"{H}\n600000,市价买入,1000,\n").orders
    assert (order.order_type, order.price) == (2, None)


@pytest.mark.parametrize(("side", "kind"), [("市价买入", "限价"), ("限价买入", "市价")])
def test_side_when_its_word_contradicts_the_order_type_is_refused(side, kind):
    refusal = the_refusal(read(f"{H},委托类型\n600000,{side},1000,10.35,{kind}\n"))
    assert (refusal.code, refusal.value, refusal.bound) == (Code.ORDER_TYPE_SIDE, kind, side)


@pytest.mark.parametrize("total", ["合计,,,,1000,", ",合计,,,1000,", "5,,合计,,1000,"])
def test_total_when_it_stands_before_the_code_is_passed_over_and_said(total):
    result = read(f"序号,名称,代码,方向,数量,价格\n1,浦发,600000,买,100,10\n{total}\n")
    assert terms(result) == [("SHSE.600000", 1, 100, "10")]
    assert "合计" in result.orders[0].note


def test_total_when_a_side_stands_in_it_is_a_row():
    assert read("名称,代码,方向,数量,价格\n合计,600000,买,100,10\n").orders
    assert read("名称,代码,方向,数量,价格\n合计,,买,100,10\n").errors


def test_rules_between_the_rows_are_passed_over():
    assert terms(read(f"{H}\n----,----,----,----\n600000,买,100,10\n====,,,\n")) == [
        ("SHSE.600000", 1, 100, "10")
    ]


def test_index_of_pandas_is_passed_over_in_a_workbook_and_when_it_is_called_unnamed():
    blocks = book_rows([None, *H.split(",")], [0, "600000", "买", 100, 10], [1, "000002", "卖", 100, 11])
    assert [(len(block.orders), block.errors) for block in blocks] == [(2, [])]
    assert len(read(f"Unnamed: 0,{H}\n0,600000,买,100,10\n1,000002,卖,100,11\n").orders) == 2


def test_column_before_a_workbooks_table_when_it_does_not_count_is_refused():
    (block,) = book_rows([None, *H.split(",")], [0, "600000", "买", 100, 10], [7, "000002", "卖", 100, 11])
    assert [(error.row, error.refusal.code) for error in block.errors] == [(3, Code.CELL_OUTSIDE)]
