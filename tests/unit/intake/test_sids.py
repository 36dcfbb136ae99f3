from __future__ import annotations

import re
from datetime import date
from hashlib import sha256

import pytest
from builders import an_order
from hypothesis import given
from hypothesis import strategies as st
from intake_reading import read

from orderdrop.intake import DropSids, FollowedSids, LaterSids, derived_sid, row_key

DAY = date(2026, 11, 20)
NEXT_DAY = date(2026, 11, 23)
KEY = sha256(b"the drop").hexdigest()
SID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def test_derived_sid_when_made_then_names_day_content_and_row():
    assert derived_sid(DAY, KEY, 7) == f"D20261120-{KEY[:12]}-7"
    assert SID.fullmatch(derived_sid(DAY, KEY, 2**31))


def test_derived_sid_when_anything_differs_then_another_name():
    other = sha256(b"another").hexdigest()
    names = {
        derived_sid(DAY, KEY, 7),
        derived_sid(NEXT_DAY, KEY, 7),
        derived_sid(DAY, other, 7),
        derived_sid(DAY, KEY, 8),
    }
    assert len(names) == 4


def test_derived_sid_when_the_same_file_is_dropped_twice_then_the_same_names():
    text = "symbol,volume,side,price\n600000,100,1,10\n600000,100,1,10\n"
    names = [
        [order.sid for order in read(text, derive=lambda row, _: derived_sid(DAY, KEY, row)).orders]
        for _ in "12"
    ]
    assert names[0] == names[1]
    assert len(set(names[0])) == 2


def test_followed_sids_when_lines_are_reordered_then_each_keeps_its_name():
    before, after = FollowedSids(DAY, "20261120.order.csv"), FollowedSids(DAY, "20261120.order.csv")
    first = {line: before(row, line) for row, line in enumerate("abc", 2)}
    second = {line: after(row, line) for row, line in enumerate("cxab", 2)}
    assert second == first | {"x": second["x"]}


def test_followed_sids_when_a_line_comes_again_then_a_second_order_with_a_stable_name():
    sids = FollowedSids(DAY, "f")
    first = [sids(row, "same") for row in range(2, 5)]
    sids.restart()
    assert [sids(row, "same") for row in range(12, 15)] == first
    assert len(set(first)) == 3


def test_followed_sids_when_day_or_file_differ_then_other_names():
    names = {FollowedSids(*key)(2, "line") for key in ((DAY, "f"), (NEXT_DAY, "f"), (DAY, "g"))}
    assert len(names) == 3
    assert all(SID.fullmatch(name) for name in names)


def test_followed_sids_when_the_file_was_saved_with_other_line_ends_or_encoding_then_the_same_names():
    text = "代码,数量,方向,价格,备注\n600000,100,买,10,调仓\n"
    versions = (text.encode(), text.replace("\n", "\r\n").encode("gbk"), text.encode("utf-16"))
    names = {read(data, derive=FollowedSids(DAY, "f")).orders[0].sid for data in versions}
    assert len(names) == 1


KEYS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=12).flatmap(
    lambda keys: st.permutations(keys + keys[:2])
)


@given(st.data())
def test_drop_sids_when_rows_are_in_another_order_are_the_same_names(data):
    keys = data.draw(KEYS)
    names = [DropSids(DAY, keys).name(key) for key in keys]
    sids, again = DropSids(DAY, keys), data.draw(st.permutations(keys))
    moved = [sids.name(key) for key in again]
    assert len(set(moved)) == len(keys)
    assert set(names) <= set(moved)
    sids.restart()
    assert [sids.name(key) for key in again] == moved


def test_drop_sids_when_a_row_is_there_once_more_or_the_day_is_another_have_no_name_in_common():
    drops = [DropSids(DAY, [1, 2]), DropSids(DAY, [1, 2, 2]), DropSids(DAY, [2]), DropSids(NEXT_DAY, [1, 2])]
    assert len({sids.name(2) for sids in drops}) == 4


def test_later_sids_when_space_row_or_line_differ_then_other_names():
    names = {
        LaterSids(DAY, *key[:1]).name(*key[1:])
        for key in (("a", 1, 5), ("b", 1, 5), ("a", 2, 5), ("a", 1, 6))
    }
    assert len(names) == 4
    assert all(SID.fullmatch(name) for name in names)


@pytest.mark.parametrize(
    "over", [{"price": "31.2"}, {"price": "31.200"}, {"remark": "x"}, {"row": 9}, {"note": "mended"}]
)
def test_row_key_when_only_spelling_remark_or_place_differ_is_the_same(over):
    plain = an_order(sid="", price="31.20")
    assert row_key(an_order(**{"sid": "", "price": "31.20"} | over)) == row_key(plain)


@pytest.mark.parametrize(
    "over",
    [{"price": "31.21"}, {"price": None}, {"volume": 200}, {"symbol": "SZSE.000001"}, {"account_id": "B"}, {"order_business": 2},
     {"order_type": 2}, {"strategy": "s"}, {"not_before": "09:31:00"}, {"not_after": "09:31:00"}, {"sid": "S1"}],
)  # fmt: skip
def test_row_key_when_it_says_anything_else_is_another(over):
    assert row_key(an_order(**{"sid": "", "price": "31.20"} | over)) != row_key(
        an_order(sid="", price="31.20")
    )
