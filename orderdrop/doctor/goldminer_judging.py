"""Judges the facts of a terminal's folders: facts in, findings out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from orderdrop.config.gateways import GoldminerSettings
from orderdrop.doctor.finding import Finding, Level
from orderdrop.doctor.goldminer import ITEMS, GoldminerFacts, Lying
from orderdrop.doctor.judging import judge_clock, judge_renames
from orderdrop.gateway.goldminer.account import CASH, CHANGES, EXECUTIONS, LATEST, POSITIONS

OK, WARN, WRONG = Level.OK, Level.WARN, Level.WRONG

_UNTAKEN: Final = 60.0
"""Seconds that a file may lie in the scan folder before the terminal is thought not to scan."""

_NAMED: Final = 3


def judge(facts: GoldminerFacts, settings: GoldminerSettings, today: date) -> Iterator[Finding]:
    """settings: with absolute folders."""
    yield from _scan(facts, settings)
    yield from _lying_in_scan(facts, today)
    yield from _output(facts, settings, today)
    yield from _archive(facts, settings)
    if settings.format == "dbf" and not facts.dbf:
        yield Finding(
            WRONG, "dbf.library", facts.name, "缺少读写 dbf 的库", "the library for dbf is not installed",
            'pip install ".[dbf]"', 'pip install ".[dbf]"',
        )  # fmt: skip


def judge_layout(
    name: str, own: GoldminerSettings, others: Sequence[GoldminerSettings], inbox: Path
) -> Iterator[Finding]:
    """Folders that must not be one and the same. All absolute."""
    remedy = ("各用各的文件夹", "give each a folder of its own")
    if any(other.scan_dir == own.scan_dir for other in others):
        yield Finding(
            WRONG, "scan.shared", str(own.scan_dir), f"{name} 与另一个通道共用扫单文件夹",
            f"{name} shares its scan folder with another gateway", *remedy,
        )  # fmt: skip
    for folder in (own.scan_dir, own.push_dir):
        if folder == inbox:
            yield Finding(
                WRONG, "scan.shared", str(folder), "收件箱就是终端的文件夹",
                "the inbox is the terminal's own folder", *remedy,
            )  # fmt: skip


def _scan(facts: GoldminerFacts, settings: GoldminerSettings) -> Iterator[Finding]:
    scan, where = facts.scan, str(settings.scan_dir)
    if not scan.there:
        yield Finding(
            WRONG, "scan.folder", where, "没有扫单文件夹", "there is no scan folder",
            "在终端的文件单设置里建好它，或改 scan_dir", "make it in the terminal's 文件单 settings, or correct scan_dir",
        )  # fmt: skip
    elif facts.staging_inside:
        yield Finding(
            WRONG, "scan.folder", where, "暂存文件夹在扫单文件夹里", "staging lies in the scan folder",
            "staging_dir 改到旁边", "let staging_dir lie beside it",
        )  # fmt: skip
    elif scan.fault:
        yield Finding(
            WRONG, "scan.folder", where, f"暂存的文件改名不进去：{scan.fault}", f"no rename from staging: {scan.fault}",
            f"两者须在同一个盘上且可写：{settings.staging}", f"put both on one volume and make them writable: {settings.staging}",
        )  # fmt: skip
    else:
        yield Finding(
            OK, "scan.folder", where, "可写，与暂存同盘", "can be written, on one volume with staging"
        )
        yield from judge_renames(scan, "scan.renames")
        yield from judge_clock(scan, "scan.clock")
    if facts.contested:
        yield Finding(
            WRONG, "scan.writers", where, "另一个程序正占用暂存文件夹的写锁", "another program holds the lock of its staging",
            "一个扫单文件夹只能有一个写入者：停掉另一个", "one writer for each scan folder: stop the other one",
        )  # fmt: skip


def _lying_in_scan(facts: GoldminerFacts, today: date) -> Iterator[Finding]:
    where = str(facts.scan.path)
    old = [file for file in facts.lying if file.day < today]
    strange = [file for file in facts.lying if not file.ours]
    untaken = [file for file in facts.lying if file.day == today and file.ours and file.age > _UNTAKEN]
    if old:
        yield _leftovers("scan.leftovers", where, old)
    if strange:
        yield Finding(
            WARN, "scan.writers", where, f"有别的程序放的文件：{_names(strange)}", f"files of another program: {_names(strange)}",
            "两个写入者会漏单：让那个程序写进收件箱", "two writers lose orders: let that program write to the inbox",
        )  # fmt: skip
    if untaken:
        yield Finding(
            WARN, "scan.untaken", where, f"{len(untaken)} 个文件超过一分钟没被取走：{_names(untaken)}",
            f"not taken for a minute, {len(untaken)} files: {_names(untaken)}",
            "终端在运行吗？文件单启动了吗？", "is the terminal running, and its 文件单 started?",
        )  # fmt: skip
    if facts.scan.there and not (old or strange or untaken):
        yield Finding(OK, "scan.leftovers", where, "没有遗留文件", "nothing is left over")


def _output(facts: GoldminerFacts, settings: GoldminerSettings, today: date) -> Iterator[Finding]:
    where = str(settings.push_dir)
    if not facts.push:
        yield Finding(
            WRONG, "push.folder", where, "没有终端输出文件夹", "there is no output folder",
            "在终端的文件单设置里选好它，或改 push_dir", "choose it in the terminal's 文件单 settings, or correct push_dir",
        )  # fmt: skip
        return
    yield from _accounts(facts, where)
    for account, files in facts.output.items():
        yield from _items(account, files, handed=facts.handed)
    if facts.spoken and settings.scan_name not in facts.spoken:
        names = ", ".join(sorted(facts.spoken)[:_NAMED])
        yield Finding(
            WRONG, "push.scan_name", where, f"终端的输出写的文件单是 {names}，设置的是 {settings.scan_name}：回报不会算作我们的",
            f"the output is of the 文件单 {names}, the settings say {settings.scan_name}: its reports would not count as ours",
            f'改 scan_name = "{names}"，或核对 push_dir', f'set scan_name = "{names}", or compare push_dir',
        )  # fmt: skip
    every = [file for files in facts.output.values() for file in files]
    if every:
        yield from _freshness(where, every, today)


def _accounts(facts: GoldminerFacts, where: str) -> Iterator[Finding]:
    missing = [account for account in facts.accounts if account not in facts.output]
    if missing and not (facts.output or facts.handed):
        names = ", ".join(missing)
        yield Finding(
            WARN, "push.accounts", where, f"还没有 {names} 的文件夹：登录后或第一笔委托时由终端建立",
            f"no folder of {names} yet: the terminal makes it at the login, or at the first order",
            "登录终端、启动文件单；第一笔委托之后再看一次", "log in, start the 文件单, and look again behind the first order",
        )  # fmt: skip
    elif missing:
        names = ", ".join(missing)
        yield Finding(
            WRONG, "push.accounts", where, f"没有这些账号的文件夹：{names}", f"no folder for {names}",
            "核对 [accounts.<id>] 与终端里的账号(是掘金账号，不是资金账号),并在终端登录",
            "compare [accounts.<id>] with the terminal's account ids (not the fund account), and log in there",
        )  # fmt: skip
    elif not facts.output:
        yield Finding(
            WARN, "push.accounts", where, "还没有任何账号的文件夹", "no account has a folder yet",
            "启动终端并登录；核对 push_dir", "start the terminal and log in; compare push_dir",
        )  # fmt: skip
    else:
        names = ", ".join(facts.output)
        yield Finding(OK, "push.accounts", where, f"账号 {names}", f"accounts {names}")


def _items(account: str, files: Sequence[Lying], *, handed: bool) -> Iterator[Finding]:
    """Which of the six files the terminal writes."""
    there = {file.path.stem.lower() for file in files}
    on = ", ".join(item for item in ITEMS if item in there) or "–"
    if not there & {CHANGES, LATEST}:
        yield Finding(
            WRONG if handed else WARN, "push.items", account, f"没有委托状态文件，委托无法确认(有：{on})", f"no file of order states, no order can be confirmed (there: {on})",
            f"在终端打开 {CHANGES};若今天还没有委托，可先忽略", f"switch {CHANGES} on in the terminal; before the day's first order it may be missing",
        )  # fmt: skip
        return
    wanted = {
        CHANGES: ("确认会慢", "confirmations are slower"),
        EXECUTIONS: (
            "没有成交明细，成交会一直等到超时",
            "no fills; filled orders wait for them until the timeout",
        ),
        CASH: ("没有资金", "no cash"),
        POSITIONS: ("没有持仓", "no positions"),
    }
    missing = {item: words for item, words in wanted.items() if item not in there}
    if not missing:
        yield Finding(OK, "push.items", account, f"已打开 {on}", f"switched on: {on}")
        return
    names = ", ".join(missing)
    zh, en = (";".join(words[0] for words in missing.values()), "; ".join(w[1] for w in missing.values()))
    yield Finding(
        WARN, "push.items", account, f"没有 {names}:{zh}", f"no {names}: {en}",
        f"在终端的文件单输出里打开：{names}", f"switch on in the terminal's 文件单 output: {names}",
    )  # fmt: skip


def _freshness(where: str, files: Sequence[Lying], today: date) -> Iterator[Finding]:
    newest = min(files, key=lambda file: file.age)
    old = [file for file in files if file.day < today]
    if old:
        yield _leftovers("push.leftovers", where, old)
    if newest.day < today:
        yield Finding(
            WARN, "push.fresh", where, f"今天还没有输出，最近一次 {newest.day}", f"nothing was written today, last on {newest.day}",
            "启动终端并登录", "start the terminal and log in",
        )  # fmt: skip
    else:
        told = f"{newest.age:.0f} s"
        yield Finding(OK, "push.fresh", where, f"{told} 前有输出", f"written {told} ago")


def _archive(facts: GoldminerFacts, settings: GoldminerSettings) -> Iterator[Finding]:
    if settings.archive_dir is None:
        yield Finding(
            WARN, "archive.folder", facts.name, "没有设置 archive_dir", "archive_dir is not set",
            "在终端打开归档并设置它：upfiles 能证明终端收到了什么",
            "switch archiving on in the terminal and set it: upfiles prove what the terminal took",
        )  # fmt: skip
        return
    where = str(settings.archive_dir)
    if facts.archived is None:
        yield Finding(
            WRONG, "archive.folder", where, "没有这个文件夹", "there is no such folder",
            "改 archive_dir,或在终端打开归档", "correct archive_dir, or switch archiving on in the terminal",
        )  # fmt: skip
    elif settings.scan_name in facts.archived:
        yield Finding(
            OK,
            "archive.upfiles",
            where,
            f"有 {settings.scan_name} 的 upfiles",
            f"upfiles of {settings.scan_name}",
        )
    else:
        found = ", ".join(sorted(facts.archived)) or "–"
        yield Finding(
            WARN, "archive.upfiles", where, f"还没有 {settings.scan_name} 的 upfiles(有：{found})",
            f"no upfiles of {settings.scan_name} yet (there: {found})",
            "核对 scan_name 与终端里的文件单名称；第一笔委托之后应出现",
            "compare scan_name with the name in the terminal; they should appear behind the first order",
        )  # fmt: skip


def _leftovers(check: str, where: str, files: Sequence[Lying]) -> Finding:
    days = ", ".join(sorted({file.day.isoformat() for file in files}))
    last = max(file.day for file in files)
    return Finding(
        WARN, check, where, f"{days} 的遗留文件 {len(files)} 个，终端可能不会自动启动：{_names(files)}",
        f"{len(files)} files are left of {days}, the terminal may not start by itself: {_names(files)}",
        f"orderdrop close --date {last}", f"orderdrop close --date {last}",
    )  # fmt: skip


def _names(files: Sequence[Lying]) -> str:
    names = [file.path.name for file in files]
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
