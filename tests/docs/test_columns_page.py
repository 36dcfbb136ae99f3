"""docs/columns.md against the code: every name of a column, every word for a side and an order type, and the examples below them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orderdrop.domain.refusal import Refusal
from orderdrop.domain.symbol import Symbol, read_symbol
from orderdrop.intake.columns import _NAMES as NAMES
from orderdrop.intake.columns import ORDER_COLUMNS, PASSED_OVER, column_named
from orderdrop.intake.values import _ORDER_TYPES as ORDER_TYPES
from orderdrop.intake.values import _SIDES as SIDES
from orderdrop.intake.values import Mended, read_price, read_volume

PAGE = (Path(__file__).parents[2] / "docs" / "columns.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"## {title}", 1)[1].split("\n## ", 1)[0]


def rows(title: str) -> list[list[str]]:
    lines = re.findall(r"^\| (.+) \|$", section(title), re.MULTILINE)
    return [line.split(" | ") for line in lines[1:]]


def test_columns_when_listed_are_those_that_are_read():
    listed = [names.split() for _column, _meaning, names in rows("Columns")]
    assert sorted(listed) == sorted(names.split() for names in NAMES.values())
    for column, _meaning, names in rows("Columns"):
        found = {column_named(name) for name in names.split()}
        assert found in ({column.strip("`")}, {PASSED_OVER}, {""})
    assert [column.strip("`") for column, *_ in rows("Columns")][: len(ORDER_COLUMNS)] == list(ORDER_COLUMNS)


@pytest.mark.parametrize(("title", "words"), [("Sides", SIDES), ("Order types", ORDER_TYPES)])
def test_words_when_listed_are_those_that_are_read(title, words):
    listed = {word: int(number) for number, spelled in rows(title) for word in [number, *spelled.split()]}
    assert listed == words


@pytest.mark.parametrize("name", ["数量(股)", "价格(元)", "*代码", "方向(必填)", "Order Type", "order-type"])
def test_header_when_spelled_as_the_page_says_is_known(name):
    assert column_named(name) in ORDER_COLUMNS


def test_lots_when_named_in_a_header_are_no_column():
    assert column_named("数量(手)") is None


def test_symbols_when_spelled_as_the_page_says_are_read():
    spelled = [text for text in re.findall(r"`([^`]+)`", section("Securities")) if "600000" in text]
    assert len(spelled) > 6
    assert {read_symbol(text) for text in spelled} == {Symbol("SHSE.600000", "")}


def test_numbers_when_spelled_as_the_page_says_are_read_or_refused():
    taken, refused = section("Numbers").split(". Refused:", 1)
    good = re.findall(r"`([^`]+)`", taken)
    bad = re.findall(r"`([^`]+)`", refused.split(". Volumes", 1)[0])
    assert [found.value if isinstance(found := read_volume(text), Mended) else found for text in good] == [
        1000
    ] * 3
    assert bad
    assert all(isinstance(read(text), Refusal) for text in bad for read in (read_volume, read_price))
