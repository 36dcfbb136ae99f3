"""What every gateway must do, whatever terminal is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from threading import Thread

import pytest
from builders import ACCOUNT, FRIDAY, an_outgoing
from gateways import (
    FILLS,
    HALF,
    OPENING_CASH,
    OPENING_SHARES,
    PENDING,
    REJECTED,
    STUCK,
    SURROUNDINGS,
    TWO_FILLS,
    Listed,
    Surroundings,
    hand_over,
    hear,
)

from orderdrop.domain.report import CancelReject, Fill, StatusReport, check
from orderdrop.domain.status import Status
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Batch, Cancel, DeliversInstruments, Gateway, Outcome


@pytest.fixture(params=SURROUNDINGS)
def around(request, tmp_path) -> Iterator[Surroundings]:
    around = SURROUNDINGS[request.param](tmp_path)
    yield around
    around.close()


@pytest.fixture
def gateway(around) -> Iterator[Gateway]:
    gateway = around.life()
    yield gateway
    gateway.close()


def test_encode_when_called_twice_then_the_same_bytes_and_nothing_told(around, gateway):
    orders = [an_outgoing(remark="调仓, 一")]
    assert gateway.encode(orders) == gateway.encode(orders)
    assert hear(around, gateway).reports == []


def test_submit_when_all_is_well_then_taken_and_filled(around, gateway):
    batch = Batch(1, gateway.encode([an_outgoing(symbol=FILLS)]))
    assert gateway.submit(batch).outcome is Outcome.TAKEN
    heard = hear(around, gateway)
    assert heard.statuses("S1") == [Status.NEW, Status.FILLED]
    (fill,) = heard.fills("S1")
    assert (fill.volume, fill.price, fill.account_id) == (100, Decimal("10.00"), ACCOUNT)


def test_reports_when_told_then_they_name_the_account_and_can_be_reckoned_with(around, gateway):
    """By what they name they are known to be ours, and nobody else's."""
    hand_over(
        around,
        gateway,
        [an_outgoing(sid="S1", symbol=TWO_FILLS, volume=300), an_outgoing(sid="S2", symbol=REJECTED)],
    )
    reports = hear(around, gateway).reports
    assert {(report.account_id, report.sid) for report in reports} == {(ACCOUNT, "S1"), (ACCOUNT, "S2")}
    assert {report.scan_name for report in reports} <= {"", "fileorder_s01"}
    for report in reports:
        check(report)
    last = [report for report in reports if isinstance(report, StatusReport) and report.sid == "S1"][-1]
    assert last.filled_volume == sum(r.volume for r in reports if isinstance(r, Fill)) == 300


def test_submit_when_filled_in_two_then_two_fills_of_their_own(around, gateway):
    hand_over(around, gateway, [an_outgoing(symbol=TWO_FILLS, volume=300)])
    heard = hear(around, gateway)
    first, second = heard.fills("S1")
    assert first.volume + second.volume == 300
    assert first.exec_id != second.exec_id
    assert heard.statuses("S1") == [Status.NEW, Status.PARTIALLY_FILLED, Status.FILLED]
    claimed = [r.filled_volume for r in heard.status_reports("S1") if r.status is not Status.PENDING_NEW]
    assert claimed == [0, first.volume, 300]


def test_submit_when_half_filled_then_stays_partial(around, gateway):
    hand_over(around, gateway, [an_outgoing(symbol=HALF, volume=200)])
    heard = hear(around, gateway)
    assert heard.statuses("S1")[-1] is Status.PARTIALLY_FILLED
    assert [fill.volume for fill in heard.fills("S1")] == [100]


def test_submit_when_the_broker_says_no_then_rejected_with_its_words(around, gateway):
    hand_over(around, gateway, [an_outgoing(symbol=REJECTED)])
    heard = hear(around, gateway)
    assert heard.statuses("S1") == [Status.REJECTED]
    report = heard.status_reports("S1")[-1]
    assert report.code
    assert report.text


def test_submit_when_many_orders_then_each_is_told_in_its_order(around, gateway):
    hand_over(around, gateway, [an_outgoing(sid=f"S{n}", symbol=FILLS) for n in range(20)])
    heard = hear(around, gateway)
    told = [r.sid for r in heard.reports if isinstance(r, StatusReport) and r.status is Status.NEW]
    assert told == [f"S{n}" for n in range(20)]
    assert len({r.exec_id for n in range(20) for r in heard.fills(f"S{n}")}) == 20


def test_cancel_when_pending_then_cancelled(around, gateway):
    hand_over(around, gateway, [an_outgoing(symbol=PENDING)])
    hear(around, gateway)
    gateway.cancel([Cancel("S1", ACCOUNT)])
    heard = hear(around, gateway)
    assert heard.statuses("S1") == [Status.NEW, Status.PENDING_CANCEL, Status.CANCELED]
    assert not any(isinstance(report, CancelReject) for report in heard.reports)


