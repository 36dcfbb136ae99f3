"""Workbooks and dbf files in the inbox: saved, saved again, copied, held open, cut."""

import os

import openpyxl
import pytest
from book_looks import faults_of
from books import HEADER, a_book, a_book_of, a_dbf, with_part

from orderdrop.inbox import drop_file, settling
from orderdrop.outbox import receipts
from orderdrop.system import excel
from orderdrop.system.clock import FixedClock, SystemClock, to_datetime

BUY = ("SHSE.600000", "买入", 100, 10.35)
MORE = ("SZSE.000001", "卖出", 200, 11.2)
PLAIN = ("symbol", "order_business", "volume", "price")


def sidless(*rows):
    return a_book(*rows, header=PLAIN)


def test_book_is_traded_told_and_archived_byte_for_byte(trade):
    book = a_book()
    desk = trade({"篮子.xlsx": book})
    assert desk.statuses() == {"S1": "filled"}
    assert [(row["row"], row["sid"], row["sheet"]) for row in desk.receipt("篮子.xlsx")] == [("2", "S1", "")]
    assert desk.kept()["drops/篮子.xlsx"] == book
    assert not list(desk.inbox.iterdir())


def test_sheets_of_a_book_are_named_on_the_receipt(trade):
    bad = ("S2", "SHSE.600000", "买", 150, 10, "")
    desk = trade(
        {"b.xlsx": a_book_of({"买入": [HEADER, ("S1", *BUY, "")], "卖出": [["标题"], HEADER, bad, bad]})}
    )
    told = [(row["sheet"], row["row"], row["outcome"], row["code"]) for row in desk.receipt("b.xlsx")]
    assert told == [("买入", "2", "not_sent", "NOT_SENT"), ("卖出", "3", "denied", "LOT_SIZE"), ("卖出", "4", "denied", "LOT_SIZE")]  # fmt: skip
    assert "卖出!第 3 行" in desk.receipt("b.xlsx")[0]["原因"]
    assert "sheet 2, row 3" in desk.receipt("b.xlsx")[0]["reason"]


def test_book_saved_again_trades_only_what_is_new(trade):
    desk = trade({"b.xlsx": sidless(BUY)})
    desk.route({"b.xlsx": sidless(MORE, BUY)})
    assert [row[1:3] for row in desk.at_broker()] == [("SHSE.600000", 100), ("SZSE.000001", 200)]
    assert [row["outcome"] for row in desk.receipt("b.xlsx")][1] == "duplicate"
    desk.restart().route(
        {"b.xlsx": sidless(BUY, MORE, BUY)}
    )  # the second of two equal rows is a second order
    assert [row[1] for row in desk.at_broker()] == ["SHSE.600000", "SZSE.000001", "SHSE.600000"]


def test_copy_of_a_book_under_another_name_trades_nothing(trade):
    book = sidless(BUY)
    desk = trade({"b.xlsx": book})
    desk.route({"b - 副本.xlsx": book})
    assert len(desk.at_broker()) == 1
    desk.route({"other.xlsx": sidless(BUY, MORE)})  # another basket
    assert len(desk.at_broker()) == 3


def test_book_that_is_still_being_written_waits_and_is_then_taken(trade):
    book = a_book()
    desk = trade({"b.xlsx": book[:900]}, inbox={"torn_timeout": 60})
    assert not desk.query("SELECT * FROM drops")
    (desk.inbox / "b.xlsx").write_bytes(book)
    assert desk.route().statuses() == {"S1": "filled"}


def test_book_that_stays_cut_is_refused_with_a_remedy(trade):
    desk = trade({"b.xlsx": a_book()[:900]})
    (told,) = desk.receipt("b.xlsx")
    assert (told["row"], told["outcome"], told["code"]) == ("0", "refused", "FILE_DAMAGED")
    assert "Excel" in told["remedy"]
    assert list(desk.kept("quarantine")) == ["b.xlsx"]
    assert desk.route({"b.xlsx": a_book()}).statuses() == {"S1": "filled"}


@pytest.mark.posix
def test_book_that_stays_open_in_excel_is_taken_and_left_there_until_it_is_closed(trade):
    desk = trade({"~$b.xlsx": b"somebody", "b.xlsx": sidless(BUY)})
    assert len(desk.at_broker()) == 1
    assert (desk.inbox / "b.xlsx").exists()
    desk.route({"b.xlsx": sidless(BUY, MORE)})  # saved again, from Excel
    assert len(desk.at_broker()) == 2
    desk.restart()
    assert (desk.inbox / "b.xlsx").exists()
    (desk.inbox / "~$b.xlsx").unlink()
    desk.route()
    assert "drops/b.xlsx" in desk.kept()
    assert len(desk.at_broker()) == 2


