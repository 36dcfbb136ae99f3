"""A row then and now: what differs, and what counts as refused."""

from __future__ import annotations

import pytest

from orderdrop.replay.compare import Fate, Pair, counts

FILLED, DENIED = Fate("S1", "filled", ""), Fate("S1", "denied", "LOT_SIZE")


@pytest.mark.parametrize(
    ("then", "now", "differs"),
    [
        (FILLED, FILLED, False),
        (FILLED, FILLED._replace(sid="R-0001"), False),
        (FILLED, DENIED, True),
        (DENIED, DENIED._replace(code="PRICE_TICK"), True),
        (FILLED, None, True),
        (None, FILLED, True),
    ],
    ids=["the same", "another sid", "another outcome", "another reason", "gone", "new"],
)
def test_pair_differs_by_outcome_and_reason_and_not_by_its_sid(then, now, differs):
    assert Pair("a.csv", 2, then, now).differs is differs


@pytest.mark.parametrize("outcome", ["denied", "not_sent", "rejected", "error", "duplicate", "refused"])
def test_pair_when_refused_on_either_side_then_refused(outcome):
    no = Fate("S1", outcome, "X")
    assert Pair("a.csv", 2, no, FILLED).refused
    assert Pair("a.csv", 2, None, no).refused
    assert not Pair("a.csv", 2, FILLED, None).refused


def test_data_when_a_row_was_not_there_then_null_and_no_reason_is_null():
    assert Pair("a.csv", 2, None, FILLED).data() == {
        "drop": "a.csv", "row": 2, "then": None, "now": {"sid": "S1", "outcome": "filled", "code": None},
    }  # fmt: skip


def test_counts_when_rows_are_missing_on_one_side_then_they_count_on_the_other_alone():
    pairs = iter([Pair("a.csv", 2, FILLED, DENIED), Pair("a.csv", 3, None, DENIED)])
    assert counts(pairs) == ({"filled": 1}, {"denied": 2})
