"""What the doctor says of facts, one by one; and of real folders, with the stand-in terminal before them."""

from __future__ import annotations

import json
import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from builders import FRIDAY, an_outgoing
from command_line import QUICK, a_file, a_workspace, orderdrop, printed
from filelock import FileLock
from goldminer_desk import Folders
from terminal_bench import Bench

from orderdrop.config.gateways import GoldminerSettings
from orderdrop.doctor import goldminer, judging
from orderdrop.doctor.finding import Level
from orderdrop.doctor.folders import Folder, look_at
from orderdrop.doctor.goldminer import GoldminerFacts, Lying
from orderdrop.doctor.goldminer_judging import judge, judge_layout
from orderdrop.doctor.surroundings import JournalFacts, RouterFacts
from orderdrop.gateway.base import Batch, Cancel
from orderdrop.gateway.goldminer.gateway import GoldminerGateway
from orderdrop.gateway.goldminer.scan import is_our_name
from orderdrop.system.clock import SystemClock, trade_date

TODAY = FRIDAY.date()
YESTERDAY = TODAY - timedelta(days=1)
HERE = Path("folder").absolute()
SETTINGS = GoldminerSettings(scan_dir=HERE / "scan", push_dir=HERE / "push", archive_dir=HERE / "archive", scan_name="s01")  # fmt: skip
OURS = "20261120_00000007.0123456789ab.order.csv"
SIX = ("order_status_change", "order_status", "execution_report", "cash", "position", "func_response")

OK, WARN, WRONG = Level.OK, Level.WARN, Level.WRONG


def a_folder(**over) -> Folder:
    return Folder(**({"path": HERE, "there": True, "renames": (0.001,), "clock": 0.0, "free": 10**12} | over))


def lying(name: str, day: date = TODAY, age: float = 5, *, ours: bool = True) -> Lying:
    return Lying(HERE / name, day, age, ours)


def an_output(*items: str, **over) -> tuple[Lying, ...]:
    return tuple(lying(f"{item}.csv", **over) for item in items)


def told(over: dict, **settings) -> dict[str, Level]:
    """What is said of a terminal whose folders are well but for `over`."""
    well = {
        "name": "gm", "accounts": ("A1",), "scan": a_folder(), "output": {"A1": an_output(*SIX)},
        "archived": frozenset({"s01"}),
    }  # fmt: skip
    facts = GoldminerFacts(**(well | over))
    return {
        finding.check: finding.level for finding in judge(facts, SETTINGS.model_copy(update=settings), TODAY)
    }


WELL = {
    "scan.folder": OK, "scan.renames": OK, "scan.clock": OK, "scan.leftovers": OK, "push.accounts": OK, "push.items": OK,
    "push.fresh": OK, "archive.upfiles": OK,
}  # fmt: skip

TERMINALS = {
    "nothing": ({}, {}),
    "no scan folder": ({"scan": a_folder(there=False)}, {"scan.folder": WRONG, "scan.leftovers": None}),
    "no rename": ({"scan": a_folder(fault="EXDEV")}, {"scan.folder": WRONG}),
    "staging inside": ({"staging_inside": True}, {"scan.folder": WRONG}),
    "another router": ({"contested": True}, {"scan.writers": WRONG}),
    "another writer": ({"lying": (lying("mine.order.csv", ours=False),)}, {"scan.writers": WARN, "scan.leftovers": None}),
    "left of yesterday": ({"lying": (lying(OURS, YESTERDAY),)}, {"scan.leftovers": WARN}),
    "not taken": ({"lying": (lying(OURS, age=90),)}, {"scan.untaken": WARN, "scan.leftovers": None}),
    "just put in": ({"lying": (lying(OURS, age=3),)}, {}),
    "no output folder": ({"push": False, "output": {}}, dict.fromkeys(("push.accounts", "push.items", "push.fresh")) | {"push.folder": WRONG}),
    "no account": ({"accounts": (), "output": {}}, {"push.accounts": WARN, "push.items": None, "push.fresh": None}),
    "before the first order": ({"output": {}}, {"push.accounts": WARN, "push.items": None, "push.fresh": None}),
    "no account after the first order": (
        {"output": {}, "handed": True}, {"push.accounts": WRONG, "push.items": None, "push.fresh": None},
    ),
    "an account is missing": ({"accounts": ("A1", "A2")}, {"push.accounts": WRONG}),
    "no order states yet": ({"output": {"A1": an_output("cash")}}, {"push.items": WARN}),
    "no order states": ({"output": {"A1": an_output("cash")}, "handed": True}, {"push.items": WRONG}),
    "no fills": ({"output": {"A1": an_output(*SIX[:2], "cash", "position")}}, {"push.items": WARN}),
    "output of yesterday": ({"output": {"A1": an_output(*SIX, day=YESTERDAY)}}, {"push.fresh": WARN, "push.leftovers": WARN}),
    "no archive": ({"archived": None}, {"archive.folder": WRONG, "archive.upfiles": None}),
    "output of another 文件单": ({"spoken": frozenset({"s02"})}, {"push.scan_name": WRONG}),
    "output of ours and another 文件单": ({"spoken": frozenset({"s02", "s01"})}, {}),
    "another scan name": ({"archived": frozenset({"s02"})}, {"archive.upfiles": WARN}),
}  # fmt: skip


