"""What MiniQMT has not been told it says with None, NaN or the largest double: no endless money, no new connection, no traceback."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from builders import ACCOUNT, a_clock, an_outgoing
from hypothesis import given
from hypothesis import strategies as st
from qmt_desk import desks

from orderdrop.domain.goldminer_format import order_file
from orderdrop.domain.report import Unreadable, check
from orderdrop.gateway.base import Batch
from orderdrop.gateway.miniqmt import events as ev
from orderdrop.gateway.miniqmt.book import Book
from orderdrop.gateway.miniqmt.reference import rows_of
from orderdrop.gateway.miniqmt.session import _copied
from orderdrop.system.clock import trade_date

LARGEST = 1.7976931348623157e308
NOT_TOLD = [None, math.nan, math.inf, LARGEST, -LARGEST]
NOW = a_clock().now()


@pytest.fixture
def desk(tmp_path):
    with desks(tmp_path) as make:
        yield make()


@pytest.mark.parametrize("amount", NOT_TOLD)
def test_funds_when_not_told_then_the_last_ones_stay_and_so_does_the_connection(desk, amount):
    desk.until(lambda: desk.gateway.account(ACCOUNT) is not None)
    before = desk.gateway.account(ACCOUNT)
    asset = desk.broker.view(ACCOUNT)["Asset"][0] | {"cash": amount}
    desk.habits.stale = desk.broker.view(ACCOUNT) | {"Asset": [asset]}
    desk.clock.advance(5)
    desk.until(lambda: bool(desk.gateway.bad_rows))
    assert desk.gateway.account(ACCOUNT) == before
    for _ in range(3):
        reads = len(desk.gateway._link.reads[ACCOUNT])
        desk.clock.advance(5)
        desk.until(lambda reads=reads: len(desk.gateway._link.reads[ACCOUNT]) > reads)
    assert (len(desk.broker.sessions), desk.gateway.room() > 0) == (1, True)
    desk.habits.stale = None
    desk.until(lambda: desk.gateway.account(ACCOUNT).at > before.at, passing=True)


def test_list_when_an_order_of_it_does_not_read_then_nothing_is_proven_absent(desk):
    desk.submit("S0", symbol="SHSE.018014")
    desk.until(lambda: bool(desk.statuses("S0")))
    desk.habits.unlisted = set(range(1, 10_000))
    batch = desk.submit("S1", symbol="SHSE.018014")
    seen = desk.broker.view(ACCOUNT)
    broken = seen["Orders"][0] | {"order_id": None}
    desk.habits.stale = seen | {"Orders": [*seen["Orders"], broken]}
    desk.rounds(6)
    trace = desk.trace(batch, "S1")
    assert trace.absent == frozenset()
    assert "does not read" in trace.words
    desk.habits.stale = seen
    desk.rounds(6)
    assert desk.trace(batch, "S1").absent == {"S1"}


def an_xt_order(**over):
    values = {
        "account_id": "A1", "order_id": 7, "order_sysid": "", "stock_code": "600000.SH", "order_type": 23, "order_volume": 100,
        "traded_volume": 0, "order_status": 50, "status_msg": "", "order_remark": "", "order_time": 0,
    }  # fmt: skip
    return SimpleNamespace(**values | over)


@pytest.mark.parametrize("value", NOT_TOLD)
def test_order_when_what_it_needs_not_is_not_told_then_nothing_stands_there(value):
    told = ev.listed(an_xt_order(traded_volume=value, order_time=value))
    assert (told.traded, told.at) == (0, 0)
    with pytest.raises(Unreadable):
        ev.listed(an_xt_order(order_id=value))


ANY = st.one_of(st.floats(), st.integers(), st.none(), st.text(max_size=5), st.sampled_from(NOT_TOLD))
FIELDS = st.sampled_from(
    ["order_id", "order_type", "order_volume", "traded_volume", "order_status", "order_time", "traded_price", "traded_time",
     "cash", "frozen_cash", "market_value", "volume", "can_use_volume", "yesterday_volume", "avg_price", "last_price"]
)  # fmt: skip


@given(st.dictionaries(FIELDS, ANY), st.sampled_from(["orders", "trades", "positions", "asset"]))
def test_answers_whatever_their_numbers_are_bounded_or_named_as_unread(over, question):
    one = an_xt_order(
        **{
            "traded_id": "t1", "traded_price": 10.0, "traded_time": 1, "cash": 1.0, "frozen_cash": 0.0, "market_value": 0.0, "volume": 100,
            "can_use_volume": 100, "yesterday_volume": 0, "avg_price": 1.0, "last_price": 1.0, **over,
        }
    )  # fmt: skip
    found, unread = _copied(question, one if question == "asset" else [one])
    assert found or unread
    if question == "asset" and found is not None:
        assert all(abs(amount) < 10**15 for amount in found)
    if question == "positions" and found is not None:
        assert all(len(str(held)) < 400 for held in found)


@pytest.fixture
def book() -> Book:
    book = Book(NOW)
    (row,) = rows_of(Batch(1, order_file([an_outgoing()])), trade_date(NOW))
    book.add([row])
    return book


def test_order_when_another_account_bears_our_remark_then_it_is_told_as_theirs(book):
    (row,) = book.rows.values()
    listed = ev.listed(an_xt_order(account_id="B2", order_remark=row.reference))
    book.take(listed, NOW)
    book.look(NOW, foreign=True)
    (report,) = book.log
    assert (report.account_id, report.sid) == ("B2", "S1")
    assert not book.is_known(row)


def test_trade_when_its_time_cannot_be_then_it_was_now(book):
    (row,) = book.rows.values()
    book.take(ev.listed(an_xt_order(order_remark=row.reference)), NOW)
    trade = ev.Traded("A1", 7, "", "t1", 100, ev._money(10), row.reference, 9_000_000_000_000_000)
    book.take(trade, NOW)
    fill = book.log[-1]
    assert fill.at == NOW
    check(fill)
