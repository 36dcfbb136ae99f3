"""Every page speaks both languages, in one file or in two, and two files say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TWINS = sorted(path.name for path in DOCS.glob("*.zh-CN.md") if path.name != "manual.zh-CN.md")
"""The manual is held with the README: test_readme."""
ENGLISH_ALONE = {"protocol.md"}
"""What vendors' systems speak: for those who write gateways."""


def _text(name: str) -> str:
    """journal.md goes on in both languages where its twin ends."""
    return (DOCS / name).read_text(encoding="utf-8").partition("## When the journal is not")[0]


def _terms(name: str) -> set[str]:
    """Settings, codes, commands and columns that a page names; words that it merely quotes differ by language."""
    return {
        term
        for code in re.findall(r"`([^`\n]+)`", _text(name))
        for term in re.findall(r"[A-Za-z_][A-Za-z_0-9]{2,}", code)
        if not term.endswith("md")
    }


@pytest.mark.parametrize("name", TWINS)
def test_twins_name_the_same_settings_codes_and_commands(name: str) -> None:
    assert _terms(name) ^ _terms(name.replace(".zh-CN", "")) == set()


@pytest.mark.parametrize("name", TWINS)
def test_twins_lead_to_one_another(name: str) -> None:
    english = name.replace(".zh-CN", "")
    assert f"]({name})" in _text(english)
    assert f"]({english})" in _text(name)


@pytest.mark.parametrize("name", TWINS)
def test_twins_have_the_same_tables_and_sections(name: str) -> None:
    english = name.replace(".zh-CN", "")
    for pattern in (r"^## ", r"^\|", r"^```"):
        assert len(re.findall(pattern, _text(name), re.MULTILINE)) == len(
            re.findall(pattern, _text(english), re.MULTILINE)
        )


def test_every_other_page_is_in_both_languages() -> None:
    pages = {path.name for path in DOCS.glob("*.md")} - ENGLISH_ALONE
    alone = {name for name in pages if f"{name.removesuffix('.md')}.zh-CN.md" not in pages}
    alone -= {name for name in pages if name.endswith(".zh-CN.md")}
    for name in alone:
        text = _text(name)
        chinese, english = len(re.findall("[\u4e00-\u9fff]", text)), len(re.findall("[A-Za-z]{2,}", text))
        assert chinese > 0.3 * english, name
        assert english > 0.2 * chinese, name
