"""Says what is wrong in orderdrop.toml the way a refused order is explained: the line with a caret, a code, the reason, the remedy. Pure."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args

from pydantic import BaseModel, ValidationError

_POSITION: Final = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")
_TABLE: Final = re.compile(r"\s*\[+\s*(.+?)\s*\]+\s*(?:#.*)?$")
_KEY: Final = re.compile(r"\s*([\w\-\"'.]+)\s*=")
_CHINESE_UNIT: Final = re.compile(
    r"\s*([0-9][0-9.,]*)\s*(万|亿|千|百)?\s*(元|块|股|手|秒|分钟|毫秒|%|ms|s|w|k)?\s*$", re.IGNORECASE
)
_TIMES: Final = {"百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000, "w": 10_000, "k": 1000}
_NEAR: Final = 0.6
_SECRET: Final = re.compile(r"(\s*[\w.\"'-]*(?:token|secret|password)[\"']?\s*)=", re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f]")
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_BOUNDS: Final = {
    "greater_than_equal": ("不能小于 {ge}", "must not be below {ge}"),
    "greater_than": ("必须大于 {gt}", "must be above {gt}"),
    "less_than_equal": ("不能大于 {le}", "must not be above {le}"),
    "less_than": ("必须小于 {lt}", "must be below {lt}"),
    "bool_parsing": ("只能是 true 或 false", "must be true or false"),
    "bool_type": ("只能是 true 或 false", "must be true or false"),
    "string_type": ("这里要写文字，加引号", "must be a text, in quotes"),
    "list_type": ('这里要写列表，如 ["a", "b"]', 'must be a list such as ["a", "b"]'),
    "dict_type": ("这里要写一个表", "must be a table"),
    "model_type": ("这里要写一个表", "must be a table"),
}


class Fault(NamedTuple):
    """One thing that is wrong. line, column: from 1, 0 where it cannot be said. key: as TOML spells it, "" for the whole file."""

    code: str
    line: int
    column: int
    key: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str

    def text(self, lines: Sequence[str]) -> str:
        where = f"第 {self.line} 行 line {self.line}" if self.line else ""
        head = "  ".join(filter(None, [where, self.key, self.code]))
        told = [f"  {head}"]
        if 0 < self.line <= len(lines):
            shown = _without_secret(lines[self.line - 1].rstrip().replace("\t", " "))
            told += [f"    {shown}", f"    {' ' * max(0, _width(shown[: self.column - 1]))}^"]
        return "\n".join([*told, f"    {self.zh} / {self.en}", f"    → {self.remedy_zh} / {self.remedy_en}"])


def _without_secret(line: str) -> str:
    """A line as it may be shown: a screen is photographed, a log is sent to others."""
    found = _SECRET.match(line)
    return f"{found[1]}= …" if found else line


def _width(text: str) -> int:
    """Columns of a terminal: Chinese characters take two."""
    return sum(2 if ord(one) > 0x2E7F else 1 for one in text)


def decode(data: bytes) -> str:
    """The text of a settings file: UTF-8, UTF-16 with its mark, or GBK, in which Windows' editor saves ANSI. Raises UnicodeDecodeError."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030")


def of_toml(error: tomllib.TOMLDecodeError, text: str) -> Fault:
    """Why the text is no TOML."""
    lines = text.splitlines()
    found = _POSITION.search(str(error))
    line, column = (int(found[1]), int(found[2])) if found and found[1] else (len(lines), 1)
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    key = _key_of(shown)
    said = _POSITION.sub("", str(error)).strip()
    if "\\" in shown and ("\\" in said or "escape" in said.lower() or "hex" in said.lower()):
        return _backslash(shown, line, shown.find("\\") + 1, key)
    if any(mark in shown for mark in "“”‘’＝［］，。"):
        at = next(at for at, one in enumerate(shown, 1) if one in "“”‘’＝［］，。")
        return Fault(
            "TOML_FULL_WIDTH", line, at, key,
            "这一行有全角符号", "the line has full-width punctuation",
            "引号、等号、方括号请用半角（英文输入法）", "type quotes, the equals sign and brackets with an English keyboard",
        )  # fmt: skip
    if "overwrite" in said or "twice" in said or "already" in said or "declare" in said.lower():
        return Fault(
            "TOML_TWICE", line, column, key,
            "这个设置或表写了两次", "the setting or table is given twice",
            "只留一处", "keep one of them",
        )  # fmt: skip
    bare = shown.partition("=")[2].strip()
    unit = _CHINESE_UNIT.match(bare)
    number = _number(unit) if unit else None
    if number is not None and number != bare:
        return Fault(
            "TOML_UNIT", line, column, key,
            f"“{bare}” 带了单位", f"“{bare}” has a unit",
            f"只写数字：{key} = {number}", f"write a bare number: {key} = {number}",
        )  # fmt: skip
    if "=" in shown and bare and not bare.startswith(('"', "'", "[", "{")) and "value" in said.lower():
        return Fault(
            "TOML_VALUE", line, column, key,
            f"“{bare}” 既不是数字、true/false，也没有引号", f"“{bare}” is neither a number nor true or false, and has no quotes",
            f'文字要加引号：{key} = "{bare}"；数字不带单位', f'quote a text: {key} = "{bare}"; write numbers without a unit',
        )  # fmt: skip
    return Fault(
        "TOML_SYNTAX", line, column, key,
        "这一行不是正确的 TOML", f"not valid TOML: {said}",
        "每行写成 名字 = 值，文字加双引号，表名写成 [inbox]", "write name = value on each line, texts in double quotes, tables as [inbox]",
    )  # fmt: skip