@pytest.mark.posix
def test_book_that_excel_is_still_writing_is_not_taken_although_it_was_renamed_in(desk):
    here = desk(inbox={"settle": 30})
    (here.inbox / "~$b.xlsx").write_bytes(b"somebody")
    new = here.root / "new"
    new.write_bytes(sidless(BUY))
    os.utime(new, (1_000_000_000, 1_000_000_000))  # renamed later than written, whatever the clock's step
    new.rename(here.inbox / "b.xlsx")
    assert here.route().at_broker() == []
    (here.inbox / "~$b.xlsx").unlink()
    assert len(here.route().at_broker()) == 1


def test_book_that_windows_holds_open_is_taken_and_moved_later(desk, monkeypatch):
    """Excel shares what it has open for reading only: it cannot be had exclusively, nor moved."""
    monkeypatch.setattr(settling, "is_free", lambda _path: False)
    here = desk()
    (here.inbox / "~$b.xlsx").write_bytes(b"somebody")
    (here.inbox / "b.xlsx").write_bytes(a_book())
    assert here.route(rounds=20).statuses() == {"S1": "filled"}
    (here.inbox / "~$b.xlsx").unlink()
    assert (here.restart().inbox / "b.xlsx").exists()
    monkeypatch.setattr(settling, "is_free", lambda _path: True)
    assert "drops/b.xlsx" in here.route().kept()


@pytest.mark.posix
def test_book_when_the_router_dies_and_it_is_saved_again_meanwhile_is_never_doubled(trade):
    desk = trade({"~$b.xlsx": b"somebody", "b.xlsx": sidless(BUY)})
    desk.crash()
    assert len(desk.route().at_broker()) == 1
    desk.crash()
    assert len(desk.route({"b.xlsx": sidless(MORE, BUY)}).at_broker()) == 2


@pytest.mark.posix
def test_book_of_yesterday_that_is_saved_again_under_excels_mark_is_refused(desk):
    clock = FixedClock(to_datetime(SystemClock().now()).replace(hour=10))
    here = desk(clock).route({"~$b.xlsx": b"somebody", "b.xlsx": sidless(BUY)})
    assert len(here.at_broker()) == 1
    clock.advance(86400)
    here.put({"b.xlsx": sidless(BUY, MORE)})
    assert len(here.route().at_broker()) == 1
    assert {row["code"] for row in here.receipt("b.xlsx")} == {"DAY_OVER"}


@pytest.mark.posix
def test_book_that_is_saved_again_just_before_it_is_put_away_is_not_put_away_unread(trade):
    desk = trade({"~$b.xlsx": b"somebody", "b.xlsx": sidless(BUY)})
    desk.put({"b.xlsx": sidless(BUY, MORE)})
    (desk.inbox / "~$b.xlsx").unlink()
    desk.app.chores.finish()  # before the inbox has looked again
    assert len(desk.route().at_broker()) == 2


def test_large_book_streams_and_goes_whole_or_not_at_all(trade, monkeypatch):
    monkeypatch.setattr(drop_file, "SMALL", 100)
    good = [(f"S{n}", *BUY, "") for n in range(4500)]
    desk = trade({"bad.xlsx": a_book(*good, ("X", "SHSE.600000", "买", 150, 10, ""))})
    assert desk.at_broker() == []
    assert [code for _sid, _outcome, code in desk.outcomes("bad.xlsx")] == ["NOT_SENT"] * 4500 + ["LOT_SIZE"]
    desk.route({"good.xlsx": a_book(*good)})
    assert len(desk.at_broker()) == 4500


def test_large_book_without_sids_is_named_the_same_when_it_is_read_twice(trade, monkeypatch):
    monkeypatch.setattr(drop_file, "SMALL", 100)
    desk = trade({"b.xlsx": sidless(BUY, BUY, ("SHSE.600000", "买", 150, 10))})
    assert desk.at_broker() == []
    desk.route({"b.xlsx": sidless(BUY, BUY)})
    assert len(desk.at_broker()) == 2
    desk.route({"b.xlsx": sidless(BUY, BUY)})
    assert len(desk.at_broker()) == 2


def test_book_that_somebody_appends_to_is_another_drop(trade):
    desk = trade({"~$b.xlsx": b"somebody", "b.xlsx": sidless(BUY)})
    with (desk.inbox / "b.xlsx").open("ab") as file:
        file.write(sidless(BUY, MORE))
    assert len(desk.route().at_broker()) == 2
    assert len(desk.query("SELECT * FROM drops")) == 2


