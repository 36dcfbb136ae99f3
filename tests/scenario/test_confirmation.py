"""The window, the alarm, the proof of absence, and sending again: a router with a 掘金 gateway before a terminal with faults."""

from collections import Counter

import pytest
from builders import a_clock
from click.testing import CliRunner
from file_desk import HEADER, buys

from orderdrop.cli import main
from orderdrop.system.clock import trade_date
from orderdrop.terminal import Faults, Stall
from orderdrop.terminal.outputs import OutputFolder


def test_basket_when_the_terminal_is_well_is_filled_once(file_desk):
    desk = file_desk()
    desk.put({"a.csv": buys(100)})
    desk.later(5)
    assert set(desk.statuses().values()) == {"filled"}
    assert desk.executed() == dict.fromkeys((f"S{n}" for n in range(100)), 1)
    assert desk.taken_by_terminal() == 1


def test_orders_when_more_than_the_window_wait_for_confirmations(file_desk):
    desk = file_desk(window=40)
    desk.put({"a.csv": buys(100)})
    desk.later(3, terminal=False)
    assert sorted(desk.statuses().values()) == ["ready"] * 60 + ["submitted"] * 40
    desk.later(10)
    assert set(desk.statuses().values()) == {"filled"}
    assert sum(desk.executed().values()) == 100


def test_orders_when_more_drops_keep_coming_are_noted_later_and_still_counted_against_the_window(
    file_desk, monkeypatch
):
    desk = file_desk(window=40)
    app = desk.open()
    with monkeypatch.context() as busy:
        busy.setattr(type(app.inbox), "stirring", property(lambda _inbox: True))
        busy.setattr(
            "orderdrop.execution.submission._NOTE_WITHIN", float("inf")
        )  # however slow this machine is
        for n in range(6):
            desk.put({f"{n}.csv": buys(15, first=15 * n)})
            desk.later(0.02, terminal=False, step=0.02)
        noted = Counter(desk.statuses().values())
    left = [line for file in desk.scan.glob("*.csv") for line in file.read_text().splitlines()[1:]]
    assert len(left) == 40
    assert noted == {"submitting": 40, "ready": 50}
    desk.later(0.5, terminal=False)
    assert Counter(desk.statuses().values()) == {"submitted": 40, "ready": 50}
    desk.later(20)
    assert desk.executed() == dict.fromkeys((f"S{n}" for n in range(90)), 1)


def test_terminal_when_it_loses_rows_under_auto_then_each_order_is_executed_once(file_desk):
    desk = file_desk(Faults(seed=5, lose=0.1), resend="auto")
    desk.put({"a.csv": buys(250)})
    desk.later(400, until=lambda: set(desk.statuses().values()) == {"filled"})
    assert desk.lost()
    assert desk.executed() == dict.fromkeys((f"S{n}" for n in range(250)), 1)
    assert set(desk.statuses().values()) == {"filled"}


def test_orders_when_the_account_does_not_agree_for_one_then_the_others_are_asked_about_next(
    file_desk, monkeypatch
):
    """As when an asking takes too long: it comes to the first one only."""
    first = []

    def objections(_agreeing, suspects):
        orders = [one.order for one in suspects]
        first.append(orders[0])
        return dict.fromkeys(orders, "") | {orders[0]: "it does not agree"}

    monkeypatch.setattr("orderdrop.execution.agreeing.Agreeing.objections", objections)
    desk = file_desk(Faults(lose=1.0))
    desk.put({"a.csv": buys(3)})
    desk.later(200, until=lambda: len(set(first)) == 3)
    assert len(set(first[:3])) == 3
    assert set(desk.statuses().values()) == {"unknown"}
    assert desk.taken_by_terminal() == 1


def test_terminal_when_it_loses_rows_under_ask_then_each_missing_one_is_named_and_nothing_is_sent_again(
    file_desk,
):
    desk = file_desk(Faults(seed=5, lose=0.1))
    desk.put({"a.csv": buys(100)})
    desk.later(150)
    lost = set(desk.lost())
    assert lost
    assert {sid for sid, status in desk.statuses().items() if status == "unknown"} == lost
    told = {sid: code for sid, outcome, code in desk.outcomes("a.csv") if outcome == "unknown"}
    assert told == dict.fromkeys(lost, "PROVEN_ABSENT")
    assert desk.taken_by_terminal() == 1


def test_resend_when_proven_absent_then_the_same_sid_is_handed_over_once_more(file_desk):
    desk = file_desk(Faults(seed=5, lose=0.1))
    desk.put({"a.csv": buys(100)})
    desk.later(150)
    lost = sorted(desk.lost())
    desk.fault(Faults())
    desk.put({"r.resend.csv": "sid\n" + "".join(f"{sid}\n" for sid in lost)})
    desk.later(5)
    assert {outcome for _sid, outcome, _code in desk.outcomes("r.resend.csv")} == {"done"}
    assert set(desk.statuses().values()) == {"filled"}
    assert max(desk.executed().values()) == 1


