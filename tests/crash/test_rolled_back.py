"""Kills the router, keeps a copy of its journal, and puts it back after more has been handed over: nothing starts; adopted, nothing goes twice."""

import shutil
import sys
from collections import Counter

import pytest
from victims import Victims
from world import HEADER, read

from orderdrop.archive.witness import hear
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.reconciliation.adopt import adopt
from orderdrop.reconciliation.evidence import gather
from orderdrop.system.clock import SystemClock, trade_date

pytestmark = [pytest.mark.crash, pytest.mark.skipif(sys.platform == "win32", reason="victims are forked")]

POINTS = (
    "commit.after", "mark.written", "submit.before", "paper.before", "paper.after", "submit.after", "receipt.after",
)  # fmt: skip
SETTINGS = {
    "inbox": {"scan_interval": 0.01, "settle": 0.02, "archive_after": 0.05},
    "gateways": {"paper": {"cash": "10000000"}},
}


@pytest.fixture(scope="module")
def victims():
    with Victims() as made:
        yield made


def drop(root, name, *sids):
    new = root / "new"
    new.write_text(HEADER + "".join(f"{sid},acc0,SHSE.600000,100,1,1,10.00\n" for sid in sids))
    new.rename(root / "inbox" / f"{name}.csv")


def journal_files(root):
    return list(root.glob("journal.db*"))


def at_broker(root):
    return Counter(sid for (sid,) in read(root / ".orderdrop" / "paper-paper.db", "SELECT sid FROM orders"))


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("again", [False, True], ids=["", "killed after the copy as well"])
def test_journal_when_rolled_back_to_a_copy_then_no_start_and_once_adopted_nothing_goes_twice(
    tmp_path, victims, point, again
):
    root, copy = tmp_path / "w", tmp_path / "copy"
    (root / "inbox").mkdir(parents=True)
    copy.mkdir()
    drop(root, "a", "A1", "A2")
    assert victims.run_once(root, SETTINGS).code == 0
    drop(root, "b", "B1", "B2")
    assert victims.kill(root, SETTINGS, failpoint=point, after=60).at == point
    for path in journal_files(root):
        shutil.copy2(path, copy)
    drop(root, "c", "C1", "C2")
    if again:
        assert victims.kill(root, SETTINGS, failpoint="submit.after", after=60).at == "submit.after"
    else:
        assert victims.run_once(root, SETTINGS).code == 0
    for path in journal_files(root):
        path.unlink()
    for path in copy.iterdir():
        shutil.copy2(path, root)
    known = at_broker(root)
    drop(root, "d", "D1")

    assert victims.run_once(root, SETTINGS).code == 2  # it does not start
    assert at_broker(root) == known

    settings, workspace, clock = (
        Settings.model_validate(SETTINGS),
        Workspace(root, root / "inbox"),
        SystemClock(),
    )
    heard = hear(settings, workspace)
    assert heard.zh
    adopt(settings, workspace, clock, heard, gather(settings, workspace, trade_date(clock.now())))
    for name in "abc":  # whoever wrote them does not know whether they were taken
        drop(root, f"{name}-again", f"{name.upper()}1", f"{name.upper()}2")
    victims.run_once(root, SETTINGS)
    assert set(at_broker(root).values()) == {1}
    status = dict(read(root / "journal.db", "SELECT sid, status FROM orders WHERE sid_key IS NOT NULL"))
    assert {"A1", "A2", "B1", "B2", "C1", "C2", "D1"} <= status.keys()
    assert {sid for sid, what in status.items() if what != "unknown"} <= at_broker(root).keys()
    assert at_broker(root)["D1"] or status["D1"] == "unknown"
