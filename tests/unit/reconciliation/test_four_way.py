"""The four-way table, row by row."""

from __future__ import annotations

from collections import Counter

import pytest

from orderdrop.domain.status import S, Status
from orderdrop.reconciliation.four_way import WORDS, Difference, Dropped, differ, reconcile, total


def a_dropped(
    sid: str = "S1", status: Status = S.FILLED, reason: str | None = None, gateway: str = "gm"
) -> Dropped:
    return Dropped(sid, "A1", gateway, "SHSE.600000", 100, "a.csv", 2, status, 0, reason)


@pytest.mark.parametrize(
    ("status", "reason", "sent", "taken", "expected"),
    [
        (S.FILLED, None, 1, 1, None),
        (S.FILLED, None, 2, 2, None),
        (S.FILLED, None, 1, None, None),
        (S.DENIED, "LOT_SIZE", 0, 0, None),
        (S.DENIED, "LOT_SIZE", 1, 1, Difference.SENT_UNASKED),
        (S.READY, None, 0, 0, Difference.NOT_SENT),
        (S.HELD, None, 0, None, Difference.NOT_SENT),
        (S.CANCELED, "CANCELED_HERE", 0, 0, None),
        (S.EXPIRED, "DAY_OVER", 0, 0, None),
        (S.EXPIRED, "TAKEN_BACK", 1, 0, None),
        (S.EXPIRED, None, 1, 0, Difference.NOT_IN_UPFILES),
        (S.FILLED, None, 0, 0, Difference.NEVER_SENT),
        (S.FILLED, None, 1, 0, Difference.NOT_IN_UPFILES),
        (S.FILLED, None, 1, 2, Difference.TAKEN_TOO_OFTEN),
        (S.FILLED, None, 0, 1, Difference.TAKEN_TOO_OFTEN),
        (S.SUBMITTED, None, 1, 1, Difference.NO_ANSWER),
        (S.UNKNOWN, "UNCONFIRMED", 1, None, Difference.NO_ANSWER),
        (S.UNKNOWN, "UNCONFIRMED", 1, 0, Difference.NOT_TAKEN),
        (S.NEW, None, 1, 1, Difference.STILL_OPEN),
        (S.PARTIALLY_FILLED, None, 1, None, Difference.STILL_OPEN),
        (S.EXPIRED, "NEVER_ENDED", 1, 1, Difference.STILL_OPEN),
        (S.EXPIRED, "NEVER_CONFIRMED", 1, 1, Difference.NO_ANSWER),
        (S.EXPIRED, "NEVER_CONFIRMED", 1, 0, Difference.NOT_TAKEN),
    ],
)
def test_order_when_the_four_are_compared_then_the_difference_is_named(status, reason, sent, taken, expected):
    assert differ(a_dropped(status=status, reason=reason), sent, taken) is expected


def test_row_when_it_was_denied_and_its_sid_was_sent_later_is_no_difference():
    orders = [a_dropped("S1", S.DENIED, "HALTED"), a_dropped("S1")]
    rows = list(reconcile(orders, Counter({"S1": 1}), {"gm": Counter({"S1": 1})}))
    assert [(row.status, row.sent, row.taken, row.difference) for row in rows] == [
        ("denied", 0, 0, ""),
        ("filled", 1, 1, ""),
    ]


def test_table_when_upfiles_hold_more_then_the_stranger_is_a_row_of_its_own():
    orders = [
        a_dropped("S1"),
        a_dropped("S2", S.DENIED),
        a_dropped("S3", S.UNKNOWN),
        a_dropped("P1", gateway="paper"),
    ]
    sent = Counter({"S1": 1, "S3": 1, "P1": 1})
    rows = list(reconcile(orders, sent, {"gm": Counter({"S1": 1, "X9": 2}), "paper": None}))
    told = [(row.sid, row.sent, row.taken, row.difference) for row in rows]
    assert told == [
        ("S1", 1, 1, ""), ("S2", 0, 0, ""), ("S3", 1, 0, "not_taken"), ("P1", 1, None, ""), ("X9", 0, 2, "not_ours"),
    ]  # fmt: skip
    assert total(rows) == (4, 1, 3, 1, 2, 2)


def test_totals_when_no_terminal_keeps_upfiles_then_taken_is_not_known():
    rows = list(reconcile([a_dropped()], Counter({"S1": 1}), {"gm": None}))
    assert total(rows).taken is None


def test_differences_when_counted_have_words_each():
    assert WORDS.keys() == set(Difference)
    assert all(all(words) for words in WORDS.values())
