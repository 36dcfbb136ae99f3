"""What a decision rests on is kept, and asked once more when the order leaves: released, restarted, with other settings, after its hours."""

from __future__ import annotations

import os
import sqlite3
from datetime import datetime

import pytest

from orderdrop.config.settings import Settings
from orderdrop.system.clock import SHANGHAI, FixedClock

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
PENDING = "SHSE.018014"  # the paper broker leaves it open
TWO = {"one": {"type": "paper", "cash": "1000000"}, "two": {"type": "paper", "cash": "1000000"}}


@pytest.fixture
def desk(desk):
    """A desk that knows the year, and does not mind that its clock is moved on by hand."""

    def make(*given, **settings):
        one = desk(*given, **{"switches": {"clock_jump": 0}} | settings)
        (one.root / "calendar.csv").write_text("closed,note\n2026-10-01,\n")
        return one

    return make


@pytest.fixture
def clock():
    return at(10, 0)


def at(hours: int, minutes: int, seconds: int = 0) -> FixedClock:
    """That time of Friday 2026-11-20."""
    return FixedClock(datetime(2026, 11, 20, hours, minutes, seconds, tzinfo=SHANGHAI))


def row(sid: str, volume: int = 100, price: str = "10.00", symbol: str = "SHSE.600000", side: int = 1) -> str:
    return f"{sid},A1,{symbol},{volume},1,{side},{price}\n"


def rows(*of: str) -> str:
    return HEADER + "".join(of)


def later(sid: str, not_before: str) -> str:
    return f"{HEADER.strip()},not_before\n{row(sid).strip()},{not_before}\n"


def of(strategy: str, *sids: str, volume: int = 100) -> str:
    lines = "".join(f"{row(sid, volume).strip()},{strategy}\n" for sid in sids)
    return f"{HEADER.strip()},strategy\n{lines}"


def knows(one, text: str) -> None:
    """An instruments.csv of today."""
    path = one.root / "instruments.csv"
    path.write_text(f"symbol,{text}")
    os.utime(path, (one._clock.now() / 1e6,) * 2)


def release(one, *sids: str):
    return one.route({f"{'-'.join(sids)}.release.csv": "sid\n" + "".join(f"{sid}\n" for sid in sids)})


def other_settings(one, **settings):
    """The router starts anew with these."""
    one.close()
    kept = one._settings.model_dump(exclude_unset=True)
    one._settings = Settings.model_validate(kept | settings)
    return one.route()


def refused(desk) -> dict[str, str]:
    return {o["sid"]: o["reason_code"] for o in desk.query("SELECT * FROM orders WHERE status = 'denied'")}


def counts(one, name: str) -> tuple[int, int, int]:
    """Rows, accepted and denied, from which `drops` and `status` tell them."""
    (drop,) = one.query(f"SELECT * FROM drops WHERE name = '{name}'")
    return drop["rows"], drop["accepted"], drop["denied"]


def held(one) -> dict[str, str]:
    return {o["sid"]: o["held_for"] for o in one.query("SELECT * FROM orders WHERE status = 'held'")}


# released


@pytest.mark.parametrize("restarted", [False, True])
def test_release_when_before_its_time_then_waits_for_it(desk, clock, restarted):
    one = desk(clock, inbox={"hold": True}).route({"a.csv": later("a", "10:05")})
    assert held(one) == {"a": "HELD HELD_NOT_BEFORE"}
    if restarted:
        one.restart()
    release(one, "a")
    assert held(one) == {"a": "HELD_NOT_BEFORE"}
    assert one.outcomes("a.csv") == [("a", "held", "HELD_NOT_BEFORE")]
    assert one.at_broker() == []
    clock.advance(301)
    assert one.route().statuses() == {"a": "filled"}


def test_repeat_when_it_has_a_time_as_well_then_both_hold_and_both_are_told(desk, clock):
    one = desk(clock, limits={"repeat_window": 60}).route({"a.csv": rows(row("a"))})
    one.route({"b.csv": later("b", "10:05")})
    assert held(one) == {"b": "REPEATED HELD_NOT_BEFORE"}
    assert one.outcomes("b.csv") == [("b", "held", "REPEATED")]
    assert "HELD_NOT_BEFORE" in one.receipt("b.csv")[0]["note"]
    clock.advance(301)
    assert one.route().statuses()["b"] == "held"  # its time has come, and nobody has released it
    assert release(one, "b").statuses()["b"] == "filled"


