"""What is in git, and what is not: nothing of one machine, nothing of anybody's trading, nothing heavy behind `import orderdrop`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path, PurePosixPath

import pytest

from orderdrop import __version__

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT) for folder in (".", "docs", "benchmarks") for path in ROOT.glob(f"{folder}/*.md")
)
LOCK_FILES = {"package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "conda-lock.yml", "Pipfile.lock"}
OF_A_MACHINE = re.compile(
    r"(?<![\w.<*~-])/(?:home|Users|root|work|workspace|opt|mnt|srv|private)/\w|\b[A-Za-z]:\\+Users\\"
)
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|pypi\.\w+\.(?:cn|com|edu)|mirrors\.\w", re.IGNORECASE
)
LONGEST = 450
STILL_LONGER: dict[str, int] = {}
"""Modules that want to be two, with the lines that they have: they may only shrink, and go from here once they are short enough."""

PACKAGES = sorted(path.parent.name for path in (ROOT / "orderdrop").glob("*/__init__.py"))
HEAVY = ("pandas", "sqlalchemy", "pydantic", "watchdog", "rich", "click")


def git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)


needs_git = pytest.mark.skipif(
    not (ROOT / ".git").exists() or shutil.which("git") is None, reason="not a clone, or no git"
)


def tracked() -> list[str]:
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    assert listed.returncode == 0, listed.stderr
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def mentions(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for name in tracked():
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        lines = text.splitlines()
        found += [
            f"{name}:{number}: {line.strip()[:120]}"
            for number, line in enumerate(lines, 1)
            if pattern.search(line)
        ]
    return found


def anchors(text: str) -> set[str]:
    return {
        re.sub(r"[^\w\- ]", "", line.lower()).strip().replace(" ", "-")
        for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_links_and_paths_when_a_page_names_them_are_there(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in link:
            name, _, anchor = link.partition("#")
            target = (ROOT / path).parent / name if name else ROOT / path
            assert target.exists(), link
            assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link
    named = re.findall(r"`((?:tests|orderdrop|benchmarks|schemas|docs|\.ci)/[\w./-]+)", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


@needs_git
def test_files_when_in_git_mention_no_path_of_a_machine():
    assert mentions(OF_A_MACHINE) == []


@needs_git
def test_files_when_in_git_mention_no_package_registry():
    assert mentions(REGISTRY) == []


@needs_git
def test_lock_file_when_looked_for_is_not_there():
    names = {PurePosixPath(name).name for name in tracked()}
    assert not {name for name in names if name.endswith(".lock")} | (names & LOCK_FILES)


@needs_git
@pytest.mark.parametrize(
    "name",
    [
        "inbox/basket.csv",
        "inbox/alpha/basket.csv",
        "inbox/HALT",
        "archive/2026-11-20/drops/basket.csv",
        "archive/2026-11-20/manifest.sha256",
        "outbox/receipts/basket.csv.receipt.csv",
        "quarantine/2026-11-20/basket.csv",
        ".orderdrop/orderdrop.log",
        "orderdrop.toml",
        "quotes.csv",
        "journal.db",
        "journal.db-wal",
    ],
)
def test_what_people_trade_when_in_the_default_workspace_is_kept_out_of_git(name):
    assert git("check-ignore", "--quiet", "--no-index", name).returncode == 0


@needs_git
@pytest.mark.parametrize(
    "name",
    ["inbox/.gitkeep", "archive/.gitkeep", "orderdrop/inbox/scanner.py", "orderdrop/archive/filing.py"],
)
def test_folders_and_code_when_in_git_are_not_kept_out(name):
    assert git("check-ignore", "--quiet", "--no-index", name).returncode == 1
    assert (ROOT / name).exists()


def test_import_when_the_package_alone_is_imported_is_quick_and_loads_nothing_heavy():
    code = (
        "import sys, time; began = time.process_time(); import orderdrop; took = time.process_time() - began; "
        f"print(took, *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    told = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(5)
    ]
    assert [one[1:] for one in told] == [[]] * 5
    assert min(float(one[0]) for one in told) < 0.1


def test_modules_when_counted_are_short_but_for_tables_of_sentences():
    package = ROOT / "orderdrop"
    lines = {
        path.relative_to(package).as_posix(): path.read_text(encoding="utf-8").count("\n")
        for path in package.rglob("*.py")
        if package / "domain" / "messages" not in path.parents
    }
    assert {
        name: count for name, count in lines.items() if count > max(LONGEST, STILL_LONGER.get(name, 0))
    } == {}
    assert STILL_LONGER.keys() <= lines.keys()


def test_vendors_when_there_are_new_ones_stand_in_both_contracts():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contracts = {contract["name"]: contract for contract in settings["contracts"]}
    there = {f"orderdrop.gateway.{path.parent.name}" for path in ROOT.glob("orderdrop/gateway/*/__init__.py")}
    assert set(contracts["vendors do not know each other"]["modules"]) == there
    assert set(contracts["only the wiring names a vendor"]["forbidden_modules"]) == there


@pytest.mark.parametrize("package", PACKAGES)
def test_package_when_looked_for_has_unit_tests_of_its_own(package):
    assert list((ROOT / "tests" / "unit" / package).rglob("test_*.py")) != []


def test_licence_when_named_in_the_package_is_the_one_that_is_there():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("MIT License")
    assert "orderdrop contributors" in text
    assert 'license = "MIT"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_changelog_when_read_speaks_of_this_version():
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_contributing_when_read_names_every_module_and_only_those_that_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    package = ROOT / "orderdrop"
    there = {path.name for path in package.glob("*.py") if not path.name.startswith("__")}
    there |= {path.parent.name for path in package.glob("*/__init__.py")}
    layout = re.search(r"```\n(.*?)```", text, re.DOTALL)[1]
    words = set(re.findall(r"[\w]+(?=/|\.py\b)", layout))
    assert {name for name in there if name.removesuffix(".py") not in words} == set()
    assert {name for name in re.findall(r"\w+\.py\b", layout) if not list(package.rglob(name))} == set()
