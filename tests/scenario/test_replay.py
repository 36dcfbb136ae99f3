"""A day is played again: in the same order, at the same instants, with the same outcome; and nothing live is traded by accident."""

import csv
import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderdrop.archive.day import Archived
from orderdrop.cli import main
from orderdrop.system.clock import SHANGHAI, FixedClock

DAY = datetime(2026, 11, 19, 9, 31, tzinfo=SHANGHAI)
HEADER = "sid,account_id,symbol,volume,order_type,order_business,price\n"
FOLLOWED = "20261119.order.csv"


def row(sid: str, symbol: str = "SHSE.600000", volume: int = 100, account: str = "acc") -> str:
    return f"{sid},{account},{symbol},{volume},1,1,10.35\n"


@pytest.fixture
def day(trade):
    """A day with a followed file, a good basket, a refused one, a cancel, and a name that came twice."""
    clock = FixedClock(DAY)
    desk = trade({FOLLOWED: HEADER + row("F1")}, clock)
    for seconds, files in (
        (60, {"alpha/a.csv": HEADER + row("A1") + row("A2", "SZSE.000001", 200)}),
        (1, {"b.csv": HEADER + row("B1") + row("B2", volume=150)}),
        (1, {"b.csv": HEADER + row("B1")}),
        (5, {"c.csv": HEADER + row("C1") + "C2,acc,SHSE.600000,1O0,1,1,10.35\n"}),
        (10, {"x.cancel_order.csv": "sid,comment\nA2,\n"}),
    ):
        clock.advance(seconds)
        desk.route(files)
    clock.advance(30)
    desk.append(FOLLOWED, row("F2") + row("F1"))
    desk.route().close()
    return desk


