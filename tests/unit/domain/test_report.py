"""What is told is bounded, and its words are cleaned, whoever tells it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from builders import ACCOUNT, FRIDAY
from goldminer_writing import a_change, an_execution, header_of
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.domain.report import (
    MOST_SHARES,
    CancelReject,
    Fill,
    StatusReport,
    Unreadable,
    check,
    clean,
    price,
    reason_code,
    whole,
)
from orderdrop.domain.status import Status
from orderdrop.execution.reports import _body, _fault_of, _raw, _whose
from orderdrop.gateway.gm import rows
from orderdrop.gateway.goldminer.rows import BadRow, columns_of, execution_reader, read_account, status_reader
from orderdrop.gateway.paper.quotes import _price as quote
from orderdrop.market.instruments import _number as fact
from orderdrop.system.clock import Micros, from_datetime, iso, to_datetime

NOW = from_datetime(FRIDAY)
ABSURD = st.sampled_from(
    [
        "1E+99999999", "1E-99999999", "-1", "1E+25", "9" * 20, "9" * 5000, "NaN", "sNaN", "-Infinity", "1.797e308", "0x10", "１２",
        "1_000", "", " ", "\x1b[2J", "\u202e", "\ud800", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+08:00", "=cmd", "None",
    ]
)  # fmt: skip
CELLS = st.one_of(ABSURD, st.text(max_size=40), st.decimals().map(str), st.integers().map(str))


def sound(report) -> None:
    """It can be reckoned with and written down."""
    check(report)
    _body(report).encode()
    assert NOW - 40 * 86_400_000_000 < report.at < NOW + 2 * 86_400_000_000
    if isinstance(report, Fill):
        assert 0 <= report.volume < MOST_SHARES
        assert "E" not in str(report.price)


@given(st.dictionaries(st.sampled_from(sorted(a_change())), CELLS, max_size=5))
def test_status_row_whatever_its_cells_is_a_sound_report_or_a_bad_row(cells):
    row = {**a_change(status=8), **cells}
    try:
        told = status_reader(columns_of(header_of(row).split(",")))(list(row.values()), ACCOUNT, NOW)
    except BadRow:
        return
    sound(told.report)


@given(st.dictionaries(st.sampled_from(sorted(an_execution())), CELLS, max_size=5))
def test_execution_row_whatever_its_cells_is_a_sound_report_or_a_bad_row(cells):
    row = {**an_execution(), **cells}
    try:
        told = execution_reader(columns_of(header_of(an_execution()).split(",")))(
            list(row.values()), ACCOUNT, NOW
        )
    except BadRow:
        return
    if told.report is not None:
        sound(told.report)


@given(st.lists(CELLS, min_size=8, max_size=8))
def test_funds_whatever_their_cells_are_bounded_or_a_bad_row(cells):
    names = [
        "available",
        "balance",
        "market_value",
        "order_frozen",
        "pnl",
        "updated_at",
        "recv_at",
        "created_at",
    ]
    try:
        account = read_account("A", (columns_of(["account_id", *names]), [["A", *cells]]), None, NOW)
    except BadRow:
        return
    assert account is not None
    assert all(abs(amount) < 10**15 for amount in account[2:7])
    iso(account.at)


NUMBERS = st.one_of(
    st.floats(), st.integers(), st.sampled_from([1.7976931348623157e308, float("nan"), None, "1"])
)


@given(
    st.dictionaries(st.sampled_from(["filled_volume", "ord_rej_reason", "updated_at", "order_id"]), NUMBERS)
)
def test_gm_order_whatever_its_numbers_is_a_sound_report_or_unreadable(numbers):
    order = {
        "account_id": ACCOUNT, "order_id": "c1", "status": 8, "filled_volume": 0, "ord_rej_reason": 0, "ord_rej_reason_detail": "",
        "created_at": 0, "updated_at": 0, **numbers,
    }  # fmt: skip
    try:
        report = rows.status_report("S1", order, NOW)
    except (Unreadable, TypeError):
        return
    sound(report)


@given(st.dictionaries(st.sampled_from(["price", "volume", "commission", "created_at"]), NUMBERS))
def test_gm_report_whatever_its_numbers_is_a_sound_fill_or_none(numbers):
    report = {
        "account_id": ACCOUNT, "cl_ord_id": "t-1", "order_id": "c1", "exec_id": "e1", "exec_type": 15, "price": 10.1, "volume": 100,
        "commission": 0.0, "ord_rej_reason": 0, "ord_rej_reason_detail": "", "created_at": 0, **numbers,
    }  # fmt: skip
    try:
        found = rows.event("S1", report, NOW)
    except (Unreadable, TypeError):
        return
    if found is not None:
        sound(found[1])


def test_gm_funds_when_the_money_is_not_told_are_unreadable_and_not_nothing():
    told = {"balance": 1.0, "available": float("nan"), "order_frozen": 0.0, "market_value": 0.0, "pnl": 0.0}
    with pytest.raises(Unreadable):
        rows.account(ACCOUNT, told, [], NOW)


@given(CELLS)
def test_numbers_of_files_whatever_they_say_are_bounded_or_refused(text):
    for read in (quote, fact):
        try:
            told = read(text)
        except ValueError:
            continue
        assert told is None or 0 < told < 10**9


def test_numbers_when_honest_are_taken_as_they_are():
    assert [whole(text, "v") for text in ("100", "100.0", "1E+2", "0")] == [100, 100, 100, 0]
    assert [str(price(text, "p")) for text in ("10.340", "1E+2", "1.035E+1", "10.350000000000001")] == [
        "10.340", "100", "10.35", "10.350000",
    ]  # fmt: skip
    assert whole(str(MOST_SHARES - 1), "v") == MOST_SHARES - 1
    for refused in (str(MOST_SHARES), "-1", "1.5", "1e17"):
        with pytest.raises(Unreadable):
            whole(refused, "v")
    with pytest.raises(Unreadable):
        reason_code("9" * 20, "code")


@given(st.text(max_size=2000))
def test_clean_whatever_the_words_they_are_one_line_that_steers_nothing_and_stay_so(words):
    shown = clean(words)
    assert shown.isprintable()
    assert len(shown) <= 500
    assert clean(shown) == shown
    shown.encode()


def test_clean_when_the_words_are_harmless_they_stay():
    assert clean("资金不足: 需要 10.35") == "资金不足: 需要 10.35"
    assert clean("one\ntwo\tthree") == "one two three"


REPORTS = [
    StatusReport(NOW, "a", "s", Status.NEW, filled_volume=-1),
    StatusReport(NOW, "a", "s", Status.NEW, filled_volume=1 << 60),
    StatusReport(Micros(1 << 62), "a", "s", Status.NEW),
    Fill(NOW, "a", "s", "e", 10**20, Decimal(1)),
    Fill(NOW, "a", "s", "e", 1, Decimal("1E+999999")),
    Fill(NOW, "a", "s", "e", 1, Decimal("NaN")),
    Fill(NOW, "a", "s", "\ud800", 1, Decimal(1)),
    CancelReject(NOW, "a", "s", 10**20),
    StatusReport(NOW, None, "s", Status.NEW),
    StatusReport("soon", "a", "s", Status.NEW),
]


@pytest.mark.parametrize("report", REPORTS)
def test_check_when_a_report_cannot_be_written_down_says_so_and_it_is_kept_as_words(report):
    fault = _fault_of(report)
    assert fault
    _raw(report, fault).encode()
    "".join(_whose(report)).encode()


@given(st.integers())
def test_instant_whatever_it_is_can_be_shown(at):
    assert iso(Micros(at))[4:5] == "-"
    to_datetime(Micros(at))
