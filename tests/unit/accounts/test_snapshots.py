"""An account's last snapshot, as the result files tell it, or as the paper broker will open it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from builders import FRIDAY

from orderdrop.accounts.snapshots import before_first_order, last_snapshot
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.domain.report import Account, Position
from orderdrop.outbox.goldminer_rows import (
    CASH_HEADER,
    POSITION_HEADER,
    cash_rows,
    position_rows,
    with_header,
)
from orderdrop.system.clock import from_datetime

NOW, BEFORE, LATER = (from_datetime(FRIDAY + timedelta(seconds=after)) for after in (0, -60, 60))
HELD = Position("SHSE.600000", 300, 100, 200, Decimal("9.8"), Decimal("10.2"))
ACCOUNT = Account(NOW, "A1", *map(Decimal, ("1000", "900", "100", "3060", "12")), (HELD,), NOW)
PAPER = Settings.model_validate(
    {"gateways": {"paper": {"cash": "5000", "positions": {"600000.SH": 300, "nonsense": 100}}}}
)


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path, tmp_path / "inbox")


def write(workspace: Workspace, account: Account, *, positions: bool = True) -> Path:
    """The files as the router writes them."""
    folder = workspace.outbox / account.account_id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cash.csv").write_bytes(with_header(CASH_HEADER, cash_rows(account)))
    if positions:
        (folder / "position.csv").write_bytes(with_header(POSITION_HEADER, position_rows(account)))
    return folder


def test_snapshot_when_the_router_has_written_it_then_it_reads_back(workspace):
    write(workspace, ACCOUNT)
    assert last_snapshot(workspace, PAPER, "A1", LATER) == ACCOUNT


def test_snapshot_when_the_holdings_were_never_told_then_it_does_not_say_that_there_are_none(workspace):
    write(workspace, ACCOUNT, positions=False)
    told = last_snapshot(workspace, PAPER, "A1", LATER)
    assert (told.held_at, told.positions) == (None, ())


def test_snapshot_when_the_account_holds_nothing_then_the_funds_say_since_when(workspace):
    write(workspace, ACCOUNT._replace(positions=(), held_at=NOW))
    told = last_snapshot(workspace, PAPER, "A1", LATER)
    assert (told.held_at, told.positions) == (NOW, ())


def test_snapshot_when_the_holdings_are_older_than_the_funds_then_each_has_its_time(workspace):
    write(workspace, ACCOUNT._replace(held_at=BEFORE))
    told = last_snapshot(workspace, PAPER, "A1", LATER)
    assert (told.at, told.held_at) == (NOW, BEFORE)


@pytest.mark.parametrize("cell", ["x", "NaN", "1e40"])
def test_snapshot_when_a_number_does_not_read_then_nothing_is_known(workspace, cell):
    path = write(workspace, ACCOUNT) / "cash.csv"
    path.write_text(path.read_text("utf-8").replace("1000", cell), encoding="utf-8")
    assert last_snapshot(workspace, PAPER, "A1", LATER) is None


def test_snapshot_when_the_file_is_empty_then_as_before_the_first_order(workspace):
    (write(workspace, ACCOUNT) / "cash.csv").write_bytes(b"")
    assert last_snapshot(workspace, PAPER, "A1", NOW).balance == 5000


def test_snapshot_when_the_file_is_of_another_account_then_nothing_is_known(workspace):
    write(workspace, ACCOUNT)
    (workspace.outbox / "A1").rename(workspace.outbox / "A2")
    assert last_snapshot(workspace, PAPER, "A2", LATER) is None


def test_paper_account_when_nothing_was_written_yet_then_it_has_what_it_will_be_opened_with(workspace):
    assert last_snapshot(workspace, PAPER, "A1", NOW) == Account(
        NOW, "A1", *map(Decimal, (5000, 5000, 0, 0, 0)),
        (Position("SHSE.600000", 300, 0, 300, None, Decimal(0)),), NOW,
    )  # fmt: skip


def test_account_of_another_broker_when_nothing_was_written_yet_then_nothing_is_known(tmp_path):
    terminal = {
        "type": "goldminer",
        "live": False,
        "scan_dir": tmp_path / "scan",
        "push_dir": tmp_path / "push",
    }
    assert before_first_order(Settings.model_validate({"gateways": {"gm": terminal}}), "A1", NOW) is None
