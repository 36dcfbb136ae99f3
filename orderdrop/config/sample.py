"""Writes orderdrop.toml for `init`: every setting with its meaning and its default, made from `config.settings.Settings`.

Each setting, and each table that the user names, stands behind a `#` without a space, prose behind `# `: take away the `#` to use it.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from datetime import time
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from orderdrop.config.settings import Settings

_INTRO: Final = """\
# orderdrop 的设置。全部可省略:不写时使用内置的模拟柜台。去掉行首(及其 [表头])的 # 即生效。
# Settings of orderdrop. All are optional: without any, orders go to the paper broker that is built in.
# Remove the # at the beginning of a line (and of its [table]) to use it. Variables win: ORDERDROP_INBOX__SETTLE=0.5
"""

_NAMES: Final = {
    "gateways": "",
    "accounts": "my-account-id",
    "strategies": "my-strategy",
    "profiles": "my-profile",
}
"""The name that stands for a table of the user's own naming; "": the type of the gateway."""

_TAB: Final = "\t"
_TAB_SPELLED: Final = "\\t"
_EXAMPLES: Final[dict[str, Any]] = {
    "accounts.gateway": "paper",
    "accounts.alias": "main",
    "gateways.positions": {"SHSE.600000": {"volume": 1000, "cost": Decimal("9.80")}},
}
"""For settings whose default says nothing."""


Given = Mapping[str, Mapping[str, Any]]
"""By the name of a table as TOML writes it, `gateways.goldminer`: the settings that are in force in it."""


def settings_text(given: Given = MappingProxyType({})) -> str:
    """The whole file. It loads as it is, and also with every `#` of a setting taken away."""
    lines = [_INTRO]
    for section, field in Settings.model_fields.items():
        for model, example in _tables(section, field.annotation):
            named = [name for name in given if _is_of(name, section, model)]
            for header in named or [example]:
                lines += [*_table(section, header, model, given.get(header, {})), ""]
    return "\n".join(lines)


def _is_of(table: str, section: str, model: type[BaseModel]) -> bool:
    """Whether a table is one of these: of a gateway, the one that has its type's name."""
    begin, _, name = table.partition(".")
    return begin == section and (
        "type" not in model.model_fields or name == model.model_fields["type"].default
    )


def _tables(section: str, annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    """The models below a top-level key, each with its table's name."""
    if get_origin(annotation) is dict:
        for model in _members(get_args(annotation)[1]):
            yield model, f"{section}.{_NAMES[section] or model.model_fields['type'].default}"
    else:
        yield annotation, section


def _table(
    section: str, header: str, model: type[BaseModel], given: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[str]:
    prose = (model.__doc__ or "").strip().splitlines()
    if prose:
        yield f"# {prose[0]}"
    yield f"[{header}]" if given or header in Settings.model_fields else f"#[{header}]"
    below = []
    for name, field in model.model_fields.items():
        inner = _members(field.annotation)
        if _is_model(inner[0]):
            below.append((name, inner[0]))
            continue
        yield from _setting(f"{section}.{name}", name, field, given)
    for name, inner_model in below:
        yield ""
        if name == "soft":  # the same names once more
            yield from (f"# {inner_model.__doc__}", f"#[{header}.{name}]")
            continue
        yield from _table(f"{section}.{name}", f"{header}.{name}", inner_model)


def _setting(path: str, name: str, field: FieldInfo, given: Mapping[str, Any]) -> Iterator[str]:
    choices = [choice for member in _members(field.annotation) for choice in _choices(member)]
    words = field.description or ""
    if len(choices) > 1:
        words += f" ({' | '.join(str(choice).replace(_TAB, _TAB_SPELLED) for choice in choices)})"
    if words:
        yield f"# {words.strip()}"
    yield f"{name} = {_toml(given[name])}" if name in given else f"#{name} = {_toml(_shown(path, field))}"


def _shown(path: str, field: FieldInfo) -> Any:
    """The default; for one that says nothing, an example."""
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    if default not in (None, {}, [], ()):
        return default
    if path in _EXAMPLES or field.examples:
        return _EXAMPLES.get(path) or (field.examples or [None])[0]
    if default is not None:
        return default
    return _made_up(_members(field.annotation)[0])


def _made_up(kind: Any) -> Any:
    if _choices(kind):
        return _choices(kind)[0]
    kind = get_origin(kind) or kind
    return {str: "…", Path: "…", bool: False, int: 1, float: 1.0, Decimal: Decimal(1), dict: {}}.get(kind, [])


def _members(annotation: Any) -> list[Any]:
    """The types of a union, without None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return [
            part for member in get_args(annotation) if member is not type(None) for part in _members(member)
        ]
    return [annotation]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, BaseModel)


def _choices(kind: Any) -> list[Any]:
    return list(get_args(kind)) if get_origin(kind) is Literal else []


def _toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Decimal():
            return format(value, "f")
        case int() | float():
            return str(value)
        case time():
            return f'"{value:%H:%M}"'
        case dict():
            return (
                "{ " + ", ".join(f"{_toml(str(key))} = {_toml(item)}" for key, item in value.items()) + " }"
            )
        case list() | tuple() | set() | frozenset():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case Path():
            return _toml(
                value.as_posix().replace("\\", "/")
            )  # a Windows path that is looked at elsewhere, too
        case _:
            escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
