from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

from command_line import orderdrop

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
