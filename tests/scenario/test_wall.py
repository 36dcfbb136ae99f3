"""Something that nobody foresaw goes wrong in a turn: it is told, cancels and reports go on, the process lives, nothing is doubled."""

from __future__ import annotations

import json
import threading

import pytest
from file_desk import HEADER, FileDesk
from routed_desk import TODAY

from orderdrop.admission.admission import Admission
from orderdrop.risk import checks
from orderdrop.service.heartbeat import last_beat

PENDING = "SHSE.018014"  # the paper broker leaves it open


def told_once():
    raise RuntimeError("a drop that is poison")


def row(sid: str, symbol: str = "SHSE.600000") -> str:
    return f"{HEADER}{sid},acc,{symbol},100,1,1,10.35\n"


def boom(*_args, **_more):
    raise RuntimeError("nobody foresaw this")


def turns(one, count: int = 5) -> list[str]:
    found = []
    for _ in range(count):
        one.app.inbox._next_scan = 0.0
        found.append(one.app.turn(lambda _round: None).fault)
    return found


def beat(one) -> dict:
    one.app._beat()
    return last_beat(one.app.workspace.heartbeat)


def test_turn_when_taking_drops_fails_unforeseen_then_cancels_go_out_and_orders_once_it_is_mended(
    trade, monkeypatch, caplog
):
    one = trade({"a.csv": row("P", PENDING)})
    with monkeypatch.context() as broken:
        broken.setattr("orderdrop.admission.admission.Admission._admit_small", only_cancels(told_once))
        one.put({"b.csv": row("B1"), "c.cancel_order.csv": "sid,comment\nP,\n"})
        faults = turns(one)
        assert all("a drop that is poison" in fault for fault in faults)
        assert one.statuses() == {"P": "canceled"}
        assert "RuntimeError" in beat(one)["fault"]
        assert beat(one)["state"] == "fault"
    assert (
        len([record for record in caplog.records if record.exc_info]) == 2
    )  # once for the turn, once for the drop
    one.route()
    assert one.statuses() == {"P": "canceled", "B1": "filled"}
    assert [sid for sid, *_ in one.at_broker()] == ["P", "B1"]
    assert beat(one)["fault"] == ""


def only_cancels(fail):
    """Judging orders fails; cancels are none."""
    from orderdrop.admission.admission import Admission  # noqa: PLC0415
    from orderdrop.domain.order import DropKind  # noqa: PLC0415

    real = Admission._admit_small

    def admit(self, takes):
        if any(take.file.info.kind is not DropKind.CANCEL for take in takes):
            fail()
        return real(self, takes)

    return admit


def poisoned(monkeypatch, sid: str) -> None:
    """Judging the order of this sid raises; those before it in its basket are judged by then."""

    def check(order, context):
        if order.sid == sid:
            raise RuntimeError("a drop that is poison")
        return checks.check(order, context)

    defaults = Admission.__init__.__kwdefaults__
    monkeypatch.setattr(Admission.__init__, "__kwdefaults__", defaults | {"check": check})


@pytest.mark.parametrize("streamed", [False, True], ids=["small", "large"])
def test_drop_that_raises_when_others_pass_beside_it_then_it_is_refused_and_they_are_traded_once(
    trade, monkeypatch, streamed
):
    if streamed:
        monkeypatch.setattr("orderdrop.inbox.drop_file.SMALL", 10)
    one = trade({})
    poison = f"{row('GOOD')}BAD,acc,SHSE.600000,100,1,1,10.35\n"
    with monkeypatch.context() as broken:
        poisoned(broken, "BAD")
        one.put({"a.csv": row("A1"), "b.csv": poison, "c.csv": row("C1"), "d.csv": row("D1")})
        faults = turns(one, 6)
        assert "a drop that is poison" in faults[0]
        assert not any(faults[3:])
        one.route({"e.csv": row("E1")})
    assert one.statuses() == dict.fromkeys(("A1", "C1", "D1", "E1"), "filled")
    assert sorted(sid for sid, *_ in one.at_broker()) == ["A1", "C1", "D1", "E1"]
    (refused,) = one.receipt("b.csv")
    assert (refused["row"], refused["outcome"], refused["code"]) == ("0", "refused", "FILE_FAULT")
    assert "a drop that is poison" in refused["reason"]
    assert one.query("SELECT name FROM drops WHERE state = 'refused'") == [{"name": "b.csv"}]
    assert one.query("SELECT * FROM orders WHERE sid IN ('GOOD', 'BAD')") == []
    assert poison.encode() in {**one.kept(), **one.kept("quarantine")}.values()
    one.route({"b2.csv": poison})
    assert one.statuses()["GOOD"] == one.statuses()["BAD"] == "filled"