@pytest.mark.parametrize(("over", "changed"), TERMINALS.values(), ids=TERMINALS)
def test_terminal_when_something_is_amiss_then_just_that_is_told(over, changed):
    expected = {check: level for check, level in (WELL | changed).items() if level is not None}
    found = told(over)
    if expected["scan.folder"] is WRONG:
        expected.pop("scan.renames")
        expected.pop("scan.clock")
    assert found == expected


def test_terminal_when_no_archive_is_set_or_dbf_cannot_be_read_then_it_is_told():
    assert told({}, archive_dir=None)["archive.folder"] is WARN
    assert told({"dbf": False}, format="dbf")["dbf.library"] is WRONG
    assert "dbf.library" not in told({"dbf": False})


def test_layout_when_folders_are_shared_then_it_is_wrong():
    assert list(judge_layout("gm", SETTINGS, [], HERE / "inbox")) == []
    other = SETTINGS.model_copy(update={"push_dir": HERE / "other"})
    for others, inbox in (([other], HERE / "inbox"), ([], SETTINGS.scan_dir), ([], SETTINGS.push_dir)):
        (finding,) = judge_layout("gm", SETTINGS, others, inbox)
        assert (finding.check, finding.level) == ("scan.shared", WRONG)


def level_of(findings) -> Level:
    (finding,) = findings if not hasattr(findings, "level") else [findings]
    assert bool(finding.remedy_zh and finding.remedy_en) == (finding.level is not OK)
    return finding.level


@pytest.mark.parametrize(
    ("renames", "level"),
    [((0.001,) * 40, OK), ((0.001,) * 39 + (0.3,), WARN), ((0.03,) * 40, WARN), ((0.01,) * 39 + (0.2,), OK)],
)
def test_renames_when_they_are_held_up_then_it_is_told(renames, level):
    assert level_of(judging.judge_renames(a_folder(renames=renames), "inbox.renames")) is level


@pytest.mark.parametrize(
    ("clock", "level"), [(-0.01, OK), (1.9, OK), (-3.0, WARN), (61.0, WRONG), (-61.0, WRONG)]
)
def test_clock_when_a_share_is_off_then_it_is_told(clock, level):
    assert level_of(judging.judge_clock(a_folder(clock=clock), "scan.clock")) is level


@pytest.mark.parametrize(("free", "level"), [(10**12, OK), (10**9, WARN), (10**8, WRONG)])
def test_space_when_it_runs_out_then_it_is_told(free, level):
    assert level_of(judging.judge_space(a_folder(free=free))) is level