def of_texts(values: Mapping[str, Any], text: str) -> list[Fault]:
    """Texts with a line break or a tab in them: `"D:\\new\\test"` reads so, and no setting wants any."""
    return [_of_backslash(text, loc) for loc in _broken(values, [])]


def _broken(value: object, loc: list[str]) -> Iterator[list[str]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _broken(below, [*loc, str(key)])
    elif isinstance(value, list):
        for below in value:
            yield from _broken(below, loc)
    elif isinstance(value, str) and _CONTROL.search(value):
        yield loc


def _of_backslash(text: str, loc: list[str]) -> Fault:
    line, column = _find(text, loc)
    lines = text.splitlines()
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    return _backslash(shown, line, shown.find("\\") + 1 or column, ".".join(loc))


def _backslash(shown: str, line: int, at: int, key: str) -> Fault:
    value = shown.partition("=")[2].strip().strip("\"'")
    right = value.replace("\\\\", "/").replace("\\", "/")
    return Fault(
        "TOML_BACKSLASH", line, at, key,
        "双引号里的反斜杠有别的含义", "in double quotes a backslash has another meaning",
        f"Windows 路径请写 \"{right}\"，或用单引号 '{value}'", f"write \"{right}\", or use single quotes '{value}'",
    )  # fmt: skip


def of_settings(error: ValidationError, model: type[BaseModel], text: str) -> list[Fault]:
    """What is wrong with values, in the order of the file's lines."""
    faults = [_of_problem(problem, model, text) for problem in error.errors()]
    return sorted(faults, key=lambda fault: fault.line)


def _of_problem(problem: Mapping[str, Any], model: type[BaseModel], text: str) -> Fault:
    loc, context = list(problem["loc"]), problem.get("ctx", {})
    kind, given = problem["type"], problem.get("input")
    if loc and _SECRET.match(f"{loc[-1]}="):
        given = "…"
    if len(loc) > 2 and loc[0] == "gateways" and isinstance(loc[2], str) and loc[2] in _gateway_types(model):
        del loc[2]  # pydantic names the type between the gateway and its key
    key = ".".join(str(part) for part in loc)
    line, column = _find(text, [str(part) for part in loc])
    if kind == "extra_forbidden":
        near = _nearest(str(loc[-1]), _names_at(model, loc[:-1], text))
        remedy = (
            (f"是不是想写 {near}？", f"did you mean {near}?")
            if near
            else ("删掉它，或核对拼写", "remove it, or check the spelling")
        )
        what = (
            ("不认识的设置", "unknown setting") if len(loc) > 1 else ("没有这个表", "there is no such table")
        )
        if len(loc) == 1 and near and isinstance(given, dict):
            remedy = (
                f"是不是想写 [{near}{_table_and_below(given)}]？",
                f"did you mean [{near}{_table_and_below(given)}]?",
            )
        return Fault("SETTING_UNKNOWN", line, column, key, *what, *remedy)
    meant = _meaning(model, loc, text)
    if kind == "missing":
        return Fault(
            "SETTING_MISSING", line, column, key, f"缺少 {loc[-1]}", f"{loc[-1]} is missing",
            f"在 [{'.'.join(map(str, loc[:-1]))}] 下写 {loc[-1]} = …（{meant[0] or meant[1]}）",
            f"write {loc[-1]} = … below [{'.'.join(map(str, loc[:-1]))}] ({meant[1] or meant[0]})",
        )  # fmt: skip
    if kind in {"union_tag_invalid", "union_tag_not_found", "literal_error", "enum"}:
        known = re.findall(r"'([^']+)'", str(context.get("expected_tags") or context.get("expected") or ""))
        tag = str(context.get("tag", given))
        line, column = _find(text, [*map(str, loc), "type"]) if kind.startswith("union") else (line, column)
        near = _nearest(tag, known)
        choices = "、".join(known)
        return Fault(
            "SETTING_CHOICE", line, column, f"{key}.type" if kind.startswith("union") else key,
            f"“{tag}” 不是可选的值", f"“{tag}” is none of the choices",
            f"{f'是不是想写 {near}？' if near else ''}可选：{choices}", f"{f'did you mean {near}? ' if near else ''}choices: {', '.join(known)}",
        )  # fmt: skip
    if ("decimal" in kind or "float" in kind or "int" in kind) and isinstance(given, str):
        found = _CHINESE_UNIT.match(given)
        right = _number(found) if found else None
        return Fault(
            "SETTING_NUMBER", line, column, key,
            f"“{given}” 不是数字", f"“{given}” is not a number",
            f"只写数字，不带单位和引号：{loc[-1]} = {right if right is not None else '100000'}", f"write a bare number: {loc[-1]} = {right if right is not None else '100000'}",
        )  # fmt: skip
    said = str(problem["msg"]).removeprefix("Value error, ")
    if kind == "value_error" and " → " in said:
        zh, _, en = said.partition(" / ")
        (zh, _, remedy_zh), (en, _, remedy_en) = zh.partition(" → "), en.partition(" → ")
        return Fault("SETTING_VALUE", line, column, key, zh, en, remedy_zh, remedy_en)
    zh, en = _BOUNDS.get(kind, ("值不合适", said))
    zh, en = zh.format(**context), en.format(**context) if kind in _BOUNDS else en
    return Fault(
        "SETTING_VALUE", line, column, key or "(all)", f"{zh}：{_short(given)}", f"{en}: {_short(given)}",
        f"改正这个值：{meant[0] or said}", f"correct the value: {meant[1] or said}",
    )  # fmt: skip


def _short(given: object) -> str:
    if isinstance(given, dict):
        return ", ".join(given)
    shown = str(given)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"


def _number(found: re.Match[str]) -> str | None:
    try:
        number = float(found[1].replace(",", "")) * _TIMES.get(found[2] or (found[3] or "").lower(), 1)
    except ValueError:
        return None
    return f"{number:g}" if number % 1 else f"{number:.0f}"


def _table_and_below(given: Mapping[str, Any]) -> str:
    """`.goldminer` where a table of tables is meant."""
    name = next((name for name, value in given.items() if isinstance(value, dict)), "")
    return f".{name}" if name else ""


def _nearest(name: str, known: Iterable[str]) -> str | None:
    found = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=_NEAR)
    return found[0] if found else None