def test_release_when_the_hours_are_over_then_denied_as_a_new_one(desk, clock):
    one = desk(clock, inbox={"hold": True}, limits={"hours_allowed": ["09:30-10:30"]}).route(
        {"a.csv": rows(row("a"))}
    )
    clock.advance(1801)
    release(one, "a")
    assert refused(one) == {"a": "LIMIT_HOURS"}
    assert one.outcomes("a.csv") == [("a", "denied", "LIMIT_HOURS")]
    assert one.at_broker() == []
    assert counts(one, "a.csv") == (1, 0, 1)
    assert one.route({"again.csv": rows(row("a"))}).outcomes("again.csv") == [("a", "duplicate", "DUPLICATE")]


def test_release_of_a_market_order_when_in_the_opening_call_then_waits_for_continuous_trading(desk):
    clock = at(9, 16)
    one = desk(clock, inbox={"hold": True}, limits={"as_live": True})
    knows(one, "previous_close\n600000.SH,10.00\n")
    (one.root / "quotes.csv").write_text("symbol,price\nSHSE.600000,10.00\n")
    one.route({"a.csv": rows("a,A1,SHSE.600000,100,24,1,11.00\n")})
    release(one, "a")
    assert held(one) == {"a": "HELD_SESSION"}
    clock.advance(15 * 60)
    assert one.route().statuses() == {"a": "filled"}


def test_release_when_switched_off_meanwhile_then_its_time_still_holds(desk, clock):
    one = desk(clock, inbox={"hold": True}).route({"a.csv": later("a", "10:05")})
    one.put({"HALT.A1": ""})
    release(one, "a")
    assert held(one) == {"a": "HELD_SWITCH"}
    (one.inbox / "HALT.A1").unlink()
    one.put({"again.release.csv": "sid\na\n"})
    assert held(one.route()) == {"a": "HELD_NOT_BEFORE"}
    clock.advance(301)
    assert one.route().statuses() == {"a": "filled"}


# other settings


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"limits": {"symbols_forbidden": ["SHSE.600000"]}}, "LIMIT_SYMBOL"),
        ({"limits": {"max_order_value": "999"}}, "LIMIT_ORDER_VALUE"),
        ({"limits": {"max_day_bought": "1500"}}, "LIMIT_DAY_VALUE"),
        ({"limits": {"sides_allowed": ["sell"]}}, "LIMIT_SIDE"),
        ({"accounts": {"A2": {}}}, "ACCOUNT_UNKNOWN"),
        ({"limits": {"as_live": True}, "calendar": {"extra_closed": ["2026-11-20"]}}, None),
    ],
)
def test_held_order_when_the_settings_have_changed_then_they_bind_it(desk, clock, changed, code):
    one = desk(clock, strategies={"alpha": {"hold": True}}, accounts={"A1": {}, "A2": {}})
    one.route({"b.csv": rows(row("b")), "alpha/a.csv": rows(row("a"))})
    other_settings(one, **changed)
    release(one, "a")
    assert [sid for sid, *_ in one.at_broker()] == ["b"]
    assert refused(one) == ({"a": code} if code else {})


def test_order_that_waits_for_its_turn_when_the_settings_have_changed_then_they_bind_it(desk, clock):
    one = desk(clock, limits={"orders_per_second": 1})
    one.put({"a.csv": rows(row("a"), row("b"), row("c", 200))})
    one.open().turn(lambda _done: None)
    assert one.statuses() == {"a": "submitted", "b": "ready", "c": "ready"} or one.statuses()["b"] == "ready"
    one.close()
    one._settings = Settings.model_validate(
        one._settings.model_dump(exclude_unset=True) | {"limits": {"max_order_volume": 100}}
    )
    one.route()
    assert one.statuses() == {"a": "filled", "b": "filled", "c": "denied"}
    assert refused(one) == {"c": "LIMIT_ORDER_VOLUME"}
    assert counts(one, "a.csv") == (3, 2, 1)


