from datetime import date

import pytest

from orderdrop.checks.switches import State
from orderdrop.inbox.names import Ignored, Name, printable, read_name, read_switch
from orderdrop.order.model import DropKind
from orderdrop.order.refusal import Code, Refusal


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
        ("a.xls", Code.FILE_TYPE),
        ("a.ods", Code.FILE_TYPE),
    ],
)
def test_name_of_a_workbook_that_is_not_taken_is_refused(name, code):
    said = read_name(name)
    assert isinstance(said, Refusal)
    assert said.code is code


@pytest.mark.parametrize(
    ("path", "switch"),
    [
        ("HALT", (("", ""), State.HALTED)),
        ("halt.txt", (("", ""), State.HALTED)),
        ("REDUCE", (("", ""), State.REDUCING)),
        ("HALT.A1", (("account", "A1"), State.HALTED)),
        ("REDUCE.1a66e81c-ae5d.txt", (("account", "1a66e81c-ae5d"), State.REDUCING)),
        ("alpha/HALT", (("strategy", "alpha"), State.HALTED)),
        ("alpha/HALT.A1", None),
        ("HALT.", None),
        ("HALT.csv", None),
        ("HALT.csv.tmp", None),
        ("HALTED", None),
        ("reduce-list.csv", None),
    ],
)
def test_switch_when_named_so_is_known_with_whom_it_binds(path, switch):
    assert read_switch(path) == switch
