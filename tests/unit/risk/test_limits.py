"""The user's limits, cash, pace and repeats: a table of boundaries, then what must hold for every sequence."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from builders import ACCOUNT, FRIDAY, a_wide_context, an_order
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pydantic import ValidationError

from orderdrop.accounts.routing import Routing
from orderdrop.config.limits import AccountBounds
from orderdrop.config.settings import Settings
from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.domain.security import Instrument
from orderdrop.domain.switches import ALL, State, Switches, with_accounts
from orderdrop.risk.checks import Hold, check, combined, entry_of, every_denial, holds, warnings
from orderdrop.risk.context import Funds, Held, Rate, RepeatPolicy
from orderdrop.risk.engine import RiskEngine
from orderdrop.risk.ledger import Ledger
from orderdrop.risk.rules.cash import (
    cash_enough,
    odd_lot_whole,
    shares_enough,
    snapshot_fresh,
    snapshot_there,
)
from orderdrop.risk.rules.limits import Scope, compiled, within_limits
from orderdrop.risk.rules.rate import cancels_few, day_ceiling, held_for_cancels, turn_comes_in_time
from orderdrop.risk.rules.repeats import crosses_nothing_own, held_as_repeat
from orderdrop.risk.rules.switches import not_switched_off
from orderdrop.system.clock import from_datetime

NOW = from_datetime(FRIDAY)
BOND = "SZSE.123001"


def limited(
    ledger: Ledger | None = None,
    funds: Funds | None = None,
    instrument: Instrument | None = None,
    /,
    *,
    key=ALL,
    **bounds,
):
    rules = compiled(AccountBounds(**bounds), Scope("limits", key))
    return a_wide_context(
        limits=defaultdict(lambda: rules),
        ledger=ledger or Ledger(),
        funds={ACCOUNT: funds},
        instruments={"SHSE.600000": instrument},
    )


def holding(available="100000", at=NOW, **volumes: int) -> Funds:
    held = {symbol.replace("_", "."): Held(volume, volume, Decimal(10)) for symbol, volume in volumes.items()}
    return Funds(at, Decimal(available), Decimal(available) + 10 * sum(volumes.values()), held)


def code_of(refusal: Refusal | None) -> Code | None:
    return refusal and refusal.code


def ordered(*orders, ledger: Ledger | None = None) -> Ledger:
    """A ledger with these orders, all open."""
    ledger = ledger or Ledger()
    context = a_wide_context(ledger=ledger)
    for order in orders:
        ledger.accept(len(ledger.entries), entry_of(order, context))
    return ledger


BUY_1000_YUAN = an_order(sid="earlier")
SELL = 2


@pytest.mark.parametrize(
    ("bounds", "order", "code"),
    [
        ({"max_order_value": 1000}, an_order(), None),
        ({"max_order_value": "999.99"}, an_order(), Code.LIMIT_ORDER_VALUE),
        ({"max_order_volume": 100}, an_order(), None),
        ({"max_order_volume": 99}, an_order(), Code.LIMIT_ORDER_VOLUME),
        ({"max_day_value": 2000}, an_order(), None),
        ({"max_day_value": "1999.99"}, an_order(), Code.LIMIT_DAY_VALUE),
        ({"max_day_bought": "1999.99"}, an_order(), Code.LIMIT_DAY_VALUE),
        ({"max_day_bought": "1"}, an_order(order_business=SELL), None),
        ({"max_day_sold": "1000"}, an_order(order_business=SELL), None),
        ({"max_day_sold": "999"}, an_order(order_business=SELL), Code.LIMIT_DAY_VALUE),
        ({"orders_per_day": 2}, an_order(), None),
        ({"orders_per_day": 1}, an_order(), Code.LIMIT_DAY_ORDERS),
        ({"orders_per_day": 1}, an_order(account_id="another"), None),
        ({"open_orders": 2}, an_order(), None),
        ({"open_orders": 1}, an_order(), Code.LIMIT_OPEN_ORDERS),
        ({"symbols_allowed": ["SHSE.60*"]}, an_order(), None),
        ({"symbols_allowed": ["SHSE.600001", "SZSE.*"]}, an_order(), Code.LIMIT_SYMBOL),
        ({"symbols_forbidden": ["SHSE.600000"]}, an_order(), Code.LIMIT_SYMBOL),
        ({"symbols_forbidden": ["SZSE.*"]}, an_order(), None),
        ({"sides_allowed": ["sell"]}, an_order(), Code.LIMIT_SIDE),
        ({"sides_allowed": ["buy"]}, an_order(), None),
        ({"hours_allowed": ["09:31-11:30"]}, an_order(), None),
        ({"hours_allowed": ["09:32-11:30", "13:00-14:00"]}, an_order(), Code.LIMIT_HOURS),
        ({"hours_allowed": ["09:32-11:30"]}, an_order(not_before="09:40:00"), None),
        ({"hours_allowed": ["09:00-09:31"]}, an_order(), Code.LIMIT_HOURS),
    ],
)
def test_limit_when_at_its_boundary(bounds, order, code):
    assert code_of(within_limits(order, limited(ordered(BUY_1000_YUAN), **bounds))) == code


@pytest.mark.parametrize(
    ("instrument", "order", "code"),
    [
        (Instrument(last=Decimal(10)), an_order(price="10.30"), None),
        (Instrument(last=Decimal(10)), an_order(price="10.31"), Code.LIMIT_DEVIATION),
        (Instrument(last=Decimal(10)), an_order(price="9.69"), Code.LIMIT_DEVIATION),
        (Instrument(previous_close=Decimal(10)), an_order(price="10.31"), Code.LIMIT_DEVIATION),
        (None, an_order(), Code.REFERENCE_NEEDED),
    ],
)
def test_deviation_when_from_the_reference(instrument, order, code):
    assert code_of(within_limits(order, limited(None, None, instrument, price_deviation=3))) == code


@pytest.mark.parametrize(("st", "code"), [(True, Code.LIMIT_SYMBOL), (False, None), (None, Code.ST_UNKNOWN)])
def test_st_when_forbidden_then_what_nobody_knows_is_denied(st, code):
    context = limited(None, None, Instrument(st=st), symbols_forbidden=["ST"])
    assert code_of(within_limits(an_order(), context)) == code


@pytest.mark.parametrize(
    ("bounds", "order", "code"),
    [
        ({"max_position": 400}, an_order(), None),  # 200 held, 100 under way
        ({"max_position": 399}, an_order(), Code.LIMIT_POSITION),
        ({"max_position": 1}, an_order(order_business=SELL), None),
        ({"max_position_percent": 4}, an_order(), None),  # 4,000 of 100,000 + 2,000
        ({"max_position_percent": "3.9"}, an_order(), Code.LIMIT_POSITION_PERCENT),
        ({"max_holdings": 1}, an_order(), None),
        ({"max_holdings": 1}, an_order(symbol="SHSE.600001"), Code.LIMIT_HOLDINGS),
        ({"max_holdings": 2}, an_order(symbol="SHSE.600001"), None),
    ],
)
def test_position_when_purchases_are_under_way_then_they_count(bounds, order, code):
    context = limited(ordered(BUY_1000_YUAN), holding(SHSE_600000=200), **bounds)
    assert code_of(within_limits(order, context)) == code


def test_position_when_nobody_knows_the_account_then_denied():
    assert code_of(within_limits(an_order(), limited(max_position=10**9))) is Code.ACCOUNT_NOT_TOLD


@pytest.mark.parametrize(
    "bad",
    [
        {"symbols_allowed": ["600000"]},
        {"hours_allowed": ["9-10"]},
        {"max_order_value": 0},
        {"sides_allowed": []},
    ],
)
def test_limit_when_it_is_nonsense_then_a_settings_error(bad):
    with pytest.raises(ValidationError):
        AccountBounds(**bad)


# cash and shares


def funded(funds: Funds | None, *under_way) -> object:
    ledger = Ledger(fee=lambda value: max(value * Decimal("0.0003"), Decimal(5)))
    return a_wide_context(ledger=ordered(*under_way, ledger=ledger), funds={ACCOUNT: funds})


@pytest.mark.parametrize(
    ("available", "order", "code"),
    [
        ("1005", an_order(), None),  # with five yuan of fees
        ("1004.99", an_order(), Code.CASH_SHORT),
        ("0", an_order(order_business=SELL), None),
        (
            "1004",
            an_order(symbol="SHSE.204001", order_business=SELL, volume=10, price="1.5"),
            Code.CASH_SHORT,
        ),  # a repo lends money
    ],
)
def test_cash_when_it_is_just_enough(available, order, code):
    assert code_of(cash_enough(order, funded(holding(available)))) == code


def test_cash_when_a_purchase_is_not_in_the_snapshot_then_it_counts():
    assert code_of(cash_enough(an_order(), funded(holding("2009"), BUY_1000_YUAN))) is Code.CASH_SHORT
    assert cash_enough(an_order(), funded(holding("2010"), BUY_1000_YUAN)) is None


def test_cash_when_the_broker_has_frozen_it_then_it_counts_once():
    ledger = ordered(BUY_1000_YUAN)
    ledger.put(0, ledger.entries[0]._replace(confirmed_at=NOW - 1))
    context = a_wide_context(ledger=ledger, funds={ACCOUNT: holding("1000")})
    assert cash_enough(an_order(), context) is None


@pytest.mark.parametrize(
    ("symbol", "held", "volume", "shares", "odd"),
    [
        ("SHSE.600000", 250, 250, None, None),
        ("SHSE.600000", 250, 251, Code.SHARES_SHORT, Code.LOT_ODD),
        ("SHSE.600000", 250, 100, None, None),
        ("SHSE.600000", 250, 50, None, None),
        ("SHSE.600000", 250, 150, None, None),
        ("SHSE.600000", 250, 30, None, Code.LOT_ODD),
        ("SHSE.688001", 500, 201, None, None),
        ("SHSE.688001", 150, 150, None, None),
        ("SHSE.688001", 150, 149, None, Code.LOT_ODD),
        ("BJSE.920002", 99, 99, None, None),
        ("BJSE.920002", 99, 98, None, Code.LOT_ODD),
        (BOND, 15, 15, None, None),
        (BOND, 15, 5, None, None),
        (BOND, 15, 3, None, Code.LOT_ODD),
        ("SHSE.600000", 0, 100, Code.SHARES_SHORT, None),
    ],
)
def test_sale_when_of_a_holding(symbol, held, volume, shares, odd):
    context = funded(Funds(NOW, Decimal(0), Decimal(0), {symbol: Held(held, held, Decimal(1))}))
    sale = an_order(symbol=symbol, order_business=SELL, volume=volume)
    assert (code_of(shares_enough(sale, context)), code_of(odd_lot_whole(sale, context))) == (shares, odd)


def test_shares_when_being_sold_already_then_not_sold_twice():
    context = funded(holding(SHSE_600000=200), an_order(order_business=SELL))
    assert shares_enough(an_order(order_business=SELL), context) is None
    assert code_of(shares_enough(an_order(order_business=SELL, volume=200), context)) is Code.SHARES_SHORT


def test_snapshot_when_missing_denied_and_when_old_said():
    assert code_of(snapshot_there(an_order(), funded(None))) is Code.ACCOUNT_NOT_TOLD
    old = funded(holding(at=NOW - 61_000_000))
    assert snapshot_there(an_order(), old) is None
    assert code_of(snapshot_fresh(an_order(), old)) is Code.SNAPSHOT_OLD
    assert snapshot_fresh(an_order(), funded(holding(at=NOW - 60_000_000))) is None


# cash and holdings have times of their own


def bought(confirmed_at: int, *, changed_at: int) -> Ledger:
    """1,000 shares, filled."""
    ledger = Ledger()
    entry = entry_of(an_order(volume=1000), a_wide_context(ledger=ledger))
    filled = {"filled_volume": 1000, "filled_value": Decimal(10_000), "open": False}
    ledger.put(1, entry._replace(confirmed_at=confirmed_at, changed_at=changed_at, **filled))
    return ledger


@pytest.mark.parametrize(
    ("held_at", "holds", "code"),
    [
        (NOW - 20, {}, Code.LIMIT_POSITION),  # the cash is newer than the fill, the holdings are not
        (NOW - 10, {"SHSE_600000": 1000}, Code.LIMIT_POSITION),
        (NOW - 10, {}, None),  # as new, and it was sold elsewhere
    ],
)
@pytest.mark.parametrize("at", [NOW, NOW - 15, NOW - 30])
def test_holding_when_the_cash_is_newer_or_older_then_as_old_as_it_was_told(held_at, holds, code, at):
    funds = holding(at=at, **holds)._replace(held_at=held_at)
    ledger = bought(NOW - 15, changed_at=NOW - 12)
    context = limited(ledger, funds, key=("account", ACCOUNT), max_position=1000)
    assert code_of(within_limits(an_order(), context)) == code


def test_sale_when_the_holdings_are_older_than_one_under_way_then_not_sold_twice():
    funds = holding(SHSE_600000=1000)._replace(held_at=NOW - 20)
    ledger = ordered(an_order(volume=1000, order_business=SELL))
    ledger.put(0, ledger.entries[0]._replace(confirmed_at=NOW - 10, changed_at=NOW - 10))
    context = a_wide_context(ledger=ledger, funds={ACCOUNT: funds})
    assert code_of(shares_enough(an_order(order_business=SELL), context)) is Code.SHARES_SHORT


@pytest.mark.parametrize(
    "bounds", [{"max_position": 1000}, {"max_position_percent": 50}, {"max_holdings": 5}]
)
def test_holdings_when_never_told_then_what_needs_them_is_denied(bounds):
    untold = holding()._replace(positions=None)
    context = limited(None, untold, key=("account", ACCOUNT), **bounds)
    assert code_of(within_limits(an_order(), context)) is Code.ACCOUNT_NOT_TOLD
    assert within_limits(an_order(order_business=SELL), context) is None
    assert snapshot_there(an_order(), context) is None
    assert code_of(snapshot_there(an_order(order_business=SELL), context)) is Code.ACCOUNT_NOT_TOLD
    assert snapshot_there(an_order(order_business=SELL, symbol="SHSE.204001"), context) is None


# what holds an order

A_TIME, LATER = Refusal(Code.HELD_NOT_BEFORE), Refusal(Code.HELD_SESSION)
A_REPEAT = Refusal(Code.REPEATED)


@pytest.mark.parametrize(
    ("holds", "by_settings", "wait"),
    [
        ([Hold(NOW, A_TIME)], False, (NOW, A_TIME, "HELD_NOT_BEFORE")),
        ([Hold(NOW, A_TIME), Hold(NOW + 1, LATER)], False, (NOW + 1, LATER, "HELD_SESSION HELD_NOT_BEFORE")),
        ([Hold(NOW, A_TIME), Hold(None, A_REPEAT)], False, (None, A_REPEAT, "REPEATED HELD_NOT_BEFORE")),
        ([], True, (None, None, "HELD")),
        ([Hold(NOW, A_TIME)], True, (None, None, "HELD HELD_NOT_BEFORE")),
        ([Hold(None, A_REPEAT)], True, (None, A_REPEAT, "HELD REPEATED")),
    ],
)
def test_holds_when_several_then_one_that_ends_with_the_last_of_them(holds, by_settings, wait):
    assert combined(holds, by_settings=by_settings) == wait


# once more


def test_ledger_when_orders_are_judged_once_more_then_they_count_as_if_they_came_now():
    ledger = ordered(an_order(sid="a"), an_order(sid="b"), an_order(sid="c"))
    with ledger.without([0, 1]) as back:
        assert (ledger.totals(ALL).bought, ledger.totals(ALL).open) == (1000, 1)
        assert ledger.reserved(ACCOUNT, NOW).cash == 1000  # asked for the first time while they are away
        back(0)
        assert (ledger.totals(ALL).bought, ledger.reserved(ACCOUNT, NOW).cash) == (2000, 2000)
    assert (ledger.totals(ALL).bought, ledger.totals(ALL).open) == (3000, 3)
    assert ledger.reserved(ACCOUNT, NOW).cash == 3000


# pace, cancels, repeats, crosses, switches


def test_day_ceiling_when_orders_and_cancels_reach_it():
    ledger = ordered(BUY_1000_YUAN)
    ledger.cancels = {ACCOUNT: 1}
    rates = {ACCOUNT: Rate(None, 3, "default")}
    assert day_ceiling(an_order(), a_wide_context(ledger=ledger, rates=rates)) is None
    ledger.cancels = {ACCOUNT: 2}
    assert code_of(day_ceiling(an_order(), a_wide_context(ledger=ledger, rates=rates))) is Code.RATE_DAY


def test_turn_when_what_is_ahead_takes_too_long_then_refused():
    ahead = ordered(*(an_order(sid=f"s{n}") for n in range(120)))
    assert (
        turn_comes_in_time(an_order(), a_wide_context(ledger=ahead, rates={ACCOUNT: Rate(2, None, "")}))
        is None
    )
    ordered(an_order(), ledger=ahead)
    assert (
        code_of(
            turn_comes_in_time(an_order(), a_wide_context(ledger=ahead, rates={ACCOUNT: Rate(2, None, "")}))
        )
        is Code.RATE_WAIT
    )


@pytest.mark.parametrize(
    ("cancels", "said", "held"), [(2, False, False), (3, True, False), (9, True, False), (10, True, True)]
)
def test_cancel_ratio_when_high_then_said_and_when_higher_held(cancels, said, held):
    ledger = ordered(*(an_order(sid=f"s{n}") for n in range(20)))
    ledger.cancels = {ACCOUNT: cancels}
    context = a_wide_context(ledger=ledger)
    assert bool(cancels_few(an_order(), context)) is said
    assert bool(held_for_cancels(an_order(), context)) is held


@pytest.mark.parametrize(
    ("again", "seconds", "repeat"),
    [
        (an_order(sid="b"), 59, True), (an_order(sid="b", price="10.0"), 59, True), (an_order(sid="b"), 61, False), (an_order(sid="b", price="10.01"), 1, False),
        (an_order(sid="b", volume=200), 1, False), (an_order(sid="b", order_business=2), 1, False), (an_order(sid="b", account_id="another"), 1, False),
    ],
)  # fmt: skip
def test_repeat_when_the_same_comes_once_more_within_the_window(again, seconds, repeat):
    context = a_wide_context(
        FRIDAY + timedelta(seconds=seconds),
        ledger=ordered(an_order(sid="a")),
        repeats=defaultdict(lambda: RepeatPolicy(60, "hold")),
    )
    other_take = type(context)(
        **{name: getattr(context, name) for name in context.__slots__} | {"origin": (2, 2)}
    )
    found = held_as_repeat(again, other_take)
    assert bool(found) is repeat
    assert found is None or (found.due, found.why.value) == (None, "a")
    assert held_as_repeat(again, context) is None  # the same take


@pytest.mark.parametrize(
    ("order", "crosses"),
    [
        (an_order(price="10.00"), True), (an_order(price="9.99"), False), (an_order(price="10.01"), True), (an_order(order_type=2, price=None), True),
        (an_order(order_business=2, price="1"), False), (an_order(symbol="SHSE.600001"), False), (an_order(account_id="another"), False),
    ],
)  # fmt: skip
def test_cross_when_an_own_sale_stands_at_ten(order, crosses):
    context = a_wide_context(ledger=ordered(an_order(order_business=SELL)))
    assert bool(crosses_nothing_own(order, context)) is crosses


@pytest.mark.parametrize(
    ("states", "order", "code"),
    [
        ({("account", ACCOUNT): State.HALTED}, an_order(), Code.HALTED_SCOPE),
        ({("account", "another"): State.HALTED}, an_order(), None),
        ({("strategy", "alpha"): State.HALTED}, an_order(strategy="alpha"), Code.HALTED_SCOPE),
        ({("strategy", "alpha"): State.HALTED}, an_order(), None),
        ({("strategy", "Alpha"): State.HALTED}, an_order(strategy="aLPHA"), Code.HALTED_SCOPE),
        ({("account", ACCOUNT.lower()): State.HALTED}, an_order(), Code.HALTED_SCOPE),
        ({ALL: State.REDUCING}, an_order(), Code.REDUCING),
        ({ALL: State.REDUCING}, an_order(order_business=SELL), None),
        ({ALL: State.REDUCING}, an_order(order_business=SELL, symbol="SHSE.204001"), Code.REDUCING),
        (
            {ALL: State.REDUCING, ("account", ACCOUNT): State.HALTED},
            an_order(order_business=SELL),
            Code.HALTED_SCOPE,
        ),
    ],
)
def test_switch_when_set_then_the_strongest_that_binds_wins(states, order, code):
    assert code_of(not_switched_off(order, a_wide_context(switches=Switches(states)))) == code


def test_switch_when_of_an_alias_then_binds_the_account():
    named = Switches({("account", "main"): State.REDUCING, ("account", "A1"): State.HALTED})
    assert with_accounts(named, {"main": "A1", "A1": "A1"}).states == {("account", "A1"): State.HALTED}
    folder = Switches({("strategy", "MAIN"): State.HALTED})
    assert with_accounts(folder, {"main": "A1", "A1": "A1"}).states == {("account", "A1"): State.HALTED}


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        (("strategy", "alpha"), Code.HALTED_SCOPE),
        (("account", "A2"), Code.REDUCING),
        (("strategy", "beta"), None),
        (ALL, None),
    ],
)
def test_switch_when_of_the_folder_then_binds_whatever_the_row_names(folder, code):
    states = {("strategy", "alpha"): State.HALTED, ("account", "A2"): State.REDUCING}
    context = replace(a_wide_context(switches=Switches(states)), folder=folder)
    assert code_of(not_switched_off(an_order(strategy="beta"), context)) == code


def test_limits_when_the_row_and_its_folder_name_strategies_then_both_bind(tmp_path):
    names = {"alpha": {"limits": {"open_orders": 1}}, "Beta": {"limits": {"open_orders": 2}}}
    made = gathered(tmp_path, strategies=names)
    assert len(made._rulebook.hard["A1", "beta", ("strategy", "ALPHA")]) == 2
    assert len(made._rulebook.hard["A1", "alpha", ("strategy", "ALPHA")]) == 1
    assert (
        len(made._rulebook.hard["A1", "", ALL])
        == len(made._rulebook.hard["A1", "gamma", ("account", "A1")])
        == 0
    )


@pytest.mark.parametrize(
    "names",
    [
        {"strategies": {"alpha": {}, "Alpha": {}}},
        {"accounts": {"A1": {}, "a1": {}}},
        {"accounts": {"A1": {"alias": "Main"}}, "strategies": {"main": {}}},
    ],
)
def test_names_when_only_their_case_differs_then_one_of_them_is_too_many(names):
    with pytest.raises(ValidationError):
        Settings.model_validate(names)


# what the settings make of it


def gathered(tmp_path, **values) -> RiskEngine:
    return RiskEngine(Routing(Settings.model_validate(values), {}), tmp_path)


@pytest.mark.parametrize(
    ("limits", "account", "rate"),
    [
        ({}, {}, (10, 2000)),
        ({"orders_per_second": 50, "orders_per_day": 5000}, {}, (50, 5000)),
        ({"orders_per_second": 50}, {"orders_per_second": 5, "orders_per_day": 100}, (5, 100)),
        ({"orders_per_second": 10_000, "orders_per_day": 10**6}, {}, (100, 15_000)),
        ({}, {"orders_per_second": 10_000, "orders_per_day": 10**6}, (100, 15_000)),
        (
            {"orders_per_second": 2, "orders_per_day": 50},
            {"orders_per_second": 50, "orders_per_day": 500},
            (2, 50),
        ),
    ],
)
def test_rate_when_live_then_a_default_and_a_ceiling_that_no_setting_lifts(tmp_path, limits, account, rate):
    live = {"gateways": {"paper": {"live": True}}, "accounts": {"A1": {"limits": account}}}
    assert gathered(tmp_path, limits=limits, **live).rates["A1"][:2] == rate
    simulated = {"accounts": {"A1": {"limits": account}}}
    asked = min(
        filter(None, (account.get("orders_per_second"), limits.get("orders_per_second"))), default=None
    )
    assert gathered(tmp_path, limits=limits, **simulated).rates["A1"][:2] == (asked, None)


def test_rules_when_nothing_is_set_and_nothing_is_live_then_none_beyond_the_boards_run(tmp_path):
    quiet = gathered(tmp_path)
    assert (quiet.counts, quiet.paces, quiet.any_bound) == (False, False, False)
    assert gathered(tmp_path, gateways={"paper": {"live": True}}).counts
    assert gathered(tmp_path, limits={"soft": {"open_orders": 1}}).counts


def test_calendar_when_nobody_knows_the_year_then_said_at_the_start(tmp_path, caplog):
    live = gathered(tmp_path, gateways={"paper": {"live": True}})
    (tmp_path / "calendar.csv").write_text("closed\n2026-10-01\n")
    live.begin(FRIDAY.date())
    assert not caplog.records
    live.begin(FRIDAY.date().replace(year=2040))
    assert "orderdrop calendar --write" in caplog.text


# the tuple


def test_denials_when_asked_for_all_then_all_are_told_and_each_can_be_explained():
    bad = an_order(volume=150, price="10.001", order_business=1)
    context = limited(ordered(BUY_1000_YUAN), max_order_value=1, open_orders=1)
    found = every_denial(bad, context)
    assert check(bad, context) == found[0]
    assert {refusal.code for refusal in found} >= {
        Code.PRICE_TICK,
        Code.LOT_SIZE,
        Code.LIMIT_ORDER_VALUE,
        Code.ACCOUNT_NOT_TOLD,
    }
    assert all(explain(refusal).remedy and "{" not in explain(refusal).text() for refusal in found)


def test_tuple_when_nothing_was_gathered_then_what_asks_denies():
    context = a_wide_context()
    blind = type(context)(None, False, sessions=True, further=context.further, holds=context.holds)
    assert check(an_order(), blind).code is Code.CHECK_FAILED
    assert holds(an_order(), blind).code is Code.CHECK_FAILED


def test_warning_when_it_cannot_be_found_out_then_that_is_said():
    context = a_wide_context(funds={})
    assert [refusal.code for refusal in warnings(an_order(), context)] == [
        Code.REFERENCE_MISSING,
        Code.CHECK_FAILED,
    ]


# every sequence


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(100, 5000), st.booleans()), max_size=30),
    st.integers(1000, 500_000),
)
@settings(deadline=None)
def test_day_value_when_orders_come_in_any_order_then_never_passed(orders, bound):
    ledger, total = Ledger(), Decimal(0)
    for number, (lots, cents, buy) in enumerate(orders):
        order = an_order(
            sid=f"s{number}", volume=100 * lots, price=Decimal(cents) / 100, order_business=1 if buy else 2
        )
        context = limited(ledger, max_day_value=bound)
        denied = within_limits(order, context)
        value = order.price * order.volume
        assert bool(denied) is (total + value > bound)
        if denied is None:
            ledger.accept(number, entry_of(order, context))
            total += value
    assert ledger.totals(ALL).bought + ledger.totals(ALL).sold == total <= bound


class Day(RuleBasedStateMachine):
    """Orders, fills, cancels and baskets taken back: the ledger's totals are the sum over its entries, and no limit is passed."""

    BOUND, OPEN = 20_000, 5

    @initialize()
    def begin(self) -> None:
        self.ledger, self.number = Ledger(), 0

    @rule(volume=st.integers(1, 9), buy=st.booleans(), refused=st.booleans())
    def order(self, volume, buy, refused) -> None:
        mark, self.number = self.ledger.mark(), self.number + 1
        order = an_order(sid=f"s{self.number}", volume=100 * volume, order_business=1 if buy else 2)
        context = limited(self.ledger, max_day_value=self.BOUND, open_orders=self.OPEN)
        if within_limits(order, context) is None:
            self.ledger.accept(self.number, entry_of(order, context))
        if refused:
            self.ledger.back_to(mark)

    @rule(data=st.data(), part=st.floats(0, 1), closed=st.booleans())
    def report(self, data, part, closed) -> None:
        """Not of what was cancelled: a fill that comes after all takes room that may have been given away."""
        live = sorted(number for number, entry in self.ledger.entries.items() if entry.open)
        if live:
            number = data.draw(st.sampled_from(live))
            entry = self.ledger.entries[number]
            filled = max(entry.filled_volume, int(entry.volume * part))
            still_open = entry.open and not closed and filled < entry.volume
            self.ledger.put(
                number,
                entry._replace(
                    filled_volume=filled,
                    filled_value=filled * entry.price,
                    open=still_open,
                    confirmed_at=NOW,
                    changed_at=NOW,
                ),
            )

    @rule()
    def commit(self) -> None:
        self.ledger.committed()

    @rule(later=st.integers(-1, 1), held=st.integers(-1, 1))
    def ask(self, later, held) -> None:
        self.ledger.reserved(ACCOUNT, NOW + later, NOW + held)

    @rule(data=st.data())
    def judge_once_more(self, data) -> None:
        orders = list(self.ledger.entries)
        if orders:
            some = data.draw(st.lists(st.sampled_from(orders), unique=True))
            with self.ledger.without(some) as back:
                for order in some[::2]:
                    back(order)

    @invariant()
    def totals_are_sums(self) -> None:
        if not hasattr(self, "ledger"):
            return
        entries, totals = self.ledger.entries.values(), self.ledger.totals(ALL)
        assert totals.bought == sum((entry.value for entry in entries if entry.buy), Decimal(0))
        assert totals.sold == sum((entry.value for entry in entries if not entry.buy), Decimal(0))
        assert (totals.orders, totals.open) == (len(entries), sum(entry.open for entry in entries))
        assert totals.bought + totals.sold <= self.BOUND
        assert totals.open <= self.OPEN

    @invariant()
    def what_is_reserved_is_what_a_fresh_ledger_would_reserve(self) -> None:
        kept = getattr(self, "ledger", Ledger())._reserved.get(ACCOUNT)
        if kept is None:
            return
        fresh = Ledger()
        for number, entry in self.ledger.entries.items():
            fresh.put(number, entry)
        other = fresh.reserved(ACCOUNT, kept.at, kept.held_at)
        shown, expected = ((r.cash, +Counter(r.sales), +Counter(r.incoming)) for r in (kept, other))
        assert shown == expected


TestDay = Day.TestCase
TestDay.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@given(st.lists(st.integers(0, 3_000_000), max_size=60), st.integers(1, 5))
def test_pace_when_orders_leave_at_any_times_then_no_second_holds_more_than_allowed(gaps, per_second):
    """What the router does: as many as are left of the second, at each of its turns."""
    ledger, now, left_at = Ledger(), NOW, []
    for gap in gaps:
        now += gap
        for _ in range(max(0, per_second - ledger.sent_lately(ACCOUNT, now))):
            ledger.sent(ACCOUNT, now)
            left_at.append(now)
    assert all(sum(at <= other < at + 1_000_000 for other in left_at) <= per_second for at in left_at)
