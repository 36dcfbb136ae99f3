"""`[profiles.NAME]`: how a file of another program is read, described once. Turns the description into an `intake.profile.Profile`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, get_args

from pydantic import Field, field_validator, model_validator

from orderdrop.config.sections import _Section
from orderdrop.domain.order import DropKind
from orderdrop.domain.refusal import Refusal
from orderdrop.domain.symbol import exchange_of_market
from orderdrop.intake.columns import MARKET, NEEDED, ORDER_COLUMNS, column_named, folded
from orderdrop.intake.profile import NOT_READ, Profile
from orderdrop.intake.values import read_name, read_order_type, read_remark, read_side, read_time

Column = Literal[
    "", "sid", "account_id", "symbol", "volume", "order_type", "order_business", "price", "remark", "strategy",
    "not_before", "not_after", "market",
]  # fmt: skip
"""What a cell of a file may be: one of our columns, or "" for one that is not read."""

_READ_BY: Final[dict[str, Callable[[str], Any]]] = {
    "account_id": read_name,
    "order_type": read_order_type,
    "order_business": read_side,
    "strategy": read_name,
    "remark": read_remark,
    "not_before": read_time,
    "not_after": read_time,
    MARKET: lambda text: exchange_of_market(text) or Refusal,
}
"""What may be the same for every row of a file, and how its text is understood. Never a security, a quantity, a price or a sid."""

_TRANSLATED: Final = ("order_business", "order_type", MARKET, "account_id", "strategy")
_NAME: Final = re.compile(r"[\w-]{1,32}")


def _column(spelled: object) -> object:
    """A column by any name that a header knows."""
    return (column_named(spelled) or spelled) if isinstance(spelled, str) and spelled else spelled


class ProfileSettings(_Section):
    """How the files of another program are read. A file is one of them by `files`, by `folder`, or by its name: basket.NAME.csv."""

    files: str | None = Field(
        None, examples=["东财*.csv"], description="pattern of the names of such files 文件名样式"
    )
    folder: str | None = Field(
        None,
        examples=["eastmoney"],
        description="a folder of the inbox that holds such files 收件箱的子文件夹",
    )
    header: dict[str, Column] = Field(
        default_factory=dict,
        examples=[{"证券": "symbol", "涨跌": ""}],
        description='name in the file = column of ours; "" is not read; names that are left out are read as always 表头对照',
    )
    positions: tuple[Column, ...] = Field(
        (),
        description='of a file without a header: its columns in their order; "" is not read 无表头时各列依次是什么',
    )
    encoding: Literal["utf-8", "gbk", "utf-16-le", "utf-16-be"] | None = Field(
        None, examples=["gbk"], description="left out: UTF-8, else GBK 编码"
    )
    delimiter: Literal[",", "\t", ";", "|"] | None = Field(
        None, examples=[","], description="left out: the one that fits 分隔符"
    )
    skip: int = Field(0, ge=0, le=1000, description="lines above the header, or the first row 开头略过的行数")
    constants: dict[str, str] = Field(
        default_factory=dict,
        examples=[{"order_type": "限价"}],
        description="what holds for each row whose cell is empty, or that has none 固定值",
    )
    values: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        examples=[{"order_business": {"23": "买入", "24": "卖出"}}],
        description="words of the file = words of ours, by column; no others are read in that column 取值对照",
    )

    @field_validator("header", mode="before")
    @classmethod
    def _by_any_name(cls, header: object) -> object:
        return (
            {name: _column(column) for name, column in header.items()} if isinstance(header, dict) else header
        )

    @field_validator("positions", mode="before")
    @classmethod
    def _positions_by_any_name(cls, positions: object) -> object:
        return tuple(map(_column, positions)) if isinstance(positions, list | tuple) else positions

    @field_validator("positions")
    @classmethod
    def _each_once(cls, positions: tuple[Column, ...]) -> tuple[Column, ...]:
        twice = {column for column in positions if column != NOT_READ and positions.count(column) > 1}
        if twice:
            same = ", ".join(sorted(twice))
            raise ValueError(
                f'positions 里写了两次：{same} → 每列只写一次，不读的写 ""'
                f' / positions has {same} twice → name each column once, and write "" for what is not read'
            )
        return positions

    @field_validator("folder")
    @classmethod
    def _is_one_folder(cls, folder: str | None) -> str | None:
        if folder is not None and (not folder.strip() or folder.startswith(".") or set(folder) & set("/\\:")):
            raise ValueError(
                f"“{folder}” 不是收件箱下一层的文件夹名 → 只写文件夹的名字，如 eastmoney"
                f" / “{folder}” is no folder right below the inbox → write its name alone, such as eastmoney"
            )
        return folder

    @field_validator("constants", "values", mode="before")
    @classmethod
    def _columns_by_any_name(cls, given: object) -> object:
        return (
            {_column(column): value for column, value in given.items()} if isinstance(given, dict) else given
        )

    @field_validator("constants")
    @classmethod
    def _may_be_constant(cls, constants: dict[str, str]) -> dict[str, str]:
        for column, text in constants.items():
            if column not in _READ_BY:
                raise ValueError(
                    f"{column} 不能是固定值 → 它必须写在文件的每一行里；可以固定的：{', '.join(_READ_BY)}"
                    f" / {column} cannot be a constant → it must stand in each row; constants may be {', '.join(_READ_BY)}"
                )
            _must_be_understood(column, text)
        return constants

    @field_validator("values")
    @classmethod
    def _may_be_translated(cls, values: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for column, words in values.items():
            if column not in _TRANSLATED:
                raise ValueError(
                    f"{column} 没有取值对照 → 可以对照的：{', '.join(_TRANSLATED)}"
                    f" / {column} has no words to translate → those that have: {', '.join(_TRANSLATED)}"
                )
            for text in words.values():
                _must_be_understood(column, text)
        return values

    @model_validator(mode="after")
    def _says_one_thing(self) -> ProfileSettings:
        if self.header and self.positions:
            raise ValueError(
                "header 和 positions 不能都写 → 有表头的文件写 header，没有表头的写 positions"
                " / header and positions are both given → write header for a file that has one, positions for one that has none"
            )
        given = {*self.positions, *self.constants}
        needed = [*NEEDED[DropKind.ORDER], *([] if "order_type" in given else ["price"])]
        missing = [column for column in needed if column not in given]
        if self.positions and missing:
            lacking = ", ".join(missing)
            raise ValueError(
                f"positions 里没有 {lacking} → 每一行都要写明代码、方向、数量，以及价格或委托类型"
                f" / positions lacks {lacking} → each row must say security, side, quantity, and price or order type"
            )
        return self

    def profile(self, name: str) -> Profile:
        """The description as `intake` wants it."""
        return Profile(
            name,
            tuple((folded(spelled), column) for spelled, column in self.header.items()),
            tuple(self.positions),
            "gb18030" if self.encoding == "gbk" else self.encoding,
            self.delimiter,
            self.skip,
            tuple(self.constants.items()),
            tuple((column, tuple(words.items())) for column, words in self.values.items()),
        )


def _must_be_understood(column: str, text: str) -> None:
    read = _READ_BY[column](text)
    if isinstance(read, Refusal) or read is Refusal or read is None or not text.strip():
        raise ValueError(
            f"{column} 的“{text}”无法识别 → 写一个文件里也认得的词，见 docs/columns.md"
            f" / {column} “{text}” is not understood → write a word that a file may use, see docs/columns.md"
        )


def must_have_names(profiles: Mapping[str, Any]) -> None:
    """Raises ValueError for a name that no file can bear, or that two profiles have."""
    kinds = {kind.value for kind in DropKind}
    for name in profiles:
        if not _NAME.fullmatch(name) or name.lower() in kinds:
            raise ValueError(
                f"“{name}” 不能作 profile 的名字 → 用文字、数字、_ 和 -，不用 {_listed(kinds)}"
                f" / “{name}” cannot name a profile → use letters, digits, _ and -, and none of {_listed(kinds)}"
            )
    spelled = [name.casefold() for name in profiles]
    if twice := {name for name in profiles if spelled.count(name.casefold()) > 1}:
        raise ValueError(
            f"profile 重名（不分大小写）：{_listed(twice)} → 给其中一个改名"
            f" / used twice as a profile, whatever the case: {_listed(twice)} → rename one"
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


assert {*ORDER_COLUMNS, MARKET, NOT_READ} == {*get_args(Column)}  # noqa: S101  one table of columns, spelled out for the schema