def test_drop_that_raises_when_it_is_alone_then_it_is_tried_for_longer_and_told_meanwhile(trade, monkeypatch):
    one = trade({"p.csv": row("P", PENDING)})
    poisoned(monkeypatch, "BAD")
    one.put({"b.csv": row("BAD"), "c.cancel_order.csv": "sid,comment\nP,\n"})
    assert all("a drop that is poison" in fault for fault in turns(one, 10))
    assert one.statuses() == {"P": "canceled"}
    one.put({"d.csv": row("D1")})  # this one passes, so it is the drop
    turns(one)
    one.route()
    assert one.statuses() == {"P": "canceled", "D1": "filled"}
    assert [told["code"] for told in one.receipt("b.csv")] == ["FILE_FAULT"]


def test_drop_that_raises_when_it_stays_alone_then_it_is_refused_in_the_end(trade, monkeypatch):
    one = trade({})
    poisoned(monkeypatch, "BAD")
    one.put({"b.csv": row("BAD")})
    turns(one, 30)
    one.route()
    assert [told["code"] for told in one.receipt("b.csv")] == ["FILE_FAULT"]


def test_day_file_that_raises_when_it_has_grown_then_what_it_had_stands_and_the_rest_is_refused(
    trade, monkeypatch
):
    name = f"{TODAY}.order.csv"
    one = trade({name: row("A1")})
    poisoned(monkeypatch, "BAD")
    one.append(name, "BAD,acc,SHSE.600000,100,1,1,10.35\n")
    one.put({"c.csv": row("C1")})
    turns(one)
    one.route()
    assert one.statuses() == {"A1": "filled", "C1": "filled"}
    assert [(told["sid"], told["code"]) for told in one.receipt(name)] == [("", "FILE_FAULT"), ("A1", "")]


@pytest.mark.parametrize(
    "where",
    [
        "orderdrop.admission.second_look.SecondLook.let_leave",
        "orderdrop.risk.breakers.CircuitBreakers.watch",
        "orderdrop.execution.release.Release.let_go",
        "orderdrop.journal.writer.Writer.add_batch",
        "orderdrop.execution.polling.fold",
        "orderdrop.execution.confirmation.Confirmation.look",
        "orderdrop.execution.submission.Submission.note",
        "orderdrop.service.housekeeping.Chores.note",
        "orderdrop.reconciliation.day_end.DayEnd.step",
        "orderdrop.outbox.result_files.Outbox.update",
        "orderdrop.gateway.paper.gateway.PaperGateway.poll",
        "orderdrop.gateway.paper.gateway.PaperGateway.submit",
        "orderdrop.system.clock.SteadyClock.other_day",
    ],
)
def test_turn_when_any_part_fails_unforeseen_then_each_order_is_traded_once_in_the_end(
    trade, monkeypatch, where
):
    monkeypatch.setattr("orderdrop.execution.submission.PAUSE_AFTER_FAULT", 0.01)
    one = trade({"a.csv": row("A1")})
    with monkeypatch.context() as broken:
        broken.setattr(where, property(boom) if where.endswith("other_day") else boom)
        one.put({"b.csv": row("B1")})
        turns(one)
    for _ in range(3):
        one.route({})
    assert one.statuses() == {"A1": "filled", "B1": "filled"}
    assert [sid for sid, *_ in one.at_broker()] == ["A1", "B1"]


