"""docs/python.md: each of its programs runs in a workspace, and what it says is traded is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import a_workspace, orderdrop, printed, routed

import orderdrop as library

PAGE = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)
TRADES = [
    [("SHSE.600000", "buy", 1000), ("SHSE.600000", "sell", 500), ("SZSE.000002", "sell", 200)],
    [("SHSE.600000", "buy", 1000), ("SHSE.600036", "buy", 100), ("SZSE.000002", "sell", 200)],
    [("SHSE.600000", "buy", 100)],
]


@pytest.mark.parametrize(
    ("block", "orders"), [*zip(BLOCKS, TRADES, strict=True)], ids=["one", "basket", "cancel"]
)
def test_program_when_run_in_a_workspace_makes_its_orders(tmp_path, monkeypatch, block, orders):
    monkeypatch.chdir(a_workspace(tmp_path / "desk"))
    exec(compile(block, "docs/python.md", "exec"), {})
    routed(tmp_path / "desk")
    found = printed(orderdrop("orders", "--json", at=tmp_path / "desk"))
    assert sorted((order["symbol"], order["side"], order["volume"]) for order in found) == orders


def test_names_of_the_library_when_used_are_there():
    named = set(re.findall(r"orderdrop\.([A-Za-z_]+)", PAGE)) - {"md"}
    assert named <= set(library.__all__)
    assert {"buy", "sell", "drop", "cancel", "wait", "InvalidOrder", "Refused"} <= named
