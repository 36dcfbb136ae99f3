"""`orderdrop close`, with a router and without."""

from __future__ import annotations

import json
import sys
import threading
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from command_line import GOOD, QUICK, a_workspace, dropped, orderdrop

from orderdrop.cli.context import Place
from orderdrop.service.app import App
from orderdrop.system.clock import SHANGHAI

MODULE = sys.modules["orderdrop.cli.close"]  # the package's name for it is the command
LIVE = f'{QUICK}[gateways.gm]\ntype = "goldminer"\nscan_dir = "scan"\npush_dir = "push"\n'
NOON = datetime(2026, 11, 20, 11, 0, tzinfo=SHANGHAI)


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(MODULE, "_now", lambda: now)


@pytest.fixture(autouse=True)
def _in_the_afternoon(monkeypatch):
    """Before nine, `orderdrop close` means the day before."""
    at(monkeypatch, datetime.now(SHANGHAI).replace(hour=16))


def test_close_when_an_order_is_open_then_it_is_shown_and_exit_1(tmp_path):
    workspace = a_workspace(tmp_path)
    dropped(workspace, "basket.csv", GOOD)
    result = orderdrop("close", at=workspace)
    assert result.exit_code == 1
    assert " 2  送出 sent" in result.stdout
    assert " –  终端取走 taken by the terminal" in result.stdout
    assert "G-2" in result.stdout
    assert "柜台还没有终态 / is not finished at the broker" in result.stdout
    assert list((workspace / "archive").glob("*/reconciliation.csv"))


def test_close_when_json_is_asked_for_then_it_is_one_object(tmp_path):
    workspace = a_workspace(tmp_path)
    dropped(workspace, "basket.csv", GOOD.replace("SZSE.000001", "SZSE.000002"))
    result = orderdrop("close", "--json", at=workspace)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert {name: told[name] for name in ("dropped", "sent", "taken", "ended", "differing")} == {
        "dropped": 2, "sent": 2, "taken": None, "ended": 2, "differing": 0,
    }  # fmt: skip


def test_close_when_nothing_was_taken_from_the_inbox_then_it_stays_there(tmp_path):
    workspace = a_workspace(tmp_path)
    (workspace / "inbox" / "late.csv").write_text(GOOD, encoding="utf-8")
    assert json.loads(orderdrop("close", "--json", at=workspace).stdout)["dropped"] == 0
    assert (workspace / "inbox" / "late.csv").exists()


def test_close_when_a_router_runs_then_that_one_does_it(tmp_path):
    workspace = a_workspace(tmp_path)
    place = Place(workspace)
    stop, ready = threading.Event(), threading.Event()

    def route() -> None:
        with App(place.settings, place.workspace) as app:
            ready.set()
            app.run(stop)

    router = threading.Thread(target=route)
    router.start()
    try:
        assert ready.wait(120)
        (workspace / "inbox" / "basket.csv").write_text(GOOD, encoding="utf-8")
        deadline = time.monotonic() + 120
        while json.loads(orderdrop("orders", "--json", at=workspace).stdout) == []:
            assert time.monotonic() < deadline
        result = orderdrop("close", "--json", at=workspace)
        assert json.loads(result.stdout)["dropped"] == 2
        assert result.exit_code == 1
    finally:
        stop.set()
        router.join()


def test_close_when_a_live_market_may_be_open_then_it_is_refused_but_by_force(tmp_path, monkeypatch):
    workspace = a_workspace(tmp_path, LIVE)
    for name in ("scan", "push"):
        (workspace / name).mkdir()
    at(monkeypatch, NOON)
    refused = orderdrop("close", at=workspace)
    assert refused.exit_code == 1
    assert "15:30" in refused.stderr
    assert not (workspace / "journal.db").exists()
    assert orderdrop("close", "--force", at=workspace).exit_code == 0
    at(monkeypatch, NOON.replace(hour=16))
    assert orderdrop("close", at=workspace).exit_code == 0
    at(monkeypatch, NOON + timedelta(days=1))
    assert orderdrop("close", at=workspace).exit_code == 0
    at(monkeypatch, NOON)
    (workspace / "calendar.csv").write_text("closed,note\n2026-11-20,\n", encoding="utf-8")
    assert orderdrop("close", at=workspace).exit_code == 0


