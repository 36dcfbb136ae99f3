"""Rows without a sid that come again: saved again, mended, copied, renamed, in a conflict copy. What a row says decides, never its bytes."""

import codecs
import time
from datetime import timedelta

import pytest
from books import a_book
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routed_desk import TODAY

from orderdrop.admission import admission
from orderdrop.admission.dry_run import rehearse
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.inbox import drop_file
from orderdrop.service.app import App
from orderdrop.system.clock import FixedClock, SystemClock, to_datetime

HEAD = "证券代码,买卖方向,委托数量,委托价格\n"
A = "600000,买入,1000,10.35\n"
B = "600036,买入,500,31.20\n"
C = "000001,卖出,300,11.20\n"
BAD = "600000,买入,150,10.35\n"

BASKET = (HEAD + A + B).encode()
BY_EXCEL = (HEAD + A + B.replace("31.20", "31.2")).replace("\n", "\r\n").encode("gbk")
BY_BROWSER = codecs.BOM_UTF8 + (HEAD + A + B).replace("\n", "\r\n").encode()

MARKS = [
    " (1)", "(1)", "（2）", " - 副本", " - 副本 (2)", " - Copy", " copy 2", " 的副本", f" (conflicted copy {TODAY})", "-DESKTOP-4F2K9QX",
    f".sync-conflict-{TODAY}-093000-ABCDEFG", "(冲突文件 zhang)", "_冲突文件_zhang",
]  # fmt: skip


def volumes(desk):
    """What the broker has, in its order."""
    return [volume for _sid, _symbol, volume, _status in desk.at_broker()]


def turns(desk, count=8):
    """The router turns, and puts nothing away."""
    app = desk.open()
    for _ in range(count):
        time.sleep(0.002)
        app.turn(lambda _round: None)


def outcomes(desk, name):
    return [(row["outcome"], row["code"]) for row in desk.receipt(name)]


def test_basket_when_saved_by_excel_and_downloaded_again_is_two_orders_in_all(trade):
    desk = trade({"篮子.csv": BASKET})
    desk.route({"篮子.csv": BY_EXCEL})
    assert outcomes(desk, "篮子.csv") == [("duplicate", "DUPLICATE")] * 2
    desk.route({"篮子(1).csv": BY_BROWSER})
    assert outcomes(desk, "篮子(1).csv") == [("duplicate", "DUPLICATE")] * 2
    assert volumes(desk) == [1000, 500]
    named = {row["sid"] for row in desk.receipt("篮子(1).csv")}
    assert named == set(desk.orders()), "the receipt names the orders that there are"


def test_baskets_when_all_three_come_in_one_turn_are_two_orders_in_all(trade):
    desk = trade({"篮子.csv": BASKET, "篮子 - 副本.csv": BY_EXCEL, "篮子(1).csv": BY_BROWSER})
    assert sorted(volumes(desk)) == [500, 1000]


@pytest.mark.parametrize("small", [drop_file.SMALL, 100])
def test_copy_when_it_comes_in_the_same_turn_goes_by_its_rows_too(trade, monkeypatch, small):
    monkeypatch.setattr(drop_file, "SMALL", small)  # the copy is streamed then
    desk = trade({"a.csv": HEAD + A, "a (1).csv": HEAD + A + B + "600030,买入,700,20\n"})
    assert outcomes(desk, "a (1).csv") == [("held", "REPEATED_ROW"), ("filled", ""), ("filled", "")]
    assert volumes(desk) == [1000, 500, 700]


def test_basket_when_renamed_or_sorted_is_a_duplicate(trade):
    desk = trade({"a.csv": BASKET})
    desk.route({"whatever.csv": HEAD + B + A})
    assert outcomes(desk, "whatever.csv") == [("duplicate", "DUPLICATE")] * 2
    assert volumes(desk) == [1000, 500]


def test_rows_when_equal_in_one_basket_are_as_many_orders(trade):
    desk = trade({"a.csv": HEAD + A + A})
    assert volumes(desk) == [1000, 1000]
    desk.route({"b.csv": HEAD + A + A})
    assert volumes(desk) == [1000, 1000]


