"""What people do, and what they are told: an inbox file goes in, the journal and the receipt come out."""

import time

import pytest
from routed_desk import TODAY

from orderdrop.errors import GatewayError

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
BUY = HEADER + "A1,acc,SHSE.600000,100,1,1,10.35\n"
TWO = BUY + "A2,acc,SZSE.000572,200,1,1,5.20\n"
PENDING = HEADER + "P1,acc,SHSE.018014,100,1,1,100.005\n"
FOLLOWED = f"{TODAY}.order.csv"


def cancel(*sids: str) -> str:
    return "sid,comment\n" + "".join(f"{sid},\n" for sid in sids)


# baskets


def test_basket_when_good_is_filled_and_told_and_archived(trade):
    desk = trade({"basket.csv": TWO})
    assert desk.at_broker() == [("A1", "SHSE.600000", 100, "filled"), ("A2", "SZSE.000572", 200, "filled")]
    assert desk.outcomes("basket.csv") == [("A1", "filled", ""), ("A2", "filled", "")]
    assert desk.receipt("basket.csv")[0]["avg_price"] == "10.3500"
    assert desk.kept()["drops/basket.csv"] == TWO.encode()
    assert list(desk.inbox.iterdir()) == []


def test_basket_when_a_row_is_bad_goes_not_at_all_and_says_not_sent(trade):
    desk = trade({"basket.csv": TWO + "A3,acc,SHSE.600000,ten,1,1,10.35\n"})
    assert desk.at_broker() == []
    assert desk.outcomes("basket.csv") == [
        ("A1", "not_sent", "NOT_SENT"), ("A2", "not_sent", "NOT_SENT"), ("A3", "error", "NUMBER_BAD"),
    ]  # fmt: skip
    assert "basket.csv" in desk.kept("quarantine")


def test_basket_when_mended_and_dropped_again_trades(trade):
    desk = trade({"basket.csv": TWO + "A3,acc,SHSE.600000,ten,1,1,10.35\n"})
    desk.route({"basket.csv": TWO + "A3,acc,SHSE.600000,100,1,1,10.35\n"})
    assert [sid for sid, *_ in desk.at_broker()] == ["A1", "A2", "A3"]
    assert [outcome for _sid, outcome, _code in desk.outcomes("basket.csv")] == ["filled"] * 3


def test_basket_when_a_later_part_of_it_is_bad_is_archived_for_what_it_has_traded(desk):
    router = desk(inbox={"archive_after": 3600})
    app, basket = router.open(), router.inbox / "basket.csv"
    for part in (BUY, "A2,acc,SHSE.600000,ten,1,1,10.35\n"):
        with basket.open("a", newline="") as file:
            file.write(part)
        done = []
        while not (done and done[-1].taken):
            app.turn(done.append)
            time.sleep(0.005)
    router.route({})
    assert [sid for sid, *_ in router.at_broker()] == ["A1"]
    assert router.outcomes("basket.csv") == [("A1", "filled", ""), ("A2", "error", "NUMBER_BAD")]
    assert "drops/basket.csv" in router.kept()
    assert router.kept("quarantine") == {}


def test_basket_when_rows_may_be_refused_alone_sends_the_good_ones(trade):
    bad = "A3,acc,SHSE.600000,ten,1,1,10.35\n"
    desk = trade({"basket.csv": TWO + bad}, inbox={"on_bad_row": "reject-row"})
    assert [sid for sid, *_ in desk.at_broker()] == ["A1", "A2"]
    assert desk.outcomes("basket.csv")[2] == ("A3", "error", "NUMBER_BAD")


def test_basket_when_the_broker_rejects_a_row_tells_the_brokers_words(trade):
    desk = trade({"basket.csv": HEADER + "R1,acc,SZSE.000010,100,1,1,5.00\n"})
    [row] = desk.receipt("basket.csv")
    assert (row["outcome"], row["code"]) == ("rejected", "BROKER_REJECTED")
    assert "风控规则" in row["原因"]


# the same again


