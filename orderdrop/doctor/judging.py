"""Judges what every workspace has: facts in, findings out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from statistics import median
from typing import Final

from orderdrop.doctor.finding import Finding, Level
from orderdrop.doctor.folders import Folder
from orderdrop.doctor.surroundings import JournalFacts, RouterFacts, WitnessFacts
from orderdrop.domain.identity import day_number

OK, WARN, WRONG = Level.OK, Level.WARN, Level.WRONG

_SLOW_MEDIAN: Final = 0.02
_SLOW_WORST: Final = 0.25
_CLOCK_WARN: Final = 2.0
_CLOCK_WRONG: Final = 60.0
_LITTLE_SPACE: Final = 2 * 1024**3
_NO_SPACE: Final = 200 * 1024**2
_SHANGHAI: Final = 8 * 3600

_FAULT: Final = (
    "检查该文件夹的写入、改名、删除权限，以及占用它的程序",
    "check the permission to write, rename and delete there, and which program holds files open",
)


def judge_folder(folder: Folder, check: str) -> Finding:
    """One of the workspace's own folders; what is not there is made by `orderdrop run`."""
    where = str(folder.path)
    if not folder.there:
        return Finding(OK, check, where, "还没有，启动时建立", "not there yet, it is made at the start")
    if folder.fault:
        return Finding(
            WRONG, check, where, f"不可用：{folder.fault}", f"cannot be used: {folder.fault}", *_FAULT
        )
    return Finding(OK, check, where, "可写", "can be written")


def judge_inbox(folder: Folder, *, elsewhere: bool) -> Finding:
    """elsewhere: it lies outside the workspace, perhaps on a share, and is not made by anybody."""
    if not folder.there and elsewhere:
        return Finding(
            WRONG, "inbox.folder", str(folder.path), "没有这个文件夹", "there is no such folder",
            "接上共享盘，或改 [inbox] path", "connect the share, or correct [inbox] path",
        )  # fmt: skip
    return judge_folder(folder, "inbox.folder")


def judge_space(folder: Folder) -> Iterator[Finding]:
    if folder.free is None:
        return
    left = f"{folder.free / 1024**3:.1f} GB"
    where = str(folder.path)
    if folder.free >= _LITTLE_SPACE:
        yield Finding(OK, "disk.space", where, f"剩余 {left}", f"{left} free")
        return
    level = WRONG if folder.free < _NO_SPACE else WARN
    yield Finding(
        level, "disk.space", where, f"只剩 {left}", f"only {left} free",
        "清理磁盘：写满后不再接收新委托", "free some space: with a full disk no new orders are taken",
    )  # fmt: skip


def judge_renames(folder: Folder, check: str) -> Iterator[Finding]:
    """Renames that are held up: virus scanners look into each new file before they let it go."""
    if not folder.renames:
        return
    middle, worst = median(folder.renames), max(folder.renames)
    count, usual, slowest = len(folder.renames), f"{middle * 1000:.1f} ms", f"{worst * 1000:.1f} ms"
    zh = f"改名 {count} 次，中位 {usual},最慢 {slowest}"
    en = f"{count} renames, median {usual}, worst {slowest}"
    if middle < _SLOW_MEDIAN and worst < _SLOW_WORST:
        yield Finding(OK, check, str(folder.path), zh, en)
    else:
        yield Finding(
            WARN, check, str(folder.path), f"{zh},偏慢", f"{en}: slow",
            "在杀毒软件、索引和同步盘里排除该文件夹", "exclude the folder from virus scanners, indexing and cloud sync",
        )  # fmt: skip


def judge_clock(folder: Folder, check: str) -> Iterator[Finding]:
    """The clock of a share against this machine's."""
    if folder.clock is None:
        return
    off = f"{round(folder.clock, 1) + 0.0:+} s"
    level = WRONG if abs(folder.clock) > _CLOCK_WRONG else WARN if abs(folder.clock) > _CLOCK_WARN else OK
    remedy = (
        () if level is OK else ("两台机器都打开网络对时", "let both machines set their clocks by the network")
    )
    yield Finding(
        level, check, str(folder.path), f"与本机时钟相差 {off}", f"its clock is off by {off}", *remedy
    )


def judge_zone(offset: float, *, terminal: bool) -> Finding:
    """A terminal on this machine writes its times as the machine's zone has them; ours are always Shanghai's.

    terminal: whether there may be one.
    """
    zone = f"UTC{offset / 3600:+g}"
    if not terminal:
        return Finding(
            OK, "clock.zone", zone, "orderdrop 一律按北京时间", "orderdrop always uses Shanghai time"
        )
    if offset == _SHANGHAI:
        return Finding(OK, "clock.zone", zone, "北京时间", "Shanghai time")
    return Finding(
        WARN, "clock.zone", zone, "本机时区不是北京时间；orderdrop 一律按北京时间",
        "this machine is not in Shanghai time; orderdrop always uses that",
        "终端在本机时，把时区设为 UTC+8", "if the terminal runs here, set the time zone to UTC+8",
    )  # fmt: skip


def judge_calendar(year: int, *, known: bool) -> Finding:
    """Live gateways take no orders in a year whose closed days nobody knows."""
    if known:
        return Finding(OK, "calendar.known", f"{year}", "休市日已知", "the closed days are known")
    return Finding(
        WRONG, "calendar.known", f"{year}", "不知道这一年的休市日，实盘通道不收新委托",
        "the closed days of this year are not known: live gateways take no orders",
        'pip install ".[calendar]",或照交易所的公告写 calendar.csv',
        'pip install ".[calendar]", or write calendar.csv by the exchanges\' notice',
    )  # fmt: skip