def test_resend_when_not_answered_yet_has_its_full_time_again(file_desk):
    desk = file_desk()
    desk.put({"a.csv": buys(1)})
    desk.later(3)
    desk.fault(Faults(lose=1.0))
    desk.later(1)
    desk.put({"b.csv": buys(1, first=1)})
    desk.later(100)
    desk.put({"r.resend.csv": "sid\nS1\n"})
    desk.later(4, terminal=False)
    assert desk.statuses()["S1"] == "submitted"
    desk.later(3, terminal=False)
    assert desk.statuses()["S1"] == "unknown"


def test_story_of_an_order_that_was_handed_over_again_says_so(file_desk):
    desk = file_desk(Faults(seed=5, lose=0.1), resend="auto")
    desk.put({"a.csv": buys(100)})
    desk.later(300, until=lambda: set(desk.statuses().values()) == {"filled"})
    (desk.root / "orderdrop.toml").write_text(
        f"[gateways.gm]\ntype = 'goldminer'\nlive = false\nscan_dir = '{desk.scan}'\npush_dir = '{desk.push}'\n"
    )
    date = trade_date(desk.clock.now()).isoformat()
    story = CliRunner().invoke(main, ["-C", str(desk.root), "why", min(desk.lost()), "--date", date])
    assert "proven lost before" in story.output
    assert "checks passed" not in story.output


def test_cancel_when_proven_absent_is_done_here(file_desk):
    desk = file_desk()
    desk.put({"a.csv": buys(1)})
    desk.later(3)
    desk.fault(Faults(lose=1.0))
    desk.later(1)
    desk.put({"b.csv": buys(1, first=1)})
    desk.later(100)
    assert desk.outcomes("b.csv") == [("S1", "unknown", "PROVEN_ABSENT")]
    desk.put({"c.cancel_order.csv": "sid\nS1\n"})
    desk.later(2)
    assert desk.statuses() == {"S0": "filled", "S1": "canceled"}


def test_terminal_when_it_hangs_for_a_minute_and_then_takes_everything_then_nothing_is_doubled(file_desk):
    desk = file_desk(Faults(stalls=(Stall(0.1, 60),)), resend="auto")
    desk.put({"a.csv": buys(30)})
    desk.later(30)
    assert set(desk.statuses().values()) == {"unknown"}
    desk.later(200)
    assert set(desk.statuses().values()) == {"filled"}
    assert set(desk.executed().values()) == {1}


@pytest.mark.parametrize("late", [3.0, 20.0, 50.0])
def test_terminal_when_its_output_is_late_then_nothing_is_doubled(file_desk, late):
    desk = file_desk(Faults(late=late), resend="auto")
    for number in range(5):
        desk.put({f"{number}.csv": buys(20, first=20 * number)})
        desk.later(7)
    desk.later(200)
    assert set(desk.statuses().values()) == {"filled"}
    assert set(desk.executed().values()) == {1}


def test_file_when_the_terminal_does_not_take_it_is_unknown_and_waits(file_desk):
    desk = file_desk(resend="auto")
    desk.put({"a.csv": buys(3)})
    desk.later(200, terminal=False)
    rows = desk.receipt("a.csv")
    assert {row["outcome"] for row in rows} == {"unknown"}
    assert "扫单文件夹" in rows[0]["原因"]
    assert len(list(desk.scan.glob("*.order.csv"))) == 1
    desk.later(5)
    assert set(desk.executed().values()) == {1}
    assert [(row["outcome"], row["code"]) for row in desk.receipt("a.csv")] == [("filled", "")] * 3


def test_cancel_of_an_order_that_is_not_confirmed_waits_until_it_is(file_desk):
    desk = file_desk()
    desk.put({"a.csv": HEADER + "P,A1,SHSE.018014,10,1,1,100\n"})
    desk.later(1, terminal=False)
    desk.put({"c.cancel_order.csv": "sid\nP\n"})
    desk.later(1, terminal=False)
    assert desk.outcomes("c.cancel_order.csv") == [("P", "asked", "CANCEL_WAITS")]
    assert not list(desk.scan.glob("*.cancel_order.csv"))
    desk.later(3)
    assert desk.statuses() == {"P": "canceled"}
    assert desk.outcomes("c.cancel_order.csv") == [("P", "done", "")]