@pytest.mark.parametrize("newer", ["in its turn", "behind it", "at another gateway", "held"])
def test_orders_that_wait_when_the_limits_were_lowered_then_the_older_goes_and_the_newer_is_over_them(
    desk, clock, newer
):
    """Which order is over a limit is told by their order alone, wherever the newer ones wait."""
    accounts = {"A1": {"gateway": "one"}, "A2": {"gateway": "two"}}
    one = desk(
        clock,
        gateways=TWO,
        accounts=accounts,
        limits={"orders_per_second": 1},
        strategies={"s": {"hold": True}},
    )
    last, bound = row("new"), "2000"
    gone = [row("gone")]
    if newer == "at another gateway":
        last, bound = last.replace("A1", "A2"), "3000"
        gone.append(row("gone2").replace("A1", "A2"))
    one.put({"a.csv": rows(*gone), "b.csv": rows(row("old"), *([] if newer == "held" else [last]))})
    if newer == "held":
        one.put({"s/c.csv": rows(last)})
    app = one.open()
    while "new" not in one.statuses():
        app.inbox._next_scan = 0.0
        app.turn(lambda _done: None)
    assert {sid: one.statuses()[sid] for sid in ("old", "new")} == {
        "old": "ready",
        "new": "held" if newer == "held" else "ready",
    }
    one.close()
    pace = 10 if newer == "in its turn" else 1
    one._settings = Settings.model_validate(
        one._settings.model_dump(exclude_unset=True)
        | {"limits": {"orders_per_second": pace, "max_day_bought": bound}}
    )
    for _ in range(4):
        clock.advance(1)
        one.route()
    if newer == "held":
        release(one, "new")
    assert one.statuses()["old"] == "filled"
    assert refused(one) == {"new": "LIMIT_DAY_VALUE"}


@pytest.mark.parametrize("restarted", [False, True])
def test_orders_that_wait_when_they_fill_the_limits_exactly_then_all_go(desk, clock, restarted):
    one = desk(
        clock,
        gateways={"paper": {"cash": "5026"}},
        limits={"as_live": True, "orders_per_second": 2, "max_day_bought": "5000", "open_orders": 5,
                "orders_per_day": 5, "max_position": 500, "repeat_window": 60, "max_wait": 3},
    )  # fmt: skip
    one.put({"a.csv": rows(*(row(f"s{n}") for n in range(5)))})
    app = one.open()
    for _ in range(4):
        app.turn(lambda _done: None)
        app.turn(lambda _done: None)
        clock.advance(1)
        if restarted:
            one.close()
            app = one.open()
    one.route()
    assert refused(one) == {}
    assert set(one.statuses().values()) == {"filled"}


def test_account_when_it_has_moved_to_another_gateway_then_its_order_leaves_through_none(desk, clock):
    one = desk(
        clock,
        inbox={"hold": True},
        gateways=TWO,
        accounts={"A1": {"gateway": "one"}, "A2": {"gateway": "two"}},
    )
    one.route({"a.csv": rows(row("a"))})
    other_settings(one, accounts={"A1": {"gateway": "two"}, "A2": {"gateway": "one"}})
    release(one, "a")
    assert refused(one) == {"a": "GATEWAY_OTHER"}


# the worth of an order


def market(sid: str, volume: int, side: int = 1) -> str:
    return f"{sid},A1,SHSE.600000,{volume},24,{side},\n"


@pytest.mark.parametrize("then", ["10.00", "9.20", None])
def test_market_order_when_restarted_then_worth_what_it_was(desk, clock, then):
    one = desk(clock, inbox={"hold": True}, limits={"max_day_bought": "11500"})
    knows(one, "previous_close\n600000.SH,10.00\n")
    one.route({"a.csv": rows(market("a", 1000))})
    assert one.orders()["a"]["worth"] == "11000.00"
    one.close()
    if then is None:
        (one.root / "instruments.csv").unlink()
    else:
        knows(one, f"previous_close\n600000.SH,{then}\n")
    one.route({"b.csv": rows(row("b"))})
    assert refused(one) == {"b": "LIMIT_DAY_VALUE"}


