"""Reports may come again, from the broker or after a crash: what was folded is not folded twice."""

from datetime import date
from decimal import Decimal

import pytest
from builders import FRIDAY
from sqlalchemy import text

from orderdrop.clock import from_datetime
from orderdrop.collection import collect
from orderdrop.gateway.base import Cursor
from orderdrop.journal.journal import Journal
from orderdrop.journal.records import row_id
from orderdrop.order.identity import sid_key
from orderdrop.order.model import Order
from orderdrop.order.report import Fill, StatusReport
from orderdrop.order.status import Status

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
        return collect(writer, "paper", reports, Cursor(cursor), AT, TODAY)


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


def test_collect_when_an_order_is_not_ours_keeps_the_report_and_changes_nothing(journal):
    before = standing(journal)
    collected = told(
        journal, [Fill(AT, "a", "", "e9", 100, Decimal(10)), StatusReport(AT, "a", "X9", Status.NEW)]
    )
    assert (collected.foreign, collected.orders) == (2, set())
    assert (standing(journal), count(journal, "fills")) == (before, 0)
