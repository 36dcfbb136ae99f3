from datetime import date

import pytest

from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.switches import State
from orderdrop.inbox.names import Ignored, Name, printable, read_name, read_switch, stem_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("basket.csv", Name(DropKind.ORDER, False, None)),
        ("手工 篮子.CSV", Name(DropKind.ORDER, False, None)),
        ("20261120.order.csv", Name(DropKind.ORDER, True, date(2026, 11, 20))),
        ("20261120.cancel_order.csv", Name(DropKind.CANCEL, True, date(2026, 11, 20))),
        ("20261120_093101.125.order.csv", Name(DropKind.ORDER, False, date(2026, 11, 20))),
        ("x.cancel_order.csv", Name(DropKind.CANCEL, False, None)),
        ("x.release.csv", Name(DropKind.RELEASE, False, None)),
        ("x.resend.csv", Name(DropKind.RESEND, False, None)),
        ("20261399.order.csv", Name(DropKind.ORDER, False, None)),  # no such day
        ("篮子.XLSX", Name(DropKind.ORDER, False, None, ".xlsx")),
        ("x.cancel_order.xlsx", Name(DropKind.CANCEL, False, None, ".xlsx")),
        ("20261120.order.xlsx", Name(DropKind.ORDER, False, date(2026, 11, 20), ".xlsx")),  # never followed
        ("20261120_093101.xlsx", Name(DropKind.ORDER, False, date(2026, 11, 20), ".xlsx")),
        ("20261120182037.146974.order.dbf", Name(DropKind.ORDER, False, date(2026, 11, 20), ".dbf")),
        ("2026-11-20_09-30-00.123.order.csv", Name(DropKind.ORDER, False, date(2026, 11, 20))),
        ("20261120092037.146974.order.csv", Name(DropKind.ORDER, False, date(2026, 11, 20))),
        ("20261120-0930.order.csv", Name(DropKind.ORDER, False, date(2026, 11, 20))),
        ("20261120T093000123.csv", Name(DropKind.ORDER, False, date(2026, 11, 20))),
        ("20261120093000123456.csv", Name(DropKind.ORDER, False, date(2026, 11, 20))),
        ("signal_20261120.csv", Name(DropKind.ORDER, False, date(2026, 11, 20))),
        ("仿真篮子_2026-11-20.xlsx", Name(DropKind.ORDER, False, date(2026, 11, 20), ".xlsx")),
        ("调仓2026年11月20日.csv", Name(DropKind.ORDER, False, date(2026, 11, 20))),
        ("2026.11.20.csv", Name(DropKind.ORDER, False, date(2026, 11, 20))),
        ("20261119_for_20261120.csv", Name(DropKind.ORDER, False, date(2026, 11, 20))),
        ("signal_20261320.csv", Name(DropKind.ORDER, False, None)),
        ("signal_19991120.csv", Name(DropKind.ORDER, False, None)),
        ("10020261120.csv", Name(DropKind.ORDER, False, None)),  # a longer number, perhaps an account's
        ("20261120939999.csv", Name(DropKind.ORDER, False, None)),  # no time behind the day
        ("2026-1120.csv", Name(DropKind.ORDER, False, None)),
        ("1795512345.csv", Name(DropKind.ORDER, False, None)),
        ("２０２６1120.order.csv", Name(DropKind.ORDER, False, None)),  # full-width digits are no day
    ],
)
def test_name_of_a_drop_says_what_it_is(name, expected):
    assert read_name(name) == expected


@pytest.mark.parametrize(
    "name",
    ["~$basket.xlsx", "~$basket.csv", ".hidden.csv", "a.csv.tmp", "a.part", "a.crdownload", "a.csv.fin", "HALT", "a.exe", "a", "20261120.order.csv.lock"],
)  # fmt: skip
def test_name_when_it_is_not_a_drop_is_ignored(name):
    assert isinstance(read_name(name), Ignored)