def test_cancel_when_half_filled_then_the_fill_stays(around, gateway):
    hand_over(around, gateway, [an_outgoing(symbol=HALF, volume=200)])
    before = hear(around, gateway).cursor
    gateway.cancel([Cancel("S1", ACCOUNT)])
    last = hear(around, gateway, before).reports[-1]
    assert isinstance(last, StatusReport)
    assert (last.status, last.filled_volume) == (Status.CANCELED, 100)


@pytest.mark.parametrize(
    ("symbol", "sid", "code"), [(FILLS, "S1", 101), (FILLS, "S2", 102), (STUCK, "S1", 103)]
)
def test_cancel_when_not_possible_then_refused_with_the_reason(around, gateway, symbol, sid, code):
    hand_over(around, gateway, [an_outgoing(symbol=symbol, volume=200)])
    before = hear(around, gateway).cursor
    gateway.cancel([Cancel(sid, ACCOUNT)])
    answers = hear(around, gateway, before).reports
    if code == 102 and not around.answers_unknown_cancels:
        assert answers == []
        return
    (refused,) = answers
    assert isinstance(refused, CancelReject)
    assert (refused.sid, refused.code) == (sid, code)


def test_cancel_when_handed_over_twice_then_no_harm(around, gateway):
    hand_over(around, gateway, [an_outgoing(symbol=PENDING)])
    for _ in range(2):
        gateway.cancel([Cancel("S1", ACCOUNT)])
    statuses = hear(around, gateway).statuses("S1")
    assert statuses.count(Status.CANCELED) == 1
    assert statuses[-1] is Status.CANCELED


def test_cancel_when_it_races_a_fill_then_one_of_them_wins_whole(around, gateway):
    hand_over(around, gateway, [an_outgoing(symbol=FILLS)])
    gateway.cancel([Cancel("S1", ACCOUNT)])
    heard = hear(around, gateway)
    last, filled = heard.status_reports("S1")[-1], sum(fill.volume for fill in heard.fills("S1"))
    assert (last.status, filled) in {(Status.FILLED, 100), (Status.CANCELED, 0)}
    refused = [r.code for r in heard.reports if isinstance(r, CancelReject)]
    assert set(refused) <= ({101} if last.status is Status.FILLED else set())


def test_cancel_when_it_races_the_first_report_then_cancelled(around, gateway):
    hand_over(around, gateway, [an_outgoing(symbol=HALF, volume=200)])
    gateway.cancel([Cancel("S1", ACCOUNT)])
    heard = hear(around, gateway)
    last = heard.status_reports("S1")[-1]
    assert (last.status, last.filled_volume) == (Status.CANCELED, sum(f.volume for f in heard.fills("S1")))


def test_silence_when_the_terminal_loses_an_order_then_nothing_is_told_and_absence_takes_time(
    around, gateway
):
    hand_over(around, gateway, [an_outgoing(sid="S0", symbol=FILLS)])
    hear(around, gateway)
    if not around.lose_orders():
        pytest.skip(
            "a built-in broker is never silent; 掘金's evidence goes by real time: test_goldminer*.py"
        )
    since = around.clock.now()
    batch = hand_over(around, gateway, [an_outgoing(sid="S1"), an_outgoing(sid="S2")], batch_id=2)
    assert gateway.trace(batch, ["S1", "S2"], since).absent == frozenset()
    for _ in range(5):
        heard = hear(around, gateway)
        assert not heard.statuses("S1")
        found = gateway.trace(batch, ["S1"], since)
    assert found.absent == {"S1"}, found.words  # only what was asked for
    assert gateway.trace(batch._replace(places=None), ["S1"], since).absent == frozenset()
    assert (
        gateway.trace(batch, ["S1", "S2"], around.clock.now()).absent == frozenset()
    )  # older evidence proves nothing


def test_reconcile_when_everything_arrived_then_nothing_is_absent_and_the_shares_are_there(around, gateway):
    since = around.clock.now()
    orders = [
        an_outgoing(sid=f"S{n}", symbol=symbol, volume=200)
        for n, symbol in enumerate((FILLS, TWO_FILLS, PENDING, HALF))
    ]
    batch = hand_over(around, gateway, orders)
    for _ in range(4):
        heard = hear(around, gateway)
    assert gateway.trace(batch, [order.sid for order in orders], since).absent == frozenset()
    assert set(gateway.settle(batch).values()) == {Outcome.TAKEN}
    account = gateway.account(ACCOUNT)
    held = {position.symbol: position.volume for position in account.positions}
    for order in orders:
        bought = sum(fill.volume for fill in heard.fills(order.sid))
        assert held.get(order.symbol, 0) == OPENING_SHARES.get(order.symbol, 0) + bought