def test_window_when_orders_are_missed_is_halved_and_grows_again(file_desk):
    desk = file_desk(Faults(seed=5, lose=0.2), resend="auto", window=40)
    window = desk.open().router.confirmation._trackers["gm"].window
    desk.put({"a.csv": buys(40)})
    desk.later(150, until=lambda: window.size < 40)
    assert window.size == 20
    desk.fault(Faults())
    desk.put({"b.csv": buys(400, first=100)})
    desk.later(300)
    assert window.size == 40
    assert set(desk.executed().values()) == {1}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_orders_when_executed_at_once_and_told_late_beside_others_that_are_lost_then_nothing_is_doubled(
    file_desk, seed
):
    """Neighbours are told in time, so are cash and holdings: these know of what the reports do not tell yet."""
    desk = file_desk(Faults(seed=seed, hush=0.06, hush_for=20, lose=0.04), resend="auto")
    for number in range(13):
        desk.put({f"{number}.csv": buys(12, first=12 * number)})
        desk.later(3, step=0.4)
    desk.later(300, step=0.4, until=lambda: set(desk.statuses().values()) == {"filled"})
    assert desk.lost()
    assert desk.executed() == dict.fromkeys((f"S{n}" for n in range(156)), 1)


def test_orders_when_told_late_and_proven_by_nothing_then_the_reason_says_what_is_left_over(file_desk):
    desk = file_desk(Faults(hush=1.0, hush_for=200), resend="auto", lost_after=5)
    desk.put({"a.csv": buys(1)})
    desk.later(60, step=0.4)
    assert desk.outcomes("a.csv") == [("S0", "unknown", "UNCONFIRMED")]
    assert "holdings have changed" in desk.receipt("a.csv")[0]["reason"]
    desk.later(200, step=1)
    assert desk.statuses() == {"S0": "filled"}
    assert desk.executed() == {"S0": 1}


@pytest.mark.parametrize("side", [1, 2])
def test_order_when_it_rests_and_is_told_late_then_what_it_has_set_aside_tells_of_it(file_desk, side):
    pending = "SHSE.018014"
    desk = file_desk(
        Faults(hush=1.0, hush_for=200), resend="auto", lost_after=5, habits={"holdings": ((pending, 100),)}
    )
    desk.put({"a.csv": HEADER + f"P,A1,{pending},10,1,{side},100\n"})
    desk.later(100, step=0.4)
    assert desk.statuses() == {"P": "unknown"}
    assert "it may be this one" in desk.receipt("a.csv")[0]["reason"]
    assert desk.executed() == {"P": 1}


@pytest.mark.parametrize(
    ("told", "why"), [("nothing", "no funds"), ("no holdings", "no holdings"), ("at first", "no funds and")]
)
def test_order_when_it_is_lost_and_the_account_is_not_told_then_unknown_for_good_and_the_reason_says_so(
    file_desk, monkeypatch, told, why
):
    tell = OutputFolder.account

    def account(folder, its, now):
        if told == "no holdings":
            monkeypatch.setattr(folder._folder(its.account_id).position, "write", lambda: None)
        if told == "no holdings" or (told == "at first" and now <= started):
            tell(folder, its, now)

    monkeypatch.setattr(OutputFolder, "account", account)
    started = a_clock().now()
    desk = file_desk(Faults(seed=5, lose=0.3), resend="auto", lost_after=5)
    if told == "nothing":
        (desk.push / "A1" / "cash.csv").unlink()
    if told != "at first":
        (desk.push / "A1" / "position.csv").unlink(missing_ok=True)
    desk.later(1)
    for number in range(12):
        desk.put({f"{number}.csv": buys(2, first=2 * number)})
        desk.later(4, step=0.4)
    lost = desk.lost()
    assert {sid for sid, status in desk.statuses().items() if status == "unknown"} == set(lost)
    reasons = [desk.orders()[f"S{n}"]["reason_value"] for n in range(8) if f"S{n}" in lost]
    assert reasons
    assert all(why in reason for reason in reasons), reasons
    assert set(desk.executed().values()) == {1}


def test_orders_when_the_output_is_begun_anew_then_unknown_for_good_and_the_reason_says_so(file_desk):
    desk = file_desk(Faults(anew_at=(8.0,), hush=1.0, hush_for=10_000), resend="auto", lost_after=5)
    desk.later(7)
    desk.put({"a.csv": buys(3)})
    desk.later(120, step=0.5)
    assert set(desk.statuses().values()) == {"unknown"}
    assert set(desk.executed().values()) == {1}
    assert "began its output anew" in desk.receipt("a.csv")[0]["reason"]


@pytest.mark.parametrize("kill_after", [0.4, 2, 7, 14, 30])
def test_router_when_it_dies_while_rows_are_missing_then_each_order_is_executed_once(file_desk, kill_after):
    desk = file_desk(Faults(seed=8, lose=0.15, torn=True), resend="auto", window=30)
    desk.later(2)
    # What is in flight while the output has no row yet cannot be proven after a death.
    desk.put({"first.csv": buys(5, first=900)})
    desk.later(300, until=lambda: set(desk.statuses().values()) == {"filled"})
    desk.put({"a.csv": buys(120)})
    for _ in range(3):
        desk.later(kill_after)
        desk.crash()
    desk.later(600, until=lambda: set(desk.statuses().values()) == {"filled"})
    assert desk.executed() == dict.fromkeys((f"S{n}" for n in (*range(900, 905), *range(120))), 1)
