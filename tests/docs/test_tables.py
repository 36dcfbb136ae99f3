"""The tables that users are promised in docs/journal.md are the ones that they get."""

import re
from pathlib import Path

import pytest

from orderdrop.audit.figures import STAGES
from orderdrop.audit.frames import COLUMNS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("what", COLUMNS)
def test_columns_when_documented_are_all_in_their_order(what):
    text = (DOCS / "journal.md").read_text(encoding="utf-8").partition(f"## {what}:")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == COLUMNS[what]


def test_stages_when_documented_are_the_ones_that_are_measured():
    text = (DOCS / "audit.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [name for name, _begin, _end in STAGES]
