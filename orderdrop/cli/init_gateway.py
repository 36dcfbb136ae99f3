"""`orderdrop init --gateway`: asks for what a terminal needs, looks whether it is there, and finds the usual folders by itself.

What an option says is not asked. Without anybody to answer, what is missing is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from orderdrop.cli.output import say
from orderdrop.config.terminals import (
    ACCOUNT_OF_GOLDMINER,
    accounts_written_of,
    drives,
    find_file_orders,
    find_qmt,
)
from orderdrop.domain.refusal import both
from orderdrop.system.access import write_private

Options = Mapping[str, Any]
"""What the command line says, by the option's name; None: not said."""

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_NUMBER: Final = re.compile(r"\d{6,20}")


def ask_for(kind: str, options: Options, root: Path) -> dict[str, dict[str, Any]]:
    """The tables of orderdrop.toml that the answers make. Raises click.UsageError for what is missing or cannot be."""
    try:
        return _ASKING[kind](options, root)
    except click.Abort:
        raise click.UsageError(
            both("没有人回答：请用选项写明（见 --help）", "nobody answers: say it with options, see --help")
        ) from None


def _goldminer(options: Options, _root: Path) -> dict[str, dict[str, Any]]:
    found = find_file_orders(drives())
    guess = found[0] if found else None
    _tell_found([one.push_dir for one in found])
    push = _folder(
        options["push_dir"],
        "--push-dir",
        "终端的输出目录",
        "the terminal's output folder",
        guess and guess.push_dir,
    )
    near = next((one for one in found if one.push_dir == push), None)
    scan = _folder(
        options["scan_dir"],
        "--scan-dir",
        "终端的输入（扫单）目录",
        "the terminal's input folder",
        near and near.scan_dir,
    )
    if scan.resolve() == push.resolve():
        raise click.UsageError(both("输入目录和输出目录必须不同", "input and output must be two folders"))
    archive = options["archive_dir"] or (near and near.archive_dir)
    name = options["scan_name"] or _ask("文件单名称", "the name of the 文件单", "fileorder_s01")
    accounts = accounts_written_of(push)
    account = _account(options, accounts[0] if len(accounts) == 1 else None, _goldminers_account)
    gateway = {"type": "goldminer", "live": _live(options), "scan_dir": scan, "push_dir": push}
    if archive is not None:
        gateway["archive_dir"] = _folder(archive, "--archive-dir", "归档目录", "the archive", None)
    return _tables("goldminer", {**gateway, "scan_name": name}, account, options)


def _miniqmt(options: Options, _root: Path) -> dict[str, dict[str, Any]]:
    found = find_qmt(drives())
    _tell_found(found)
    folder = _folder(
        options["userdata_dir"], "--userdata-dir", "QMT 的 userdata_mini 文件夹", "QMT's folder userdata_mini", found[0] if found else None
    )  # fmt: skip
    if folder.name.lower() != "userdata_mini" and (folder / "userdata_mini").is_dir():
        folder /= "userdata_mini"
    account = _account(options, None, _funds_account)
    kind = (options["account_type"] or "STOCK").upper()
    gateway = {"type": "miniqmt", "live": _live(options), "userdata_dir": folder, "account_type": kind}
    return _tables("miniqmt", gateway, account, options)


def _gm(options: Options, root: Path) -> dict[str, dict[str, Any]]:
    said: Path | None = options["token_file"]
    path = said.absolute() if said else Path("token.txt")
    if not (root / path).exists():
        if said:
            raise click.UsageError(
                both(f"--token-file：没有这个文件 {said}", f"--token-file: no such file: {said}")
            )
        token = _ask(
            "token（终端：系统设置 → 密钥管理；输入时不显示）",
            "the token (in the terminal: 系统设置 → 密钥管理; not shown)",
            None,
            hide=True,
        )
        write_private(root / path, f"{token.strip()}\n")
    account = _account(options, None, _goldminers_account)
    return _tables("gm", {"type": "gm", "live": _live(options), "token_file": path}, account, options)


_ASKING: Final[dict[str, Callable[[Options, Path], dict[str, dict[str, Any]]]]] = {
    "goldminer": _goldminer,
    "miniqmt": _miniqmt,
    "gm": _gm,
}
KINDS: Final = tuple(_ASKING)


def _tables(name: str, gateway: dict[str, Any], account: str, options: Options) -> dict[str, dict[str, Any]]:
    key = account if _BARE.fullmatch(account) else f'"{account}"'
    return {
        f"gateways.{name}": gateway,
        f"accounts.{key}": {"gateway": name, "alias": options["alias"] or "main"},
    }


def _live(options: Options) -> bool:
    """Simulated, unless somebody says that real money is meant."""
    if options["live"] is not None:
        return bool(options["live"])
    answer = _ask(
        "实盘（live）还是模拟（simulated）", "a real account (live) or a simulated one", "simulated"
    )
    return answer.strip().lower() in {"live", "实盘"}


def _folder(said: Path | None, option: str, zh: str, en: str, guess: Path | None) -> Path:
    """A folder that is there; asked again until it is."""
    if said is not None:
        if not said.is_dir():
            raise click.UsageError(
                both(f"{option}：没有这个文件夹 {said}", f"{option}: no such folder: {said}")
            )
        return said.absolute()
    while True:
        answer = Path(_ask(zh, en, None if guess is None else guess.as_posix()).strip().strip("\"'"))
        if answer.is_dir():
            return answer.absolute()
        say(f"没有这个文件夹：{answer}", f"no such folder: {answer}")


def _account(options: Options, guess: str | None, wrong: Callable[[str], tuple[str, str] | None]) -> str:
    """An account that can be one; asked again until it is."""
    if options["account"] is not None:
        account: str = options["account"].strip()
        if (why := wrong(account)) is not None:
            raise click.UsageError(f"--account {account}: {both(*why)}")
        return account
    while True:
        account = _ask("账户", "the account", guess).strip()
        if (why := wrong(account)) is None:
            return account
        say(*why)


def _goldminers_account(account: str) -> tuple[str, str] | None:
    if ACCOUNT_OF_GOLDMINER.fullmatch(account):
        return None
    return (
        "掘金的账户是 UUID（终端：账户管理），不是资金账号",
        "掘金's account is a UUID (in the terminal: 账户管理), not the broker's number",
    )


def _funds_account(account: str) -> tuple[str, str] | None:
    if _NUMBER.fullmatch(account):
        return None
    return "QMT 的账户是资金账号，全是数字", "QMT's account is the broker's number, digits only"


def _tell_found(folders: Sequence[Path]) -> None:
    if folders:
        names = "，".join(folder.as_posix() for folder in folders[:5])
        say(f"找到：{names}", f"found: {names.replace('，', ', ')}")


def _ask(zh: str, en: str, default: str | None, *, hide: bool = False) -> str:
    answer: str = click.prompt(both(zh, en), default=default, err=True, hide_input=hide)
    return answer
