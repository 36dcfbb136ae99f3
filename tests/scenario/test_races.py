"""Interleavings that lose, double or falsify when a word of one part does not reach another."""

from __future__ import annotations

from file_desk import FileDesk, buys

from orderdrop.errors import GatewayError, JournalError
from orderdrop.gateway import closures
from orderdrop.terminal import Faults

PENDING = "SHSE.018014"


def cancel(*sids: str) -> str:
    return "sid\n" + "".join(f"{sid}\n" for sid in sids)


def interrupted(desk: FileDesk, monkeypatch, files: dict[str, str]) -> None:
    """These orders are handed over, and nobody can say whether they left."""
    gateway = desk.open().desk.gateways["gm"]
    with monkeypatch.context() as broken:

        def submit(_batch):
            raise GatewayError("the share is away")

        broken.setattr(gateway, "submit", submit)
        broken.setattr(gateway, "settle", lambda _batch: {})
        broken.setattr("orderdrop.execution.submission.PAUSE_AFTER_FAULT", 0.0)
        desk.put(files)
        desk.later(2, terminal=False)


def test_account_when_its_interrupted_order_is_released_then_what_waits_behind_it_leaves(
    file_desk, monkeypatch
):
    desk = file_desk()
    interrupted(desk, monkeypatch, {"a.csv": buys(1)})
    assert desk.statuses() == {"S0": "unknown"}
    desk.put({"b.csv": buys(1, first=1)})
    desk.later(3)
    assert desk.statuses() == {"S0": "unknown", "S1": "ready"}
    desk.put({"r.release.csv": "sid\nS0\n"})
    desk.later(5)
    assert desk.statuses() == {"S0": "unknown", "S1": "filled"}


def close_day(desk: FileDesk) -> None:
    day_end = desk.open().day_end
    day_end._grace = 0
    day_end.close(desk.open().router.today)


def test_order_when_it_was_taken_back_stays_expired_and_takes_no_room(file_desk):
    desk = file_desk(window=1)
    desk.put({"a.csv": buys(1)})
    desk.later(1, terminal=False)
    close_day(desk)
    assert desk.statuses() == {"S0": "expired"}
    desk.later(10)
    assert desk.statuses() == {"S0": "expired"}
    closures.open_again(desk.open().workspace, "gm")
    desk.open().day_end.look()
    desk.fault(Faults())  # after a close the terminal is started again
    desk.later(1)
    desk.put({"b.csv": buys(1, first=1)})
    desk.later(5)
    assert desk.statuses() == {"S0": "expired", "S1": "filled"}


def test_cancel_that_waits_when_its_order_is_taken_back_is_answered(file_desk):
    desk = file_desk()
    desk.put({"a.csv": buys(1)})
    desk.later(1, terminal=False)
    desk.put({"c.cancel_order.csv": cancel("S0")})
    desk.later(1, terminal=False)
    assert desk.outcomes("c.cancel_order.csv") == [("S0", "asked", "CANCEL_WAITS")]
    close_day(desk)
    desk.later(2, terminal=False)
    assert desk.outcomes("c.cancel_order.csv") == [("S0", "refused", "CANCEL_FINISHED")]


def test_cancel_that_waits_when_its_order_expires_with_the_day_is_answered(file_desk):
    desk = file_desk(Faults(lose=1.0))
    desk.put({"a.csv": buys(1)})
    desk.later(1)
    desk.put({"c.cancel_order.csv": cancel("S0")})
    desk.later(1)
    assert desk.outcomes("c.cancel_order.csv") == [("S0", "asked", "CANCEL_WAITS")]
    desk.clock.advance(86400)
    desk.later(2)
    assert desk.statuses() == {"S0": "expired"}
    assert desk.outcomes("c.cancel_order.csv") == [("S0", "refused", "CANCEL_FINISHED")]


