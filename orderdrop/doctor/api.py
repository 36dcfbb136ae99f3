"""Examines a gateway that speaks an API without connecting: two connections of one account would disturb each other."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from orderdrop.config.gateways import GmSettings, MiniqmtSettings
from orderdrop.doctor.finding import Finding, Level
from orderdrop.errors import ConfigError


def look_at_miniqmt(name: str, settings: MiniqmtSettings) -> Iterator[Finding]:
    """settings: with absolute folders."""
    yield _package(name, "xtquant", "miniqmt")
    folder = settings.userdata_dir
    if folder.is_dir():
        yield Finding(
            Level.OK, "miniqmt.userdata", str(folder), "终端的文件夹在", "the terminal's folder is there"
        )
        return
    yield Finding(
        Level.WRONG, "miniqmt.userdata", str(folder), "没有这个文件夹", "there is no such folder",
        "以“极简模式”启动并登录 QMT,userdata_dir 指向其 userdata_mini",
        "start QMT in its 极简 mode and log in; userdata_dir is its userdata_mini",
    )  # fmt: skip


def look_at_gm(name: str, settings: GmSettings) -> Iterator[Finding]:
    """settings: with absolute paths."""
    yield _package(name, "gm", "gm")
    try:
        settings.secret()
    except ConfigError as error:
        zh, _, en = str(error).partition(" / ")
        yield Finding(
            Level.WRONG, "gm.token", name, zh, en or zh, "写好 token_file", "write the token into token_file"
        )
    else:
        yield Finding(Level.OK, "gm.token", name, "有 token", "there is a token")


def _package(name: str, package: str, extra: str) -> Finding:
    if find_spec(package) is not None:
        return Finding(Level.OK, "api.package", name, f"已安装 {package}", f"{package} is installed")
    remedy = f'pip install ".[{extra}]"'
    return Finding(
        Level.WRONG, "api.package", name, f"没有安装 {package}", f"{package} is not installed", remedy, remedy
    )
