"""What a `[profiles.NAME]` may say, and how it is told what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderdrop.config.settings import Settings
from orderdrop.config.sources import load
from orderdrop.errors import ConfigError

POSITIONS = {"positions": ["方向", "price", "代码", "数量"]}


def described(**values):
    return Settings(profiles={"x": values}).profiles["x"]


def faults(folder: Path, text: str) -> str:
    (folder / "orderdrop.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        load(folder)
    return str(told.value)


def test_columns_by_any_of_their_names_are_ours():
    one = described(
        header={"股票名": "证券代码", "备": ""}, values={"方向": {"0": "卖"}}, constants={"委托类型": "限价"}
    )
    assert one.header == {"股票名": "symbol", "备": ""}
    assert one.values == {"order_business": {"0": "卖"}}
    assert one.constants == {"order_type": "限价"}
    assert described(**POSITIONS).positions == ("order_business", "price", "symbol", "volume")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('constants = { price = "10.35" }', "price 不能是固定值"),
        ('constants = { symbol = "600000" }', "symbol 不能是固定值"),
        ('constants = { "数量" = "100" }', "volume 不能是固定值"),
        ('constants = { order_type = "随便" }', "“随便”无法识别"),
        ('constants = { market = "港股" }', "“港股”无法识别"),
        ('constants = { strategy = "" }', "“”无法识别"),
        ('values = { price = { "1" = "2" } }', "price 没有取值对照"),
        ('values = { order_business = { "0" = "做多" } }', "“做多”无法识别"),
        ('positions = ["代码", "数量", "方向"]', "positions 里没有 price"),
        ('positions = ["代码", "数量", "价格"]', "positions 里没有 order_business"),
        ('positions = ["代码", "代码", "数量", "方向", "价格"]', "写了两次"),
        ('positions = ["代码", "数量", "方向", "价格"]\nheader = { "a" = "代码" }', "不能都写"),
        ('folder = "a/b"', "不是收件箱下一层"),
        ('fils = "a"', "是不是想写 files？"),
        ('encoding = "latin-1"', "可选：utf-8"),
        ('header = { "a" = "止损价" }', "可选"),
    ],
)  # fmt: skip
def test_description_that_is_wrong_is_told_with_its_remedy(tmp_path, text, said):
    told = faults(tmp_path, f"[profiles.x]\n{text}\n")
    assert said in told
    assert "→" in told


@pytest.mark.parametrize("name", ["order", "cancel_order", '"a.b"', '"a b"'])
def test_name_that_no_file_can_carry_is_told(tmp_path, name):
    assert "不能作 profile 的名字" in faults(tmp_path, f"[profiles.{name}]\n")


def test_names_that_differ_by_case_alone_are_told(tmp_path):
    assert "profile 重名" in faults(tmp_path, "[profiles.a]\n[profiles.A]\n")


def test_side_that_is_constant_may_be_missing_in_the_positions():
    assert described(positions=["代码", "数量", "价格"], constants={"方向": "买入"}).positions
