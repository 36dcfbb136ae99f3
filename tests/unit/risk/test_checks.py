"""The tuple as a whole: its order, its switches, and what becomes of a rule that fails."""

from __future__ import annotations

from decimal import Decimal

import pytest
from builders import FRIDAY, a_context, a_wide_context, an_order
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.domain.refusal import Code, Refusal, explain
from orderdrop.domain.switches import State, Switches
from orderdrop.risk import checks
from orderdrop.risk.checks import check
from orderdrop.risk.context import Funds


def test_check_when_all_is_well_then_passes():
    assert check(an_order(), a_context()) is None


def test_check_when_halted_then_denied():
    assert check(an_order(), a_context(halted=True)) == Refusal(Code.HALTED)


@pytest.mark.parametrize("rules", ["KIND_RULES", "PRICE_RULES", "VOLUME_RULES"])
def test_check_when_a_rule_raises_then_denied_and_named(monkeypatch, rules):
    def broken_rule(_order, _context):
        raise ZeroDivisionError

    monkeypatch.setattr(checks, rules, (broken_rule, *getattr(checks, rules)))
    assert check(an_order(), a_context()) == Refusal(Code.CHECK_FAILED, "broken_rule", "ZeroDivisionError")


def test_check_when_a_kind_has_passed_the_sizes_are_still_looked_at():
    context = a_context()
    assert check(an_order(), context) is None
    assert check(an_order(volume=1), context).code is Code.LOT_MINIMUM


def test_check_when_something_was_denied_it_is_denied_again():
    context = a_context(halted=True)
    assert check(an_order(), context) == check(an_order(), context) == Refusal(Code.HALTED)


def test_check_when_several_rules_deny_then_the_first_wins():
    bad = an_order(account_id="X", symbol="SHSE.700000", volume=1)
    assert check(bad, a_context(accounts=frozenset({"A1"}), halted=True)).code is Code.HALTED
    assert check(bad, a_context(accounts=frozenset({"A1"}))).code is Code.ACCOUNT_UNKNOWN
    assert check(bad, a_context()).code is Code.BOARD_UNKNOWN


@pytest.mark.parametrize("field", ["symbol", "volume", "order_type", "order_business", "account_id"])
@pytest.mark.parametrize("rubbish", [None, "", "x", float("nan"), ()])
def test_check_when_a_field_is_rubbish_then_denied(field, rubbish):
    accounts = frozenset({"A1"})
    assert check(an_order(**{field: rubbish}), a_context(accounts=accounts)) is not None


some_orders = st.builds(
    an_order,
    account_id=st.sampled_from(["A1", "A2", "X"]),
    symbol=st.sampled_from(["SHSE.600000", "SZSE.000001", "SHSE.688001", "SHSE.204001", "SHSE.700000"]),
    volume=st.sampled_from([100, 150, 200, 1000, 10**7]),
    order_type=st.sampled_from([1, 1, 1, 2, 22]),
    order_business=st.sampled_from([1, 2, 200]),
    price=st.sampled_from(["10.00", "10.01", "10.005", None]),
    not_after=st.sampled_from(["", "", "", "14:00:00"]),
)


@given(st.lists(st.lists(some_orders | st.just(an_order()), min_size=1, max_size=4), max_size=6))
def test_all_pass_when_much_is_known_already_says_what_the_rules_say(baskets):
    knowing = a_context(accounts=frozenset({"A1", "A2"}), credit=frozenset({"A2"}))
    for basket in baskets:
        fresh = [
            check(order, a_context(accounts=knowing.accounts, credit=knowing.credit)) for order in basket
        ]
        asked = [order for order in basket if not order.not_after]
        assert checks.all_pass(asked, knowing) == (
            bool(asked)
            and not any(refusal for order, refusal in zip(basket, fresh, strict=True) if not order.not_after)
        )
        assert [check(order, knowing) for order in basket if not order.not_after] == [
            refusal for order, refusal in zip(basket, fresh, strict=True) if not order.not_after
        ]


def test_all_pass_when_an_order_has_times_of_its_own_leaves_it_to_the_rules():
    assert not checks.all_pass([an_order(), an_order(not_before="09:31:00")], a_context())


def test_check_when_reducing_a_sale_has_passed_a_repo_is_still_refused():
    context = a_wide_context(
        rules=(),
        switches=Switches({("", ""): State.REDUCING}),
        funds={"A1": Funds(0, Decimal(1), Decimal(1), {})},
    )
    assert check(an_order(order_business=2), context) is None
    assert check(an_order(order_business=2, symbol="SHSE.204001"), context).code is Code.REDUCING


good_orders = st.builds(
    an_order,
    account_id=st.sampled_from(["A1", "A1", "A1", "A2"]),
    strategy=st.sampled_from(["", "alpha"]),
    symbol=st.sampled_from(["SHSE.600000", "SHSE.204001"]),
    order_type=st.sampled_from([1, 1, 1, 25]),
    order_business=st.sampled_from([1, 2]),
    not_before=st.sampled_from(["", "", "", "14:00:00"]),
    not_after=st.sampled_from(["", "", "", "09:00:00"]),
)


@given(
    st.lists(good_orders, min_size=2, max_size=12),
    st.sampled_from(["09:10", "09:22", "10:00", "11:45", "15:10"]),
    st.sampled_from([("", ""), ("account", "A1"), ("strategy", "alpha")]),
    st.sampled_from(list(State)),
    st.sampled_from(["hold", "refuse"]),
)
def test_check_when_much_is_known_already_says_what_it_says_afresh(orders, time, scope, state, outside):
    hour, minute = map(int, time.split(":"))
    funds = {"A1": Funds(0, Decimal(10**9), Decimal(10**9), {}), "A2": None, "X": None}

    def context():
        return a_wide_context(
            FRIDAY.replace(hour=hour, minute=minute),
            switches=Switches({scope: state}),
            outside_session=outside,
            funds=funds,
        )

    knowing = context()
    assert [check(order, knowing) for order in orders] == [check(order, context()) for order in orders]


def test_every_denial_can_be_explained():
    for bad in (
        an_order(symbol="SHSE.700000"),
        an_order(volume=150),
        an_order(price="10.001"),
        an_order(price=None),
    ):
        assert explain(check(bad, a_context())).remedy
