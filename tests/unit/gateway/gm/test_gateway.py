from decimal import Decimal

import pytest
from builders import ACCOUNT, a_clock, an_outgoing
from gm_terminal import GmTerminal

from orderdrop.domain.goldminer_format import STATUS_OF
from orderdrop.domain.report import CancelReject, Fill, StatusReport
from orderdrop.domain.status import Status
from orderdrop.errors import GatewayError
from orderdrop.gateway.base import Batch, Cancel, Cursor, Outcome, Stopped
from orderdrop.gateway.gm.blotter import Blotter
from orderdrop.gateway.gm.store import Sent
from orderdrop.system.clock import Micros

PENDING = "SHSE.018014"


@pytest.fixture
def terminal(tmp_path):
    return GmTerminal(tmp_path, a_clock())


@pytest.fixture
def lives(terminal):
    """Makes gateways, one life after another; the first has an earlier one behind it."""
    made = []

    def begin(**over):
        for gateway in made:
            gateway.close()
        gateway = terminal.gateway(**over)
        made.append(gateway)
        gateway.open()
        return gateway

    begin().poll(Cursor(""), 0)
    yield begin
    for gateway in made:
        gateway.close()


def a_batch(gateway, *orders, number=1):
    return Batch(number, gateway.encode(orders), gateway.places())


def said(gateway, terminal, seconds=5):
    """All that is told, asked for every second."""
    for _ in range(seconds):
        terminal.advance(1)
        gateway.poll(Cursor(""), 0)
    return gateway.poll(Cursor(""), 1000)[0]


def submit_in_doubt(gateway, batch):
    with pytest.raises(GatewayError):
        gateway.submit(batch)


# a switch that is thrown while a batch leaves


def test_submit_when_stopped_between_two_calls_then_what_was_called_is_known_and_the_rest_never_left(
    terminal, lives
):
    gateway = lives()
    asked = iter([False, False, True])
    gateway.stopped = lambda: next(asked)
    batch = a_batch(gateway, *(an_outgoing(sid=f"S{n}", symbol=PENDING) for n in range(4)))
    with pytest.raises(Stopped):
        gateway.submit(batch)
    never, taken = Outcome.NEVER_LEFT, Outcome.TAKEN
    assert gateway.settle(batch) == {"S0": taken, "S1": taken, "S2": never, "S3": never}
    assert len(terminal.book.rows()) == 2


# a call that does not return


@pytest.mark.parametrize("fault", ["refuse-after", "hang-after", "die-after"])
def test_submit_when_the_answer_is_lost_then_the_order_is_found_and_not_placed_again(terminal, lives, fault):
    gateway = lives(call_timeout=2.5)
    batch = a_batch(gateway, *(an_outgoing(sid=f"S{n}") for n in range(3)))
    terminal.book.fail("place", "")
    terminal.book.fail("place", fault)
    submit_in_doubt(gateway, batch)
    terminal.advance(2)
    assert gateway.settle(batch) == {"S0": Outcome.TAKEN, "S1": Outcome.TAKEN, "S2": Outcome.NEVER_LEFT}
    assert len(terminal.book.rows()) == 2
    told = said(gateway, terminal)
    assert [fill.sid for fill in told if isinstance(fill, Fill)] == ["S0", "S1"]


@pytest.mark.parametrize("fault", ["refuse", "hang"])
def test_trace_when_the_order_never_arrived_then_absent_after_two_queries_ten_seconds_apart(
    terminal, lives, fault
):
    gateway = lives(call_timeout=2.5)
    batch = a_batch(gateway, an_outgoing())
    terminal.book.fail("place", fault)
    submit_in_doubt(gateway, batch)
    since = terminal.clock.now()
    terminal.advance(2)
    assert gateway.settle(batch) == {"S1": Outcome.UNKNOWN}
    for _ in range(2):
        terminal.advance(4.9)
        trace = gateway.trace(batch, ["S1"], since)
        assert trace.absent == frozenset()
        assert trace.words
    terminal.advance(5.2)
    assert gateway.trace(batch, ["S1"], since).absent == {"S1"}
    assert gateway.trace(batch, ["S1"], terminal.clock.now()).absent == frozenset()


@pytest.mark.parametrize("call", ["orders", "statuses", "cash"])
def test_trace_when_a_query_fails_then_what_was_asked_before_proves_nothing(terminal, lives, call):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing())
    terminal.book.fail("place", "refuse")
    submit_in_doubt(gateway, batch)
    since = terminal.clock.now()
    terminal.advance(2)
    gateway.trace(batch, ["S1"], since)
    terminal.advance(9)
    terminal.book.fail(call, "refuse")
    gateway.trace(batch, ["S1"], since)
    terminal.advance(5)
    assert gateway.trace(batch, ["S1"], since).absent == frozenset()
    terminal.advance(11)
    assert gateway.trace(batch, ["S1"], since).absent == {"S1"}