def test_market_order_when_its_worth_was_never_known_then_fills_every_limit(desk, clock):
    one = desk(clock, inbox={"hold": True}).route({"a.csv": rows(market("a", 1000))})
    other_settings(one, limits={"max_day_bought": "1000000000"})
    one.route({"b.csv": rows(row("b"))})
    assert refused(one) == {"b": "LIMIT_DAY_VALUE"}


@pytest.mark.parametrize("sale", ["m,A1,SHSE.600000,10000,24,2,0.01\n", "m,A1,SHSE.600000,10000,1,2,0.01\n"])
def test_sale_when_priced_at_a_cent_then_worth_what_it_may_bring(desk, sale):
    one = desk(
        at(9, 16),
        limits={"max_order_value": "5000"},
        gateways={"paper": {"positions": {"SHSE.600000": 10000}}},
    )
    knows(one, "last\n600000.SH,10.00\n")
    (one.root / "quotes.csv").write_text("symbol,price\nSHSE.600000,10.00\n")
    one.route({"a.csv": rows(sale)})
    assert refused(one) == {"m": "LIMIT_ORDER_VALUE"}


def test_sale_when_nobody_knows_a_price_then_a_market_order_is_refused_and_of_a_limit_order_it_is_said(
    desk, clock
):
    one = desk(
        clock, limits={"max_day_sold": "5000"}, gateways={"paper": {"positions": {"SHSE.600000": 10000}}},
        inbox={"on_bad_row": "reject-row"},
    )  # fmt: skip
    one.route({"a.csv": rows("m,A1,SHSE.600000,100,24,2,9.00\n", row("l", side=2), row("b"))})
    assert refused(one) == {"m": "REFERENCE_NEEDED"}
    notes = {line["sid"]: line["note"] for line in one.receipt("a.csv")}
    assert "WORTH_UNKNOWN" in notes["l"]
    assert "WORTH_UNKNOWN" not in notes["b"]


# names


@pytest.mark.parametrize("spelled", ["Alpha", "ALPHA", "alpha"])
def test_strategy_when_spelled_another_way_then_bound_all_the_same(desk, clock, spelled):
    one = desk(
        clock,
        strategies={"alpha": {"limits": {"max_order_volume": 100, "open_orders": 1}}},
        inbox={"on_bad_row": "reject-row"},
    )
    one.route({"a.csv": of(spelled, "a", volume=200), f"{spelled}/b.csv": rows(row("b", 200))})
    assert refused(one) == {"a": "LIMIT_ORDER_VOLUME", "b": "LIMIT_ORDER_VOLUME"}
    one.route({"c.csv": f"{HEADER.strip()},strategy\n{row('c', 100, '100', PENDING).strip()},{spelled}\n"})
    one.route({"d.csv": of("aLPHa", "d")})
    assert refused(one)["d"] == "LIMIT_OPEN_ORDERS"
    one.put({"alpha/HALT": ""})
    one.route({"e.csv": of(spelled, "e")})
    assert refused(one)["e"] == "HALTED_SCOPE"


def test_strategy_when_held_by_another_spelling_then_held(desk, clock):
    one = desk(clock, strategies={"alpha": {"hold": True}}).route(
        {"a.csv": of("Alpha", "a"), "ALPHA/b.csv": rows(row("b"))}
    )
    assert one.statuses() == {"a": "held", "b": "held"}


def test_account_when_spelled_another_way_then_the_same(desk, clock):
    one = desk(clock, accounts={"A1": {"alias": "Main", "limits": {"max_order_volume": 100}}})
    text = rows(row("a", 200)).replace(",A1,", ",main,")
    one.route({"a.csv": text, "b.csv": rows(row("b", 200)).replace(",A1,", ",a1,")})
    assert refused(one) == {"a": "LIMIT_ORDER_VOLUME", "b": "LIMIT_ORDER_VOLUME"}
    one.put({"HALT.mAIN": ""})
    one.route({"c.csv": rows(row("c"))})
    assert refused(one)["c"] == "HALTED_SCOPE"