def replay(desk, *words: object, typed: str = "") -> str:
    result = CliRunner().invoke(main, ["-C", str(desk.root), "replay", *map(str, words)], input=typed)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(desk, *words: object, typed: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(main, ["-C", str(desk.root), "replay", *map(str, words)], input=typed)
    return result.exit_code, result.output


def told(desk, *words: object) -> dict:
    return json.loads(replay(desk, *words, "--json"))


def differing(found: dict) -> list[dict]:
    def said(side: dict | None) -> tuple | None:
        return side and (side["outcome"], side["code"])

    return [pair for pair in found["rows"] if said(pair["then"]) != said(pair["now"])]


def dump(workspace: Path) -> list[str]:
    connection = sqlite3.connect(workspace / "journal.db")
    try:
        return [line for line in connection.iterdump() if "'journal_id'" not in line]
    finally:
        connection.close()


def journal(workspace: Path) -> bytes:
    return (workspace / "archive" / "2026-11-19" / "journal.csv").read_bytes()


def orders(workspace: Path) -> dict[str, dict]:
    text = journal(workspace).decode("utf-8-sig")
    return {order["sid"]: order for order in csv.DictReader(text.splitlines())}


def test_day_when_it_is_played_twice_leaves_the_same_journal_to_the_byte(day, tmp_path):
    for name in ("one", "two"):
        replay(day, "2026-11-19", "--into", tmp_path / name)
    assert journal(tmp_path / "one") == journal(tmp_path / "two")
    assert dump(tmp_path / "one") == dump(tmp_path / "two")
    assert len(dump(tmp_path / "one")) > 60


def test_day_when_it_is_played_comes_out_as_it_did_at_the_instants_at_which_it_did(day):
    found = told(day, "2026-11-19")
    assert (len(found["rows"]), differing(found), found["left_out"]) == (11, [], [])
    then, now = orders(day.root), orders(Path(found["workspace"]))
    told_by_us = ("received_at", "submitted_at", "status", "row", "drop", "reason_code", "strategy")
    assert [{name: order[name] for name in told_by_us} for order in now.values()] == [
        {name: order[name] for name in told_by_us} for order in then.values()
    ]
    assert now["F2"]["submitted_at"] == "2026-11-19T09:32:47.000000+08:00"
    assert now["A2"]["status"] == "canceled"


def test_day_when_it_is_played_keeps_every_file_as_the_day_did_also_of_a_name_that_came_twice(day, tmp_path):
    def kept(root: Path) -> dict[str, bytes]:
        folders = [root / "archive" / "2026-11-19" / "drops", root / "quarantine" / "2026-11-19"]
        return {
            str(path.relative_to(root)): path.read_bytes()
            for folder in folders
            for path in folder.rglob("*")
            if path.is_file()
        }

    replay(day, "2026-11-19", "--into", tmp_path / "one")
    assert kept(tmp_path / "one") == kept(day.root)
    assert len([name for name in kept(day.root) if name.endswith("b.csv")]) == 2


def test_day_when_it_is_zipped_is_played_the_same(day, tmp_path):
    replay(day, "2026-11-19", "--into", tmp_path / "loose")
    kept = Archived(day.root / "archive" / "2026-11-19")
    kept.compress()
    replay(day, kept.zip, "--into", tmp_path / "zipped")
    assert journal(tmp_path / "loose") == journal(tmp_path / "zipped")


def test_day_when_the_rules_have_changed_shows_both_sides(day):
    (day.root / "orderdrop.toml").write_text("[accounts.other]\n")
    found = told(day, "2026-11-19", "--dry-run")
    assert {pair["now"]["code"] for pair in differing(found)} >= {"ACCOUNT_UNKNOWN"}
    assert found["then"]["filled"] == 4
    assert "filled" not in found["now"]
    shown = replay(day, "2026-11-19", "--dry-run")
    assert "ACCOUNT_UNKNOWN" in shown
    assert "当时" in shown


def test_dry_run_when_it_ends_has_left_nothing(day):
    def files() -> list[Path]:
        return sorted(path for path in day.root.rglob("*") if not path.name.startswith("journal.db-"))

    before = files()
    told(day, "2026-11-19", "--dry-run")
    assert files() == before


def test_drop_when_played_from_the_archive_is_compared_with_what_became_of_it(day):
    found = told(day, day.root / "archive/2026-11-19/drops/alpha/a.csv", "--dry-run")
    assert [(pair["row"], pair["then"]["outcome"], pair["now"]["outcome"]) for pair in found["rows"]] == [
        (2, "filled", "filled"), (3, "canceled", "partially_filled"),
    ]  # fmt: skip


def test_file_when_nobody_knows_it_is_played_on_its_own_day(day, tmp_path):
    old = tmp_path / "20200102_093000.order.csv"
    old.write_text((HEADER + row("O1")).rstrip("\n"))
    found = told(day, old, "--dry-run")
    assert (found["day"], found["now"], found["then"]) == ("2020-01-02", {"filled": 1}, {})


def test_rows_when_chosen_and_renamed_are_the_only_ones(day):
    found = told(
        day,
        "2026-11-19",
        "--sids",
        "new",
        "--account",
        "acc=other",
        "--only",
        "strategy=alpha",
        "--only",
        "symbol=000001",
    )
    now = orders(Path(found["workspace"]))
    assert [(sid, order["account_id"], order["symbol"]) for sid, order in now.items()] == [
        ("R20261119-0001", "other", "SZSE.000001")
    ]
    assert now["R20261119-0001"]["status"] == "canceled"  # the cancel found it under its new name
    assert [(pair["drop"], pair["row"]) for pair in found["rows"]] == [
        ("alpha/a.csv", 3),
        ("x.cancel_order.csv", 2),
    ]
    assert found["rows"][0]["then"]["sid"] == "A2"


def test_basket_when_it_had_an_unreadable_row_is_left_out_whole_when_written_anew(day):
    found = told(day, "2026-11-19", "--sids", "new", "--dry-run")
    assert [name["drop"] for name in found["left_out"]] == ["c.csv"]
    assert "C1" not in {pair["then"] and pair["then"]["sid"] for pair in found["rows"]}


def test_rhythm_when_a_speed_is_given_is_kept(day, monkeypatch):
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    replay(day, "2026-11-19", "--speed", "10")
    assert slept == pytest.approx([6, 0.1, 0.1, 0.5, 1, 3])


def test_source_when_there_is_none_is_an_error_of_usage(day):
    for words in (
        ["2026-11-18"],
        ["nothing.csv"],
        ["2026-11-19", "--to", "nowhere"],
        ["2026-11-19", "--only", "x=1"],
    ):
        assert refused(day, *words)[0] == 2


# to a gateway

GATEWAYS = """
[gateways.real]
type = "paper"
live = true
[gateways.sim]
type = "paper"
[accounts.acc]
gateway = "real"
[accounts.spare]
gateway = "sim"
"""


@pytest.fixture
def desk_of_two(day):
    (day.root / "orderdrop.toml").write_text(GATEWAYS)
    return day


def waiting(desk) -> list[str]:
    """What was put into the inbox."""
    return [path.read_text() for path in sorted(desk.inbox.rglob("*.csv")) if path.name != FOLLOWED]


def sent(desk) -> list[dict]:
    """The orders in it."""
    return [
        row
        for content in waiting(desk)
        if "symbol" in content
        for row in csv.DictReader(content.splitlines())
    ]


LIVE = ("2026-11-19", "--to", "real", "--speed", "asap", "--only", "drop=a.csv")


@pytest.mark.parametrize(
    ("words", "typed", "code"),
    [
        (["--sids", "keep"], "2026-11-19\n", 2),
        (["--yes-send-live", "3"], "", 1),
        ([], "yes\n", 1),
        ([], "", 1),
        ([], "2026-11-20\n", 1),
    ],
)
def test_live_gateway_when_it_is_not_confirmed_to_the_letter_gets_nothing(desk_of_two, words, typed, code):
    found, output = refused(desk_of_two, *LIVE, *words, typed=typed)
    assert found == code, output
    assert waiting(desk_of_two) == []


@pytest.mark.parametrize(("words", "typed"), [(["--yes-send-live", "2"], ""), ([], "2026-11-19\n")])
def test_live_gateway_when_it_is_confirmed_gets_new_sids_under_a_new_name_of_today(desk_of_two, words, typed):
    replay(desk_of_two, *LIVE, *words, typed=typed)
    rows = sent(desk_of_two)
    assert len(waiting(desk_of_two)) == 2  # the cancel as well
    assert [(one["account_id"], one["symbol"], one["volume"], one["strategy"]) for one in rows] == [
        ("acc", "SHSE.600000", "100", "alpha"), ("acc", "SZSE.000001", "200", "alpha"),
    ]  # fmt: skip
    assert all(one["sid"].startswith("R20") and one["sid"].endswith(("-0001", "-0002")) for one in rows)


def test_live_gateway_when_played_to_twice_never_uses_a_sid_again(desk_of_two):
    for _ in range(2):
        replay(desk_of_two, *LIVE, "--yes-send-live", "2")
    assert len({one["sid"] for one in sent(desk_of_two)}) == 4


def test_gateway_when_an_account_belongs_to_another_one_is_refused(desk_of_two):
    code, output = refused(desk_of_two, "2026-11-19", "--to", "sim")
    assert code == 2
    assert "--account acc=NEW" in output
    assert waiting(desk_of_two) == []


def test_simulated_gateway_when_played_to_asks_nothing_and_keeps_the_rhythm(desk_of_two, monkeypatch):
    slept = []
    monkeypatch.setattr("time.sleep", slept.append)
    replay(desk_of_two, "2026-11-19", "--to", "sim", "--account", "spare")
    assert len(waiting(desk_of_two)) == 6  # c.csv is left out, the followed file came in two parts
    assert sum(slept) == timedelta(seconds=107).total_seconds()