@pytest.mark.parametrize("mark", MARKS)
def test_copy_when_a_row_is_new_sends_that_and_holds_what_is_equal(trade, mark):
    desk = trade({"篮子.csv": BASKET})
    (first, _second) = desk.orders()
    name = f"篮子{mark}.csv"
    desk.route({name: HEAD + A + C + B})
    assert outcomes(desk, name) == [
        ("held", "REPEATED_ROW"),
        ("rejected", "BROKER_REJECTED"),
        ("held", "REPEATED_ROW"),
    ]
    told = desk.receipt(name)[0]
    assert first in told["reason"]
    assert "篮子.csv:2" in told["reason"]
    assert [volume for volume in volumes(desk) if volume != 300] == [1000, 500]


def test_basket_when_rewritten_under_its_name_goes_by_its_rows_too(trade):
    desk = trade({"a.csv": HEAD + A})
    desk.route({"a.csv": HEAD + A + B})
    assert outcomes(desk, "a.csv") == [("held", "REPEATED_ROW"), ("filled", "")]
    assert volumes(desk) == [1000, 500]


def test_repeated_row_when_released_goes_and_when_cancelled_does_not(trade):
    desk = trade({"a.csv": HEAD + A + B})
    desk.route({"a.csv": HEAD + A + B + "600030,买入,700,20\n"})
    one, other = [sid for sid, status in desk.statuses().items() if status == "held"]
    desk.route({"x.release.csv": f"sid,comment\n{one},\n", "x.cancel_order.csv": f"sid,comment\n{other},\n"})
    assert desk.statuses()[one] == "filled"
    assert desk.statuses()[other] == "canceled"
    assert volumes(desk) == [1000, 500, 700, 1000]


def test_basket_of_the_stem_when_no_row_is_new_is_a_duplicate_and_one_of_another_stem_is_new(trade):
    desk = trade({"a.csv": HEAD + A + B})
    desk.route({"a (1).csv": HEAD + B})
    assert outcomes(desk, "a (1).csv") == [("duplicate", "DUPLICATE")]
    desk.route({"b.csv": HEAD + A + A + B})
    assert outcomes(desk, "b.csv") == [("filled", "")] * 3
    assert volumes(desk) == [1000, 500, 1000, 1000, 500]


@pytest.mark.parametrize(
    ("on_repeat", "outcome", "sent"),
    [
        ("hold", "held", [1000, 500]),
        ("duplicate", "duplicate", [1000, 500]),
        ("new", "filled", [1000, 1000, 500]),
    ],
)
def test_repeated_row_when_a_setting_says_what_becomes_of_it_obeys(trade, on_repeat, outcome, sent):
    desk = trade({"a.csv": HEAD + A}, inbox={"on_repeat": on_repeat})
    desk.route({"a (1).csv": HEAD + A + B})
    assert [told for told, _code in outcomes(desk, "a (1).csv")] == [outcome, "filled"]
    assert volumes(desk) == sent


def test_workbook_when_saved_again_is_a_duplicate_where_nothing_else_is_set_and_held_where_it_is(trade):
    header, row, more = (
        ("symbol", "side", "volume", "price"),
        ("600000", "买", 100, 10.35),
        ("600036", "买", 200, 31.2),
    )
    desk = trade({"a.xlsx": a_book(row, header=header)})
    desk.route({"a.xlsx": a_book(row, more, header=header)})
    assert [told for told, _code in outcomes(desk, "a.xlsx")] == ["duplicate", "filled"]
    desk = trade({"a.xlsx": a_book(row, header=header)}, inbox={"on_repeat": "hold"})
    desk.route({"a.xlsx": a_book(row, more, header=header)})
    assert [told for told, _code in outcomes(desk, "a.xlsx")] == ["held", "filled"]


def test_basket_when_it_repeats_one_of_which_rows_were_duplicates_is_a_duplicate_under_any_name(trade):
    desk = trade({"a.csv": HEAD + A}, inbox={"on_repeat": "duplicate"})
    desk.route({"a.csv": HEAD + A + B})
    desk.route({"z.csv": HEAD + B + A})
    assert outcomes(desk, "z.csv") == [("duplicate", "DUPLICATE")] * 2
    assert volumes(desk) == [1000, 500]


def test_row_when_it_was_not_accepted_before_is_no_repeat(trade):
    desk = trade({"a.csv": HEAD + A + BAD})
    assert desk.orders() == {}
    desk.route({"a.csv": HEAD + A + B})
    assert outcomes(desk, "a.csv") == [("filled", "")] * 2
    assert volumes(desk) == [1000, 500]


