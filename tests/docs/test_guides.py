"""The guides in docs/ are true: their settings load, what they name is there."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from orderdrop.cli import main
from orderdrop.config.gateways import GoldminerSettings
from orderdrop.config.sources import load
from orderdrop.domain.codes import Code
from orderdrop.reconciliation.four_way import Difference

DOCS = Path(__file__).parents[2] / "docs"
EACH = pytest.mark.parametrize("name", sorted(path.name for path in DOCS.glob("*.md")))


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@EACH
def test_settings_when_shown_load(name, tmp_path):
    for block in re.findall(r"^ *```toml\n(.*?)^ *```", text_of(name), re.MULTILINE | re.DOTALL):
        (tmp_path / "orderdrop.toml").write_text(dedent(block), encoding="utf-8")
        settings, _ = load(tmp_path)
        assert settings.accounts or settings.profiles


@EACH
def test_commands_when_named_are_there(name):
    named = re.findall(r"(?:`|^)orderdrop ([a-z]+)", text_of(name), re.MULTILINE)
    assert set(named) <= set(main.commands)


@pytest.mark.parametrize("name", ["drop-in.md", "goldminer.md"])
def test_headings_when_read_are_in_both_languages(name):
    headings = re.findall(r"^#+ (.+)$", text_of(name), re.MULTILINE)
    assert [
        heading for heading in headings if not re.search(r"[\u4e00-\u9fff].* · .*[A-Za-z]", heading)
    ] == []


def test_differences_when_listed_are_all_there_are():
    assert set(re.findall(r"^\| `([a-z_]+)` \|", text_of("goldminer.md"), re.MULTILINE)) == set(Difference)


def test_alarms_when_listed_have_codes_that_exist():
    codes = re.findall(r"`([A-Z_]{6,})`", text_of("goldminer.md"))
    assert codes
    assert set(codes) <= set(Code)


def test_alarms_when_quoted_are_what_the_program_says():
    sources = "".join(path.read_text(encoding="utf-8") for path in (DOCS.parent / "orderdrop").rglob("*.py"))
    table = text_of("goldminer.md").partition("| 说的是 it says |")[2].partition("\n\n")[0]
    quoted = [row.split("|")[1].strip() for row in table.splitlines()[2:]]
    sentences = [re.match(r"[\u4e00-\u9fff]+", cell) for cell in quoted if not cell.startswith("`")]
    assert len(sentences) >= 4
    assert [found[0] for found in sentences if found and found[0] not in sources] == []


def test_settings_when_named_in_the_guide_are_settings():
    named = re.findall(r"^(\w+) = ", text_of("goldminer.md"), re.MULTILINE)
    assert {"scan_dir", "push_dir", "archive_dir", "scan_name"} <= set(named) & set(
        GoldminerSettings.model_fields
    )
