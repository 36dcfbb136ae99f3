"""One rule for every place where a name becomes a file or folder: accounts, strategies, gateways. Pure.

The same on every system, for a workspace may be looked at from another one: what Windows takes, whatever the case.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

RESERVED: Final = frozenset(
    {
        "con", "prn", "aux", "nul", "conin$", "conout$",
        *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"),
    }
)  # fmt: skip
"""Names that are devices on Windows, whatever stands behind their first dot."""

_FORBIDDEN: Final = frozenset('<>:"/\\|?*')


def is_reserved(name: str) -> bool:
    return name.partition(".")[0].rstrip().casefold() in RESERVED


def why_unfit(name: str) -> tuple[str, str] | None:
    """Why a name cannot be that of a file, Chinese and English; None: it can."""
    bad = sorted(_FORBIDDEN & set(name))
    if bad or not name.isprintable():
        marks = " ".join(bad)
        return f"不能含有 {marks or '不可见字符'}", f"must not contain {marks or 'what cannot be seen'}"
    if not name or name != name.strip() or name.endswith("."):
        return (
            "不能为空，首尾不能是空格，末尾不能是句点",
            "must not be empty, nor begin or end with a blank, nor end with a dot",
        )
    return None


def alike(names: Iterable[str]) -> list[str]:
    """Names that are one name where case says nothing."""
    given = [*names]
    folded = [name.strip().casefold() for name in given]
    return sorted({name for name in given if folded.count(name.strip().casefold()) > 1})