def test_surroundings_when_amiss_then_each_is_told():
    assert level_of(judging.judge_zone(8 * 3600, terminal=True)) is OK
    assert level_of(judging.judge_zone(0, terminal=False)) is OK
    assert level_of(judging.judge_zone(0, terminal=True)) is WARN
    consoles = {name: level_of(judging.judge_console(name)) for name in ("utf-8", "gbk", "cp1252", "no such")}
    assert list(consoles.values()) == [OK, OK, WARN, WARN]
    assert level_of(judging.judge_events("inbox", 0.01, wanted=True)) is OK
    assert level_of(judging.judge_events("inbox", None, wanted=True)) is WARN
    assert level_of(judging.judge_events("inbox", None, wanted=False)) is OK
    assert level_of(judging.judge_router(RouterFacts(False, "", ("a.csv",)), "w")) is WARN
    assert level_of(judging.judge_router(RouterFacts(True, "pid 1", ("a.csv",)), "w")) is OK
    assert level_of(judging.judge_folder(a_folder(fault="full"), "x")) is WRONG
    assert level_of(judging.judge_inbox(a_folder(there=False), elsewhere=True)) is WRONG
    assert level_of(judging.judge_inbox(a_folder(there=False), elsewhere=False)) is OK


@pytest.mark.parametrize(
    ("facts", "levels"),
    [
        (JournalFacts(HERE, there=True), [OK]),
        (JournalFacts(HERE, there=False), [OK]),
        (JournalFacts(HERE, there=False, local="网络盘 / a share"), [WRONG]),
        (JournalFacts(HERE, there=True, fault="malformed"), [WRONG]),
        (JournalFacts(HERE, there=True, newer=True), [WRONG]),
    ],
)
def test_journal_when_judged_then_what_keeps_it_from_being_written_is_wrong(facts, levels):
    assert [finding.level for finding in judging.judge_journal(facts)] == levels


def test_folder_when_measured_then_nothing_is_left_in_it(tmp_path):
    source = tmp_path / "staging"
    source.mkdir()
    (tmp_path / "scan").mkdir()
    found = look_at(tmp_path / "scan", source=source, tries=5)
    assert (found.there, found.fault, len(found.renames)) == (True, "", 5)
    assert found.free > 0
    assert list(source.iterdir()) + list((tmp_path / "scan").iterdir()) == []
    assert not look_at(tmp_path / "none").there


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_folder_when_it_is_read_only_then_the_fault_is_named(tmp_path):
    tmp_path.chmod(0o500)
    try:
        assert "denied" in look_at(tmp_path).fault
    finally:
        tmp_path.chmod(0o700)


def test_folder_when_files_cannot_come_in_then_the_fault_is_named(tmp_path):
    assert look_at(tmp_path, source=tmp_path / "gone").fault


def test_names_when_the_gateway_makes_them_then_they_are_known_as_ours(tmp_path):
    folders = Folders(tmp_path)
    folders.handed()
    folders.gateway.cancel([Cancel("S1", "A1")])
    names = folders.in_scan()
    assert len(names) == 4
    assert all(map(is_our_name, names))
    assert not any(map(is_our_name, ("20261120.order.csv", "20261120_093101.125.order.csv", "desktop.ini")))


def test_terminal_when_it_works_then_all_is_well(tmp_path):
    """The clock of the bench stands on another day than the files' dates; today is told to the doctor as the files have it."""
    bench = Bench(tmp_path, archive=tmp_path / "archive", accounts=("A1",), scan_name="s01")
    bench.step()
    settings = GoldminerSettings(scan_dir=bench.scan, push_dir=bench.push, archive_dir=tmp_path / "archive", scan_name="s01")  # fmt: skip
    folders_today = trade_date(SystemClock().now())
    gateway = GoldminerGateway("gm", settings, ("A1",), bench.clock)
    gateway.open()
    try:
        gateway.submit(Batch(1, gateway.encode([an_outgoing(account_id="A1")])))
        bench.settle()
        found = list(judge(_measured(settings, folders_today, router_runs=True), settings, folders_today))
        assert {finding.check for finding in found if finding.level is not OK} == set()
        assert "push.items" in {finding.check for finding in found}
        other = settings.model_copy(update={"scan_name": "s02"})
        named = [
            f
            for f in judge(_measured(settings, folders_today), other, folders_today)
            if f.check == "push.scan_name"
        ]
        assert [finding.level for finding in named] == [WRONG], "as its rows say"
        (scan,) = [
            f
            for f in judge(_measured(settings, folders_today), settings, folders_today)
            if f.check == "scan.writers"
        ]
        assert scan.level is WRONG
    finally:
        gateway.close()
    assert not _measured(settings, folders_today).contested


def _measured(settings: GoldminerSettings, today: date, *, router_runs: bool = False) -> GoldminerFacts:
    return goldminer.measure("gm", settings, ("A1",), today, router_runs=router_runs, renames=3)


