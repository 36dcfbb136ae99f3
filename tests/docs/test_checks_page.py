"""docs/checks.md against the code: every rule, every setting, every code, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orderdrop.config.limits import Limits
from orderdrop.config.sections import CalendarSettings, InstrumentSettings, SwitchSettings
from orderdrop.domain.codes import Code
from orderdrop.market.instruments import _NAMES
from orderdrop.risk import checks
from orderdrop.risk.rules.limits import LIMITS
from orderdrop.risk.rules.session import NO_CANCELS, PHASES, clock_text, phase_at, second_of, taken_from

ROOT = Path(__file__).parents[2]
PAGE = re.sub(r"```.*?```", "", (ROOT / "docs" / "checks.md").read_text(encoding="utf-8"), flags=re.DOTALL)
WORDS = set(re.findall(r"[A-Za-z_]+", " ".join(re.findall(r"`([^`]+)`", PAGE))))
SETTINGS = {
    name
    for model in (Limits, CalendarSettings, InstrumentSettings, SwitchSettings)
    for name in model.model_fields
}


def test_page_when_read_names_every_rule_and_no_other():
    rules = {rule.__name__ for rule in (*checks.RULES, *checks.HOLDS, *checks.WARNINGS)}
    named = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert rules <= WORDS
    assert named - set(LIMITS) <= rules


def test_page_when_read_names_every_setting_and_limit():
    assert SETTINGS - WORDS - {"soft", "as_live"} == set()
    assert "as_live = true" in PAGE
    assert set(LIMITS) <= WORDS


def test_page_when_read_names_every_code_that_a_check_gives_and_no_other():
    sources = [
        *(ROOT / "orderdrop" / "risk" / "rules").glob("*.py"), ROOT / "orderdrop" / "risk" / "checks.py",
        ROOT / "orderdrop" / "execution" / "release.py",
    ]  # fmt: skip
    given = {
        code for path in sources for code in re.findall(r"Code\.([A-Z_]+)", path.read_text(encoding="utf-8"))
    }
    named = {word for word in WORDS if re.fullmatch(r"[A-Z]+_[A-Z_]+[A-Z]", word)}
    assert given - WORDS == set()
    assert named - set(Code) - {"LIMIT_"} == set()


def test_page_when_read_names_every_column_of_the_instruments_file():
    assert set(_NAMES) <= WORDS


ROWS = re.findall(r"^\| (\d\d:\d\d) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("begin", "limits", "markets", "cancels"), ROWS)
def test_sessions_when_in_the_table_are_what_the_checks_do(begin, limits, markets, cancels):
    second = second_of(begin)
    for words, order_type in ((limits, 1), (markets, 2)):
        due = taken_from(second, order_type)
        held = None if due is None else f"held until {clock_text(due)[:5]}"
        assert words == ("refused" if due is None else "taken" if due == second else held)
    assert cancels.startswith("refused") is (phase_at(second) in NO_CANCELS)


def test_sessions_when_in_the_table_are_all():
    assert {second_of(begin) for begin, *_ in ROWS} == {
        begin.second for begin in PHASES if 0 < begin.second <= second_of("15:00")
    }