def test_row_when_dropped_again_is_a_duplicate(trade):
    desk = trade({"one.csv": BUY})
    desk.route({"two.csv": BUY})
    assert len(desk.at_broker()) == 1
    assert desk.outcomes("two.csv") == [("A1", "duplicate", "DUPLICATE")]


def test_row_when_twice_in_a_file_trades_once(trade):
    desk = trade({"one.csv": BUY + BUY.splitlines()[1] + "\n"})
    assert len(desk.at_broker()) == 1
    assert desk.outcomes("one.csv") == [("A1", "filled", ""), ("A1", "duplicate", "DUPLICATE")]


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (("100,1,1", "300,1,1"), "volume 100 → 300"),
        (("10.35", "10.36"), "price 10.35 → 10.36"),
        (("A1,acc,", "A1,other,"), "account_id acc → other"),
        (("SHSE.600000", "SHSE.600004"), "symbol SHSE.600000 → SHSE.600004"),
        ((",1,10.35", ",2,10.35"), "order_business 1 → 2"),
    ],
)
def test_sid_when_used_for_another_order_is_refused_and_says_what_differs(trade, change, difference):
    desk = trade({"one.csv": BUY})
    desk.route({"two.csv": BUY.replace(*change)})
    assert len(desk.at_broker()) == 1
    [row] = desk.receipt("two.csv")
    assert (row["outcome"], row["code"]) == ("error", "SID_CONFLICT")
    assert difference in row["reason"]


def test_sid_when_two_share_a_hash_is_a_conflict_and_not_a_duplicate(trade, monkeypatch):
    monkeypatch.setattr("orderdrop.admission.judge.sid_keys", lambda wires: [7] * len(wires))
    desk = trade({"one.csv": BUY})
    desk.route({"two.csv": BUY.replace("A1", "B1")})
    assert desk.outcomes("two.csv") == [("B1", "error", "SID_CONFLICT")]


def test_file_without_sids_when_dropped_twice_trades_once(trade):
    content = "symbol,volume,order_business,price\n600000.SH,100,1,10.35\n600000.SH,100,1,10.35\n"
    desk = trade({"one.csv": content})
    desk.route({"two.csv": content})
    assert len(desk.at_broker()) == 2
    assert [outcome for _sid, outcome, _code in desk.outcomes("two.csv")] == ["duplicate", "duplicate"]


# the file that is followed


def test_followed_file_when_it_grows_takes_each_row_once(trade):
    desk = trade({FOLLOWED: BUY})
    desk.append(FOLLOWED, "A2,acc,SHSE.600000,100,1,1,10.35\n")
    desk.route().restart()
    desk.append(FOLLOWED, "A3,acc,SHSE.600000,100,1,1,10.35\n")
    desk.route()
    assert [sid for sid, *_ in desk.at_broker()] == ["A1", "A2", "A3"]
    assert [sid for sid, *_ in desk.outcomes(FOLLOWED)] == ["A1", "A2", "A3"]


def test_followed_file_when_rewritten_takes_what_is_new(trade):
    desk = trade({FOLLOWED: TWO})
    desk.route()
    (desk.inbox / FOLLOWED).write_text(HEADER + "A9,acc,SHSE.600000,100,1,1,10.35\n" + TWO[len(HEADER) :])
    desk.route()
    assert [sid for sid, *_ in desk.at_broker()] == ["A1", "A2", "A9"]


def test_followed_file_when_a_row_is_bad_takes_the_others(trade):
    desk = trade({FOLLOWED: BUY + "A2,acc,SHSE.600000,150,1,1,10.35\nA3,acc,SHSE.600000,100,1,1,10.35\n"})
    assert [sid for sid, *_ in desk.at_broker()] == ["A1", "A3"]
    assert desk.outcomes(FOLLOWED)[1][1:] == ("denied", "LOT_SIZE")


# switches


