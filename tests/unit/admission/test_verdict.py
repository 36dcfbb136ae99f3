"""Whether a row repeats an order or contradicts it, and how the first bad row of a basket is cited."""

from __future__ import annotations

from decimal import Decimal

import pytest
from builders import an_order

from orderdrop.admission.pending import known_as
from orderdrop.admission.verdict import Verdict, conflict, duplicate_row, error_row
from orderdrop.domain.refusal import Code, Refusal, RowError

EARLIER = (7 << 32) | 3


def known(**over):
    return known_as((EARLIER, 0, an_order(**over)))


def test_conflict_when_the_row_says_the_same_is_none_however_its_price_is_spelled():
    assert conflict(an_order(price=Decimal("10.350")), known(price=Decimal("10.35"))) is None


def test_conflict_when_the_earlier_one_is_of_this_transaction_is_judged_alike():
    assert conflict(an_order(), (EARLIER, 0, an_order())) is None
    assert conflict(an_order(volume=300), (EARLIER, 0, an_order(volume=100))) is not None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"volume": 300}, "volume 100 → 300"),
        ({"price": Decimal("10.36")}, "price 10.35 → 10.36"),
        ({"remark": "new"}, "remark - → new"),
        ({"account_id": "B2"}, "account_id A1 → B2"),
    ],
)
def test_conflict_when_a_column_differs_names_it_with_both_values(change, told):
    same = {"account_id": "A1", "volume": 100, "price": Decimal("10.35"), "remark": ""}
    refusal = conflict(an_order(**same | change), known(**same))
    assert refusal.code == Code.SID_CONFLICT
    assert told in (refusal.value, refusal.bound)


def test_bad_when_a_row_cannot_be_read_cites_its_sheet_and_row_before_what_was_denied():
    error = RowError(5, "S5", Refusal(Code.NUMBER_BAD, "price", "x"))
    denied = [(1, an_order(), Refusal(Code.LOT_SIZE, "volume", "150"))]
    assert "5" in Verdict([], denied, [], [error]).bad([])
    assert Code.NUMBER_BAD in Verdict([], denied, [], [error]).bad([])
    assert Code.LOT_SIZE in Verdict([], denied, [], []).bad([])
    assert Verdict([], [], [], []).bad([]) == ""


def test_rows_when_journaled_carry_drop_and_row_in_their_id():
    error = error_row(9, RowError(4, "", Refusal(Code.NUMBER_BAD, "price", "x")))
    assert (error.id >> 32, error.id & 0xFFFFFFFF, error.sid) == (9, 4, None)
    repeated = duplicate_row(9, an_order(row=6), EARLIER)
    assert (repeated.id & 0xFFFFFFFF, repeated.reason_bound) == (6, "7:3")
