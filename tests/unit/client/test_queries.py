"""Cash, positions, the broker's orders, trades: the command line and the library say the same, whatever the gateway."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import xtquant_native
from command_line import QUICK, a_workspace, dropped, orderdrop, printed
from xtquant_broker import Broker

import orderdrop as library
from orderdrop.config.sources import load
from orderdrop.service.app import App
from orderdrop.system.clock import SystemClock

ORDERS = (
    "sid,symbol,volume,order_type,order_business,price\n"
    "Q-1,SZSE.000725,300,1,1,10.00\nQ-2,SHSE.018014,100,1,1,10.00\nQ-3,SZSE.000010,100,1,1,10.00\n"
)
ACCOUNT = "1001"
NAMED = f'[accounts."{ACCOUNT}"]\nalias = "main"\n'


def _paper(folder: Path) -> Iterator[Path]:
    workspace = a_workspace(folder, QUICK + NAMED)
    dropped(workspace, "q.csv", ORDERS)
    yield workspace


def _miniqmt(folder: Path) -> Iterator[Path]:
    xtquant_native.install()
    userdata = folder / "userdata_mini"
    userdata.mkdir()
    broker = Broker(SystemClock(), Decimal(1_000_000))
    broker.serve(userdata)
    gateway = f"[gateways.qmt]\ntype = 'miniqmt'\nlive = false\nuserdata_dir = '{userdata.as_posix()}'\nquery_interval = 0.1\n"
    workspace = a_workspace(folder / "w", QUICK + gateway + NAMED)
    broker.by_hand(ACCOUNT, "SHSE.600000", 700)
    (workspace / "inbox" / "q.csv").write_text(ORDERS)
    _route(workspace, broker)
    yield workspace
    broker.close()


def _route(workspace: Path, broker: Broker) -> None:
    with App(*load(workspace)) as app:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(broker.received) < 3:
            app.turn(lambda _round: None)
        settled = time.monotonic() + 0.5
        while time.monotonic() < settled:
            app.turn(lambda _round: None)


@pytest.fixture(scope="module", params=[_paper, _miniqmt], ids=["paper", "miniqmt"])
def workspace(request, tmp_path_factory) -> Iterator[Path]:
    yield from request.param(tmp_path_factory.mktemp("questions"))


def test_cash_when_an_order_filled_and_one_is_open_then_what_is_left_and_what_is_held(workspace):
    (one,) = library.cash(workspace)
    assert one.account_id == ACCOUNT
    assert Decimal(one.balance) == Decimal(one.available) + Decimal(one.frozen)
    assert Decimal(one.frozen) >= 1000
    assert Decimal(one.available) < 1_000_000 - 3000
    assert [vars(one) for one in library.cash(workspace)] == printed(
        orderdrop("cash", "--json", at=workspace)
    )


def test_positions_when_of_a_symbol_then_only_that_one_in_any_spelling(workspace):
    (one,) = library.positions(workspace, symbol="000725.sz", account="main")
    assert (one.symbol, one.volume, one.volume_today, one.available) == ("SZSE.000725", 300, 300, 0)
    assert printed(orderdrop("positions", "--symbol", "000725", "--json", at=workspace)) == [vars(one)]
    assert library.positions(workspace, account="nobody") == []
    with pytest.raises(ValueError, match="xyz"):
        library.positions(workspace, symbol="xyz")


def test_broker_orders_when_asked_then_where_each_stands_and_why_it_was_refused(workspace):
    ours = {one.sid: one for one in library.broker_orders(workspace) if one.sid}
    assert {sid: str(one.status) for sid, one in ours.items()} == {
        "Q-1": "filled",
        "Q-2": "new",
        "Q-3": "rejected",
    }
    assert ours["Q-3"].reason
    assert (ours["Q-1"].symbol, ours["Q-1"].side, ours["Q-1"].filled_volume) == ("SZSE.000725", "buy", 300)
    shown = printed(orderdrop("orders", "--broker", "--json", at=workspace))
    assert shown == [json.loads(one.model_dump_json()) for one in library.broker_orders(workspace)]


def test_broker_orders_when_some_were_entered_by_hand_then_they_have_no_sid(workspace, request):
    foreign = [one for one in library.broker_orders(workspace) if one.sid is None]
    by_hand = "miniqmt" in request.node.callspec.id
    assert [(one.order_id, one.symbol, str(one.status)) for one in foreign] == (
        [("C1", None, "filled")] if by_hand else []
    )


def test_trades_when_asked_then_each_fill_once(workspace):
    (one,) = library.trades(workspace)
    assert (one.sid, one.volume, Decimal(one.value)) == ("Q-1", 300, Decimal(3000))
    assert printed(orderdrop("trades", "--json", at=workspace)) == [json.loads(one.model_dump_json())]
    assert printed(orderdrop("trades", "--date", "2020-01-02", "--json", at=workspace)) == []


@pytest.mark.parametrize("words", [("cash",), ("positions",), ("trades",), ("orders", "--broker")])
def test_tables_when_no_router_runs_then_said_how_old_they_are(workspace, words):
    result = orderdrop(*words, at=workspace)
    assert result.exit_code == 0
    assert "no router runs" in result.stderr
    assert result.stdout.strip()


@pytest.mark.parametrize("words", [("cash",), ("positions",), ("trades",), ("orders", "--broker")])
def test_questions_when_no_router_ever_ran_then_nothing_is_told(tmp_path, words):
    result = orderdrop(*words, "--json", at=a_workspace(tmp_path))
    assert (result.exit_code, printed(result)) == (0, [])


def test_orders_of_the_broker_when_filtered_by_what_only_we_know_is_usage(workspace):
    assert orderdrop("orders", "--broker", "--strategy", "alpha", at=workspace).exit_code == 2


def test_funds_when_they_change_without_an_order_then_the_files_follow(tmp_path):
    """Somebody trades by hand in the terminal."""
    xtquant_native.install()
    broker = Broker(SystemClock(), Decimal(1_000_000))
    broker.serve(tmp_path)
    gateway = (
        f"[gateways.qmt]\ntype = 'miniqmt'\nuserdata_dir = '{tmp_path.as_posix()}'\nquery_interval = 0.05\n"
    )
    workspace = a_workspace(tmp_path / "w", QUICK + gateway + NAMED)
    with App(*load(workspace)) as app:
        broker.by_hand(ACCOUNT, "SHSE.600000", 700)
        deadline = time.monotonic() + 60
        while not library.positions(workspace):
            assert time.monotonic() < deadline
            app.turn(lambda _round: None)
    assert [one.volume for one in library.positions(workspace)] == [700]
    broker.close()