def test_basket_when_one_row_was_denied_alone_goes_once_it_passes(trade):
    desk = trade(
        {"a.csv": HEAD + A + B}, inbox={"on_bad_row": "reject-row"}, limits={"max_order_value": 12000}
    )
    assert outcomes(desk, "a.csv")[1] == ("denied", "LIMIT_ORDER_VALUE")
    desk._settings = Settings.model_validate(desk._settings.model_dump() | {"limits": {}})
    desk.close()
    desk.route({"a - 副本.csv": HEAD + A + B})
    assert outcomes(desk, "a - 副本.csv") == [("duplicate", "DUPLICATE"), ("filled", "")]
    assert volumes(desk) == [1000, 500]


def test_row_when_it_would_be_held_for_two_reasons_is_told_as_a_repeat_of_the_row(trade):
    desk = trade({"a.csv": HEAD + A}, limits={"repeat_window": 60})
    desk.route({"a.csv": HEAD + A + B})
    assert outcomes(desk, "a.csv")[0] == ("held", "REPEATED_ROW")


def test_repeat_when_every_order_is_held_by_the_settings_says_so_all_the_same(trade):
    desk = trade({"a.csv": HEAD + A}, inbox={"hold": True})
    desk.route({"a.csv": HEAD + A + B})
    assert outcomes(desk, "a.csv") == [("held", "REPEATED_ROW"), ("held", "")]


def test_conflict_copy_of_a_day_file_is_never_traded_unseen(trade):
    day = f"{TODAY}.order.csv"
    desk = trade({day: HEAD + A + B})
    desk.route({f"{TODAY}.order.sync-conflict-{TODAY}-093000-ABCDEFG.csv": HEAD + A})
    assert volumes(desk) == [1000, 500]
    desk.route({f"{TODAY}.order (1).csv": HEAD + A + "600030,买入,700,20\n"})
    assert volumes(desk) == [1000, 500, 700]
    desk.append(day, A)  # a second row of the file itself is a second order
    desk.route()
    assert volumes(desk) == [1000, 500, 700, 1000]


def test_file_when_it_grows_keeps_its_names_and_a_restart_changes_none(trade):
    desk = trade({}, inbox={"archive_after": 3600})
    desk.put({"a.csv": HEAD + A})
    turns(desk)
    for more in (A, B, A):
        desk.append("a.csv", more)
        turns(desk)
        desk.crash()
    turns(desk)
    assert volumes(desk) == [1000, 1000, 500, 1000]
    assert len(desk.query("SELECT * FROM drops")) == 1
    desk.route({"copy.csv": HEAD + A + B + A + A})  # as a whole, the same rows
    assert outcomes(desk, "copy.csv") == [("duplicate", "DUPLICATE")] * 4
    assert volumes(desk) == [1000, 1000, 500, 1000]


def test_remark_when_another_makes_no_new_row(trade):
    head = HEAD.rstrip() + ",备注\n"
    desk = trade({"a.csv": head + A.rstrip() + ",调仓\n"})
    desk.route({"b.csv": head + A.rstrip() + ",调仓了\n"})
    assert outcomes(desk, "b.csv") == [("duplicate", "DUPLICATE")]


def test_next_day_when_the_same_basket_comes_is_new(desk):
    clock = FixedClock(to_datetime(SystemClock().now()))
    one = desk(clock).route({"a.csv": BASKET})
    clock.advance(timedelta(days=1).total_seconds())
    one.route({"b.csv": BASKET})
    assert volumes(one) == [1000, 500, 1000, 500]


@pytest.mark.parametrize("large", [False, True])
def test_rows_when_only_some_have_sids_keep_theirs(trade, monkeypatch, large):
    if large:
        monkeypatch.setattr(drop_file, "SMALL", 10)
    head = "sid," + HEAD
    desk = trade({"a.csv": head + "S1," + A + "," + B})
    desk.route({"a.csv": head + "S1," + A + "," + B + ",600030,买入,700,20\n"})
    assert outcomes(desk, "a.csv") == [("duplicate", "DUPLICATE"), ("held", "REPEATED_ROW"), ("filled", "")]
    assert volumes(desk) == [1000, 500, 700]


