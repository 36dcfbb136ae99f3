"""Which profile a file is read by."""

from __future__ import annotations

import pytest

from orderdrop.config.settings import Settings
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.inbox.profiles import Profiles, carrying

KNOWN = Profiles(
    Settings(
        profiles={
            "qmt": {"files": "qmt*.csv"},
            "东财": {"files": "东财*", "folder": "EastMoney"},
            "wide": {"files": "qmt-*"},
        }
    ).profiles
)


def named(path):
    found = KNOWN.of(path)
    return found.code if isinstance(found, Refusal) else found and found.name


@pytest.mark.parametrize(
    ("path", "profile"),
    [
        ("qmt1.csv", "qmt"),
        ("QMT1.CSV", "qmt"),
        ("qmt1 (1).csv", "qmt"),
        ("alpha/qmt1.csv", "qmt"),
        ("东财篮子.xlsx", "东财"),
        ("eastmoney/b.csv", "东财"),
        ("a/eastmoney.csv", None),
        ("b.csv", None),
        ("b.qmt.csv", "qmt"),
        ("b.东财 (2).csv", "东财"),
        ("eastmoney/b.qmt.csv", "qmt"),
        ("qmt-1.csv", Code.PROFILE_SEVERAL),
        ("qmt-1.wide.csv", "wide"),
        ("qmt1.cancel_order.csv", None),
        ("qmt1.txt", None),
    ],
)
def test_file_is_read_by_the_profile_that_it_names_else_matches_else_whose_folder_it_is_in(path, profile):
    assert named(path) == profile


def test_name_that_carries_a_profile_is_read_by_it():
    assert carrying("篮子.order.csv", "qmt") == "篮子.order.qmt.csv"
    assert named(carrying("东财.order.csv", "qmt")) == "qmt"


def test_profile_that_is_not_there_is_told_with_those_that_are():
    refusal = KNOWN.named("foo")
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.bound) == (Code.PROFILE_UNKNOWN, "qmt, 东财, wide")