def test_close_when_it_is_early_morning_then_the_last_day_with_drops_is_meant(tmp_path, monkeypatch):
    today = Place(tmp_path).today
    open_ = f'[calendar]\nextra_open = ["{today + timedelta(days=1)}"]\n'
    workspace = a_workspace(tmp_path, QUICK + open_)
    dropped(workspace, "basket.csv", GOOD)
    tomorrow = Place(workspace)
    tomorrow.today = today + timedelta(days=1)
    at(monkeypatch, NOON.replace(hour=8))
    assert MODULE._default_day(tomorrow) == today
    at(monkeypatch, NOON)
    assert MODULE._default_day(tomorrow) == tomorrow.today


def test_close_when_the_day_has_not_come_then_it_is_an_error_of_usage(tmp_path):
    workspace = a_workspace(tmp_path)
    assert orderdrop("close", "--date", str(date(2999, 1, 1)), at=workspace).exit_code == 2


def archived(workspace: Path) -> set[str]:
    return {path.name for path in (workspace / "archive").iterdir()}


def test_close_when_another_day_is_named_then_that_one_is_closed(tmp_path):
    workspace = a_workspace(tmp_path)
    dropped(workspace, "basket.csv", GOOD)
    day = Place(workspace).today - timedelta(days=3)
    assert (
        json.loads(orderdrop("close", "--date", day, "--json", at=workspace).stdout)["day"] == day.isoformat()
    )
    assert day.isoformat() in archived(workspace)


def test_close_when_a_simulated_gateway_is_closed_then_the_screen_says_so_until_it_is_resumed(tmp_path):
    workspace = a_workspace(tmp_path, LIVE + "live = false\n")
    for name in ("scan", "push"):
        (workspace / name).mkdir()
    orders = workspace / "later.csv"
    orders.write_text(GOOD, encoding="utf-8")
    assert orderdrop("close", at=workspace).exit_code == 0
    status = json.loads(orderdrop("status", "--json", at=workspace).stdout)
    assert status["gateways"][0]["closed"]
    assert "已收盘 closed for today" in orderdrop("status", at=workspace).stdout
    assert "GATEWAY_CLOSED" in orderdrop("check", "--json", str(orders), at=workspace).stdout
    plain = orderdrop("resume", at=workspace)
    assert "resume --gateway gm" in plain.stderr
    assert orderdrop("resume", "--gateway", "what", at=workspace).exit_code == 2
    assert orderdrop("resume", "--gateway", "gm", "--account", "a", at=workspace).exit_code == 2
    assert "Start its terminal anew" in orderdrop("resume", "--gateway", "gm", at=workspace).stderr
    assert "GATEWAY_CLOSED" not in orderdrop("check", "--json", str(orders), at=workspace).stdout
    assert "was not closed" in orderdrop("resume", "--gateway", "gm", at=workspace).stderr
    assert json.loads(orderdrop("status", "--json", at=workspace).stdout)["gateways"][0]["closed"] is None


def test_close_when_it_is_the_first_morning_then_today_is_not_closed(tmp_path, monkeypatch):
    workspace = a_workspace(tmp_path)
    at(monkeypatch, NOON.replace(hour=8))
    place = Place(workspace)
    assert MODULE._default_day(place) == place.today - timedelta(days=1)


def test_close_when_it_is_a_day_off_then_the_last_day_with_drops_is_meant(tmp_path, monkeypatch):
    workspace = a_workspace(tmp_path)
    at(monkeypatch, NOON)
    later = Place(workspace)
    today, later.today = Place(workspace).today, Place(workspace).today + timedelta(days=4)
    (workspace / "calendar.csv").write_text(f"closed\n{later.today}\n", encoding="utf-8")
    assert MODULE._default_day(later) == later.today  # nothing to close
    dropped(workspace, "basket.csv", GOOD)
    assert MODULE._default_day(later) == today


def test_close_when_it_is_done_on_the_day_of_drops_then_that_day_is_meant_though_it_is_off(
    tmp_path, monkeypatch
):
    workspace = a_workspace(tmp_path)
    dropped(workspace, "basket.csv", GOOD)
    today = Place(workspace).today
    (workspace / "calendar.csv").write_text(f"closed\n{today}\n", encoding="utf-8")
    at(monkeypatch, NOON)
    assert MODULE._default_day(Place(workspace)) == today