@pytest.mark.parametrize(
    "name", ["a\n.csv", "a\x00.csv", "a\u202evsc.csv", "中" * 70 + ".csv", "a\udc80.csv"]
)
def test_name_when_hostile_is_refused(name):
    said = read_name(name)
    assert isinstance(said, Refusal)
    assert said.code is Code.FILE_NAME
    assert printable(said.value) == said.value
    assert said.value.encode()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a.xlsm", Code.BOOK_MACROS),
        ("a.XLSB", Code.BOOK_MACROS),
        ("a.et", Code.FILE_TYPE),
        ("a.ods", Code.FILE_TYPE),
    ],
)
def test_name_of_a_workbook_that_is_not_taken_is_refused(name, code):
    said = read_name(name)
    assert isinstance(said, Refusal)
    assert said.code is code


def test_name_that_programs_give_to_texts_and_pages_is_looked_into():
    said = read_name("委托.XLS")
    assert isinstance(said, Name)
    assert (said.suffix, said.whole, said.followed) == (".xls", True, False)


@pytest.mark.parametrize(
    ("path", "switch"),
    [
        ("HALT", (("", ""), State.HALTED)),
        ("halt.txt", (("", ""), State.HALTED)),
        ("REDUCE", (("", ""), State.REDUCING)),
        ("HALT.A1", (("account", "A1"), State.HALTED)),
        ("REDUCE.1a66e81c-ae5d.txt", (("account", "1a66e81c-ae5d"), State.REDUCING)),
        ("alpha/HALT", (("strategy", "alpha"), State.HALTED)),
        ("alpha/HALT.A1", (("strategy", "alpha"), State.HALTED)),
        ("HALT.", (("", ""), State.HALTED)),
        ("HALT ", (("", ""), State.HALTED)),
        ("HALT (1)", (("", ""), State.HALTED)),
        ("HALT - 副本.txt", (("", ""), State.HALTED)),
        ("halt暂停", (("", ""), State.HALTED)),
        ("Halt2.txt", (("", ""), State.HALTED)),
        ("HALT.txt.txt", (("", ""), State.HALTED)),
        ("HALT.csv", (("account", "csv"), State.HALTED)),  # which is no account, so it will halt all
        ("HALT.A1 .txt", (("account", "A1"), State.HALTED)),
        ("HALTED", None),
        ("halter.csv", None),
        ("reduce-list.csv", (("", ""), State.REDUCING)),
        ("reduced.csv", None),
    ],
)
def test_switch_when_named_so_is_known_with_whom_it_binds(path, switch):
    assert read_switch(path) == switch


@pytest.mark.parametrize(
    "name",
    ["篮子.csv", "篮子.xlsx", "篮子(1).csv", "篮子 (12).csv", "篮子（1）.csv", "篮子 - 副本.csv", "篮子 - 副本 (2).csv", "篮子 - Copy (2).csv",
     "篮子 copy.csv", "篮子 copy 3.csv", "篮子 的副本.csv", "复件 篮子.csv", "Copy of 篮子.csv", "篮子 (zhang's conflicted copy 2026-11-20).csv",
     "篮子 (conflicted copy 2026-11-20) (1).csv", "篮子-DESKTOP-4F2K9QX.csv", "篮子.sync-conflict-20261120-093000-ABCDEFG.csv",
     "篮子~sync-conflict-20261120-093000-ABCDEFG.csv", "篮子_冲突文件_zhang_20261120.csv", "篮子(冲突文件 zhang).csv", "篮子 [Conflict].csv"],
)  # fmt: skip
def test_stem_when_it_is_a_copy_or_a_conflict_is_that_of_the_file(name):
    assert stem_of(name) == stem_of("篮子.csv")


@pytest.mark.parametrize(
    "name", ["篮子2.csv", "篮子 2.csv", "篮子-v2.csv", "alpha/篮子.csv", "副本.csv", "a(2026).csv"]
)
def test_stem_when_the_name_is_another_is_another(name):
    assert stem_of(name) != stem_of("篮子.csv")
