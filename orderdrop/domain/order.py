"""An order as it was read, and as it goes out. Tuples on the hot path; `OrderRow` is the contract for everybody else."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import NamedTuple, NewType

from pydantic import BaseModel, ConfigDict, Field

Sid = NewType("Sid", str)
"""The user's order id (FIX ClOrdID): 1 to 64 of `[A-Za-z0-9_.-]`."""

AccountId = NewType("AccountId", str)

OrderId = NewType("OrderId", int)
"""Our row key of an order: `drop id << 32 | line number`, so a drop's orders are one range and need no index."""


SID_PATTERN = r"^[A-Za-z0-9_.][A-Za-z0-9_.\-]{0,63}$"
"""No `-` in front: a spreadsheet would take it for a formula."""

TIME_PATTERN = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderType(IntEnum):
    """掘金's codes, the ones that stand in the files (docs/rules.md, "Order types")."""

    LIMIT = 1
    MARKET = 2
    COUNTERPARTY_BEST = 20
    OWN_BEST = 21
    FILL_AND_KILL = 22
    FILL_OR_KILL = 23
    BEST_FIVE_CANCEL = 24
    BEST_FIVE_LIMIT = 25


class OrderBusiness(IntEnum):
    """掘金's order_business codes that this router takes: purchases and sales of securities, and those of a credit account."""

    BUY = 1
    SELL = 2
    MARGIN_BUY = 200  # 融资买入
    SHORT_SELL = 201  # 融券卖出
    BUY_TO_RETURN = 202  # 买券还券
    SELL_TO_REPAY = 203  # 卖券还款
    COLLATERAL_BUY = 207  # 担保品买入
    COLLATERAL_SELL = 208  # 担保品卖出
    SPECIAL_MARGIN_BUY = 212  # 专项融资买入
    SPECIAL_SHORT_SELL = 213  # 专项融券卖出
    SPECIAL_BUY_TO_RETURN = 214  # 专项买券还券
    SPECIAL_SELL_TO_REPAY = 215  # 专项卖券还款


SIDE_OF = {
    OrderBusiness.BUY: Side.BUY,
    OrderBusiness.SELL: Side.SELL,
    OrderBusiness.MARGIN_BUY: Side.BUY,
    OrderBusiness.SHORT_SELL: Side.SELL,
    OrderBusiness.BUY_TO_RETURN: Side.BUY,
    OrderBusiness.SELL_TO_REPAY: Side.SELL,
    OrderBusiness.COLLATERAL_BUY: Side.BUY,
    OrderBusiness.COLLATERAL_SELL: Side.SELL,
    OrderBusiness.SPECIAL_MARGIN_BUY: Side.BUY,
    OrderBusiness.SPECIAL_SHORT_SELL: Side.SELL,
    OrderBusiness.SPECIAL_BUY_TO_RETURN: Side.BUY,
    OrderBusiness.SPECIAL_SELL_TO_REPAY: Side.SELL,
}
BUYS = frozenset(business for business, side in SIDE_OF.items() if side is Side.BUY)
SELLS = frozenset(business for business, side in SIDE_OF.items() if side is Side.SELL)
SHORT_SALES = frozenset({OrderBusiness.SHORT_SELL, OrderBusiness.SPECIAL_SHORT_SELL})
FROM_HOLDING = SELLS - SHORT_SALES
"""Sales of what the account holds; the others sell what is lent."""

RETURNS = frozenset({OrderBusiness.BUY_TO_RETURN, OrderBusiness.SPECIAL_BUY_TO_RETURN})
"""Purchases that go back to whoever lent the shares: they end a short sale, and nothing of them stays in the account."""

TO_HOLDING = BUYS - RETURNS
PAID_IN_CASH = BUYS - {OrderBusiness.MARGIN_BUY, OrderBusiness.SPECIAL_MARGIN_BUY}
"""Purchases with the account's own cash; the others with the broker's."""


class DropKind(StrEnum):
    """What a drop asks for; its file name says it (`*.cancel_order.csv`, …)."""

    ORDER = "order"
    CANCEL = "cancel_order"
    RELEASE = "release"
    RESEND = "resend"


class Order(NamedTuple):
    """One good row, normalised. `row` is the line in the file (the header is line 1), as an editor or Excel counts.

    price: yuan, None where the row gave none. strategy, remark: "" when absent.
    note: what was mended while reading, "" when nothing was. not_before, not_after: `HH:MM:SS` of today in Shanghai, "" when absent.
    """

    row: int
    sid: str
    account_id: str
    symbol: str
    volume: int
    order_type: int
    order_business: int
    price: Decimal | None
    remark: str = ""
    strategy: str = ""
    note: str = ""
    not_before: str = ""
    not_after: str = ""


class Instruction(NamedTuple):
    """One good row of a cancel, release or resend drop. note: what was passed over in it."""

    row: int
    sid: str
    remark: str = ""
    note: str = ""


class OrderRow(BaseModel):
    """An order as a file, a DataFrame or a program gives it: the card's columns (`schemas/order_row.json`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sid: str | None = Field(
        None, pattern=SID_PATTERN, description="unique for ever; derived when absent 委托编号"
    )
    account_id: str | None = Field(None, description="资金账号; may be absent when there is only one")
    symbol: str = Field(description="`SHSE.600000`, `600000.SH`, `sh600000`, `600000.XSHG` 证券代码")
    volume: int = Field(gt=0, description="shares, bonds in units 数量")
    order_type: OrderType = Field(
        OrderType.LIMIT, description="1 limit 限价, 2 market 市价, 20-25 see docs/manual.md"
    )
    order_business: OrderBusiness = Field(description="1 buy 买, 2 sell 卖")
    price: Decimal | None = Field(None, gt=0, description="yuan; needed for limit orders 价格")
    strategy: str | None = Field(
        None, description="names the strategy; so does a sub-folder of the inbox 策略"
    )
    remark: str | None = Field(None, max_length=200, description="free text 备注")
    not_before: str | None = Field(
        None, pattern=TIME_PATTERN, description="held until then, today in Shanghai 不早于"
    )
    not_after: str | None = Field(
        None, pattern=TIME_PATTERN, description="not handed over later than then 不晚于"
    )


class InstructionRow(BaseModel):
    """A row of a cancel, release or resend drop (`schemas/cancel_row.json`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sid: str = Field(pattern=SID_PATTERN)
    comment: str | None = Field(None, max_length=200)
