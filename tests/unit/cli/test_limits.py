"""`limits`, `calendar`, switches of an account or a strategy, and `check` at another time."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from command_line import GOOD, QUICK, a_file, a_workspace, dropped, orderdrop, printed

from orderdrop.cli.context import Place
from orderdrop.client import append, drop
from orderdrop.client.writing import InvalidOrder
from orderdrop.market import calendar
from orderdrop.service.app import App

LIMITED = (
    QUICK + "[limits]\nmax_day_value = 10000\norders_per_day = 10\n[limits.soft]\nmax_order_value = 100\n"
)
LIVE = QUICK + "[limits]\nas_live = true\n"
TOLD = "the settings are not those of the running router"
OPENED = "closed\n2026-10-01\n"


def test_limits_when_orders_have_traded_then_shows_what_is_used(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, LIMITED)
    dropped(workspace, "good.csv", GOOD)  # 1,035 yuan, and half of 2,240 with the rest still open
    found = {
        (one["account_id"], one["setting"]): one
        for one in printed(orderdrop("limits", "--json", at=workspace))
    }
    day = found[None, "[limits] max_day_value"]
    assert (day["limit"], float(day["used"]), day["percent"], day["soft"]) == ("10000", 3275.0, "32.8", False)
    assert found["paper", "[limits] orders_per_day"]["used"] == "2"
    assert found[None, "[limits.soft] max_order_value"]["soft"] is True
    assert "max_day_value" in orderdrop("limits", at=workspace).stdout


def test_check_when_the_day_has_used_a_limit_up_then_it_counts(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, QUICK + "[limits]\nmax_day_value = 4000\n")
    more = a_file(tmp_path, "more.csv", "symbol,volume,side,price\n600000.SH,100,1,10.35\n")
    assert printed(orderdrop("check", more, "--json", at=workspace))[0]["outcome"] == "would_go"
    dropped(workspace, "good.csv", GOOD)
    assert printed(orderdrop("check", more, "--json", at=workspace))[0]["code"] == "LIMIT_DAY_VALUE"


def test_limits_when_none_are_set_then_says_so(tmp_path: Path) -> None:
    shown = orderdrop("limits", at=a_workspace(tmp_path))
    assert (shown.exit_code, printed(orderdrop("limits", "--json", at=tmp_path))) == (0, [])
    assert "no limits are set" in shown.stderr


def test_calendar_when_written_then_the_router_needs_nothing_else(tmp_path: Path, monkeypatch) -> None:
    workspace = a_workspace(tmp_path, LIVE)
    (workspace / "calendar.csv").write_text(OPENED)
    monkeypatch.setattr(calendar, "published", lambda year: frozenset({date(year, 1, 1)}))
    assert orderdrop("calendar", 2031, at=workspace).stdout == "closed,note\n2031-01-01,\n"
    assert orderdrop("calendar", 2031, "--write", at=workspace).exit_code == 0
    assert (workspace / "calendar.csv").read_text() == "closed,note\n2026-10-01,\n2031-01-01,\n"


def test_calendar_when_nobody_knows_the_year_then_says_what_helps(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(calendar, "published", lambda _year: None)
    shown = orderdrop("calendar", 2031, at=a_workspace(tmp_path))
    assert shown.exit_code == 1
    assert ".[calendar]" in shown.stderr
    assert "calendar.csv" in shown.stderr


@pytest.mark.parametrize(
    ("at", "outcome", "code"),
    [
        ("2026-11-20T09:31", "would_go", None),
        ("2026-11-20T08:31", "would_be_held", "HELD_SESSION"),
        ("2026-11-20T15:31:30", "denied", "SESSION_OVER"),
        ("2026-11-21T09:31", "denied", "DAY_CLOSED"),
    ],
)
def test_check_when_asked_about_another_time_then_judged_by_it(
    tmp_path: Path, at: str, outcome: str, code: str | None
) -> None:
    workspace = a_workspace(tmp_path, LIVE)
    (workspace / "calendar.csv").write_text(OPENED)
    good = a_file(tmp_path, "one.csv", "symbol,volume,side,price\n600000.SH,100,1,10.35\n")
    (row,) = printed(orderdrop("check", good, "--at", at, "--json", at=workspace))
    assert (row["outcome"], row["code"]) == (outcome, code)


def test_check_when_the_time_is_none_then_a_usage_error(tmp_path: Path) -> None:
    good = a_file(tmp_path, "one.csv", GOOD)
    assert orderdrop("check", good, "--at", "soon", at=a_workspace(tmp_path / "w")).exit_code == 2


def test_check_when_several_rules_speak_against_a_row_then_all_are_told_and_totals_shown(
    tmp_path: Path,
) -> None:
    workspace = a_workspace(tmp_path, LIMITED + "[inbox]\n".replace("[inbox]\n", ""))
    bad = a_file(tmp_path, "bad.csv", "sid,symbol,volume,side,price\nb,600000.SH,150,1,100.001\n")
    (row,) = printed(orderdrop("check", bad, "--json", at=workspace))
    assert [row["code"], *(more["code"] for more in row["also"])] == [
        "PRICE_TICK",
        "LOT_SIZE",
        "LIMIT_DAY_VALUE",
    ]
    shown = orderdrop("check", a_file(tmp_path, "good.csv", GOOD), at=workspace).stdout
    assert "buys 3275.00" in shown
    assert "1000000.00 → 996715.00" in shown  # with five yuan of fees for each


@pytest.mark.parametrize(
    ("words", "file"),
    [
        (("--account", "main"), "HALT.A1"),
        (("--strategy", "alpha"), "alpha/HALT"),
        (("--account", "A1", "--reducing"), "REDUCE.A1"),
        ((), "HALT"),
    ],
)
def test_halt_when_of_somebody_then_resume_opens_only_that(
    tmp_path: Path, words: tuple[str, ...], file: str
) -> None:
    workspace = a_workspace(tmp_path, QUICK + '[accounts.A1]\nalias = "main"\n[accounts.A2]\n')
    (workspace / "inbox" / "REDUCE.A2").touch()
    assert orderdrop("halt", *words, "why", "not", at=workspace).exit_code == 0
    assert (workspace / "inbox" / file).read_text() == "why not\n"
    (switch,) = [
        one for one in printed(orderdrop("status", "--json", at=workspace))["switches"] if one["name"] != "A2"
    ]
    assert switch["reason"] == "why not"
    assert orderdrop("resume", *(word for word in words if word != "--reducing"), at=workspace).exit_code == 0
    assert not (workspace / "inbox" / file).exists()
    assert (workspace / "inbox" / "REDUCE.A2").exists() is bool(words)


def test_times_when_given_by_a_program_then_written_where_there_is_a_column_for_them(tmp_path: Path) -> None:
    a_workspace(tmp_path)
    order = {"symbol": "SHSE.600000", "volume": 100, "order_business": 1, "price": "10"}
    assert b"not_before" not in drop([order], tmp_path).read_bytes()
    assert b",09:45:00," in drop([order | {"not_before": "09:45:00"}], tmp_path).read_bytes()
    append([order], tmp_path)
    with pytest.raises(InvalidOrder, match="not_before"):
        append([order | {"not_after": "10:00"}], tmp_path)
    with pytest.raises(InvalidOrder):
        drop([order | {"not_after": "25:00"}], tmp_path)


@pytest.mark.parametrize(
    ("after", "more", "same"),
    [
        (LIMITED.replace("10000", "90000"), {}, False),
        ("# a note\n" + LIMITED.replace("10000", "10_000"), {}, True),
        (LIMITED, {"ORDERDROP_LIMITS__ORDERS_PER_DAY": "99"}, False),
        (QUICK, {}, False),
    ],
)
def test_settings_when_they_are_not_those_of_the_running_router_then_everybody_who_shows_them_says_so(
    tmp_path: Path, after: str, more: dict[str, str], same: bool
) -> None:
    workspace = a_workspace(tmp_path, LIMITED)
    file = a_file(tmp_path, "good.csv", GOOD)
    place = Place(workspace)
    commands = (("limits",), ("limits", "--json"), ("status",), ("check", str(file)))
    with App(place.settings, place.workspace):
        (workspace / "orderdrop.toml").write_text(after, encoding="utf-8")
        results = [orderdrop(*words, at=workspace, **more) for words in commands]
        assert [TOLD in result.stderr for result in results] == [not same] * 4
        assert [result.exit_code for result in results[:3]] == [int(not same)] * 3
        assert all(one["in_force"] is same for one in printed(results[1]))
        status = json.loads(orderdrop("status", "--json", at=workspace, **more).stdout)
        assert status["settings_in_force"] is same
        found = {
            one["check"]: one["level"] for one in printed(orderdrop("doctor", "--json", at=workspace, **more))
        }
        assert found["router.running"] == ("ok" if same else "warn")
    result = orderdrop("limits", at=workspace, **more)
    assert (result.exit_code, TOLD in result.stderr) == (0, False)


def test_limits_when_an_order_waits_whose_price_nobody_knows_then_it_fills_them(tmp_path):
    held = QUICK.replace("[inbox]", "[inbox]\nhold = true")
    made = a_workspace(tmp_path, held)
    dropped(made, "a.csv", "sid,symbol,volume,order_type,order_business,price\nM,SHSE.600000,100,24,1,\n")
    (made / "orderdrop.toml").write_text(held + "[limits]\nmax_day_bought = 5000\n", encoding="utf-8")
    (one,) = printed(orderdrop("limits", "--json", at=made))
    assert (one["used"], one["percent"]) == ("Infinity", "Infinity")