def judge_console(encoding: str) -> Finding:
    try:
        "委托√×".encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return Finding(
            WARN, "console.encoding", encoding, "终端窗口显示不了中文，会显示为 ?",
            "the console cannot show Chinese, it becomes ?",
            "Windows:先运行 chcp 65001,或设 PYTHONUTF8=1;其他系统：设 LANG=C.UTF-8",
            "on Windows run chcp 65001 or set PYTHONUTF8=1, elsewhere LANG=C.UTF-8",
        )  # fmt: skip
    return Finding(OK, "console.encoding", encoding, "能显示中文", "can show Chinese")


def judge_journal(journal: JournalFacts) -> Iterator[Finding]:
    where = str(journal.path)
    if journal.local:
        zh, _, en = journal.local.partition(" / ")
        yield Finding(
            WRONG, "journal.disk", where, zh, en or zh,
            "把 [journal] url 指到本地盘", "let [journal] url name a file on a local disk",
        )  # fmt: skip
    if journal.fault:
        yield Finding(
            WRONG, "journal.readable", where, f"读不出来：{journal.fault}", f"cannot be read: {journal.fault}",
            "先备份这个文件，不要删除；从备份恢复，或换一个工作区",
            "keep a copy, do not delete it; restore a backup, or use another workspace",
        )  # fmt: skip
    elif journal.newer:
        yield Finding(
            WRONG, "journal.readable", where, "由更新的版本写成", "was written by a newer orderdrop",
            "升级 orderdrop", "upgrade orderdrop",
        )  # fmt: skip
    elif journal.there:
        yield Finding(OK, "journal.readable", where, "可读", "can be read")
    elif not journal.local:
        yield Finding(
            OK, "journal.readable", where, "还没有，启动时建立", "not there yet, it is made at the start"
        )


def judge_witness(facts: WitnessFacts, where: str) -> Iterator[Finding]:
    """Whether the journal is the one that was here."""
    if facts.zh:
        known = "；".join(facts.about)
        yield Finding(
            WRONG, "journal.witness", where, f"{facts.zh}；已知 {known}", f"{facts.en}; known: {'; '.join(facts.about)}",
            "放回原来的日志库；找不回时先在终端核对，再 orderdrop adopt",
            "put the right journal back; if there is none, look into the terminal, then run orderdrop adopt",
        )  # fmt: skip
    elif facts.unreadable:
        yield Finding(
            WARN, "journal.witness", where, f"{facts.unreadable} 个见证读不出", f"{facts.unreadable} marks do not read",
            "启动时重写", "they are made anew at the start",
        )  # fmt: skip
    else:
        yield Finding(OK, "journal.witness", where, "与见证一致", "agrees with its witnesses")


def judge_events(inbox: str, told: float | None, *, wanted: bool) -> Finding:
    """told: seconds until an event came."""
    if not wanted:
        return Finding(
            OK, "inbox.events", inbox, "已关闭，只靠扫描", "switched off; the scan finds everything"
        )
    if told is None:
        return Finding(
            WARN, "inbox.events", inbox, "收不到文件事件，改由扫描发现，会慢一些",
            "no file events arrive; the scan finds everything, later",
            "网络共享盘属正常：设 [inbox] events = false", "usual on a network share: set [inbox] events = false",
        )  # fmt: skip
    return Finding(
        OK, "inbox.events", inbox, f"{told * 1000:.0f} ms 内到达", f"arrive within {told * 1000:.0f} ms"
    )


def judge_day(journal: JournalFacts, today: date) -> Iterator[Finding]:
    """A journal of a day that the clock has not come to: the clock is wrong now, or it was then."""
    if journal.newest_day > day_number(today):
        yield Finding(
            WRONG, "journal.day", str(journal.path), f"日志库已到 {journal.newest_day},时钟是 {today}",
            f"the journal has come to {journal.newest_day}, the clock shows {today}",
            "先校准时钟；若之前的时钟错了：orderdrop adopt --day-was-wrong",
            "set the clock; if it was wrong before: orderdrop adopt --day-was-wrong",
        )  # fmt: skip


def judge_life(router: RouterFacts, where: str) -> Iterator[Finding]:
    """What the router's heartbeat says."""
    for fault in router.faults:
        zh, _, en = fault.partition(" / ")
        yield Finding(WRONG, "router.life", where, zh, en or zh, "见 docs/running.md", "see docs/running.md")


def judge_router(router: RouterFacts, where: str) -> Finding:
    if router.running and not router.same_settings:
        return Finding(
            WARN, "router.running", where, f"运行中 {router.who},但设置与它启动时不同，尚未生效",
            f"running {router.who}, but with other settings than there are now, which do not bind yet",
            "重启路由器", "start the router anew",
        )  # fmt: skip
    if router.running:
        return Finding(OK, "router.running", where, f"运行中 {router.who}", f"running {router.who}")
    if router.waiting:
        count = len(router.waiting)
        return Finding(
            WARN, "router.running", where, f"没有运行，有 {count} 个文件在等", f"not running; files that wait: {count}",
            "orderdrop run", "orderdrop run",
        )  # fmt: skip
    return Finding(
        OK, "router.running", where, "还没有启动，用 orderdrop run", "not started yet: orderdrop run"
    )