@pytest.mark.parametrize("call", ["statuses", "cash"])
def test_trace_when_the_account_is_not_at_the_broker_then_an_empty_list_proves_nothing(terminal, lives, call):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing())
    terminal.book.fail("place", "refuse")
    submit_in_doubt(gateway, batch)
    for _ in range(6):
        terminal.advance(5)
        terminal.book.fail(call, "empty")
        assert gateway.trace(batch, ["S1"], Micros(0)).absent == frozenset()


def test_trace_when_the_list_lacks_orders_that_it_had_then_it_proves_nothing(terminal, lives):
    """The vendor's library has calls that say success and nothing when there is no connection."""
    gateway = lives()
    gateway.submit(a_batch(gateway, an_outgoing(sid="S0")))
    batch = a_batch(gateway, an_outgoing(volume=200), number=2)
    terminal.book.fail("place", "refuse")
    submit_in_doubt(gateway, batch)
    for _ in range(4):
        terminal.advance(6)
        terminal.book.fail("orders", "empty")
        assert gateway.trace(batch, ["S1"], Micros(0)).absent == frozenset()


def test_trace_when_fewer_are_listed_than_at_the_hand_over_then_nothing_is_proven_also_after_a_restart(
    terminal, lives
):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing())
    terminal.book.fail("place", "refuse")
    submit_in_doubt(gateway, batch)
    gateway = lives()
    batch = batch._replace(places={"listed": {ACCOUNT: 1}})
    for _ in range(5):
        terminal.advance(6)
        found = gateway.trace(batch, ["S1"], Micros(0))
        assert found.absent == frozenset()
    assert "shorter" in found.words


def test_trace_when_nothing_was_noted_at_the_hand_over_then_nothing_is_proven(terminal, lives):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing())
    terminal.book.fail("place", "refuse")
    submit_in_doubt(gateway, batch)
    for _ in range(5):
        terminal.advance(6)
        assert gateway.trace(batch._replace(places=None), ["S1"], Micros(0)).absent == frozenset()
    assert gateway.trace(batch, ["S1"], Micros(0)).absent == {"S1"}


def test_order_when_the_terminal_gives_it_a_status_that_nobody_knows_then_live_and_said_once(caplog):
    blotter = Blotter([ACCOUNT], "")
    assert STATUS_OF.get(77) is None
    sent = Sent(1, an_outgoing(), 0)
    blotter.add(sent)
    blotter.bind(sent, "c")
    order = {
        "account_id": ACCOUNT,
        "cl_ord_id": "c",
        "order_id": "o",
        "status": 77,
        "filled_volume": 0,
        "ord_rej_reason": 0,
    }
    order |= {"symbol": "SHSE.600000", "side": 1, "volume": 100, "updated_at": 1, "created_at": 1}
    told = []
    for filled in (0, 50):
        blotter.hear(
            ACCOUNT, {"orders": [order | {"filled_volume": filled}], "reports": [], "count": 1}, None
        )
        told += blotter.news(Noted(), Micros(9))
    assert [(report.status, report.filled_volume) for report in told] == [
        (Status.PENDING_NEW, 0), (Status.PENDING_NEW, 50),
    ]  # fmt: skip
    assert caplog.text.count("an unknown order status") == 1


class Noted:
    """A store that only takes notes."""

    def note_state(self, sent, state):
        pass


def test_trace_when_it_was_handed_over_yesterday_then_nothing_is_proven(terminal, lives):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing())
    gateway.submit(batch)
    terminal.advance(86400)
    for _ in range(3):
        terminal.advance(6)
        assert gateway.trace(batch, ["S1"], Micros(0)).absent == frozenset()


def test_submit_when_a_batch_comes_again_with_an_order_in_doubt_then_still_unknown(terminal, lives):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing())
    terminal.book.fail("place", "refuse")
    submit_in_doubt(gateway, batch)
    assert gateway.submit(batch).outcome is Outcome.UNKNOWN
    assert terminal.book.rows() == []


def test_trace_when_the_connection_broke_between_then_the_queries_before_prove_nothing(terminal, lives):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing())
    terminal.book.fail("place", "refuse")
    submit_in_doubt(gateway, batch)
    terminal.advance(2)
    gateway.trace(batch, ["S1"], Micros(0))
    gateway = lives()
    terminal.advance(11)
    assert gateway.trace(batch, ["S1"], Micros(0)).absent == frozenset()
    terminal.advance(11)
    assert gateway.trace(batch, ["S1"], Micros(0)).absent == {"S1"}


