from hypothesis import given
from hypothesis import strategies as st

from orderdrop.domain.status import AT_BROKER, MOVES, TERMINAL, Status, may_move


def test_moves_of_every_status_are_in_the_table():
    assert set(MOVES) == set(Status)


def test_moves_when_a_status_leads_only_to_terminal_ones_it_is_terminal():
    dead_ends = {status for status, moves in MOVES.items() if moves <= TERMINAL}
    assert dead_ends == TERMINAL - {Status.REJECTED}, "a broker may take its no back"


def test_moves_when_an_order_is_filled_cancelled_or_expired_the_broker_takes_none_of_it_back():
    assert not MOVES[Status.FILLED]
    for ended in (Status.CANCELED, Status.EXPIRED):
        assert MOVES[ended] <= TERMINAL
    assert MOVES[Status.REJECTED] == AT_BROKER - {Status.REJECTED}


@given(st.sampled_from(sorted(set(Status) - TERMINAL)))
def test_moves_from_any_live_status_lead_to_a_terminal_one(status):
    reached, edge = {status}, [status]
    while edge:
        new = MOVES[edge.pop()] - reached
        reached |= new
        edge += new
    assert reached & TERMINAL


def test_moves_when_the_broker_had_an_order_never_lead_back_to_ready():
    assert not any(may_move(status, Status.READY) for status in AT_BROKER)
    assert not any(
        may_move(status, Status.SUBMITTING)
        for status in set(Status) - {Status.RECEIVED, Status.HELD, Status.READY}
    )


def test_moves_into_ready_come_only_from_before_sending_or_from_proof():
    assert {old for old in Status if may_move(old, Status.READY)} == {
        Status.RECEIVED, Status.HELD, Status.SUBMITTING, Status.UNKNOWN,
    }  # fmt: skip
