"""Reports may come again, from the broker or after a crash: what was folded is not folded twice."""

from datetime import date
from decimal import Decimal

import pytest
from builders import FRIDAY
from sqlalchemy import text

from orderdrop.domain.identity import sid_key
from orderdrop.domain.order import Order
from orderdrop.domain.report import CancelReject, Fill, StatusReport
from orderdrop.domain.standing import apply
from orderdrop.domain.status import Status
from orderdrop.execution.reports import fold
from orderdrop.gateway.base import Cursor
from orderdrop.journal.journal import Journal
from orderdrop.journal.records import row_id
from orderdrop.system.clock import Micros, from_datetime
from orderdrop.views.oddities import alarms

TODAY, AT = date(2026, 11, 20), from_datetime(FRIDAY)
ORDER = row_id(1, 2)
REPORTS = [
    StatusReport(AT, "a", "A1", Status.NEW, "300001"),
    Fill(AT, "a", "A1", "e1", 60, Decimal("10.35")),
    Fill(AT, "a", "A1", "e2", 40, Decimal("10.34")),
    StatusReport(AT, "a", "A1", Status.FILLED, "300001", 100),
]


@pytest.fixture
def journal(tmp_path):
    journal = Journal("sqlite:///journal.db", tmp_path)
    journal.open()
    with journal.transaction() as writer:
        order = Order(2, "A1", "a", "SHSE.600000", 100, 1, 1, Decimal("10.35"))
        writer.add_accepted([(ORDER, sid_key("A1"), order)], 20261120, "paper", 1, Status.SUBMITTED, 1)
    yield journal
    journal.close()


def told(journal, reports, cursor="1"):
    with journal.transaction() as writer:
        return fold(writer, "paper", reports, Cursor(cursor), AT, TODAY)


def standing(journal):
    with journal.transaction() as writer:
        return writer.standings([ORDER])[ORDER]


def count(journal, table):
    with journal.transaction() as writer:
        return writer.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def test_collect_when_reports_come_again_counts_each_fill_once(journal):
    told(journal, REPORTS)
    once = standing(journal)
    assert (once.status, once.filled_volume, once.filled_value) == (Status.FILLED, 100, Decimal("1034.60"))
    events = count(journal, "events")
    told(journal, REPORTS, "2")
    told(journal, REPORTS[1:3] * 2, "3")
    assert standing(journal) == once
    assert (count(journal, "fills"), count(journal, "events")) == (2, events)
    assert count(journal, "reports") == 12, "all that was told is kept, also when it tells nothing new"


def test_collect_keeps_the_cursor_with_what_it_folded(journal):
    told(journal, REPORTS, "17")
    with journal.transaction() as writer:
        assert writer.get_meta("cursor:paper") == "17"


@pytest.mark.parametrize(
    ("gateway", "report"),
    [
        ("other", REPORTS[0]),
        ("paper", REPORTS[0]._replace(account_id="b")),
        ("paper", REPORTS[0]._replace(scan_name="theirs")),
        ("paper", REPORTS[0]._replace(at=Micros(AT - 86_400_000_000))),
        ("paper", REPORTS[1]._replace(account_id="b")),
        ("paper", CancelReject(AT, "b", "A1", 101)),
    ],
)
def test_collect_when_gateway_account_scan_name_or_day_are_others_it_is_not_our_order(
    journal, gateway, report
):
    before = standing(journal)
    with journal.transaction() as writer:
        collected = fold(writer, gateway, [report], Cursor("9"), AT, TODAY, "ours")
    assert (collected.foreign, collected.strange) == (1, 1)
    assert (collected.orders, collected.confirmed, collected.answered) == (set(), set(), set())
    assert (standing(journal), count(journal, "fills")) == (before, 0)
    with journal.transaction() as writer:
        assert "A1" in "".join(alarms(writer.get_meta, TODAY))


def test_collect_when_the_scan_name_is_ours_or_not_told_it_is_our_order(journal):
    for number, name in enumerate(("", "ours")):
        with journal.transaction() as writer:
            report = REPORTS[0]._replace(scan_name=name)
            assert fold(writer, "paper", [report], Cursor(f"{number}"), AT, TODAY, "ours").foreign == 0


def test_collect_when_an_account_is_written_otherwise_it_is_the_same_account(journal):
    told(journal, [REPORTS[0]._replace(account_id="A")])
    assert standing(journal).status is Status.NEW


def test_collect_when_one_report_cannot_be_folded_the_others_are_and_the_cursor_goes_on(journal, monkeypatch):
    def broken(now, report):
        if isinstance(report, Fill) and report.exec_id == "e1":
            raise KeyError("unexpected")
        return apply(now, report)

    monkeypatch.setattr("orderdrop.execution.reports.apply", broken)
    bad = [
        Fill(AT, "a", "A1", "e9", 10**20, Decimal(1)),
        StatusReport(Micros(1 << 62), "a", "A1", Status.NEW),
    ]
    collected = told(journal, [*bad, *REPORTS], "17")
    assert collected.unreadable == 3
    now = standing(journal)
    assert (now.filled_volume, now.told_volume) == (40, 100)
    with journal.transaction() as writer:
        kinds = [row[0] for row in writer.connection.exec_driver_sql("SELECT kind FROM reports")]
        assert kinds.count("unreadable") == 3
        assert writer.get_meta("cursor:paper") == "17"
        assert "do not read" in "".join(alarms(writer.get_meta, TODAY))
    monkeypatch.undo()
    told(journal, [REPORTS[1]], "18")
    assert standing(journal).filled_volume == 100, "it was not taken for told"


def test_collect_when_a_no_is_taken_back_at_once_its_reason_is_over(journal):
    told(
        journal,
        [REPORTS[0]._replace(status=Status.REJECTED, text="no"), REPORTS[0]._replace(at=Micros(AT + 1))],
    )
    with journal.transaction() as writer:
        order = writer.order(ORDER)
    assert (order.status, order.reason_code, order.closed_at) == ("new", None, None)


def test_collect_when_an_order_is_not_ours_keeps_the_report_and_changes_nothing(journal):
    before = standing(journal)
    collected = told(
        journal, [Fill(AT, "a", "", "e9", 100, Decimal(10)), StatusReport(AT, "a", "X9", Status.NEW)]
    )
    assert (collected.foreign, collected.orders) == (2, set())
    assert (standing(journal), count(journal, "fills")) == (before, 0)