def test_order_when_it_is_resent_is_late_only_against_its_second_hand_over(file_desk):
    desk = file_desk(Faults(seed=5, lose=0.1))
    desk.put({"a.csv": buys(100)})
    desk.later(150)
    lost = sorted(desk.lost())
    desk.put({"r.resend.csv": cancel(*lost)})
    desk.later(2, terminal=False)
    assert {desk.statuses()[sid] for sid in lost} == {"submitted"}


def test_order_when_its_time_to_leave_passes_while_it_waits_for_the_window_expires(file_desk):
    desk = file_desk(window=1)
    desk.put({"a.csv": buys(1)})
    desk.later(1, terminal=False)
    late = "sid,account_id,symbol,volume,order_type,order_business,price,not_after\nL,A1,SHSE.600000,100,1,1,10,09:31:30\n"
    desk.put({"b.csv": late})
    desk.later(1, terminal=False)
    assert desk.statuses()["L"] == "ready"
    desk.later(40, terminal=False)
    desk.later(5)
    assert desk.statuses() == {"S0": "filled", "L": "expired"}
    assert desk.executed() == {"S0": 1}


def test_order_when_it_was_lost_and_its_time_to_leave_is_over_is_not_sent_again(file_desk):
    desk = file_desk(resend="auto")
    desk.put({"a.csv": buys(1)})
    desk.later(3)
    desk.fault(Faults(lose=1.0))
    desk.later(1)
    late = "sid,account_id,symbol,volume,order_type,order_business,price,not_after\nL,A1,SHSE.600000,100,1,1,10,09:31:30\n"
    desk.put({"b.csv": late})
    desk.later(10)
    assert desk.lost() == {"L": 1}
    desk.later(150)  # the terminal is not started again: output that is begun anew proves nothing
    assert desk.statuses() == {"S0": "filled", "L": "expired"}
    assert desk.executed() == {"S0": 1}


def test_hand_over_in_doubt_when_the_journal_fails_is_asked_about_again(file_desk, monkeypatch):
    desk = file_desk()
    desk.later(1)
    desk.close()  # from its second start on, staging's memory is without a gap
    app = desk.open()
    monkeypatch.setattr("orderdrop.execution.submission.PAUSE_AFTER_FAULT", 0.0)
    with monkeypatch.context() as broken:

        def load(_handover):
            raise JournalError("cannot be read")

        broken.setattr(app.router.submission, "_load", load)
        desk.put({"a.csv": buys(1)})
        broken.setattr(app.router.submission, "settle", lambda *_: load(None))
        desk.later(1)
    desk.later(5)
    assert desk.statuses() == {"S0": "filled"}


def test_resend_when_the_settings_say_never_is_refused(file_desk):
    desk = file_desk(Faults(seed=5, lose=0.1), resend="never")
    desk.put({"a.csv": buys(100)})
    desk.later(150)
    sid = min(desk.lost())
    desk.put({"r.resend.csv": cancel(sid)})
    desk.later(2)
    assert desk.outcomes("r.resend.csv") == [(sid, "refused", "RESEND_OFF")]
    assert desk.statuses()[sid] == "unknown"
    assert desk.taken_by_terminal() == 1


def test_order_that_was_expired_here_when_the_terminal_has_it_after_all_is_open_and_can_be_canceled(
    file_desk,
):
    desk = file_desk()
    desk.put({"a.csv": buys(1, symbol=PENDING).replace(",10\n", ",100\n")})
    desk.later(1, terminal=False)
    close_day(desk)
    assert desk.statuses() == {"S0": "expired"}
    # The terminal had read the file before it was taken back.
    (taken,) = (desk.scan.with_name("scan.orderdrop") / "returned").glob("*.order.csv")
    (desk.scan / taken.name).write_bytes(taken.read_bytes())
    desk.later(5)
    assert desk.statuses() == {"S0": "new"}
    desk.put({"c.cancel_order.csv": cancel("S0")})
    desk.later(5)
    assert desk.statuses() == {"S0": "canceled"}
    assert desk.outcomes("c.cancel_order.csv") == [("S0", "done", "")]