def test_poll_when_asked_again_with_an_old_cursor_then_the_same_again(around, gateway):
    hand_over(around, gateway, [an_outgoing(sid=f"S{n}", symbol=FILLS) for n in range(5)])
    everything = hear(around, gateway)
    assert hear(around, gateway).reports == everything.reports
    reports, cursor = gateway.poll(hear(around, gateway, limit=1).cursor, 100)
    assert (reports, cursor) == ([], everything.cursor)


def test_restart_in_the_middle_then_reports_come_again_and_new_ones_follow(around, gateway):
    hand_over(around, gateway, [an_outgoing(symbol=PENDING), an_outgoing(sid="S2", symbol=TWO_FILLS)])
    before = hear(around, gateway)
    gateway.close()
    with closing(around.life()) as reborn:
        again = hear(around, reborn)
        assert again.reports == before.reports or not around.tells_history
        assert again.statuses("S1")[-1:] == [Status.NEW]
        assert [fill.exec_id for fill in again.fills("S2")] == [fill.exec_id for fill in before.fills("S2")]
        assert again.statuses("S2")[-1] is Status.FILLED
        reborn.cancel([Cancel("S1", ACCOUNT)])
        new = hear(around, reborn, again.cursor)
        assert new.statuses("S1") == [Status.PENDING_CANCEL, Status.CANCELED]
        assert not new.fills("S2")


def test_restart_when_reports_were_told_and_not_journaled_then_they_are_told_again(around, gateway):
    """The cursor was never handed back, so nobody knows of them."""
    hand_over(around, gateway, [an_outgoing(symbol=FILLS)])
    told = hear(around, gateway)
    gateway.close()
    with closing(around.life()) as reborn:
        again = hear(around, reborn)
    assert again.statuses("S1")[-1] is Status.FILLED
    assert [f.exec_id for f in again.fills("S1")] == [f.exec_id for f in told.fills("S1")]


def test_settle_when_it_was_submitted_before_a_restart_then_taken(around, gateway):
    batch = hand_over(around, gateway, [an_outgoing(sid="S1"), an_outgoing(sid="S2")])
    gateway.close()
    with closing(around.life()) as reborn:
        around.terminal_works()
        assert reborn.settle(batch) == {"S1": Outcome.TAKEN, "S2": Outcome.TAKEN}


def test_settle_when_it_never_left_then_says_so_and_it_may_go(around, gateway):
    batch = Batch(7, gateway.encode([an_outgoing(symbol=FILLS)]))
    assert gateway.settle(batch) == {"S1": Outcome.NEVER_LEFT}
    gateway.submit(batch)
    assert hear(around, gateway).statuses("S1")[-1] is Status.FILLED


def test_settle_when_the_batch_is_of_yesterday_then_never_left_is_not_said_of_what_left(around, gateway):
    batch = hand_over(around, gateway, [an_outgoing(symbol=PENDING, volume=10)])
    gateway.close()
    around.handed.clear()  # only today's are remembered
    around.clock.advance(86400)
    with closing(around.life()) as later:
        assert later.settle(batch)["S1"] is not Outcome.NEVER_LEFT or not later.keeps_days


@pytest.mark.parametrize("own_files", ["kept", "rolled back"])
def test_submit_when_the_terminal_has_had_the_sid_and_the_journal_forgot_then_not_again(around, own_files):
    gateway = around.life()
    hand_over(around, gateway, [an_outgoing(symbol=FILLS)])
    assert len(hear(around, gateway).fills("S1")) == 1
    gateway.close()
    around.handed.clear()  # an older journal was put back
    if own_files == "rolled back":
        around.roll_back()
    gateway = around.life()
    hear(around, gateway)
    again = Batch(7, gateway.encode([an_outgoing(symbol=FILLS), an_outgoing(sid="S2", symbol=PENDING)]))
    held = gateway.submit(again)
    assert (held.outcome, held.doubtful) == (Outcome.UNKNOWN, {"S1"})
    assert " / " in held.detail
    other = Batch(8, gateway.encode([an_outgoing(sid="S2", symbol=PENDING)]))
    assert gateway.submit(other).outcome is Outcome.TAKEN
    heard = hear(around, gateway)
    assert len(heard.fills("S1")) <= 1
    assert heard.statuses("S2")[-1] is Status.NEW
    account = gateway.account(ACCOUNT)
    assert account is not None
    (held_shares,) = [position for position in account.positions if position.symbol == FILLS]
    assert held_shares.volume == OPENING_SHARES[FILLS] + 100
    gateway.close()


