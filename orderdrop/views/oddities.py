"""Lists what terminals told today that cannot be, or is not ours: sids of ours that somebody else uses, rows and reports that do not read. For `status`.

Kept in the journal's meta, a key a day, so that whoever looks finds it without the router. Owns the keys and the sentences; the evidence itself
stands in the journal's reports and events.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final

from orderdrop.domain.goldminer_format import NO_HEADER
from orderdrop.journal.writer import Writer

_KEPT: Final = 20
_RESTART: Final = (
    "；收盘以后没有重启终端时会这样：退出并重新启动终端，再 orderdrop resume --gateway",
    "; so it is when the terminal was not restarted after the close: exit and start it, then orderdrop resume --gateway",
)

Meta = Callable[[str], str | None]
"""Asks the journal for a value of its meta."""


def strangers_key(day: date) -> str:
    return f"strangers:{day:%Y%m%d}"


def unreadable_key(day: date) -> str:
    return f"unreadable:{day:%Y%m%d}"


def note_strangers(writer: Writer, day: date, found: Iterable[tuple[str, str]]) -> None:
    """found: a sid of ours, and who else told of it, for each such report."""
    found = list(found)
    if not found:
        return
    known = _read(writer.get_meta, strangers_key(day))
    sids: dict[str, str] = known.get("sids", {})
    for sid, whose in found:
        if len(sids) < _KEPT or sid in sids:
            sids[sid] = whose
    count = int(known.get("count", 0)) + len(found)
    writer.set_meta(strangers_key(day), json.dumps({"count": count, "sids": sids}, ensure_ascii=False))


def note_unreadable_reports(writer: Writer, day: date, gateway: str, count: int, what: str) -> None:
    if count:
        note_unreadable_rows(writer, day, gateway, {what: count}, add=True)


def alarms(meta: Meta, day: date) -> list[str]:
    """Sentences for `status`."""
    found = []
    strangers = _read(meta, strangers_key(day))
    if strangers:
        sids = strangers["sids"]
        some = ", ".join(f"{sid} ({whose})" for sid, whose in list(sids.items())[:5])
        more = f" … +{len(sids) - 5}" if len(sids) > 5 else ""
        found.append(
            f"我们的编号被别人使用，终端可能当作重复委托：{strangers['count']} 条回报不算我们的；如果那是自己的文件单，改 scan_name 后重启"
            f" / a sid of ours is used by somebody else, and the terminal may take it for a repeat: {strangers['count']} reports are not counted as ours;"
            f" if it is your own 文件单, mend scan_name and start again: {some}{more}"
        )
    for gateway, counts in _read(meta, unreadable_key(day)).items():
        what, count = next(iter(counts.items()))
        more = f" … +{len(counts) - 1}" if len(counts) > 1 else ""
        headless = any(NO_HEADER in words for words in counts)
        found.append(
            f"{gateway}：{sum(counts.values())} 行终端输出无法解析，没有计入，请对照终端核对{_RESTART[0] * headless}"
            f" / rows of the terminal do not read and count for nothing, compare with the terminal{_RESTART[1] * headless}: {what} ({count}){more}"
        )
    return found


def note_unreadable_rows(
    writer: Writer, day: date, gateway: str, counts: Mapping[str, int], *, add: bool
) -> None:
    known = _read(writer.get_meta, unreadable_key(day))
    mine = known.setdefault(gateway, {})
    for what, count in counts.items():
        mine[what] = mine.get(what, 0) * add + count
    writer.set_meta(unreadable_key(day), json.dumps(known, ensure_ascii=False))


def _read(meta: Meta, key: str) -> dict[str, Any]:
    found = meta(key)
    return json.loads(found) if found else {}
