"""Credit orders in the checks, as a table: whose money pays, whose shares are sold, what comes into the holding, what reduces a risk."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple

import pytest
from builders import ACCOUNT, FRIDAY, a_context, a_wide_context, an_order

from orderdrop.config.limits import AccountBounds
from orderdrop.domain.order import BUYS, SIDE_OF, OrderBusiness
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.switches import ALL, State, Switches
from orderdrop.risk.checks import check, entry_of
from orderdrop.risk.context import Funds, Held, RepeatPolicy
from orderdrop.risk.ledger import Ledger, Reserved
from orderdrop.risk.rules.cash import cash_enough, odd_lot_whole, shares_enough
from orderdrop.risk.rules.limits import Scope, compiled, within_limits
from orderdrop.risk.rules.repeats import crosses_nothing_own, held_as_repeat
from orderdrop.risk.rules.switches import not_switched_off
from orderdrop.system.clock import from_datetime

NOW = from_datetime(FRIDAY)
MAIN, STAR, REPO = "SHSE.600000", "SHSE.688001", "SHSE.204001"


class Means(NamedTuple):
    """Of 100 shares at 10 yuan, with 5 yuan of fees. cash: refused without the account's own; frozen: what it takes of it, held: without the
    shares; shares: what it adds to the holding; odd: an odd lot may pass; reduces: goes while an account may only reduce.
    """

    cash: bool = False
    frozen: int = 0
    held: bool = False
    shares: int = 0
    odd: bool = False
    reduces: bool = False


PURCHASE = Means(cash=True, frozen=1005, shares=100)
FINANCED = Means(shares=100)
RETURN = Means(
    frozen=1005, reduces=True
)  # what the short sale brought may pay for it, and no snapshot tells it apart
SALE = Means(held=True, shares=-100, odd=True, reduces=True)
SHORT = Means()

TABLE = {
    OrderBusiness.BUY: PURCHASE,
    OrderBusiness.SELL: SALE,
    OrderBusiness.MARGIN_BUY: FINANCED,
    OrderBusiness.SHORT_SELL: SHORT,
    OrderBusiness.BUY_TO_RETURN: RETURN,
    OrderBusiness.SELL_TO_REPAY: SALE,
    OrderBusiness.COLLATERAL_BUY: PURCHASE,
    OrderBusiness.COLLATERAL_SELL: SALE,
    OrderBusiness.SPECIAL_MARGIN_BUY: FINANCED,
    OrderBusiness.SPECIAL_SHORT_SELL: SHORT,
    OrderBusiness.SPECIAL_BUY_TO_RETURN: RETURN,
    OrderBusiness.SPECIAL_SELL_TO_REPAY: SALE,
}
every = pytest.mark.parametrize(("business", "means"), TABLE.items(), ids=[one.name.lower() for one in TABLE])


def code_of(refusal: Refusal | None) -> Code | None:
    return refusal and refusal.code


def having(available: str = "0", shares: int = 0, ledger: Ledger | None = None, **over):
    held = {MAIN: Held(shares, shares, Decimal(10))} if shares else {}
    funds = Funds(NOW, Decimal(available), Decimal(available) + 10 * shares, held)
    return a_wide_context(funds=defaultdict(lambda: funds), ledger=ledger or Ledger(), **over)


def after(*orders) -> Ledger:
    """Open orders that no snapshot shows yet."""
    ledger = Ledger(fee=lambda _value: Decimal(5))
    for number, order in enumerate(orders):
        ledger.accept(number, entry_of(order, a_wide_context(ledger=ledger)))
    return ledger


def reserved(order) -> Reserved:
    return after(order).reserved(ACCOUNT, NOW)


def test_table_when_a_business_is_new_then_it_has_to_stand_here():
    assert TABLE.keys() == SIDE_OF.keys()


@every
def test_cash_when_there_is_none_then_only_what_it_pays_for_is_refused(business, means):
    refusal = cash_enough(an_order(order_business=business), having(ledger=after()))
    assert code_of(refusal) == (Code.CASH_SHORT if means.cash else None)


@every
def test_cash_when_an_order_is_under_way_then_only_its_own_money_is_reserved(business, means):
    assert reserved(an_order(order_business=business)).cash == means.frozen


@every
def test_shares_when_there_are_none_then_only_sales_of_a_holding_are_refused(business, means):
    order = an_order(order_business=business)
    assert code_of(shares_enough(order, having())) == (Code.SHARES_SHORT if means.held else None)


@every
def test_shares_when_a_sale_is_under_way_then_only_what_it_takes_is_gone(business, means):
    context = having(shares=100, ledger=after(an_order(order_business=business)))
    refusal = shares_enough(an_order(order_business=OrderBusiness.SELL_TO_REPAY), context)
    assert code_of(refusal) == (Code.SHARES_SHORT if means.shares < 0 else None)


@every
def test_position_when_bounded_then_only_what_stays_in_it_counts(business, means):
    bounds = defaultdict(
        lambda: compiled(AccountBounds(max_position=150, max_holdings=1), Scope("limits", ALL))
    )
    order = an_order(order_business=business)
    second = code_of(within_limits(order, having(ledger=after(order), limits=bounds)))
    assert second == (Code.LIMIT_POSITION if means.shares > 0 else None)
    another = order._replace(symbol="SHSE.600001")
    assert code_of(within_limits(another, having(shares=100, limits=bounds))) == (
        Code.LIMIT_HOLDINGS if means.shares > 0 else None
    )
    assert (reserved(order).incoming[MAIN], reserved(order).sales[MAIN]) == (
        max(means.shares, 0),
        max(-means.shares, 0),
    )


@every
@pytest.mark.parametrize("funds", [True, False])
def test_position_when_nobody_knows_the_account_then_only_what_adds_to_it_is_refused(business, means, funds):
    bounds = defaultdict(lambda: compiled(AccountBounds(max_position=150), Scope("limits", ALL)))
    context = having(limits=bounds) if funds else a_wide_context(limits=bounds)
    refusal = within_limits(an_order(order_business=business), context)
    assert code_of(refusal) == (Code.ACCOUNT_NOT_TOLD if means.shares > 0 and not funds else None)


@every
def test_lot_when_odd_then_only_a_sale_of_a_holding_passes(business, means):
    context = a_context(credit=frozenset({ACCOUNT}))
    assert code_of(check(an_order(order_business=business, volume=150), context)) == (
        None if means.odd else Code.LOT_SIZE
    )
    assert code_of(check(an_order(order_business=business, volume=50), context)) == (
        None if means.odd else Code.LOT_MINIMUM
    )
    assert code_of(check(an_order(order_business=business, symbol=STAR, volume=150), context)) == (
        None if means.odd else Code.LOT_MINIMUM
    )


@every
def test_odd_rest_when_of_a_holding_then_only_its_sales_are_held_to_it(business, means):
    order = an_order(order_business=business, volume=30)
    assert code_of(odd_lot_whole(order, having(shares=250))) == (Code.LOT_ODD if means.held else None)


@every
def test_switch_when_reducing_then_sales_of_a_holding_and_returns_of_what_is_borrowed_go(business, means):
    context = a_wide_context(switches=Switches({("account", ACCOUNT): State.REDUCING}))
    refusal = not_switched_off(an_order(order_business=business), context)
    assert code_of(refusal) == (None if means.reduces else Code.REDUCING)


@every
def test_cross_when_an_own_order_of_the_other_side_stands_then_whatever_their_business(business, means):
    for other in TABLE:
        order = an_order(order_business=business)
        crosses = crosses_nothing_own(order, a_wide_context(ledger=after(an_order(order_business=other))))
        assert bool(crosses) is ((business in BUYS) is not (other in BUYS)), other


@every
def test_repeat_when_the_same_side_comes_again_then_whatever_its_business(business, means):
    for other in TABLE:
        context = a_wide_context(
            ledger=after(an_order(order_business=other)),
            repeats=defaultdict(lambda: RepeatPolicy(60, "hold")),
        )
        again = type(context)(
            **{name: getattr(context, name) for name in context.__slots__} | {"origin": (2, 2)}
        )
        found = held_as_repeat(an_order(order_business=business, sid="b"), again)
        assert bool(found) is ((business in BUYS) is (other in BUYS)), other


@every
@pytest.mark.parametrize(("bound", "side"), [("max_day_bought", True), ("max_day_sold", False)])
def test_day_value_when_bounded_then_by_side(business, means, bound, side):
    bounds = defaultdict(lambda: compiled(AccountBounds(**{bound: 999}), Scope("limits", ALL)))
    refusal = within_limits(an_order(order_business=business), a_wide_context(limits=bounds))
    assert code_of(refusal) == (Code.LIMIT_DAY_VALUE if (business in BUYS) is side else None)


@every
def test_sides_when_only_sales_are_allowed_then_by_side(business, means):
    bounds = defaultdict(lambda: compiled(AccountBounds(sides_allowed=["sell"]), Scope("limits", ALL)))
    refusal = within_limits(an_order(order_business=business), a_wide_context(limits=bounds))
    assert code_of(refusal) == (Code.LIMIT_SIDE if business in BUYS else None)


@every
def test_market_order_when_a_short_sale_then_the_exchanges_take_none(business, means):
    order = an_order(order_business=business, order_type=2, price=None)
    context = a_context(credit=frozenset({ACCOUNT}))
    assert code_of(check(order, context)) == (Code.ORDER_TYPE_EXCHANGE if means == SHORT else None)


@every
def test_account_when_it_is_no_credit_account_then_only_plain_orders_go(business, means):
    plain = business in {OrderBusiness.BUY, OrderBusiness.SELL}
    assert code_of(check(an_order(order_business=business), a_context())) == (
        None if plain else Code.CREDIT_ACCOUNT
    )


@every
def test_repo_when_on_a_credit_account_then_only_lent_with_own_money(business, means):
    order = an_order(order_business=business, symbol=REPO, volume=10, price="1.500")
    lends = business in {OrderBusiness.SELL, OrderBusiness.COLLATERAL_SELL}
    context = a_context(credit=frozenset({ACCOUNT}))
    assert code_of(check(order, context)) == (None if lends else Code.SIDE_NOT_ALLOWED)


def test_repo_when_one_is_under_way_then_its_money_is_not_lent_twice():
    repo = an_order(order_business=2, symbol=REPO, volume=10, price="1.500")
    assert cash_enough(repo, having("1005", ledger=after())) is None
    assert code_of(cash_enough(repo, having("2009", ledger=after(repo)))) is Code.CASH_SHORT
    assert cash_enough(repo, having("2010", ledger=after(repo))) is None
