"""Lets the whole command line speak one language: click's own words, the help of our commands, and whatever is printed to people.

Our texts are written once, in both languages; here, and in `domain.language`, the half is picked.
"""

from __future__ import annotations

import copy
import os
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, get_args

import click

from orderdrop.config.workspace import SETTINGS_FILE
from orderdrop.domain.language import Language, spoken
from orderdrop.system.tongue import language_of_system

_CJK: Final = "\u3400-\u9fff"
_MODULES: Final = ("core", "decorators", "exceptions", "formatting", "parser", "termui", "types")
_THREE_COLUMNS: Final = re.compile(rf"^(\s*orderdrop .*?\S)(\s{{2,}})(\S[^{_CJK}]*?)\s{{2,}}([{_CJK}].*)$")
_WORDS: Final = {
    "Usage:": "用法：",
    "Options": "选项",
    "Commands": "命令",
    "Positional arguments": "参数",
    "Show this message and exit.": "显示帮助。",
    "Show the version and exit.": "显示版本。",
    "Error: {message}": "错误：{message}",
    "Try '{command} {option}' for help.": "帮助：{command} {option}",
    "Invalid value: {message}": "值不对：{message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} 的值不对：{message}",
    "Missing command.": "缺少命令。",
    "Missing argument": "缺少参数",
    "Missing option": "缺少选项",
    "Missing parameter": "缺少参数",
    "Missing {param_type}": "缺少 {param_type}",
    "Missing parameter: {param_name}": "缺少参数：{param_name}",
    "No such option {name!r}.": "没有选项 {name!r}。",
    "No such command {name!r}.": "没有命令 {name!r}。",
    "Option {name!r} does not take a value.": "选项 {name!r} 不带值。",
    "Argument {name!r} takes {nargs} values.": "参数 {name!r} 要 {nargs} 个值。",
    "env var: {var}": "环境变量：{var}",
    "default: {default}": "默认：{default}",
    "Choose from:\n\t{choices}": "可选：\n\t{choices}",
    "{value!r} is not a valid {number_type}.": "{value!r} 不是 {number_type}。",
    "{value} is not in the range {range}.": "{value} 不在范围 {range} 内。",
    "{name} {filename!r} does not exist.": "{name} {filename!r} 不存在。",
    "{name} {filename!r} is a file.": "{name} {filename!r} 是文件。",
    "{name} {filename!r} is a directory.": "{name} {filename!r} 是文件夹。",
    "{name} {filename!r} is not readable.": "{name} {filename!r} 读不了。",
    "{name} {filename!r} is not writable.": "{name} {filename!r} 写不了。",
    "{value!r} is not {choice}.": "{value!r} 不是 {choice}。",
    "{value!r} is not one of {choices}.": "{value!r} 不在其中：{choices}。",
    "{value!r} does not match the format {format}.": "{value!r} 不是 {format} 这样的格式。",
    "{value!r} does not match the formats {formats}.": "{value!r} 不是这些格式：{formats}。",
    "Did you mean {possibility}?": "是不是 {possibility}？",
    "(Did you mean one of: {possibilities}?)": "（是不是其中一个：{possibilities}？）",
    "Got unexpected extra argument ({args})": "多余的参数（{args}）",
    "Got unexpected extra arguments ({args})": "多余的参数（{args}）",
    "Option {name!r} requires an argument.": "选项 {name!r} 要带一个值。",
    "Option {name!r} requires {nargs} arguments.": "选项 {name!r} 要带 {nargs} 个值。",
    "file": "文件",
    "directory": "文件夹",
    "path": "路径",
    "Aborted!": "已中止。",
}
"""What click says, by what it says."""


def language_of(words: Sequence[str]) -> Language:
    """What a command line will speak, before any setting is checked: help and a fault in the settings are told in it, too. words: the arguments."""
    said = os.environ.get("ORDERDROP_LOG__LANGUAGE") or _written(_root(words))
    return said if said in get_args(Language) else language_of_system()  # type: ignore[return-value]


def _root(words: Sequence[str]) -> Path:
    for at, word in enumerate(words):
        if word == "-C" and at + 1 < len(words):
            return Path(words[at + 1])
        if word.startswith("-C"):
            return Path(word[2:])
        if not word.startswith("-"):
            break
    return Path(os.environ.get("ORDERDROP_WORKSPACE") or ".")


def _written(root: Path) -> str:
    try:
        found = tomllib.loads((root / SETTINGS_FILE).read_text(encoding="utf-8-sig"))["log"]["language"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return str(found)


def translate_click() -> None:
    """Click asks gettext, through one name in each of its modules."""
    for name in _MODULES:
        module = getattr(click, name)
        module._ = _told_by_click
        if hasattr(module, "ngettext"):
            module.ngettext = _counted_by_click


def _counted_by_click(one: str, many: str, count: int) -> str:
    return _told_by_click(one if count == 1 else many)


def _told_by_click(message: str) -> str:
    return _WORDS.get(message, message) if spoken() == "zh" else message


def in_language(command: click.Command) -> click.Command:
    """A command with its help in the language that is spoken."""
    if spoken() == "zh+en":
        return command
    made = copy.copy(command)
    made.help, made.short_help = _help(command.help), _line(command.short_help)
    made.params = [_parameter(parameter) for parameter in command.params]
    made._help_option = None  # noqa: SLF001  it keeps the one that it made in another language
    return made


def _parameter(parameter: click.Parameter) -> click.Parameter:
    if not isinstance(parameter, click.Option):
        return parameter
    made = copy.copy(parameter)
    made.help = _told_by_click(parameter.help) if parameter.help in _WORDS else _line(parameter.help)
    return made


def _line(text: Any) -> Any:
    """`In English. 中文`: English first, as all our help has it. What stands in one language only stays."""
    if not isinstance(text, str):
        return text
    found = re.match(rf"(?s)(.*?[\x21-\x7e“”])\s+([{_CJK}“（][^\n]*|QMT [{_CJK}][^\n]*)$", text)
    if found is None:
        return text
    return found[2] if spoken() == "zh" else found[1]


def _help(text: str | None) -> str | None:
    """Paragraphs are of one language each; a block that click leaves alone (examples) is both."""
    if text is None:
        return None
    paragraphs = text.split("\n\n")
    chinese = spoken() == "zh"
    has_chinese = any(_is_chinese(part) for part in paragraphs)
    kept = [
        _block(part) if "\b" in part else part
        for part in paragraphs
        if "\b" in part or not has_chinese or _is_chinese(part) == chinese
    ]
    return "\n\n".join(kept)


def _is_chinese(paragraph: str) -> bool:
    """Chinese says more in less, and names commands: a fifth of it is enough."""
    return 5 * len(re.findall(f"[{_CJK}]", paragraph)) > len(paragraph.strip())


def _block(text: str) -> str:
    chinese = spoken() == "zh"
    lines = [_THREE_COLUMNS.sub(r"\1\2\4" if chinese else r"\1\2\3", line) for line in text.split("\n")]
    return (
        "\n".join(lines)
        .replace("Examples 例子:", "例子：" if chinese else "Examples:")
        .replace("Example 例子:", "例子：" if chinese else "Example:")
    )