@pytest.mark.parametrize("restarted", [False, True])
def test_row_when_it_names_another_strategy_than_its_folder_then_both_bind_it(desk, clock, restarted):
    one = desk(
        clock,
        strategies={"alpha": {"limits": {"max_day_value": "1000"}}, "beta": {}, "gamma": {"hold": True}},
    )
    one.route({"alpha/a.csv": of("beta", "a")})
    if restarted:
        one.restart()
    one.route({"alpha/b.csv": of("beta", "b"), "c.csv": of("alpha", "c"), "d.csv": of("beta", "d")})
    assert refused(one) == {"b": "LIMIT_DAY_VALUE", "c": "LIMIT_DAY_VALUE"}
    assert one.statuses() == {"a": "filled", "d": "filled"}
    one.route({"gamma/e.csv": of("beta", "e")})
    assert held(one) == {"e": "HELD"}


def test_row_when_its_folder_is_switched_off_then_stopped_whatever_it_names(desk, clock):
    one = desk(clock, accounts={"A1": {}, "A2": {}}, inbox={"hold": True})
    one.route({"alpha/w.csv": of("beta", "w")})
    one.put({"alpha/HALT": "", "A2/HALT": ""})
    one.route({"alpha/a.csv": of("beta", "a"), "A2/b.csv": rows(row("b")), "c.csv": of("beta", "c")})
    assert refused(one) == {"a": "HALTED_SCOPE", "b": "HALTED_SCOPE"}
    release(one, "w", "c")
    assert held(one) == {"w": "HELD_SWITCH"}
    assert [sid for sid, *_ in one.at_broker()] == ["c"]


def test_strategy_when_no_setting_names_it_and_others_are_named_then_said(desk, clock):
    one = desk(clock, strategies={"alpha": {}}).route({"a.csv": of("alhpa", "a"), "b.csv": of("Alpha", "b")})
    assert "STRATEGY_UNKNOWN" in one.receipt("a.csv")[0]["note"]
    assert "STRATEGY_UNKNOWN" not in one.receipt("b.csv")[0]["note"]
    assert one.statuses() == {"a": "filled", "b": "filled"}


def test_pace_when_set_for_all_and_for_the_account_then_the_smaller_holds(desk, clock):
    one = desk(clock, limits={"orders_per_second": 2}, accounts={"A1": {"limits": {"orders_per_second": 50}}})
    one.put({"a.csv": rows(*(row(f"s{n}") for n in range(8)))})
    app = one.open()
    app.turn(lambda _done: None)
    app.turn(lambda _done: None)
    assert len(one.at_broker()) == 2


def test_order_when_the_broker_says_more_than_its_fills_then_the_more_counts(desk, clock):
    one = desk(clock).route({"a.csv": rows(row("a", 100, "100", PENDING))})
    one.route({"x.cancel_order.csv": "sid,comment\na,\n"}).close()
    with sqlite3.connect(one.root / "journal.db") as journal:
        journal.execute("UPDATE orders SET told_volume = 50 WHERE sid = 'a'")
    journal.close()
    other_settings(one, limits={"max_day_bought": "5999"})
    one.route({"b.csv": rows(row("b")), "c.csv": rows(row("c", price="9.99"))})
    assert refused(one) == {"b": "LIMIT_DAY_VALUE"}
    assert one.statuses() == {"a": "canceled", "c": "filled"}


def test_late_denial_when_told_then_named_on_the_receipt_with_its_reason(desk, clock):
    one = desk(clock, inbox={"hold": True}).route({"a.csv": rows(row("a"), row("b", 200))})
    other_settings(one, limits={"max_order_volume": 100})
    release(one, "a", "b")
    assert one.outcomes("a.csv") == [("a", "filled", ""), ("b", "denied", "LIMIT_ORDER_VOLUME")]
    assert [e["event"] for e in one.query("SELECT event FROM events WHERE order_ref = (SELECT id FROM orders WHERE sid = 'b') ORDER BY id")] == [
        "held", "ready", "denied",
    ]  # fmt: skip
