"""Kills the router while it puts a drop away, also with the next one under its name: none is lost, buried, doubled or left."""

import sys

import pytest
from victims import Victims
from world import HEADER, read

pytestmark = [pytest.mark.crash, pytest.mark.skipif(sys.platform == "win32", reason="victims are forked")]

POINTS = (
    "archive.held", "archive.before", "sys.link.before", "sys.link.after", "sys.unlink.after", "archive.after", "archive.fin",
)  # fmt: skip
SETTINGS = {
    "inbox": {"scan_interval": 0.01, "settle": 0.02, "archive_after": 0.05},
    "gateways": {"paper": {"cash": "1000000"}},
}


@pytest.fixture(scope="module")
def victims():
    with Victims() as made:
        yield made


def drop(root, sid):
    content = f"{HEADER}{sid},acc0,SHSE.600000,100,1,1,10.00\n"
    new = root / "new"
    new.write_text(content)
    new.rename(root / "inbox" / "a.csv")
    return content


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("next_one", [False, True])
@pytest.mark.parametrize("again", [False, True], ids=["", "killed at the next start as well"])
def test_drop_when_the_router_is_killed_while_it_is_put_away(tmp_path, victims, point, next_one, again):
    root = tmp_path / "w"
    (root / "inbox").mkdir(parents=True)
    written = {"A": drop(root, "A")}
    (root / "inbox" / "a.csv.fin").touch()
    assert victims.kill(root, SETTINGS, failpoint=point, after=20).at == point
    if next_one:
        written["B"] = drop(root, "B")
    if again:
        victims.kill(root, SETTINGS, failpoint="commit.before:2", after=2)
    for _ in range(2):
        assert victims.run_once(root, SETTINGS).code == 0
    broker = read(root / ".orderdrop" / "paper-paper.db", "SELECT sid FROM orders ORDER BY sid")
    assert [sid for (sid,) in broker] == sorted(written)
    assert list((root / "inbox").iterdir()) == []
    kept = [path.read_text() for path in (root / "archive").glob("*/drops/*.csv")]
    assert sorted(kept) == sorted(written.values())
    drops = read(root / "journal.db", "SELECT state, archived_as FROM drops")
    assert [state for state, _ in drops] == ["done"] * len(written)
    assert all((root / path).is_file() for _, path in drops)
