"""Loads settings from orderdrop.toml, then from ORDERDROP_… variables."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from orderdrop.config import faults
from orderdrop.config.settings import PREFIX, Settings
from orderdrop.config.workspace import SETTINGS_FILE, Workspace
from orderdrop.errors import ConfigError


def load(root: Path) -> tuple[Settings, Workspace]:
    """Read the settings of the workspace at `root`.

    Raises:
        ConfigError: the folder is missing, or the settings are wrong; the message names file, key and remedy.
    """
    root = root.expanduser().absolute()
    if not root.is_dir():
        raise ConfigError(f"没有这个文件夹 / no such folder: {root}")
    path = root / SETTINGS_FILE
    text = _read_text(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_told(path, text, [faults.of_toml(error, text)])) from None
    if broken := faults.of_texts(values, text):
        raise ConfigError(_told(path, text, broken))
    _refuse_unknown_variables()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise ConfigError(_told(path, text, faults.of_settings(error, Settings, text))) from None
    return settings, Workspace(root, root / settings.inbox.path)


def _read_text(path: Path) -> str:
    """Return no text when there is no file: every setting has a default."""
    try:
        return faults.decode(path.read_bytes()).replace("\r\n", "\n")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise ConfigError(
            f"{path}: 编码读不懂 / the encoding cannot be read\n  → 另存为 UTF-8 / save it as UTF-8"
        ) from None


def _told(path: Path, text: str, faults: Sequence[faults.Fault]) -> str:
    lines = text.splitlines()
    return "\n".join([f"{path}: 设置有误 / settings are wrong", *(fault.text(lines) for fault in faults)])


# Read by others: failpoints of the crash tests, and the command line's own options.
_OTHER_VARIABLES = frozenset({"ORDERDROP_FAILPOINT", "ORDERDROP_WORKSPACE"})


def _refuse_unknown_variables() -> None:
    known = set(Settings.model_fields)
    for name in os.environ:
        if not name.upper().startswith(PREFIX) or name.upper() in _OTHER_VARIABLES:
            continue
        section = name[len(PREFIX) :].split("__")[0].lower()
        if section not in known:
            raise ConfigError(
                f"环境变量 {name} 不是设置项 / the variable {name} is no setting; sections: {', '.join(sorted(known))}"
            )
