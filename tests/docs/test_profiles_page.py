"""docs/profiles.md: its descriptions read the files that they are for, and it names every key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from intake_reading import a_context, outcomes

from orderdrop.config.profiles import ProfileSettings
from orderdrop.config.settings import Settings
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Refusal
from orderdrop.inbox.profiles import Profiles
from orderdrop.intake import Reader

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
CASES = ROOT / "tests" / "samples" / "cases"
DESCRIBED = Profiles(
    Settings(**tomllib.loads("\n".join(re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL)))).profiles
)


@pytest.mark.parametrize(
    ("file", "profile"), [("东财篮子.csv", "eastmoney"), ("qmt_无表头.csv", "qmt")]
)  # fmt: skip
def test_description_when_given_as_the_page_has_it_reads_such_a_file(file, profile):
    found = DESCRIBED.of(file)
    assert not isinstance(found, Refusal)
    assert found is not None
    assert found.name == profile
    data = (CASES / file).read_bytes()
    reader, start = Reader.open(data, DropKind.ORDER, found)
    read = outcomes(reader, data[start:], a_context())
    assert not read.errors
    assert [(o.symbol, o.order_business, o.volume, str(o.price), o.order_type) for o in read.orders] == [
        ("SHSE.600000", 1, 1000, "10.35", 1),
        ("SZSE.000002", 2, 200, {"eastmoney": "11.2", "qmt": "11.20"}[profile], 1),
    ]


def test_keys_when_listed_are_all_of_them():
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert listed | {"files", "folder"} == set(ProfileSettings.model_fields)
