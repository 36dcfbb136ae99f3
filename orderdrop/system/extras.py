"""Loads libraries that only some need: they come with an extra, and are loaded when they are first used."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from orderdrop.errors import ConfigError


def is_installed(name: str) -> bool:
    return find_spec(name) is not None


def library(name: str, extra: str = "") -> Any:
    """The module. extra: what brings it, "" for one of the base install. Raises ConfigError that says how to install it."""
    try:
        return import_module(name)
    except ImportError:
        install = f'pip install ".[{extra}]"' if extra else f"pip install {name}"
        raise ConfigError(f"需要 {name} 库 / needs the library {name}: {install}") from None
