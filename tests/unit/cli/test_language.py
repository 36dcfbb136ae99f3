"""A workspace that speaks Chinese says no English, and the other way round; what programs read is the same in all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import GOOD, HEADER, QUICK, a_file, a_workspace, orderdrop, printed, routed

from orderdrop.cli import main
from orderdrop.config.sources import load
from orderdrop.domain.language import speak
from orderdrop.system.tongue import language_of_system

CJK = re.compile("[\u3400-\u9fff]")
PROSE = re.compile(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}")
NAMES = re.compile("启动 orderdrop.cmd|启动|掘金|东财|文件单|程序化交易报备|极简|报备")
BAD = f"{HEADER}B-1,SHSE.600000,150,1,1,10.35\n"


@pytest.fixture(autouse=True)
def _as_before():
    yield
    speak("zh+en")


def a_desk(folder: Path, language: str) -> Path:
    workspace = a_workspace(folder, f'{QUICK}[log]\nlanguage = "{language}"\n')
    a_file(workspace / "inbox", "good.csv", GOOD)
    a_file(workspace / "inbox", "bad.csv", BAD)
    return workspace


SCREENS = [("status",), ("orders",), ("drops",), ("why", "G-1"), ("why", "bad.csv"), ("cash",), ("positions",), ("trades",), ("limits",),
           ("doctor",), ("cancel", "NOBODY"), ("halt",), ("resume",), ("check", "again.csv")]  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_screens_when_one_language_is_set_then_they_speak_no_other(tmp_path, language, monkeypatch):
    workspace = a_desk(tmp_path, language)
    monkeypatch.chdir(a_file(workspace, "again.csv", BAD).parent)
    told = {("run",): routed(workspace)} | {words: orderdrop(*words, at=workspace) for words in SCREENS}
    other = PROSE if language == "zh" else CJK
    found = {
        words: [line for line in (shown.stdout + shown.stderr).splitlines() if other.search(line)]
        for words, shown in told.items()
    }
    assert {words: lines for words, lines in found.items() if lines} == {}


def test_faults_and_usage_when_chinese_is_set_then_told_in_chinese(tmp_path):
    workspace = a_desk(tmp_path, "zh")
    for words in (("nosuch",), ("cancel",), ("run", "--nosuch"), ("why",), ("orders", "--status", "nosuch")):
        shown = orderdrop(*words, at=workspace)
        assert shown.exit_code == 2
        assert "错误：" in shown.stderr, words
        assert PROSE.search(shown.stderr) is None, shown.stderr
    (workspace / "orderdrop.toml").write_text(
        '[log]\nlanguage = "zh"\n[inbox]\nnosuch = 1\n', encoding="utf-8"
    )
    shown = orderdrop("status", at=workspace)
    assert "设置有误" in shown.stderr
    assert "settings are wrong" not in shown.stderr


@pytest.mark.parametrize("command", ["", *main.commands])
def test_help_when_one_language_is_set_then_it_is_in_it(tmp_path, command):
    chinese, english = (
        orderdrop(*command.split(), "--help", ORDERDROP_LOG__LANGUAGE=language).stdout
        for language in ("zh", "en")
    )
    assert "用法" in chinese
    assert "Usage" in english
    head = english.partition("Examples")[0]
    assert [line for line in head.splitlines() if CJK.search(NAMES.sub("", line))] == []


def test_json_when_the_language_changes_then_its_words_for_programs_do_not(tmp_path):
    found = []
    for language in ("zh", "en", "zh+en"):
        (tmp_path / language).mkdir()
        workspace = a_desk(tmp_path / language, language)
        routed(workspace)
        found.append(
            [
                (one["sid"], one["status"], one["reason_code"])
                for one in printed(orderdrop("orders", "--json", at=workspace))
            ]
        )
    assert found[0] == found[1] == found[2]
    assert {status for _, status, _ in found[0]} >= {"filled", "denied"}


@pytest.mark.parametrize(
    ("said", "spoken"),
    [("zh_CN.UTF-8", "zh"), ("en_US.UTF-8", "en"), ("C.UTF-8", "zh+en"), ("POSIX", "zh+en"), ("de_DE", "en")],
)
def test_language_when_nothing_is_set_then_the_system_s(tmp_path, monkeypatch, said, spoken):
    monkeypatch.setenv("LC_ALL", said)
    assert language_of_system() == spoken
    assert load(tmp_path)[0].log.language == spoken
