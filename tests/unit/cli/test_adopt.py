"""`orderdrop adopt` and what `doctor` says before it: by a person's word only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from command_line import GOOD, a_workspace, dropped, orderdrop, printed, routed

from orderdrop.cli import main


@pytest.fixture
def lost(tmp_path) -> Path:
    """A workspace whose journal is gone."""
    workspace = a_workspace(tmp_path / "w")
    dropped(workspace, "a.csv", GOOD)
    for path in workspace.glob("journal.db*"):
        path.unlink()
    return workspace


def adopt(workspace: Path, word: str, *words: str) -> Result:
    return CliRunner().invoke(main, ["-C", str(workspace), "adopt", *words], input=word)


def wrong(workspace: Path) -> dict[str, str]:
    found = printed(orderdrop("doctor", "--json", at=workspace))
    return {one["check"]: one["remedy"] for one in found if one["level"] == "wrong"}


def test_run_when_the_journal_is_gone_exits_1_and_says_what_is_known_and_what_to_do(lost):
    result = routed(lost)
    assert result.exit_code == 1
    for words in ("journal is missing", "journal.mark", "paper: 2", "orderdrop adopt"):
        assert words in result.stderr
    assert not (lost / "journal.db").exists()


def test_doctor_when_the_journal_is_gone_shows_it_and_changes_nothing(lost):
    assert "orderdrop adopt" in wrong(lost)["journal.witness"]
    assert not (lost / "journal.db").exists()
    assert orderdrop("status", at=lost).exit_code in {0, 1}
    assert not (lost / "journal.db").exists()


@pytest.mark.parametrize("word", ["", "yes\n", "adop\n"])
def test_adopt_when_the_word_is_not_given_changes_nothing(lost, word):
    result = adopt(lost, word)
    assert result.exit_code == 1
    assert "nothing was changed" in result.stderr
    assert not (lost / "journal.db").exists()


def test_adopt_when_the_word_is_given_the_router_starts_and_nothing_goes_twice(lost):
    result = adopt(lost, "adopt\n", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert sorted(told["unknown"]) == ["G-1", "G-2"]
    assert wrong(lost) == {}
    dropped(lost, "again.csv", GOOD)
    (again,) = [
        drop for drop in printed(orderdrop("drops", "--json", at=lost)) if drop["name"] == "again.csv"
    ]
    assert (again["accepted"], again["duplicates"]) == (0, 2)
    assert orderdrop("audit", "--verify", at=lost).exit_code == 0


def test_adopt_when_a_router_runs_is_refused(lost):
    adopt(lost, "adopt\n")
    from filelock import FileLock  # noqa: PLC0415

    with FileLock(lost / ".orderdrop" / "router.lock"):
        assert "running" in adopt(lost, "adopt\n").stderr


def test_day_was_wrong_when_no_day_lies_ahead_is_refused(tmp_path):
    workspace = a_workspace(tmp_path / "w")
    dropped(workspace, "a.csv", GOOD)
    result = adopt(workspace, "adopt\n", "--day-was-wrong")
    assert result.exit_code == 1
    assert "nothing to mend" in result.stderr