@pytest.mark.parametrize("size", [0, 3])
def test_large_drops_when_without_sids_are_named_by_the_same_rule(trade, monkeypatch, size):
    monkeypatch.setattr(drop_file, "SMALL", size)
    monkeypatch.setattr("orderdrop.intake.reader.BLOCK_ROWS", 2)
    monkeypatch.setattr(admission, "FLUSH_AT", 2)
    rows = [f"600000,买入,{100 * n},10.35\n" for n in (1, 2, 2, 3, 5)]
    desk = trade({"a.csv": HEAD + "".join(rows)})
    sids = set(desk.orders())
    assert volumes(desk) == [100, 200, 200, 300, 500]
    desk.route({"z.csv": codecs.BOM_UTF8 + (HEAD + "".join(reversed(rows))).encode()})
    assert set(desk.orders()) == sids
    assert outcomes(desk, "z.csv") == [("duplicate", "DUPLICATE")] * 5
    desk.route({"a (1).csv": HEAD + "".join(rows) + "600000,买入,200,10.350\n"})
    assert outcomes(desk, "a (1).csv") == [("held", "REPEATED_ROW")] * 5 + [("filled", "")]
    desk.route({"a (1).csv": HEAD + "".join(rows[:2]) + BAD})
    assert not [told for told, _code in outcomes(desk, "a (1).csv") if told in {"filled", "held"}]
    assert volumes(desk) == [100, 200, 200, 300, 500, 200]


def test_small_and_large_drops_when_the_same_rows_have_the_same_names(trade, monkeypatch):
    desk = trade({"a.csv": BASKET})
    monkeypatch.setattr(drop_file, "SMALL", 10)
    desk.route({"b.csv": BY_EXCEL})
    assert volumes(desk) == [1000, 500]


def test_check_when_the_file_is_a_copy_with_a_new_row_says_what_the_router_would(trade):
    desk = trade({"a.csv": BASKET})
    path = desk.root / "a (1).csv"
    path.write_text(HEAD + A + C)
    app = desk.open()
    assert isinstance(app, App)
    with app.journal.transaction() as writer:
        (found,) = rehearse(
            [path], desk._settings, Workspace(desk.root, desk.inbox), writer.connection, app.router.clock.now(), app.router.today, strategy="",
        )  # fmt: skip
    assert next((order.status, order.reason_code) for order in found.orders) == ("held", "REPEATED_ROW")


# any re-encoding, re-ordering, re-spelling of a drop makes no new order

ENCODINGS = ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"]
COLUMNS = {
    "symbol": "证券代码",
    "side": "买卖方向",
    "volume": "委托数量",
    "price": "委托价格",
    "type": "委托类型",
}
SPELLINGS = {
    "symbol": ["600000", "600000.SH", "SHSE.600000", "sh600000"],
    "side": ["买入", "1", "buy", "B", "买"],
    "type": ["1", "限价", ""],
}


@st.composite
def an_order(draw):
    return draw(st.integers(1, 9)) * 100, draw(st.integers(1000, 1099))


def spelled(data, rows, columns):
    """The rows as some program may write them: their order, their words and their numbers."""
    table = []
    for volume, cents in data.draw(st.permutations(rows)):
        price = f"{cents // 100}.{cents % 100:02}"
        cells = {
            "volume": data.draw(st.sampled_from([f"{volume}", f"{volume}.0", f'"{volume:,}"'])),
            "price": data.draw(
                st.sampled_from([price, f"{price}0", price.rstrip("0").rstrip("."), f" {price}"])
            ),
            **{name: data.draw(st.sampled_from(words)) for name, words in SPELLINGS.items()},
        }
        table.append(",".join(cells[name] for name in columns))
    return table


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(an_order(), min_size=1, max_size=6), data=st.data())
def test_drop_when_encoded_ordered_and_spelled_anew_makes_no_new_order(desk, rows, data):
    one = desk(inbox={"on_bad_row": "reject-row"})
    for name in (
        "篮子.csv",
        data.draw(st.sampled_from(["篮子.csv", "篮子 (1).csv", "别的.csv"])),
        "又一个.csv",
    ):
        columns = data.draw(st.permutations(list(COLUMNS)))
        head = ",".join(COLUMNS[column] for column in columns)
        end = data.draw(st.sampled_from(["\n", "\r\n"]))
        text = end.join([head, *spelled(data, rows, columns), ""])
        one.route({name: text.encode(data.draw(st.sampled_from(ENCODINGS)))})
    assert sorted(volumes(one)) == sorted(volume for volume, _price in rows)
    one.close()
