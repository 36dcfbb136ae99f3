from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.domain.report import CancelReject, Fill, StatusReport
from orderdrop.domain.standing import Standing, apply
from orderdrop.domain.status import AT_BROKER, TERMINAL, Status
from orderdrop.system.clock import Micros

AT = Micros(1_000_000)


def a_standing(status=Status.SUBMITTED, **over):
    return Standing(**{"id": 1, "status": status, "volume": 1000, **over})


def said(status, **over):
    return StatusReport(AT, "a", "s", status, **over)


def a_fill(volume, price="10.00", exec_id="e1"):
    return Fill(AT, "a", "s", exec_id, volume, Decimal(price))


def test_apply_when_fills_add_up_the_order_is_filled():
    now = a_standing(Status.NEW)
    for part in (600, 400):
        now = apply(now, a_fill(part))
    assert (now.status, now.filled_volume, now.filled_value, now.closed_at) == (
        Status.FILLED,
        1000,
        Decimal(10000),
        AT,
    )


def test_apply_when_filled_is_said_before_its_fills_it_waits_for_them():
    now = apply(a_standing(Status.NEW), said(Status.FILLED, filled_volume=1000))
    assert (now.status, now.closed_at) == (Status.PARTIALLY_FILLED, None)
    assert apply(now, a_fill(1000)).status is Status.FILLED


@pytest.mark.parametrize("status", [Status.SUBMITTING, Status.SUBMITTED, Status.UNKNOWN, Status.PENDING_NEW])
def test_apply_when_a_fill_overtakes_the_acknowledgement_it_counts(status):
    now = apply(a_standing(status), a_fill(300))
    assert (now.status, now.filled_volume, now.confirmed_at) == (Status.PARTIALLY_FILLED, 300, AT)


def test_apply_when_a_fill_comes_after_the_cancel_it_counts_and_the_cancel_stands():
    cancelled = apply(a_standing(Status.NEW), said(Status.CANCELED))
    now = apply(cancelled, a_fill(300))
    assert (now.status, now.filled_volume, now.closed_at) == (Status.CANCELED, 300, AT)


def test_apply_when_new_is_said_after_a_fill_the_order_stays_partially_filled():
    now = apply(apply(a_standing(), a_fill(300)), said(Status.NEW))
    assert now.status is Status.PARTIALLY_FILLED


def test_apply_when_a_cancel_is_refused_the_order_is_back():
    pending = a_standing(Status.PENDING_CANCEL)
    assert apply(pending, CancelReject(AT, "a", "s", 101)).status is Status.NEW
    assert (
        apply(pending._replace(filled_volume=5), CancelReject(AT, "a", "s", 101)).status
        is Status.PARTIALLY_FILLED
    )


def test_apply_when_a_terminal_order_is_told_of_again_nothing_moves():
    for status in TERMINAL - {Status.DENIED, Status.REJECTED}:
        now = a_standing(status, closed_at=5, confirmed_at=5)
        assert apply(now, said(Status.NEW)) == now


@pytest.mark.parametrize("status", sorted(AT_BROKER - {Status.REJECTED, Status.FILLED}))
def test_apply_when_a_no_is_taken_back_only_what_is_later_counts(status):
    rejected = a_standing(Status.REJECTED, closed_at=AT, confirmed_at=5)
    assert apply(rejected, said(status)) == rejected
    now = apply(rejected, said(status)._replace(at=Micros(AT + 1)))
    assert (now.status, now.closed_at is None) == (status, status not in TERMINAL)


def test_apply_when_a_fill_comes_after_the_no_it_counts_and_the_order_lives_no_longer():
    rejected = a_standing(Status.REJECTED, closed_at=5, confirmed_at=5)
    now = apply(rejected, a_fill(300))
    assert (now.status, now.filled_volume, now.closed_at) == (Status.REJECTED, 300, 5)
    assert apply(now, a_fill(700, exec_id="e2")).status is Status.FILLED


