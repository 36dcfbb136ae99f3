"""What is wrong with a value."""

from __future__ import annotations

from typing import Final

from orderdrop.domain.codes import Code
from orderdrop.domain.messages.words import Words

VALUES: Final[dict[Code, Words]] = {
    Code.VALUE_MISSING: Words("{column} 为空", "{column} is empty", "填写 {column}", "fill in {column}"),
    Code.PROFILE_VALUE: Words(
        "{column} 的“{value}”不在 [profiles] 的 values 里（{bound}）",
        "{column} “{value}” is not among the profile's values ({bound})",
        "在 values 里写明它的意思，或改文件里的值",
        "say in values what it means, or change the value in the file",
    ),
    Code.VALUE_FORMULA: Words(
        "{column} 是公式或以 = + @ 开头：“{value}”",
        "{column} is a formula or begins like one: “{value}”",
        "写成数值或普通文字",
        "write a value or plain text",
    ),
    Code.VALUE_CONTROL: Words(
        "{column} 含有控制字符",
        "{column} holds control characters",
        "删除不可见字符",
        "remove invisible characters",
    ),
    Code.VALUE_TOO_LONG: Words(
        "{column} 超过 {bound} 个字符", "{column} has more than {bound} characters", "缩短它", "shorten it"
    ),
    Code.VALUE_CHARACTERS: Words(
        "{column} “{value}” 含有不允许的字符",
        "{column} “{value}” holds characters that are not allowed",
        "只用文字、数字和 _ . -,不以点开头或结尾",
        "use letters, digits and _ . - with no dot at either end",
    ),
    Code.SID_BAD: Words(
        "编号 “{value}” 不合法",
        "the sid “{value}” is not allowed",
        "1 到 64 个 A-Z a-z 0-9 _ . -",
        "use 1 to 64 of A-Z a-z 0-9 _ . -",
    ),
    Code.SID_EXCEL: Words(
        "编号 “{value}” 像是被 Excel 改成了数字",
        "the sid “{value}” looks damaged by Excel",
        "把该列设为文本，或在编号前加字母",
        "format the column as text, or begin sids with a letter",
    ),
    Code.SID_CONFLICT: Words(
        "编号 “{value}” 已用于另一笔委托({bound})",
        "the sid “{value}” was used for a different order ({bound})",
        "新委托用新编号",
        "give a new order a new sid",
    ),
    Code.SID_UNKNOWN: Words(
        "没有编号为 “{value}” 的委托",
        "there is no order with the sid “{value}”",
        "用 orderdrop orders 查看编号",
        "look it up with orderdrop orders",
    ),
    Code.SYMBOL_BAD: Words(
        "代码 “{value}” 认不出",
        "the symbol “{value}” is not understood",
        "写成 SHSE.600000 或 000001.SZ",
        "write it as SHSE.600000 or 000001.SZ",
    ),
    Code.SYMBOL_MARKET: Words(
        "市场列写的是 “{bound}”，与代码 “{value}” 对不上，或不是沪深北的市场",
        "the market column says “{bound}”, which does not go with the code “{value}” or is no exchange in Shanghai, Shenzhen or Beijing",
        "改正市场列或代码，例如 600000.SH",
        "correct the market or the code, such as 600000.SH",
    ),
    Code.SYMBOL_AMBIGUOUS: Words(
        "代码 “{value}” 可能是 {bound},不猜",
        "the symbol “{value}” may be {bound}; we do not guess",
        "写明交易所",
        "name the exchange",
    ),
    Code.NUMBER_BAD: Words(
        "{column} “{value}” 不是数字",
        "{column} “{value}” is not a number",
        "写成普通数字，如 {bound}",
        "write a plain number such as {bound}",
    ),
    Code.VOLUME_BAD: Words(
        "数量 “{value}” 必须是正整数",
        "the volume “{value}” must be a positive whole number",
        "改成正整数",
        "write a positive whole number",
    ),
    Code.PRICE_BAD: Words(
        "价格 “{value}” 必须大于零",
        "the price “{value}” must be above zero",
        "改成正数",
        "write a positive number",
    ),
    Code.PRICE_DECIMALS: Words(
        "价格 “{value}” 超过 {bound} 位小数",
        "the price “{value}” has more than {bound} decimals",
        "减少小数位",
        "use fewer decimals",
    ),
    Code.SIDE_BAD: Words(
        "买卖方向 “{value}” 认不出",
        "the side “{value}” is not understood",
        "写 1/买/B 或 2/卖/S",
        "write 1/buy/B or 2/sell/S",
    ),
    Code.ORDER_TYPE_SIDE: Words(
        "{column} 写的是“{value}”，方向却写“{bound}”",
        "{column} says “{value}”, but the side says “{bound}”",
        "让两列一致，或方向只写买入、卖出",
        "make the two columns agree, or write only buy or sell as the side",
    ),
    Code.ORDER_TYPE_BAD: Words(
        "委托类型 “{value}” 认不出",
        "the order type “{value}” is not understood",
        "可用：{bound}",
        "use one of {bound}",
    ),
    Code.TIME_BAD: Words(
        "{column} “{value}” 不是时刻",
        "{column} “{value}” is not a time of day",
        "写成 09:31:00",
        "write it as 09:31:00",
    ),
}