def test_dbf_is_traded_and_appended_to_trades_what_is_new(trade):
    fields = [
        ("sid", "C", 20, 0),
        ("symbol", "C", 16, 0),
        ("volume", "N", 9, 0),
        ("order_biz", "N", 2, 0),
        ("price", "N", 9, 2),
    ]
    one, two = ("S1", "SHSE.600000", 100, 1, "10.35"), ("S2", "SHSE.600000", 200, 1, "10.35")
    desk = trade({"~$x.order.dbf": b"held", "x.order.dbf": a_dbf(fields, [one])})
    desk.inbox.joinpath("x.order.dbf").write_bytes(a_dbf(fields, [one, two]))
    assert [(sid, volume) for sid, _symbol, volume, _status in desk.route().at_broker()] == [
        ("S1", 100),
        ("S2", 200),
    ]


@pytest.mark.parametrize(
    ("name", "code"), [("b.xlsm", "BOOK_MACROS"), ("b.XLSB", "BOOK_MACROS"), ("b.ods", "FILE_TYPE"), ("b.et", "FILE_TYPE")]
)  # fmt: skip
def test_book_of_another_kind_is_refused_with_a_remedy(trade, name, code):
    desk = trade({name: a_book()})
    (told,) = desk.receipt(name)
    assert told["code"] == code
    assert "xlsx" in told["remedy"]
    assert list(desk.kept("quarantine")) == [name]


PAGE = """<html><head><meta charset="utf-8"></head><body><table>
<tr><th>编号</th><th>代码</th><th>方向</th><th>数量</th><th>价格</th></tr>
<tr><td>P-1</td><td>600000</td><td>买入</td><td>100</td><td>10.35</td></tr></table></body></html>"""
TEXT = "编号\t代码\t方向\t数量\t价格\nP-1\t600000\t买入\t100\t10.35\n"


@pytest.mark.parametrize(
    ("name", "content", "encoding"),
    [
        ("a.xls", TEXT, "gbk"),
        ("a.xls", PAGE, "utf-8"),
        ("a.xlsx", TEXT, "utf-8-sig"),
        ("a.dbf", TEXT, "utf-16"),
        ("a.csv", PAGE, "gb18030"),
        ("a.csv", "", "book"),
        ("a.xls", "", "book"),
    ],
    ids=["tabs.xls", "page.xls", "tabs.xlsx", "tabs.dbf", "page.csv", "book.csv", "book.xls"],
)
def test_file_is_read_as_what_it_is_whatever_it_is_called(trade, name, content, encoding):
    book = a_book(("P-1", "600000", "买入", 100, 10.35), header=("编号", "代码", "方向", "数量", "价格"))
    desk = trade({name: content.encode(encoding) if content else book})
    assert [(sid, volume) for sid, _symbol, volume, _status in desk.at_broker()] == [("P-1", 100)]
    assert [row["outcome"] for row in desk.receipt(name)] == ["filled"]
    assert f"drops/{name}" in desk.kept()


def test_old_workbook_is_refused_with_a_remedy_that_works_at_once(trade):
    desk = trade(
        {
            "a.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
            "b.csv": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        }
    )
    for name in ("a.xls", "b.csv"):
        (told,) = desk.receipt(name)
        assert told["code"] == "FILE_TYPE"
        assert "另存为 .xlsx" in told["remedy"]
    assert desk.at_broker() == []


def test_dated_books_of_another_day_are_refused(trade):
    desk = trade(
        {
            "20200102.order.xlsx": a_book(),
            "20200102093101.146974.order.dbf": b"x",
            "20200102_093101.1.xlsx": a_book(),
        }
    )
    assert {row["reason_code"] for row in desk.query("SELECT * FROM drops")} == {"FILE_STALE"}
    assert len(desk.kept("quarantine")) == 3


def receipt_book(desk, name):
    """Sheets of an xlsx receipt: their rows below the title, and the paper of each row's outcome."""
    book = openpyxl.load_workbook(desk.root / "outbox" / "receipts" / f"{name}.receipt.xlsx")
    assert all(cell.data_type != "f" for sheet in book for row in sheet.rows for cell in row)
    return {
        sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] for sheet in book
    }, book


def test_receipt_of_a_book_shows_its_own_rows_and_what_became_of_them(trade):
    header = ("代码", "名称", "方向", "数量", "价格", "备注")
    bad = ("600000", "=cmd", "买", 150, 10, "y")
    desk = trade(
        {
            "篮子.xlsx": a_book_of(
                {"委托": [["调仓"], header, (600000, "浦发", "买入", 100, 10.35, "x"), bad], "说明": [["a"]]}
            )
        },
        inbox={"on_bad_row": "reject-row"},
    )
    sheets, book = receipt_book(desk, "篮子.xlsx")
    assert list(sheets) == ["委托"]
    head, good, denied = sheets["委托"]
    assert head[:8] == ["行 row", *header, "结果 outcome"]
    assert good[:8] == [3, "600000", "浦发", "买入", 100, 10.35, "x", "已成交 filled"]
    assert good[8:10] == [desk.receipt("篮子.xlsx")[0]["sid"], 100]
    assert denied[:8] == [4, "600000", None, "买", 150, 10, "y", "检查拒绝 denied"]
    assert "LOT_SIZE" in denied[11]
    assert denied[12]
    assert faults_of(book) == []
    papers = [book["委托"].cell(row, 8).fill.fgColor.rgb for row in (3, 4)]
    assert papers == [f"00{excel.GOOD.paper}", f"00{excel.BAD.paper}"]


