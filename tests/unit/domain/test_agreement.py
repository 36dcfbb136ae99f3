"""Whether an account rules an order out: by hand, and against a broker that does anything."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderdrop.domain import agreement
from orderdrop.domain.agreement import Holding, Ordered, Snapshot, Trade, room_for
from orderdrop.domain.baseline import Baselines, read_places

LAG = 2_000_000
SYMBOL, OTHER = "SHSE.600000", "SZSE.000002"
T0, T1, T2 = 1_000_000_000, 1_010_000_000, 1_060_000_000
BUY, SELL = 1, 2


def a_snapshot(
    at: int, available: object = 100_000, frozen: object = 0, volume=0, sellable=0, **over
) -> Snapshot:
    values = {
        "cash_at": at, "held_at": at, "read_at": at, "available": Decimal(str(available)), "frozen": Decimal(str(frozen)),
        "holdings": {SYMBOL: Holding(volume, sellable)},
    }  # fmt: skip
    return Snapshot(**values | over)


def an_order(business=BUY, volume=100, limit: str | None = "10", **over) -> Ordered:
    price = None if limit is None else Decimal(limit)
    return Ordered(
        **{"symbol": SYMBOL, "volume": volume, "business": business, "limit": price, "handed_at": T1} | over
    )


def filled(order: Ordered, price="10", at=T1 + 1_000_000, volume: int | None = None) -> Ordered:
    trade = Trade(at, order.volume if volume is None else volume, Decimal(price))
    closed = at if volume is None else None
    return order._replace(confirmed_at=T1, closed_at=closed, trades=(trade,))


BEFORE = a_snapshot(T0, volume=500, sellable=500)


def told(available: object = 100_000, frozen: object = 0, volume=500, sellable=500, **over) -> Snapshot:
    return a_snapshot(T2, available, frozen, volume, sellable, **over)


def room(after: Snapshot, *others: Ordered, **doubted) -> str:
    return room_for(an_order(**doubted), BEFORE, after, others, LAG)


def test_account_when_nothing_has_changed_then_there_is_no_room_for_the_order():
    assert room(told()) == ""
    assert room(told(), business=SELL) == ""


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (told(99_000, 1_000), agreement.CASH_LEFT),  # it rests
        (told(99_000, volume=600), agreement.SHARES_LEFT),  # it has traded
        (told(99_500, volume=550), agreement.SHARES_LEFT),  # a part of it has, and it is cancelled
        (told(99_000), agreement.CASH_LEFT),  # holdings are behind
        (told(volume=600), agreement.SHARES_LEFT),  # cash is behind
        (told(frozen=1_000), agreement.CASH_LEFT),
        (told(101_000), agreement.CASH_LEFT),  # a deposit could hide it
    ],
)
def test_purchase_when_something_is_left_over_then_it_may_be_it(after, why):
    assert room(after) == why


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (told(sellable=400), agreement.SHARES_LEFT),
        (told(101_000, volume=400, sellable=400), agreement.SHARES_LEFT),
        (told(101_000), agreement.CASH_LEFT),
        (told(volume=400), agreement.SHARES_LEFT),
    ],
)
def test_sale_when_something_is_left_over_then_it_may_be_it(after, why):
    assert room(after, business=SELL) == why


def test_account_when_known_orders_explain_the_change_then_there_is_no_room():
    bought = filled(an_order(handed_at=T1))
    resting = an_order(symbol=OTHER, volume=300, limit="5", confirmed_at=T1)
    after = told(100_000 - 1_000 - 1_500, 1_500, volume=600)
    assert room(after, bought, resting) == ""
    assert room(after, bought) == agreement.CASH_LEFT
    assert room(after, resting) == agreement.SHARES_LEFT


def test_account_when_fees_were_charged_then_explained():
    assert room(told(100_000 - 1_005, volume=600), filled(an_order())) == ""


def test_account_when_another_order_is_silent_as_well_then_only_what_neither_can_have_done_is_ruled_out():
    silent = an_order()
    assert room(told(), silent) == ""
    assert room(told(99_000, 1_000), silent) == agreement.CASH_LEFT
    assert room(told(99_000, volume=600), silent) == agreement.SHARES_LEFT


def test_account_when_a_silent_order_of_the_other_side_could_hide_it_then_nothing_is_ruled_out():
    assert room(told(), an_order(business=SELL)) == agreement.SHARES_LEFT


def test_account_when_a_fill_is_too_new_to_be_told_for_sure_then_nothing_is_ruled_out():
    late = filled(an_order(), at=T2 - 1_000_000)
    assert room(told(99_000, volume=600), late) == agreement.SHARES_LEFT
    assert room(told(99_000, 1_000), late)


@pytest.mark.parametrize(
    ("doubted", "why"),
    [
        ({"business": 200}, agreement.NOT_PLAIN),
        ({"symbol": "SHSE.204001", "business": SELL}, agreement.NOT_PLAIN),
        ({"symbol": "SHSE.999999"}, agreement.NOT_PLAIN),
        ({"symbol": OTHER, "business": SELL}, agreement.NOT_HELD),
        ({"volume": 600, "business": SELL}, agreement.NOT_HELD),
    ],
)
def test_order_when_it_would_not_show_then_nothing_is_ruled_out(doubted, why):
    assert room(told(), **doubted) == why


@pytest.mark.parametrize("which", ["before", "after"])
def test_account_when_its_holdings_were_never_told_then_nothing_is_ruled_out(which):
    before, after = BEFORE, told()
    if which == "before":
        before = before._replace(held_at=None)
    else:
        after = after._replace(held_at=None)
    assert room_for(an_order(), before, after, (), LAG) == agreement.NO_HOLDINGS


class Broker:
    """Executes what it is given at once, exactly, and tells an account."""

    def __init__(self) -> None:
        self.cash, self.frozen = Decimal(1_000_000), Decimal(0)
        self.held = {SYMBOL: [1000, 1000], OTHER: [1000, 1000]}

    def take(self, business: int, symbol: str, volume: int, price: Decimal, part: int, fee: Decimal) -> None:
        held = self.held[symbol]
        if business == BUY:
            self.cash -= price * part + (fee if part else 0)
            self.frozen += price * (volume - part)
            held[0] += part
        else:
            self.cash += price * part - (fee if part else 0)
            held[0] -= part
            held[1] -= volume

    def tell(self, at: int) -> Snapshot:
        holdings = {symbol: Holding(*held) for symbol, held in self.held.items()}
        return Snapshot(at, at, at, self.cash - self.frozen, self.frozen, holdings)


orders = st.tuples(
    st.sampled_from([BUY, SELL]), st.sampled_from([SYMBOL, OTHER]), st.sampled_from([100, 200]),
    st.sampled_from(["10", "10.5", "7.77"]), st.sampled_from([0, 50, 100]), st.sampled_from(["0", "0.01", "5", "6"]),
    st.sampled_from(["told", "silent", "silent and lost"]),
)  # fmt: skip


@given(
    others=st.lists(orders, max_size=5),
    doubted=orders,
    at=st.sampled_from(["before all", "after all"]),
)
def test_account_when_the_order_was_taken_then_it_is_never_ruled_out(others, doubted, at):
    """Whatever else is known, half known or lost: an order that stands at the broker, or has traded, leaves its trace."""
    _proof(others, doubted, taken=True, first=at == "before all")


@given(others=st.lists(orders, max_size=5), doubted=orders)
def test_account_when_the_order_was_lost_and_all_others_are_known_then_it_is_ruled_out(others, doubted):
    known = [(*other[:5], "0", "told") for other in others]
    assert _proof(known, doubted, taken=False, first=True) == ""


def _proof(others, doubted, *, taken: bool, first: bool) -> str:
    broker = Broker()
    before = broker.tell(T0)
    known = []

    def take(one) -> None:
        business, symbol, volume, price, percent, fee, _how = one
        part = volume * percent // 100
        broker.take(business, symbol, volume, Decimal(price), part, Decimal(fee))

    if taken and first:
        take(doubted)
    for one in others:
        business, symbol, volume, price, percent, _fee, how = one
        order = an_order(business, volume, price, symbol=symbol)
        if how != "silent and lost":
            take(one)
        if how == "told":
            part = volume * percent // 100
            trades = (Trade(T1 + 1, part, Decimal(price)),) if part else ()
            closed = T1 + 1 if percent == 100 else None
            order = order._replace(confirmed_at=T1, closed_at=closed, trades=trades)
        known.append(order)
    if taken and not first:
        take(doubted)
    business, symbol, volume, price, *_rest = doubted
    words = room_for(an_order(business, volume, price, symbol=symbol), before, broker.tell(T2), known, LAG)
    if taken:
        assert words, (others, doubted)
    return words


def test_baseline_when_journaled_then_read_back_whole_once_and_with_the_symbols_of_the_batch_alone_from_then_on():
    from builders import ACCOUNT  # noqa: PLC0415

    from orderdrop.domain.report import Account, Position  # noqa: PLC0415

    held = [Position(name, 300, 0, 200, Decimal(1), Decimal(1)) for name in (SYMBOL, OTHER)]
    account = Account(
        T0, ACCOUNT, Decimal(9), Decimal("7.50"), Decimal("1.50"), Decimal(0), Decimal(0), tuple(held), T0 + 1
    )
    baselines = Baselines()
    baselines.note(account, T1)
    wanted = [(ACCOUNT, SYMBOL), (ACCOUNT, "SHSE.600001")]
    whole, again = (read_places(baselines.journaled({"x": [1]}, wanted)) for _ in range(2))
    assert whole.accounts[ACCOUNT][0].holdings == {SYMBOL: Holding(300, 200), OTHER: Holding(300, 200)}
    output, accounts = again
    assert output == {"x": [1]}
    assert accounts[ACCOUNT] == (
        Snapshot(
            T0,
            T0 + 1,
            T1,
            Decimal("7.50"),
            Decimal("1.50"),
            {SYMBOL: Holding(300, 200), "SHSE.600001": Holding()},
            whole=False,
        ),
    )
    assert read_places(None) == (None, {})
