"""When the terminals are asked for the day's securities, what is kept of it, and that nothing of another day is told. Over the stand-in for gm."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from builders import ACCOUNT, FRIDAY, a_clock
from gm_terminal import GmTerminal

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.gateway import instrument_feed
from orderdrop.gateway.instrument_feed import Deliveries, as_delivered, kept
from orderdrop.system.clock import from_datetime

TODAY = FRIDAY.date()
SYMBOL = "SHSE.600000"


class World:
    """A terminal, a clock, and one life of a router's deliveries after the other."""

    def __init__(self, folder, hours: int = 9, minutes: int = 31, *, wanted: bool = True) -> None:
        self.workspace = Workspace(folder, folder / "inbox")
        self.workspace.state.mkdir()
        self.clock = a_clock(FRIDAY.replace(hour=hours, minute=minutes))
        self.terminal = GmTerminal(folder, self.clock)
        self.settings = Settings.model_validate(
            {
                "gateways": {"gm": {"type": "gm", "token": "a-secret", "live": False, "instruments": wanted}},
                "accounts": {ACCOUNT: {}},
            }
        )
        self.gateway = self.terminal.gateway()
        self.lives: list[Deliveries] = []

    def life(self, day: date = TODAY) -> Deliveries:
        made = Deliveries({"gm": self.gateway}, self.settings, self.workspace, self.clock)
        self.lives.append(made)
        made.begin(day)
        return made

    def list(self, close: float, day: date = TODAY, *symbols: str) -> None:
        told = [
            {
                "at": from_datetime(FRIDAY.replace(year=day.year, month=day.month, day=day.day, hour=0)),
                "pre_close": close,
                "lower_limit": close - 1,
                "upper_limit": close + 1,
                "info": {"symbol": symbol, "exchange": "SHSE", "sec_type1": 1010},
            }
            for symbol in (SYMBOL, *symbols)
        ]
        (self.terminal.folder / "symbols.json").write_text(json.dumps(told))

    def forget(self) -> None:
        (self.terminal.folder / "symbols.json").unlink()

    def close(self) -> None:
        for life in self.lives:
            life.close()
        self.gateway.close()


@pytest.fixture
def world(tmp_path, monkeypatch) -> Iterator[Callable[..., World]]:
    """Worlds in which nobody waits long."""
    monkeypatch.setattr(instrument_feed, "PAUSES", (0.02,))
    monkeypatch.setattr(instrument_feed, "_LOOK", 0.02)
    made: list[World] = []

    def make(*at: int, **over) -> World:
        made.append(World(tmp_path, *at, **over))
        return made[-1]

    yield make
    for one in made:
        one.close()


def close_of(life: Deliveries) -> Decimal | None:
    security = life.delivered().of(SYMBOL)
    return security.previous_close if security else None


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def told_and_kept(world: World, close: float) -> None:
    """In one life of the router."""
    life = world.life()
    until(lambda: close_of(life) == close)
    until(lambda: world.workspace.securities("gm").exists())


def asked(world: World) -> bool:
    """Whether a process of the vendor's package has begun since."""
    return (world.terminal.folder / "token").exists()


def test_securities_when_the_day_begins_then_told_and_kept(world):
    here = world()
    here.list(10)
    life = here.life()
    until(lambda: close_of(life) == 10)
    assert life.delivered().day == TODAY
    until(lambda: here.workspace.securities("gm").exists())
    (found,) = kept(here.settings, here.workspace, TODAY).values()
    assert as_delivered({"gm": found}, TODAY) == life.delivered()
    assert found.at.startswith("2026-11-20T09:31")
    assert kept(here.settings, here.workspace, TODAY + timedelta(days=1)) == {}


def test_securities_when_the_router_starts_again_then_told_without_asking(world):
    here = world()
    here.list(10)
    told_and_kept(here, 10)
    here.forget()
    (here.terminal.folder / "token").unlink()
    life = here.life()
    until(lambda: close_of(life) == 10)
    time.sleep(0.2)
    assert not asked(here)


def test_securities_when_kept_yesterday_then_never_told(world):
    here = world()
    here.list(10)
    told_and_kept(here, 10)
    here.clock.advance(3 * 86_400)  # Monday; the terminal still has Friday's
    life = here.life(TODAY + timedelta(days=3))
    until(lambda: asked(here))
    time.sleep(0.2)
    assert close_of(life) is None
    here.list(11, TODAY + timedelta(days=3))
    until(lambda: close_of(life) == 11)


def test_securities_when_another_day_begins_then_forgotten_at_once(world):
    here = world()
    here.list(10)
    life = here.life()
    until(lambda: close_of(life) == 10)
    here.clock.advance(86_400)
    life.begin(TODAY + timedelta(days=1))
    assert close_of(life) is None


@pytest.mark.parametrize(
    "rubbish", ["", "symbol,day\n", "\x00", "HEADER\nSHSE.600000,x,,,,,,,,2026-11-20,at\n"]
)
def test_file_when_it_is_rubbish_then_the_terminal_is_asked(world, rubbish):
    here = world()
    text = rubbish.replace("HEADER", ",".join(instrument_feed.HEADER))
    here.workspace.securities("gm").write_text(text, encoding="utf-8")
    assert kept(here.settings, here.workspace, TODAY) == {}
    here.list(10)
    life = here.life()
    until(lambda: close_of(life) == 10)


def test_terminal_when_too_early_then_not_asked_yet(world):
    here = world(8, 29)
    here.list(10)
    life = here.life()
    time.sleep(0.2)
    assert not asked(here)
    here.clock.advance(60)
    until(lambda: close_of(life) == 10)


def test_terminal_when_after_the_close_then_not_asked(world):
    here = world(15, 0)
    here.list(10)
    here.life()
    time.sleep(0.2)
    assert not asked(here)


def test_terminal_when_asked_early_then_once_more_when_it_has_renewed_its_data(world):
    here = world(8, 45)
    here.list(10)
    life = here.life()
    until(lambda: close_of(life) == 10)
    here.list(20)
    time.sleep(0.1)
    assert close_of(life) == 10
    here.clock.advance(30 * 60)
    until(lambda: close_of(life) == 20)


def test_terminal_when_away_then_nobody_knows_and_it_is_asked_again_and_told_once(world, caplog):
    here = world()
    life = here.life()
    until(lambda: asked(here))
    time.sleep(0.3)
    assert close_of(life) is None
    here.list(10)
    until(lambda: close_of(life) == 10)
    assert (
        sum("will ask again" in record.message for record in caplog.records if record.levelname == "WARNING")
        == 1
    )


def test_terminal_when_the_settings_say_no_then_not_asked(world):
    here = world(wanted=False)
    here.list(10)
    here.life()
    time.sleep(0.2)
    assert not asked(here)


def test_terminal_when_it_tells_thousands_then_all_are_told_and_kept(world):
    here = world()
    here.list(10, TODAY, *(f"SHSE.{number}" for number in range(600_001, 604_001)))
    life = here.life()
    until(lambda: close_of(life) == 10)
    assert sum(map(len, life.delivered().told)) == 3000  # 602... and 604... have no board
