"""Runs the whole examination, in the order in which a person would look. What only one kind of gateway has is told by that kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, assert_never

from orderdrop.config.gateways import GmSettings, GoldminerSettings, MiniqmtSettings, PaperSettings
from orderdrop.config.settings import Settings
from orderdrop.config.workspace import Workspace
from orderdrop.doctor import goldminer, goldminer_judging
from orderdrop.doctor.access import look_at_access
from orderdrop.doctor.api import look_at_gm, look_at_miniqmt
from orderdrop.doctor.finding import Finding
from orderdrop.doctor.folders import look_at
from orderdrop.doctor.judging import (
    judge_calendar,
    judge_clock,
    judge_console,
    judge_day,
    judge_events,
    judge_folder,
    judge_inbox,
    judge_journal,
    judge_life,
    judge_renames,
    judge_router,
    judge_space,
    judge_witness,
    judge_zone,
)
from orderdrop.doctor.surroundings import RouterFacts, event_after, journal_facts, witness_facts, zone_offset
from orderdrop.market.calendar import TradingDays

RENAMES: Final = 40


def examine(
    settings: Settings, workspace: Workspace, router: RouterFacts, console: str, today: date
) -> Iterator[Finding]:
    """console: the encoding of the screen. Raises ConfigError."""
    yield judge_router(router, str(workspace.root))
    yield from judge_life(router, str(workspace.root))
    yield judge_console(console)
    terminal = any(not isinstance(values, PaperSettings) for values in settings.gateways.values())
    yield judge_zone(zone_offset(), terminal=terminal)
    if any(values.live for values in settings.gateways.values()):
        known = TradingDays(settings.calendar, workspace.root).knows(today.year)
        yield judge_calendar(today.year, known=known)
    journal = journal_facts(settings, workspace)
    yield from judge_journal(journal)
    if not (journal.fault or journal.newer):
        yield from judge_witness(witness_facts(settings, workspace), str(journal.path))
    yield from judge_day(journal, today)
    yield from look_at_access(settings, workspace, journal.path)
    yield from judge_space(look_at(workspace.root))
    for folder in (workspace.outbox, workspace.archive, workspace.quarantine, workspace.state):
        yield judge_folder(look_at(folder), "workspace.folder")
    yield from _inbox(settings, workspace)
    for name in settings.gateways:
        yield from _gateway(name, settings, workspace, router, today)


def examine_gateway(name: str, settings: Settings, workspace: Workspace, today: date) -> Iterator[Finding]:
    """One gateway alone, before any router has run. Raises ConfigError."""
    yield from _gateway(name, settings, workspace, RouterFacts(running=False, who="", waiting=()), today)


def _inbox(settings: Settings, workspace: Workspace) -> Iterator[Finding]:
    inbox = look_at(workspace.inbox, tries=RENAMES)
    yield judge_inbox(inbox, elsewhere=not workspace.inbox.is_relative_to(workspace.root))
    if not inbox.there or inbox.fault:
        return
    yield from judge_renames(inbox, "inbox.renames")
    yield from judge_clock(inbox, "inbox.clock")
    wanted = settings.inbox.events
    yield judge_events(str(workspace.inbox), event_after(workspace.inbox) if wanted else None, wanted=wanted)


def _gateway(
    name: str, settings: Settings, workspace: Workspace, router: RouterFacts, today: date
) -> Iterator[Finding]:
    """The place where a new kind of gateway plugs in what is to be looked at."""
    match settings.gateways[name]:
        case PaperSettings():
            pass  # it lives in the workspace's own folders
        case GoldminerSettings() as values:
            own = values.below(workspace.root)
            others = [
                other.below(workspace.root)
                for key, other in settings.gateways.items()
                if key != name and isinstance(other, GoldminerSettings)
            ]
            facts = goldminer.measure(
                name, own, settings.accounts_of(name), today, router_runs=router.running, renames=RENAMES
            )
            if workspace.terminal_day(today, name).is_dir():  # closed: its output is in the archive
                facts = facts._replace(handed=False)
            yield from goldminer_judging.judge(facts, own, today)
            yield from goldminer_judging.judge_layout(name, own, others, workspace.inbox)
        case MiniqmtSettings() as values:
            yield from look_at_miniqmt(name, values.below(workspace.root))
        case GmSettings() as values:
            yield from look_at_gm(name, values.below(workspace.root))
        case unknown:
            assert_never(unknown)