# the command


def test_doctor_when_a_paper_workspace_is_new_then_nothing_is_wrong(tmp_path):
    result = orderdrop("doctor", at=a_workspace(tmp_path))
    assert result.exit_code == 0, result.output
    assert "× " not in result.stdout
    assert list((tmp_path / "inbox").iterdir()) == []


def test_doctor_when_orders_were_routed_then_the_journal_is_looked_at(tmp_path):
    workspace = a_workspace(tmp_path)
    orderdrop("run", "--once", at=workspace)
    a_file(workspace / "inbox", "late.csv", "sid\n")
    found = {finding["check"]: finding for finding in printed(orderdrop("doctor", "--json", at=workspace))}
    assert found["journal.readable"]["finding"] == "可读 / can be read"
    assert found["router.running"]["level"] == "warn"
    (workspace / "journal.db").write_bytes(b"not a database, by any means" * 100)
    result = orderdrop("doctor", "--json", at=workspace)
    assert result.exit_code == 1
    assert [finding["check"] for finding in printed(result) if finding["level"] == "wrong"] == [
        "journal.readable"
    ]


def test_doctor_when_the_terminals_folders_are_missing_then_exit_1_and_what_to_do(tmp_path):
    gateway = f'[gateways.gm]\ntype = "goldminer"\nscan_dir = {json.dumps(str(tmp_path / "扫单 scan"))}\npush_dir = "push"\n'
    result = orderdrop("doctor", at=a_workspace(tmp_path / "w", QUICK + gateway))
    assert result.exit_code == 1
    assert "× scan.folder" in result.stdout
    assert "× push.folder" in result.stdout
    assert "或改 scan_dir" in result.stdout


def test_doctor_when_another_workspace_writes_to_the_scan_folder_then_it_is_wrong(tmp_path):
    workspace = a_workspace(
        tmp_path / "w",
        QUICK + '[gateways.gm]\ntype = "goldminer"\nlive = false\nscan_dir = "scan"\npush_dir = "push"\n',
    )
    for name in ("scan", "scan.orderdrop", "push"):
        (workspace / name).mkdir()
    with FileLock(workspace / "scan.orderdrop" / "writer.lock"):
        found = printed(orderdrop("doctor", "--json", at=workspace))
    assert [finding["check"] for finding in found if finding["level"] == "wrong"] == ["scan.writers"]


@pytest.mark.parametrize("known", [True, False])
def test_doctor_when_a_gateway_is_live_then_the_years_closed_days_must_be_known(tmp_path, monkeypatch, known):
    monkeypatch.setattr("orderdrop.market.calendar.published", lambda _year: None)
    gateway = '[gateways.gm]\ntype = "goldminer"\nscan_dir = "scan"\npush_dir = "push"\n'
    workspace = a_workspace(tmp_path, QUICK + gateway)
    year = trade_date(SystemClock().now()).year
    a_file(workspace, "calendar.csv", f"closed,note\n{year if known else year - 1}-01-01,\n")
    found = {finding["check"]: finding for finding in printed(orderdrop("doctor", "--json", at=workspace))}
    assert found["calendar.known"]["level"] == ("ok" if known else "wrong")


def test_doctor_when_the_output_of_today_was_put_away_then_that_is_not_wrong(tmp_path):
    gateway = '[gateways.gm]\ntype = "goldminer"\nscan_dir = "scan"\npush_dir = "push"\n[accounts.A1]\n'
    workspace = a_workspace(tmp_path, QUICK + gateway)
    for name in ("scan", "scan.orderdrop", "push/A1"):
        (workspace / name).mkdir(parents=True)
    (workspace / "push" / "A1" / "cash.csv").touch()
    today = trade_date(SystemClock().now())
    (workspace / "scan.orderdrop" / f"handed-{today:%Y%m%d}.log").touch()

    def level() -> str:
        found = printed(orderdrop("doctor", "--json", at=workspace))
        return next(finding["level"] for finding in found if finding["check"] == "push.items")

    assert level() == "wrong"
    (workspace / "archive" / today.isoformat() / "terminal" / "gm").mkdir(parents=True)
    assert level() == "warn"
