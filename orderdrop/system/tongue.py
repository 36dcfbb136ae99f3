"""Asks the system which language its user speaks."""

from __future__ import annotations

import ctypes
import os
from typing import Literal

_CHINESE_OF_WINDOWS = 0x04
_PRIMARY = 0x3FF


def language_of_system() -> Literal["zh+en", "zh", "en"]:
    """Both, where the system does not say (a service, a bare C locale)."""
    said = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    if not said and os.name == "nt":
        user = getattr(ctypes, "windll").kernel32.GetUserDefaultUILanguage()  # noqa: B009  is there on Windows only
        return "zh" if user & _PRIMARY == _CHINESE_OF_WINDOWS else "en"
    tongue = said.partition(".")[0].partition("_")[0].lower()
    if tongue in {"", "c", "posix"}:
        return "zh+en"
    return "zh" if tongue == "zh" else "en"
