"""Finds who besides the user may write or read what orders depend on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from orderdrop.config.gateways import GmSettings, GoldminerSettings
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.doctor.finding import Finding, Level
from orderdrop.system.access import Openness, open_to_others

_MEANS: Final = {
    "inbox": ("谁能写入，谁就能下单", "whoever can write there can trade"),
    "settings": ("谁能修改，谁就能改限额和通道", "whoever can change it changes limits and gateways"),
    "token": ("谁能读取，谁就能用这个账号下单", "whoever can read it can trade with this account"),
    "scan": ("谁能写入，谁就能绕过 orderdrop 下单", "whoever can write there trades past orderdrop"),
    "journal": ("委托和成交都在其中", "it holds every order and fill"),
    "outbox": ("委托、持仓和资金都在其中", "it holds orders, positions and cash"),
}


def look_at_access(settings: Settings, workspace: Workspace, journal: Path) -> Iterator[Finding]:
    for what, path in _places(settings, workspace, journal):
        if path.exists():
            yield judge_access(what, path, open_to_others(path, settings.inbox.group))


def _places(settings: Settings, workspace: Workspace, journal: Path) -> Iterator[tuple[str, Path]]:
    yield "inbox", workspace.inbox
    yield "outbox", workspace.outbox
    yield "settings", workspace.settings
    yield "journal", journal
    for values in settings.gateways.values():
        if isinstance(values, GoldminerSettings):
            yield "scan", values.below(workspace.root).scan_dir
        elif isinstance(values, GmSettings) and (token := values.below(workspace.root).token_file):
            yield "token", token


def judge_access(what: str, path: Path, openness: Openness) -> Finding:
    check = f"access.{what}"
    if not (openness.write or openness.read):
        return Finding(
            Level.OK,
            check,
            str(path),
            "只有本用户(和指定的组)可用",
            "for its user, and whom the settings let in",
        )
    zh_who, _, en_who = openness.who.partition(" / ")
    zh_may, en_may = ("可写", "may write it") if openness.write else ("可读", "may read it")
    zh, en = _MEANS[what]
    return Finding(
        Level.WARN, check, str(path), f"{zh_who}{zh_may}:{zh}", f"{en_who} {en_may}: {en}",
        "见 docs/security.md:chmod go-rwx,或在 Windows 的“安全”页去掉这些用户；有意让别人进来，用 [inbox] group",
        "see docs/security.md: chmod go-rwx, or take them away on Windows' security page; to let others in on purpose: [inbox] group",
    )  # fmt: skip
