"""Measures the machine and the workspace around the folders."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy.exc import DBAPIError

from orderdrop.archive.witness import hear
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.doctor.folders import PROBE
from orderdrop.errors import ConfigError, JournalError
from orderdrop.inbox.watcher import watch
from orderdrop.journal.journal import Journal, reading_engine, refuse_network_drive
from orderdrop.journal.reader import read
from orderdrop.journal.schema import VERSION

EVENT_WITHIN: Final = 2.0


class RouterFacts(NamedTuple):
    """running: in this workspace. waiting: files in the inbox that it has yet to take. same_settings: as they stand now."""

    running: bool
    who: str
    waiting: tuple[str, ...]
    same_settings: bool = True
    faults: tuple[str, ...] = ()  # what its heartbeat says, bilingual


class JournalFacts(NamedTuple):
    """there: it was made already. local: "" or why it lies on no local disk. fault: why it cannot be read. newer: by a newer orderdrop."""

    path: Path
    there: bool
    local: str = ""
    fault: str = ""
    newer: bool = False
    newest_day: int = 0


class WitnessFacts(NamedTuple):
    """zh, en: why the start is refused, "" when it is not; about: what is known. unreadable: how many marks do not read."""

    zh: str
    en: str
    about: list[str]
    unreadable: int


def journal_facts(settings: Settings, workspace: Workspace) -> JournalFacts:
    """Raises ConfigError when the setting is wrong."""
    path = Journal(settings.journal.url, workspace.root).path
    local = ""
    try:
        refuse_network_drive(path)
    except ConfigError as error:
        local = str(error)
    if not path.exists():
        return JournalFacts(path, there=False, local=local)
    try:
        engine = reading_engine(settings.journal.url, workspace.root)
        try:
            with read(engine) as reading:
                version = int(reading.meta("schema_version") or 0)
                newest = reading.newest_day()
        finally:
            engine.dispose()
    except (DBAPIError, JournalError) as error:
        return JournalFacts(path, there=True, local=local, fault=str(error))
    return JournalFacts(path, there=True, local=local, newer=version > VERSION, newest_day=newest)


def witness_facts(settings: Settings, workspace: Workspace) -> WitnessFacts:
    """Of a journal that can be read."""
    try:
        heard = hear(settings, workspace)
    except (OSError, JournalError) as error:
        return WitnessFacts(f"见证读不了：{error}", f"the marks cannot be read: {error}", [], 0)
    return WitnessFacts(heard.zh, heard.en, heard.about, len(heard.unreadable))


def event_after(folder: Path) -> float | None:
    """Seconds until a file event told of a rename in `folder`; None: none came. Raises OSError."""
    name = f"{PROBE}-{os.getpid()}-event"
    made, moved = folder / f"{name}.tmp", folder / name
    watching = watch(str(folder))
    try:
        made.write_bytes(b"")
        began = time.perf_counter()
        made.rename(moved)
        while (waited := time.perf_counter() - began) < EVENT_WITHIN:
            if name in watching.take():
                return waited
            watching.wait(0.05)
        return None
    finally:
        watching.close()
        made.unlink(missing_ok=True)
        moved.unlink(missing_ok=True)


def zone_offset() -> float:
    """Seconds by which this machine's wall clock is ahead of UTC."""
    offset = datetime.now().astimezone().utcoffset()
    return offset.total_seconds() if offset else 0.0
