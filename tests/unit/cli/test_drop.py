from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from command_line import BAD, GOOD, PENDING, QUICK, a_file, a_workspace, dropped, orderdrop, printed, routed

from orderdrop.config.sources import load
from orderdrop.service.app import App


@contextmanager
def a_router(workspace: Path) -> Iterator[None]:
    """A router in a thread, as if it ran beside."""
    stop = threading.Event()
    with App(*load(workspace)) as app:
        thread = threading.Thread(target=app.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _inbox(workspace: Path) -> list[str]:
    inbox = workspace / "inbox"
    return sorted(path.relative_to(inbox).as_posix() for path in inbox.rglob("*") if path.is_file())


def test_files_are_copied_into_the_inbox_under_their_names(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    result = orderdrop("drop", a_file(tmp_path, "a.csv", GOOD), a_file(tmp_path, "b.csv", BAD), at=workspace)
    assert (result.exit_code, result.stdout) == (0, "a.csv\nb.csv\n")
    assert "no router is running" in result.stderr
    assert _inbox(workspace) == ["a.csv", "b.csv"]


def test_strategy_is_a_sub_folder(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    orderdrop("drop", a_file(tmp_path, "a.csv", GOOD), "--strategy", "alpha", at=workspace)
    assert _inbox(workspace) == ["alpha/a.csv"]


def test_single_order_reaches_the_broker(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    result = orderdrop(
        "drop", "--symbol", "600000.SH", "--buy", 100, "--price", "10.35", "--sid", "X1", at=workspace
    )
    assert result.exit_code == 0
    assert routed(workspace).exit_code == 0
    assert [order["sid"] for order in printed(orderdrop("orders", "--json", at=workspace))] == ["X1"]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--symbol", "600000.SH"),
        ("--symbol", "600000.SH", "--buy", "100", "--sell", "100", "--price", "1"),
        ("--symbol", "600000.SH", "--buy", "100"),
        ("--symbol", "600000.SH", "--buy", "100", "--price", "1", "--market"),
        ("--symbol", "600000.SH", "--buy", "0", "--price", "1"),
        ("--buy", "100", "--price", "1"),
    ],
)
def test_half_an_order_is_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    workspace = a_workspace(tmp_path)
    assert orderdrop("drop", *words, at=workspace).exit_code == 2
    assert _inbox(workspace) == []


def test_file_that_would_never_be_taken_is_refused_at_once(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    result = orderdrop("drop", a_file(tmp_path, "a.et", GOOD), at=workspace)
    assert result.exit_code == 1
    assert "FILE_TYPE" in result.stderr
    assert _inbox(workspace) == []


def test_price_that_is_none_is_told(tmp_path: Path) -> None:
    result = orderdrop(
        "drop", "--symbol", "600000.SH", "--buy", 1, "--price", "ten", at=a_workspace(tmp_path)
    )
    assert result.exit_code == 1
    assert "price" in result.stderr


def test_wait_tells_the_outcome(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    with a_router(workspace):
        good = orderdrop(
            "drop",
            "--symbol",
            "600000.SH",
            "--buy",
            100,
            "--price",
            "10.35",
            "--wait",
            10,
            "--json",
            at=workspace,
        )
        bad = orderdrop("drop", a_file(tmp_path, "bad.csv", BAD), "--wait", 10, at=workspace)
        again = orderdrop("drop", a_file(tmp_path, "b.csv", BAD), "--wait", 10, at=workspace)
        slow = orderdrop(
            "drop", "--symbol", "018014.SH", "--buy", 100, "--price", 100, "--wait", 0.5, at=workspace
        )
    assert good.exit_code == 0, good.output
    assert printed(good)[0]["orders"][0]["status"] == "filled"
    assert bad.exit_code == again.exit_code == 1
    assert "LOT_SIZE" in bad.stdout
    assert "bad.csv:4  VALUE_MISSING" in bad.stdout
    assert slow.exit_code == 1
    assert "not all orders are finished" in slow.stderr


def test_wait_tells_a_repetition_with_the_order_it_repeats(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    words = ("drop", "--symbol", "600000.SH", "--buy", 100, "--price", "10.35", "--sid", "R1", "--wait", 10)
    with a_router(workspace):
        assert orderdrop(*words, at=workspace).exit_code == 0
        again = orderdrop(*words, at=workspace)
    assert again.exit_code == 0
    assert "R1" in again.stdout
    assert "duplicates" in again.stderr


def test_wait_without_a_router_says_so(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    result = orderdrop("drop", a_file(tmp_path, "a.csv", GOOD), "--wait", 0.1, at=workspace)
    assert result.exit_code == 1
    assert "no router is running" in result.stderr
    assert "orderdrop why a.csv" in result.stderr


# switches

HOLDING = QUICK + "hold = true\n"


def _status_of(workspace: Path, sid: str) -> str:
    return printed(orderdrop("why", sid, "--json", at=workspace))["order"]["status"]


def test_cancel_by_sid(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    dropped(workspace, "good.csv", GOOD)
    result = orderdrop("cancel", "G-2", "NOBODY", "G-1", at=workspace)
    assert result.exit_code == 0
    assert result.stdout.endswith(".cancel_order.csv\n")
    assert "not known yet" in result.stderr
    assert "G-1 (filled)" in result.stderr
    routed(workspace)
    assert _status_of(workspace, "G-2") == "canceled"


def test_cancel_all_with_filters(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, HOLDING)
    dropped(workspace, "good.csv", GOOD)
    asked = printed(orderdrop("cancel", "--all", "--symbol", "1.SZ".rjust(9, "0"), "--json", at=workspace))
    assert [row["sid"] for row in asked] == ["G-2"]
    routed(workspace)
    assert (_status_of(workspace, "G-1"), _status_of(workspace, "G-2")) == ("held", "canceled")


def test_cancel_of_a_drop_asks_and_cancels_what_is_open_of_it(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, HOLDING)
    dropped(workspace, "good.csv", GOOD)
    dropped(workspace, "pending.csv", PENDING)
    no = orderdrop("cancel", "--drop", "good.csv", at=workspace, says="n\n")
    assert no.exit_code == 1
    assert "Cancel the 2 unfinished orders of good.csv?" in no.stderr
    assert _inbox(workspace) == []
    asked = printed(orderdrop("cancel", "--drop", "good.csv", "--json", "--yes", at=workspace))
    assert [row["sid"] for row in asked] == ["G-1", "G-2"]
    routed(workspace)
    assert [_status_of(workspace, sid) for sid in ("G-1", "G-2", "P-1")] == ["canceled", "canceled", "held"]


def test_cancel_of_a_drop_when_somebody_says_yes(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, HOLDING)
    dropped(workspace, "good.csv", GOOD)
    assert orderdrop("cancel", "--drop", "good.csv", at=workspace, says="y\n").exit_code == 0
    assert len(_inbox(workspace)) == 1


def test_cancel_of_a_drop_that_nobody_knows(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    result = orderdrop("cancel", "--drop", "nosuch.csv", "--yes", at=workspace)
    assert result.exit_code == 1
    assert "nosuch.csv" in result.stderr


def test_cancel_of_nothing_writes_nothing(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    result = orderdrop("cancel", "--all", "--json", at=workspace)
    assert (result.exit_code, result.stdout) == (0, "[]\n")
    assert _inbox(workspace) == []


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("S1", "--all"),
        ("--account", "a"),
        ("S1", "--symbol", "600000.SH"),
        ("S1", "--drop", "a.csv"),
        ("--all", "--drop", "a.csv"),
    ],
)
def test_cancel_of_unclear_orders_is_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert orderdrop("cancel", *words, at=a_workspace(tmp_path)).exit_code == 2


def test_cancel_of_what_is_no_sid_is_refused(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    result = orderdrop("cancel", "a b", at=workspace)
    assert result.exit_code == 1
    assert _inbox(workspace) == []


@pytest.mark.parametrize("words", [("G-1",), ("--all",), ("--drop", "good.csv")])
def test_release_lets_held_orders_go(tmp_path: Path, words: tuple[str, ...]) -> None:
    workspace = a_workspace(tmp_path, HOLDING)
    dropped(workspace, "good.csv", GOOD)
    assert _status_of(workspace, "G-1") == "held"
    assert orderdrop("release", *words, at=workspace).exit_code == 0
    routed(workspace)
    assert _status_of(workspace, "G-1") == "filled"


def test_release_of_an_unknown_drop(tmp_path: Path) -> None:
    result = orderdrop("release", "--drop", "none.csv", at=a_workspace(tmp_path))
    assert result.exit_code == 1
    assert "orderdrop drops" in result.stderr


def test_release_of_unclear_orders_is_usage(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    assert orderdrop("release", at=workspace).exit_code == 2
    assert orderdrop("release", "--all", "S1", at=workspace).exit_code == 2


def test_resend_puts_a_drop(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    result = orderdrop("resend", "S1", at=workspace)
    assert result.exit_code == 0
    assert result.stdout.endswith(".resend.csv\n")
    assert (workspace / "inbox" / result.stdout.strip()).read_text(encoding="utf-8") == "sid,comment\nS1,\n"


def test_halt_stops_new_orders_and_resume_takes_them_again(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    halted = orderdrop("halt", "bad", "quotes", at=workspace)
    assert halted.exit_code == 0
    assert "恢复后不会自动送出" in halted.stderr
    assert "go by itself" in halted.stderr
    assert (workspace / "inbox" / "HALT").read_text(encoding="utf-8") == "bad quotes\n"
    assert printed(orderdrop("status", "--json", at=workspace))["halted"] == "bad quotes"
    dropped(workspace, "good.csv", GOOD)
    assert _status_of(workspace, "G-1") == "denied"
    assert orderdrop("resume", at=workspace).exit_code == 0
    assert "not halted" in orderdrop("resume", at=workspace).stderr
    dropped(workspace, "good.csv", GOOD)
    assert _status_of(workspace, "G-1") == "filled"


# status


def test_status_of_a_quiet_workspace(tmp_path: Path) -> None:
    result = orderdrop("status", at=a_workspace(tmp_path))
    assert result.exit_code == 0
    for words in ("没有运行 not running", "模拟 / simulated", "没有委托 no orders"):
        assert words in result.stdout


def test_status_json_is_one_object(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    dropped(workspace, "good.csv", GOOD)
    found = printed(orderdrop("status", "--json", at=workspace))
    assert found["counts"] == {"filled": 1, "partially_filled": 1}
    paper = {"name": "paper", "type": "paper", "live": False, "closed": None, "accounts": []}
    assert found["gateways"] == [paper | {"instruments": None}]
    assert (found["unknown"], found["oldest_unconfirmed"], found["problems"]) == ([], None, [])


def test_status_says_live_in_capitals(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, QUICK + "[gateways.paper]\nlive = true\n")
    assert "实盘 / LIVE" in orderdrop("status", at=workspace).stdout


def test_status_is_wrong_when_files_wait_for_nobody(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    a_file(workspace / "inbox", "a.csv", GOOD)
    result = orderdrop("status", "--json", at=workspace)
    assert result.exit_code == 1
    assert printed(result)["waiting"] == ["a.csv"]
    assert "orderdrop run" in result.stderr


def test_status_is_wrong_when_orders_are_unknown(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    dropped(workspace, "good.csv", GOOD)
    with closing(sqlite3.connect(workspace / "journal.db")) as journal, journal:
        journal.execute(
            "UPDATE orders SET status = 'unknown', confirmed_at = NULL, closed_at = NULL WHERE sid = 'G-2'"
        )
    result = orderdrop("status", at=workspace)
    assert result.exit_code == 1
    assert "G-2" in result.stderr


def test_resume_takes_away_whatever_halts_and_says_what_it_cannot(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    (workspace / "inbox" / "HALT - 副本.rtf").touch()
    (workspace / "inbox" / "Halt").mkdir()
    (workspace / "inbox" / "alpha" / "HALT").mkdir(parents=True)
    assert orderdrop("resume", at=workspace).exit_code == 0
    assert not list((workspace / "inbox").glob("*[hH][aA][lL][tT]*"))
    full = workspace / "inbox" / "HALT"
    full.mkdir()
    (full / "notes.md").touch()
    kept = orderdrop("resume", at=workspace)
    assert kept.exit_code == 1
    assert "still halted: HALT" in kept.stderr
    assert full.is_dir()


def test_status_says_why_all_is_halted_when_a_switch_names_no_account_that_is_known(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, f"{QUICK}[accounts.demo]\n")
    (workspace / "inbox" / "HALT.rtf").touch()
    found = printed(orderdrop("status", "--json", at=workspace))
    assert "HALT.rtf names no account that is known" in found["halted"]
    assert found["switches"] == [
        {"scope": "", "name": "", "state": "halted", "file": "HALT.rtf", "reason": found["halted"]}
    ]
    assert "HALT.rtf names no account" in orderdrop("status", at=workspace).stdout.replace("\n", " ")
    told = orderdrop("halt", "--account", "nobody", at=workspace)
    assert "no account is known as nobody" in told.stderr
