"""Strangers and what does not read: kept by day, told by `status`, exit 1."""

from __future__ import annotations

import sqlite3

import pytest
from command_line import HEADER, a_workspace, dropped, orderdrop, routed

from orderdrop.domain.codes import UNEVEN
from orderdrop.execution.unreadable import UnreadableRows
from orderdrop.journal.journal import Journal
from orderdrop.system.clock import SystemClock, trade_date
from orderdrop.views.oddities import alarms, note_strangers, note_unreadable_reports

FILLED = f"{HEADER}F-1,SZSE.000725,100,1,1,10\n"


class _Telling:
    """A gateway, as far as its unreadable rows go."""

    def __init__(self) -> None:
        self.bad_rows: dict[str, int] = {}


def test_status_when_a_sid_of_ours_is_used_by_somebody_else_or_rows_do_not_read_then_says_so_and_exit_1(
    tmp_path,
):
    root = a_workspace(tmp_path / "w")
    routed(root)
    assert orderdrop("status", at=root).exit_code == 0
    today = trade_date(SystemClock().now())
    journal = Journal("sqlite:///journal.db", root)
    journal.open()
    with journal.transaction() as writer:
        note_strangers(writer, today, [("A", "gm: account B2")])
        note_strangers(writer, today, [("A", "gm: account B2"), ("C", "gm: scan_name x")])
        note_unreadable_reports(writer, today, "gm", 1, "a time that cannot be")
    journal.close()
    found = orderdrop("status", at=root)
    assert found.exit_code == 1
    assert "3 reports are not counted as ours" in found.stderr
    assert "A (gm: account B2), C (gm: scan_name x)" in found.stderr
    assert "gm" in found.stderr
    assert "a time that cannot be (1)" in found.stderr


def test_strangers_when_there_are_very_many_then_the_note_stays_short(tmp_path):
    journal = Journal("sqlite:///journal.db", tmp_path)
    journal.open()
    today = trade_date(SystemClock().now())
    with journal.transaction() as writer:
        note_strangers(writer, today, [(f"S{n}", "gm: account B2") for n in range(10_000)])
        (sentence,) = alarms(writer.get_meta, today)
    journal.close()
    assert "10000 reports" in sentence
    assert len(sentence) < 1000


def test_unreadable_rows_when_counted_anew_after_a_start_then_not_added_up(tmp_path):
    journal = Journal("sqlite:///journal.db", tmp_path)
    journal.open()
    today, gateway = trade_date(SystemClock().now()), _Telling()
    for _start in range(2):
        rows = UnreadableRows({"gm": gateway})
        gateway.bad_rows = {}
        assert rows.news(0) == {}
        gateway.bad_rows = {"status is not a number": 2}
        news = rows.news(1)
        with journal.transaction() as writer:
            rows.write(writer, today, news)
        assert rows.news(10) == {}, "what is noted is no news"
    with journal.transaction() as writer:
        (sentence,) = alarms(writer.get_meta, today)
    journal.close()
    assert "status is not a number (2)" in sentence


@pytest.mark.parametrize("code", UNEVEN)
def test_status_and_run_once_when_fills_do_not_add_up_then_exit_1_and_the_sid(tmp_path, code):
    root = a_workspace(tmp_path / "w")
    dropped(root, "a.csv", FILLED)
    assert (orderdrop("status", at=root).exit_code, routed(root).exit_code) == (0, 0)
    with sqlite3.connect(root / "journal.db") as journal:
        journal.execute(
            "UPDATE orders SET reason_code = ?, reason_value = '0', reason_bound = '100'", (code,)
        )
    found = orderdrop("status", at=root)
    assert found.exit_code == 1
    assert "do not add up" in found.stderr
    assert "F-1" in found.stderr
    assert routed(root).exit_code == 1
