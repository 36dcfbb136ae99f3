"""Owns what the text of one cell means. Nothing is guessed: no default side, no rounding, no float.

Each reader takes a cell's text and returns its value, the value and what was mended, or a refusal (column left empty).
Each has a quick accept at the top and, below it, the reading that mends or explains.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from orderdrop.domain.order import OrderBusiness, OrderType
from orderdrop.domain.refusal import Code, Refusal
from orderdrop.domain.symbol import FULL_WIDTH, SPACES, read_symbol
from orderdrop.intake.cells import CLIP

V = TypeVar("V")

MAX_DIGITS = 12
MAX_DECIMALS = 4
MAX_REMARK = 200
MAX_NAME = 64


class Mended(NamedTuple, Generic[V]):
    value: V
    note: str


Reading: TypeAlias = V | Mended[V] | Refusal

# A number of more than 15 digits of which only the first 15 are not zero has been through Excel (or may have been).
_SID = r"(?!-)(?![0-9]{15}0+(?![A-Za-z0-9_.\-]))[A-Za-z0-9_.\-]{1,64}+"
_are_sids = re.compile(rf"(?:{_SID}\n)++").fullmatch
is_sid: Callable[[str], object] = re.compile(_SID).fullmatch
"""Whether a text is a good sid as it stands."""

_EXCEL_DIGITS = re.compile(r"[0-9]{15}0+|[0-9](?:\.[0-9]+)?[eE]\+[0-9]+")
_EXCEL_TEXT = re.compile(r'="([^"=]*)"')
_GUARDS = SPACES + "\t\x1f\u200b\ufeff"
"""What programs put around a value to keep a spreadsheet's hands off it, and what the web leaves there; also a `'` in front."""

_NOISY = re.compile(r"[0-9]{1,12}\.[0-9]{8,24}")
_FIFTEEN = Context(prec=15, rounding=ROUND_HALF_EVEN)
_WHOLE_FLOAT = re.compile(r"([1-9][0-9]{0,14})\.0")
_HARMLESS = re.compile(r"[-+]*(?:[0-9][0-9.,]*%?)?")
_NUMBER = re.compile(r"([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?")
_is_plain_price = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,4})?").fullmatch
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)
_NAME = re.compile(r"(?!\.)[\w.-]+(?<!\.)")

_FORMULA = ("=", "+", "@", "-", "\t", "\r")
_UNSEEN = frozenset(
    {"Cc", "Cf", "Cs", "Zl", "Zp"}
)  # controls, bidi overrides and other formats, line separators

_SIDES = {
    word: int(side)
    for side, words in {
        OrderBusiness.BUY: "1 b buy orderside_buy side_buy 买 买入 买进 买单 证券买入 股票买入 基金买入 债券买入 普通买入 限价买入 市价买入",
        OrderBusiness.SELL: "2 s sell orderside_sell side_sell 卖 卖出 卖单 证券卖出 股票卖出 基金卖出 债券卖出 普通卖出 限价卖出 市价卖出",
        OrderBusiness.MARGIN_BUY: "200 融资买入",
        OrderBusiness.SHORT_SELL: "201 融券卖出",
        OrderBusiness.BUY_TO_RETURN: "202 买券还券",
        OrderBusiness.SELL_TO_REPAY: "203 卖券还款",
        OrderBusiness.COLLATERAL_BUY: "207 担保品买入",
        OrderBusiness.COLLATERAL_SELL: "208 担保品卖出",
        OrderBusiness.SPECIAL_MARGIN_BUY: "212 专项融资买入",
        OrderBusiness.SPECIAL_SHORT_SELL: "213 专项融券卖出",
        OrderBusiness.SPECIAL_BUY_TO_RETURN: "214 专项买券还券",
        OrderBusiness.SPECIAL_SELL_TO_REPAY: "215 专项卖券还款",
    }.items()
    for word in words.split()
}
_ORDER_TYPES: dict[str, int | None] = {
    word: int(order_type)
    for order_type, words in {
        OrderType.LIMIT: "1 limit lmt limit_order ordertype_limit 限价 限价委托 限价单 限价申报 普通限价 指定价 指定价格 限价买入 限价卖出",
        OrderType.MARKET: "2 market mkt market_order ordertype_market 市价 市价委托 市价单 市价申报 市价买入 市价卖出",
        OrderType.COUNTERPARTY_BEST: "20 对手方最优 对手方最优价格 对手方最优价格申报 对方最优 对方最优价格",
        OrderType.OWN_BEST: "21 本方最优 本方最优价格 本方最优价格申报",
        OrderType.FILL_AND_KILL: "22 即时成交剩余撤销 即时成交剩余撤销申报 即成剩撤",
        OrderType.FILL_OR_KILL: "23 全额成交或撤销 全额成交或撤销申报 全成或撤",
        OrderType.BEST_FIVE_CANCEL: "24 最优五档即时成交剩余撤销 最优五档即时成交剩余撤销申报 五档即时成交剩余撤销 五档即成剩撤",
        OrderType.BEST_FIVE_LIMIT: "25 最优五档即时成交剩余转限价 最优五档即时成交剩余转限价申报 五档即时成交剩余转限价 五档即成转限价",
    }.items()
    for word in words.split()
}
_TYPE_IN_SIDE = {
    word: int(OrderType.LIMIT if word.startswith("限价") else OrderType.MARKET)
    for word in ("限价买入", "限价卖出", "市价买入", "市价卖出")
}
ORDER_TYPES_SPELLED = "1 限价 limit, 2 市价 market, 20, 21, 22, 23, 24, 25"


def are_sids(texts: Sequence[str]) -> bool:
    """Whether each of them `is_sid`."""
    lines = "\n".join([*texts, ""])
    return lines.count("\n") == len(texts) and bool(_are_sids(lines))


def read_sid(text: str) -> Reading[str]:
    """An empty one is VALUE_MISSING: whether one can be derived is the row's business."""
    if is_sid(text):
        return text
    sid, note = _bare(text)
    if is_sid(sid):
        return Mended(sid, note) if note else sid
    if not sid:
        return Refusal(Code.VALUE_MISSING)
    if _EXCEL_DIGITS.fullmatch(sid):
        return Refusal(Code.SID_EXCEL, value=sid[:CLIP])
    return _unfit_text(sid, sid) or Refusal(Code.SID_BAD, value=sid[:CLIP])


def read_symbol_cell(text: str) -> Reading[str]:
    spelled, unwrapped = _bare(text)
    symbol = read_symbol(spelled)
    if not isinstance(symbol, Refusal):
        note = symbol.note or unwrapped
        return Mended(symbol.text, note) if note else symbol.text
    if not spelled:
        return Refusal(Code.VALUE_MISSING)
    return _unfit_text(spelled, spelled) or symbol._replace(value=text[:CLIP])


def read_volume(text: str, *, grouped: bool = True) -> Reading[int]:
    """Shares. grouped: whether `1,000` and `100.0` mean what they mean in China."""
    if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and (volume := int(text)):
        return volume
    plain, note = _number_text(text)
    if not plain:
        return Refusal(Code.VALUE_MISSING)
    number = _number(plain, example="100", grouped=grouped)
    if isinstance(number, Refusal):
        return number
    whole, fraction = number
    volume = int(whole)
    if plain.startswith("-") or not volume or fraction.strip("0") or (fraction and not grouped):
        return Refusal(Code.VOLUME_BAD, value=plain[:CLIP])
    return Mended(volume, note) if note else volume


def read_price(text: str, *, grouped: bool = True) -> Reading[Decimal | None]:
    """Yuan, as it was written; None for an empty cell and for zero. grouped: as for volumes."""
    if not text:
        return None
    if _is_plain_price(text):
        return Decimal(text) or None
    plain, note = _number_text(text)
    if not plain:
        return None
    number = _number(plain, example="10.35", grouped=grouped)
    if isinstance(number, Refusal):
        return number
    whole, fraction = number
    if plain.startswith("-"):
        return Refusal(Code.PRICE_BAD, value=plain[:CLIP])
    if fraction[MAX_DECIMALS:].strip("0"):
        return Refusal(Code.PRICE_DECIMALS, value=plain[:CLIP], bound=str(MAX_DECIMALS))
    price = Decimal(f"{whole}.{fraction[:MAX_DECIMALS]}" if fraction else whole) or None
    return Mended(price, note) if note else price


def read_side(text: str) -> Reading[int]:
    """掘金's order_business. Whatever is not plainly a purchase or a sale is refused."""
    side = _word(text, _SIDES)
    if side is not None:
        if type_in_side(text) is None:
            return side
        return side if isinstance(side, Mended) else Mended(side, "")  # the row looks at the type it says
    return Refusal(Code.SIDE_BAD if not is_empty(text) else Code.VALUE_MISSING, value=text[:CLIP])


def type_in_side(text: str) -> int | None:
    """The order type that a word for the side says as well, such as 市价买入; None for a word of the side alone."""
    return _TYPE_IN_SIDE.get(_half_width(text)[0])


def read_order_type(text: str) -> Reading[int | None]:
    """None for an empty cell: whether that can be a limit order is the row's business."""
    if is_empty(text):
        return None
    return _word(text, _ORDER_TYPES) or Refusal(
        Code.ORDER_TYPE_BAD, value=text[:CLIP], bound=ORDER_TYPES_SPELLED
    )


def read_remark(text: str) -> Reading[str]:
    """Free text; a lone `-` or a signed number is harmless, anything else that Excel would compute is refused."""
    if not text:
        return ""
    remark, note = _bare(text)
    if len(remark) > MAX_REMARK:
        return Refusal(Code.VALUE_TOO_LONG, value=remark[:CLIP], bound=str(MAX_REMARK))
    begins_like_formula = remark.translate(FULL_WIDTH).startswith(_FORMULA) and not _HARMLESS.fullmatch(
        remark
    )
    if begins_like_formula or not remark.isprintable():
        return _unfit_text(remark, remark) or _mended(remark, note)
    return _mended(remark, note)


def read_name(text: str) -> Reading[str]:
    """Of an account or a strategy; "" for an empty cell. It may become the name of a folder."""
    name, note = _bare(text)
    if len(name) > MAX_NAME:
        return Refusal(Code.VALUE_TOO_LONG, value=name[:CLIP], bound=str(MAX_NAME))
    if not name or (
        _NAME.fullmatch(name) and not name.startswith(_FORMULA) and unicodedata.is_normalized("NFKC", name)
    ):
        return _mended(name, note)
    return _unfit_text(name, name) or Refusal(Code.VALUE_CHARACTERS, value=name[:CLIP])


def _mended(value: V, note: str) -> V | Mended[V]:
    return Mended(value, note) if note else value


def read_time(text: str) -> Reading[str]:
    """`9:31` or `09:31:00` as `09:31:00`; "" when absent."""
    plain, note = _half_width(text)
    if not plain:
        return ""
    match = _TIME.fullmatch(plain)
    if match is None:
        return _unfit_text(plain, plain) or Refusal(Code.TIME_BAD, value=plain[:CLIP])
    time = f"{int(match[1]):02}:{match[2]}:{match[3] or '00'}"
    return Mended(time, note) if note else time


def read_account(text: str, accounts: Mapping[str, str], default: str | None) -> Reading[str]:
    """accounts: id or alias -> id; empty: any account is taken as written. default: for an empty cell."""
    name, note = _bare(text)
    if name in accounts:
        return _mended(accounts[name], note)
    for spelled, account_id in accounts.items():
        if spelled.casefold() == name.casefold():
            return _mended(account_id, note)
    known = ", ".join(dict.fromkeys(accounts.values()))
    if not name:
        return default if default is not None else Refusal(Code.ACCOUNT_MISSING, bound=known)
    if match := _WHOLE_FLOAT.fullmatch(name):  # what pandas makes of a number beside an empty cell
        if match[1] in accounts:
            return Mended(accounts[match[1]], f"{name} → {match[1]}")
        return Refusal(Code.ACCOUNT_AS_NUMBER, value=name, bound=match[1])
    reading = read_name(text)
    if isinstance(reading, Refusal) or not accounts:
        return reading
    return Refusal(Code.ACCOUNT_UNKNOWN, value=name, bound=known)


def _word(text: str, words: Mapping[str, V]) -> V | Mended[V] | None:
    plain, note = _half_width(text)
    value = words.get(plain.lower())
    return Mended(value, note) if value is not None and note else value


def _number(text: str, *, example: str, grouped: bool) -> tuple[str, str] | Refusal:
    """The digits before and behind the point, without the sign. No exponent, no plus, no underscore, no other script's digits."""
    match = _NUMBER.fullmatch(text.removeprefix("-")) if len(text) <= 2 * MAX_DIGITS else None
    if match is None or ("," in match[1] and not grouped):
        code = Code.VALUE_FORMULA if text.startswith("=") else Code.NUMBER_BAD
        return Refusal(code, value=text[:CLIP], bound=example)
    whole = match[1].replace(",", "")
    if len(whole) > MAX_DIGITS:
        return Refusal(Code.NUMBER_BAD, value=text[:CLIP], bound=example)
    return whole, match[2] or ""


def is_empty(text: str) -> bool:
    """Whether nothing stands in a cell but spaces and guards."""
    return not _bare(text)[0]


def unguarded(text: str) -> str:
    """The text without spaces and guards around it."""
    return _bare(text)[0]


def _bare(text: str) -> tuple[str, str]:
    """The text without spaces and guards around it; and the note, if there was more than spaces."""
    spaceless = text.strip(SPACES)
    bare = spaceless.strip(_GUARDS)
    if bare.startswith("'"):
        bare = bare[1:].strip(_GUARDS)
    if match := _EXCEL_TEXT.fullmatch(bare):
        bare = match[1].strip(_GUARDS)
    return bare, "" if bare == spaceless else f"{_visible(spaceless)} → {bare}"


def _visible(text: str) -> str:
    return "".join(
        one if one.isprintable() else f"\\x{ord(one):02x}" if ord(one) < 256 else f"\\u{ord(one):04x}"
        for one in text
    )


def _half_width(text: str) -> tuple[str, str]:
    """The text without what surrounds it, full-width characters folded; and the note, if there was anything to mend."""
    bare, note = _bare(text)
    plain = bare if bare.isascii() else bare.translate(FULL_WIDTH)
    return plain, note if plain == bare else f"{bare} → {plain} 全角 full-width"


def _number_text(text: str) -> tuple[str, str]:
    folded, note = _half_width(text)
    plain, noise = _without_noise(folded)
    return plain, noise or note


def _without_noise(text: str) -> tuple[str, str]:
    """A number that was computed with floats, at the 15 digits that one holds, as a workbook is read; and the note."""
    if not _NOISY.fullmatch(text) or len(text.replace(".", "").lstrip("0")) <= _FIFTEEN.prec:
        return text, ""
    number = format(_FIFTEEN.create_decimal(text), "f")
    plain = number.rstrip("0").rstrip(".")
    return (plain, f"{text} → {plain} 浮点误差 float noise") if len(plain) < len(text) - 2 else (text, "")


def _unfit_text(bare: str, text: str) -> Refusal | None:
    """Why no text column may hold this; None when it holds nothing dangerous."""
    if bare.translate(FULL_WIDTH).startswith(_FORMULA):
        return Refusal(Code.VALUE_FORMULA, value=bare[:CLIP])
    if any(unicodedata.category(character) in _UNSEEN for character in text):
        return Refusal(Code.VALUE_CONTROL, value=bare[:CLIP])
    return None
