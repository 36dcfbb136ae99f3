"""A journal of before may hold what a terminal once told: times that no calendar has, prices that no market has, words that steer a screen."""

from __future__ import annotations

import sqlite3

import pytest
from command_line import GOOD, a_workspace, dropped, orderdrop

from orderdrop.system.clock import SystemClock, trade_date

TODAY = f"{trade_date(SystemClock().now())}"
BEYOND = 1 << 61
COMMANDS = [
    ("orders",), ("orders", "--json"), ("orders", "--broker"), ("orders", "--broker", "--json"), ("trades",), ("trades", "--json"),
    ("cash",), ("cash", "--json"), ("positions",), ("positions", "--json"), ("why", "G-1"), ("why", "G-1", "--json"), ("why", "a.csv"),
    ("status",), ("status", "--json"), ("drops",), ("limits",), ("audit", TODAY, "--json"), ("export", TODAY), ("export", TODAY, "--format", "xlsx"),
]  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = a_workspace(tmp_path_factory.mktemp("absurd") / "w")
    dropped(root, "a.csv", GOOD)
    with sqlite3.connect(root / "journal.db") as journal:
        journal.execute(
            "UPDATE orders SET updated_at = ?, confirmed_at = ?, closed_at = ?", (BEYOND, -BEYOND, BEYOND)
        )
        journal.execute(
            "UPDATE orders SET filled_value = '1E+1001', reason_code = 'BROKER_REJECTED', reason_value = ?, reason_bound = '8'",
            ("\x1b[2J\u202eno",),
        )
        journal.execute("UPDATE fills SET price = '1E+999999', at = ?", (BEYOND,))
        journal.execute("UPDATE events SET at = ?, detail = ?", (BEYOND, "\x1b]0;x\x07"))
        journal.execute(
            "UPDATE reports SET body = json_set(body, '$.at', ?, '$.text', ?, '$.price', '1E+999999')",
            (BEYOND, "\x1b[31mno"),
        )
    for table in root.glob("outbox/*/cash.csv"):
        lines = table.read_text("utf-8-sig").splitlines()
        table.write_text(
            "\n".join([lines[0], lines[1].replace(",1000000", "," + "9" * 200_000, 1)]) + "\n", "utf-8"
        )
    return root


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words).replace(TODAY, "TODAY"))
def test_command_when_the_journal_holds_what_cannot_be_then_it_answers_all_the_same(root, words, monkeypatch):
    monkeypatch.chdir(root)
    done = orderdrop(*words, at=root)
    assert done.exit_code in {0, 1}, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
