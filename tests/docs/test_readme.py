"""Both READMEs, each with its manual, are true: every code block is run, every command, setting, file and test that they name is there."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
from pydantic import BaseModel

from orderdrop.cli import main
from orderdrop.config.gateways import GoldminerSettings
from orderdrop.config.sections import InboxSettings
from orderdrop.config.settings import Settings
from orderdrop.config.sources import load
from orderdrop.domain.codes import Code
from orderdrop.domain.messages import WORDS
from orderdrop.service.app import ONCE_AT_MOST

ROOT = Path(__file__).parents[2]
PAGES = (("README.md", "docs/manual.md"), ("README.zh-CN.md", "docs/manual.zh-CN.md"))
ENGLISH, CHINESE = ("\n".join((ROOT / name).read_text(encoding="utf-8") for name in pages) for pages in PAGES)
MOST_LINES = 150
"""Of a README: what it has no room for stands in the manual."""

BOTH = pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["README.md", "README.zh-CN.md"])
BASH = shutil.which("bash") if sys.platform != "win32" else None
INSTALL = re.compile(
    r"python3 -m venv \.venv && \.venv/bin/python -m pip install -q (-e '\.\[\w+\]'|\.) && (.+)"
)


PYTHON_TRADES = (
    [("SHSE.600000", 1000, "filled")],
    [("SHSE.600000", 1000, "filled"), ("SZSE.000002", 500, "filled")],
)


class Block(NamedTuple):
    """A fenced block. marker: the comment right above it, such as `test`."""

    marker: str
    language: str
    code: str


def blocks(text: str, *languages: str) -> list[Block]:
    found = re.findall(r"(?:<!-- (\w+) -->\n)?^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    every = [Block(*parts) for parts in found]
    return [block for block in every if block.language in languages] if languages else every


def the_block(marker: str) -> str:
    (block,) = [block for block in blocks(ENGLISH) if block.marker == marker]
    return block.code.strip()


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a shell in which the virtual environment is active; nothing is left outside `folder`."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ORDERDROP_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), plain.get("PATH", "")])
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    return plain | {
        "PATH": path,
        "TMPDIR": str(temporary),
        "PYTHONIOENCODING": "utf-8",
    }


def ran(command: list[str], at: Path, folder: Path) -> str:
    """What a command prints; it must end well."""
    done = subprocess.run(
        command,
        cwd=at,
        env=surroundings(folder),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def orderdrop(*words: str, at: Path) -> str:
    return ran([sys.executable, "-m", "orderdrop", *words], at, at.parent)


def json_of(*words: str, at: Path) -> Any:
    return json.loads(orderdrop(*words, "--json", at=at))


@pytest.fixture
def workspace(tmp_path) -> Path:
    orderdrop("init", "desk", at=tmp_path)
    return tmp_path / "desk"


def traded(workspace: Path) -> list[tuple[str, int, str]]:
    orderdrop("run", "--once", at=workspace)
    return [(order["symbol"], order["volume"], order["status"]) for order in json_of("orders", at=workspace)]


# the two texts


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_readme_when_counted_is_short(name):
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_readmes_when_compared_have_the_same_code_blocks():
    assert blocks(ENGLISH) == blocks(CHINESE)


def test_readmes_when_compared_have_the_same_headings_and_tables():
    def skeleton(text: str) -> list[str]:
        prose = re.sub(r"^```.*?^```$", "```", text, flags=re.MULTILINE | re.DOTALL)
        return re.findall(r"^(?:#+(?= )|```|!\[|\|(?=.)|- )", prose, re.MULTILINE)

    assert skeleton(ENGLISH) == skeleton(CHINESE)


def test_blocks_when_counted_are_all_of_a_kind_that_is_tried_here():
    tried = {"bash", "powershell", "csv", "toml", "python", "javascript", ""}
    assert {block.language for block in blocks(ENGLISH)} == tried


# the blocks


def loaded(block: Block, folder: Path) -> Settings:
    (folder / "orderdrop.toml").write_text(block.code, encoding="utf-8")
    return load(folder)[0]


def after_install(code: str) -> str:
    """What an install line runs in the end, in an active environment."""
    matched = INSTALL.fullmatch(code.strip())
    return matched[2].replace(".venv/bin/", "") if matched else code


@pytest.mark.skipif(BASH is None, reason="there is no bash")
def test_bash_blocks_when_run_in_order_end_well(tmp_path):
    code = [after_install(block.code) for block in blocks(ENGLISH, "bash") if block.marker != "test"]
    ran([str(BASH), "-euc", "\n".join(code)], tmp_path, tmp_path)
    desk = tmp_path / "desk"
    assert traded(desk) == [("SHSE.600000", 1000, "filled"), ("SHSE.600000", 100, "filled")]


def test_install_lines_when_read_name_extras_that_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [INSTALL.fullmatch(the_block(marker))[1] for marker in ("demo", "test")]
    assert found == [".", "-e '.[test]'"]
    assert {"test", "dev"} <= project["optional-dependencies"].keys()
    assert project["requires-python"].removeprefix(">=") in ENGLISH
    assert project["requires-python"].removeprefix(">=") in CHINESE


@pytest.mark.skipif(BASH is None, reason="there is no bash")
def test_test_block_when_read_by_ci_is_one_line_that_runs_pytest():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    reading = next(line for line in script.splitlines() if line.startswith("command=$("))
    found = subprocess.run(
        [str(BASH), "-euc", f'{reading}\nprintf "%s" "$command"'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert found == the_block("test")
    assert "\n" not in found
    assert INSTALL.fullmatch(found)[2] == ".venv/bin/python -m pytest -n auto"


def test_powershell_block_when_compared_is_the_bash_blocks_twin():
    (block,) = blocks(ENGLISH, "powershell")

    def twin(line: str) -> str:
        bash = re.sub(r"^py ", "python3 ", line).replace(";", " &&")
        return re.sub(r"\.venv\\Scripts\\", ".venv/bin/", bash)

    assert [twin(line) for line in block.code.splitlines()] == [the_block("demo"), the_block("test")]


@pytest.mark.parametrize("block", blocks(ENGLISH, "csv"))
@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "utf-16"])
def test_csv_block_when_checked_and_dropped_trades(workspace, block, encoding):
    path = workspace / "basket.csv"
    path.write_bytes(block.code.encode(encoding))
    rows = block.code.count("\n") - 1
    assert [row["outcome"] for row in json_of("check", "basket.csv", at=workspace)] == ["would_go"] * rows
    orderdrop("drop", "basket.csv", at=workspace)
    assert traded(workspace) == [("SHSE.600000", 1000, "filled"), ("SZSE.000002", 500, "filled")]


def test_terminal_block_when_loaded_is_a_simulated_terminal_that_waits_for_resend(tmp_path):
    settings = loaded(blocks(ENGLISH, "toml")[0], tmp_path)
    gateway = settings.gateways["goldminer"]
    assert isinstance(gateway, GoldminerSettings)
    assert (gateway.live, gateway.resend, gateway.fin) == (False, "ask", True)
    assert [account.alias for account in settings.accounts.values()] == ["main"]


def test_settings_block_when_loaded_means_what_stands_beside_it(tmp_path):
    _terminal, block = blocks(ENGLISH, "toml")
    settings = loaded(block, tmp_path)
    assert (settings.inbox.on_bad_row, settings.inbox.hold) == ("reject-row", False)
    assert settings.gateways["paper"].cash == 500_000
    assert [account.alias for account in settings.accounts.values()] == ["main"]
    assert settings.strategies["alpha"].hold


@pytest.mark.parametrize(
    ("block", "trades"),
    list(zip(blocks(ENGLISH, "python"), PYTHON_TRADES, strict=True)),
    ids=["rows", "frame"],
)
def test_python_block_when_run_in_a_workspace_trades(workspace, block, trades):
    ran([sys.executable, "-c", block.code], workspace, workspace.parent)
    assert traded(workspace) == trades


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("block", blocks(ENGLISH, "javascript"))
def test_javascript_block_when_run_in_a_workspace_trades(workspace, block):
    ran(["node", "-e", block.code], workspace, workspace.parent)
    assert traded(workspace) == [("SHSE.600000", 200, "filled")]


def test_layout_block_when_compared_is_what_a_run_leaves(workspace):
    (block,) = blocks(ENGLISH, "")
    good, bad = (workspace / name for name in ("good.csv", "bad.csv"))
    csv = blocks(ENGLISH, "csv")[0].code
    good.write_text(csv, encoding="utf-8")
    bad.write_text(csv.replace("S1-", "S2-").replace("1000", "1050"), encoding="utf-8")
    orderdrop("drop", "good.csv", "bad.csv", at=workspace)
    subprocess.run(
        [sys.executable, "-m", "orderdrop", "run", "--once"], cwd=workspace, capture_output=True, check=False
    )
    described = set()
    for pattern, names in map(told, block.code.splitlines()):
        found = [path for path in workspace.glob(pattern) if path.name != "receipts"]
        assert found, pattern
        for path in found:
            described.add(path)
            assert not names or {entry.name for entry in path.iterdir()} == names, path
    written_by_people = {good, bad, workspace / "orderdrop.toml"}
    left = {path for path in workspace.rglob("*") if path.is_file()} - written_by_people
    left -= set(workspace.glob("journal.db-*"))
    assert {path for path in left if not {path, *path.parents} & described} == set()


def told(line: str) -> tuple[str, set[str]]:
    """A line of the layout: a pattern, and the names that it says are there."""
    path, *words = line.split()
    pattern = re.sub(r"<\w+>", "*", path).replace("YYYY-MM-DD", "????-??-??").rstrip("/")
    return pattern, {word.rstrip("/") for word in words if re.fullmatch(r"[\w-]+(/|\.\w+)", word)}


def test_manifest_when_checked_as_the_readme_says_is_right(workspace):
    (workspace / "basket.csv").write_text(blocks(ENGLISH, "csv")[0].code, encoding="utf-8")
    orderdrop("drop", "basket.csv", at=workspace)
    orderdrop("run", "--once", at=workspace)
    (manifest,) = workspace.glob("archive/*/manifest.sha256")
    lines = [line.split("  ", 1) for line in manifest.read_text(encoding="utf-8").splitlines()]
    assert len(lines) >= 3
    assert all(
        hashlib.sha256((manifest.parent / name).read_bytes()).hexdigest() == sum_ for sum_, name in lines
    )


# what the words name


@BOTH
def test_command_table_when_compared_has_every_command_and_no_other(text):
    rows = takewhile(lambda line: line.startswith("|"), text.partition("| `init")[2].splitlines()[1:])
    first = text[text.index("| `init") :].splitlines()[0]
    cells = [row.split("|")[1] for row in (first, *rows)]
    assert {word for cell in cells for word in re.findall(r"`([a-z]+)", cell)} == set(main.commands)


@pytest.mark.parametrize("command", main.commands)
def test_command_when_asked_for_help_has_some(command):
    assert main.commands[command].help
    assert main.commands[command].short_help


@BOTH
def test_numbers_when_named_are_the_defaults(text):
    inbox, fields = InboxSettings(), GoldminerSettings.model_fields
    remote = (fields["confirm_timeout"].default, fields["lost_after"].default)
    for value in (inbox.settle, inbox.torn_timeout, ONCE_AT_MOST, *remote):
        assert re.search(rf"\b{value:g} (s\b|秒)", text), value


@BOTH
def test_columns_when_in_the_table_are_all_and_no_others(text):
    from orderdrop.intake.columns import ORDER_COLUMNS, column_named  # noqa: PLC0415

    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text[text.index("| `sid`") :], re.MULTILINE)
    rows = [(column, other) for column, other in rows if column in ORDER_COLUMNS]
    assert {column for column, _other in rows} == set(ORDER_COLUMNS)
    for column, other in rows:
        for name in re.split("[,，]", other.replace("`", "")):
            assert column_named(name.strip()) == column


@BOTH
def test_promises_when_made_name_the_tests_that_hold_them(text):
    promises = re.findall(r"^- \*\*.*?(?=^- |^$)", text, re.MULTILINE | re.DOTALL)
    assert len(promises) >= 8
    assert [promise for promise in promises if not re.search(r"`tests/[\w/]+/test_\w+\.py`", promise)] == []


def test_settings_file_when_written_by_init_names_every_setting(workspace):
    text = (workspace / "orderdrop.toml").read_text(encoding="utf-8")
    written = tomllib.loads(re.sub(r"^#(?! )", "", text, flags=re.MULTILINE))
    assert {path for path in settings_of(Settings) if not stands(path, written)} == set()


def settings_of(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """The path of every setting; `*` stands for a name of the user's own."""
    for name, field in model.model_fields.items():
        below = [] if name == "soft" else list(models_in(field.annotation))  # the limits' names once more
        star = ("*",) if dict in parts_of(field.annotation) else ()
        if not below:
            yield (name,)
        for inner in below:
            yield from ((name, *star, *path) for path in settings_of(inner))


def parts_of(annotation: Any) -> Iterator[Any]:
    """An annotation and all that it is made of."""
    yield getattr(annotation, "__origin__", annotation)
    for part in get_args(annotation):
        yield from parts_of(part)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    return (part for part in parts_of(annotation) if isinstance(part, type) and issubclass(part, BaseModel))


def stands(path: tuple[str, ...], table: Any) -> bool:
    if not path:
        return True
    if not isinstance(table, dict):
        return False
    if path[0] == "*":
        return any(stands(path[1:], inner) for inner in table.values())
    return path[0] in table and stands(path[1:], table[path[0]])


def test_codes_when_counted_have_a_sentence_each():
    assert WORDS.keys() == set(Code)
    assert all(all(words) for words in WORDS.values())
