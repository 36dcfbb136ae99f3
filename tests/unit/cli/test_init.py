from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from command_line import orderdrop

from orderdrop.cli import main
from orderdrop.config.sample import settings_text
from orderdrop.config.settings import Settings
from orderdrop.config.sources import load


def test_init_makes_a_workspace_that_loads(tmp_path: Path) -> None:
    result = orderdrop("init", tmp_path / "new")
    assert result.exit_code == 0
    assert result.stdout.strip() == str(tmp_path / "new" / "orderdrop.toml")
    settings, workspace = load(tmp_path / "new")
    assert settings == Settings()
    assert workspace.inbox.is_dir()


def test_init_without_a_folder_takes_the_workspace(tmp_path: Path) -> None:
    assert orderdrop("init", at=tmp_path).exit_code == 0
    assert (tmp_path / "orderdrop.toml").exists()


def test_init_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "orderdrop.toml").write_text("# mine", encoding="utf-8")
    result = orderdrop("init", at=tmp_path)
    assert result.exit_code == 1
    assert "left alone" in result.stderr
    assert (tmp_path / "orderdrop.toml").read_text(encoding="utf-8") == "# mine"


def test_every_setting_loads_when_it_is_uncommented(tmp_path: Path) -> None:
    text = re.sub(r"^#(?! )", "", settings_text(), flags=re.MULTILINE)
    (tmp_path / "orderdrop.toml").write_text(text, encoding="utf-8")
    settings, _workspace = load(tmp_path)
    assert settings.inbox == Settings().inbox.model_copy(
        update={"on_repeat": "hold"}
    )  # left out, books are another case
    assert list(settings.accounts) == ["my-account-id"]
    assert settings.gateways["paper"].fees == Settings().gateways["paper"].fees


def test_every_setting_stands_in_the_file() -> None:
    text = re.sub(r"^#(?! )", "", settings_text(), flags=re.MULTILINE)
    written = tomllib.loads(text)
    assert written.keys() == Settings.model_fields.keys()
    assert written["inbox"].keys() == type(Settings().inbox).model_fields.keys()


def test_init_when_the_path_has_a_space_names_it_as_a_shell_reads_it(tmp_path: Path) -> None:
    told = orderdrop("init", tmp_path / "交易 desk").stderr.replace("\n", " ")
    words = shlex.split(told.partition("Next: ")[2])
    assert words[:4] == ["orderdrop", "-C", str(tmp_path / "交易 desk"), "run,"]


UUID = "1a66e81c-ae5d-11ec-aef5-00163e0a4100"


def _a_terminal(tmp_path: Path) -> Path:
    for name in ("scan", "push", "archive"):
        (tmp_path / "gm" / name).mkdir(parents=True)
    return tmp_path / "gm"


def _init(tmp_path: Path, *words: object, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["init", str(tmp_path / "desk"), *map(str, words)], input=typed)


def test_init_when_options_say_all_then_nothing_is_asked_and_the_settings_load(tmp_path: Path) -> None:
    gm = _a_terminal(tmp_path)
    done = _init(
        tmp_path, "--gateway", "goldminer", "--scan-dir", gm / "scan", "--push-dir", gm / "push", "--archive-dir", gm / "archive",
        "--scan-name", "fileorder_s02", "--account", UUID, "--alias", "主账户", "--simulated",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    settings, _ = load(tmp_path / "desk")
    gateway = settings.gateways["goldminer"]
    assert (gateway.scan_dir, gateway.push_dir, gateway.archive_dir) == tuple(
        gm / name for name in ("scan", "push", "archive")
    )
    assert (gateway.scan_name, gateway.live, list(settings.gateways)) == (
        "fileorder_s02",
        False,
        ["goldminer"],
    )
    assert settings.accounts[UUID].alias == "主账户"
    assert "orderdrop" in done.stderr
    text = (tmp_path / "desk" / "orderdrop.toml").read_text(encoding="utf-8")
    assert "\\" not in "".join(line for line in text.splitlines() if not line.startswith("#"))
    every = tomllib.loads(re.sub(r"^#(?! )", "", text, flags=re.MULTILINE))
    assert every["gateways"]["goldminer"]["scan_name"] == "fileorder_s02"


def test_init_when_it_asks_then_wrong_answers_are_asked_again_and_what_is_found_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gm = _a_terminal(tmp_path)
    (gm / "push" / UUID).mkdir()
    (gm / "push" / UUID / "cash.csv").write_text("x\n", encoding="utf-8")
    monkeypatch.setattr("orderdrop.cli.init_gateway.drives", lambda: [tmp_path])
    # output: not there, then as found; input as found; name; account: a number, then as found; simulated
    typed = f"{tmp_path}/nothing\n\n\n\n8881234567\n\n\n"
    done = _init(tmp_path, "--gateway", "goldminer", typed=typed)
    assert done.exit_code == 0, done.output
    settings, _ = load(tmp_path / "desk")
    assert settings.gateways["goldminer"].push_dir == gm / "push"
    assert settings.gateways["goldminer"].scan_dir == gm / "scan"
    assert settings.gateways["goldminer"].archive_dir == gm / "archive"
    assert list(settings.accounts) == [UUID]
    assert "no such folder" in done.stderr
    assert "UUID" in done.stderr


def test_init_when_qmt_is_found_then_its_folder_is_offered_and_the_doctor_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "D" / "国金QMT交易端" / "userdata_mini"
    folder.mkdir(parents=True)
    monkeypatch.setattr("orderdrop.cli.init_gateway.drives", lambda: [tmp_path / "D"])
    monkeypatch.setattr("orderdrop.doctor.api.find_spec", lambda _name: None)
    done = _init(tmp_path, "--gateway", "miniqmt", typed="\n主账户\n8881234567\nlive\n")
    assert done.exit_code == 0, done.output
    settings, _ = load(tmp_path / "desk")
    assert settings.gateways["miniqmt"].userdata_dir == folder
    assert settings.gateways["miniqmt"].live
    assert list(settings.accounts) == ["8881234567"]
    assert "xtquant" in done.stdout
    assert "doctor" in done.stderr.splitlines()[-1]


def test_init_when_a_token_is_typed_then_kept_in_a_file_of_its_own_and_not_shown(tmp_path: Path) -> None:
    done = _init(tmp_path, "--gateway", "gm", "--account", UUID, "--simulated", typed="secret-token\n")
    assert done.exit_code == 0, done.output
    settings, workspace = load(tmp_path / "desk")
    assert settings.gateways["gm"].below(workspace.root).secret() == "secret-token"
    assert "secret-token" not in done.output + workspace.settings.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--gateway", "miniqmt"], "--help"),
        (["--gateway", "miniqmt", "--userdata-dir", "nothing"], "--userdata-dir"),
        (["--gateway", "miniqmt", "--userdata-dir", ".", "--account", UUID], "--account"),
        (["--gateway", "gm", "--token-file", "nothing"], "--token-file"),
        (["--account", UUID], "--gateway"),
    ],
)
def test_init_when_something_is_missing_and_nobody_answers_then_named_and_nothing_is_left(
    tmp_path: Path, words: list[str], named: str
) -> None:
    done = _init(tmp_path, *words)
    assert done.exit_code == 2
    assert named in done.stderr
    assert not (tmp_path / "desk" / "orderdrop.toml").exists()