def test_batch_when_the_gateway_fails_unforeseen_after_it_took_it_is_settled_by_evidence(trade, monkeypatch):
    monkeypatch.setattr("orderdrop.execution.submission.PAUSE_AFTER_FAULT", 0.01)
    one = trade({})
    gateway = one.open().desk.gateways["paper"]
    real = gateway.submit

    def takes_and_fails(batch):
        real(batch)
        boom()

    with monkeypatch.context() as broken:
        broken.setattr(gateway, "submit", takes_and_fails)
        one.put({"a.csv": row("A1")})
        turns(one)
    one.route()
    assert one.statuses() == {"A1": "filled"}
    assert len(one.at_broker()) == 1


def test_screen_when_it_fails_then_the_router_goes_on(trade):
    one = trade({})
    one.put({"a.csv": row("A1")})
    app = one.open()
    for _ in range(5):
        app.inbox._next_scan = 0.0
        app.turn(boom)
    assert one.statuses() == {"A1": "filled"}


def test_gateway_that_cannot_be_heard_is_named_in_the_heartbeat(trade, monkeypatch):
    one = trade({})
    with monkeypatch.context() as broken:
        broken.setattr("orderdrop.gateway.paper.gateway.PaperGateway.poll", boom)
        turns(one, 1)
        told = beat(one)["gateways"]["paper"]
        assert told["silent"]
        assert "nobody foresaw this" in told["why"]
    turns(one, 1)
    told = beat(one)["gateways"]["paper"]
    assert not told["silent"]
    assert told["heard_at"]


def test_chore_that_fails_keeps_no_other_receipt_from_being_written_and_is_in_the_heartbeat(
    trade, monkeypatch
):
    one = trade({})
    (one.root / "outbox" / "receipts" / "a.csv.receipt.csv").mkdir(parents=True)  # in the way of a receipt
    one.put({"a.csv": row("A1"), "b.csv": row("B1")})
    one.route()
    assert one.outcomes("b.csv") == [("B1", "filled", "")]
    assert one.kept()["drops/b.csv"]
    assert "a.csv.receipt.csv" in " ".join(beat(one)["chores"])


def test_run_when_a_fault_stays_does_not_spin(trade, monkeypatch):
    one = trade({})
    app, stop = one.open(), threading.Event()
    count = 0

    def counted(*_):
        nonlocal count
        count += 1
        if count == 3:
            stop.set()
        boom()

    waits: list[float] = []
    monkeypatch.setattr(app.router, "receive", counted)
    monkeypatch.setattr(stop, "wait", waits.append)
    app.run(stop)
    assert (count, waits) == (3, [0.5, 0.5, 0.5])


def test_heartbeat_says_what_desk_and_messenger_need(tmp_path):
    desk = FileDesk(tmp_path / "w")
    try:
        desk.put({"a.csv": HEADER + "P,A1,SHSE.018014,100,1,1,10\n"})
        desk.later(30, terminal=False)
        told = beat(desk)
        keys = [
            "pid",
            "host",
            "at",
            "mono",
            "day",
            "turn",
            "state",
            "fault",
            "chores",
            "unknown",
            "lost",
            "backlog",
            "gateways",
            "version",
        ]
        assert [key for key in keys if key not in told] == []
        assert (told["unknown"], told["lost"], told["day"]) == (1, 0, "2026-11-20")
        assert set(told["gateways"]["gm"]) >= {"heard_at", "silent"}
        (desk.inbox / "HALT").touch()
        desk.later(1, terminal=False)
        assert beat(desk)["state"] == "halted"
        path = desk.app.workspace.heartbeat
        assert json.loads(path.read_text(encoding="utf-8"))["state"] == "halted"
    finally:
        desk.close()
    assert not path.exists()
