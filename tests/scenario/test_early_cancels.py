"""A cancel that is there before its order waits for it, as long as the day lasts; the order never leaves."""

from datetime import datetime

import pytest
from command_line import orderdrop as command
from command_line import printed
from command_words import json_of
from routed_desk import TODAY

from orderdrop.system.clock import SHANGHAI, FixedClock

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
DAY = datetime(2026, 11, 19, 9, 31, tzinfo=SHANGHAI)


def buys(*sids: str) -> str:
    return HEADER + "".join(f"{sid},acc,SHSE.600000,100,1,1,10.35\n" for sid in sids)


def cancel(*sids: str) -> str:
    return "sid,comment\n" + "".join(f"{sid},comments,\n" for sid in sids)


def test_order_when_its_cancel_was_there_before_it_is_cancelled_and_never_leaves(trade):
    desk = trade({"c.cancel_order.csv": cancel("A1")})
    assert desk.outcomes("c.cancel_order.csv") == [("A1", "asked", "CANCEL_EARLY")]
    desk.route({"a.csv": buys("A1", "A2")})
    assert desk.outcomes("c.cancel_order.csv") == [("A1", "done", "")]
    assert desk.outcomes("a.csv") == [("A1", "canceled", "CANCELED_HERE"), ("A2", "filled", "")]
    assert [sid for sid, *_ in desk.at_broker()] == ["A2"]


@pytest.mark.parametrize("followed", [False, True])
def test_cancel_when_text_stands_behind_its_row_is_obeyed_and_the_text_is_told(trade, followed):
    name = f"{TODAY}.cancel_order.csv" if followed else "c.cancel_order.csv"
    desk = trade({"a.csv": buys("A1", "A2", "A3").replace("SHSE.600000", "SHSE.018014")})
    desk.route({name: "sid,comment\nA1,comments,and more,\n"})
    if followed:
        desk.append(name, "A2,comments,\nA3,comments,even more\n")
    desk.route()
    told = {row["sid"]: (row["outcome"], row["note"]) for row in desk.receipt(name)}
    assert told["A1"][0] == "done"
    assert "and more" in told["A1"][1]
    if followed:
        assert told["A2"] == ("done", "")
        assert "even more" in told["A3"][1]
    asked = printed(command("why", name, "--json", at=desk.root))["drops"][0]["instructions"]
    assert {one["sid"]: one["note"] or "" for one in asked} == {
        sid: note for sid, (_state, note) in told.items()
    }
    (asked,) = printed(command("why", "A1", "--json", at=desk.root))["instructions"]
    assert "and more" in asked["note"]
    assert "and more" in command("why", name, at=desk.root).stdout


@pytest.mark.parametrize("names", [("a.csv", "c.cancel_order.csv"), ("z.csv", "c.cancel_order.csv")])
def test_order_when_its_cancel_comes_with_it_never_leaves_whichever_is_read_first(trade, names):
    order, asked = names
    desk = trade({order: buys("A1"), asked: cancel("A1")})
    assert desk.outcomes(asked) == [("A1", "done", "")]
    assert desk.at_broker() == []


def test_cancel_when_it_is_asked_for_twice_beforehand_does_no_harm(trade):
    desk = trade({"b.cancel_order.csv": cancel("A1", "A1"), "c.cancel_order.csv": cancel("A1")})
    desk.route({"a.csv": buys("A1")})
    told = [*desk.outcomes("b.cancel_order.csv"), *desk.outcomes("c.cancel_order.csv")]
    assert told == [("A1", "done", "")] * 3
    assert desk.statuses() == {"A1": "canceled"}


@pytest.mark.parametrize("ended", ["close", "crash"])
def test_cancel_that_waits_when_the_router_ends_still_waits_after_it(trade, ended):
    desk = trade({"c.cancel_order.csv": cancel("A1")})
    getattr(desk, ended)()
    desk.route({"a.csv": buys("A1")})
    assert desk.statuses() == {"A1": "canceled"}
    assert desk.at_broker() == []