def test_halt_when_there_stops_new_orders_and_lets_cancels_pass(trade):
    desk = trade({"p.csv": PENDING})
    desk.route({"HALT": "", "new.csv": BUY, "c.cancel_order.csv": cancel("P1")})
    assert [status for *_, status in desk.at_broker()] == ["canceled"]
    assert desk.outcomes("new.csv") == [("A1", "denied", "HALTED")]
    assert desk.outcomes("c.cancel_order.csv") == [("P1", "done", "")]


def test_halt_when_removed_lets_the_same_file_trade(trade):
    desk = trade({"HALT": "", "new.csv": BUY})
    (desk.inbox / "HALT").unlink()
    desk.route({"new.csv": BUY})
    assert desk.statuses() == {"A1": "filled"}


def test_order_when_held_waits_for_its_release(trade):
    desk = trade({"alpha/a.csv": TWO}, strategies={"alpha": {"hold": True}})
    assert desk.statuses() == {"A1": "held", "A2": "held"}
    desk.route({"r.release.csv": "sid\nA2\n"})
    assert desk.statuses() == {"A1": "held", "A2": "filled"}
    assert desk.outcomes("r.release.csv") == [("A2", "done", "")]
    assert desk.outcomes("alpha/a.csv") == [("A1", "held", ""), ("A2", "filled", "")]


# cancels


def test_cancel_when_the_order_is_at_the_broker_is_done(trade):
    desk = trade({"p.csv": PENDING})
    assert desk.statuses() == {"P1": "new"}
    desk.route({"c.cancel_order.csv": cancel("P1")})
    assert desk.statuses() == {"P1": "canceled"}
    assert desk.outcomes("p.csv") == [("P1", "canceled", "")]
    assert desk.outcomes("c.cancel_order.csv") == [("P1", "done", "")]


def test_cancel_when_the_order_has_not_left_is_done_here(trade):
    desk = trade({"a.csv": BUY}, inbox={"hold": True})
    desk.route({"c.cancel_order.csv": cancel("A1")})
    assert desk.at_broker() == []
    assert desk.outcomes("a.csv") == [("A1", "canceled", "CANCELED_HERE")]


@pytest.mark.parametrize(
    ("sid", "outcome", "code"), [("NOBODY", "asked", "CANCEL_EARLY"), ("A1", "refused", "CANCEL_FINISHED")]
)
def test_cancel_when_there_is_nothing_to_cancel_says_why(trade, sid, outcome, code):
    desk = trade({"a.csv": BUY})
    desk.route({"c.cancel_order.csv": cancel(sid)})
    assert desk.outcomes("c.cancel_order.csv") == [(sid, outcome, code)]


def test_cancel_when_the_process_dies_before_it_is_handed_over_is_handed_over_after(trade, monkeypatch):
    desk = trade({"p.csv": PENDING})
    app = desk.open()

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(app.router.cancels, "submit", die)
    with pytest.raises(KeyboardInterrupt):
        desk.route({"c.cancel_order.csv": cancel("P1")})
    desk.crash()
    desk.route()
    assert desk.statuses() == {"P1": "canceled"}


def test_cancel_when_the_gateway_fails_is_handed_over_again(trade, monkeypatch):
    desk = trade({"p.csv": PENDING})
    gateway = desk.open().desk.gateways["paper"]
    real, failures = gateway.cancel, []

    def fail_once(cancels):
        if not failures:
            failures.append(1)
            raise GatewayError("gone")
        real(cancels)

    monkeypatch.setattr(gateway, "cancel", fail_once)
    desk.route({"c.cancel_order.csv": cancel("P1")})
    desk.route()
    assert failures == [1]
    assert desk.statuses() == {"P1": "canceled"}


# people, files, accounts


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8-sig", "utf-16"])
def test_file_when_saved_by_a_chinese_excel_is_read(trade, encoding):
    text = "委托编号,证券代码,数量,买卖方向,价格,备注\nA1,600000.SH,100,买入,10.35,调仓\n"
    desk = trade({"手工单.csv": text.encode(encoding)})
    assert desk.at_broker() == [("A1", "SHSE.600000", 100, "filled")]
    assert desk.orders()["A1"]["remark"] == "调仓"
    assert desk.outcomes("手工单.csv") == [("A1", "filled", "")]


