"""Which rules run, by the settings, by the gateways, and by what the day brings."""

from __future__ import annotations

import pytest

from orderdrop.accounts.routing import Routing
from orderdrop.config.settings import Settings
from orderdrop.risk.rulebook import LIVE_PER_DAY, LIVE_PER_SECOND, LIVE_REPEAT_WINDOW, Rulebook

QUIET = {"shut": False, "partial": False, "priced": False, "cancels": False}
OF_PRICES = {"price_within_limits", "price_within_cage", "not_suspended"}
OF_CANCELS = {"held_for_cancels", "cancels_few"}


def a_book(**settings) -> Rulebook:
    return Rulebook(Routing(Settings.model_validate(settings), {}))


def live(**settings) -> Rulebook:
    return a_book(gateways={"paper": {"live": True}}, **settings)


def names(book: Rulebook, **now) -> set[str]:
    return {rule.__name__ for rules in book.rules(**QUIET | now).values() for rule in rules}


def test_rules_when_on_paper_and_nothing_is_set_then_none_of_the_further_ones_runs():
    book = a_book()
    assert names(book) == set()
    assert (book.counts, book.paces, book.any_bound) == (False, False, False)


@pytest.mark.parametrize(
    ("now", "more"),
    [
        ({"shut": True}, {"gateway_open"}),
        ({"partial": True}, {"not_switched_off"}),
        ({"priced": True}, OF_PRICES),
        ({"cancels": True}, set()),
    ],
    ids=["a gateway is closed", "something is switched off", "prices are known", "something was cancelled"],
)
def test_rules_when_the_day_brings_something_then_those_that_look_at_it_run_on_paper_too(now, more):
    assert names(a_book(), **now) == more


def test_rules_when_a_gateway_is_live_then_those_that_bind_it_run():
    book = live()
    assert names(book) >= {
        "on_trading_day",
        "in_time",
        "cash_enough",
        "shares_enough",
        "day_ceiling",
        "held_as_repeat",
    }
    assert book.bound["anybody"]
    assert book.counts


def test_rules_when_nothing_was_cancelled_today_then_nobody_looks_at_cancels():
    assert not names(live()) & OF_CANCELS
    assert names(live(), cancels=True) >= OF_CANCELS


def test_rules_when_a_limit_is_set_anywhere_then_limits_run():
    assert "within_limits" in names(a_book(limits={"max_order_value": 1000}))
    assert "within_limits" in names(a_book(accounts={"A": {"limits": {"open_orders": 3}}}))
    assert "within_limits" in names(a_book(strategies={"grid": {"limits": {"open_orders": 3}}}))


def test_rules_when_only_a_soft_limit_is_set_then_it_is_said_and_denies_nothing():
    book = a_book(limits={"soft": {"max_order_value": 1000}})
    assert "within_limits" not in names(book)
    assert book.says
    assert book.counts


@pytest.mark.parametrize(
    ("what", "rule"), [("refuse", "repeat_refused"), ("hold", "held_as_repeat"), ("warn", "repeat_told")]
)
def test_repeats_when_a_window_is_set_then_the_rule_that_does_what_is_wanted_runs(what, rule):
    book = a_book(limits={"repeat_window": 5, "repeats": what})
    assert rule in names(book)
    assert book.repeats["A"] == (5, what)


def test_repeats_when_nothing_is_said_then_a_minute_on_live_gateways_and_never_on_paper():
    assert live().repeats["A"][0] == LIVE_REPEAT_WINDOW
    assert a_book().repeats["A"][0] == 0
    assert not names(live(limits={"repeat_window": 0})) & {"repeat_refused", "held_as_repeat", "repeat_told"}


def test_rate_when_nothing_is_said_then_the_default_on_live_gateways_and_none_on_paper():
    assert live().rates["A"][:2] == (LIVE_PER_SECOND, LIVE_PER_DAY)
    assert a_book().rates["A"][:2] == (None, None)


def test_rate_when_the_account_and_all_have_one_then_the_smaller_binds():
    limits, own = (
        {"orders_per_second": 5, "orders_per_day": 100},
        {"orders_per_second": 7, "orders_per_day": 50},
    )
    book = live(limits=limits, accounts={"A": {"limits": own}})
    assert book.rates["A"][:2] == (5, 50)
    assert book.rates["another"][:2] == (5, 100)