def test_cancel_in_a_followed_file_that_stands_there_before_its_order_is_obeyed(trade):
    desk = trade({f"{TODAY}.cancel_order.csv": cancel("A1")})
    desk.append(f"{TODAY}.order.csv", buys("A1"))
    assert desk.route().statuses() == {"A1": "canceled"}
    desk.append(f"{TODAY}.cancel_order.csv", "A2,comments,\n")
    desk.route()
    desk.append(f"{TODAY}.order.csv", "A2,acc,SHSE.600000,100,1,1,10.35\n")
    assert desk.route().statuses() == {"A1": "canceled", "A2": "canceled"}


def test_order_of_a_large_drop_when_its_cancel_waits_never_leaves(trade):
    desk = trade({"c.cancel_order.csv": cancel("L7", "L2999")})
    desk.route({"large.csv": buys(*(f"L{n}" for n in range(3000)))})
    canceled = {sid for sid, status in desk.statuses().items() if status == "canceled"}
    assert canceled == {"L7", "L2999"}
    assert len(desk.at_broker()) == 2998


def test_order_when_a_basket_is_refused_stays_free_for_its_cancel(trade):
    desk = trade({"c.cancel_order.csv": cancel("A1")})
    desk.route({"a.csv": buys("A1") + "A2,acc,SHSE.600000,ten,1,1,10.35\n"})
    assert desk.outcomes("c.cancel_order.csv") == [("A1", "asked", "CANCEL_EARLY")]
    desk.route({"b.csv": buys("A1")})
    assert desk.statuses() == {"A1": "canceled"}


def test_cancel_when_sids_live_a_day_waits_for_todays_order(trade):
    desk = trade({"c.cancel_order.csv": cancel("A1")}, inbox={"sid_scope": "day"})
    assert desk.route({"a.csv": buys("A1")}).statuses() == {"A1": "canceled"}


def test_cancel_when_no_order_came_all_day_is_refused_with_the_next_and_lets_its_orders_go(trade):
    clock = FixedClock(DAY)
    desk = trade({"c.cancel_order.csv": cancel("A1")}, clock)
    clock.advance(86400)
    desk.route()
    assert desk.outcomes("c.cancel_order.csv") == [("A1", "refused", "SID_UNKNOWN")]
    assert desk.route({"a.csv": buys("A1")}).statuses() == {"A1": "filled"}


def test_cancels_when_many_wait_then_each_order_finds_its_own(trade):
    sids = [f"S{n}" for n in range(500)]
    desk = trade({"c.cancel_order.csv": cancel(*sids)})
    desk.route({"a.csv": buys(*sids, "OTHER")})
    assert [sid for sid, *_ in desk.at_broker()] == ["OTHER"]
    assert {state for _sid, state, _code in desk.outcomes("c.cancel_order.csv")} == {"done"}


def test_release_and_resend_when_nobody_knows_the_order_are_refused_at_once(trade):
    desk = trade({"r.release.csv": "sid\nA1\n", "s.resend.csv": "sid\nA1\n"})
    assert (
        desk.outcomes("r.release.csv") == desk.outcomes("s.resend.csv") == [("A1", "refused", "SID_UNKNOWN")]
    )


# what is told of it


def test_status_and_drops_when_cancels_wait_or_were_refused_tell_them(desk):
    router = desk()
    router.route({"c.cancel_order.csv": cancel("EARLY"), "r.release.csv": "sid\nNOBODY\n"})
    router.close()
    found, ended = json_of(router.root, "status")
    assert (found["cancels_waiting"], ended) == (["EARLY"], 1)
    assert [(row["sid"], row["code"]) for row in found["refused"]] == [("NOBODY", "SID_UNKNOWN")]
    assert [problem for problem in found["problems"] if "EARLY" in problem or "NOBODY" in problem]
    drops, ended = json_of(router.root, "drops")
    counts = {drop["name"]: (drop["accepted"], drop["denied"]) for drop in drops}
    assert (counts, ended) == ({"c.cancel_order.csv": (1, 0), "r.release.csv": (0, 1)}, 1)
    assert [error["code"] for drop in drops for error in drop["errors"]] == ["SID_UNKNOWN"]


def test_status_when_a_cancel_came_too_late_tells_it_and_is_no_problem(desk):
    router = desk()
    router.route({"a.csv": buys("A1")}).route({"c.cancel_order.csv": cancel("A1")})
    router.close()
    found, ended = json_of(router.root, "status")
    assert [(row["sid"], row["code"]) for row in found["refused"]] == [("A1", "CANCEL_FINISHED")]
    assert (found["problems"], ended) == ([], 0)
