"""The connection to MiniQMT, its lives, and what must be there before it can begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from builders import ACCOUNT
from qmt_desk import Desk, desks
from xtquant_broker import Habits

from orderdrop.domain.status import Status
from orderdrop.errors import ConfigError, GatewayError
from orderdrop.gateway.base import Cancel, Cursor, Outcome
from orderdrop.gateway.miniqmt.events import Down
from orderdrop.gateway.miniqmt.gateway import MiniqmtGateway

FILLS, PENDING = "SZSE.000725", "SHSE.018014"


@pytest.fixture
def make(tmp_path) -> Iterator[Callable[..., Desk]]:
    with desks(tmp_path) as make:
        yield make


@pytest.fixture
def desk(make) -> Desk:
    return make()


# the connection


def test_disconnect_when_in_the_middle_of_a_batch_then_what_was_not_called_never_left(make):
    desk = make(in_flight=1)
    desk.habits.disconnect_at = {2}
    batch = desk.submit("S1", "S2", "S3", symbol=PENDING)
    assert "断开" in desk.fault or "应答" in desk.fault
    found = desk.gateway.settle(batch)
    assert (found["S1"], found["S2"], found["S3"]) == (Outcome.TAKEN, Outcome.UNKNOWN, Outcome.NEVER_LEFT)
    assert desk.gateway.room() == 0
    desk.until(lambda: desk.gateway.room() > 0, passing=True)
    assert desk.gateway.settle(batch)["S2"] is Outcome.TAKEN
    desk.gateway.submit(desk.batch("S3", symbol=PENDING))
    desk.until(desk.is_told("S3", Status.NEW))
    assert len(desk.broker.received) == 3


def test_terminal_when_restarted_then_another_session_and_orders_keep_their_sids(desk):
    desk.submit("S1", symbol=PENDING)
    desk.until(desk.is_told("S1", Status.NEW))
    desk.broker.restart()
    desk.until(lambda: desk.gateway.room() == 0)
    desk.until(lambda: desk.gateway.room() > 0, passing=True)
    assert len(desk.broker.sessions) == 2
    assert desk.broker.refused_sessions == 0
    desk.gateway.cancel([Cancel("S1", ACCOUNT)])
    desk.until(desk.is_told("S1", Status.CANCELED))
    assert {r.sid for r in desk.reports()} == {"S1"}


def test_terminal_when_it_is_away_then_tried_again_with_fresh_sessions_and_no_order_goes(desk):
    desk.habits.accepts = False
    desk.broker.disconnect()
    desk.until(lambda: len(desk.broker.sessions) >= 4, passing=True)
    assert desk.gateway.room() == 0
    result = desk.gateway.submit(desk.batch("S1"))
    assert result.outcome is Outcome.NEVER_LEFT
    with pytest.raises(GatewayError, match="not connected"):
        desk.gateway.cancel([Cancel("S1", ACCOUNT)])
    desk.habits.accepts = True
    desk.until(lambda: desk.gateway.room() > 0, passing=True)


def test_room_when_the_first_full_query_is_not_answered_then_none(make):
    desk = make(habits=Habits(mute=True), connect_timeout=0.3)
    assert desk.gateway.room() == 0


def test_disconnect_when_told_late_of_an_earlier_session_then_this_one_stays(desk):
    desk.gateway._link._tell(0, Down("late"))
    desk.reports()
    assert desk.gateway.room() > 0


def test_account_when_logged_out_then_no_room_until_it_is_back(desk):
    desk.habits.unlisted = {1}
    batch = desk.submit("S1")
    desk.broker.tell_account(ACCOUNT, 3)
    desk.until(lambda: desk.gateway.room() == 0)
    desk.rounds(4)
    found = desk.trace(batch, "S1")
    assert found.absent == frozenset()
    assert "not logged in" in found.words
    desk.broker.tell_account(ACCOUNT, 0)
    desk.until(lambda: desk.gateway.room() > 0)


def test_answers_when_they_do_not_come_then_the_hand_over_stops_and_says_so(make):
    desk = make(in_flight=2)
    desk.habits.tells_answers = desk.habits.tells_orders = False
    batch = desk.submit("S1", "S2", "S3", "S4")
    assert "not answered" in desk.fault
    assert sorted(desk.gateway.settle(batch).items()) == [
        ("S1", Outcome.UNKNOWN), ("S2", Outcome.UNKNOWN), ("S3", Outcome.NEVER_LEFT), ("S4", Outcome.NEVER_LEFT),
    ]  # fmt: skip


@pytest.mark.parametrize("answer", [-1, OSError("pipe")])
def test_call_when_it_raises_or_returns_minus_one_then_that_row_is_unknown(desk, monkeypatch, answer):
    from xtquant.xttrader import XtQuantTrader  # noqa: PLC0415  the stand-in is in its place by now

    real = XtQuantTrader.order_stock_async

    def call(self, *given, **named):
        if len(desk.broker.received) < 1:
            return real(self, *given, **named)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(XtQuantTrader, "order_stock_async", call)
    over = desk.over | {"in_flight": 1}
    desk.over.update(over)
    desk.reborn()
    batch = desk.submit("S1", "S2", "S3")
    found = desk.gateway.settle(batch)
    assert (found["S2"], found["S3"]) == (Outcome.UNKNOWN, Outcome.NEVER_LEFT)
    desk.rounds(1)
    assert desk.gateway.settle(batch)["S1"] is Outcome.TAKEN


# another life


def test_restart_when_a_batch_was_interrupted_then_what_arrived_is_taken_and_the_rest_unknown_then_absent(
    desk,
):
    desk.habits.unlisted = {2}
    batch = desk.submit("S1", "S2", symbol=PENDING)
    born_again = desk.reborn()
    assert born_again.settle(batch) == {"S1": Outcome.TAKEN, "S2": Outcome.UNKNOWN}
    desk.rounds(3)
    assert desk.trace(batch, "S2").absent == {"S2"}


def test_restart_when_memory_is_not_complete_then_a_batch_is_never_said_to_have_stayed(desk):
    batch = desk.batch("S1")
    gateway = desk.reborn(remembers=False)
    assert gateway.settle(batch) == {"S1": Outcome.UNKNOWN}


def test_cursor_when_of_another_life_then_everything_is_told(desk):
    desk.submit("S1", symbol=FILLS)
    desk.until(desk.is_told("S1", Status.FILLED))
    _, cursor = desk.gateway.poll(Cursor(""), 100)
    assert desk.gateway.poll(cursor, 100) == ([], cursor)
    desk.reborn()
    desk.until(lambda: desk.gateway.poll(cursor, 100)[0] != [])


def test_day_when_it_changes_then_a_batch_of_yesterday_is_never_said_to_have_stayed(make):
    desk = make(in_flight=1)
    desk.habits.tells_answers = desk.habits.tells_orders = False
    batch = desk.submit("S1", "S2")
    assert desk.gateway.settle(batch)["S2"] is Outcome.NEVER_LEFT
    desk.clock.advance(24 * 3600)
    desk.reports()
    assert set(desk.gateway.settle(batch).values()) == {Outcome.UNKNOWN}


def test_day_when_it_changes_then_yesterdays_orders_are_forgotten(desk):
    desk.submit("S1", symbol=PENDING)
    desk.until(desk.is_told("S1", Status.NEW))
    desk.clock.advance(24 * 3600)
    assert desk.statuses("S1") == []


# settings


def test_open_when_no_account_is_named_then_says_so(desk):
    gateway = MiniqmtGateway("qmt", desk.gateway._settings, [], desk.clock)
    with pytest.raises(ConfigError, match="accounts"):
        gateway.open()


def test_open_when_the_folder_is_not_there_then_says_so(desk):
    settings = desk.gateway._settings.model_copy(update={"userdata_dir": desk.folder / "用户 数据"})
    with pytest.raises(GatewayError, match="userdata_mini"):
        MiniqmtGateway("qmt", settings, [ACCOUNT], desk.clock).open()


def test_open_when_xtquant_is_missing_then_says_which_command_helps(desk, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "xtquant", None)
    with pytest.raises(ConfigError, match=r"\.\[miniqmt\]"):
        MiniqmtGateway("qmt", desk.gateway._settings, [ACCOUNT], desk.clock).open()