def test_account_when_named_by_its_alias_is_the_account(trade):
    desk = trade({"a.csv": BUY.replace("A1,acc,", "A1,主账户,")}, accounts={"8001": {"alias": "主账户"}})
    assert desk.orders()["A1"]["account_id"] == "8001"
    assert desk.table("8001/order_status.csv")[0]["sid"] == "A1"


def test_account_when_unknown_is_refused(trade):
    desk = trade({"a.csv": BUY}, accounts={"8001": {}})
    assert desk.at_broker() == []
    assert desk.outcomes("a.csv") == [("A1", "error", "ACCOUNT_UNKNOWN")]


def test_strategy_when_it_is_a_sub_folder_is_the_orders(trade):
    desk = trade({"alpha/a.csv": BUY, "b.csv": BUY.replace("A1", "B1")})
    assert {sid: order["strategy"] for sid, order in desk.orders().items()} == {"A1": "alpha", "B1": None}
    assert desk.outcomes("alpha/a.csv") == [("A1", "filled", "")]


@pytest.mark.parametrize("account", ["../../evil", "a/b", "..", "C:\\x", "con", "receipts"])
def test_account_when_it_is_a_path_writes_nothing_outside_the_outbox(trade, account):
    desk = trade({"a.csv": BUY.replace("A1,acc,", f"A1,{account},")})
    assert {path.name for path in desk.root.parent.iterdir()} == {desk.root.name}
    assert {path.name for path in desk.root.iterdir()} <= {
        "inbox", "outbox", "archive", "quarantine", ".orderdrop", "journal.db", "journal.db-wal", "journal.db-shm"
    }  # fmt: skip
    assert not (desk.root / "outbox" / "receipts" / "cash.csv").exists()


# what the files say, the journal says


def test_result_files_when_orders_end_in_every_way_agree_with_the_journal(trade):
    lines = [
        f"{sid},acc,{symbol},200,1,1,{price}\n"
        for sid, symbol, price in [
            ("F", "SZSE.000572", "5.20"), ("T", "SZSE.000002", "5.20"), ("H", "SZSE.000001", "5.20"),
            ("P", "SHSE.018014", "100.005"), ("R", "SZSE.000010", "5.20"),
        ]
    ]  # fmt: skip
    desk = trade({"a.csv": HEADER + "".join(lines)})
    desk.route({"c.cancel_order.csv": cancel("P")})
    codes = {"filled": "3", "partially_filled": "2", "canceled": "5", "rejected": "8", "new": "1"}
    orders = desk.orders()
    table = {row["sid"]: row for row in desk.table("acc/order_status.csv")}
    assert {sid: row["status"] for sid, row in table.items()} == {
        sid: codes[order["status"]] for sid, order in orders.items()
    }
    assert {sid: int(row["filled_volume(filled_vol)"]) for sid, row in table.items()} == {
        sid: order["filled_volume"] for sid, order in orders.items()
    }
    fills = desk.query("SELECT exec_id, volume FROM fills ORDER BY exec_id")
    told = [(row["exec_id"], int(row["volume"])) for row in desk.table("acc/execution_report.csv")]
    assert sorted(told) == [(fill["exec_id"], fill["volume"]) for fill in fills]
    assert {sid: outcome for sid, outcome, _code in desk.outcomes("a.csv")} == desk.statuses()


def test_result_files_when_restarted_say_everything_once(trade):
    desk = trade({"a.csv": TWO})
    before = desk.table("acc/execution_report.csv"), desk.table("acc/order_status_change.csv")
    desk.restart().route({"b.csv": BUY.replace("A1", "B1")})
    after = desk.table("acc/execution_report.csv"), desk.table("acc/order_status_change.csv")
    assert [row["exec_id"] for row in after[0]][:2] == [row["exec_id"] for row in before[0]]
    assert len(after[0]) == 3
    assert after[1][: len(before[1])] == before[1]
