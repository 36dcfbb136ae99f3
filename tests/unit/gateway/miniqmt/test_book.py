"""What follows from single events, without a terminal."""

from __future__ import annotations

import pytest
from builders import ACCOUNT, a_clock, an_outgoing

from orderdrop.domain.goldminer_format import order_file
from orderdrop.domain.status import Status
from orderdrop.gateway.base import Batch
from orderdrop.gateway.miniqmt.book import GRACE, STALE, Book, Lists
from orderdrop.gateway.miniqmt.events import Full, Listed, Numbered
from orderdrop.gateway.miniqmt.reference import rows_of
from orderdrop.system.clock import Micros, trade_date

NOW = a_clock().now()


@pytest.fixture
def book() -> Book:
    """One order, S1, was given to the API just now, as call 1."""
    book = Book(NOW)
    (row,) = rows_of(Batch(1, order_file([an_outgoing()])), trade_date(NOW))
    book.add([row])
    row.handed_at = NOW
    book.called(row, 1)
    return book


def listed(book: Book, status: int, **over) -> Listed:
    (row,) = book.rows.values()
    account, symbol, business, volume = row.likeness
    values = {
        "account_id": account, "number": 7, "contract": "", "symbol": symbol, "business": business, "volume": volume,
        "traded": 0, "status": status, "text": "", "remark": row.reference, "at": NOW,
    }  # fmt: skip
    return Listed(**values | over)


def full(*orders: Listed, begun: Micros = NOW) -> Full:
    return Full(ACCOUNT, begun, orders, (), None)


def statuses(book: Book) -> list[Status]:
    return [report.status for report in book.log if report.sid]


def test_cancel_pending_when_a_query_says_reported_then_only_one_that_is_not_stale_gives_the_order_back(book):
    book.take(listed(book, 50), NOW)
    book.take(listed(book, 51), NOW)
    book.take(full(listed(book, 50)), Micros(NOW + STALE))
    assert statuses(book) == [Status.NEW, Status.PENDING_CANCEL]
    book.take(full(listed(book, 50)), Micros(NOW + STALE + 1))
    assert statuses(book) == [Status.NEW, Status.PENDING_CANCEL, Status.NEW]


@pytest.mark.parametrize("status", [51, 52])
def test_cancel_pending_when_refused_then_an_event_gives_the_order_back(book, status):
    book.take(listed(book, status), NOW)
    book.take(listed(book, 50), NOW)
    assert statuses(book) == [Status.PENDING_CANCEL, Status.NEW]


def test_status_when_an_earlier_one_comes_late_then_not_told(book):
    for status in (50, 49, 48, 50, 255):
        book.take(listed(book, status), NOW)
    assert statuses(book) == [Status.NEW]


@pytest.mark.parametrize("code", [58, 59, 86, 87, 88, 12345])
def test_status_when_the_code_is_not_in_the_table_then_known_live_and_said_once(book, caplog, code):
    (row,) = book.rows.values()
    for _ in range(3):
        book.take(listed(book, code), NOW)
    assert statuses(book) == [Status.PENDING_NEW]
    assert book.is_known(row)
    assert book.is_open(row)
    assert row.listed == 7
    assert len([one for one in caplog.records if str(code) in one.getMessage()]) == 1


def test_status_when_the_code_is_not_in_the_table_then_fills_count_and_nothing_goes_back(book):
    book.take(listed(book, 50), NOW)
    book.take(listed(book, 86), NOW)
    book.take(listed(book, 86, traded=40), NOW)
    book.take(listed(book, 56, traded=100), NOW)
    assert [(report.status, report.filled_volume) for report in book.log] == [
        (Status.NEW, 0), (Status.PENDING_NEW, 40), (Status.FILLED, 100),
    ]  # fmt: skip


def test_rejection_when_the_order_is_live_after_all_then_told(book):
    (row,) = book.rows.values()
    book.refuse(row, NOW)
    book.take(listed(book, 50), NOW)
    assert statuses(book) == [Status.REJECTED, Status.NEW]


def test_stranger_when_two_look_alike_then_neither_is_ours(book):
    book.take(full(listed(book, 50, remark=""), listed(book, 50, remark="", number=8)), NOW)
    book.look(Micros(NOW + GRACE), foreign=True)
    assert book.log == []


def test_stranger_when_it_is_the_only_one_then_ours_once_the_answer_had_its_time(book):
    book.take(listed(book, 50, remark=""), NOW)
    book.look(Micros(NOW + GRACE - 1), foreign=True)
    assert book.log == []
    book.look(Micros(NOW + GRACE), foreign=True)
    assert statuses(book) == [Status.NEW]


@pytest.mark.parametrize(
    "other",
    [{"volume": 200}, {"business": 24}, {"symbol": "SZSE.000002"}, {"remark": "x"}, {"at": NOW - 60_000_000}],
)
def test_stranger_when_it_looks_otherwise_then_somebody_elses(book, other):
    book.take(listed(book, 50, **{"remark": ""} | other), NOW)
    book.look(Micros(NOW + GRACE), foreign=True)
    assert [report.sid for report in book.log] == [""]


def test_stranger_when_the_answer_names_another_number_then_not_ours(book):
    book.take(listed(book, 50, remark=""), NOW)
    book.take(Numbered(1, 9, ""), NOW)
    book.look(Micros(NOW + GRACE), foreign=True)
    assert statuses(book) == []


# what a list is worth


def asked(lists: Lists, *counts: int, apart: int = 5_000_000, whole: bool = True) -> list[Micros]:
    for number, count in enumerate(counts):
        begun = Micros(NOW + number * apart)
        lists.take(Full(ACCOUNT, begun, (None,) * count, (), None), whole=whole)
    return lists.proofs


def test_lists_when_they_grow_then_each_counts():
    assert len(asked(Lists(), 0, 0, 1, 3, 3)) == 5


def test_lists_when_one_is_shorter_than_it_was_then_what_was_asked_before_proves_nothing():
    lists = Lists()
    assert asked(lists, 3, 3, 3, 0) == []
    assert lists.short
    assert asked(lists, 3) == [NOW]


def test_lists_when_the_terminal_may_have_answered_with_an_old_one_then_it_is_no_sign():
    assert len(asked(Lists(), 3, 2, 3, 3)) == 4


def test_lists_when_more_was_listed_at_the_hand_over_then_shorter_ones_prove_nothing():
    lists = Lists()
    asked(lists, 0, 0, 0)
    lists.expect(2)
    assert lists.proofs == []
    assert asked(lists, 1, 1) == []
    assert asked(lists, 2) == [NOW]
    assert lists.longest == 2


def test_lists_when_they_lack_what_was_listed_then_they_do_not_count():
    assert asked(Lists(), 1, 1, whole=False) == []