@pytest.mark.parametrize(
    "status", [Status.PARTIALLY_FILLED, Status.CANCELED, Status.EXPIRED, Status.REJECTED]
)
def test_apply_when_the_broker_tells_a_cumulative_figure_it_is_kept_whatever_the_status(status):
    now = apply(a_standing(Status.NEW), said(status, filled_volume=500))
    assert (now.status, now.told_volume, now.filled_volume, now.adds_up) == (status, 500, 0, False)
    assert apply(now, a_fill(500)).adds_up
    assert apply(now, said(status, filled_volume=300)).told_volume == 500, "it does not fall"


def test_apply_when_fills_are_more_than_the_broker_tells_of_the_order_is_not_filled_by_them():
    now = apply(a_standing(Status.NEW), said(Status.PARTIALLY_FILLED, filled_volume=500))
    for name in ("e1", "e2"):
        now = apply(now, a_fill(500, exec_id=name))
    assert (now.status, now.filled_volume, now.told_volume, now.adds_up) == (
        Status.PARTIALLY_FILLED, 1000, 500, False,
    )  # fmt: skip
    now = apply(now, said(Status.FILLED, filled_volume=1000))
    assert (now.status, now.adds_up) == (Status.FILLED, True)


def test_apply_when_a_fill_overtakes_the_first_word_nothing_filled_is_nothing_told():
    now = apply(apply(a_standing(), a_fill(300)), said(Status.NEW))
    assert (now.told_volume, now.adds_up) == (None, True)


def given_up(**over):
    return a_standing(Status.EXPIRED, **{"confirmed_at": 1, "closed_at": AT, "given_up": True, **over})


@pytest.mark.parametrize("status", [Status.CANCELED, Status.REJECTED, Status.EXPIRED])
def test_apply_when_an_order_was_given_up_its_final_status_counts_whenever_it_is_told(status):
    now = apply(given_up(), said(status)._replace(at=Micros(AT - 5)))
    assert (now.status, now.closed_at, now.given_up) == (status, AT - 5, False)


@pytest.mark.parametrize("status", sorted(AT_BROKER - TERMINAL))
def test_apply_when_an_order_was_given_up_only_what_is_newer_than_that_opens_it(status):
    assert apply(given_up(), said(status)) == given_up()
    now = apply(given_up(), said(status)._replace(at=Micros(AT + 1)))
    assert (now.status, now.closed_at, now.given_up) == (status, None, False)


def test_apply_when_an_order_was_given_up_late_fills_add_up_and_it_stays_closed_until_they_are_all_there():
    now = apply(given_up(), a_fill(600))
    assert (now.status, now.filled_volume, now.given_up) == (Status.EXPIRED, 600, True)
    assert apply(now, a_fill(400)).status is Status.FILLED


def test_apply_when_an_order_was_given_up_unconfirmed_an_old_word_confirms_it():
    now = apply(given_up(confirmed_at=None), said(Status.NEW))
    assert (now.status, now.confirmed_at, now.given_up) == (Status.EXPIRED, AT, True)


REPORTS = st.one_of(
    st.builds(said, st.sampled_from(sorted(AT_BROKER))),
    st.builds(a_fill, st.integers(1, 700)),
    st.builds(CancelReject, st.just(AT), st.just("a"), st.just("s"), st.just(101)),
)


@given(
    st.sampled_from(sorted(set(Status) - {Status.DENIED, Status.READY, Status.HELD, Status.RECEIVED})),
    st.booleans(),
    st.lists(REPORTS),
)
def test_apply_whatever_is_reported_volume_grows_and_closing_agrees_with_the_status(start, lapsed, reports):
    now = given_up() if lapsed else a_standing(start, closed_at=AT if start in TERMINAL else None)
    for report in reports:
        after = apply(now, report)
        assert after.filled_volume >= now.filled_volume
        assert after.filled_volume - now.filled_volume == (report.volume if isinstance(report, Fill) else 0)
        assert (after.closed_at is not None) == (after.status in TERMINAL)
        assert (after.told_volume or 0) >= (now.told_volume or 0)
        assert now.status is not Status.FILLED or after.status is Status.FILLED
        assert not after.given_up or (now.given_up and after.status is Status.EXPIRED)
        assert after.status is now.status or after.status in AT_BROKER
        now = after
