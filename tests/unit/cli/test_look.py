from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from books import a_book
from command_line import BAD, GOOD, PENDING, QUICK, a_file, a_workspace, dropped, orderdrop, printed, routed

from orderdrop.system.clock import SystemClock, trade_date


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good orders, a bad basket, a pending order of a strategy."""
    made = a_workspace(tmp_path_factory.mktemp("look"), QUICK + '[accounts."1001"]\nalias = "main"\n')
    dropped(made, "good.csv", GOOD)
    dropped(made, "bad.csv", BAD)
    outside = a_file(made, "pending.csv", PENDING)
    orderdrop("drop", outside, "--strategy", "alpha", at=made)
    orderdrop("run", "--once", at=made)
    return made


def _sids(workspace: Path, *words: str) -> list[str]:
    return [order["sid"] for order in printed(orderdrop("orders", "--json", *words, at=workspace))]


def test_orders_json_is_one_array(workspace: Path) -> None:
    found = printed(orderdrop("orders", "--json", at=workspace))
    assert [order["sid"] for order in found] == ["G-1", "G-2", "B-1", "B-2", "P-1"]
    assert found[0]["status"] == "filled"
    assert found[0]["price"] == "10.35"


@pytest.mark.parametrize(
    ("words", "sids"),
    [
        (("--status", "open"), ["G-2", "P-1"]),
        (("--status", "denied"), ["B-1", "B-2"]),
        (("--symbol", "000001.sz"), ["G-2"]),
        (("--strategy", "alpha"), ["P-1"]),
        (("--account", "main", "--status", "filled"), ["G-1"]),
        (("--account", "other"), []),
        (("--date", "2020-01-02"), []),
    ],
)
def test_orders_filtered(workspace: Path, words: tuple[str, ...], sids: list[str]) -> None:
    assert _sids(workspace, *words) == sids


def test_orders_table_names_reason_and_remedy(workspace: Path) -> None:
    result = orderdrop("orders", at=workspace, COLUMNS="120")
    assert result.exit_code == 0
    assert "G-1" in result.stdout
    assert "B-2  LOT_SIZE" in result.stdout
    assert "调整数量" in result.stdout


def test_orders_of_a_symbol_that_is_none_is_usage(workspace: Path) -> None:
    assert orderdrop("orders", "--symbol", "xyz", at=workspace).exit_code == 2


def test_orders_before_any_router_ran_are_none(tmp_path: Path) -> None:
    result = orderdrop("orders", "--json", at=a_workspace(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "[]\n")
    assert "no router has run here" in result.stderr


def test_drops_json_has_row_errors(workspace: Path) -> None:
    found = {drop["name"]: drop for drop in printed(orderdrop("drops", "--json", at=workspace))}
    assert list(found) == ["good.csv", "bad.csv", "alpha/pending.csv"]
    assert found["bad.csv"]["errors"][0]["code"] == "VALUE_MISSING"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--status", "refused"), ["bad.csv"]),
        (("--strategy", "alpha"), ["alpha/pending.csv"]),
        (("--symbol", "SZSE.000001"), ["good.csv"]),
        (("--account", "1001", "--status", "done"), ["good.csv", "alpha/pending.csv"]),
        (("--date", "20200102"), []),
    ],
)
def test_drops_filtered(workspace: Path, words: tuple[str, ...], names: list[str]) -> None:
    assert [drop["name"] for drop in printed(orderdrop("drops", "--json", *words, at=workspace))] == names


def test_drops_table(workspace: Path) -> None:
    result = orderdrop("drops", at=workspace)
    assert result.exit_code == 0
    assert "bad.csv:4  VALUE_MISSING" in result.stdout


# why


def test_why_of_an_order_tells_its_story(workspace: Path) -> None:
    result = orderdrop("why", "G-2", at=workspace)
    assert result.exit_code == 0
    for words in (
        "symbol=SZSE.000001",
        "good.csv:3",
        "checks passed",
        "handed over: taken",
        "100@11.2",
        "partially_filled",
    ):
        assert words in result.stdout


def test_why_json_is_one_object(workspace: Path) -> None:
    story = printed(orderdrop("why", "G-1", "--json", at=workspace))
    assert story["order"]["status"] == "filled"
    assert story["row"]["text"] == "G-1,SHSE.600000,100,1,1,10.35"
    assert story["batch"]["line"].startswith("G-1,1001,SHSE.600000,100")
    assert [fill["volume"] for fill in story["fills"]] == [100]


def test_why_of_a_denied_order_names_the_rule(workspace: Path) -> None:
    story = printed(orderdrop("why", "B-2", "--json", at=workspace))
    assert story["order"]["reason_code"] == "LOT_SIZE"
    assert story["remedy"]


def test_why_of_a_row_that_became_no_order(workspace: Path) -> None:
    story = printed(orderdrop("why", "B-3", "--json", at=workspace))
    assert story["order"] is None
    assert story["other_rows"][0]["code"] == "VALUE_MISSING"
    assert "VALUE_MISSING" in orderdrop("why", "B-3", at=workspace).stdout


@pytest.mark.parametrize("asked", ["bad.csv", "inbox/bad.csv"])
def test_why_of_a_file_tells_each_bad_row(workspace: Path, asked: str) -> None:
    result = orderdrop("why", asked, at=workspace)
    assert result.exit_code == 0
    for words in ("refused", "NOT_SENT", "LOT_SIZE", "VALUE_MISSING", "quarantine/"):
        assert words in result.stdout


def test_why_finds_a_file_by_its_last_part(workspace: Path) -> None:
    assert (
        printed(orderdrop("why", "pending.csv", "--json", at=workspace))["drops"][0]["name"]
        == "alpha/pending.csv"
    )


def test_why_of_something_unknown_says_what_to_try(workspace: Path) -> None:
    result = orderdrop("why", "G-11", at=workspace)
    assert result.exit_code == 1
    assert "alike: G-1" in result.stderr
    assert "orderdrop orders" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("name", "lot", "words"),
    [
        ("basket.docx", "ignored", "unknown type"),
        ("~$basket.csv", "ignored", "a temporary file"),
        ("20200102.order.csv", "refused", "lives one trading day"),
        ("20990102.order.csv", "ignored", "belongs to 2099-01-02"),
        ("basket.csv", "waiting", "waits for the router"),
    ],
)
def test_why_explains_what_lies_in_the_inbox(tmp_path: Path, name: str, lot: str, words: str) -> None:
    workspace = a_workspace(tmp_path)
    a_file(workspace / "inbox", name, GOOD)
    lying = printed(orderdrop("why", workspace / "inbox" / name, "--json", at=workspace))["lying"]
    assert lying["lot"] == lot
    assert words in lying["why"]
    assert orderdrop("why", name, at=workspace).exit_code == 0


def test_tables_when_the_screen_is_narrow_cut_no_figure(tmp_path: Path) -> None:
    account = "1a66e81c-ae5d-11ec-aef5-00163e0a4100"
    workspace = a_workspace(tmp_path, f'{QUICK}\n[accounts.{account}]\nalias = "main"\n')
    a_file(workspace / "inbox", "long.csv", "symbol,volume,order_business,price\n600000,1000,1,10.35\n")
    orderdrop("run", "--once", at=workspace)
    for command in ("cash", "positions", "trades"):
        shown = orderdrop(command, at=workspace, COLUMNS="100").stdout
        assert "…" not in shown, shown
        assert account not in shown
    assert "main" in orderdrop("cash", at=workspace).stdout


def test_status_and_why_say_what_lies_in_the_inbox_and_is_not_taken(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    inbox, tomorrow = workspace / "inbox", trade_date(SystemClock().now()) + timedelta(days=1)
    (inbox / "alpha" / "deep").mkdir(parents=True)
    for name in ("notes.txt", "alpha/deep/a.csv", f"signal_{tomorrow:%Y-%m-%d}.csv"):
        (inbox / name).write_text(GOOD, encoding="utf-8")
    for mark in (".hidden.csv", "b.csv.tmp", "c.csv.fin", "~$d.xlsx"):
        (inbox / mark).touch()
    routed(workspace)
    status = orderdrop("status", "--json", at=workspace)
    lying = {one["name"]: (one["lot"], one["why"]) for one in printed(status)["lying"]}
    assert lying.keys() == {"notes.txt", "alpha/deep/a.csv", f"signal_{tomorrow:%Y-%m-%d}.csv"}
    assert {lot for lot, _why in lying.values()} == {"ignored"}
    assert "FILE_TOO_DEEP" in lying["alpha/deep/a.csv"][1]
    assert "only .csv" in lying["notes.txt"][1]
    assert f"belongs to {tomorrow}" in lying[f"signal_{tomorrow:%Y-%m-%d}.csv"][1]
    shown = " ".join(orderdrop("status", at=workspace).stdout.split())
    for name, (_lot, why) in lying.items():
        assert name in shown
        assert printed(orderdrop("why", name, "--json", at=workspace))["lying"] == {
            "lot": "ignored",
            "why": why,
        }
    assert status.exit_code == 0
    assert printed(status)["found_by_scan"] <= 3  # each once, not at every scan


def test_status_when_excel_keeps_a_book_says_that_it_was_taken(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    (workspace / "inbox" / "b.xlsx").write_bytes(a_book())
    (workspace / "inbox" / "~$b.xlsx").touch()
    routed(workspace)
    (lying,) = printed(orderdrop("status", "--json", at=workspace))["lying"]
    assert (lying["name"], lying["lot"]) == ("b.xlsx", "taken")
    assert "Excel has it open" in lying["why"]
    assert "Excel has it open" in " ".join(orderdrop("why", "b.xlsx", at=workspace).stdout.split())
