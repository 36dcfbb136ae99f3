"""The stand-in terminal on the command line, and the demo before it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import orderdrop

from orderdrop.cli.context import Place
from orderdrop.cli.demo_terminal import Fate, Outcome, play
from orderdrop.domain.status import Status

ARRIVED = Fate("S1", 0, 1, Status.FILLED)


def test_demo_when_the_terminal_loses_nothing_then_every_order_arrives_once(tmp_path):
    result = orderdrop("demo", "--terminal", "--lose", "0", tmp_path / "演示 demo")
    assert result.exit_code == 0, result.output
    assert " 100  恰好执行一次 executed exactly once" in result.stdout
    assert "   0  执行两次 executed twice" in result.stdout


def test_demo_when_rows_are_lost_then_each_of_them_is_told_and_none_is_doubled(tmp_path):
    outcome = play(Place(tmp_path), 0.2, at_most=3)
    assert outcome.as_expected
    found = outcome.data()
    assert found["orders"] == 100
    assert found["lost_by_terminal"] > 0
    assert found["doubled"] == []
    assert found["arrived_once"] + len(found["in_doubt"]) == 100


@pytest.mark.parametrize(
    ("fate", "as_expected", "complete"),
    [
        (ARRIVED, True, True),
        (Fate("S2", 1, 1, Status.FILLED), True, True),
        (Fate("S2", 1, 0, Status.UNKNOWN), True, False),
        (Fate("S2", 1, 0, Status.SUBMITTED), True, False),
        (Fate("S2", 0, 2, Status.FILLED), False, False),
        (Fate("S2", 0, 2, Status.UNKNOWN), False, False),
        (Fate("S2", 1, 0, Status.FILLED), False, False),
        (Fate("S2", 1, 0, Status.EXPIRED), False, False),
        (Fate("S2", 0, 0, Status.DENIED), False, False),
    ],
)
def test_outcome_when_judged_then_doubles_and_silent_losses_fail_the_demo(fate, as_expected, complete):
    outcome = Outcome((ARRIVED, fate), 1.0)
    assert (outcome.as_expected, outcome.complete) == (as_expected, complete)


def test_demo_when_lose_is_given_alone_then_it_is_an_error_of_usage(tmp_path):
    result = orderdrop("demo", "--lose", "0.1", tmp_path)
    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_terminal_when_it_does_not_start_then_one_message_names_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", _broken(tmp_path))
    (tmp_path / "demo").mkdir()
    result = orderdrop("demo", "--terminal", tmp_path / "demo")
    assert result.exit_code == 1
    assert "terminal.log" in result.stderr
    assert "Traceback" not in result.output


def test_command_line_when_loaded_then_the_terminal_is_not():
    code = "import sys, orderdrop.cli; print('orderdrop.terminal.engine' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def _broken(folder: Path) -> str:
    """A program that ends at once."""
    if sys.platform == "win32":
        return "hostname.exe"
    program = folder / "broken"
    program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    return str(program)
