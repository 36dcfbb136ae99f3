"""Each type of gateway that the settings name becomes the gateway of that vendor."""

from __future__ import annotations

import pytest
from builders import a_clock

from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.gateway.gm.gateway import GmGateway
from orderdrop.gateway.goldminer.gateway import GoldminerGateway
from orderdrop.gateway.miniqmt.gateway import MiniqmtGateway
from orderdrop.gateway.paper.gateway import PaperGateway
from orderdrop.service.gateways import make_gateways

TYPES = {
    "paper": ({}, PaperGateway),
    "goldminer": ({"scan_dir": "scan", "push_dir": "push"}, GoldminerGateway),
    "gm": ({"token": "a-secret"}, GmGateway),
    "miniqmt": ({"userdata_dir": "userdata_mini"}, MiniqmtGateway),
}


def made(tmp_path, **gateways):
    accounts = {f"of-{name}": {"gateway": name} for name in gateways}
    settings = Settings.model_validate({"gateways": gateways, "accounts": accounts})
    return make_gateways(settings, Workspace(tmp_path, tmp_path / "inbox"), a_clock())


def values_of(kind: str) -> dict:
    values = TYPES[kind][0] | {"type": kind}
    return values if kind == "paper" else values | {"live": False}


@pytest.mark.parametrize("kind", TYPES)
def test_gateway_when_a_type_is_named_then_it_is_that_vendors_under_its_name_in_the_settings(tmp_path, kind):
    [(name, gateway)] = made(tmp_path, **{"my-broker": values_of(kind)}).items()
    assert type(gateway) is TYPES[kind][1]
    assert name == gateway.name == "my-broker"
    assert not gateway.live


def test_gateway_when_accounts_name_it_then_it_is_given_those_and_no_other(tmp_path):
    gateways = made(tmp_path, one=values_of("gm"), other=values_of("miniqmt"))
    assert list(gateways["one"].accounts()) == ["of-one"]
    assert list(gateways["other"].accounts()) == ["of-other"]


def test_gateways_when_several_are_named_then_they_keep_the_settings_order(tmp_path):
    gateways = made(tmp_path, **{kind: values_of(kind) for kind in ("gm", "paper", "goldminer")})
    assert list(gateways) == ["gm", "paper", "goldminer"]


def test_gateways_when_made_then_nothing_is_opened_and_nothing_written(tmp_path):
    made(tmp_path, **{kind: values_of(kind) for kind in TYPES})
    assert list(tmp_path.iterdir()) == []
