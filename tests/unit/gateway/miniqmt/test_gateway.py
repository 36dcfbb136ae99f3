"""MiniQMT as it is in the field: each test is one thing that has been seen there. The vendor's own Python runs in all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from builders import ACCOUNT, an_outgoing
from qmt_desk import Desk, desks
from xtquant_broker import STATUS_OF

from orderdrop.domain.order import OrderBusiness
from orderdrop.domain.report import CancelReject, StatusReport
from orderdrop.domain.status import Status
from orderdrop.gateway.base import Batch, Cancel, Outcome, Stopped
from orderdrop.gateway.miniqmt.codes import BUSINESS, PRICE_TYPES
from orderdrop.gateway.miniqmt.reference import LONGEST
from orderdrop.risk.rules.board import ORDER_TYPES

FILLS, PENDING, STUCK = "SZSE.000725", "SHSE.018014", "SZSE.000008"


@pytest.fixture
def make(tmp_path) -> Iterator[Callable[..., Desk]]:
    with desks(tmp_path) as make:
        yield make


@pytest.fixture
def desk(make) -> Desk:
    return make()


# a switch that is thrown while a batch leaves


def test_submit_when_stopped_between_two_calls_then_what_was_called_is_known_and_the_rest_never_left(desk):
    asked = iter([False, False, True])
    desk.gateway.stopped = lambda: next(asked)
    batch = desk.batch("S1", "S2", "S3", "S4", symbol=PENDING)
    with pytest.raises(Stopped):
        desk.gateway.submit(batch)
    never, taken = Outcome.NEVER_LEFT, Outcome.TAKEN
    assert desk.gateway.settle(batch) == {"S1": taken, "S2": taken, "S3": never, "S4": never}
    assert len(desk.at_broker(2)) == 2


# keys


def test_reference_when_handed_over_then_short_unique_and_telling_day_and_place(desk):
    desk.submit("S1", "S2")
    desk.submit("S3")
    first, second, third = desk.at_broker(3)
    assert first.startswith("261120-1-0-")
    assert second.startswith("261120-1-1-")
    assert third.startswith("261120-2-0-")
    assert all(len(key) <= LONGEST and key.isascii() for key in (first, second, third))


def test_reference_when_another_workspace_counts_alike_then_its_order_is_not_ours(desk):
    desk.submit("S1", symbol=PENDING)
    desk.until(desk.is_told("S1", Status.NEW))
    stranger = Desk.__new__(Desk)
    stranger.__dict__ |= desk.__dict__ | {"handed": []}
    stranger.gateway = stranger.life()
    stranger.submit("X1", symbol=PENDING)
    stranger.until(stranger.is_told("X1", Status.NEW))
    stranger.gateway.close()
    desk.rounds(2)
    assert desk.statuses("S1") == [Status.NEW]
    assert {r.sid for r in desk.reports()} == {"S1", ""}


# answers and events


@pytest.mark.parametrize("event_first", [True, False])
@pytest.mark.parametrize("tells_remarks", [True, False])
def test_events_when_before_or_behind_the_answer_with_or_without_remark_then_told_alike(
    desk, event_first, tells_remarks
):
    desk.habits.event_first, desk.habits.tells_remarks = event_first, tells_remarks
    desk.submit("S1", symbol=FILLS)
    desk.until(desk.is_told("S1", Status.FILLED))
    assert desk.statuses("S1") == [Status.NEW, Status.FILLED]
    assert [fill.volume for fill in desk.fills("S1")] == [100]


def test_events_when_they_repeat_then_each_fill_counts_once(desk):
    desk.habits.repeats = 3
    desk.submit("S1", symbol=FILLS)
    desk.until(desk.is_told("S1", Status.FILLED))
    desk.rounds(1)
    assert desk.statuses("S1") == [Status.NEW, Status.FILLED]
    assert len(desk.fills("S1")) == 1


def test_events_when_in_the_wrong_order_then_nothing_goes_back(desk):
    desk.habits.backwards = True
    desk.submit("S1", symbol=FILLS)
    desk.until(desk.is_told("S1", Status.FILLED))
    desk.rounds(1)
    assert desk.statuses("S1") == [Status.FILLED]
    assert len(desk.fills("S1")) == 1


def test_events_when_all_are_lost_then_a_full_query_tells(desk):
    desk.habits.tells_orders = False
    desk.submit("S1", symbol=FILLS)
    desk.rounds(1)
    assert desk.statuses("S1") == [Status.FILLED]
    assert len(desk.fills("S1")) == 1


def test_query_when_stale_then_it_takes_nothing_back(desk):
    desk.habits.stale = desk.broker.view(ACCOUNT)
    desk.submit("S1", symbol=FILLS)
    desk.until(desk.is_told("S1", Status.FILLED))
    desk.rounds(1)
    assert desk.statuses("S1") == [Status.NEW, Status.FILLED]


def test_cancel_pending_when_a_stale_query_says_new_then_it_stays(desk):
    desk.submit("S1", symbol=PENDING)
    desk.until(desk.is_told("S1", Status.NEW))
    desk.habits.stale = desk.broker.view(ACCOUNT)
    desk.gateway.cancel([Cancel("S1", ACCOUNT)])
    desk.until(desk.is_told("S1", Status.CANCELED))
    desk.rounds(2)
    assert desk.statuses("S1") == [Status.NEW, Status.PENDING_CANCEL, Status.CANCELED]


# silence


def test_minus_one_when_the_order_is_live_then_it_is_found_and_not_called_absent(desk):
    desk.habits.minus_one = {1}
    batch = desk.submit("S1", symbol=PENDING)
    desk.rounds(4)
    assert desk.statuses("S1") == [Status.NEW]
    assert desk.trace(batch, "S1").absent == frozenset()


def test_order_when_swallowed_then_absent_only_after_two_queries_ten_seconds_apart(desk):
    desk.habits.unlisted = {1}
    batch = desk.submit("S1", "S2")
    desk.rounds(2)
    assert desk.trace(batch, "S1").absent == frozenset()
    desk.rounds(1)
    assert desk.trace(batch, "S1", "S2").absent == {"S1"}
    assert desk.gateway.settle(batch) == {"S1": Outcome.UNKNOWN, "S2": Outcome.TAKEN}


def test_order_when_swallowed_and_the_evidence_is_older_than_asked_then_not_absent(desk):
    desk.habits.unlisted = {1}
    batch = desk.submit("S1")
    desk.rounds(4)
    assert desk.trace(batch, "S1", since=desk.clock.now()).absent == frozenset()


def test_order_when_swallowed_then_a_list_that_is_shorter_after_a_new_connection_proves_nothing(desk):
    desk.submit("S0", symbol=PENDING)
    desk.until(desk.is_told("S0", Status.NEW))
    desk.rounds(3)
    desk.habits.unlisted = {2}
    batch = desk.submit("S1")
    view = desk.broker.view(ACCOUNT)
    desk.habits.stale = view | {"Orders": [], "Trades": []}
    desk.broker.restart()
    desk.until(lambda: desk.gateway.room() == 0)
    desk.until(lambda: desk.gateway.room() > 0, passing=True)
    desk.rounds(4)
    found = desk.trace(batch, "S1")
    assert (found.absent, "shorter" in found.words) == (frozenset(), True)
    desk.habits.stale = None
    desk.rounds(4)
    assert desk.trace(batch, "S1").absent == {"S1"}
    assert desk.trace(batch._replace(places=None), "S1").absent == frozenset()


def test_order_when_swallowed_and_queries_are_not_answered_then_not_absent(desk):
    desk.habits.unlisted, desk.habits.mute = {1}, True
    batch = desk.submit("S1")
    for _ in range(5):
        desk.clock.advance(4)
        desk.reports()
    found = desk.trace(batch, "S1")
    assert found.absent == frozenset()
    assert found.words


def test_order_when_swallowed_then_queries_that_have_forgotten_others_prove_nothing(desk):
    """A terminal that has just been started lists nothing for a while."""
    desk.submit("S0", symbol=PENDING)
    desk.until(desk.is_told("S0", Status.NEW))
    desk.clock.advance(11)
    desk.habits.unlisted = {2}
    batch = desk.submit("S1")
    desk.habits.stale = {
        "Orders": [],
        "Trades": [],
        **{q: desk.broker.view(ACCOUNT)[q] for q in ("Positions", "Asset")},
    }
    desk.rounds(4)
    assert desk.trace(batch, "S1").absent == frozenset()


def test_order_when_it_has_a_number_and_is_not_listed_then_a_doubt_until_the_next_session(desk):
    desk.habits.vanished = {1}
    batch = desk.submit("S1")
    desk.rounds(4)
    found = desk.trace(batch, "S1")
    assert (found.absent, "does not list it" in found.words) == (frozenset(), True)
    desk.broker.restart()
    desk.until(lambda: desk.gateway.room() == 0)
    desk.until(lambda: desk.gateway.room() > 0, passing=True)
    desk.rounds(3)
    assert desk.trace(batch, "S1").absent == {"S1"}


def test_order_when_an_error_was_told_and_none_is_listed_then_rejected_with_its_words_once_the_account_was_asked(
    desk,
):
    desk.habits.in_words = {1}
    batch = desk.submit("S1")
    desk.rounds(1)
    assert desk.trace(batch, "S1").absent == frozenset()
    desk.rounds(3)
    found = desk.trace(batch, "S1")
    assert (found.absent, "资金不足" in found.noes["S1"]) == ({"S1"}, True)
    assert desk.statuses("S1") == []
    desk.gateway.refuse(batch, ["S1"])
    (report,) = [r for r in desk.reports() if isinstance(r, StatusReport)]
    assert (report.status, report.text) == (Status.REJECTED, "资金不足")


def test_order_when_an_error_was_told_then_its_sid_is_not_handed_over_again(desk):
    desk.habits.in_words = {1}
    batch = desk.submit("S1")
    desk.rounds(4)
    assert desk.trace(batch, "S1").absent
    assert desk.gateway.submit(desk.batch("S1")).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("code", [58, 12345])
def test_order_when_listed_under_a_status_that_nobody_knows_then_live_and_cancelable_and_never_absent(
    desk, monkeypatch, code
):
    for status in STATUS_OF:
        monkeypatch.setitem(STATUS_OF, status, code)
    batch = desk.submit("S1", symbol=PENDING)
    desk.at_broker(1)
    desk.rounds(4, apart=11.0)
    assert desk.statuses("S1") == [Status.PENDING_NEW]
    assert desk.trace(batch, "S1").absent == frozenset()
    monkeypatch.undo()
    desk.gateway.cancel([Cancel("S1", ACCOUNT)])
    desk.until(desk.is_told("S1", Status.CANCELED))


# orders that nothing names


def test_order_when_nothing_names_it_then_found_by_likeness_if_it_is_the_only_one(desk):
    desk.habits.tells_remarks = desk.habits.tells_answers = False
    desk.submit("S1", symbol=PENDING)
    desk.until(lambda: True)
    assert desk.statuses("S1") == []
    desk.rounds(1)
    assert desk.statuses("S1") == [Status.NEW]


def test_order_when_nothing_names_it_and_two_look_alike_then_neither_is_guessed_nor_absent(desk):
    desk.habits.tells_remarks = desk.habits.tells_answers = False
    batch = desk.submit("S1", "S2", symbol=PENDING)
    desk.rounds(4)
    assert {r.sid for r in desk.reports()} <= {""}
    found = desk.trace(batch, "S1", "S2")
    assert found.absent == frozenset()
    assert "分不清" in found.words


def test_order_when_entered_by_hand_then_told_as_nobodys(desk):
    desk.broker.by_hand(ACCOUNT, PENDING, 300)
    desk.rounds(1)
    assert {r.sid for r in desk.reports()} == {""}


def test_order_when_entered_by_hand_with_another_volume_then_not_taken_for_ours(desk):
    desk.habits.unlisted = {1}
    batch = desk.submit("S1", symbol=PENDING)
    desk.broker.by_hand(ACCOUNT, PENDING, 300)
    desk.rounds(4)
    assert desk.statuses("S1") == []
    assert desk.trace(batch, "S1").absent == {"S1"}


# cancels


def test_cancel_when_the_number_is_not_known_yet_then_it_goes_as_soon_as_it_is(desk):
    desk.habits.tells_orders = desk.habits.tells_answers = False
    desk.submit("S1", symbol=PENDING)
    desk.gateway.cancel([Cancel("S1", ACCOUNT)])
    desk.habits.tells_orders = desk.habits.tells_answers = True
    desk.rounds(1)
    desk.until(desk.is_told("S1", Status.CANCELED))


def test_cancel_when_of_nothing_is_answered_with_success_then_the_order_is_not_called_cancelled(desk):
    desk.habits.cancels_nothing = True
    desk.submit("S1", symbol=STUCK, volume=200)
    desk.until(desk.is_told("S1", Status.PARTIALLY_FILLED))
    desk.gateway.cancel([Cancel("S1", ACCOUNT)])
    desk.rounds(2)
    assert Status.CANCELED not in desk.statuses("S1")


def test_cancel_when_refused_then_told_once(desk):
    desk.submit("S1", symbol=STUCK, volume=200)
    desk.until(desk.is_told("S1", Status.PARTIALLY_FILLED))
    desk.gateway.cancel([Cancel("S1", ACCOUNT)])
    desk.rounds(2)
    assert [(r.sid, r.code) for r in desk.reports() if isinstance(r, CancelReject)] == [("S1", 103)]


# codes


def test_price_types_when_compared_with_what_the_exchanges_offer_then_all_of_it_and_no_more():
    assert {exchange: frozenset(types) for exchange, types in PRICE_TYPES.items()} == ORDER_TYPES


def test_codes_when_compared_then_each_order_business_has_one():
    assert set(BUSINESS) == set(OrderBusiness)


@pytest.mark.parametrize(
    ("symbol", "order_type", "price", "sent"),
    [
        ("SHSE.600000", 1, "10.00", ("600000.SH", 11, 10.0)),
        ("SHSE.600000", 2, "10.50", ("600000.SH", 43, 10.5)),
        ("SHSE.600000", 24, "10.50", ("600000.SH", 42, 10.5)),
        ("SHSE.600000", 25, None, ("600000.SH", 43, 0.0)),
        ("SZSE.000002", 2, None, ("000002.SZ", 44, 0.0)),
        ("SZSE.000002", 22, None, ("000002.SZ", 46, 0.0)),
        ("SZSE.000002", 23, None, ("000002.SZ", 48, 0.0)),
        ("SZSE.000002", 24, None, ("000002.SZ", 47, 0.0)),
        ("BJSE.920002", 24, None, ("920002.BJ", 42, 0.0)),
    ],
)
def test_order_when_of_a_type_then_the_price_type_of_its_exchange(desk, symbol, order_type, price, sent):
    desk.gateway.submit(
        Batch(1, desk.gateway.encode([an_outgoing(symbol=symbol, order_type=order_type, price=price)]))
    )
    desk.rounds(1)
    (one,) = desk.broker.received
    assert (one.stock, one.price_type, one.price) == sent


@pytest.mark.parametrize(
    ("business", "sent"), [(1, 23), (2, 24), (200, 27), (201, 28), (202, 29), (203, 31), (207, 23)]
)
def test_order_when_of_a_credit_account_then_its_business(make, business, sent):
    desk = make(account_type="CREDIT")
    desk.submit("S1", order_business=business)
    desk.rounds(1)
    assert [one.order_type for one in desk.broker.received] == [sent]
