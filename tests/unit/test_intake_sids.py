from __future__ import annotations

import re
from datetime import date
from hashlib import sha256

from intake_reading import read

from orderdrop.intake import FollowedSids, derived_sid

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
