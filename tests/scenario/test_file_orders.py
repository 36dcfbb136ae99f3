"""Fills that lag, sells before buys, interrupted hand-overs, several accounts and folders: a router with a 掘金 gateway."""

from file_desk import HEADER, buys
from routed_desk import Desk

from orderdrop.terminal import Faults

SELL = "V{0},A1,SHSE.600000,100,1,2,10\n"


def test_order_when_filled_before_its_fills_are_told_is_partially_filled_until_they_add_up(file_desk):
    desk = file_desk(habits={"report_lag": 10.0})
    desk.put({"a.csv": buys(1)})
    desk.later(5)
    assert desk.statuses() == {"S0": "partially_filled"}
    desk.later(10)
    order = desk.orders()["S0"]
    assert (order["status"], order["filled_volume"], order["reason_code"]) == ("filled", 100, None)


def test_order_when_its_fills_never_come_is_filled_after_a_while_and_says_so(file_desk):
    desk = file_desk(habits={"report_lag": 100.0}, fills_timeout=8)
    desk.put({"a.csv": buys(1)})
    desk.later(3)
    desk.restart()
    desk.later(10)
    assert desk.outcomes("a.csv") == [("S0", "filled", "FILLS_MISSING")]
    assert "0 / 100" in desk.receipt("a.csv")[0]["原因"]
    desk.later(100)
    assert desk.outcomes("a.csv") == [("S0", "filled", "")]
    assert desk.orders()["S0"]["filled_volume"] == 100


def test_basket_when_sells_go_first_then_they_stand_first_in_the_file(file_desk):
    desk = file_desk(sells_first=True, habits={"holdings": (("SHSE.600000", 100_000),)})
    mixed = HEADER + "".join(f"B{n},A1,SHSE.600000,100,1,1,10\n" + SELL.format(n) for n in range(4))
    desk.put({"a.csv": mixed})
    desk.later(0.2, terminal=False)
    (file,) = desk.scan.glob("*.order.csv")
    sids = [line.split(",")[0] for line in file.read_text("utf-8-sig").splitlines()[1:]]
    assert sids == ["V0", "V1", "V2", "V3", "B0", "B1", "B2", "B3"]
    desk.later(5)
    assert set(desk.statuses().values()) == {"filled"}


def test_basket_when_sells_go_first_and_the_window_is_narrow_then_all_sells_leave_before_any_buy(file_desk):
    desk = file_desk(sells_first=True, window=3, habits={"holdings": (("SHSE.600000", 100_000),)})
    mixed = HEADER + "".join(f"B{n},A1,SHSE.600000,100,1,1,10\n" + SELL.format(n) for n in range(4))
    desk.put({"a.csv": mixed})
    desk.later(20)
    in_order = "SELECT sid FROM orders ORDER BY batch_id, order_business DESC, id"
    assert [row["sid"] for row in desk.query(in_order)] == ["V0", "V1", "V2", "V3", "B0", "B1", "B2", "B3"]
    assert all(order["submitted_at"] for order in desk.orders().values())


def test_cancel_when_the_order_fills_first_is_refused_as_finished(file_desk):
    desk = file_desk(habits={"ack_delay": 2.0, "fill_delay": 1.0})
    desk.put({"a.csv": buys(1)})
    desk.later(2.6)
    assert desk.statuses() == {"S0": "new"}
    desk.put({"c.cancel_order.csv": "sid\nS0\n"})
    desk.later(10)
    assert desk.statuses() == {"S0": "filled"}
    assert desk.outcomes("c.cancel_order.csv")[0][1] == "refused"


def test_cancel_when_the_terminal_loses_it_is_handed_over_again(file_desk):
    desk = file_desk()
    desk.put({"a.csv": HEADER + "P,A1,SHSE.018014,10,1,1,100\n"})
    desk.later(3)
    desk.fault(Faults(lose=1.0))
    desk.put({"c.cancel_order.csv": "sid\nP\n"})
    desk.later(4)
    desk.fault(Faults())
    desk.restart()
    desk.later(10)
    assert desk.statuses() == {"P": "canceled"}
    assert desk.outcomes("c.cancel_order.csv") == [("P", "done", "")]


def test_cancel_when_the_terminal_never_answers_says_so(file_desk):
    desk = file_desk()
    desk.put({"a.csv": HEADER + "P,A1,SHSE.018014,10,1,1,100\n"})
    desk.later(3)
    desk.fault(Faults(lose=1.0))
    desk.put({"c.cancel_order.csv": "sid\nP\n"})
    desk.later(30)
    assert desk.outcomes("c.cancel_order.csv") == [("P", "sent", "CANCEL_UNANSWERED")]
    assert desk.statuses() == {"P": "new"}


def test_cancel_when_the_order_is_filled_and_its_fills_never_come_is_refused_as_finished(file_desk):
    desk = file_desk(Faults(lose=0.0), habits={"report_lag": 100.0, "ack_delay": 1.0}, fills_timeout=8)
    desk.put({"a.csv": buys(1)})
    desk.later(1.6)
    desk.put({"c.cancel_order.csv": "sid\nS0\n"})
    desk.later(20)
    assert desk.outcomes("a.csv") == [("S0", "filled", "FILLS_MISSING")]
    assert desk.outcomes("c.cancel_order.csv")[0][1] == "refused"


def test_cancels_when_the_share_is_away_are_told_once_and_go_when_it_is_back(file_desk, caplog):
    desk = file_desk()
    desk.put({"a.csv": HEADER + "P,A1,SHSE.018014,10,1,1,100\n"})
    desk.later(3)
    away = desk.scan.rename(desk.scan.with_name("away"))
    desk.put({"c.cancel_order.csv": "sid\nP\n"})
    desk.later(3, terminal=False)
    assert caplog.text.count("cancels were not handed over") == 1
    away.rename(desk.scan)
    desk.later(5)
    assert desk.statuses() == {"P": "canceled"}


def test_cancels_when_all_are_asked_for_at_once_go_in_one_file(file_desk):
    desk = file_desk()
    desk.put({"a.csv": HEADER + "".join(f"P{n},A1,SHSE.018014,10,1,1,100\n" for n in range(50))})
    desk.later(3)
    desk.put({"c.cancel_order.csv": "sid\n" + "".join(f"P{n}\n" for n in range(50))})
    desk.later(0.2, terminal=False)
    assert len(list(desk.scan.glob("*.cancel_order.csv"))) == 1
    desk.later(5)
    assert set(desk.statuses().values()) == {"canceled"}


def test_orders_of_two_scan_folders_go_to_their_own(tmp_path):
    folders = {}
    for name in ("east", "west"):
        folders[name] = tmp_path / "t" / name
        for part in ("scan", "push"):
            (folders[name] / part).mkdir(parents=True)
    gateways = {
        name: {"type": "goldminer", "live": False, "scan_dir": str(f / "scan"), "push_dir": str(f / "push")}
        for name, f in folders.items()
    }
    accounts = {"A1": {"gateway": "east"}, "A2": {"gateway": "west"}, "A3": {"gateway": "east"}}
    desk = Desk(tmp_path / "w", gateways=gateways, accounts=accounts)
    rows = "".join(f"S{n},A{n},SHSE.600000,100,1,1,10\n" for n in (1, 2, 3))
    desk.route({"a.csv": HEADER + rows})
    found = {
        name: [
            line.split(",")[0]
            for path in (f / "scan").glob("*.csv")
            for line in path.read_text("utf-8-sig").splitlines()[1:]
        ]
        for name, f in folders.items()
    }
    desk.close()
    assert found == {"east": ["S1", "S3"], "west": ["S2"]}