def _gateway_types(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(
        str(one.model_fields["type"].default)
        for one in _models(model.model_fields["gateways"].annotation)
        if "type" in one.model_fields
    )


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models(part)]


def _models_at(model: type[BaseModel], loc: Sequence[Any], text: str) -> list[type[BaseModel]]:
    """The models whose keys may stand at a place; of gateways, the one of its type, where that can be told."""
    models = [model]
    for depth, part in enumerate(loc):
        following = [
            found
            for one in models
            if part in one.model_fields
            for found in _models(one.model_fields[part].annotation)
        ]
        models = following or models
        if depth == 1 and loc[0] == "gateways":
            line, _column = _find(text, [*map(str, loc[:2]), "type"])
            said = text.splitlines()[line - 1].partition("=")[2].strip().strip("\"'") if line else ""
            typed = [
                one
                for one in models
                if one.model_fields.get("type") and one.model_fields["type"].default == said
            ]
            models = typed or models
    return models


def _names_at(model: type[BaseModel], loc: Sequence[Any], text: str) -> list[str]:
    return [name for one in _models_at(model, loc, text) for name in one.model_fields]


def _meaning(model: type[BaseModel], loc: Sequence[Any], text: str) -> tuple[str, str]:
    """What the setting's own description says, in Chinese and English; empty texts where it has none."""
    for one in _models_at(model, loc[:-1], text) if loc else ():
        field = one.model_fields.get(str(loc[-1]))
        if field is not None and field.description:
            chinese = _CHINESE.search(field.description)
            at = chinese.start() if chinese else len(field.description)
            return field.description[at:].strip(), field.description[:at].strip()
    return "", ""


def _key_of(line: str) -> str:
    found = _KEY.match(line)
    return found[1] if found else ""


def _find(text: str, loc: Sequence[str]) -> tuple[int, int]:
    """The line and column where a key stands, else those of its table, else zeros."""
    best, depth, table = (0, 0), 0, [""]
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = [part.strip(" \"'") for part in header[1].split(".")]
            here, at = table, line.index("[") + 2
        elif found := _KEY.match(line):
            here, at = (
                [*filter(None, table), *(part.strip("\"'") for part in found[1].split("."))],
                found.start(1) + 1,
            )
        else:
            continue
        same = min(len(here), len(loc)) if [*loc[: len(here)]] == here[: len(loc)] else 0
        if same > depth:
            best, depth = (number, at), same
    return best