def test_trace_when_the_last_gate_has_held_an_order_then_it_is_never_absent(around):
    gateway = around.life()
    hand_over(around, gateway, [an_outgoing(symbol=PENDING)])
    hear(around, gateway)
    again = Batch(7, gateway.encode([an_outgoing(symbol=PENDING)]))
    assert gateway.submit(again).outcome is Outcome.UNKNOWN
    since = around.clock.now()
    for _ in range(4):
        hear(around, gateway)
    if around.has_silence:
        assert gateway.trace(again, ["S1"], since).absent == frozenset()
    gateway.close()


def test_account_when_it_traded_then_the_snapshot_adds_up(around, gateway):
    hand_over(around, gateway, [an_outgoing(symbol=FILLS), an_outgoing(sid="S2", symbol=PENDING, volume=10)])
    fees = sum(fill.fee or 0 for fill in hear(around, gateway).fills("S1"))
    account = gateway.account(ACCOUNT)
    assert account is not None
    assert account.balance == OPENING_CASH - 1000 - fees
    assert account.available == account.balance - account.frozen
    assert account.frozen >= 100
    assert ACCOUNT in gateway.accounts()
    held = {position.symbol: position for position in account.positions}
    assert (held[FILLS].volume, held[FILLS].volume_today, held[FILLS].available) == (1100, 100, 1000)


def test_account_when_nobody_ever_used_it_then_none(gateway):
    assert gateway.account("nobody") is None


def test_room_when_idle_then_there_is_some(gateway):
    assert gateway.room() > 0


# the day's securities, of gateways whose terminal knows them

MAIN, ST, NEW, FUND, BOND, HALTED = (
    Listed("SHSE.600000", 10.05, 9.05, 11.06),
    Listed("SZSE.000002", 2.00, 1.80, 2.20, st=True),
    Listed("SHSE.601001", 8.88),
    Listed("SHSE.510300", 4.0, 3.6, 4.4, tick=0.001),
    Listed("SZSE.123001", 112.345, 89.876, 134.81400000000002, tick=0.001),
    Listed("SZSE.300001", 50.0, 40.0, 60.0, suspended=True),
)
TODAY = FRIDAY.date()
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def delivering(gateway) -> DeliversInstruments:
    if not isinstance(gateway, DeliversInstruments):
        pytest.skip("its terminal tells no securities")
    return gateway


def test_instruments_when_the_terminal_knows_them_then_all_are_told(around, delivering):
    around.list_securities(TODAY, [MAIN, ST, NEW, FUND, BOND, HALTED])
    told = {security.symbol: security for security in delivering.instruments(TODAY)}
    assert told.keys() == {one.symbol for one in (MAIN, ST, NEW, FUND, BOND, HALTED)}
    main = told[MAIN.symbol]
    assert (main.previous_close, main.lower, main.upper, main.tick) == tuple(
        map(Decimal, ("10.05", "9.05", "11.06", "0.01"))
    )
    assert (main.st, told[ST.symbol].st) == (False, True)
    assert told[FUND.symbol].tick == Decimal("0.001")
    assert told[BOND.symbol].upper == Decimal("134.814")
    assert told[HALTED.symbol].suspended
    assert not main.suspended


def test_instruments_when_a_security_has_no_limit_then_no_price_of_it_is_told(around, delivering):
    around.list_securities(TODAY, [NEW])
    (told,) = delivering.instruments(TODAY)
    assert told.previous_close is told.lower is told.upper is None
    assert told.tick == Decimal("0.01")


def test_instruments_when_they_are_of_another_day_then_nothing_is_told(around, delivering):
    around.list_securities(YESTERDAY, [MAIN, FUND])
    assert list(delivering.instruments(TODAY)) == []


def test_instruments_when_the_terminal_tells_none_then_a_fault_and_later_told(around, delivering):
    with pytest.raises(GatewayError):
        list(delivering.instruments(TODAY))
    around.list_securities(TODAY, [MAIN])
    assert len(list(delivering.instruments(TODAY))) == 1


def test_instruments_when_the_terminal_hangs_then_orders_go_all_the_same_and_close_ends_it(
    around, gateway, delivering
):
    around.hang(TODAY, [MAIN])
    faults = []

    def ask() -> None:
        try:
            list(delivering.instruments(TODAY))
        except GatewayError as error:
            faults.append(error)

    asking = Thread(target=ask)
    asking.start()
    hand_over(around, gateway, [an_outgoing(symbol=FILLS)])
    assert hear(around, gateway).statuses("S1") == [Status.NEW, Status.FILLED]
    assert asking.is_alive()
    gateway.close()
    asking.join(60)
    assert not asking.is_alive()
    assert len(faults) == 1
