"""Orders whose gateway or account the settings have lost are told, for nothing becomes of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from command_line import GOOD, QUICK, a_workspace, dropped, orderdrop, printed

from orderdrop.config.settings import Settings
from orderdrop.views.stranded import stranded

SETTINGS = Settings.model_validate(
    {"gateways": {"one": {"type": "paper"}, "two": {"type": "paper"}},
     "accounts": {"A1": {"gateway": "one"}, "A2": {"gateway": "two"}}}
)  # fmt: skip


@pytest.mark.parametrize(
    ("account", "gateway", "status", "lost"),
    [
        ("A1", "one", "held", False), ("A1", "two", "ready", True), ("A3", "one", "held", True), ("A1", "gone", "held", True),
        ("A1", "gone", "new", True), ("A3", "one", "new", False), ("A1", "two", "new", False), ("A1", None, "denied", False),
    ],
)  # fmt: skip
def test_order_when_the_settings_have_lost_its_way_then_named(account, gateway, status, lost):
    order = SimpleNamespace(sid="S", account_id=account, gateway=gateway, status=status)
    assert stranded([order], SETTINGS) == (["S"] if lost else [])


def test_status_when_a_gateway_is_gone_then_its_orders_are_named_and_exit_is_1(tmp_path):
    held = QUICK.replace("[inbox]", "[inbox]\nhold = true")
    made = a_workspace(tmp_path, held + '[gateways.one]\ntype = "paper"\n')
    dropped(made, "a.csv", GOOD)
    before = orderdrop("status", "--json", at=made)
    assert (before.exit_code, printed(before)["stranded"]) == (0, [])
    (made / "orderdrop.toml").write_text(held + '[gateways.two]\ntype = "paper"\n', encoding="utf-8")
    after = orderdrop("status", "--json", at=made)
    assert (after.exit_code, printed(after)["stranded"]) == (1, ["G-1", "G-2"])
    assert "G-1" in after.stderr
