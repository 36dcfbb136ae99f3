"""Sessions, limits, cash, rates, repeats and switches with a real router: what is refused, what waits, what goes, also after a restart."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from orderdrop.system.clock import SHANGHAI, FixedClock

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
PENDING = "SHSE.018014"  # the paper broker leaves it open


@pytest.fixture
def desk(desk):
    """A desk that knows the year, and does not mind that its clock is moved on by hand."""

    def make(*given, **settings):
        one = desk(*given, **{"switches": {"clock_jump": 0}} | settings)
        (one.root / "calendar.csv").write_text("closed,note\n2026-10-01,\n")
        return one

    return make


def at(hours: int, minutes: int, seconds: int = 0) -> FixedClock:
    """That time of Friday 2026-11-20."""
    return FixedClock(datetime(2026, 11, 20, hours, minutes, seconds, tzinfo=SHANGHAI))


def row(sid: str, volume: int = 100, price: str = "10.00", symbol: str = "SHSE.600000", side: int = 1) -> str:
    return f"{sid},A1,{symbol},{volume},1,{side},{price}\n"


def rows(*of: str) -> str:
    return HEADER + "".join(of)


def refused(desk) -> dict[str, str]:
    return {o["sid"]: o["reason_code"] for o in desk.query("SELECT * FROM orders WHERE status = 'denied'")}


def test_day_limit_when_reached_then_refused_and_after_a_restart_still(desk):
    one = desk(at(10, 0), limits={"max_day_value": "2500"}).route({"a.csv": rows(row("a"), row("b"))})
    one.restart().route({"c.csv": rows(row("c"))})
    assert one.statuses() == {"a": "filled", "b": "filled"}
    assert refused(one) == {"c": "LIMIT_DAY_VALUE"}


def test_basket_when_one_row_passes_a_limit_then_none_goes_and_none_counts(desk):
    one = desk(at(10, 0), limits={"max_day_value": "2500"})
    one.route({"a.csv": rows(row("a"), row("b"), row("c"))})
    assert refused(one) == {"a": "NOT_SENT", "b": "NOT_SENT", "c": "LIMIT_DAY_VALUE"}
    one.route({"b.csv": rows(row("a"), row("b"))})
    assert one.statuses() == {"a": "filled", "b": "filled"}


def test_open_order_when_cancelled_then_its_room_is_free_again(desk):
    one = desk(at(10, 0), limits={"open_orders": 1}).route(
        {"a.csv": rows(row("a", symbol=PENDING, price="100"))}
    )
    one.route({"b.csv": rows(row("b"))})
    assert refused(one) == {"b": "LIMIT_OPEN_ORDERS"}
    one.route({"x.cancel_order.csv": "sid,comment\na,\n"}).route({"c.csv": rows(row("c"))})
    assert one.statuses() == {"a": "canceled", "c": "filled"}


def test_limits_when_of_an_account_or_a_strategy_then_bind_only_theirs(desk):
    one = desk(
        at(10, 0),
        accounts={"A1": {"limits": {"max_order_volume": 300}}},
        strategies={"alpha": {"limits": {"max_order_volume": 100}}},
    )
    one.route(
        {
            "a.csv": rows(row("a", 300)),
            "b.csv": rows(row("b", 400)),
            "alpha/c.csv": rows(row("c", 200)),
            "beta/d.csv": rows(row("d", 200)),
        }
    )
    assert one.statuses() == {"a": "filled", "d": "filled"}
    assert refused(one) == {"b": "LIMIT_ORDER_VOLUME", "c": "LIMIT_ORDER_VOLUME"}


def test_soft_limit_when_passed_then_the_order_goes_and_the_receipt_says_so(desk):
    one = desk(at(10, 0), limits={"soft": {"max_order_volume": 100}}).route({"a.csv": rows(row("a", 200))})
    assert one.statuses() == {"a": "filled"}
    assert "LIMIT_ORDER_VOLUME" in one.receipt("a.csv")[0]["note"]


def test_order_when_before_the_opening_then_held_until_it_and_sent_in_order(desk):
    clock = at(8, 50)
    one = desk(clock, limits={"as_live": True}).route({"a.csv": rows(row("a"), row("b", 200))})
    assert one.statuses() == {"a": "held", "b": "held"}
    assert one.outcomes("a.csv") == [("a", "held", "HELD_SESSION"), ("b", "held", "HELD_SESSION")]
    clock.advance(24 * 60)
    one.route()
    assert one.statuses() == {"a": "held", "b": "held"}
    clock.advance(60)
    one.route()
    assert [sid for sid, *_ in one.at_broker()] == ["a", "b"]
    assert one.outcomes("a.csv") == [("a", "filled", ""), ("b", "filled", "")]


def test_held_order_when_the_router_was_away_at_the_opening_then_goes_at_its_start_but_not_on_another_day(
    desk,
):
    clock = at(8, 50)
    one = desk(clock, limits={"as_live": True}, calendar={"extra_open": ["2026-11-21"]}).route(
        {"a.csv": rows(row("a"))}
    )
    one.close()
    clock.advance(3600)
    assert one.route().statuses() == {"a": "filled"}
    clock.advance(10 * 3600)
    two = desk(at(8, 50), limits={"as_live": True}).route({"a.csv": rows(row("a"))})
    two.close()
    two._clock.advance(25 * 3600)
    assert two.route().statuses() == {"a": "expired"}


@pytest.mark.parametrize(
    ("when", "settings", "code"),
    [
        (at(15, 10), {}, "SESSION_OVER"),
        (at(12, 0), {"calendar": {"outside_session": "refuse"}}, "SESSION_CLOSED"),
        (at(10, 0), {"calendar": {"extra_closed": ["2026-11-20"]}}, "DAY_CLOSED"),
        (FixedClock(datetime(2026, 11, 21, 10, 0, tzinfo=SHANGHAI)), {}, "DAY_CLOSED"),
        (FixedClock(datetime(2031, 3, 3, 10, 0, tzinfo=SHANGHAI)), {}, "CALENDAR_UNKNOWN"),
    ],
)
def test_order_when_the_market_will_not_take_it_then_refused(desk, when, settings, code):
    one = desk(when, limits={"as_live": True}, **settings).route({"a.csv": rows(row("a"))})
    assert refused(one) == {"a": code}
    assert one.at_broker() == []


def test_order_when_simulated_then_taken_at_any_hour(desk):
    assert desk(at(3, 0)).route({"a.csv": rows(row("a"))}).statuses() == {"a": "filled"}


def test_not_before_and_not_after_when_given_then_kept(desk):
    clock = at(10, 0)
    header = HEADER.strip() + ",not_before,not_after\n"
    late, early = row("late").strip() + ",10:05,\n", row("early").strip() + ",,09:59\n"
    one = desk(clock, inbox={"on_bad_row": "reject-row"}).route({"a.csv": header + late + early})
    assert one.statuses() == {"late": "held"}
    assert refused(one) == {"early": "NOT_AFTER_PASSED"}
    clock.advance(301)
    assert one.route().statuses() == {"late": "filled"}


def test_not_after_when_it_passes_while_held_then_expired(desk):
    clock = at(10, 0)
    header = HEADER.strip() + ",not_before,not_after\n"
    one = desk(clock, strategies={"alpha": {"hold": True}}).route(
        {"alpha/a.csv": header + row("a").strip() + ",,10:01\n"}
    )
    assert one.statuses() == {"a": "held"}
    clock.advance(61)
    assert one.route().statuses() == {"a": "expired"}
    assert one.outcomes("alpha/a.csv") == [("a", "expired", "NOT_AFTER_PASSED")]


def test_cash_when_pending_purchases_have_used_it_then_refused(desk):
    one = desk(at(10, 0), limits={"as_live": True, "repeat_window": 0}, gateways={"paper": {"cash": "15000"}})
    one.route({"a.csv": rows(row("a", 100, "100", PENDING))})  # 10,000 yuan frozen
    one.route({"b.csv": rows(row("b", 500))})
    assert one.statuses() == {"a": "new"}
    assert refused(one) == {"b": "CASH_SHORT"}


@pytest.mark.parametrize("restarted", [False, True])
def test_cash_and_shares_when_a_held_order_will_use_them_then_refused_also_after_a_restart(desk, restarted):
    one = desk(
        at(10, 0),
        limits={"as_live": True, "repeat_window": 0},
        gateways={"paper": {"cash": "15000", "positions": {"SHSE.600000": 100, "SHSE.600001": 100}}},
        accounts={"A1": {}},
        strategies={"alpha": {"hold": True}},
    )
    one.route({"alpha/a.csv": rows(row("a", 1000), row("b", symbol="SHSE.600001", side=2))})
    assert one.statuses() == {"a": "held", "b": "held"}
    if restarted:
        one.restart()
    one.route({"c.csv": rows(row("c", 600)), "d.csv": rows(row("d", symbol="SHSE.600001", side=2))})
    assert refused(one) == {"c": "CASH_SHORT", "d": "SHARES_SHORT"}


def test_shares_when_bought_today_then_not_sellable(desk):
    one = desk(
        at(10, 0),
        limits={"as_live": True},
        gateways={"paper": {"positions": {"SHSE.600000": 250}, "cash": "100000"}},
    )
    one.route({"a.csv": rows(row("a", 100))}).route({"b.csv": rows(row("b", 300, side=2))})
    assert refused(one) == {"b": "SHARES_SHORT"}
    one.route({"c.csv": rows(row("c", 230, side=2))})
    assert refused(one)["c"] == "LOT_ODD"
    one.route({"d.csv": rows(row("d", 250, side=2))})
    assert one.statuses()["d"] == "filled"


def test_pace_when_too_fast_then_the_rest_waits_in_order(desk):
    clock = at(10, 0)
    one = desk(clock, limits={"orders_per_second": 3})
    one.put({"a.csv": rows(*(row(f"s{n}") for n in range(8)))})
    app = one.open()
    sent = []
    for _ in range(4):
        app.turn(lambda _done: None)
        app.turn(lambda _done: None)
        sent.append([sid for sid, *_ in one.at_broker()])
        clock.advance(1)
    assert [len(so_far) for so_far in sent] == [3, 6, 8, 8]
    assert sent[-1] == [f"s{n}" for n in range(8)]


def test_pace_when_restarted_within_the_second_then_still_counted(desk):
    clock = at(10, 0)
    one = desk(clock, limits={"orders_per_second": 3})
    one.put({"a.csv": rows(*(row(f"s{n}") for n in range(5)))})
    one.open().turn(lambda _done: None)
    one.crash()
    one.open().turn(lambda _done: None)
    assert len(one.at_broker()) == 3
    clock.advance(1)
    one.open().turn(lambda _done: None)
    assert len(one.at_broker()) == 5


def test_pace_when_the_wait_would_be_too_long_then_refused(desk):
    one = desk(at(10, 0), limits={"orders_per_second": 1, "max_wait": 2}).route(
        {"a.csv": rows(*(row(f"s{n}") for n in range(9)))}, rounds=1
    )
    assert set(refused(one).values()) == {"NOT_SENT", "RATE_WAIT"}


def test_repeat_when_a_script_ran_twice_then_held_for_release(desk):
    clock = at(10, 0)
    one = desk(clock, limits={"repeat_window": 60}).route({"a.csv": rows(row("a"), row("a2"))})
    assert one.statuses() == {"a": "filled", "a2": "filled"}  # two of a kind in one file are meant
    one.route({"b.csv": rows(row("b"))})
    assert one.outcomes("b.csv") == [("b", "held", "REPEATED")]
    clock.advance(61)
    one.route({"c.csv": rows(row("c", 300)), "r.release.csv": "sid\nb\n"})
    assert one.statuses() == {"a": "filled", "a2": "filled", "b": "filled", "c": "filled"}


def test_cross_when_an_own_order_stands_against_it_then_refused(desk):
    one = desk(
        at(10, 0),
        limits={"as_live": True},
        gateways={"paper": {"positions": {PENDING: 200}, "cash": "100000"}},
    )
    one.route({"a.csv": rows(row("a", 100, "100", PENDING, side=2))}).route(
        {"b.csv": rows(row("b", 100, "100", PENDING))}
    )
    assert refused(one) == {"b": "CROSSES_OWN"}
    one.route({"c.csv": rows(row("c", 100, "99", PENDING))})
    assert one.statuses() == {"a": "new", "c": "new"}


def test_switch_when_of_an_account_or_a_strategy_then_binds_only_theirs(desk):
    one = desk(at(10, 0), accounts={"A1": {"alias": "main"}, "A2": {}}, inbox={"on_bad_row": "reject-row"})
    one.put({"HALT.main": "", "alpha/REDUCE": ""})
    other = row("d").replace("A1", "A2")
    one.route({"a.csv": rows(row("a"), other), "alpha/b.csv": rows(row("e").replace("A1", "A2"))})
    assert one.statuses() == {"d": "filled"}
    assert refused(one) == {"a": "HALTED_SCOPE", "e": "REDUCING"}
    (one.inbox / "HALT.main").unlink()
    assert one.route({"c.csv": rows(row("a"))}).statuses() == {"d": "filled", "a": "filled"}


def test_switch_when_orders_wait_then_they_are_held_and_nothing_leaves(desk):
    clock = at(10, 0)
    one = desk(clock, limits={"orders_per_second": 1})
    one.put({"a.csv": rows(row("a"), row("b"))})
    one.open().turn(lambda _done: None)
    one.put({"HALT.A1": ""})
    clock.advance(2)
    one.route()
    assert one.statuses() == {"a": "filled", "b": "held"}
    (one.inbox / "HALT.A1").unlink()
    assert one.route({"r.release.csv": "sid\nb\n"}).statuses() == {"a": "filled", "b": "filled"}


def test_held_order_when_halted_at_the_opening_then_waits_for_resume(desk):
    clock = at(8, 50)
    one = desk(clock, limits={"as_live": True}).route({"a.csv": rows(row("a"))})
    one.put({"HALT": ""})
    clock.advance(3600)
    assert one.route().statuses() == {"a": "held"}
    (one.inbox / "HALT").unlink()
    clock.advance(2)
    assert one.route().statuses() == {"a": "filled"}


def test_released_order_when_the_session_is_closed_then_waits_for_it(desk):
    clock = at(12, 0)
    one = desk(clock, limits={"as_live": True}, inbox={"hold": True}).route({"a.csv": rows(row("a"))})
    one.put({"r.release.csv": "sid\na\n"})
    app = one.open()
    for _ in range(3):
        app.turn(lambda _done: None)
    assert one.statuses() == {"a": "ready"}
    clock.advance(3600)
    assert one.route().statuses() == {"a": "filled"}


def test_value_when_a_market_order_has_no_reference_then_refused_not_guessed(desk):
    market = "m,A1,SHSE.600000,100,2,1,\n"
    one = desk(at(10, 0), limits={"max_order_value": "5000"})
    one.route({"a.csv": rows(market)})
    assert refused(one) == {"m": "REFERENCE_NEEDED"}
    assert Decimal(one.query("SELECT count(*) AS n FROM batches")[0]["n"]) == 0


def test_cancel_when_the_call_takes_none_then_refused_and_said_until_it_does(desk):
    clock = at(9, 16)
    one = desk(clock, limits={"as_live": True}).route({"a.csv": rows(row("a", symbol=PENDING, price="100"))})
    clock.advance(5 * 60)
    one.route({"x.cancel_order.csv": "sid,comment\na,\n"})
    assert one.outcomes("x.cancel_order.csv") == [("a", "refused", "CANCEL_CLOSED")]
    assert one.statuses() == {"a": "new"}
    clock.advance(5 * 60)
    assert one.route({"y.cancel_order.csv": "sid,comment\na,\n"}).statuses() == {"a": "canceled"}


def test_denials_when_too_many_in_a_minute_then_the_account_is_halted_until_resumed(desk):
    clock = at(10, 0)
    one = desk(
        clock,
        limits={"as_live": True},
        switches={"denials_per_minute": 3, "clock_jump": 0},
        inbox={"on_bad_row": "reject-row"},
    )
    one.route({"a.csv": rows(*(row(f"bad{n}", 150) for n in range(3)))})
    one.route({"b.csv": rows(row("b"), row("c").replace("A1", "A2"))})
    assert refused(one)["b"] == "HALTED_SCOPE"
    assert one.statuses() == {"c": "filled"}
    assert "3 denied within a minute" in (one.inbox / "HALT.A1").read_text(encoding="utf-8")
    one.route()
    (one.inbox / "HALT.A1").unlink()
    assert one.route({"d.csv": rows(row("d", 200))}).statuses() == {"c": "filled", "d": "filled"}


def test_turnover_when_reached_then_the_account_may_only_reduce(desk):
    one = desk(
        at(10, 0), switches={"day_turnover": "1000"}, gateways={"paper": {"positions": {"SHSE.600000": 500}}}
    )
    one.route({"a.csv": rows(row("a"))}).route({"b.csv": rows(row("b"))}).route(
        {"c.csv": rows(row("c", side=2))}
    )
    assert one.statuses() == {"a": "filled", "c": "filled"}
    assert refused(one) == {"b": "REDUCING"}


def test_clock_when_it_jumps_then_all_is_halted_and_cancels_pass(desk):
    clock = at(10, 0)
    one = desk(clock, limits={"as_live": True}, switches={}).route(
        {"a.csv": rows(row("a", symbol=PENDING, price="100"))}
    )
    clock.advance(30)
    one.route({"b.csv": rows(row("b"))}).route({"x.cancel_order.csv": "sid,comment\na,\n"})
    assert refused(one) == {"b": "HALTED"}
    assert one.statuses() == {"a": "canceled"}
    assert "jumped" in (one.inbox / "HALT").read_text(encoding="utf-8")


def test_denials_when_a_basket_is_refused_for_one_row_then_the_others_do_not_count(desk):
    one = desk(at(10, 0), limits={"as_live": True}, switches={"denials_per_minute": 2, "clock_jump": 0})
    one.route({"a.csv": rows(row("a"), row("b"), row("bad", 150))}).route({"b.csv": rows(row("c"))})
    assert one.statuses() == {"c": "filled"}


def test_release_when_the_account_is_halted_then_stays_held(desk):
    one = desk(at(10, 0), inbox={"hold": True}).route({"a.csv": rows(row("a"), row("b"))})
    one.put({"HALT.A1": ""})
    one.route().route({"r.release.csv": "sid\na\n"})
    assert one.statuses() == {"a": "held", "b": "held"}
    assert one.outcomes("a.csv")[0] == ("a", "held", "HELD_SWITCH")
    assert one.at_broker() == []


def test_held_order_when_its_account_is_halted_at_the_opening_then_goes_by_itself_after_resume(desk):
    clock = at(8, 50)
    one = desk(clock, limits={"as_live": True}).route({"a.csv": rows(row("a"))})
    one.put({"HALT.A1": ""})
    clock.advance(3600)
    assert one.route().outcomes("a.csv") == [("a", "held", "HELD_SESSION")]
    (one.inbox / "HALT.A1").unlink()
    assert one.route().statuses() == {"a": "filled"}


@pytest.mark.parametrize("restarted", [False, True])
def test_day_limit_when_another_day_begins_then_begins_anew(desk, restarted):
    clock = at(10, 0)
    one = desk(clock, limits={"max_day_value": "1000", "orders_per_day": 1}).route({"a.csv": rows(row("a"))})
    if restarted:
        one.close()
    clock.advance(24 * 3600)
    assert one.route({"b.csv": rows(row("b"))}).statuses() == {"a": "filled", "b": "filled"}
    assert one.route({"c.csv": rows(row("c"))}).outcomes("c.csv") == [("c", "denied", "LIMIT_DAY_ORDERS")]
