"""One function picks the half; what both halves share stays, data is never taken for a label."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import orderdrop
from orderdrop.domain.language import both, half, labels, speak, spoken, status_word
from orderdrop.domain.messages.labels import STATUSES
from orderdrop.domain.status import Status

CLI = Path(orderdrop.__file__).parent / "cli"
CJK = "[\u3400-\u9fff]"
PAIR = re.compile(rf"^\s*([^A-Za-z/\n]*{CJK}[^A-Za-z/\n]*?) {{1,2}}([A-Za-z][^\u3400-\u9fff\n]*?)\s*:?\s*$")


@pytest.fixture
def speaking():
    before = spoken()
    yield speak
    speak(before)


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("没有这个文件夹 / no such folder", "没有这个文件夹", "no such folder"),
        ("[inbox] path: 没有这个文件夹 / no such folder: D:/扫单", "[inbox] path: 没有这个文件夹：D:/扫单", "[inbox] path: no such folder: D:/扫单"),
        ("这里不是工作区 / no workspace: /x\n  先建立 / make one", "这里不是工作区：/x\n  先建立", "no workspace: /x\n  make one"),
        ("3 笔漏单 / orders are lost → orderdrop resend: A", "3 笔漏单 → orderdrop resend: A", "3 orders are lost → orderdrop resend: A"),
        ("编号: 按 A 判断 / sid: judged by A", "编号: 按 A 判断", "sid: judged by A"),
        ("其余 2 行未发送 / not sent: the other 2", "其余 2 行未发送", "not sent: the other 2"),
        ("成交 100 / 200", "成交 100 / 200", "成交 100 / 200"),
        ("按设置（[inbox] hold / [strategies.a] hold），等待放行", "按设置（[inbox] hold / [strategies.a] hold），等待放行", "按设置（[inbox] hold / [strategies.a] hold），等待放行"),
        ("no such file", "no such file", "no such file"),
    ],
)  # fmt: skip
def test_half_when_a_text_is_in_both_languages_then_one_and_what_both_share(text, zh, en):
    assert (half(text, "zh"), half(text, "en"), half(text, "zh+en")) == (zh, en, text)


def test_labels_when_known_then_picked_and_data_stays():
    text = "通道 gateway paper  2 行 rows · 1 接受 accepted  调仓 rebalance  行 rowing"
    assert labels(text, "zh") == "通道 paper  2 行 · 1 接受  调仓 rebalance  行 rowing"
    assert labels(text, "en") == "gateway paper  2 rows · 1 accepted  调仓 rebalance  行 rowing"
    assert labels(text, "zh+en") == text


def test_both_when_nothing_is_asked_for_then_what_is_spoken(speaking):
    speaking("en")
    assert both("买", "buy") == "buy"
    assert both("买", "buy", "zh") == "买"


def test_status_when_spoken_in_chinese_then_as_terminals_say_it():
    assert [status_word(status, "zh") for status in ("new", "filled", "canceled", "rejected", "held", "denied")] == [
        "已报", "已成", "已撤", "废单", "暂存", "检查拒绝",
    ]  # fmt: skip
    assert set(Status) <= STATUSES.keys()
    assert status_word("filled", "zh+en") == status_word("filled", "en") == "filled"


def texts_of(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in {"help", "short_help"}:
            apart |= {id(inner) for inner in ast.walk(node.value)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            yield node.value


def test_every_label_of_the_command_line_is_known():
    unknown = []
    for path in sorted(CLI.glob("*.py")):
        for text in texts_of(path):
            found = PAIR.match(text)
            if found and " / " not in text and "orderdrop" not in found[2] and "docs/" not in found[2]:
                label = text.strip()
                if labels(label, "zh") == label:
                    unknown.append((path.name, text))
    assert unknown == []