def test_match_when_two_orders_look_alike_then_neither_is_taken_for_ours(terminal, lives):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing(symbol=PENDING))
    terminal.book.fail("place", "refuse-after")
    submit_in_doubt(gateway, batch)
    by_hand(terminal, symbol=PENDING)
    assert said(gateway, terminal, 12) == []
    trace = gateway.trace(batch, ["S1"], Micros(0))
    assert trace.absent == frozenset()
    assert "same terms" in trace.words


def test_match_when_two_of_ours_are_in_doubt_then_one_order_is_nobodys(terminal, lives):
    gateway = lives()
    for number, fault in enumerate(("refuse", "refuse-after")):
        terminal.book.fail("place", fault)
        submit_in_doubt(gateway, a_batch(gateway, an_outgoing(sid=f"S{number}"), number=number + 1))
    assert said(gateway, terminal, 12) == []


@pytest.mark.parametrize(
    "other", [{"symbol": "SHSE.600001"}, {"volume": 200}, {"price": "10.01"}, {"order_business": 2}]
)
def test_match_when_an_order_has_other_terms_then_it_is_not_ours(terminal, lives, other):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing())
    terminal.book.fail("place", "refuse")
    submit_in_doubt(gateway, batch)
    by_hand(terminal, **other)
    assert said(gateway, terminal, 12) == []
    terminal.advance(5)
    assert gateway.trace(batch, ["S1"], Micros(0)).absent == {"S1"}


@pytest.mark.parametrize("seconds", [-60, 300])
def test_match_when_it_was_made_at_another_time_then_it_is_not_ours_but_proves_no_absence(
    terminal, lives, seconds
):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing())
    terminal.book.fail("place", "refuse")
    submit_in_doubt(gateway, batch)
    by_hand(terminal, at=terminal.clock.now() + seconds * 1_000_000)
    assert said(gateway, terminal, 15) == []
    assert gateway.trace(batch, ["S1"], Micros(0)).absent == frozenset()


def test_submit_when_the_terminal_does_not_answer_before_then_nothing_left(terminal, lives):
    gateway = lives(call_timeout=2.5)
    terminal.advance(5)
    terminal.book.fail("orders", "hang")
    batch = a_batch(gateway, an_outgoing())
    assert gateway.submit(batch).outcome is Outcome.NEVER_LEFT
    assert gateway.room() == 0
    assert gateway.settle(batch) == {"S1": Outcome.NEVER_LEFT}
    terminal.advance(3)
    assert gateway.room() > 0
    assert gateway.submit(batch).outcome is Outcome.TAKEN
    assert len(terminal.book.rows()) == 1


def test_submit_when_a_batch_comes_again_then_no_call_is_made_twice(terminal, lives):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing(sid="S0"), an_outgoing(sid="S1"))
    gateway.submit(batch)
    gateway = lives()
    gateway.submit(batch)
    assert len(terminal.book.rows()) == 2


# what is remembered


def test_settle_when_the_gateways_file_was_deleted_then_unknown_and_found_by_its_terms(terminal, lives):
    gateway = lives()
    sent, unsent = (
        a_batch(gateway, an_outgoing(sid="S0", volume=300)),
        a_batch(gateway, an_outgoing(), number=2),
    )
    gateway.submit(sent)
    gateway.close()
    for file in terminal.folder.glob("gm-gm.db*"):
        file.unlink()
    gateway = lives()
    gateway.remember([sent])
    assert gateway.settle(unsent) == {"S1": Outcome.UNKNOWN}
    assert {fill.sid for fill in said(gateway, terminal) if isinstance(fill, Fill)} == {"S0"}


def test_remember_when_the_file_is_there_then_what_it_does_not_know_never_left(terminal, lives):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing())
    gateway.remember([batch])
    assert gateway.settle(batch) == {"S1": Outcome.NEVER_LEFT}


def test_poll_when_restarted_then_fills_are_told_once_and_old_cursors_still_hold(terminal, lives):
    gateway = lives()
    gateway.submit(a_batch(gateway, an_outgoing()))
    before = said(gateway, terminal)
    cursor = gateway.poll(Cursor(""), 1000)[1]
    gateway = lives()
    assert said(gateway, terminal) == before
    assert gateway.poll(cursor, 1000) == ([], cursor)
    assert sum(isinstance(report, Fill) for report in before) == 1


def test_poll_when_an_order_was_entered_by_hand_then_it_is_not_told(terminal, lives):
    gateway = lives()
    by_hand(terminal)
    assert said(gateway, terminal) == []