def test_receipt_of_a_book_with_formula_like_text_is_harmless(trade):
    text = a_book(("S1", *BUY, "ok"), ("@x", *BUY, ""))
    desk = trade({"b.xlsx": text}, inbox={"on_bad_row": "reject-row"})
    sheets, _book = receipt_book(desk, "b.xlsx")
    assert sheets["委托"][2][1] == "'@x"


def test_receipt_of_sheets_with_names_that_no_sheet_may_have_is_written(trade):
    odd = with_part(
        a_book(),
        "xl/workbook.xml",
        lambda xml: xml.replace("委托".encode(), b"a/b:[c]*?" + b"x" * 40),
    )
    sheets, _book = receipt_book(trade({"b.xlsx": odd}), "b.xlsx")
    assert list(sheets) == ["a_b__c___" + "x" * 22]


def test_receipt_of_a_refused_book_says_why(trade):
    sheets, _book = receipt_book(trade({"b.xlsx": b"PK no book"}), "b.xlsx")
    assert sheets["回执 Receipt"][1][1] == "拒绝 refused"
    assert "FILE_DAMAGED" in sheets["回执 Receipt"][1][5]


def test_receipt_of_a_row_without_a_text_of_its_own_is_there(trade):
    numbered = [["序号", *PLAIN], [1, None, None, None, None]]
    desk = trade({"b.xlsx": a_book_of({"空": numbered, "委托": [PLAIN, BUY, ("=A9", None, None, None)]})})
    sheets, _book = receipt_book(desk, "b.xlsx")
    assert [row[:2] for row in sheets["委托"][1:]] == [[2, "SHSE.600000"]]
    assert [(row[0], row[1]) for row in sheets["回执 Receipt"][1:]] == [(3, "有错 error")]
    assert list(sheets) == ["委托", "回执 Receipt"]


def test_receipt_of_several_sheets_and_of_a_second_drop_of_the_name(trade):
    desk = trade({"b.xlsx": a_book_of({"买": [HEADER, ("S1", *BUY, "")], "卖": [HEADER, ("S2", *MORE, "")]})})
    assert [(name, rows[1][1]) for name, rows in receipt_book(desk, "b.xlsx")[0].items()] == [
        ("买", "S1"),
        ("卖", "S2"),
    ]
    desk.route({"b.xlsx": a_book(("S3", *BUY, ""))})
    assert receipt_book(desk, "b.xlsx")[0]["委托"][1][1] == "S3"
    assert "买" in receipt_book(desk, "b.xlsx~1")[0]


def test_receipt_that_somebody_has_open_on_windows_is_written_later(trade, monkeypatch):
    desk = trade({"b.xlsx": a_book(("S1", "SHSE.018014", "买", 100, 10, ""))})  # stays open
    monkeypatch.setattr(receipts, "is_free", lambda _path: False)
    desk.route({"c.cancel_order.csv": "sid,comment\nS1,\n"})
    assert receipt_book(desk, "b.xlsx")[0]["委托"][1][7] == "已报 new"
    monkeypatch.setattr(receipts, "is_free", lambda _path: True)
    assert receipt_book(desk.route(), "b.xlsx")[0]["委托"][1][7] == "已撤 canceled"


def test_receipt_book_that_cannot_be_made_stops_nobody(trade, monkeypatch):
    monkeypatch.setattr(receipts, "own_sheets", lambda *_: 1 / 0)
    desk = trade({"b.xlsx": a_book()})
    assert desk.statuses() == {"S1": "filled"}
    assert len(desk.receipt("b.xlsx")) == 1


def test_text_called_a_book_is_known_again_after_a_restart(trade):
    desk = trade({"a.xls": TEXT.encode("gbk")}, inbox={"archive_after": 600})
    desk.restart().route()
    assert len(desk.at_broker()) == 1
    assert [drop["name"] for drop in desk.query("SELECT * FROM drops")] == ["a.xls"]


def test_last_line_of_a_text_called_a_book_waits_for_its_newline(trade):
    desk = trade({"a.xls": TEXT.rstrip("\n").encode("gbk")}, inbox={"torn_timeout": 60})
    assert not desk.query("SELECT * FROM drops")
    desk.route({"a.xls": TEXT.encode("gbk")})
    assert len(desk.at_broker()) == 1
