"""What goes the quick way, many at once or noted later, is held to all that goes the slow one: repeats, soft limits, stops, faults of others."""

import shutil
import time
from datetime import date

import pytest
from file_desk import FileDesk, buys
from routed_desk import Desk

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.gateway import closures
from orderdrop.gateway.instrument_feed import HEADER as KEPT
from orderdrop.gateway.instrument_feed import Deliveries
from orderdrop.inbox.scanner import Inbox
from orderdrop.system.clock import SystemClock

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"


def orders(prefix: str, count: int, *, volume: int | None = None) -> str:
    return HEADER + "".join(
        f"{prefix}{n},A1,SHSE.600000,{volume or 100 * (n + 1)},1,1,10.00\n" for n in range(count)
    )


@pytest.mark.parametrize("count", [7, 8, 40])
def test_basket_when_it_repeats_another_is_held_however_large_it_is(desk, count):
    one = desk(limits={"repeat_window": 60}).route({"a.csv": orders("a", count)})
    one.route({"b.csv": orders("b", count)})
    assert {outcome for _, outcome, _ in one.outcomes("b.csv")} == {"held"}


@pytest.mark.parametrize("count", [3, 8, 40])
def test_files_when_they_repeat_each_other_in_one_turn_go_once_however_many_they_are(desk, count):
    one = desk(limits={"repeat_window": 60})
    one.route({f"{n}.csv": orders(f"s{n}-", 1) for n in range(count)})
    assert sorted(one.statuses().values()) == ["filled"] + ["held"] * (count - 1)


@pytest.mark.parametrize("count", [7, 8])
@pytest.mark.parametrize(
    "limits", [{"repeat_window": 60, "repeats": "warn"}, {"soft": {"max_order_volume": 50}}]
)
def test_basket_when_it_is_to_be_warned_of_is_however_large_it_is(desk, limits, count):
    one = desk(limits=limits).route({"a.csv": orders("a", count)})
    one.route({"b.csv": orders("b", count)})
    assert all(order["note"] for sid, order in one.orders().items() if sid.startswith("b"))


@pytest.fixture
def busy_desk(tmp_path, monkeypatch):
    """Three orders have left, and more drops seem to come: that they left is not noted yet."""
    one = FileDesk(tmp_path / "w")
    app = one.open()
    monkeypatch.setattr(Inbox, "stirring", property(lambda _inbox: True))
    monkeypatch.setattr(
        "orderdrop.execution.submission._NOTE_WITHIN", float("inf")
    )  # however slow this machine is
    one.put({"a.csv": buys(3)})
    time.sleep(0.005)
    app.turn(lambda _round: None)
    assert set(one.statuses().values()) == {"submitting"}
    yield one
    one.close()


def test_router_when_it_stops_notes_what_has_left(busy_desk):
    busy_desk.close()
    assert set(busy_desk.statuses().values()) == {"submitted"}
    assert [batch["outcome"] for batch in busy_desk.query("SELECT outcome FROM batches")] == ["taken"]


def test_router_when_the_clock_steps_back_notes_what_has_left_all_the_same(busy_desk, monkeypatch):
    busy_desk.clock.advance(-3600)
    monkeypatch.setattr("orderdrop.execution.submission._NOTE_WITHIN", 0)  # its time is over
    busy_desk.later(0.2, terminal=False)
    assert set(busy_desk.statuses().values()) == {"submitted"}


@pytest.fixture
def beside(desk, tmp_path) -> Desk:
    """A1 on the paper broker, B1 before a terminal that has told nothing; a loss of the day is a switch."""
    folders = {name: tmp_path / name for name in ("scan_dir", "push_dir", "archive_dir")}
    for folder in folders.values():
        folder.mkdir()
    other = {"type": "goldminer", "live": False, **{name: str(folder) for name, folder in folders.items()}}
    return desk(
        accounts={"A1": {"gateway": "paper"}, "B1": {"gateway": "other"}},
        switches={"day_loss": "1000", "clock_jump": 0},
        gateways={"paper": {"cash": "1000000000"}, "other": other},
    )


def test_cancel_when_another_accounts_terminal_cannot_be_asked_goes_all_the_same(beside, tmp_path):
    beside.route({"a.csv": f"{HEADER}a,A1,SHSE.018014,100,1,1,100\n"})
    shutil.rmtree(tmp_path / "push_dir")
    beside.app.router.breakers._ask_new_at = 0
    beside.route({"c.cancel_order.csv": "sid\na\n", "b.csv": orders("b", 1)})
    assert beside.statuses() == {"a": "canceled", "b0": "filled"}


def test_account_when_it_has_not_ordered_is_asked_for_seldom(beside, monkeypatch):
    asked, gathering = [], beside.open().router.risk
    monkeypatch.setattr(gathering, "funds", lambda account_id, _now: asked.append(account_id))
    for n in range(8):
        beside.route({f"{n}.csv": orders(f"s{n}-", 1)})
    assert asked.count("B1") == 1


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"day": 1}'])
def test_gateway_when_the_file_that_closes_it_is_spoilt_stays_closed_until_it_is_opened(tmp_path, spoilt):
    one = FileDesk(tmp_path / "w")
    app = one.open()
    app.workspace.shut("gm").write_text(spoilt)
    app.day_end.look()
    one.put({"a.csv": buys(1)})
    one.later(1, terminal=False)
    assert [code for _, _, code in one.outcomes("a.csv")] == ["GATEWAY_CLOSED"]
    closures.open_again(app.workspace, "gm")
    app.day_end.look()
    one.put({"b.csv": buys(1, 10)})
    one.later(1, terminal=False)
    assert one.statuses() == {"S10": "submitted"}
    one.close()


@pytest.mark.parametrize(
    "body", ["SHSE.600000,10,9,11,0.01,1,1,0,0,2026-11-20,2026-11-20", f'"{"x" * 200_000}', "\0"]
)
def test_securities_when_the_kept_ones_are_spoilt_are_none(tmp_path, body):
    class Silent:
        def instruments(self, _day):
            yield from ()

    settings = Settings.model_validate({"gateways": {"gm": {"type": "gm", "live": False, "token": "x" * 8}}})
    workspace = Workspace(tmp_path, tmp_path / "inbox")
    workspace.make()
    workspace.securities("gm").write_text(f"{','.join(KEPT)}\n{body}\n")
    deliveries = Deliveries({"gm": Silent()}, settings, workspace, SystemClock())
    deliveries.begin(date(2026, 11, 20))
    deliveries.close()