def test_poll_when_the_terminal_is_away_then_what_is_known_is_told_and_it_is_asked_again_later(
    terminal, lives
):
    gateway = lives()
    gateway.submit(a_batch(gateway, an_outgoing()))
    before = said(gateway, terminal)
    terminal.book.fail("orders", "refuse")
    terminal.advance(1)
    assert gateway.poll(Cursor(""), 100)[0] == before
    terminal.advance(0.6)
    assert gateway.poll(Cursor(""), 100)[0] == before
    assert gateway.room() == 0
    terminal.advance(1)
    gateway.poll(Cursor(""), 100)
    assert gateway.room() > 0


def test_poll_when_the_day_has_changed_then_yesterdays_ids_mean_nothing(terminal, lives):
    gateway = lives()
    gateway.submit(a_batch(gateway, an_outgoing(symbol=PENDING)))
    said(gateway, terminal)
    terminal.advance(86400)
    told = gateway.poll(Cursor(""), 1000)[0]
    batch = a_batch(gateway, an_outgoing(sid="S2"), number=2)
    gateway.submit(batch)
    later = said(gateway, terminal)[len(told) :]
    assert {report.sid for report in later} == {"S2"}


# cancels


def test_cancel_when_in_doubt_then_it_goes_as_soon_as_the_order_is_found(terminal, lives):
    gateway = lives()
    batch = a_batch(gateway, an_outgoing(symbol=PENDING))
    terminal.book.fail("place", "refuse-after")
    submit_in_doubt(gateway, batch)
    gateway.cancel([Cancel("S1", ACCOUNT)])
    gateway = lives()
    told = said(gateway, terminal)
    assert [report.status for report in told if isinstance(report, StatusReport)][-1] is Status.CANCELED
    assert not any(isinstance(report, CancelReject) for report in told)


def test_cancel_when_the_terminal_refuses_the_call_then_told_with_its_words(terminal, lives):
    gateway = lives()
    gateway.submit(a_batch(gateway, an_outgoing(symbol=PENDING)))
    terminal.book.fail("cancel", "refuse")
    gateway.cancel([Cancel("S1", ACCOUNT)])
    (no,) = [r for r in gateway.poll(Cursor(""), 100)[0] if isinstance(r, CancelReject)]
    assert (no.sid, no.code) == ("S1", 999)
    assert "1013" in no.text


def test_cancel_when_there_is_no_answer_then_a_fault_so_that_it_is_tried_again(terminal, lives):
    gateway = lives(call_timeout=2.5)
    gateway.submit(a_batch(gateway, an_outgoing(symbol=PENDING)))
    terminal.book.fail("cancel", "hang")
    with pytest.raises(GatewayError):
        gateway.cancel([Cancel("S1", ACCOUNT)])


# the rest


def test_account_when_the_terminal_cannot_be_asked_then_the_one_before(terminal, lives):
    gateway = lives()
    before = gateway.account(ACCOUNT)
    terminal.advance(1)
    terminal.book.fail("cash", "refuse")
    assert gateway.account(ACCOUNT) == before
    later = gateway.account(ACCOUNT)
    assert later.at > before.at
    assert later._replace(at=before.at, held_at=before.held_at) == before


def test_orders_when_placed_then_side_effect_type_and_price_are_as_asked(terminal, lives):
    gateway = lives(strategy_id="a-strategy")
    sell = an_outgoing(sid="S1", order_business=2, price="10.123")
    market = an_outgoing(sid="S2", order_type=24, price=None)
    gateway.submit(a_batch(gateway, sell, market))
    first, second = terminal.book.rows()
    assert (first["side"], first["type"], Decimal(str(first["price"]))) == (2, 1, Decimal("10.123"))
    assert (second["side"], second["type"], second["price"], second["volume"]) == (1, 24, 0, 100)
    assert {first["strategy"], second["strategy"]} == {"a-strategy"}


def test_open_when_the_package_is_missing_then_says_what_to_install(terminal, monkeypatch):
    monkeypatch.setattr("orderdrop.gateway.gm.connection.find_spec", lambda _name: None)
    with pytest.raises(GatewayError, match=r'pip install "\.\[gm\]"'):
        terminal.gateway().open()


def test_start_when_an_earlier_process_still_lives_then_it_waits_for_its_end(terminal, lives):
    """A call that hangs in a process whose router was killed must not go out behind the back of the next one."""
    orphan = terminal.gateway()
    orphan._connection.link._timeout = orphan._connection.link._hello["call_timeout"] = 0.5
    lives()
    with pytest.raises(GatewayError, match="has not ended"):
        orphan._connection.link.start()


def by_hand(terminal, at=None, **over):
    """An order that somebody enters at the terminal."""
    from gm.pb.account_pb2 import Order  # noqa: PLC0415  the vendor's package may be missing

    order = an_outgoing(**over)
    terminal.book.place(
        Order(
            account_id=order.account_id, symbol=order.symbol, side=order.order_business, volume=order.volume,
            price=float(order.price), order_type=order.order_type,
        ),
        at=at,
    )  # fmt: skip
