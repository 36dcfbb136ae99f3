"""Who trades where: what a sub-folder, an alias and the settings say of an account, a strategy and a gateway."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from builders import FRIDAY

from orderdrop.accounts.routing import PAPER_ACCOUNT, Routing
from orderdrop.config.settings import Settings
from orderdrop.domain.report import Account, Position
from orderdrop.domain.switches import ALL
from orderdrop.system.clock import Micros, from_datetime

NOW = from_datetime(FRIDAY)
TWO = {"10001": {"alias": "main"}, "10002": {"alias": "小号"}}


def routing(doors=(), **settings) -> Routing:
    return Routing(Settings.model_validate({"gateways": {"paper": {}}, **settings}), dict(doors))


class Door:
    """A gateway that remembers one snapshot and has noted `output`."""

    lag = 0

    def __init__(self, output=None, told: Account | None = None) -> None:
        self.output, self.told, self.asked = output, told, []

    def places(self):
        return self.output

    def remembered(self, account_id: str) -> Account | None:
        self.asked.append(account_id)
        return self.told if self.told and self.told.account_id == account_id else None


def an_account(account_id: str = "10001", available: str = "500") -> Account:
    held = (
        Position("SHSE.600000", 300, 0, 300, Decimal(10), Decimal(10)),
        Position("SZSE.000001", 200, 0, 200, Decimal(10), Decimal(10)),
    )
    return Account(NOW, account_id, *map(Decimal, ("1000", available, "0", "5000", "0")), held, NOW)


# accounts


def test_accounts_when_some_have_an_alias_then_both_names_lead_to_the_id():
    assert routing(accounts=TWO).accounts == {
        "10001": "10001",
        "main": "10001",
        "10002": "10002",
        "小号": "10002",
    }


@pytest.mark.parametrize(
    ("accounts", "default"),
    [({}, PAPER_ACCOUNT), ({"10001": {}}, "10001"), (TWO, None)],
    ids=["none is named", "one is named", "nobody can say which of two"],
)
def test_default_account_is_the_only_one_there_is(accounts, default):
    assert routing(accounts=accounts).default_account == default


# folders


@pytest.mark.parametrize("folder", ["10001", "main", "MAIN", " Main "])
def test_folder_when_called_like_an_account_or_its_alias_then_it_is_that_accounts(folder):
    desk = routing(accounts=TWO)
    assert desk.folder(folder) == ("10001", "")
    assert desk.scope(folder) == ("account", "10001")


def test_folder_when_called_otherwise_then_it_names_a_strategy_and_no_account():
    desk = routing(accounts=TWO)
    assert desk.folder("grid") == (None, "grid")
    assert desk.scope("grid") == ("strategy", "grid")


def test_folder_when_the_settings_name_the_strategy_then_their_spelling_counts():
    desk = routing(accounts={"10001": {}}, strategies={"Grid": {}})
    assert desk.folder("GRID") == ("10001", "Grid")


def test_folder_when_it_is_the_inbox_itself_then_it_says_nothing_of_a_strategy():
    desk = routing(accounts={"10001": {}}, strategies={"Grid": {}})
    assert desk.folder("") == ("10001", "")
    assert desk.scope("") == ALL


# gateways


@pytest.fixture
def terminals(tmp_path) -> dict:
    """The settings of two terminals' gateways."""
    folders = {"scan_dir": tmp_path / "scan", "push_dir": tmp_path / "push"}
    one = {"type": "goldminer", "live": False} | folders
    other = one | {name: path.with_name(f"{path.name} 2") for name, path in folders.items()}
    return {"one": one | {"sells_first": True}, "other": other | {"sells_first": False}}


def test_gateway_when_the_account_names_one_then_it_is_that_one(terminals):
    one, other = Door(), Door()
    accounts = {"10001": {"gateway": "one"}, "10002": {"gateway": "other"}}
    desk = routing({"one": one, "other": other}, gateways=terminals, accounts=accounts)
    assert desk.gateway_of("10001") is one
    assert desk.gateway_of("10002") is other


def test_gateway_when_there_is_one_only_then_it_is_every_accounts():
    door = Door()
    assert routing({"paper": door}).gateway_of("never named") is door


def test_sells_first_when_the_gateway_is_a_terminals_then_as_set_and_never_on_paper(terminals):
    accounts = {"10001": {"gateway": "one"}}
    desk = routing(gateways=terminals | {"paper": {}}, accounts=accounts)
    assert [desk.sells_first(name) for name in ("one", "other", "paper")] == [True, False, False]


@pytest.mark.parametrize("spelled", ["Grid", "grid", " GRID"])
def test_holds_when_the_strategy_is_to_be_released_by_hand_then_however_it_is_spelled(spelled):
    desk = routing(strategies={"Grid": {"hold": True}, "Free": {}})
    assert desk.holds(spelled)
    assert not desk.holds("free")
    assert not desk.holds("")


def test_holds_when_the_whole_inbox_is_held_then_every_strategy_is():
    assert routing(inbox={"hold": True}).holds("")


# what is known when a batch leaves


def test_places_when_the_broker_is_never_silent_then_nothing_is_noted_and_nobody_asked():
    door = Door(output=None, told=an_account())
    desk = routing({"paper": door})
    assert desk.places("paper", [("10001", "SHSE.600000")], NOW) is None
    assert door.asked == []


def test_places_when_a_batch_leaves_then_output_and_snapshots_of_its_accounts_are_noted():
    door = Door(output={"rows": 7}, told=an_account())
    desk = routing({"paper": door})
    noted = json.loads(desk.places("paper", [("10001", "SHSE.600000"), ("10002", "SHSE.600000")], NOW))
    assert noted["output"] == {"rows": 7}
    [[_cash_at, _held_at, _read_at, available, *_rest]] = noted["accounts"]["10001"]
    assert available == "500"
    assert noted["accounts"]["10002"] == [], "nothing was ever told of it"
    assert sorted(door.asked) == ["10001", "10002"]


def test_observe_when_nothing_new_was_told_then_nothing_is_added():
    door = Door(told=an_account())
    desk = routing({"paper": door})
    desk.observe("paper", ["10001", "10002"], NOW)
    desk.observe("paper", ["10001"], Micros(NOW + 5_000_000))
    assert desk.baselines["paper"].knows("10001")
    assert not desk.baselines["paper"].knows("10002")
    assert desk.baselines["paper"].newest("10001", Micros(NOW + 5_000_000)).read_at == NOW
