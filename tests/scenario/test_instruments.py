"""The day's securities from the terminal to the verdict: a real router before the stand-in for 掘金's API."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from builders import ACCOUNT, FRIDAY, a_clock
from click.testing import CliRunner
from gm_terminal import GmTerminal
from routed_desk import Desk

from orderdrop.cli import main
from orderdrop.config.workspace import Workspace
from orderdrop.domain.security import Security
from orderdrop.gateway.instrument_feed import _write
from orderdrop.service.app import App
from orderdrop.system.clock import SystemClock, from_datetime, iso, trade_date

HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
SYMBOL = "SHSE.600000"
SETTINGS = f"""
[gateways.gm]
type = "gm"
token = "a-secret"
live = false
[accounts.{ACCOUNT}]
[limits]
as_live = true
"""


class Api(Desk):
    """A desk whose only gateway is 掘金's API; the terminal stands in a folder beside the workspace."""

    def __init__(self, root: Path) -> None:
        settings = {
            "gateways": {"gm": {"type": "gm", "token": "a-secret", "live": False}},
            "accounts": {ACCOUNT: {}},
            "limits": {"as_live": True},
            "switches": {"clock_jump": 0},
        }
        super().__init__(root / "workspace", a_clock(), **settings)
        (self.root / "orderdrop.toml").write_text(SETTINGS)
        (self.root / "calendar.csv").write_text("closed,note\n2026-10-01,\n")
        (self.root / ".orderdrop").mkdir()
        (root / "terminal").mkdir()
        self.terminal = GmTerminal(root / "terminal", self._clock)

    def list(self, close: float, lower: float, upper: float, **over: object) -> None:
        info = {"symbol": SYMBOL, "exchange": "SHSE", "sec_type1": 1010, "price_tick": 0.01}
        told = {
            "at": from_datetime(FRIDAY.replace(hour=0)),
            "pre_close": close,
            "lower_limit": lower,
            "upper_limit": upper,
        }
        (self.terminal.folder / "symbols.json").write_text(json.dumps([told | over | {"info": info}]))

    def open(self) -> App:
        if self.app is None:
            gateway = self.terminal.gateway(self.root / ".orderdrop")
            workspace = Workspace(self.root, self.inbox)
            self.app = App(self._settings, workspace, clock=self._clock, gateways={"gm": gateway}).__enter__()
        return self.app

    def told(self) -> Api:
        """Once the terminal has told."""
        app, deadline = self.open(), time.monotonic() + 60
        while not (app.deliveries.delivered().told and app.workspace.securities("gm").exists()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self

    def verdicts(self) -> dict[str, str]:
        return {order["sid"]: order["reason_code"] or "" for order in self.query("SELECT * FROM orders")}


@pytest.fixture
def api(tmp_path):
    made = Api(tmp_path)
    yield made
    made.close()


def row(sid: str, price: str, volume: int = 100) -> str:
    return f"{HEADER}{sid},{ACCOUNT},{SYMBOL},{volume},1,1,{price}\n"


def test_price_when_beyond_what_the_terminal_told_then_refused_and_within_it_sent(api):
    api.list(10.00, 9.50, 10.50)  # not what the board's ten percent would make of the close
    api.told().route({"a.csv": row("a", "10.50"), "b.csv": row("b", "10.51", 200)})
    assert api.verdicts() == {"a": "", "b": "PRICE_LIMIT"}
    assert [order["price"] for order in api.terminal.book.rows()] == [10.5]
    assert "REFERENCE_MISSING" not in api.receipt("a.csv")[0]["note"]


def test_price_when_the_terminal_tells_nothing_then_sent_and_said(api):
    api.route({"a.csv": row("a", "99.00")})
    assert api.verdicts() == {"a": ""}
    assert len(api.terminal.book.rows()) == 1
    assert "REFERENCE_MISSING" in api.receipt("a.csv")[0]["note"]


def test_price_when_the_file_says_otherwise_then_the_file_wins(api):
    api.list(10.00, 9.00, 11.00)
    path, stamp = api.root / "instruments.csv", api._clock.now() / 1e6
    path.write_text(f"symbol,lower,upper\n{SYMBOL},18,22\n")
    os.utime(path, (stamp, stamp))
    api.told().route({"a.csv": row("a", "20.00"), "b.csv": row("b", "10.00", 200)})
    assert api.verdicts() == {"a": "", "b": "PRICE_LIMIT"}


def test_suspension_when_told_then_the_order_goes_and_its_receipt_says_so(api):
    api.list(10.00, 9.00, 11.00, is_suspended=True)
    api.told().route({"a.csv": row("a", "10.00")})
    assert api.verdicts() == {"a": ""}
    assert "SECURITY_SUSPENDED" in api.receipt("a.csv")[0]["note"]


def test_first_order_when_the_router_has_started_again_then_judged_by_what_was_kept(api):
    api.list(10.00, 9.00, 11.00)
    api.told().close()
    (api.terminal.folder / "symbols.json").unlink()
    api.put({"a.csv": row("a", "11.01")})
    api.open().turn(lambda _done: None)
    assert api.verdicts() == {"a": "PRICE_LIMIT"}


def test_check_when_the_router_was_told_then_says_what_the_router_would_and_where_from(api):
    api.list(10.00, 9.00, 11.00)
    api.told().close()
    file = api.root / "basket.csv"
    file.write_text(row("a", "11.01"))
    words = ["-C", str(api.root), "check", "--at", "2026-11-20T09:31", "--json", str(file)]
    result = CliRunner().invoke(main, words)
    assert [one["code"] for one in json.loads(result.stdout)] == ["PRICE_LIMIT"]
    assert "judged by what gm told at 09:31:00 of 1 securities" in result.stderr
    words[4] = "2026-11-23T09:31"
    assert "judged by" not in CliRunner().invoke(main, words).stderr


def test_router_when_it_ends_then_nothing_is_left_running(api):
    api.list(10.00, 9.00, 11.00)
    api.terminal.book.fail("symbols", "hang")
    gateway = api.open().desk.gateways["gm"]
    deadline = time.monotonic() + 60
    while gateway._enquiry._process is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process = gateway._enquiry._process
    api.close()
    while process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_status_when_the_terminal_has_told_then_says_how_many_and_when(api):
    now = SystemClock().now()
    _write(api.root / ".orderdrop" / "instruments-gm.csv", trade_date(now), now, [Security(SYMBOL)])
    status = ["-C", str(api.root), "status"]
    (gateway,) = json.loads(CliRunner().invoke(main, [*status, "--json"]).stdout)["gateways"]
    assert gateway["instruments"] == {"count": 1, "at": iso(now)}
    assert f"gm: 1, {iso(now)[11:19]}" in CliRunner().invoke(main, status).stdout
    (api.root / ".orderdrop" / "instruments-gm.csv").unlink()
    (gateway,) = json.loads(CliRunner().invoke(main, [*status, "--json"]).stdout)["gateways"]
    assert gateway["instruments"] is None
