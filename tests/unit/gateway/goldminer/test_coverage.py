"""Absence is proven by an output that reaches back to before the hand-over without a break, and by no other one."""

from __future__ import annotations

import pytest
from goldminer_desk import Folders
from goldminer_writing import ACCOUNT, a_change, text

from orderdrop.gateway.base import Batch, Cursor, Trace
from orderdrop.system.clock import Micros

CHANGES, LATEST = "order_status_change.csv", "order_status.csv"
BLANK = text([a_change("S1")]).splitlines(keepends=True)[0]


@pytest.fixture
def folders(tmp_path) -> Folders:
    return Folders(tmp_path)


def heard(folders: Folders) -> None:
    """A poll, a fifth of a second after the last one."""
    at = folders.__dict__["ticks"] = folders.__dict__.get("ticks", 0.0) + 0.2
    folders.gateway._output._ticks = lambda: at
    folders.gateway.poll(Cursor(""), 0)


def in_flight(folders: Folders, *rows: dict[str, str]) -> Batch:
    """Handed over and taken, behind output of these rows."""
    if rows:
        folders.tell(*rows)
    else:
        (folders.push / ACCOUNT / CHANGES).write_bytes(BLANK)
    heard(folders)
    batch = folders.handed(1, "S1")
    folders.take_away()
    heard(folders)
    folders.gateway.evidence(batch)
    return batch


def traced(folders: Folders, batch: Batch, sid: str = "S1") -> Trace:
    """When the terminal was alive for long enough."""
    for number in range(6):
        folders.clock.advance(6)
        (folders.push / ACCOUNT / "cash.csv").write_text(
            f"account_id,available,balance\n,{number},{number}\n"
        )
        heard(folders)
        trace = folders.gateway.trace(batch, [sid], Micros(0))
    return trace


def test_silence_when_the_output_goes_on_then_absent(folders):
    batch = in_flight(folders, a_change("S9"))
    folders.tell(a_change("S9"), a_change("S8"))
    found = traced(folders, batch)
    assert found.absent == {"S1"}, found.words
    assert found.since > 0


def test_silence_when_the_router_was_started_again_and_the_output_goes_on_then_absent(folders):
    batch = in_flight(folders, a_change("S9"))
    folders.reborn()
    folders.tell(a_change("S9"), a_change("S8"))
    assert traced(folders, batch).absent == {"S1"}


def test_silence_when_nothing_was_noted_then_nothing_is_proven(folders):
    batch = in_flight(folders, a_change("S9"))
    found = traced(folders, batch._replace(places=None))
    assert (found.absent, "not noted" in found.words) == (frozenset(), True)


@pytest.mark.parametrize("reborn", [False, True])
@pytest.mark.parametrize("how", ["truncated", "rewritten", "removed", "put away"])
def test_silence_when_the_output_begins_anew_then_nothing_is_proven(folders, how, reborn):
    batch = in_flight(folders, a_change("S9"))
    path = folders.push / ACCOUNT / CHANGES
    if how == "truncated":
        path.write_bytes(BLANK)
    elif how == "rewritten":
        path.write_bytes(text([a_change("S7"), a_change("S6"), a_change("S5")]))
    elif how == "removed":
        path.unlink()
    else:
        path.parent.rename(folders.root / "away")
        path.parent.mkdir()
        path.write_bytes(BLANK)
    if reborn:
        folders.reborn()
    found = traced(folders, batch)
    assert found.absent == frozenset()
    assert "anew" in found.words


def test_silence_when_the_output_had_no_row_then_it_is_proven_in_the_same_life_alone(folders):
    batch = in_flight(folders)
    folders.tell(a_change("S8"))
    assert traced(folders, batch).absent == {"S1"}
    folders.reborn()
    assert traced(folders, batch).absent == frozenset()


def test_silence_when_a_blank_output_was_written_again_without_growing_then_nothing_is_proven(folders):
    """A row that was written and taken away between two looks."""
    batch = in_flight(folders)
    path = folders.push / ACCOUNT / CHANGES
    path.write_bytes(text([a_change("S1")]))
    path.write_bytes(BLANK)
    assert "anew" in traced(folders, batch).words


def test_silence_when_there_was_no_output_yet_then_nothing_is_proven(folders):
    heard(folders)
    batch = folders.handed(1, "S1")
    folders.take_away()
    folders.tell(a_change("S9"))
    found = traced(folders, batch)
    assert (found.absent, "was no order_status_change" in found.words) == (frozenset(), True)


def test_silence_when_the_last_states_are_all_that_is_told_then_nothing_is_proven(folders):
    (folders.push / ACCOUNT / LATEST).write_bytes(text([a_change("S9")]))
    heard(folders)
    batch = folders.handed(1, "S1")
    folders.take_away()
    found = traced(folders, batch)
    assert (found.absent, "only order_status.csv" in found.words) == (frozenset(), True)


def test_silence_when_a_second_output_folder_appears_then_nothing_is_proven(folders):
    (folders.push / "copies of it").mkdir()
    (folders.push / "copies of it" / CHANGES).write_bytes(BLANK)
    folders.reborn()
    batch = in_flight(folders, a_change("S9"))
    assert traced(folders, batch).absent == {"S1"}
    (folders.push / "new one").mkdir()
    (folders.push / "new one" / CHANGES).write_bytes(BLANK)
    found = traced(folders, batch)
    assert (found.absent, "second folder" in found.words) == (frozenset(), True)


@pytest.mark.parametrize("where", ["archive/user/2026-11-20/downfiles/" + ACCOUNT, "push/copies"])
def test_silence_when_the_order_stands_in_what_was_put_away_today_then_it_is_not_absent(folders, where):
    batch = in_flight(folders, a_change("S9"))
    assert traced(folders, batch).absent == {"S1"}
    (folders.root / where).mkdir(parents=True)
    (folders.root / where / "old.csv").write_bytes(text([a_change("S1")]))
    found = traced(folders, batch)
    assert (found.absent, "stands somewhere" in found.words) == (frozenset(), True)


def test_silence_when_the_settings_name_another_output_folder_since_then_nothing_is_proven(folders):
    batch = in_flight(folders, a_change("S9"))
    other = {**batch.places, "folder": "elsewhere"}
    assert "another one" in traced(folders, batch._replace(places=other)).words
