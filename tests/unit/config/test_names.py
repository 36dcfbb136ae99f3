import pytest
from pydantic import ValidationError

from orderdrop.config import workspace as workspaces
from orderdrop.config.names import alike, is_reserved, why_unfit
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace, account_folder
from orderdrop.errors import ConfigError

HOSTILE = ["a:b", "a/b", "a\\b", "<a>", 'a"b', "a|b", "a?", "a*", "a.", " a", "a ", "a\tb", "a\u200bb"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("table", ["accounts", "strategies"])
def test_name_that_cannot_be_a_file_is_refused_in_every_table(table, name):
    with pytest.raises(ValidationError, match="becomes the name of a file"):
        Settings.model_validate({table: {name: {}}})


def test_names_that_people_have_are_taken():
    for name in ("paper", "13900001234", "8886812345", "主账户", "a.b", "a b", "动量-1", "x" * 40):
        assert why_unfit(name) is None


@pytest.mark.parametrize("names", [("Paper", "paper"), ("QMT", "qmt")])
def test_gateways_that_differ_in_case_only_are_refused(names):
    with pytest.raises(ValidationError, match="whatever the case"):
        Settings.model_validate(
            {
                "gateways": {name: {"type": "paper"} for name in names},
                "accounts": {"a": {"gateway": names[0]}},
            }
        )


@pytest.mark.parametrize("name", ["con", "NUL", "com1", "Lpt9"])
def test_gateway_that_is_called_like_a_device_is_refused(name):
    with pytest.raises(ValidationError, match="device"):
        Settings.model_validate({"gateways": {name: {"type": "paper"}}})


@pytest.mark.parametrize(
    ("account", "folder"),
    [
        ("acc", "acc"),
        ("CON", "CON_"),
        ("conin$", "conin$_"),
        ("com¹", "com¹_"),
        ("nul.a", "nul_.a"),
        ("Receipts", "Receipts_"),
        ("a.", "a_"),
    ],
)
def test_account_folder_is_one_that_windows_takes(account, folder):
    assert account_folder(account) == folder
    assert not is_reserved(account_folder(account))


def test_alike_names_are_told_once_each():
    assert alike(["A", "a", "b", "A"]) == ["A", "a"]
    assert alike(["a", "b"]) == []


def test_workspace_when_paths_are_bounded_says_how_long_a_name_may_be(tmp_path, monkeypatch):
    monkeypatch.setattr(workspaces, "longest_path", lambda: None)
    assert Workspace(tmp_path, tmp_path / "inbox").longest_name is None
    monkeypatch.setattr(workspaces, "longest_path", lambda: 259)
    room = Workspace(tmp_path, tmp_path / "inbox").longest_name
    assert room == 259 - len(str(tmp_path / "inbox")) - 85
    here = Workspace(tmp_path, tmp_path / "inbox")
    assert here.fitting("a.csv") == "a.csv"
    assert len(here.fitting("x" * 300 + ".csv")) <= room
    assert here.fitting("x" * 300 + ".csv").endswith("x.csv")


def test_workspace_when_its_path_leaves_no_room_for_names_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workspaces, "longest_path", lambda: 259)
    root = tmp_path / ("x" * 200)
    with pytest.raises(ConfigError, match="shorter folder"):
        Workspace(root, root / "inbox").make()
    assert not root.exists()
